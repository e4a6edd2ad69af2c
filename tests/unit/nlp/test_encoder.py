"""The accurate tier: an encoder beside the default, refused when it is damaged, read once for each text."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from citizenvoice.nlp import encoder as encoders
from citizenvoice.nlp.codebook import SHIPPED as CODEBOOKS
from citizenvoice.nlp.codebook import load_codebook
from citizenvoice.nlp.encoder import Encoder, order_stances
from citizenvoice.nlp.folders import DamagedModelError, read_folder, write_folder
from citizenvoice.nlp.model import SHIPPED
from citizenvoice.nlp.reader import Reader, load_reader
from tests.unit.nlp.test_hard_inputs import HARD, PLAIN

FOLDER = SHIPPED / "accurate"


@pytest.fixture(scope="module")
def reader() -> Reader:
    pytest.importorskip("onnxruntime")
    pytest.importorskip("tokenizers")
    return load_reader("public_service", "accurate")


@pytest.fixture(scope="module")
def encoder(reader: Reader) -> Encoder:
    assert reader.encoder is not None
    return reader.encoder


CODES = load_codebook("public_service").codes


def test_hard_texts_and_plain_ones_are_read_together(reader: Reader) -> None:
    alone = reader.read([PLAIN])[0]
    readings = reader.read([*HARD.values(), PLAIN])
    assert readings[-1].sentiment == alone.sentiment
    for reading in readings:
        p = reading.sentiment_probabilities
        assert p is None or sum(p) == pytest.approx(1, abs=1e-4)


def test_what_a_batch_holds_changes_nothing_much_in_one_text(encoder: Encoder) -> None:
    """Padding is masked; int8 arithmetic scales with the batch, so figures differ by a little."""
    texts = [PLAIN, "thanks", "The queue was long " * 20]
    together = encoder._read(texts, [None] * 3, "public_service", 1024)
    for row, text in enumerate(texts):
        alone = encoder._read([text], [None], "public_service", 1024)
        assert np.allclose(together.sentiment[row], alone.sentiment[0], atol=0.6)


def test_a_text_is_read_once_and_only_so_many_are_remembered(
    encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encoders, "REMEMBERED", 3)
    monkeypatch.setattr(encoder, "_said", type(encoder._said)())
    asked: list[int] = []
    read = encoder._read

    def counting(texts: list[str], *rest: object) -> object:
        asked.append(len(texts))
        return read(texts, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(encoder, "_read", counting)
    for texts in (["a", "b", "a"], ["b", "a"], ["c", "d", "e"], ["a"]):
        assert len(encoder.scores(texts, [None] * len(texts), "public_service", CODES)) == len(texts)
    assert asked == [2, 3, 1]
    assert len(encoder._said) == 3


def test_the_question_is_part_of_what_is_remembered(encoder: Encoder) -> None:
    said = encoder.scores(["Nothing", "Nothing"], ["good", "improve"], "public_service", CODES)
    assert said.sentiment[1] @ np.arange(5) > said.sentiment[0] @ np.arange(5)


def test_themes_come_in_the_order_that_is_asked_for(encoder: Encoder) -> None:
    forwards = encoder.scores([PLAIN], [None], "public_service", CODES)
    backwards = encoder.scores([PLAIN], [None], "public_service", [*CODES[::-1], "of another codebook"])
    assert np.allclose(forwards.themes[0], backwards.themes[0, -2::-1])
    assert np.isnan(backwards.themes[0, -1])
    assert backwards.stances is not None
    assert backwards.stances[0, -1].argmax() == 1  # neutral


def test_a_codebook_the_encoder_does_not_know_is_left_to_the_default(encoder: Encoder) -> None:
    said = encoder.scores([PLAIN], [None], "ours", ["a", "b"])
    assert np.isnan(said.themes).all()
    assert np.isfinite(said.sentiment).all()


@pytest.mark.parametrize("codebook", CODEBOOKS)
def test_the_encoder_knows_the_shipped_codebooks(encoder: Encoder, codebook: str) -> None:
    assert set(encoder.layout.themes[codebook][1]) == set(load_codebook(codebook).codes)


def test_spanish_is_left_to_the_default(reader: Reader) -> None:
    text = ["La señora fue muy amable, gracias"]
    assert reader.read(text) == load_reader("public_service").read(text)


def test_both_tiers_are_in_the_digest(reader: Reader) -> None:
    assert reader.digest != load_reader("public_service").digest
    assert reader.name.startswith("default+")


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json", "manifest.json", "SHA256SUMS"])
def test_a_damaged_encoder_is_refused(tmp_path: Path, name: str) -> None:
    shutil.copytree(FOLDER, tmp_path / "copy")
    content = (tmp_path / "copy" / name).read_bytes()
    (tmp_path / "copy" / name).write_bytes(content[:-10])
    with pytest.raises(DamagedModelError):
        Encoder(tmp_path / "copy")


def test_a_network_that_is_none_is_refused_with_a_sentence(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    manifest, files, _ = read_folder(FOLDER, kind="encoder", version=1)
    write_folder(tmp_path, {**files, "model.onnx": b"not a network"}, manifest)
    with pytest.raises(DamagedModelError, match="cannot be started"):
        Encoder(tmp_path)


def test_stances_of_themes_that_are_missing_are_neutral() -> None:
    said = np.arange(8, dtype=np.float32).reshape(1, 2, 4)
    ordered = order_stances(said, ["a", "b"], ["b", "x", "a"])
    assert np.array_equal(ordered[0, [0, 2]], said[0, ::-1])
    assert ordered[0, 1].argmax() == 1
