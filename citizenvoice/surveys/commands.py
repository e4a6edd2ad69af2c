"""The command that brings a file of responses into a survey."""

from pathlib import Path

import click
from flask import current_app
from flask.cli import with_appcontext

from citizenvoice.agencies.commands import FILE
from citizenvoice.errors import DomainError
from citizenvoice.surveys import registry
from citizenvoice.surveys.delivered import size_of
from citizenvoice.surveys.importing import Importer, Summary
from citizenvoice.surveys.mapping import read_mapping
from citizenvoice.surveys.parsing import parse_definition
from citizenvoice.web.clock import utc_now

SUMMARY = {
    "n_rows": "rows read",
    "n_imported": "  brought in",
    "n_known": "  already there, the same",
    "n_changed": "  already there, different (not taken)",
    "n_rejected": "  refused",
    "n_empty": "  with nothing answered",
    "n_responses": "new responses",
    "n_comments": "comments in them",
}


@click.command("responses")
@FILE
@click.option("--survey", "slug", required=True, help="The short name of the survey.")
@click.option(
    "--mapping",
    "mapping_path",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A TOML file that says which column answers which question.",
)
@click.option(
    "--rejects",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Where to write the refused rows; beside the file, as FILE.rejects.csv, if not given.",
)
@with_appcontext
def bring_responses(file: Path, slug: str, mapping_path: Path, rejects: Path | None) -> None:
    """Bring a CSV or XLSX file of responses in, each id once; exit with 1 if rows were refused."""
    named, rejects = rejects, rejects or file.with_name(f"{file.name}.rejects.csv")
    try:
        summary = bring_in(file, slug, mapping_path.read_text(encoding="utf-8"), rejects)
    except DomainError as error:
        raise click.ClickException(str(error)) from error
    except OSError as error:
        raise click.ClickException(
            f"The refused rows cannot be written to {error.filename}: {error.strerror}. Name another file "
            "with --rejects."
        ) from error
    except UnicodeError as error:
        raise click.ClickException(f"{mapping_path} is not in UTF-8.") from error
    for name, n in summary.to_json().items():
        click.echo(f"{SUMMARY[name]:<40}{n:>12,}")
    if summary.n_rejected or summary.n_changed:
        click.echo(f"The refused rows and the reasons are in {rejects}.", err=True)
        raise click.exceptions.Exit(1)
    if named is None:
        rejects.unlink()  # nothing is in it


def bring_in(file: Path, slug: str, toml: str, rejects: Path) -> Summary:
    """Import a file under a progress bar. Raises DomainError if it, its mapping or the survey is wrong."""
    survey = registry.get_survey(slug)
    version = registry.find_newest_version(survey)
    if version is None:
        raise click.ClickException(f"The survey {slug!r} was never published.")
    mapping = read_mapping(toml, parse_definition(version.definition))
    with click.progressbar(length=size_of(file, mapping), label=file.name) as bar:
        importer = Importer(
            survey,
            version,
            mapping,
            now=utc_now(),
            regions=current_app.config["PHONE_REGIONS"],
            tell=lambda done, _summary: bar.update(done - bar.pos),
        )
        summary = importer.run(file, rejects)
        bar.update(bar.length - bar.pos if bar.length else 0)
    return summary
