"""Changes to contributions: whether they count, and their withdrawal."""

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
    `withdraw` does for all linked receipts.
    """
    if Exclusion.WITHDRAWN in {receipt.exclusion, exclusion}:
        raise DomainError(N_("What was withdrawn stays withdrawn, and only its sender can withdraw it."))
    if receipt.exclusion == exclusion:
        return
    receipt.exclusion = exclusion
    receipt.exclusion_at = now if exclusion else None
    receipt.uncounted = True
    flag_modified(receipt, "uncounted")  # written even when it was set: counting may clear it meanwhile
    if exclusion is None:
        receipt.duplicate_of_id = None


def withdraw(receipt: Receipt, now: datetime) -> list[Comment]:
    """Withdraw a contribution and everything linked to it, and erase its words. Never commits.

    Returns the comments whose text was erased, so that what was read in them can be erased as well.
    Doing it again changes nothing.
    """
    linked = queries.linked_receipts(receipt)
    for each in linked:
        if each.exclusion != Exclusion.WITHDRAWN:
            each.exclusion, each.exclusion_at, each.uncounted = Exclusion.WITHDRAWN, now, True
            flag_modified(each, "uncounted")
        each.sender_digest = None
    db.session.flush()  # receipts before comments: the order everybody locks in
    comments = queries.comments_of(linked)
    for comment in comments:
        if comment.reading != Reading.PENDING and comment.text:
            search.forget_comment(comment.id, comment.text)
        comment.text, comment.masked = "", {}
        comment.rating = None
        comment.reading, comment.lease_token, comment.lease_until = Reading.DONE, None, None
    return comments
