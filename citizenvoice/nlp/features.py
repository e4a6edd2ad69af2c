"""Features of a comment: weighted words, pieces of words, praise and blame, and the question asked."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain, pairwise
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt
from scipy import sparse

from citizenvoice.nlp.lexicon import N_SIGNS, Lexicon, marked

Floats = npt.NDArray[np.float32]
Kind = Literal["words", "pieces"]
Rows = Any  # scipy.sparse.csr_matrix, which is not annotated

PROMPTS = ("good", "improve", "why", "comment", "review", "report", "post")
"""What was asked for, or where it was written; ``comment`` is anything else."""

CROSSED = ("good", "improve", "why")
"""The questions under which words get weights of their own."""

READ_CHARS = 20_000
"""What stands beyond this is not read."""

_SAME_PROMPT = {"other": "comment", "": None}
_TOKEN = re.compile(r"\w+|[!?]+|[,.;:]+|[☀-➿\U0001F300-\U0001FAFF]")
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


def tokens_of(text: str) -> list[str]:
    """Return the words, signs and emoji of a normalised text, in order.

    Examples
    --------
    >>> tokens_of("not good, sorry!!")
    ['not', 'good', ',', 'sorry', '!!']
    """
    return _TOKEN.findall(text[:READ_CHARS])


def _words(tokens: Sequence[str]) -> list[str]:
    """Return words and loud signs, pairs of neighbours, and words under a negation marked as such."""
    words = [token for token in tokens if token[0] not in ",.;:"]
    negated = [f"not_{token}" for token in marked(tokens)]
    return words + [f"{first} {second}" for first, second in pairwise(words)] + negated


def _pieces(word: str) -> list[str]:
    """Return the runs of 2 to 5 characters of a word with a space on either side."""
    padded = f" {word[:_LONGEST_WORD]} "
    return [
        padded[start : start + length]
        for length in _PIECE_LENGTHS
        for start in range(len(padded) - length + 1)
    ]


def _terms(kind: Kind, tokens: Sequence[str]) -> Iterator[str]:
    return iter(_words(tokens)) if kind == "words" else chain.from_iterable(map(_pieces, tokens))


@dataclass(frozen=True)
class Vectoriser:
    """One vocabulary with the weight of each term; turns tokens of texts into rows of length 1.

    ``terms`` are in the order of the columns; ``idf`` has shape ``(n_terms,)``.
    """

    kind: Kind
    terms: tuple[str, ...]
    idf: Floats
    _pieces_of: dict[str, list[int]] = field(init=False, repr=False, compare=False, default_factory=dict)

    @cached_property
    def columns(self) -> dict[str, int]:
        """The column of each term."""
        return {term: column for column, term in enumerate(self.terms)}

    @classmethod
    def fit(
        cls, kind: Kind, documents: Sequence[Sequence[str]], *, min_df: int = 2, max_terms: int = 40_000
    ) -> Self:
        """Choose the terms that occur in at least ``min_df`` of the documents (tokens), and weigh them."""
        n_with = Counter(chain.from_iterable(set(_terms(kind, tokens)) for tokens in documents))
        commonest = sorted((term for term, n in n_with.items() if n >= min_df), key=lambda t: (-n_with[t], t))
        terms = tuple(sorted(commonest[:max_terms]))
        n_with_term = np.array([n_with[term] for term in terms], dtype=np.float64)
        idf = np.log((1 + len(documents)) / (1 + n_with_term)) + 1
        return cls(kind, terms, idf.astype(np.float32))

    def transform(self, documents: Sequence[Sequence[str]]) -> Rows:
        """Return rows ``(n_texts, n_terms)``: sublinear counts times idf, of Euclidean length 1 or 0."""
        found = [self._columns_of(tokens) for tokens in documents]
        ends = np.cumsum([0, *map(len, found)])
        columns = np.fromiter(chain.from_iterable(found), dtype=np.int32, count=int(ends[-1]))
        counts = np.ones(len(columns), dtype=np.float32)
        rows = sparse.csr_matrix((counts, columns, ends), shape=(len(documents), len(self.terms)))
        rows.sum_duplicates()
        rows.data = (1 + np.log(rows.data)) * self.idf[rows.indices]
        row_of = np.repeat(np.arange(len(documents)), np.diff(rows.indptr))
        lengths = np.sqrt(np.bincount(row_of, weights=rows.data**2, minlength=len(documents)))
        rows.data /= np.maximum(lengths, 1e-9).astype(np.float32)[row_of]
        return rows

    def _columns_of(self, tokens: Sequence[str]) -> list[int]:
        if self.kind == "words":
            return self._known(_words(tokens))
        return [column for word in tokens for column in self._columns_of_word(word)]

    def _columns_of_word(self, word: str) -> list[int]:
        """Cut each word once: the same words come again and again."""
        columns = self._pieces_of.get(word)
        if columns is None:
            columns = self._known(_pieces(word))
            if len(self._pieces_of) < _KNOWN_WORDS:
                self._pieces_of[word] = columns
        return columns

    def _known(self, terms: Sequence[str]) -> list[int]:
        return [column for column in map(self.columns.get, terms) if column is not None]


def prompt_of(prompt: str | None) -> str | None:
    """Return one of ``PROMPTS`` or None; ``other`` is ``comment``.

    Raises
    ------
    ValueError
        If it is none of them.
    """
    prompt = _SAME_PROMPT.get(prompt or "", prompt)
    if prompt is not None and prompt not in PROMPTS:
        raise ValueError(f"{prompt!r} is none of the prompts {', '.join(PROMPTS)}.")
    return prompt


def prompt_rows(prompts: Sequence[str | None]) -> Floats:
    """Return which kind of question each text answers, shape ``(n_texts, 7)``; all zeros where unknown.

    Raises
    ------
    ValueError
        If a prompt is neither empty, "other" nor one of ``PROMPTS``.
    """
    kinds = np.array([PROMPTS.index(kind) if (kind := prompt_of(p)) else -1 for p in prompts], dtype=np.int64)
    return np.asarray(kinds[:, np.newaxis] == np.arange(len(PROMPTS)), dtype=np.float32)


@dataclass(frozen=True)
class TextFeatures:
    """Everything the linear maps of one language see.

    Columns are words, pieces of words, signs of the lexicon, the question; then, for each question of
    ``CROSSED``, words and signs once more. Maps that ignore the question use the first ``n_plain``.
    """

    words: Vectoriser
    pieces: Vectoriser
    lexicon: Lexicon

    @property
    def n_plain(self) -> int:
        """How many columns come before those crossed with the question."""
        return len(self.words.terms) + len(self.pieces.terms) + N_SIGNS + len(PROMPTS)

    @property
    def n_columns(self) -> int:
        """How many columns there are."""
        return self.n_plain + len(CROSSED) * (len(self.words.terms) + N_SIGNS)

    @classmethod
    def fit(
        cls, texts: Sequence[str], valence: Mapping[str, float], *, max_words: int, max_pieces: int
    ) -> Self:
        """Choose both vocabularies from texts as they were typed."""
        documents = [tokens_of(normalise(text)) for text in texts]
        words = Vectoriser.fit("words", documents, max_terms=max_words)
        return cls(words, Vectoriser.fit("pieces", documents, max_terms=max_pieces), Lexicon(dict(valence)))

    def transform(self, texts: Sequence[str], prompts: Sequence[str | None]) -> Rows:
        """Return rows of shape ``(n_texts, n_columns)`` for texts as they were typed.

        Raises
        ------
        ValueError
            If a prompt is unknown.
        """
        return self.rows_of([tokens_of(normalise(text)) for text in texts], texts, prompts)

    def rows_of(
        self, documents: Sequence[Sequence[str]], texts: Sequence[str], prompts: Sequence[str | None]
    ) -> Rows:
        """Return the rows of texts whose tokens are known already."""
        asked = prompt_rows(prompts)
        words = self.words.transform(documents)
        signs = sparse.csr_matrix(self.lexicon.signs(documents, texts))
        blocks = [words, self.pieces.transform(documents), signs, sparse.csr_matrix(asked)]
        crossed = sparse.hstack([words, signs], format="csr", dtype=np.float32)
        blocks += [_only(crossed, asked[:, PROMPTS.index(kind)] > 0) for kind in CROSSED]
        return sparse.hstack(blocks, format="csr", dtype=np.float32)


def _only(rows: Rows, kept: npt.NDArray[np.bool_]) -> Rows:
    """Return the rows with all others emptied."""
    if kept.all():
        return rows
    if not kept.any():
        return sparse.csr_matrix(rows.shape, dtype=rows.dtype)
    return sparse.diags_array(kept.astype(np.float32), dtype=np.float32) @ rows
