"""How many were served, offered a survey and heard from, and the rates between them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import func, or_, select

from citizenvoice.agencies.models import ServiceVolume
from citizenvoice.db import db
from citizenvoice.indicators.models import Count, Grain
from citizenvoice.indicators.pooling import Span, grain_conditions
from citizenvoice.stats.periods import months_and_days


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """How many were served, offered a survey and answered; a rate is None where it cannot be worked out."""

    n_responses: int = 0
    n_served: int | None = None
    n_offered: int | None = None
    n_responses_covered: int = 0  # in the periods and channels whose volumes are known
    per_channel: Mapping[str, "Volume"] = field(default_factory=dict)

    @property
    def response_rate(self) -> float | None:
        """Return responses among those offered a survey."""
        return _rate(self.n_responses_covered, self.n_offered)

    @property
    def offer_rate(self) -> float | None:
        """Return those offered a survey among those served."""
        return None if self.n_offered is None else _rate(self.n_offered, self.n_served)

    @property
    def coverage(self) -> float | None:
        """Return responses among those served."""
        return _rate(self.n_responses_covered, self.n_served)


def volumes(service_ids: Sequence[int], start: date, end: date) -> dict[int, Volume]:
    """Return how many each service served, offered a survey and heard from, and so the rates.

    Only periods of the volume ledger that lie wholly inside the range are known; rates compare them with the
    responses of the same days and channel.
    """
    ledger = db.session.scalars(
        select(ServiceVolume)
        .where(
            ServiceVolume.service_id.in_(service_ids), ServiceVolume.start >= start, ServiceVolume.end <= end
        )
        .order_by(ServiceVolume.service_id, ServiceVolume.channel, ServiceVolume.start)
    ).all()
    spans = [(start, end), *sorted({(row.start, row.end) for row in ledger})]
    answered = _responses_by_channel(service_ids, spans)
    found = {}
    for service_id in service_ids:
        rows = [row for row in ledger if row.service_id == service_id]
        per_channel = {
            channel: _volume(channel, [row for row in rows if row.channel == channel], answered, (start, end))
            for channel in sorted({row.channel for row in rows})
        }
        n_responses = sum(
            n for (s, _, span), n in answered.items() if s == service_id and span == (start, end)
        )
        found[service_id] = Volume(
            n_responses=n_responses,
            n_served=_sum(volume.n_served for volume in per_channel.values()),
            n_offered=_sum(volume.n_offered for volume in per_channel.values()),
            n_responses_covered=sum(volume.n_responses_covered for volume in per_channel.values()),
            per_channel=per_channel,
        )
    return found


def answered_in(ledger: Sequence[ServiceVolume]) -> dict[int, int]:
    """Return how many responses there are in the channel and period of each volume, by the volume's id."""
    spans = sorted({(row.start, row.end) for row in ledger})
    answered = _responses_by_channel(sorted({row.service_id for row in ledger}), spans)
    return {row.id: answered.get((row.service_id, row.channel, (row.start, row.end)), 0) for row in ledger}


def _volume(
    channel: str, rows: Sequence[ServiceVolume], answered: Mapping[tuple[int, str, Span], int], whole: Span
) -> Volume:
    service_id = rows[0].service_id
    return Volume(
        n_responses=answered.get((service_id, channel, whole), 0),
        n_served=sum(row.n_served for row in rows),
        n_offered=_sum(row.n_offered for row in rows),
        n_responses_covered=sum(answered.get((service_id, channel, (row.start, row.end)), 0) for row in rows),
    )


def _responses_by_channel(
    service_ids: Sequence[int], spans: Sequence[Span]
) -> dict[tuple[int, str, Span], int]:
    places: dict[tuple[str, date], list[Span]] = defaultdict(list)
    for span in dict.fromkeys(spans):
        months, days = months_and_days(*span)
        for one in months:
            places[Grain.MONTH, one].append(span)
        for one in days:
            places[Grain.DAY, one].append(span)
    answered: dict[tuple[int, str, Span], int] = defaultdict(int)
    if not places:
        return answered
    rows = (
        select(Count.service_id, Count.channel, Count.grain, Count.start, func.sum(Count.n_responses))
        .where(
            Count.service_id.in_(service_ids),
            Count.segment == "",
            Count.channel != "",
            or_(*grain_conditions(set(places))),
        )
        .group_by(Count.service_id, Count.channel, Count.grain, Count.start)
        .order_by(Count.service_id, Count.start)
    )
    for service_id, channel, grain, one, n in db.session.execute(rows):
        for span in places.get((grain, one), ()):
            answered[service_id, channel, span] += int(n)
    return answered


def _sum(values: Iterable[int | None]) -> int | None:
    """Add up what is known; None where a part is not known, or there is none."""
    known = list(values)
    return None if not known or None in known else sum(value for value in known if value is not None)


def _rate(n: int, of: int | None) -> float | None:
    return n / of if of and n <= of else None
