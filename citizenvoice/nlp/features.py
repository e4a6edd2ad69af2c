"""Features of a comment: weighted words, word pairs and pieces of words, and the kind of question it answers."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.feature_extraction.text import CountVectorizer

Floats = npt.NDArray[np.float32]

PROMPTS = ("good", "improve", "why", "other")
"""What a question asks for: what was good, what to improve, why this rating, or anything else."""

_TOKEN = r"\w+|[!?]+|[☀-➿\U0001F300-\U0001FAFF]"
_SETTINGS: Mapping[str, dict[str, Any]] = {
    "words": {"analyzer": "word", "ngram_range": (1, 2), "token_pattern": _TOKEN},
    "pieces": {"analyzer": "char_wb", "ngram_range": (2, 5)},
}
_SPACES = re.compile(r"\s+")
_ACCENTS = dict.fromkeys(range(0x0300, 0x0370))


def normalise(text: str) -> str:
    """Write a text in lower case, without accents, apostrophes or repeated spaces.

    Examples
    --------
    >>> normalise("  Didn’t\\u00a0help.  ¡Atención PÉSIMA! ")
    'didnt help. ¡atencion pesima!'
    """
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text).translate(_ACCENTS).replace("’", "'")
    return _SPACES.sub(" ", text.lower().replace("'", "")).strip()


@dataclass(frozen=True)
class Vectoriser:
    """One vocabulary with the weight of each term; turns normalised texts into rows of length 1.

    ``terms`` are in the order of the columns; ``idf`` has shape ``(n_terms,)``.
    """

    kind: Literal["words", "pieces"]
    terms: tuple[str, ...]
    idf: Floats
    _counter: CountVectorizer = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        vocabulary = {term: column for column, term in enumerate(self.terms)}
        counter = CountVectorizer(
            vocabulary=vocabulary, lowercase=False, dtype=np.float32, **_SETTINGS[self.kind]
        )
        object.__setattr__(self, "_counter", counter)

    @classmethod
    def fit(
        cls,
        kind: Literal["words", "pieces"],
        texts: Sequence[str],
        *,
        min_df: int = 2,
        max_terms: int = 40_000,
    ) -> Self:
        """Choose the terms that occur in at least ``min_df`` of the normalised texts, and weigh them."""
        counter = CountVectorizer(
            min_df=min_df, max_features=max_terms, lowercase=False, dtype=np.float32, **_SETTINGS[kind]
        )
        counts = counter.fit_transform(texts)
        n_with_term = np.bincount(counts.indices, minlength=counts.shape[1])
        idf = np.log((1 + len(texts)) / (1 + n_with_term)) + 1
        return cls(kind, tuple(counter.get_feature_names_out().tolist()), idf.astype(np.float32))

    def transform(self, texts: Sequence[str]) -> sparse.csr_matrix:
        """Return rows of shape ``(n_texts, n_terms)``: sublinear counts times idf, of Euclidean length 1 or 0."""
        rows = sparse.csr_matrix(self._counter.transform(texts))
        rows.data = (1 + np.log(rows.data)) * self.idf[rows.indices]
        lengths = np.sqrt(np.asarray(rows.multiply(rows).sum(axis=1)).ravel())
        lengths[lengths == 0] = 1
        rows.data /= np.repeat(lengths, np.diff(rows.indptr)).astype(np.float32)
        return rows


def prompt_rows(prompts: Sequence[str | None]) -> Floats:
    """Return which kind of question each text answers, shape ``(n_texts, 4)``; all zeros where unknown.

    Raises
    ------
    ValueError
        If a prompt is neither None nor one of ``PROMPTS``.
    """
    rows = np.zeros((len(prompts), len(PROMPTS)), dtype=np.float32)
    for row, prompt in zip(rows, prompts, strict=True):
        if prompt is not None:
            row[PROMPTS.index(prompt)] = 1
    return rows


@dataclass(frozen=True)
class TextFeatures:
    """The two vocabularies of a model; its columns are words first, then pieces of words."""

    words: Vectoriser
    pieces: Vectoriser

    @classmethod
    def fit(cls, texts: Sequence[str], *, max_pieces: int = 20_000) -> Self:
        """Choose both vocabularies from normalised texts."""
        return cls(Vectoriser.fit("words", texts), Vectoriser.fit("pieces", texts, max_terms=max_pieces))

    def transform(self, texts: Sequence[str]) -> sparse.csr_matrix:
        """Return rows of shape ``(n_texts, n_words + n_pieces)`` for normalised texts."""
        return sparse.hstack([self.words.transform(texts), self.pieces.transform(texts)], format="csr")

    def crossed(self, rows: sparse.csr_matrix, prompts: Floats) -> sparse.csr_matrix:
        """Add the words once more for each kind of question: "nothing" is praise where one asks what to improve.

        Returns shape ``(n_texts, n_words + n_pieces + 4 + 4 * n_words)``.
        """
        words = rows[:, : len(self.words.terms)]
        by_prompt = [sparse.diags(prompts[:, kind]) @ words for kind in range(len(PROMPTS))]
        return sparse.hstack([rows, sparse.csr_matrix(prompts), *by_prompt], format="csr", dtype=np.float32)


def with_prompts(rows: sparse.csr_matrix, prompts: Floats) -> sparse.csr_matrix:
    """Add the kind of question to the rows, shape ``(n_texts, n_terms + 4)``."""
    return sparse.hstack([rows, sparse.csr_matrix(prompts)], format="csr", dtype=np.float32)


@dataclass(frozen=True)
class Linear:
    """A linear map from features to scores: ``weights`` ``(n_columns, n_outputs)``, ``bias`` ``(n_outputs,)``."""

    weights: Floats
    bias: Floats

    def scores(self, rows: sparse.csr_matrix) -> Floats:
        """Return scores (log-odds) of shape ``(n_rows, n_outputs)``."""
        return np.asarray(rows @ self.weights + self.bias, dtype=np.float32)
