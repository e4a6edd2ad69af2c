"""Linear maps fitted to shares of labels: what people said, or a teacher, or the mean of several."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import expit, log_expit, logsumexp

from citizenvoice.nlp.features import Floats, Rows

FARTHEST_BIAS = -2.0
"""Where the fit of labels starts: most comments do not have most labels."""


@dataclass(frozen=True)
class Linear:
    """A linear map: ``weights`` of shape ``(n_columns, n_outputs)``, ``bias`` of shape ``(n_outputs,)``."""

    weights: Floats
    bias: Floats

    def scores(self, rows: Rows) -> Floats:
        """Return log-odds ``(n_rows, n_outputs)``; columns the map does not know are passed over."""
        n = len(self.weights)
        known = rows if rows.shape[1] == n else rows[:, :n]
        return np.asarray(known @ self.weights + self.bias, dtype=np.float32)


def fit_shares(rows: Rows, shares: Floats, weight: Floats, *, c: float, iterations: int = 120) -> Linear:
    """Fit multinomial logistic regression to shares of classes.

    Parameters
    ----------
    rows : csr_matrix, shape (n, n_columns)
    shares : float array, shape (n, n_classes)
        Rows sum to 1.
    weight : float array, shape (n,)
    c : float
        Inverse strength of the L2 penalty; the bias is not penalised.
    iterations : int
        Most steps of L-BFGS.
    """
    transposed = rows.T.tocsr()
    n_classes = shares.shape[1]

    def loss(flat: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
        w = flat.reshape(-1, n_classes)
        weights = w[:-1].astype(np.float32)
        z = rows @ weights + w[-1].astype(np.float32)
        total = logsumexp(z, axis=1)
        value = float((weight * (total - (shares * z).sum(axis=1))).sum(dtype=np.float64)) + float(
            (w[:-1] ** 2).sum()
        ) / (2 * c)
        error = ((np.exp(z - total[:, np.newaxis]) - shares) * weight[:, np.newaxis]).astype(np.float32)
        return value, np.vstack([transposed @ error + w[:-1] / c, error.sum(axis=0)]).ravel()

    return _minimise(loss, np.zeros((rows.shape[1] + 1, n_classes)), iterations)


def fit_labels(
    rows: Rows, labels: Floats, weight: Floats, *, c: float, balance: float = 0.5, iterations: int = 80
) -> Linear:
    """Fit one logistic regression for each label, to shares.

    Parameters
    ----------
    rows : csr_matrix, shape (n, n_columns)
    labels : float array, shape (n, n_labels)
        In [0, 1]; NaN where not known. A label without any example is never given.
    weight : float array, shape (n,)
    c : float
        Inverse strength of the L2 penalty.
    balance : float
        1 weighs examples with and without a label alike, 0 leaves them as they are.
    """
    transposed = rows.T.tocsr()
    n_labels = labels.shape[1]
    known = ~np.isnan(labels)
    shares = np.nan_to_num(labels).astype(np.float32)
    scale = _balanced(shares, known * weight[:, np.newaxis], balance).astype(np.float32)

    def loss(flat: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
        w = flat.reshape(-1, n_labels)
        z = rows @ w[:-1].astype(np.float32) + w[-1].astype(np.float32)
        value = -float((scale * (shares * log_expit(z) + (1 - shares) * log_expit(-z))).sum(dtype=np.float64))
        error = ((expit(z) - shares) * scale).astype(np.float32)
        penalty = float((w[:-1] ** 2).sum()) / (2 * c)
        return value + penalty, np.vstack([transposed @ error + w[:-1] / c, error.sum(axis=0)]).ravel()

    start = np.zeros((rows.shape[1] + 1, n_labels))
    start[-1] = FARTHEST_BIAS
    fitted = _minimise(loss, start, iterations)
    never = (shares * known).sum(axis=0) == 0
    fitted.bias[never], fitted.weights[:, never] = -30.0, 0.0
    return fitted


def _balanced(shares: Floats, weight: npt.NDArray[np.floating], balance: float) -> npt.NDArray[np.floating]:
    """Return the weight of each row and label; those of a label keep their sum."""
    yes, no = (shares * weight).sum(axis=0), ((1 - shares) * weight).sum(axis=0)
    up = np.where(yes > 0, np.maximum(no / np.maximum(yes, 1e-9), 1.0), 1.0) ** balance
    scale = (shares * up + (1 - shares)) * weight
    return np.asarray(scale * (yes + no) / np.maximum(scale.sum(axis=0), 1e-9))


def _minimise(loss: object, start: npt.NDArray[np.float64], iterations: int) -> Linear:
    found = minimize(
        loss,
        start.ravel(),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": iterations, "maxcor": 6, "ftol": 1e-7},
    ).x.reshape(start.shape)
    return Linear(found[:-1].astype(np.float32), found[-1].astype(np.float32))
