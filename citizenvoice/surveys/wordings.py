"""The texts of a questionnaire in its languages: what each is called, where it stands, new words for it."""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from citizenvoice.surveys.definition import Definition, all_texts
from citizenvoice.surveys.drafting import Draft
from citizenvoice.surveys.instrument_library import find_instrument
from citizenvoice.surveys.parsing import parse_definition
from citizenvoice.surveys.reading import Text


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
