"""What can be answered now, compiled once per version, and answers made ready to be stored."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any, TypeVar

from citizenvoice.feedback import codes, duplicates
from citizenvoice.nlp.redaction import redact
from citizenvoice.surveys import queries
from citizenvoice.surveys.contributions import Contribution, Words
from citizenvoice.surveys.definition import Definition, Kind, Question, Section
from citizenvoice.surveys.further_pages import Addition
from citizenvoice.surveys.parsing import parse_definition
from citizenvoice.surveys.queries import Offer
from citizenvoice.surveys.routing import answers_after, next_section, shown_sections
from citizenvoice.surveys.validation import (
    Checked,
    SectionValidator,
    SurveyValidator,
    compile_section,
    compile_survey,
)
from citizenvoice.surveys.values import Mode
from citizenvoice.web.clock import day_in

# The answer that stands for the whole response beside its comments, most telling first.
MAIN_ROLES = (
    *("overall", "satisfaction", "csat", "gds", "fft", "sqd0", "sdg_overall", "trust"),
    *("recommend", "nps", "ces", "effort"),
)
# What a text question asks for, by its key: a hint for reading short answers.
PROMPTS = {
    **dict.fromkeys(("good", "what_was_good", "praise"), "good"),
    **dict.fromkeys(("improve", "better", "improvement"), "improve"),
    **dict.fromkeys(("why", "reason"), "why"),
}
MAX_KEPT = 500  # surveys and versions a process remembers
MAX_PAGES = 64  # pages kept of one of them
Made = TypeVar("Made")


class Kept(OrderedDict[Any, Any]):
    """The last things made, at most so many, safe to share between threads."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self._size = size
        self._lock = threading.Lock()

    def made(self, key: Any, make: Callable[[], Made]) -> Made:
        """Return what is kept under a key, made now if it is not there."""
        with self._lock:
            if key in self:
                self.move_to_end(key)
                found: Made = self[key]
                return found
        new = make()
        with self._lock:
            self[key] = new
            while len(self) > self._size:
                self.popitem(last=False)
        return new


@dataclass(frozen=True, eq=False)
class Questionnaire:
    """One version of a survey, compiled."""

    survey_id: int
    version_id: int
    number: int
    definition: Definition
    _sections: dict[tuple[str, str], SectionValidator] = field(default_factory=dict)
    _wholes: dict[str, SurveyValidator] = field(default_factory=dict)

    @cached_property
    def main(self) -> Question | None:
        """The scale that stands for the whole response, if there is one."""
        return main_question(self.definition)

    @cached_property
    def first(self) -> Section | None:
        """The section people begin with, if there is anything to ask."""
        return next_section(self.definition, {})

    def following(self, answers: Mapping[str, Any], section: Section) -> Section | None:
        """Return the section to go on with after a section, if there is one."""
        if section is self.definition.sections[-1]:
            return None
        return next_section(self.definition, answers, after=section.key)

    def rating(self, answers: Mapping[str, Any]) -> int | None:
        """Return the main closed answer on a scale from 0 (worst) to 100 (best), if it was given."""
        value = answers.get(self.main.key) if self.main else None
        if self.main is None or not isinstance(value, int):
            return None
        least, most = self._main_ends
        share = (value - least) / (most - least)
        return round(100 * (share if self.main.polarity == "up" else 1 - share))

    @cached_property
    def _main_ends(self) -> tuple[int, int]:
        values = [point.value for point in self.main.points] if self.main else []
        return min(values), max(values)

    def section(self, key: str, language: str) -> SectionValidator:
        """Return the checks of a section, messages naming its questions in a language."""
        found = self._sections.get((key, language))
        if found is None:
            found = self._sections[key, language] = compile_section(self.definition, key, language)
        return found

    def check_whole(
        self, values: Mapping[str, Any], language: str = "", *, mode: Mode = Mode.JSON
    ) -> Checked:
        """Check a response that arrives whole."""
        language = language or self.definition.default_language
        if language not in self._wholes:
            self._wholes[language] = compile_survey(self.definition, language)
        return self._wholes[language].check(values, mode=mode)


def main_question(definition: Definition) -> Question | None:
    """Return the scale that stands for the whole response, if there is one."""
    scales = [q for section in definition.sections if not section.about_you for q in section.questions]
    scales = [question for question in scales if question.kind is Kind.SCALE]
    ranked = [question for question in scales if question.role in MAIN_ROLES]
    if ranked:
        return min(ranked, key=lambda question: MAIN_ROLES.index(question.role or ""))
    return next(iter(scales), None)


def words_of(texts: Mapping[str, str], *, regions: Collection[str] = ()) -> tuple[Words, ...]:
    """Mask the texts of a response, before anything else is done with them; empty ones are no comments."""
    region, *more = regions or ("US",)
    found = []
    for key, text in texts.items():
        if text.strip():
            masked = redact(text, region=region, more_regions=more)
            prompt = PROMPTS.get(key, "other")
            found.append(Words(key, prompt, masked.text, masked.counts))
    return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """How and when answers arrived; ``sender`` is never stored, only digested under the day's key."""

    service_id: int
    time_zone: str
    channel: str
    language: str
    at: datetime
    secret: str = ""
    sender: str | None = None
    regions: tuple[str, ...] = ()


def contribution(
    questionnaire: Questionnaire, checked: Checked, delivery: Delivery, n_sections: int = 0, **more: Any
) -> Contribution:
    """Make checked answers ready to be stored: words masked, sender digested, day worked out.

    Without ``n_sections`` the response is whole. ``more`` are further fields of the contribution:
    ``code_hash``, ``idempotency_hash``, ``external_id``, ``import_digest``, ``exclusion``.
    """
    definition = questionnaire.definition
    words = words_of(checked.texts, regions=delivery.regions)
    return Contribution(
        survey_id=questionnaire.survey_id,
        version_id=questionnaire.version_id,
        service_id=delivery.service_id,
        channel=delivery.channel,
        language=delivery.language,
        received_at=delivery.at,
        day=day_in(delivery.time_zone, delivery.at),
        answers=checked.answers,
        segments=checked.segments,
        n_sections=n_sections or max(1, len(shown_sections(definition, checked.answers))),
        words=words,
        rating=questionnaire.rating(checked.answers),
        sender=_digest(questionnaire, checked, delivery, words),
        **more,
    )


def addition(
    questionnaire: Questionnaire, section: Section, checked: Checked, *, regions: Collection[str] = ()
) -> Addition:
    """Make the checked answers of a further section ready to be added to the response."""
    definition = questionnaire.definition

    def merge(earlier: Mapping[str, Any]) -> tuple[dict[str, Any], int]:
        answers = answers_after(definition, earlier, section.key, checked.answers)
        on_path = [each.key for each in shown_sections(definition, answers)]
        return answers, on_path.index(section.key) + 1 if section.key in on_path else 1

    return Addition(
        merge=merge,
        segments=checked.segments,
        own_questions=frozenset(question.key for question in section.questions),
        words=words_of(checked.texts, regions=regions),
        rating=questionnaire.rating,
    )


def with_key(given: Contribution, secret: str, key: str) -> tuple[str, Contribution]:
    """Return the receipt code of what is sent with an idempotency key, and the contribution bound to both.

    Code and digest depend on the content: whoever sends something else with the same key learns nothing.
    """
    said = duplicates.content(
        given.survey_id,
        given.service_id,
        {**given.answers, **given.segments},
        [(w.question, w.text) for w in given.words],
    )
    sent = given.survey_id, given.service_id, key
    content = f"{given.channel}|{given.language}|{said}"
    code = codes.derived_code(secret, *sent, content)
    return code, replace(
        given,
        code_hash=codes.code_hash(secret, code),
        idempotency_hash=codes.idempotency_hash(secret, *sent),
        import_digest=codes.content_digest(secret, *sent, content),
    )


def _digest(
    questionnaire: Questionnaire, checked: Checked, delivery: Delivery, words: tuple[Words, ...]
) -> duplicates.SenderDigest | None:
    if delivery.sender is None or not duplicates.can_be_told(delivery.channel, [w.text for w in words]):
        return None
    said = duplicates.content(
        questionnaire.survey_id,
        delivery.service_id,
        {**checked.answers, **checked.segments},
        [(w.question, w.text) for w in words],
    )
    return duplicates.sender_digest(delivery.secret, delivery.at, delivery.sender, said)


class Target:
    """One service of a live survey, with its compiled questions and the pages made of them so far."""

    def __init__(self, offer: Offer, questionnaire: Questionnaire) -> None:
        self.offer = offer
        self.questionnaire = questionnaire
        self.definition = questionnaire.definition
        self.channels = dict(offer.links)
        self.pages = Kept(MAX_PAGES)
        self.looked_at = 0.0

    def channel(self, via: str) -> str:
        """Return the channel a link code stands for; without one people come from a web page."""
        return self.channels.get(via, "website")

    def service_name(self, language: str) -> str:
        """Return the service's name in a language."""
        return self.offer.names.get(language) or self.offer.name

    def agency_name(self, language: str) -> str:
        """Return the agency's name in a language."""
        return self.offer.agencies.get(language) or self.offer.agency


class OpenSurveys:
    """The surveys that can be answered, as this process last saw them.

    A change (a new version, a closed survey, a renamed service) is seen after at most ``seconds``;
    ``forget`` makes this process see it at once. Nothing is remembered about what does not exist.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._targets = Kept(MAX_KEPT)
        self._versions = Kept(MAX_KEPT)

    def get(self, survey: str, service: str) -> Target:
        """Return what a live survey asks about a service, or raise NotFoundError."""
        known: Target | None = self._targets.get((survey, service))
        now = time.monotonic()
        if known is not None and now - known.looked_at < self.seconds:
            return known
        offer = queries.get_offer(survey, service)
        if known is None or known.offer != offer:
            known = Target(offer, self._compiled(offer))
            self._targets.pop((survey, service), None)
        known.looked_at = now
        kept = known
        return self._targets.made((survey, service), lambda: kept)

    def version(self, target: Target, number: int) -> Questionnaire:
        """Return a version of the target's survey that a page made earlier may ask for, compiled.

        Raises NotFoundError if there was none.
        """
        if number == target.offer.number:
            return target.questionnaire
        survey_id = target.offer.survey_id
        version_id, digest, definition = queries.get_definition(survey_id, number)
        return self._versions.made(
            (version_id, digest),
            lambda: Questionnaire(survey_id, version_id, number, parse_definition(definition)),
        )

    def _compiled(self, offer: Offer) -> Questionnaire:
        def compile_it() -> Questionnaire:
            version_id, _, definition = queries.get_definition(offer.survey_id, offer.number)
            return Questionnaire(offer.survey_id, version_id, offer.number, parse_definition(definition))

        return self._versions.made((offer.version_id, offer.digest), compile_it)

    def forget(self) -> None:
        """See every change at once."""
        self._targets.clear()
