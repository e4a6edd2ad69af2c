"""Tells what changed between two versions in the words of the people who read it."""

from collections.abc import Callable, Mapping
from typing import Any

from flask_babel import gettext as _

from citizenvoice.surveys.change_names import CHANGE_NAMES
from citizenvoice.surveys.changes import Change, definition_changes
from citizenvoice.surveys.definition import Definition, Question, Section
from citizenvoice.surveys.instrument_library import find_instrument
from citizenvoice.surveys.question_editing import answer_choices
from citizenvoice.surveys.question_forms import DISPLAY_NAMES, KIND_NAMES, ROLE_NAMES
from citizenvoice.surveys.views.conditions import in_words
from citizenvoice.web.languages import own_name


def described(before: Definition, after: Definition) -> list[dict[str, Any]]:
    """Return what changed, each change with the words people know it by."""
    return [
        {
            "name": _(CHANGE_NAMES[change.kind]),
            "about": about(change, before, after),
            "language": own_name(change.language) if change.language else "",
            "before": told(change, change.before, before),
            "after": told(change, change.after, after),
            "breaks_series": change.breaks_series,
        }
        for change in definition_changes(before, after)
    ]


def about(change: Change, before: Definition, after: Definition) -> str:
    """Return the wording of the question a change is about, or the name of the page."""
    if change.kind in ("question_added", "question_removed"):
        return ""
    for definition in (after, before):
        question, section = (
            find_question(definition, change.question),
            find_section(definition, change.question),
        )
        if question:
            return definition.say(question.text, definition.default_language)
        if section:
            return definition.say(section.title, definition.default_language) or section.key
    return change.question


def told(change: Change, value: str, definition: Definition) -> str:
    """Return one side of a change as a person would say it."""
    question = find_question(definition, change.question)
    if question and change.kind in _OF_QUESTION:
        return _OF_QUESTION[change.kind](definition, question)
    if change.kind in _OF_WHOLE:
        return _OF_WHOLE[change.kind](definition, value)
    return plain(value)


def plain(value: str) -> str:
    """Return a value of the definition in words."""
    if value in _PLAIN:
        return str(_PLAIN[value]())
    kinds = {str(kind): name for kind, name in KIND_NAMES.items()}
    known = {**kinds, **ROLE_NAMES, **DISPLAY_NAMES}
    return str(_(known[value])) if value in known else value


def label_of(value: str) -> str:
    """Return the name of the official questionnaire and its version."""
    key, _space, version = value.partition(" ")
    instrument = find_instrument(key)
    if instrument is None:
        return str(_("none"))
    return " ".join((instrument.name.get("en", key), version))


def find_question(definition: Definition, key: str) -> Question | None:
    """Return a question, or None."""
    return next((question for question in definition.questions if question.key == key), None)


def find_section(definition: Definition, key: str) -> Section | None:
    """Return a page, or None."""
    return next((section for section in definition.sections if section.key == key), None)


def title_of(definition: Definition, key: str) -> str:
    """Return what a question or a page is called."""
    question, section = find_question(definition, key), find_section(definition, key)
    text: Mapping[str, str] = question.text if question else section.title if section else {}
    return definition.say(text, definition.default_language) or key


def answers(definition: Definition, question: Question) -> str:
    """Return the answers of a question in order, the points of a scale with their values."""
    values = {str(point.value) for point in question.points}
    found = answer_choices(definition, question)
    return " / ".join(f"{value} {words}" if value in values else words for value, words in found)


def limits(definition: Definition, question: Question) -> str:
    """Return within which limits a number is taken."""
    parts = [
        *([_("from %(number)s", number=question.minimum)] if question.minimum is not None else []),
        *([_("to %(number)s", number=question.maximum)] if question.maximum is not None else []),
        *([_("whole numbers")] if question.integer else []),
        *([answers(definition, question)] if question.bands else []),
    ]
    return ", ".join(parts) or str(_("any number"))


def who(definition: Definition, question: Question) -> str:
    """Return who is asked a question."""
    section = next(section for section in definition.sections if question in section.questions)
    found = [in_words(definition, part) for part in (section.shown_if, question.shown_if) if part]
    return str(_("; and ")).join(found) or str(_("everybody"))


_OF_QUESTION: Mapping[str, Callable[[Definition, Question], str]] = {
    "points_changed": answers,
    "choices_changed": answers,
    "ways_out_changed": answers,
    "limits_changed": limits,
    "condition_changed": who,
}


def titles(definition: Definition, value: str) -> str:
    """Return what questions or pages are called, in the order they stand."""
    return " → ".join(title_of(definition, key) for key in value.split(", ") if key)


_OF_WHOLE: Mapping[str, Callable[[Definition, str], str]] = {
    **dict.fromkeys(("questions_moved", "sections_moved", "moved_to_section"), titles),
    **dict.fromkeys(
        ("language_added", "language_removed", "default_language_changed"),
        lambda _definition, value: own_name(value) if value else "",
    ),
    **dict.fromkeys(("section_added", "section_removed"), lambda _definition, _value: ""),
    "instrument_changed": lambda _definition, value: label_of(value),
}
_PLAIN: Mapping[str, Callable[[], str]] = {
    "True": lambda: _("Yes"),
    "False": lambda: _("No"),
    "None": lambda: _("none"),
    "null": lambda: _("none"),
    "up": lambda: _("A higher value is better"),
    "down": lambda: _("A lower value is better"),
}
