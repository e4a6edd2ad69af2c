"""Building and telling when something is shown: earlier questions and the answers to them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _

from citizenvoice.surveys.conditions import AllOf, Answered, Condition, condition_json
from citizenvoice.surveys.definition import Definition, Question
from citizenvoice.surveys.forms import ConditionalForm
from citizenvoice.surveys.question_editing import (
    MAX_CONDITIONS,
    answer_choices,
    condition_from,
    simple_condition,
)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the builder: its two controls, the questions and answers to choose from, what is chosen."""

    question: Any
    values: Any
    items: list[dict[str, str]]
    answers: list[dict[str, str]]


@dataclass(frozen=True, slots=True)
class Builder:
    """What the page needs to build a condition; ``kept`` tells one that is more than the page can show."""

    rows: list[Row]
    kept: str
    has_earlier: bool


def initial(condition: Condition | None) -> dict[str, Any]:
    """Return what the builder starts with."""
    simple = simple_condition(condition)
    parts = simple.parts if simple else ()
    rows = [{"question": part.question, "values": [str(value) for value in part.values]} for part in parts]
    rows += [{"question": "", "values": []}] * (MAX_CONDITIONS - len(rows))
    return {"match": simple.match if simple else "all", "conditions": rows}


def builder(
    form: ConditionalForm, definition: Definition, earlier: Sequence[Question], condition: Condition | None
) -> Builder:
    """Return the builder, with the answers of each question that is chosen in it."""
    known = {question.key: question for question in earlier}
    language = definition.default_language
    items = [{"value": q.key, "label": definition.say(q.text, language)} for q in earlier]
    rows = []
    for entry in form.conditions:
        chosen = known.get(entry.form.question.data or "")
        answers = answer_choices(definition, chosen) if chosen else ()
        rows.append(
            Row(
                entry.form.question,
                entry.form.values,
                items,
                [{"value": value, "label": words} for value, words in answers],
            )
        )
    is_simple = simple_condition(condition) is not None
    return Builder(rows, "" if is_simple else in_words(definition, condition), bool(earlier))


def problems(
    form: ConditionalForm, definition: Definition, earlier: Sequence[Question]
) -> dict[str, list[str]]:
    """Return what is wrong with the rows of the builder, by the id of the control it is about."""
    found = form.incomplete()
    known = {question.key: question for question in earlier}
    for entry in form.conditions:
        row = entry.form
        if not row.question.data:
            continue
        if row.question.data not in known:
            found[row.question.id] = [_("Choose a question that is asked before.")]
            found.pop(row.values.id, None)
            continue
        answers = {value for value, _words in answer_choices(definition, known[row.question.data])}
        if not answers.issuperset(row.values.data or ()):
            found[row.values.id] = [_("Choose from the answers to this question.")]
    return found


def built(form: ConditionalForm, definition: Definition, before: Condition | None) -> dict[str, Any] | None:
    """Return the condition of the form as JSON; one too rich for it is kept unless it is taken away."""
    if simple_condition(before) is None:
        return None if form.drop_condition.data else condition_json(before)
    return condition_from(definition, form.match.data or "all", form.built())


def in_words(definition: Definition, condition: Condition | None) -> str:
    """Return a condition as a sentence, in the first language of the survey and the language of the page."""
    if condition is None:
        return ""
    if not isinstance(condition, Answered):
        parts = [in_words(definition, part) for part in condition.conditions]
        return str(_("; and ") if isinstance(condition, AllOf) else _("; or ")).join(parts)
    language = definition.default_language
    found = {question.key: question for question in definition.questions}.get(condition.question)
    if found is None:
        return condition.question
    labels = dict(answer_choices(definition, found))
    answers = ", ".join(f"“{labels.get(str(value), str(value))}”" for value in condition.values)
    return str(
        _(
            "the answer to “%(question)s” is %(answers)s",
            question=definition.say(found.text, language),
            answers=answers,
        )
    )
