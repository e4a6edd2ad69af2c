"""The satisfaction scores that official programmes publish, each with the method it was computed by."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from citizenvoice.stats.estimates import Estimate, NotEnough, Polarity, wilson_proportion
from citizenvoice.stats.means import mean_of_counts, rescaled_mean
from citizenvoice.stats.net_scores import net_promoter


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
    return rated_score(method, tally, share_or_too_few(tally.among(positive), tally.n_rated, minimum))


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
    return rated_score(Method.GDS_WEIGHTED, tally, result)


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
    check_points(tally, 0, 10)
    n = tally.n_rated
    if n < max(1, minimum):
        return rated_score(Method.NPS, tally, NotEnough(n, max(1, minimum)))
    result = net_promoter(tally.among((9, 10)), tally.among((7, 8)), tally.among(range(7)))
    return rated_score(Method.NPS, tally, result)


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
    return rated_score(Method.CES_MEAN, tally, result)


def ces_share(tally: Tally, *, minimum: int = 1) -> Score:
    """Compute the customer effort score (2.0) as the share of 5, 6 and 7 on its 1 to 7 scale.

    Examples
    --------
    >>> ces_share(Tally({1: 2, 2: 3, 3: 5, 4: 10, 5: 20, 6: 35, 7: 25})).result.value
    0.8
    """
    check_points(tally, 1, 7)
    return share(tally, (5, 6, 7), minimum=minimum, method=Method.CES_SHARE)


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
    return Score(method=Method.DRIVER_SHARE, result=share_or_too_few(chosen, offered, minimum))


def share_or_too_few(successes: int, n: int, minimum: int) -> Estimate | NotEnough:
    """Return a share, or that there are too few answers."""
    needed = max(1, minimum)
    return wilson_proportion(successes, n) if n >= needed else NotEnough(n, needed)


def rated_score(method: Method, tally: Tally, result: Estimate | NotEnough) -> Score:
    """Return the score of a method with what it leaves out."""
    return Score(
        method=method, result=result, n_not_applicable=tally.not_applicable, n_dont_know=tally.dont_know
    )


def _fft(method: Method, tally: Tally, points: Collection[int], minimum: int) -> Score:
    result = share_or_too_few(tally.among(points), tally.n_rated + tally.dont_know, minimum)
    return Score(method=method, result=result, n_not_applicable=tally.not_applicable)


def check_points(tally: Tally, low: int, high: int) -> None:
    """Raise ValueError for a point outside the scale."""
    for point, count in tally.counts.items():
        if count and not low <= point <= high:
            raise ValueError(f"{point} lies outside the scale {low} to {high}")
