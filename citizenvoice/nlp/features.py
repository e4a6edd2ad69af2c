"""Features of a comment: weighted words, word pairs, pieces of words, and what the question asked for."""

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain, pairwise
from typing import Literal, Self

import numpy as np
import numpy.typing as npt
from scipy import sparse

Floats = npt.NDArray[np.float32]
Kind = Literal["words", "pieces"]

PROMPTS = ("good", "improve", "why", "other")
"""What a question asks for: what was good, what to improve, why this rating, or anything else."""

_WORD_OR_SIGN = re.compile(r"\w+|[!?]+|[☀-➿\U0001F300-\U0001FAFF]")
_PIECE_LENGTHS = range(2, 6)
_LONGEST_WORD = 40
_KNOWN_WORDS = 50_000
_SPACES = re.compile(r"\s+")
_ACCENTS = dict.fromkeys(range(0x0300, 0x0370))


def normalise(text: str) -> str:
    r"""Write a text in lower case, without accents, apostrophes or repeated spaces.

    Examples
    --------
    >>> normalise("  Didn’t\u00a0help.  ¡Atención PÉSIMA! ")
    'didnt help. ¡atencion pesima!'
    """
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text).translate(_ACCENTS).replace("’", "'")
    return _SPACES.sub(" ", text.lower().replace("'", "")).strip()


def _words(text: str) -> list[str]:
    """Return the words and signs of a text, then the pairs of neighbours."""
    words = _WORD_OR_SIGN.findall(text)
    return words + [f"{first} {second}" for first, second in pairwise(words)]


def _pieces(word: str) -> list[str]:
    """Return the runs of 2 to 5 characters of a word with a space on either side."""
    padded = f" {word[:_LONGEST_WORD]} "
    return [
        padded[start : start + length]
        for length in _PIECE_LENGTHS
        for start in range(len(padded) - length + 1)
    ]


def _terms(kind: Kind, text: str) -> list[str]:
    if kind == "words":
        return _words(text)
    return [piece for word in text.split() for piece in _pieces(word)]


@dataclass(frozen=True)
class Vectoriser:
    """One vocabulary with the weight of each term; turns normalised texts into rows of length 1.

    ``terms`` are in the order of the columns; ``idf`` has shape ``(n_terms,)``.
    """

    kind: Kind
    terms: tuple[str, ...]
    idf: Floats
    _columns: dict[str, int] = field(init=False, repr=False, compare=False)
    _pieces_of: dict[str, list[int]] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        columns = {term: column for column, term in enumerate(self.terms)}
        object.__setattr__(self, "_columns", columns)

    @classmethod
    def fit(cls, kind: Kind, texts: Sequence[str], *, min_df: int = 2, max_terms: int = 40_000) -> Self:
        """Choose the terms that occur in at least ``min_df`` of the normalised texts, and weigh them."""
        n_with = Counter(term for text in texts for term in set(_terms(kind, text)))
        commonest = sorted((term for term, n in n_with.items() if n >= min_df), key=lambda t: (-n_with[t], t))
        terms = tuple(sorted(commonest[:max_terms]))
        n_with_term = np.array([n_with[term] for term in terms], dtype=np.float64)
        idf = np.log((1 + len(texts)) / (1 + n_with_term)) + 1
        return cls(kind, terms, idf.astype(np.float32))

    def transform(self, texts: Sequence[str]) -> sparse.csr_matrix:
        """Return rows ``(n_texts, n_terms)``: sublinear counts times idf, of Euclidean length 1 or 0."""
        found = [self._columns_of(text) for text in texts]
        ends = np.cumsum([0, *map(len, found)])
        columns = np.fromiter(chain.from_iterable(found), dtype=np.int32, count=int(ends[-1]))
        counts = np.ones(len(columns), dtype=np.float32)
        rows = sparse.csr_matrix((counts, columns, ends), shape=(len(texts), len(self.terms)))
        rows.sum_duplicates()
        rows.data = (1 + np.log(rows.data)) * self.idf[rows.indices]
        lengths = np.sqrt(np.asarray(rows.multiply(rows).sum(axis=1)).ravel())
        lengths[lengths == 0] = 1
        rows.data /= np.repeat(lengths, np.diff(rows.indptr)).astype(np.float32)
        return rows

    def _columns_of(self, text: str) -> list[int]:
        if self.kind == "words":
            return self._known(_words(text))
        return [column for word in text.split() for column in self._columns_of_word(word)]

    def _columns_of_word(self, word: str) -> list[int]:
        """Cut each word once: the same words come again and again."""
        columns = self._pieces_of.get(word)
        if columns is None:
            columns = self._known(_pieces(word))
            if len(self._pieces_of) < _KNOWN_WORDS:
                self._pieces_of[word] = columns
        return columns

    def _known(self, terms: list[str]) -> list[int]:
        return [self._columns[term] for term in terms if term in self._columns]


def prompt_rows(prompts: Sequence[str | None]) -> Floats:
    """Return which kind of question each text answers, shape ``(n_texts, 4)``; all zeros where unknown.

    Raises
    ------
    ValueError
        If a prompt is neither empty nor one of ``PROMPTS``.
    """
    rows = np.zeros((len(prompts), len(PROMPTS)), dtype=np.float32)
    for row, prompt in zip(rows, prompts, strict=True):
        if prompt and prompt not in PROMPTS:
            raise ValueError(f"{prompt!r} is none of the prompts {', '.join(PROMPTS)}.")
        if prompt:
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
        """Add the words once more for each kind of question.

        "Nothing" is praise where the question was what to improve.

        Returns shape ``(n_texts, n_words + n_pieces + 4 + 4 * n_words)``.
        """
        words = rows[:, : len(self.words.terms)]
        by_prompt = [sparse.diags_array(prompts[:, kind]) @ words for kind in range(len(PROMPTS))]
        return sparse.hstack([rows, sparse.csr_matrix(prompts), *by_prompt], format="csr", dtype=np.float32)


def with_prompts(rows: sparse.csr_matrix, prompts: Floats) -> sparse.csr_matrix:
    """Add the kind of question to the rows, shape ``(n_texts, n_terms + 4)``."""
    return sparse.hstack([rows, sparse.csr_matrix(prompts)], format="csr", dtype=np.float32)


@dataclass(frozen=True)
class Linear:
    """A linear map: ``weights`` of shape ``(n_columns, n_outputs)``, ``bias`` of shape ``(n_outputs,)``."""

    weights: Floats
    bias: Floats

    def scores(self, rows: sparse.csr_matrix) -> Floats:
        """Return scores (log-odds) of shape ``(n_rows, n_outputs)``."""
        return np.asarray(rows @ self.weights + self.bias, dtype=np.float32)
