"""Held-out comments are new in respondent and text, and figures carry their interval."""

from collections.abc import Iterable
from pathlib import Path

import pytest
from click.testing import CliRunner

from citizenvoice.analysis.commands import evaluate_command, train_command
from citizenvoice.nlp import evaluation
from citizenvoice.nlp.codebook import load_codebook
from citizenvoice.nlp.features import normalise
from citizenvoice.nlp.model import load_model
from citizenvoice.nlp.training import Example, own_examples


@pytest.fixture(scope="module")
def examples() -> list[Example]:
    return [example for example in own_examples() if example.language == "en"][::3]


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


def test_figures_lie_inside_their_interval(examples: list[Example]) -> None:
    measured = evaluation.evaluate(
        examples, load_codebook("public_service"), folds=3, progress=lambda _: None
    )
    assert measured.n_sentiment > 200
    for measures in measured.figures.values():
        for figure in measures.values():
            assert 0 <= figure.lower <= figure.value + 0.05 <= figure.upper + 0.1 <= 1.1
    table = evaluation.as_table(measured)
    assert "majority class" in table
    assert "waiting_time" in table


def _write(path: Path, examples: list[Example]) -> Path:
    lines = ["text,sentiment,themes,group,prompt,language"]
    lines += [
        f'"{e.text}",{e.sentiment},{"|".join(e.themes or ())},{e.group},,{e.language}' for e in examples
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_a_reader_is_trained_and_measured_from_the_command_line(
    examples: list[Example], tmp_path: Path
) -> None:
    file = str(_write(tmp_path / "comments.csv", examples))
    options = ["--highest", "positive", "--without-own-comments"]
    trained = CliRunner().invoke(train_command, [file, str(tmp_path / "mine"), *options])
    assert trained.exit_code == 0, trained.output
    model = load_model(tmp_path / "mine")
    assert (model.name, model.facts["n_comments"]) == ("mine", len(examples))
    assert model.digest in trained.output
    measured = CliRunner().invoke(evaluate_command, [file, *options, "--folds", "3", "--first-folds", "1"])
    assert measured.exit_code == 0, measured.output
    assert "3 classes, macro-F1" in measured.output


def test_the_direction_of_sentiment_must_be_stated(examples: list[Example], tmp_path: Path) -> None:
    file = _write(tmp_path / "comments.csv", examples[:5])
    refused = CliRunner().invoke(train_command, [str(file), str(tmp_path / "mine")])
    assert refused.exit_code == 2
    assert "--highest" in refused.output
    assert not (tmp_path / "mine").exists()


def test_a_file_without_its_columns_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bad.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    refused = CliRunner().invoke(evaluate_command, [str(tmp_path / "bad.csv"), "--highest", "positive"])
    assert refused.exit_code == 1
    assert "no column" in refused.output
