"""Which indicators a service has, and what was decided about them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date
from typing import Any

import orjson
from sqlalchemy import select

from citizenvoice.analysis.models import Codebook, Theme
from citizenvoice.db import db
from citizenvoice.errors import N_, NotFoundError
from citizenvoice.indicators.definitions import (
    IndicatorDefinition,
    ThemeName,
    Version,
    definitions_of,
    main_rank,
)
from citizenvoice.indicators.models import IndicatorSetting, Level
from citizenvoice.surveys.definition import Definition, Question
from citizenvoice.surveys.models import Survey, SurveyService, SurveyState, SurveyVersion
from citizenvoice.surveys.parsing import parse_definition
from citizenvoice.surveys.reading import Text as Words

MINIMUM = 10  # answers, where neither the indicator nor the operator says otherwise
LEAST_MINIMUM = 5  # nobody may go below it: it protects people
MAX_KEPT = 1_000


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
