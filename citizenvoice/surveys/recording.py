"""Writes responses: one at a time in as few statements as a database allows, or many at once.

The statements are written by hand because every answer a citizen sends passes here: the unit of work of
SQLAlchemy's ORM costs several times what the insert itself does (`benchmarks/answering.py`). Nothing commits.
"""

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any

import psycopg
from sqlalchemy import JSON, Connection, delete, func, insert, select, text, update
from sqlalchemy.exc import IntegrityError

from citizenvoice.db import db
from citizenvoice.errors import N_, DomainError
from citizenvoice.feedback import actions, queries
from citizenvoice.feedback.duplicates import WINDOW, SenderDigest
from citizenvoice.feedback.models import Comment, Exclusion, Reading, Receipt
from citizenvoice.surveys import twins
from citizenvoice.surveys.models import Response

# What was withdrawn may be said again; anything else of the same digest is the same thing.
NOT_WITHDRAWN = "(exclusion IS NULL OR exclusion <> 'withdrawn')"
CHUNK = 500  # digests looked up at once
COPIED_FROM = 50  # rows; fewer are faster inserted


@dataclass(frozen=True, slots=True)
class Words:
    """One free text, already masked: its question, a hint for reading, how many were masked of each kind."""

    question: str
    prompt: str
    text: str
    masked: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """One response ready to be stored: checked, masked and hashed."""

    survey_id: int
    version_id: int
    service_id: int
    channel: str
    language: str
    received_at: datetime
    day: date
    answers: Mapping[str, Any]
    segments: Mapping[str, Any] = field(default_factory=dict)
    n_sections: int = 1
    words: Sequence[Words] = ()
    rating: int | None = None
    code_hash: bytes | None = None
    sender: SenderDigest | None = None
    idempotency_hash: str | None = None
    external_id: str | None = None
    import_digest: str | None = None
    exclusion: Exclusion | None = None


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of a contribution: a duplicate is stored and does not count, a repeat is not stored."""

    receipt_id: int
    is_duplicate: bool = False
    is_repeat: bool = False

    @property
    def exclusion(self) -> Exclusion | None:
        """Return why something new does not count; of a repeat nothing is known here."""
        return Exclusion.DUPLICATE if self.is_duplicate else None


def record_together(driver: Any, contributions: Sequence[Contribution]) -> list[Recorded]:
    """Store responses by the same rules, in their order, in the transaction a driver's connection is in.

    ``driver`` is the connection of sqlite3, whose user holds `citizenvoice.db.writing`, or of psycopg, where
    all of them are one round trip; they are then one transaction even if the connection commits by itself.
    """
    if isinstance(driver, sqlite3.Connection):
        cursor = driver.cursor()
        recorded = [_record_on_sqlite(cursor, given) for given in contributions]
        cursor.close()
        return recorded
    return _record_on_postgresql(driver, contributions)


# SQLite: four small statements a response


def _record_on_sqlite(cursor: sqlite3.Cursor, given: Contribution) -> Recorded:
    if given.idempotency_hash is not None:
        cursor.execute(
            "SELECT id FROM response WHERE survey_id = ? AND idempotency_hash = ?",
            (given.survey_id, given.idempotency_hash),
        )
        if repeated := cursor.fetchone():
            return Recorded(repeated[0], is_repeat=True)
    first = _first_on_sqlite(cursor, given)
    received_at, day = _sqlite_instant(given.received_at), given.day.isoformat()
    exclusion = _exclusion(given, first)
    cursor.execute(
        "INSERT INTO receipt (service_id, channel, language, received_at, day, code_hash, sender_digest,"
        " exclusion, exclusion_at, duplicate_of_id, uncounted) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1)",
        (
            *(given.service_id, given.channel, given.language, received_at, day),
            *(given.code_hash, given.sender.stored if given.sender else None),
            *(exclusion, received_at if exclusion else None, first),
        ),
    )
    receipt_id = int(cursor.lastrowid or 0)
    cursor.execute(
        "INSERT INTO response (id, survey_id, version_id, answers, segments, n_sections, external_id,"
        " import_digest, idempotency_hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (receipt_id, *_response_values(given)),
    )
    for words in given.words:
        cursor.execute(
            "INSERT INTO comment (receipt_id, service_id, channel, language, day, received_at, question,"
            " prompt, text, masked, rating, reading, attempts) VALUES (?,?,?,?,?,?,?,?,?,?,?,'pending',0)",
            (
                *(receipt_id, given.service_id, given.channel, given.language, day, received_at),
                *(words.question, words.prompt, words.text, _json(words.masked), given.rating),
            ),
        )
    return Recorded(receipt_id, is_duplicate=first is not None)


def _first_on_sqlite(cursor: sqlite3.Cursor, given: Contribution) -> int | None:
    if given.sender is None:
        return None
    marks = ",".join("?" * len(given.sender.sought))
    cursor.execute(
        "SELECT coalesce(duplicate_of_id, id) FROM receipt"  # noqa: S608 - question marks and our own words
        f" WHERE sender_digest IN ({marks}) AND received_at >= ? AND {NOT_WITHDRAWN} ORDER BY id LIMIT 1",
        (*given.sender.sought, _sqlite_instant(given.received_at - WINDOW)),
    )
    found = cursor.fetchone()
    return found[0] if found else None


def _sqlite_instant(at: datetime) -> str:
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")


# PostgreSQL: one statement for all, prepared once, that is given them as one document

LOCK = "SELECT pg_advisory_xact_lock(turn) FROM unnest(%s::bigint[]) AS turn"
STORE = """
    WITH given AS MATERIALIZED (
        SELECT nextval((SELECT pg_get_serial_sequence('receipt', 'id'))) AS id, first.id AS first,
            repeated.id AS repeated, sent.*
        FROM jsonb_to_recordset(%s) AS sent (
            place int, service_id bigint, channel text, language text, received_at timestamptz, day date,
            code_hash text, digest text, sought text[], since timestamptz, exclusion text, rating int,
            survey_id bigint, version_id bigint, answers jsonb, segments jsonb, n_sections int,
            external_id text, import_digest text, idempotency_hash text, words jsonb)
        LEFT JOIN LATERAL (
            SELECT response.id FROM response
            WHERE response.survey_id = sent.survey_id AND response.idempotency_hash = sent.idempotency_hash
        ) AS repeated ON true
        LEFT JOIN LATERAL (
            SELECT coalesce(duplicate_of_id, receipt.id) AS id FROM receipt
            WHERE sender_digest = ANY(ARRAY(SELECT decode(one, 'hex') FROM unnest(sent.sought) AS one))
                AND receipt.received_at >= sent.since
                AND (receipt.exclusion IS NULL OR receipt.exclusion <> 'withdrawn')
            ORDER BY receipt.id LIMIT 1
        ) AS first ON true),
    new AS (SELECT * FROM given WHERE repeated IS NULL ORDER BY place),
    kept AS (
        INSERT INTO receipt (id, service_id, channel, language, received_at, day, code_hash, sender_digest,
            exclusion, exclusion_at, duplicate_of_id, uncounted)
        SELECT id, service_id, channel, language, received_at, day, decode(code_hash, 'hex'),
            decode(digest, 'hex'), coalesce(exclusion, CASE WHEN first IS NOT NULL THEN 'duplicate' END),
            CASE WHEN coalesce(exclusion, first::text) IS NOT NULL THEN received_at END, first, true
        FROM new),
    answered AS (
        INSERT INTO response (id, survey_id, version_id, answers, segments, n_sections, external_id,
            import_digest, idempotency_hash)
        SELECT id, survey_id, version_id, answers, segments, n_sections, external_id, import_digest,
            idempotency_hash
        FROM new),
    said AS (
        INSERT INTO comment (receipt_id, service_id, channel, language, day, received_at, rating, question,
            prompt, text, masked, reading, attempts)
        SELECT id, service_id, channel, language, day, received_at, rating, words.question, words.prompt,
            words.text, words.masked, 'pending', 0
        FROM new, jsonb_to_recordset(new.words)
            AS words (question text, prompt text, text text, masked jsonb))
    SELECT coalesce(repeated, id), repeated IS NULL AND first IS NOT NULL, repeated IS NOT NULL
    FROM given ORDER BY place"""


def _record_on_postgresql(
    driver: psycopg.Connection[Any], contributions: Sequence[Contribution]
) -> list[Recorded]:
    """Send the locks and the responses at once.

    Equal requests at one time take turns, so that the second sees the first. The locks must be taken by an
    earlier statement: a statement sees the database as it was when it began.
    """
    recorded: dict[int, Recorded] = {}
    turns = sorted({turn for given in contributions for turn in _turns(given)})
    with driver.pipeline():
        if turns:
            driver.execute(LOCK, [turns], prepare=True)
        places = [list(places) for places in _without_equals(contributions)]
        asked = [
            driver.execute(
                STORE, [json.dumps([_document(contributions[n]) | {"place": n} for n in some])], prepare=True
            )
            for some in places
        ]
    for some, cursor in zip(places, asked, strict=True):
        recorded.update(zip(some, (Recorded(*row) for row in cursor), strict=True))
    return [recorded[place] for place in range(len(contributions))]


def _without_equals(contributions: Sequence[Contribution]) -> Iterator[Iterable[int]]:
    """Part the places of contributions so that no part holds two that may be the same thing, in order."""
    rest = list(range(len(contributions)))
    while rest:
        seen: set[Any] = set()
        part: list[int] = []
        later: list[int] = []
        for place in rest:
            given = contributions[place]
            names = {_key_of(given), *(given.sender.sought if given.sender else ())} - {None}
            (later if names & seen else part).append(place)
            seen |= names
        yield part
        rest = later


def _document(given: Contribution) -> dict[str, Any]:
    sender = given.sender
    return {
        "service_id": given.service_id,
        "channel": given.channel,
        "language": given.language,
        "received_at": given.received_at.isoformat(),
        "day": given.day.isoformat(),
        "code_hash": given.code_hash and given.code_hash.hex(),
        "digest": sender and sender.stored.hex(),
        "sought": [digest.hex() for digest in sender.sought] if sender else [],
        "since": (given.received_at - WINDOW).isoformat(),
        "exclusion": given.exclusion and str(given.exclusion),
        "rating": given.rating,
        "survey_id": given.survey_id,
        "version_id": given.version_id,
        "answers": given.answers,
        "segments": given.segments,
        "n_sections": given.n_sections,
        "external_id": given.external_id,
        "import_digest": given.import_digest,
        "idempotency_hash": given.idempotency_hash,
        "words": [
            {"question": said.question, "prompt": said.prompt, "text": said.text, "masked": dict(said.masked)}
            for said in given.words
        ],
    }


def _response_values(given: Contribution) -> tuple[Any, ...]:
    return (
        *(given.survey_id, given.version_id, _json(given.answers), _json(given.segments)),
        *(given.n_sections, given.external_id, given.import_digest, given.idempotency_hash),
    )


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(value) if value else "{}"


def _exclusion(given: Contribution, first: int | None) -> str | None:
    exclusion = given.exclusion or (Exclusion.DUPLICATE if first is not None else None)
    return exclusion and str(exclusion)


# Many at once


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
        key = _key_of(given)
        if key not in known:
            new.setdefault(key or number, given)
    stored = dict(zip(new, _insert(connection, list(new.values())), strict=True))
    recorded = []
    for number, given in enumerate(contributions):
        key = _key_of(given)
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
        comments.extend(_comment_rows(receipt_id, given, given.words, given.rating))
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


def _key_of(given: Contribution) -> tuple[int, str] | None:
    return (given.survey_id, given.idempotency_hash) if given.idempotency_hash else None


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
    turns = sorted({turn for given in contributions for turn in _turns(given)})
    if turns:
        taken = text("SELECT pg_advisory_xact_lock(turn) FROM unnest(CAST(:turns AS bigint[])) AS turn")
        connection.execute(taken, {"turns": turns})


def _turns(given: Contribution) -> Iterable[int]:
    """Return the numbers of the locks that equal contributions share."""
    if given.sender is not None and given.code_hash is not None:
        yield int.from_bytes(given.sender.stored[:8], signed=True)
    if given.idempotency_hash is not None:
        yield int(given.idempotency_hash[:15], 16)


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
    exclusion = _exclusion(given, first)
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


def _comment_rows(
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


# Later pages


@dataclass(frozen=True, slots=True, kw_only=True)
class Addition:
    """What a further section adds to a response; ``merge`` makes the answers anew from those so far."""

    merge: Callable[[Mapping[str, Any]], tuple[dict[str, Any], int]]
    segments: Mapping[str, Any]
    own_questions: frozenset[str]
    words: Sequence[Words]
    rating: Callable[[Mapping[str, Any]], int | None]


@dataclass(frozen=True, slots=True)
class Added:
    """A response after a further section: its answers, and why it does not count if it does not."""

    answers: dict[str, Any]
    exclusion: str | None


def add_section(
    receipt_id: int, addition: Addition, now: datetime, forget: Callable[[Sequence[int]], None]
) -> Added:
    """Add a further section to a response, or put it in place of what the same section said before.

    ``forget`` erases what was read in comments whose words are replaced. A duplicate that says more counts.
    The caller holds `citizenvoice.db.writing` and commits.
    """
    session = db.session
    linked = queries.lock_with_first(receipt_id)
    receipt = next(one for one in linked if one.id == receipt_id)
    if receipt.exclusion == Exclusion.WITHDRAWN:
        raise DomainError(N_("You have taken these answers back. To answer, please begin again."))
    before = twins.said_in(linked) if receipt.exclusion == Exclusion.DUPLICATE else {}
    response = session.get_one(Response, receipt_id, populate_existing=True)
    answers, n_sections = addition.merge(response.answers)
    kept = {key: value for key, value in response.segments.items() if key not in addition.own_questions}
    response.answers = answers
    response.segments = {**kept, **addition.segments}
    response.n_sections = max(response.n_sections, n_sections)
    actions.count_anew(receipt)
    session.flush()
    rating = addition.rating(answers)
    session.execute(update(Comment).where(Comment.receipt_id == receipt_id).values(rating=rating))
    _replace_words(receipt, addition, rating, forget)
    twins.says_more(receipt, linked, before, now)
    return Added(answers, receipt.exclusion)


def _replace_words(
    receipt: Receipt, addition: Addition, rating: int | None, forget: Callable[[Sequence[int]], None]
) -> None:
    """Put the words of a section in place of its earlier ones; the same words stay as they were read."""
    new = {(words.question, words.text): words for words in addition.words}
    own = Comment.receipt_id == receipt.id, Comment.question.in_(addition.own_questions)
    gone = []
    for comment in db.session.scalars(select(Comment).where(*own).order_by(Comment.id)):
        if new.pop((comment.question, comment.text), None) is None:
            actions.forget_in_index(comment)
            gone.append(comment.id)
    if gone:
        forget(gone)
        db.session.execute(delete(Comment).where(Comment.id.in_(gone)))
    if new:
        db.session.execute(insert(Comment), _comment_rows(receipt.id, receipt, new.values(), rating))


# Taken back


def erase_answers(receipt_ids: Sequence[int]) -> None:
    """Erase the closed answers of responses that were taken back; that there was one stays. Never commits."""
    db.session.execute(
        update(Response).where(Response.id.in_(receipt_ids)).values(answers={}, segments={}, n_sections=1)
    )
