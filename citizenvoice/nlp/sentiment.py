"""How positive a comment is, in five classes from 1 (very negative) to 5 (very positive)."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression

from citizenvoice.nlp.features import Floats, Linear

CLASSES = (1, 2, 3, 4, 5)
"""1 very negative, 2 negative, 3 neutral or mixed, 4 positive, 5 very positive."""

REGULARISATION = 5.0
"""Inverse strength of the L2 penalty, chosen by grouped cross-validation between 3 and 10."""


def fit_sentiment(rows: sparse.csr_matrix, classes: Sequence[int]) -> Linear:
    """Fit one multinomial logistic regression.

    Parameters
    ----------
    rows : csr_matrix, shape (n_comments, n_columns)
    classes : sequence of int, length n_comments
        Each in 1..5. A class that never occurs keeps a score so low that it is never given.

    Raises
    ------
    ValueError
        If fewer than two classes occur.
    """
    model = LogisticRegression(C=REGULARISATION, max_iter=400).fit(rows, np.asarray(classes))
    weights = np.zeros((rows.shape[1], len(CLASSES)), dtype=np.float32)
    bias = np.full(len(CLASSES), -1e4, dtype=np.float32)
    present = [CLASSES.index(int(value)) for value in model.classes_]
    if len(present) == 2:  # one row of weights for two classes: half of it for each
        weights[:, present] = np.stack([-model.coef_[0] / 2, model.coef_[0] / 2], axis=1)
        bias[present] = [-model.intercept_[0] / 2, model.intercept_[0] / 2]
    else:
        weights[:, present] = model.coef_.T
        bias[present] = model.intercept_
    return Linear(weights, bias)


def sentiment_probabilities(head: Linear, rows: sparse.csr_matrix) -> Floats:
    """Return the probability of each class, shape ``(n_comments, 5)``, rows summing to 1."""
    return np.asarray(softmax(head.scores(rows), axis=1), dtype=np.float32)


def three_classes(classes: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """Merge five classes into -1 negative, 0 neutral or mixed, 1 positive.

    Examples
    --------
    >>> three_classes([1, 2, 3, 4, 5]).tolist()
    [-1, -1, 0, 1, 1]
    """
    return np.sign(np.asarray(classes, dtype=np.int64) - 3)
