"""Reads what is counted: responses with their comments and themes, some days of a service at a time."""

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Select, Text, case, cast, func, null, select

from citizenvoice.analysis.queries import effective_sentiment, effective_themes, with_reading
from citizenvoice.db import db
from citizenvoice.feedback.models import Comment, Receipt
from citizenvoice.feedback.queries import counted
from citizenvoice.indicators.adding import Comments, Contributions, Responses, Themes
from citizenvoice.indicators.work import Work
from citizenvoice.surveys.models import Response

CHUNK = 20_000  # responses read at a time: what bounds the memory

# Given the columns of a table's day and receipt, returns the condition for a piece of the work.
Piece = Callable[[Any, Any], ColumnElement[bool]]


def pieces(work: Work) -> Iterator[Piece]:
    """Part the days into pieces small enough for the memory."""
    sizes = (
        select(Receipt.day, func.count())
        .where(Receipt.service_id == work.service_id, work.holds(Receipt.day))
        .group_by(Receipt.day)
        .order_by(Receipt.day)
    )
    days: list[date] = []
    n = 0
    for day, size in db.session.execute(sizes).all():
        if size > CHUNK:
            n_parts = size // CHUNK + 1
            yield from (_part_of_day(day, part, n_parts) for part in range(n_parts))
            continue
        if n + size > CHUNK:
            yield _whole_days(days)
            days, n = [], 0
        days.append(day)
        n += size
    if days:
        yield _whole_days(days)


def _whole_days(days: Sequence[date]) -> Piece:
    return lambda day, _receipt: day.in_(days)


def _part_of_day(one: date, part: int, n_parts: int) -> Piece:
    return lambda day, receipt: (day == one) & (receipt % n_parts == part)


def read(service_id: int, piece: Piece) -> dict[int, Contributions]:
    """Read the responses of a piece with their comments and the themes of these, by version."""
    responses = (
        select(
            Receipt.id,
            Receipt.day,
            Receipt.channel,
            Receipt.language,
            case((counted(), null()), else_=Receipt.exclusion),
            cast(Response.answers, Text),
            cast(Response.segments, Text),
            Response.n_sections,
            Response.version_id,
        )
        .join(Response, Response.id == Receipt.id)
        .where(Receipt.service_id == service_id, piece(Receipt.day, Receipt.id))
        .order_by(Receipt.day, Receipt.id)
    )
    columns = _columns(responses)
    if not columns:
        return {}
    *facts, versions = columns
    comments = Comments(*_columns(_comments(service_id, piece)))
    themes = Themes(*_columns(_themes(service_id, piece))) if comments.ids else Themes()
    return {
        version_id: Contributions(
            Responses(*(_of_version(version_id, versions, column) for column in facts)), comments, themes
        )
        for version_id in sorted(set(versions))
    }


def _columns(statement: Select[*tuple[Any, ...]]) -> list[Sequence[Any]]:
    """Return what a statement finds, column by column; no columns where it finds nothing."""
    rows = db.session.connection().execute(statement).all()  # a session would handle every row once more
    return list(zip(*rows, strict=True))


def _of_version(version_id: int, versions: Sequence[int], column: Sequence[Any]) -> Sequence[Any]:
    if versions.count(version_id) == len(versions):
        return column
    return [value for value, version in zip(column, versions, strict=True) if version == version_id]


def _comments(service_id: int, piece: Piece) -> Select[*tuple[Any, ...]]:
    """Return the statement for the comments, which repeat the service and day of their receipt."""
    return (
        with_reading(select(Comment.id, Comment.receipt_id, Comment.reading, effective_sentiment()))
        .where(Comment.service_id == service_id, piece(Comment.day, Comment.receipt_id))
        .order_by(Comment.day, Comment.id)
    )


def _themes(service_id: int, piece: Piece) -> Select[*tuple[Any, ...]]:
    ours = select(Comment.id).where(Comment.service_id == service_id, piece(Comment.day, Comment.receipt_id))
    themes = effective_themes(among=ours)
    return select(themes.c.comment_id, themes.c.theme_id).order_by(themes.c.comment_id, themes.c.theme_id)
