"""Estimates of shares, means and net scores from counts, each with its interval."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from math import sqrt
from statistics import NormalDist

CONFIDENCE = 0.95


class Polarity(StrEnum):
    """Which direction of a figure is the good one."""

    UP = "up"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure, the interval around it, and the number of people or answers behind it."""

    value: float
    lower: float
    upper: float
    n: int
    confidence: float = CONFIDENCE


@dataclass(frozen=True, slots=True)
class NotEnough:
    """The absence of a figure because only ``n`` of the ``minimum`` answers it needs were given."""

    n: int
    minimum: int


@dataclass(frozen=True, slots=True)
class Withheld(NotEnough):
    """The absence of a figure that would, with others, give away one on fewer answers than the minimum."""

    @property
    def is_withheld(self) -> bool:
        """Tell it from too few answers."""
        return True


@dataclass(frozen=True, slots=True)
class Moments:
    """What a mean and its spread need to know of some numbers: how many, their sum, their sum of squares.

    Moments of disjoint groups can be added, so they are what is stored and pooled.
    """

    n: int
    total: float
    squares: float

    @classmethod
    def of_counts(cls, counts: Mapping[int, int]) -> "Moments":
        """Sum up how often each scale point was chosen.

        Raises
        ------
        ValueError
            If a count is negative.

        Examples
        --------
        >>> Moments.of_counts({1: 2, 5: 3})
        Moments(n=5, total=17, squares=77)
        """
        n = total = squares = 0
        for point, count in counts.items():
            if count < 0:
                raise ValueError(f"the count of {point} is negative")
            n += count
            total += point * count
            squares += point * point * count
        return cls(n, total, squares)

    def __add__(self, other: "Moments") -> "Moments":
        return Moments(self.n + other.n, self.total + other.total, self.squares + other.squares)

    @property
    def mean(self) -> float:
        """Divide the sum by the number of values."""
        return self.total / self.n

    @property
    def variance(self) -> float:
        """Compute the sample variance (divisor n - 1); 0 for a single value."""
        if self.n < 2:
            return 0.0
        return max(0.0, (self.n * self.squares - self.total * self.total) / (self.n * (self.n - 1)))


@lru_cache(maxsize=64)
def z_value(confidence: float = CONFIDENCE) -> float:
    """Look up the standard normal quantile that leaves ``1 - confidence`` in the two tails.

    Raises
    ------
    ValueError
        If ``confidence`` is not strictly between 0 and 1.

    Examples
    --------
    >>> round(z_value(0.95), 6)
    1.959964
    """
    # The standard library's quantile is exact to 1e-15 and spares web workers the import of scipy.
    return NormalDist().inv_cdf(upper_tail(confidence))


@lru_cache(maxsize=4096)
def t_value(degrees: float, confidence: float = CONFIDENCE) -> float:
    """Look up the Student t quantile that leaves ``1 - confidence`` in the two tails.

    Raises
    ------
    ValueError
        If ``degrees`` is not positive or ``confidence`` is not strictly between 0 and 1.

    Examples
    --------
    >>> round(t_value(99), 6)
    1.984217
    """
    from scipy.special import stdtrit

    if degrees <= 0:
        raise ValueError("degrees of freedom must be positive")
    return float(stdtrit(degrees, upper_tail(confidence)))


def wilson_proportion(successes: int, n: int, *, confidence: float = CONFIDENCE) -> Estimate:
    """Estimate a proportion with the Wilson score interval.

    Chosen over the textbook (Wald) interval because it stays inside [0, 1] and keeps close to
    nominal coverage for the small counts single services have [2]_.

    Parameters
    ----------
    successes : int
        Responses that meet the condition (the numerator); 0 <= successes <= n.
    n : int
        Responses that could have met it (the denominator); at least 1.
    confidence : float
        Nominal coverage, strictly between 0 and 1.

    Returns
    -------
    Estimate
        ``value``, ``lower`` and ``upper`` are proportions in [0, 1], not percentages.

    Raises
    ------
    ValueError
        If ``n`` is below 1 or ``successes`` is not between 0 and ``n``.

    Notes
    -----
    Covers sampling error only. People who leave feedback choose themselves, so the interval
    says nothing about those who stayed silent.

    References
    ----------
    .. [1] Wilson, E. B. (1927). JASA 22(158), 209-212.
    .. [2] Newcombe, R. G. (1998). Statistics in Medicine 17(8), 857-872. Method 3.

    Examples
    --------
    >>> satisfied = wilson_proportion(45, 60)
    >>> satisfied.value, round(satisfied.lower, 6), round(satisfied.upper, 6)
    (0.75, 0.627679, 0.842235)
    >>> wilson_proportion(0, 10).lower
    0.0
    """
    if not 0 <= successes <= n or n < 1:
        raise ValueError(f"{successes} of {n} is not a proportion")
    value = successes / n
    lower, upper = _wilson_limits(value, n, confidence)
    return Estimate(value, lower, upper, n, confidence)


def wilson_at_effective_n(
    value: float, n_effective: float, *, n: int, confidence: float = CONFIDENCE
) -> Estimate:
    """Estimate a proportion whose answers are worth fewer (or more) than their number.

    For weighted answers (Kish's effective size), for several answers of the same person, and for
    samples of a finite list of clients.

    Parameters
    ----------
    value : float
        The weighted or pooled proportion, in [0, 1].
    n_effective : float
        Number of independent answers that would be as precise; positive.
    n : int
        Number to report beside the figure.

    Raises
    ------
    ValueError
        If ``value`` is outside [0, 1] or ``n_effective`` is not positive.

    References
    ----------
    .. [1] Kish, L. (1965). Survey Sampling. Wiley. Section 8.2.
    .. [2] Wilson, E. B. (1927). JASA 22(158), 209-212.

    Examples
    --------
    >>> weighted = wilson_at_effective_n(0.65, 150, n=200)
    >>> round(weighted.lower, 6), round(weighted.upper, 6)
    (0.570791, 0.721718)
    """
    if not 0 <= value <= 1:
        raise ValueError(f"{value} is not a proportion")
    if n_effective <= 0:
        raise ValueError("the effective number of answers must be positive")
    lower, upper = _wilson_limits(value, n_effective, confidence)
    return Estimate(value, lower, upper, n, confidence)


def pooled_proportion(parts: Iterable[tuple[int, int]], *, confidence: float = CONFIDENCE) -> Estimate:
    """Add up numerators and denominators, then estimate one proportion.

    Parameters
    ----------
    parts : iterable of (successes, n)
        Counts of days, services or channels; parts with ``n`` 0 add nothing.

    Returns
    -------
    Estimate
        A proportion in [0, 1]; see `wilson_proportion`.

    Raises
    ------
    ValueError
        If nothing was counted at all, or a part has more successes than answers.

    Notes
    -----
    A mean of the parts' percentages would let a day with two answers weigh as much as a day
    with a thousand.

    Examples
    --------
    >>> pooled_proportion([(18, 18), (0, 2)]).value
    0.9
    """
    successes = n = 0
    for part_successes, part_n in parts:
        if not 0 <= part_successes <= part_n:
            raise ValueError(f"{part_successes} of {part_n} is not a proportion")
        successes += part_successes
        n += part_n
    return wilson_proportion(successes, n, confidence=confidence)


def withhold_small(estimate: Estimate, *, minimum: int) -> Estimate | NotEnough:
    """Replace an estimate that too few people stand behind.

    Examples
    --------
    >>> withhold_small(wilson_proportion(3, 4), minimum=10)
    NotEnough(n=4, minimum=10)
    """
    return estimate if estimate.n >= minimum else NotEnough(estimate.n, minimum)


def upper_tail(confidence: float) -> float:
    """Return the probability below the upper limit of a two-sided interval; raise ValueError for no level."""
    if not 0 < confidence < 1:
        raise ValueError("confidence must lie strictly between 0 and 1")
    return 0.5 + confidence / 2


def _wilson_limits(value: float, n: float, confidence: float) -> tuple[float, float]:
    z = z_value(confidence)
    shrink = 1 + z * z / n
    centre = (value + z * z / (2 * n)) / shrink
    half = z / shrink * sqrt(value * (1 - value) / n + z * z / (4 * n * n))
    # Rounding must push neither limit past the ends of the scale nor past the estimate.
    lower = 0.0 if value == 0 else max(0.0, min(centre - half, value))
    upper = 1.0 if value == 1 else min(1.0, max(centre + half, value))
    return lower, upper
