"""Tests of change between two groups or periods, and corrections for asking many times."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from math import erfc, sqrt

from citizenvoice.stats.estimates import CONFIDENCE, Estimate, Moments, Polarity, t_value, wilson_proportion
from citizenvoice.stats.net_scores import net_score, net_variance

MINIMUM_PER_SIDE = 10


class Verdict(StrEnum):
    """What may be said about a change."""

    BETTER = "better"
    WORSE = "worse"
    NO_DISTINGUISHABLE_CHANGE = "no_distinguishable_change"
    NOT_ENOUGH = "not_enough"


@dataclass(frozen=True, slots=True)
class Change:
    """The later figure minus the earlier one, its interval, and what may be said about it.

    The numbers are None when the verdict is ``not_enough``.
    """

    difference: float | None
    lower: float | None
    upper: float | None
    p_value: float | None
    verdict: Verdict


NOT_ENOUGH = Change(None, None, None, None, Verdict.NOT_ENOUGH)


def change_of_proportion(
    before: tuple[int, int],
    after: tuple[int, int],
    *,
    polarity: Polarity = Polarity.UP,
    minimum: int = MINIMUM_PER_SIDE,
    confidence: float = CONFIDENCE,
) -> Change:
    """Test whether a share changed.

    Parameters
    ----------
    before, after : (successes, n)
        Counts of the two periods.
    polarity : Polarity
        ``DOWN`` when a smaller share is better.
    minimum : int
        Answers needed in each period.

    Returns
    -------
    Change
        Differences of proportions in [-1, 1]. Better or worse is said only when the p-value of the
        pooled z test is below ``1 - confidence`` *and* Newcombe's interval excludes 0.

    Raises
    ------
    ValueError
        If the successes are not between 0 and n.

    Notes
    -----
    Two overlapping intervals do not mean no difference; only the interval of the difference tells.
    People in one period are taken to be other people than in the other.

    References
    ----------
    .. [1] Newcombe, R. G. (1998). Statistics in Medicine 17(8), 873-890. Method 10.

    Examples
    --------
    >>> change = change_of_proportion((120, 200), (150, 200))
    >>> round(change.difference, 6), round(change.lower, 6), round(change.upper, 6)
    (0.15, 0.05826, 0.238315)
    >>> round(change.p_value, 8), change.verdict.value
    (0.0013621, 'better')
    """
    if min(before[1], after[1]) < max(1, minimum):
        return NOT_ENOUGH
    old = wilson_proportion(*before, confidence=confidence)
    new = wilson_proportion(*after, confidence=confidence)
    pooled = (before[0] + after[0]) / (before[1] + after[1])
    variance = pooled * (1 - pooled) * (1 / before[1] + 1 / after[1])
    return _judge(old, new, _normal_p(new.value - old.value, variance), polarity)


def change_of_net_score(
    before: tuple[int, int, int],
    after: tuple[int, int, int],
    *,
    polarity: Polarity = Polarity.UP,
    minimum: int = MINIMUM_PER_SIDE,
    confidence: float = CONFIDENCE,
) -> Change:
    """Test whether a net score, such as the net promoter score, changed.

    Parameters
    ----------
    before, after : (positive, neutral, negative)
        Counts of the two periods; for the net promoter score (promoters, passives, detractors).
    polarity : Polarity
        ``DOWN`` when a smaller net score is better.
    minimum : int
        Answers needed in each period.

    Returns
    -------
    Change
        Differences in [-2, 2]. The interval joins those of the two scores by squaring and adding
        (MOVER [1]_), which is the usual one except when one period's answers are unanimous.

    Raises
    ------
    ValueError
        If a count is negative.

    References
    ----------
    .. [1] Zou, G. Y., & Donner, A. (2008). Statistics in Medicine 27(10), 1693-1702.
    .. [2] Rocks, B. (2016). The American Statistician 70(4), 365-372.

    Examples
    --------
    >>> change = change_of_net_score((50, 30, 20), (65, 20, 15))
    >>> round(change.difference, 6), change.verdict.value
    (0.2, 'no_distinguishable_change')
    """
    if min(sum(before), sum(after)) < max(1, minimum):
        return NOT_ENOUGH
    if min(*before, *after) < 0:
        raise ValueError("a count is negative")
    sides = ((before[0], before[2], sum(before)), (after[0], after[2], sum(after)))
    old, new = (net_score(*side, confidence=confidence) for side in sides)
    variance = net_variance(*sides[0]) + net_variance(*sides[1])
    if variance == 0:  # both unanimous: the spread of both periods taken together
        n = old.n + new.n
        together = net_variance(sides[0][0] + sides[1][0], sides[0][1] + sides[1][1], n)
        variance = together * n * (1 / old.n + 1 / new.n)
    return _judge(old, new, _normal_p(new.value - old.value, variance), polarity)


def change_of_mean(
    before: Moments,
    after: Moments,
    *,
    polarity: Polarity = Polarity.UP,
    minimum: int = MINIMUM_PER_SIDE,
    confidence: float = CONFIDENCE,
) -> Change:
    """Test whether a mean changed, without assuming equal spread (Welch).

    Parameters
    ----------
    before, after : Moments
        Count, sum and sum of squares of the two periods.
    polarity : Polarity
        ``DOWN`` when a smaller mean is better.
    minimum : int
        Answers needed in each period; never taken below 2.

    Returns
    -------
    Change
        In units of the numbers. When both periods are unanimous on different values there is no
        spread to judge by, and the verdict is ``not_enough``.

    References
    ----------
    .. [1] Welch, B. L. (1947). Biometrika 34(1-2), 28-35.

    Examples
    --------
    >>> before = Moments.of_counts({1: 5, 2: 10, 3: 20, 4: 40, 5: 25})
    >>> after = Moments.of_counts({1: 2, 2: 6, 3: 12, 4: 40, 5: 40})
    >>> change = change_of_mean(before, after)
    >>> round(change.difference, 6), change.verdict.value
    (0.4, 'better')
    """
    if min(before.n, after.n) < max(2, minimum):
        return NOT_ENOUGH
    difference = after.mean - before.mean
    parts = (before.variance / before.n, after.variance / after.n)
    variance = sum(parts)
    if variance == 0:
        same = Change(0.0, 0.0, 0.0, 1.0, Verdict.NO_DISTINGUISHABLE_CHANGE)
        return same if difference == 0 else NOT_ENOUGH
    degrees = variance**2 / (parts[0] ** 2 / (before.n - 1) + parts[1] ** 2 / (after.n - 1))
    half = t_value(degrees, confidence) * sqrt(variance)
    p_value = _student_p(difference / sqrt(variance), degrees)
    limits = (difference - half, difference + half)
    return Change(difference, *limits, p_value, _verdict(limits, p_value, polarity, confidence))


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """Adjust p-values so that rejecting those below q keeps the false discovery rate at q.

    Parameters
    ----------
    p_values : sequence of float, shape (n_tests,)
        In [0, 1], in any order.

    Returns
    -------
    list of float, shape (n_tests,)
        In the order given.

    Raises
    ------
    ValueError
        If a p-value is outside [0, 1].

    References
    ----------
    .. [1] Benjamini, Y., & Hochberg, Y. (1995). JRSS B 57(1), 289-300.

    Examples
    --------
    >>> benjamini_hochberg([0.01, 0.04, 0.03, 0.5])
    [0.04, 0.05333333333333334, 0.05333333333333334, 0.5]
    """
    order = _sorted_positions(p_values)
    adjusted = [0.0] * len(p_values)
    smallest = 1.0
    for rank, position in reversed(list(enumerate(order, start=1))):
        smallest = min(smallest, p_values[position] * len(p_values) / rank)
        adjusted[position] = smallest
    return adjusted


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust p-values so that rejecting those below alpha keeps the chance of any false one at alpha.

    Parameters
    ----------
    p_values : sequence of float, shape (n_tests,)
        In [0, 1], in any order.

    Returns
    -------
    list of float, shape (n_tests,)
        In the order given.

    Raises
    ------
    ValueError
        If a p-value is outside [0, 1].

    References
    ----------
    .. [1] Holm, S. (1979). Scandinavian Journal of Statistics 6(2), 65-70.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    adjusted = [0.0] * len(p_values)
    largest = 0.0
    for rank, position in enumerate(_sorted_positions(p_values)):
        largest = max(largest, min(1.0, p_values[position] * (len(p_values) - rank)))
        adjusted[position] = largest
    return adjusted


def judge_together(changes: Sequence[Change], *, confidence: float = CONFIDENCE) -> list[Change]:
    """Withdraw the verdicts that would be expected by chance when many changes are looked at.

    Parameters
    ----------
    changes : sequence of Change, shape (n_tests,)
        For example one for each service of a league table.

    Returns
    -------
    list of Change, shape (n_tests,)
        In the order given, with Benjamini-Hochberg p-values; better and worse become
        ``no_distinguishable_change`` where that p-value is not below ``1 - confidence``.

    Examples
    --------
    >>> lone = change_of_proportion((100, 200), (121, 200))
    >>> lone.verdict.value
    'better'
    >>> quiet = change_of_proportion((100, 200), (101, 200))
    >>> [change.verdict.value for change in judge_together([lone, quiet])]
    ['no_distinguishable_change', 'no_distinguishable_change']
    """
    tested = [position for position, change in enumerate(changes) if change.p_value is not None]
    p_values = [change.p_value for change in changes if change.p_value is not None]
    judged = list(changes)
    for position, p_value in zip(tested, benjamini_hochberg(p_values), strict=True):
        verdict = changes[position].verdict if p_value < 1 - confidence else Verdict.NO_DISTINGUISHABLE_CHANGE
        judged[position] = replace(changes[position], p_value=p_value, verdict=verdict)
    return judged


def _judge(old: Estimate, new: Estimate, p_value: float, polarity: Polarity) -> Change:
    difference = new.value - old.value
    limits = (
        difference - sqrt((new.value - new.lower) ** 2 + (old.upper - old.value) ** 2),
        difference + sqrt((new.upper - new.value) ** 2 + (old.value - old.lower) ** 2),
    )
    return Change(difference, *limits, p_value, _verdict(limits, p_value, polarity, new.confidence))


def _verdict(limits: tuple[float, float], p_value: float, polarity: Polarity, confidence: float) -> Verdict:
    if limits[0] <= 0 <= limits[1] or p_value >= 1 - confidence:
        return Verdict.NO_DISTINGUISHABLE_CHANGE
    rose = limits[0] > 0
    return Verdict.BETTER if rose == (polarity == Polarity.UP) else Verdict.WORSE


def _normal_p(difference: float, variance: float) -> float:
    if variance <= 0:
        return 1.0
    return erfc(abs(difference) / sqrt(2 * variance))


def _student_p(t: float, degrees: float) -> float:
    from scipy.special import stdtr

    return 2 * float(stdtr(degrees, -abs(t)))


def _sorted_positions(p_values: Sequence[float]) -> list[int]:
    if not all(0 <= p <= 1 for p in p_values):
        raise ValueError("p-values lie between 0 and 1")
    return sorted(range(len(p_values)), key=p_values.__getitem__)
