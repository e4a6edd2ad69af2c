"""The definition of a questionnaire as values that cannot change, written to JSON."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from citizenvoice.surveys.conditions import Condition, Consistency, Implied, condition_json
from citizenvoice.surveys.reading import Text

_PLACEHOLDER = re.compile(r"\[(service|agency|population)\]")


class Kind(StrEnum):
    """What a question asks for."""

    SCALE = "scale"
    SINGLE = "single"
    MULTIPLE = "multiple"
    NUMBER = "number"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Point:
    """One point of a scale."""

    value: int
    label: Text


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer to choose; one not ``offered`` is never shown and only follows from another answer."""

    value: str
    label: Text
    offered: bool = True


@dataclass(frozen=True, slots=True)
class Option:
    """A way out of a scale (does not apply, don't know, refused), with the code the instrument gives it.

    One that is not read aloud is recorded by an interviewer and not shown on a form people fill in.
    """

    label: Text
    code: int | None = None
    read_aloud: bool = True


@dataclass(frozen=True, slots=True)
class Band:
    """A range of numbers, both ends included, under which a number about a person is kept."""

    value: str
    label: Text
    minimum: int | None = None
    maximum: int | None = None

    def holds(self, number: float) -> bool:
        """Return whether the number lies in this band."""
        return (self.minimum is None or number >= self.minimum) and (
            self.maximum is None or number <= self.maximum
        )


@dataclass(frozen=True, slots=True)
class Question:
    """One question; which of the later fields mean something depends on its kind."""

    key: str
    kind: Kind
    text: Text
    hint: Text = field(default_factory=dict)
    required: bool = False
    locked: bool = False  # official wording
    role: str | None = None
    shown_if: Condition | None = None
    implied: tuple[Implied, ...] = ()
    display: str = "radio"
    polarity: str = "up"  # "down": a higher value is worse
    points: tuple[Point, ...] = ()
    not_applicable: Option | None = None
    dont_know: Option | None = None
    refused: Option | None = None
    choices: tuple[Choice, ...] = ()
    max_choices: int | None = None
    max_chars: int = 1200
    rows: int = 5
    minimum: int | float | None = None
    maximum: int | float | None = None
    integer: bool = False
    bands: tuple[Band, ...] = ()

    @property
    def ways_out(self) -> dict[str, Option]:
        """The answers beside the scale, by the value they are kept under: na, dk and ra."""
        found = {"na": self.not_applicable, "dk": self.dont_know, "ra": self.refused}
        return {value: option for value, option in found.items() if option is not None}

    @property
    def answer_labels(self) -> tuple[Text, ...]:
        """The words of every answer, in order."""
        return (
            *(point.label for point in self.points),
            *(option.label for option in self.ways_out.values()),
            *(choice.label for choice in self.choices),
            *(band.label for band in self.bands),
        )

    @property
    def possible_values(self) -> tuple[int | str, ...]:
        """Every value an answer can have, in order; empty for texts and numbers without bands."""
        return (
            *(point.value for point in self.points),
            *self.ways_out,
            *(choice.value for choice in self.choices),
            *(band.value for band in self.bands),
        )


@dataclass(frozen=True, slots=True)
class Section:
    """A page of the questionnaire; the answers of an ``about_you`` page are kept apart, as segments."""

    key: str
    questions: tuple[Question, ...] = ()
    title: Text = field(default_factory=dict)
    intro: Text = field(default_factory=dict)
    about_you: bool = False
    shuffle: bool = False  # each respondent meets its questions in an order of their own
    shown_if: Condition | None = None


@dataclass(frozen=True, slots=True)
class Definition:
    """A whole questionnaire; the first language is the one others fall back to."""

    title: Text
    languages: tuple[str, ...]
    sections: tuple[Section, ...] = ()
    intro: Text = field(default_factory=dict)
    thanks: Text = field(default_factory=dict)
    instrument: str | None = None
    instrument_version: str | None = None
    placeholders: Mapping[str, Text] = field(default_factory=dict)
    consistency: tuple[Consistency, ...] = ()

    @property
    def questions(self) -> tuple[Question, ...]:
        """Every question in the order it is asked."""
        return tuple(question for section in self.sections for question in section.questions)

    @property
    def default_language(self) -> str:
        """The language others fall back to."""
        return self.languages[0]

    def section(self, key: str) -> Section:
        """Return the section, or raise KeyError."""
        return {section.key: section for section in self.sections}[key]

    def question(self, key: str) -> Question:
        """Return the question, or raise KeyError."""
        return {question.key: question for question in self.questions}[key]

    def say(self, text: Text, language: str) -> str:
        """Return words in a language, falling back to the default one, with the placeholders filled in."""
        return localise(text, language, self.default_language, self.placeholders)

    def to_json(self) -> dict[str, Any]:
        """Return the definition as JSON data; `parse_definition` reads it back as an equal value."""
        return _definition_json(self)


def localise(text: Text, language: str, fallback: str, placeholders: Mapping[str, Text] | None = None) -> str:
    """Return words in ``language``, else its base language, else ``fallback``, else any, else "".

    >>> localise({"en": "I trust [agency]."}, "es-MX", "en", {"agency": {"en": "the Mint", "es": "la Ceca"}})
    'I trust la Ceca.'
    """
    words = _pick(text, language, fallback)
    if placeholders and "[" in words:
        return _PLACEHOLDER.sub(
            lambda found: _pick(placeholders.get(found[1], {}), language, fallback) or found[0], words
        )
    return words


def placeholders_used(definition: Definition) -> set[str]:
    """Return the placeholders that occur in any text of the definition."""
    return {
        name
        for _, text in all_texts(definition)
        for words in text.values()
        for name in _PLACEHOLDER.findall(words)
    }


def all_texts(definition: Definition) -> Iterator[tuple[str, Text]]:
    """Yield each (path, text) a respondent can see, in order."""
    yield "title", definition.title
    yield "intro", definition.intro
    yield "thanks", definition.thanks
    for s, section in enumerate(definition.sections):
        yield f"sections.{s}.title", section.title
        yield f"sections.{s}.intro", section.intro
        for q, question in enumerate(section.questions):
            yield from _question_texts(f"sections.{s}.questions.{q}", question)


def _pick(text: Text, language: str, fallback: str) -> str:
    for code in (language, language.split("-", maxsplit=1)[0], fallback):
        if code in text:
            return text[code]
    return next(iter(text.values()), "")


def _question_texts(path: str, question: Question) -> Iterator[tuple[str, Text]]:
    yield f"{path}.text", question.text
    yield f"{path}.hint", question.hint
    for n, point in enumerate(question.points):
        yield f"{path}.points.{n}.label", point.label
    for n, choice in enumerate(question.choices):
        yield f"{path}.choices.{n}.label", choice.label
    for n, band in enumerate(question.bands):
        yield f"{path}.bands.{n}.label", band.label
    for name in ("not_applicable", "dont_know", "refused"):
        option: Option | None = getattr(question, name)
        if option is not None:
            yield f"{path}.{name}.label", option.label


# Writing


def _definition_json(definition: Definition) -> dict[str, Any]:
    return {
        "title": dict(definition.title),
        "intro": dict(definition.intro),
        "thanks": dict(definition.thanks),
        "languages": list(definition.languages),
        "instrument": definition.instrument,
        "instrument_version": definition.instrument_version,
        "placeholders": {name: dict(text) for name, text in definition.placeholders.items()},
        "sections": [_section_json(section) for section in definition.sections],
        "consistency": [
            {
                "if": condition_json(rule.given),
                "then": condition_json(rule.then),
                "both_ways": rule.both_ways,
            }
            for rule in definition.consistency
        ],
    }


def _section_json(section: Section) -> dict[str, Any]:
    return {
        "key": section.key,
        "title": dict(section.title),
        "intro": dict(section.intro),
        "about_you": section.about_you,
        "shuffle": section.shuffle,
        "shown_if": condition_json(section.shown_if),
        "questions": [question_json(question) for question in section.questions],
    }


def question_json(question: Question) -> dict[str, Any]:
    """Return one question as JSON data, with only the fields its kind has."""
    return {
        "key": question.key,
        "kind": question.kind.value,
        "text": dict(question.text),
        "hint": dict(question.hint),
        "required": question.required,
        "locked": question.locked,
        "role": question.role,
        "shown_if": condition_json(question.shown_if),
        "implied": [{"when": condition_json(i.when), "value": i.value} for i in question.implied],
        **_WRITE_KIND[question.kind](question),
    }


def _scale_json(question: Question) -> dict[str, Any]:
    return {
        "display": question.display,
        "polarity": question.polarity,
        "points": [{"value": point.value, "label": dict(point.label)} for point in question.points],
        "not_applicable": _option_json(question.not_applicable),
        "dont_know": _option_json(question.dont_know),
        "refused": _option_json(question.refused),
    }


def _option_json(option: Option | None) -> dict[str, Any] | None:
    if option is None:
        return None
    return {"label": dict(option.label), "code": option.code, "read_aloud": option.read_aloud}


def _choices_json(question: Question) -> dict[str, Any]:
    return {
        "choices": [
            {"value": c.value, "label": dict(c.label), "offered": c.offered} for c in question.choices
        ]
    }


def _number_json(question: Question) -> dict[str, Any]:
    return {
        "minimum": question.minimum,
        "maximum": question.maximum,
        "integer": question.integer,
        "bands": [
            {"value": b.value, "label": dict(b.label), "minimum": b.minimum, "maximum": b.maximum}
            for b in question.bands
        ],
    }


def _multiple_json(question: Question) -> dict[str, Any]:
    return {**_choices_json(question), "max_choices": question.max_choices}


def _text_json(question: Question) -> dict[str, Any]:
    return {"max_chars": question.max_chars, "rows": question.rows}


_WRITE_KIND: dict[Kind, Callable[[Question], dict[str, Any]]] = {
    Kind.SCALE: _scale_json,
    Kind.SINGLE: _choices_json,
    Kind.MULTIPLE: _multiple_json,
    Kind.NUMBER: _number_json,
    Kind.TEXT: _text_json,
}
