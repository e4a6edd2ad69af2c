"""The comments of a service: which ones a page or a file is about, what was read in them, and corrections."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, CompoundSelect, Select, and_, func, not_, or_, select, tuple_

from citizenvoice.accounts.models import User
from citizenvoice.agencies.models import CHANNEL_NAMES, Channel, Service
from citizenvoice.analysis.models import (
    AnnotatedTheme,
    Annotation,
    Codebook,
    PredictedTheme,
    Prediction,
    Theme,
    TrainedModel,
)
from citizenvoice.analysis.queries import (
    PENDING,
    effective_sentiment,
    has_theme,
    reading_of,
    with_reading,
)
from citizenvoice.db import db
from citizenvoice.errors import N_
from citizenvoice.feedback.models import Comment, Exclusion, Reading, Receipt
from citizenvoice.feedback.queries import counted
from citizenvoice.feedback.search import fold, matches, sought_words
from citizenvoice.indicators.models import Count, Grain
from citizenvoice.stats.periods import parse as parse_period
from citizenvoice.surveys.definition import localise
from citizenvoice.surveys.models import Survey, SurveyService, SurveyVersion

A_PAGE = 50
COUNTED_UP_TO = 10_000
RARE = 20_000  # comments with a theme that are looked through one by one
SEARCH_MAX_CHARS = 200
ONE_DAY = timedelta(days=1)

SENTIMENTS = {
    5: N_("Very positive"),
    4: N_("Rather positive"),
    3: N_("Neutral or mixed"),
    2: N_("Rather negative"),
    1: N_("Very negative"),
}
# What the address can say of the sentiment, and which of the five classes that is.
SENTIMENT_FILTERS: dict[str, tuple[int, ...]] = {
    "very_positive": (5,),
    "rather_positive": (4,),
    "neutral": (3,),
    "rather_negative": (2,),
    "very_negative": (1,),
    "positive": (4, 5),
    "negative": (1, 2),
}
UNREAD, NO_SENTIMENT = "unread", "none"
RATING_BANDS = {
    "80-100": (80, 100),
    "60-79": (60, 79),
    "40-59": (40, 59),
    "20-39": (20, 39),
    "0-19": (0, 19),
}
NO_RATING = "none"
ALL = "all"
EXCLUDED = (ALL, *(str(reason) for reason in Exclusion))


@dataclass(frozen=True, slots=True)
class Facets:
    """What a service's comments can be filtered by."""

    themes: tuple[Theme, ...]
    channels: tuple[str, ...]
    languages: tuple[str, ...]
    questions: tuple[tuple[str, Mapping[str, str]], ...]  # key, words by language
    fiscal_start: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentFilter:
    """Which comments of one service: the same value for a page, its count and its files.

    ``start`` and ``end`` are days, ``end`` the first one not wanted. Contributions that do not count are left
    out unless ``excluded`` names a reason (those only) or is ``all`` (beside those that count).
    """

    service_id: int
    search: str = ""
    theme: str = ""
    theme_ids: tuple[int, ...] = ()
    sentiment: str = ""
    channel: str = ""
    language: str = ""
    question: str = ""
    rating: str = ""
    start: date | None = None
    end: date | None = None
    excluded: str = ""

    @property
    def last_day(self) -> date | None:
        """The last day wanted."""
        return self.end - ONE_DAY if self.end else None

    @property
    def to_args(self) -> dict[str, str]:
        """What an address says to mean this filter; `parse_filter` reads it back as an equal value."""
        found = {
            "q": self.search,
            "theme": self.theme,
            "sentiment": self.sentiment,
            "channel": self.channel,
            "language": self.language,
            "question": self.question,
            "rating": self.rating,
            "from": self.start.isoformat() if self.start else "",
            "to": self.last_day.isoformat() if self.last_day else "",
            "excluded": self.excluded,
        }
        return {name: value for name, value in found.items() if value}

    @property
    def conditions(self) -> list[ColumnElement[bool]]:
        """The conditions on a statement over `Comment`; sentiments need `with_reading` (`needs_reading`)."""
        found: list[ColumnElement[bool]] = [Comment.service_id == self.service_id, *self._when_and_how()]
        if (condition := _excluded_condition(self.service_id, self.excluded)) is not None:
            found.append(condition)
        if self.theme_ids:
            found.append(_theme_condition(self.theme_ids))
        if self.sentiment == UNREAD:
            found.append(PENDING)
        elif self.sentiment == NO_SENTIMENT:
            found += [Comment.reading != Reading.PENDING, effective_sentiment().is_(None)]
        elif self.sentiment:
            found.append(effective_sentiment().in_(SENTIMENT_FILTERS[self.sentiment]))
        if (said := matches(self.search)) is not None:
            found.append(said)
        return found

    @property
    def seeks_no_word(self) -> bool:
        """Tell whether something is sought, but no word that a comment could hold: it finds nothing."""
        return bool(self.search) and not sought_words(self.search)

    @property
    def needs_reading(self) -> bool:
        """Tell whether the conditions ask for the sentiment in force."""
        return self.sentiment not in {"", UNREAD}

    def _when_and_how(self) -> list[ColumnElement[bool]]:
        found: list[ColumnElement[bool]] = []
        if self.start:
            found.append(Comment.day >= self.start)
        if self.end:
            found.append(Comment.day < self.end)
        equal = {
            Comment.channel: self.channel,
            Comment.language: self.language,
            Comment.question: self.question,
        }
        found += [column == wanted for column, wanted in equal.items() if wanted]
        if self.rating == NO_RATING:
            found.append(Comment.rating.is_(None))
        elif self.rating:
            found.append(Comment.rating.between(*RATING_BANDS[self.rating]))
        return found


def _excluded_condition(service_id: int, excluded: str) -> ColumnElement[bool] | None:
    """Return the condition that a contribution counts, or is left out for a reason; None for all."""
    if excluded == ALL:
        return None
    left_out = select(Receipt.id).where(Receipt.service_id == service_id, not_(counted()))
    if excluded:
        return Comment.receipt_id.in_(left_out.where(Receipt.exclusion == excluded))
    return ~left_out.where(Receipt.id == Comment.receipt_id).exists()


def _theme_condition(theme_ids: Sequence[int]) -> ColumnElement[bool]:
    """Return the condition that one of these themes is in force.

    Two ways of asking the same: a frequent theme is looked up for one comment after the other until the page
    is full, a rare one gives the few comments to look at. Neither database chooses between them by itself.
    """
    some = select(PredictedTheme.comment_id).where(PredictedTheme.theme_id.in_(theme_ids)).limit(RARE + 1)
    n = db.session.scalar(select(func.count()).select_from(some.subquery())) or 0
    if n > RARE:
        return or_(*(has_theme(theme_id) for theme_id in theme_ids))
    predicted = select(PredictedTheme.comment_id).where(PredictedTheme.theme_id.in_(theme_ids))
    annotated = (
        select(Annotation.comment_id)
        .join(AnnotatedTheme, AnnotatedTheme.annotation_id == Annotation.id)
        .where(AnnotatedTheme.theme_id.in_(theme_ids), Annotation.superseded_at.is_(None))
    )
    candidates = predicted.union(annotated)
    return and_(Comment.id.in_(candidates), or_(*(has_theme(theme_id) for theme_id in theme_ids)))


@dataclass(frozen=True, slots=True)
class Parsed:
    """A filter as an address asks for it, and the names of the parts of the address that mean nothing."""

    filter: CommentFilter
    ignored: tuple[str, ...]


def parse_filter(args: Mapping[str, str], service: Service, facets: Facets) -> Parsed:
    """Read a filter from an address. What is unknown is left out and named, never refused."""
    reader = Address(args, facets)
    start, end = reader.days()
    wanted = CommentFilter(
        service_id=service.id,
        search=reader.search(),
        theme=reader.known("theme", _theme_names(facets)),
        sentiment=reader.sentiment(),
        channel=reader.known("channel", {*facets.channels, *map(str, Channel)}),
        language=reader.known("language", facets.languages),
        question=reader.known("question", [key for key, _ in facets.questions]),
        rating=reader.known("rating", (*RATING_BANDS, NO_RATING)),
        start=start,
        end=end,
        excluded=reader.known("excluded", EXCLUDED),
    )
    ids = tuple(theme.id for theme in facets.themes if wanted.theme in {theme.key, str(theme.id)})
    return Parsed(replace(wanted, theme_ids=ids), tuple(reader.ignored))


def _theme_names(facets: Facets) -> set[str]:
    return {name for theme in facets.themes for name in (theme.key, str(theme.id))}


class Address:
    """Reads the parts of an address and remembers which of them mean nothing."""

    def __init__(self, args: Mapping[str, str], facets: Facets) -> None:
        self.args, self.facets = args, facets
        self.ignored: list[str] = []

    def known(self, name: str, values: Any) -> str:
        """Return a value if it is a known one."""
        value = self.args.get(name, "").strip()
        if value and value not in values:
            self.ignored.append(name)
            return ""
        return value

    def search(self) -> str:
        """Return what is sought, unless it is too long."""
        sought = self.args.get("q", "").strip()
        if len(sought) > SEARCH_MAX_CHARS:
            self.ignored.append("q")
            return ""
        return sought

    def sentiment(self) -> str:
        """Return the name of a sentiment; 1 to 5 are names as well."""
        value = self.args.get("sentiment", "").strip()
        names = {str(codes[0]): name for name, codes in SENTIMENT_FILTERS.items() if len(codes) == 1}
        if value in names:
            return names[value]
        return self.known("sentiment", {*SENTIMENT_FILTERS, UNREAD, NO_SENTIMENT})

    def days(self) -> tuple[date | None, date | None]:
        """Return the first day wanted and the first no longer wanted, from a period or from two days."""
        start = end = None
        if period := self.args.get("period", "").strip():
            try:
                found = parse_period(period, self.facets.fiscal_start)
            except ValueError:
                self.ignored.append("period")
            else:
                start, end = found.start, found.end_exclusive
        first, last = self._day("from"), self._day("to")
        start = first or start
        end = last + ONE_DAY if last else end
        if start and end and start >= end:
            self.ignored.append("to")
            end = None
        return start, end

    def _day(self, name: str) -> date | None:
        value = self.args.get(name, "").strip()
        if not value:
            return None
        try:
            found = date.fromisoformat(value)
        except ValueError:
            found = date.max
        if not 1900 <= found.year <= 2200:
            self.ignored.append(name)
            return None
        return found


def get_facets(service: Service) -> Facets:
    """Return what the comments of a service can be filtered by. A fixed number of statements."""
    surveys = survey_ids(service.id)
    books = set(db.session.scalars(select(Survey.codebook).where(Survey.id.in_(surveys))))
    themes = db.session.scalars(
        select(Theme)
        .join(Codebook, Codebook.id == Theme.codebook_id)
        .order_by(Codebook.id, Theme.position, Theme.id)
    ).all()
    keys = {row.id: row.key for row in db.session.execute(select(Codebook.id, Codebook.key))}
    own = tuple(theme for theme in themes if keys[theme.codebook_id] in books)
    met = db.session.execute(
        select(Count.channel, Count.language)
        .where(Count.service_id == service.id, Count.grain == Grain.MONTH, Count.segment == "")
        .distinct()
        .order_by(Count.channel, Count.language)
    ).all()
    channels = {*service.channels, *(channel for channel, _ in met)}
    return Facets(
        themes=own or tuple(themes),
        channels=tuple(str(channel) for channel in CHANNEL_NAMES if channel in channels),
        languages=tuple(sorted({*service.languages, *(language for _, language in met if language)})),
        questions=_text_questions(service.id),
        fiscal_start=service.agency.fiscal_year_start,
    )


def survey_ids(service_id: int) -> CompoundSelect[Any]:
    """Return the surveys that ask about a service, or did."""
    answered = (
        select(SurveyVersion.survey_id)
        .join(Count, Count.version_id == SurveyVersion.id)
        .where(Count.service_id == service_id)
    )
    return select(SurveyService.survey_id).where(SurveyService.service_id == service_id).union(answered)


def _text_questions(service_id: int) -> tuple[tuple[str, Mapping[str, str]], ...]:
    definitions = db.session.scalars(
        select(SurveyVersion.definition)
        .where(SurveyVersion.survey_id.in_(survey_ids(service_id)))
        .order_by(SurveyVersion.survey_id, SurveyVersion.number.desc())
    )
    found: dict[str, Mapping[str, str]] = {}
    for definition in definitions:
        for section in definition.get("sections", ()):
            for question in section.get("questions", ()):
                if question.get("kind") == "text":
                    found.setdefault(question["key"], _words_of(question, definition))
    return tuple(found.items())


def _words_of(question: Mapping[str, Any], definition: Mapping[str, Any]) -> dict[str, str]:
    """Return what a question says in each of its languages, with the service's name filled in."""
    fallback, placeholders = definition["languages"][0], definition.get("placeholders")
    text = question.get("text") or {}
    return {language: localise(text, language, fallback, placeholders) for language in text}


# Reading a page of them


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


@dataclass(frozen=True, slots=True)
class CommentPage:
    """Some comments, and from where the newer and the older ones go on."""

    comments: tuple[ShownComment, ...]
    newer: Cursor | None
    older: Cursor | None


def parse_cursor(text: str) -> Cursor | None:
    """Read a place in the list as `Cursor` writes it; None if it is none.

    >>> str(parse_cursor("2026-03-14.12"))
    '2026-03-14.12'
    >>> parse_cursor("yesterday")
    """
    match = re.fullmatch(r"(\d{4}-\d\d-\d\d)\.(\d{1,18})", text, re.ASCII)
    if match is None:
        return None
    try:
        return Cursor(date.fromisoformat(match[1]), int(match[2]))
    except ValueError:
        return None


def find_comments(
    wanted: CommentFilter, *, after: Cursor | None = None, before: Cursor | None = None, limit: int = A_PAGE
) -> CommentPage:
    """Return a page of comments, the newest first: those after (older) or before (newer than) a place."""
    if before is not None:
        places = _places(wanted, beyond=before, limit=limit, newest_first=False)
        has_more, places = len(places) > limit, places[:limit][::-1]
        newer, older = has_more, True
    else:
        places = _places(wanted, beyond=after, limit=limit, newest_first=True)
        newer, older, places = after is not None, len(places) > limit, places[:limit]
    comments = shown_comments([place.id for place in places])
    return CommentPage(
        comments=tuple(comments),
        newer=places[0] if newer and places else None,
        older=places[-1] if older and places else None,
    )


def _places(wanted: CommentFilter, *, beyond: Cursor | None, limit: int, newest_first: bool) -> list[Cursor]:
    place = tuple_(Comment.day, Comment.id)
    statement = _of(wanted, select(Comment.day, Comment.id)).limit(limit + 1)
    if newest_first:
        statement = statement.order_by(Comment.day.desc(), Comment.id.desc())
    else:
        statement = statement.order_by(Comment.day, Comment.id)
    if beyond is not None:
        at = (beyond.day, beyond.id)
        statement = statement.where(place < at if newest_first else place > at)
    return [Cursor(day, comment_id) for day, comment_id in db.session.execute(statement)]


def _of(wanted: CommentFilter, statement: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    if wanted.needs_reading:
        statement = with_reading(statement)
    return statement.where(*wanted.conditions)


def n_comments(wanted: CommentFilter, up_to: int = COUNTED_UP_TO) -> int:
    """Return how many comments there are, counting no further than one past ``up_to``."""
    some = _of(wanted, select(Comment.id)).limit(up_to + 1).subquery()
    return db.session.scalar(select(func.count()).select_from(some)) or 0


def each_comment(wanted: CommentFilter, at_once: int = 1000) -> Iterator[ShownComment]:
    """Yield every comment, the newest first, reading some at a time and keeping none."""
    at: Cursor | None = None
    while True:
        places = _places(wanted, beyond=at, limit=at_once - 1, newest_first=True)
        yield from shown_comments([place.id for place in places])
        db.session.expunge_all()
        if len(places) < at_once:
            return
        at = places[-1]


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
