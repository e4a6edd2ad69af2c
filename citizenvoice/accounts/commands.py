"""Commands about people who sign in."""

import click
from flask.cli import with_appcontext

from citizenvoice.accounts import actions, queries
from citizenvoice.accounts.scope import Role
from citizenvoice.db import db, writing
from citizenvoice.errors import DomainError
from citizenvoice.web.clock import utc_now


@click.command("create-owner")
@click.argument("email")
@click.option("--agency", "slug", required=True, help="The short name of the agency they will own.")
@click.password_option(help="Their password; asked for when it is not given.")
@with_appcontext
def create_owner(email: str, slug: str, password: str) -> None:
    """Let EMAIL sign in and own an agency and everything below it."""
    now = utc_now()
    with writing():
        agency = queries.find_agency(slug)
        if agency is None:
            raise click.ClickException(f"There is no agency with the short name {slug!r}.")
        try:
            if queries.find_user(email) is None:
                actions.create_user(email, now=now, password=password)
            actions.invite_member(email, agency=agency, role=Role.OWNER, by_id=None, now=now)
        except DomainError as error:
            raise click.ClickException(str(error)) from error
        db.session.commit()
    click.echo(f"{email} owns {slug}.")
