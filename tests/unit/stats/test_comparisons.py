"""Tests of change against published numbers and scipy's own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from citizenvoice.stats.comparisons import (
    NOT_ENOUGH,
    Change,
    Verdict,
    benjamini_hochberg,
    change_of_mean,
    change_of_net_score,
    change_of_proportion,
    holm,
    judge_together,
)
from citizenvoice.stats.estimates import Moments, Polarity

P_VALUES = [0.001, 0.008, 0.039, 0.041, 0.042, 0.060, 0.074, 0.205, 0.212, 0.216]

proportions = st.integers(10, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
groups = st.tuples(*[st.integers(0, 200)] * 3).filter(lambda counts: sum(counts) >= 10)
p_values = st.lists(st.floats(0, 1), max_size=20)


def moments_of(numbers: list[float]) -> Moments:
    return Moments(len(numbers), sum(numbers), sum(x * x for x in numbers))


def numbers_of(change: Change) -> tuple[float, float, float, float]:
    assert change.difference is not None
    assert change.lower is not None
    assert change.upper is not None
    assert change.p_value is not None
    return change.difference, change.lower, change.upper, change.p_value


def test_two_proportions_match_published_numbers() -> None:
    change = change_of_proportion((120, 200), (150, 200))
    assert numbers_of(change) == pytest.approx((0.15, 0.058260, 0.238315, 0.00136210), abs=5e-7)
    assert change.verdict is Verdict.BETTER


@pytest.mark.parametrize(
    ("old", "new", "lower", "upper"),
    [
        ((48, 80), (56, 70), 0.0524, 0.3339),
        ((3, 10), (9, 10), 0.1705, 0.8090),
        ((0, 29), (5, 56), -0.0381, 0.1926),
    ],
)
def test_newcombe_intervals_of_the_paper(
    old: tuple[int, int], new: tuple[int, int], lower: float, upper: float
) -> None:
    change = change_of_proportion(old, new)
    assert numbers_of(change)[1:3] == pytest.approx((lower, upper), abs=5e-5)


def test_a_fall_is_worse_unless_less_is_better() -> None:
    assert change_of_proportion((150, 200), (120, 200)).verdict is Verdict.WORSE
    assert change_of_proportion((150, 200), (120, 200), polarity=Polarity.DOWN).verdict is Verdict.BETTER
    assert change_of_proportion((120, 200), (150, 200), polarity=Polarity.DOWN).verdict is Verdict.WORSE


def test_overlapping_intervals_can_hide_a_difference() -> None:
    from citizenvoice.stats.estimates import wilson_proportion

    assert wilson_proportion(100, 200).upper > wilson_proportion(121, 200).lower
    assert change_of_proportion((100, 200), (121, 200)).verdict is Verdict.BETTER


def test_the_same_share_is_no_change() -> None:
    for successes in (0, 15, 30):
        change = change_of_proportion((successes, 30), (successes, 30))
        assert change.verdict is Verdict.NO_DISTINGUISHABLE_CHANGE
        assert change.difference == 0
        assert change.p_value == 1


def test_too_few_answers_are_not_compared() -> None:
    assert change_of_proportion((9, 9), (0, 500)) == NOT_ENOUGH
    assert change_of_net_score((5, 2, 2), (0, 0, 500)) == NOT_ENOUGH
    assert change_of_mean(Moments.of_counts({5: 9}), Moments.of_counts({1: 400, 2: 9})) == NOT_ENOUGH
    assert change_of_proportion((0, 0), (1, 1), minimum=0) == NOT_ENOUGH
    assert change_of_mean(Moments(1, 5, 25), Moments(50, 100, 300), minimum=0) == NOT_ENOUGH
    assert NOT_ENOUGH.difference is None
    assert NOT_ENOUGH.verdict is Verdict.NOT_ENOUGH


@given(proportions, proportions)
def test_swapping_periods_turns_the_change_round(old: tuple[int, int], new: tuple[int, int]) -> None:
    forth, back = numbers_of(change_of_proportion(old, new)), numbers_of(change_of_proportion(new, old))
    assert forth == pytest.approx((-back[0], -back[2], -back[1], back[3]), abs=1e-12)


@given(proportions, proportions)
def test_intervals_of_a_difference_contain_it(old: tuple[int, int], new: tuple[int, int]) -> None:
    difference, lower, upper, p_value = numbers_of(change_of_proportion(old, new))
    assert -1 <= lower <= difference <= upper <= 1
    assert 0 <= p_value <= 1


@given(proportions, proportions)
def test_a_verdict_needs_both_the_interval_and_the_test(old: tuple[int, int], new: tuple[int, int]) -> None:
    change = change_of_proportion(old, new)
    _, lower, upper, p_value = numbers_of(change)
    said = change.verdict is not Verdict.NO_DISTINGUISHABLE_CHANGE
    assert said == ((lower > 0 or upper < 0) and p_value < 0.05)


def test_welch_on_the_textbook_example() -> None:
    first = [27.5, 21.0, 19.0, 23.6, 17.0, 17.9, 16.9, 20.1, 21.9, 22.6, 23.1, 19.6, 19.0, 21.7, 21.4]
    second = [27.1, 22.0, 20.8, 23.4, 23.4, 23.5, 25.8, 22.0, 24.8, 20.2, 21.9, 22.1, 22.9, 20.5, 24.4]
    change = change_of_mean(moments_of(first), moments_of(second))
    assert numbers_of(change)[3] == pytest.approx(0.021, abs=5e-4)
    assert change.verdict is Verdict.BETTER
    assert change_of_mean(moments_of(first), moments_of(second), confidence=0.99).verdict is (
        Verdict.NO_DISTINGUISHABLE_CHANGE
    )


numbers = st.lists(st.integers(1, 10), min_size=10, max_size=40).filter(lambda values: len(set(values)) > 1)


@given(numbers, numbers)
def test_welch_agrees_with_scipy(old: list[int], new: list[int]) -> None:
    change = change_of_mean(moments_of([*old]), moments_of([*new]))
    expected = stats.ttest_ind(new, old, equal_var=False)
    interval = expected.confidence_interval()
    _, lower, upper, p_value = numbers_of(change)
    assert p_value == pytest.approx(expected.pvalue, abs=1e-9)
    assert (lower, upper) == pytest.approx((interval.low, interval.high), abs=1e-9)


def test_unanimous_means() -> None:
    all_four, all_five = Moments.of_counts({4: 40}), Moments.of_counts({5: 40})
    assert change_of_mean(all_five, all_five).verdict is Verdict.NO_DISTINGUISHABLE_CHANGE
    assert change_of_mean(all_four, all_five) == NOT_ENOUGH


def test_net_scores_have_the_usual_interval_of_a_difference() -> None:
    change = change_of_net_score((50, 30, 20), (120, 20, 10))
    difference, lower, upper, p_value = numbers_of(change)
    assert difference == pytest.approx(110 / 150 - 0.3)
    error = (0.0781025**2 + (130 / 150 - (110 / 150) ** 2) / 150) ** 0.5
    assert (lower, upper) == pytest.approx(
        (difference - 1.959964 * error, difference + 1.959964 * error), abs=5e-7
    )
    assert p_value == pytest.approx(2 * stats.norm.sf(difference / error), abs=5e-7)
    assert change.verdict is Verdict.BETTER
    worse = change_of_net_score((50, 30, 20), (120, 20, 10), polarity=Polarity.DOWN)
    assert worse.verdict is Verdict.WORSE


def test_unanimous_net_scores() -> None:
    assert change_of_net_score((40, 0, 0), (40, 0, 0)).verdict is Verdict.NO_DISTINGUISHABLE_CHANGE
    assert change_of_net_score((0, 0, 40), (40, 0, 0)).verdict is Verdict.BETTER
    with pytest.raises(ValueError, match="negative"):
        change_of_net_score((40, -1, 0), (40, 0, 0))


@given(groups, groups)
def test_net_score_changes_contain_their_difference(
    old: tuple[int, int, int], new: tuple[int, int, int]
) -> None:
    difference, lower, upper, p_value = numbers_of(change_of_net_score(old, new))
    assert -2 <= lower <= difference <= upper <= 2
    assert 0 <= p_value <= 1


def test_benjamini_hochberg_published_vector() -> None:
    expected = [0.01, 0.04, 0.084, 0.084, 0.084, 0.1, 0.105714, 0.216, 0.216, 0.216]
    assert benjamini_hochberg(P_VALUES) == pytest.approx(expected, abs=5e-7)


def test_holm_published_vector() -> None:
    expected = [0.01, 0.072, *[0.312] * 5, *[0.615] * 3]
    assert holm(P_VALUES) == pytest.approx(expected, abs=5e-7)


@given(p_values.flatmap(lambda values: st.tuples(st.just(values), st.permutations(range(len(values))))))
def test_adjusting_does_not_depend_on_order(case: tuple[list[float], list[int]]) -> None:
    values, order = case
    for adjust in (benjamini_hochberg, holm):
        adjusted = adjust(values)
        assert adjust([values[position] for position in order]) == pytest.approx(
            [adjusted[position] for position in order]
        )


@given(p_values)
def test_holm_is_stricter_than_benjamini_hochberg_and_both_than_nothing(values: list[float]) -> None:
    for raw, found, strict in zip(values, benjamini_hochberg(values), holm(values), strict=True):
        assert raw <= found + 1e-12
        assert found <= strict + 1e-12
        assert strict <= 1


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_benjamini_hochberg_agrees_with_scipy(values: list[float]) -> None:
    assert benjamini_hochberg(values) == pytest.approx(list(stats.false_discovery_control(values)))


def test_p_values_outside_the_unit_interval_are_refused() -> None:
    for adjust in (benjamini_hochberg, holm):
        with pytest.raises(ValueError, match="between 0 and 1"):
            adjust([0.5, 1.5])


def test_judging_together_keeps_strong_changes_and_withdraws_weak_ones() -> None:
    strong = change_of_proportion((120, 200), (170, 200))
    weak = change_of_proportion((100, 200), (121, 200))
    quiet = [change_of_proportion((100, 200), (100 + k, 200)) for k in range(6)]
    judged = judge_together([NOT_ENOUGH, weak, strong, *quiet])
    assert [change.verdict for change in judged[:3]] == [
        Verdict.NOT_ENOUGH,
        Verdict.NO_DISTINGUISHABLE_CHANGE,
        Verdict.BETTER,
    ]
    assert numbers_of(judged[2])[3] == pytest.approx(8 * numbers_of(strong)[3])
    assert judge_together([]) == []
