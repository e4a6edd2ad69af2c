"""Means of ratings and numbers with their t intervals."""

from collections.abc import Mapping
from math import sqrt

from citizenvoice.stats.estimates import CONFIDENCE, Estimate, Moments, NotEnough, Polarity, t_value, z_value


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


def unanimous_limits(
    value: float, n: int, scale: tuple[float, float], confidence: float
) -> tuple[float, float]:
    """Return limits for the mean of answers that are all the same, which have no spread to go by."""
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
        lower, upper = unanimous_limits(mean, moments.n, (low, high), confidence)
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
