"""Stores what arrived together in a few statements of SQLite, however many there are.

The statements are written by hand because every answer a citizen sends passes here: the unit of work of
SQLAlchemy's ORM costs several times what the insert itself does. They are few because the interpreter lets
another thread run at each of them, and whoever stores holds the one right to write
(`benchmarks/answering.py`).
"""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from citizenvoice.feedback.duplicates import WINDOW
from citizenvoice.surveys.contributions import NOT_WITHDRAWN, Contribution, Recorded, exclusion_of, key_of

RECEIPT = (
    *("id", "service_id", "channel", "language", "received_at", "day", "code_hash", "sender_digest"),
    *("exclusion", "exclusion_at", "duplicate_of_id", "uncounted"),
)
RESPONSE = (
    *("id", "survey_id", "version_id", "answers", "segments", "n_sections", "external_id", "import_digest"),
    "idempotency_hash",
)
COMMENT = (
    *("receipt_id", "service_id", "channel", "language", "day", "received_at", "question", "prompt", "text"),
    *("masked", "rating", "reading", "attempts"),
)
Key = tuple[int, str]
Earlier = dict[bytes, list[tuple[str, int]]]  # digest: when it was sent, and which receipt it repeats


def store_on_sqlite(driver: sqlite3.Connection, contributions: Sequence[Contribution]) -> list[Recorded]:
    """Store responses in their order, in the transaction the connection is in.

    The caller holds `citizenvoice.db.writing`: nobody else takes a number or stores the same meanwhile.
    """
    cursor = driver.cursor()
    known = _known_keys(cursor, contributions)
    earlier = _stored_digests(cursor, contributions)
    receipt_id: int = cursor.execute("SELECT coalesce(max(id), 0) FROM receipt").fetchone()[0]
    receipts: list[Any] = []
    responses: list[Any] = []
    comments: list[Any] = []
    recorded = []
    for given in contributions:
        key = key_of(given)
        if key is not None and key in known:
            recorded.append(Recorded(known[key], is_repeat=True))
            continue
        receipt_id += 1
        if key is not None:
            known[key] = receipt_id
        received_at = _instant(given.received_at)
        first = _first(earlier, given, receipt_id, received_at)
        _write(receipts, responses, comments, (receipt_id, received_at, first, given))
        recorded.append(Recorded(receipt_id, is_duplicate=first is not None))
    _insert(cursor, "receipt", RECEIPT, receipts)
    _insert(cursor, "response", RESPONSE, responses)
    _insert(cursor, "comment", COMMENT, comments)
    cursor.close()
    return recorded


def _first(earlier: Earlier, given: Contribution, receipt_id: int, received_at: str) -> int | None:
    """Return the receipt that a contribution repeats, and remember it for those after it."""
    if given.sender is None:
        return None
    since = _instant(given.received_at - WINDOW)
    near = [root for digest in given.sender.sought for at, root in earlier.get(digest, ()) if at >= since]
    first = min(near, default=None)
    earlier.setdefault(given.sender.stored, []).append((received_at, first or receipt_id))
    return first


def _write(
    receipts: list[Any],
    responses: list[Any],
    comments: list[Any],
    what: tuple[int, str, int | None, Contribution],
) -> None:
    receipt_id, received_at, first, given = what
    day, exclusion = given.day.isoformat(), exclusion_of(given, first)
    receipts += (
        *(receipt_id, given.service_id, given.channel, given.language, received_at, day),
        *(given.code_hash, given.sender.stored if given.sender else None),
        *(exclusion, received_at if exclusion else None, first, 1),
    )
    responses += (
        *(receipt_id, given.survey_id, given.version_id, _json(given.answers), _json(given.segments)),
        *(given.n_sections, given.external_id, given.import_digest, given.idempotency_hash),
    )
    for words in given.words:
        comments += (
            *(receipt_id, given.service_id, given.channel, given.language, day, received_at),
            *(words.question, words.prompt, words.text, _json(words.masked), given.rating, "pending", 0),
        )


def _instant(at: datetime) -> str:
    """Write an instant as the column's type does."""
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")


def _known_keys(cursor: sqlite3.Cursor, contributions: Sequence[Contribution]) -> dict[Key, int]:
    """Return the responses that are stored already under the keys of these."""
    keys = [given.idempotency_hash for given in contributions if given.idempotency_hash is not None]
    if not keys:
        return {}
    cursor.execute(
        "SELECT survey_id, idempotency_hash, id FROM response"  # noqa: S608 - question marks
        f" WHERE idempotency_hash IN ({_marks(len(keys))}) ORDER BY id",
        keys,
    )
    return {(survey_id, key): response_id for survey_id, key, response_id in cursor}


def _stored_digests(cursor: sqlite3.Cursor, contributions: Sequence[Contribution]) -> Earlier:
    """Return when, and as a repetition of which receipt, the same things were sent before."""
    senders = [(given.received_at, given.sender) for given in contributions if given.sender is not None]
    if not senders:
        return {}
    sought = [digest for _at, sender in senders for digest in sender.sought]
    cursor.execute(
        "SELECT sender_digest, received_at, coalesce(duplicate_of_id, id) FROM receipt"  # noqa: S608
        f" WHERE sender_digest IN ({_marks(len(sought))}) AND received_at >= ?"
        f" AND {NOT_WITHDRAWN} ORDER BY id",
        [*sought, _instant(min(at for at, _sender in senders) - WINDOW)],
    )
    found: Earlier = {}
    for digest, at, root in cursor:
        found.setdefault(digest, []).append((at, root))
    return found


def _insert(cursor: sqlite3.Cursor, table: str, columns: tuple[str, ...], values: list[Any]) -> None:
    if values:
        cursor.execute(_insertion(table, columns, len(values) // len(columns)), values)


@lru_cache(maxsize=256)
def _insertion(table: str, columns: tuple[str, ...], n_rows: int) -> str:
    row = f"({_marks(len(columns))})"
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES {', '.join([row] * n_rows)}"  # noqa: S608


@lru_cache(maxsize=256)
def _marks(n: int) -> str:
    return ", ".join("?" * n)


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(value) if value else "{}"
