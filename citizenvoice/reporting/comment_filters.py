"""Which comments a page or a file is about: what can be asked of them, and the conditions that ask it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Text, and_, cast, func, not_, or_, select, true

from citizenvoice.agencies.models import Channel
from citizenvoice.analysis.models import AnnotatedTheme, Annotation, PredictedTheme
from citizenvoice.analysis.queries import PENDING, has_theme, sentiment_in_force
from citizenvoice.db import db
from citizenvoice.errors import N_, NotFoundError
from citizenvoice.feedback.models import Comment, Reading, Receipt
from citizenvoice.feedback.queries import counted
from citizenvoice.feedback.search import matches, sought_words
from citizenvoice.reporting.facets import Facets
from citizenvoice.reporting.selection import ALL, EXCLUDED, Address, Selection
from citizenvoice.surveys.models import Response

RARE = 20_000  # comments with a theme that are looked through one by one
RARE_WORD = 1_000  # comments that hold what is sought, and are named one by one

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


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentFilter(Selection):
    """Which comments of some services.

    ``segment`` names a question about the person and its answer; the services are then only those in which
    enough people gave it.
    """

    search: str = ""
    theme: str = ""
    theme_ids: tuple[int, ...] = ()
    sentiment: str = ""
    question: str = ""
    rating: str = ""
    segment: str = ""

    @property
    def own_args(self) -> dict[str, str]:
        """What an address says beside what every selection has."""
        return {
            "q": self.search,
            "theme": self.theme,
            "sentiment": self.sentiment,
            "question": self.question,
            "rating": self.rating,
            "segment": self.segment,
        }

    @property
    def conditions(self) -> list[ColumnElement[bool]]:
        """The conditions on a statement over `Comment`."""
        return [self.of_services(Comment), *self.conditions_anywhere]

    @property
    def conditions_anywhere(self) -> list[ColumnElement[bool]]:
        """The conditions but for the service."""
        found = [*self.when_and_how(Comment), *self._said_with_it()]
        if (condition := _excluded_condition(self.service_ids, self.excluded)) is not None:
            found.append(condition)
        if self.theme_ids:
            found.append(_theme_condition(self.theme_ids))
        if self.sentiment == UNREAD:
            found.append(PENDING)
        elif self.sentiment == NO_SENTIMENT:
            found += [Comment.reading != Reading.PENDING, sentiment_in_force().is_(None)]
        elif self.sentiment:
            found.append(sentiment_in_force().in_(SENTIMENT_FILTERS[self.sentiment]))
        if self.search:
            found.append(_search_condition(self.search))
        return found

    @property
    def seeks_no_word(self) -> bool:
        """Tell whether something is sought, but no word that a comment could hold: it finds nothing."""
        return bool(self.search) and not sought_words(self.search)

    def _said_with_it(self) -> list[ColumnElement[bool]]:
        """Return the conditions on what the person answered beside the comment."""
        found: list[ColumnElement[bool]] = []
        if self.question:
            found.append(Comment.question == self.question)
        if self.rating == NO_RATING:
            found.append(Comment.rating.is_(None))
        elif self.rating:
            found.append(Comment.rating.between(*RATING_BANDS[self.rating]))
        if self.segment:
            found.append(_segment_condition(self.segment))
        return found


def _segment_condition(segment: str) -> ColumnElement[bool]:
    """Return the condition that a comment came with an answer about the person, alone or among others."""
    key, _, value = segment.partition(":")
    answer = cast(Response.segments[key].as_string(), Text)
    among = answer.contains(f'"{value}"', autoescape=True)
    said = select(Response.id).where(Response.id == Comment.receipt_id, or_(answer == value, among))
    return said.exists()


def _excluded_condition(service_ids: Sequence[int], excluded: str) -> ColumnElement[bool] | None:
    """Return the condition that a contribution counts, or is left out for a reason; None for all."""
    if excluded == ALL:
        return None
    left_out = select(Receipt.id).where(not_(counted()))
    if excluded:
        here = left_out.where(Receipt.service_id.in_(service_ids), Receipt.exclusion == excluded)
        return Comment.receipt_id.in_(here)
    # With the service: how those left out are found among few.
    its_own = left_out.where(Receipt.service_id == Comment.service_id, Receipt.id == Comment.receipt_id)
    return ~its_own.exists()


def _search_condition(sought: str) -> ColumnElement[bool]:
    """Return the condition that a comment holds what is sought.

    The few comments that hold a rare word are found first: PostgreSQL takes it for a frequent one, and would
    look through one comment after the other.
    """
    said = matches(sought)
    if said is None:
        return true()
    ids = db.session.scalars(select(Comment.id).where(said).limit(RARE_WORD + 1)).all()
    return said if len(ids) > RARE_WORD else Comment.id.in_(ids)


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
    """A filter as an address asks for it, and the names of the parts of the address that mean nothing.

    ``too_few`` says that the address asks for a group that is too small to be shown apart.
    """

    filter: CommentFilter
    ignored: tuple[str, ...]
    too_few: bool = False


def parse_filter(args: Mapping[str, str], facets: Facets, *, of_many: bool = False) -> Parsed:
    """Read a filter from an address. What is unknown is left out and named, never refused.

    Of the comments of many services, an address may ask for those of one; raises NotFoundError if that is
    none of them.
    """
    address = Address(args, facets.fiscal_start)
    start, end = address.days()
    ids = {service.slug: service.id for service in facets.services}
    service = args.get("service", "") if of_many else ""
    if service and service not in ids:
        raise NotFoundError(N_("There is no such service."))
    service_ids = (ids[service],) if service else tuple(ids.values())
    theme = address.known("theme", _theme_names(facets))
    groups = {group.name: group for group in facets.groups}
    segment = address.known("segment", groups)
    enough = tuple(place for place in service_ids if segment and place in groups[segment].service_ids)
    wanted = CommentFilter(
        service_ids=enough or service_ids,
        service=service,
        search=address.search(),
        theme=theme,
        theme_ids=tuple(one.id for one in facets.themes if theme in {one.key, str(one.id)}),
        sentiment=_sentiment(address),
        channel=address.known("channel", {*facets.channels, *map(str, Channel)}),
        language=address.known("language", facets.languages),
        question=address.known("question", [key for key, _ in facets.questions]),
        rating=address.known("rating", (*RATING_BANDS, NO_RATING)),
        segment=segment if enough else "",
        start=start,
        end=end,
        excluded=address.known("excluded", EXCLUDED),
    )
    return Parsed(wanted, tuple(address.ignored), too_few=bool(segment) and not enough)


def _theme_names(facets: Facets) -> set[str]:
    return {name for theme in facets.themes for name in (theme.key, str(theme.id))}


def _sentiment(address: Address) -> str:
    """Return the name of a sentiment; 1 to 5 are names as well."""
    value = address.args.get("sentiment", "").strip()
    names = {str(codes[0]): name for name, codes in SENTIMENT_FILTERS.items() if len(codes) == 1}
    if value in names:
        return names[value]
    return address.known("sentiment", {*SENTIMENT_FILTERS, UNREAD, NO_SENTIMENT})
