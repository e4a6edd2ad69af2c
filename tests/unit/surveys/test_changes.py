"""What changed between versions, and where a series of figures must begin anew."""

from dataclasses import replace
from typing import Any

from citizenvoice.surveys.changes import definition_changes, definition_digest, series_digest
from citizenvoice.surveys.definition import Definition
from citizenvoice.surveys.instrument_library import get_instrument
from citizenvoice.surveys.parsing import parse_definition

A11 = get_instrument("omb_a11_v1").definition


def with_question(key: str, **changes: Any) -> Definition:
    data = A11.to_json()
    for section in data["sections"]:
        for question in section["questions"]:
            if question["key"] == key:
                question.update(changes)
    return parse_definition(data)


def kinds(after: Definition) -> list[tuple[str, str, str, bool]]:
    return [(c.kind, c.question, c.language, c.breaks_series) for c in definition_changes(A11, after)]


def test_nothing_changed() -> None:
    assert kinds(parse_definition(A11.to_json())) == []


def test_new_wording_breaks_the_series_and_a_translation_does_not() -> None:
    before = A11.question("q1").text
    assert kinds(with_question("q1", text={**before, "en": "New"})) == [("text_changed", "q1", "en", True)]
    assert kinds(with_question("q1", text={**before, "es": "Nuevo"})) == [("text_changed", "q1", "es", False)]
    assert kinds(with_question("q1", text={**before, "en": before["en"] + "  "})) == []


def test_a_new_scale_polarity_or_way_out_breaks_the_series() -> None:
    points = A11.to_json()["sections"][0]["questions"][0]["points"]
    assert kinds(with_question("q1", points=points[:4])) == [("points_changed", "q1", "", True)]
    assert kinds(with_question("q1", polarity="down")) == [("polarity_changed", "q1", "", True)]
    out = {"label": {"en": "Does not apply", "es": "No corresponde"}}
    assert ("ways_out_changed", "q1", "", True) in kinds(with_question("q1", not_applicable=out))
    spanish = [{**point, "label": {**point["label"], "es": str(point["value"])}} for point in points]
    assert kinds(with_question("q1", points=spanish)) == [("labels_changed", "q1", "es", False)]


def test_layout_does_not_break_the_series() -> None:
    changed = with_question("q1", required=False, display="faces", hint={"en": "Hint", "es": "Pista"})
    found = kinds(changed)
    assert {kind for kind, *_ in found} == {"required_changed", "display_changed", "hint_changed"}
    assert not any(breaks for *_, breaks in found)


def test_asking_other_people_breaks_the_series() -> None:
    found = kinds(with_question("q4", shown_if={"question": "q1", "in": [1, 2]}))
    assert found == [("condition_changed", "q4", "", True)]


def test_sections_and_questions_that_come_go_and_move() -> None:
    data = A11.to_json()
    data["sections"][1]["questions"].pop()
    data["sections"][1]["questions"].insert(0, data["sections"][1]["questions"].pop(1))
    data["sections"].append(
        {"key": "new", "questions": [{"key": "own", "kind": "text", "text": {"en": "What?", "es": "¿Qué?"}}]}
    )
    assert kinds(parse_definition(data)) == [
        ("section_added", "new", "", False),
        ("question_removed", "more", "en", True),
        ("question_added", "own", "en", False),
        ("questions_moved", "", "", False),
    ]


def test_a_digest_changes_exactly_when_the_series_breaks() -> None:
    q1 = A11.question("q1")
    digest = series_digest(q1, "en")
    assert series_digest(replace(q1, required=False, display="faces", hint={"en": "x"}), "en") == digest
    assert series_digest(replace(q1, text={"en": q1.text["en"], "es": "Otra"}), "en") == digest
    for changed in (
        replace(q1, text={"en": "Other"}),
        replace(q1, polarity="down"),
        replace(q1, points=q1.points[:4]),
    ):
        assert series_digest(changed, "en") != digest


def test_the_whole_digest_covers_everything() -> None:
    assert definition_digest(parse_definition(A11.to_json())) == definition_digest(A11)
    assert definition_digest(with_question("q1", required=False)) != definition_digest(A11)
