"""Commands that train a reader and measure how well it reads."""

from pathlib import Path

import click

from citizenvoice.nlp import codebook as codebooks
from citizenvoice.nlp.codebook import Codebook
from citizenvoice.nlp.evaluation import as_table, evaluate
from citizenvoice.nlp.model import save_model
from citizenvoice.nlp.training import (
    NHS_COLUMNS,
    Columns,
    Example,
    keyword_examples,
    own_examples,
    parse_examples,
    train,
)


def _read_examples(file: Path, layout: str, highest: str | None) -> list[Example]:
    """Read labelled comments in one of the known layouts."""
    with file.open(newline="", encoding="utf-8-sig") as lines:
        try:
            return parse_examples(lines, _columns(layout, highest))
        except ValueError as error:
            raise click.ClickException(str(error)) from error


def _columns(layout: str, highest: str | None) -> Columns:
    if layout == "nhs":
        return NHS_COLUMNS
    if highest is None:
        raise click.UsageError("Say with --highest what the highest sentiment stands for.")
    return Columns(
        highest="positive" if highest == "positive" else "negative",
        prompt="prompt",
        language="language",
        prompts={prompt: prompt for prompt in ("good", "improve", "why", "other")},
    )


def _extra_examples(codebook: Codebook, *, own: bool) -> list[Example]:
    return [*own_examples(), *keyword_examples(codebook)] if own else []


_FILE = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
_CODEBOOK = click.option(
    "--codebook", type=click.Choice(codebooks.SHIPPED), default="public_service", show_default=True
)
_LAYOUT = click.option(
    "--layout",
    type=click.Choice(["plain", "nhs"]),
    default="plain",
    show_default=True,
    help="plain: columns text, sentiment, themes, group, prompt, language. nhs: the published file.",
)
_HIGHEST = click.option(
    "--highest",
    type=click.Choice(["positive", "negative"]),
    help="What the highest sentiment stands for (plain layout).",
)
_OWN = click.option(
    "--with-own-comments/--without-own-comments",
    default=True,
    show_default=True,
    help="Train also on the shipped comments about public services in English and Spanish.",
)


@click.command("train")
@_FILE
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@_CODEBOOK
@_LAYOUT
@_HIGHEST
@_OWN
@click.option("--name", help="Name of the model; by default that of the folder.")
def train_command(
    file: Path,
    folder: Path,
    codebook: str,
    layout: str,
    highest: str | None,
    name: str | None,
    *,
    with_own_comments: bool,
) -> None:
    """Train a reader on the labelled comments in FILE and save it in FOLDER."""
    themes = codebooks.load_codebook(codebook)
    examples = _read_examples(file, layout, highest) + _extra_examples(themes, own=with_own_comments)
    try:
        model = train(examples, name=name or folder.name, codebook=themes, progress=click.echo)
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    digest = save_model(model, folder)
    click.echo(f"Saved {model.name} in {folder}, digest {digest}.")


@click.command("evaluate")
@_FILE
@_CODEBOOK
@_LAYOUT
@_HIGHEST
@_OWN
@click.option("--folds", type=click.IntRange(2, 20), default=5, show_default=True)
@click.option("--first-folds", type=click.IntRange(1, 20), help="Test only so many of the folds.")
@click.option("--prompts/--no-prompts", default=True, help="Read with or without the kind of question.")
def evaluate_command(
    file: Path,
    codebook: str,
    layout: str,
    highest: str | None,
    folds: int,
    first_folds: int | None,
    *,
    with_own_comments: bool,
    prompts: bool,
) -> None:
    """Cross-validate a reader on the labelled comments in FILE, beside guessing and VADER."""
    themes = codebooks.load_codebook(codebook)
    try:
        evaluation = evaluate(
            _read_examples(file, layout, highest),
            themes,
            also_train_on=_extra_examples(themes, own=with_own_comments),
            folds=folds,
            first_folds=min(first_folds or folds, folds),
            use_prompts=prompts,
            progress=click.echo,
        )
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    click.echo(as_table(evaluation))
