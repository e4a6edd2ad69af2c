"""Comments with what was read in them, as pages and files show them."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select

from citizenvoice.accounts.models import User
from citizenvoice.analysis.models import Prediction, Theme, TrainedModel
from citizenvoice.analysis.queries import reading_of
from citizenvoice.db import db
from citizenvoice.feedback.models import Comment, Exclusion, Reading, Receipt
from citizenvoice.feedback.search import fold, sought_words


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in the list, which runs from the newest to the oldest: the day and id of a comment."""

    day: date
    id: int

    def __str__(self) -> str:
        return f"{self.day}.{self.id}"


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of a comment: plain, found by the search, or standing for masked personal data."""

    text: str
    kind: str = ""  # "", "found" or "masked"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownComment:
    """One comment with what was read in it, as pages and files show it."""

    id: int
    receipt_id: int
    service_id: int
    day: date
    received_at: datetime
    channel: str
    language: str
    question: str
    rating: int | None
    text: str
    masked: Mapping[str, int]
    reading: str
    exclusion: str | None
    sentiment: int | None
    predicted_sentiment: int | None
    confidence: float | None
    model: str
    themes: tuple[Theme, ...]
    predicted_themes: tuple[tuple[Theme, float], ...]
    corrected_by: str
    corrected_at: datetime | None

    @property
    def cursor(self) -> Cursor:
        """The place of this comment in the list."""
        return Cursor(self.day, self.id)

    @property
    def state(self) -> str:
        """How far reading it has come: withdrawn, read, unread or failed."""
        if self.exclusion == Exclusion.WITHDRAWN:
            return "withdrawn"
        if self.sentiment is not None or self.corrected_at is not None or self.reading == Reading.DONE:
            return "read"
        return "failed" if self.reading == Reading.FAILED else "unread"

    def passages(self, sought: str = "") -> list[Passage]:
        """Return the text in stretches, those found by a search marked."""
        return passages(self.text, self.masked, sought)


def shown_comments(ids: Sequence[int]) -> list[ShownComment]:
    """Return these comments in the order of their ids given. A fixed number of statements."""
    found = {
        row[0].id: row
        for row in db.session.execute(
            select(Comment, Receipt.exclusion, Prediction.comment_id, TrainedModel.name, TrainedModel.version)
            .join(Receipt, Receipt.id == Comment.receipt_id)
            .outerjoin(Prediction, Prediction.comment_id == Comment.id)
            .outerjoin(TrainedModel, TrainedModel.id == Prediction.model_id)
            .where(Comment.id.in_(ids))
        )
    }
    readings = reading_of(ids)
    themes = {theme.id: theme for theme in db.session.scalars(select(Theme).order_by(Theme.id))}
    names = people({read.annotated_by for read in readings.values()} - {None})
    shown = []
    for comment_id in ids:
        comment, exclusion, _, name, version = found[comment_id]
        read = readings.get(comment_id)
        shown.append(
            ShownComment(
                id=comment.id,
                receipt_id=comment.receipt_id,
                service_id=comment.service_id,
                day=comment.day,
                received_at=comment.received_at,
                channel=comment.channel,
                language=comment.language,
                question=comment.question,
                rating=comment.rating,
                text=comment.text,
                masked=comment.masked,
                reading=comment.reading,
                exclusion=exclusion,
                sentiment=read.sentiment if read else None,
                predicted_sentiment=read.predicted_sentiment if read else None,
                confidence=read.confidence if read else None,
                model=f"{name} {version}" if name else "",
                themes=tuple(themes[theme_id] for theme_id in read.themes) if read else (),
                predicted_themes=tuple((themes[theme_id], p) for theme_id, p in read.predicted_themes)
                if read
                else (),
                corrected_by=names.get(read.annotated_by or 0, "") if read else "",
                corrected_at=read.annotated_at if read else None,
            )
        )
    return shown


def people(ids: set[Any]) -> dict[int, str]:
    """Return the names of people, or their addresses where they gave none."""
    rows = db.session.execute(select(User.id, User.name, User.email).where(User.id.in_(ids)))
    return {user_id: name or email for user_id, name, email in rows}


_WORDS = re.compile(r"(?:\w|[\u0300-\u036f\u064b-\u065f\u0670])+")


def passages(text: str, masked: Mapping[str, int], sought: str = "") -> list[Passage]:
    """Split a text into plain stretches, words that were sought, and what stands for masked personal data.

    >>> [(p.text, p.kind) for p in passages("Write to [email], slowly", {"email": 1}, "slow*")]
    [('Write to ', ''), ('[email]', 'masked'), (', ', ''), ('slowly', 'found')]
    """
    placeholders = "|".join(re.escape(f"[{kind}]") for kind in masked)
    found: list[Passage] = []
    parts = re.split(f"({placeholders})", text) if placeholders else [text]
    words = sought_words(sought) if sought else []
    for place, part in enumerate(parts):
        if place % 2:
            found.append(Passage(part, "masked"))
        elif part:
            found.extend(_marked(part, words))
    return found


def _marked(text: str, words: Sequence[tuple[str, bool]]) -> Iterator[Passage]:
    done = 0
    for match in _WORDS.finditer(text) if words else ():
        if any(_is_sought(word, words) for word in fold(match[0]).split()):
            if match.start() > done:
                yield Passage(text[done : match.start()])
            yield Passage(match[0], "found")
            done = match.end()
    if done < len(text):
        yield Passage(text[done:])


def _is_sought(word: str, words: Sequence[tuple[str, bool]]) -> bool:
    return any(word.startswith(sought) if is_start else word == sought for sought, is_start in words)
