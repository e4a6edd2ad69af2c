"""The definition of a questionnaire as values that cannot change, read from and written to JSON."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise
from typing import Any

from citizenvoice.errors import N_, DomainError
from citizenvoice.surveys.reading import KEY, LANGUAGE, VALUE, Problem, Reader, Text

MAX_SECTIONS, MAX_QUESTIONS, MAX_CHOICES, MAX_DEPTH = 60, 150, 300, 6
PLACEHOLDERS = ("service", "agency", "population")
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
class Answered:
    """True when the question was shown and its answer (or one of its answers) is among ``values``."""

    question: str
    values: tuple[int | str, ...]


@dataclass(frozen=True, slots=True)
class AllOf:
    """True when every condition is."""

    conditions: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """True when at least one condition is."""

    conditions: tuple["Condition", ...]


Condition = Answered | AllOf | AnyOf


@dataclass(frozen=True, slots=True)
class Implied:
    """The answer that follows, without asking, when a condition holds."""

    when: Condition
    value: int | str


@dataclass(frozen=True, slots=True)
class Consistency:
    """Two answers that must agree: if ``given`` then ``then``; and the reverse, when it holds both ways."""

    given: Answered
    then: Answered
    both_ways: bool = False


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


class DefinitionError(DomainError):
    """A definition cannot be read; ``problems`` holds every (path, sentence), not only the first."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(
            N_("The questionnaire has mistakes (%(n)d): %(list)s"),
            n=len(problems),
            list=" ".join(f"{problem.path}: {problem.sentence}" for problem in problems[:20]),
        )


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


def parse_definition(data: Any) -> Definition:
    """Read a definition from JSON data.

    Raises DefinitionError with every problem found. A definition that reads well may still lack what
    publishing needs: see `citizenvoice.surveys.publishing.problems_for_publishing`.
    """
    problems: list[Problem] = []
    reader = Reader(data, "", problems)
    languages = _languages(reader)
    definition = Definition(
        title=reader.words("title"),
        languages=languages,
        sections=tuple(_section(child) for child in reader.children("sections", MAX_SECTIONS)),
        intro=reader.words("intro"),
        thanks=reader.words("thanks"),
        instrument=reader.optional_string("instrument"),
        instrument_version=reader.optional_string("instrument_version"),
        placeholders=_placeholders(reader.child("placeholders")),
        consistency=tuple(filter(None, map(_consistency, reader.children("consistency", MAX_QUESTIONS)))),
    )
    reader.close()
    if not problems:
        problems.extend(_structure_problems(definition))
    if problems:
        raise DefinitionError(problems)
    return definition


# Reading


def _languages(reader: Reader) -> tuple[str, ...]:
    found = reader.list("languages", 60)
    if not found or not all(isinstance(code, str) and LANGUAGE.fullmatch(code) for code in found):
        reader.complain("languages", N_("Name at least one language by its code, such as “en”."))
        return ("en",)
    if len(set(found)) != len(found):
        reader.complain("languages", N_("A language is named twice."))
    return tuple(dict.fromkeys(found))


def _placeholders(reader: Reader | None) -> dict[str, Text]:
    if reader is None:
        return {}
    found = {name: reader.words(name) for name in PLACEHOLDERS}
    reader.close()
    return {name: text for name, text in found.items() if text}


def _section(reader: Reader) -> Section:
    section = Section(
        key=reader.string("key", KEY) or "",
        questions=tuple(_question(child) for child in reader.children("questions", MAX_QUESTIONS)),
        title=reader.words("title"),
        intro=reader.words("intro"),
        about_you=reader.flag("about_you"),
        shuffle=reader.flag("shuffle"),
        shown_if=_condition(reader.child("shown_if")),
    )
    reader.close()
    return section


def _question(reader: Reader) -> Question:
    kind = Kind(reader.one_of("kind", list(Kind)))
    common: dict[str, Any] = {
        "key": reader.string("key", KEY) or "",
        "kind": kind,
        "text": reader.words("text"),
        "hint": reader.words("hint"),
        "required": reader.flag("required"),
        "locked": reader.flag("locked"),
        "role": reader.string("role", KEY) if reader.has("role") else None,
        "shown_if": _condition(reader.child("shown_if")),
        "implied": tuple(filter(None, map(_implied, reader.children("implied", 20)))),
    }
    question = Question(**common, **_READ_KIND[kind](reader))
    reader.close()
    return question


def _scale_fields(reader: Reader) -> dict[str, Any]:
    points = tuple(_point(child) for child in reader.children("points", 11))
    ways_out = [_option(reader.child(name)) for name in ("not_applicable", "dont_know", "refused")]
    fields = {
        "display": reader.one_of("display", ("radio", "thumbs", "faces", "numbers"), default="radio"),
        "polarity": reader.one_of("polarity", ("up", "down"), default="up"),
        "points": points,
        "not_applicable": ways_out[0],
        "dont_know": ways_out[1],
        "refused": ways_out[2],
    }
    values = [point.value for point in points]
    if len(values) < 2:
        reader.complain("points", N_("A scale has from 2 to 11 points."))
    elif len(set(values)) < len(values) or values not in (sorted(values), sorted(values, reverse=True)):
        reader.complain("points", N_("The values of a scale must all rise or all fall."))
    codes = [option.code for option in ways_out if option and option.code is not None]
    if len({*codes, *values}) < len(codes) + len(set(values)):
        reader.complain("points", N_("A code beside the scale is used twice, or is a point of the scale."))
    if fields["display"] == "thumbs" and len(values) != 2:
        reader.complain("display", N_("Thumbs need a scale of exactly two points."))
    return fields


def _choice_fields(reader: Reader) -> dict[str, Any]:
    choices = tuple(_choice(child) for child in reader.children("choices", MAX_CHOICES))
    if not any(choice.offered for choice in choices):
        reader.complain("choices", N_("Give at least one answer to choose."))
    if len({choice.value for choice in choices}) < len(choices):
        reader.complain("choices", N_("Two answers have the same value."))
    return {"choices": choices}


def _multiple_fields(reader: Reader) -> dict[str, Any]:
    fields = _choice_fields(reader)
    return {**fields, "max_choices": reader.whole("max_choices", 1, max(1, len(fields["choices"])))}


def _number_fields(reader: Reader) -> dict[str, Any]:
    smallest, largest = reader.number("minimum"), reader.number("maximum")
    integer = reader.flag("integer")
    bands = tuple(_band(child) for child in reader.children("bands", 50))
    if smallest is not None and largest is not None and smallest > largest:
        reader.complain("minimum", N_("The smallest number is larger than the largest."))
    if bands and not integer:
        reader.complain("integer", N_("A number kept in bands must be whole."))
    if not _bands_rise(bands):
        reader.complain("bands", N_("Bands must rise without overlapping, and have different values."))
    return {"minimum": smallest, "maximum": largest, "integer": integer, "bands": bands}


def _text_fields(reader: Reader) -> dict[str, Any]:
    return {
        "max_chars": reader.whole("max_chars", 1, 10_000, default=1200),
        "rows": reader.whole("rows", 1, 30, default=5),
    }


_READ_KIND: dict[Kind, Callable[[Reader], dict[str, Any]]] = {
    Kind.SCALE: _scale_fields,
    Kind.SINGLE: _choice_fields,
    Kind.MULTIPLE: _multiple_fields,
    Kind.NUMBER: _number_fields,
    Kind.TEXT: _text_fields,
}


def _point(reader: Reader) -> Point:
    value = reader.whole("value", -1000, 1000)
    if value is None:
        reader.complain("value", N_("This must be a whole number."))
    point = Point(value=value or 0, label=reader.words("label"))
    reader.close()
    return point


def _choice(reader: Reader) -> Choice:
    choice = Choice(
        value=reader.string("value", VALUE) or "",
        label=reader.words("label"),
        offered=reader.flag("offered", default=True),
    )
    reader.close()
    return choice


def _option(reader: Reader | None) -> Option | None:
    if reader is None:
        return None
    option = Option(
        label=reader.words("label"),
        code=reader.whole("code", -1000, 1000),
        read_aloud=reader.flag("read_aloud", default=True),
    )
    reader.close()
    return option


def _band(reader: Reader) -> Band:
    band = Band(
        value=reader.string("value", KEY) or "",  # starts with a letter, so that no band looks like a number
        label=reader.words("label"),
        minimum=reader.whole("minimum", -(10**9), 10**9),
        maximum=reader.whole("maximum", -(10**9), 10**9),
    )
    reader.close()
    return band


def _bands_rise(bands: tuple[Band, ...]) -> bool:
    if len({band.value for band in bands}) < len(bands):
        return False
    if any(b.minimum is not None and b.maximum is not None and b.minimum > b.maximum for b in bands):
        return False
    return all(
        low.maximum is not None and high.minimum is not None and low.maximum < high.minimum
        for low, high in pairwise(bands)
    )


def _condition(reader: Reader | None, depth: int = 1) -> Condition | None:
    if reader is None:
        return None
    condition: Condition | None
    if depth > MAX_DEPTH:
        reader.complain("", N_("Conditions are nested too deeply."))
        return None
    if reader.has("all"):
        condition = AllOf(_conditions(reader, "all", depth))
    elif reader.has("any"):
        condition = AnyOf(_conditions(reader, "any", depth))
    else:
        condition = _answered(reader)
    reader.close()
    return condition


def _conditions(reader: Reader, key: str, depth: int) -> tuple[Condition, ...]:
    read = [_condition(child, depth + 1) for child in reader.children(key, 20)]
    found = tuple(condition for condition in read if condition is not None)
    if not found:
        reader.complain(key, N_("Name at least one condition."))
    return found


def _answered(reader: Reader) -> Answered:
    question = reader.string("question", KEY) or ""
    values = reader.list("in", MAX_CHOICES)
    if not values or not all(
        isinstance(value, int | str) and not isinstance(value, bool) for value in values
    ):
        reader.complain("in", N_("Name at least one answer."))
        values = []
    return Answered(question, tuple(values))


def _implied(reader: Reader) -> Implied | None:
    when, value = _condition(reader.child("when")), reader.anything("value")
    reader.close()
    if when is None or isinstance(value, bool) or not isinstance(value, int | str):
        reader.complain("", N_("Say when the answer follows, and which one."))
        return None
    return Implied(when, value)


def _consistency(reader: Reader) -> Consistency | None:
    given, then = _condition(reader.child("if")), _condition(reader.child("then"))
    both_ways = reader.flag("both_ways")
    reader.close()
    if not isinstance(given, Answered) or not isinstance(then, Answered):
        reader.complain("", N_("Name one question and its answers on each side."))
        return None
    return Consistency(given, then, both_ways)


# What must hold between the parts


def _structure_problems(definition: Definition) -> Iterator[Problem]:
    yield from _duplicates(definition)
    if len(definition.questions) > MAX_QUESTIONS:
        yield Problem("sections", N_("There are more than %(max)d questions."), {"max": MAX_QUESTIONS})
    earlier: dict[str, Question] = {}
    for s, section in enumerate(definition.sections):
        yield from _section_problems(f"sections.{s}", section, earlier)
    for number, rule in enumerate(definition.consistency):
        for side, condition in (("if", rule.given), ("then", rule.then)):
            yield from _condition_problems(f"consistency.{number}.{side}", condition, earlier)


def _section_problems(path: str, section: Section, earlier: dict[str, Question]) -> Iterator[Problem]:
    yield from _condition_problems(f"{path}.shown_if", section.shown_if, earlier)
    if section.about_you:
        yield from _about_you_problems(path, section)
    if section.shuffle and _depends_on_itself(section):
        yield Problem(f"{path}.shuffle", N_("Questions that depend on each other cannot be shuffled."))
    for q, question in enumerate(section.questions):
        yield from _question_problems(f"{path}.questions.{q}", question, earlier)
        # What people say of themselves decides nothing: the way taken would give it away.
        if not section.about_you:
            earlier[question.key] = question


def _duplicates(definition: Definition) -> Iterator[Problem]:
    for path, keys in (
        ("sections", [section.key for section in definition.sections]),
        ("questions", [question.key for question in definition.questions]),
    ):
        for key in sorted({key for key in keys if keys.count(key) > 1}):
            yield Problem(path, N_("The key “%(key)s” is used twice."), {"key": key})


def _question_problems(path: str, question: Question, earlier: dict[str, Question]) -> Iterator[Problem]:
    yield from _condition_problems(f"{path}.shown_if", question.shown_if, earlier)
    for number, implied in enumerate(question.implied):
        yield from _condition_problems(f"{path}.implied.{number}.when", implied.when, earlier)
        if question.kind not in (Kind.SCALE, Kind.SINGLE) or implied.value not in question.possible_values:
            yield Problem(
                f"{path}.implied.{number}.value",
                N_("“%(value)s” is not an answer."),
                {"value": implied.value},
            )


def _about_you_problems(path: str, section: Section) -> Iterator[Problem]:
    for q, question in enumerate(section.questions):
        here = f"{path}.questions.{q}"
        if question.kind is Kind.TEXT:
            yield Problem(here, N_("Questions about the person cannot be free text."))
        if question.kind is Kind.NUMBER and not question.bands:
            yield Problem(here, N_("A number about the person must be kept in bands."))
        if question.required:
            yield Problem(f"{here}.required", N_("Questions about the person are always optional."))


def _condition_problems(
    path: str, condition: Condition | None, earlier: Mapping[str, Question]
) -> Iterator[Problem]:
    for part in answered_parts(condition):
        source = earlier.get(part.question)
        if source is None:
            yield Problem(path, N_("“%(key)s” is not an earlier question."), {"key": part.question})
            continue
        possible = source.possible_values
        for value in part.values:
            if not any(value == other and type(value) is type(other) for other in possible):
                yield Problem(
                    path,
                    N_("“%(value)s” is not an answer to “%(key)s”."),
                    {"value": value, "key": source.key},
                )


def answered_parts(condition: Condition | None) -> Iterator[Answered]:
    """Yield every question-and-values part of a condition."""
    if isinstance(condition, Answered):
        yield condition
    elif condition is not None:
        for part in condition.conditions:
            yield from answered_parts(part)


def _depends_on_itself(section: Section) -> bool:
    own = {question.key for question in section.questions}
    return any(part.question in own for q in section.questions for part in answered_parts(q.shown_if))


# Words


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


def condition_json(condition: Condition | None) -> dict[str, Any] | None:
    """Return a condition as JSON data."""
    if condition is None:
        return None
    if isinstance(condition, Answered):
        return {"question": condition.question, "in": list(condition.values)}
    name = "all" if isinstance(condition, AllOf) else "any"
    return {name: [condition_json(part) for part in condition.conditions]}


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
