"""The satisfaction scores that official programmes publish, each with the method it was computed by."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

from citizenvoice.stats.estimates import (
    Estimate,
    NotEnough,
    Polarity,
    mean_of_counts,
    net_promoter,
    rescaled_mean,
    wilson_at_effective_n,
    wilson_proportion,
)

CSM_ITEMS = tuple(f"sqd{number}" for number in range(1, 9))
N_SDG_ATTRIBUTES = 5


class Method(StrEnum):
    """The formula behind a figure; another formula is another method and starts a new series."""

    SHARE = "share_v1"
    TOP_TWO_BOX = "top2_v1"
    GDS_WEIGHTED = "gds_weighted_v1"
    GDS_TOP_TWO = "gds_top2_v2"
    FFT_POSITIVE = "nhs_fft_positive_v1"
    FFT_NEGATIVE = "nhs_fft_negative_v1"
    NPS = "nps_v1"
    CES_MEAN = "ces_mean_v1"
    CES_SHARE = "ces_share_v1"
    CSM_ITEM = "csm_item_v1"
    CSM_OVERALL = "csm_overall_sqd1_8_v1"
    CSM_OVERALL_WITH_SQD0 = "csm_overall_sqd0_8_v1"
    CSM_AWARENESS = "csm_awareness_v1"
    SDG_ATTRIBUTE = "sdg_16_6_2_attribute_v1"
    SDG_AVERAGE = "sdg_16_6_2_average_v1"
    SDG_SATISFIED = "sdg_16_6_2_satisfied_v1"
    DRIVER_SHARE = "driver_share_v1"


class CsmBand(StrEnum):
    """The five words the Philippine client satisfaction measurement uses for a score."""

    POOR = "poor"
    FAIR = "fair"
    SATISFACTORY = "satisfactory"
    VERY_SATISFACTORY = "very_satisfactory"
    OUTSTANDING = "outstanding"


@dataclass(frozen=True, slots=True)
class Tally:
    """How often each scale point was chosen, and how many people gave no rating."""

    counts: Mapping[int, int] = field(default_factory=dict)
    not_applicable: int = 0
    dont_know: int = 0

    def __post_init__(self) -> None:
        if min(self.not_applicable, self.dont_know, *self.counts.values(), 0) < 0:
            raise ValueError("a count is negative")

    @property
    def n_rated(self) -> int:
        """Count the answers that chose a point of the scale."""
        return sum(self.counts.values())

    def among(self, points: Collection[int]) -> int:
        """Count the answers that chose one of these points."""
        return sum(count for point, count in self.counts.items() if point in points)


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """A figure by a named method, with the answers the method leaves out."""

    method: Method
    result: Estimate | NotEnough
    n_not_applicable: int = 0
    n_dont_know: int = 0

    @property
    def n_excluded(self) -> int:
        """Count the answers that are not part of the figure."""
        return self.n_not_applicable + self.n_dont_know


@dataclass(frozen=True, slots=True, kw_only=True)
class Sdg1662:
    """The three figures of SDG indicator 16.6.2 for one service area."""

    attributes: Mapping[str, Score]
    average: Score
    satisfied: Score


def pool(tallies: Iterable[Tally]) -> Tally:
    """Add up tallies of days, services or channels.

    Examples
    --------
    >>> pool([Tally({5: 2}, dont_know=1), Tally({4: 1, 5: 1})])
    Tally(counts={4: 1, 5: 3}, not_applicable=0, dont_know=1)
    """
    counts: dict[int, int] = {}
    not_applicable = dont_know = 0
    for tally in tallies:
        for point, count in tally.counts.items():
            counts[point] = counts.get(point, 0) + count
        not_applicable += tally.not_applicable
        dont_know += tally.dont_know
    return Tally(dict(sorted(counts.items())), not_applicable, dont_know)


def share(
    tally: Tally, positive: Collection[int], *, minimum: int = 1, method: Method = Method.SHARE
) -> Score:
    """Estimate the share of rated answers that chose one of the ``positive`` points.

    Parameters
    ----------
    tally : Tally
        Does not apply and don't know are left out of the denominator and reported.
    positive : collection of int
        The points that count, said in full, because some scales store their best point as 1.
    minimum : int
        Rated answers needed for a figure.

    Returns
    -------
    Score
        With a proportion in [0, 1], or `NotEnough`.

    Examples
    --------
    The worked example of the SDG 16.6.2 metadata: 65 of 1000 gave no rating.

    >>> score = share(Tally({1: 374, 2: 561}, dont_know=65), {2, 3})
    >>> score.result.value, score.result.n, score.n_dont_know
    (0.6, 935, 65)
    """
    return _rated(method, tally, _share_of(tally.among(positive), tally.n_rated, minimum))


def top_two_box(tally: Tally, *, positive: Collection[int] = (4, 5), minimum: int = 1) -> Score:
    """Estimate the share of the two best points (by default of a 1 to 5 scale).

    Raises
    ------
    ValueError
        If ``positive`` is not two points.

    Examples
    --------
    >>> top_two_box(Tally({1: 5, 2: 10, 3: 20, 4: 40, 5: 25})).result.value
    0.65
    """
    if len(set(positive)) != 2:
        raise ValueError("a top two box has two points")
    return share(tally, positive, minimum=minimum, method=Method.TOP_TWO_BOX)


def gds_weighted_v1(tally: Tally, *, polarity: Polarity = Polarity.UP, minimum: int = 1) -> Score:
    """Compute GOV.UK user satisfaction as the GDS Performance Platform did: weights 0, 25, 50, 75, 100 %.

    Parameters
    ----------
    tally : Tally
        Of a 1 to 5 scale.
    polarity : Polarity
        ``DOWN`` for feeds that stored 1 as very satisfied.

    Returns
    -------
    Score
        With a share in [0, 1], or `NotEnough`.

    Raises
    ------
    ValueError
        If an answer lies outside 1 to 5.

    Notes
    -----
    Published under the same field name as `gds_top2_v2`, which is a different figure: never draw
    both in one series.

    References
    ----------
    .. [1] alphagov/spotlight, app/common/collections/user-satisfaction.js.
    .. [2] ministryofjustice/opg-performance-data, series until 2026-03.

    Examples
    --------
    >>> score = gds_weighted_v1(Tally({1: 23, 2: 46, 3: 153, 4: 419, 5: 528}))
    >>> round(score.result.value, 8)
    0.79576561
    """
    result = (
        rescaled_mean(tally.counts, 1, 5, polarity=polarity)
        if tally.n_rated >= max(1, minimum)
        else NotEnough(tally.n_rated, max(1, minimum))
    )
    return _rated(Method.GDS_WEIGHTED, tally, result)


def gds_top2_v2(tally: Tally, *, positive: Collection[int] = (4, 5), minimum: int = 1) -> Score:
    """Compute GOV.UK user satisfaction as the share satisfied or very satisfied.

    References
    ----------
    .. [1] ministryofjustice/opg-performance-data, series from 2026-04 on.

    Examples
    --------
    >>> score = gds_top2_v2(Tally({1: 262, 2: 211, 3: 1098, 4: 4593, 5: 8731}))
    >>> round(score.result.value, 8)
    0.89452837
    """
    return share(tally, positive, minimum=minimum, method=Method.GDS_TOP_TWO)


def fft_positive(tally: Tally, *, positive: Collection[int] = (4, 5), minimum: int = 1) -> Score:
    """Compute the NHS Friends and Family Test's positive share: very good and good, of all answers.

    Parameters
    ----------
    tally : Tally
        ``dont_know`` is an answer of this test and stays in the denominator; only
        ``not_applicable`` is left out.
    positive : collection of int
        The points for very good and good.

    Returns
    -------
    Score
        With a share in [0, 1], or `NotEnough`.

    References
    ----------
    .. [1] NHS England. The Friends and Family Test: calculations (from April 2020).

    Examples
    --------
    >>> test = Tally({5: 500, 4: 300, 3: 60, 2: 20, 1: 15}, dont_know=5)
    >>> round(fft_positive(test).result.value, 8), round(fft_negative(test).result.value, 8)
    (0.88888889, 0.03888889)
    """
    return _fft(Method.FFT_POSITIVE, tally, positive, minimum)


def fft_negative(tally: Tally, *, negative: Collection[int] = (1, 2), minimum: int = 1) -> Score:
    """Compute the NHS Friends and Family Test's negative share: poor and very poor, of all answers.

    See `fft_positive` for the denominator.
    """
    return _fft(Method.FFT_NEGATIVE, tally, negative, minimum)


def nps(tally: Tally, *, minimum: int = 1) -> Score:
    """Compute the net promoter score from answers on 0 to 10.

    Returns
    -------
    Score
        Between -1 and 1, or `NotEnough`.

    Raises
    ------
    ValueError
        If an answer lies outside 0 to 10.

    Notes
    -----
    NHS England left this score in October 2014 for a plain share; no headline for a public service.

    Examples
    --------
    >>> nps(Tally({10: 30, 9: 20, 8: 30, 3: 20})).result.value
    0.3
    """
    _check_points(tally, 0, 10)
    n = tally.n_rated
    if n < max(1, minimum):
        return _rated(Method.NPS, tally, NotEnough(n, max(1, minimum)))
    result = net_promoter(tally.among((9, 10)), tally.among((7, 8)), tally.among(range(7)))
    return _rated(Method.NPS, tally, result)


def ces_mean(tally: Tally, *, minimum: int = 1) -> Score:
    """Compute the customer effort score (2.0) as the mean of its 1 to 7 answers, in points.

    Raises
    ------
    ValueError
        If an answer lies outside 1 to 7.

    Examples
    --------
    >>> ces_mean(Tally({1: 2, 2: 3, 3: 5, 4: 10, 5: 20, 6: 35, 7: 25})).result.value
    5.48
    """
    n = tally.n_rated
    result = (
        mean_of_counts(tally.counts, scale=(1, 7)) if n >= max(1, minimum) else NotEnough(n, max(1, minimum))
    )
    return _rated(Method.CES_MEAN, tally, result)


def ces_share(tally: Tally, *, minimum: int = 1) -> Score:
    """Compute the customer effort score (2.0) as the share of 5, 6 and 7 on its 1 to 7 scale.

    Examples
    --------
    >>> ces_share(Tally({1: 2, 2: 3, 3: 5, 4: 10, 5: 20, 6: 35, 7: 25})).result.value
    0.8
    """
    _check_points(tally, 1, 7)
    return share(tally, (5, 6, 7), minimum=minimum, method=Method.CES_SHARE)


def csm_item(tally: Tally, *, minimum: int = 1) -> Score:
    """Compute one service quality dimension: agree and strongly agree, of the answers other than N/A.

    References
    ----------
    .. [1] Anti-Red Tape Authority (2022). Memorandum Circular 2022-05.

    Examples
    --------
    >>> score = csm_item(Tally({1: 2, 2: 8, 3: 10, 4: 40, 5: 35}, not_applicable=5))
    >>> round(score.result.value, 8), score.n_not_applicable
    (0.78947368, 5)
    """
    _check_points(tally, 1, 5)
    return share(tally, (4, 5), minimum=minimum, method=Method.CSM_ITEM)


def csm_overall(items: Mapping[str, Tally], *, include_sqd0: bool = False, minimum: int = 1) -> Score:
    """Compute the overall score of the client satisfaction measurement by pooling its dimensions.

    Parameters
    ----------
    items : mapping of ``"sqd0"`` ... ``"sqd8"`` to Tally
        Dimensions without any rating may be left out.
    include_sqd0 : bool
        Whether overall satisfaction (SQD0) is pooled too; the circular's annex is read both ways,
        so the setting is part of the method's name.
    minimum : int
        People needed for a figure.

    Returns
    -------
    Score
        The value is Σ satisfied / Σ rated over the dimensions, in [0, 1]. ``n`` is the number of
        people who rated the most often rated dimension, not the number of ratings.

    Raises
    ------
    ValueError
        If an item is not one of SQD0 to SQD8, or an answer lies outside 1 to 5.

    Notes
    -----
    The eight ratings of one person resemble each other, so the interval takes them for one answer
    a person (Wilson at that number). It errs on the wide side.

    References
    ----------
    .. [1] Anti-Red Tape Authority (2022). Memorandum Circular 2022-05.

    Examples
    --------
    >>> items = {"sqd1": Tally({4: 40, 5: 40, 1: 20}), "sqd5": Tally({5: 30}, not_applicable=70)}
    >>> score = csm_overall(items)
    >>> round(score.result.value, 6), score.result.n
    (0.846154, 100)
    """
    if unknown := set(items) - {"sqd0", *CSM_ITEMS}:
        raise ValueError(f"not dimensions of the measurement: {sorted(unknown)}")
    method = Method.CSM_OVERALL_WITH_SQD0 if include_sqd0 else Method.CSM_OVERALL
    chosen = [tally for key, tally in items.items() if include_sqd0 or key != "sqd0"]
    for tally in chosen:
        _check_points(tally, 1, 5)
    pooled = pool(chosen)
    n_people = max((tally.n_rated for tally in chosen), default=0)
    if n_people < max(1, minimum):
        return _rated(method, pooled, NotEnough(n_people, max(1, minimum)))
    value = pooled.among((4, 5)) / pooled.n_rated
    return _rated(method, pooled, wilson_at_effective_n(value, n_people, n=n_people))


def csm_awareness(tally: Tally, *, minimum: int = 1) -> Score:
    """Compute the share aware of the Citizen's Charter: codes 1, 2 and 3 of CC1.

    Raises
    ------
    ValueError
        If an answer lies outside 1 to 4.

    Examples
    --------
    >>> csm_awareness(Tally({1: 60, 2: 10, 3: 10, 4: 20})).result.value
    0.8
    """
    _check_points(tally, 1, 4)
    return share(tally, (1, 2, 3), minimum=minimum, method=Method.CSM_AWARENESS)


def csm_band(value: float) -> CsmBand:
    """Name the band of a client satisfaction score.

    The percentage is first rounded half up to one decimal, as it is printed: below 60.0 poor, below
    80.0 fair, below 90.0 satisfactory, below 95.0 very satisfactory, else outstanding.

    Parameters
    ----------
    value : float
        A share in [0, 1], not a percentage.

    Raises
    ------
    ValueError
        If ``value`` is outside [0, 1].

    Examples
    --------
    >>> csm_band(620 / 725)
    <CsmBand.SATISFACTORY: 'satisfactory'>
    >>> csm_band(0.7995)
    <CsmBand.SATISFACTORY: 'satisfactory'>
    """
    if not 0 <= value <= 1:
        raise ValueError(f"{value} is not a share")
    # Through repr, because 79.95 has no exact binary form and would round down.
    percent = (Decimal(repr(float(value))) * 100).quantize(Decimal("0.1"), ROUND_HALF_UP)
    thresholds = (60, 80, 90, 95)
    return tuple(CsmBand)[sum(percent >= threshold for threshold in thresholds)]


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


def driver_share(chosen: int, offered: int, *, minimum: int = 1) -> Score:
    """Estimate the share of people who ticked a driver among those to whom it was offered.

    Parameters
    ----------
    chosen : int
        People who ticked it.
    offered : int
        People who reached the question and saw the driver, whether or not they ticked anything.

    Examples
    --------
    >>> driver_share(30, 120).result.value
    0.25
    """
    return Score(method=Method.DRIVER_SHARE, result=_share_of(chosen, offered, minimum))


def _share_of(successes: int, n: int, minimum: int) -> Estimate | NotEnough:
    needed = max(1, minimum)
    return wilson_proportion(successes, n) if n >= needed else NotEnough(n, needed)


def _rated(method: Method, tally: Tally, result: Estimate | NotEnough) -> Score:
    return Score(
        method=method, result=result, n_not_applicable=tally.not_applicable, n_dont_know=tally.dont_know
    )


def _fft(method: Method, tally: Tally, points: Collection[int], minimum: int) -> Score:
    result = _share_of(tally.among(points), tally.n_rated + tally.dont_know, minimum)
    return Score(method=method, result=result, n_not_applicable=tally.not_applicable)


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


def _check_points(tally: Tally, low: int, high: int) -> None:
    for point, count in tally.counts.items():
        if count and not low <= point <= high:
            raise ValueError(f"{point} lies outside the scale {low} to {high}")
