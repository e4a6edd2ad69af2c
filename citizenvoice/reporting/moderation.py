"""What people decide about single comments: what they mean, and whether a contribution counts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import not_, select
from sqlalchemy.orm import aliased, joinedload

from citizenvoice.accounts import actions as accounts
from citizenvoice.accounts import audit
from citizenvoice.accounts.queries import in_scope
from citizenvoice.accounts.scope import Scope
from citizenvoice.agencies.models import Agency, Service
from citizenvoice.analysis import actions as analysis
from citizenvoice.analysis.models import Annotation, Theme
from citizenvoice.analysis.queries import annotations_of, reading_of
from citizenvoice.db import db
from citizenvoice.errors import N_, DomainError, NotFoundError
from citizenvoice.feedback import actions as feedback
from citizenvoice.feedback.models import Comment, Exclusion, Receipt
from citizenvoice.feedback.queries import counted
from citizenvoice.reporting.comments import A_PAGE
from citizenvoice.reporting.shown_comments import ShownComment, people

CORRECTED, RESTORED = "comment.corrected", "comment.reading_restored"
EXCLUSION_SET = "contribution.exclusion_set"
MODERATORS_REASONS = (Exclusion.SPAM, Exclusion.TEST)  # the others follow from what people did

audit.name_actions(
    {
        CORRECTED: N_("Reading of a comment corrected"),
        RESTORED: N_("Correction of a comment taken back"),
        EXCLUSION_SET: N_("Decided whether a contribution counts"),
    }
)


@dataclass(frozen=True, slots=True)
class Remark:
    """What a person said about a comment at one time; None is what they left to the machine."""

    by: str
    at: datetime
    sentiment: int | None
    themes: tuple[Theme, ...] | None
    is_current: bool


def get_comment(comment_id: int, scope: Scope) -> tuple[Comment, Service]:
    """Return a comment on a service of this member's agencies, or raise NotFoundError."""
    row = db.session.execute(
        select(Comment, Service)
        .join(Service, Service.id == Comment.service_id)
        .join(Service.agency)
        .options(joinedload(Service.agency))
        .where(Comment.id == comment_id, in_scope(Agency.path, scope))
    ).one_or_none()
    if row is None:
        raise NotFoundError(N_("There is no such comment."))
    return row[0], row[1]


def get_contribution(receipt_id: int, scope: Scope) -> tuple[Receipt, Service]:
    """Return a contribution to a service of this member's agencies, holding it, or raise NotFoundError."""
    row = db.session.execute(
        select(Receipt, Service)
        .join(Service, Service.id == Receipt.service_id)
        .join(Service.agency)
        .options(joinedload(Service.agency))
        .where(Receipt.id == receipt_id, in_scope(Agency.path, scope))
        .with_for_update(of=Receipt)
    ).one_or_none()
    if row is None:
        raise NotFoundError(N_("There is no such contribution."))
    return row[0], row[1]


def remarks_on(comment_id: int) -> list[Remark]:
    """Return what people said about a comment, the latest first. A fixed number of statements."""
    said = annotations_of(comment_id)
    themes: dict[int, list[Theme]] = {}
    rows = db.session.execute(
        select(Annotation.id, Theme)
        .join(Annotation.themes)
        .where(Annotation.comment_id == comment_id)
        .order_by(Annotation.id, Theme.position)
    )
    for annotation_id, theme in rows:
        themes.setdefault(annotation_id, []).append(theme)
    names = people({one.user_id for one in said})
    return [
        Remark(
            by=names.get(one.user_id, ""),
            at=one.made_at,
            sentiment=one.sentiment,
            themes=tuple(themes.get(one.id, ())) if one.has_themes else None,
            is_current=one.superseded_at is None,
        )
        for one in said
    ]


def correct(
    comment: Comment,
    service: Service,
    *,
    sentiment: int | None,
    themes: Sequence[int] | None,
    by_id: int,
    now: datetime,
) -> bool:
    """Keep what a person read in a comment beside the machine's reading, and write down that they did.

    Themes equal to the machine's are left to the machine; None and None take earlier corrections back. Who
    saves last is right; what was said before is kept. Returns whether there was anything to keep. Never
    commits. Raises DomainError for a comment that was withdrawn.
    """
    receipt = db.session.scalars(
        select(Receipt)
        .where(Receipt.id == comment.receipt_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
    if receipt.exclusion == Exclusion.WITHDRAWN:
        raise DomainError(N_("This comment was withdrawn. There is nothing left to correct."))
    read = reading_of([comment.id]).get(comment.id)
    predicted = {theme_id for theme_id, _ in read.predicted_themes} if read else set()
    if themes is not None and set(themes) == predicted:
        themes = None
    if sentiment is None and themes is None and (read is None or read.annotated_at is None):
        return False
    analysis.annotate(comment, by_id, sentiment=sentiment, themes=themes, now=now)
    accounts.record_audit(
        RESTORED if sentiment is None and themes is None else CORRECTED,
        subject=f"{service.slug} {comment.id}",
        at=now,
        user_id=by_id,
        agency_id=service.agency_id,
        detail={"sentiment": sentiment, "themes": sorted(themes) if themes is not None else None},
    )
    return True


def moderate(
    receipt: Receipt, service: Service, exclusion: Exclusion | None, *, by_id: int, now: datetime
) -> None:
    """Say why a contribution does not count, or (None) that it does, and note who said so. Never commits."""
    before = receipt.exclusion
    feedback.set_exclusion(receipt, exclusion, now)
    accounts.record_audit(
        EXCLUSION_SET,
        subject=f"{service.slug} {receipt.id}",
        at=now,
        user_id=by_id,
        agency_id=service.agency_id,
        detail={"from": before, "to": str(exclusion) if exclusion else None},
    )


def reason(name: str) -> Exclusion | None:
    """Return the reason a moderator may give for leaving a contribution out; None for the empty name.

    Raises DomainError for any other.
    """
    if not name:
        return None
    if name not in MODERATORS_REASONS:
        raise DomainError(N_("Choose spam, test, or that it counts."))
    return Exclusion(name)


def themes_to_choose(comment: ShownComment, themes: Sequence[Theme]) -> list[Theme]:
    """Return the themes a comment can be given: the service's, and those it carries already."""
    found = {theme.id: theme for theme in themes}
    carried = (*comment.themes, *(theme for theme, _ in comment.predicted_themes))
    return list((found | {theme.id: theme for theme in carried}).values())


@dataclass(frozen=True, slots=True)
class DuplicatePage:
    """Some contributions marked as duplicates, the latest first, and before which one the rest begins."""

    duplicates: tuple["Duplicate", ...]
    next_before: int | None


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A contribution that was taken for one sent before, beside that one; with the words of both."""

    receipt: Receipt
    texts: tuple[str, ...]
    original: Receipt | None
    original_texts: tuple[str, ...]


def find_duplicates(service_id: int, *, before: int | None = None, limit: int = A_PAGE) -> DuplicatePage:
    """Return contributions marked as duplicates, the latest first. A fixed number of statements."""
    original = aliased(Receipt)
    statement = (
        select(Receipt, original)
        .outerjoin(original, original.id == Receipt.duplicate_of_id)
        .where(Receipt.service_id == service_id, not_(counted()), Receipt.exclusion == Exclusion.DUPLICATE)
        .order_by(Receipt.id.desc())
        .limit(limit + 1)
    )
    if before is not None:
        statement = statement.where(Receipt.id < before)
    rows: Sequence[Any] = db.session.execute(statement).all()
    ids = {one.id for row in rows for one in row if one is not None}
    texts: dict[int, list[str]] = {}
    comments = (
        select(Comment.receipt_id, Comment.text).where(Comment.receipt_id.in_(ids)).order_by(Comment.id)
    )
    for receipt_id, text in db.session.execute(comments):
        texts.setdefault(receipt_id, []).append(text)
    found = [
        Duplicate(
            receipt=receipt,
            texts=tuple(texts.get(receipt.id, ())),
            original=first,
            original_texts=tuple(texts.get(first.id, ())) if first is not None else (),
        )
        for receipt, first in rows[:limit]
    ]
    return DuplicatePage(tuple(found), found[-1].receipt.id if len(rows) > limit else None)
