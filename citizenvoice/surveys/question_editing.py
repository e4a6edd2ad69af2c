"""One question as the page for editing it shows it, and what was typed there as a question again."""

import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from citizenvoice.errors import N_, NotFoundError
from citizenvoice.surveys.conditions import AllOf, Answered, AnyOf, Condition, condition_json
from citizenvoice.surveys.definition import Definition, Kind, Question
from citizenvoice.surveys.reading import Text

Item = dict[str, Any]

MAX_CONDITIONS = 3  # that the page for building them offers
_NOT_KEY = re.compile(r"[^a-z0-9]+")


def free_name(words: str, otherwise: str, taken: Collection[str]) -> str:
    """Return a short name made of these words, numbered if it is taken.

    >>> free_name("3 days", "choice", {"choice_3_days"})
    'choice_3_days_2'
    """
    plain = unicodedata.normalize("NFKD", words.casefold()).encode("ascii", "ignore").decode()
    name = _NOT_KEY.sub("_", plain).strip("_")[:40].strip("_")
    if not name:
        name = otherwise
    elif not name[0].isalpha():
        name = f"{otherwise}_{name}"
    number, wanted = 1, name
    while name in taken:
        number += 1
        name = f"{wanted}_{number}"
    return name


def in_language(text: Text, language: str, words: str, languages: Sequence[str]) -> dict[str, str]:
    """Return a text with new words in one language; well-known words also in others that lack them.

    >>> in_language({}, "en", "Don't know", ["en", "es"])
    {'en': "Don't know", 'es': 'No sé'}
    """
    words = words.strip()
    changed = {**text, language: words}
    if not words:
        del changed[language]
        return changed
    known = next((known for known in KNOWN_WORDS if known.get(language) == words), {})
    for code in languages:
        if code in known and code not in changed:
            changed[code] = known[code]
    return changed


def _scale(*labels: tuple[int, str, str]) -> tuple[Item, ...]:
    return tuple({"value": value, "label": {"en": en, "es": es}} for value, en, es in labels)


@dataclass(frozen=True, slots=True)
class Preset:
    """A common scale, ready to use."""

    name: str
    points: tuple[Item, ...]
    display: str = "radio"


PRESETS = {
    "agree": Preset(
        N_("Agreement, 5 points"),
        _scale(
            (1, "Strongly disagree", "Muy en desacuerdo"),
            (2, "Disagree", "En desacuerdo"),
            (3, "Neither agree nor disagree", "Ni de acuerdo ni en desacuerdo"),
            (4, "Agree", "De acuerdo"),
            (5, "Strongly agree", "Muy de acuerdo"),
        ),
    ),
    "satisfied": Preset(
        N_("Satisfaction, 5 points"),
        _scale(
            (1, "Very dissatisfied", "Muy insatisfecho"),
            (2, "Dissatisfied", "Insatisfecho"),
            (3, "Neither satisfied nor dissatisfied", "Ni satisfecho ni insatisfecho"),
            (4, "Satisfied", "Satisfecho"),
            (5, "Very satisfied", "Muy satisfecho"),
        ),
    ),
    "eleven": Preset(
        N_("0 to 10"),
        _scale(
            (0, "0 – Not at all likely", "0 – Nada probable"),
            *((n, str(n), str(n)) for n in range(1, 10)),
            (10, "10 – Extremely likely", "10 – Sumamente probable"),
        ),
        "numbers",
    ),
    "yes_no": Preset(N_("Yes or no"), _scale((1, "Yes", "Sí"), (0, "No", "No"))),
    "thumbs": Preset(
        N_("Thumbs up or down"),
        _scale((1, "Thumbs up", "Pulgar hacia arriba"), (0, "Thumbs down", "Pulgar hacia abajo")),
        "thumbs",
    ),
}
KNOWN_WORDS: tuple[Mapping[str, str], ...] = (
    *(point["label"] for preset in PRESETS.values() for point in preset.points),
    {"en": "Don't know", "es": "No sé"},
    {"en": "Does not apply", "es": "No corresponde"},
    {"en": "Prefer not to say", "es": "Prefiero no decirlo"},
    {"en": "Other", "es": "Otro"},
    {
        "en": "Please do not write names, numbers or addresses.",
        "es": "Por favor, no escriba nombres, números ni direcciones.",
    },
)


# A question as its page shows it


def question_values(question: Question, language: str) -> dict[str, Any]:
    """Return what the page for editing a question starts with."""

    def say(text: Text) -> str:
        return text.get(language, "")

    return {
        "text": say(question.text),
        "hint": say(question.hint),
        "required": question.required,
        "role": question.role or "",
        "display": question.display,
        "polarity": question.polarity,
        "points": [{"was": str(p.value), "value": p.value, "label": say(p.label)} for p in question.points],
        "has_not_applicable": question.not_applicable is not None,
        "not_applicable": say(question.not_applicable.label) if question.not_applicable else "",
        "has_dont_know": question.dont_know is not None,
        "dont_know": say(question.dont_know.label) if question.dont_know else "",
        "choices": [{"was": choice.value, "label": say(choice.label)} for choice in question.choices],
        "max_choices": question.max_choices,
        "max_chars": question.max_chars,
        "rows": question.rows,
        "minimum": question.minimum,
        "maximum": question.maximum,
        "integer": question.integer,
        "bands": [
            {"was": b.value, "label": say(b.label), "minimum": b.minimum, "maximum": b.maximum}
            for b in question.bands
        ],
    }


def question_from(
    kind: Kind, typed: Mapping[str, Any], languages: Sequence[str], before: Item | None = None
) -> Item:
    """Return a question with what was typed in the first language; what is not on the page is kept.

    Answers are known again by the value they had (``was``), so that their translations stay with them.
    """
    old = before or {"kind": kind.value, "locked": False, "implied": [], "shown_if": None}
    changed: Item = {
        **deepcopy(old),
        "text": in_language(old.get("text", {}), languages[0], typed["text"], languages),
        "hint": in_language(old.get("hint", {}), languages[0], typed["hint"], languages),
        "required": bool(typed["required"]),
        "role": typed["role"] or None,
    }
    changed.update(_TYPED[kind](typed, languages, old))
    return changed


def _typed_scale(typed: Mapping[str, Any], languages: Sequence[str], old: Item) -> Item:
    known = {str(point["value"]): point["label"] for point in old.get("points", ())}
    rows = [row for row in typed["points"] if row["value"] is not None or row["label"].strip()]
    return {
        "display": typed["display"],
        "polarity": typed["polarity"],
        "points": [
            {
                "value": row["value"],
                "label": in_language(known.get(row["was"], {}), languages[0], row["label"], languages),
            }
            for row in rows
        ],
        **{name: _typed_option(typed, languages, old, name) for name in ("not_applicable", "dont_know")},
    }


def _typed_option(typed: Mapping[str, Any], languages: Sequence[str], old: Item, name: str) -> Item | None:
    if not typed[f"has_{name}"]:
        return None
    option = old.get(name) or {}
    label = in_language(option.get("label", {}), languages[0], typed[name], languages)
    return {**option, "label": label}


def _typed_choices(typed: Mapping[str, Any], languages: Sequence[str], old: Item) -> Item:
    known = {choice["value"]: choice for choice in old.get("choices", ())}
    taken = {row["was"] for row in typed["choices"] if row["was"]}
    choices = []
    for row in typed["choices"]:
        if not row["label"].strip():
            continue
        value = row["was"] if row["was"] in known else free_name(row["label"], "choice", taken)
        taken.add(value)
        choice = known.get(value, {})
        label = in_language(choice.get("label", {}), languages[0], row["label"], languages)
        choices.append({**choice, "value": value, "label": label})
    return {"choices": choices}


def _typed_multiple(typed: Mapping[str, Any], languages: Sequence[str], old: Item) -> Item:
    return {**_typed_choices(typed, languages, old), "max_choices": typed["max_choices"]}


def _typed_text(typed: Mapping[str, Any], _languages: Sequence[str], _old: Item) -> Item:
    return {"max_chars": typed["max_chars"], "rows": typed["rows"]}


def _typed_number(typed: Mapping[str, Any], languages: Sequence[str], old: Item) -> Item:
    known = {band["value"]: band["label"] for band in old.get("bands", ())}
    taken = {row["was"] for row in typed["bands"] if row["was"]}
    bands = []
    for row in typed["bands"]:
        if not row["label"].strip() and row["minimum"] is None and row["maximum"] is None:
            continue
        value = row["was"] if row["was"] in known else free_name(row["label"], "band", taken)
        taken.add(value)
        label = in_language(known.get(value, {}), languages[0], row["label"], languages)
        bands.append({"value": value, "label": label, "minimum": row["minimum"], "maximum": row["maximum"]})
    return {
        "minimum": typed["minimum"],
        "maximum": typed["maximum"],
        "integer": bool(typed["integer"]) or bool(bands),
        "bands": bands,
    }


_TYPED = {
    Kind.SCALE: _typed_scale,
    Kind.SINGLE: _typed_choices,
    Kind.MULTIPLE: _typed_multiple,
    Kind.TEXT: _typed_text,
    Kind.NUMBER: _typed_number,
}


# Shown only if


@dataclass(frozen=True, slots=True)
class SimpleCondition:
    """A condition that the page can show: up to three questions, all or any of them answered so."""

    match: str  # all, any
    parts: tuple[Answered, ...]


def simple_condition(condition: Condition | None) -> SimpleCondition | None:
    """Return a condition as the page shows it; None if it is more than that."""
    if condition is None:
        return SimpleCondition("all", ())
    if isinstance(condition, Answered):
        return SimpleCondition("all", (condition,))
    parts = tuple(part for part in condition.conditions if isinstance(part, Answered))
    if len(parts) < len(condition.conditions) or len(parts) > MAX_CONDITIONS:
        return None
    return SimpleCondition("all" if isinstance(condition, AllOf) else "any", parts)


def condition_from(
    definition: Definition, match: str, rows: Sequence[tuple[str, Sequence[str]]]
) -> dict[str, Any] | None:
    """Return the condition that was built of (question, answers), as JSON; None where nothing was chosen.

    Answers arrive as text and become the values of the question; what is no answer is left out.
    Raises NotFoundError if there is no such question.
    """
    known = {question.key: question for question in definition.questions}
    parts = []
    for key, answers in rows:
        if key not in known:
            raise NotFoundError(N_("There is no such question in this questionnaire."))
        values = [value for value in known[key].possible_values if str(value) in answers]
        parts.append(Answered(key, tuple(values)))
    if not parts:
        return None
    whole: Condition = parts[0]
    if len(parts) > 1:
        whole = AllOf(tuple(parts)) if match == "all" else AnyOf(tuple(parts))
    return condition_json(whole)


def earlier_questions(
    definition: Definition, *, before: str | None = None, in_section: str | None = None
) -> list[Question]:
    """Return the questions a condition can name: those asked before a question, or before a section.

    Without ``before`` all of ``in_section`` counts as earlier too: a new question is about to follow it.
    """
    found: list[Question] = []
    for section in definition.sections:
        if before is not None and section.key == before:
            break
        for question in section.questions:
            if question.key == before:
                return found
            if not section.about_you and question.possible_values:
                found.append(question)
        if section.key == in_section:
            break
    return found


def answer_choices(definition: Definition, question: Question) -> Iterator[tuple[str, str]]:
    """Yield (value, words) of each answer to a question, in order, in the first language."""
    language = definition.default_language
    labels = {
        **{str(point.value): point.label for point in question.points},
        **{value: option.label for value, option in question.ways_out.items()},
        **{choice.value: choice.label for choice in question.choices},
        **{band.value: band.label for band in question.bands},
    }
    for value, label in labels.items():
        yield value, definition.say(label, language) or value
