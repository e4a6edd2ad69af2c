"""Changes to contributions: whether they count, and their withdrawal."""

from datetime import datetime

from citizenvoice.db import db
from citizenvoice.errors import N_, DomainError
from citizenvoice.feedback import queries, search
from citizenvoice.feedback.models import Comment, Exclusion, Reading, Receipt


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
