"""What a comment is about: one yes-or-no decision for each theme, each with its own threshold."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from citizenvoice.nlp.features import Floats, Linear

Bools = npt.NDArray[np.bool_]

REGULARISATION = 10.0
"""Inverse strength of the L2 penalty."""

SHRINKAGE = 10
"""A theme with this many examples takes half of its threshold from all themes together."""

FEWEST_EXAMPLES = 3
"""Themes with fewer examples use the common threshold."""

NEAREST_SHARE = 0.3
"""A comment that reaches no threshold gets its nearest theme, if its probability is this share of it."""

LOWEST = 0.1
"""No threshold is lower, so that rare themes are not given on a whim."""

_NEVER = -30.0


def fit_themes(rows: sparse.csr_matrix, labels: Bools) -> Linear:
    """Fit one logistic regression for each theme.

    Parameters
    ----------
    rows : csr_matrix, shape (n_comments, n_columns)
    labels : bool array, shape (n_comments, n_themes)
        A theme without any example is never given.

    Notes
    -----
    Examples with and without a theme weigh the same, which finds rare themes far better
    (macro-F1 0.55 instead of 0.49) and makes their probabilities too high: they rank
    comments and are compared with their own threshold, they are not shares of comments.
    """
    weights = np.zeros((rows.shape[1], labels.shape[1]), dtype=np.float32)
    bias = np.full(labels.shape[1], _NEVER, dtype=np.float32)
    for theme in np.flatnonzero(labels.any(axis=0) & ~labels.all(axis=0)):
        model = LogisticRegression(
            C=REGULARISATION, class_weight="balanced", solver="liblinear", random_state=0
        )
        model.fit(rows, labels[:, theme])
        weights[:, theme], bias[theme] = model.coef_[0], model.intercept_[0]
    return Linear(weights, bias)


def theme_probabilities(head: Linear, rows: sparse.csr_matrix) -> Floats:
    """Return the probability of each theme, shape ``(n_comments, n_themes)``; rows need not sum to 1."""
    return np.asarray(expit(head.scores(rows)), dtype=np.float32)


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


def choose_themes(probabilities: Floats, thresholds: Floats) -> Bools:
    """Decide which themes each comment has, shape ``(n_comments, n_themes)``.

    Where no theme reaches its threshold the nearest one is taken, unless it is far away.
    """
    nearness = probabilities / thresholds
    chosen = nearness >= 1
    nearest = nearness.argmax(axis=1)
    lonely = ~chosen.any(axis=1) & (nearness.max(axis=1) >= NEAREST_SHARE)
    chosen[lonely, nearest[lonely]] = True
    return np.asarray(chosen, dtype=np.bool_)


def label_matrix(codes: Sequence[str], examples: Sequence[Sequence[str]]) -> Bools:
    """Return which of ``codes`` each example has, shape ``(n_examples, n_codes)``."""
    labels = np.zeros((len(examples), len(codes)), dtype=np.bool_)
    columns = {code: column for column, code in enumerate(codes)}
    for row, themes in zip(labels, examples, strict=True):
        row[[columns[code] for code in themes]] = True
    return labels
