"""The share of comments that carry a label, from a machine that read all and people who coded some."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from citizenvoice.stats.estimates import CONFIDENCE, Estimate, wilson_proportion, z_value

MINIMUM_CODED = 30
MINIMUM_OF_EACH = 3
MINIMUM_OF_EACH_APART = 10
MINIMUM_SEPARATION = 0.2

# Added to each cell of the coded table when the variance is computed, because a kind of error that
# happened not to occur among a hundred comments still has a chance. See docs/corrected-shares.md.
_PRIOR_IN_EACH_CELL = 0.25
_PRIOR_IN_EACH_RATE = 0.5
_ROUNDING = 1e-9

Numbers: TypeAlias = npt.NDArray[np.float64]


class Method(StrEnum):
    """The formula behind a share of comments; another formula is another method and starts a new series."""

    NAIVE = "machine_read_naive_v1"
    PREDICTION_POWERED = "machine_read_ppi_v1"
    ADJUSTED_COUNT = "machine_read_adjusted_v1"


class Reason(StrEnum):
    """Why a share is withheld."""

    TOO_FEW_CODED = "too_few_coded"
    TOO_FEW_WITH_LABEL = "too_few_coded_with_label"
    TOO_FEW_WITHOUT_LABEL = "too_few_coded_without_label"
    READER_CANNOT_TELL = "reader_cannot_tell"
    RATES_DO_NOT_FIT = "rates_do_not_fit"


@dataclass(frozen=True, slots=True)
class Withheld:
    """The absence of a share because ``found`` falls short of the ``needed`` of what ``reason`` names.

    Both count comments, except for ``reader_cannot_tell``, where both are TPR - FPR, and for
    ``rates_do_not_fit``, where ``found`` is the share the machine gave the label and ``needed`` the error
    rate that no share of comments can pass.
    """

    reason: Reason
    found: float
    needed: float


@dataclass(frozen=True, slots=True)
class Read:
    """How many comments the machine read, and how many of them it gave the label."""

    n: int
    labelled: int

    def __post_init__(self) -> None:
        if not 0 <= self.labelled <= self.n or self.n < 1:
            raise ValueError(f"{self.labelled} of {self.n} is not a share of comments")


@dataclass(frozen=True, slots=True)
class Coded:
    """Comments a person coded, by what the person and the machine said of one label.

    The counts may be fractions: weighted comments are scaled to the number they are worth.
    """

    both: float
    machine_only: float
    person_only: float
    neither: float

    def __post_init__(self) -> None:
        if min(self.both, self.machine_only, self.person_only, self.neither) < 0:
            raise ValueError("a count is negative")

    @classmethod
    def of(
        cls,
        truth: Sequence[bool] | npt.NDArray[Any],
        read: Sequence[bool] | npt.NDArray[Any],
        *,
        weights: npt.ArrayLike | None = None,
    ) -> "Coded":
        """Count what people and machine said of the same comments.

        Parameters
        ----------
        truth, read : sequences of bool of shape (n_coded,)
            Whether the person, and whether the machine, gave the label.
        weights : array of shape (n_coded,), optional
            One over the chance each comment had to be coded. The counts are then scaled to Kish's
            effective number of comments.

        Raises
        ------
        ValueError
            If lengths differ, a weight is negative, or all weights are 0.

        Examples
        --------
        >>> Coded.of([True, True, False], [True, False, False])
        Coded(both=1.0, machine_only=0.0, person_only=1.0, neither=1.0)
        """
        person, machine = np.asarray(truth, dtype=bool), np.asarray(read, dtype=bool)
        worth = np.ones(len(person)) if weights is None else np.asarray(weights, dtype=np.float64)
        if not person.shape == machine.shape == worth.shape:
            raise ValueError("truth, reading and weights differ in length")
        if len(worth) and (worth.min() < 0 or worth.sum() == 0):
            raise ValueError("weights must be positive")
        worth = worth * (worth.sum() / (worth @ worth)) if len(worth) else worth
        return cls(
            float(worth[person & machine].sum()),
            float(worth[~person & machine].sum()),
            float(worth[person & ~machine].sum()),
            float(worth[~person & ~machine].sum()),
        )

    @property
    def n(self) -> float:
        """Add up all coded comments."""
        return self.both + self.machine_only + self.person_only + self.neither

    @property
    def with_label(self) -> float:
        """Add up the comments the person gave the label."""
        return self.both + self.person_only

    @property
    def without_label(self) -> float:
        """Add up the comments the person did not give the label."""
        return self.machine_only + self.neither

    @property
    def true_positive_rate(self) -> float:
        """Divide what both gave the label by what the person did."""
        return self.both / self.with_label

    @property
    def false_positive_rate(self) -> float:
        """Divide what only the machine gave the label by what the person did not."""
        return self.machine_only / self.without_label

    @property
    def separation(self) -> float:
        """Subtract the false positive rate from the true positive rate (Youden's J)."""
        return self.true_positive_rate - self.false_positive_rate

    @property
    def cells(self) -> Numbers:
        """Return the four counts as an array, in the order of the fields."""
        return np.array([self.both, self.machine_only, self.person_only, self.neither], dtype=np.float64)


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectedShare:
    """A share of comments by a named method, beside the share the machine alone would report."""

    method: Method
    result: Estimate | Withheld
    naive: Estimate
    n_coded: float


def corrected_share(
    read: Read, coded: Coded, *, same_stream: bool, confidence: float = CONFIDENCE
) -> CorrectedShare:
    """Estimate the share of comments with a label by the method that what was coded allows.

    Parameters
    ----------
    read : Read
        All comments of the stream and period the share is about; with ``same_stream``, the coded ones too.
    coded : Coded
        The comments people coded without seeing the machine's answer.
    same_stream : bool
        True only if the coded comments were drawn at random from those in ``read``. Then prediction-powered
        inference is used, otherwise the adjusted count.

    Returns
    -------
    CorrectedShare
        With an `Estimate` in [0, 1] or `Withheld`.

    Raises
    ------
    ValueError
        If more comments were coded than read although ``same_stream``.

    Notes
    -----
    Comments picked because the machine was unsure of them are a random sample of nothing: they fit neither
    method.

    Examples
    --------
    >>> coded = Coded(both=70, machine_only=10, person_only=20, neither=100)
    >>> share = corrected_share(Read(n=2200, labelled=980), coded, same_stream=True)
    >>> share.method.value, round(share.result.value, 6), round(share.naive.value, 6)
    ('machine_read_ppi_v1', 0.481267, 0.445455)
    >>> corrected_share(Read(2000, 900), Coded(10, 20, 10, 20), same_stream=False).result
    Withheld(reason=<Reason.READER_CANNOT_TELL: 'reader_cannot_tell'>, found=0.0, needed=0.2)
    """
    compute = prediction_powered_share if same_stream else adjusted_count
    return CorrectedShare(
        method=Method.PREDICTION_POWERED if same_stream else Method.ADJUSTED_COUNT,
        result=compute(read, coded, confidence=confidence),
        naive=naive_share(read, confidence=confidence),
        n_coded=coded.n,
    )


def naive_share(read: Read, *, confidence: float = CONFIDENCE) -> Estimate:
    """Estimate the share as if the machine made no errors; for comparison only.

    Notes
    -----
    Its interval narrows around the wrong figure: with many comments it practically never holds the true one.

    Examples
    --------
    >>> naive = naive_share(Read(2000, 900))
    >>> naive.value, round(naive.lower, 6), round(naive.upper, 6)
    (0.45, 0.428313, 0.471878)
    """
    return wilson_proportion(read.labelled, read.n, confidence=confidence)


def prediction_powered_share(
    read: Read, coded: Coded, *, confidence: float = CONFIDENCE
) -> Estimate | Withheld:
    """Estimate the share by prediction-powered inference with a tuned weight (PPI++).

    Parameters
    ----------
    read : Read
        All comments, the coded ones among them.
    coded : Coded
        A random sample of the comments in ``read``.

    Returns
    -------
    Estimate or Withheld
        A share in [0, 1] with ``n`` the comments read. See `prediction_powered_limits` for the formula.

    Raises
    ------
    ValueError
        If more comments were coded than read.

    Notes
    -----
    Withheld under 30 coded comments, 3 with and 3 without the label, and when TPR - FPR is under 0.2.

    References
    ----------
    .. [1] Angelopoulos, A. N., Duchi, J. C. and Zrnic, T. (2023). PPI++: Efficient prediction-powered
           inference. arXiv 2311.01453.

    Examples
    --------
    >>> coded = Coded(both=70, machine_only=10, person_only=20, neither=100)
    >>> share = prediction_powered_share(Read(n=2200, labelled=980), coded)
    >>> round(share.value, 6), round(share.lower, 3), round(share.upper, 3)
    (0.481267, 0.43, 0.533)
    """
    if coded.n > read.n:
        raise ValueError("more comments were coded than read")
    withheld = why_withheld(coded, minimum_of_each=MINIMUM_OF_EACH)
    if withheld is not None:
        return withheld
    limits = prediction_powered_limits(coded.cells, read.n, read.labelled, confidence=confidence)
    return _estimate(limits, read.n, confidence)


def adjusted_count(read: Read, coded: Coded, *, confidence: float = CONFIDENCE) -> Estimate | Withheld:
    """Estimate the share by the adjusted count, which forgives a coded sample of another mix.

    Parameters
    ----------
    read : Read
        All comments the share is about.
    coded : Coded
        Comments of any mix in which those with the label, and those without, are read as well as they
        are in ``read``; not part of ``read``, or a small part.

    Returns
    -------
    Estimate or Withheld
        A share in [0, 1] with ``n`` the comments read. See `adjusted_count_limits` for the formula.

    Notes
    -----
    Withheld under 30 coded comments, 10 with and 10 without the label, when TPR - FPR is under 0.2, and when
    the machine gave the label so rarely (or often) that even a share of 0 (or 1) does not explain it.
    Otherwise the assumption cannot be checked from these numbers. It fails when the comments *without* the
    label changed their nature: more neutral ones among the not-negative, say, that are easier mistaken. For
    classes that exclude each other use `adjusted_shares` of ``citizenvoice.stats.class_shares``.

    References
    ----------
    .. [1] Rogan, W. J. and Gladen, B. (1978). American Journal of Epidemiology 107(1), 71-76.
    .. [2] Forman, G. (2008). Quantifying counts and costs via classification. Data Mining and Knowledge
           Discovery 17(2), 164-206.

    Examples
    --------
    >>> share = adjusted_count(Read(2000, 900), Coded(70, 10, 20, 100))
    >>> round(share.value, 6), round(share.lower, 2), round(share.upper, 2)
    (0.522794, 0.44, 0.62)
    """
    withheld = why_withheld(coded, minimum_of_each=MINIMUM_OF_EACH_APART)
    if withheld is not None:
        return withheld
    limits = adjusted_count_limits(coded.cells, read.n, read.labelled, confidence=confidence)
    share = _estimate(limits, read.n, confidence)
    if share.lower == share.upper:
        rate = coded.true_positive_rate if share.value == 1 else coded.false_positive_rate
        return Withheld(Reason.RATES_DO_NOT_FIT, read.labelled / read.n, rate)
    return share


def why_withheld(coded: Coded, *, minimum_of_each: float = MINIMUM_OF_EACH) -> Withheld | None:
    """Say why no share may be published from these coded comments, or None when one may.

    Examples
    --------
    >>> why_withheld(Coded(5, 1, 1, 12)).reason.value
    'too_few_coded'
    >>> why_withheld(Coded(70, 10, 20, 100)) is None
    True
    """
    for reason, found, needed in (
        (Reason.TOO_FEW_CODED, coded.n, MINIMUM_CODED),
        (Reason.TOO_FEW_WITH_LABEL, coded.with_label, minimum_of_each),
        (Reason.TOO_FEW_WITHOUT_LABEL, coded.without_label, minimum_of_each),
    ):
        if found < needed:
            return Withheld(reason, found, needed)
    if coded.separation < MINIMUM_SEPARATION - _ROUNDING:
        return Withheld(Reason.READER_CANNOT_TELL, coded.separation, MINIMUM_SEPARATION)
    return None


def prediction_powered_limits(
    cells: npt.ArrayLike,
    n_read: npt.ArrayLike,
    n_labelled: npt.ArrayLike,
    *,
    confidence: float = CONFIDENCE,
) -> tuple[Numbers, Numbers, Numbers]:
    """Compute PPI++ shares and their limits for many tables at once.

    Parameters
    ----------
    cells : array of shape (..., 4)
        Coded comments: label by both, by the machine only, by the person only, by neither.
    n_read, n_labelled : arrays of shape (...)
        Comments read, the coded ones among them, and how many of these the machine gave the label.

    Returns
    -------
    value, lower, upper : ndarrays of shape (...)
        Shares in [0, 1].

    Notes
    -----
    With Y what the person said, F what the machine said, n coded and N read, r = n/N:

    * weight λ = Cov_n(Y, F) / Var_N(F), cut to [0, 1/(1 - r)]; λ(1 - r) is the weight of [1]_ and [2]_;
    * share = mean_n(Y) + λ (mean_N(F) - mean_n(F));
    * variance = Var_n(Y - λ(1 - r)F)/(n - 1) + λ²(1 - r)² Var_N(F)/(N - n): the coded comments are among
      those read, and the share is that of the process they come from, as for all shares here.

    With this weight PPI++ is the regression estimator of survey sampling [3]_. The interval is Wilson's at
    the number of answers that would have this variance. The normal interval of [1]_ covers only 88 % where
    five coded comments have the label. For the variance a quarter of a comment is added to each cell.

    References
    ----------
    .. [1] Angelopoulos, A. N. et al. (2023). Prediction-powered inference. Science 382, 669-674.
    .. [2] Angelopoulos, A. N., Duchi, J. C. and Zrnic, T. (2023). PPI++: Efficient prediction-powered
           inference. arXiv 2311.01453.
    .. [3] Cochran, W. G. (1977). Sampling Techniques, 3rd ed. Wiley. Section 7.3.

    Examples
    --------
    >>> value, lower, upper = prediction_powered_limits([70, 10, 20, 100], 2200, 980)
    >>> round(float(value), 6)
    0.481267
    """
    table = np.asarray(cells, dtype=np.float64)
    size, labelled = np.asarray(n_read, dtype=np.float64), np.asarray(n_labelled, dtype=np.float64)
    n, said, read, together = _means(table)
    share_read = labelled / size
    spread = share_read * (1 - share_read) * size / np.maximum(size - 1, 1)
    uncoded = 1 - n / size
    # `weight` is λ(1 - r); the share of all comments read holds the coded ones, that of [1]_ does not.
    weight = np.clip(uncoded * (together - said * read) / np.where(spread > 0, spread, 1), 0, 1)
    shift = np.where(uncoded > 0, weight / np.where(uncoded > 0, uncoded, 1), 0)
    value = np.clip(said + shift * (share_read - read), 0, 1)

    _, said, read, together = _means(table + _PRIOR_IN_EACH_CELL)
    residual = (
        said * (1 - said) - 2 * weight * (together - said * read) + weight**2 * read * (1 - read)
    ) / np.maximum(n - 1, 1)
    variance = residual + weight**2 * spread / np.maximum(size - n, 1)
    inside = np.clip(value, 0.5 / n, 1 - 0.5 / n)
    lower, upper = _wilson(value, inside * (1 - inside) / variance, confidence)
    return value, lower, upper


def adjusted_count_limits(
    cells: npt.ArrayLike,
    n_read: npt.ArrayLike,
    n_labelled: npt.ArrayLike,
    *,
    confidence: float = CONFIDENCE,
) -> tuple[Numbers, Numbers, Numbers]:
    """Compute adjusted counts and their limits for many tables at once.

    Parameters
    ----------
    cells : array of shape (..., 4)
        Coded comments, as in `prediction_powered_limits`; some with and some without the label.
    n_read, n_labelled : arrays of shape (...)
        Comments read, and how many of these the machine gave the label.

    Returns
    -------
    value, lower, upper : ndarrays of shape (...)
        Shares in [0, 1]; where the rates cannot be told apart the limits are 0 and 1.

    Notes
    -----
    With q the share the machine gave the label, the share is (q - FPR)/(TPR - FPR), cut to [0, 1]. Limits
    are cut too; an interval that would lie outside altogether has both limits at 0 or at 1.

    The limits are the shares p for which q - p TPR - (1 - p) FPR cannot be told from 0, as in Fieller's
    theorem [1]_. The interval of that sum joins the Wilson limits of q, TPR and FPR, each on the side that
    matters, by squaring and adding [2]_. Rates in the middle of it have half a comment added on either
    side. The delta method covers as little as 66 % where hardly an error of a kind was coded; this covers
    94 % or more, and is narrower than [3]_.

    References
    ----------
    .. [1] Fieller, E. C. (1954). Some problems in interval estimation. JRSS B 16(2), 175-185.
    .. [2] Zou, G. Y. and Donner, A. (2008). Construction of confidence limits about effect measures.
           Statistics in Medicine 27(10), 1693-1702.
    .. [3] Lang, Z. and Reiczigel, J. (2014). Confidence limits for prevalence of disease adjusted for
           estimated sensitivity and specificity. Preventive Veterinary Medicine 113(1), 13-22.

    Examples
    --------
    >>> value, lower, upper = adjusted_count_limits([70, 10, 20, 100], 2000, 900)
    >>> round(float(value), 6)
    0.522794
    """
    both, machine_only, person_only, neither = np.moveaxis(np.asarray(cells, dtype=np.float64), -1, 0)
    size, labelled = np.asarray(n_read, dtype=np.float64), np.asarray(n_labelled, dtype=np.float64)
    positives, negatives = both + person_only, machine_only + neither
    share_read = labelled / size
    gap = both / positives - machine_only / negatives
    known = gap != 0
    value = np.where(known, (share_read - machine_only / negatives) / np.where(known, gap, 1), share_read)
    value = np.clip(value, 0, 1)

    hit = (both + _PRIOR_IN_EACH_RATE) / (positives + 2 * _PRIOR_IN_EACH_RATE)
    alarm = (machine_only + _PRIOR_IN_EACH_RATE) / (negatives + 2 * _PRIOR_IN_EACH_RATE)
    hit_low, hit_high = _wilson(both / positives, positives, confidence)
    alarm_low, alarm_high = _wilson(machine_only / negatives, negatives, confidence)
    read_low, read_high = _wilson(share_read, size, confidence)
    lower = _root(
        hit - alarm, share_read - alarm, share_read - read_low, hit_high - hit, alarm_high - alarm, -1
    )
    upper = _root(
        hit - alarm, share_read - alarm, read_high - share_read, hit - hit_low, alarm - alarm_low, 1
    )
    return value, np.minimum(lower, value), np.maximum(upper, value)


def _means(cells: Numbers) -> tuple[Numbers, Numbers, Numbers, Numbers]:
    """Compute n and the means of what the person said, what the machine said, and their product."""
    n = cells.sum(axis=-1)
    both, machine_only, person_only, _ = np.moveaxis(cells, -1, 0)
    return n, (both + person_only) / n, (both + machine_only) / n, both / n


def _wilson(value: Numbers, n: Numbers, confidence: float) -> tuple[Numbers, Numbers]:
    z = z_value(confidence)
    shrink = 1 + z * z / n
    centre = (value + z * z / (2 * n)) / shrink
    half = z / shrink * np.sqrt(value * (1 - value) / n + z * z / (4 * n * n))
    return np.clip(np.minimum(centre - half, value), 0, 1), np.clip(np.maximum(centre + half, value), 0, 1)


def _root(
    gap: Numbers, excess: Numbers, by_read: Numbers, by_hit: Numbers, by_alarm: Numbers, side: int
) -> Numbers:
    """Solve (excess - p gap)² = by_read² + p² by_hit² + (1 - p)² by_alarm² for the limit p on one side."""
    a = gap**2 - by_hit**2 - by_alarm**2
    b = by_alarm**2 - excess * gap
    c = excess**2 - by_read**2 - by_alarm**2
    bounded = (a > 0) & (gap > 0)
    root = (-b + side * np.sqrt(np.maximum(b * b - a * c, 0))) / np.where(bounded, a, 1)
    return np.clip(np.where(bounded, root, 0 if side < 0 else 1), 0, 1)


def _estimate(limits: tuple[Numbers, Numbers, Numbers], n: int, confidence: float) -> Estimate:
    value, lower, upper = (float(limit) for limit in limits)
    return Estimate(value, lower, upper, n, confidence)
