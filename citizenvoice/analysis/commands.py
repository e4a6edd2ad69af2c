"""Commands that read a file of comments, train a reader and measure how well it reads."""

import csv
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from citizenvoice.analysis.reading_files import Summary, Wanted, read_file
from citizenvoice.nlp import codebook as codebooks
from citizenvoice.nlp.codebook import Codebook
from citizenvoice.nlp.encoder import EncoderMissingError
from citizenvoice.nlp.evaluation import Evaluation, as_table, cross_validate, evaluate, runs_backwards
from citizenvoice.nlp.examples import (
    Columns,
    Direction,
    Example,
    columns_of,
    keyword_examples,
    own_examples,
    parse_examples,
)
from citizenvoice.nlp.folders import DamagedModelError
from citizenvoice.nlp.model import load_model, load_shipped_model, save_model
from citizenvoice.nlp.reader import Reader, load_encoder
from citizenvoice.nlp.training import train

_REFUSALS = (DamagedModelError, EncoderMissingError, ValueError)

_FILE = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
_MODEL = click.option(
    "--model",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of a model trained here; by default the one that is shipped.",
)
_TIER = click.option(
    "--tier",
    envvar="READER_TIER",
    default="default",
    show_default=True,
    help="default, accurate, or the folder of another encoder.",
)
_LANGUAGES = click.option("--languages", help="Languages the comments may be in, as en,es; no other is read.")
_HIGHEST = click.option(
    "--highest",
    type=click.Choice(["positive", "negative"]),
    help="What the highest sentiment stands for. By default negative in a column called sentiment_5, as in"
    " the published patient experience file; positive in any other, unless evaluate finds it turned round.",
)
_PROMPTS = click.option(
    "--prompts/--no-prompts", default=True, help="Read with or without the question asked."
)
_RATINGS = click.option("--ratings/--no-ratings", default=True, help="Read with or without the rating given.")


def _reader(
    model: Path | None,
    codebook: str | None,
    tier: str,
    languages: str | None,
    *,
    prompts: bool,
    ratings: bool,
) -> Reader:
    try:
        if model is None:
            loaded = load_shipped_model(codebook or codebooks.SHIPPED[0])
        else:
            loaded = load_model(model)
            loaded = loaded.using(codebook or loaded.codebook)
        enabled = [one.strip() for one in (languages or "").split(",") if one.strip()]
        return Reader(
            loaded,
            languages=enabled or None,
            encoder=load_encoder(tier),
            use_prompts=prompts,
            use_ratings=ratings,
        )
    except _REFUSALS as error:
        raise click.ClickException(str(error)) from error


def _codebook(name: str) -> Codebook:
    """Return a shipped codebook by its key, or one from a JSON file."""
    try:
        if name in codebooks.SHIPPED:
            return codebooks.load_codebook(name)
        return codebooks.parse_codebook(json.loads(Path(name).read_text(encoding="utf-8")))
    except (OSError, KeyError, ValueError) as error:
        raise click.ClickException(
            f"{name} is neither a shipped codebook nor a file of one: {error}"
        ) from error


def _examples(file: Path, highest: Direction | None, scheme: str = "") -> tuple[list[Example], Columns]:
    """Read labelled comments, and tell how the columns were understood."""
    try:
        with file.open(newline="", encoding="utf-8-sig") as lines:
            columns = columns_of(next(csv.reader(lines), []), scheme=scheme, highest=highest)
        with file.open(newline="", encoding="utf-8-sig") as lines:
            return parse_examples(lines, columns), columns
    except (ValueError, UnicodeDecodeError) as error:
        raise click.ClickException(str(error)) from error


@click.command("read")
@_FILE
@click.option("--text-column", required=True, help="Name of the column with the comments.")
@click.option(
    "--question-column", help="What was asked; good, improve, why, … or the wording of the question."
)
@click.option("--language-column", help="Language of the form each comment was typed into.")
@click.option("--rating-column", help="A rating of 1 to 5 given with the comment.")
@click.option(
    "--highest-rating",
    type=click.Choice(["positive", "negative"]),
    default="positive",
    show_default=True,
    help="What a rating of 5 stands for.",
)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="File to write.")
@click.option("--codebook", help=f"{' or '.join(codebooks.SHIPPED)}.")
@click.option(
    "--keep-columns", is_flag=True, help="Write the columns of FILE too, before those that are read."
)
@_MODEL
@_TIER
@_LANGUAGES
@_PROMPTS
@_RATINGS
def read_command(
    file: Path,
    text_column: str,
    question_column: str | None,
    language_column: str | None,
    rating_column: str | None,
    highest_rating: Direction,
    out: Path,
    codebook: str | None,
    model: Path | None,
    tier: str,
    languages: str | None,
    **how: bool,
) -> None:
    """Read every comment in FILE (CSV with a header, UTF-8) and write what was read, in the same order."""
    reader = _reader(model, codebook, tier, languages, prompts=how["prompts"], ratings=how["ratings"])
    wanted = Wanted(
        text=text_column,
        question=question_column or "",
        language=language_column or "",
        rating=rating_column or "",
        is_highest_best=highest_rating == "positive",
        keeps_columns=how["keep_columns"],
    )
    try:
        summary = _read_with_progress(file, out, reader, wanted)
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    for problem in summary.first_problems:
        click.echo(problem, err=True)
    click.echo(
        f"{summary.n_rows} rows: {summary.n_read} read, {summary.n_unread} not read (empty or in another"
        f" language), {summary.n_problems} set aside. A person should look at {summary.n_doubtful}."
        f" Written: {out}."
    )


def _read_with_progress(file: Path, out: Path, reader: Reader, wanted: Wanted) -> Summary:
    size = max(1, file.stat().st_size)
    with click.progressbar(length=size, label="Reading", file=sys.stderr) as bar:
        return read_file(file, out, reader, wanted, bar.update)


@click.command("evaluate")
@_FILE
@click.option("--json", "as_json", is_flag=True, help="Print figures as JSON on standard output.")
@click.option("--codebook", help="By default the one that knows most of the file's labels.")
@click.option(
    "--cross-validate", "crossed", is_flag=True, help="Train on parts of FILE and test on the others."
)
@click.option("--folds", type=click.IntRange(2, 20), default=5, show_default=True)
@click.option("--first-folds", type=click.IntRange(1, 20), help="Test only so many of the folds.")
@click.option(
    "--with-own-comments/--without-own-comments",
    default=True,
    show_default=True,
    help="With --cross-validate: train also on the shipped comments.",
)
@_HIGHEST
@_MODEL
@_TIER
@_LANGUAGES
@_PROMPTS
@_RATINGS
def evaluate_command(
    file: Path, codebook: str | None, highest: Direction | None, tier: str, model: Path | None, **options: Any
) -> None:
    """Score the shipped reader on the labelled comments in FILE, beside guessing and VADER; trains nothing.

    Columns: text, and any of sentiment or sentiment_5 (1 to 5, or negative, neutral, mixed, positive),
    themes, question, language, fft_rating or rating, respondent_id or group.
    """
    examples, columns = _examples(file, highest)
    key = codebook or _likeliest_codebook(examples)
    facts: dict[str, Any] = {"file": file.name, "highest_sentiment": columns.highest, "codebook": key}
    say: Callable[[str], None] = _to_error if options["as_json"] else click.echo
    if options["crossed"]:
        facts["method"] = "cross-validation"
        measured = _crossed(examples, _codebook(key), options, say)
    else:
        reader = _reader(
            model, key, tier, options["languages"], prompts=options["prompts"], ratings=options["ratings"]
        )
        if highest is None and columns.sentiment != "sentiment_5" and runs_backwards(examples, reader):
            examples, columns = _examples(file, "negative")
            facts["highest_sentiment"] = columns.highest
        facts |= {"method": "shipped" if model is None else "model", "tier": tier}
        facts |= {"reader": reader.name, "digest": reader.digest}
        measured = evaluate(examples, reader, _of_model(reader, key), progress=_to_error)
    _report(measured, facts, columns, is_json=options["as_json"])


def _of_model(reader: Reader, key: str) -> Codebook:
    if key in codebooks.SHIPPED:
        return codebooks.load_codebook(key)
    themes = tuple(codebooks.Theme(code, {}, {}, {}) for code in reader.model.theme_codes)
    return Codebook(key, reader.model.codebook_version, {}, "", themes)


def _crossed(
    examples: list[Example], codebook: Codebook, options: dict[str, Any], say: Callable[[str], None]
) -> Evaluation:
    also = [*own_examples(), *keyword_examples(codebook)] if options["with_own_comments"] else []
    try:
        return cross_validate(
            examples,
            codebook,
            also_train_on=also,
            folds=options["folds"],
            first_folds=min(options["first_folds"] or options["folds"], options["folds"]),
            use_prompts=options["prompts"],
            progress=say,
        )
    except ValueError as error:
        raise click.ClickException(str(error)) from error


def _report(measured: Evaluation, facts: dict[str, Any], columns: Columns, *, is_json: bool) -> None:
    if is_json:
        click.echo(json.dumps({**facts, **measured.as_json()}, indent=1, ensure_ascii=False))
        return
    if columns.sentiment:
        end = "very positive" if columns.highest == "positive" else "very negative"
        click.echo(f"In column {columns.sentiment} 5 is taken for {end}; say otherwise with --highest.")
    click.echo(as_table(measured))


def _likeliest_codebook(examples: list[Example]) -> str:
    """Return the shipped codebook that knows most of the labels."""
    labels = [label for example in examples for label in example.themes or ()]
    books = [codebooks.load_codebook(key) for key in codebooks.SHIPPED]
    return max(books, key=lambda book: sum(book.find_code(label) is not None for label in labels)).key


@click.command("train")
@_FILE
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--codebook",
    "names",
    multiple=True,
    default=("public_service",),
    show_default=True,
    help="A shipped codebook or the JSON file of your own; may be given several times.",
)
@_HIGHEST
@click.option(
    "--with-own-comments/--without-own-comments",
    default=True,
    show_default=True,
    help="Train also on the shipped comments about public services in English and Spanish.",
)
@click.option(
    "--teacher",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of an encoder whose readings are learnt beside the labels.",
)
@click.option("--name", help="Name of the model; by default that of the folder.")
def train_command(
    file: Path,
    folder: Path,
    names: tuple[str, ...],
    highest: Direction | None,
    name: str | None,
    teacher: Path | None,
    *,
    with_own_comments: bool,
) -> None:
    """Train a reader on the labelled comments in FILE and save it in FOLDER."""
    books = [_codebook(one) for one in names]
    examples, columns = _examples(file, highest)
    if not any(book.key == columns.scheme for book in books):
        examples, columns = _examples(file, highest, scheme=books[0].key)
    if with_own_comments:
        examples += own_examples() + [example for book in books for example in keyword_examples(book)]
    try:
        encoder = load_encoder(str(teacher)) if teacher else None
        model = train(
            examples, name=name or folder.name, codebooks=books, teacher=encoder, progress=click.echo
        )
    except _REFUSALS as error:
        raise click.ClickException(str(error)) from error
    digest = save_model(model, folder)
    click.echo(f"Saved {model.name} in {folder}, digest {digest}.")


def _to_error(sentence: str) -> None:
    click.echo(sentence, err=True)
