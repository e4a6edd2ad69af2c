"""Corrected shares against published values and another library, and what must hold for any counts."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from citizenvoice.stats.estimates import Estimate, wilson_proportion
from citizenvoice.stats.machine_read import (
    Coded,
    Method,
    Read,
    Reason,
    Withheld,
    adjusted_count,
    corrected_share,
    naive_share,
    prediction_powered_limits,
    prediction_powered_share,
    why_withheld,
)

CODED = Coded(both=70, machine_only=10, person_only=20, neither=100)

# A reader that can tell, with enough of each kind coded; then how many more were read, and of those labelled.
codings = st.builds(
    Coded,
    st.integers(10, 80).map(float),
    st.integers(0, 10).map(float),
    st.integers(0, 10).map(float),
    st.integers(20, 150).map(float),
).filter(lambda coded: why_withheld(coded, minimum_of_each=10) is None)
others = st.integers(0, 5000).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n)))


def figure(result: Estimate | Withheld) -> Estimate:
    assert isinstance(result, Estimate)
    return result


def all_read(coded: Coded, others: tuple[int, int]) -> Read:
    return Read(int(coded.n) + others[0], int(coded.both + coded.machine_only) + others[1])


@pytest.mark.parametrize(
    ("cells", "others", "value", "lower", "upper"),
    [
        ((70, 10, 20, 100), (2000, 900), 0.48126715, 0.429706, 0.532829),
        ((18, 6, 7, 169), (4800, 300), 0.0675, 0.031515, 0.103485),
        ((90, 40, 30, 240), (3600, 1400), 0.33103138, 0.293827, 0.368236),
        ((45, 2, 5, 48), (4900, 2700), 0.56894333, 0.517787, 0.6201),
    ],
)
def test_prediction_powered_share_equals_another_library(
    cells: tuple[float, float, float, float],
    others: tuple[int, int],
    value: float,
    lower: float,
    upper: float,
) -> None:
    """Computed once with ppi-python 0.2.3: ``ppi_mean_pointestimate`` and ``ppi_mean_ci`` (tuned weight).

    That library takes the comments read but not coded, and its interval is the normal one; ours is Wilson's,
    so the limits agree only roughly: their distance to a quarter, and closer where the share is not small.
    """
    coded = Coded(*cells)
    share = figure(prediction_powered_share(all_read(coded, others), coded))
    assert share.value == pytest.approx(value, abs=5e-9)
    assert share.upper - share.lower == pytest.approx(upper - lower, rel=0.25 if value < 0.1 else 0.05)
    assert (share.lower, share.upper) == pytest.approx((lower, upper), abs=0.015)


def test_adjusted_count_equals_the_published_value() -> None:
    """Delta interval of the same numbers: 0.441097 to 0.604492."""
    share = figure(adjusted_count(Read(2000, 900), CODED))
    assert share.value == pytest.approx(0.522794, abs=5e-7)
    assert (share.lower, share.upper) == pytest.approx((0.441097, 0.604492), abs=0.015)


def test_adjusted_count_with_known_rates_is_the_wilson_interval_stretched() -> None:
    """With a hundred thousand comments coded, only the share the machine labelled is uncertain."""
    coded = Coded(80_000, 10_000, 20_000, 90_000)
    share = figure(adjusted_count(Read(500, 190), coded))
    naive = wilson_proportion(190, 500)
    expected = [(limit - 0.1) / 0.7 for limit in (naive.value, naive.lower, naive.upper)]
    assert (share.value, share.lower, share.upper) == pytest.approx(expected, abs=2e-4)


def test_all_comments_coded_need_no_machine() -> None:
    share = figure(prediction_powered_share(Read(200, 80), CODED))
    plain = wilson_proportion(90, 200)
    assert share.value == plain.value
    assert (share.lower, share.upper) == pytest.approx((plain.lower, plain.upper), abs=2e-3)


def test_a_useful_reader_narrows_the_interval_and_more_reading_narrows_it_more() -> None:
    coded = Coded(90, 5, 5, 100)
    widths = []
    for n in (200, 1000, 20_000):
        share = figure(prediction_powered_share(Read(n, n * 95 // 200), coded))
        widths.append(share.upper - share.lower)
    assert widths == sorted(widths, reverse=True)
    assert widths[-1] < 0.6 * widths[0]


def test_a_reader_that_guesses_is_not_listened_to() -> None:
    value, lower, upper = prediction_powered_limits([50, 50, 50, 50], 10_000, 9_000)
    plain = wilson_proportion(100, 200)
    assert (value, lower, upper) == pytest.approx((plain.value, plain.lower, plain.upper), abs=2e-3)


def test_the_method_follows_from_how_the_comments_were_chosen() -> None:
    random_ones = corrected_share(Read(2200, 980), CODED, same_stream=True)
    older_ones = corrected_share(Read(2000, 900), CODED, same_stream=False)

    assert random_ones.method == Method.PREDICTION_POWERED
    assert random_ones.result == prediction_powered_share(Read(2200, 980), CODED)
    assert older_ones.method == Method.ADJUSTED_COUNT
    assert older_ones.result == adjusted_count(Read(2000, 900), CODED)
    assert older_ones.naive == naive_share(Read(2000, 900)) == wilson_proportion(900, 2000)
    assert older_ones.n_coded == 200


@pytest.mark.parametrize(
    ("cells", "reason", "found", "needed"),
    [
        ((14, 1, 1, 13), Reason.TOO_FEW_CODED, 29, 30),
        ((2, 0, 0, 98), Reason.TOO_FEW_WITH_LABEL, 2, 3),
        ((98, 0, 0, 2), Reason.TOO_FEW_WITHOUT_LABEL, 2, 3),
        ((50, 40, 50, 60), Reason.READER_CANNOT_TELL, 0.1, 0.2),
        ((0, 90, 90, 0), Reason.READER_CANNOT_TELL, -1, 0.2),
    ],
)
def test_why_a_share_is_withheld(
    cells: tuple[float, float, float, float], reason: Reason, found: float, needed: float
) -> None:
    withheld = prediction_powered_share(Read(1000, 400), Coded(*cells))
    assert isinstance(withheld, Withheld)
    assert withheld == why_withheld(Coded(*cells))
    assert withheld.reason == reason
    assert (withheld.found, withheld.needed) == pytest.approx((found, needed))


def test_the_adjusted_count_asks_for_more_of_each_kind() -> None:
    few = Coded(8, 1, 1, 90)
    assert adjusted_count(Read(1000, 90), few) == Withheld(Reason.TOO_FEW_WITH_LABEL, 9, 10)
    assert isinstance(prediction_powered_share(Read(1000, 90), few), Estimate)


def test_a_reader_at_the_limit_is_used() -> None:
    assert why_withheld(Coded(60, 40, 40, 60)) is None  # TPR - FPR is 0.2


def test_weighted_comments_are_scaled_to_what_they_are_worth() -> None:
    truth, read = [True] * 60 + [False] * 40, [True] * 50 + [False] * 50
    even = Coded.of(truth, read, weights=[3.0] * 100)
    assert even.cells == pytest.approx(Coded.of(truth, read).cells)
    assert Coded.of(truth, read) == Coded(50, 0, 10, 40)

    uneven = Coded.of(truth, read, weights=[4.0] * 20 + [1.0] * 80)
    assert uneven.n == pytest.approx(160**2 / (20 * 16 + 80))
    assert uneven.with_label / uneven.n == pytest.approx((20 * 4 + 40) / 160)


def test_weights_correct_a_sample_that_favours_what_the_machine_labelled() -> None:
    random = np.random.default_rng(12)
    truth = random.random(60_000) < 0.15
    said = np.where(truth, random.random(60_000) < 0.8, random.random(60_000) < 0.1)
    chance = np.where(said, 0.02, 0.004)
    coded = random.random(60_000) < chance
    read = Read(60_000, int(said.sum()))

    plain = figure(prediction_powered_share(read, Coded.of(truth[coded], said[coded])))
    weighted = figure(
        prediction_powered_share(read, Coded.of(truth[coded], said[coded], weights=1 / chance[coded]))
    )
    assert weighted.lower < 0.15 < weighted.upper
    assert abs(weighted.value - 0.15) < abs(plain.value - 0.15)


def test_impossible_counts_are_refused() -> None:
    with pytest.raises(ValueError, match="5 of 4"):
        Read(4, 5)
    with pytest.raises(ValueError, match="not a share"):
        Read(0, 0)
    with pytest.raises(ValueError, match="negative"):
        Coded(1, -1, 0, 0)
    with pytest.raises(ValueError, match="more comments were coded than read"):
        prediction_powered_share(Read(100, 50), CODED)
    with pytest.raises(ValueError, match="differ in length"):
        Coded.of([True], [True, False])
    with pytest.raises(ValueError, match="weights must be positive"):
        Coded.of([True], [True], weights=[0])


def test_no_comment_coded_is_too_few() -> None:
    assert Coded.of([], []).n == 0
    assert prediction_powered_share(Read(10, 5), Coded.of([], [])) == Withheld(Reason.TOO_FEW_CODED, 0, 30)


def test_readings_that_no_share_explains_are_withheld() -> None:
    """One in five comments without the label was given it when coded, but none of a thousand read."""
    coded = Coded(40, 20, 10, 80)
    assert adjusted_count(Read(1000, 0), coded) == Withheld(Reason.RATES_DO_NOT_FIT, 0.0, 0.2)
    assert adjusted_count(Read(1000, 1000), coded) == Withheld(Reason.RATES_DO_NOT_FIT, 1.0, 0.8)
    assert figure(adjusted_count(Read(1000, 195), coded)).lower == 0


@given(codings, others, st.booleans())
@settings(deadline=None)
def test_shares_lie_in_their_interval_and_in_bounds(
    coded: Coded, others: tuple[int, int], same_stream: bool
) -> None:
    result = corrected_share(all_read(coded, others), coded, same_stream=same_stream).result
    if isinstance(result, Withheld):
        assert result.reason == Reason.RATES_DO_NOT_FIT
        assert not same_stream
        return
    share = result
    assert 0 <= share.lower <= share.value <= share.upper <= 1
    assert share.lower < share.upper


@given(codings, others, st.booleans())
@settings(deadline=None)
def test_the_share_without_the_label_is_the_rest(
    coded: Coded, others: tuple[int, int], same_stream: bool
) -> None:
    read = all_read(coded, others)
    turned = Coded(coded.neither, coded.person_only, coded.machine_only, coded.both)
    result = corrected_share(read, coded, same_stream=same_stream).result
    assume(isinstance(result, Estimate))
    share = figure(result)
    without = Read(read.n, read.n - read.labelled)
    rest = figure(corrected_share(without, turned, same_stream=same_stream).result)
    assert (rest.value, rest.lower, rest.upper) == pytest.approx(
        (1 - share.value, 1 - share.upper, 1 - share.lower), abs=1e-9
    )


@given(codings, others, st.booleans())
@settings(deadline=None)
def test_a_higher_confidence_is_a_wider_interval(
    coded: Coded, others: tuple[int, int], same_stream: bool
) -> None:
    read = all_read(coded, others)
    narrow = corrected_share(read, coded, same_stream=same_stream, confidence=0.8).result
    assume(isinstance(narrow, Estimate))
    narrow = figure(narrow)
    wide = figure(corrected_share(read, coded, same_stream=same_stream, confidence=0.99).result)
    assert wide.lower <= narrow.lower
    assert narrow.upper <= wide.upper


@given(codings, others)
@settings(deadline=None)
def test_coding_more_of_the_same_narrows_the_adjusted_count(coded: Coded, others: tuple[int, int]) -> None:
    assume(coded.cells.min() >= 3)
    read = all_read(coded, others)
    assume(coded.false_positive_rate <= read.labelled / read.n <= coded.true_positive_rate)
    more = Coded(*(float(count) for count in 20 * coded.cells))
    few, many = figure(adjusted_count(read, coded)), figure(adjusted_count(read, more))
    assert many.value == pytest.approx(few.value)
    assert many.upper - many.lower <= few.upper - few.lower + 1e-9
