"""The way the shipped models are trained beats guessing and a word list, on respondents it has not seen."""

import os
from pathlib import Path

import pytest

from citizenvoice.nlp.codebook import load_codebook
from citizenvoice.nlp.encoder import EncoderMissingError
from citizenvoice.nlp.evaluation import Evaluation, as_table, cross_validate, evaluate
from citizenvoice.nlp.examples import parse_examples
from citizenvoice.nlp.reader import load_reader

pytestmark = pytest.mark.evaluation

SHARED = Path(os.environ.get("CITIZENVOICE_SHARED", Path(__file__).parents[3] / "shared"))
DATA = Path(__file__).parents[1] / "data"
COMMENTS = SHARED / "data" / "nhs_patient_experience" / "comments.csv"


@pytest.fixture(scope="module")
def evaluation() -> Evaluation:
    """Evaluate on one fold of five."""
    if not COMMENTS.is_file():
        pytest.skip("the published patient experience comments are not here")
    with COMMENTS.open(newline="", encoding="utf-8") as lines:
        examples = parse_examples(lines)
    return cross_validate(
        examples, load_codebook("nhs_patient_experience"), first_folds=1, progress=lambda _: None
    )


def test_sentiment_beats_the_majority_class_with_the_whole_interval(evaluation: Evaluation) -> None:
    for measure in (
        "5 classes, accuracy",
        "5 classes, macro-F1",
        "3 classes, accuracy",
        "3 classes, macro-F1",
    ):
        best, baseline = evaluation.figures["model"][measure], evaluation.figures["majority class"][measure]
        assert best.lower > baseline.upper, as_table(evaluation)


def test_sentiment_beats_vader_with_the_whole_interval(evaluation: Evaluation) -> None:
    model, vader = evaluation.figures["model"], evaluation.figures["VADER"]
    for measure in ("3 classes, accuracy", "3 classes, macro-F1"):
        assert model[measure].lower > vader[measure].upper, as_table(evaluation)
    for measure, figure in vader.items():  # of mixed and neutral ones there are too few in a fold for more
        assert model[measure].value > figure.value, as_table(evaluation)


def test_sentiment_and_themes_are_near_the_figures_in_the_model_card(evaluation: Evaluation) -> None:
    figures = evaluation.figures["model"]
    assert evaluation.n_sentiment > 700
    assert figures["3 classes, accuracy"].value > 0.78
    assert figures["3 classes, macro-F1"].value > 0.62
    assert figures["themes, micro-F1"].value > 0.66
    assert figures["themes, micro-F1"].lower > evaluation.figures["majority class"]["themes, micro-F1"].upper


@pytest.mark.parametrize(
    ("tier", "language", "accuracy", "macro_f1", "themes"),
    [
        ("default", "en", 0.74, 0.70, 0.50),
        ("accurate", "en", 0.82, 0.78, 0.55),
        ("default", "es", 0.58, 0.50, 0.30),
    ],
)
def test_services_never_seen_are_read_as_the_model_card_says(
    tier: str, language: str, accuracy: float, macro_f1: float, themes: float
) -> None:
    with (DATA / f"examination_{language}.csv").open(newline="", encoding="utf-8") as lines:
        examples = parse_examples(lines)
    try:
        reader = load_reader("public_service", tier)
    except EncoderMissingError as error:
        pytest.skip(str(error))
    measured = evaluate(examples, reader, load_codebook("public_service"), progress=lambda _: None)
    best = measured.figures["model"]
    assert best["3 classes, accuracy"].value > accuracy, as_table(measured)
    assert best["3 classes, macro-F1"].value > macro_f1, as_table(measured)
    assert best["themes, micro-F1"].value > themes, as_table(measured)
    if language == "en":
        vader = measured.figures["VADER"]["3 classes, macro-F1"]
        assert best["3 classes, macro-F1"].lower > vader.upper
    else:
        assert "VADER" not in measured.figures
