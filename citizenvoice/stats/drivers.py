"""Which aspects of a service go together with the overall rating, and which of them to work on first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import factorial, sqrt
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from citizenvoice.stats.estimates import NotEnough, Polarity

MAXIMUM_DRIVERS = 12
MINIMUM_ANSWERS = 30
ANSWERS_PER_DRIVER = 10
SMALLEST_EIGENVALUE = 1e-8

Matrix: TypeAlias = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PairSums:
    """Sums over the people who rated both of two questions, ``a`` and ``b``.

    Sums of disjoint groups can be added, so they are what is stored and pooled.
    """

    n: int
    sum_a: float
    sum_b: float
    squares_a: float
    squares_b: float
    products: float

    def __add__(self, other: "PairSums") -> "PairSums":
        return PairSums(
            self.n + other.n,
            self.sum_a + other.sum_a,
            self.sum_b + other.sum_b,
            self.squares_a + other.squares_a,
            self.squares_b + other.squares_b,
            self.products + other.products,
        )


@dataclass(frozen=True, slots=True)
class Driver:
    """One aspect people rated: its scale, how many rated it, and the sum of their ratings."""

    key: str
    n: int
    total: float
    minimum: float = 1
    maximum: float = 5
    polarity: Polarity = Polarity.UP

    @property
    def performance(self) -> float:
        """Place the mean between the worst (0) and the best (1) point of the scale."""
        share = (self.total / self.n - self.minimum) / (self.maximum - self.minimum)
        return share if self.polarity == Polarity.UP else 1 - share


@dataclass(frozen=True, slots=True, kw_only=True)
class DriverImportance:
    """What one driver contributes to R², how well it is doing, and how urgent it is.

    ``importance`` is its part of R² (LMG), ``share`` that part divided by R², ``relative_weight``
    the same part by Johnson's method; ``performance`` and ``priority`` lie in [0, 1].
    """

    key: str
    importance: float
    share: float
    relative_weight: float
    n: int
    performance: float
    priority: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DriverAnalysis:
    """The drivers of an outcome, the most important first, and how much they explain together.

    ``n`` is the smallest number of people behind any correlation used. ``repaired`` says that the
    correlations, taken from different people for each pair, contradicted each other (or that
    drivers were copies of one another) and were moved to the nearest possible ones.
    """

    drivers: tuple[DriverImportance, ...]
    r_squared: float
    n: int
    repaired: bool


@dataclass(frozen=True, slots=True)
class NoVariance:
    """The absence of an analysis because everyone rated the question ``key`` alike."""

    key: str


def key_drivers(
    drivers: Sequence[Driver],
    outcome: str,
    pairs: Mapping[tuple[str, str], PairSums],
    *,
    minimum: int | None = None,
) -> DriverAnalysis | NotEnough | NoVariance:
    """Divide the explained variance of an outcome among its drivers.

    Parameters
    ----------
    drivers : sequence of Driver, shape (n_drivers,)
        One to twelve (all 2^n models are computed).
    outcome : str
        Key of the overall rating.
    pairs : mapping of (key, key) to PairSums
        One for each pair of drivers and of driver and outcome, in either order; the first key is
        ``a``. A pair nobody rated may be left out.
    minimum : int, optional
        People needed behind every pair; by default 30, or ten for each driver if that is more.

    Returns
    -------
    DriverAnalysis, NotEnough or NoVariance
        Shares of R² in [0, 1] that add up to 1. `NotEnough` when a pair has too few people,
        `NoVariance` when a question has only one answer.

    Raises
    ------
    ValueError
        If there are no drivers, more than twelve, or two with the same key.

    Notes
    -----
    LMG is the mean gain in R² over all orders in which the drivers can enter [1]_ (the Shapley
    value of R²); relative weights approximate it without the 2^n models [2]_. Correlations are
    taken pairwise, so that a question which does not apply to somebody costs only its own pairs.
    A matrix that is not positive definite has its eigenvalues raised to 1e-8 and its diagonal set
    back to 1.

    Importance is association, not cause: raising a driver need not raise the outcome. A negative
    association is as important as a positive one.

    ``priority`` = ``share`` × (1 - ``performance``).

    References
    ----------
    .. [1] Lindeman, R. H., Merenda, P. F., & Gold, R. Z. (1980). Introduction to Bivariate and
           Multivariate Analysis. Scott, Foresman. Pages 119-127.
    .. [2] Johnson, J. W. (2000). Multivariate Behavioral Research 35(1), 1-19.
    .. [3] Grömping, U. (2006). Journal of Statistical Software 17(1).

    Examples
    --------
    >>> ratings = {"ease": [1, 2, 3, 4, 5, 5], "speed": [1, 3, 2, 5, 4, 4], "overall": [1, 2, 3, 4, 5, 4]}
    >>> pairs = pair_sums(ratings)
    >>> drivers = [Driver("ease", 6, 20), Driver("speed", 6, 19)]
    >>> analysis = key_drivers(drivers, "overall", pairs, minimum=6)
    >>> [driver.key for driver in analysis.drivers], round(analysis.r_squared, 6)
    (['ease', 'speed'], 0.945701)
    >>> round(sum(driver.share for driver in analysis.drivers), 6)
    1.0
    """
    keys = [driver.key for driver in drivers]
    if not 1 <= len(keys) <= MAXIMUM_DRIVERS or len({*keys, outcome}) <= len(keys):
        raise ValueError(f"between 1 and {MAXIMUM_DRIVERS} drivers with different keys are needed")
    needed = max(MINIMUM_ANSWERS, ANSWERS_PER_DRIVER * len(keys)) if minimum is None else max(3, minimum)
    found = {pair: _find(pairs, pair) for pair in combinations([*keys, outcome], 2)}
    n = min(sums.n for sums in found.values())
    if n < needed:
        return NotEnough(n, needed)
    correlations = _correlations([*keys, outcome], found)
    if isinstance(correlations, NoVariance):
        return correlations
    possible, repaired = nearest_correlations(correlations)
    importance = lmg(possible)
    weights = relative_weights(possible)
    r_squared = float(importance.sum())
    rows = [
        _importance(driver, float(part), float(weight), r_squared)
        for driver, part, weight in zip(drivers, importance, weights, strict=True)
    ]
    rows.sort(key=lambda row: (-row.importance, row.key))
    return DriverAnalysis(drivers=tuple(rows), r_squared=r_squared, n=n, repaired=repaired)


def pair_sums(ratings: Mapping[str, Sequence[float | None]]) -> dict[tuple[str, str], PairSums]:
    """Sum up, for each pair of questions, the people who rated both.

    Parameters
    ----------
    ratings : mapping of key to sequence, shape (n_people,)
        The same people in the same order; None where a person gave no rating.

    Returns
    -------
    dict of (key, key) to PairSums
        In the order of the keys given.

    Raises
    ------
    ValueError
        If the sequences differ in length.

    Examples
    --------
    >>> pair_sums({"ease": [1, 2, None], "speed": [3, 4, 5]})
    {('ease', 'speed'): PairSums(n=2, sum_a=3.0, sum_b=7.0, squares_a=5.0, squares_b=25.0, products=11.0)}
    """
    columns = np.array(list(ratings.values()), dtype=np.float64)  # None becomes nan
    rated = ~np.isnan(columns)
    present = rated.astype(np.float64)
    values = np.where(rated, columns, 0.0)
    n, sums = present @ present.T, values @ present.T
    squares, products = (values**2) @ present.T, values @ values.T
    return {
        (key_a, key_b): PairSums(
            n=int(n[a, b]),
            sum_a=float(sums[a, b]),
            sum_b=float(sums[b, a]),
            squares_a=float(squares[a, b]),
            squares_b=float(squares[b, a]),
            products=float(products[a, b]),
        )
        for (a, key_a), (b, key_b) in combinations(enumerate(ratings), 2)
    }


def lmg(correlations: Matrix) -> Matrix:
    """Compute each driver's mean gain in R² over all orders of entry.

    Parameters
    ----------
    correlations : array, shape (n_drivers + 1, n_drivers + 1)
        Positive definite; the outcome comes last.

    Returns
    -------
    array, shape (n_drivers,)
        Parts of R², not negative, that add up to R².

    Examples
    --------
    >>> lmg(np.array([[1, 0, 0.6], [0, 1, 0.3], [0.6, 0.3, 1]])).round(6).tolist()
    [0.36, 0.09]
    """
    n_drivers = len(correlations) - 1
    r_squared = _r_squared_of_all_models(correlations)
    models = np.arange(2**n_drivers)
    sizes = np.bitwise_count(models)
    orders = np.array(
        [factorial(k) * factorial(n_drivers - k - 1) / factorial(n_drivers) for k in range(n_drivers)]
    )
    gains = np.empty(n_drivers)
    for driver in range(n_drivers):
        without = models[(models >> driver) & 1 == 0]
        gain = r_squared[without | (1 << driver)] - r_squared[without]
        gains[driver] = max(0.0, float(orders[sizes[without]] @ gain))
    return gains


def relative_weights(correlations: Matrix) -> Matrix:
    """Compute Johnson's relative weights.

    Parameters
    ----------
    correlations : array, shape (n_drivers + 1, n_drivers + 1)
        Positive definite; the outcome comes last.

    Returns
    -------
    array, shape (n_drivers,)
        Parts of R², not negative, that add up to R².

    References
    ----------
    .. [1] Johnson, J. W. (2000). Multivariate Behavioral Research 35(1), 1-19.

    Examples
    --------
    >>> relative_weights(np.array([[1, 0, 0.6], [0, 1, 0.3], [0.6, 0.3, 1]])).round(6).tolist()
    [0.36, 0.09]
    """
    values, vectors = np.linalg.eigh(correlations[:-1, :-1])
    loadings: Matrix = (vectors * np.sqrt(values)) @ vectors.T
    slopes = np.linalg.solve(loadings, correlations[:-1, -1])
    weights: Matrix = loadings**2 @ slopes**2
    return weights


def nearest_correlations(correlations: Matrix) -> tuple[Matrix, bool]:
    """Move correlations that contradict each other to near ones that one group of people could have.

    Parameters
    ----------
    correlations : array, shape (n, n)
        Symmetric, 1 on the diagonal.

    Returns
    -------
    array, shape (n, n)
        Positive definite, 1 on the diagonal; the given one when it already was.
    bool
        Whether anything was moved.

    References
    ----------
    .. [1] Rebonato, R., & Jäckel, P. (1999). Journal of Risk 2(2), 17-28. Spectral decomposition.

    Examples
    --------
    >>> impossible = np.array([[1, 0.9, -0.9], [0.9, 1, 0.9], [-0.9, 0.9, 1]])
    >>> moved, changed = nearest_correlations(impossible)
    >>> changed, bool(np.linalg.eigvalsh(moved).min() > 0)
    (True, True)
    """
    values, vectors = np.linalg.eigh(correlations)
    if values.min() >= SMALLEST_EIGENVALUE:
        return correlations, False
    raised = (vectors * np.maximum(values, SMALLEST_EIGENVALUE)) @ vectors.T
    scale = np.sqrt(np.diag(raised))
    return raised / np.outer(scale, scale), True


def _find(pairs: Mapping[tuple[str, str], PairSums], pair: tuple[str, str]) -> PairSums:
    if (sums := pairs.get(pair)) is not None:
        return sums
    turned = pairs.get((pair[1], pair[0]))
    if turned is None:
        return PairSums(0, 0, 0, 0, 0, 0)
    return PairSums(turned.n, turned.sum_b, turned.sum_a, turned.squares_b, turned.squares_a, turned.products)


def _correlations(keys: Sequence[str], pairs: Mapping[tuple[str, str], PairSums]) -> Matrix | NoVariance:
    matrix = np.eye(len(keys))
    for (a, key_a), (b, key_b) in combinations(enumerate(keys), 2):
        sums = pairs[key_a, key_b]
        spread_a = sums.n * sums.squares_a - sums.sum_a**2
        spread_b = sums.n * sums.squares_b - sums.sum_b**2
        for key, spread, squares in ((key_a, spread_a, sums.squares_a), (key_b, spread_b, sums.squares_b)):
            if spread <= 1e-12 * sums.n * squares:  # what rounding leaves of equal ratings
                return NoVariance(key)
        common = sums.n * sums.products - sums.sum_a * sums.sum_b
        matrix[a, b] = matrix[b, a] = common / sqrt(spread_a * spread_b)
    return matrix


def _r_squared_of_all_models(correlations: Matrix) -> Matrix:
    n_drivers = len(correlations) - 1
    r_squared = np.zeros(2**n_drivers)
    for size in range(1, n_drivers + 1):
        chosen = np.array(list(combinations(range(n_drivers), size)))
        among = correlations[chosen[:, :, None], chosen[:, None, :]]
        with_outcome = correlations[chosen, n_drivers]
        slopes = np.linalg.solve(among, with_outcome[:, :, None])[:, :, 0]
        r_squared[(1 << chosen).sum(axis=1)] = (slopes * with_outcome).sum(axis=1)
    return r_squared


def _importance(driver: Driver, part: float, weight: float, r_squared: float) -> DriverImportance:
    share = part / r_squared if r_squared > 0 else 0.0
    return DriverImportance(
        key=driver.key,
        importance=part,
        share=share,
        relative_weight=weight,
        n=driver.n,
        performance=driver.performance,
        priority=share * (1 - driver.performance),
    )
