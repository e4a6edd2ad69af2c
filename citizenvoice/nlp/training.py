"""Labelled comments from a file, and the model they train."""

import csv
import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass, field
from importlib import resources
from importlib.metadata import version
from typing import Any, Literal

import numpy as np
from sklearn.model_selection import GroupKFold

from citizenvoice.nlp.codebook import Codebook
from citizenvoice.nlp.features import Floats, Linear, TextFeatures, normalise, prompt_rows, with_prompts
from citizenvoice.nlp.model import Model
from citizenvoice.nlp.sentiment import CLASSES, fit_sentiment
from citizenvoice.nlp.themes import fit_themes, label_matrix, theme_probabilities, tune_thresholds

INNER_FOLDS = 3
CORPUS_LANGUAGES = ("en", "es")

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Example:
    """One comment with the labels people gave it.

    ``sentiment`` is 1 (very negative) to 5 (very positive), None where not labelled;
    ``themes`` are labels as written, None where not labelled. ``group`` names the
    respondent: comments of one group never stand on both sides of a split.
    """

    text: str
    sentiment: int | None
    themes: tuple[str, ...] | None
    group: str
    prompt: str | None = None
    language: str = "en"


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Which column of a file holds what, and which way its sentiment runs.

    ``highest`` says what the highest number stands for. ``prompts`` maps the wording of a
    question to what it asks for. Rows whose text is one of ``no_answer`` are left out.
    """

    text: str = "text"
    sentiment: str = "sentiment"
    themes: str = "themes"
    group: str = "group"
    prompt: str | None = None
    language: str | None = None
    highest: Literal["positive", "negative"]
    prompts: Mapping[str, str] = field(default_factory=dict)
    no_answer: frozenset[str] = frozenset()


NHS_COLUMNS = Columns(
    sentiment="sentiment_5",
    group="respondent_id",
    prompt="question",
    highest="negative",
    prompts={
        "What was good?": "good",
        "How could we improve?": "improve",
        "What could we do better?": "improve",
        "FFT Why?": "why",
    },
    no_answer=frozenset({"Did not answer"}),
)
"""The published patient experience file, in which 1 is very positive."""

CORPUS_COLUMNS = Columns(language="language", highest="positive")
"""The comments this project wrote itself."""


def parse_examples(lines: Iterable[str], columns: Columns) -> list[Example]:
    """Read labelled comments from the lines of a CSV file; rows without text are left out.

    Raises
    ------
    ValueError
        If a column is missing or a sentiment is not between 1 and 5.
    """
    reader = csv.DictReader(lines)
    wanted = {
        columns.text,
        columns.sentiment,
        columns.themes,
        columns.group,
        columns.prompt,
        columns.language,
    }
    missing = {name for name in wanted if name} - set(reader.fieldnames or ())
    if missing:
        raise ValueError(f"The file has no column {', '.join(sorted(missing))}.")
    rows = (row for row in reader if row[columns.text].strip() not in {"", *columns.no_answer})
    return [_example(row, columns) for row in rows]


def _example(row: Mapping[str, str], columns: Columns) -> Example:
    themes = tuple(label.strip() for label in row[columns.themes].split("|") if label.strip())
    question = row[columns.prompt].strip() if columns.prompt else ""
    prompt = columns.prompts.get(question, "other") if question else None
    return Example(
        text=row[columns.text].strip(),
        sentiment=_sentiment(row[columns.sentiment], columns),
        themes=themes or None,
        group=row[columns.group],
        prompt=prompt,
        language=row[columns.language] if columns.language else "en",
    )


def _sentiment(value: str, columns: Columns) -> int | None:
    if not value.strip():
        return None
    if value.strip() not in set(map(str, CLASSES)):
        raise ValueError(f"Sentiment {value!r} is not one of 1 to 5.")
    return int(value) if columns.highest == "positive" else 6 - int(value)


def own_examples() -> list[Example]:
    """Return the comments about public services that this project wrote itself, in English and Spanish."""
    folder = resources.files("citizenvoice.nlp") / "corpora"
    files = (folder / f"public_service_{language}.csv" for language in CORPUS_LANGUAGES)
    return [
        example
        for file in files
        for example in parse_examples(file.read_text(encoding="utf-8").splitlines(), CORPUS_COLUMNS)
    ]


def keyword_examples(codebook: Codebook) -> list[Example]:
    """Return each keyword of a codebook as a comment about its theme, without sentiment."""
    return [
        Example(keyword, None, (theme.code,), f"keywords {language}", language=language)
        for theme in codebook.themes
        for language, keywords in theme.keywords.items()
        for keyword in keywords
    ]


def train(examples: Sequence[Example], *, name: str, codebook: Codebook, progress: Progress = print) -> Model:
    """Train a model for a codebook.

    Parameters
    ----------
    examples : sequence of Example
        Those with sentiment train sentiment, those with at least one theme the codebook
        knows train themes; labels it does not know are passed over.
    name : str
    codebook : Codebook
    progress : callable, optional
        Told in a sentence what is being done.

    Returns
    -------
    Model
        Not saved; its ``facts`` hold the digest of the data and the versions used.

    Raises
    ------
    ValueError
        If there are not at least two groups and two sentiment classes, or no theme of the codebook.

    Notes
    -----
    The same examples in the same order give the same model.
    """
    if len({example.group for example in examples}) < 2:
        raise ValueError("Comments of at least two respondents are needed.")
    progress(f"Choosing the vocabulary from {len(examples)} comments.")
    features = TextFeatures.fit([normalise(example.text) for example in examples])
    progress("Fitting sentiment.")
    sentiment = _train_sentiment(features, examples)
    progress(f"Fitting {len(codebook.codes)} themes and their thresholds.")
    themes, thresholds = _train_themes(features, examples, codebook)
    return Model(
        name=name,
        codebook=codebook.key,
        codebook_version=codebook.version,
        languages=_languages(examples, codebook),
        features=features,
        sentiment=sentiment,
        themes=themes,
        theme_codes=codebook.codes,
        thresholds=thresholds,
        facts=_facts(examples, codebook),
    )


def _train_sentiment(features: TextFeatures, examples: Sequence[Example]) -> Linear:
    """Fit on each comment with its question and once more without, so that it can do without."""
    labelled = [(example, example.prompt) for example in examples if example.sentiment]
    labelled += [(example, None) for example, prompt in labelled if prompt]
    rows = features.transform([normalise(example.text) for example, _ in labelled])
    crossed = features.crossed(rows, prompt_rows([prompt for _, prompt in labelled]))
    return fit_sentiment(crossed, [example.sentiment or 0 for example, _ in labelled])


def _train_themes(
    features: TextFeatures, examples: Sequence[Example], codebook: Codebook
) -> tuple[Linear, Floats]:
    coded = [(example, codebook.codes_of(example.themes or ())) for example in examples]
    coded = [(example, codes) for example, codes in coded if codes]
    if not coded:
        raise ValueError(f"No comment has a theme of codebook {codebook.key!r}.")
    rows = features.transform([normalise(example.text) for example, _ in coded])
    rows = with_prompts(rows, prompt_rows([example.prompt for example, _ in coded]))
    labels = label_matrix(codebook.codes, [codes for _, codes in coded])
    groups = [example.group for example, _ in coded]
    unseen = np.zeros(labels.shape, dtype=np.float32)
    for seen, held_out in GroupKFold(min(INNER_FOLDS, len(set(groups)))).split(groups, groups=groups):
        unseen[held_out] = theme_probabilities(fit_themes(rows[seen], labels[seen]), rows[held_out])
    return fit_themes(rows, labels), tune_thresholds(unseen, labels)


def _languages(examples: Sequence[Example], codebook: Codebook) -> tuple[str, ...]:
    """Return the languages the model knows: those in which it saw themes of its codebook."""
    known = {example.language for example in examples if codebook.codes_of(example.themes or ())}
    return tuple(sorted(known))


def _facts(examples: Sequence[Example], codebook: Codebook) -> dict[str, Any]:
    digest = hashlib.sha256()
    for example in examples:
        digest.update(repr(astuple(example)).encode("utf-8", errors="surrogatepass"))
    return {
        "training_data_sha256": digest.hexdigest(),
        "n_comments": len(examples),
        "n_with_sentiment": sum(example.sentiment is not None for example in examples),
        "n_with_themes": sum(bool(codebook.codes_of(example.themes or ())) for example in examples),
        "versions": {package: version(package) for package in ("scikit-learn", "scipy", "numpy")},
    }
