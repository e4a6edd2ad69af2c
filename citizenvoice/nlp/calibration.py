"""Turns scores into probabilities that mean what they say, and into decisions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import expit, log_expit, log_softmax, softmax

from citizenvoice.nlp.features import Floats
from citizenvoice.nlp.scores import Scores
from citizenvoice.nlp.sentiment import three_classes, three_shares
from citizenvoice.nlp.themes import Bools, tune_thresholds

Ints = npt.NDArray[np.int64]

N_RATINGS = 5
RARE = 20
"""A theme with fewer examples is only ever suggested."""

CONFIDENT_SHARE = 0.8
"""The reader is confident about this share of comments like those it was calibrated on."""

WANTED_RECALL = 0.9
"""The share of urgent comments that a flag should not miss, at the price of false alarms."""

MOST_FLAGGED = 0.1
"""Not more than this share of comments is flagged, whatever the recall: more flags would not be read."""

_PENALTY = 0.002
_RATING_PENALTY = 0.005
_PLATT_PENALTY = 2.0


def expected_error(confidence: Floats, right: Bools, *, bins: int = 10) -> float:
    """Return the expected calibration error: mean distance of confidence and accuracy over equal bins.

    Parameters
    ----------
    confidence : float array, shape (n,), in [0, 1]
    right : bool array, shape (n,)

    References
    ----------
    .. [1] Naeini, M. P., Cooper, G. F. and Hauskrecht, M. (2015). AAAI, 2901-2907.

    Examples
    --------
    >>> round(expected_error(np.array([0.75, 0.75, 0.75, 0.75], np.float32), np.array([1, 1, 1, 0]) > 0), 6)
    0.0
    """
    which = np.minimum((np.asarray(confidence) * bins).astype(int), bins - 1)
    used = [which == number for number in range(bins) if (which == number).any()]
    return float(sum(rows.mean() * abs(confidence[rows].mean() - right[rows].mean()) for rows in used))


@dataclass(frozen=True)
class SentimentCalibration:
    """How scores of five classes become probabilities and one class.

    ``bias`` has shape ``(5,)``; ``ratings`` ``(5, 5)`` adds to the log-probabilities under a rating of
    1 (worst) to 5 (best). ``middle`` and ``mild`` weigh class 3 against the sides and classes 2 and 4
    against 1 and 5 when one class must be named. ``confident`` is the probability of the side named
    from which the reader is sure.
    """

    sharpness: float = 1.0
    bias: Floats = field(default_factory=lambda: np.zeros(5, dtype=np.float32))
    ratings: Floats = field(default_factory=lambda: np.zeros((N_RATINGS, 5), dtype=np.float32))
    middle: float = 1.0
    mild: tuple[float, float] = (1.0, 1.0)
    confident: float = 0.6

    @classmethod
    def fit(cls, scores: Floats, classes: Ints, ratings: Ints) -> Self:
        """Fit to held-out comments.

        Parameters
        ----------
        scores : float array, shape (n, 5)
        classes : int array, shape (n,), 1 to 5
        ratings : int array, shape (n,), 1 to 5, 0 where none was given

        References
        ----------
        .. [1] Guo, C. et al. (2017). On calibration of modern neural networks. ICML. Temperature, with
           one bias a class.
        """
        rows, truth = np.arange(len(classes)), classes - 1

        def loss(v: npt.NDArray[np.float64]) -> float:
            log_p = log_softmax(scores * np.exp(v[0]) + v[1:], axis=1)
            return float(-log_p[rows, truth].mean() + _PENALTY * (v[1:] ** 2).sum())

        best = minimize(loss, np.zeros(6), method="L-BFGS-B").x
        plain = cls(float(np.exp(best[0])), best[1:].astype(np.float32))
        log_p = np.log(plain.probabilities(scores) + 1e-9)
        p = plain.probabilities(scores)
        middle, mild = _decision_weights(p, classes)
        shares = three_shares(p)
        sure = float(np.quantile(shares.max(axis=1), 1 - CONFIDENT_SHARE))
        return cls(plain.sharpness, plain.bias, _fit_ratings(log_p, classes, ratings), middle, mild, sure)

    def probabilities(self, scores: Floats, ratings: Ints | None = None) -> Floats:
        """Return probabilities ``(n, 5)``, rows summing to 1."""
        z = scores * self.sharpness + self.bias
        if ratings is not None:
            given = np.vstack([np.zeros((1, 5), dtype=np.float32), self.ratings])
            z = z + given[ratings]
        return np.asarray(softmax(z, axis=1), dtype=np.float32)

    def decide(self, probabilities: Floats) -> Ints:
        """Name one class 1 to 5 for each row: first the side, then how strongly."""
        side = (three_shares(probabilities) * [1.0, self.middle, 1.0]).argmax(axis=1)
        p = probabilities
        low = np.where(p[:, 1] * self.mild[0] > p[:, 0], 2, 1)
        high = np.where(p[:, 3] * self.mild[1] >= p[:, 4], 4, 5)
        return np.asarray(np.choose(side, [low, np.full(len(p), 3), high]), dtype=np.int64)

    def as_json(self) -> dict[str, Any]:
        """Return plain values that ``from_json`` understands."""
        return {
            "sharpness": self.sharpness,
            "bias": self.bias.tolist(),
            "ratings": self.ratings.tolist(),
            "middle": self.middle,
            "mild": list(self.mild),
            "confident": self.confident,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Return what ``as_json`` wrote down."""
        return cls(
            float(data["sharpness"]),
            np.array(data["bias"], dtype=np.float32),
            np.array(data["ratings"], dtype=np.float32).reshape(N_RATINGS, 5),
            float(data["middle"]),
            (float(data["mild"][0]), float(data["mild"][1])),
            float(data["confident"]),
        )


def _fit_ratings(log_p: Floats, classes: Ints, ratings: Ints) -> Floats:
    """Fit what a rating adds to the log-probabilities; nothing where no rating is known."""
    kept = ratings > 0
    if not kept.any():
        return np.zeros((N_RATINGS, 5), dtype=np.float32)
    base, truth, given = log_p[kept], classes[kept] - 1, ratings[kept] - 1
    rows = np.arange(len(truth))

    def loss(v: npt.NDArray[np.float64]) -> float:
        added = v.reshape(N_RATINGS, 5)
        new = log_softmax(base + added[given], axis=1)
        return float(-new[rows, truth].mean() + _RATING_PENALTY * (v**2).sum())

    best = minimize(loss, np.zeros(N_RATINGS * 5), method="L-BFGS-B").x
    return np.asarray(best.reshape(N_RATINGS, 5), dtype=np.float32)


def _decision_weights(p: Floats, classes: Ints) -> tuple[float, tuple[float, float]]:
    """Choose the weights of the decision by accuracy plus macro-F1, in three classes and within each side."""
    sides, truth = three_shares(p), three_classes(classes) + 1

    def worth(guess: Ints, true: Ints, kinds: Sequence[int]) -> float:
        f1 = [
            2 * ((guess == k) & (true == k)).sum() / max(1, (guess == k).sum() + (true == k).sum())
            for k in kinds
        ]
        return float((guess == true).mean() + np.mean(f1))

    middle = max(
        np.arange(1.0, 2.55, 0.05),
        key=lambda m: worth((sides * [1.0, m, 1.0]).argmax(axis=1), truth, range(3)),
    )

    def mild(weak: int, strong: int) -> float:
        kept = np.isin(classes, (weak, strong))
        if len(set(classes[kept].tolist())) < 2:
            return 1.0
        p_weak, p_strong = p[kept, weak - 1], p[kept, strong - 1]
        weights = np.arange(0.6, 1.75, 0.05)
        return float(
            max(
                weights,
                key=lambda m: worth(
                    np.where(p_weak * m > p_strong, weak, strong), classes[kept], (weak, strong)
                ),
            )
        )

    return float(middle), (mild(2, 1), mild(4, 5))


@dataclass(frozen=True)
class LabelCalibration:
    """How the scores of yes-or-no labels become probabilities and decisions.

    All of shape ``(n_labels,)``; ``n_examples`` is how many comments each was learnt from.
    """

    slopes: Floats
    intercepts: Floats
    thresholds: Floats
    n_examples: Ints

    @classmethod
    def fit(cls, scores: Floats, labels: Bools, n_examples: Ints | None = None) -> Self:
        """Fit a slope and an intercept for each label, drawn to common ones where examples are few.

        Parameters
        ----------
        scores : float array, shape (n, n_labels)
        labels : bool array, shape (n, n_labels)
        n_examples : int array, shape (n_labels,), optional
            By default those among ``labels``.

        References
        ----------
        .. [1] Platt, J. (1999). Probabilistic outputs for support vector machines.
        """
        common = _platt(scores.ravel(), labels.ravel(), np.array([0.0, 0.0]), 0.0)
        fitted = np.array(
            [_platt(scores[:, k], labels[:, k], common, _PLATT_PENALTY) for k in range(labels.shape[1])]
        ).reshape(-1, 2)
        slopes, intercepts = np.exp(fitted[:, 0]).astype(np.float32), fitted[:, 1].astype(np.float32)
        p = np.asarray(expit(scores * slopes + intercepts), dtype=np.float32)
        n = labels.sum(axis=0) if n_examples is None else n_examples
        return cls(slopes, intercepts, tune_thresholds(p, labels), np.asarray(n, dtype=np.int64))

    @classmethod
    def for_recall(cls, scores: Floats, labels: Bools) -> Self:
        """Fit one label whose threshold misses few, whatever the false alarms; arrays of shape ``(n,)``."""
        slope, intercept = _platt(scores, labels, np.array([0.0, 0.0]), 0.0)
        p = expit(scores * np.exp(slope) + intercept)
        cut = float(np.quantile(p[labels], 1 - WANTED_RECALL)) if labels.any() else 0.5
        return cls(
            np.exp([slope]).astype(np.float32),
            np.array([intercept], dtype=np.float32),
            np.array([max(cut, _quantile(p, 1 - MOST_FLAGGED))], dtype=np.float32),
            np.array([labels.sum()], dtype=np.int64),
        )

    def probabilities(self, scores: Floats) -> Floats:
        """Return probabilities ``(n, n_labels)``; rows need not sum to 1."""
        return np.asarray(expit(scores * self.slopes + self.intercepts), dtype=np.float32)

    @property
    def is_rare(self) -> Bools:
        """Which labels had too few examples to be more than a suggestion."""
        return np.asarray(self.n_examples < RARE, dtype=np.bool_)

    def as_json(self) -> dict[str, Any]:
        """Return plain values that ``from_json`` understands."""
        return {
            "slopes": self.slopes.tolist(),
            "intercepts": self.intercepts.tolist(),
            "thresholds": self.thresholds.tolist(),
            "n_examples": self.n_examples.tolist(),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Return what ``as_json`` wrote down."""
        return cls(
            np.array(data["slopes"], dtype=np.float32),
            np.array(data["intercepts"], dtype=np.float32),
            np.array(data["thresholds"], dtype=np.float32),
            np.array(data["n_examples"], dtype=np.int64),
        )


def _quantile(values: Floats, share: float) -> float:
    return float(np.quantile(values, share)) if len(values) else 1.0


def _platt(
    scores: Floats, labels: Bools, start: npt.NDArray[np.float64], penalty: float
) -> npt.NDArray[np.float64]:
    """Return the logarithm of the slope and the intercept of one label."""
    if not labels.any():
        return start
    target = labels.astype(np.float64)

    def loss(v: npt.NDArray[np.float64]) -> float:
        z = scores * np.exp(v[0]) + v[1]
        likelihood = (target * log_expit(z) + (1 - target) * log_expit(-z)).sum()
        return float(-likelihood + penalty * ((v - start) ** 2).sum())

    found: npt.NDArray[np.float64] = minimize(loss, start, method="L-BFGS-B", bounds=[(-2, 2), (-8, 8)]).x
    return found


@dataclass(frozen=True)
class Calibration:
    """All calibrations of one tier in one language; ``themes`` by codebook."""

    sentiment: SentimentCalibration
    mixed: LabelCalibration
    urgency: LabelCalibration
    themes: dict[str, LabelCalibration]

    def as_json(self) -> dict[str, Any]:
        """Return plain values that ``from_json`` understands."""
        return {
            "sentiment": self.sentiment.as_json(),
            "mixed": self.mixed.as_json(),
            "urgency": self.urgency.as_json(),
            "themes": {key: one.as_json() for key, one in self.themes.items()},
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Return what ``as_json`` wrote down."""
        return cls(
            SentimentCalibration.from_json(data["sentiment"]),
            LabelCalibration.from_json(data["mixed"]),
            LabelCalibration.from_json(data["urgency"]),
            {key: LabelCalibration.from_json(one) for key, one in data["themes"].items()},
        )


@dataclass(frozen=True)
class HeldOut:
    """Scores of comments that the tier had not seen, with what people said of them.

    Arrays of length n: ``classes`` and ``ratings`` 0 where unknown, ``mixed`` and ``urgent`` -1 where
    unknown. ``themes`` by codebook: scores, labels and which rows were coded with it.
    """

    scores: Scores
    classes: Ints
    ratings: Ints
    mixed: Ints
    urgent: Ints
    themes: dict[str, tuple[Floats, Bools, Bools]]

    def calibrate(self) -> Calibration:
        """Fit everything that can be fitted; what has no labels stays as it is."""
        known = self.classes > 0
        sentiment = SentimentCalibration.fit(
            self.scores.sentiment[known], self.classes[known], self.ratings[known]
        )
        mixed, urgent = self.mixed >= 0, self.urgent >= 0
        return Calibration(
            sentiment=sentiment,
            mixed=LabelCalibration.fit(
                self.scores.mixed[mixed, np.newaxis], self.mixed[mixed, np.newaxis] > 0
            ),
            urgency=LabelCalibration.for_recall(self.scores.alarm[urgent], self.urgent[urgent] > 0),
            themes={key: LabelCalibration.fit(s[rows], y[rows]) for key, (s, y, rows) in self.themes.items()},
        )
