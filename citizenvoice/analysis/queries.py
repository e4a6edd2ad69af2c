"""Reads of what comments mean: a person's annotation where there is one, else the machine's prediction."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    Subquery,
    and_,
    exists,
    func,
    literal_column,
    or_,
    select,
    union_all,
)

from citizenvoice.analysis.models import (
    AnnotatedTheme,
    Annotation,
    Codebook,
    PredictedTheme,
    Prediction,
    Theme,
)
from citizenvoice.db import db
from citizenvoice.feedback.models import Comment

# Comments that wait for the machine; written so that both databases recognise the partial index on it.
PENDING: ColumnElement[Any] = literal_column("comment.reading = 'pending'")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadComment:
    """What machine and person read in one comment; ``sentiment`` and ``themes`` are those in force."""

    sentiment: int | None
    themes: tuple[int, ...]
    predicted_sentiment: int | None
    predicted_themes: tuple[tuple[int, float], ...]
    confidence: float | None
    language: str | None
    annotated_by: int | None
    annotated_at: datetime | None


def with_reading(statement: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    """Join each comment's prediction and current annotation, where there are any."""
    return statement.outerjoin(Prediction, Prediction.comment_id == Comment.id).outerjoin(
        Annotation, and_(Annotation.comment_id == Comment.id, Annotation.superseded_at.is_(None))
    )


def effective_sentiment() -> ColumnElement[int | None]:
    """Return the sentiment in force, of a statement that went through `with_reading`."""
    return func.coalesce(Annotation.sentiment, Prediction.sentiment)


def sentiment_in_force() -> ColumnElement[int | None]:
    """Return the sentiment in force, looked up for one comment after the other.

    For statements that stop early: a join makes PostgreSQL read every prediction first.
    """
    said = select(Annotation.sentiment).where(
        Annotation.comment_id == Comment.id, Annotation.superseded_at.is_(None)
    )
    read = select(Prediction.sentiment).where(Prediction.comment_id == Comment.id)
    return func.coalesce(said.correlate(Comment).scalar_subquery(), read.correlate(Comment).scalar_subquery())


def effective_themes(among: Select[int] | None = None) -> Subquery:
    """Return the (comment_id, theme_id) pairs in force, of all comments or those ``among`` some."""
    predicted = select(PredictedTheme.comment_id, PredictedTheme.theme_id).where(
        ~_themes_annotated(PredictedTheme.comment_id)
    )
    annotated = (
        select(Annotation.comment_id, AnnotatedTheme.theme_id)
        .join(AnnotatedTheme, AnnotatedTheme.annotation_id == Annotation.id)
        .where(Annotation.superseded_at.is_(None), Annotation.has_themes)
    )
    if among is not None:
        predicted = predicted.where(PredictedTheme.comment_id.in_(among))
        annotated = annotated.where(Annotation.comment_id.in_(among))
    return union_all(predicted, annotated).subquery()


def has_theme(theme_id: int) -> ColumnElement[bool]:
    """Return the condition that a theme is in force for a comment."""
    predicted = exists().where(
        PredictedTheme.comment_id == Comment.id, PredictedTheme.theme_id == theme_id
    ) & ~_themes_annotated(Comment.id)
    annotated = exists().where(
        Annotation.comment_id == Comment.id,
        Annotation.superseded_at.is_(None),
        Annotation.has_themes,
        AnnotatedTheme.annotation_id == Annotation.id,
        AnnotatedTheme.theme_id == theme_id,
    )
    return or_(predicted, annotated)


def _themes_annotated(comment_id: Any) -> ColumnElement[bool]:
    return (
        exists()
        .where(
            Annotation.comment_id == comment_id,
            Annotation.superseded_at.is_(None),
            Annotation.has_themes,
        )
        .correlate_except(Annotation)
    )


def reading_of(comment_ids: Sequence[int]) -> dict[int, ReadComment]:
    """Return what was read in these comments; those nobody read yet are absent."""
    predictions = {
        row.comment_id: row
        for row in db.session.scalars(select(Prediction).where(Prediction.comment_id.in_(comment_ids)))
    }
    current = (
        select(Annotation)
        .where(Annotation.comment_id.in_(comment_ids), Annotation.superseded_at.is_(None))
        .order_by(Annotation.comment_id)
    )
    annotations = {row.comment_id: row for row in db.session.scalars(current)}
    predicted = _predicted_themes(comment_ids)
    annotated = _annotated_themes(comment_ids)
    return {
        comment_id: _read_comment(
            predictions.get(comment_id),
            annotations.get(comment_id),
            predicted.get(comment_id, []),
            annotated.get(comment_id, []),
        )
        for comment_id in comment_ids
        if comment_id in predictions or comment_id in annotations
    }


def _read_comment(
    prediction: Prediction | None,
    annotation: Annotation | None,
    predicted: Sequence[tuple[int, float]],
    annotated: Sequence[int],
) -> ReadComment:
    said = annotation.sentiment if annotation else None
    machine = prediction.sentiment if prediction else None
    themes = annotated if annotation and annotation.has_themes else [theme for theme, _ in predicted]
    return ReadComment(
        sentiment=machine if said is None else said,
        themes=tuple(themes),
        predicted_sentiment=machine,
        predicted_themes=tuple(predicted),
        confidence=prediction.confidence if prediction else None,
        language=prediction.language if prediction else None,
        annotated_by=annotation.user_id if annotation else None,
        annotated_at=annotation.made_at if annotation else None,
    )


def _predicted_themes(comment_ids: Sequence[int]) -> dict[int, list[tuple[int, float]]]:
    found: dict[int, list[tuple[int, float]]] = {}
    rows = (
        select(PredictedTheme.comment_id, PredictedTheme.theme_id, PredictedTheme.probability)
        .join(Theme, Theme.id == PredictedTheme.theme_id)
        .where(PredictedTheme.comment_id.in_(comment_ids))
        .order_by(PredictedTheme.comment_id, Theme.position)
    )
    for comment_id, theme_id, probability in db.session.execute(rows):
        found.setdefault(comment_id, []).append((theme_id, probability))
    return found


def _annotated_themes(comment_ids: Sequence[int]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    rows = (
        select(Annotation.comment_id, AnnotatedTheme.theme_id)
        .join(AnnotatedTheme, AnnotatedTheme.annotation_id == Annotation.id)
        .join(Theme, Theme.id == AnnotatedTheme.theme_id)
        .where(Annotation.comment_id.in_(comment_ids), Annotation.superseded_at.is_(None))
        .order_by(Annotation.comment_id, Theme.position)
    )
    for comment_id, theme_id in db.session.execute(rows):
        found.setdefault(comment_id, []).append(theme_id)
    return found


def annotations_of(comment_id: int) -> list[Annotation]:
    """Return everything people said about a comment, the latest first."""
    found = select(Annotation).where(Annotation.comment_id == comment_id).order_by(Annotation.id.desc())
    return list(db.session.scalars(found))


def themes_of(codebook_key: str) -> list[Theme]:
    """Return the themes of a codebook in its order."""
    found = (
        select(Theme)
        .join(Codebook, Codebook.id == Theme.codebook_id)
        .where(Codebook.key == codebook_key)
        .order_by(Theme.position, Theme.id)
    )
    return list(db.session.scalars(found))


def codebooks() -> list[Codebook]:
    """Return every codebook, by name."""
    return list(db.session.scalars(select(Codebook).order_by(Codebook.name, Codebook.id)))
