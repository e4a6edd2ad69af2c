"""What a person is asked follows from what was answered before."""

from dataclasses import replace

import pytest

from citizenvoice.surveys import routing
from citizenvoice.surveys.conditions import AllOf, Answered, AnyOf
from citizenvoice.surveys.instrument_library import get_instrument
from citizenvoice.surveys.parsing import parse_definition
from citizenvoice.surveys.routing import Asked, ChoiceState

THUMBS = get_instrument("omb_a11_v2_thumbs").definition
RADIO = get_instrument("omb_a11_v2_radio").definition
CSM = get_instrument("arta_csm_onsite").definition


@pytest.mark.parametrize(
    ("score", "shown"),
    [
        (1, ["went_badly"]),
        (2, ["went_badly"]),
        (3, ["went_well", "went_badly"]),
        (4, ["went_well"]),
        (5, ["went_well"]),
    ],
)
def test_a_neutral_score_is_asked_both_what_went_well_and_what_did_not(score: int, shown: list[str]) -> None:
    page = routing.questions_on_page(RADIO, "reasons", {"q1": score})
    assert [question.key for question in page] == [*shown, "more"]


def test_a_driver_has_three_states() -> None:
    states = routing.choice_states(THUMBS, {"q1": 1, "went_well": ["ease"]}, 2, "went_well")
    assert (states["ease"], states["effectiveness"]) == (ChoiceState.CHOSEN, ChoiceState.OFFERED)
    other = routing.choice_states(THUMBS, {"q1": 1}, 2, "went_badly")
    assert set(other.values()) == {ChoiceState.NOT_ASKED}
    stopped = routing.choice_states(THUMBS, {"q1": 1}, 1, "went_well")
    assert set(stopped.values()) == {ChoiceState.NOT_ASKED}  # left after the first page: null, not 0


def test_page_one_of_a11_counts_alone() -> None:
    a11 = get_instrument("omb_a11_v1").definition
    asked = routing.asked(a11, {"q1": 4, "q2": 5}, 1)
    assert [key for key, state in asked.items() if state is Asked.OFFERED] == ["q1", "q2", "why"]


def test_an_answer_to_a_hidden_question_makes_no_condition_true() -> None:
    definition = parse_definition(
        {
            "languages": ["en"],
            "sections": [
                {"key": "s1", "questions": [yes_no("a")]},
                {"key": "s2", "questions": [yes_no("b", {"question": "a", "in": ["yes"]})]},
                {"key": "s3", "questions": [yes_no("c", {"question": "b", "in": ["yes"]})]},
            ],
        }
    )
    assert routing.shown_questions(definition, {"a": "no", "b": "yes"}) == ["a"]
    assert routing.shown_questions(definition, {"a": "yes", "b": "yes"}) == ["a", "b", "c"]
    assert routing.next_section(definition, {"a": "no", "b": "yes"}, "s1") is None


def test_hidden_sections_are_passed_over_in_both_directions() -> None:
    def after(answers: dict[str, str], section: str) -> str:
        found = routing.next_section(CSM, answers, section)
        assert found is not None
        return found.key

    assert after({"cc1": "2"}, "charter") == "charter_seen"
    assert after({"cc1": "4"}, "charter") == "quality"
    assert after({}, "charter") == "quality"
    back = routing.previous_section(CSM, {"cc1": "4"}, "quality")
    assert back is not None
    assert back.key == "charter"
    assert routing.position(CSM, {"cc1": "4"}, "quality") == 3
    with pytest.raises(KeyError):
        routing.position(CSM, {"cc1": "4"}, "charter_seen")
    first = routing.next_section(CSM, {})
    assert first is not None
    assert first.key == "client"
    assert routing.next_section(CSM, {}, "about_you") is None


def test_not_knowing_the_charter_implies_two_different_not_applicable_codes() -> None:
    answers = routing.answers_after(CSM, {}, "charter", {"cc1": "4"})
    assert answers == {"cc1": "4", "cc2": "5", "cc3": "4"}
    assert routing.asked(CSM, answers, 6)["cc2"] is Asked.NOT_ASKED


def test_a_changed_answer_takes_back_what_followed_from_it() -> None:
    stored = {"cc1": "4", "cc2": "5", "cc3": "4", "sqd0": 5}
    assert routing.answers_after(CSM, stored, "charter", {"cc1": "1"}) == {"cc1": "1", "sqd0": 5}
    stored = {"cc1": "1", "cc2": "2", "cc3": "1"}
    assert routing.answers_after(CSM, stored, "charter", {"cc1": "4"}) == {"cc1": "4", "cc2": "5", "cc3": "4"}
    assert routing.answers_after(CSM, stored, "charter", {}) == {}


def test_conditions_combine() -> None:
    a, b = Answered("a", (1,)), Answered("b", ("x", "y"))
    assert routing.holds(AllOf((a, b)), {"a": 1, "b": ["z", "y"]})
    assert not routing.holds(AllOf((a, b)), {"a": 1})
    assert routing.holds(AnyOf((a, b)), {"a": 1})
    assert not routing.holds(a, {"a": "1"})


def test_a_page_prints_what_may_yet_apply_without_a_script() -> None:
    definition = parse_definition(
        {
            "languages": ["en"],
            "sections": [
                {"key": "s", "questions": [yes_no("a"), yes_no("b", {"question": "a", "in": ["yes"]})]}
            ],
        }
    )
    assert [q.key for q in routing.questions_on_page(definition, "s", {})] == ["a", "b"]


def test_attributes_are_shuffled_the_same_way_for_the_same_person() -> None:
    section = get_instrument("sdg_16_6_2_government").definition.section("attributes")
    orders = {
        routing.shuffled(section, section.questions, str(seed)) == section.questions for seed in range(50)
    }
    assert False in orders
    one = routing.shuffled(section, section.questions, "7")
    assert one == routing.shuffled(section, section.questions, "7")
    assert {q.key for q in one} == {q.key for q in section.questions}
    fixed = replace(section, shuffle=False)
    assert routing.shuffled(fixed, section.questions, "7") == section.questions


def yes_no(key: str, shown_if: dict[str, object] | None = None) -> dict[str, object]:
    choices = [{"value": value, "label": {"en": value}} for value in ("yes", "no")]
    return {"key": key, "kind": "single", "text": {"en": key}, "choices": choices, "shown_if": shown_if}
