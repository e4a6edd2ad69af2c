"""A model is trained, saved as plain arrays, refused when changed, and reads the same afterwards."""

import json
from pathlib import Path

import numpy as np
import pytest

from citizenvoice.nlp.codebook import load_codebook
from citizenvoice.nlp.model import (
    DamagedModelError,
    Model,
    Reader,
    load_model,
    load_shipped_model,
    save_model,
)
from citizenvoice.nlp.training import (
    CORPUS_COLUMNS,
    NHS_COLUMNS,
    Columns,
    Example,
    own_examples,
    parse_examples,
    train,
)


def _silent(_: str) -> None:
    return None


@pytest.fixture(scope="module")
def examples() -> list[Example]:
    return own_examples()


@pytest.fixture(scope="module")
def model(examples: list[Example]) -> Model:
    return train(examples, name="small", codebook=load_codebook("public_service"), progress=_silent)


@pytest.fixture
def saved(model: Model, tmp_path: Path) -> Path:
    save_model(model, tmp_path / "small")
    return tmp_path / "small"


TEXTS = [
    "The queue was too long",
    "Excelente servicio, gracias",
    "the website keeps crashing",
    "?!",
    "",
    "\ud800",
    "x" * 5000,
]


def test_reads_the_same_after_it_was_saved(model: Model, saved: Path) -> None:
    before = model.probabilities(TEXTS, [None] * len(TEXTS))
    after = load_model(saved).probabilities(TEXTS, [None] * len(TEXTS))
    for first, second in zip(before, after, strict=True):
        assert np.allclose(first, second, atol=0.01)  # weights are kept in half precision


def test_the_same_examples_give_the_same_files(
    model: Model, examples: list[Example], saved: Path, tmp_path: Path
) -> None:
    again = train(examples, name="small", codebook=load_codebook("public_service"), progress=_silent)
    digest = save_model(again, tmp_path / "again")
    assert (tmp_path / "again" / "weights.npz").read_bytes() == (saved / "weights.npz").read_bytes()
    assert load_model(saved).digest == digest


@pytest.mark.parametrize("name", ["weights.npz", "manifest.json", "SHA256SUMS"])
def test_a_changed_byte_is_noticed(saved: Path, name: str) -> None:
    content = bytearray((saved / name).read_bytes())
    content[len(content) // 3] ^= 1
    (saved / name).write_bytes(bytes(content))
    with pytest.raises(DamagedModelError):
        load_model(saved)


@pytest.mark.parametrize("name", ["weights.npz", "manifest.json", "SHA256SUMS"])
def test_a_missing_file_is_noticed(saved: Path, name: str) -> None:
    (saved / name).unlink()
    with pytest.raises(DamagedModelError, match="incomplete"):
        load_model(saved)


def test_another_format_is_refused(model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("citizenvoice.nlp.model.FORMAT", 2)
    save_model(model, tmp_path)
    monkeypatch.undo()
    with pytest.raises(DamagedModelError, match="format 2"):
        load_model(tmp_path)


def test_the_manifest_says_where_the_model_comes_from(saved: Path, examples: list[Example]) -> None:
    manifest = json.loads((saved / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["codebook"] == "public_service"
    assert manifest["facts"]["n_comments"] == len(examples)
    assert len(manifest["facts"]["training_data_sha256"]) == 64


def test_a_reading_holds_what_was_read(model: Model) -> None:
    reading = Reader(model).read(["La fila era demasiado larga y nadie contesta el teléfono"])[0]
    assert reading.language == "es"
    assert reading.sentiment == 2
    assert reading.sentiment_probabilities is not None
    assert sum(reading.sentiment_probabilities) == pytest.approx(1, abs=1e-5)
    assert {"waiting_time", "phone_contact"} <= {code for code, _ in reading.themes}
    assert [p for _, p in reading.themes] == sorted((p for _, p in reading.themes), reverse=True)


def test_order_is_kept_over_batches(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Reader(model).read(TEXTS)
    monkeypatch.setattr("citizenvoice.nlp.model.BATCH", 2)
    assert [reading.language for reading in Reader(model).read(TEXTS)] == [
        reading.language for reading in whole
    ]
    assert [reading.sentiment for reading in Reader(model).read(TEXTS)] == [
        reading.sentiment for reading in whole
    ]


def test_what_cannot_be_read_gets_no_sentiment_and_no_theme(model: Model) -> None:
    for reading in Reader(model).read(["", "12345", "?!…"]):
        assert reading.sentiment is None
        assert reading.sentiment_probabilities is None
        assert reading.themes == ()


def test_a_language_the_model_does_not_know_is_not_guessed_at(model: Model) -> None:
    reader = Reader(model, languages=["en", "es", "fr"])
    french, english = reader.read(
        [
            "Les gens étaient très aimables mais la file était longue",
            "The queue was long but the clerk was nice",
        ]
    )
    assert (french.language, french.sentiment, french.themes) == ("fr", None, ())
    assert english.sentiment is not None


def test_no_texts_give_no_readings(model: Model) -> None:
    assert Reader(model).read([]) == []


def test_lengths_must_agree(model: Model) -> None:
    with pytest.raises(ValueError, match="one prompt"):
        Reader(model).read(["a", "b"], prompts=["good"])


@pytest.mark.parametrize("name", ["public_service", "nhs_patient_experience"])
def test_shipped_models_load_and_are_small(name: str) -> None:
    model = load_shipped_model(name)
    codebook = load_codebook(name)
    assert (model.codebook, model.codebook_version) == (name, codebook.version)
    assert model.theme_codes == codebook.codes
    folder = Path(load_model.__code__.co_filename).parent / "shipped" / name
    assert sum(file.stat().st_size for file in folder.iterdir()) < 4_000_000


def test_the_question_changes_what_nothing_means() -> None:
    reader = Reader(load_shipped_model("nhs_patient_experience"))
    improve, good = reader.read(["Nothing", "Nothing"], prompts=["improve", "good"])
    assert improve.sentiment is not None
    assert good.sentiment is not None
    assert improve.sentiment > good.sentiment


@pytest.mark.parametrize(
    ("text", "sentiment", "theme"),
    [
        ("The clerk was rude and unhelpful", -1, "staff_attitude"),
        ("The clerk was friendly and explained everything", 1, "staff_attitude"),
        ("I had to wait six weeks for my licence", -1, "waiting_time"),
        ("The online portal crashed twice", -1, "website_and_app"),
        ("Nadie contestó el teléfono en todo el día", -1, "phone_contact"),
        ("La señora fue muy amable, gracias", 1, "staff_attitude"),
        ("Los baños estaban sucios", -1, "premises"),
        ("Muy caro el trámite, me cobraron de más", -1, "fees"),
    ],
)
def test_the_general_model_reads_plain_sentences_about_any_service(
    text: str, sentiment: int, theme: str
) -> None:
    reading = Reader(load_shipped_model("public_service")).read([text])[0]
    assert reading.sentiment is not None
    assert np.sign(reading.sentiment - 3) == sentiment
    assert theme in {code for code, _ in reading.themes}


def test_sentiment_is_turned_round_where_the_file_has_one_for_very_positive() -> None:
    header = "respondent_id,question,text,sentiment_5,themes\n"
    parsed = parse_examples([header, "r1,What was good?,Kind,1,Staff manner\n"], NHS_COLUMNS)
    assert parsed == [Example("Kind", 5, ("Staff manner",), "r1", "good")]


def test_rows_without_an_answer_are_left_out() -> None:
    header = "respondent_id,question,text,sentiment_5,themes\n"
    rows = [
        "r1,FFT Why?,Did not answer,,Labelling not possible\n",
        "r2,FFT Why?, ,1,\n",
        "r3,Else?,Fine,,A|B\n",
    ]
    assert parse_examples([header, *rows], NHS_COLUMNS) == [Example("Fine", None, ("A", "B"), "r3", "other")]


def test_a_missing_column_is_named() -> None:
    with pytest.raises(ValueError, match="group, language"):
        parse_examples(["text,sentiment,themes\n"], CORPUS_COLUMNS)


def test_a_sentiment_off_the_scale_is_refused() -> None:
    with pytest.raises(ValueError, match="'6'"):
        parse_examples(["text,sentiment,themes,group\n", "a,6,,g\n"], Columns(highest="positive"))


def test_training_needs_two_respondents_and_a_known_theme(examples: list[Example]) -> None:
    codebook = load_codebook("nhs_patient_experience")
    with pytest.raises(ValueError, match="two respondents"):
        train([examples[0]], name="x", codebook=codebook, progress=_silent)
    with pytest.raises(ValueError, match="No comment has a theme"):
        train(examples, name="x", codebook=codebook, progress=_silent)
