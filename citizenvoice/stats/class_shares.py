"""Shares of classes that exclude each other, such as sentiment, corrected for a machine's errors."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import numpy.typing as npt

from citizenvoice.stats.estimates import CONFIDENCE, Estimate
from citizenvoice.stats.machine_read import (
    MINIMUM_CODED,
    MINIMUM_OF_EACH_APART,
    MINIMUM_SEPARATION,
    Reason,
    Withheld,
)
from citizenvoice.stats.resampling import RESAMPLES, SEED, Numbers, percentile_limits

METHOD = "machine_read_classes_adjusted_v1"
MAXIMUM_CLASSES = 6

_PRIOR = 0.5
_TINY = 1e-12


def adjusted_shares(
    confusion: npt.ArrayLike,
    read: Sequence[int],
    classes: Sequence[str],
    *,
    confidence: float = CONFIDENCE,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> dict[str, Estimate] | Withheld:
    """Estimate the share of each class by the adjusted count of all classes together.

    Parameters
    ----------
    confusion : array of shape (n_classes, n_classes)
        Coded comments: rows what people said, columns what the machine said.
    read : sequence of int of shape (n_classes,)
        How many comments the machine gave each class, of all it read.
    classes : sequence of str of shape (n_classes,)
        Their names; two to six.

    Returns
    -------
    dict of class to Estimate, or Withheld
        Shares in [0, 1] that add up to 1, with ``n`` the comments read.

    Raises
    ------
    ValueError
        If shapes do not fit, a count is negative, nothing was read, or there are too many classes.

    Notes
    -----
    For comments coded in another mix than those read, as long as each class is read as well (or badly) in
    both. One class against the rest, by `adjusted_count`, would not do: when neutral comments become more,
    the rest is mistaken for negative more often.

    With C the share of each true class that the machine gave each class, and q what it gave of all read, the
    shares are those that bring C p nearest to q (least squares) among all that add up to 1 and are not
    negative. The limits are quantiles of p over draws of q and of each class's errors from their Dirichlet
    distributions with half a comment added to each cell: the coded comments' uncertainty is inside.

    Withheld under 30 coded comments, 10 of each class, when one class's TPR - FPR is under 0.2, and when
    the machine's shares fit no mix of the classes.

    References
    ----------
    .. [1] Forman, G. (2008). Quantifying counts and costs via classification. Data Mining and Knowledge
           Discovery 17(2), 164-206.
    .. [2] Hopkins, D. J. and King, G. (2010). A method of automated nonparametric content analysis for
           social science. American Journal of Political Science 54(1), 229-247.

    Examples
    --------
    >>> confusion = [[40, 6, 4], [5, 30, 15], [2, 8, 90]]
    >>> shares = adjusted_shares(confusion, [210, 165, 625], ["negative", "neutral", "positive"])
    >>> [round(share.value, 6) for share in shares.values()]
    [0.228628, 0.145875, 0.625497]
    """
    coded, given = _checked(confusion, read, len(classes))
    withheld = _why_withheld(coded)
    if withheld is not None:
        return withheld
    n = int(given.sum())
    values = nearest_shares((coded / coded.sum(axis=1, keepdims=True)).T, given / n)
    drawn = _draws(coded, given, resamples, seed)
    shares = {}
    for name, value, draws in zip(classes, values, drawn.T, strict=True):
        lower, upper = percentile_limits(draws, confidence) or (0.0, 1.0)
        if lower == upper:
            return Withheld(Reason.RATES_DO_NOT_FIT, lower, upper)
        shares[name] = Estimate(
            float(value), min(lower, float(value)), max(upper, float(value)), n, confidence
        )
    return shares


def nearest_shares(rates: npt.ArrayLike, read: npt.ArrayLike) -> Numbers:
    """Find the shares of classes that best explain what a machine gave, for many readings at once.

    Parameters
    ----------
    rates : array of shape (..., n_classes, n_classes)
        Column j: the shares of true class j that the machine gave each class.
    read : array of shape (..., n_classes)
        The share of all comments the machine gave each class.

    Returns
    -------
    ndarray of shape (..., n_classes)
        Not negative, adding up to 1, least in squared distance. Every set of classes that may be present
        is tried, which is exact and quick for the few classes there are.

    Examples
    --------
    >>> rates = np.array([[40, 6, 4], [5, 30, 15], [2, 8, 90]]) / [[50], [50], [100]]
    >>> nearest_shares(rates.T, [0.01, 0.20, 0.79]).round(6).tolist()
    [0.0, 0.200377, 0.799623]
    """
    matrix, target = np.asarray(rates, dtype=np.float64), np.asarray(read, dtype=np.float64)
    size = target.shape[-1]
    nearest, shares = np.full(target.shape[:-1], np.inf), np.zeros(target.shape)
    for present in _sets(size):
        tried = np.zeros(target.shape)
        tried[..., present] = _adding_up_to_one(matrix[..., present], target)
        distance = ((np.einsum("...ij,...j->...i", matrix, tried) - target) ** 2).sum(axis=-1)
        better = (tried.min(axis=-1) >= -_TINY) & (distance < nearest - _TINY)
        nearest = np.where(better, distance, nearest)
        shares = np.where(better[..., None], tried, shares)
    return np.clip(shares, 0, 1)


def _checked(confusion: npt.ArrayLike, read: Sequence[int], size: int) -> tuple[Numbers, Numbers]:
    coded, given = np.asarray(confusion, dtype=np.float64), np.asarray(read, dtype=np.float64)
    if coded.shape != (size, size) or given.shape != (size,):
        raise ValueError("the tables do not fit the classes")
    if not 2 <= size <= MAXIMUM_CLASSES:
        raise ValueError(f"{size} classes cannot be corrected together")
    if coded.min() < 0 or given.min() < 0 or given.sum() < 1:
        raise ValueError("counts must not be negative, and something must have been read")
    return coded, given


def _why_withheld(coded: Numbers) -> Withheld | None:
    n, of_each, hits = coded.sum(), coded.sum(axis=1), np.diag(coded)
    if n < MINIMUM_CODED:
        return Withheld(Reason.TOO_FEW_CODED, float(n), MINIMUM_CODED)
    if of_each.min() < MINIMUM_OF_EACH_APART:
        return Withheld(Reason.TOO_FEW_WITH_LABEL, float(of_each.min()), MINIMUM_OF_EACH_APART)
    separation = float((hits / of_each - (coded.sum(axis=0) - hits) / (n - of_each)).min())
    if separation < MINIMUM_SEPARATION - _TINY:
        return Withheld(Reason.READER_CANNOT_TELL, separation, MINIMUM_SEPARATION)
    return None


def _draws(coded: Numbers, given: Numbers, resamples: int, seed: int) -> Numbers:
    random = np.random.default_rng(seed)
    rates = np.stack([random.dirichlet(row + _PRIOR, size=resamples) for row in coded], axis=-1)
    return nearest_shares(rates, random.dirichlet(given + _PRIOR, size=resamples))


def _sets(size: int) -> list[list[int]]:
    return [list(some) for count in range(1, size + 1) for some in combinations(range(size), count)]


def _adding_up_to_one(rates: Numbers, target: Numbers) -> Numbers:
    """Solve least squares for shares that add up to 1, some of which may come out negative."""
    squares = np.einsum("...ij,...il->...jl", rates, rates) + _TINY * np.eye(rates.shape[-1])
    products = np.einsum("...ij,...i->...j", rates, target)
    solved = np.linalg.solve(squares, np.stack([products, np.ones_like(products)], axis=-1))
    free, pull = solved[..., 0], solved[..., 1]
    excess = (free.sum(axis=-1) - 1) / pull.sum(axis=-1)
    return np.asarray(free - excess[..., None] * pull)
