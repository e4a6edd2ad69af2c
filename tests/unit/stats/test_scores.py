"""Official scores against the programmes' own worked numbers."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citizenvoice.stats import client_satisfaction, scores, sdg_indicator
from citizenvoice.stats.client_satisfaction import CsmBand
from citizenvoice.stats.estimates import Estimate, NotEnough, Polarity
from citizenvoice.stats.scores import Method, Score, Tally

# Strongly disagree ... strongly agree, not applicable.
CSM = {
    "sqd0": [2, 3, 5, 40, 50, 0],
    "sqd1": [4, 6, 10, 40, 40, 0],
    "sqd2": [1, 4, 5, 45, 45, 0],
    "sqd3": [3, 7, 10, 40, 40, 0],
    "sqd4": [2, 8, 10, 40, 35, 5],
    "sqd5": [0, 2, 3, 10, 15, 70],
    "sqd6": [1, 2, 7, 30, 60, 0],
    "sqd7": [0, 1, 4, 30, 65, 0],
    "sqd8": [3, 4, 8, 35, 50, 0],
}
CSM_SCORES = [90.0, 80.0, 90.0, 80.0, 78.947368, 83.333333, 90.0, 95.0, 85.0]

tallies = st.builds(
    Tally,
    st.dictionaries(st.integers(1, 5), st.integers(0, 50)),
    not_applicable=st.integers(0, 20),
    dont_know=st.integers(0, 20),
)


def five(*counts: int, not_applicable: int = 0, dont_know: int = 0) -> Tally:
    return Tally(dict(enumerate(counts, start=1)), not_applicable, dont_know)


def estimate(score: Score) -> Estimate:
    assert isinstance(score.result, Estimate)
    return score.result


def csm_tallies() -> dict[str, Tally]:
    return {key: five(*row[:5], not_applicable=row[5]) for key, row in CSM.items()}


def test_top_two_box() -> None:
    result = estimate(scores.top_two_box(five(5, 10, 20, 40, 25)))
    assert result.value == 0.65
    assert (result.lower, result.upper) == pytest.approx((0.552544, 0.736358), abs=5e-7)


def test_top_two_box_of_a_scale_whose_best_point_is_one() -> None:
    assert estimate(scores.top_two_box(five(25, 40, 20, 10, 5), positive={1, 2})).value == 0.65
    with pytest.raises(ValueError, match="two points"):
        scores.top_two_box(five(1, 1, 1, 1, 1), positive={3, 4, 5})


@pytest.mark.parametrize(
    ("counts", "weighted", "top_two"),
    [
        ((23, 46, 153, 419, 528), 79.576561, 81.009410),
        ((262, 211, 1098, 4593, 8731), 85.783820, 89.452837),
    ],
)
def test_both_gds_formulas(counts: tuple[int, ...], weighted: float, top_two: float) -> None:
    v1, v2 = scores.gds_weighted_v1(five(*counts)), scores.gds_top2_v2(five(*counts))
    assert 100 * estimate(v1).value == pytest.approx(weighted, abs=5e-7)
    assert 100 * estimate(v2).value == pytest.approx(top_two, abs=5e-7)
    assert (v1.method, v2.method) == (Method.GDS_WEIGHTED, Method.GDS_TOP_TWO)


def test_gds_feed_that_stored_one_as_best() -> None:
    turned = scores.gds_weighted_v1(five(528, 419, 153, 46, 23), polarity=Polarity.DOWN)
    assert estimate(turned).value == pytest.approx(0.79576561, abs=5e-9)


def test_friends_and_family_test_keeps_dont_know_in_the_denominator() -> None:
    test = five(15, 20, 60, 300, 500, dont_know=5, not_applicable=2)
    positive, negative = scores.fft_positive(test), scores.fft_negative(test)
    assert 100 * estimate(positive).value == pytest.approx(88.888889, abs=5e-7)
    assert 100 * estimate(negative).value == pytest.approx(3.888889, abs=5e-7)
    assert estimate(positive).n == 900
    assert (positive.n_dont_know, positive.n_excluded) == (0, 2)
    without = scores.share(test, {4, 5})
    assert 100 * estimate(without).value == pytest.approx(89.385475, abs=5e-7)
    assert without.n_excluded == 7


def test_net_promoter_groups() -> None:
    score = scores.nps(Tally({10: 20, 9: 30, 8: 10, 7: 20, 6: 5, 0: 15}, dont_know=4))
    assert estimate(score).value == pytest.approx(0.30)
    assert (estimate(score).lower, estimate(score).upper) == pytest.approx((0.146922, 0.453078), abs=5e-7)
    assert score.n_dont_know == 4


def test_customer_effort_has_two_methods() -> None:
    answers = Tally(dict(enumerate([2, 3, 5, 10, 20, 35, 25], start=1)))
    assert estimate(scores.ces_mean(answers)).value == pytest.approx(5.48)
    assert estimate(scores.ces_share(answers)).value == pytest.approx(0.80)


def test_csm_items() -> None:
    found = [100 * estimate(client_satisfaction.csm_item(tally)).value for tally in csm_tallies().values()]
    assert found == pytest.approx(CSM_SCORES, abs=5e-7)


def test_csm_overall_pools_ratings() -> None:
    without, with_sqd0 = (
        client_satisfaction.csm_overall(csm_tallies(), include_sqd0=flag) for flag in (False, True)
    )
    assert 100 * estimate(without).value == pytest.approx(85.517241, abs=5e-7)
    assert 100 * estimate(with_sqd0).value == pytest.approx(86.060606, abs=5e-7)
    mean_of_items = sum(CSM_SCORES[1:]) / 8
    assert mean_of_items == pytest.approx(85.285088, abs=1e-6)
    assert without.n_not_applicable == 75
    assert without.method != with_sqd0.method


def test_csm_overall_counts_people_not_ratings() -> None:
    score = client_satisfaction.csm_overall(csm_tallies())
    assert estimate(score).n == 100
    eight_times = scores.share(five(0, 0, 105, 620, 0), {4, 5})
    width = estimate(score).upper - estimate(score).lower
    assert width > 2 * (estimate(eight_times).upper - estimate(eight_times).lower)
    assert client_satisfaction.csm_overall(csm_tallies(), minimum=101).result == NotEnough(100, 101)


def test_csm_overall_of_nothing_and_of_strangers() -> None:
    assert client_satisfaction.csm_overall({}).result == NotEnough(0, 1)
    assert client_satisfaction.csm_overall({"sqd0": five(1, 1, 1, 1, 1)}).result == NotEnough(0, 1)
    with pytest.raises(ValueError, match="sqd9"):
        client_satisfaction.csm_overall({"sqd9": five(1, 1, 1, 1, 1)})


def test_csm_awareness() -> None:
    assert estimate(client_satisfaction.csm_awareness(Tally({1: 40, 2: 30, 3: 10, 4: 20}))).value == 0.8


@pytest.mark.parametrize(
    ("value", "band"),
    [
        (0.0, CsmBand.POOR),
        (0.5994, CsmBand.POOR),
        (0.59949, CsmBand.POOR),
        (0.5995, CsmBand.FAIR),
        (0.6, CsmBand.FAIR),
        (0.7994, CsmBand.FAIR),
        (0.7995, CsmBand.SATISFACTORY),
        (620 / 725, CsmBand.SATISFACTORY),
        (0.8995, CsmBand.VERY_SATISFACTORY),
        (0.9494, CsmBand.VERY_SATISFACTORY),
        (0.9495, CsmBand.OUTSTANDING),
        (1.0, CsmBand.OUTSTANDING),
    ],
)
def test_csm_bands_round_half_up_as_printed(value: float, band: CsmBand) -> None:
    assert client_satisfaction.csm_band(value) is band


def test_a_percentage_has_no_csm_band() -> None:
    with pytest.raises(ValueError, match="not a share"):
        client_satisfaction.csm_band(85.5)


def test_sdg_16_6_2_official_example() -> None:
    attributes = {
        key: Tally({3: yes - 20, 2: 20, 1: 100 - yes - 5, 0: 5}, dont_know=3)
        for key, yes in zip("abcde", (50, 60, 73, 55, 42), strict=True)
    }
    figures = sdg_indicator.sdg_16_6_2(attributes, Tally({3: 23, 2: 37, 1: 30, 0: 10}))
    assert estimate(figures.average).value == pytest.approx(0.56)
    assert estimate(figures.satisfied).value == pytest.approx(0.60)
    assert [estimate(score).value for score in figures.attributes.values()] == [0.5, 0.6, 0.73, 0.55, 0.42]
    assert figures.average.n_dont_know == 15
    assert estimate(figures.average).lower < 0.56 < estimate(figures.average).upper


def test_sdg_base_after_exclusions() -> None:
    result = scores.share(Tally({0: 174, 1: 200, 2: 400, 3: 161}, dont_know=40, not_applicable=25), {2, 3})
    assert (estimate(result).value, estimate(result).n, result.n_excluded) == (0.6, 935, 65)


def test_sdg_average_is_simple_not_pooled() -> None:
    sizes = {"a": 1000, "b": 10, "c": 10, "d": 10, "e": 10}
    attributes = {
        key: Tally({2: n if key == "a" else 0, 1: 0 if key == "a" else n}) for key, n in sizes.items()
    }
    average = estimate(sdg_indicator.sdg_16_6_2(attributes, Tally({2: 1})).average)
    assert average.value == pytest.approx(0.2)
    assert average.n == 10


def test_sdg_needs_five_attributes_with_answers() -> None:
    attributes = {key: Tally({2: 20}) for key in "abcd"}
    with pytest.raises(ValueError, match="five attributes, not 4"):
        sdg_indicator.sdg_16_6_2(attributes, Tally({2: 1}))
    figures = sdg_indicator.sdg_16_6_2({**attributes, "e": Tally({2: 4})}, Tally({2: 1}), minimum=10)
    assert figures.average.result == NotEnough(4, 10)
    assert figures.satisfied.result == NotEnough(1, 10)


def test_driver_share_counts_those_who_were_offered_it() -> None:
    assert estimate(scores.driver_share(30, 120)).value == 0.25
    assert scores.driver_share(0, 0).result == NotEnough(0, 1)


@pytest.mark.parametrize(
    "score",
    [
        scores.top_two_box,
        scores.gds_weighted_v1,
        scores.gds_top2_v2,
        scores.fft_positive,
        scores.fft_negative,
        scores.nps,
        scores.ces_mean,
        scores.ces_share,
        client_satisfaction.csm_item,
        client_satisfaction.csm_awareness,
    ],
)
def test_too_few_answers_give_no_figure(score) -> None:
    few = Tally({3: 2, 4: 2}, not_applicable=30)
    assert score(few, minimum=5).result == NotEnough(4, 5)
    assert score(Tally(not_applicable=30), minimum=0).result == NotEnough(0, 1)
    assert score(few, minimum=4).result.n == 4


@pytest.mark.parametrize(
    ("score", "point"),
    [
        (scores.gds_weighted_v1, 0),
        (scores.nps, 11),
        (scores.ces_mean, 8),
        (scores.ces_share, 8),
        (client_satisfaction.csm_item, 6),
        (client_satisfaction.csm_awareness, 5),
    ],
)
def test_answers_of_another_scale_are_refused(score, point: int) -> None:
    with pytest.raises(ValueError, match=f"{point} lies outside"):
        score(Tally({3: 20, point: 1}))


@pytest.mark.parametrize("tally", [{"counts": {1: -1}}, {"dont_know": -1}, {"not_applicable": -2}])
def test_negative_tallies_are_refused(tally: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="negative"):
        Tally(**tally)


@given(st.lists(tallies, max_size=5))
def test_pooled_tallies_keep_every_answer(parts: list[Tally]) -> None:
    pooled = scores.pool(parts)
    assert pooled.n_rated == sum(part.n_rated for part in parts)
    assert pooled.among({4, 5}) == sum(part.among({4, 5}) for part in parts)
    assert pooled.dont_know == sum(part.dont_know for part in parts)
    assert pooled.not_applicable == sum(part.not_applicable for part in parts)


@given(tallies.filter(lambda tally: tally.n_rated > 0))
def test_every_share_is_a_share(tally: Tally) -> None:
    for score in (
        scores.top_two_box,
        scores.gds_weighted_v1,
        scores.fft_positive,
        client_satisfaction.csm_item,
    ):
        result = estimate(score(tally))
        assert 0 <= result.lower <= result.value <= result.upper <= 1
