"""Turns questions into what a page prints, and conditions into the style that hides what is not asked."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from citizenvoice.surveys.conditions import AllOf, Answered, Condition
from citizenvoice.surveys.definition import Definition, Kind, Question, Section

MAX_RADIOS = 15  # longer lists are a menu
NOTHING = "none"

Typed = Callable[[Question], Any]


def field_id(key: str) -> str:
    """Return the id of a question's first control."""
    return f"q-{key}"


def printed(
    definition: Definition,
    questions: Sequence[Question],
    language: str,
    *,
    typed: Typed | None = None,
    errors: Mapping[str, str] | None = None,
) -> list[dict[str, Any]]:
    """Return the fields of a page, with what was typed and what was wrong with it."""
    own = {question.key for question in questions}
    return [
        {
            "key": question.key,
            "id": field_id(question.key),
            "text": definition.say(question.text, language),
            "hint": definition.say(question.hint, language),
            "required": question.required,
            "value": typed(question) if typed else None,
            "errors": [errors[question.key]] if errors and question.key in errors else (),
            "depends": bool(hiding_selectors(question.shown_if, own)),
            **_PRINT[question.kind](definition, question, language),
        }
        for question in questions
    ]


def conditions_css(definition: Definition) -> str:
    """Return the style that hides each question until the answers on the same page ask for it.

    A browser that cannot do this shows the question, and an answer to it is dropped when it is checked.
    """
    return "".join(_section_css(section) for section in definition.sections)


def _section_css(section: Section) -> str:
    own = {question.key for question in section.questions}
    return "".join(
        f'form{selector} [data-cv-question="{question.key}"]{{display:none}}\n'
        for question in section.questions
        for selector in hiding_selectors(question.shown_if, own)
    )


def hiding_selectors(condition: Condition | None, own: Iterable[str]) -> list[str]:
    """Return selectors of which one fits a form whenever the condition is false of what is chosen in it.

    What depends on other pages was decided when the page was printed, and hides nothing.
    """
    if condition is None:
        return []
    if isinstance(condition, Answered):
        if condition.question not in own:
            return []
        chosen = ", ".join(
            f'[name="{condition.question}"][value="{value}"]:checked' for value in condition.values
        )
        return [f":not(:has({chosen}))"]
    parts = [hiding_selectors(part, own) for part in condition.conditions]
    if isinstance(condition, AllOf):
        return [selector for part in parts for selector in part]
    joined = [""]
    for part in parts:
        joined = [before + selector for before in joined for selector in part]
    return joined


def _scale(definition: Definition, question: Question, language: str) -> dict[str, Any]:
    labels = [definition.say(point.label, language) for point in question.points]
    as_numbers = question.display == "numbers"
    aside = [
        {"value": value, "label": definition.say(option.label, language)}
        for value, option in question.ways_out.items()
        if option.read_aloud
    ]
    return {
        "as": "radios",
        "items": [
            {"value": point.value, "label": str(point.value) if as_numbers or not label else label}
            for point, label in zip(question.points, labels, strict=True)
        ],
        "aside": aside,
        "display": question.display,
        "layout": "row",
        "ends": (labels[0], labels[-1]) if as_numbers and labels[0] and labels[-1] else None,
        "best": "high" if question.polarity == "up" else "low",
    }


def _single(definition: Definition, question: Question, language: str) -> dict[str, Any]:
    items = _choices(definition, question, language)
    return {"as": "radios" if len(items) <= MAX_RADIOS else "select", "items": items, "layout": "list"}


def _multiple(definition: Definition, question: Question, language: str) -> dict[str, Any]:
    return {"as": "checkboxes", "items": _choices(definition, question, language)}


def _number(definition: Definition, question: Question, language: str) -> dict[str, Any]:
    if question.bands:
        items = [
            {"value": band.value, "label": definition.say(band.label, language) or band.value}
            for band in question.bands
        ]
        return {"as": "radios", "items": items, "layout": "list"}
    return {
        "as": "number",
        "minimum": question.minimum,
        "maximum": question.maximum,
        "step": 1 if question.integer else "any",
    }


def _text(_definition: Definition, question: Question, _language: str) -> dict[str, Any]:
    return {"as": "text", "rows": question.rows, "max_chars": question.max_chars}


def _choices(definition: Definition, question: Question, language: str) -> list[dict[str, str]]:
    return [
        {"value": choice.value, "label": definition.say(choice.label, language)}
        for choice in question.choices
        if choice.offered
    ]


_PRINT: dict[Kind, Callable[[Definition, Question, str], dict[str, Any]]] = {
    Kind.SCALE: _scale,
    Kind.SINGLE: _single,
    Kind.MULTIPLE: _multiple,
    Kind.NUMBER: _number,
    Kind.TEXT: _text,
}
