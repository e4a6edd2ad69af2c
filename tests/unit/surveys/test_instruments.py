"""The shipped instruments keep to their standards."""

from dataclasses import replace
from typing import Any

import pytest

from citizenvoice.errors import NotFoundError
from citizenvoice.surveys.definition import Definition, Kind
from citizenvoice.surveys.instrument_library import Instrument, find_instrument, get_instrument, instruments
from citizenvoice.surveys.parsing import parse_definition
from citizenvoice.surveys.publishing import problems_for_publishing, wording_changes

PLACEHOLDERS = {name: {"en": "the Mint", "es": "la Ceca"} for name in ("service", "agency", "population")}
EVERY = pytest.mark.parametrize("instrument", instruments(), ids=lambda instrument: instrument.key)


def ready(key: str) -> Definition:
    return replace(get_instrument(key).definition, placeholders=PLACEHOLDERS)


def edited(key: str, question_key: str, **changes: Any) -> Definition:
    """Return a shipped definition with fields of one question replaced."""
    data = ready(key).to_json()
    for section in data["sections"]:
        for question in section["questions"]:
            if question["key"] == question_key:
                question.update(changes)
    return parse_definition(data)


def test_every_instrument_is_shipped() -> None:
    assert [instrument.key for instrument in instruments()] == [
        "arta_csm_online",
        "arta_csm_onsite",
        "ces",
        "csat",
        "gds_satisfaction",
        "nhs_fft",
        "nps",
        "omb_a11_v1",
        "omb_a11_v2_radio",
        "omb_a11_v2_thumbs",
        "open_comment",
        "sdg_16_6_2_government",
    ]
    assert find_instrument("none") is None
    with pytest.raises(NotFoundError):
        get_instrument("none")


@EVERY
def test_publishes_without_problems_once_it_is_named(instrument: Instrument) -> None:
    definition = ready(instrument.key)
    assert problems_for_publishing(definition) == []
    assert wording_changes(definition) == []
    assert definition.instrument_version == instrument.version
    assert definition.languages == ("en", "es")
    assert instrument.notes
    assert instrument.official_languages == ("en",)


@EVERY
def test_every_locked_text_is_watched(instrument: Instrument) -> None:
    for question in instrument.definition.questions:
        changed = edited(instrument.key, question.key, text={"en": "Something else?", "es": "¿Otra cosa?"})
        differs = [(change.question, change.part) for change in wording_changes(changed)]
        assert differs == ([(question.key, "text")] if question.locked else [])


def test_changed_wording_is_never_published_under_the_official_label() -> None:
    changed = edited("omb_a11_v1", "q1", text={"en": "I love [service].", "es": "Me encanta [service]."})
    assert [p.path for p in problems_for_publishing(changed)] == ["questions.q1.text"]
    assert problems_for_publishing(replace(changed, instrument=None)) == []


def test_unlocking_or_deleting_a_question_does_not_evade_the_comparison() -> None:
    unlocked = edited("omb_a11_v1", "q1", locked=False, polarity="down")
    assert [change.part for change in wording_changes(unlocked)] == ["polarity"]
    data = ready("omb_a11_v1").to_json()
    data["sections"][1]["questions"] = [
        question for question in data["sections"][1]["questions"] if question["key"] not in ("q5", "q7")
    ]
    missing = [(change.question, change.part) for change in wording_changes(parse_definition(data))]
    assert missing == [("q5", "question")]  # q7, employees, may be left out


def test_allowed_wordings_and_our_own_translations_may_vary() -> None:
    text = {"en": "My issue was resolved.", "es": "Cualquier cosa."}
    assert wording_changes(edited("omb_a11_v1", "q3", text=text)) == []


def test_the_federal_limit_of_fifteen_questions_holds() -> None:
    data = ready("omb_a11_v1").to_json()
    words = {"en": "Anything?", "es": "¿Algo?"}
    extra = [{"key": f"own{n}", "kind": "text", "text": words} for n in range(7)]
    data["sections"].append({"key": "own", "questions": extra[:6]})
    assert problems_for_publishing(parse_definition(data)) == []
    data["sections"][-1]["questions"] = extra
    assert [p.path for p in problems_for_publishing(parse_definition(data))] == ["sections"]


def test_a11_version_1_has_seven_drivers_and_its_comment_after_the_second() -> None:
    definition = get_instrument("omb_a11_v1").definition
    assert [q.key for q in definition.section("main").questions] == ["q1", "q2", "why"]
    assert [q.role for q in definition.questions if q.kind is Kind.SCALE] == [
        "satisfaction",
        "trust",
        "effectiveness",
        "ease",
        "efficiency",
        "transparency",
        "employee",
    ]
    assert [q.key for q in definition.questions if q.required] == ["q1", "q2"]


@pytest.mark.parametrize("key", ["omb_a11_v2_thumbs", "omb_a11_v2_radio"])
def test_a11_version_2_must_offer_effectiveness_and_ease(key: str) -> None:
    choices = ready(key).to_json()["sections"][1]["questions"][0]["choices"]
    assert [choice["value"] for choice in choices] == [
        "effectiveness",
        "ease",
        "efficiency",
        "transparency",
        "humanity",
        "employee",
        "other",
    ]
    assert wording_changes(edited(key, "went_well", choices=choices[:2])) == []
    assert [c.part for c in wording_changes(edited(key, "went_well", choices=choices[1:]))] == ["choices"]


def test_csm_codes_of_not_applicable_differ() -> None:
    definition = get_instrument("arta_csm_onsite").definition
    hidden = {q.key: [c.value for c in q.choices if not c.offered] for q in definition.questions if q.choices}
    assert (hidden["cc2"], hidden["cc3"]) == (["5"], ["4"])
    assert [q.role for q in definition.section("quality").questions] == [f"sqd{n}" for n in range(9)]
    assert all(q.not_applicable for q in definition.section("quality").questions)


def test_online_and_on_site_csm_differ_in_three_items() -> None:
    onsite, online = (get_instrument(f"arta_csm_{way}").definition for way in ("onsite", "online"))
    differing = [q.key for q in onsite.questions if q.text["en"] != online.question(q.key).text["en"]]
    assert differing == ["sqd4", "sqd6", "sqd7"]


def test_sdg_scale_has_four_points_no_neutral_and_comes_before_the_overall_question() -> None:
    definition = get_instrument("sdg_16_6_2_government").definition
    scales = [question for question in definition.questions if question.kind is Kind.SCALE]
    assert [question.key for question in scales][-1] == "sdg_overall"
    assert len(scales) == 6
    for question in scales:
        assert [point.value for point in question.points] == [3, 2, 1, 0]
        codes = {value: (option.code, option.read_aloud) for value, option in question.ways_out.items()}
        assert codes == {"na": (97, False), "dk": (98, False), "ra": (99, False)}
    assert definition.section("attributes").shuffle


def test_fft_counts_down_and_knows_do_not_know() -> None:
    fft = get_instrument("nhs_fft").definition.question("fft")
    assert (fft.polarity, fft.points[0].value, fft.points[0].label["en"]) == ("down", 1, "Very good")
    assert fft.dont_know is not None
    assert fft.dont_know.code == 6
