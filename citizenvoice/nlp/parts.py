"""What was learnt from the comments of one language: features, and a map for each thing that is read."""

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from citizenvoice.nlp.calibration import Calibration
from citizenvoice.nlp.features import Floats, Kind, Rows, TextFeatures, Vectoriser, normalise, tokens_of
from citizenvoice.nlp.lexicon import Lexicon
from citizenvoice.nlp.linear import Linear
from citizenvoice.nlp.scores import URGENCIES, Scores


@dataclass(frozen=True)
class Alarms:
    """Words and pairs that point to an urgency; ``kinds`` maps each to its place in ``URGENCIES``."""

    kinds: dict[str, int]

    def rows(self, documents: Sequence[Sequence[str]]) -> Floats:
        """Return how many of each kind a text has, at most 2, shape ``(n_texts, 5)``."""
        found = np.zeros((len(documents), len(URGENCIES)), dtype=np.float32)
        for row, tokens in zip(found, documents, strict=True):
            pairs = map(" ".join, pairwise(tokens))
            for term in (*self.kinds.keys() & set(tokens), *self.kinds.keys() & set(pairs)):
                row[self.kinds[term]] += 1
        return np.minimum(found, 2)


@lru_cache(maxsize=4)
def shipped_alarms(language: str) -> Alarms:
    """Return the words of alarm of a language; none where there is no list."""
    file = resources.files("citizenvoice.nlp") / "lexicons" / "urgency.json"
    lists = json.loads(file.read_text(encoding="utf-8")).get(language, {})
    return Alarms({term: URGENCIES.index(kind) for kind, terms in lists.items() for term in terms})


@dataclass(frozen=True)
class Maps:
    """The linear maps of one language; ``themes`` by codebook, in the order of its codes."""

    sentiment: Linear
    mixed: Linear
    urgency: Linear
    themes: dict[str, Linear]


@dataclass(frozen=True)
class Part:
    """Everything learnt from the comments of one language."""

    features: TextFeatures
    alarms: Alarms
    maps: Maps
    calibration: Calibration

    def scores(self, texts: Sequence[str], prompts: Sequence[str | None], codebook: str) -> Scores:
        """Return what is said of texts, as they were typed, under the questions they answer.

        Raises
        ------
        ValueError
            If a prompt is unknown.
        """
        return self.scores_of_tokens([tokens_of(normalise(text)) for text in texts], texts, prompts, codebook)

    def scores_of_tokens(
        self,
        documents: Sequence[Sequence[str]],
        texts: Sequence[str],
        prompts: Sequence[str | None],
        codebook: str,
    ) -> Scores:
        """Return what ``scores`` returns, of texts whose tokens are known already."""
        rows = self.features.rows_of(documents, texts, prompts)
        return scores_of(rows, self.alarms.rows(documents), self.maps, codebook)

    def known_share(self, tokens: Sequence[str]) -> float:
        """Return the share of words, in [0, 1], that occur in the vocabulary; 0 where there is no word."""
        words = [token for token in tokens if token[0].isalpha()]
        return sum(word in self.features.words.columns for word in words) / max(1, len(words))


def scores_of(rows: Rows, alarms: Floats, maps: Maps, codebook: str) -> Scores:
    """Apply the maps to rows of features ``(n, n_columns)`` and of alarms ``(n, 5)``."""
    n_plain = len(maps.mixed.weights)
    plain = rows[:, :n_plain]
    alarmed = sparse.hstack([plain, sparse.csr_matrix(alarms)], format="csr", dtype=np.float32)
    return Scores(
        sentiment=maps.sentiment.scores(rows),
        mixed=maps.mixed.scores(plain)[:, 0],
        urgency=maps.urgency.scores(alarmed),
        themes=maps.themes[codebook].scores(plain),
    )


def as_bytes(part: Part) -> bytes:
    """Return the arrays of a part as an npz archive; weights are kept in half precision."""
    arrays: dict[str, npt.NDArray[Any]] = {}
    for kind, vectoriser in (("words", part.features.words), ("pieces", part.features.pieces)):
        arrays[f"{kind}_terms"] = _packed(vectoriser.terms)
        arrays[f"{kind}_idf"] = vectoriser.idf.astype(np.float16)
    valence = part.features.lexicon.valence
    arrays["valence_terms"] = _packed(tuple(valence))
    arrays["valence"] = np.array(list(valence.values()), dtype=np.float16)
    arrays["alarm_terms"] = _packed(tuple(part.alarms.kinds))
    arrays["alarm_kinds"] = np.array(list(part.alarms.kinds.values()), dtype=np.int8)
    for name, linear in _named(part.maps).items():
        arrays[f"{name}_weights"] = linear.weights.astype(np.float16)
        arrays[f"{name}_bias"] = linear.bias
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def from_bytes(content: bytes, codebooks: Sequence[str], calibration: Mapping[str, Any]) -> Part:
    """Return the part kept by ``as_bytes``; nothing in the archive can run."""
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        valence = dict(
            zip(_unpacked(arrays["valence_terms"]), arrays["valence"].astype(float).tolist(), strict=True)
        )
        kinds = dict(zip(_unpacked(arrays["alarm_terms"]), arrays["alarm_kinds"].tolist(), strict=True))
        maps = {
            name: Linear(arrays[f"{name}_weights"].astype(np.float32), arrays[f"{name}_bias"])
            for name in ("sentiment", "mixed", "urgency", *(f"themes_{key}" for key in codebooks))
        }
        return Part(
            features=TextFeatures(
                _vectoriser("words", arrays), _vectoriser("pieces", arrays), Lexicon(valence)
            ),
            alarms=Alarms(kinds),
            maps=Maps(
                maps["sentiment"],
                maps["mixed"],
                maps["urgency"],
                {key: maps[f"themes_{key}"] for key in codebooks},
            ),
            calibration=Calibration.from_json(calibration),
        )


def _named(maps: Maps) -> dict[str, Linear]:
    themes = {f"themes_{key}": linear for key, linear in maps.themes.items()}
    return {"sentiment": maps.sentiment, "mixed": maps.mixed, "urgency": maps.urgency, **themes}


def _packed(terms: Sequence[str]) -> npt.NDArray[np.uint8]:
    return np.frombuffer("\n".join(terms).encode("utf-8", errors="surrogatepass"), dtype=np.uint8)


def _unpacked(packed: npt.NDArray[np.uint8]) -> list[str]:
    return packed.tobytes().decode("utf-8", errors="surrogatepass").split("\n") if len(packed) else []


def _vectoriser(kind: Kind, arrays: Any) -> Vectoriser:
    return Vectoriser(
        kind, tuple(_unpacked(arrays[f"{kind}_terms"])), arrays[f"{kind}_idf"].astype(np.float32)
    )
