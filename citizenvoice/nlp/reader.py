"""The reader: texts in, readings out, with the words that carried them on demand."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import logit, softmax

from citizenvoice.nlp.calibration import Calibration
from citizenvoice.nlp.clauses import clauses_of
from citizenvoice.nlp.encoder import Encoder
from citizenvoice.nlp.features import Floats, normalise, prompt_of, tokens_of
from citizenvoice.nlp.folders import sha256
from citizenvoice.nlp.language import (
    FEW_WORDS,
    IdentifiedLanguage,
    identify_any,
    identify_language,
    is_same,
)
from citizenvoice.nlp.model import SHIPPED, Model, load_shipped_model
from citizenvoice.nlp.parts import Part
from citizenvoice.nlp.scores import URGENCIES, Scores
from citizenvoice.nlp.sentiment import STANCES, three_shares
from citizenvoice.nlp.themes import Bools, choose_themes

BATCH = 1_000
TIERS = ("default", "accurate")

KNOWN_SHARE = 0.75
"""A text most of whose words are in one language's vocabulary needs no further identification."""

LEAD = 0.3
"""How far that share must be ahead of every other language's."""

FOREIGN = 0.05
"""A text of unknown words is in another language if the enabled ones have less than this probability."""

ONE_SIDED = 0.97
"""Of a comment so clearly on one side, every clause is taken to be on that side."""

WHOLE_SHARE = 0.4
"""How much of a theme's sentiment comes from the whole comment, the rest from the clauses that carry it."""

BOTH_SIDES = 0.2
"""Of the themes of a mixed comment, this share is both praised and blamed."""

MOST_EXPLAINED = 120
"""So many words of a comment are weighed one by one; beyond that, several together."""

_WORD = re.compile(r"[^\W_]+(?:['’\-][^\W_]+)*|[\u2600-\u27bf\U0001f300-\U0001faff]")


@dataclass(frozen=True, slots=True)
class ThemeReading:
    """One theme of a comment, with what is said of it.

    ``sentiment`` is ``neg``, ``neu``, ``mix`` or ``pos``, with its probability. ``is_suggestion``: the
    theme had too few examples to be relied on.
    """

    code: str
    probability: float
    sentiment: str
    sentiment_probability: float
    is_suggestion: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """What the machine read in one comment.

    ``sentiment`` is 1 (very negative) to 5 (very positive) with the calibrated probability of each
    class; None, with nothing else, where the text has no letter or emoji or is in a language that is
    not enabled or not known. ``mixed`` is the probability that both praise and blame are there.
    ``found`` are the themes, likeliest first; ``urgent`` pairs of kind and probability where a person
    should look soon. ``is_confident`` is False where a person should look at the sentiment.
    """

    language: str
    language_probability: float
    sentiment: int | None = None
    sentiment_probabilities: tuple[float, float, float, float, float] | None = None
    found: tuple[ThemeReading, ...] = ()
    mixed: float | None = None
    urgent: tuple[tuple[str, float], ...] = ()
    is_confident: bool = False

    @property
    def themes(self) -> tuple[tuple[str, float], ...]:
        """Pairs of code and probability, likeliest first, without mere suggestions."""
        return tuple((one.code, one.probability) for one in self.found if not one.is_suggestion)

    @property
    def suggestions(self) -> tuple[tuple[str, float], ...]:
        """Pairs of code and probability of rare themes, for a person to confirm."""
        return tuple((one.code, one.probability) for one in self.found if one.is_suggestion)


@dataclass(frozen=True, slots=True)
class Carrier:
    """Words that carried a label: ``text[start:end]``, and by how much the log-odds fall without them."""

    start: int
    end: int
    text: str
    weight: float


@dataclass(frozen=True, slots=True)
class _Asked:
    """What one language's comments of a batch were given with."""

    rows: list[int]
    texts: list[str]
    tokens: list[list[str]]
    prompts: list[str | None]
    ratings: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Read:
    """The calibrated figures of some comments in one language."""

    sentiment: Floats  # (n, 5)
    mixed: Floats  # (n,)
    urgent: Floats  # (n, 5)
    is_urgent: Bools  # (n,)
    themes: Floats  # (n, n_themes)
    stances: Floats | None  # (n, n_themes, 4), from the encoder


class Reader:
    """Reads comments with one model, blended with an encoder if there is one.

    ``languages`` are those enabled where the comments were given. ``use_prompts`` and ``use_ratings``
    say whether the question and the rating may change what is read. ``confidence`` in [0, 1] replaces
    the probability from which the model's own calibration calls a sentiment sure.
    """

    def __init__(
        self,
        model: Model,
        *,
        languages: Sequence[str] | None = None,
        encoder: Encoder | None = None,
        use_prompts: bool = True,
        use_ratings: bool = True,
        confidence: float | None = None,
    ) -> None:
        self.model = model
        self.encoder = encoder
        self.languages = tuple(languages or model.languages)
        self.use_prompts = use_prompts
        self.use_ratings = use_ratings
        self.confidence = confidence

    @property
    def name(self) -> str:
        """The name of the model, and of the encoder it is blended with."""
        return self.model.name if self.encoder is None else f"{self.model.name}+{self.encoder.layout.name}"

    @property
    def digest(self) -> str:
        """The digest of everything that reads."""
        if self.encoder is None:
            return self.model.digest
        return sha256(f"{self.model.digest} {self.encoder.digest}".encode())

    def read(
        self,
        texts: Sequence[str],
        *,
        prompts: Sequence[str | None] | None = None,
        languages: Sequence[str | None] | None = None,
        ratings: Sequence[int | None] | None = None,
    ) -> list[Reading]:
        """Read comments, in the order given.

        Parameters
        ----------
        texts : sequence of str, length n
        prompts : sequence of str or None, length n, optional
            What was asked for: one of ``features.PROMPTS``, or "other".
        languages : sequence of str or None, length n, optional
            Language of the form each text was typed into.
        ratings : sequence of int or None, length n, optional
            1 (worst) to 5 (best), given with the comment.

        Raises
        ------
        ValueError
            If the lengths differ, or a prompt or rating is unknown.
        """
        n = len(texts)
        prompts, languages, ratings = prompts or [None] * n, languages or [None] * n, ratings or [None] * n
        if not n == len(prompts) == len(languages) == len(ratings):
            raise ValueError("There must be one prompt, one language and one rating for each text.")
        if any(rating is not None and rating not in range(1, 6) for rating in ratings):
            raise ValueError("A rating is 1 (worst) to 5 (best).")
        readings: list[Reading] = []
        for start in range(0, n, BATCH):
            rows = slice(start, start + BATCH)
            readings += self._read_batch(texts[rows], prompts[rows], languages[rows], ratings[rows])
        return readings

    def _read_batch(
        self,
        texts: Sequence[str],
        prompts: Sequence[str | None],
        languages: Sequence[str | None],
        ratings: Sequence[int | None],
    ) -> list[Reading]:
        tokens = [tokens_of(normalise(text)) for text in texts]
        found = [self._identify(*given) for given in zip(texts, tokens, languages, strict=True)]
        readings = [Reading(one.language, one.probability) for one in found]
        asked = [prompt_of(prompt) if self.use_prompts else None for prompt in prompts]
        given = np.array([(rating or 0) if self.use_ratings else 0 for rating in ratings], dtype=np.int64)
        readable = [
            self._part_of(one) if _is_readable(text) else "" for one, text in zip(found, texts, strict=True)
        ]
        for language in sorted({language for language in readable if language}):
            rows = [row for row, one in enumerate(readable) if one == language]
            ours = _Asked(
                rows,
                [texts[i] for i in rows],
                [tokens[i] for i in rows],
                [asked[i] for i in rows],
                given[rows],
            )
            for row, reading in zip(
                rows, self._read_language(language, ours, [found[i] for i in rows]), strict=True
            ):
                readings[row] = reading
        return readings

    def _part_of(self, found: IdentifiedLanguage) -> str:
        """Return which of the model's languages reads a comment; empty if none does."""
        if not self._is_enabled(found.language):
            return ""
        return next((own for own in self.model.parts if is_same(own, found.language)), "")

    def _identify(self, text: str, tokens: Sequence[str], form_language: str | None) -> IdentifiedLanguage:
        """Tell the language of a text: by its words where they are known, else by its letters.

        A text is given to an enabled language unless it plainly is in another.
        """
        n_words = sum(token[0].isalpha() for token in tokens)
        shares = sorted(
            ((part.known_share(tokens), own) for own, part in self.model.parts.items()), reverse=True
        )
        best, own = shares[0]
        lead = best - (shares[1][0] if len(shares) > 1 else 0.0)
        is_told_by_words = n_words >= FEW_WORDS or form_language is None
        if is_told_by_words and best >= KNOWN_SHARE and lead >= LEAD:
            return IdentifiedLanguage(self._as_enabled(own), best)
        if n_words >= FEW_WORDS or (not best and _is_mostly_beyond_latin(text)):
            widely, enabled = identify_any(text, self.languages)
            ours = max((share for share, own in shares if self._is_enabled(own)), default=0.0)
            if not self._is_enabled(widely.language) and enabled < FOREIGN and ours < KNOWN_SHARE:
                return widely
        return identify_language(text, self.languages, form_language=form_language)

    def _is_enabled(self, language: str) -> bool:
        return any(is_same(language, one) for one in self.languages)

    def _as_enabled(self, own: str) -> str:
        """Return a language of the model as it was enabled, with its country; itself where it was not."""
        return next((one for one in self.languages if is_same(one, own)), own)

    def _scores(self, language: str, ours: _Asked) -> tuple[Scores, Calibration]:
        part, codebook = self.model.parts[language], self.model.codebook
        said = part.scores_of_tokens(ours.tokens, ours.texts, ours.prompts, codebook)
        if self.encoder is None or language not in self.encoder.layout.calibrations:
            return said, part.calibration
        layout = self.encoder.layout
        more = self.encoder.scores(ours.texts, ours.prompts, codebook, self.model.theme_codes)
        return more.blend(said, layout.share), layout.calibrations[language]

    def _figures(self, language: str, ours: _Asked) -> tuple[_Read, Calibration]:
        said, calibration = self._scores(language, ours)
        codebook = self.model.codebook
        themes = calibration.themes.get(codebook, self.model.parts[language].calibration.themes[codebook])
        alarm = calibration.urgency.probabilities(said.alarm[:, np.newaxis])
        read = _Read(
            sentiment=calibration.sentiment.probabilities(said.sentiment, ours.ratings),
            mixed=calibration.mixed.probabilities(said.mixed[:, np.newaxis])[:, 0],
            urgent=alarm * softmax(said.urgency, axis=1),
            is_urgent=alarm[:, 0] >= calibration.urgency.thresholds[0],
            themes=themes.probabilities(said.themes),
            stances=None if said.stances is None else np.asarray(softmax(said.stances, axis=2)),
        )
        return read, Calibration(
            calibration.sentiment, calibration.mixed, calibration.urgency, {codebook: themes}
        )

    def _read_language(
        self, language: str, ours: _Asked, found: Sequence[IdentifiedLanguage]
    ) -> list[Reading]:
        read, calibration = self._figures(language, ours)
        themes = calibration.themes[self.model.codebook]
        chosen = choose_themes(read.themes, themes.thresholds)
        decided = calibration.sentiment.decide(read.sentiment)
        shares = three_shares(read.sentiment)
        sure = calibration.sentiment.confident if self.confidence is None else self.confidence
        is_sure = shares[np.arange(len(shares)), np.sign(decided - 3) + 1] >= sure
        stances = self._stances(self.model.parts[language], ours, read, chosen)
        return [
            Reading(
                language=found[i].language,
                language_probability=found[i].probability,
                sentiment=int(decided[i]),
                sentiment_probabilities=_five(read.sentiment[i]),
                found=self._themes(read.themes[i], chosen[i], stances[i], themes.is_rare),
                mixed=float(read.mixed[i]),
                urgent=_urgencies(read.urgent[i]) if read.is_urgent[i] else (),
                is_confident=bool(is_sure[i]),
            )
            for i in range(len(found))
        ]

    def _themes(
        self, probabilities: Floats, chosen: Bools, stances: Floats, is_rare: Bools
    ) -> tuple[ThemeReading, ...]:
        likeliest = sorted(np.flatnonzero(chosen), key=lambda theme: -probabilities[theme])
        return tuple(
            ThemeReading(
                self.model.theme_codes[theme],
                float(probabilities[theme]),
                STANCES[int(stances[theme].argmax())],
                float(stances[theme].max()),
                bool(is_rare[theme]),
            )
            for theme in likeliest
        )

    def _stances(self, part: Part, ours: _Asked, read: _Read, chosen: Bools) -> Floats:
        """Return what is said of each theme, shape ``(n, n_themes, 4)``, from the clauses that carry it."""
        shares = three_shares(read.sentiment)
        clauses = [
            clauses_of(text) if is_about.any() and share.max() < ONE_SIDED else []
            for text, is_about, share in zip(ours.texts, chosen, shares, strict=True)
        ]
        several = [i for i, cut in enumerate(clauses) if len(cut) > 1]
        n_themes = read.themes.shape[1]
        four = np.repeat(_four(shares, read.mixed)[:, np.newaxis], n_themes, axis=1)
        if several:
            said = part.scores(
                [clause for i in several for clause in clauses[i]],
                [ours.prompts[i] for i in several for _ in clauses[i]],
                self.model.codebook,
            )
            own = part.calibration
            mixed = own.mixed.probabilities(said.mixed[:, np.newaxis])[:, 0]
            of_clause = _four(three_shares(own.sentiment.probabilities(said.sentiment)), mixed)
            about = own.themes[self.model.codebook].probabilities(said.themes) ** 2
            start = 0
            for i in several:
                rows = slice(start, start + len(clauses[i]))
                start = rows.stop
                weight = about[rows] / about[rows].sum(axis=0)
                four[i] = WHOLE_SHARE * four[i] + (1 - WHOLE_SHARE) * weight.T @ of_clause[rows]
        return four if read.stances is None else np.asarray((four + read.stances) / 2, dtype=np.float32)

    def explain(
        self,
        text: str,
        *,
        prompt: str | None = None,
        language: str | None = None,
        rating: int | None = None,
        most: int = 8,
    ) -> dict[str, tuple[Carrier, ...]]:
        """Return, for each label read in a text, the words that carried it, heaviest first.

        Labels are ``sentiment``, the codes of themes, and ``urgent``. The weight of a word is by how much
        the log-odds of the label fall when it is left out: what the reader went by, whichever the tier.

        Raises
        ------
        ValueError
            If the prompt or rating is unknown.
        """
        reading = self.read([text], prompts=[prompt], languages=[language], ratings=[rating])[0]
        if reading.sentiment is None:
            return {}
        spans = _spans(text)
        without = [text, *(f"{text[:start]} {text[end:]}" for start, end in spans)]
        asked = prompt_of(prompt) if self.use_prompts else None
        given = np.full(len(without), (rating or 0) if self.use_ratings else 0, dtype=np.int64)
        tokens = [tokens_of(normalise(one)) for one in without]
        known = self._part_of(IdentifiedLanguage(reading.language, 1.0))
        ours = _Asked(list(range(len(without))), without, tokens, [asked] * len(without), given)
        read, _ = self._figures(known, ours)
        labels = {"sentiment": three_shares(read.sentiment)[:, int(np.sign(reading.sentiment - 3)) + 1]}
        labels |= {one.code: read.themes[:, self.model.theme_codes.index(one.code)] for one in reading.found}
        if reading.urgent:
            labels["urgent"] = read.urgent.sum(axis=1)
        return {label: _carriers(text, spans, p, most) for label, p in labels.items()}


def load_reader(
    codebook: str, tier: str = "default", *, languages: Sequence[str] | None = None, **options: Any
) -> Reader:
    """Load a shipped reader.

    Parameters
    ----------
    codebook : str
    tier : str
        "default", "accurate", or the path of a folder with another encoder to blend with the default.
    languages : sequence of str, optional
        Those enabled; by default all the model knows.
    options
        As of `Reader`.

    Raises
    ------
    DamagedModelError
        If a file is missing or was changed.
    EncoderMissingError
        If the tier needs packages that are not installed.
    """
    model = load_shipped_model(codebook)
    return Reader(model, languages=languages, encoder=load_encoder(tier), **options)


def load_encoder(tier: str) -> Encoder | None:
    """Load the encoder of a tier, once a process; none for the default tier."""
    if tier == "default":
        return None
    return _encoder(SHIPPED / "accurate" if tier == "accurate" else Path(tier))


@lru_cache(maxsize=2)
def _encoder(folder: Path) -> Encoder:
    return Encoder(folder)


def _five(row: Floats) -> tuple[float, float, float, float, float]:
    very_negative, negative, neutral, positive, very_positive = map(float, row)
    return very_negative, negative, neutral, positive, very_positive


def _urgencies(row: Floats) -> tuple[tuple[str, float], ...]:
    """Return the likeliest kind, and others at least half as likely."""
    order = np.argsort(-row, kind="stable")
    return tuple((URGENCIES[kind], float(row[kind])) for kind in order if row[kind] >= row.max() / 2)


def _four(sides: Floats, mixed: Floats) -> Floats:
    """Return what is said of one theme ``(n, 4)`` from three sides ``(n, 3)`` and mixed ``(n,)``.

    Where praise and blame are both there, most themes have one of the two.
    """
    both = sides[:, 1] * mixed
    one = both * (1 - BOTH_SIDES) / 2
    return np.stack([sides[:, 0] + one, sides[:, 1] - both, both * BOTH_SIDES, sides[:, 2] + one], axis=1)


def _is_readable(text: str) -> bool:
    """Tell whether there is a letter or an emoji; figures and punctuation say nothing."""
    return any(character.isalpha() or ord(character) > 0x2600 for character in text)


def _is_mostly_beyond_latin(text: str) -> bool:
    letters = [character for character in text[:200] if character.isalpha()]
    return 2 * sum(ord(letter) > 0x24F for letter in letters) > len(letters)


def _spans(text: str) -> list[tuple[int, int]]:
    """Return where the words of a text stand; runs of several in a long one."""
    words = [found.span() for found in _WORD.finditer(text)]
    together = -(-len(words) // MOST_EXPLAINED)
    return [
        (words[i][0], words[min(i + together, len(words)) - 1][1])
        for i in range(0, len(words), together or 1)
    ]


def _carriers(
    text: str, spans: Sequence[tuple[int, int]], probabilities: Floats, most: int
) -> tuple[Carrier, ...]:
    """Return the words whose absence makes a label less likely."""
    odds = logit(np.clip(probabilities.astype(np.float64), 1e-6, 1 - 1e-6))
    carried = [
        Carrier(start, end, text[start:end], float(odds[0] - odd))
        for (start, end), odd in zip(spans, odds[1:], strict=True)
    ]
    heaviest = sorted((one for one in carried if one.weight > 0), key=lambda one: (-one.weight, one.start))
    return tuple(heaviest[:most])
