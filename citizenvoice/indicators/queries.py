"""Reads of indicators: figures from stored counts, never from responses, in a fixed number of statements."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date, timedelta
from typing import Any, NamedTuple

import orjson
from sqlalchemy import ColumnElement, Text, and_, cast, func, or_, select

from citizenvoice.agencies.models import Agency, Service, ServiceVolume
from citizenvoice.analysis.models import Codebook, Theme
from citizenvoice.analysis.queries import PENDING
from citizenvoice.db import db
from citizenvoice.errors import N_, NotFoundError
from citizenvoice.feedback.models import Comment
from citizenvoice.indicators import cells
from citizenvoice.indicators.definitions import (
    IndicatorDefinition,
    ThemeName,
    Version,
    definitions_of,
    main_rank,
)
from citizenvoice.indicators.methods import Measure, compare, rescaled, share_of
from citizenvoice.indicators.models import Count, Grain, IndicatorSetting, Level
from citizenvoice.stats import drivers as driver_analysis
from citizenvoice.stats import status as target_status
from citizenvoice.stats.comparisons import NOT_ENOUGH, Change
from citizenvoice.stats.drivers import Driver, DriverAnalysis, NoVariance, PairSums
from citizenvoice.stats.estimates import Estimate, Moments, NotEnough, Polarity, mean_of_moments
from citizenvoice.stats.periods import Period, PeriodKind, latest, months_and_days, period_of
from citizenvoice.stats.status import Status, Target
from citizenvoice.surveys.answering import main_question
from citizenvoice.surveys.definition import Definition, Question, parse_definition
from citizenvoice.surveys.models import Survey, SurveyService, SurveyState, SurveyVersion
from citizenvoice.surveys.reading import Text as Words

MINIMUM = 10  # answers, where neither the indicator nor the operator says otherwise
LEAST_MINIMUM = 5  # nobody may go below it: it protects people
MAX_DAYS_LISTED = 62
MAX_KEPT = 1_000
MAX_WAITING = 100_000  # comments not read yet that are looked at; beyond that a count says nothing new


@dataclass(frozen=True, slots=True)
class Slice:
    """Which part of the responses: a channel, a language, one value of one segment; everybody by default."""

    channel: str | None = None
    language: str | None = None
    segment: str = ""
    value: str = ""

    @property
    def is_everybody(self) -> bool:
        """Return whether nothing is left out."""
        return not (self.channel or self.language or self.segment)


EVERYBODY = Slice()


@dataclass(frozen=True, slots=True, kw_only=True)
class Exclusions:
    """What is not part of a figure, by reason."""

    dont_know: int = 0
    not_applicable: int = 0
    refused: int = 0
    blank: int = 0
    not_asked: int = 0
    unread: int = 0
    withdrawn: int = 0
    spam: int = 0
    duplicate: int = 0
    test: int = 0

    def listed(self) -> list[tuple[str, int]]:
        """Return (word to translate, number) of the reasons that occur."""
        return [(EXCLUSION_NAMES[f.name], n) for f in fields(self) if (n := getattr(self, f.name))]


EXCLUSION_NAMES = {
    "dont_know": N_("Don’t know"),
    "not_applicable": N_("Does not apply"),
    "refused": N_("Refused to answer"),
    "blank": N_("Asked, not answered"),
    "not_asked": N_("Not asked"),
    "unread": N_("Comments not read yet"),
    "withdrawn": N_("Withdrawn by the sender"),
    "spam": N_("Spam"),
    "duplicate": N_("Sent twice"),
    "test": N_("Tests"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What was decided about an indicator, or what holds when nothing was."""

    level: Level = Level.OUTCOME
    is_main: bool = False
    is_public: bool = True
    minimum_n: int | None = None
    baseline: float | None = None
    baseline_day: date | None = None
    target: float | None = None
    target_day: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyFacts:
    """One survey of a service, with its published versions in order."""

    id: int
    slug: str
    name: str
    is_live: bool
    codebook: str
    versions: tuple[Version, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceIndicators:
    """The indicators of one service, the main one first, and what was decided about them."""

    service_id: int
    surveys: tuple[SurveyFacts, ...]
    definitions: tuple[IndicatorDefinition, ...]
    settings: Mapping[str, Setting]
    default_minimum: int
    themes: Mapping[int, ThemeName] = field(repr=False)

    @property
    def main(self) -> IndicatorDefinition | None:
        """Return the indicator that stands for the service."""
        return self.definitions[0] if self.definitions and self._can_lead(self.definitions[0]) else None

    @property
    def headlines(self) -> tuple[IndicatorDefinition, ...]:
        """Return the indicators to show first, without details and old series."""
        main = self.main
        return tuple(d for d in self.definitions if d is main or (d.is_headline and d.is_current))

    @property
    def public(self) -> tuple[IndicatorDefinition, ...]:
        """Return the headlines that may be published."""
        return tuple(d for d in self.headlines if self.setting(d.code).is_public)

    def get(self, code: str) -> IndicatorDefinition:
        """Return the indicator with this code, or raise NotFoundError."""
        for definition in self.definitions:
            if definition.code == code:
                return definition
        raise NotFoundError(N_("There is no such indicator."))

    def setting(self, code: str) -> Setting:
        """Return what was decided about an indicator."""
        return self.settings.get(code, Setting())

    def minimum(self, code: str) -> int:
        """Return how many answers a figure needs."""
        return max(LEAST_MINIMUM, self.setting(code).minimum_n or self.default_minimum)

    def _can_lead(self, definition: IndicatorDefinition) -> bool:
        return definition.is_headline or self.setting(definition.code).is_main


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One indicator's figure over one stretch of days, with what is not part of it."""

    definition: IndicatorDefinition
    start: date
    end: date  # the first day not counted
    result: Estimate | NotEnough
    n_responses: int
    exclusions: Exclusions
    minimum: int
    band: str | None = None
    measure: Measure | None = field(default=None, repr=False)

    @property
    def estimate(self) -> Estimate | None:
        """Return the estimate, or None without enough answers."""
        return self.result if isinstance(self.result, Estimate) else None


@dataclass(frozen=True, slots=True)
class StatusOf:
    """Whether a figure keeps up with its target, and the value asked for on its last day."""

    status: Status
    required: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ThemeRow:
    """One theme: how often, how people feel in it, and how they rate the service with and without it.

    Scores run from 0 (worst) to 1 (best). ``contribution`` is the mean of all less the mean of those without
    the theme: what the service's score gains (or loses, below 0) by the responses that name it.
    """

    theme_id: int
    key: str
    name: str
    names: Mapping[str, str]
    n: int
    share: Estimate | NotEnough
    sentiment: tuple[int, int, int, int, int]
    negative: Estimate | NotEnough
    score_with: Estimate | NotEnough
    score_without: Estimate | NotEnough
    contribution: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ThemeTable:
    """What comments are about: a row a theme, the most frequent first."""

    rows: tuple[ThemeRow, ...]
    n_comments: int
    n_read: int
    n_unread: int
    n_failed: int
    sentiment: tuple[int, int, int, int, int]
    score: Estimate | NotEnough  # of the responses with a comment that was read, 0..1


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """How many were served, offered a survey and answered; a rate is None where it cannot be worked out."""

    n_responses: int = 0
    n_served: int | None = None
    n_offered: int | None = None
    n_responses_covered: int = 0  # in the periods and channels whose volumes are known
    per_channel: Mapping[str, "Volume"] = field(default_factory=dict)

    @property
    def response_rate(self) -> float | None:
        """Return responses among those offered a survey."""
        return _rate(self.n_responses_covered, self.n_offered)

    @property
    def offer_rate(self) -> float | None:
        """Return those offered a survey among those served."""
        return None if self.n_offered is None else _rate(self.n_offered, self.n_served)

    @property
    def coverage(self) -> float | None:
        """Return responses among those served."""
        return _rate(self.n_responses_covered, self.n_served)


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """One thing people may say about themselves, with the answers there are."""

    key: str
    words: Words
    values: tuple[tuple[str, Words], ...]
    definition: Definition = field(repr=False)

    def title(self, language: str) -> str:
        """Return the question's words."""
        return self.definition.say(self.words, language)

    def value_titles(self, language: str) -> list[tuple[str, str]]:
        """Return (value, words) of each answer."""
        return [(value, self.definition.say(words, language)) for value, words in self.values]


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """One service on its manager's home page."""

    found: ServiceIndicators
    main: IndicatorDefinition | None
    latest: Figure | None
    previous: Figure | None
    change: Change | None
    status: StatusOf | None
    spark: tuple[Figure, ...]
    n_responses: int
    n_unread: int


# Which indicators there are


def indicators_of(service_id: int, *, minimum: int = MINIMUM) -> ServiceIndicators:
    """Return the indicators of one service; ``minimum`` is what the operator set for all."""
    return indicators_of_services([service_id], minimum=minimum)[service_id]


def indicators_of_services(
    service_ids: Sequence[int], *, minimum: int = MINIMUM
) -> dict[int, ServiceIndicators]:
    """Return the indicators of each of these services."""
    surveys = _surveys_of(service_ids)
    themes = _themes_of({survey.codebook for found in surveys.values() for survey in found})
    settings = _settings_of(service_ids)
    return {
        service_id: _service_indicators(
            service_id, surveys.get(service_id, ()), themes, settings.get(service_id, {}), minimum
        )
        for service_id in service_ids
    }


def find_definition(service_id: int, code: str) -> IndicatorDefinition:
    """Return an indicator of a service by its code, or raise NotFoundError."""
    return indicators_of(service_id).get(code)


def _service_indicators(
    service_id: int,
    surveys: Sequence[SurveyFacts],
    themes: Mapping[str, tuple[ThemeName, ...]],
    settings: Mapping[str, Setting],
    minimum: int,
) -> ServiceIndicators:
    found = [
        (definition, survey.is_live)
        for survey in surveys
        for definition in _definitions(survey, themes.get(survey.codebook, ()))
    ]

    def lead(pair: tuple[IndicatorDefinition, bool]) -> tuple[Any, ...]:
        definition, is_live = pair
        chosen = settings.get(definition.code, Setting()).is_main
        return (
            not chosen,
            not definition.is_current,
            not definition.is_headline,
            not is_live,
            main_rank(definition),
        )

    ordered = [definition for definition, _ in found]
    if found:
        main = min(found, key=lead)[0]
        ordered = [main, *(d for d in ordered if d is not main and d.is_current)]
        ordered += [d for d, _ in found if d is not main and not d.is_current]
    return ServiceIndicators(
        service_id=service_id,
        surveys=tuple(surveys),
        definitions=tuple(ordered),
        settings=settings,
        default_minimum=minimum,
        themes={theme.id: theme for names in themes.values() for theme in names},
    )


_derived: dict[Any, tuple[IndicatorDefinition, ...]] = {}
_parsed: dict[str, Definition] = {}


def _definitions(survey: SurveyFacts, themes: tuple[ThemeName, ...]) -> tuple[IndicatorDefinition, ...]:
    """Return a survey's indicators, derived once a process for the same versions and themes."""
    key = (
        *(survey.id, survey.slug, survey.name),
        tuple((version.id, id(version.definition)) for version in survey.versions),
        tuple((theme.id, theme.key, theme.name, orjson.dumps(dict(theme.names))) for theme in themes),
    )
    if key not in _derived:
        if len(_derived) >= MAX_KEPT:
            _derived.clear()
        _derived[key] = definitions_of(survey.id, survey.slug, survey.name, survey.versions, themes)
    return _derived[key]


def _surveys_of(service_ids: Sequence[int]) -> dict[int, tuple[SurveyFacts, ...]]:
    rows = db.session.execute(
        select(
            SurveyService.service_id,
            Survey.id,
            Survey.slug,
            Survey.name,
            Survey.state,
            Survey.codebook,
            SurveyVersion.id,
            SurveyVersion.number,
            SurveyVersion.digest,
        )
        .join(Survey, Survey.id == SurveyService.survey_id)
        .join(SurveyVersion, SurveyVersion.survey_id == Survey.id)
        .where(SurveyService.service_id.in_(service_ids))
        .order_by(SurveyService.service_id, Survey.id, SurveyVersion.number)
    ).all()
    definitions = _definitions_by_digest({row[8]: row[6] for row in rows})
    grouped: dict[tuple[int, int], list[Any]] = defaultdict(list)
    for row in rows:
        grouped[row[0], row[1]].append(row)
    found: dict[int, tuple[SurveyFacts, ...]] = {}
    for (service_id, survey_id), versions in grouped.items():
        _, _, slug, name, state, codebook, *_ = versions[0]
        survey = SurveyFacts(
            id=survey_id,
            slug=slug,
            name=name,
            is_live=state == SurveyState.LIVE,
            codebook=codebook,
            versions=tuple(Version(row[6], row[7], definitions[row[8]]) for row in versions),
        )
        found[service_id] = (*found.get(service_id, ()), survey)
    return found


def _definitions_by_digest(version_of: Mapping[str, int]) -> dict[str, Definition]:
    """Return parsed definitions; those a process has seen before are not read again."""
    missing = {version_id: digest for digest, version_id in version_of.items() if digest not in _parsed}
    if missing:
        if len(_parsed) + len(missing) > MAX_KEPT:
            _parsed.clear()
            missing = {version_id: digest for digest, version_id in version_of.items()}
        rows = select(SurveyVersion.id, SurveyVersion.definition).where(SurveyVersion.id.in_(missing))
        for version_id, definition in db.session.execute(rows.order_by(SurveyVersion.id)):
            _parsed[missing[version_id]] = parse_definition(definition)
    return {digest: _parsed[digest] for digest in version_of}


def _themes_of(codebooks: set[str]) -> dict[str, tuple[ThemeName, ...]]:
    rows = (
        select(Codebook.key, Theme.id, Theme.key, Theme.name, Theme.names)
        .join(Theme, Theme.codebook_id == Codebook.id)
        .where(Codebook.key.in_(codebooks))
        .order_by(Codebook.key, Theme.position, Theme.id)
    )
    found: dict[str, tuple[ThemeName, ...]] = {}
    for codebook, *theme in db.session.execute(rows):
        found[codebook] = (*found.get(codebook, ()), ThemeName(*theme))
    return found


def _settings_of(service_ids: Sequence[int]) -> dict[int, dict[str, Setting]]:
    rows = (
        select(IndicatorSetting)
        .where(IndicatorSetting.service_id.in_(service_ids))
        .order_by(IndicatorSetting.id)
    )
    found: dict[int, dict[str, Setting]] = defaultdict(dict)
    for row in db.session.scalars(rows):
        values = {f.name: getattr(row, f.name) for f in fields(Setting)}
        found[row.service_id][row.code] = Setting(**values | {"level": Level(row.level)})
    return found


def segments_of(found: ServiceIndicators) -> list[Segment]:
    """Return what people may say about themselves in the newest versions, in the order of the surveys."""
    segments: dict[str, Segment] = {}
    for survey in found.surveys:
        definition = survey.versions[-1].definition
        for section in definition.sections:
            for question in section.questions if section.about_you else ():
                segments.setdefault(question.key, _segment(question, definition))
    return list(segments.values())


def _segment(question: Question, definition: Definition) -> Segment:
    values = (
        *((str(point.value), point.label) for point in question.points),
        *((choice.value, choice.label) for choice in question.choices),
        *((band.value, band.label) for band in question.bands),
    )
    return Segment(key=question.key, words=question.text, values=values, definition=definition)


# Figures


class _Stored(NamedTuple):
    """One row of counts as it is read."""

    service_id: int
    version_id: int
    grain: str
    start: date
    n_responses: int
    counts: dict[str, Any]
    pairs: dict[str, Any]


@dataclass(slots=True)
class _Pool:
    """Counts of one service and version over one stretch of days."""

    n_responses: int = 0
    counts: dict[str, Any] = field(default_factory=dict)
    pairs: dict[str, Any] = field(default_factory=dict)

    def add(self, row: _Stored) -> None:
        self.n_responses += row.n_responses
        cells.add_counts(self.counts, row.counts)
        cells.add_pairs(self.pairs, row.pairs)


Pools = dict[tuple[int, int], dict[int, _Pool]]  # (service, place of the stretch) -> version -> pool


def figures(
    found: ServiceIndicators,
    definitions: Iterable[IndicatorDefinition],
    start: date,
    end: date,
    part: Slice = EVERYBODY,
) -> list[Figure]:
    """Return the figures of some indicators from ``start`` up to, not including, ``end``."""
    pools = _pools([found.service_id], [(start, end)], part)
    return [_figure(found, d, start, end, pools.get((found.service_id, 0), {})) for d in definitions]


def find_estimate(
    found: ServiceIndicators,
    definition: IndicatorDefinition,
    start: date,
    end: date,
    part: Slice = EVERYBODY,
) -> Figure:
    """Return the figure of one indicator from ``start`` up to, not including, ``end``."""
    return figures(found, [definition], start, end, part)[0]


def series(
    found: ServiceIndicators,
    definitions: Iterable[IndicatorDefinition],
    periods: Sequence[Period],
    part: Slice = EVERYBODY,
) -> dict[str, list[Figure]]:
    """Return the figures of some indicators, by code, for each of the periods, in their order."""
    spans = [(period.start, period.end_exclusive) for period in periods]
    pools = _pools([found.service_id], spans, part)
    return {
        d.code: [
            _figure(found, d, start, end, pools.get((found.service_id, place), {}))
            for place, (start, end) in enumerate(spans)
        ]
        for d in definitions
    }


def change(earlier: Figure, later: Figure) -> Change:
    """Test whether an indicator changed; figures of different series are not compared."""
    if earlier.definition.code != later.definition.code or earlier.measure is None or later.measure is None:
        return NOT_ENOUGH
    minimum = max(earlier.minimum, later.minimum)
    return compare(earlier.measure, later.measure, later.definition.polarity, minimum)


def status_of(found: ServiceIndicators, figure: Figure) -> StatusOf:
    """Judge a figure by what its target asks for on its last day."""
    setting = found.setting(figure.definition.code)
    required = None
    if setting.target is not None and setting.target_day is not None:
        baseline = None
        if setting.baseline is not None and setting.baseline_day is not None:
            baseline = target_status.Level(setting.baseline_day, setting.baseline)
        target = Target(target_status.Level(setting.target_day, setting.target), baseline)
        required = target_status.required_level(target, figure.end - timedelta(days=1))
    return StatusOf(target_status.status(figure.result, required, figure.definition.polarity), required)


def _figure(
    found: ServiceIndicators,
    definition: IndicatorDefinition,
    start: date,
    end: date,
    versions: Mapping[int, _Pool],
) -> Figure:
    pool = _join(versions, definition.version_ids)
    minimum = found.minimum(definition.code)
    computed = definition.compute(pool.counts, minimum)
    return Figure(
        definition=definition,
        start=start,
        end=end,
        result=computed.result,
        n_responses=pool.n_responses,
        exclusions=_exclusions(definition, pool),
        minimum=minimum,
        band=computed.band,
        measure=computed.measure,
    )


def _join(versions: Mapping[int, _Pool], ids: Iterable[int]) -> _Pool:
    pools = [versions[version_id] for version_id in ids if version_id in versions]
    if len(pools) == 1:
        return pools[0]
    joined = _Pool()
    for pool in pools:
        joined.n_responses += pool.n_responses
        cells.add_counts(joined.counts, pool.counts)
    return joined


def _exclusions(definition: IndicatorDefinition, pool: _Pool) -> Exclusions:
    left_out: dict[str, int] = dict(pool.counts.get("x", {}))
    for key in definition.questions:
        asked = pool.counts.get("q", {}).get(key, {})
        values = asked.get("v", {})
        ways = (("not_applicable", "na"), ("dont_know", "dk"), ("refused", "ra"))
        for name, way in ways if definition.subject.points else ():
            left_out[name] = left_out.get(name, 0) + values.get(way, 0)
        left_out["blank"] = left_out.get("blank", 0) + asked.get("blank", 0)
        left_out["not_asked"] = left_out.get("not_asked", 0) + pool.n_responses - asked.get("asked", 0)
    if definition.method.id.startswith("nhs_fft"):
        left_out["dont_know"] = 0  # part of the denominator
    if definition.method.id in {"driver_share_v1", "multiple_share_v1"}:
        left_out["blank"] = 0  # offered and nothing chosen is part of the denominator
    if not definition.questions:
        left_out["unread"] = pool.counts.get("c", {}).get("unread", 0)
    return Exclusions(**left_out)


def _pools(
    service_ids: Sequence[int],
    spans: Sequence[tuple[date, date]],
    part: Slice = EVERYBODY,
    *,
    with_pairs: bool = False,
) -> Pools:
    """Add up stored counts for each stretch of days: whole months from month rows, the rest from days."""
    places: dict[tuple[str, date], list[int]] = defaultdict(list)
    for place, (start, end) in enumerate(spans):
        months, days = months_and_days(start, end)
        for month in months:
            places[Grain.MONTH, month].append(place)
        for day in days:
            places[Grain.DAY, day].append(place)
    pools: Pools = {}
    for row in _read(service_ids, set(places), part, with_pairs=with_pairs):
        for place in places.get((row.grain, row.start), ()):
            versions = pools.setdefault((row.service_id, place), {})
            versions.setdefault(row.version_id, _Pool()).add(row)
    return pools


def _read(
    service_ids: Sequence[int], starts: set[tuple[str, date]], part: Slice, *, with_pairs: bool
) -> Iterable[_Stored]:
    if not starts or not service_ids:
        return
    rows = (
        select(
            Count.service_id,
            Count.version_id,
            Count.grain,
            Count.start,
            Count.n_responses,
            cast(Count.counts, Text),
            *([cast(Count.pairs, Text)] if with_pairs else []),
        )
        .where(
            Count.service_id.in_(service_ids),
            Count.segment == part.segment,
            Count.segment_value == part.value,
            _starts_and_channels(starts, part),
        )
        .order_by(Count.id)
    )
    for row in db.session.execute(rows):
        pairs = orjson.loads(row[6]) if with_pairs else {}
        yield _Stored(*row[:5], orjson.loads(row[5]), pairs)


def _starts_and_channels(starts: set[tuple[str, date]], part: Slice) -> ColumnElement[bool]:
    months = sorted(start for grain, start in starts if grain == Grain.MONTH)
    days = sorted(start for grain, start in starts if grain == Grain.DAY)
    conditions = []
    if months:
        in_months = Count.start.between(months[0], months[-1])
        conditions.append(and_(Count.grain == Grain.MONTH, in_months, _cells(part, has_totals=True)))
    if days:
        listed = len(days) <= MAX_DAYS_LISTED
        in_days = Count.start.in_(days) if listed else Count.start.between(days[0], days[-1])
        conditions.append(and_(Count.grain == Grain.DAY, in_days, _cells(part, has_totals=False)))
    return or_(*conditions)


def _cells(part: Slice, *, has_totals: bool) -> ColumnElement[bool]:
    """Return the condition for the cells of a part; months keep one row for everybody beside the others."""
    if has_totals and part.is_everybody:
        return Count.channel == ""
    channel = Count.channel == part.channel if part.channel else Count.channel != ""
    return and_(channel, Count.language == part.language) if part.language else channel


# Drivers and themes


def drivers(
    found: ServiceIndicators,
    definition: IndicatorDefinition,
    start: date,
    end: date,
    part: Slice = EVERYBODY,
) -> DriverAnalysis | NotEnough | NoVariance | None:
    """Divide what explains a rating among the other ratings of its survey; None where there are none.

    Answers to versions that measure the rating alike are pooled; drivers are those of the newest of them.
    """
    outcome = definition.question
    scales = _other_scales(definition) if outcome else []
    if outcome is None or not definition.subject.points or not scales:
        return None
    pools = _pools([found.service_id], [(start, end)], part, with_pairs=True)
    versions = pools.get((found.service_id, 0), {})
    pairs: dict[tuple[str, str], PairSums] = {}
    counts: dict[str, Any] = {}
    for version_id in definition.version_ids:
        if (pool := versions.get(version_id)) is not None:
            cells.add_counts(counts, pool.counts)
            for pair, sums in cells.pair_sums(pool.pairs).items():
                pairs[pair] = pairs[pair] + sums if pair in pairs else sums
    rated = [(scale, _moments(scale, counts)) for scale in scales]
    chosen = [_driver(scale, moments) for scale, moments in rated if moments.n]
    if not chosen:
        return NotEnough(0, found.minimum(definition.code))
    return driver_analysis.key_drivers(chosen, outcome, pairs)


def _other_scales(definition: IndicatorDefinition) -> list[Question]:
    scales = cells.scale_keys(definition.definition)
    questions = [definition.definition.question(key) for key in scales if key != definition.question]
    return questions[: driver_analysis.MAXIMUM_DRIVERS]


def _moments(question: Question, counts: Mapping[str, Any]) -> Moments:
    values = counts.get("q", {}).get(question.key, {}).get("v", {})
    return Moments.of_counts({point.value: values.get(str(point.value), 0) for point in question.points})


def _driver(question: Question, moments: Moments) -> Driver:
    points = [point.value for point in question.points]
    return Driver(
        question.key, moments.n, moments.total, min(points), max(points), Polarity(question.polarity)
    )


def theme_table(
    found: ServiceIndicators,
    start: date,
    end: date,
    part: Slice = EVERYBODY,
    survey_id: int | None = None,
) -> ThemeTable:
    """Return what comments are about, how people feel in them and what that does to the main rating."""
    pools = _pools([found.service_id], [(start, end)], part).get((found.service_id, 0), {})
    counts: dict[str, Any] = {}
    everyone = Moments(0, 0, 0)
    by_theme: dict[str, Moments] = {}
    for survey in found.surveys:
        for version in survey.versions if survey_id in {None, survey.id} else ():
            if (pool := pools.get(version.id)) is None:
                continue
            said: dict[str, Any] = {name: pool.counts[name] for name in ("c", "t") if name in pool.counts}
            cells.add_counts(counts, said)
            if (main := main_question(version.definition)) is not None:
                everyone += _main_moments(main, said.get("c", {}))
                for key, theme in said.get("t", {}).items():
                    by_theme[key] = by_theme.get(key, Moments(0, 0, 0)) + _main_moments(main, theme)
    comments = counts.get("c", {})
    rows = [
        _theme_row(found, key, theme, comments.get("read", 0), everyone, by_theme.get(key, Moments(0, 0, 0)))
        for key, theme in counts.get("t", {}).items()
        if int(key) in found.themes
    ]
    return ThemeTable(
        rows=tuple(sorted(rows, key=lambda row: (-row.n, row.key))),
        n_comments=comments.get("n", 0),
        n_read=comments.get("read", 0),
        n_unread=comments.get("unread", 0),
        n_failed=comments.get("failed", 0),
        sentiment=_five(comments),
        score=_mean_score(everyone, _minimum(found)),
    )


def _minimum(found: ServiceIndicators) -> int:
    return max(LEAST_MINIMUM, found.default_minimum)


def _five(counts: Mapping[str, Any]) -> tuple[int, int, int, int, int]:
    values = counts.get("s", {})
    return values.get("1", 0), values.get("2", 0), values.get("3", 0), values.get("4", 0), values.get("5", 0)


def _main_moments(main: Question, counts: Mapping[str, Any]) -> Moments:
    """Return the moments of the main rating from the worst (0) to the best (1)."""
    stored = counts.get("main", {})
    points = [point.value for point in main.points]
    moments = Moments(stored.get("n", 0), stored.get("sum", 0), stored.get("squares", 0))
    return rescaled(moments, min(points), max(points), Polarity(main.polarity))


def _mean_score(moments: Moments, minimum: int) -> Estimate | NotEnough:
    if moments.n < minimum:
        return NotEnough(moments.n, minimum)
    mean = min(1.0, max(0.0, moments.mean))  # what rounding leaves outside the scale
    return mean_of_moments(Moments(moments.n, mean * moments.n, moments.squares), scale=(0.0, 1.0))


def _theme_row(
    found: ServiceIndicators,
    key: str,
    counts: Mapping[str, Any],
    n_read: int,
    everyone: Moments,
    with_theme: Moments,
) -> ThemeRow:
    theme, minimum = found.themes[int(key)], _minimum(found)
    without = Moments(
        everyone.n - with_theme.n, everyone.total - with_theme.total, everyone.squares - with_theme.squares
    )
    sentiment = _five(counts)
    enough = min(with_theme.n, without.n) >= minimum
    return ThemeRow(
        theme_id=theme.id,
        key=theme.key,
        name=theme.name,
        names=theme.names,
        n=counts.get("n", 0),
        share=share_of(counts.get("n", 0), n_read, minimum).result,
        sentiment=sentiment,
        negative=share_of(sentiment[0] + sentiment[1], sum(sentiment), minimum).result,
        score_with=_mean_score(with_theme, minimum),
        score_without=_mean_score(without, minimum),
        contribution=everyone.mean - without.mean if enough else None,
    )


# Volumes


def volumes(service_ids: Sequence[int], start: date, end: date) -> dict[int, Volume]:
    """Return how many each service served, offered a survey and heard from, and so the rates.

    Only periods of the volume ledger that lie wholly inside the range are known; rates compare them with the
    responses of the same days and channel.
    """
    ledger = db.session.scalars(
        select(ServiceVolume)
        .where(
            ServiceVolume.service_id.in_(service_ids), ServiceVolume.start >= start, ServiceVolume.end <= end
        )
        .order_by(ServiceVolume.service_id, ServiceVolume.channel, ServiceVolume.start)
    ).all()
    spans = [(start, end), *sorted({(row.start, row.end) for row in ledger})]
    answered = _responses_by_channel(service_ids, spans)
    found = {}
    for service_id in service_ids:
        rows = [row for row in ledger if row.service_id == service_id]
        per_channel = {
            channel: _volume(channel, [row for row in rows if row.channel == channel], answered, (start, end))
            for channel in sorted({row.channel for row in rows})
        }
        n_responses = sum(
            n for (s, _, span), n in answered.items() if s == service_id and span == (start, end)
        )
        found[service_id] = Volume(
            n_responses=n_responses,
            n_served=_sum(volume.n_served for volume in per_channel.values()),
            n_offered=_sum(volume.n_offered for volume in per_channel.values()),
            n_responses_covered=sum(volume.n_responses_covered for volume in per_channel.values()),
            per_channel=per_channel,
        )
    return found


def answered_in(ledger: Sequence[ServiceVolume]) -> dict[int, int]:
    """Return how many responses there are in the channel and period of each volume, by the volume's id."""
    spans = sorted({(row.start, row.end) for row in ledger})
    answered = _responses_by_channel(sorted({row.service_id for row in ledger}), spans)
    return {row.id: answered.get((row.service_id, row.channel, (row.start, row.end)), 0) for row in ledger}


Span = tuple[date, date]


def _volume(
    channel: str, rows: Sequence[ServiceVolume], answered: Mapping[tuple[int, str, Span], int], whole: Span
) -> Volume:
    service_id = rows[0].service_id
    return Volume(
        n_responses=answered.get((service_id, channel, whole), 0),
        n_served=sum(row.n_served for row in rows),
        n_offered=_sum(row.n_offered for row in rows),
        n_responses_covered=sum(answered.get((service_id, channel, (row.start, row.end)), 0) for row in rows),
    )


def _responses_by_channel(
    service_ids: Sequence[int], spans: Sequence[Span]
) -> dict[tuple[int, str, Span], int]:
    places: dict[tuple[str, date], list[Span]] = defaultdict(list)
    for span in dict.fromkeys(spans):
        months, days = months_and_days(*span)
        for one in months:
            places[Grain.MONTH, one].append(span)
        for one in days:
            places[Grain.DAY, one].append(span)
    answered: dict[tuple[int, str, Span], int] = defaultdict(int)
    if not places:
        return answered
    rows = (
        select(Count.service_id, Count.channel, Count.grain, Count.start, func.sum(Count.n_responses))
        .where(
            Count.service_id.in_(service_ids),
            Count.segment == "",
            Count.channel != "",
            or_(*_grain_conditions(set(places))),
        )
        .group_by(Count.service_id, Count.channel, Count.grain, Count.start)
        .order_by(Count.service_id, Count.start)
    )
    for service_id, channel, grain, one, n in db.session.execute(rows):
        for span in places.get((grain, one), ()):
            answered[service_id, channel, span] += int(n)
    return answered


def _grain_conditions(starts: set[tuple[str, date]]) -> list[ColumnElement[bool]]:
    return [
        and_(Count.grain == grain, Count.start.between(min(days), max(days)))
        for grain in (Grain.MONTH, Grain.DAY)
        if (days := [start for known, start in starts if known == grain])
    ]


def _sum(values: Iterable[int | None]) -> int | None:
    """Add up what is known; None where a part is not known, or there is none."""
    known = list(values)
    return None if not known or None in known else sum(value for value in known if value is not None)


def _rate(n: int, of: int | None) -> float | None:
    return n / of if of and n <= of else None


# Many services at once


def service_overview(
    service_ids: Sequence[int],
    kind: PeriodKind,
    today: date,
    n_periods: int = 12,
    *,
    minimum: int = MINIMUM,
) -> dict[int, Overview]:
    """Return each service's main indicator now and before, whether it changed, and what waits to be read.

    "Now" is the running period once it has enough answers, and the last complete one until then.
    """
    indicators = indicators_of_services(service_ids, minimum=minimum)
    fiscal = _fiscal_starts(service_ids)
    spans = {
        service_id: [
            (period.start, period.end_exclusive)
            for period in latest(n_periods + 1, period_of(today, kind, fiscal.get(service_id, 1)))
        ]
        for service_id in service_ids
    }
    every = sorted({span for found in spans.values() for span in found})
    pools = _pools(service_ids, every)
    unread = _unread(service_ids)
    return {
        service_id: _overview(
            indicators[service_id],
            [(span, pools.get((service_id, every.index(span)), {})) for span in spans[service_id]],
            unread.get(service_id, 0),
        )
        for service_id in service_ids
    }


def _overview(
    found: ServiceIndicators, periods: Sequence[tuple[Span, Mapping[int, _Pool]]], n_unread: int
) -> Overview:
    main = found.main
    points = [_figure(found, main, *span, pools) for span, pools in periods] if main else []
    shown = points if points and points[-1].estimate else points[:-1]
    now, before = (shown[-1], shown[-2]) if len(shown) > 1 else (None, None)
    return Overview(
        found=found,
        main=main,
        latest=now,
        previous=before,
        change=change(before, now) if now and before else None,
        status=status_of(found, now) if now else None,
        spark=tuple(points[1:]),
        n_responses=sum(pool.n_responses for pool in periods[-1 if shown is points else -2][1].values()),
        n_unread=n_unread,
    )


def _fiscal_starts(service_ids: Sequence[int]) -> dict[int, int]:
    rows = (
        select(Service.id, Agency.fiscal_year_start)
        .join(Agency, Agency.id == Service.agency_id)
        .where(Service.id.in_(service_ids))
        .order_by(Service.id)
    )
    return dict(db.session.execute(rows).all())


def _unread(service_ids: Sequence[int]) -> dict[int, int]:
    waiting = select(Comment.service_id).where(PENDING).order_by(Comment.id).limit(MAX_WAITING).subquery()
    rows = (
        select(waiting.c.service_id, func.count())
        .where(waiting.c.service_id.in_(service_ids))
        .group_by(waiting.c.service_id)
        .order_by(waiting.c.service_id)
    )
    return dict(db.session.execute(rows).all())
