"""Labelled comments: what people said of them, and how files hold it."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from typing import Any, Literal, cast

from citizenvoice.nlp.codebook import Codebook
from citizenvoice.nlp.features import PROMPTS
from citizenvoice.nlp.scores import URGENCIES
from citizenvoice.nlp.sentiment import CLASSES, STANCES

CORPUS_LANGUAGES = ("en", "es")
NHS, OWN = "nhs_patient_experience", "public_service"

Direction = Literal["positive", "negative"]


@dataclass(frozen=True, slots=True)
class Example:
    """One comment with the labels people gave it.

    ``sentiment`` is 1 (very negative) to 5 (very positive), None where not labelled; 2, 3 or 4 where
    ``is_coarse``: only the side is known. ``themes`` are labels as written, None where not labelled, of the
    codebook ``scheme``; ``stances`` pairs of label and what is said of it. ``mixed`` and ``urgent`` ("" for
    not urgent) are None where not labelled. ``rating`` is 1 (worst) to 5 (best). ``group`` names the
    respondent: comments of one group never stand on both sides of a split.
    """

    text: str
    sentiment: int | None
    themes: tuple[str, ...] | None
    group: str
    prompt: str | None = None
    language: str = "en"
    scheme: str = OWN
    stances: tuple[tuple[str, str], ...] = ()
    mixed: bool | None = None
    urgent: str | None = None
    rating: int | None = None
    is_coarse: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Which column of a file holds what; only ``text`` must be there.

    ``highest`` and ``highest_rating`` say what the highest number of sentiment and rating stands for.
    Rows whose text is one of ``no_answer`` are left out, and rows whose themes are one of ``no_label``.
    """

    text: str = "text"
    sentiment: str = ""
    themes: str = ""
    group: str = ""
    prompt: str = ""
    language: str = ""
    rating: str = ""
    mixed: str = ""
    urgent: str = ""
    scheme: str = OWN
    highest: Direction = "positive"
    highest_rating: Direction = "positive"
    no_answer: frozenset[str] = frozenset({"Did not answer"})
    no_label: frozenset[str] = frozenset({"Labelling not possible"})


_NAMES: Mapping[str, tuple[str, ...]] = {
    "text": ("text", "comment"),
    "sentiment": ("sentiment", "sentiment_5"),
    "themes": ("themes",),
    "group": ("group", "respondent_id", "sector"),
    "prompt": ("prompt", "question"),
    "language": ("language",),
    "rating": ("rating", "fft_rating"),
    "mixed": ("mixed",),
    "urgent": ("urgent",),
}

_IS_NHS = frozenset({"sentiment_5", "fft_rating"})
"""A file with these columns is laid out as the published one, in which 1 is very positive and very good."""


def columns_of(header: Sequence[str], *, scheme: str = "", highest: Direction | None = None) -> Columns:
    """Find the columns of a file by their names.

    Parameters
    ----------
    header : sequence of str
    scheme : str, optional
        The codebook its themes are of; by default told by the layout.
    highest : {"positive", "negative"}, optional
        What the highest sentiment stands for. Without it 1 is very positive in a column called
        ``sentiment_5``, as in the published patient experience file, and very negative in any other.

    Raises
    ------
    ValueError
        If there is no column of texts.
    """
    found = {field_: next((name for name in names if name in header), "") for field_, names in _NAMES.items()}
    if not found["text"]:
        raise ValueError("The file has no column text.")
    is_nhs = bool(_IS_NHS & set(header))
    by_name: Direction = "negative" if found["sentiment"] == "sentiment_5" else "positive"
    columns = Columns(
        scheme=scheme or (NHS if is_nhs else OWN),
        highest=highest or by_name,
        highest_rating="negative" if found["rating"] == "fft_rating" else "positive",
    )
    return replace(columns, **cast("dict[str, Any]", found))


def parse_examples(lines: Iterable[str], columns: Columns | None = None) -> list[Example]:
    """Read labelled comments from the lines of a CSV file; rows without text are left out.

    Raises
    ------
    ValueError
        If a column is missing, or a value cannot be understood; the sentence names the line.
    """
    reader = csv.DictReader(lines)
    header = list(reader.fieldnames or ())
    columns = columns or columns_of(header)
    wanted = {getattr(columns, name) for name in _NAMES} - {""}
    if missing := wanted - set(header):
        raise ValueError(f"The file has no column {', '.join(sorted(missing))}.")
    examples = []
    for number, row in enumerate(reader, start=1):
        try:
            example = _example(row, columns, number)
        except ValueError as error:
            raise ValueError(f"Row {number}: {error}") from error
        if example is not None:
            examples.append(example)
    return examples


def _example(row: Mapping[str, str | None], columns: Columns, number: int) -> Example | None:
    def value(column: str) -> str:
        return (row.get(column) or "").strip() if column else ""

    text, themes = value(columns.text), value(columns.themes)
    if text in {"", *columns.no_answer} or themes in columns.no_label:
        return None
    labels = [
        label.strip()
        for label in themes.split("|")
        if label.strip() and label.strip() not in columns.no_label
    ]
    stanced = [_label_and_stance(label) for label in labels]
    sentiment, is_coarse = _sentiment(value(columns.sentiment), columns.highest)
    is_coded = bool(labels) or (bool(columns.themes) and bool(columns.urgent))
    return Example(
        text=text,
        sentiment=sentiment,
        themes=tuple(label for label, _ in stanced) if is_coded else None,
        group=value(columns.group) or f"row {number}",
        prompt=prompt_for(value(columns.prompt)),
        language=value(columns.language) or "en",
        scheme=columns.scheme,
        stances=tuple((label, stance) for label, stance in stanced if stance),
        mixed=_yes_or_no(value(columns.mixed)),
        urgent=_urgent(value(columns.urgent)),
        rating=_rating(value(columns.rating), columns.highest_rating),
        is_coarse=is_coarse,
    )


def _label_and_stance(label: str) -> tuple[str, str]:
    name, _, stance = label.rpartition(":")
    return (name, stance) if stance in STANCES and name else (label, "")


_SIDES = {
    "negative": 2,
    "neutral": 3,
    "mixed": 3,
    "positive": 4,
    "neg": 2,
    "neu": 3,
    "mix": 3,
    "pos": 4,
    "-1": 2,
    "0": 3,
}


def _sentiment(value: str, highest: Direction) -> tuple[int | None, bool]:
    """Return the class, 1 to 5, and whether only the side is known."""
    if not value:
        return None, False
    if value.casefold() in _SIDES:
        return _SIDES[value.casefold()], True
    number = _number(value)
    if number not in CLASSES:
        raise ValueError(f"Sentiment {value!r} is not one of 1 to 5, negative, neutral, mixed or positive.")
    return (number if highest == "positive" else 6 - number), False


def _number(value: str) -> int | None:
    try:
        number = float(value)
    except ValueError:
        return None
    return int(number) if number.is_integer() else None


def _rating(value: str, highest: Direction) -> int | None:
    """Return a rating of 1 to 5; anything else ("don't know") is no rating."""
    number = _number(value)
    if number not in CLASSES:
        return None
    return number if highest == "positive" else 6 - number


def _yes_or_no(value: str) -> bool | None:
    return {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}.get(
        value.casefold()
    )


def _urgent(value: str) -> str | None:
    if not value:
        return None
    if value == "none":
        return ""
    if value not in URGENCIES:
        raise ValueError(f"{value!r} is none of {', '.join(URGENCIES)}.")
    return value


_ASKS = (
    ("why", ("why", "reason", "por que", "por qué", "motivo")),
    ("improve", ("improve", "better", "change", "worst", "mejorar", "cambiar", "peor")),
    ("good", ("good", "well", "best", "like most", "gusto", "gustó", "bien", "bueno")),
)


def prompt_for(question: str) -> str | None:
    """Return what a question asks for; None where there is none.

    Examples
    --------
    >>> prompt_for("What could we do better?"), prompt_for("FFT Why?"), prompt_for("Anything else?")
    ('improve', 'why', 'comment')
    """
    if not question:
        return None
    asked = question.casefold()
    if asked in PROMPTS:
        return asked
    return next((prompt for prompt, words in _ASKS if any(word in asked for word in words)), "comment")


def own_examples(languages: Sequence[str] = CORPUS_LANGUAGES) -> list[Example]:
    """Return the comments about public services that this project wrote itself, in English and Spanish."""
    folder = resources.files("citizenvoice.nlp") / "corpora"
    return [
        replace(example, group=f"{language} {example.group}")
        for language in languages
        for example in parse_examples(
            (folder / f"public_service_{language}.csv").read_text(encoding="utf-8").splitlines(keepends=True)
        )
    ]


def keyword_examples(codebook: Codebook) -> list[Example]:
    """Return each keyword and example of a codebook as a comment about its theme, without sentiment."""
    return [
        Example(said, None, (theme.code,), f"keywords {language}", language=language, scheme=codebook.key)
        for theme in codebook.themes
        for words in (theme.keywords, theme.examples)
        for language, several in words.items()
        for said in several
    ]
