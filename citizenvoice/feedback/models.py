"""Tables of what people sent: a receipt for each contribution, and the free texts in it."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from citizenvoice.db import Base, BigId


class Exclusion(StrEnum):
    """Why a contribution does not count. There is no other reason."""

    WITHDRAWN = "withdrawn"
    SPAM = "spam"
    DUPLICATE = "duplicate"
    TEST = "test"


class Reading(StrEnum):
    """How far the machine has come with a comment."""

    PENDING = "pending"
    DONE = "done"
    FAILED = "failed"


class Receipt(Base):
    """What one person sent at one moment: about which service, how, when, and whether it counts.

    The code itself is never stored, only its keyed hash. ``sender_digest`` is a keyed hash of sender and
    content, there for an hour so that the same thing sent twice within minutes is noticed, then erased.
    """

    __tablename__ = "receipt"
    __table_args__ = (
        CheckConstraint("exclusion IN ('withdrawn', 'spam', 'duplicate', 'test')", name="exclusion_known"),
        CheckConstraint(
            "duplicate_of_id IS NULL OR duplicate_of_id < id", name="duplicate_of_an_earlier_one"
        ),
        Index("ix_receipt_service_day", "service_id", "day"),
        Index(
            "ix_receipt_sender_digest",
            "sender_digest",
            sqlite_where=text("sender_digest IS NOT NULL"),
            postgresql_where=text("sender_digest IS NOT NULL"),
        ),
        Index(
            "ix_receipt_excluded",
            "service_id",
            "id",
            sqlite_where=text("exclusion IS NOT NULL"),
            postgresql_where=text("exclusion IS NOT NULL"),
        ),
        Index(
            "ix_receipt_uncounted", "id", sqlite_where=text("uncounted"), postgresql_where=text("uncounted")
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    service_id: Mapped[int] = mapped_column(ForeignKey("service.id"))
    channel: Mapped[str] = mapped_column(String(30))
    language: Mapped[str] = mapped_column(String(12))
    received_at: Mapped[datetime]
    day: Mapped[date]  # the agency's calendar day of received_at
    code_hash: Mapped[bytes | None] = mapped_column(LargeBinary(32), unique=True)
    sender_digest: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    exclusion: Mapped[str | None] = mapped_column(String(12))
    exclusion_at: Mapped[datetime | None]
    duplicate_of_id: Mapped[int | None] = mapped_column(ForeignKey("receipt.id"))
    # True from any change that can move a figure until the stored counts have taken it in.
    uncounted: Mapped[bool] = mapped_column(default=True)


class Comment(Base):
    """One free text about one service, personal data already masked.

    The columns service, channel, language and day repeat the receipt's, so that the explorer filters
    on one table. ``reading``, ``lease_token``, ``lease_until`` and ``attempts`` are the work queue of
    the machine reader: the row is the truth, no message can be lost.
    """

    __tablename__ = "comment"
    __table_args__ = (
        CheckConstraint("reading IN ('pending', 'done', 'failed')", name="reading_known"),
        Index("ix_comment_receipt_id", "receipt_id"),
        Index("ix_comment_service_id_id", "service_id", "id"),
        Index("ix_comment_service_id_day_id", "service_id", "day", "id"),
        Index("ix_comment_day_id_service_id", "day", "id", "service_id"),
        Index(
            "ix_comment_unread",
            "id",
            sqlite_where=text("reading = 'pending'"),
            postgresql_where=text("reading = 'pending'"),
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    receipt_id: Mapped[int] = mapped_column(ForeignKey("receipt.id"))
    service_id: Mapped[int] = mapped_column(ForeignKey("service.id"))
    channel: Mapped[str] = mapped_column(String(30))
    language: Mapped[str] = mapped_column(String(12))  # of the page it was written on
    day: Mapped[date]
    received_at: Mapped[datetime]
    question: Mapped[str] = mapped_column(String(60))  # key of the question it answers
    prompt: Mapped[str] = mapped_column(
        String(12), default="other"
    )  # good, improve, why, other: a hint for reading
    text: Mapped[str] = mapped_column(Text)
    masked: Mapped[dict[str, Any]] = mapped_column(default=dict)  # {"email": 1}: how many of each kind
    rating: Mapped[int | None]  # the response's main closed answer, 0..100, for filtering
    reading: Mapped[str] = mapped_column(String(8), default=Reading.PENDING)
    lease_token: Mapped[str | None] = mapped_column(String(32))
    lease_until: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)

    receipt: Mapped[Receipt] = relationship()
