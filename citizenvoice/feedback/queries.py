"""Reads about contributions: which count, and what a receipt code belongs to."""

from datetime import date

from sqlalchemy import ColumnElement, func, or_, select

from citizenvoice.db import db
from citizenvoice.feedback.models import Comment, Receipt


def counted() -> ColumnElement[bool]:
    """Return the condition that a contribution counts: the only place that says so."""
    return Receipt.exclusion.is_(None)


def find_receipt(code_hash: bytes) -> Receipt | None:
    """Return the receipt with this hash of its code."""
    return db.session.scalar(select(Receipt).where(Receipt.code_hash == code_hash))


def linked_receipts(receipt: Receipt) -> list[Receipt]:
    """Return the receipt, the one it duplicates and all duplicates of that, the first sent first."""
    root = receipt.duplicate_of_id or receipt.id
    return list(
        db.session.scalars(
            select(Receipt)
            .where(or_(Receipt.id == root, Receipt.duplicate_of_id == root))
            .order_by(Receipt.id)
            .execution_options(populate_existing=True)
        )
    )


def comments_of(receipts: list[Receipt]) -> list[Comment]:
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
