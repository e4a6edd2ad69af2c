"""Key drivers against published numbers and against a direct computation."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from citizenvoice.stats.drivers import (
    Driver,
    DriverAnalysis,
    Matrix,
    NoVariance,
    PairSums,
    key_drivers,
    lmg,
    nearest_correlations,
    pair_sums,
    relative_weights,
)
from citizenvoice.stats.estimates import NotEnough, Polarity

NAMES = ("ease", "speed", "courtesy", "overall")
ROWS = [
    (5, 4, 5, 5), (4, 4, 4, 4), (3, 2, 4, 3), (2, 3, 3, 2), (5, 5, 4, 5), (1, 2, 2, 1),
    (4, 3, 5, 4), (3, 3, 3, 3), (2, 1, 3, 2), (5, 4, 4, 5), (4, 5, 5, 5), (3, 4, 2, 3),
    (1, 1, 1, 1), (2, 2, 4, 2), (4, 4, 3, 4), (5, 3, 5, 4), (3, 3, 4, 3), (4, 2, 4, 3),
    (2, 4, 3, 3), (1, 3, 2, 2), (5, 5, 5, 5), (3, 2, 2, 2), (4, 3, 4, 4), (2, 2, 3, 2),
]  # fmt: skip
RATINGS: dict[str, list[float | None]] = {
    name: list(column) for name, column in zip(NAMES, zip(*ROWS, strict=True), strict=True)
}
DRIVERS = [Driver(name, len(ROWS), sum(row[i] for row in ROWS)) for i, name in enumerate(NAMES[:3])]


def analysed(result: DriverAnalysis | NotEnough | NoVariance) -> DriverAnalysis:
    assert isinstance(result, DriverAnalysis)
    return result


def random_correlations(seed: int, n: int) -> Matrix:
    generator = np.random.default_rng(seed)
    people = generator.normal(size=(60, n)) @ generator.normal(size=(n, n))
    return np.asarray(np.corrcoef(people, rowvar=False))


def test_published_importances() -> None:
    analysis = analysed(key_drivers(DRIVERS, "overall", pair_sums(RATINGS), minimum=20))
    assert [row.key for row in analysis.drivers] == ["ease", "speed", "courtesy"]
    assert [row.importance for row in analysis.drivers] == pytest.approx(
        [0.401375, 0.311728, 0.244452], abs=5e-7
    )
    assert [100 * row.share for row in analysis.drivers] == pytest.approx(
        [41.916650, 32.554592, 25.528759], abs=5e-6
    )
    assert [row.relative_weight for row in analysis.drivers] == pytest.approx(
        [0.380767, 0.327143, 0.249646], abs=5e-7
    )
    assert analysis.r_squared == pytest.approx(0.957556, abs=5e-7)
    assert analysis.n == 24
    assert not analysis.repaired


def test_priority_joins_importance_and_room_for_improvement() -> None:
    analysis = analysed(key_drivers(DRIVERS, "overall", pair_sums(RATINGS), minimum=20))
    ease = analysis.drivers[0]
    mean = sum(row[0] for row in ROWS) / len(ROWS)
    assert ease.performance == pytest.approx((mean - 1) / 4)
    assert ease.priority == pytest.approx(ease.share * (1 - ease.performance))


def test_performance_knows_the_scale_and_its_good_end() -> None:
    assert Driver("wait", 10, 20, 0, 10).performance == pytest.approx(0.2)
    assert Driver("wait", 10, 20, 0, 10, Polarity.DOWN).performance == pytest.approx(0.8)


def test_too_few_answers_are_refused() -> None:
    assert key_drivers(DRIVERS, "overall", pair_sums(RATINGS)) == NotEnough(24, 30)
    pairs = pair_sums({**RATINGS, "speed": [None] * 20 + [1, 2, 3, 4]})
    assert key_drivers(DRIVERS, "overall", pairs, minimum=20) == NotEnough(4, 20)
    del pairs["ease", "overall"]
    assert key_drivers(DRIVERS, "overall", pairs, minimum=20) == NotEnough(0, 20)


def test_many_drivers_need_more_answers() -> None:
    drivers = [Driver(f"d{i}", 50, 150) for i in range(6)]
    pairs = pair_sums({key: [1, 2] * 25 for key in [*(driver.key for driver in drivers), "overall"]})
    assert key_drivers(drivers, "overall", pairs) == NotEnough(50, 60)


def test_a_question_everyone_answers_alike_is_refused() -> None:
    for value in (4, 0.1):
        alike: dict[str, list[float | None]] = {**RATINGS, "speed": [value] * 24}
        assert key_drivers(DRIVERS, "overall", pair_sums(alike), minimum=20) == NoVariance("speed")
    alike = {**RATINGS, "overall": [5] * 24}
    assert key_drivers(DRIVERS, "overall", pair_sums(alike), minimum=20) == NoVariance("overall")


def test_pairs_may_be_given_in_either_order() -> None:
    turned = pair_sums(dict(reversed(RATINGS.items())))
    there = analysed(key_drivers(DRIVERS, "overall", turned, minimum=20))
    here = analysed(key_drivers(DRIVERS, "overall", pair_sums(RATINGS), minimum=20))
    assert [row.importance for row in there.drivers] == pytest.approx(
        [row.importance for row in here.drivers]
    )


def test_sums_of_two_groups_add_up_to_those_of_all() -> None:
    head = pair_sums({key: column[:10] for key, column in RATINGS.items()})
    tail = pair_sums({key: column[10:] for key, column in RATINGS.items()})
    assert {pair: head[pair] + tail[pair] for pair in head} == pair_sums(RATINGS)


def test_missing_ratings_cost_only_their_own_pairs() -> None:
    ratings = {**RATINGS, "speed": [None, *RATINGS["speed"][1:]]}
    pairs = pair_sums(ratings)
    assert pairs["ease", "speed"] == PairSums(
        23,
        sum(row[0] for row in ROWS[1:]),
        sum(row[1] for row in ROWS[1:]),
        sum(row[0] ** 2 for row in ROWS[1:]),
        sum(row[1] ** 2 for row in ROWS[1:]),
        sum(row[0] * row[1] for row in ROWS[1:]),
    )
    assert pairs["ease", "courtesy"].n == 24
    assert analysed(key_drivers(DRIVERS, "overall", pairs, minimum=20)).n == 23


def test_copies_of_a_driver_share_its_importance() -> None:
    ratings = {"ease": RATINGS["ease"], "again": RATINGS["ease"], "overall": RATINGS["overall"]}
    drivers = [Driver("ease", 24, 77), Driver("again", 24, 77)]
    analysis = analysed(key_drivers(drivers, "overall", pair_sums(ratings), minimum=20))
    assert analysis.repaired
    assert analysis.r_squared == pytest.approx(0.857629, abs=1e-5)
    assert [row.share for row in analysis.drivers] == pytest.approx([0.5, 0.5], abs=1e-5)


def test_correlations_that_contradict_each_other_are_repaired() -> None:
    def pair(r: float) -> PairSums:
        return PairSums(100, 0, 0, 100, 100, 100 * r)

    pairs = {("a", "b"): pair(0.9), ("a", "y"): pair(-0.9), ("b", "y"): pair(0.9)}
    analysis = analysed(key_drivers([Driver("a", 100, 300), Driver("b", 100, 300)], "y", pairs))
    assert analysis.repaired
    assert 0 <= analysis.r_squared <= 1
    assert sum(row.share for row in analysis.drivers) == pytest.approx(1)


def test_unrelated_drivers_have_no_importance() -> None:
    none = PairSums(100, 0, 0, 100, 100, 0)
    pairs = {("a", "b"): none, ("a", "y"): none, ("b", "y"): none}
    analysis = analysed(key_drivers([Driver("a", 100, 300), Driver("b", 100, 300)], "y", pairs))
    assert analysis.r_squared == 0
    assert [(row.share, row.priority) for row in analysis.drivers] == [(0, 0), (0, 0)]


@pytest.mark.parametrize(
    "drivers",
    [[], [Driver(f"d{i}", 1, 1) for i in range(13)], [Driver("a", 1, 1)] * 2, [Driver("overall", 1, 1)]],
)
def test_wrong_sets_of_drivers_are_refused(drivers: list[Driver]) -> None:
    with pytest.raises(ValueError, match="different keys"):
        key_drivers(drivers, "overall", {})


def test_columns_of_different_length_are_refused() -> None:
    with pytest.raises(ValueError, match="inhomogeneous"):
        pair_sums({"a": [1, 2], "b": [1]})


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10_000), st.integers(2, 5))
def test_importance_is_the_mean_gain_over_all_orders(seed: int, n_drivers: int) -> None:
    matrix = random_correlations(seed, n_drivers + 1)

    def r_squared(chosen: tuple[int, ...]) -> float:
        if not chosen:
            return 0.0
        with_outcome = matrix[list(chosen), -1]
        return float(with_outcome @ np.linalg.solve(matrix[np.ix_(chosen, chosen)], with_outcome))

    orders = list(permutations(range(n_drivers)))
    gains = np.zeros(n_drivers)
    for order in orders:
        for place, driver in enumerate(order):
            gains[driver] += r_squared(order[: place + 1]) - r_squared(order[:place])
    assert lmg(matrix) == pytest.approx(gains / len(orders), abs=1e-9)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10_000), st.integers(1, 8))
def test_both_methods_divide_the_same_r_squared(seed: int, n_drivers: int) -> None:
    matrix = random_correlations(seed, n_drivers + 1)
    importance, weights = lmg(matrix), relative_weights(matrix)
    assert importance.min() >= 0
    assert weights.min() >= 0
    assert importance.sum() == pytest.approx(weights.sum(), abs=1e-6)
    assert 0 <= importance.sum() <= 1 + 1e-9


@settings(deadline=None)
@given(st.lists(st.floats(-1, 1), min_size=6, max_size=6))
def test_repaired_correlations_are_possible(values: list[float]) -> None:
    matrix = np.eye(4)
    matrix[np.triu_indices(4, 1)] = values
    matrix = matrix + matrix.T - np.eye(4)
    moved, changed = nearest_correlations(matrix)
    assert np.diag(moved) == pytest.approx(np.ones(4))
    assert np.linalg.eigvalsh(moved).min() > 0
    assert changed == (np.linalg.eigvalsh(matrix).min() < 1e-8)
