"""Precision, recall, F1, calibration and the comparison of models, against known values."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from citizenvoice.stats.classification import (
    Calibration,
    LabelFigures,
    Standing,
    change_of_macro_f1,
    expected_calibration_error,
    label_figures,
    macro_f1,
    one_column_each,
)
from citizenvoice.stats.comparisons import NOT_ENOUGH, Verdict
from citizenvoice.stats.estimates import Estimate, NotEnough, wilson_proportion

CLASSES = "12345"
TRUTH = "114334413135313145545213345251242433555355122353525342355551"
READ = "215323533134522145545113345253253452544545234252544332555451"

tables = st.tuples(*[st.integers(0, 40)] * 4).filter(lambda cells: sum(cells) > 0)


def of_table(both: int, machine_only: int, person_only: int, neither: int, **options: object) -> LabelFigures:
    truth = [[True]] * both + [[False]] * machine_only + [[True]] * person_only + [[False]] * neither
    read = [[True]] * (both + machine_only) + [[False]] * (person_only + neither)
    return label_figures(truth, read, ["staff"], **options)["staff"]  # type: ignore[arg-type]


def figure(result: object) -> Estimate:
    assert isinstance(result, Estimate)
    return result


def calibration(result: object) -> Calibration:
    assert isinstance(result, Calibration)
    return result


def test_classes_equal_another_library() -> None:
    """Computed once with scikit-learn 1.9.1: ``precision_recall_fscore_support`` and ``f1_score``."""
    truth, read = one_column_each(TRUTH, CLASSES), one_column_each(READ, CLASSES)
    rows = label_figures(truth, read, CLASSES).values()

    assert [row.label for row in rows] == list(CLASSES)
    assert [row.support for row in rows] == [10, 8, 15, 9, 18]
    assert [figure(row.precision).value for row in rows] == pytest.approx(
        [0.83333333, 0.27272727, 0.5, 0.33333333, 0.63157895]
    )
    assert [figure(row.recall).value for row in rows] == pytest.approx(
        [0.5, 0.375, 0.4, 0.44444444, 0.66666667]
    )
    assert [figure(row.f1).value for row in rows] == pytest.approx(
        [0.625, 0.31578947, 0.44444444, 0.38095238, 0.64864865]
    )
    assert figure(macro_f1(truth, read)).value == pytest.approx(0.48296698954593686)


def test_precision_and_recall_have_wilsons_interval() -> None:
    row = of_table(both=36, machine_only=9, person_only=4, neither=51)
    assert row.precision == wilson_proportion(36, 45)
    assert row.recall == wilson_proportion(36, 40)
    assert (row.n, row.support, row.predicted) == (100, 40, 45)


@pytest.mark.parametrize(
    ("cells", "standing"),
    [
        ((15, 1, 1, 12), Standing.NOT_ENOUGH_CODED),  # 29 comments
        ((15, 1, 1, 13), Standing.AS_GOOD_AS_PEOPLE),
        ((4, 0, 0, 96), Standing.NOT_ENOUGH_CODED),  # the label was given four times
        ((0, 0, 0, 100), Standing.NOT_ENOUGH_CODED),
        ((30, 10, 10, 50), Standing.AS_GOOD_AS_PEOPLE),  # F1 is 0.75
        ((30, 10, 11, 50), Standing.BELOW_PEOPLE),
        ((0, 5, 9, 50), Standing.BELOW_PEOPLE),
    ],
)
def test_what_is_said_of_a_label(cells: tuple[int, int, int, int], standing: Standing) -> None:
    assert of_table(*cells).standing == standing


def test_a_label_nobody_gave_has_no_figures() -> None:
    row = of_table(0, 0, 0, 50)
    assert row.precision == row.recall == row.f1 == NotEnough(0, 1)
    never_read = of_table(0, 0, 7, 50)
    assert never_read.precision == NotEnough(0, 1)
    assert figure(never_read.recall).value == figure(never_read.f1).value == 0


def test_a_perfect_or_hopeless_reader_is_not_certain() -> None:
    perfect = figure(of_table(20, 0, 0, 80).f1)
    low = wilson_proportion(20, 20).lower
    assert (perfect.value, perfect.upper) == (1, 1)
    assert perfect.lower == pytest.approx(2 * low / (1 + low))
    hopeless = figure(of_table(0, 10, 10, 80).f1)
    assert hopeless.lower == hopeless.value == 0 < hopeless.upper


def test_one_writers_comments_count_together() -> None:
    truth, read = one_column_each(TRUTH, CLASSES), one_column_each(READ, CLASSES)
    thrice, thrice_read = (np.repeat(columns, 3, axis=0) for columns in (truth, read))
    writers = np.repeat(np.arange(60), 3)
    once = label_figures(truth, read, CLASSES)
    together = label_figures(thrice, thrice_read, CLASSES, groups=writers)

    for name in CLASSES:
        for part in ("precision", "recall"):
            alone, joint = figure(getattr(once[name], part)), figure(getattr(together[name], part))
            assert (joint.lower, joint.upper) == pytest.approx((alone.lower, alone.upper))
        alone, joint = figure(once[name].f1), figure(together[name].f1)
        assert (joint.lower, joint.upper) == pytest.approx((alone.lower, alone.upper), abs=0.03)


def test_weights_undo_unequal_chances_of_being_coded() -> None:
    """Comments the machine labelled were coded ten times as often: weighted recall must be the stream's."""
    random = np.random.default_rng(8)
    truth = random.random(200_000) < 0.2
    read = np.where(truth, random.random(200_000) < 0.7, random.random(200_000) < 0.1)
    chance = np.where(read, 0.1, 0.01)
    coded = random.random(200_000) < chance
    columns = truth[coded, None], read[coded, None]

    weighted = figure(label_figures(*columns, ["x"], weights=1 / chance[coded])["x"].recall)
    plain = figure(label_figures(*columns, ["x"])["x"].recall)

    assert weighted.lower < 0.7 < weighted.upper
    assert weighted.upper - weighted.lower > plain.upper - plain.lower
    assert plain.lower > 0.9


def test_f1_covers_the_true_one() -> None:
    random = np.random.default_rng(4)
    chances = np.array([0.24, 0.06, 0.06, 0.64])  # F1 is 0.8
    covered = 0
    for cells in random.multinomial(150, chances, size=300):
        f1 = figure(of_table(*map(int, cells), resamples=400).f1)
        covered += f1.lower <= 0.8 <= f1.upper
    assert 0.91 <= covered / 300 <= 0.985


def test_impossible_tables_are_refused() -> None:
    with pytest.raises(ValueError, match="1 columns"):
        label_figures([[True, False]], [[True]], ["staff"])
    with pytest.raises(ValueError, match="differ in shape"):
        label_figures([[True]], [[True], [False]], ["staff"])
    with pytest.raises(ValueError, match="2 weights for 1"):
        label_figures([[True]], [[True]], ["staff"], weights=[1, 1])
    with pytest.raises(ValueError, match="weights must be positive"):
        label_figures([[True]], [[True]], ["staff"], weights=[-1])
    with pytest.raises(ValueError, match="groups for"):
        label_figures([[True]], [[True]], ["staff"], groups=[1, 2])
    with pytest.raises(ValueError, match="'6' is not among"):
        one_column_each("126", CLASSES)


def test_a_better_model_is_told_from_an_equal_one() -> None:
    random = np.random.default_rng(6)
    truth = one_column_each(list(random.choice(list("abc"), 400)), "abc")

    def reader(right: float) -> np.ndarray:
        guess = one_column_each(list(random.choice(list("abc"), 400)), "abc")
        return np.where(random.random(400)[:, None] < right, truth, guess)

    poor, fair, good = reader(0.4), reader(0.4), reader(0.7)
    assert change_of_macro_f1(truth, poor, good).verdict == Verdict.BETTER
    assert change_of_macro_f1(truth, good, poor).verdict == Verdict.WORSE
    assert change_of_macro_f1(truth, poor, fair).verdict == Verdict.NO_DISTINGUISHABLE_CHANGE


def test_the_difference_is_that_of_the_two_figures() -> None:
    truth, read = one_column_each(TRUTH, CLASSES), one_column_each(READ, CLASSES)
    other = one_column_each(READ[:30] + TRUTH[30:], CLASSES)
    change = change_of_macro_f1(truth, read, other, minimum_support=1)
    before, after = figure(macro_f1(truth, read)), figure(macro_f1(truth, other))
    assert change.difference == pytest.approx(after.value - before.value)
    assert change.p_value is not None
    assert (change.p_value < 0.05) == (change.verdict == Verdict.BETTER)


def test_equal_models_are_rarely_told_apart() -> None:
    """Two models of the same quality, 300 times: at the 95 % level about one in twenty is a false alarm."""
    random = np.random.default_rng(9)
    alarms = 0
    for _ in range(300):
        truth = random.random((150, 2)) < 0.4
        one, other = (truth ^ (random.random(truth.shape) < 0.2) for _ in "ab")
        verdict = change_of_macro_f1(truth, one, other, resamples=300).verdict
        alarms += verdict != Verdict.NO_DISTINGUISHABLE_CHANGE
    assert alarms / 300 <= 0.09


def test_a_whole_writer_is_drawn_at_once() -> None:
    """A gain from one prolific writer is no gain: drawn by writer, the interval must reach 0."""
    truth = np.tile([[True, False], [False, True]], (30, 1))
    current, candidate = truth.copy(), truth.copy()
    current[:20] = ~current[:20]
    writers = ["prolific"] * 20 + [f"writer {number}" for number in range(40)]
    assert change_of_macro_f1(truth, current, candidate).verdict == Verdict.BETTER
    grouped = change_of_macro_f1(truth, current, candidate, groups=writers)
    assert grouped.verdict == Verdict.NO_DISTINGUISHABLE_CHANGE


def test_too_little_to_compare() -> None:
    truth = one_column_each("ab" * 14, "ab")
    assert change_of_macro_f1(truth, truth, truth) == NOT_ENOUGH  # 28 comments
    rare = one_column_each("a" * 5 + "b" * 5, "ab")
    assert change_of_macro_f1(rare, rare, rare, minimum=1) == NOT_ENOUGH
    assert macro_f1(rare, rare, minimum_support=6) == NotEnough(5, 6)


def test_calibration_by_hand() -> None:
    chances = [0.05] * 10 + [0.55] * 20 + [0.95] * 10
    truths = [False] * 10 + [True] * 13 + [False] * 7 + [True] * 9 + [False]
    result = calibration(expected_calibration_error(chances, truths))
    assert result.error == pytest.approx((10 * 0.05 + 20 * 0.10 + 10 * 0.05) / 40)
    assert [part.n for part in result.bins] == [10, 20, 10]
    assert [part.lower for part in result.bins] == pytest.approx([0, 0.5, 0.9])


def test_bins_of_equal_counts() -> None:
    chances = np.linspace(0.901, 1, 100)
    assert len(calibration(expected_calibration_error(chances, [True] * 100)).bins) == 1
    equal = calibration(expected_calibration_error(chances, [True] * 100, bins=5, equal_counts=True))
    assert [part.n for part in equal.bins] == [20] * 5


def test_calibration_refuses_what_is_no_probability() -> None:
    with pytest.raises(ValueError, match="outside 0 to 1"):
        expected_calibration_error([1.2] * 30, [True] * 30)
    with pytest.raises(ValueError, match="outside 0 to 1"):
        expected_calibration_error([float("nan")] * 30, [True] * 30)
    with pytest.raises(ValueError, match="differ in length"):
        expected_calibration_error([0.2] * 30, [True])
    with pytest.raises(ValueError, match="needs a bin"):
        expected_calibration_error([0.2] * 30, [True] * 30, bins=0)
    assert expected_calibration_error([], []) == NotEnough(0, 30)


@given(tables)
@settings(max_examples=60, deadline=None)
def test_figures_stay_in_their_bounds(cells: tuple[int, int, int, int]) -> None:
    row = of_table(*cells, resamples=50)
    for result in (row.precision, row.recall, row.f1):
        if isinstance(result, Estimate):
            assert 0 <= result.lower <= result.value <= result.upper <= 1
            assert result.lower < result.upper


@given(tables)
@settings(max_examples=60, deadline=None)
def test_precision_and_recall_change_places_with_people_and_machine(
    cells: tuple[int, int, int, int],
) -> None:
    both, machine_only, person_only, neither = cells
    row = of_table(both, machine_only, person_only, neither, resamples=50)
    turned = of_table(both, person_only, machine_only, neither, resamples=50)
    assert (row.precision, row.recall) == (turned.recall, turned.precision)


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=30, max_size=80), st.integers(1, 20))
@settings(max_examples=60, deadline=None)
def test_every_prediction_is_in_one_bin(pairs: list[tuple[float, bool]], bins: int) -> None:
    chances, truths = zip(*pairs, strict=True)
    for equal_counts in (False, True):
        result = calibration(
            expected_calibration_error(chances, truths, bins=bins, equal_counts=equal_counts)
        )
        assert sum(part.n for part in result.bins) == len(pairs)
        assert 0 <= result.error <= 1
        for part in result.bins:
            assert part.lower - 1e-9 <= part.probability <= part.upper + 1e-9
