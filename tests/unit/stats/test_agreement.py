"""Agreement between people against published values and other libraries, and what must hold for any codes."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from citizenvoice.stats.agreement import (
    Level,
    OneCodeOnly,
    Weighting,
    cohen_kappa,
    definition_is_the_problem,
    krippendorff_alpha,
    raw_agreement,
)
from citizenvoice.stats.estimates import Estimate, NotEnough, wilson_proportion

NAN = float("nan")
ANN = [int(code) for code in "114334413135313145545213345251242433555355122353525342355551"]
BO = [int(code) for code in "215323533134522145545113345253253452544545234252544332555451"]
# Those of Ann's codes that a third person gave too; the third did not code the other comments.
THIRD = [1, 4, 7, 8, 10, 15, 17, 21, 22, 26, 31, 32, 33, 34, 35, 36, 37, 39, 42, 43, 44, 48, 53, 54, 58]
PEOPLE = [ANN, BO, [ANN[i] if i in THIRD else NAN for i in range(60)]]

codes = st.integers(2, 40).flatmap(
    lambda n: st.tuples(*[st.lists(st.integers(1, 4), min_size=n, max_size=n)] * 2)
)


def figure(result: object) -> Estimate:
    assert isinstance(result, Estimate)
    return result


@pytest.mark.parametrize(
    ("weighting", "expected"),
    [(Weighting.NOMINAL, 0.3621545), (Weighting.LINEAR, 0.5978836), (Weighting.QUADRATIC, 0.77186312)],
)
def test_kappa_equals_another_library(weighting: Weighting, expected: float) -> None:
    """Computed once with scikit-learn 1.9.1: ``cohen_kappa_score(ANN, BO, weights=...)``."""
    kappa = figure(cohen_kappa(ANN, BO, categories=range(1, 6), weighting=weighting))
    assert kappa.value == pytest.approx(expected, abs=5e-9)
    assert kappa.n == 60


@pytest.mark.parametrize(
    ("people", "level", "expected"),
    [
        (PEOPLE[:2], Level.NOMINAL, 0.36499466),
        (PEOPLE[:2], Level.ORDINAL, 0.76320247),
        (PEOPLE[:2], Level.INTERVAL, 0.77296495),
        (PEOPLE, Level.NOMINAL, 0.47553721),
        (PEOPLE, Level.ORDINAL, 0.80903385),
        (PEOPLE, Level.INTERVAL, 0.81523547),
    ],
)
def test_alpha_equals_another_library(people: list[list[float]], level: Level, expected: float) -> None:
    """Computed once with krippendorff 0.9.0: ``krippendorff.alpha(people, level_of_measurement=...)``."""
    assert figure(krippendorff_alpha(people, level=level)).value == pytest.approx(expected, abs=5e-9)


def test_published_three_class_agreement() -> None:
    rows = np.repeat(np.arange(3), [40, 35, 25])
    columns = np.concatenate([np.repeat(np.arange(3), row) for row in ([34, 6, 0], [4, 28, 3], [0, 5, 20])])

    assert figure(raw_agreement(rows, columns)).value == 0.82
    assert figure(cohen_kappa(rows, columns)).value == pytest.approx(0.724771, abs=5e-7)
    quadratic = cohen_kappa(rows, columns, categories=range(3), weighting=Weighting.QUADRATIC)
    assert figure(quadratic).value == pytest.approx(0.851852, abs=5e-7)


def test_raw_agreement_has_wilsons_interval() -> None:
    share = figure(raw_agreement([1] * 45 + [0] * 15, [1] * 60))
    assert share == wilson_proportion(45, 60)


def test_comments_of_one_writer_count_together() -> None:
    """Each comment three times over: the interval must be that of 60 comments, not of 180."""
    writers = np.repeat(np.arange(60), 3)
    thrice = figure(cohen_kappa(np.repeat(ANN, 3), np.repeat(BO, 3), groups=writers))
    once = figure(cohen_kappa(ANN, BO))
    assert thrice.value == pytest.approx(once.value)
    assert thrice.upper - thrice.lower == pytest.approx(once.upper - once.lower, rel=0.05)

    apart = figure(cohen_kappa(np.repeat(ANN, 3), np.repeat(BO, 3)))
    assert apart.upper - apart.lower < 0.7 * (once.upper - once.lower)

    share = figure(raw_agreement(np.repeat(ANN, 3), np.repeat(BO, 3), groups=writers))
    alone = figure(raw_agreement(ANN, BO))
    assert (share.lower, share.upper) == pytest.approx((alone.lower, alone.upper))


def test_kappa_covers_the_true_agreement() -> None:
    """Two people who each see the truth with chance 0.8, else guess: kappa is 0.64 for even classes."""
    random = np.random.default_rng(3)
    covered = 0
    for _ in range(300):
        truth = random.integers(0, 2, 150)
        first, second = (np.where(random.random(150) < 0.8, truth, random.integers(0, 2, 150)) for _ in "ab")
        kappa = figure(cohen_kappa(first, second, resamples=400))
        covered += kappa.lower <= 0.64 <= kappa.upper
    assert 0.91 <= covered / 300 <= 0.985


def test_the_same_seed_gives_the_same_interval() -> None:
    assert cohen_kappa(ANN, BO, seed=5) == cohen_kappa(ANN, BO, seed=5)
    assert cohen_kappa(ANN, BO, seed=5) != cohen_kappa(ANN, BO, seed=6)


def test_perfect_agreement_is_not_certainty() -> None:
    perfect = figure(cohen_kappa([0, 1] * 10, [0, 1] * 10))
    assert (perfect.value, perfect.upper) == (1, 1)
    # 20 of 20 agree: Wilson's lower limit of that share is 0.8389, and half would agree by chance.
    assert perfect.lower == pytest.approx(1 - (1 - wilson_proportion(20, 20).lower) / 0.5)
    assert figure(krippendorff_alpha([[0, 1] * 10] * 2)).lower == pytest.approx(perfect.lower)


def test_nothing_is_said_where_only_one_code_was_given() -> None:
    assert cohen_kappa([0] * 9, [0] * 9) == OneCodeOnly(9)
    assert krippendorff_alpha([[2] * 9] * 3) == OneCodeOnly(9)


def test_too_few_codes_give_no_figure() -> None:
    assert cohen_kappa([1, 2], [1, 2], minimum=30) == NotEnough(2, 30)
    assert raw_agreement([], []) == NotEnough(0, 1)
    assert krippendorff_alpha([[1, NAN, 2], [1, 2, NAN]]) == NotEnough(1, 2)


def test_impossible_codes_are_refused() -> None:
    with pytest.raises(ValueError, match="cannot be paired"):
        cohen_kappa([1, 2], [1])
    with pytest.raises(ValueError, match="order of the categories"):
        cohen_kappa(ANN, BO, weighting=Weighting.LINEAR)
    with pytest.raises(ValueError, match="6 is not among"):
        cohen_kappa([6, 1], [1, 1], categories=range(1, 6))
    with pytest.raises(ValueError, match="named twice"):
        cohen_kappa([1, 1], [1, 1], categories=[1, 1])
    with pytest.raises(ValueError, match="people by comments"):
        krippendorff_alpha([1, 2, 3])
    with pytest.raises(ValueError, match="groups for"):
        krippendorff_alpha([ANN, BO], groups=["one"])


def test_a_low_agreement_blames_the_definition() -> None:
    assert definition_is_the_problem(Estimate(0.59, 0.4, 0.7, n=30))
    assert not definition_is_the_problem(Estimate(0.6, 0.4, 0.7, n=30))
    assert not definition_is_the_problem(Estimate(0.1, -0.2, 0.4, n=29))
    assert not definition_is_the_problem(NotEnough(3, 30))
    assert not definition_is_the_problem(OneCodeOnly(50))


@given(codes)
@settings(max_examples=60, deadline=None)
def test_kappa_stays_in_its_bounds_and_does_not_mind_who_is_first(pair: tuple[list[int], list[int]]) -> None:
    first, second = pair
    kappa, other = (cohen_kappa(*both, resamples=50) for both in ((first, second), (second, first)))
    assume(isinstance(kappa, Estimate))
    assert -1 - 1e-9 <= figure(kappa).lower <= figure(kappa).value <= figure(kappa).upper <= 1
    assert figure(kappa).value == pytest.approx(figure(other).value)


@given(codes, st.permutations([1, 2, 3, 4]))
@settings(max_examples=60, deadline=None)
def test_names_of_the_codes_do_not_matter(pair: tuple[list[int], list[int]], names: list[int]) -> None:
    table = np.array(pair)
    renamed = np.array(names)[table - 1]
    alpha = krippendorff_alpha(table, resamples=50)
    assume(isinstance(alpha, Estimate))
    assert figure(krippendorff_alpha(renamed, resamples=50)).value == pytest.approx(figure(alpha).value)
    assert figure(alpha).lower <= figure(alpha).value <= figure(alpha).upper <= 1


@given(codes, st.floats(0.1, 50), st.floats(-20, 20))
@settings(max_examples=40, deadline=None)
def test_interval_alpha_does_not_mind_the_unit(
    pair: tuple[list[int], list[int]], scale: float, shift: float
) -> None:
    table = np.array(pair, dtype=float)
    alpha = krippendorff_alpha(table, level=Level.INTERVAL, resamples=20)
    assume(isinstance(alpha, Estimate))
    other = krippendorff_alpha(table * scale + shift, level=Level.INTERVAL, resamples=20)
    assert figure(other).value == pytest.approx(figure(alpha).value)


@given(codes)
@settings(max_examples=40, deadline=None)
def test_a_comment_one_person_coded_adds_nothing(pair: tuple[list[int], list[int]]) -> None:
    table = np.array(pair, dtype=float)
    wider = np.hstack([table, [[1.0], [NAN]]])
    alpha, other = (krippendorff_alpha(codes, resamples=20) for codes in (table, wider))
    assume(isinstance(alpha, Estimate))
    assert figure(other).value == pytest.approx(figure(alpha).value)
    assert figure(other).n == figure(alpha).n
