"""Do 95 % intervals of corrected shares hold the true share 95 times in 100, and does the naive one fail?

Each scenario is drawn 20,000 times, so chance moves a coverage by 0.15 points (one standard error). Every
figure comes from the functions the product uses. Shares that would be withheld are left out, as for readers.
"""

from itertools import product
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pytest

from citizenvoice.stats.machine_read import (
    MINIMUM_OF_EACH,
    MINIMUM_OF_EACH_APART,
    MINIMUM_SEPARATION,
    Numbers,
    adjusted_count_limits,
    prediction_powered_limits,
)

DRAWS = 20_000
LEAST, MOST = 0.935, 0.965

Counts = npt.NDArray[np.int64]


class Scenario(NamedTuple):
    """The true share, how the machine reads, how many are coded and read, and the coded ones' share."""

    share: float
    true_positive_rate: float
    false_positive_rate: float
    n_coded: int
    n_read: int
    share_among_coded: float

    @property
    def cells(self) -> list[float]:
        return cell_shares(self.share, self)

    @property
    def share_labelled(self) -> float:
        return self.share * self.true_positive_rate + (1 - self.share) * self.false_positive_rate


def cell_shares(share: float, scenario: Scenario) -> list[float]:
    hit, alarm = scenario.true_positive_rate, scenario.false_positive_rate
    return [share * hit, (1 - share) * alarm, share * (1 - hit), (1 - share) * (1 - alarm)]


RANDOM_SAMPLES = [
    Scenario(share, *rates, n_coded, n_read, share)
    for share, rates, n_coded, n_read in product(
        (0.05, 0.1, 0.3, 0.5), ((0.9, 0.05), (0.8, 0.1), (0.7, 0.3)), (100, 200, 400), (1000, 5000)
    )
]
SHIFTED_SAMPLES = [
    Scenario(share, *rates, n_coded, 3000, coded_share)
    for share, rates, n_coded, coded_share in product(
        (0.05, 0.1, 0.3, 0.5), ((0.9, 0.05), (0.8, 0.1), (0.8, 0.15), (0.7, 0.3)), (100, 200, 400), (0.2, 0.5)
    )
    # Where not even three false alarms are expected among the coded comments, no interval can have the
    # coverage asked for: what is seen is none, one or two. There ours is wider than need be; see below.
    if n_coded * (1 - coded_share) * rates[1] >= 2.5 and n_coded * coded_share * (1 - rates[0]) >= 2.5
]


def draw(scenario: Scenario, seed: int, *, among_read: bool) -> tuple[Counts, Counts]:
    """Draw coded tables and how many comments the machine labelled of all it read."""
    random = np.random.default_rng(seed)
    cells = random.multinomial(
        scenario.n_coded, cell_shares(scenario.share_among_coded, scenario), size=DRAWS
    )
    others = scenario.n_read - scenario.n_coded * among_read
    labelled = random.binomial(others, scenario.share_labelled, size=DRAWS)
    return cells, labelled + among_read * (cells[:, 0] + cells[:, 1])


def published(cells: Counts, minimum_of_each: int) -> npt.NDArray[np.bool_]:
    positives, negatives = cells[:, 0] + cells[:, 2], cells[:, 1] + cells[:, 3]
    enough = (positives >= minimum_of_each) & (negatives >= minimum_of_each)
    rates = cells[:, 0] / np.maximum(positives, 1), cells[:, 1] / np.maximum(negatives, 1)
    return np.asarray(enough & (rates[0] - rates[1] >= MINIMUM_SEPARATION))


def coverage(lower: Numbers, upper: Numbers, share: float) -> float:
    return float(((lower <= share) & (share <= upper)).mean())


def naive_coverage(scenario: Scenario, labelled: Counts) -> float:
    # Wilson's interval holds a share when the normal test of that share does not reject it.
    spread = np.sqrt(scenario.share * (1 - scenario.share) / scenario.n_read)
    return float((np.abs(labelled / scenario.n_read - scenario.share) <= 1.959964 * spread).mean())


@pytest.mark.parametrize("scenario", RANDOM_SAMPLES, ids=str)
def test_prediction_powered_interval_covers(scenario: Scenario) -> None:
    cells, labelled = draw(scenario, seed=101, among_read=True)
    kept = published(cells, MINIMUM_OF_EACH)
    _, lower, upper = prediction_powered_limits(cells[kept], scenario.n_read, labelled[kept])
    assert LEAST <= coverage(lower, upper, scenario.share) <= MOST


@pytest.mark.parametrize("scenario", SHIFTED_SAMPLES, ids=str)
def test_adjusted_count_covers_under_label_shift(scenario: Scenario) -> None:
    cells, labelled = draw(scenario, seed=202, among_read=False)
    kept = published(cells, MINIMUM_OF_EACH_APART)
    _, lower, upper = adjusted_count_limits(cells[kept], scenario.n_read, labelled[kept])
    assert LEAST <= coverage(lower, upper, scenario.share) <= MOST


@pytest.mark.parametrize(
    "scenario",
    [
        Scenario(0.05, 0.6, 0.02, 100, 3000, 0.5),
        Scenario(0.1, 0.95, 0.01, 100, 3000, 0.2),
        Scenario(0.3, 0.9, 0.05, 100, 3000, 0.2),
        Scenario(0.5, 0.95, 0.01, 100, 3000, 0.5),
    ],
    ids=str,
)
def test_where_hardly_an_error_was_coded_the_intervals_are_rather_too_wide(scenario: Scenario) -> None:
    cells, labelled = draw(scenario, seed=303, among_read=False)
    kept = published(cells, MINIMUM_OF_EACH_APART)
    _, lower, upper = adjusted_count_limits(cells[kept], scenario.n_read, labelled[kept])
    assert coverage(lower, upper, scenario.share) >= LEAST

    scenario = scenario._replace(share_among_coded=scenario.share)
    cells, labelled = draw(scenario, seed=404, among_read=True)
    kept = published(cells, MINIMUM_OF_EACH)
    _, lower, upper = prediction_powered_limits(cells[kept], scenario.n_read, labelled[kept])
    assert coverage(lower, upper, scenario.share) >= LEAST


def test_the_naive_share_fails() -> None:
    """Only where as many comments are wrongly labelled as wrongly not can it be right, and by luck."""
    found = {
        scenario: naive_coverage(scenario, draw(scenario, seed=505, among_read=False)[1])
        for scenario in {scenario._replace(n_coded=100, n_read=5000) for scenario in RANDOM_SAMPLES}
    }
    biased = {
        scenario: covered
        for scenario, covered in found.items()
        if abs(scenario.share_labelled - scenario.share) >= 0.02
    }
    assert len(biased) >= 8
    assert max(biased.values()) < 0.2
    assert sum(covered < 0.01 for covered in biased.values()) >= 6


def test_prediction_powered_inference_fails_where_the_coded_comments_are_of_another_mix() -> None:
    """Why the chooser asks how the comments were chosen."""
    scenario = Scenario(0.3, 0.8, 0.15, 200, 5000, 0.5)
    cells, labelled = draw(scenario, seed=606, among_read=False)
    assert coverage(*prediction_powered_limits(cells, 5000, labelled)[1:], 0.3) < 0.5
    assert coverage(*adjusted_count_limits(cells, 5000, labelled)[1:], 0.3) > LEAST


def test_reading_all_is_worth_coding_twice_as_many() -> None:
    scenario = Scenario(0.3, 0.9, 0.05, 200, 5000, 0.3)
    cells, labelled = draw(scenario, seed=707, among_read=True)
    _, lower, upper = prediction_powered_limits(cells, 5000, labelled)
    # A reader that never gives the label leaves the coded comments alone to speak.
    silent = np.stack(
        [0 * cells[:, 0], 0 * cells[:, 0], cells[:, 0] + cells[:, 2], cells[:, 1] + cells[:, 3]], 1
    )
    _, alone_lower, alone_upper = prediction_powered_limits(silent, 5000, 0 * labelled)
    assert (upper - lower).mean() < 0.71 * (alone_upper - alone_lower).mean()
