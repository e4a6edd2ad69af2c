"""Stores what arrived together in one statement of PostgreSQL, prepared once, given them as one document."""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import psycopg

from citizenvoice.feedback.duplicates import WINDOW
from citizenvoice.surveys.contributions import Contribution, Recorded, key_of, turns

LOCK = "SELECT pg_advisory_xact_lock(turn) FROM unnest(%s::bigint[]) AS turn"
STORE = """
    WITH given AS MATERIALIZED (
        SELECT nextval((SELECT pg_get_serial_sequence('receipt', 'id'))) AS id, first.id AS first,
            repeated.id AS repeated, sent.*
        FROM jsonb_to_recordset(%s) AS sent (
            place int, service_id bigint, channel text, language text, received_at timestamptz, day date,
            code_hash text, digest text, digest_before text, since timestamptz, exclusion text, rating int,
            survey_id bigint, version_id bigint, answers jsonb, segments jsonb, n_sections int,
            external_id text, import_digest text, idempotency_hash text, words jsonb)
        CROSS JOIN LATERAL (
            SELECT min(response.id) AS id FROM response
            WHERE sent.idempotency_hash IS NOT NULL
                AND response.survey_id = sent.survey_id AND response.idempotency_hash = sent.idempotency_hash
        ) AS repeated
        CROSS JOIN LATERAL (
            SELECT min(coalesce(duplicate_of_id, receipt.id)) AS id FROM receipt
            WHERE sender_digest IN (decode(sent.digest, 'hex'), decode(sent.digest_before, 'hex'))
                AND receipt.received_at >= sent.since
                AND (receipt.exclusion IS NULL OR receipt.exclusion <> 'withdrawn')
        ) AS first),
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


def store_on_postgresql(
    driver: psycopg.Connection[Any], contributions: Sequence[Contribution]
) -> list[Recorded]:
    """Send the locks and the responses at once.

    Equal requests at one time take turns, so that the second sees the first. The locks must be taken by an
    earlier statement: a statement sees the database as it was when it began.
    """
    recorded: dict[int, Recorded] = {}
    taken = sorted({turn for given in contributions for turn in turns(given)})
    with driver.pipeline():
        if taken:
            driver.execute(LOCK, [taken], prepare=True)
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
            names = {key_of(given), *(given.sender.sought if given.sender else ())} - {None}
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
        "digest_before": sender and sender.sought[-1].hex(),  # yesterday's, just after midnight
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
