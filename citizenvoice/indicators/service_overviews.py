"""Many services at once: each one's main indicator now and before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select

from citizenvoice.agencies.models import Agency, Service
from citizenvoice.analysis.queries import PENDING
from citizenvoice.db import db
from citizenvoice.feedback.models import Comment
from citizenvoice.indicators.definitions import (
    IndicatorDefinition,
)
from citizenvoice.indicators.estimating import Figure, StatusOf, change, figure_from, status_of
from citizenvoice.indicators.pooling import Pool, Span, pool_counts
from citizenvoice.indicators.service_indicators import MINIMUM, ServiceIndicators, indicators_of_services
from citizenvoice.stats.comparisons import Change
from citizenvoice.stats.periods import PeriodKind, latest, period_of

MAX_WAITING = 100_000  # comments not read yet that are looked at; beyond that a count says nothing new


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """One service on its manager's home page."""

    found: ServiceIndicators
    main: IndicatorDefinition | None
    latest: Figure | None
    previous: Figure | None
    change: Change | None
    status: StatusOf | None
    spark: tuple[Figure, ...]
    n_responses: int
    n_unread: int


def service_overview(
    service_ids: Sequence[int],
    kind: PeriodKind,
    today: date,
    n_periods: int = 12,
    *,
    minimum: int = MINIMUM,
) -> dict[int, Overview]:
    """Return each service's main indicator now and before, whether it changed, and what waits to be read.

    "Now" is the running period once it has enough answers, and the last complete one until then.
    """
    indicators = indicators_of_services(service_ids, minimum=minimum)
    fiscal = _fiscal_starts(service_ids)
    spans = {
        service_id: [
            (period.start, period.end_exclusive)
            for period in latest(n_periods + 1, period_of(today, kind, fiscal.get(service_id, 1)))
        ]
        for service_id in service_ids
    }
    every = sorted({span for found in spans.values() for span in found})
    pools = pool_counts(service_ids, every)
    unread = _unread(service_ids)
    return {
        service_id: _overview(
            indicators[service_id],
            [(span, pools.get((service_id, every.index(span)), {})) for span in spans[service_id]],
            unread.get(service_id, 0),
        )
        for service_id in service_ids
    }


def _overview(
    found: ServiceIndicators, periods: Sequence[tuple[Span, Mapping[int, Pool]]], n_unread: int
) -> Overview:
    main = found.main
    points = [figure_from(found, main, *span, pools) for span, pools in periods] if main else []
    shown = points if points and points[-1].estimate else points[:-1]
    now, before = (shown[-1], shown[-2]) if len(shown) > 1 else (None, None)
    return Overview(
        found=found,
        main=main,
        latest=now,
        previous=before,
        change=change(before, now) if now and before else None,
        status=status_of(found, now) if now else None,
        spark=tuple(points[1:]),
        n_responses=sum(pool.n_responses for pool in periods[-1 if shown is points else -2][1].values()),
        n_unread=n_unread,
    )


def _fiscal_starts(service_ids: Sequence[int]) -> dict[int, int]:
    rows = (
        select(Service.id, Agency.fiscal_year_start)
        .join(Agency, Agency.id == Service.agency_id)
        .where(Service.id.in_(service_ids))
        .order_by(Service.id)
    )
    return dict(db.session.execute(rows).all())


def _unread(service_ids: Sequence[int]) -> dict[int, int]:
    waiting = select(Comment.service_id).where(PENDING).order_by(Comment.id).limit(MAX_WAITING).subquery()
    rows = (
        select(waiting.c.service_id, func.count())
        .where(waiting.c.service_id.in_(service_ids))
        .group_by(waiting.c.service_id)
        .order_by(waiting.c.service_id)
    )
    return dict(db.session.execute(rows).all())
