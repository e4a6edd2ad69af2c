"""Whether an indicator keeps up with its target, judged by the interval and never by the point alone."""

from calendar import isleap
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from itertools import pairwise

from citizenvoice.stats.estimates import Estimate, NotEnough, Polarity


class Status(StrEnum):
    """What may be said about an indicator against its target."""

    ON_TRACK = "on_track"
    OFF_TRACK = "off_track"
    NOT_DISTINGUISHABLE = "not_distinguishable"
    NOT_ENOUGH_ANSWERS = "not_enough_answers"
    NO_TARGET = "no_target"
    OVERDUE = "overdue"


@dataclass(frozen=True, slots=True)
class Level:
    """A value an indicator had or should have on a day."""

    on: date
    value: float


@dataclass(frozen=True, slots=True)
class Target:
    """Where an indicator should be, where it began if that is known, and the milestones between.

    Without a baseline and milestones the target's value is required from the first day on.
    """

    goal: Level
    baseline: Level | None = None
    milestones: tuple[Level, ...] = ()

    def __post_init__(self) -> None:
        days = [level.on for level in self.path]
        if any(later <= earlier for earlier, later in pairwise(days)):
            raise ValueError("baseline, milestones and target must follow each other in time")

    @property
    def path(self) -> tuple[Level, ...]:
        """List baseline, milestones and goal, in order of time."""
        start = (self.baseline,) if self.baseline else ()
        return (*start, *self.milestones, self.goal)


def required_level(target: Target, on: date) -> float:
    """Say which value the target asks for on a day.

    Parameters
    ----------
    target : Target
        Levels in the unit of the indicator (shares in [0, 1]).
    on : date
        The day of the figure, usually the last day of its period.

    Returns
    -------
    float
        On the straight line between the two neighbouring levels of the path; before the first
        level and after the last one, that level.

    Notes
    -----
    Every calendar year has the same length here, so three of eight years are exactly 3/8 of the way.

    Examples
    --------
    >>> target = Target(Level(date(2030, 1, 1), 0.80), Level(date(2022, 1, 1), 0.60))
    >>> round(required_level(target, date(2025, 1, 1)), 6)
    0.675
    """
    path = target.path
    if on <= path[0].on:
        return path[0].value
    for earlier, later in pairwise(path):
        if on < later.on:
            return earlier.value + (later.value - earlier.value) * _elapsed(earlier.on, later.on, on)
    return path[-1].value


def progress_ratio(target: Target, value: float, on: date) -> float | None:
    """Compare the distance covered since the baseline with the time that has passed.

    Parameters
    ----------
    target : Target
        With a baseline.
    value : float
        The figure, in the unit of the indicator.
    on : date
        The day of the figure.

    Returns
    -------
    float or None
        1 is exactly as fast as planned, 0 no progress, negative a step back. None without a
        baseline, on or before the day of the baseline, or when baseline and target are equal.

    Examples
    --------
    >>> target = Target(Level(date(2030, 1, 1), 80), Level(date(2022, 1, 1), 60))
    >>> round(progress_ratio(target, 66, date(2025, 1, 1)), 6)
    0.8
    """
    start = target.baseline
    if start is None or on <= start.on or start.value == target.goal.value:
        return None
    covered = (value - start.value) / (target.goal.value - start.value)
    return covered / min(1.0, _elapsed(start.on, target.goal.on, on))


def status(
    estimate: Estimate | NotEnough | None,
    required: float | None,
    polarity: Polarity = Polarity.UP,
    *,
    is_late: bool = False,
) -> Status:
    """Judge an indicator by its interval.

    Parameters
    ----------
    estimate : Estimate, NotEnough or None
        The figure of the period; None when nothing was counted.
    required : float or None
        From `required_level`; None when no target is set.
    polarity : Polarity
        ``DOWN`` when the figure should be at or below the required level.
    is_late : bool
        From `is_overdue`: no figure arrived in the time agreed.

    Returns
    -------
    Status
        On track when the whole interval is on the good side (reaching the level is enough), off
        track when it is wholly on the bad side, else not distinguishable.

    Examples
    --------
    >>> status(Estimate(0.84, 0.81, 0.87, 600), 0.80).value
    'on_track'
    >>> status(Estimate(0.84, 0.77, 0.89, 120), 0.80).value
    'not_distinguishable'
    >>> status(None, 0.80, is_late=True).value
    'overdue'
    """
    if is_late:
        return Status.OVERDUE
    if required is None:
        return Status.NO_TARGET
    if not isinstance(estimate, Estimate):
        return Status.NOT_ENOUGH_ANSWERS
    sign = 1 if polarity == Polarity.UP else -1
    low, high = sorted((sign * estimate.lower, sign * estimate.upper))
    if low >= sign * required:
        return Status.ON_TRACK
    return Status.OFF_TRACK if high < sign * required else Status.NOT_DISTINGUISHABLE


def is_overdue(last_end: date, *, today: date, frequency_days: int, grace_days: int = 0) -> bool:
    """Tell whether the next figure should have arrived by now.

    Parameters
    ----------
    last_end : date
        The first day not covered by the latest figure (or the day collection began).
    today : date
        The day of the question.
    frequency_days, grace_days : int
        How often a figure is due, and how long one waits for it; in days.

    Examples
    --------
    >>> is_overdue(date(2026, 1, 1), today=date(2026, 2, 10), frequency_days=31, grace_days=10)
    False
    >>> is_overdue(date(2026, 1, 1), today=date(2026, 2, 12), frequency_days=31, grace_days=10)
    True
    """
    return today > last_end + timedelta(days=frequency_days + grace_days)


def _elapsed(start: date, end: date, on: date) -> float:
    return (_decimal_year(on) - _decimal_year(start)) / (_decimal_year(end) - _decimal_year(start))


def _decimal_year(day: date) -> float:
    return day.year + (day.timetuple().tm_yday - 1) / (366 if isleap(day.year) else 365)
