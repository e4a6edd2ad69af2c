"""Differences of two shares of the same answers, such as the net promoter score."""

from math import sqrt

from citizenvoice.stats.estimates import CONFIDENCE, Estimate, z_value
from citizenvoice.stats.means import unanimous_limits


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
        lower, upper = unanimous_limits(value, n, (-1, 1), confidence)
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
