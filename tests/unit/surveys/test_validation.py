"""What may be stored as an answer, from a form, from JSON and from a file."""

import time
from typing import Any

import pytest
from werkzeug.datastructures import MultiDict

from citizenvoice.surveys import validation, values
from citizenvoice.surveys.instrument_library import get_instrument
from citizenvoice.surveys.parsing import parse_definition
from citizenvoice.surveys.validation import compile_section, compile_survey
from citizenvoice.surveys.values import Mode

CSM = get_instrument("arta_csm_onsite").definition
A11 = get_instrument("omb_a11_v1").definition
SDG = get_instrument("sdg_16_6_2_government").definition
FFT = get_instrument("nhs_fft").definition


def one(question: dict[str, Any], value: Any, mode: Mode) -> validation.Checked:
    definition = parse_definition(
        {"languages": ["en"], "sections": [{"key": "s", "questions": [{"text": {"en": "T"}, **question}]}]}
    )
    sent = {} if value is None else {question["key"]: value}
    return compile_section(definition, "s", "en").check(sent, mode=mode)


def messages(checked: validation.Checked) -> list[tuple[str, str]]:
    return [(error.question, error.message) for error in checked.errors]


SCALE = {
    "key": "q",
    "kind": "scale",
    "points": [{"value": v, "label": {"en": str(v)}} for v in (1, 2, 3, 4, 5)],
    "not_applicable": {"label": {"en": "N/A"}},
}
AGE = {"key": "q", "kind": "number", "integer": True, "minimum": 0, "maximum": 120}
KM = {"key": "q", "kind": "number"}
TEXT = {"key": "q", "kind": "text", "max_chars": 10}
MANY = {
    "key": "q",
    "kind": "multiple",
    "max_choices": 2,
    "choices": [{"value": v, "label": {"en": v}} for v in ("a", "b", "c")],
}


@pytest.mark.parametrize(
    ("question", "mode", "value", "kept"),
    [
        (SCALE, Mode.FORM, "4", 4),
        (SCALE, Mode.FORM, "na", "na"),
        (SCALE, Mode.FORM, "", None),
        (SCALE, Mode.FORM, "\ufeff\u00a04 ", 4),
        (SCALE, Mode.FORM, "４", 4),
        (SCALE, Mode.JSON, 4, 4),
        (SCALE, Mode.IMPORT, "NA", "na"),
        (SCALE, Mode.IMPORT, 4, 4),
        (AGE, Mode.FORM, " 2５\u00a0", 25),
        (AGE, Mode.JSON, 25, 25),
        (KM, Mode.FORM, "-3.5", -3.5),
        (KM, Mode.JSON, 3.5, 3.5),
        (MANY, Mode.JSON, ["c", "a", "c"], ["a", "c"]),
        (MANY, Mode.JSON, [], None),
        (MANY, Mode.IMPORT, "c; a", ["a", "c"]),
    ],
)
def test_reads_an_answer(question: dict[str, Any], mode: Mode, value: Any, kept: Any) -> None:
    checked = one(question, value, mode)
    assert checked.errors == []
    assert checked.answers.get("q") == kept
    assert type(checked.answers.get("q")) is type(kept)


@pytest.mark.parametrize(
    ("question", "mode", "value", "message"),
    [
        (SCALE, Mode.FORM, "6", values.NOT_A_CHOICE),
        (SCALE, Mode.FORM, "dk", values.NOT_A_CHOICE),
        (SCALE, Mode.FORM, "²", values.NOT_A_CHOICE),
        (SCALE, Mode.FORM, "4.0", values.NOT_A_CHOICE),
        (SCALE, Mode.JSON, "4", values.NOT_A_CHOICE),
        (SCALE, Mode.JSON, True, values.NOT_A_CHOICE),
        (SCALE, Mode.JSON, 4.0, values.NOT_A_CHOICE),
        (SCALE, Mode.JSON, [4], values.NOT_A_CHOICE),
        (AGE, Mode.FORM, "1e2", values.NOT_A_NUMBER),
        (AGE, Mode.FORM, "1,000", values.NOT_A_NUMBER),
        (AGE, Mode.FORM, "2 5", values.NOT_A_NUMBER),
        (AGE, Mode.FORM, "25.5", values.NOT_WHOLE),
        (AGE, Mode.FORM, "121", values.TOO_LARGE),
        (AGE, Mode.FORM, "-1", values.TOO_SMALL),
        (AGE, Mode.FORM, "9" * 5000, values.NOT_A_NUMBER),
        (AGE, Mode.JSON, True, values.NOT_A_NUMBER),
        (AGE, Mode.JSON, "25", values.NOT_A_NUMBER),
        (KM, Mode.JSON, float("nan"), values.NOT_A_NUMBER),
        (KM, Mode.JSON, float("inf"), values.NOT_A_NUMBER),
        (KM, Mode.JSON, 10**400, values.NOT_A_NUMBER),
        (MANY, Mode.JSON, "a", values.NOT_A_LIST),
        (MANY, Mode.JSON, ["a", "z"], values.NOT_A_CHOICE),
        (MANY, Mode.JSON, [["a"]], values.NOT_A_CHOICE),
        (MANY, Mode.JSON, ["a", "b", "c"], values.TOO_MANY),
        (TEXT, Mode.JSON, 5, values.NOT_TEXT),
        (TEXT, Mode.FORM, "x" * 11, values.TOO_LONG),
        (TEXT, Mode.FORM, "a\0b", values.UNSTORABLE),
    ],
)
def test_refuses_an_answer_in_words(question: dict[str, Any], mode: Mode, value: Any, message: str) -> None:
    checked = one(question, value, mode)
    assert messages(checked) == [("q", message)]
    assert (checked.answers, checked.texts) == ({}, {})
    assert checked.errors[0].sentence


def test_text_is_counted_after_it_is_composed_and_cleaned() -> None:
    assert one(TEXT, "e\u0301" * 10, Mode.FORM).texts == {"q": "é" * 10}
    assert one(TEXT, "\ufeff a\x07b\r\nc\ud800 ", Mode.JSON).texts == {"q": "ab\nc"}
    assert one(TEXT, " \u00a0\n", Mode.FORM).texts == {}
    assert one(TEXT, "👩‍👩‍👧", Mode.FORM).texts == {"q": "👩‍👩‍👧"}


def test_a_required_question_is_insisted_on_except_in_an_import() -> None:
    validator = compile_section(A11, "main", "es")
    checked = validator.check(MultiDict({"q1": "5"}))
    assert messages(checked) == [("q2", validation.REQUIRED)]
    assert checked.errors[0].params["label"].startswith("Esta interacción")
    assert messages(validator.check({"q1": 5}, mode=Mode.JSON)) == [("q2", validation.REQUIRED)]
    assert validator.check({"q1": "5"}, mode=Mode.IMPORT).errors == []


def test_ticked_boxes_come_from_getlist_in_the_order_of_the_definition() -> None:
    thumbs = get_instrument("omb_a11_v2_thumbs").definition
    sent = MultiDict([("went_well", "ease"), ("went_well", "effectiveness"), ("went_badly", "other")])
    checked = compile_section(thumbs, "reasons", "en").check(sent, {"q1": 1})
    assert checked.errors == []
    assert checked.answers == {"went_well": ["effectiveness", "ease"]}  # the hidden question is dropped


def test_the_form_fills_in_what_not_knowing_the_charter_implies() -> None:
    checked = compile_section(CSM, "charter", "en").check(MultiDict({"cc1": "4"}))
    assert checked.answers == {"cc1": "4", "cc2": "5", "cc3": "4"}
    assert compile_section(CSM, "charter", "en").check(MultiDict({"cc1": "1"})).answers == {"cc1": "1"}


def test_answers_about_a_charter_nobody_saw_are_dropped_from_a_form() -> None:
    checked = compile_section(CSM, "charter_seen", "en").check(MultiDict({"cc2": "1"}), {"cc1": "4"})
    assert (checked.errors, checked.answers) == ([], {"cc2": "5", "cc3": "4"})


def test_a_person_who_saw_the_charter_cannot_say_not_applicable() -> None:
    checked = compile_section(CSM, "charter_seen", "en").check(MultiDict({"cc2": "5"}), {"cc1": "1"})
    assert messages(checked) == [("cc2", values.NOT_A_CHOICE)]


@pytest.mark.parametrize("mode", [Mode.JSON, Mode.IMPORT])
@pytest.mark.parametrize(
    ("cc", "wrong"),
    [
        (("4", "5", "4"), []),
        (("4", None, None), []),
        (("1", "2", "3"), []),
        (("4", "5", "3"), ["cc3"]),
        (("4", "4", "4"), ["cc2"]),
        (("1", "5", "1"), ["cc2"]),
        (("2", "1", "4"), ["cc3"]),
        (("3", "5", "4"), ["cc2", "cc3"]),
    ],
)
def test_charter_answers_must_agree_when_they_come_from_elsewhere(
    mode: Mode, cc: tuple[str | None, ...], wrong: list[str]
) -> None:
    sent = {key: value for key, value in zip(("cc1", "cc2", "cc3"), cc, strict=True) if value is not None}
    checked = compile_survey(CSM, "en").check({**sent, "sqd0": 5}, mode=mode)
    assert messages(checked) == [(key, validation.DISAGREES) for key in wrong]
    if cc[0] == "4" and not wrong:
        assert checked.answers == {"cc1": "4", "cc2": "5", "cc3": "4", "sqd0": 5}


def test_an_age_is_kept_only_as_its_band_among_the_segments() -> None:
    validator = compile_section(CSM, "about_you", "en")
    checked = validator.check(MultiDict({"age": "34", "sex": "female"}))
    assert (checked.answers, checked.segments) == ({}, {"sex": "female", "age": "from_20"})
    assert validator.check({"age": "from_20"}, mode=Mode.IMPORT).segments == {"age": "from_20"}
    assert messages(validator.check({"age": 121}, mode=Mode.JSON)) == [("age", values.TOO_LARGE)]


def test_an_import_knows_the_codes_of_the_instrument() -> None:
    sent = {"needed": "yes", "tried": "yes", "sdg_access": "97", "sdg_process": "98", "sdg_equality": "99"}
    checked = compile_survey(SDG, "en").check(sent, mode=Mode.IMPORT)
    assert checked.errors == []
    assert [checked.answers[f"sdg_{name}"] for name in ("access", "process", "equality")] == [
        "na",
        "dk",
        "ra",
    ]
    assert compile_survey(FFT, "en").check({"fft": "6"}, mode=Mode.IMPORT).answers == {"fft": "dk"}
    assert compile_survey(FFT, "en").check({"fft": 6}, mode=Mode.JSON).errors


def test_unknown_names_in_a_whole_response_are_errors() -> None:
    checked = compile_survey(FFT, "en").check({"fft": 1, "sqd0": 1})
    assert messages(checked) == [("sqd0", validation.NO_SUCH_QUESTION)]


def test_a_page_is_checked_in_far_less_than_a_request_takes() -> None:
    validator = compile_section(CSM, "quality", "en")
    sent = MultiDict({f"sqd{n}": "4" for n in range(9)})
    validator.check(sent)
    best = min(timed(validator, sent) for _ in range(20))
    assert best < 0.001


def timed(validator: validation.SectionValidator, sent: MultiDict[str, str]) -> float:
    start = time.perf_counter()
    validator.check(sent)
    return time.perf_counter() - start
