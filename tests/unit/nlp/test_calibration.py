"""Probabilities mean what they say, and decisions follow from them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from citizenvoice.nlp.calibration import (
    Calibration,
    HeldOut,
    Ints,
    LabelCalibration,
    SentimentCalibration,
    expected_error,
)
from citizenvoice.nlp.features import Floats
from citizenvoice.nlp.scores import Scores
from citizenvoice.nlp.sentiment import three_classes, three_shares

RANDOM = np.random.default_rng(0)
N = 4_000


def _drawn(sharpness: float) -> tuple[Floats, Ints]:
    """Return scores that are too sure of themselves by a factor, and classes drawn from the true shares."""
    true = RANDOM.normal(size=(N, 5)).astype(np.float32) * 1.5
    shares = np.exp(true) / np.exp(true).sum(axis=1, keepdims=True)
    classes = (shares.cumsum(axis=1) < RANDOM.random((N, 1))).sum(axis=1).clip(0, 4) + 1
    return np.float32(sharpness) * true, classes.astype(np.int64)


@pytest.mark.parametrize("sharpness", [0.4, 1.0, 3.0])
def test_scores_that_are_too_sure_or_too_shy_are_put_right(sharpness: float) -> None:
    scores, classes = _drawn(sharpness)
    fitted = SentimentCalibration.fit(scores[:2000], classes[:2000], np.zeros(2000, dtype=np.int64))
    assert fitted.sharpness == pytest.approx(1 / sharpness, rel=0.2)
    shares = three_shares(fitted.probabilities(scores[2000:]))
    is_right = shares.argmax(axis=1) - 1 == three_classes(classes[2000:])
    assert expected_error(shares.max(axis=1), is_right) < 0.03


def test_a_rating_that_goes_with_sentiment_moves_it_and_none_changes_nothing() -> None:
    scores, classes = _drawn(1.0)
    ratings = np.where(RANDOM.random(N) < 0.8, classes, 0)
    fitted = SentimentCalibration.fit(np.float32(0.1) * scores, classes, ratings)
    vague = np.zeros((6, 5), dtype=np.float32)
    p = fitted.probabilities(vague, np.arange(6))
    assert np.allclose(p[0], fitted.probabilities(vague[:1])[0])
    assert p[1:].argmax(axis=1).tolist() == [0, 1, 2, 3, 4]


@given(arrays(np.float32, (7, 5), elements=st.floats(-30, 30, width=32)))
def test_decisions_name_a_class_on_the_side_that_won(scores: np.ndarray) -> None:
    usual = SentimentCalibration(middle=1.5, mild=(1.2, 0.9))
    p = usual.probabilities(scores)
    decided = usual.decide(p)
    assert set(decided.tolist()) <= {1, 2, 3, 4, 5}
    weighed = three_shares(p) * [1.0, 1.5, 1.0]
    assert np.array_equal(three_classes(decided), weighed.argmax(axis=1) - 1)


def test_labels_are_calibrated_and_rare_ones_drawn_to_the_others() -> None:
    scores = RANDOM.normal(size=(N, 2), loc=[0.0, -3.0]).astype(np.float32)
    p = 1 / (1 + np.exp(-2 * scores - 0.5))
    labels = RANDOM.random((N, 2)) < p
    fitted = LabelCalibration.fit(scores, labels)
    assert abs(fitted.probabilities(scores) - p).mean() < 0.02
    few = LabelCalibration.fit(scores[:60], labels[:60] & np.array([True, False]))
    assert few.is_rare.tolist() == [bool(labels[:60, 0].sum() < 20), True]
    assert np.isfinite(few.probabilities(scores)).all()


def test_flags_prefer_recall_but_not_beyond_reading() -> None:
    urgent = RANDOM.random(N) < 0.04
    scores = (RANDOM.normal(size=N) + 3 * urgent).astype(np.float32)
    fitted = LabelCalibration.for_recall(scores, urgent)
    flagged = fitted.probabilities(scores[:, np.newaxis])[:, 0] >= fitted.thresholds[0]
    assert flagged[urgent].mean() >= 0.85
    assert flagged.mean() <= 0.101
    blind = LabelCalibration.for_recall(np.zeros(0, dtype=np.float32), np.zeros(0, dtype=np.bool_))
    assert np.isfinite(blind.thresholds).all()


def test_a_calibration_survives_being_written_down() -> None:
    scores, classes = _drawn(1.0)
    labels = scores > 1
    said = Scores(scores, scores[:, 0], scores, scores)
    held_out = HeldOut(
        scores=said,
        classes=classes,
        ratings=np.zeros(N, dtype=np.int64),
        mixed=np.full(N, -1),
        urgent=labels[:, 1].astype(np.int64),
        themes={"book": (scores, labels, np.ones(N, dtype=np.bool_))},
    )
    calibration = held_out.calibrate()
    again = Calibration.from_json(calibration.as_json())
    assert again.as_json() == calibration.as_json()
    assert np.array_equal(again.sentiment.probabilities(scores), calibration.sentiment.probabilities(scores))


def test_confidence_that_is_wrong_by_a_fifth_has_that_error() -> None:
    is_right = np.arange(100) % 5 < 3
    assert expected_error(np.full(100, 0.8, dtype=np.float32), is_right) == pytest.approx(0.2, abs=1e-6)
