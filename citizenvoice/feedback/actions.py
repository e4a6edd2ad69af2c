"""Changes to contributions: whether they count, and their withdrawal."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm.attributes import flag_modified

from citizenvoice.db import db
from citizenvoice.errors import N_, DomainError
from citizenvoice.feedback import queries, search
from citizenvoice.feedback.models import Comment, Exclusion, Reading, Receipt

SENDERS_KEPT = timedelta(hours=1)  # duplicates are looked for within minutes
AT_ONCE = 5_000


def forget_senders(now: datetime) -> int:
    """Erase what could tell two contributions of one sender, once it has served; return of how many.

    Never commits; erases so many at a time that nobody waits.
    """
    old = (
        select(Receipt.id)
        .where(Receipt.sender_digest.is_not(None), Receipt.received_at < now - SENDERS_KEPT)
        .order_by(Receipt.id)
        .limit(AT_ONCE)
    )
    ids = list(db.session.scalars(old))
    if ids:
        db.session.execute(update(Receipt).where(Receipt.id.in_(ids)).values(sender_digest=None))
    return len(ids)


def set_exclusion(receipt: Receipt, exclusion: Exclusion | None, now: datetime) -> None:
    """Say why a contribution does not count, or (None) that it does. Never commits.

    One that counts again is no longer tied to the one it was taken for a duplicate of.
    Raises DomainError for a withdrawn contribution, whose words are gone, and for a withdrawal, which
    `withdraw` does for its sender.
    """
    if Exclusion.WITHDRAWN in {receipt.exclusion, exclusion}:
        raise DomainError(N_("What was withdrawn stays withdrawn, and only its sender can withdraw it."))
    if receipt.exclusion == exclusion:
        return
    if exclusion is None:
        let_count(receipt)
        return
    receipt.exclusion, receipt.exclusion_at = exclusion, now
    count_anew(receipt)


def withdraw(receipts: Sequence[Receipt], now: datetime) -> list[Comment]:
    """Withdraw contributions that are one, and erase their words. Never commits.

    Returns the comments whose text was erased, so that what was read in them can be erased as well.
    Doing it again changes nothing.
    """
    for each in receipts:
        if each.exclusion != Exclusion.WITHDRAWN:
            each.exclusion, each.exclusion_at = Exclusion.WITHDRAWN, now
            count_anew(each)
        each.sender_digest = None
    db.session.flush()  # receipts before comments: the order everybody locks in
    comments = queries.comments_of(receipts)
    for comment in comments:
        forget_in_index(comment)
        comment.text, comment.masked = "", {}
        comment.rating = None
        comment.reading, comment.lease_token, comment.lease_until = Reading.DONE, None, None
    return comments


def let_count(receipt: Receipt) -> None:
    """Let what was taken for a duplicate count, on its own. Never commits."""
    receipt.exclusion = receipt.exclusion_at = receipt.duplicate_of_id = None
    count_anew(receipt)


def pass_for_duplicate(receipt: Receipt, now: datetime) -> None:
    """Take a contribution for the duplicate of a later one, which says more. Never commits."""
    receipt.exclusion, receipt.exclusion_at = Exclusion.DUPLICATE, now
    count_anew(receipt)


def count_anew(receipt: Receipt) -> None:
    """Have the counts take a contribution in again; written even when it waits already. Never commits."""
    receipt.uncounted = True
    flag_modified(receipt, "uncounted")  # counting may clear it meanwhile


def forget_in_index(comment: Comment) -> None:
    """Take a comment out of the full-text index if it is there, before its text goes. Never commits."""
    if comment.reading != Reading.PENDING and comment.text:
        search.forget_comment(comment.id, comment.text)
