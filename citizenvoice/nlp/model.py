"""The trained model: what was learnt in each language, kept as plain arrays with digests."""

from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from citizenvoice.nlp import parts
from citizenvoice.nlp.folders import DamagedModelError, read_folder, write_folder
from citizenvoice.nlp.parts import Part

FORMAT = 2
KIND = "reader"
SHIPPED = Path(__file__).parent / "shipped"


@dataclass(frozen=True)
class Model:
    """What was learnt, by language.

    ``codebooks`` maps each codebook it knows to its version and ``codes`` to its codes, in order; it
    reads with ``codebook``. ``facts`` say where it comes from: data, sizes, versions, date and measured
    figures. ``digest`` is that of the files it was loaded from, empty before it is saved.
    """

    name: str
    codebook: str
    codebooks: dict[str, str]
    codes: dict[str, tuple[str, ...]]
    parts: dict[str, Part]
    facts: dict[str, Any] = field(default_factory=dict)
    digest: str = ""

    @property
    def codebook_version(self) -> str:
        """The version of the codebook it reads with."""
        return self.codebooks[self.codebook]

    @property
    def theme_codes(self) -> tuple[str, ...]:
        """The codes of the codebook it reads with, in the order of the themes."""
        return self.codes[self.codebook]

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages it knows."""
        return tuple(sorted(self.parts))

    def using(self, codebook: str) -> "Model":
        """Return the same model, reading with another of its codebooks.

        Raises
        ------
        ValueError
            If it does not know that codebook.
        """
        if codebook not in self.codebooks:
            raise ValueError(f"Model {self.name!r} does not know codebook {codebook!r}.")
        known = {language: part for language, part in self.parts.items() if codebook in part.maps.themes}
        return Model(self.name, codebook, self.codebooks, self.codes, known, self.facts, self.digest)


def save_model(model: Model, folder: Path) -> str:
    """Write a model and its digests, and return the digest of the whole.

    Weights are kept in half precision. Nothing in the folder can run when it is loaded.
    """
    manifest = {
        "kind": KIND,
        "format": FORMAT,
        "name": model.name,
        "codebook": model.codebook,
        "codebooks": model.codebooks,
        "codes": model.codes,
        "parts": {
            language: {"codebooks": list(part.maps.themes), "calibration": part.calibration.as_json()}
            for language, part in model.parts.items()
        },
        "facts": model.facts,
    }
    files = {f"{language}.npz": parts.as_bytes(part) for language, part in model.parts.items()}
    return write_folder(folder, files, manifest)


def load_model(folder: Path) -> Model:
    """Load a model after checking every file against its digest.

    Raises
    ------
    DamagedModelError
        If a file is missing, does not match its digest, or has another format.
    """
    manifest, files, digest = read_folder(folder, kind=KIND, version=FORMAT)
    try:
        return Model(
            name=manifest["name"],
            codebook=manifest["codebook"],
            codebooks=manifest["codebooks"],
            codes={key: tuple(codes) for key, codes in manifest["codes"].items()},
            parts={
                language: parts.from_bytes(files[f"{language}.npz"], part["codebooks"], part["calibration"])
                for language, part in manifest["parts"].items()
            },
            facts=manifest["facts"],
            digest=digest,
        )
    except (AttributeError, KeyError, ValueError, TypeError) as error:
        raise DamagedModelError(f"The model in {folder} does not hold what a reader needs.") from error


@lru_cache(maxsize=1)
def _shipped() -> Model:
    return load_model(SHIPPED / "default")


def load_shipped_model(codebook: str) -> Model:
    """Load the default model that comes with the package, to read with a codebook; its files once a process.

    Raises
    ------
    DamagedModelError
        If it was changed.
    ValueError
        If it does not know that codebook.
    """
    return _shipped().using(codebook)
