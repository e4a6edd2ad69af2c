"""Adds up stored counts over stretches of days: what every figure is worked out from, never responses."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

import orjson
from sqlalchemy import ColumnElement, Text, and_, cast, or_, select

from citizenvoice.db import db
from citizenvoice.indicators import cells
from citizenvoice.indicators.models import Count, Grain
from citizenvoice.stats.periods import months_and_days

MAX_DAYS_LISTED = 62


@dataclass(frozen=True, slots=True)
class Slice:
    """Which part of the responses: a channel, a language, one value of one segment; everybody by default."""

    channel: str | None = None
    language: str | None = None
    segment: str = ""
    value: str = ""

    @property
    def is_everybody(self) -> bool:
        """Return whether nothing is left out."""
        return not (self.channel or self.language or self.segment)

    def holds(self, channel: str, language: str) -> bool:
        """Return whether answers by this channel and in this language are among them."""
        return self.channel in {None, channel} and self.language in {None, language}


EVERYBODY = Slice()
Span = tuple[date, date]


class _Stored(NamedTuple):
    """One row of counts as it is read."""

    service_id: int
    version_id: int
    grain: str
    start: date
    n_responses: int
    counts: dict[str, Any]
    pairs: dict[str, Any]


@dataclass(slots=True)
class Pool:
    """Counts of one service and version over one stretch of days."""

    n_responses: int = 0
    counts: dict[str, Any] = field(default_factory=dict)
    pairs: dict[str, Any] = field(default_factory=dict)

    def add(self, row: _Stored) -> None:
        """Add a stored row."""
        self.n_responses += row.n_responses
        cells.add_counts(self.counts, row.counts)
        cells.add_pairs(self.pairs, row.pairs)


Pools = dict[tuple[int, int], dict[int, Pool]]  # (service, place of the stretch) -> version -> pool


def pool_counts(
    service_ids: Sequence[int],
    spans: Sequence[tuple[date, date]],
    part: Slice = EVERYBODY,
    *,
    branches: Sequence[str] = (),
    with_pairs: bool = False,
) -> Pools:
    """Add up stored counts for each stretch of days: whole months from month rows, the rest from days.

    ``branches`` names the parts of the counts that are wanted, where not all of them are.
    """
    places = _places(spans)
    pools: Pools = {}
    for row in _read(service_ids, set(places), part, with_pairs=with_pairs):
        for place in places.get((row.grain, row.start), ()):
            counts = {name: row.counts[name] for name in branches if name in row.counts}
            wanted = row._replace(counts=counts) if branches else row
            versions = pools.setdefault((row.service_id, place), {})
            versions.setdefault(row.version_id, Pool()).add(wanted)
    return pools


def _read(
    service_ids: Sequence[int], starts: set[tuple[str, date]], part: Slice, *, with_pairs: bool
) -> Iterable[_Stored]:
    if not starts or not service_ids:
        return
    rows = (
        select(
            Count.service_id,
            Count.version_id,
            Count.grain,
            Count.start,
            Count.n_responses,
            cast(Count.counts, Text),
            *([cast(Count.pairs, Text)] if with_pairs else []),
        )
        .where(
            Count.service_id.in_(service_ids),
            Count.segment == part.segment,
            Count.segment_value == part.value,
            _starts_and_channels(starts, part),
        )
        .order_by(Count.id)
    )
    for row in db.session.execute(rows):
        pairs = orjson.loads(row[6]) if with_pairs else {}
        yield _Stored(*row[:5], orjson.loads(row[5]), pairs)


def _starts_and_channels(starts: set[tuple[str, date]], part: Slice) -> ColumnElement[bool]:
    months = sorted(start for grain, start in starts if grain == Grain.MONTH)
    days = sorted(start for grain, start in starts if grain == Grain.DAY)
    conditions = []
    if months:
        in_months = Count.start.between(months[0], months[-1])
        conditions.append(and_(Count.grain == Grain.MONTH, in_months, _cells(part, has_totals=True)))
    if days:
        listed = len(days) <= MAX_DAYS_LISTED
        in_days = Count.start.in_(days) if listed else Count.start.between(days[0], days[-1])
        conditions.append(and_(Count.grain == Grain.DAY, in_days, _cells(part, has_totals=False)))
    return or_(*conditions)


def grain_conditions(starts: set[tuple[str, date]]) -> list[ColumnElement[bool]]:
    """Return the conditions for rows of these months and days, and perhaps others between them."""
    return [
        and_(Count.grain == grain, Count.start.between(min(days), max(days)))
        for grain in (Grain.MONTH, Grain.DAY)
        if (days := [start for known, start in starts if known == grain])
    ]


def _cells(part: Slice, *, has_totals: bool) -> ColumnElement[bool]:
    """Return the condition for the cells of a part; months keep one row for everybody beside the others."""
    if has_totals and part.is_everybody:
        return Count.channel == ""
    channel = Count.channel == part.channel if part.channel else Count.channel != ""
    return and_(channel, Count.language == part.language) if part.language else channel


def pool_parts(
    service_id: int, span: Span, parts: Sequence[Slice], keep: Callable[[dict[str, Any]], dict[str, Any]]
) -> dict[Slice, dict[int, Pool]]:
    """Add up what ``keep`` leaves of the counts of each part over one stretch of days, in one statement."""
    places = _places([span])
    pools: dict[Slice, dict[int, Pool]] = {part: {} for part in parts}
    people: dict[tuple[str, str], list[Slice]] = defaultdict(list)
    for part in pools:
        people[part.segment, part.value].append(part)
    if not places or not parts:
        return pools
    rows = (
        select(
            Count.service_id,
            Count.version_id,
            Count.grain,
            Count.start,
            Count.n_responses,
            cast(Count.counts, Text),
            Count.channel,
            Count.language,
            Count.segment,
            Count.segment_value,
        )
        .where(
            Count.service_id == service_id,
            Count.segment.in_(sorted({segment for segment, _value in people})),
            Count.channel != "",
            or_(*grain_conditions(set(places))),
        )
        .order_by(Count.id)
    )
    for row in db.session.execute(rows):
        wanted = [part for part in people.get((row[8], row[9]), ()) if part.holds(row[6], row[7])]
        if wanted and (row[2], row[3]) in places:
            stored = _Stored(*row[:5], keep(orjson.loads(row[5])), {})
            for part in wanted:
                pools[part].setdefault(stored.version_id, Pool()).add(stored)
    return pools


def _places(spans: Sequence[Span]) -> dict[tuple[str, date], list[int]]:
    """Return which months and days the spans are made of, and the numbers of the spans each is in."""
    places: dict[tuple[str, date], list[int]] = defaultdict(list)
    for place, span in enumerate(spans):
        months, days = months_and_days(*span)
        for month in months:
            places[Grain.MONTH, month].append(place)
        for day in days:
            places[Grain.DAY, day].append(place)
    return places
