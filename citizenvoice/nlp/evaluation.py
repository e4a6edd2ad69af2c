"""How well a reader reads comments that people labelled, beside the simplest ways of guessing."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.model_selection import StratifiedGroupKFold

from citizenvoice.nlp.calibration import expected_error
from citizenvoice.nlp.codebook import Codebook
from citizenvoice.nlp.examples import Example
from citizenvoice.nlp.features import Floats, normalise
from citizenvoice.nlp.reader import Reader
from citizenvoice.nlp.sentiment import CLASSES, STANCES, three_classes
from citizenvoice.nlp.themes import Bools, label_matrix
from citizenvoice.nlp.training import train

LEXICONS = Path(__file__).parent / "lexicons"

FOLDS = 5
RESAMPLES = 1_000
AT_ONCE = 500
STEADY = 10
"""Themes with fewer examples than this are left out of the steadier mean of F1."""

MOST_CONFIDENT = 0.8
DIRECTION_SAMPLE = 400
FEWEST_TO_TELL = 10
CONTRARY = -0.2
UNREAD = 0
"""The class of a comment that was not read: never right."""

Ints = npt.NDArray[np.int64]
Measure = Callable[[Ints], float]
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured share in [0, 1] with its 95 % interval over resampled respondents."""

    value: float
    lower: float
    upper: float

    def __str__(self) -> str:
        return f"{self.value:.3f} ({self.lower:.3f} to {self.upper:.3f})"


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Figures by method and measure, on ``n_sentiment`` and ``n_themes`` comments.

    ``themes`` holds F1 and number of comments by theme code.
    """

    n_sentiment: int
    n_themes: int
    figures: dict[str, dict[str, Figure]]
    themes: dict[str, tuple[float, int]] = field(default_factory=dict)
    n_unread: int = 0

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "n_sentiment": self.n_sentiment,
            "n_themes": self.n_themes,
            "n_unread": self.n_unread,
            "figures": {
                method: {
                    name: {"value": round(f.value, 4), "lower": round(f.lower, 4), "upper": round(f.upper, 4)}
                    for name, f in measures.items()
                }
                for method, measures in self.figures.items()
            },
            "themes": {code: {"f1": round(f1, 4), "n": n} for code, (f1, n) in self.themes.items()},
        }


@dataclass(frozen=True, slots=True)
class _Said:
    """What was read in some examples: class or ``UNREAD``, confidence in its side, flags, themes."""

    examples: list[Example]
    classes: Ints
    sides: Floats  # probability of the side that is likeliest
    likeliest: Ints  # that side: -1, 0 or 1
    is_urgent: Bools
    themes: Bools
    stances: list[dict[str, str]]
    majority: int


def evaluate(
    examples: Sequence[Example],
    reader: Reader,
    codebook: Codebook,
    *,
    progress: Progress = print,
) -> Evaluation:
    """Score a reader on labelled comments, without training on them.

    Parameters
    ----------
    examples : sequence of Example
    reader : Reader
    codebook : Codebook
        The one the reader reads with.
    progress : callable, optional
        Told in a sentence what is being done.

    Returns
    -------
    Evaluation
        Methods: "model", "majority class" (the commonest label of this very file) and, for English,
        "VADER". Shares in [0, 1].

    Notes
    -----
    Every labelled comment counts, repeated ones too. The intervals come from resampling respondents:
    they say how much the figures depend on who happened to answer, not how the reader does elsewhere.
    A reader that was trained on these comments looks better than it is.
    """
    labelled = [example for example in examples if example.sentiment or example.themes]
    return _figures([_read(labelled, reader, codebook, _majority(labelled), progress)], codebook)


def runs_backwards(examples: Sequence[Example], reader: Reader) -> bool:
    """Tell whether the numbers of a file are plainly turned round, so that 1 is very positive.

    The only thing that the comments themselves are allowed to say about how they are scored: which end of
    the scale is which, from a sample of a few hundred.
    """
    some = [example for example in examples if example.sentiment and not example.is_coarse][:DIRECTION_SAMPLE]
    readings = reader.read([example.text for example in some], languages=[e.language for e in some])
    pairs = np.array(
        [(e.sentiment, r.sentiment) for e, r in zip(some, readings, strict=True) if r.sentiment],
        dtype=np.float64,
    )
    if len(pairs) < FEWEST_TO_TELL or not pairs.std(axis=0).all():
        return False
    return bool(np.asarray(np.corrcoef(pairs.T))[0, 1] < CONTRARY)


def cross_validate(
    examples: Sequence[Example],
    codebook: Codebook,
    *,
    also_train_on: Sequence[Example] = (),
    folds: int = FOLDS,
    first_folds: int = FOLDS,
    use_prompts: bool = True,
    progress: Progress = print,
) -> Evaluation:
    """Cross-validate training by respondent.

    Parameters
    ----------
    examples : sequence of Example
        Tested in turn, each by a model trained on the other folds.
    codebook : Codebook
    also_train_on : sequence of Example, optional
        Added to every training set, never tested.
    folds : int
        Parts the examples are divided into; no group stands in two.
    first_folds : int
        How many of them to test: fewer are quicker and less certain.
    use_prompts : bool
        Whether held-out comments are read with the kind of question they answer.
    progress : callable, optional
        Told in a sentence what is being done.

    Notes
    -----
    A held-out comment whose normalised text occurs in the training set is not tested, and a text is
    tested once.
    """
    said = []
    for seen, tested in _splits(examples, also_train_on, folds, first_folds, progress):
        model = train(seen, name="fold", codebooks=[codebook], progress=lambda _: None)
        languages = sorted({example.language for example in tested})
        reader = Reader(model, languages=languages, use_prompts=use_prompts, use_ratings=False)
        said.append(_read(tested, reader, codebook, _majority(seen), lambda _: None))
    return _figures(said, codebook)


def _majority(examples: Sequence[Example]) -> int:
    known = [example.sentiment for example in examples if example.sentiment]
    return int(np.bincount(known).argmax()) if known else UNREAD


def _splits(
    examples: Sequence[Example],
    also_train_on: Sequence[Example],
    folds: int,
    first_folds: int,
    progress: Progress,
) -> Iterator[tuple[list[Example], list[Example]]]:
    """Yield training and test examples; nothing tested has a text or a respondent that was trained on."""
    labelled = [example for example in examples if example.sentiment or example.themes]
    classes = [example.sentiment or CLASSES[-1] for example in labelled]
    groups = [example.group for example in labelled]
    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=42)
    for fold, (seen, tested) in enumerate(splitter.split(classes, classes, groups)):
        if fold == first_folds:
            return
        progress(f"Fold {fold + 1} of {first_folds}.")
        training = [*(labelled[i] for i in seen), *also_train_on]
        known = {normalise(example.text) for example in training}
        unseen = {normalise(labelled[i].text): labelled[i] for i in reversed(tested)}
        yield training, [example for text, example in unseen.items() if text not in known]


def _read(
    examples: Sequence[Example], reader: Reader, codebook: Codebook, majority: int, progress: Progress
) -> _Said:
    readings = []
    for start in range(0, len(examples), AT_ONCE):
        some = examples[start : start + AT_ONCE]
        readings += reader.read(
            [example.text for example in some],
            prompts=[example.prompt for example in some],
            languages=[example.language for example in some],
            ratings=[example.rating for example in some],
        )
        progress(f"Read {len(readings)} of {len(examples)} comments.")
    known = set(codebook.codes)
    sides = np.array(
        [_sides(reading.sentiment_probabilities) for reading in readings], dtype=np.float32
    ).reshape(-1, 3)
    return _Said(
        examples=list(examples),
        classes=np.array([reading.sentiment or UNREAD for reading in readings], dtype=np.int64),
        sides=sides.max(axis=1),
        likeliest=np.where(sides.sum(axis=1) > 0, sides.argmax(axis=1) - 1, -9).astype(np.int64),
        is_urgent=np.array([bool(reading.urgent) for reading in readings], dtype=np.bool_),
        themes=label_matrix(
            codebook.codes, [[one.code for one in reading.found if one.code in known] for reading in readings]
        ),
        stances=[{one.code: one.sentiment for one in reading.found} for reading in readings],
        majority=majority,
    )


def _sides(p: tuple[float, float, float, float, float] | None) -> tuple[float, float, float]:
    return (0.0, 0.0, 0.0) if p is None else (p[0] + p[1], p[2], p[3] + p[4])


def _figures(said: list[_Said], codebook: Codebook) -> Evaluation:
    figures: dict[str, dict[str, Figure]] = {"model": {}}
    n_sentiment = _add_sentiment_figures(said, figures)
    n_themes, by_theme = _add_theme_figures(said, codebook, figures)
    _add_stance_figures(said, codebook, figures)
    _add_urgency_figures(said, figures)
    n_unread = sum(int((one.classes == UNREAD).sum()) for one in said)
    return Evaluation(n_sentiment, n_themes, figures, by_theme, n_unread)


def _add_sentiment_figures(folds: list[_Said], figures: dict[str, dict[str, Figure]]) -> int:
    rows = [(fold, i) for fold in folds for i, example in enumerate(fold.examples) if example.sentiment]
    if not rows:
        return 0
    examples = [fold.examples[i] for fold, i in rows]
    truth = np.array([example.sentiment for example in examples], dtype=np.int64)
    guess = np.array([fold.classes[i] for fold, i in rows], dtype=np.int64)
    guesses = {
        "model": guess,
        "majority class": np.array([fold.majority for fold, _ in rows], dtype=np.int64),
    }
    resamples = _resamples([example.group for example in examples])
    is_fine = not any(example.is_coarse for example in examples)
    for method, guessed in guesses.items():
        sides = np.where(guessed == UNREAD, -9, three_classes(guessed))
        figures.setdefault(method, {})
        figures[method] |= _classification(three_classes(truth), sides, "3 classes", resamples)
        if is_fine:
            figures[method] |= _classification(truth, guessed, "5 classes", resamples)
            figures[method]["5 classes, within one"] = _within_one(truth, guessed, resamples)
    sure = np.array([fold.sides[i] for fold, i in rows])
    is_right = np.array([fold.likeliest[i] for fold, i in rows]) == three_classes(truth)
    figures["model"]["3 classes, calibration error"] = _figure(
        lambda kept: expected_error(sure[kept], is_right[kept]), len(truth), resamples
    )
    figures["model"]["3 classes, accuracy on the most confident 80 %"] = _figure(
        lambda kept: _accuracy_of_surest(sure[kept], is_right[kept]), len(truth), resamples
    )
    if all(example.language.startswith("en") for example in examples):
        vader = vader_classes([example.text for example in examples])
        figures["VADER"] = _classification(three_classes(truth), vader, "3 classes", resamples)
    return len(examples)


def _within_one(truth: Ints, guess: Ints, resamples: list[Ints]) -> Figure:
    is_near = abs(truth - guess) <= 1
    return _figure(lambda kept: float(is_near[kept].mean()), len(truth), resamples)


def _accuracy_of_surest(sure: Floats, is_right: Bools) -> float:
    n_kept = max(1, round(MOST_CONFIDENT * len(sure)))
    return float(is_right[np.argsort(-sure, kind="stable")[:n_kept]].mean())


def _classification(truth: Ints, guess: Ints, name: str, resamples: list[Ints]) -> dict[str, Figure]:
    classes = np.unique(truth)[:, np.newaxis]
    middle = 0 if name.startswith("3") else 3

    def accuracy(rows: Ints) -> float:
        return float((truth[rows] == guess[rows]).mean())

    def macro_f1(rows: Ints) -> float:
        is_class = truth[rows] == classes, guess[rows] == classes
        present = is_class[0].any(axis=1) | is_class[1].any(axis=1)
        return float(_f1(is_class[0].T, is_class[1].T)[present].mean())

    found = {f"{name}, accuracy": accuracy, f"{name}, macro-F1": macro_f1}
    if middle == 0:
        found[f"{name}, F1 of neutral or mixed"] = lambda rows: float(_f1(truth[rows] == 0, guess[rows] == 0))
    return {measure: _figure(of, len(truth), resamples) for measure, of in found.items()}


def _add_theme_figures(
    folds: list[_Said], codebook: Codebook, figures: dict[str, dict[str, Figure]]
) -> tuple[int, dict[str, tuple[float, int]]]:
    rows = [
        (fold, i, codebook.codes_of(e.themes or ())) for fold in folds for i, e in enumerate(fold.examples)
    ]
    rows = [row for row in rows if row[2]]
    if not rows:
        return 0, {}
    truth = label_matrix(codebook.codes, [codes for _, _, codes in rows])
    guess = np.stack([fold.themes[i] for fold, i, _ in rows])
    resamples = _resamples([fold.examples[i].group for fold, i, _ in rows])
    support = truth.sum(axis=0)

    def over(columns: Bools) -> Measure:
        return lambda kept: float(_f1_by_theme(truth[kept], guess[kept])[columns].mean())

    measures: dict[str, Measure] = {
        "themes, micro-F1": lambda kept: float(_f1(truth[kept].ravel(), guess[kept].ravel())),
        "themes, macro-F1": over(support > 0),
        f"themes with {STEADY} or more, macro-F1": over(support >= min(STEADY, support.max())),
        "themes, all right": lambda kept: float((truth[kept] == guess[kept]).all(axis=1).mean()),
    }
    figures["model"] |= {name: _figure(measure, len(rows), resamples) for name, measure in measures.items()}
    commonest = np.broadcast_to(support == support.max(), truth.shape)
    figures.setdefault("majority class", {})["themes, micro-F1"] = _figure(
        lambda kept: float(_f1(truth[kept].ravel(), commonest[kept].ravel())), len(rows), resamples
    )
    f1 = _f1_by_theme(truth, guess)
    return len(rows), {code: (float(f1[i]), int(support[i])) for i, code in enumerate(codebook.codes)}


def _add_stance_figures(
    folds: list[_Said], codebook: Codebook, figures: dict[str, dict[str, Figure]]
) -> None:
    """Measure what is said of each theme, where the theme was found; neutral and mixed as one."""
    pairs = [
        (example.group, STANCES.index(stance), STANCES.index(said[code]))
        for fold in folds
        for example, said in zip(fold.examples, fold.stances, strict=True)
        for label, stance in example.stances
        if (code := codebook.find_code(label)) in said
    ]
    if not pairs:
        return
    merged = np.array([-1, 0, 0, 1])
    truth = merged[[true for _, true, _ in pairs]]
    guess = merged[[guessed for _, _, guessed in pairs]]
    resamples = _resamples([group for group, _, _ in pairs])
    figures["model"]["sentiment of a theme, accuracy"] = _figure(
        lambda kept: float((truth[kept] == guess[kept]).mean()), len(pairs), resamples
    )


def _add_urgency_figures(folds: list[_Said], figures: dict[str, dict[str, Figure]]) -> None:
    rows = [
        (example.group, bool(example.urgent), bool(flag))
        for fold in folds
        for example, flag in zip(fold.examples, fold.is_urgent, strict=True)
        if example.urgent is not None
    ]
    truth = np.array([row[1] for row in rows], dtype=np.bool_)
    if not truth.any():
        return
    flagged = np.array([row[2] for row in rows], dtype=np.bool_)
    resamples = [kept for kept in _resamples([row[0] for row in rows]) if truth[kept].any()]
    figures["model"]["urgent comments, recall"] = _figure(
        lambda kept: float(flagged[kept][truth[kept]].mean()), len(rows), resamples
    )
    figures["model"]["urgent comments, precision"] = _figure(
        lambda kept: float((truth & flagged)[kept].sum() / max(1, flagged[kept].sum())), len(rows), resamples
    )


def _f1_by_theme(truth: Bools, guess: Bools) -> npt.NDArray[np.float64]:
    return np.asarray(_f1(truth, guess), dtype=np.float64)


def _f1(truth: Bools, guess: Bools) -> Any:
    """F1 along the first axis; 0 where there is neither a label nor a guess."""
    hits = 2 * (truth & guess).sum(axis=0)
    return hits / np.maximum(truth.sum(axis=0) + guess.sum(axis=0), 1)


def _resamples(groups: Sequence[str]) -> list[Ints]:
    """Draw respondents with replacement; return the rows of each draw."""
    random = np.random.default_rng(42)
    _, numbers = np.unique(np.asarray(groups, dtype=str), return_inverse=True)
    order = np.argsort(numbers, kind="stable")
    rows_of = np.split(order, np.cumsum(np.bincount(numbers))[:-1])
    draws = random.integers(0, len(rows_of), size=(RESAMPLES, len(rows_of)))
    return [np.concatenate([rows_of[group] for group in draw]) for draw in draws]


def _figure(measure: Measure, n: int, resamples: list[Ints]) -> Figure:
    lower, upper = np.quantile([measure(rows) for rows in resamples], [0.025, 0.975])
    return Figure(measure(np.arange(n)), float(lower), float(upper))


def vader_classes(texts: Sequence[str]) -> Ints:
    """Return -1, 0 or 1 for each text by nltk's VADER, with the word list shipped beside this module.

    References
    ----------
    .. [1] Hutto, C. J. and Gilbert, E. (2014). VADER. ICWSM 8; compound score at or beyond ±0.05.
    """
    import nltk.data  # half a second that only evaluation spends
    from nltk.sentiment.vader import SentimentIntensityAnalyzer

    if str(LEXICONS) not in nltk.data.path:
        nltk.data.path.append(str(LEXICONS))
    analyser = SentimentIntensityAnalyzer("vader.txt")
    scores = np.array([analyser.polarity_scores(text)["compound"] for text in texts])
    return np.where(scores >= 0.05, 1, np.where(scores <= -0.05, -1, 0)).astype(np.int64)


def as_table(evaluation: Evaluation) -> str:
    """Return the figures as lines of text, one measure of one method each."""
    lines = [
        f"{evaluation.n_sentiment} comments for sentiment, {evaluation.n_themes} for themes; not read:",
        f"{evaluation.n_unread}.",
    ]
    lines += [
        f"{method:<15} {measure:<46} {figure}"
        for method, measures in evaluation.figures.items()
        for measure, figure in measures.items()
    ]
    by_support = sorted(evaluation.themes.items(), key=lambda item: (-item[1][1], item[0]))
    lines += [f"{code:<28} F1 {f1:.2f}  ({n} comments)" for code, (f1, n) in by_support if n]
    return "\n".join(lines)
