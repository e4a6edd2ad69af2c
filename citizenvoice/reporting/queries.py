"""Reads that only pages of figures need: services a page at a time, and comments that stand for a theme."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import func, select, tuple_
from sqlalchemy.orm import joinedload

from citizenvoice.agencies.models import Agency, Service, ServiceVolume
from citizenvoice.agencies.queries import below
from citizenvoice.analysis.queries import PENDING, effective_sentiment, effective_themes, with_reading
from citizenvoice.db import db
from citizenvoice.feedback.models import Comment, Receipt
from citizenvoice.feedback.queries import counted
from citizenvoice.indicators.pooling import Slice

SERVICES_A_PAGE = 50
LATEST = 400  # contributions looked at for quotes
QUOTE_CHARS = (25, 320)  # long enough to say something, short enough to quote


@dataclass(frozen=True, slots=True, kw_only=True)
class ServicesPage:
    """Some services in the order of their agencies and names, and where the next page begins."""

    services: tuple[Service, ...]
    next_after: str | None


@dataclass(frozen=True, slots=True)
class Quote:
    """A comment short enough to quote: what was said, when, how it came, and what was read in it."""

    id: int
    text: str
    day: date
    channel: str
    language: str
    sentiment: int | None
    themes: frozenset[int]


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


def recent_comments(service_id: int, *, start: date, end: date, part: Slice) -> list[Quote]:
    """Return quotable comments among the latest contributions that count, the latest first.

    Looks at a fixed number of contributions, however many there are.
    """
    latest = (
        select(Receipt.id)
        .where(Receipt.service_id == service_id, Receipt.day >= start, Receipt.day < end, counted())
        .order_by(Receipt.day.desc(), Receipt.id.desc())
        .limit(LATEST)
    )
    if part.channel:
        latest = latest.where(Receipt.channel == part.channel)
    if part.language:
        latest = latest.where(Receipt.language == part.language)
    read = with_reading(
        select(
            Comment.id, Comment.text, Comment.day, Comment.channel, Comment.language, effective_sentiment()
        )
    ).where(Comment.receipt_id.in_(latest), func.length(Comment.text).between(*QUOTE_CHARS))
    rows = db.session.execute(read.order_by(Comment.day.desc(), Comment.id.desc())).all()
    themes = themes_in([row[0] for row in rows])
    return [
        Quote(number, said, day, channel, language, sentiment, themes.get(number, frozenset()))
        for number, said, day, channel, language, sentiment in rows
    ]


def themes_in(comment_ids: Sequence[int]) -> dict[int, frozenset[int]]:
    """Return the ids of the themes in force in each of these comments; those without one are absent."""
    among = select(Comment.id).where(Comment.id.in_(comment_ids))
    themes = effective_themes(among=among)
    found: dict[int, set[int]] = {}
    rows = select(themes.c.comment_id, themes.c.theme_id).order_by(themes.c.comment_id, themes.c.theme_id)
    for comment_id, theme_id in db.session.execute(rows):
        found.setdefault(comment_id, set()).add(theme_id)
    return {comment_id: frozenset(theme_ids) for comment_id, theme_ids in found.items()}


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
    """Return how many comments about a service the machine has not read yet.

    The sum keeps the database from walking through all comments of the service instead of those that wait.
    """
    ours = Comment.service_id + 0 == service_id
    n = db.session.scalar(select(func.count()).select_from(Comment).where(PENDING, ours))
    return n or 0
