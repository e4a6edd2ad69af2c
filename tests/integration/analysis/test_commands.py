"""The three commands, as a stranger calls them on files of their own."""

import csv
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from citizenvoice.analysis.commands import evaluate_command, read_command, train_command
from citizenvoice.nlp.model import load_model
from citizenvoice.nlp.reader import Reader

DATA = Path(__file__).parents[2] / "data"
EXAMINATION = DATA / "examination_en.csv"


@pytest.fixture
def runner(monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.delenv("READER_TIER", raising=False)
    return CliRunner()


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def _read(runner: CliRunner, source: Path, *options: str) -> tuple[Result, list[dict[str, str]]]:
    out = source.with_name("predictions.csv")
    result = runner.invoke(
        read_command,
        [str(source), "--text-column", "text", "--out", str(out), *options],
        catch_exceptions=False,
    )
    return result, _rows(out) if out.exists() else []


def test_every_row_is_read_in_order(runner: CliRunner, tmp_path: Path) -> None:
    source = tmp_path / "comments.csv"
    source.write_text(
        "id,question,language,rating,text,sentiment\n"
        "a,What could we do better?,en,5,Nothing,mine\n"
        'b,Why?,en,1,"Lovely clerk, but I waited\nthree hours in the queue",\n'
        "c,,es,,La señora fue muy amable,\n"
        "d,,,,Les gens étaient très aimables mais la file était longue,\n"
        "e,,,,,\n",
        encoding="utf-8",
    )
    columns = ["--question-column", "question", "--language-column", "language", "--rating-column", "rating"]
    result, rows = _read(runner, source, *columns, "--keep-columns")
    assert result.exit_code == 0, result.output
    assert [row["id"] for row in rows] == list("abcde")
    assert [row["row"] for row in rows] == list("12345")
    assert [row["language"] for row in rows[:4]] == ["en", "en", "es", "fr"]
    assert int(rows[0]["sentiment"]) > 3
    assert rows[0]["original_sentiment"] == "mine"
    themes = {theme.split(":")[0]: theme.split(":")[2] for theme in rows[1]["themes"].split("|")}
    assert themes["waiting_time"] == "neg"
    assert sum(float(rows[1][f"p{k}"]) for k in range(1, 6)) == pytest.approx(1, abs=1e-3)
    assert [row["sentiment"] for row in rows[3:]] == ["", ""]
    assert "5 rows: 3 read, 2 not read" in result.output


def test_a_bad_row_is_reported_and_stops_nothing(runner: CliRunner, tmp_path: Path) -> None:
    source = tmp_path / "comments.csv"
    source.write_bytes(
        b"id,text,rating\n1,Rude,9\n2\n3,Kind,4,extra,cells\n4,caf\xe9 staff rude,\n"
        b"5,\x00\x01 good,5\n6,Too slow,\n"
    )
    result, rows = _read(runner, source, "--rating-column", "rating")
    assert result.exit_code == 0, result.output
    assert [bool(row["sentiment"]) for row in rows] == [True, False, True, True, True, True]
    assert [bool(row["problem"]) for row in rows] == [True, True, True, True, False, False]
    assert "Row 2: The row is too short" in result.output
    assert "1 set aside" in result.output


def test_a_comment_that_breaks_the_reader_is_set_aside_with_its_reason(
    runner: CliRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Reader._read_batch

    def poisonous(self: Reader, texts: list[str], *rest: object) -> object:
        if "poison" in texts:
            raise RuntimeError("it bit")
        return whole(self, texts, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(Reader, "_read_batch", poisonous)
    source = tmp_path / "comments.csv"
    source.write_text("text\nRude\npoison\nKind\n", encoding="utf-8")
    result, rows = _read(runner, source)
    assert result.exit_code == 0
    assert [bool(row["sentiment"]) for row in rows] == [True, False, True]
    assert "it bit" in rows[1]["problem"]


def test_a_file_without_the_column_is_refused_with_those_it_has(runner: CliRunner, tmp_path: Path) -> None:
    source = tmp_path / "comments.csv"
    source.write_text("words\nRude\n", encoding="utf-8")
    result, _ = _read(runner, source)
    assert result.exit_code == 1
    assert "no column text; it has words" in result.output


def test_a_large_file_streams(runner: CliRunner, tmp_path: Path) -> None:
    source = tmp_path / "comments.csv"
    source.write_text("text\n" + "Rude\nKind and quick\n" * 1_200, encoding="utf-8")
    result, rows = _read(runner, source)
    assert result.exit_code == 0
    assert len(rows) == 2_400
    assert {row["sentiment"] for row in rows[::2]} == {rows[0]["sentiment"]}


def test_an_encoder_that_is_not_there_is_refused_with_a_sentence(runner: CliRunner, tmp_path: Path) -> None:
    source = tmp_path / "comments.csv"
    source.write_text("text\nRude\n", encoding="utf-8")
    result, _ = _read(runner, source, "--tier", str(tmp_path / "none"))
    assert result.exit_code == 1
    assert "is incomplete" in result.output


def test_the_shipped_reader_is_scored_as_json(runner: CliRunner) -> None:
    result = runner.invoke(evaluate_command, [str(EXAMINATION), "--json"])
    assert result.exit_code == 0, result.output
    measured = json.loads(result.stdout)
    assert (measured["method"], measured["codebook"]) == ("shipped", "public_service")
    assert (measured["n_sentiment"], measured["highest_sentiment"]) == (420, "positive")
    figures = measured["figures"]
    best, vader = (figures[method]["3 classes, accuracy"] for method in ("model", "VADER"))
    assert best["lower"] > vader["upper"]
    assert best["value"] > 0.7


def test_texts_and_sentiments_alone_are_scored_whichever_way_they_run(
    runner: CliRunner, tmp_path: Path
) -> None:
    usual, turned = tmp_path / "usual.csv", tmp_path / "turned.csv"
    rows = _rows(EXAMINATION)[::3]
    for path, sentiment in ((usual, lambda s: s), (turned, lambda s: 6 - s)):
        with path.open("w", encoding="utf-8", newline="") as lines:
            writer = csv.writer(lines)
            writer.writerow(["text", "sentiment"])
            writer.writerows((row["text"], sentiment(int(row["sentiment"]))) for row in rows)
    first, second = (
        json.loads(runner.invoke(evaluate_command, [str(path), "--json"]).stdout) for path in (usual, turned)
    )
    assert (first["highest_sentiment"], second["highest_sentiment"]) == ("positive", "negative")
    assert first["figures"]["model"] == second["figures"]["model"]


def test_a_reader_is_trained_used_and_cross_validated(runner: CliRunner, tmp_path: Path) -> None:
    labelled = tmp_path / "labelled.csv"
    labelled.write_bytes(EXAMINATION.read_bytes())
    folder = tmp_path / "mine"
    alone = "--without-own-comments"
    trained = runner.invoke(train_command, [str(labelled), str(folder), alone])
    assert trained.exit_code == 0, trained.output
    model = load_model(folder)
    assert (model.name, model.facts["n_comments"]) == ("mine", 420)
    assert model.digest in trained.output
    result, rows = _read(runner, labelled, "--model", str(folder))
    assert result.exit_code == 0, result.output
    assert len(rows) == 420
    crossed = runner.invoke(
        evaluate_command, [str(labelled), "--cross-validate", alone, "--folds", "3", "--first-folds", "1"]
    )
    assert crossed.exit_code == 0, crossed.output
    assert "3 classes, macro-F1" in crossed.output


def test_an_agency_trains_on_a_codebook_of_its_own(runner: CliRunner, tmp_path: Path) -> None:
    book = {
        "key": "buses",
        "version": "1",
        "title": {"en": "Buses"},
        "source": "us",
        "themes": [
            {"code": code, "name": {"en": code}, "description": {"en": code}} for code in ("late", "driver")
        ],
    }
    (tmp_path / "buses.json").write_text(json.dumps(book), encoding="utf-8")
    rows = [
        "The {} bus was late again,1,late",
        "Kind driver on the {},5,driver",
        "Late and rude driver on the {} today,2,late|driver",
    ]
    lines = [f"{row.format(n)},{n}" for n in range(20) for row in rows]
    (tmp_path / "labelled.csv").write_text("text,sentiment,themes,group\n" + "\n".join(lines) + "\n")
    arguments = [
        str(tmp_path / "labelled.csv"),
        str(tmp_path / "mine"),
        "--codebook",
        str(tmp_path / "buses.json"),
    ]
    trained = runner.invoke(train_command, [*arguments, "--without-own-comments"])
    assert trained.exit_code == 0, trained.output
    reading = Reader(load_model(tmp_path / "mine")).read(["late bus late again, the bus was late"])[0]
    assert "late" in {one.code for one in reading.found}


def test_a_file_that_cannot_be_understood_is_refused(runner: CliRunner, tmp_path: Path) -> None:
    (tmp_path / "bad.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    refused = runner.invoke(evaluate_command, [str(tmp_path / "bad.csv")])
    assert refused.exit_code == 1
    assert "no column text" in refused.output
    unknown = runner.invoke(train_command, [str(EXAMINATION), str(tmp_path / "m"), "--codebook", "nothing"])
    assert unknown.exit_code == 1
    assert "neither a shipped codebook nor a file" in unknown.output
