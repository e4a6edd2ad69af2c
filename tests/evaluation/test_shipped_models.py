"""The way the shipped models are trained beats guessing and a word list, on respondents it has not seen."""

import os
from pathlib import Path

import pytest

from citizenvoice.nlp.codebook import load_codebook
from citizenvoice.nlp.evaluation import Evaluation, as_table, evaluate
from citizenvoice.nlp.training import NHS_COLUMNS, own_examples, parse_examples

pytestmark = pytest.mark.evaluation

SHARED = Path(os.environ.get("CITIZENVOICE_SHARED", Path(__file__).parents[3] / "shared"))
COMMENTS = SHARED / "data" / "nhs_patient_experience" / "comments.csv"


@pytest.fixture(scope="module")
def evaluation() -> Evaluation:
    """Evaluate on one fold of five."""
    if not COMMENTS.is_file():
        pytest.skip("the published patient experience comments are not here")
    with COMMENTS.open(newline="", encoding="utf-8") as lines:
        examples = parse_examples(lines, NHS_COLUMNS)
    return evaluate(examples, load_codebook("nhs_patient_experience"), first_folds=1, progress=lambda _: None)


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
    for measure, vader in evaluation.figures["VADER"].items():
        assert evaluation.figures["model"][measure].lower > vader.upper, as_table(evaluation)


def test_sentiment_and_themes_are_near_the_figures_in_the_model_card(evaluation: Evaluation) -> None:
    figures = evaluation.figures["model"]
    assert evaluation.n_sentiment > 700
    assert figures["3 classes, accuracy"].value > 0.78
    assert figures["3 classes, macro-F1"].value > 0.62
    assert figures["themes, micro-F1"].value > 0.66
    assert figures["themes, micro-F1"].lower > evaluation.figures["majority class"]["themes, micro-F1"].upper


def test_spanish_about_services_never_seen_is_read_better_than_by_guessing() -> None:
    examples = own_examples()
    spanish = [example for example in examples if example.language == "es"]
    others = [example for example in examples if example.language != "es"]
    measured = evaluate(
        spanish, load_codebook("public_service"), also_train_on=others, first_folds=2, progress=lambda _: None
    )
    best, baseline = measured.figures["model"], measured.figures["majority class"]
    assert best["3 classes, accuracy"].value > 0.55 > baseline["3 classes, accuracy"].value
    assert best["themes, micro-F1"].value > 2 * baseline["themes, micro-F1"].value
    assert "VADER" not in measured.figures
