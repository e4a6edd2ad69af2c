"""Reads about contributions: which count, and what a receipt code belongs to."""

from collections.abc import Sequence
from datetime import date

from sqlalchemy import ColumnElement, and_, func, or_, select

from citizenvoice.db import db
from citizenvoice.feedback.models import Comment, Receipt


def counted() -> ColumnElement[bool]:
    """Return the condition that a contribution counts: the only place that says so."""
    return Receipt.exclusion.is_(None)


def find_receipt(code_hash: bytes) -> Receipt | None:
    """Return the receipt with this hash of its code."""
    return db.session.scalar(select(Receipt).where(Receipt.code_hash == code_hash))


def lock_with_first(receipt_id: int) -> list[Receipt]:
    """Return a receipt and the one it is a duplicate of, first sent first; nobody changes them meanwhile."""
    first = db.session.scalar(select(Receipt.duplicate_of_id).where(Receipt.id == receipt_id))
    return _locked(Receipt.id.in_([receipt_id] if first is None else [first, receipt_id]))


def lock_linked(receipt: Receipt) -> list[Receipt]:
    """Return a receipt, the one it duplicates and all duplicates of that, first sent first, locked."""
    root = receipt.duplicate_of_id or receipt.id
    duplicates = and_(
        Receipt.service_id == receipt.service_id,
        Receipt.exclusion.is_not(None),  # with the service: how they are found without reading all
        Receipt.duplicate_of_id == root,
    )
    return _locked(or_(Receipt.id.in_([root, receipt.id]), duplicates))


def _locked(which: ColumnElement[bool]) -> list[Receipt]:
    """Lock receipts in the order everybody locks them in, and return them as they are now."""
    return list(
        db.session.scalars(
            select(Receipt)
            .where(which)
            .order_by(Receipt.id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    )


def comments_of(receipts: Sequence[Receipt]) -> list[Comment]:
    """Return the comments that came with these receipts, in the order they were written."""
    ids = [receipt.id for receipt in receipts]
    return list(db.session.scalars(select(Comment).where(Comment.receipt_id.in_(ids)).order_by(Comment.id)))


def n_counted(service_id: int, start: date, end: date) -> int:
    """Return how many contributions about a service count, from ``start`` up to, not including, ``end``."""
    n = db.session.scalar(
        select(func.count())
        .select_from(Receipt)
        .where(Receipt.service_id == service_id, Receipt.day >= start, Receipt.day < end, counted())
    )
    return n or 0
