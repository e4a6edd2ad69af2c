"""Every official instrument has its indicators, by the right method, without code or rows."""

import json
from importlib import resources
from typing import Any

import pytest

from citizenvoice.indicators.definitions import (
    IndicatorDefinition,
    ThemeName,
    Version,
    definitions_of,
    main_rank,
)
from citizenvoice.indicators.methods import METHODS
from citizenvoice.stats import scores
from citizenvoice.stats.estimates import Estimate, NotEnough, Polarity
from citizenvoice.surveys.parsing import parse_definition

INSTRUMENTS = resources.files("citizenvoice.surveys.instruments")


def instrument(name: str) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((INSTRUMENTS / f"{name}.json").read_text(encoding="utf-8"))[
        "definition"
    ]
    return data


def indicators(
    *definitions: dict[str, Any], themes: tuple[ThemeName, ...] = ()
) -> dict[str, IndicatorDefinition]:
    versions = [Version(n, n, parse_definition(data)) for n, data in enumerate(definitions, start=1)]
    return {i.code.removeprefix("s/"): i for i in definitions_of(1, "s", "Survey", versions, themes)}


def value(found: IndicatorDefinition, counts: dict[str, Any]) -> Any:
    result = found.compute(counts, 5).result
    assert isinstance(result, Estimate)
    return result.value


def answers(**values: int) -> dict[str, Any]:
    return {"v": {name.removeprefix("p"): n for name, n in values.items()}, "asked": sum(values.values())}


@pytest.mark.parametrize(
    ("name", "main"),
    [
        ("omb_a11_v1", "q1/top2_v1"),
        ("omb_a11_v2_radio", "q1/top2_v1"),
        ("omb_a11_v2_thumbs", "q1/share_v1"),
        ("gds_satisfaction", "gds/gds_weighted_v1"),
        ("nhs_fft", "fft/nhs_fft_positive_v1"),
        ("nps", "nps/nps_v1"),
        ("ces", "ces/ces_mean_v1"),
        ("csat", "csat/top2_v1"),
        ("arta_csm_onsite", "csm/csm_overall_sqd1_8_v1"),
        ("sdg_16_6_2_government", "sdg_overall/sdg_16_6_2_satisfied_v1"),
    ],
)
def test_an_official_instrument_leads_with_its_own_figure(name: str, main: str) -> None:
    found = indicators(instrument(name))
    headlines = {code: i for code, i in found.items() if i.is_headline}
    assert min(headlines, key=lambda code: main_rank(headlines[code])) == main


def test_the_friends_and_family_test_keeps_dont_know_in_the_denominator() -> None:
    found = indicators(instrument("nhs_fft"))
    counts = {"q": {"fft": answers(p1=500, p2=300, p3=60, p4=20, p5=15, dk=5)}}  # 1 is very good
    assert value(found["fft/nhs_fft_positive_v1"], counts) == pytest.approx(0.88888889)
    assert value(found["fft/nhs_fft_negative_v1"], counts) == pytest.approx(0.03888889)
    assert found["fft/nhs_fft_negative_v1"].polarity is Polarity.DOWN


def test_both_formulas_of_the_digital_service_stand_side_by_side() -> None:
    found = indicators(instrument("gds_satisfaction"))
    counts = {"q": {"gds": answers(p1=23, p2=46, p3=153, p4=419, p5=528)}}
    assert value(found["gds/gds_weighted_v1"], counts) == pytest.approx(0.79576561)
    assert value(found["gds/gds_top2_v2"], counts) == pytest.approx(0.81009410)


def test_the_client_satisfaction_score_pools_sqd1_to_sqd8_and_has_a_band() -> None:
    found = indicators(instrument("arta_csm_onsite"))
    rows = {
        "sqd0": (2, 3, 5, 40, 50, 0),
        "sqd1": (4, 6, 10, 40, 40, 0),
        "sqd2": (1, 4, 5, 45, 45, 0),
        "sqd3": (3, 7, 10, 40, 40, 0),
        "sqd4": (2, 8, 10, 40, 35, 5),
        "sqd5": (0, 2, 3, 10, 15, 70),
        "sqd6": (1, 2, 7, 30, 60, 0),
        "sqd7": (0, 1, 4, 30, 65, 0),
        "sqd8": (3, 4, 8, 35, 50, 0),
    }
    names = ("1", "2", "3", "4", "5", "na")
    counts = {"q": {key: {"v": dict(zip(names, row, strict=True))} for key, row in rows.items()}}
    computed = found["csm/csm_overall_sqd1_8_v1"].compute(counts, 10)
    assert isinstance(computed.result, Estimate)
    assert computed.result.value == pytest.approx(620 / 725)
    assert computed.band == "satisfactory"
    assert value(found["sqd0/csm_item_v1"], counts) == pytest.approx(0.9)
    aware = {"q": {"cc1": answers(p1=60, p2=10, p3=10, p4=20)}}
    assert value(found["cc1/csm_awareness_v1"], aware) == 0.8


def test_a_driver_counts_among_those_it_was_offered_to() -> None:
    found = indicators(instrument("omb_a11_v2_radio"))
    counts = {"q": {"went_badly": {"v": {"ease": 30}, "asked": 120, "answered": 60}}}
    ease = found["went_badly.ease/driver_share_v1"]
    assert value(ease, counts) == 0.25
    assert ease.polarity is Polarity.DOWN
    assert ease.part_title("en")


def test_nps_and_effort_follow_their_own_scales() -> None:
    nps = {"q": {"nps": answers(p10=30, p9=20, p8=30, p3=20)}}
    assert value(indicators(instrument("nps"))["nps/nps_v1"], nps) == pytest.approx(0.3)
    ces = {"q": {"ces": answers(p1=2, p2=3, p3=5, p4=10, p5=20, p6=35, p7=25)}}
    found = indicators(instrument("ces"))
    assert value(found["ces/ces_mean_v1"], ces) == pytest.approx(5.48)
    assert value(found["ces/ces_share_v1"], ces) == pytest.approx(0.8)


def test_comments_have_shares_by_sentiment_and_theme() -> None:
    found = indicators(instrument("csat"), themes=(ThemeName(7, "waiting", "Waiting"),))
    counts = {"c": {"read": 40, "s": {"1": 10, "3": 20, "5": 10}}, "t": {"7": {"n": 8}}}
    assert value(found["comments.negative/sentiment_share_v1"], counts) == 0.25
    assert value(found["theme.waiting/theme_share_v1"], counts) == 0.2


def test_a_break_starts_a_series_and_a_translation_does_not() -> None:
    first, second, third = (instrument("csat") for _ in range(3))
    second["sections"][0]["questions"][0]["hint"] = {"en": "Think of your last visit."}
    third["sections"][0]["questions"][0]["text"] = {"en": "Something else entirely?"}
    third["sections"][0]["questions"][0]["locked"] = False
    found = indicators(first, second, third)
    assert found["csat/top2_v1"].version_ids == (1, 2)
    assert not found["csat/top2_v1"].is_current
    assert found["csat/top2_v1@3"].version_ids == (3,)
    assert next(iter(found)).endswith("@3")


def test_nothing_counted_is_not_enough_for_any_indicator() -> None:
    for name in ("arta_csm_online", "omb_a11_v2_radio", "sdg_16_6_2_government", "nhs_fft", "nps"):
        for found in indicators(instrument(name), themes=(ThemeName(1, "t", "T"),)).values():
            assert isinstance(found.compute({}, 10).result, NotEnough)


def test_methods_carry_the_names_the_formulas_have() -> None:
    ours = set(METHODS) - {"mean_v1", "share_v1", "multiple_share_v1", "choice_share_v1", "number_mean_v1"}
    ours -= {"sentiment_share_v1", "theme_share_v1"}
    theirs = {method.value for method in scores.Method} - {"share_v1", "csm_overall_sqd0_8_v1"}
    assert ours == theirs
