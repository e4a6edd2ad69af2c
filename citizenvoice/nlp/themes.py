"""What a comment is about: one yes-or-no decision for each theme, each with its own threshold."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from citizenvoice.nlp.features import Floats

Bools = npt.NDArray[np.bool_]

SHRINKAGE = 10
"""A theme with this many examples takes half of its threshold from all themes together."""

FEWEST_EXAMPLES = 3
"""Themes with fewer examples use the common threshold."""

NEAREST_SHARE = 0.3
"""A comment that reaches no threshold gets its nearest theme, if its probability is this share of it."""

LOWEST = 0.03
"""No threshold is lower, so that rare themes are not given on a whim."""


def tune_thresholds(probabilities: Floats, labels: Bools) -> Floats:
    """Choose the threshold of each theme that gives the best F1, drawn towards one common threshold.

    Parameters
    ----------
    probabilities : float array, shape (n_comments, n_themes)
        Out of fold: from models that had not seen the comment.
    labels : bool array, shape (n_comments, n_themes)

    Returns
    -------
    float array, shape (n_themes,)
        Thresholds in (0, 1). A theme with n examples keeps the weight n / (n + 10) for its own.
    """
    common = _best_threshold(probabilities.ravel(), labels.ravel())
    thresholds = np.full(labels.shape[1], common, dtype=np.float32)
    for theme, n_examples in enumerate(labels.sum(axis=0)):
        if n_examples >= FEWEST_EXAMPLES:
            own = _best_threshold(probabilities[:, theme], labels[:, theme])
            weight = n_examples / (n_examples + SHRINKAGE)
            thresholds[theme] = weight * own + (1 - weight) * common
    return thresholds


def _best_threshold(probabilities: Floats, labels: Bools) -> float:
    """Return the cut between two probabilities that gives the highest F1."""
    if not labels.any():
        return 0.5
    order = np.argsort(-probabilities, kind="stable")
    hits = np.cumsum(labels[order])
    f1 = 2 * hits / (np.arange(1, len(order) + 1) + labels.sum())
    best = int(f1.argmax())
    below = probabilities[order[min(best + 1, len(order) - 1)]]
    return float(np.clip((probabilities[order[best]] + below) / 2, LOWEST, 1 - LOWEST))


def choose_themes(probabilities: Floats, thresholds: Floats, *, fill: float = NEAREST_SHARE) -> Bools:
    """Decide which themes each comment has, shape ``(n_comments, n_themes)``.

    Where no theme reaches its threshold the nearest one is taken, if it reaches the share ``fill`` of it.
    """
    nearness = probabilities / thresholds
    chosen = nearness >= 1
    if chosen.shape[1] == 0:
        return np.asarray(chosen, dtype=np.bool_)
    nearest = nearness.argmax(axis=1)
    lonely = ~chosen.any(axis=1) & (nearness.max(axis=1) >= fill)
    chosen[lonely, nearest[lonely]] = True
    return np.asarray(chosen, dtype=np.bool_)


def label_matrix(codes: Sequence[str], examples: Sequence[Sequence[str]]) -> Bools:
    """Return which of ``codes`` each example has, shape ``(n_examples, n_codes)``."""
    labels = np.zeros((len(examples), len(codes)), dtype=np.bool_)
    columns = {code: column for column, code in enumerate(codes)}
    for row, themes in zip(labels, examples, strict=True):
        row[[columns[code] for code in themes]] = True
    return labels
