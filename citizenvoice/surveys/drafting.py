"""Edits of a questionnaire that is being drafted: each takes a definition's JSON and returns the next one."""

from collections.abc import Collection, Mapping, Sequence
from copy import deepcopy
from typing import Any

from citizenvoice.errors import N_, DomainError, NotFoundError
from citizenvoice.surveys.conditions import Condition, answered_parts
from citizenvoice.surveys.definition import Definition
from citizenvoice.surveys.instrument_library import Instrument
from citizenvoice.surveys.parsing import parse_definition
from citizenvoice.surveys.question_editing import free_name

Draft = dict[str, Any]
Item = dict[str, Any]

NO_QUESTION = N_("There is no such question in this questionnaire.")


# Starting


def blank_draft(title: str, languages: Sequence[str]) -> Draft:
    """Return a questionnaire with one empty page."""
    draft = {
        "title": {languages[0]: title},
        "languages": list(languages),
        "sections": [{"key": "main", "questions": []}],
    }
    return parse_definition(draft).to_json()


def draft_of(instrument: Instrument, languages: Sequence[str]) -> Draft:
    """Return an official questionnaire as it is shipped, to be offered in these languages.

    Its words in other languages are kept: they come back when the language does.
    """
    return {**instrument.definition.to_json(), "languages": list(languages)}


# Sections and questions


def free_key(draft: Draft, words: str, otherwise: str) -> str:
    """Return a key made of these words that no section and no question has yet.

    >>> free_key({"sections": []}, "¿Qué edad tiene?", "question")
    'que_edad_tiene'
    """
    taken = {section["key"] for section in draft["sections"]}
    taken |= {question["key"] for section in draft["sections"] for question in section["questions"]}
    taken.add("new")  # part of an address
    return free_name(words, otherwise, taken)


def add_section(draft: Draft, section: Item, *, after: str | None = None) -> Draft:
    """Put a section after another one; at the end, if that one is not named."""
    changed = deepcopy(draft)
    sections = changed["sections"]
    place = len(sections) if after is None else index_of_section(changed, after) + 1
    sections.insert(place, deepcopy({"questions": [], **section}))
    return changed


def update_section(draft: Draft, key: str, fields: Mapping[str, Any]) -> Draft:
    """Change what a section says and to whom it is shown; its questions stay."""
    changed = deepcopy(draft)
    changed["sections"][index_of_section(changed, key)].update(deepcopy(dict(fields)))
    return changed


def move_section(draft: Draft, key: str, by: int) -> Draft:
    """Move a section up (-1) or down (1); at the end of the line it stays."""
    changed = deepcopy(draft)
    _swap(changed["sections"], index_of_section(changed, key), by)
    return changed


def remove_section(draft: Draft, key: str, instrument: Instrument | None = None) -> Draft:
    """Take a section out with all its questions; the official label goes with those that must be asked.

    Raises DomainError if a question elsewhere depends on one of them.
    """
    index = index_of_section(draft, key)
    inside = [question["key"] for question in draft["sections"][index]["questions"]]
    _refuse_if_needed(draft, inside)
    changed = deepcopy(draft)
    removed = changed["sections"].pop(index)
    if any(removal_costs_label(question, instrument) for question in removed["questions"]):
        drop_label(changed)
    return changed


def add_question(draft: Draft, section: str, question: Item, *, after: str | None = None) -> Draft:
    """Put a question into a section after another one of it; first, if that one is not named.

    Raises NotFoundError if the section has no such question.
    """
    changed = deepcopy(draft)
    questions = changed["sections"][index_of_section(changed, section)]["questions"]
    keys = [other["key"] for other in questions]
    if after is not None and after not in keys:
        raise NotFoundError(NO_QUESTION)
    questions.insert(0 if after is None else keys.index(after) + 1, deepcopy(question))
    return changed


def replace_question(draft: Draft, key: str, question: Item) -> Draft:
    """Change a question; its key and its place stay."""
    changed = deepcopy(draft)
    section, index = index_of_question(changed, key)
    changed["sections"][section]["questions"][index] = {**deepcopy(question), "key": key}
    return changed


def move_question(draft: Draft, key: str, by: int) -> Draft:
    """Move a question up (-1) or down (1); from the edge of its section into the next one."""
    changed = deepcopy(draft)
    sections = changed["sections"]
    section, index = index_of_question(changed, key)
    questions = sections[section]["questions"]
    if 0 <= index + by < len(questions):
        _swap(questions, index, by)
    elif 0 <= section + by < len(sections):
        question = questions.pop(index)
        target = sections[section + by]["questions"]
        target.insert(0 if by > 0 else len(target), question)
    return changed


def remove_question(draft: Draft, key: str, instrument: Instrument | None = None) -> Draft:
    """Take a question out; where it was official wording that must be asked, the official label goes with it.

    Raises DomainError if another question depends on it.
    """
    section, index = index_of_question(draft, key)
    _refuse_if_needed(draft, [key])
    changed = deepcopy(draft)
    question = changed["sections"][section]["questions"].pop(index)
    if removal_costs_label(question, instrument):
        drop_label(changed)
    return changed


def removal_costs_label(question: Item, instrument: Instrument | None) -> bool:
    """Return whether the questionnaire is no longer the official one without this question."""
    return bool(question["locked"] and instrument and question["key"] not in instrument.optional_questions)


def dependents(draft: Draft, keys: Collection[str]) -> list[str]:
    """Return the keys of other questions and sections that are shown, filled in or checked by these."""
    definition = parse_definition(draft)
    found = []
    for section in definition.sections:
        inside = [question for question in section.questions if question.key not in keys]
        if inside and _names_any(section.shown_if, keys):
            found.append(section.key)
        for question in inside:
            conditions = (question.shown_if, *(implied.when for implied in question.implied))
            if any(_names_any(condition, keys) for condition in conditions):
                found.append(question.key)
    return found


def called(definition: Definition, keys: Collection[str]) -> list[str]:
    """Return what questions and sections say, in quotation marks; a section without a title its questions."""
    language = definition.default_language
    found = []
    for section in definition.sections:
        is_titled = section.key in keys and section.title
        if is_titled:
            found.append(f"“{definition.say(section.title, language)}”")
        found += [
            f"“{definition.say(question.text, language) or question.key}”"
            for question in section.questions
            if question.key in keys or (section.key in keys and not is_titled)
        ]
    return found


def _refuse_if_needed(draft: Draft, keys: Collection[str]) -> None:
    needing = dependents(draft, keys)
    if needing:
        raise DomainError(
            N_("Other questions depend on this one: %(questions)s. Change when they are shown first."),
            questions=", ".join(called(parse_definition(draft), needing)),
        )
    rules = [
        rule for rule in draft.get("consistency") or () if {_asked(rule, side) for side in _SIDES} & {*keys}
    ]
    if rules:
        raise DomainError(
            N_("The questionnaire checks this answer against another one, so it must be asked.")
        )


_SIDES = ("if", "then")


def _asked(rule: Item, side: str) -> str:
    return str(rule[side]["question"])


def _names_any(condition: Condition | None, keys: Collection[str]) -> bool:
    return any(part.question in keys for part in answered_parts(condition))


def index_of_section(draft: Draft, key: str) -> int:
    """Return which section has this key. Raises NotFoundError."""
    for n, section in enumerate(draft["sections"]):
        if section["key"] == key:
            return n
    raise NotFoundError(N_("There is no such page in this questionnaire."))


def index_of_question(draft: Draft, key: str) -> tuple[int, int]:
    """Return in which section a question stands, and where there. Raises NotFoundError."""
    for n, section in enumerate(draft["sections"]):
        for m, question in enumerate(section["questions"]):
            if question["key"] == key:
                return n, m
    raise NotFoundError(NO_QUESTION)


def _swap(items: list[Any], index: int, by: int) -> None:
    if 0 <= index + by < len(items):
        items[index], items[index + by] = items[index + by], items[index]


def drop_label(draft: Draft) -> None:
    """Make of a draft one that carries no official label; changes it in place."""
    draft["instrument"] = draft["instrument_version"] = None
