"""How well a way of training reads comments it has not seen, beside the simplest ways of guessing."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.model_selection import StratifiedGroupKFold

from citizenvoice.nlp.codebook import Codebook
from citizenvoice.nlp.features import Floats, normalise
from citizenvoice.nlp.model import Model
from citizenvoice.nlp.sentiment import CLASSES, three_classes
from citizenvoice.nlp.themes import Bools, choose_themes, label_matrix
from citizenvoice.nlp.training import Example, train

LEXICONS = Path(__file__).parent / "lexicons"

FOLDS = 5
RESAMPLES = 1_000
STEADY = 10
"""Themes with fewer examples than this are left out of the steadier mean of F1."""

Ints = npt.NDArray[np.int64]
Measure = Callable[[Ints], float]


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
    """Figures by method and measure, on ``n_sentiment`` and ``n_themes`` held-out comments.

    ``themes`` holds F1 and number of comments by theme code.
    """

    n_sentiment: int
    n_themes: int
    figures: dict[str, dict[str, Figure]]
    themes: dict[str, tuple[float, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _HeldOut:
    """What a model that had not seen them said about some examples."""

    examples: list[Example]
    sentiment: Floats
    themes: Bools
    majority: int


def evaluate(
    examples: Sequence[Example],
    codebook: Codebook,
    *,
    also_train_on: Sequence[Example] = (),
    folds: int = FOLDS,
    first_folds: int = FOLDS,
    use_prompts: bool = True,
    progress: Callable[[str], None] = print,
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

    Returns
    -------
    Evaluation
        Methods: "model", "majority class" and, for English where the package is installed,
        "VADER". Shares in [0, 1].

    Notes
    -----
    A held-out comment whose normalised text occurs in the training set is not tested, and a
    text is tested once. The intervals come from resampling respondents: they say how much the
    figures depend on who happened to answer, not how the model does in another service.
    """
    held_out = [
        _test_fold(seen, tested, codebook, use_prompts=use_prompts)
        for seen, tested in _splits(examples, also_train_on, folds, first_folds, progress)
    ]
    figures: dict[str, dict[str, Figure]] = {"model": {}}
    n_sentiment = _add_sentiment_figures(held_out, figures)
    n_themes, by_theme = _add_theme_figures(held_out, codebook, figures)
    return Evaluation(n_sentiment, n_themes, figures, by_theme)


def _splits(
    examples: Sequence[Example],
    also_train_on: Sequence[Example],
    folds: int,
    first_folds: int,
    progress: Callable[[str], None],
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


def _test_fold(
    seen: list[Example], tested: list[Example], codebook: Codebook, *, use_prompts: bool
) -> _HeldOut:
    model: Model = train(seen, name="fold", codebook=codebook, progress=lambda _: None)
    prompts = [example.prompt if use_prompts else None for example in tested]
    sentiment, themes = model.probabilities([example.text for example in tested], prompts)
    majority = int(np.bincount([example.sentiment for example in seen if example.sentiment]).argmax())
    return _HeldOut(tested, sentiment, choose_themes(themes, model.thresholds), majority)


def _add_sentiment_figures(folds: list[_HeldOut], figures: dict[str, dict[str, Figure]]) -> int:
    rows = [(fold, i) for fold in folds for i, example in enumerate(fold.examples) if example.sentiment]
    examples = [fold.examples[i] for fold, i in rows]
    truth = np.array([example.sentiment for example in examples], dtype=np.int64)
    resamples = _resamples([example.group for example in examples])
    guesses = {
        "model": np.array([fold.sentiment[i].argmax() + 1 for fold, i in rows], dtype=np.int64),
        "majority class": np.array([fold.majority for fold, _ in rows], dtype=np.int64),
    }
    for method, guess in guesses.items():
        figures.setdefault(method, {})
        figures[method] |= _classification(truth, guess, "5 classes", resamples)
        figures[method] |= _classification(three_classes(truth), three_classes(guess), "3 classes", resamples)
    if all(example.language == "en" for example in examples):
        vader = vader_classes([example.text for example in examples])
        figures["VADER"] = _classification(three_classes(truth), vader, "3 classes", resamples)
    return len(examples)


def _classification(truth: Ints, guess: Ints, name: str, resamples: list[Ints]) -> dict[str, Figure]:
    classes = np.unique(truth)[:, np.newaxis]

    def accuracy(rows: Ints) -> float:
        return float((truth[rows] == guess[rows]).mean())

    def macro_f1(rows: Ints) -> float:
        is_class = truth[rows] == classes, guess[rows] == classes
        present = is_class[0].any(axis=1) | is_class[1].any(axis=1)
        return float(_f1(is_class[0].T, is_class[1].T)[present].mean())

    return {
        f"{name}, accuracy": _figure(accuracy, len(truth), resamples),
        f"{name}, macro-F1": _figure(macro_f1, len(truth), resamples),
    }


def _add_theme_figures(
    folds: list[_HeldOut], codebook: Codebook, figures: dict[str, dict[str, Figure]]
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
    lines = [f"{evaluation.n_sentiment} comments for sentiment, {evaluation.n_themes} for themes."]
    lines += [
        f"{method:<15} {measure:<36} {figure}"
        for method, measures in evaluation.figures.items()
        for measure, figure in measures.items()
    ]
    by_support = sorted(evaluation.themes.items(), key=lambda item: (-item[1][1], item[0]))
    lines += [f"{code:<28} F1 {f1:.2f}  ({n} comments)" for code, (f1, n) in by_support]
    return "\n".join(lines)
