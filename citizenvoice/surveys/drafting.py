"""Edits of a questionnaire that is being drafted: each takes a definition's JSON and returns the next one."""

from collections.abc import Collection, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any

from citizenvoice.errors import N_, DomainError, NotFoundError
from citizenvoice.surveys.definition import (
    Condition,
    Definition,
    all_texts,
    answered_parts,
    condition_json,
    parse_definition,
    question_json,
)
from citizenvoice.surveys.instrument_library import Instrument, find_instrument
from citizenvoice.surveys.publishing import WordingChange, wording_changes
from citizenvoice.surveys.question_editing import free_name
from citizenvoice.surveys.reading import Text

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
    place = len(sections) if after is None else _section_index(changed, after) + 1
    sections.insert(place, deepcopy({"questions": [], **section}))
    return changed


def update_section(draft: Draft, key: str, fields: Mapping[str, Any]) -> Draft:
    """Change what a section says and to whom it is shown; its questions stay."""
    changed = deepcopy(draft)
    changed["sections"][_section_index(changed, key)].update(deepcopy(dict(fields)))
    return changed


def move_section(draft: Draft, key: str, by: int) -> Draft:
    """Move a section up (-1) or down (1); at the end of the line it stays."""
    changed = deepcopy(draft)
    _swap(changed["sections"], _section_index(changed, key), by)
    return changed


def remove_section(draft: Draft, key: str, instrument: Instrument | None = None) -> Draft:
    """Take a section out with all its questions; the official label goes with those that must be asked.

    Raises DomainError if a question elsewhere depends on one of them.
    """
    index = _section_index(draft, key)
    inside = [question["key"] for question in draft["sections"][index]["questions"]]
    _refuse_if_needed(draft, inside)
    changed = deepcopy(draft)
    removed = changed["sections"].pop(index)
    if any(removal_costs_label(question, instrument) for question in removed["questions"]):
        _drop_label(changed)
    return changed


def add_question(draft: Draft, section: str, question: Item, *, after: str | None = None) -> Draft:
    """Put a question into a section after another one of it; first, if that one is not named.

    Raises NotFoundError if the section has no such question.
    """
    changed = deepcopy(draft)
    questions = changed["sections"][_section_index(changed, section)]["questions"]
    keys = [other["key"] for other in questions]
    if after is not None and after not in keys:
        raise NotFoundError(NO_QUESTION)
    questions.insert(0 if after is None else keys.index(after) + 1, deepcopy(question))
    return changed


def replace_question(draft: Draft, key: str, question: Item) -> Draft:
    """Change a question; its key and its place stay."""
    changed = deepcopy(draft)
    section, index = _question_index(changed, key)
    changed["sections"][section]["questions"][index] = {**deepcopy(question), "key": key}
    return changed


def move_question(draft: Draft, key: str, by: int) -> Draft:
    """Move a question up (-1) or down (1); from the edge of its section into the next one."""
    changed = deepcopy(draft)
    sections = changed["sections"]
    section, index = _question_index(changed, key)
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
    section, index = _question_index(draft, key)
    _refuse_if_needed(draft, [key])
    changed = deepcopy(draft)
    question = changed["sections"][section]["questions"].pop(index)
    if removal_costs_label(question, instrument):
        _drop_label(changed)
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


def _section_index(draft: Draft, key: str) -> int:
    for n, section in enumerate(draft["sections"]):
        if section["key"] == key:
            return n
    raise NotFoundError(N_("There is no such page in this questionnaire."))


def _question_index(draft: Draft, key: str) -> tuple[int, int]:
    for n, section in enumerate(draft["sections"]):
        for m, question in enumerate(section["questions"]):
            if question["key"] == key:
                return n, m
    raise NotFoundError(NO_QUESTION)


def _swap(items: list[Any], index: int, by: int) -> None:
    if 0 <= index + by < len(items):
        items[index], items[index + by] = items[index + by], items[index]


# Words


@dataclass(frozen=True, slots=True)
class Words:
    """One text of a questionnaire: what it is, whose, and its words in every language.

    ``name`` stays the same when questions move; ``path`` is where it stands now. ``number`` is the place of
    an answer among its likes, from 1.
    """

    name: str
    path: str
    part: str
    question: str
    section: str
    text: Text
    number: int = 0


def words_of(definition: Definition) -> list[Words]:
    """Return every text that has words, what stands for the placeholders first."""
    found = [
        Words(f"placeholders:{name}", f"placeholders.{name}", name, "", "", text)
        for name, text in definition.placeholders.items()
    ]
    found.extend(_words_at(definition, path, text) for path, text in all_texts(definition) if text)
    return found


def _words_at(definition: Definition, path: str, text: Text) -> Words:
    steps = path.split(".")
    if steps[0] != "sections":
        return Words(path, path, path, "", "", text)
    section = definition.sections[int(steps[1])]
    if steps[2] != "questions":
        part = f"section_{steps[2]}"
        return Words(f"{section.key}:{part}", path, part, "", section.key, text)
    question = section.questions[int(steps[3])]
    rest = steps[4:]
    if len(rest) == 3:  # points.2.label
        value = getattr(question, rest[0])[int(rest[1])].value
        return Words(
            f"{question.key}:{rest[0]}:{value}",
            path,
            rest[0],
            question.key,
            section.key,
            text,
            int(rest[1]) + 1,
        )
    return Words(f"{question.key}:{rest[0]}", path, rest[0], question.key, section.key, text)


def missing_words(definition: Definition, language: str) -> list[Words]:
    """Return the texts that have no words in a language."""
    return [words for words in words_of(definition) if language not in words.text]


def set_words(draft: Draft, path: str, language: str, words: str) -> Draft:
    """Write a text in one language; without words the language is taken away."""
    changed = deepcopy(draft)
    *above, last = path.split(".")
    place: Any = changed
    for step in above:
        place = place[int(step)] if isinstance(place, list) else place.setdefault(step, {})
    texts = place.setdefault(last, {})
    if words.strip():
        texts[language] = words.strip()
    else:
        texts.pop(language, None)
    return changed


def with_words(text: Text, language: str, words: str) -> dict[str, str]:
    """Return a text with other words in one language; without words it has none in it."""
    changed = {**text, language: words.strip()}
    return {code: said for code, said in changed.items() if said}


def words_by_place(definition: Definition) -> list[tuple[str, list[Words]]]:
    """Return every text that has words, grouped by the question or page it belongs to."""
    groups: dict[str, list[Words]] = {}
    for words in words_of(definition):
        groups.setdefault(words.question or words.section, []).append(words)
    return list(groups.items())


def set_all_words(draft: Draft, language: str, typed: Mapping[str, str]) -> Draft:
    """Write many texts in one language, by the names `words_of` gives them; unknown names are left out.

    Official wording that is checked in this language stays as it is.
    """
    definition = parse_definition(draft)
    for words in words_of(definition):
        if words.name in typed and not is_fixed(definition, words, language):
            draft = set_words(draft, words.path, language, typed[words.name])
    return draft


def is_fixed(definition: Definition, words: Words, language: str) -> bool:
    """Return whether a text is official wording in this language, which is not edited in passing."""
    return bool(
        words.question
        and words.part != "hint"
        and definition.question(words.question).locked
        and language in official_languages(definition)
    )


def official_languages(definition: Definition) -> tuple[str, ...]:
    """Return the languages in which locked wording is fixed; without a label, the first one."""
    instrument = find_instrument(definition.instrument)
    if instrument is None:
        return definition.languages[:1]
    shared = tuple(code for code in instrument.definition.languages if code in definition.languages)
    return tuple(code for code in shared if code in instrument.official_languages) or shared


# Official wording


def give_up_official_wording(draft: Draft, key: str) -> Draft:
    """Make a locked question editable; the questionnaire then carries the official label no longer."""
    changed = deepcopy(draft)
    section, index = _question_index(changed, key)
    changed["sections"][section]["questions"][index]["locked"] = False
    _drop_label(changed)
    return changed


def differences_from(definition: Definition, instrument: Instrument) -> list[WordingChange]:
    """Return how a questionnaire differs from the official one it came from, whatever label it carries."""
    return wording_changes(
        replace(definition, instrument=instrument.key, instrument_version=instrument.version)
    )


def restore_official_wording(draft: Draft, instrument: Instrument) -> Draft:
    """Put back every official question that was changed or taken out, and the label with them."""
    definition = parse_definition(draft)
    for key in dict.fromkeys(change.question for change in differences_from(definition, instrument)):
        draft = _restore(draft, key, instrument)
    restored = deepcopy(draft)
    restored["instrument"], restored["instrument_version"] = instrument.key, instrument.version
    official = {question.key for question in instrument.definition.questions if question.locked}
    for section in restored["sections"]:
        for question in section["questions"]:
            question["locked"] = question["locked"] or question["key"] in official
    return restored


def _restore(draft: Draft, key: str, instrument: Instrument) -> Draft:
    theirs = instrument.definition
    home = next(s for s in theirs.sections if any(question.key == key for question in s.questions))
    question = question_json(theirs.question(key))
    shown_if = {"shown_if": condition_json(home.shown_if)}
    if any(other["key"] == key for section in draft["sections"] for other in section["questions"]):
        section, _ = _question_index(draft, key)
        restored = replace_question(draft, key, question)
        restored["sections"][section].update(shown_if)
        return restored
    if all(section["key"] != home.key for section in draft["sections"]):
        titles = {"title": dict(home.title), "intro": dict(home.intro), "about_you": home.about_you}
        draft = add_section(draft, {"key": home.key, **titles, **shown_if})
    last = draft["sections"][_section_index(draft, home.key)]["questions"]
    return add_question(draft, home.key, question, after=last[-1]["key"] if last else None)


def _drop_label(draft: Draft) -> None:
    draft["instrument"] = draft["instrument_version"] = None


def choose_wording(draft: Draft, key: str, text: Text) -> Draft:
    """Use another of the wordings the authority allows for a locked question."""
    changed = deepcopy(draft)
    section, index = _question_index(changed, key)
    changed["sections"][section]["questions"][index]["text"] = dict(text)
    return changed


def keep_choices(draft: Draft, key: str, kept: Collection[str], instrument: Instrument) -> Draft:
    """Leave out answers of a locked question that the authority does not require, or bring them back."""
    changed = deepcopy(draft)
    section, index = _question_index(changed, key)
    required = instrument.required_choices.get(key, ())
    official = question_json(instrument.definition.question(key))["choices"]
    changed["sections"][section]["questions"][index]["choices"] = [
        choice for choice in official if choice["value"] in kept or choice["value"] in required
    ]
    return changed


# Where a problem is


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands: in a section, a question, and a language; each "" where it does not matter."""

    part: str  # the field, such as text or points; "" for the thing itself
    section: str = ""
    question: str = ""
    language: str = ""


def place_of(path: str, definition: Definition) -> Place:
    """Return where a problem's path points.

    Paths are those of `citizenvoice.surveys.publishing`: ``title.es``, ``sections.0.questions.2.text.es``,
    ``questions.q1.points`` or ``placeholders.service.es``.
    """
    steps = path.split(".")
    language = steps.pop() if len(steps) > 1 and steps[-1] in definition.languages else ""
    section = question = ""
    if steps[0] == "sections" and len(steps) > 1:
        found = definition.sections[int(steps[1])]
        section, steps = found.key, steps[2:]
        if len(steps) > 1 and steps[0] == "questions":
            question, steps = found.questions[int(steps[1])].key, steps[2:]
    elif steps[0] == "questions" and len(steps) > 1:
        question, steps = steps[1], steps[2:]
    return Place(".".join(steps), section, question, language)
