"""Adds a further page to a response, and erases what was answered when it is taken back. Never commits."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select, update

from citizenvoice.db import db
from citizenvoice.errors import N_, DomainError
from citizenvoice.feedback import actions, queries
from citizenvoice.feedback.models import Comment, Exclusion, Receipt
from citizenvoice.surveys import twins
from citizenvoice.surveys.contributions import Words
from citizenvoice.surveys.models import Response
from citizenvoice.surveys.recording import comment_rows


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
        db.session.execute(insert(Comment), comment_rows(receipt.id, receipt, new.values(), rating))


def erase_answers(receipt_ids: Sequence[int]) -> None:
    """Erase the closed answers of responses that were taken back; that there was one stays. Never commits."""
    db.session.execute(
        update(Response).where(Response.id.in_(receipt_ids)).values(answers={}, segments={}, n_sections=1)
    )
