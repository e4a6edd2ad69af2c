"""Commands that bring files in: ``citizenvoice import agencies|services|volumes FILE``."""

from pathlib import Path

import click
from flask.cli import with_appcontext

from citizenvoice.agencies import importing
from citizenvoice.db import db, writing
from citizenvoice.errors import DomainError
from citizenvoice.web.clock import utc_now

FILE = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))


@click.group("import")
def bring() -> None:
    """Bring CSV files in; what is there already is not brought in twice."""


@bring.command("agencies")
@FILE
@with_appcontext
def bring_agencies(file: Path) -> None:
    """Add and change agencies."""
    bring_in("agencies", file)


@bring.command("services")
@FILE
@with_appcontext
def bring_services(file: Path) -> None:
    """Add and change services."""
    bring_in("services", file)


@bring.command("volumes")
@FILE
@with_appcontext
def bring_volumes(file: Path) -> None:
    """Add and change how many people were served and offered a survey."""
    bring_in("volumes", file)


def bring_in(kind: str, file: Path) -> None:
    """Bring a file in, print what was refused and a summary; exit with 1 if anything was refused."""
    try:
        with writing():
            outcomes = importing.bring_in(kind, importing.read_text(file.read_bytes()), now=utc_now())
            db.session.commit()
    except DomainError as error:
        raise click.ClickException(str(error)) from error
    for outcome in outcomes:
        if outcome.result is importing.Result.REFUSED:
            click.echo(f"line {outcome.line}, {outcome.column or '-'}: {outcome.sentence}", err=True)
    summary = importing.summary(outcomes)
    click.echo(f"{len(outcomes)} rows: " + ", ".join(f"{n} {result}" for result, n in summary.items()))
    if summary[importing.Result.REFUSED]:
        raise click.exceptions.Exit(1)
