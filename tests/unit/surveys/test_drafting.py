"""Edits of a draft: each leaves the one it was given alone and returns the next."""

from copy import deepcopy
from typing import Any

import pytest

from citizenvoice.errors import DomainError, NotFoundError
from citizenvoice.surveys import drafting, official_words, wordings
from citizenvoice.surveys.instrument_library import get_instrument, instruments
from citizenvoice.surveys.parsing import DefinitionError, parse_definition
from citizenvoice.surveys.publishing import problems_for_publishing, wording_changes


def text(key: str, **fields: Any) -> dict[str, Any]:
    return {"key": key, "kind": "text", "text": {"en": f"{key}?"}, "locked": False} | fields


def yes_no(key: str, **fields: Any) -> dict[str, Any]:
    choices = [{"value": value, "label": {"en": value}} for value in ("yes", "no")]
    return {"key": key, "kind": "single", "text": {"en": f"{key}?"}, "choices": choices} | fields


def draft(*sections: list[dict[str, Any]]) -> dict[str, Any]:
    pages = [{"key": f"page_{n}", "questions": questions} for n, questions in enumerate(sections, 1)]
    return parse_definition({"title": {"en": "Us"}, "languages": ["en", "es"], "sections": pages}).to_json()


def order(changed: dict[str, Any]) -> list[list[str]]:
    return [[question["key"] for question in section["questions"]] for section in changed["sections"]]


def test_edits_leave_the_draft_they_were_given_alone() -> None:
    before = draft([yes_no("a"), text("b")], [text("c")])
    kept = deepcopy(before)

    drafting.add_section(before, {"key": "new_one"}, after="page_1")
    drafting.update_section(before, "page_1", {"title": {"en": "T"}})
    drafting.move_section(before, "page_1", 1)
    drafting.remove_section(before, "page_2")
    drafting.add_question(before, "page_1", text("d"))
    drafting.replace_question(before, "a", text("a"))
    drafting.move_question(before, "b", 1)
    drafting.remove_question(before, "c")
    wordings.set_words(before, "sections.0.title", "es", "Título")
    official_words.give_up_official_wording(before, "a")

    assert before == kept


def test_questions_move_through_pages_and_stop_at_both_ends() -> None:
    changed = draft([text("a"), text("b")], [text("c")])

    changed = drafting.move_question(changed, "b", 1)
    assert order(changed) == [["a"], ["b", "c"]]
    changed = drafting.move_question(changed, "b", -1)
    assert order(changed) == [["a", "b"], ["c"]]
    assert order(drafting.move_question(changed, "a", -1)) == order(changed)
    assert order(drafting.move_question(changed, "c", 1)) == order(changed)


def test_a_new_question_stands_after_the_one_it_was_asked_for() -> None:
    changed = draft([text("a"), text("b")])

    assert order(drafting.add_question(changed, "page_1", text("x"), after="a")) == [["a", "x", "b"]]
    assert order(drafting.add_question(changed, "page_1", text("x"))) == [["x", "a", "b"]]


def test_sections_are_added_moved_and_taken_out() -> None:
    changed = drafting.add_section(draft([text("a")], [text("b")]), {"key": "mid"}, after="page_1")
    assert [section["key"] for section in changed["sections"]] == ["page_1", "mid", "page_2"]

    changed = drafting.move_section(changed, "page_2", -1)
    assert [section["key"] for section in changed["sections"]] == ["page_1", "page_2", "mid"]

    changed = drafting.remove_section(changed, "page_1")
    assert order(changed) == [["b"], []]
    with pytest.raises(NotFoundError):
        drafting.remove_section(changed, "page_1")


def test_a_question_others_depend_on_cannot_be_taken_out() -> None:
    changed = draft([yes_no("a")], [text("b", shown_if={"question": "a", "in": ["yes"]})])

    assert drafting.dependents(changed, ["a"]) == ["b"]
    for refused in (drafting.remove_question, drafting.remove_section):
        with pytest.raises(DomainError) as raised:
            refused(changed, "a" if refused is drafting.remove_question else "page_1")
        assert raised.value.params == {"questions": "“b?”"}
    assert order(drafting.remove_question(changed, "b")) == [["a"], []]


def test_a_condition_inside_a_removed_page_holds_nothing_back() -> None:
    changed = draft([yes_no("a"), text("b", shown_if={"question": "a", "in": ["yes"]})], [text("c")])

    assert order(drafting.remove_section(changed, "page_1")) == [["c"]]


def test_pages_are_called_by_their_title_or_by_what_they_ask() -> None:
    changed = draft([text("a")], [text("b"), text("c")], [text("d"), text("e")])
    changed["sections"][2]["title"] = {"en": "About you"}

    found = drafting.called(parse_definition(changed), ["page_2", "page_3", "e"])

    assert found == ["“b?”", "“c?”", "“About you”", "“e?”"]


def test_a_question_cannot_follow_one_that_is_not_there() -> None:
    changed = draft([text("a")], [text("b")])

    for after in ("gone", "b"):
        with pytest.raises(NotFoundError):
            drafting.add_question(changed, "page_1", text("x"), after=after)


def test_moving_a_question_before_what_it_depends_on_is_found_out() -> None:
    changed = draft([yes_no("a"), text("b", shown_if={"question": "a", "in": ["yes"]})])

    with pytest.raises(DefinitionError):
        parse_definition(drafting.move_question(changed, "a", 1))


def test_keys_are_made_of_words_and_never_taken_twice() -> None:
    changed = draft([text("how_was_it")])

    assert drafting.free_key(changed, "How was it?", "question") == "how_was_it_2"
    assert drafting.free_key(changed, "؟كيف", "question") == "question"
    assert drafting.free_key(changed, "New", "page") == "new_2"
    assert drafting.free_key(changed, "24 hours", "question") == "question_24_hours"


def test_every_text_can_be_translated_by_its_name() -> None:
    for instrument in instruments():
        start = drafting.draft_of(instrument, ["en", "es", "fr"])
        start["instrument"] = None
        definition = parse_definition(start)
        words = wordings.words_of(definition)
        assert len({item.name for item in words}) == len(words), instrument.key

        typed = {item.name: f"[fr] {item.name}" for item in words}
        done = parse_definition(wordings.set_all_words(start, "fr", typed))

        assert wordings.missing_words(done, "fr") == []
        for item in wordings.words_of(done):
            assert item.text["fr"] == f"[fr] {item.name}"


def test_official_wording_is_not_translated_over_but_our_own_translation_is() -> None:
    start = drafting.draft_of(get_instrument("nps"), ["es", "en"])
    typed = {"nps:text": "Something else", "why:text": "Why?"}

    english = parse_definition(wordings.set_all_words(start, "en", typed))
    spanish = parse_definition(wordings.set_all_words(start, "es", typed))

    official = get_instrument("nps").definition.question("nps").text
    assert english.question("nps").text["en"] == official["en"]
    assert english.question("why").text["en"] == "Why?"
    assert spanish.question("nps").text["es"] == "Something else"
    assert wording_changes(spanish) == []


def test_without_words_a_language_is_taken_away() -> None:
    changed = wordings.set_words(draft([text("a")]), "sections.0.questions.0.text", "es", " ¿A? ")
    assert changed["sections"][0]["questions"][0]["text"] == {"en": "a?", "es": "¿A?"}

    changed = wordings.set_words(changed, "sections.0.questions.0.text", "es", "  ")
    assert changed["sections"][0]["questions"][0]["text"] == {"en": "a?"}


@pytest.mark.parametrize("key", [instrument.key for instrument in instruments()])
def test_official_wording_given_up_comes_back_whole(key: str) -> None:
    instrument = get_instrument(key)
    start = drafting.draft_of(instrument, ["en", "es"])
    locked = [question.key for question in instrument.definition.questions if question.locked]
    if not locked:
        pytest.skip("nothing is locked in it")

    changed = official_words.give_up_official_wording(start, locked[0])
    assert changed["instrument"] is None
    item = deepcopy(next(q for s in changed["sections"] for q in s["questions"] if q["key"] == locked[0]))
    item["text"] = {"en": "Mine", "es": "Mía"}
    changed = drafting.replace_question(changed, locked[0], item)
    assert official_words.differences_from(parse_definition(changed), instrument)

    restored = official_words.restore_official_wording(changed, instrument)
    assert official_words.differences_from(parse_definition(restored), instrument) == []
    assert restored["instrument"] == key
    assert all(parse_definition(restored).question(name).locked for name in locked)


def test_taking_out_what_must_be_asked_costs_the_label_and_what_need_not_does_not() -> None:
    instrument = get_instrument("omb_a11_v1")
    start = drafting.draft_of(instrument, ["en"])

    optional = drafting.remove_question(start, "q7", instrument)
    asked = drafting.remove_question(start, "q6", instrument)

    assert optional["instrument"] == "omb_a11_v1"
    assert wording_changes(parse_definition(optional)) == []
    assert asked["instrument"] is None
    restored = official_words.restore_official_wording(asked, instrument)
    assert official_words.differences_from(parse_definition(restored), instrument) == []


def test_answers_an_authority_does_not_require_can_be_left_out_and_come_back() -> None:
    instrument = get_instrument("omb_a11_v2_thumbs")
    start = drafting.draft_of(instrument, ["en"])

    fewer = official_words.keep_choices(start, "went_well", ["other"], instrument)
    values = [choice.value for choice in parse_definition(fewer).question("went_well").choices]
    assert values == ["effectiveness", "ease", "other"]
    assert wording_changes(parse_definition(fewer)) == []

    again = official_words.keep_choices(fewer, "went_well", ["humanity"], instrument)
    values = [choice.value for choice in parse_definition(again).question("went_well").choices]
    assert values == ["effectiveness", "ease", "humanity"]


def test_another_allowed_wording_keeps_the_label() -> None:
    instrument = get_instrument("gds_satisfaction")
    start = drafting.draft_of(instrument, ["en"])

    changed = official_words.choose_wording(start, "gds", instrument.variants["gds"][0])

    assert parse_definition(changed).question("gds").text != instrument.definition.question("gds").text
    assert wording_changes(parse_definition(changed)) == []


def test_the_place_of_every_problem_of_an_untranslated_questionnaire_is_found() -> None:
    start = drafting.draft_of(get_instrument("omb_a11_v1"), ["en", "fr"])
    definition = parse_definition(start)
    keys = {question.key for question in definition.questions}

    problems = problems_for_publishing(definition)
    places = [wordings.place_of(problem.path, definition) for problem in problems]

    assert len(places) > 20
    assert {place.language for place in places} == {"en", "fr"}  # [service] stands for nothing yet in English
    assert all(place.question in keys for place in places if place.question)
    assert wordings.place_of("sections.0.questions.1.points.2.label.fr", definition) == wordings.Place(
        "points.2.label", "main", "q2", "fr"
    )
    assert wordings.place_of("questions.q1.text", definition) == wordings.Place("text", "", "q1")
    assert wordings.place_of("title", definition) == wordings.Place("title")
