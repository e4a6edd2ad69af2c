"""One way of looking at a survey: which version, in which language, come from where, framed or not."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import current_app

from citizenvoice.errors import N_, DomainError, NotFoundError
from citizenvoice.surveys.answering import OpenSurveys, Questionnaire, Target
from citizenvoice.surveys.definition import Section
from citizenvoice.web import languages

VERSION, SECTION, RECEIPT, KEY, VIA, ORDER, BACK = (
    f"cv-{name}" for name in ("version", "section", "receipt", "key", "via", "order", "back")
)
N_ORDERS = 8  # orders in which a shuffled section is printed
MAX_DIGITS = 9


def open_surveys() -> OpenSurveys:
    """Return what this process knows of the surveys that can be answered."""
    found: OpenSurveys = current_app.extensions["open_surveys"]
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One way of looking at a survey: which version, in which language, come from where, framed or not."""

    target: Target
    questionnaire: Questionnaire
    language: str
    via: str
    order: int
    is_embedded: bool

    @property
    def action(self) -> str:
        """The address answers are sent to."""
        offer = self.target.offer
        framed = "embed" if self.is_embedded else "s"
        return f"/{self.language}/{framed}/{offer.survey}/{offer.service}"

    @property
    def key(self) -> tuple[Any, ...]:
        """What two visits that see the same pages have in common."""
        return (self.questionnaire.version_id, self.language, self.via, self.order, self.is_embedded)

    def say(self, text: Mapping[str, str]) -> str:
        """Return words of the survey in the language of the visit."""
        return self.questionnaire.definition.say(text, self.language)


def visit(language: str, survey: str, service: str, sent: Mapping[str, str], *, is_embedded: bool) -> Visit:
    """Find what is to be answered. Raises NotFoundError where there is nothing in that language."""
    target = open_surveys().get(survey, service)
    if language not in target.definition.languages:
        raise NotFoundError(N_("This survey is not asked in this language."))
    languages.speak(language)
    number, order = small_number(sent.get(VERSION, "")), small_number(sent.get(ORDER, ""))
    questionnaire = target.questionnaire
    if number not in (None, target.offer.number):
        questionnaire = open_surveys().version(target, number)
    via = sent.get(VIA) or sent.get("via", "")
    return Visit(
        target=target,
        questionnaire=questionnaire,
        language=language,
        via=via if via in target.channels else "",
        order=(order or 0) % N_ORDERS,
        is_embedded=is_embedded,
    )


def small_number(typed: str) -> int | None:
    """Return a number a page carries, or None for anything it cannot have carried."""
    return int(typed) if typed.isdecimal() and len(typed) <= MAX_DIGITS else None


def first_section(seen: Visit) -> Section:
    """Return the section people begin with, or raise NotFoundError."""
    first = seen.questionnaire.first
    if first is None:
        raise NotFoundError(N_("There is no survey here that can be answered now."))
    return first


def section_named(seen: Visit, key: str) -> Section:
    """Return the section a page says it is, or raise DomainError."""
    for section in seen.questionnaire.definition.sections:
        if section.key == key:
            return section
    raise DomainError(N_("We could not find your earlier answers. Please begin again."))
