"""What must hold between the parts of a questionnaire."""

from collections.abc import Iterator, Mapping

from citizenvoice.errors import N_
from citizenvoice.surveys.conditions import Condition, answered_parts
from citizenvoice.surveys.definition import Definition, Kind, Question, Section
from citizenvoice.surveys.reading import Problem

MAX_QUESTIONS = 150


def structure_problems(definition: Definition) -> Iterator[Problem]:
    """Yield what does not hold, in the order of the questionnaire."""
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


def _depends_on_itself(section: Section) -> bool:
    own = {question.key for question in section.questions}
    return any(part.question in own for q in section.questions for part in answered_parts(q.shown_if))
