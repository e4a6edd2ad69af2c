"""A model is trained, saved as plain arrays, refused when changed, and reads the same afterwards."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from citizenvoice.nlp.codebook import load_codebook
from citizenvoice.nlp.examples import Example, own_examples
from citizenvoice.nlp.folders import DamagedModelError, read_folder, write_folder
from citizenvoice.nlp.model import SHIPPED, Model, load_model, load_shipped_model, save_model
from citizenvoice.nlp.scores import Scores
from citizenvoice.nlp.training import train

TEXTS = ["The queue was too long", "the website keeps crashing", "?!", "", "\ud800", "x" * 5000]


def _silent(_: str) -> None:
    return None


@pytest.fixture(scope="module")
def examples() -> list[Example]:
    """Return one comment of twelve: enough to train on, quick to do so."""
    return own_examples(["en"])[::12]


@pytest.fixture(scope="module")
def model(examples: list[Example]) -> Model:
    return train(examples, name="small", codebooks=[load_codebook("public_service")], progress=_silent)


@pytest.fixture
def saved(model: Model, tmp_path: Path) -> Path:
    save_model(model, tmp_path / "small")
    return tmp_path / "small"


def _scores(model: Model) -> Scores:
    return model.parts["en"].scores(TEXTS, [None] * len(TEXTS), "public_service")


def test_reads_the_same_after_it_was_saved(model: Model, saved: Path) -> None:
    before, after = _scores(model), _scores(load_model(saved))
    assert np.allclose(before.sentiment, after.sentiment, atol=0.05)  # weights are kept in half precision
    assert np.allclose(before.themes, after.themes, atol=0.05)
    assert load_model(saved).parts["en"].calibration.as_json() == model.parts["en"].calibration.as_json()


def test_the_same_examples_give_the_same_files(examples: list[Example], saved: Path, tmp_path: Path) -> None:
    again = train(examples, name="small", codebooks=[load_codebook("public_service")], progress=_silent)
    digest = save_model(again, tmp_path / "again")
    assert (tmp_path / "again" / "en.npz").read_bytes() == (saved / "en.npz").read_bytes()
    assert load_model(saved).digest == digest


FILES = ["en.npz", "manifest.json", "SHA256SUMS"]


def _flip(content: bytes) -> bytes:
    changed = bytearray(content)
    changed[len(changed) // 3] ^= 1
    return bytes(changed)


def _empty(_: bytes) -> bytes:
    return b""


def _halve(content: bytes) -> bytes:
    return content[: len(content) // 2]


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("damage", [_flip, _halve, _empty])
def test_a_changed_or_truncated_file_is_refused(
    saved: Path, name: str, damage: Callable[[bytes], bytes]
) -> None:
    (saved / name).write_bytes(damage((saved / name).read_bytes()))
    with pytest.raises(DamagedModelError):
        load_model(saved)


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_noticed(saved: Path, name: str) -> None:
    (saved / name).unlink()
    with pytest.raises(DamagedModelError, match="incomplete"):
        load_model(saved)


@pytest.mark.parametrize(
    ("change", "said"),
    [({"format": 3}, "format 3"), ({"kind": "encoder"}, "holds a encoder"), ({"parts": {}}, None)],
)
def test_another_format_or_kind_is_refused(saved: Path, change: dict[str, object], said: str | None) -> None:
    manifest, files, _ = read_folder(saved, kind="reader", version=2)
    write_folder(saved, files, {**manifest, **change, **({} if said else {"codes": None})})
    with pytest.raises(DamagedModelError, match=said):
        load_model(saved)


def test_a_list_of_files_may_not_lead_out_of_the_folder(saved: Path) -> None:
    with (saved / "SHA256SUMS").open("a") as file:
        file.write(f"{'0' * 64}  ../../etc/passwd\n")
    with pytest.raises(DamagedModelError, match="list of files"):
        load_model(saved)


def test_the_manifest_says_where_the_model_comes_from(saved: Path, examples: list[Example]) -> None:
    manifest = json.loads((saved / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["codebooks"] == {"public_service": "2"}
    assert manifest["facts"]["n_comments"] == len(examples)
    assert len(manifest["facts"]["training_data_sha256"]) == 64


def test_training_needs_two_respondents_and_a_known_theme(examples: list[Example]) -> None:
    for few, codebook in ((examples[:1] * 50, "public_service"), (examples, "nhs_patient_experience")):
        with pytest.raises(ValueError, match="two respondents"):
            train(few, name="x", codebooks=[load_codebook(codebook)], progress=_silent)


def test_a_codebook_the_model_does_not_know_is_refused(model: Model) -> None:
    with pytest.raises(ValueError, match="does not know codebook"):
        model.using("nhs_patient_experience")


@pytest.mark.parametrize("key", ["public_service", "nhs_patient_experience"])
def test_the_shipped_model_knows_both_codebooks_and_is_small(key: str) -> None:
    model, codebook = load_shipped_model(key), load_codebook(key)
    assert (model.codebook, model.codebook_version) == (key, codebook.version)
    assert model.theme_codes == codebook.codes
    assert sum(file.stat().st_size for file in (SHIPPED / "default").iterdir()) < 10_000_000
