"""What the comments of some services can be filtered by."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import CompoundSelect, func, select

from citizenvoice.agencies.models import CHANNEL_NAMES, Service
from citizenvoice.analysis.models import Codebook, Theme
from citizenvoice.db import db
from citizenvoice.indicators.models import Count, Grain
from citizenvoice.indicators.service_indicators import LEAST_MINIMUM
from citizenvoice.surveys.definition import localise
from citizenvoice.surveys.models import Survey, SurveyService, SurveyVersion

QUESTIONNAIRES_OF = 60  # services whose questionnaires are looked through; of more, one has to be chosen

Words = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """People who gave the same answer about themselves, in the services where they are enough to hide in.

    ``name`` is what an address calls them: question and answer.
    """

    name: str
    question: Words
    answer: Words
    service_ids: tuple[int, ...]

    @property
    def too_few(self) -> bool:
        """Tell whether so few gave this answer that showing what they wrote would give them away."""
        return not self.service_ids


@dataclass(frozen=True, slots=True, kw_only=True)
class Facets:
    """What the comments of some services can be filtered by."""

    services: tuple[Service, ...]
    themes: tuple[Theme, ...]
    channels: tuple[str, ...]
    languages: tuple[str, ...]
    questions: tuple[tuple[str, Words], ...]  # key, words by language
    groups: tuple[Group, ...]
    fiscal_start: int

    @property
    def groups_to_choose(self) -> list[Group]:
        """The groups that are large enough to be shown apart."""
        return [group for group in self.groups if not group.too_few]


def get_facets(services: Sequence[Service], minimum: int, *, chosen: str = "") -> Facets:
    """Return what the comments of some services, or of a chosen one, can be filtered by.

    Groups of fewer than ``minimum`` people are not shown apart. Questions and groups are looked up for a
    limited number of services alone. A fixed number of statements.
    """
    ids = [service.id for service in services if chosen in {"", service.slug}]
    definitions = list(_definitions(ids)) if len(ids) <= QUESTIONNAIRES_OF else []
    met = db.session.execute(
        select(Count.channel, Count.language)
        .where(Count.service_id.in_(ids), Count.grain == Grain.MONTH, Count.segment == "")
        .distinct()
        .order_by(Count.channel, Count.language)
    ).all()
    channels = {channel for service in services for channel in service.channels}
    channels |= {channel for channel, _ in met}
    spoken = {language for service in services for language in service.languages}
    fiscal_starts = {service.agency.fiscal_year_start for service in services}
    return Facets(
        services=tuple(services),
        themes=_themes(ids),
        channels=tuple(str(channel) for channel in CHANNEL_NAMES if channel in channels),
        languages=tuple(sorted(spoken | {language for _, language in met if language})),
        questions=tuple(_text_questions(definitions).items()),
        groups=tuple(_groups(definitions, ids, max(minimum, LEAST_MINIMUM))),
        fiscal_start=fiscal_starts.pop() if len(fiscal_starts) == 1 else 1,
    )


def survey_ids(service_ids: Sequence[int]) -> CompoundSelect[Any]:
    """Return the surveys that ask about some services, or did."""
    counts = select(Count.id).where(Count.version_id == SurveyVersion.id, Count.service_id.in_(service_ids))
    answered = select(SurveyVersion.survey_id).where(counts.exists())
    asking = select(SurveyService.survey_id).where(SurveyService.service_id.in_(service_ids))
    return asking.union(answered)


def _themes(service_ids: Sequence[int]) -> tuple[Theme, ...]:
    """Return the themes of the codebooks in use, or all where none is."""
    books = set(db.session.scalars(select(Survey.codebook).where(Survey.id.in_(survey_ids(service_ids)))))
    themes = db.session.execute(
        select(Codebook.key, Theme)
        .join(Codebook, Codebook.id == Theme.codebook_id)
        .order_by(Codebook.id, Theme.position, Theme.id)
    ).all()
    own = tuple(theme for key, theme in themes if key in books)
    return own or tuple(theme for _, theme in themes)


def _definitions(service_ids: Sequence[int]) -> Iterator[dict[str, Any]]:
    """Yield the questionnaires of some services, the newest version of each survey first."""
    yield from db.session.scalars(
        select(SurveyVersion.definition)
        .where(SurveyVersion.survey_id.in_(survey_ids(service_ids)))
        .order_by(SurveyVersion.survey_id, SurveyVersion.number.desc())
    )


def _questions(definition: Mapping[str, Any], *, about_you: bool) -> Iterator[Mapping[str, Any]]:
    for section in definition.get("sections", ()):
        if bool(section.get("about_you")) == about_you:
            yield from section.get("questions", ())


def _text_questions(definitions: Sequence[Mapping[str, Any]]) -> dict[str, Words]:
    found: dict[str, Words] = {}
    for definition in definitions:
        for question in _questions(definition, about_you=False):
            if question.get("kind") == "text":
                found.setdefault(question["key"], _words_of(question.get("text"), definition))
    return found


def _words_of(text: Words | None, definition: Mapping[str, Any]) -> dict[str, str]:
    """Return what is said in each language, with the service's name filled in."""
    fallback, placeholders = definition["languages"][0], definition.get("placeholders")
    words = text or {}
    return {language: localise(words, language, fallback, placeholders) for language in words}


def _groups(
    definitions: Sequence[Mapping[str, Any]], service_ids: Sequence[int], minimum: int
) -> Iterator[Group]:
    """Yield each answer about the person that can be chosen, in the order of the questionnaires."""
    answers: dict[str, tuple[Words, Words]] = {}
    for definition in definitions:
        for question in _questions(definition, about_you=True):
            asked = _words_of(question.get("text"), definition)
            for value, label in _answers(question):
                answers.setdefault(f"{question['key']}:{value}", (asked, _words_of(label, definition)))
    enough = _services_with_enough(service_ids, minimum) if answers else {}
    for name, (question_words, answer_words) in answers.items():
        yield Group(
            name=name,
            question=question_words,
            answer=answer_words,
            service_ids=tuple(enough.get(name, ())),
        )


def _answers(question: Mapping[str, Any]) -> Iterator[tuple[str, Words | None]]:
    for part in ("points", "choices", "bands"):
        for answer in question.get(part) or ():
            yield str(answer["value"]), answer.get("label")


def _services_with_enough(service_ids: Sequence[int], minimum: int) -> dict[str, list[int]]:
    """Return, for each answer about the person, the services in which enough people gave it.

    Enough over all time: comments show their day, so a shorter time would protect nobody further.
    """
    rows = db.session.execute(
        select(Count.segment, Count.segment_value, Count.service_id)
        .where(Count.service_id.in_(service_ids), Count.grain == Grain.MONTH, Count.segment != "")
        .group_by(Count.segment, Count.segment_value, Count.service_id)
        .having(func.sum(Count.n_responses) >= minimum)
        .order_by(Count.segment, Count.segment_value, Count.service_id)
    )
    found: dict[str, list[int]] = {}
    for key, value, service_id in rows:
        found.setdefault(f"{key}:{value}", []).append(service_id)
    return found
