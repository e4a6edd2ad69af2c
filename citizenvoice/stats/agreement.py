"""How far people who code the same comments agree, beyond what chance alone would give."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

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

SUFFICIENT_AGREEMENT = 0.6
MINIMUM_CODED_TWICE = 30
FEWEST_CODES = 2

Codes: TypeAlias = Sequence[Hashable] | npt.NDArray[Any]
Groups: TypeAlias = Sequence[Hashable] | npt.NDArray[Any] | None
_Figure: TypeAlias = Callable[[Numbers], Numbers]


class Weighting(StrEnum):
    """How much a disagreement counts in Cohen's kappa: all alike, by steps apart, or by their square."""

    NOMINAL = "nominal"
    LINEAR = "linear"
    QUADRATIC = "quadratic"


class Level(StrEnum):
    """What the codes of Krippendorff's alpha are: names, ranks, or numbers with equal steps."""

    NOMINAL = "nominal"
    ORDINAL = "ordinal"
    INTERVAL = "interval"


@dataclass(frozen=True, slots=True)
class OneCodeOnly:
    """The absence of a coefficient because all ``n`` comments were given one and the same code.

    Where codes do not vary, agreement cannot be told from chance.
    """

    n: int


Agreement: TypeAlias = Estimate | NotEnough | OneCodeOnly


def raw_agreement(
    first: Codes,
    second: Codes,
    *,
    groups: Groups = None,
    minimum: int = 1,
    confidence: float = CONFIDENCE,
) -> Estimate | NotEnough:
    """Estimate the share of comments that two people gave the same code.

    Parameters
    ----------
    first, second : sequences of shape (n_comments,)
        What each person coded.
    groups : sequence of shape (n_comments,), optional
        Who wrote each comment.
    minimum : int
        Comments coded by both that a figure needs.

    Returns
    -------
    Estimate or NotEnough
        A share in [0, 1]. The interval is Wilson's, at the number of comments divided by the design
        effect of comments that come from the same writer (never below 1).

    Raises
    ------
    ValueError
        If the two sequences differ in length.

    Notes
    -----
    Two people who both say "no" nearly always agree nearly always. Read it beside `cohen_kappa`.

    Examples
    --------
    >>> raw_agreement(["a", "b", "b", "a"], ["a", "b", "a", "a"]).value
    0.75
    """
    n = _paired_length(first, second)
    if n < max(1, minimum):
        return NotEnough(n, max(1, minimum))
    same = np.array([one == other for one, other in zip(first, second, strict=True)], dtype=np.float64)
    indices, n_groups = group_indices(groups, n)
    value = float(same.mean())
    effect = _design_effect(same, value, indices, n_groups)
    return wilson_at_effective_n(value, n / effect, n=n, confidence=confidence)


def cohen_kappa(
    first: Codes,
    second: Codes,
    *,
    categories: Sequence[Hashable] | None = None,
    weighting: Weighting = Weighting.NOMINAL,
    groups: Groups = None,
    minimum: int = FEWEST_CODES,
    confidence: float = CONFIDENCE,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> Agreement:
    """Estimate Cohen's kappa between two people who coded the same comments.

    Parameters
    ----------
    first, second : sequences of shape (n_comments,)
        What each person coded.
    categories : sequence, optional
        All codes in their order. Needed for a weighting other than nominal; by default the codes found.
    weighting : Weighting
        Quadratic suits ordered classes such as the five of sentiment.
    groups : sequence of shape (n_comments,), optional
        Who wrote each comment; one writer's comments are drawn together.
    minimum : int
        Comments coded by both that a figure needs.

    Returns
    -------
    Estimate, NotEnough or OneCodeOnly
        Between -1 and 1; 0 is what chance would give. The interval is the percentile bootstrap over
        writers; for perfect agreement see Notes.

    Raises
    ------
    ValueError
        If the sequences differ in length, a code is not among ``categories``, or a weighting is
        asked for without their order.

    Notes
    -----
    When all codes agree, resampling cannot show a disagreement. The lower limit is then what kappa
    would be if the share that agrees were at its Wilson limit and the others disagreed as by chance.

    References
    ----------
    .. [1] Cohen, J. (1960). Educational and Psychological Measurement 20(1), 37-46.
    .. [2] Cohen, J. (1968). Psychological Bulletin 70(4), 213-220.

    Examples
    --------
    >>> table = {("-", "-"): 34, ("-", "0"): 6, ("0", "-"): 4, ("0", "0"): 28, ("0", "+"): 3,
    ...          ("+", "0"): 5, ("+", "+"): 20}
    >>> pairs = [pair for pair, count in table.items() for _ in range(count)]
    >>> ann, bo = zip(*pairs)
    >>> round(cohen_kappa(ann, bo).value, 6)
    0.724771
    >>> round(cohen_kappa(ann, bo, categories="-0+", weighting=Weighting.QUADRATIC).value, 6)
    0.851852
    """
    n = _paired_length(first, second)
    if n < max(1, minimum):
        return NotEnough(n, max(1, minimum))
    if categories is None:
        if weighting != Weighting.NOMINAL:
            raise ValueError("a weighting needs the order of the categories")
        categories = list(dict.fromkeys([*first, *second]))
    numbers = _numbers(categories)
    size = len(numbers)
    cells = np.zeros((n, size, size))
    cells[np.arange(n), _coded(first, numbers), _coded(second, numbers)] = 1
    steps = np.abs(np.subtract.outer(np.arange(size), np.arange(size))).astype(np.float64)
    apart = {
        Weighting.NOMINAL: (steps > 0).astype(np.float64),
        Weighting.LINEAR: steps,
        Weighting.QUADRATIC: steps**2,
    }[weighting]
    indices, n_groups = group_indices(groups, n)
    return _estimate(
        partial(_kappa, apart=apart),
        sums_by_group(cells, indices, n_groups),
        n=n,
        confidence=confidence,
        resamples=resamples,
        seed=seed,
    )


def krippendorff_alpha(
    codes: npt.ArrayLike,
    *,
    level: Level = Level.NOMINAL,
    groups: Groups = None,
    minimum: int = FEWEST_CODES,
    confidence: float = CONFIDENCE,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> Agreement:
    """Estimate Krippendorff's alpha among any number of people, who need not all have coded everything.

    Parameters
    ----------
    codes : array of shape (n_people, n_comments)
        Numbers; nan where a person did not code a comment.
    level : Level
        Ordinal suits the five classes of sentiment, nominal the presence of a theme (0 and 1).
    groups : sequence of shape (n_comments,), optional
        Who wrote each comment; one writer's comments are drawn together.
    minimum : int
        Comments coded at least twice that a figure needs.

    Returns
    -------
    Estimate, NotEnough or OneCodeOnly
        At most 1; 0 is what chance would give. ``n`` counts the comments coded at least twice.

    Raises
    ------
    ValueError
        If ``codes`` does not have two dimensions.

    Notes
    -----
    The interval is the percentile bootstrap over writers, which differs from the one Krippendorff
    proposed (he resamples single disagreements). For perfect agreement see `cohen_kappa`.

    References
    ----------
    .. [1] Krippendorff, K. (2019). Content Analysis, 4th ed. Sage. Chapter 12.
    .. [2] Krippendorff, K. (2011). Computing Krippendorff's alpha-reliability. University of
           Pennsylvania, ASC Departmental Papers 43.

    Examples
    --------
    The example of [2]_, four people and twelve units:

    >>> nan = float("nan")
    >>> codes = [[1, 2, 3, 3, 2, 1, 4, 1, 2, nan, nan, nan],
    ...          [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, nan, 3],
    ...          [nan, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, nan],
    ...          [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, nan]]
    >>> for level in Level:
    ...     print(level.value, round(krippendorff_alpha(codes, level=level).value, 3))
    nominal 0.743
    ordinal 0.815
    interval 0.849
    """
    table = np.asarray(codes, dtype=np.float64)
    if table.ndim != 2:
        raise ValueError("codes are a table of people by comments")
    values = np.unique(table[~np.isnan(table)])
    given = (table.T[:, :, None] == values).sum(axis=1).astype(np.float64)
    twice = given.sum(axis=1) >= FEWEST_CODES
    n = int(twice.sum())
    if n < max(1, minimum):
        return NotEnough(n, max(1, minimum))
    indices, n_groups = group_indices(_kept(groups, twice), n)
    return _estimate(
        partial(_alpha, values=values, level=level),
        sums_by_group(_coincidences(given[twice]), indices, n_groups),
        n=n,
        confidence=confidence,
        resamples=resamples,
        seed=seed,
    )


def definition_is_the_problem(
    agreement: Agreement, *, sufficient: float = SUFFICIENT_AGREEMENT, minimum: int = MINIMUM_CODED_TWICE
) -> bool:
    """Say whether people disagree so much that the label's definition, not the reader, needs work.

    Parameters
    ----------
    agreement : Estimate, NotEnough or OneCodeOnly
        Kappa or alpha.
    sufficient : float
        Agreement from which on the definition is taken to be clear.
    minimum : int
        Comments coded twice before anything is said.

    Notes
    -----
    Judged by the figure itself, not by its interval: it costs little to look at a definition again.

    Examples
    --------
    >>> definition_is_the_problem(Estimate(0.55, 0.40, 0.68, n=60))
    True
    >>> definition_is_the_problem(Estimate(0.55, 0.10, 0.90, n=8))
    False
    """
    return isinstance(agreement, Estimate) and agreement.n >= minimum and agreement.value < sufficient


def _paired_length(first: Codes, second: Codes) -> int:
    if len(first) != len(second):
        raise ValueError(f"{len(first)} codes cannot be paired with {len(second)}")
    return len(first)


def _numbers(categories: Sequence[Hashable]) -> dict[Hashable, int]:
    numbers = {category: number for number, category in enumerate(categories)}
    if len(numbers) != len(categories):
        raise ValueError("a category is named twice")
    return numbers


def _coded(codes: Codes, numbers: dict[Hashable, int]) -> Indices:
    unknown = next((code for code in codes if code not in numbers), None)
    if unknown is not None:
        raise ValueError(f"{unknown!r} is not among the categories")
    return np.array([numbers[code] for code in codes], dtype=np.intp)


def _kept(groups: Groups, rows: npt.NDArray[np.bool_]) -> Groups:
    if groups is None:
        return None
    if len(groups) != len(rows):
        raise ValueError(f"{len(groups)} groups for {len(rows)} comments")
    return [group for group, keep in zip(groups, rows, strict=True) if keep]


def _design_effect(values: Numbers, mean: float, indices: Indices, n_groups: int) -> float:
    alone = float(((values - mean) ** 2).sum())
    if alone == 0:
        return len(values) / n_groups
    together = float((sums_by_group(values - mean, indices, n_groups) ** 2).sum())
    return max(1.0, together / alone)


def _kappa(tables: Numbers, apart: Numbers) -> Numbers:
    """Compute kappa of tables of shape ``(..., k, k)``; nan where it does not exist."""
    n = tables.sum(axis=(-2, -1))
    expected = tables.sum(axis=-1)[..., :, None] * tables.sum(axis=-2)[..., None, :] / n[..., None, None]
    return _beyond_chance((tables * apart).sum(axis=(-2, -1)), (expected * apart).sum(axis=(-2, -1)))


def _alpha(coincidences: Numbers, values: Numbers, level: Level) -> Numbers:
    """Compute alpha of coincidence matrices of shape ``(..., k, k)``; nan where it does not exist."""
    totals = coincidences.sum(axis=-1)
    n = totals.sum(axis=-1)
    apart = _apart(totals, values, level)
    chance = totals[..., :, None] * totals[..., None, :] / np.maximum(n - 1, 1)[..., None, None]
    return _beyond_chance((coincidences * apart).sum(axis=(-2, -1)), (chance * apart).sum(axis=(-2, -1)))


def _apart(totals: Numbers, values: Numbers, level: Level) -> Numbers:
    if level == Level.ORDINAL:
        # Twice the rank of the middle of each value: what lies between two values, half of both included.
        ranks = np.cumsum(totals, axis=-1) - totals / 2
        return np.asarray((ranks[..., :, None] - ranks[..., None, :]) ** 2)
    steps = np.subtract.outer(values, values)
    return np.asarray(steps**2 if level == Level.INTERVAL else steps != 0, dtype=np.float64)


def _beyond_chance(observed: Numbers, expected: Numbers) -> Numbers:
    exists = expected > 0
    return np.where(exists, 1 - observed / np.where(exists, expected, 1), np.nan)


def _coincidences(given: Numbers) -> Numbers:
    """Turn how often each value was given to each unit into one coincidence matrix a unit."""
    pairs = given[:, :, None] * given[:, None, :]
    own = np.arange(given.shape[1])
    pairs[:, own, own] -= given
    return np.asarray(pairs / (given.sum(axis=1) - 1)[:, None, None])


def _estimate(
    figure: _Figure, sums: Numbers, *, n: int, confidence: float, resamples: int, seed: int
) -> Agreement:
    total = sums.sum(axis=0)
    value = float(figure(total))
    if np.isnan(value):
        return OneCodeOnly(n)
    if np.count_nonzero(total - np.diag(np.diag(total))) == 0:
        return Estimate(1.0, _lowest_if_perfect(total, len(sums), confidence), 1.0, n, confidence)
    drawn = np.concatenate([figure(part) for part in resampled_sums(sums, resamples=resamples, seed=seed)])
    lower, upper = percentile_limits(drawn, confidence) or (value, value)
    return Estimate(value, min(lower, value), max(upper, value), n, confidence)


def _lowest_if_perfect(total: Numbers, n_groups: int, confidence: float) -> float:
    shares = np.diag(total) / total.sum()
    by_chance = 1 - float((shares**2).sum())
    agreeing = wilson_at_effective_n(1.0, n_groups, n=n_groups, confidence=confidence).lower
    return max(-1.0, 1 - (1 - agreeing) / by_chance)
