"""Commands an operator or a timer runs."""

import os
import secrets
import signal
import subprocess
import sys
from pathlib import Path

import click
from flask import Flask, current_app
from flask.cli import FlaskGroup
from flask_migrate import upgrade

from citizenvoice import jobs
from citizenvoice.app import create_app
from citizenvoice.config import ROOT, config_from
from citizenvoice.db import db
from citizenvoice.demonstration import loading
from citizenvoice.web.clock import utc_now


def make_app() -> Flask:
    """Build the application from the environment."""
    return create_app(config_from(os.environ))


@click.group(cls=FlaskGroup, create_app=make_app, add_version_option=False)
def main() -> None:
    """Run citizenvoice and look after it."""


def local_environment() -> dict[str, str]:
    """Return the environment for one machine: what is set, and safe values kept in ``var/`` for the rest."""
    environment = dict(os.environ)
    folder = ROOT / "var"
    folder.mkdir(exist_ok=True)
    if "SECRET_KEY" not in environment:
        environment["SECRET_KEY"] = kept_secret(folder / "secret-key")
        environment.setdefault("INSECURE_COOKIES", "1")  # plain http on this machine
    return environment


def kept_secret(path: Path) -> str:
    """Return the secret in a file, making one that only this user can read the first time."""
    if not path.exists():
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(48))
    return path.read_text().strip()


@main.command(with_appcontext=False)
@click.option("--port", default=lambda: int(os.environ.get("PORT") or "8000"), show_default="PORT or 8000")
@click.option(
    "--demo/--no-demo", default=lambda: os.environ.get("DEMO") != "0", help="Fill an empty database."
)
def run(port: int, *, demo: bool) -> None:
    """Migrate the database, then run the web server and the worker together until Ctrl-C."""
    os.environ.update(local_environment())
    app = make_app()
    with app.app_context():
        upgrade()
        if demo and loading.is_empty():
            load_demonstration()
        is_demonstration = loading.is_loaded()
        db.session.remove()
    click.echo(f"\n  The public   http://localhost:{port}/")
    click.echo(f"  Managers     http://localhost:{port}/manage/")
    if is_demonstration:
        for email, name, agency, role in loading.PEOPLE:
            click.echo(f"               {email:28} {role} of {agency} ({name})")
        click.echo(f"               password: {loading.PASSWORD}")
    click.echo("  Ctrl-C stops the web server and the worker.\n")
    sys.exit(supervise(commands_to_run(port)))


@main.command("demo")
def demo_command() -> None:
    """Load the demonstration country into an empty database."""
    if not loading.is_empty():
        raise click.ClickException(
            "The database is not empty; the demonstration is only loaded into an empty one."
        )
    load_demonstration()


def load_demonstration() -> None:
    """Load the country, then read its comments and count its answers, telling how far it is."""
    click.echo("Loading the demonstration, the Republic of Valdora ...")
    config = current_app.config
    for step in loading.load(now=utc_now(), secret=config["SECRET_KEY"], regions=config["PHONE_REGIONS"]):
        click.echo(f"  {step}")
    click.echo("Reading its comments and counting its answers ...")
    jobs.drain()


def commands_to_run(port: int) -> list[list[str]]:
    """Return the command lines of the web server and the worker."""
    web = [
        *(sys.executable, "-m", "gunicorn", "wsgi:app", "--bind", f"127.0.0.1:{port}"),
        *("--worker-class", "gthread", "--workers", str(os.cpu_count() or 1), "--threads", "8"),
        *("--no-control-socket", "--log-level", "warning"),
    ]
    return [web, [sys.executable, "-m", "citizenvoice", "work"]]


def supervise(commands: list[list[str]]) -> int:
    """Run commands side by side; when one ends or we are told to stop, stop all. Return the worst status."""
    running = [
        subprocess.Popen(command, cwd=ROOT, start_new_session=True)  # noqa: S603 - our own command lines
        for command in commands
    ]

    def stop(_signal: int, _frame: object) -> None:
        for process in running:
            process.terminate()

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    while all(process.poll() is None for process in running):
        try:
            running[0].wait(timeout=0.5)
        except subprocess.TimeoutExpired:
            continue
    stop(0, None)
    return max(abs(process.wait()) for process in running)
