"""What changed between two versions of a questionnaire, and which figures may not be compared across it."""

import hashlib
import json
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from citizenvoice.surveys.conditions import condition_json
from citizenvoice.surveys.definition import Definition, Question, Section, question_json
from citizenvoice.surveys.reading import Text


@dataclass(frozen=True, slots=True)
class Change:
    """One difference. ``question`` is the key of the question, the section, or "" for the whole survey.

    ``language`` is "" where words are not what changed. When ``breaks_series`` is true, figures from before
    and after measure different things and must not be joined in one series.
    """

    kind: str
    question: str
    language: str
    before: str
    after: str
    breaks_series: bool


def definition_changes(before: Definition, after: Definition) -> list[Change]:
    """Return what changed, first of the whole, then section by section and question by question."""
    return [
        *_survey_changes(before, after),
        *_section_changes(before, after),
        *_question_set_changes(before, after),
        *_question_changes(before, after),
    ]


def series_digest(question: Question, language: str, section: Section | None = None) -> str:
    """Return a digest of what a figure from this question measures: equal digests may be joined in a series.

    Covers the wording in ``language`` (the default one of the survey), kind, points and their labels,
    polarity, choices, ways out, limits, and who is asked (the conditions of the question and its section).
    Spacing does not count; layout, hints, translations and whether it is required do not either.
    """
    facts = _measured(question, language, section)
    return hashlib.sha256(json.dumps(facts, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def definition_digest(definition: Definition) -> str:
    """Return the SHA-256 of the canonical JSON of a definition."""
    canonical = json.dumps(definition.to_json(), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _survey_changes(before: Definition, after: Definition) -> Iterator[Change]:
    for name in ("title", "intro", "thanks"):
        yield from _word_changes(f"{name}_changed", "", getattr(before, name), getattr(after, name))
    yield from _language_changes(before, after)
    if before.default_language != after.default_language:
        yield _plain("default_language_changed", "", before.default_language, after.default_language)
    if (before.instrument, before.instrument_version) != (after.instrument, after.instrument_version):
        yield _plain("instrument_changed", "", _label_of(before), _label_of(after))
    for name in sorted({*before.placeholders, *after.placeholders}):
        yield from _word_changes(
            "placeholder_changed", name, before.placeholders.get(name, {}), after.placeholders.get(name, {})
        )


def _language_changes(before: Definition, after: Definition) -> Iterator[Change]:
    for code in before.languages:
        if code not in after.languages:
            yield Change("language_removed", "", code, code, "", breaks_series=False)
    for code in after.languages:
        if code not in before.languages:
            yield Change("language_added", "", code, "", code, breaks_series=False)


def _section_changes(before: Definition, after: Definition) -> Iterator[Change]:
    old = {section.key: section for section in before.sections}
    new = {section.key: section for section in after.sections}
    for key in sorted(old.keys() - new.keys()):
        yield _plain("section_removed", key, key, "")
    for key in sorted(new.keys() - old.keys()):
        yield _plain("section_added", key, "", key)
    for key in [key for key in old if key in new]:
        yield from _word_changes("section_title_changed", key, old[key].title, new[key].title)
        yield from _word_changes("section_intro_changed", key, old[key].intro, new[key].intro)
        if old[key].shuffle != new[key].shuffle:
            yield _plain("section_order_changed", key, str(old[key].shuffle), str(new[key].shuffle))
    if _common(old, new) != _common(new, old):
        yield _plain("sections_moved", "", ", ".join(_common(old, new)), ", ".join(_common(new, old)))


def _question_set_changes(before: Definition, after: Definition) -> Iterator[Change]:
    old = {question.key: question for question in before.questions}
    new = {question.key: question for question in after.questions}
    language = after.default_language
    for key, question in old.items():
        if key not in new:
            yield Change(
                "question_removed", key, language, before.say(question.text, language), "", breaks_series=True
            )
    for key, question in new.items():
        if key not in old:
            # A new question starts a series of its own; it breaks none.
            yield Change(
                "question_added", key, language, "", after.say(question.text, language), breaks_series=False
            )
    if _common(old, new) != _common(new, old):
        yield _plain("questions_moved", "", ", ".join(_common(old, new)), ", ".join(_common(new, old)))


def _question_changes(before: Definition, after: Definition) -> Iterator[Change]:
    old = {question.key: (section, question) for section in before.sections for question in section.questions}
    default = before.default_language
    for section in after.sections:
        for question in section.questions:
            if question.key in old:
                yield from _one_question(old[question.key], (section, question), default)


def _one_question(
    before: tuple[Section, Question], after: tuple[Section, Question], default: str
) -> Iterator[Change]:
    old, new = before[1], after[1]
    key = old.key
    yield from _word_changes("text_changed", key, old.text, new.text, breaking=default)
    yield from _word_changes("hint_changed", key, old.hint, new.hint)
    measured_before = _measured(old, default, before[0])
    measured_after = _measured(new, default, after[0])
    for name, kind in _MEASURED_KINDS.items():
        if measured_before[name] != measured_after[name]:
            yield Change(
                kind, key, "", _show(measured_before[name]), _show(measured_after[name]), breaks_series=True
            )
    if before[0].key != after[0].key:
        yield _plain("moved_to_section", key, before[0].key, after[0].key)
    if before[0].about_you != after[0].about_you:
        yield Change(
            "about_you_changed",
            key,
            "",
            str(before[0].about_you),
            str(after[0].about_you),
            breaks_series=True,
        )
    yield from _loose_changes(old, new, default)


def _loose_changes(old: Question, new: Question, default: str) -> Iterator[Change]:
    """Yield what changed in how a question looks or is handled, which leaves what it measures alone."""
    for name in ("required", "locked", "role", "display", "max_chars", "rows"):
        if getattr(old, name) != getattr(new, name):
            yield _plain(f"{name}_changed", old.key, str(getattr(old, name)), str(getattr(new, name)))
    before, after = _translations(old, default), _translations(new, default)
    for language in sorted(before.keys() & after.keys()):
        if before[language] != after[language] and old.possible_values == new.possible_values:
            yield Change(
                "labels_changed",
                old.key,
                language,
                " / ".join(before[language]),
                " / ".join(after[language]),
                breaks_series=False,
            )


def _word_changes(
    kind: str, key: str, before: Text, after: Text, *, breaking: str | None = None
) -> Iterator[Change]:
    for language in dict.fromkeys([*before, *after]):
        old, new = before.get(language, ""), after.get(language, "")
        if _plain_words(old) != _plain_words(new):
            yield Change(kind, key, language, old, new, breaks_series=language == breaking)


def _plain(kind: str, key: str, before: str, after: str) -> Change:
    return Change(kind, key, "", before, after, breaks_series=False)


_MEASURED_KINDS = {
    "kind": "kind_changed",
    "points": "points_changed",
    "polarity": "polarity_changed",
    "choices": "choices_changed",
    "max_choices": "max_choices_changed",
    "ways_out": "ways_out_changed",
    "limits": "limits_changed",
    "shown_if": "condition_changed",
    "implied": "implied_changed",
}


def _measured(question: Question, language: str, section: Section | None) -> dict[str, Any]:
    def label(text: Text) -> str:
        return _plain_words(text.get(language, ""))

    return {
        "text": label(question.text),
        "kind": question.kind.value,
        "points": [[point.value, label(point.label)] for point in question.points],
        "polarity": question.polarity,
        "choices": [[c.value, label(c.label), c.offered] for c in question.choices],
        "max_choices": question.max_choices,
        "ways_out": [[value, label(option.label)] for value, option in question.ways_out.items()],
        "limits": [
            question.minimum,
            question.maximum,
            question.integer,
            [[band.value, band.minimum, band.maximum] for band in question.bands],
        ],
        "shown_if": [
            condition_json(section.shown_if if section else None),
            condition_json(question.shown_if),
        ],
        "implied": question_json(question)["implied"],
    }


def _translations(question: Question, default: str) -> dict[str, list[str]]:
    """Return the words of the answers by language, without the default one, which is measured."""
    labels = question.answer_labels
    languages = {language for label in labels for language in label} - {default}
    return {language: [_plain_words(label.get(language, "")) for label in labels] for language in languages}


def _plain_words(words: str) -> str:
    return " ".join(unicodedata.normalize("NFC", words).split())


def _common(these: dict[str, Any], those: dict[str, Any]) -> list[str]:
    return [key for key in these if key in those]


def _label_of(definition: Definition) -> str:
    return " ".join(filter(None, (definition.instrument, definition.instrument_version)))


def _show(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
