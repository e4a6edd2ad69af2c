"""Estimates against published numbers, and what must hold for any counts."""

from math import comb, sqrt
from statistics import mean, stdev

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtri

from citizenvoice.stats.estimates import (
    Estimate,
    Moments,
    NotEnough,
    Polarity,
    pooled_proportion,
    t_value,
    wilson_at_effective_n,
    wilson_proportion,
    withhold_small,
    z_value,
)
from citizenvoice.stats.means import mean_of_counts, mean_of_moments, rescaled_mean
from citizenvoice.stats.net_scores import net_promoter, net_score

LIKERT = {1: 5, 2: 10, 3: 20, 4: 40, 5: 25}

proportions = st.integers(1, 3000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
confidences = st.sampled_from([0.8, 0.9, 0.95, 0.99])
five_points = st.dictionaries(st.integers(1, 5), st.integers(0, 400), min_size=1).filter(
    lambda counts: sum(counts.values()) > 0
)


def limits(estimate: Estimate) -> tuple[float, float]:
    return estimate.lower, estimate.upper


@pytest.mark.parametrize(
    ("successes", "n", "lower", "upper"),
    [
        (45, 60, 0.627679, 0.842235),
        (0, 10, 0.0, 0.277533),
        (10, 10, 0.722467, 1.0),
        (1, 3, 0.061492, 0.792340),
        (812, 1000, 0.786607, 0.835005),
    ],
)
def test_wilson_matches_published_limits(successes: int, n: int, lower: float, upper: float) -> None:
    estimate = wilson_proportion(successes, n)
    assert estimate.value == successes / n
    assert limits(estimate) == pytest.approx((lower, upper), abs=5e-7)
    assert (estimate.n, estimate.confidence) == (n, 0.95)


@pytest.mark.parametrize(
    ("up", "n", "lower"),
    [
        (1, 1, 0.206549),
        (9, 10, 0.595850),
        (90, 100, 0.825634),
        (60, 100, 0.502003),
        (600, 1000, 0.569309),
        (0, 5, 0.0),
    ],
)
def test_wilson_lower_limit_ranks_ideas(up: int, n: int, lower: float) -> None:
    assert wilson_proportion(up, n).lower == pytest.approx(lower, abs=5e-7)


@pytest.mark.parametrize(("successes", "n"), [(0, 0), (-1, 5), (6, 5), (0, -1)])
def test_impossible_proportions_are_refused(successes: int, n: int) -> None:
    with pytest.raises(ValueError, match="not a proportion"):
        wilson_proportion(successes, n)


@given(proportions, confidences)
def test_wilson_stays_in_the_unit_interval_and_contains_the_estimate(
    counts: tuple[int, int], confidence: float
) -> None:
    estimate = wilson_proportion(*counts, confidence=confidence)
    assert 0 <= estimate.lower <= estimate.value <= estimate.upper <= 1
    assert estimate.lower < estimate.upper


@given(proportions, st.integers(2, 20))
def test_wilson_narrows_with_n(counts: tuple[int, int], times: int) -> None:
    few = wilson_proportion(*counts)
    many = wilson_proportion(counts[0] * times, counts[1] * times)
    assert many.upper - many.lower < few.upper - few.lower


@given(proportions)
def test_wilson_of_the_complement_is_mirrored(counts: tuple[int, int]) -> None:
    yes, no = wilson_proportion(*counts), wilson_proportion(counts[1] - counts[0], counts[1])
    assert limits(yes) == pytest.approx((1 - no.upper, 1 - no.lower), abs=1e-12)


@given(proportions)
def test_wilson_widens_with_confidence(counts: tuple[int, int]) -> None:
    narrow, wide = wilson_proportion(*counts, confidence=0.8), wilson_proportion(*counts, confidence=0.99)
    assert wide.lower <= narrow.lower
    assert narrow.upper <= wide.upper
    assert wide.upper - wide.lower > narrow.upper - narrow.lower


def test_wilson_covers_the_truth_about_as_often_as_it_says() -> None:
    n = 40
    intervals = [limits(wilson_proportion(successes, n)) for successes in range(n + 1)]
    truths = [k / 200 for k in range(10, 191)]
    coverages = [
        sum(
            comb(n, x) * p**x * (1 - p) ** (n - x)
            for x, (low, high) in enumerate(intervals)
            if low <= p <= high
        )
        for p in truths
    ]
    assert mean(coverages) == pytest.approx(0.95, abs=0.01)
    assert min(coverages) > 0.88


def test_effective_n_of_weighted_and_of_finite_samples() -> None:
    weighted = wilson_at_effective_n(0.65, 150, n=200)
    assert limits(weighted) == pytest.approx((0.570791, 0.721718), abs=5e-7)
    assert weighted.n == 200
    finite = wilson_at_effective_n(0.8, 200 * 499 / 300, n=200)
    assert limits(finite) == pytest.approx((0.753701, 0.839450), abs=5e-7)


@pytest.mark.parametrize(("value", "n_effective"), [(1.2, 10), (-0.1, 10), (0.5, 0)])
def test_effective_n_refuses_nonsense(value: float, n_effective: float) -> None:
    with pytest.raises(ValueError, match=r"proportion|positive"):
        wilson_at_effective_n(value, n_effective, n=10)


def test_pooling_weighs_every_answer_alike() -> None:
    big, small = (990_000, 1_000_000), (50, 100)
    pooled = pooled_proportion([big, small])
    assert pooled.value == pytest.approx(0.989951, abs=5e-7)
    assert pooled.value != pytest.approx((0.99 + 0.5) / 2, abs=0.1)


@given(st.lists(proportions, min_size=1, max_size=12))
def test_pooling_is_one_proportion_of_the_sums(parts: list[tuple[int, int]]) -> None:
    sums = sum(x for x, _ in parts), sum(n for _, n in parts)
    assert pooled_proportion(parts) == wilson_proportion(*sums)
    assert pooled_proportion([*parts, (0, 0)]) == pooled_proportion(reversed(parts))


@given(st.integers(1, 200), st.lists(st.integers(0, 200), min_size=2, max_size=6))
def test_pooling_equals_averaging_only_for_equal_parts(n: int, successes: list[int]) -> None:
    parts = [(min(x, n), n) for x in successes]
    assert pooled_proportion(parts).value == pytest.approx(mean(x / n for x, _ in parts))


def test_pooling_nothing_or_a_part_that_overflows_is_refused() -> None:
    with pytest.raises(ValueError, match="0 of 0"):
        pooled_proportion([])
    with pytest.raises(ValueError, match="3 of 2"):
        pooled_proportion([(3, 2), (0, 50)])


def test_mean_of_a_likert_item() -> None:
    estimate = mean_of_counts(LIKERT)
    assert isinstance(estimate, Estimate)
    assert estimate.value == 3.7
    assert limits(estimate) == pytest.approx((3.480637, 3.919363), abs=5e-7)
    assert sqrt(Moments.of_counts(LIKERT).variance) == pytest.approx(1.105542, abs=5e-7)


def test_one_answer_has_no_interval_unless_the_scale_is_known() -> None:
    assert mean_of_counts({4: 1}) == NotEnough(1, 2)
    known = mean_of_counts({4: 1}, scale=(1, 5))
    assert isinstance(known, Estimate)
    assert 1 < known.lower < 4 < known.upper < 5


def test_unanimous_answers_on_two_points_have_the_wilson_interval() -> None:
    wilson = wilson_proportion(12, 12)
    assert limits(rescaled_mean({1: 12}, 0, 1)) == pytest.approx(limits(wilson))
    assert limits(rescaled_mean({0: 12}, 0, 1)) == pytest.approx(limits(wilson_proportion(0, 12)))


def test_unanimous_answers_without_a_scale_have_no_width() -> None:
    assert mean_of_counts({4: 9}) == Estimate(4.0, 4.0, 4.0, 9)


@pytest.mark.parametrize("counts", [{}, {3: 0}])
def test_a_mean_of_nothing_is_refused(counts: dict[int, int]) -> None:
    with pytest.raises(ValueError, match="no answers"):
        mean_of_counts(counts)
    with pytest.raises(ValueError, match="no answers"):
        rescaled_mean(counts, 1, 5)


def test_answers_outside_the_scale_and_negative_counts_are_refused() -> None:
    with pytest.raises(ValueError, match="6 lies outside"):
        rescaled_mean({6: 1, 5: 3}, 1, 5)
    with pytest.raises(ValueError, match="0 lies outside"):
        mean_of_counts({0: 1, 5: 3}, scale=(1, 5))
    with pytest.raises(ValueError, match="negative"):
        mean_of_counts({1: -1, 5: 3})
    with pytest.raises(ValueError, match="no length"):
        rescaled_mean({5: 3}, 5, 5)


def test_rescaled_mean_is_the_gds_weighted_percentage() -> None:
    estimate = rescaled_mean(LIKERT, 1, 5)
    assert estimate.value == pytest.approx(0.675)
    assert limits(estimate) == pytest.approx((0.62015914, 0.72984086), abs=5e-9)


@given(five_points)
def test_rescaled_mean_stays_in_the_unit_interval(counts: dict[int, int]) -> None:
    estimate = rescaled_mean(counts, 1, 5)
    assert 0 <= estimate.lower <= estimate.value <= estimate.upper <= 1
    assert estimate.lower < estimate.upper
    weights = sum(count * (point - 1) / 4 for point, count in counts.items())
    assert estimate.value == pytest.approx(weights / sum(counts.values()))


@given(five_points)
def test_turning_the_scale_round_turns_the_estimate_round(counts: dict[int, int]) -> None:
    turned = {6 - point: count for point, count in counts.items()}
    up, down = rescaled_mean(counts, 1, 5), rescaled_mean(turned, 1, 5, polarity=Polarity.DOWN)
    assert (up.value, *limits(up)) == pytest.approx((down.value, *limits(down)), abs=1e-9)


@given(five_points, st.integers(2, 9))
def test_means_narrow_with_n(counts: dict[int, int], times: int) -> None:
    few = rescaled_mean(counts, 1, 5)
    many = rescaled_mean({point: count * times for point, count in counts.items()}, 1, 5)
    width = few.upper - few.lower
    assert many.upper - many.lower < width or width == 1  # a few scattered answers span the whole scale


@given(st.lists(st.integers(-50, 50), min_size=2, max_size=60))
def test_moments_agree_with_the_numbers_they_came_from(numbers: list[int]) -> None:
    counts = {number: numbers.count(number) for number in numbers}
    moments = Moments.of_counts(counts)
    assert moments.mean == pytest.approx(mean(numbers))
    assert sqrt(moments.variance) == pytest.approx(stdev(numbers), abs=1e-9)
    halves = [Moments.of_counts({x: 1}) for x in numbers]
    assert sum(halves[1:], halves[0]) == moments


def test_mean_of_moments_handles_measured_numbers() -> None:
    minutes = [12.5, 30.0, 18.25, 22.0, 41.5]
    moments = Moments(len(minutes), sum(minutes), sum(x * x for x in minutes))
    estimate = mean_of_moments(moments)
    assert isinstance(estimate, Estimate)
    half = 2.776445 * stdev(minutes) / sqrt(5)
    assert limits(estimate) == pytest.approx((mean(minutes) - half, mean(minutes) + half), abs=1e-4)
    with pytest.raises(ValueError, match="no answers"):
        mean_of_moments(Moments(0, 0, 0))
    with pytest.raises(ValueError, match="outside the scale"):
        mean_of_moments(Moments(1, 9, 81), scale=(1, 5))


def test_net_promoter_score_with_its_interval() -> None:
    estimate = net_promoter(50, 30, 20)
    assert estimate.value == pytest.approx(0.3)
    assert limits(estimate) == pytest.approx((0.14692192, 0.45307808), abs=5e-9)


def test_net_score_standard_error() -> None:
    estimate = net_score(65, 15, 100)
    assert estimate.value == 0.5
    assert (estimate.upper - estimate.value) / z_value() == pytest.approx(0.074162, abs=5e-7)


@given(st.tuples(*[st.integers(0, 300)] * 3).filter(any))
def test_net_scores_stay_between_minus_one_and_one(groups: tuple[int, int, int]) -> None:
    promoters, passives, detractors = groups
    estimate = net_promoter(promoters, passives, detractors)
    assert -1 <= estimate.lower <= estimate.value <= estimate.upper <= 1
    assert estimate.lower < estimate.upper
    opposite = net_promoter(detractors, passives, promoters)
    assert limits(opposite) == pytest.approx((-estimate.upper, -estimate.lower))


@pytest.mark.parametrize("groups", [(0, 0, 0), (-1, 5, 5), (5, -1, 5), (5, 5, -1)])
def test_impossible_net_scores_are_refused(groups: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match=r"net score|negative"):
        net_promoter(*groups)


def test_small_figures_are_withheld() -> None:
    assert withhold_small(wilson_proportion(9, 9), minimum=10) == NotEnough(9, 10)
    kept = wilson_proportion(9, 10)
    assert withhold_small(kept, minimum=10) is kept


@given(st.floats(0.001, 0.999))
def test_normal_quantile_is_exact(confidence: float) -> None:
    assert z_value(confidence) == pytest.approx(float(ndtri(0.5 + confidence / 2)), abs=1e-12)


def test_quantiles_match_printed_tables() -> None:
    assert z_value(0.95) == pytest.approx(1.959964, abs=5e-7)
    assert t_value(99) == pytest.approx(1.984217, abs=5e-7)
    assert t_value(1) == pytest.approx(12.706205, abs=5e-7)


@pytest.mark.parametrize("confidence", [0.0, 1.0, 95])
def test_confidence_is_a_share(confidence: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        z_value(confidence)
    with pytest.raises(ValueError, match="between 0 and 1"):
        t_value(10, confidence)


def test_no_degrees_of_freedom_are_refused() -> None:
    with pytest.raises(ValueError, match="degrees"):
        t_value(0)
