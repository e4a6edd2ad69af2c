"""A definition is read whole or refused with every reason."""

import copy
from typing import Any

import pytest

from citizenvoice.surveys.definition import localise
from citizenvoice.surveys.parsing import DefinitionError, parse_definition
from citizenvoice.surveys.publishing import problems_for_publishing


def scale(key: str, **more: Any) -> dict[str, Any]:
    points = [{"value": v, "label": {"en": str(v)}} for v in (1, 2, 3)]
    return {"key": key, "kind": "scale", "text": {"en": "How?"}, "points": points, **more}


def survey(*questions: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "title": {"en": "Title"},
        "languages": ["en"],
        "sections": [{"key": "main", "questions": list(questions)}],
        **more,
    }


def problems(data: dict[str, Any]) -> list[tuple[str, str]]:
    with pytest.raises(DefinitionError) as caught:
        parse_definition(data)
    return [(problem.path, problem.sentence) for problem in caught.value.problems]


def test_lists_every_problem_not_only_the_first() -> None:
    found = problems(survey({**scale("Q1"), "kind": "slider"}, scale("q2", required="yes"), colour="red"))
    assert [path for path, _ in found if "questions" in path] == [
        "sections.0.questions.0.kind",
        "sections.0.questions.0.key",
        "sections.0.questions.1.required",
    ]
    assert ("colour", "There is no such field here.") in found


@pytest.mark.parametrize("values", [[1], [1, 1], [1, 3, 2], list(range(12)), [1, True]])
def test_refuses_a_scale_that_is_not_one(values: list[int]) -> None:
    question = {**scale("q"), "points": [{"value": v, "label": {"en": str(v)}} for v in values]}
    assert problems(survey(question))


def test_accepts_a_scale_that_falls() -> None:
    question = {**scale("q"), "points": [{"value": v, "label": {"en": str(v)}} for v in (3, 2, 1, 0)]}
    assert [p.value for p in parse_definition(survey(question)).question("q").points] == [3, 2, 1, 0]


@pytest.mark.parametrize(
    "condition",
    [
        {"question": "q2", "in": [1]},  # itself
        {"question": "q3", "in": [1]},  # later
        {"question": "q1", "in": [9]},  # not an answer
        {"question": "q1", "in": ["1"]},  # the answer is a number
        {"question": "q1", "in": ["na"]},  # not offered there
        {"question": "q1", "in": []},
        {"all": []},
    ],
)
def test_conditions_look_back_and_name_possible_answers(condition: dict[str, Any]) -> None:
    assert problems(survey(scale("q1"), scale("q2", shown_if=condition), scale("q3")))


def test_a_condition_may_name_a_way_out_that_is_offered() -> None:
    first = scale("q1", not_applicable={"label": {"en": "Does not apply"}})
    second = scale("q2", shown_if={"any": [{"question": "q1", "in": [1, "na"]}]})
    assert parse_definition(survey(first, second)).question("q2").shown_if is not None


def test_keys_are_unique_across_sections() -> None:
    data = survey(scale("q1"))
    data["sections"].append({"key": "more", "questions": [scale("q1")]})
    assert problems(data) == [("questions", "The key “q1” is used twice.")]


@pytest.mark.parametrize(
    "question",
    [
        {"key": "why", "kind": "text", "text": {"en": "Why?"}},
        {"key": "age", "kind": "number", "text": {"en": "Age"}, "integer": True},
        scale("q9", required=True),
    ],
)
def test_about_you_takes_nothing_free_exact_or_required(question: dict[str, Any]) -> None:
    data = survey(scale("q1"))
    data["sections"].append({"key": "you", "about_you": True, "questions": [question]})
    assert problems(data)


def test_what_people_say_of_themselves_decides_no_path() -> None:
    data = survey(scale("q1"))
    data["sections"] = [
        {"key": "you", "about_you": True, "questions": [scale("a")]},
        {"key": "main", "questions": [scale("q1", shown_if={"question": "a", "in": [1]})]},
    ]
    assert problems(data) == [("sections.1.questions.0.shown_if", "“a” is not an earlier question.")]


def test_a_missing_translation_is_allowed_in_a_draft_and_not_in_public() -> None:
    data = survey(scale("q1"), languages=["en", "es"])
    paths = {problem.path for problem in problems_for_publishing(parse_definition(data))}
    assert {"title.es", "sections.0.questions.0.text.es", "sections.0.questions.0.points.0.label.es"} <= paths


def test_an_empty_draft_is_read_but_not_published() -> None:
    draft = parse_definition({"title": {}, "languages": ["en"]})
    assert {problem.path for problem in problems_for_publishing(draft)} == {"title", "sections"}


def test_a_placeholder_must_stand_for_something() -> None:
    data = survey({**scale("q1"), "text": {"en": "I trust [agency] [sic]."}})
    assert [p.path for p in problems_for_publishing(parse_definition(data))] == ["placeholders.agency.en"]
    data["placeholders"] = {"agency": {"en": "the [service] office"}}
    definition = parse_definition(data)
    assert problems_for_publishing(definition) == []
    assert definition.say(definition.question("q1").text, "en") == "I trust the [service] office [sic]."


def test_words_fall_back_from_a_region_to_the_language_to_the_default() -> None:
    text = {"en": "Yes", "es": "Sí"}
    assert [localise(text, code, "en") for code in ("es", "es-MX", "fr")] == ["Sí", "Sí", "Yes"]
    assert localise({"fr": "Oui"}, "es", "en") == "Oui"
    assert localise({}, "es", "en") == ""


@pytest.mark.parametrize(
    "junk", [None, [], "x", 3, {"sections": "x"}, {"languages": [1], "sections": [None]}]
)
def test_junk_is_refused_in_words(junk: Any) -> None:
    with pytest.raises(DefinitionError):
        parse_definition(junk)


def test_text_a_database_cannot_hold_is_refused() -> None:
    for words in ("a\0b", "\ud800"):
        [(path, said)] = problems(survey({**scale("q1"), "text": {"en": words}}))
        assert path == "sections.0.questions.0.text.en"
        assert said == "It holds a sign that cannot be kept. Write the text anew by hand."


def test_reading_leaves_the_data_alone() -> None:
    data = survey(scale("q1"))
    before = copy.deepcopy(data)
    parse_definition(data)
    assert data == before
