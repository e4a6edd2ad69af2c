"""A question on its page and back again."""

from typing import Any

import pytest

from citizenvoice.errors import NotFoundError
from citizenvoice.surveys.definition import Definition, Kind, question_json
from citizenvoice.surveys.instrument_library import instruments
from citizenvoice.surveys.parsing import parse_definition
from citizenvoice.surveys.question_editing import (
    PRESETS,
    answer_choices,
    condition_from,
    earlier_questions,
    question_from,
    question_values,
    simple_condition,
)

EVERY_QUESTION = [
    pytest.param(instrument.definition, question, id=f"{instrument.key}-{question.key}")
    for instrument in instruments()
    for question in instrument.definition.questions
]


@pytest.mark.parametrize(("definition", "question"), EVERY_QUESTION)
def test_a_question_saved_as_it_was_shown_stays_the_same(definition: Definition, question: Any) -> None:
    typed = question_values(question, "en")

    assert question_from(question.kind, typed, ["en", "es"], question_json(question)) == question_json(
        question
    )


def test_translations_stay_with_their_answers_when_these_change_place_and_words() -> None:
    before = {
        "kind": "single",
        "text": {"en": "Which?", "fr": "Lequel ?"},
        "choices": [
            {"value": "a", "label": {"en": "First", "fr": "Premier"}, "offered": True},
            {"value": "b", "label": {"en": "Second", "fr": "Second"}, "offered": True},
        ],
    }
    typed = typed_question(
        choices=[{"was": "b", "label": "Two"}, {"was": "a", "label": "First"}, {"was": "", "label": "Thr33"}]
    )

    after = question_from(Kind.SINGLE, typed, ["en", "fr"], before)

    assert [choice["value"] for choice in after["choices"]] == ["b", "a", "thr33"]
    assert after["choices"][0]["label"] == {"en": "Two", "fr": "Second"}
    assert after["text"] == {"en": "What?", "fr": "Lequel ?"}


def test_new_answers_with_the_same_words_get_values_of_their_own() -> None:
    typed = typed_question(
        choices=[{"was": "", "label": "Yes"}, {"was": "", "label": "Yes"}, {"was": "", "label": "  "}]
    )

    after = question_from(Kind.SINGLE, typed, ["en"])

    assert [choice["value"] for choice in after["choices"]] == ["yes", "yes_2"]


@pytest.mark.parametrize("name", PRESETS)
def test_common_scales_can_be_published_and_come_translated(name: str) -> None:
    preset = PRESETS[name]
    rows = [{"was": "", "value": p["value"], "label": p["label"]["en"]} for p in preset.points]
    item = question_from(Kind.SCALE, typed_question(points=rows, display=preset.display), ["en", "es"])
    definition = parse_definition(
        {
            "title": {"en": "T", "es": "T"},
            "languages": ["en", "es"],
            "sections": [{"key": "p", "questions": [{**item, "key": "q"}]}],
        }
    )

    assert [dict(point.label) for point in definition.question("q").points] == [
        p["label"] for p in preset.points
    ]


def test_ranges_make_a_number_whole() -> None:
    bands = [
        {"was": "", "label": "Under 18", "minimum": None, "maximum": 17},
        {"was": "", "label": "18 or over", "minimum": 18, "maximum": None},
        {"was": "", "label": "", "minimum": None, "maximum": None},
    ]
    after = question_from(Kind.NUMBER, typed_question(bands=bands), ["en"])

    assert after["integer"] is True
    assert [band["value"] for band in after["bands"]] == ["under_18", "band_18_or_over"]


def typed_question(**fields: Any) -> dict[str, Any]:
    return {
        "text": "What?",
        "hint": "",
        "required": False,
        "role": "",
        "display": "radio",
        "polarity": "up",
        "has_not_applicable": False,
        "has_dont_know": False,
        "minimum": None,
        "maximum": None,
        "integer": False,
    } | fields


CONDITIONAL = parse_definition(
    {
        "title": {"en": "T"},
        "languages": ["en"],
        "sections": [
            {
                "key": "one",
                "questions": [
                    {
                        "key": "rating",
                        "kind": "scale",
                        "text": {"en": "Rate"},
                        "points": [
                            {"value": 1, "label": {"en": "Bad"}},
                            {"value": 2, "label": {"en": "Good"}},
                        ],
                        "dont_know": {"label": {"en": "Don't know"}},
                    },
                    {"key": "words", "kind": "text", "text": {"en": "Words"}},
                    {
                        "key": "many",
                        "kind": "multiple",
                        "text": {"en": "Many"},
                        "choices": [{"value": "1", "label": {"en": "One"}}],
                    },
                ],
            },
            {
                "key": "you",
                "about_you": True,
                "questions": [
                    {
                        "key": "age",
                        "kind": "single",
                        "text": {"en": "Age"},
                        "choices": [{"value": "old", "label": {"en": "Old"}}],
                    }
                ],
            },
            {"key": "last", "questions": [{"key": "end", "kind": "text", "text": {"en": "End"}}]},
        ],
    }
)


def test_conditions_name_closed_questions_asked_before_and_not_about_the_person() -> None:
    def keys(**where: str) -> list[str]:
        return [question.key for question in earlier_questions(CONDITIONAL, **where)]

    assert keys(before="rating") == []
    assert keys(before="many") == ["rating"]
    assert keys(before="end") == ["rating", "many"]
    assert keys(before="last") == ["rating", "many"]
    assert keys(in_section="one") == ["rating", "many"]
    assert keys() == ["rating", "many"]


def test_answers_become_values_of_the_right_type() -> None:
    built = condition_from(CONDITIONAL, "any", [("rating", ["2", "dk", "7"]), ("many", ["1"])])

    assert built == {"any": [{"question": "rating", "in": [2, "dk"]}, {"question": "many", "in": ["1"]}]}
    assert condition_from(CONDITIONAL, "all", [("rating", ["1"])]) == {"question": "rating", "in": [1]}
    assert condition_from(CONDITIONAL, "all", []) is None
    with pytest.raises(NotFoundError):
        condition_from(CONDITIONAL, "all", [("rating", ["1"]), ("gone", ["1"])])


def test_a_condition_that_is_built_is_shown_as_it_was_built() -> None:
    data = CONDITIONAL.to_json()
    data["sections"][2]["shown_if"] = condition_from(CONDITIONAL, "any", [("rating", ["2"]), ("many", ["1"])])

    simple = simple_condition(parse_definition(data).section("last").shown_if)

    assert simple is not None
    assert simple.match == "any"
    assert [(part.question, part.values) for part in simple.parts] == [("rating", (2,)), ("many", ("1",))]


def test_a_condition_with_conditions_inside_is_more_than_the_page_shows() -> None:
    data = CONDITIONAL.to_json()
    data["sections"][2]["shown_if"] = {"all": [{"any": [{"question": "rating", "in": [1]}]}]}

    assert simple_condition(parse_definition(data).section("last").shown_if) is None
    assert simple_condition(None) is not None


def test_answers_are_offered_with_their_words() -> None:
    rating = CONDITIONAL.question("rating")

    assert list(answer_choices(CONDITIONAL, rating)) == [("1", "Bad"), ("2", "Good"), ("dk", "Don't know")]
