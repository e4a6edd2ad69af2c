"""Writes about what comments mean: people's annotations, and the codebooks and models that are shipped."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select, update

from citizenvoice.analysis.models import (
    AnnotatedTheme,
    Annotation,
    Codebook,
    PredictedTheme,
    Prediction,
    Theme,
    TrainedModel,
)
from citizenvoice.db import db
from citizenvoice.errors import N_, DomainError
from citizenvoice.feedback.models import Comment, Receipt

SENTIMENTS = range(1, 6)


def annotate(
    comment: Comment,
    user_id: int,
    *,
    sentiment: int | None,
    themes: Sequence[int] | None,
    now: datetime,
) -> Annotation:
    """Keep what a person read in a comment beside the machine's prediction; earlier annotations stay.

    ``sentiment`` None and ``themes`` None leave the machine's reading in force; no themes at all is ``()``.
    Raises DomainError for a sentiment that is not on the scale or a theme that does not exist.
    """
    if sentiment is not None and sentiment not in SENTIMENTS:
        raise DomainError(N_("Choose one of the five sentiments."))
    chosen = _themes(themes or ())
    # The receipt first, always with an UPDATE: its lock is what makes counting see this change.
    db.session.execute(update(Receipt).where(Receipt.id == comment.receipt_id).values(uncounted=True))
    db.session.execute(
        update(Annotation)
        .where(Annotation.comment_id == comment.id, Annotation.superseded_at.is_(None))
        .values(superseded_at=now)
    )
    annotation = Annotation(
        comment_id=comment.id,
        user_id=user_id,
        sentiment=sentiment,
        has_themes=themes is not None,
        made_at=now,
        themes=chosen,
    )
    db.session.add(annotation)
    db.session.flush()
    return annotation


def _themes(ids: Sequence[int]) -> list[Theme]:
    found = list(
        db.session.scalars(select(Theme).where(Theme.id.in_(ids)).order_by(Theme.position, Theme.id))
    )
    if len(found) != len(set(ids)):
        raise DomainError(N_("One of the themes does not exist."))
    return found


def keep_codebook(
    key: str, *, name: str, names: Mapping[str, str], themes: Sequence[Mapping[str, Any]]
) -> Codebook:
    """Write a shipped codebook and its themes down; the same again changes nothing.

    ``themes`` are mappings with ``key``, ``name``, ``names``, ``description`` and ``formerly`` (keys it had
    before), in order. A theme that was renamed keeps its comments under the new key. One that is no longer
    shipped stays, after the others, because comments may carry it.
    """
    codebook = db.session.scalar(select(Codebook).where(Codebook.key == key))
    if codebook is None:
        codebook = Codebook(key=key)
        db.session.add(codebook)
    _set(codebook, name=name, names=dict(names))
    known = {theme.key: theme for theme in codebook.themes}
    for position, shipped in enumerate(themes):
        keys = (shipped["key"], *shipped.get("formerly", ()))
        theme = next((known.pop(name) for name in keys if name in known), None)
        if theme is None:
            theme = Theme(key=shipped["key"])
            codebook.themes.append(theme)
        _set(
            theme,
            key=shipped["key"],
            position=position,
            name=shipped["name"],
            names=dict(shipped["names"]),
            description=shipped.get("description", ""),
        )
    for position, theme in enumerate(known.values(), start=len(themes)):
        _set(theme, position=position)
    db.session.flush()
    return codebook


def _set(row: Any, **values: Any) -> None:
    for name, value in values.items():
        if getattr(row, name) != value:
            setattr(row, name, value)


def keep_model(
    name: str, *, version: str, digest: str, data_digest: str, figures: Mapping[str, Any], now: datetime
) -> TrainedModel:
    """Write down which model reads; a model already known by its digest is returned as it is."""
    model = db.session.scalar(select(TrainedModel).where(TrainedModel.digest == digest))
    if model is None:
        model = TrainedModel(
            name=name,
            version=version,
            digest=digest,
            data_digest=data_digest,
            figures=dict(figures),
            first_used_at=now,
        )
        db.session.add(model)
        db.session.flush()
    return model


def forget_readings(comment_ids: Sequence[int]) -> None:
    """Erase what machines and people read in comments whose words were taken back. Never commits."""
    predicted = Prediction.comment_id.in_(comment_ids)
    annotated = select(Annotation.id).where(Annotation.comment_id.in_(comment_ids))
    db.session.execute(delete(PredictedTheme).where(PredictedTheme.comment_id.in_(comment_ids)))
    db.session.execute(delete(Prediction).where(predicted))
    db.session.execute(delete(AnnotatedTheme).where(AnnotatedTheme.annotation_id.in_(annotated)))
    db.session.execute(delete(Annotation).where(Annotation.comment_id.in_(comment_ids)))
