"""The trained model of a codebook: kept as plain arrays with digests, and the reader that applies it."""

import hashlib
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from citizenvoice.nlp.features import (
    Floats,
    Kind,
    Linear,
    TextFeatures,
    Vectoriser,
    normalise,
    prompt_rows,
    with_prompts,
)
from citizenvoice.nlp.language import identify_language
from citizenvoice.nlp.sentiment import CLASSES, sentiment_probabilities
from citizenvoice.nlp.themes import choose_themes, theme_probabilities

FORMAT = 1
WEIGHTS, MANIFEST, DIGESTS = "weights.npz", "manifest.json", "SHA256SUMS"
BATCH = 2_000

_SHIPPED_FOLDER = Path(__file__).parent / "shipped"


class DamagedModelError(Exception):
    """A model folder is incomplete, was changed after it was written, or is of another format."""


@dataclass(frozen=True)
class Model:
    """What was learnt for one codebook.

    ``sentiment`` maps crossed features to 5 classes, ``themes`` maps features to the codes
    in ``theme_codes``; ``thresholds`` has shape ``(n_themes,)``. ``facts`` say where it
    comes from: data, sizes, versions, date and measured figures. ``digest`` is that of the
    files it was loaded from, empty before it is saved.
    """

    name: str
    codebook: str
    codebook_version: str
    languages: tuple[str, ...]
    features: TextFeatures
    sentiment: Linear
    themes: Linear
    theme_codes: tuple[str, ...]
    thresholds: Floats
    facts: dict[str, Any] = field(default_factory=dict)
    digest: str = ""

    def probabilities(self, texts: Sequence[str], prompts: Sequence[str | None]) -> tuple[Floats, Floats]:
        """Return sentiment ``(n_texts, 5)`` and theme ``(n_texts, n_themes)`` probabilities."""
        rows = self.features.transform([normalise(text) for text in texts])
        asked = prompt_rows(prompts)
        return (
            sentiment_probabilities(self.sentiment, self.features.crossed(rows, asked)),
            theme_probabilities(self.themes, with_prompts(rows, asked)),
        )


@dataclass(frozen=True, slots=True)
class Reading:
    """What the machine read in one comment.

    ``sentiment`` is 1 (very negative) to 5 (very positive) with the probability of each
    class; None, with no themes, where the text has no letter or emoji or is in a language
    the model does not know. ``themes`` are pairs of code and probability, likeliest first.
    """

    language: str
    language_probability: float
    sentiment: int | None
    sentiment_probabilities: tuple[float, float, float, float, float] | None
    themes: tuple[tuple[str, float], ...]


class Reader:
    """Reads comments with one model; ``languages`` are those enabled where the comments were given."""

    def __init__(self, model: Model, *, languages: Sequence[str] | None = None) -> None:
        self.model = model
        self.languages = tuple(languages or model.languages)

    def read(
        self,
        texts: Sequence[str],
        *,
        prompts: Sequence[str | None] | None = None,
        languages: Sequence[str | None] | None = None,
    ) -> list[Reading]:
        """Read comments, in the order given.

        Parameters
        ----------
        texts : sequence of str, length n
        prompts : sequence of {"good", "improve", "why", "other", None}, length n, optional
            What the question asked for.
        languages : sequence of str or None, length n, optional
            Language of the form each text was typed into.

        Raises
        ------
        ValueError
            If the lengths differ or a prompt is unknown.
        """
        prompts = prompts or [None] * len(texts)
        languages = languages or [None] * len(texts)
        if not len(texts) == len(prompts) == len(languages):
            raise ValueError("There must be one prompt and one language for each text.")
        readings: list[Reading] = []
        for start in range(0, len(texts), BATCH):
            batch = slice(start, start + BATCH)
            readings += self._read_batch(texts[batch], prompts[batch], languages[batch])
        return readings

    def _read_batch(
        self, texts: Sequence[str], prompts: Sequence[str | None], languages: Sequence[str | None]
    ) -> list[Reading]:
        sentiment, themes = self.model.probabilities(texts, prompts)
        chosen = choose_themes(themes, self.model.thresholds)
        return [
            self._reading(text, form_language, *figures)
            for text, form_language, *figures in zip(texts, languages, sentiment, themes, chosen, strict=True)
        ]

    def _reading(
        self,
        text: str,
        form_language: str | None,
        sentiment: Floats,
        themes: Floats,
        chosen: npt.NDArray[Any],
    ) -> Reading:
        found = identify_language(text, self.languages, form_language=form_language)
        if not _is_readable(text) or found.language.split("-")[0] not in self.model.languages:
            return Reading(found.language, found.probability, None, None, ())
        likeliest = sorted(np.flatnonzero(chosen), key=lambda theme: -themes[theme])
        pairs = tuple((self.model.theme_codes[theme], float(themes[theme])) for theme in likeliest)
        very_negative, negative, neutral, positive, very_positive = map(float, sentiment)
        shares = (very_negative, negative, neutral, positive, very_positive)
        return Reading(found.language, found.probability, CLASSES[int(sentiment.argmax())], shares, pairs)


def _is_readable(text: str) -> bool:
    return any(character.isalpha() or character >= "\u2600" for character in text)


def save_model(model: Model, folder: Path) -> str:
    """Write a model as arrays, a manifest and their digests, and return the digest of the whole.

    Weights are kept in half precision. Nothing in the folder can run when it is loaded.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = {WEIGHTS: _weights(model), MANIFEST: _manifest(model)}
    for name, content in files.items():
        (folder / name).write_bytes(content)
    digests = "".join(f"{_sha256(content)}  {name}\n" for name, content in files.items())
    (folder / DIGESTS).write_text(digests, encoding="ascii")
    return _sha256(digests.encode())


def load_model(folder: Path) -> Model:
    """Load a model after checking every file against its digest.

    Raises
    ------
    DamagedModelError
        If a file is missing, does not match its digest, or has another format.
    """
    try:
        digests = (folder / DIGESTS).read_bytes()
        lines = [line.split("  ", 1) for line in digests.decode().splitlines()]
        expected = {name: digest for digest, name in lines}
        files = {name: (folder / name).read_bytes() for name in (WEIGHTS, MANIFEST)}
    except (OSError, ValueError) as error:
        raise DamagedModelError(f"The model in {folder} is incomplete.") from error
    for name, content in files.items():
        if expected.get(name) != _sha256(content):
            raise DamagedModelError(f"{name} in {folder} is not the file that was saved.")
    return _parse(json.loads(files[MANIFEST]), files[WEIGHTS], _sha256(digests))


@lru_cache(maxsize=4)
def load_shipped_model(name: str) -> Model:
    """Load a model that comes with the package, once for each process.

    Raises
    ------
    DamagedModelError
        If there is none of that name, or it was changed.
    """
    return load_model(_SHIPPED_FOLDER / name)


def _weights(model: Model) -> bytes:
    buffer = io.BytesIO()
    arrays: dict[str, npt.NDArray[Any]] = {"thresholds": model.thresholds}
    for kind, vectoriser in (("words", model.features.words), ("pieces", model.features.pieces)):
        terms = "\n".join(vectoriser.terms).encode("utf-8", errors="surrogatepass")
        arrays[f"{kind}_terms"] = np.frombuffer(terms, dtype=np.uint8)
        arrays[f"{kind}_idf"] = vectoriser.idf.astype(np.float32)
    for head, linear in (("sentiment", model.sentiment), ("themes", model.themes)):
        arrays[f"{head}_weights"] = linear.weights.astype(np.float16)
        arrays[f"{head}_bias"] = linear.bias.astype(np.float32)
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def _manifest(model: Model) -> bytes:
    manifest = {
        "format": FORMAT,
        "name": model.name,
        "codebook": model.codebook,
        "codebook_version": model.codebook_version,
        "languages": model.languages,
        "theme_codes": model.theme_codes,
        "facts": model.facts,
    }
    return (json.dumps(manifest, indent=2, ensure_ascii=False, sort_keys=True) + "\n").encode()


def _parse(manifest: dict[str, Any], weights: bytes, digest: str) -> Model:
    if manifest.get("format") != FORMAT:
        raise DamagedModelError(f"The model is of format {manifest.get('format')}, not {FORMAT}.")
    with np.load(io.BytesIO(weights), allow_pickle=False) as arrays:
        return Model(
            name=manifest["name"],
            codebook=manifest["codebook"],
            codebook_version=manifest["codebook_version"],
            languages=tuple(manifest["languages"]),
            features=TextFeatures(_vectoriser("words", arrays), _vectoriser("pieces", arrays)),
            sentiment=_linear("sentiment", arrays),
            themes=_linear("themes", arrays),
            theme_codes=tuple(manifest["theme_codes"]),
            thresholds=arrays["thresholds"],
            facts=manifest["facts"],
            digest=digest,
        )


def _vectoriser(kind: Kind, arrays: Any) -> Vectoriser:
    terms = arrays[f"{kind}_terms"].tobytes().decode("utf-8", errors="surrogatepass").split("\n")
    return Vectoriser(kind, tuple(terms), arrays[f"{kind}_idf"])


def _linear(head: str, arrays: Any) -> Linear:
    return Linear(arrays[f"{head}_weights"].astype(np.float32), arrays[f"{head}_bias"])


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
