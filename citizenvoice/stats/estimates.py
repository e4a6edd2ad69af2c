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
    return NormalDist().inv_cdf(_upper_tail(confidence))


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
    return float(stdtrit(degrees, _upper_tail(confidence)))


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


def mean_of_counts(
    counts: Mapping[int, int],
    *,
    scale: tuple[int, int] | None = None,
    confidence: float = CONFIDENCE,
) -> Estimate | NotEnough:
    """Estimate the mean of a scale question with Student's t interval.

    Parameters
    ----------
    counts : mapping of scale point to number of answers
        Points nobody chose may be left out.
    scale : (lowest, highest), optional
        The points that could have been chosen. It lets the interval stop at the ends of the
        scale, and lets a single answer or unanimous answers have an honest interval.
    confidence : float
        Nominal coverage, strictly between 0 and 1.

    Returns
    -------
    Estimate or NotEnough
        In points of the scale. `NotEnough` only for a single answer without ``scale``.

    Raises
    ------
    ValueError
        If there is no answer, a count is negative, or an answer lies outside ``scale``.

    Notes
    -----
    *One answer, or all answers alike.* The t interval then has no width (or does not exist), which
    would claim certainty. With ``scale``, the share of people who would answer otherwise is bounded
    by the Wilson limit for 0 of n, z²/(n + z²), and those people are placed at the ends of the
    scale; on a two-point scale this is the Wilson interval itself. Without ``scale``, unanimous
    answers keep an interval of zero width and a single answer gives `NotEnough`.

    A mean treats the steps of the scale as equal; publish the distribution beside it.

    References
    ----------
    .. [1] Student (1908). The probable error of a mean. Biometrika 6(1), 1-25.

    Examples
    --------
    >>> mean = mean_of_counts({1: 5, 2: 10, 3: 20, 4: 40, 5: 25})
    >>> mean.value, round(mean.lower, 6), round(mean.upper, 6)
    (3.7, 3.480637, 3.919363)
    >>> mean_of_counts({4: 1})
    NotEnough(n=1, minimum=2)
    """
    moments = Moments.of_counts(counts)
    if scale is not None:
        _check_scale(counts, *scale)
    return mean_of_moments(moments, scale=scale, confidence=confidence)


def mean_of_moments(
    moments: Moments,
    *,
    scale: tuple[float, float] | None = None,
    confidence: float = CONFIDENCE,
) -> Estimate | NotEnough:
    """Estimate the mean of numbers known by their count, sum and sum of squares.

    Parameters
    ----------
    moments : Moments
        Of at least one value.
    scale : (lowest, highest), optional
        As in `mean_of_counts`, which says how few or equal values are treated.

    Raises
    ------
    ValueError
        If there is no value, or the mean lies outside ``scale``.

    Examples
    --------
    >>> mean_of_moments(Moments(n=3, total=30.0, squares=302.0)).value
    10.0
    """
    if scale is not None:
        return _bounded_mean(moments, *scale, confidence)
    if moments.n < 1:
        raise ValueError("no answers")
    if moments.n < 2:
        return NotEnough(moments.n, 2)
    half = _t_half_width(moments, confidence)
    return Estimate(moments.mean, moments.mean - half, moments.mean + half, moments.n, confidence)


def rescaled_mean(
    counts: Mapping[int, int],
    minimum: int,
    maximum: int,
    *,
    polarity: Polarity = Polarity.UP,
    confidence: float = CONFIDENCE,
) -> Estimate:
    """Estimate where the mean lies between the worst and the best point of the scale.

    On a 1 to 5 scale the answers weigh 0, 25, 50, 75 and 100 per cent, as the GOV.UK Performance
    Platform computed user satisfaction [1]_.

    Parameters
    ----------
    counts : mapping of scale point to number of answers
        At least one answer.
    minimum, maximum : int
        First and last point of the scale.
    polarity : Polarity
        ``DOWN`` when the lowest point is the best one.

    Returns
    -------
    Estimate
        Shares of the scale in [0, 1], not percentages. Few or unanimous answers are treated as
        described in `mean_of_counts`.

    Raises
    ------
    ValueError
        If there is no answer, an answer lies outside the scale, or the scale has no length.

    References
    ----------
    .. [1] alphagov/spotlight, app/common/collections/user-satisfaction.js.

    Examples
    --------
    >>> share = rescaled_mean({1: 5, 2: 10, 3: 20, 4: 40, 5: 25}, 1, 5)
    >>> share.value, round(share.lower, 6), round(share.upper, 6)
    (0.675, 0.620159, 0.729841)
    """
    _check_scale(counts, minimum, maximum)
    mean = _bounded_mean(Moments.of_counts(counts), minimum, maximum, confidence)
    length = maximum - minimum
    low, value, high = ((x - minimum) / length for x in (mean.lower, mean.value, mean.upper))
    if polarity == Polarity.DOWN:
        low, value, high = 1 - high, 1 - value, 1 - low
    return Estimate(value, low, high, mean.n, confidence)


def net_score(positive: int, negative: int, n: int, *, confidence: float = CONFIDENCE) -> Estimate:
    """Estimate the share of positive answers minus the share of negative ones.

    Parameters
    ----------
    positive, negative : int
        Answers on the good and on the bad side; together at most ``n``.
    n : int
        All answers, the neutral ones too; at least 1.

    Returns
    -------
    Estimate
        Between -1 and 1, not percentage points.

    Raises
    ------
    ValueError
        If the counts are negative, exceed ``n``, or ``n`` is below 1.

    Notes
    -----
    The variance is that of a difference of two multinomial shares, (p₊ + p₋ - d²)/n, with a normal
    interval cut at -1 and 1. When all answers are on one side that variance is 0; the interval then
    follows from the Wilson limit, as in `mean_of_counts`.

    Examples
    --------
    >>> net = net_score(65, 15, 100)
    >>> net.value, round((net.upper - net.lower) / 2 / z_value(), 6)
    (0.5, 0.074162)
    """
    if min(positive, negative) < 0 or positive + negative > n or n < 1:
        raise ValueError(f"{positive} positive and {negative} negative of {n} is not a net score")
    value = (positive - negative) / n
    variance = net_variance(positive, negative, n)
    if variance == 0:
        lower, upper = _unanimous_limits(value, n, (-1, 1), confidence)
    else:
        half = z_value(confidence) * sqrt(variance)
        lower, upper = max(-1.0, value - half), min(1.0, value + half)
    return Estimate(value, lower, upper, n, confidence)


def net_variance(positive: int, negative: int, n: int) -> float:
    """Compute the sampling variance of a net score.

    Examples
    --------
    >>> round(net_variance(50, 20, 100) ** 0.5, 8)
    0.0781025
    """
    # Whole numbers until the last step, so that unanimous answers give exactly 0.
    return (n * (positive + negative) - (positive - negative) ** 2) / n**3


def net_promoter(
    promoters: int, passives: int, detractors: int, *, confidence: float = CONFIDENCE
) -> Estimate:
    """Estimate the net promoter score.

    Parameters
    ----------
    promoters, passives, detractors : int
        Answers 9-10, 7-8 and 0-6 to "how likely to recommend".

    Returns
    -------
    Estimate
        Between -1 and 1, not the usual -100 to 100.

    Raises
    ------
    ValueError
        If there is no answer or a count is negative.

    References
    ----------
    .. [1] Reichheld, F. F. (2003). Harvard Business Review 81(12), 46-54.
    .. [2] Rocks, B. (2016). Interval estimation for the net promoter score. The American
           Statistician 70(4), 365-372.

    Examples
    --------
    >>> nps = net_promoter(50, 30, 20)
    >>> nps.value, round(nps.lower, 6), round(nps.upper, 6)
    (0.3, 0.146922, 0.453078)
    """
    if passives < 0:
        raise ValueError("the count of passives is negative")
    return net_score(promoters, detractors, promoters + passives + detractors, confidence=confidence)


def withhold_small(estimate: Estimate, *, minimum: int) -> Estimate | NotEnough:
    """Replace an estimate that too few people stand behind.

    Examples
    --------
    >>> withhold_small(wilson_proportion(3, 4), minimum=10)
    NotEnough(n=4, minimum=10)
    """
    return estimate if estimate.n >= minimum else NotEnough(estimate.n, minimum)


def _upper_tail(confidence: float) -> float:
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


def _unanimous_limits(
    value: float, n: int, scale: tuple[float, float], confidence: float
) -> tuple[float, float]:
    z = z_value(confidence)
    others = z * z / (n + z * z)
    lower = value - others * (value - scale[0])
    upper = value + others * (scale[1] - value)
    return max(scale[0], lower), min(scale[1], upper)


def _t_half_width(moments: Moments, confidence: float) -> float:
    return t_value(moments.n - 1, confidence) * sqrt(moments.variance / moments.n)


def _bounded_mean(moments: Moments, low: float, high: float, confidence: float) -> Estimate:
    if moments.n < 1:
        raise ValueError("no answers")
    mean = moments.mean
    if not low <= mean <= high:
        raise ValueError(f"a mean of {mean} lies outside the scale {low} to {high}")
    if moments.variance == 0:
        lower, upper = _unanimous_limits(mean, moments.n, (low, high), confidence)
    else:
        half = _t_half_width(moments, confidence)
        lower, upper = max(low, mean - half), min(high, mean + half)
    return Estimate(mean, lower, upper, moments.n, confidence)


def _check_scale(counts: Mapping[int, int], low: int, high: int) -> None:
    if low >= high:
        raise ValueError(f"a scale from {low} to {high} has no length")
    for point, count in counts.items():
        if count and not low <= point <= high:
            raise ValueError(f"{point} lies outside the scale {low} to {high}")
