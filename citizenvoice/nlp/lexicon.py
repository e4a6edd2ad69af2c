"""How much praise and blame a word list finds in a text, and how it is put."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

import numpy as np
import numpy.typing as npt

LISTS = resources.files("citizenvoice.nlp") / "lexicons"
_TURNS = json.loads((LISTS / "turns.json").read_text(encoding="utf-8"))
NEGATIONS, CONTRASTS, BOOSTERS = (frozenset(_TURNS[kind]) for kind in ("negations", "contrasts", "boosters"))

REACH = 3
"""A negation reaches over so many words, unless a stop or a contrast comes first."""

TURNED = -0.74
"""What a negation does to the valence of a word (Hutto and Gilbert 2014)."""

BOOSTED = 1.3
N_SIGNS = 19
_STOPS = ",.;:!?"


def marked(tokens: Sequence[str]) -> Iterator[str]:
    """Yield the words that stand under a negation.

    Examples
    --------
    >>> list(marked(["not", "very", "good", ",", "slow"]))
    ['very', 'good']
    """
    since = REACH
    for token in tokens:
        if token[0] in _STOPS or token in CONTRASTS:
            since = REACH
        elif token in NEGATIONS:
            since = 0
        elif since < REACH:
            since += 1
            yield token


@dataclass(slots=True)
class _Sums:
    """What has been counted in one text so far."""

    positive: float = 0.0
    negative: float = 0.0
    strongest: float = 0.0
    weakest: float = 0.0
    negated_positive: float = 0.0
    negated_negative: float = 0.0
    positive_after: float = 0.0
    negative_after: float = 0.0
    n_words: int = 0
    n_contrasts: int = 0
    n_boosts: int = 0
    n_negations: int = 0

    def negate(self, valence: float) -> float:
        """Turn the valence of a negated word, and remember that it was."""
        if valence > 0:
            self.negated_positive += valence
        else:
            self.negated_negative -= valence
        return TURNED * valence

    def add(self, valence: float) -> None:
        """Count one word of praise or blame."""
        after = self.n_contrasts > 0
        if valence > 0:
            self.positive += valence
            self.strongest = max(self.strongest, valence)
            self.positive_after += valence * after
        else:
            self.negative -= valence
            self.weakest = min(self.weakest, valence)
            self.negative_after -= valence * after


@dataclass(frozen=True)
class Lexicon:
    """Words with their valence in [-4, 4]; may be empty."""

    valence: dict[str, float]

    def signs(self, documents: Sequence[Sequence[str]], texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Return what is found in each text, shape ``(n_texts, 19)``, each roughly in [-1, 2].

        Parameters
        ----------
        documents : sequence of tokens, length n_texts
        texts : sequence of str, length n_texts
            As they were typed, for capitals and signs.
        """
        rows = [self._row(tokens, text) for tokens, text in zip(documents, texts, strict=True)]
        return np.array(rows, dtype=np.float32).reshape(len(texts), N_SIGNS)

    def _row(self, tokens: Sequence[str], text: str) -> list[float]:
        sums = self._sums(tokens)
        n_capitals = 0 if text.islower() else sum(map(str.isupper, text))
        net = sums.positive - sums.negative
        return [
            float(np.log1p(sums.positive)),
            float(np.log1p(sums.negative)),
            sums.strongest / 4,
            sums.weakest / 4,
            min(sums.negated_positive, 8) / 4,
            min(sums.negated_negative, 8) / 4,
            min(sums.positive_after, 8) / 4,
            min(sums.negative_after, 8) / 4,
            float(sums.n_contrasts > 0),
            min(sums.positive, sums.negative, 6) / 3,
            min(text.count("!"), 4) / 4,
            min(text.count("?"), 3) / 3,
            min(sums.n_boosts, 4) / 4,
            min(1.0, 3 * n_capitals / max(12, len(text))),
            float(np.log1p(sums.n_words)) / 4,
            float(sums.n_words <= 3),
            0.0,
            min(sums.n_negations, 4) / 4,
            net / float(np.sqrt(net * net + 15)),
        ]

    def _sums(self, tokens: Sequence[str]) -> _Sums:
        sums = _Sums()
        since, boosted = 9, False
        for token in tokens:
            if token[0] in _STOPS:
                since = 9
                continue
            sums.n_words += 1
            since += 1
            if token in NEGATIONS:
                sums.n_negations += 1
                since = 0
            elif token in CONTRASTS:
                sums.n_contrasts += 1
                since = 9
            elif token in BOOSTERS:
                sums.n_boosts += 1
                boosted = True
            else:
                valence = self.valence.get(token)
                if valence:
                    valence = valence * BOOSTED if boosted else valence
                    sums.add(sums.negate(valence) if since <= REACH + 1 else valence)
                boosted = False
        return sums


@lru_cache(maxsize=1)
def english_valence() -> dict[str, float]:
    """Return VADER's words without accents or apostrophes, with their mean valence in [-4, 4]."""
    text = (LISTS / "vader.txt").read_text(encoding="utf-8")
    rows = (line.split("\t") for line in text.splitlines())
    return {row[0].lower().replace("'", ""): float(row[1]) for row in rows if len(row) > 1}
