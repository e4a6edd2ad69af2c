"""Held-out comments are new in respondent and text, and figures carry their interval."""

from collections.abc import Iterable

import numpy as np
import pytest

from citizenvoice.nlp import evaluation
from citizenvoice.nlp.codebook import load_codebook
from citizenvoice.nlp.examples import Example, own_examples
from citizenvoice.nlp.features import normalise
from citizenvoice.nlp.reader import Reader, load_reader


@pytest.fixture(scope="module")
def examples() -> list[Example]:
    return own_examples(["en"])[::10]


@pytest.fixture(scope="module")
def reader() -> Reader:
    return load_reader("public_service")


def _texts(examples: Iterable[Example]) -> set[str]:
    return {normalise(example.text) for example in examples}


def test_nothing_tested_was_seen(examples: list[Example]) -> None:
    repeated = [
        *examples,
        *(Example(e.text.upper(), e.sentiment, e.themes, "somebody else") for e in examples),
    ]
    n_tested = 0
    for seen, tested in evaluation._splits(repeated, examples[:20], 3, 3, lambda _: None):
        n_tested += len(tested)
        assert not _texts(seen) & _texts(tested)
        assert not {example.group for example in seen[:-20]} & {example.group for example in tested}
        assert len(_texts(tested)) == len(tested)
    assert n_tested < len(repeated) / 2


def test_cross_validation_beats_guessing(examples: list[Example]) -> None:
    measured = evaluation.cross_validate(
        examples, load_codebook("public_service"), folds=3, first_folds=1, progress=lambda _: None
    )
    assert measured.n_sentiment > 100
    best, baseline = measured.figures["model"], measured.figures["majority class"]
    assert best["3 classes, macro-F1"].value > baseline["3 classes, macro-F1"].value
    table = evaluation.as_table(measured)
    assert "VADER" in table
    assert "waiting_time" in table


def test_a_reader_is_scored_without_training(examples: list[Example], reader: Reader) -> None:
    measured = evaluation.evaluate(examples, reader, load_codebook("public_service"), progress=lambda _: None)
    assert measured.n_sentiment == len(examples)
    model = measured.figures["model"]
    assert {
        "3 classes, accuracy",
        "3 classes, macro-F1",
        "3 classes, F1 of neutral or mixed",
        "3 classes, calibration error",
        "3 classes, accuracy on the most confident 80 %",
        "5 classes, accuracy",
        "5 classes, macro-F1",
        "5 classes, within one",
        "themes, micro-F1",
        "themes, macro-F1",
        "sentiment of a theme, accuracy",
        "urgent comments, recall",
    } <= model.keys()
    for measures in measured.figures.values():
        for figure in measures.values():
            assert 0 <= figure.lower <= figure.value + 0.05 <= figure.upper + 0.1 <= 1.1
    assert measured.as_json()["figures"]["VADER"].keys() <= model.keys()


def test_labels_of_sides_only_are_scored_in_three_classes(reader: Reader) -> None:
    rows = [("Great, thank you", 4), ("Awful and rude", 2), ("It is on Mill Street", 3)] * 5
    coarse = [Example(text, side, None, str(i), is_coarse=True) for i, (text, side) in enumerate(rows)]
    measured = evaluation.evaluate(coarse, reader, load_codebook("public_service"), progress=lambda _: None)
    assert measured.figures["model"]["3 classes, accuracy"].value > 0.6
    assert "5 classes, accuracy" not in measured.figures["model"]
    assert measured.n_themes == 0


def test_what_was_not_read_is_never_right(reader: Reader) -> None:
    unread = [Example("123", 3, None, "a"), Example("thank you, lovely", 5, None, "b")]
    measured = evaluation.evaluate(unread, reader, load_codebook("public_service"), progress=lambda _: None)
    assert measured.n_unread == 1
    assert measured.figures["model"]["3 classes, accuracy"].value == 0.5


def test_a_scale_that_runs_backwards_is_noticed(examples: list[Example], reader: Reader) -> None:
    turned = [Example(e.text, 6 - e.sentiment, None, e.group) for e in examples if e.sentiment is not None]
    assert not evaluation.runs_backwards(examples, reader)
    assert evaluation.runs_backwards(turned, reader)
    assert not evaluation.runs_backwards(turned[:5], reader)


def test_vader_reads_plain_praise_and_blame() -> None:
    assert np.array_equal(evaluation.vader_classes(["great", "awful", "the table"]), [1, -1, 0])
