"""Reads that only pages of figures need: services a page at a time, and comments that stand for a theme."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import func, select, tuple_
from sqlalchemy.orm import joinedload

from citizenvoice.agencies.models import Agency, Service, ServiceVolume
from citizenvoice.agencies.queries import below
from citizenvoice.analysis.queries import PENDING, effective_sentiment, has_theme, with_reading
from citizenvoice.db import db
from citizenvoice.feedback.models import Comment, Receipt
from citizenvoice.feedback.queries import counted
from citizenvoice.indicators.queries import Slice

SERVICES_A_PAGE = 50
QUOTE_CHARS = (25, 320)  # long enough to say something, short enough to quote


@dataclass(frozen=True, slots=True, kw_only=True)
class ServicesPage:
    """Some services in the order of their agencies and names, and where the next page begins."""

    services: tuple[Service, ...]
    next_after: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """A comment worth reading aloud: what was said, when and how it came."""

    id: int
    text: str
    day: date
    channel: str
    language: str


def services_page(paths: Sequence[str], *, after: str = "", limit: int = SERVICES_A_PAGE) -> ServicesPage:
    """Return the services of these subtrees that follow the one with the slug ``after``."""
    wanted = (
        select(Service)
        .join(Service.agency)
        .options(joinedload(Service.agency))
        .where(below(paths))
        .order_by(Agency.path, Service.name, Service.id)
        .limit(limit + 1)
    )
    place = _place(after, paths) if after else None
    if place is not None:
        wanted = wanted.where(tuple_(Agency.path, Service.name, Service.id) > tuple_(*place))
    found = list(db.session.scalars(wanted))
    has_more = len(found) > limit
    return ServicesPage(services=tuple(found[:limit]), next_after=found[limit - 1].slug if has_more else None)


def _place(slug: str, paths: Sequence[str]) -> tuple[str, str, int] | None:
    row = db.session.execute(
        select(Agency.path, Service.name, Service.id)
        .join(Service.agency)
        .where(Service.slug == slug, below(paths))
    ).one_or_none()
    return None if row is None else (row[0], row[1], row[2])


def typical_comments(
    service_id: int,
    *,
    theme_id: int,
    sentiment: tuple[int, ...],
    start: date,
    end: date,
    part: Slice,
    without: Sequence[int] = (),
    limit: int = 2,
) -> list[Quote]:
    """Return the latest comments with a theme and the sentiment most people have in it, of quotable length.

    Comments that do not count are left out, and so are those already shown (``without``).
    """
    wanted = (
        with_reading(
            select(Comment.id, Comment.text, Comment.day, Comment.channel, Comment.language).join(
                Receipt, Receipt.id == Comment.receipt_id
            )
        )
        .where(
            Comment.service_id == service_id,
            Comment.day >= start,
            Comment.day < end,
            counted(),
            has_theme(theme_id),
            effective_sentiment().in_(sentiment),
            func.length(Comment.text).between(*QUOTE_CHARS),
            Comment.id.not_in(without),
        )
        .order_by(Comment.id.desc())
        .limit(limit)
    )
    if part.channel:
        wanted = wanted.where(Comment.channel == part.channel)
    if part.language:
        wanted = wanted.where(Comment.language == part.language)
    return [
        Quote(id=row[0], text=row[1], day=row[2], channel=row[3], language=row[4])
        for row in db.session.execute(wanted)
    ]


def channels_without_volumes(service: Service, before: date) -> list[str]:
    """Return the channels of a service whose volumes nobody gave for the month before a day."""
    end = before.replace(day=1)
    start = (end - timedelta(days=1)).replace(day=1)
    known = set(
        db.session.scalars(
            select(ServiceVolume.channel).where(
                ServiceVolume.service_id == service.id,
                ServiceVolume.start < end,
                ServiceVolume.end > start,
            )
        )
    )
    return [channel for channel in service.channels if channel not in known]


def n_waiting(service_id: int) -> int:
    """Return how many comments about a service the machine has not read yet."""
    n = db.session.scalar(
        select(func.count()).select_from(Comment).where(PENDING, Comment.service_id == service_id)
    )
    return n or 0
