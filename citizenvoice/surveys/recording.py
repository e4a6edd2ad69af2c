"""Writes many responses at once, as an import or a demonstration brings them. Nothing here commits."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from typing import Any

import psycopg
from sqlalchemy import JSON, Connection, func, insert, select, text
from sqlalchemy.exc import IntegrityError

from citizenvoice.db import db
from citizenvoice.feedback.duplicates import WINDOW
from citizenvoice.feedback.models import Comment, Exclusion, Reading, Receipt
from citizenvoice.surveys.contributions import (
    NOT_WITHDRAWN,
    Contribution,
    Recorded,
    Words,
    exclusion_of,
    key_of,
    turns,
)
from citizenvoice.surveys.models import Response

CHUNK = 500  # digests looked up at once
COPIED_FROM = 50  # rows; fewer are faster inserted


def record_many(contributions: Sequence[Contribution]) -> list[Recorded]:
    """Store many responses by the same rules, in their order, and return what became of each.

    Known idempotency keys are found here; whoever imports looks for known external ids first. The caller
    holds `citizenvoice.db.writing` and commits.
    """
    connection = db.session.connection()
    _take_turns(connection, contributions)
    known = _known_keys(connection, contributions)
    new: dict[tuple[int, str] | int, Contribution] = {}
    for number, given in enumerate(contributions):
        key = key_of(given)
        if key not in known:
            new.setdefault(key or number, given)
    stored = dict(zip(new, _insert(connection, list(new.values())), strict=True))
    recorded = []
    for number, given in enumerate(contributions):
        key = key_of(given)
        if key in known:
            recorded.append(Recorded(known[key], is_repeat=True))
        else:
            became = stored[key or number]
            is_repeat = new[key or number] is not given
            recorded.append(replace(became, is_repeat=True) if is_repeat else became)
    return recorded


def _insert(connection: Connection, contributions: Sequence[Contribution]) -> list[Recorded]:
    if not contributions:
        return []
    ids = _take_ids(connection, len(contributions))
    firsts = _firsts(connection, contributions, ids)
    receipts, responses, comments = [], [], []
    for receipt_id, first, given in zip(ids, firsts, contributions, strict=True):
        receipts.append(_receipt_row(receipt_id, first, given))
        responses.append(_response_row(receipt_id, given))
        comments.extend(comment_rows(receipt_id, given, given.words, given.rating))
    _insert_rows(connection, Receipt, receipts)
    _insert_rows(connection, Response, responses)
    _insert_rows(connection, Comment, comments)
    return [
        Recorded(receipt_id, is_duplicate=first is not None)
        for receipt_id, first in zip(ids, firsts, strict=True)
    ]


def _insert_rows(connection: Connection, model: Any, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows that all have the same columns; on PostgreSQL many by COPY, several times as fast."""
    if not rows:
        return
    if connection.dialect.name != "postgresql" or len(rows) < COPIED_FROM:
        connection.execute(insert(model), list(rows))
        return
    table = model.__table__
    columns = [table.columns[name] for name in rows[0]]
    names = ", ".join(column.name for column in columns)
    writers = [_copied_json if isinstance(column.type, JSON) else _copied for column in columns]
    driver: Any = connection.connection.driver_connection
    try:
        with driver.cursor() as cursor, cursor.copy(f"COPY {table.name} ({names}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row([write(value) for write, value in zip(writers, row.values(), strict=True)])
    except psycopg.IntegrityError as error:
        raise IntegrityError(f"COPY {table.name}", None, error) from error


def _copied_json(value: Any) -> str:
    return json.dumps(value)


def _copied(value: Any) -> Any:
    return str(value) if isinstance(value, StrEnum) else value


def _known_keys(
    connection: Connection, contributions: Sequence[Contribution]
) -> dict[tuple[int, str] | None, int]:
    keys = sorted({given.idempotency_hash for given in contributions if given.idempotency_hash})
    found: dict[tuple[int, str] | None, int] = {}
    for start in range(0, len(keys), CHUNK):
        rows = connection.execute(
            select(Response.survey_id, Response.idempotency_hash, Response.id)
            .where(Response.idempotency_hash.in_(keys[start : start + CHUNK]))
            .order_by(Response.id)
        )
        found.update({(survey_id, key or ""): response_id for survey_id, key, response_id in rows})
    return found


def _take_turns(connection: Connection, contributions: Sequence[Contribution]) -> None:
    """Let equal things sent at one time take turns, always in the same order so that nobody waits in a ring.

    What has no code (an import, a demonstration) races with nobody.
    """
    if connection.dialect.name != "postgresql":
        return
    taken = sorted({turn for given in contributions for turn in turns(given)})
    if taken:
        lock = text("SELECT pg_advisory_xact_lock(turn) FROM unnest(CAST(:turns AS bigint[])) AS turn")
        connection.execute(lock, {"turns": taken})


def _take_ids(connection: Connection, n: int) -> list[int]:
    if connection.dialect.name == "postgresql":
        drawn = text(
            "SELECT nextval(pg_get_serial_sequence('receipt', 'id')) FROM generate_series(1, :n) ORDER BY 1"
        )
        return list(connection.scalars(drawn, {"n": n}))
    highest = connection.scalar(select(func.max(Receipt.id))) or 0
    return list(range(highest + 1, highest + 1 + n))


def _firsts(
    connection: Connection, contributions: Sequence[Contribution], ids: Sequence[int]
) -> list[int | None]:
    """Return for each contribution the receipt it duplicates, among those stored and those before it."""
    seen = _stored_digests(connection, contributions)
    firsts: list[int | None] = []
    for receipt_id, given in zip(ids, contributions, strict=True):
        first = None
        if given.sender is not None:
            earlier = [pair for digest in given.sender.sought for pair in seen.get(digest, ())]
            near = [root for at, root in earlier if given.received_at - WINDOW <= at <= given.received_at]
            first = min(near, default=None)
            if given.exclusion != Exclusion.WITHDRAWN:
                seen.setdefault(given.sender.stored, []).append((given.received_at, first or receipt_id))
        firsts.append(first)
    return firsts


def _stored_digests(
    connection: Connection, contributions: Sequence[Contribution]
) -> dict[bytes, list[tuple[datetime, int]]]:
    sought = sorted({digest for given in contributions if given.sender for digest in given.sender.sought})
    found: dict[bytes, list[tuple[datetime, int]]] = {}
    for start in range(0, len(sought), CHUNK):
        rows = connection.execute(
            select(
                Receipt.sender_digest,
                Receipt.received_at,
                func.coalesce(Receipt.duplicate_of_id, Receipt.id),
            )
            .where(Receipt.sender_digest.in_(sought[start : start + CHUNK]), text(NOT_WITHDRAWN))
            .order_by(Receipt.id)
        )
        for digest, at, root in rows:
            found.setdefault(digest or b"", []).append((at, root))
    return found


def _receipt_row(receipt_id: int, first: int | None, given: Contribution) -> dict[str, Any]:
    exclusion = exclusion_of(given, first)
    return {
        "id": receipt_id,
        "service_id": given.service_id,
        "channel": given.channel,
        "language": given.language,
        "received_at": given.received_at,
        "day": given.day,
        "code_hash": given.code_hash,
        "sender_digest": given.sender.stored if given.sender else None,
        "exclusion": exclusion,
        "exclusion_at": given.received_at if exclusion else None,
        "duplicate_of_id": first,
        "uncounted": True,
    }


def _response_row(receipt_id: int, given: Contribution) -> dict[str, Any]:
    return {
        "id": receipt_id,
        "survey_id": given.survey_id,
        "version_id": given.version_id,
        "answers": given.answers,
        "segments": given.segments,
        "n_sections": given.n_sections,
        "external_id": given.external_id,
        "import_digest": given.import_digest,
        "idempotency_hash": given.idempotency_hash,
    }


def comment_rows(
    receipt_id: int, given: Any, words: Iterable[Words], rating: int | None
) -> list[dict[str, Any]]:
    """Return the rows of comments; ``given`` is a contribution or a receipt."""
    return [
        {
            "receipt_id": receipt_id,
            "service_id": given.service_id,
            "channel": given.channel,
            "language": given.language,
            "day": given.day,
            "received_at": given.received_at,
            "question": said.question,
            "prompt": said.prompt,
            "text": said.text,
            "masked": dict(said.masked),
            "rating": rating,
            "reading": Reading.PENDING,
            "attempts": 0,
        }
        for said in words
    ]
