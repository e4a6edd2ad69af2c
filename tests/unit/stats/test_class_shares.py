"""Corrected shares of classes against published values, and their coverage when the mix has changed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from citizenvoice.stats.class_shares import adjusted_shares, nearest_shares
from citizenvoice.stats.estimates import Estimate
from citizenvoice.stats.machine_read import Coded, Read, Reason, Withheld, adjusted_count

CLASSES = ("negative", "neutral", "positive")
CONFUSION = [[40, 6, 4], [5, 30, 15], [2, 8, 90]]
RATES = np.array([[0.80, 0.15, 0.05], [0.25, 0.55, 0.20], [0.02, 0.08, 0.90]])  # rows: true classes


def figures(result: dict[str, Estimate] | Withheld) -> list[Estimate]:
    assert isinstance(result, dict)
    return list(result.values())


def test_published_shares() -> None:
    shares = figures(adjusted_shares(CONFUSION, [210, 165, 625], CLASSES))
    assert [share.value for share in shares] == pytest.approx([0.228628, 0.145875, 0.625497], abs=5e-7)
    assert all(share.lower < share.value < share.upper for share in shares)
    assert {share.n for share in shares} == {1000}


def test_published_shares_where_the_plain_solution_is_negative() -> None:
    rates = np.array(CONFUSION) / [[50], [50], [100]]
    assert np.linalg.solve(rates.T, [0.01, 0.20, 0.79]) == pytest.approx(
        [-0.036779, 0.233598, 0.803181], abs=5e-7
    )
    shares = figures(adjusted_shares(CONFUSION, [1, 20, 79], CLASSES))
    assert [share.value for share in shares] == pytest.approx([0, 0.200377, 0.799623], abs=5e-7)
    assert shares[0].lower == 0 < shares[0].upper


def test_readings_that_no_mix_explains_are_withheld() -> None:
    """Even without a negative comment, more than ten in ten thousand would be taken for one."""
    withheld = adjusted_shares(CONFUSION, [10, 2000, 7990], CLASSES)
    assert isinstance(withheld, Withheld)
    assert withheld.reason == Reason.RATES_DO_NOT_FIT


def test_two_classes_agree_with_the_adjusted_count() -> None:
    shares = figures(adjusted_shares([[70, 20], [10, 100]], [900, 1100], ["with", "without"]))
    single = adjusted_count(Read(2000, 900), Coded(70, 10, 20, 100))
    assert isinstance(single, Estimate)
    assert shares[0].value == pytest.approx(single.value)
    assert (shares[0].lower, shares[0].upper) == pytest.approx((single.lower, single.upper), abs=0.015)
    assert shares[0].value + shares[1].value == pytest.approx(1)


@pytest.mark.parametrize(
    ("confusion", "reason"),
    [
        ([[9, 0, 0], [0, 10, 0], [0, 0, 10]], Reason.TOO_FEW_CODED),
        ([[9, 0, 0], [0, 50, 0], [0, 0, 50]], Reason.TOO_FEW_WITH_LABEL),
        ([[50, 0, 0], [20, 10, 20], [0, 10, 50]], Reason.READER_CANNOT_TELL),
    ],
)
def test_why_shares_are_withheld(confusion: list[list[int]], reason: Reason) -> None:
    withheld = adjusted_shares(confusion, [10, 10, 10], CLASSES)
    assert isinstance(withheld, Withheld)
    assert withheld.reason == reason
    assert withheld.found < withheld.needed


def test_impossible_tables_are_refused() -> None:
    with pytest.raises(ValueError, match="do not fit"):
        adjusted_shares(CONFUSION, [1, 2], CLASSES)
    with pytest.raises(ValueError, match="1 classes"):
        adjusted_shares([[9]], [3], ["only"])
    with pytest.raises(ValueError, match="negative"):
        adjusted_shares(CONFUSION, [1, -2, 3], CLASSES)
    with pytest.raises(ValueError, match="read"):
        adjusted_shares(CONFUSION, [0, 0, 0], CLASSES)


def test_the_mix_of_the_other_classes_may_change_too() -> None:
    """Many more neutral comments than among the coded: one class against the rest fails, all at once hold."""
    random = np.random.default_rng(21)
    truth = np.array([0.15, 0.55, 0.30])
    draws, together, alone = 0, np.zeros(3), 0
    for _ in range(300):
        coded = np.stack([random.multinomial(n, row) for n, row in zip((120, 40, 240), RATES, strict=True)])
        read = random.multinomial(4000, truth @ RATES)
        result = adjusted_shares(coded, read.tolist(), CLASSES, resamples=500)
        if isinstance(result, Withheld):
            continue
        draws += 1
        shares = figures(result)
        together += [share.lower <= p <= share.upper for share, p in zip(shares, truth, strict=True)]
        rest = coded[1:].sum(axis=0)
        table = Coded(coded[0, 0], rest[0], coded[0, 1:].sum(), rest[1:].sum())
        single = adjusted_count(Read(4000, int(read[0])), table)
        alone += isinstance(single, Estimate) and single.lower <= truth[0] <= single.upper
    assert draws > 290
    assert min(together) / draws >= 0.915
    assert max(together) / draws <= 0.985
    assert alone / draws < 0.3


@given(st.integers(0, 10_000), st.integers(2, 4))
@settings(max_examples=30, deadline=None)
def test_shares_are_the_nearest_a_general_solver_finds(seed: int, size: int) -> None:
    random = np.random.default_rng(seed)
    rates = (random.dirichlet(np.ones(size), size=size) + 2 * np.eye(size)).T / 3
    read = random.dirichlet(np.ones(size))
    found = nearest_shares(rates, read)

    def distance(shares: np.ndarray) -> float:
        return float(((rates @ shares - read) ** 2).sum())

    general = minimize(
        distance,
        np.full(size, 1 / size),
        bounds=[(0, 1)] * size,
        constraints={"type": "eq", "fun": lambda shares: shares.sum() - 1},
        method="SLSQP",
        options={"ftol": 1e-14, "maxiter": 500},
    )
    assert found.min() >= 0
    assert found.sum() == pytest.approx(1)
    assert distance(found) <= distance(general.x) + 1e-8


@given(st.lists(st.integers(0, 500), min_size=3, max_size=3).filter(sum))
@settings(max_examples=30, deadline=None)
def test_shares_add_up_and_lie_in_their_intervals(read: list[int]) -> None:
    result = adjusted_shares(CONFUSION, read, CLASSES, resamples=100)
    if isinstance(result, Withheld):
        assert result.reason == Reason.RATES_DO_NOT_FIT
        return
    assert sum(share.value for share in result.values()) == pytest.approx(1)
    for share in result.values():
        assert 0 <= share.lower <= share.value <= share.upper <= 1
