"""SDG indicator 16.6.2: satisfaction with the last experience of public services."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from citizenvoice.stats.estimates import Estimate, NotEnough
from citizenvoice.stats.scores import Method, Score, Tally, share

N_SDG_ATTRIBUTES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Sdg1662:
    """The three figures of SDG indicator 16.6.2 for one service area."""

    attributes: Mapping[str, Score]
    average: Score
    satisfied: Score


def sdg_16_6_2(
    attributes: Mapping[str, Tally],
    satisfaction: Tally,
    *,
    positive: Collection[int] = (2, 3),
    minimum: int = 1,
) -> Sdg1662:
    """Compute SDG indicator 16.6.2 for one service area.

    Parameters
    ----------
    attributes : mapping of five attribute keys to Tally
        Agreement with each attribute; don't know, not applicable and refused are left out of each
        attribute's own denominator and reported.
    satisfaction : Tally
        The overall question.
    positive : collection of int
        Points for agree and strongly agree, and satisfied and very satisfied; by default those of
        the official 0 to 3 coding.

    Returns
    -------
    Sdg1662
        Shares in [0, 1]; the average is the simple mean of the five shares, as the metadata
        prescribes, and is not pooled.

    Raises
    ------
    ValueError
        If there are not five attributes.

    Notes
    -----
    The same people judge the five attributes. The interval of the average is the mean of the five
    intervals, which is what full correlation would give: it errs on the wide side. Its ``n`` is the
    smallest of the five.

    References
    ----------
    .. [1] UNDP. SDG indicator metadata 16.6.2 (2021-04-19), "Computation method".

    Examples
    --------
    The example of the metadata: attributes 50, 60, 73, 55 and 42 %; 23 % very satisfied, 37 % satisfied.

    >>> shares = {"access": 50, "fees": 60, "process": 73, "equal": 55, "time": 42}
    >>> areas = {key: Tally({2: yes, 1: 100 - yes}) for key, yes in shares.items()}
    >>> figures = sdg_16_6_2(areas, Tally({3: 23, 2: 37, 1: 30, 0: 10}))
    >>> round(figures.average.result.value, 6), figures.satisfied.result.value
    (0.56, 0.6)
    """
    if len(attributes) != N_SDG_ATTRIBUTES:
        raise ValueError(f"the indicator has five attributes, not {len(attributes)}")
    scores = {
        key: share(tally, positive, minimum=minimum, method=Method.SDG_ATTRIBUTE)
        for key, tally in attributes.items()
    }
    average = Score(
        method=Method.SDG_AVERAGE,
        result=_simple_average([score.result for score in scores.values()], max(1, minimum)),
        n_not_applicable=sum(score.n_not_applicable for score in scores.values()),
        n_dont_know=sum(score.n_dont_know for score in scores.values()),
    )
    satisfied = share(satisfaction, positive, minimum=minimum, method=Method.SDG_SATISFIED)
    return Sdg1662(attributes=scores, average=average, satisfied=satisfied)


def _simple_average(results: list[Estimate | NotEnough], minimum: int) -> Estimate | NotEnough:
    estimates = [result for result in results if isinstance(result, Estimate)]
    n = min(result.n for result in results)
    if len(estimates) < len(results):
        return NotEnough(n, minimum)
    value, lower, upper = (
        sum(getattr(estimate, name) for estimate in estimates) / len(estimates)
        for name in ("value", "lower", "upper")
    )
    return Estimate(value, lower, upper, n, estimates[0].confidence)
