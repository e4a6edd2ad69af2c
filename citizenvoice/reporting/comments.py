"""The comments a filter asks for: a page at a time, how many there are, and all of them one by one."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Select, asc, desc, func, select, tuple_, union_all

from citizenvoice.db import db
from citizenvoice.feedback.models import Comment
from citizenvoice.reporting.comment_filters import CommentFilter
from citizenvoice.reporting.selection import COUNTED_UP_TO
from citizenvoice.reporting.shown_comments import Cursor, ShownComment, shown_comments

A_PAGE = 50
FEW = 30  # services whose comments are looked up one service after the other


@dataclass(frozen=True, slots=True)
class CommentPage:
    """Some comments, and from where the newer and the older ones go on."""

    comments: tuple[ShownComment, ...]
    newer: Cursor | None
    older: Cursor | None


def parse_cursor(text: str) -> Cursor | None:
    """Read a place in the list as `Cursor` writes it; None if it is none.

    >>> str(parse_cursor("2026-03-14.12"))
    '2026-03-14.12'
    >>> parse_cursor("yesterday")
    """
    match = re.fullmatch(r"(\d{4}-\d\d-\d\d)\.(\d{1,18})", text, re.ASCII)
    if match is None:
        return None
    try:
        return Cursor(date.fromisoformat(match[1]), int(match[2]))
    except ValueError:
        return None


def find_comments(
    wanted: CommentFilter, *, after: Cursor | None = None, before: Cursor | None = None, limit: int = A_PAGE
) -> CommentPage:
    """Return a page of comments, the newest first: those after (older) or before (newer than) a place."""
    if before is not None:
        places = _places(wanted, beyond=before, limit=limit, newest_first=False)
        has_more, places = len(places) > limit, places[:limit][::-1]
        newer, older = has_more, True
    else:
        places = _places(wanted, beyond=after, limit=limit, newest_first=True)
        newer, older, places = after is not None, len(places) > limit, places[:limit]
    comments = shown_comments([place.id for place in places])
    return CommentPage(
        comments=tuple(comments),
        newer=places[0] if newer and places else None,
        older=places[-1] if older and places else None,
    )


def _places(wanted: CommentFilter, *, beyond: Cursor | None, limit: int, newest_first: bool) -> list[Cursor]:
    conditions = wanted.conditions_anywhere
    if beyond is not None:
        place, at = tuple_(Comment.day, Comment.id), (beyond.day, beyond.id)
        conditions.append(place < at if newest_first else place > at)
    comments = select(Comment.day, Comment.id).where(*conditions)
    way = desc if newest_first else asc

    def first(statement: Select[*tuple[Any, ...]], day: Any, comment_id: Any) -> Select[*tuple[Any, ...]]:
        return statement.order_by(way(day), way(comment_id)).limit(limit + 1)

    if 1 < len(wanted.service_ids) <= FEW and not wanted.search:
        # The first of each service by its index, and of those the first: no database thinks of it by itself.
        each = [
            first(comments.where(Comment.service_id == service_id), Comment.day, Comment.id).subquery()
            for service_id in wanted.service_ids
        ]
        found = union_all(*(select(one.c.day, one.c.id) for one in each)).subquery()
        statement = first(select(found.c.day, found.c.id), found.c.day, found.c.id)
    else:
        statement = first(comments.where(wanted.of_services(Comment)), Comment.day, Comment.id)
    return [Cursor(day, comment_id) for day, comment_id in db.session.execute(statement)]


def n_comments(wanted: CommentFilter, up_to: int = COUNTED_UP_TO) -> int:
    """Return how many comments there are, counting no further than one past ``up_to``."""
    some = select(Comment.id).where(*wanted.conditions).limit(up_to + 1).subquery()
    return db.session.scalar(select(func.count()).select_from(some)) or 0


def each_comment(wanted: CommentFilter, at_once: int = 1000) -> Iterator[ShownComment]:
    """Yield every comment, the newest first, reading some at a time and keeping none."""
    at: Cursor | None = None
    while True:
        places = _places(wanted, beyond=at, limit=at_once - 1, newest_first=True)
        yield from shown_comments([place.id for place in places])
        db.session.expunge_all()
        if len(places) < at_once:
            return
        at = places[-1]
