"""Reads comments in the background: the rows themselves are the queue, so that nothing is lost or read twice.

A worker leases some pending rows, reads them outside any transaction, and writes what it read only where the
lease is still its own. A worker that dies leaves leases that run out. A batch that fails is tried comment by
comment, and a comment that fails `MAX_ATTEMPTS` times is set aside.
"""

import logging
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from sqlalchemy import ColumnElement, func, insert, or_, select, update

from citizenvoice.analysis.models import Codebook, PredictedTheme, Prediction, Theme
from citizenvoice.analysis.queries import PENDING
from citizenvoice.db import db, writing
from citizenvoice.feedback import search
from citizenvoice.feedback.models import Comment, Receipt
from citizenvoice.feedback.models import Reading as State

if TYPE_CHECKING:
    from citizenvoice.nlp.reader import Reading  # the reader itself takes a second to load

BATCH = 256
LEASE = timedelta(seconds=120)
MAX_ATTEMPTS = 5
SUSPECT = 3  # attempts from which a comment is read alone, lest it take others down with it

log = logging.getLogger(__name__)


class Reads(Protocol):
    """Whatever reads texts: `citizenvoice.nlp.reader.Reader`."""

    def read(
        self,
        texts: Sequence[str],
        *,
        prompts: Sequence[str | None] | None = None,
        languages: Sequence[str | None] | None = None,
        ratings: Sequence[int | None] | None = None,
    ) -> "list[Reading]":
        """Read comments, in the order given."""
        ...


@dataclass(frozen=True, slots=True)
class CodebookReader:
    """A reader for one codebook, with the rows its readings refer to."""

    reader: Reads
    model_id: int
    themes: Mapping[str, int]  # code -> id


class Leased(NamedTuple):
    """One comment a worker has leased."""

    id: int
    receipt_id: int
    text: str
    prompt: str
    language: str
    rating: int | None  # the main closed answer, 0 worst to 100 best
    attempts: int


@dataclass(frozen=True, slots=True)
class ReadingWorker:
    """One process's part in reading.

    ``codebooks_of`` names the codebook of each receipt given; ``reader_for`` returns a codebook's reader.
    """

    codebooks_of: Callable[[Sequence[int]], Mapping[int, str]]
    reader_for: Callable[[str], CodebookReader]
    now: Callable[[], datetime]
    lease: timedelta = LEASE
    batch: int = BATCH

    def read_next(self) -> int:
        """Read the next pending comments and return how many were taken; commits."""
        token = secrets.token_hex(16)
        db.session.rollback()
        leased = claim(token, self.now(), limit=self.batch, lease=self.lease)
        if not leased:
            return 0
        try:
            readings = self._read(leased)
        except Exception:  # whatever a text did to the reader, the others must be read
            log.exception("A batch of %d comments could not be read; trying one by one.", len(leased))
            readings = self._read_singly(leased, token)
        finish(token, leased, readings, self.now())
        return len(leased)

    def _read(self, leased: Sequence[Leased]) -> "dict[int, tuple[CodebookReader, Reading]]":
        codebooks = self.codebooks_of(sorted({one.receipt_id for one in leased}))
        db.session.rollback()  # nothing is held while the machine reads
        found: dict[int, tuple[CodebookReader, Reading]] = {}
        for key in sorted({codebooks[one.receipt_id] for one in leased}):
            ours = [one for one in leased if codebooks[one.receipt_id] == key]
            reader = self.reader_for(key)
            readings = reader.reader.read(
                [one.text for one in ours],
                prompts=[one.prompt for one in ours],
                languages=[one.language for one in ours],
                ratings=[_of_five(one.rating) for one in ours],
            )
            found |= {one.id: (reader, reading) for one, reading in zip(ours, readings, strict=True)}
        return found

    def _read_singly(
        self, leased: Sequence[Leased], token: str
    ) -> "dict[int, tuple[CodebookReader, Reading]]":
        found: dict[int, tuple[CodebookReader, Reading]] = {}
        failed = []
        for one in leased:
            try:
                found |= self._read([one])
            except Exception:  # as in read_next
                log.exception("Comment %d could not be read (attempt %d).", one.id, one.attempts)
                failed.append(one)
        give_up(token, failed, self.now())
        return found


def _of_five(rating: int | None) -> int | None:
    """Return a rating on the reader's scale of 1 to 5."""
    return None if rating is None else 1 + round(rating / 25)


def claim(token: str, now: datetime, *, limit: int = BATCH, lease: timedelta = LEASE) -> list[Leased]:
    """Lease the oldest comments that wait to be read, and return them in order; commits.

    One that several workers died over is leased alone, after all others, and given up after `MAX_ATTEMPTS`.
    """
    with writing():
        rows = _lease(token, now + lease, limit, Comment.attempts < SUSPECT, now)
        if not rows:
            rows = _lease(token, now + lease, 1, Comment.attempts >= SUSPECT, now)
        db.session.commit()
    give_up(token, [row for row in rows if row.attempts > MAX_ATTEMPTS], now)
    return [row for row in rows if row.attempts <= MAX_ATTEMPTS]


def _lease(
    token: str, until: datetime, limit: int, which: ColumnElement[bool], now: datetime
) -> list[Leased]:
    waiting = (
        select(Comment.id)
        .where(PENDING, or_(Comment.lease_until.is_(None), Comment.lease_until < now), which)
        .order_by(Comment.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("waiting")
        .prefix_with("MATERIALIZED", dialect="postgresql")  # a subquery may be asked again, and lock more
    )
    taken = (
        update(Comment)
        .where(Comment.id.in_(select(waiting.c.id)))
        .values(lease_token=token, lease_until=until, attempts=Comment.attempts + 1)
        .returning(
            *(Comment.id, Comment.receipt_id, Comment.text, Comment.prompt, Comment.language),
            *(Comment.rating, Comment.attempts),
        )
        .execution_options(synchronize_session=False)
    )
    return sorted(Leased(*row) for row in db.session.execute(taken))


def finish(
    token: str,
    leased: Sequence[Leased],
    readings: "Mapping[int, tuple[CodebookReader, Reading]]",
    now: datetime,
) -> int:
    """Write down what was read where the lease is still ours, and return of how many comments; commits."""
    read = [one for one in leased if one.id in readings]
    with writing():
        ours = _close(token, read, State.DONE)
        predictions, themes = [], []
        for one in read:
            if one.id in ours:
                reader, reading = readings[one.id]
                predictions.append(_prediction(one.id, reader, reading, now))
                themes.extend(_themes(one.id, reader, reading))
        if predictions:
            db.session.execute(insert(Prediction), predictions)
        if themes:
            db.session.execute(insert(PredictedTheme), themes)
        search.index_comments([(one.id, one.text) for one in read if one.id in ours])
        db.session.commit()
    return len(ours)


def give_up(token: str, leased: Sequence[Leased], now: datetime) -> None:
    """Set aside the comments that failed too often, and let the others be tried again soon; commits."""
    if not leased:
        return
    lost = [one for one in leased if one.attempts >= MAX_ATTEMPTS]
    again = [one.id for one in leased if one.attempts < MAX_ATTEMPTS]
    with writing():
        ours = _close(token, lost, State.FAILED)
        search.index_comments([(one.id, one.text) for one in lost if one.id in ours])
        db.session.execute(
            update(Comment)
            .where(Comment.id.in_(again), Comment.lease_token == token, PENDING)
            .values(lease_token=None, lease_until=now + timedelta(seconds=1))
            .execution_options(synchronize_session=False)
        )
        db.session.commit()


def _close(token: str, leased: Iterable[Leased], state: State) -> set[int]:
    """Move comments that are still ours out of the queue and return their ids; locks receipts first."""
    leased = list(leased)
    receipts = sorted({one.receipt_id for one in leased})
    if not leased:
        return set()
    db.session.execute(
        select(Receipt.id).where(Receipt.id.in_(receipts)).order_by(Receipt.id).with_for_update()
    )
    closed = (
        update(Comment)
        .where(Comment.id.in_([one.id for one in leased]), Comment.lease_token == token, PENDING)
        .values(reading=state, lease_token=None, lease_until=None)
        .returning(Comment.id, Comment.receipt_id)
        .execution_options(synchronize_session=False)
    )
    ours = dict(db.session.execute(closed).all())
    db.session.execute(
        update(Receipt)
        .where(Receipt.id.in_(sorted(set(ours.values()))))
        .values(uncounted=True)
        .execution_options(synchronize_session=False)
    )
    return set(ours)


def _prediction(comment_id: int, reader: CodebookReader, reading: "Reading", now: datetime) -> dict[str, Any]:
    probabilities = reading.sentiment_probabilities
    return {
        "comment_id": comment_id,
        "model_id": reader.model_id,
        "language": reading.language,
        "sentiment": reading.sentiment,
        "confidence": max(probabilities) if probabilities else None,
        "read_at": now,
    }


def _themes(comment_id: int, reader: CodebookReader, reading: "Reading") -> list[dict[str, Any]]:
    return [
        {"comment_id": comment_id, "theme_id": reader.themes[code], "probability": probability}
        for code, probability in reading.themes
        if code in reader.themes
    ]


def theme_ids(codebook_key: str) -> dict[str, int]:
    """Return the ids of a codebook's themes by their codes."""
    rows = (
        select(Theme.key, Theme.id)
        .join(Codebook, Codebook.id == Theme.codebook_id)
        .where(Codebook.key == codebook_key)
        .order_by(Theme.position)
    )
    return dict(db.session.execute(rows).all())


def n_waiting() -> int:
    """Return how many comments wait to be read."""
    waiting = select(func.count(Comment.id)).where(PENDING)
    return db.session.scalar(waiting) or 0
