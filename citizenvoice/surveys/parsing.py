"""Reads the definition of a questionnaire from JSON, and names everything that is wrong with it."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

from citizenvoice.errors import N_, DomainError
from citizenvoice.surveys.conditions import AllOf, Answered, AnyOf, Condition, Consistency, Implied
from citizenvoice.surveys.definition import Band, Choice, Definition, Kind, Option, Point, Question, Section
from citizenvoice.surveys.reading import KEY, LANGUAGE, VALUE, Problem, Reader, Text
from citizenvoice.surveys.structure import MAX_QUESTIONS, structure_problems

MAX_SECTIONS, MAX_CHOICES, MAX_DEPTH = 60, 300, 6
PLACEHOLDERS = ("service", "agency", "population")


class DefinitionError(DomainError):
    """A definition cannot be read; ``problems`` holds every (path, sentence), not only the first."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(
            N_("The questionnaire has mistakes (%(n)d): %(list)s"),
            n=len(problems),
            list=" ".join(f"{problem.path}: {problem.sentence}" for problem in problems[:20]),
        )


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
        problems.extend(structure_problems(definition))
    if problems:
        raise DefinitionError(problems)
    return definition


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
