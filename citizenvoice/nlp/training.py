"""Trains a model: on labels people gave, on what a teacher says, calibrated on comments it had not seen."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass, replace
from functools import partial
from importlib.metadata import version
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.special import expit, softmax
from sklearn.model_selection import StratifiedGroupKFold

from citizenvoice.nlp.calibration import HeldOut, Ints
from citizenvoice.nlp.clauses import clauses_of
from citizenvoice.nlp.codebook import Codebook
from citizenvoice.nlp.encoder import Encoder
from citizenvoice.nlp.examples import Example
from citizenvoice.nlp.features import Floats, Rows, TextFeatures, normalise, tokens_of
from citizenvoice.nlp.lexicon import english_valence
from citizenvoice.nlp.linear import Linear, fit_labels, fit_shares
from citizenvoice.nlp.model import Model
from citizenvoice.nlp.parts import Alarms, Maps, Part, scores_of, shipped_alarms
from citizenvoice.nlp.scores import URGENCIES, Scores
from citizenvoice.nlp.sentiment import CLASSES
from citizenvoice.nlp.themes import Bools

FOLDS = 4
LONGEST_CLAUSE = 25
KEPT_PROMPT = 0.8
GOLD_OF_ALARMS = 0.8
FEWEST = 30
"""With fewer comments that have a sentiment, a language is not learnt."""

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to train; chosen by grouped cross-validation on the NHS comments and our own."""

    c_sentiment: float = 4.0
    c_labels: float = 10.0
    balance: float = 0.5
    alarm_balance: float = 0.7
    without_prompt: float = 0.4  # weight of each comment once more, without its question
    other_scheme: float = 0.5  # weight of themes that come from another codebook's labels
    gold: float = 0.5  # people's part where there is a teacher
    n_invented: int = 12_000
    invented_weight: float = 0.25
    word_weight: float = 0.1
    max_words: int = 40_000
    max_pieces: int = 25_000


@dataclass(frozen=True)
class Targets:
    """What n comments of one language should be read as, in shares; NaN where nothing is known.

    ``themes`` by codebook ``(n, n_codes)``, with ``theme_weight`` ``(n,)``. Comments with the same
    words under the same question are one, with the mean of what was said and the weight of all.
    """

    texts: list[str]
    prompts: list[str | None]
    groups: list[str]
    weight: Floats
    sentiment: Floats  # (n, 5)
    mixed: Floats  # (n, 1)
    urgency: Floats  # (n, 5)
    themes: dict[str, Floats]
    theme_weight: dict[str, Floats]
    codes: dict[str, tuple[str, ...]]
    ratings: Ints

    def __len__(self) -> int:
        return len(self.texts)


def targets_of(examples: Sequence[Example], codebooks: Sequence[Codebook], recipe: Recipe) -> Targets:
    """Turn examples into what a model should learn from them."""
    together: dict[tuple[str, str | None, str], list[Example]] = {}
    for example in examples:
        together.setdefault((normalise(example.text), example.prompt, example.scheme), []).append(example)
    bundles = list(together.values())
    firsts = [bundle[0] for bundle in bundles]

    def mean(width: int, of: Callable[[Example], Floats]) -> Floats:
        rows = np.array([_mean([of(example) for example in bundle]) for bundle in bundles], dtype=np.float32)
        return rows.reshape(len(bundles), width)

    return Targets(
        texts=[first.text for first in firsts],
        prompts=[first.prompt for first in firsts],
        groups=[first.group for first in firsts],
        weight=np.sqrt([len(bundle) for bundle in bundles]).astype(np.float32),
        sentiment=mean(len(CLASSES), _sentiment_shares),
        mixed=mean(1, lambda e: np.array([np.nan if e.mixed is None else float(e.mixed)], dtype=np.float32)),
        urgency=mean(len(URGENCIES), _urgency_shares),
        themes={book.key: mean(len(book.codes), partial(_theme_shares, codebook=book)) for book in codebooks},
        theme_weight={
            book.key: np.array(
                [1.0 if first.scheme == book.key else recipe.other_scheme for first in firsts],
                dtype=np.float32,
            )
            for book in codebooks
        },
        codes={book.key: book.codes for book in codebooks},
        ratings=np.array([first.rating or 0 for first in firsts], dtype=np.int64),
    )


def _mean(rows: Sequence[Floats]) -> Floats:
    """Return the mean of what is known, NaN where nothing is."""
    stacked = np.stack(rows)
    n_known = (~np.isnan(stacked)).sum(axis=0)
    return np.where(n_known > 0, np.nansum(stacked, axis=0) / np.maximum(n_known, 1), np.nan).astype(
        np.float32
    )


def _sentiment_shares(example: Example) -> Floats:
    if example.sentiment is None:
        return np.full(len(CLASSES), np.nan, dtype=np.float32)
    shares = np.zeros(len(CLASSES), dtype=np.float32)
    shares[example.sentiment - 1] = 1
    if example.is_coarse and example.sentiment != 3:  # only the side is known
        shares = np.array(
            [0.5, 0.5, 0, 0, 0] if example.sentiment < 3 else [0, 0, 0, 0.5, 0.5], dtype=np.float32
        )
    return shares


def _urgency_shares(example: Example) -> Floats:
    if example.urgent is None:
        return np.full(len(URGENCIES), np.nan, dtype=np.float32)
    return np.array([kind == example.urgent for kind in URGENCIES], dtype=np.float32)


def _theme_shares(example: Example, codebook: Codebook) -> Floats:
    if example.themes is None or (
        example.scheme != codebook.key and example.scheme not in codebook.crosswalks
    ):
        return np.full(len(codebook.codes), np.nan, dtype=np.float32)
    given = codebook.codes_of(example.themes)
    left_open = codebook.open_codes(example.themes, example.scheme)
    return np.array(
        [np.nan if code in left_open else float(code in given) for code in codebook.codes], dtype=np.float32
    )


def train(
    examples: Sequence[Example],
    *,
    name: str,
    codebooks: Sequence[Codebook],
    recipe: Recipe | None = None,
    teacher: Encoder | None = None,
    progress: Progress = print,
) -> Model:
    """Train a model, one part for each language.

    Parameters
    ----------
    examples : sequence of Example
        Those with sentiment train sentiment, those with themes the themes of each codebook that knows
        their labels; labels it does not know are passed over.
    name : str
    codebooks : sequence of Codebook
        At least one; the first is the one the model reads with unless told otherwise.
    recipe : Recipe, optional
    teacher : Encoder, optional
        Its probabilities are learnt beside the labels. Calibration is on models without a teacher: it
        has seen every comment.
    progress : callable, optional
        Told in a sentence what is being done.

    Returns
    -------
    Model
        Not saved; its ``facts`` hold the digest of the data and the versions used.

    Raises
    ------
    ValueError
        If no language has enough comments of two groups and two sentiments, or no comment a theme.

    Notes
    -----
    The same examples in the same order give the same model.
    """
    recipe = recipe or Recipe()
    parts = {}
    for language in sorted({example.language for example in examples}):
        ours = [example for example in examples if example.language == language]
        known = list({normalise(example.text): example for example in ours if example.sentiment}.values())
        if len(known) < FEWEST or len({e.sentiment for e in known}) < 2 or len({e.group for e in known}) < 2:
            progress(f"{language}: too few comments to learn from.")
            continue
        books = [book for book in codebooks if np.nansum(_all_themes(ours, book)) > 0]
        if books:
            parts[language] = _train_part(ours, books, language, recipe, teacher, progress)
    if not parts:
        raise ValueError(
            f"There must be {FEWEST} comments in one language with a sentiment, from two respondents and of"
            " two kinds, and themes of the codebook."
        )
    return Model(
        name=name,
        codebook=codebooks[0].key,
        codebooks={book.key: book.version for book in codebooks},
        codes={book.key: book.codes for book in codebooks},
        parts=parts,
        facts=_facts(examples, codebooks, teacher),
    )


def _all_themes(examples: Sequence[Example], codebook: Codebook) -> Floats:
    return np.array([_theme_shares(example, codebook) for example in examples])


def _train_part(
    examples: Sequence[Example],
    codebooks: Sequence[Codebook],
    language: str,
    recipe: Recipe,
    teacher: Encoder | None,
    progress: Progress,
) -> Part:
    targets = targets_of(examples, codebooks, recipe)
    progress(f"{language}: choosing the vocabulary from {len(targets)} comments.")
    teacher = teacher if teacher is not None and language in teacher.layout.languages else None
    lessons = Lessons.invented(targets, teacher, recipe) if teacher else Lessons()
    features = TextFeatures.fit(
        [*targets.texts, *lessons.texts],
        english_valence() if language == "en" else {},
        max_words=recipe.max_words,
        max_pieces=recipe.max_pieces,
    )
    alarms = shipped_alarms(language)
    learner = Learner(features, alarms, recipe, targets)
    n_folds = min(FOLDS, len(set(targets.groups)))
    held_out = learner.held_out(n_folds, lambda n: progress(f"{language}: fold {n} of {n_folds}."))
    progress(f"{language}: fitting all comments.")
    maps = learner.fit(np.arange(len(targets)), teacher=teacher, lessons=lessons)
    return Part(features, alarms, maps, held_out.calibrate())


@dataclass(frozen=True)
class Lessons:
    """Texts without labels, with their questions and weights, for a teacher to read aloud."""

    texts: tuple[str, ...] = ()
    prompts: tuple[str | None, ...] = ()
    weight: tuple[float, ...] = ()

    @classmethod
    def invented(cls, targets: Targets, teacher: Encoder, recipe: Recipe) -> "Lessons":
        """Put clauses of comments together anew, and add the words the teacher knows, one by one.

        The same targets give the same lessons.
        """
        random = np.random.default_rng(0)
        pool = [
            (clause, prompt)
            for text, prompt in zip(targets.texts, targets.prompts, strict=True)
            for clause in clauses_of(text)
            if len(clause.split()) <= LONGEST_CLAUSE
        ]
        made = [_invented(pool, random) for _ in range(recipe.n_invented)]
        words = teacher.words()
        return cls(
            (*(text for text, _ in made), *words),
            (*(prompt for _, prompt in made), *[None] * len(words)),
            (*[recipe.invented_weight] * len(made), *[recipe.word_weight] * len(words)),
        )


def _invented(pool: Sequence[tuple[str, str | None]], random: np.random.Generator) -> tuple[str, str | None]:
    """Join one to three clauses; the question is that of the first, or none."""
    n_clauses = random.choice([1, 2, 3], p=[0.35, 0.45, 0.2])
    chosen = [pool[i] for i in random.integers(len(pool), size=n_clauses)]
    joint = random.choice([". ", ", ", " but ", " and ", " "], p=[0.35, 0.2, 0.2, 0.15, 0.1])
    return joint.join(clause for clause, _ in chosen), chosen[0][1] if random.random() < KEPT_PROMPT else None


@dataclass(frozen=True)
class _Wanted:
    """Rows of features with what should be read there, for one fit."""

    rows: Rows
    alarms: Floats
    weight: Floats
    sentiment: Floats
    mixed: Floats
    urgency: Floats
    themes: dict[str, Floats]
    theme_weight: dict[str, Floats]
    codes: dict[str, tuple[str, ...]]

    def joined(self, other: "_Wanted") -> "_Wanted":
        """Return both, one after the other."""
        return _Wanted(
            rows=sparse.vstack([self.rows, other.rows]).tocsr(),
            alarms=np.concatenate([self.alarms, other.alarms]),
            weight=np.concatenate([self.weight, other.weight]),
            sentiment=np.concatenate([self.sentiment, other.sentiment]),
            mixed=np.concatenate([self.mixed, other.mixed]),
            urgency=np.concatenate([self.urgency, other.urgency]),
            themes=_one_after_the_other(self.themes, other.themes),
            theme_weight=_one_after_the_other(self.theme_weight, other.theme_weight),
            codes=self.codes,
        )


def _one_after_the_other(first: dict[str, Floats], second: dict[str, Floats]) -> dict[str, Floats]:
    return {key: np.concatenate([rows, second[key]]) for key, rows in first.items()}


@dataclass
class Learner:
    """The rows of all comments of one language, from which maps are fitted to some of them."""

    features: TextFeatures
    alarms: Alarms
    recipe: Recipe
    targets: Targets

    def __post_init__(self) -> None:
        documents = [tokens_of(normalise(text)) for text in self.targets.texts]
        self.rows: Rows = self.features.rows_of(documents, self.targets.texts, self.targets.prompts)
        self.plain: Rows = self.features.rows_of(documents, self.targets.texts, [None] * len(documents))
        self.alarm_rows = self.alarms.rows(documents)

    def fit(
        self,
        kept: npt.NDArray[np.int64],
        *,
        teacher: Encoder | None = None,
        lessons: Lessons | None = None,
        share: float = 1.0,
    ) -> Maps:
        """Fit to some comments, and to what a teacher says of them and of lessons.

        ``share`` of the usual steps are taken.
        """
        t = self.targets
        wanted = _Wanted(
            rows=self.rows[kept],
            alarms=self.alarm_rows[kept],
            weight=t.weight[kept],
            sentiment=t.sentiment[kept],
            mixed=t.mixed[kept],
            urgency=t.urgency[kept],
            themes={key: labels[kept] for key, labels in t.themes.items()},
            theme_weight={key: weight[kept] for key, weight in t.theme_weight.items()},
            codes=t.codes,
        )
        asked = np.array([prompt is not None for prompt in t.prompts])[kept]
        if teacher is not None:
            texts, prompts = [t.texts[i] for i in kept], [t.prompts[i] for i in kept]
            wanted = _taught(wanted, teacher, texts, prompts, self.recipe.gold)
            if lessons is not None and lessons.texts:
                wanted = wanted.joined(self._read_aloud(lessons, teacher))
        return self._fit(wanted, self.plain[kept], asked, share)

    def _read_aloud(self, lessons: Lessons, teacher: Encoder) -> _Wanted:
        """Return lessons with what the teacher says of them."""
        n = len(lessons.texts)
        documents = [tokens_of(normalise(text)) for text in lessons.texts]
        empty = _Wanted(
            rows=self.features.rows_of(documents, lessons.texts, lessons.prompts),
            alarms=self.alarms.rows(documents),
            weight=np.array(lessons.weight, dtype=np.float32),
            sentiment=np.full((n, len(CLASSES)), np.nan, dtype=np.float32),
            mixed=np.full((n, 1), np.nan, dtype=np.float32),
            urgency=np.full((n, len(URGENCIES)), np.nan, dtype=np.float32),
            themes={
                key: np.full((n, labels.shape[1]), np.nan, dtype=np.float32)
                for key, labels in self.targets.themes.items()
            },
            theme_weight={key: np.ones(n, dtype=np.float32) for key in self.targets.themes},
            codes=self.targets.codes,
        )
        return _taught(empty, teacher, lessons.texts, lessons.prompts, 0.0)

    def _fit(self, wanted: _Wanted, plain: Rows, asked: Bools, share: float) -> Maps:
        """Fit every map; ``plain`` are the first rows once more without their question, where ``asked``."""
        recipe, n = self.recipe, len(asked)
        known = np.logical_not(np.isnan(wanted.sentiment).any(axis=1))
        again = np.flatnonzero(np.logical_and(known[:n], asked))
        rows = wanted.rows[:, : self.features.n_plain]
        alarmed = sparse.hstack([rows, sparse.csr_matrix(wanted.alarms)], format="csr", dtype=np.float32)
        steps = round(60 * share)
        return Maps(
            sentiment=fit_shares(
                sparse.vstack([wanted.rows[known], plain[again]]).tocsr(),
                np.vstack([wanted.sentiment[known], wanted.sentiment[again]]),
                np.concatenate([wanted.weight[known], recipe.without_prompt * wanted.weight[again]]),
                c=recipe.c_sentiment,
                iterations=2 * steps,
            ),
            mixed=_labels(rows, wanted.mixed, wanted.weight, recipe.c_labels, recipe.balance, steps),
            urgency=_labels(
                alarmed, wanted.urgency, wanted.weight, recipe.c_labels, recipe.alarm_balance, steps
            ),
            themes={
                key: _labels(
                    rows,
                    labels,
                    wanted.weight * wanted.theme_weight[key],
                    recipe.c_labels,
                    recipe.balance,
                    steps,
                )
                for key, labels in wanted.themes.items()
            },
        )

    def held_out(self, n_folds: int, progress: Callable[[int], None]) -> HeldOut:
        """Score every comment by maps fitted to comments of other groups."""
        t = self.targets
        classes = np.where(np.isnan(t.sentiment).any(axis=1), 0, t.sentiment.argmax(axis=1) + 1)
        keys = list(t.themes)
        said: dict[str, list[Scores]] = {key: [] for key in keys}
        order: list[npt.NDArray[np.int64]] = []
        splitter = StratifiedGroupKFold(n_folds, shuffle=True, random_state=42)
        strata = strata_of(classes, n_folds)
        for number, (seen, tested) in enumerate(splitter.split(strata, strata, t.groups), start=1):
            progress(number)
            maps = self.fit(seen, share=0.6)
            order.append(tested)
            for key in keys:
                said[key].append(scores_of(self.rows[tested], self.alarm_rows[tested], maps, key))
        back = np.argsort(np.concatenate(order))
        scores = {key: Scores.joined(said[key]).rows(back) for key in keys}
        return HeldOut(
            scores=scores[keys[0]],
            classes=np.asarray(classes, dtype=np.int64),
            ratings=t.ratings,
            mixed=_known_or_less(t.mixed[:, 0]),
            urgent=_known_or_less(t.urgency.max(axis=1)),
            themes={key: (scores[key].themes, t.themes[key] >= 0.5, self._fully_coded(key)) for key in keys},
        )

    def _fully_coded(self, key: str) -> Bools:
        """Return which comments were coded with this codebook itself; if none, with any part of it."""
        labels = self.targets.themes[key]
        unknown = np.isnan(labels)
        full, some = unknown.sum(axis=1) == 0, unknown.sum(axis=1) < labels.shape[1]
        return np.asarray(full if full.any() else some, dtype=np.bool_)


def _labels(rows: Rows, wanted: Floats, weight: Floats, c: float, balance: float, steps: int) -> Linear:
    """Fit labels where any is known; a map that never gives one where none is."""
    has = ~np.isnan(wanted).all(axis=1)
    if not has.any():
        n_labels = wanted.shape[1]
        return Linear(np.zeros((rows.shape[1], n_labels), np.float32), np.full(n_labels, -30.0, np.float32))
    return fit_labels(rows[has], wanted[has], weight[has], c=c, balance=balance, iterations=steps)


def _taught(
    wanted: _Wanted,
    teacher: Encoder,
    texts: Sequence[str],
    prompts: Sequence[str | None],
    gold: float,
) -> _Wanted:
    """Return the means of what people and the teacher say; the teacher alone where people said nothing."""
    themes, taught = {}, wanted
    for key, labels in wanted.themes.items():
        said = teacher.scores(texts, prompts, key, wanted.codes[key])
        themes[key] = _mixture(labels, expit(said.themes), gold)
        taught = replace(
            wanted,
            sentiment=_mixture(wanted.sentiment, softmax(said.sentiment, axis=1), gold),
            mixed=_mixture(wanted.mixed, expit(said.mixed[:, np.newaxis]), gold),
            urgency=_mixture(wanted.urgency, expit(said.urgency), max(gold, GOLD_OF_ALARMS)),
        )
    return replace(taught, themes=themes)


def _mixture(gold: Floats, taught: Floats, share: float) -> Floats:
    """Mix shares; where one of the two says nothing (NaN), the other stands."""
    mixed = share * gold + (1 - share) * taught
    known = np.where(np.isnan(gold), taught, np.where(np.isnan(taught), gold, mixed))
    return np.asarray(known, dtype=np.float32)


def _known_or_less(values: Floats) -> Ints:
    """Return 1, 0, or -1 where nothing is known."""
    return np.where(np.isnan(values), -1, np.nan_to_num(values) >= 0.5).astype(np.int64)


def _facts(
    examples: Sequence[Example], codebooks: Sequence[Codebook], teacher: Encoder | None
) -> dict[str, Any]:
    digest = hashlib.sha256()
    for example in examples:
        digest.update(repr(astuple(example)).encode("utf-8", errors="surrogatepass"))
    return {
        "training_data_sha256": digest.hexdigest(),
        "data_digest": digest.hexdigest(),
        "n_comments": len(examples),
        "n_with_sentiment": sum(example.sentiment is not None for example in examples),
        "n_with_themes": {
            book.key: sum(example.themes is not None and example.scheme == book.key for example in examples)
            for book in codebooks
        },
        "teacher": "" if teacher is None else teacher.digest,
        "versions": {package: version(package) for package in ("scikit-learn", "scipy", "numpy")},
    }


def strata_of(classes: npt.NDArray[np.int64], n_folds: int) -> npt.NDArray[np.int64]:
    """Return the classes to spread evenly over folds: those too rare for that count as the commonest.

    >>> strata_of(np.array([0, 5, 5, 5, 1, 1]), 2).tolist()
    [5, 5, 5, 5, 1, 1]
    """
    found, places, counts = np.unique(classes, return_inverse=True, return_counts=True)
    return np.where(counts >= n_folds, found, found[counts.argmax()])[places]
