"""Tables of readings: codebooks and themes, what a model predicted and what a person said."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from citizenvoice.accounts.models import User
from citizenvoice.db import Base, BigId
from citizenvoice.feedback.models import Comment


class Codebook(Base):
    """A set of themes that comments are read against."""

    __tablename__ = "codebook"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(60), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    names: Mapped[dict[str, Any]] = mapped_column(default=dict)

    themes: Mapped[list["Theme"]] = relationship(back_populates="codebook", order_by="Theme.position")


class Theme(Base):
    """One code of a codebook."""

    __tablename__ = "theme"
    __table_args__ = (UniqueConstraint("codebook_id", "key"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    codebook_id: Mapped[int] = mapped_column(ForeignKey("codebook.id"))
    position: Mapped[int]
    key: Mapped[str] = mapped_column(String(60))
    name: Mapped[str] = mapped_column(String(120))
    names: Mapped[dict[str, Any]] = mapped_column(default=dict)
    description: Mapped[str] = mapped_column(String(500), default="")

    codebook: Mapped[Codebook] = relationship(back_populates="themes")


class TrainedModel(Base):
    """A reader as it was trained: which data, measured how well."""

    __tablename__ = "trained_model"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(60))
    version: Mapped[str] = mapped_column(String(40))
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    data_digest: Mapped[str] = mapped_column(String(64))
    figures: Mapped[dict[str, Any]] = mapped_column(default=dict)
    first_used_at: Mapped[datetime]


class Prediction(Base):
    """What a model read in one comment. Never edited by a person."""

    __tablename__ = "prediction"
    __table_args__ = (CheckConstraint("sentiment BETWEEN 1 AND 5", name="sentiment_in_scale"),)

    comment_id: Mapped[int] = mapped_column(
        BigId, ForeignKey("comment.id"), primary_key=True, autoincrement=False
    )
    model_id: Mapped[int] = mapped_column(ForeignKey("trained_model.id"))
    language: Mapped[str] = mapped_column(String(12))
    sentiment: Mapped[int | None]  # 1 very negative .. 5 very positive; None: nothing to read
    confidence: Mapped[float | None]  # probability of that sentiment
    read_at: Mapped[datetime]

    themes: Mapped[list["PredictedTheme"]] = relationship(order_by="PredictedTheme.theme_id")
    comment: Mapped[Comment] = relationship()
    model: Mapped[TrainedModel] = relationship()


class PredictedTheme(Base):
    """A theme that a model read in one comment."""

    __tablename__ = "predicted_theme"
    __table_args__ = (Index("ix_predicted_theme_theme_id_comment_id", "theme_id", "comment_id"),)

    comment_id: Mapped[int] = mapped_column(
        BigId, ForeignKey("prediction.comment_id"), primary_key=True, autoincrement=False
    )
    theme_id: Mapped[int] = mapped_column(ForeignKey("theme.id"), primary_key=True)
    probability: Mapped[float]

    theme: Mapped[Theme] = relationship()


class Annotation(Base):
    """What a person read in one comment. The latest one of a comment is current; earlier ones stay."""

    __tablename__ = "annotation"
    __table_args__ = (
        CheckConstraint("sentiment BETWEEN 1 AND 5", name="sentiment_in_scale"),
        Index(
            "ix_annotation_current",
            "comment_id",
            unique=True,
            sqlite_where=text("superseded_at IS NULL"),
            postgresql_where=text("superseded_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    comment_id: Mapped[int] = mapped_column(ForeignKey("comment.id"), index=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    sentiment: Mapped[int | None]  # None: no opinion, the prediction stands
    has_themes: Mapped[bool] = mapped_column(
        default=False
    )  # True: the themes below replace the predicted ones
    made_at: Mapped[datetime]
    superseded_at: Mapped[datetime | None]

    themes: Mapped[list[Theme]] = relationship(secondary="annotated_theme", order_by=Theme.position)
    user: Mapped[User] = relationship()


class AnnotatedTheme(Base):
    """A theme that a person read in one comment."""

    __tablename__ = "annotated_theme"
    __table_args__ = (Index("ix_annotated_theme_theme_id", "theme_id"),)

    annotation_id: Mapped[int] = mapped_column(BigId, ForeignKey("annotation.id"), primary_key=True)
    theme_id: Mapped[int] = mapped_column(ForeignKey("theme.id"), primary_key=True)
