"""Required levels, progress and status of indicators."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citizenvoice.stats.estimates import Estimate, NotEnough, Polarity, wilson_proportion
from citizenvoice.stats.status import (
    Level,
    Status,
    Target,
    is_overdue,
    progress_ratio,
    required_level,
    status,
)

PATH = Target(goal=Level(date(2030, 1, 1), 80), baseline=Level(date(2022, 1, 1), 60))


def test_level_and_progress_of_the_worked_example() -> None:
    assert required_level(PATH, date(2025, 1, 1)) == pytest.approx(67.5)
    assert progress_ratio(PATH, 66, date(2025, 1, 1)) == pytest.approx(0.8)


def test_level_is_flat_before_the_baseline_and_after_the_target() -> None:
    assert required_level(PATH, date(2020, 5, 1)) == 60
    assert required_level(PATH, date(2022, 1, 1)) == 60
    assert required_level(PATH, date(2030, 1, 1)) == 80
    assert required_level(PATH, date(2034, 5, 1)) == 80


def test_target_alone_is_required_from_the_start() -> None:
    alone = Target(goal=Level(date(2030, 1, 1), 0.8))
    assert required_level(alone, date(2024, 1, 1)) == 0.8
    assert required_level(alone, date(2031, 1, 1)) == 0.8
    assert progress_ratio(alone, 0.7, date(2024, 1, 1)) is None


def test_level_follows_milestones() -> None:
    bent = Target(PATH.goal, PATH.baseline, (Level(date(2024, 1, 1), 75),))
    assert required_level(bent, date(2023, 1, 1)) == pytest.approx(67.5)
    assert required_level(bent, date(2024, 1, 1)) == 75
    assert required_level(bent, date(2027, 1, 1)) == pytest.approx(77.5)


def test_levels_out_of_order_are_refused() -> None:
    with pytest.raises(ValueError, match="follow each other"):
        Target(goal=Level(date(2022, 1, 1), 80), baseline=Level(date(2022, 1, 1), 60))
    with pytest.raises(ValueError, match="follow each other"):
        Target(PATH.goal, PATH.baseline, (Level(date(2031, 1, 1), 75),))


@given(st.dates(date(2015, 1, 1), date(2040, 1, 1)), st.integers(0, 400))
def test_a_rising_path_never_falls(day: date, later: int) -> None:
    first, second = required_level(PATH, day), required_level(PATH, day + timedelta(days=later))
    assert 60 <= first <= second <= 80


def test_progress_says_nothing_before_it_can() -> None:
    assert progress_ratio(PATH, 66, date(2022, 1, 1)) is None
    level = Target(goal=Level(date(2030, 1, 1), 60), baseline=Level(date(2022, 1, 1), 60))
    assert progress_ratio(level, 66, date(2025, 1, 1)) is None


def test_progress_of_a_figure_that_should_fall_or_is_past_its_date() -> None:
    falling = Target(goal=Level(date(2030, 1, 1), 10), baseline=Level(date(2022, 1, 1), 30))
    assert progress_ratio(falling, 20, date(2026, 1, 1)) == pytest.approx(1.0)
    assert progress_ratio(falling, 35, date(2026, 1, 1)) == pytest.approx(-0.5)
    assert progress_ratio(falling, 15, date(2035, 1, 1)) == pytest.approx(0.75)


@pytest.mark.parametrize(
    ("lower", "upper", "polarity", "expected"),
    [
        (0.81, 0.87, Polarity.UP, Status.ON_TRACK),
        (0.80, 0.87, Polarity.UP, Status.ON_TRACK),
        (0.79, 0.87, Polarity.UP, Status.NOT_DISTINGUISHABLE),
        (0.70, 0.80, Polarity.UP, Status.NOT_DISTINGUISHABLE),
        (0.70, 0.79, Polarity.UP, Status.OFF_TRACK),
        (0.81, 0.87, Polarity.DOWN, Status.OFF_TRACK),
        (0.80, 0.87, Polarity.DOWN, Status.NOT_DISTINGUISHABLE),
        (0.79, 0.87, Polarity.DOWN, Status.NOT_DISTINGUISHABLE),
        (0.70, 0.80, Polarity.DOWN, Status.ON_TRACK),
        (0.70, 0.79, Polarity.DOWN, Status.ON_TRACK),
    ],
)
def test_status_comes_from_the_whole_interval(
    lower: float, upper: float, polarity: Polarity, expected: Status
) -> None:
    estimate = Estimate((lower + upper) / 2, lower, upper, 100)
    assert status(estimate, 0.80, polarity) is expected


def test_status_without_a_figure_or_a_target() -> None:
    figure = wilson_proportion(90, 100)
    assert status(NotEnough(4, 10), 0.8) is Status.NOT_ENOUGH_ANSWERS
    assert status(None, 0.8) is Status.NOT_ENOUGH_ANSWERS
    assert status(figure, None) is Status.NO_TARGET
    assert status(figure, 0.8, is_late=True) is Status.OVERDUE
    assert status(None, None, is_late=True) is Status.OVERDUE


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.floats(0, 1))
def test_turning_an_indicator_round_keeps_its_status(counts: tuple[int, int], required: float) -> None:
    figure = wilson_proportion(*counts)
    mirror = Estimate(-figure.value, -figure.upper, -figure.lower, figure.n)
    assert status(figure, required) is status(mirror, -required, Polarity.DOWN)


def test_overdue_starts_the_day_after_the_grace() -> None:
    def late(today: date) -> bool:
        return is_overdue(date(2026, 1, 1), today=today, frequency_days=90, grace_days=30)

    assert not late(date(2026, 5, 1))
    assert late(date(2026, 5, 2))
