"""How well a machine gives comments their labels, measured on comments that people coded."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from citizenvoice.stats.comparisons import NOT_ENOUGH, Change, Verdict
from citizenvoice.stats.estimates import CONFIDENCE, Estimate, NotEnough, wilson_at_effective_n
from citizenvoice.stats.resampling import (
    RESAMPLES,
    SEED,
    Indices,
    Numbers,
    group_indices,
    percentile_limits,
    resampled_sums,
    sums_by_group,
)

MINIMUM_CODED = 30
MINIMUM_WITH_LABEL = 5
MINIMUM_SUPPORT_COMPARED = 10
F1_OF_PEOPLE = 0.75
BINS = 10

Groups: TypeAlias = Sequence[Hashable] | npt.NDArray[Any] | None
Labels: TypeAlias = npt.NDArray[np.bool_]


class Standing(StrEnum):
    """What may be said of a reader's way with one label."""

    NOT_ENOUGH_CODED = "not_enough_coded"
    BELOW_PEOPLE = "below_people"
    AS_GOOD_AS_PEOPLE = "as_good_as_people"


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelFigures:
    """How well one label is given: shares in [0, 1], and the numbers of comments behind them.

    ``support`` counts the comments people gave the label, ``predicted`` those the machine gave it.
    """

    label: str
    n: int
    support: int
    predicted: int
    precision: Estimate | NotEnough
    recall: Estimate | NotEnough
    f1: Estimate | NotEnough
    standing: Standing


@dataclass(frozen=True, slots=True)
class Bin:
    """Predictions of similar probability: between which limits, how many, their mean, how many came true."""

    lower: float
    upper: float
    n: int
    probability: float
    came_true: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """How far probabilities are from what comes true, on average and by bin (empty bins are left out)."""

    error: float
    n: int
    bins: tuple[Bin, ...]


def one_column_each(codes: Sequence[Hashable], classes: Sequence[Hashable]) -> Labels:
    """Turn one class a comment into one column of true and false a class.

    Parameters
    ----------
    codes : sequence of shape (n_comments,)
        The class of each comment.
    classes : sequence of shape (n_classes,)
        All classes, in the order of the columns.

    Returns
    -------
    ndarray of bool of shape (n_comments, n_classes)

    Raises
    ------
    ValueError
        If a comment has a class that is not among ``classes``.

    Examples
    --------
    >>> one_column_each(["bad", "good"], ["bad", "good"]).tolist()
    [[True, False], [False, True]]
    """
    numbers = {name: number for number, name in enumerate(classes)}
    unknown = next((code for code in codes if code not in numbers), None)
    if unknown is not None:
        raise ValueError(f"{unknown!r} is not among the classes")
    columns = np.zeros((len(codes), len(classes)), dtype=np.bool_)
    columns[np.arange(len(codes)), [numbers[code] for code in codes]] = True
    return columns


def label_figures(
    truth: npt.ArrayLike,
    predicted: npt.ArrayLike,
    labels: Sequence[str],
    *,
    groups: Groups = None,
    weights: npt.ArrayLike | None = None,
    minimum: int = MINIMUM_CODED,
    minimum_with_label: int = MINIMUM_WITH_LABEL,
    sufficient_f1: float = F1_OF_PEOPLE,
    confidence: float = CONFIDENCE,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> dict[str, LabelFigures]:
    """Estimate precision, recall and F1 of each label from comments that people coded blindly.

    Parameters
    ----------
    truth, predicted : arrays of bool of shape (n_comments, n_labels)
        What people, and what the machine, gave each comment; see `one_column_each` for classes.
    labels : sequence of str of shape (n_labels,)
        Names of the columns.
    groups : sequence of shape (n_comments,), optional
        Who wrote each comment. One writer's comments are drawn together for F1, and widen the
        intervals of precision and recall by their design effect.
    weights : array of shape (n_comments,), optional
        One over the chance each comment had to be coded, where that chance differed.
    minimum : int
        Coded comments before a label's standing is judged.
    minimum_with_label : int
        Coded comments that people gave the label, before its standing is judged.
    sufficient_f1 : float
        F1 from which on the machine is said to be as good as people.

    Returns
    -------
    dict of label to LabelFigures
        Shares in [0, 1]. Precision is `NotEnough` when the machine never gave the label, recall when
        people never did, F1 when neither did.

    Raises
    ------
    ValueError
        If shapes differ, a weight is negative, or all weights are 0.

    Notes
    -----
    Intervals: Wilson for precision and recall, percentile bootstrap over writers for F1. When F1 is
    exactly 0 or 1 no draw could differ; F1 = 2J/(1 + J) is then taken at the Wilson limits of
    J = TP/(TP + FP + FN). The standing goes by F1 itself; look at the interval when few were coded.

    References
    ----------
    .. [1] van Rijsbergen, C. J. (1979). Information Retrieval, 2nd ed. Butterworths. Chapter 7.
    .. [2] Davison, A. C. and Hinkley, D. V. (1997). Bootstrap Methods and their Application.
           Cambridge University Press. Section 3.8.

    Examples
    --------
    >>> truth = [[True]] * 40 + [[False]] * 60
    >>> predicted = [[True]] * 36 + [[False]] * 4 + [[True]] * 9 + [[False]] * 51
    >>> staff = label_figures(truth, predicted, ["staff"])["staff"]
    >>> staff.precision.value, staff.recall.value, round(staff.f1.value, 6), staff.standing.value
    (0.8, 0.9, 0.847059, 'as_good_as_people')
    """
    person, machine = _columns(truth, len(labels)), _columns(predicted, len(labels))
    if person.shape != machine.shape:
        raise ValueError("what people and machine gave differ in shape")
    n = len(person)
    worth = _weights(weights, n)
    indices, n_groups = group_indices(groups, n)
    limits = _f1_limits(_outcomes(person, machine, worth), indices, n_groups, confidence, resamples, seed)
    figures = {}
    for column, label in enumerate(labels):
        given, read = person[:, column], machine[:, column]
        f1 = _f1_estimate(given, read, worth, indices, limits[column], confidence)
        enough = n >= minimum and int(given.sum()) >= minimum_with_label
        figures[label] = LabelFigures(
            label=label,
            n=n,
            support=int(given.sum()),
            predicted=int(read.sum()),
            precision=_share(given, read, worth, indices, confidence),
            recall=_share(read, given, worth, indices, confidence),
            f1=f1,
            standing=_standing(f1, enough=enough, sufficient=sufficient_f1),
        )
    return figures


def macro_f1(
    truth: npt.ArrayLike,
    predicted: npt.ArrayLike,
    *,
    groups: Groups = None,
    minimum_support: int = 1,
    confidence: float = CONFIDENCE,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> Estimate | NotEnough:
    """Estimate the mean of the labels' F1, every label counting alike.

    Parameters
    ----------
    truth, predicted : arrays of bool of shape (n_comments, n_labels)
        As in `label_figures`.
    groups : sequence of shape (n_comments,), optional
        Who wrote each comment.
    minimum_support : int
        Comments people gave a label, for it to be part of the mean.

    Returns
    -------
    Estimate or NotEnough
        In [0, 1], with the percentile bootstrap over writers; `NotEnough` if no label has the support.

    Examples
    --------
    >>> truth = one_column_each("aabbcc", "abc")
    >>> round(macro_f1(truth, one_column_each("aabccc", "abc")).value, 6)
    0.822222
    """
    person, machine = _both(truth, predicted)
    kept = person.sum(axis=0) >= max(1, minimum_support)
    if not kept.any():
        return NotEnough(int(person.sum(axis=0).max(initial=0)), max(1, minimum_support))
    indices, n_groups = group_indices(groups, len(person))
    sums = sums_by_group(_outcomes(person[:, kept], machine[:, kept], None), indices, n_groups)
    value = float(_mean_f1(sums.sum(axis=0)))
    drawn = [_mean_f1(part) for part in resampled_sums(sums, resamples=resamples, seed=seed)]
    lower, upper = percentile_limits(np.concatenate(drawn), confidence) or (value, value)
    return Estimate(value, min(lower, value), max(upper, value), len(person), confidence)


def change_of_macro_f1(
    truth: npt.ArrayLike,
    current: npt.ArrayLike,
    candidate: npt.ArrayLike,
    *,
    groups: Groups = None,
    minimum: int = MINIMUM_CODED,
    minimum_support: int = MINIMUM_SUPPORT_COMPARED,
    confidence: float = CONFIDENCE,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> Change:
    """Test whether a candidate model reads the same comments better than the current one.

    Parameters
    ----------
    truth, current, candidate : arrays of bool of shape (n_comments, n_labels)
        What people, the current model and the candidate gave each comment.
    groups : sequence of shape (n_comments,), optional
        Who wrote each comment; one writer's comments are drawn together.
    minimum : int
        Comments a judgement needs.
    minimum_support : int
        Comments people gave a label, for it to be part of the mean.

    Returns
    -------
    Change
        Candidate minus current in macro-F1, in [-1, 1]. Better, and so to be promoted, only when the
        interval lies above 0; worse when it lies below. ``not_enough`` when too few comments were coded
        or no label has the support.

    Raises
    ------
    ValueError
        If shapes or lengths differ.

    Notes
    -----
    Both models are scored on the same draws of writers (a paired bootstrap), which removes what makes
    comments hard for both. The labels of the mean are chosen once, on all comments. The comments must be
    ones that neither model was trained or tuned on. The p-value is twice the smaller share of draws on
    one side of 0.

    References
    ----------
    .. [1] Berg-Kirkpatrick, T., Burkett, D. and Klein, D. (2012). An empirical investigation of
           statistical significance in NLP. EMNLP-CoNLL, 995-1005.

    Examples
    --------
    >>> truth = one_column_each("ab" * 40, "ab")
    >>> current = one_column_each("aabb" * 20, "ab")
    >>> change = change_of_macro_f1(truth, current, truth)
    >>> change.difference, change.verdict.value
    (0.5, 'better')
    >>> change_of_macro_f1(truth, current, current).verdict.value
    'no_distinguishable_change'
    """
    person, old = _both(truth, current)
    _, new = _both(truth, candidate)
    kept = person.sum(axis=0) >= max(1, minimum_support)
    if len(person) < max(1, minimum) or not kept.any():
        return NOT_ENOUGH
    indices, n_groups = group_indices(groups, len(person))
    outcomes = np.stack([_outcomes(person[:, kept], model[:, kept], None) for model in (old, new)], axis=1)
    sums = sums_by_group(outcomes, indices, n_groups)
    drawn = np.concatenate([_gain(part) for part in resampled_sums(sums, resamples=resamples, seed=seed)])
    lower, upper = percentile_limits(drawn, confidence) or (0.0, 0.0)
    against = min(float((drawn <= 0).mean()), float((drawn >= 0).mean()))
    p_value = min(1.0, max(2 * against, 1 / len(drawn)))
    return Change(float(_gain(sums.sum(axis=0))), lower, upper, p_value, _verdict(lower, upper))


def expected_calibration_error(
    probabilities: npt.ArrayLike,
    came_true: npt.ArrayLike,
    *,
    bins: int = BINS,
    equal_counts: bool = False,
    minimum: int = MINIMUM_CODED,
) -> Calibration | NotEnough:
    """Measure how far probabilities are from the share that comes true.

    Parameters
    ----------
    probabilities : array of shape (n,)
        In [0, 1]: of the class that was chosen, or of one label.
    came_true : array of bool of shape (n,)
        Whether the person agreed.
    bins : int
        Number of bins.
    equal_counts : bool
        Bins of as many predictions each instead of bins of equal width.
    minimum : int
        Predictions a figure needs.

    Returns
    -------
    Calibration or NotEnough
        The error is in [0, 1]: the mean over predictions of the distance, in their bin, between the mean
        probability and the share that came true.

    Raises
    ------
    ValueError
        If lengths differ, a probability lies outside [0, 1], or there is no bin.

    Notes
    -----
    Chance alone gives an error: with 10 bins, a perfectly calibrated reader gets 0.07 to 0.10 from 100
    predictions, 0.03 to 0.045 from 500 and under 0.02 from 3,000. Compare figures from about as many
    predictions only. A bin holds its upper limit.

    References
    ----------
    .. [1] Naeini, M. P., Cooper, G. F. and Hauskrecht, M. (2015). AAAI 29, 2901-2907.
    .. [2] Guo, C. et al. (2017). On calibration of modern neural networks. ICML, PMLR 70, 1321-1330.

    Examples
    --------
    >>> calibration = expected_calibration_error([0.8] * 50 + [0.3] * 50, [True] * 45 + [False] * 55)
    >>> round(calibration.error, 6), len(calibration.bins)
    (0.2, 2)
    """
    chances, truths = np.asarray(probabilities, dtype=np.float64), np.asarray(came_true, dtype=bool)
    if chances.shape != truths.shape or chances.ndim != 1:
        raise ValueError("probabilities and outcomes differ in length")
    if bins < 1:
        raise ValueError("calibration needs a bin")
    n = len(chances)
    if n < max(1, minimum):
        return NotEnough(n, max(1, minimum))
    if not (chances.min() >= 0 and chances.max() <= 1):
        raise ValueError("a probability lies outside 0 to 1")
    edges = np.linspace(0, 1, bins + 1)
    if equal_counts:
        edges = np.unique(np.concatenate([[0.0], np.quantile(chances, edges[1:-1]), [1.0]]))
    places = np.clip(np.searchsorted(edges, chances, side="left") - 1, 0, len(edges) - 2)
    found = tuple(
        Bin(
            float(edges[place]),
            float(edges[place + 1]),
            int((inside := places == place).sum()),
            float(chances[inside].mean()),
            float(truths[inside].mean()),
        )
        for place in np.unique(places)
    )
    error = sum(part.n * abs(part.probability - part.came_true) for part in found) / n
    return Calibration(error, n, found)


def _columns(labels: npt.ArrayLike, width: int) -> Labels:
    columns = np.asarray(labels, dtype=np.bool_)
    if columns.ndim != 2 or columns.shape[1] != width:
        raise ValueError(f"the labels need a row a comment and {width} columns")
    return columns


def _both(truth: npt.ArrayLike, predicted: npt.ArrayLike) -> tuple[Labels, Labels]:
    person, machine = np.asarray(truth, dtype=np.bool_), np.asarray(predicted, dtype=np.bool_)
    if person.ndim != 2 or person.shape != machine.shape:
        raise ValueError("what people and machine gave differ in shape")
    return person, machine


def _weights(weights: npt.ArrayLike | None, n: int) -> Numbers:
    worth = np.ones(n) if weights is None else np.asarray(weights, dtype=np.float64)
    if worth.shape != (n,):
        raise ValueError(f"{len(worth)} weights for {n} comments")
    if n and (worth.min() < 0 or worth.sum() == 0):
        raise ValueError("weights must be positive")
    return worth


def _outcomes(person: Labels, machine: Labels, worth: Numbers | None) -> Numbers:
    """Mark hits, false alarms and misses: shape (n_comments, n_labels, 3)."""
    marks = np.stack([person & machine, ~person & machine, person & ~machine], axis=-1).astype(np.float64)
    return marks if worth is None else marks * worth[:, None, None]


def _f1(sums: Numbers) -> Numbers:
    """Compute F1 of sums of shape (..., 3); nan where neither person nor machine gave the label."""
    given = 2 * sums[..., 0] + sums[..., 1] + sums[..., 2]
    return np.asarray(np.where(given > 0, 2 * sums[..., 0] / np.where(given > 0, given, 1), np.nan))


def _mean_f1(sums: Numbers) -> Numbers:
    """Compute the mean F1 of sums of shape (..., n_labels, 3) over the labels that a draw holds."""
    f1 = _f1(sums)
    known = np.isfinite(f1)
    return np.asarray(np.where(known, f1, 0).sum(axis=-1) / np.maximum(known.sum(axis=-1), 1))


def _gain(sums: Numbers) -> Numbers:
    """Compute candidate minus current of sums of shape (..., 2, n_labels, 3)."""
    means = _mean_f1(sums)
    return np.asarray(means[..., 1] - means[..., 0])


def _verdict(lower: float, upper: float) -> Verdict:
    if lower > 0:
        return Verdict.BETTER
    return Verdict.WORSE if upper < 0 else Verdict.NO_DISTINGUISHABLE_CHANGE


def _f1_limits(
    outcomes: Numbers, indices: Indices, n_groups: int, confidence: float, resamples: int, seed: int
) -> list[tuple[float, float] | None]:
    if not n_groups:
        return [None] * outcomes.shape[1]
    sums = sums_by_group(outcomes, indices, n_groups)
    values = np.concatenate([_f1(part) for part in resampled_sums(sums, resamples=resamples, seed=seed)])
    return [percentile_limits(values[:, column], confidence) for column in range(values.shape[1])]


def _f1_estimate(
    given: Labels,
    read: Labels,
    worth: Numbers,
    indices: Indices,
    limits: tuple[float, float] | None,
    confidence: float,
) -> Estimate | NotEnough:
    either = given | read
    n = int(either.sum())
    jaccard = _share(given & read, either, worth, indices, confidence)
    if isinstance(jaccard, NotEnough):
        return jaccard
    value = 2 * float(worth[given & read].sum()) / float(worth[given].sum() + worth[read].sum())
    if limits is None or value in (0.0, 1.0):
        limits = 2 * jaccard.lower / (1 + jaccard.lower), 2 * jaccard.upper / (1 + jaccard.upper)
    return Estimate(value, min(limits[0], value), max(limits[1], value), n, confidence)


def _share(
    positive: Labels, among: Labels, worth: Numbers, indices: Indices, confidence: float
) -> Estimate | NotEnough:
    """Estimate the weighted share of ``positive`` among comments, at what those are worth together."""
    weights = worth[among]
    if not weights.sum() > 0:
        return NotEnough(0, 1)
    hits = positive[among].astype(np.float64)
    value = float(weights @ hits / weights.sum())
    if np.all(hits == hits[0]):
        value = float(hits[0])
    effective = float(weights.sum() ** 2 / (weights @ weights))
    writers, numbers = np.unique(indices[among], return_inverse=True)
    residuals = weights * (hits - value)
    alone = float((residuals**2).sum())
    if alone > 0:
        together = float((sums_by_group(residuals, numbers, len(writers)) ** 2).sum())
        effective /= max(1.0, together / alone)
    else:
        effective = min(effective, float(len(writers)))
    return wilson_at_effective_n(value, effective, n=int(among.sum()), confidence=confidence)


def _standing(f1: Estimate | NotEnough, *, enough: bool, sufficient: float) -> Standing:
    if not enough or isinstance(f1, NotEnough):
        return Standing.NOT_ENOUGH_CODED
    return Standing.AS_GOOD_AS_PEOPLE if f1.value >= sufficient else Standing.BELOW_PEOPLE
