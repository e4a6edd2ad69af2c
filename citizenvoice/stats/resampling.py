"""Draws of whole groups with replacement, for intervals where one person's rows belong together."""

from collections.abc import Hashable, Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from citizenvoice.stats.estimates import CONFIDENCE

RESAMPLES = 2000
SEED = 20240607
CELLS_AT_ONCE = 4_000_000

Numbers: TypeAlias = npt.NDArray[np.float64]
Indices: TypeAlias = npt.NDArray[np.intp]


def group_indices(groups: Sequence[Hashable] | npt.NDArray[Any] | None, n: int) -> tuple[Indices, int]:
    """Give each group a number, in order of first appearance.

    Parameters
    ----------
    groups : sequence of shape (n,), optional
        Who wrote each row; without it every row is a group of its own.
    n : int
        Number of rows.

    Returns
    -------
    indices : ndarray of shape (n,)
        The number of each row's group.
    n_groups : int

    Raises
    ------
    ValueError
        If there is not one group for each row.

    Examples
    --------
    >>> group_indices(["ann", "bo", "ann"], 3)
    (array([0, 1, 0]), 2)
    """
    if groups is None:
        return np.arange(n), n
    if len(groups) != n:
        raise ValueError(f"{len(groups)} groups for {n} rows")
    numbers: dict[Hashable, int] = {}
    indices = np.array([numbers.setdefault(group, len(numbers)) for group in groups], dtype=np.intp)
    return indices, len(numbers)


def sums_by_group(rows: npt.ArrayLike, indices: Indices, n_groups: int) -> Numbers:
    """Add up rows of shape ``(n, ...)`` within each group, to shape ``(n_groups, ...)``.

    Examples
    --------
    >>> sums_by_group([1, 2, 4], np.array([0, 1, 0]), 2)
    array([5., 2.])
    """
    values = np.asarray(rows, dtype=np.float64)
    sums = np.zeros((n_groups, *values.shape[1:]))
    np.add.at(sums, indices, values)
    return sums


def resampled_sums(sums: Numbers, *, resamples: int = RESAMPLES, seed: int = SEED) -> Iterator[Numbers]:
    """Draw groups with replacement and add up what the drawn ones hold.

    Parameters
    ----------
    sums : ndarray of shape (n_groups, ...)
        What each group adds to the totals; see `sums_by_group`.
    resamples : int
        Number of draws, each of ``n_groups`` groups.
    seed : int
        The same seed gives the same draws.

    Yields
    ------
    ndarray of shape (draws, ...)
        Totals of the draws, in parts that fit in memory.

    References
    ----------
    .. [1] Davison, A. C. and Hinkley, D. V. (1997). Bootstrap Methods and their Application.
           Cambridge University Press. Section 3.8.
    """
    random = np.random.default_rng(seed)
    n_groups = len(sums)
    flat = sums.reshape(n_groups, -1)
    at_once = max(1, CELLS_AT_ONCE // max(1, n_groups))
    for start in range(0, resamples, at_once):
        draws = min(at_once, resamples - start)
        chosen = random.integers(0, n_groups, size=(draws, n_groups))
        chosen += np.arange(draws)[:, None] * n_groups
        times = np.bincount(chosen.ravel(), minlength=draws * n_groups).reshape(draws, n_groups)
        yield (times @ flat).reshape(draws, *sums.shape[1:])


def percentile_limits(values: Numbers, confidence: float = CONFIDENCE) -> tuple[float, float] | None:
    """Cut off equal tails of resampled figures; None when no draw gave a figure.

    Examples
    --------
    >>> percentile_limits(np.arange(101.0), 0.5)
    (25.0, 75.0)
    """
    known = values[np.isfinite(values)]
    if not len(known):
        return None
    tail = (1 - confidence) / 2
    lower, upper = np.quantile(known, (tail, 1 - tail))
    return float(lower), float(upper)
