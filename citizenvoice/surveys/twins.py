"""Equal contributions that count once: what happens when one of them says more, or is taken back."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from citizenvoice.db import db
from citizenvoice.feedback import actions, queries
from citizenvoice.feedback.duplicates import TELLING_WORDS
from citizenvoice.feedback.models import Exclusion, Receipt
from citizenvoice.surveys.models import Response

DOUBLE_CLICK = timedelta(seconds=10)
Said = Mapping[int, tuple[Any, ...]]


def said_in(receipts: Sequence[Receipt]) -> Said:
    """Return all that was said in each of some responses, in a form in which equal ones are equal."""
    words: dict[int, list[tuple[str, str]]] = {receipt.id: [] for receipt in receipts}
    for comment in queries.comments_of(receipts):
        words[comment.receipt_id].append((comment.question, comment.text))
    rows = db.session.execute(
        select(Response.id, Response.answers, Response.segments, Response.n_sections)
        .where(Response.id.in_(list(words)))
        .order_by(Response.id)
    )
    return {
        response_id: (answers, segments, n_sections, tuple(sorted(words[response_id])))
        for response_id, answers, segments, n_sections in rows
    }


def says_more(receipt: Receipt, linked: Sequence[Receipt], before: Said, now: datetime) -> None:
    """Let a duplicate count that has just been added to, in place of an earlier twin that was not.

    ``linked`` are the receipts it is linked to, locked, and ``before`` what they said before. The twin that
    counted until now is the duplicate from here on, unless it said more already: then both count. Never
    commits.
    """
    if receipt.exclusion != Exclusion.DUPLICATE or said_in([receipt])[receipt.id] == before[receipt.id]:
        return
    first = next((one for one in linked if one.id == receipt.duplicate_of_id), None)
    if first is not None and first.exclusion is None and before[first.id] == before[receipt.id]:
        actions.pass_for_duplicate(first, now)
    actions.let_count(receipt)
    db.session.flush()


def taken_back_with(receipt: Receipt, linked: Sequence[Receipt]) -> list[Receipt]:
    """Return a receipt and those of the linked ones that are the same thing sent by the same click.

    These still say exactly the same, and arrived at one moment or hold words that tell. Equal answers without
    words may be two people's, and what says more was added to by whoever holds its code.
    """
    said = said_in(linked)
    return [one for one in linked if one is receipt or _are_one(one, receipt, said)]


def _are_one(one: Receipt, other: Receipt, said: Said) -> bool:
    if Exclusion.WITHDRAWN in {one.exclusion, other.exclusion} or said[one.id] != said[other.id]:
        return False
    words = [text for _question, text in said[other.id][-1]]
    is_telling = any(len(text.split()) >= TELLING_WORDS for text in words)
    return is_telling or abs(one.received_at - other.received_at) <= DOUBLE_CLICK


def move_up(linked: Sequence[Receipt]) -> None:
    """Let the first duplicate of what was taken back count; the others repeat it then. Never commits."""
    gone = {receipt.id for receipt in linked if receipt.exclusion == Exclusion.WITHDRAWN}
    left = [
        receipt
        for receipt in linked
        if receipt.exclusion == Exclusion.DUPLICATE and receipt.duplicate_of_id in gone
    ]
    if not left:
        return
    first, *others = left
    actions.let_count(first)
    for other in others:
        other.duplicate_of_id = first.id
    db.session.flush()
