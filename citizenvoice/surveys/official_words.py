"""Official wording in a draft: giving it up, choosing what the authority leaves open, and going back."""

from collections.abc import Collection
from copy import deepcopy
from dataclasses import replace

from citizenvoice.surveys.conditions import condition_json
from citizenvoice.surveys.definition import Definition, question_json
from citizenvoice.surveys.drafting import (
    Draft,
    add_question,
    add_section,
    drop_label,
    index_of_question,
    index_of_section,
    replace_question,
)
from citizenvoice.surveys.instrument_library import Instrument
from citizenvoice.surveys.parsing import parse_definition
from citizenvoice.surveys.publishing import WordingChange, wording_changes
from citizenvoice.surveys.reading import Text


def give_up_official_wording(draft: Draft, key: str) -> Draft:
    """Make a locked question editable; the questionnaire then carries the official label no longer."""
    changed = deepcopy(draft)
    section, index = index_of_question(changed, key)
    changed["sections"][section]["questions"][index]["locked"] = False
    drop_label(changed)
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
        section, _ = index_of_question(draft, key)
        restored = replace_question(draft, key, question)
        restored["sections"][section].update(shown_if)
        return restored
    if all(section["key"] != home.key for section in draft["sections"]):
        titles = {"title": dict(home.title), "intro": dict(home.intro), "about_you": home.about_you}
        draft = add_section(draft, {"key": home.key, **titles, **shown_if})
    last = draft["sections"][index_of_section(draft, home.key)]["questions"]
    return add_question(draft, home.key, question, after=last[-1]["key"] if last else None)


def choose_wording(draft: Draft, key: str, text: Text) -> Draft:
    """Use another of the wordings the authority allows for a locked question."""
    changed = deepcopy(draft)
    section, index = index_of_question(changed, key)
    changed["sections"][section]["questions"][index]["text"] = dict(text)
    return changed


def keep_choices(draft: Draft, key: str, kept: Collection[str], instrument: Instrument) -> Draft:
    """Leave out answers of a locked question that the authority does not require, or bring them back."""
    changed = deepcopy(draft)
    section, index = index_of_question(changed, key)
    required = instrument.required_choices.get(key, ())
    official = question_json(instrument.definition.question(key))["choices"]
    changed["sections"][section]["questions"][index]["choices"] = [
        choice for choice in official if choice["value"] in kept or choice["value"] in required
    ]
    return changed
