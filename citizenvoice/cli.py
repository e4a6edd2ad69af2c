"""Commands an operator or a timer runs."""

import errno
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any, cast

import click
from flask import Flask, current_app
from flask.cli import FlaskGroup, NoAppException, ScriptInfo
from flask_migrate import upgrade

from citizenvoice import jobs
from citizenvoice.app import create_app
from citizenvoice.config import ROOT, ConfigError, config_from
from citizenvoice.db import db
from citizenvoice.demonstration import loading
from citizenvoice.web.clock import utc_now

PAUSE = 5.0  # seconds before a worker that died is started again
LONGEST_STOP = 30.0  # seconds a process has to finish what it is at

READING = ("evaluate", "read", "train")
"""Commands that work on a file of comments."""

FIRST_OWNER = """  Nobody can sign in yet. Make an agency and its owner, in another window:

      printf 'slug,name\\nmy-agency,My agency\\n' > agencies.csv
      {python} -m citizenvoice import agencies agencies.csv
      {python} -m citizenvoice create-owner you@agency.example --agency my-agency
"""


def make_app() -> Flask:
    """Build the application from the environment, on one machine with the secret key that ``run`` keeps.

    Raises NoAppException with one sentence if a setting is missing or makes no sense.
    """
    if not os.environ.get("SECRET_KEY") and is_on_this_machine(os.environ.get("DATABASE_URL", "")):
        os.environ.update(local_environment())
        click.echo(f"SECRET_KEY is not set: using the one in {ROOT / 'var' / 'secret-key'}.", err=True)
    try:
        return create_app(config_from(os.environ))
    except ConfigError as error:
        raise NoAppException(str(error)) from error


def is_on_this_machine(database_url: str) -> bool:
    """Tell whether a database is a file here, so that its secret key may be one too."""
    return not database_url or database_url.startswith("sqlite")


class Commands(FlaskGroup):
    """The commands; one that cannot start for want of a setting says so in one line."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands, in order."""
        return sorted({*super().list_commands(ctx), *READING})

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Return a command, having built the application it works on; ``run`` builds its own."""
        if name in READING:  # needs no database, and the models only when it is called
            commands = import_module("citizenvoice.analysis.commands")
            return cast("click.Command", getattr(commands, f"{name}_command"))
        if name != "run":
            try:
                ctx.ensure_object(ScriptInfo).load_app()
            except NoAppException as error:
                raise click.ClickException(error.format_message()) from error
        return super().get_command(ctx, name)


@click.group(cls=Commands, create_app=make_app, add_version_option=False)
def main() -> None:
    """Run citizenvoice and look after it."""


def local_environment() -> dict[str, str]:
    """Return the environment for one machine: what is set, and safe values kept in ``var/`` for the rest."""
    environment = dict(os.environ)
    folder = ROOT / "var"
    folder.mkdir(exist_ok=True)
    if not environment.get("SECRET_KEY"):
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


def free_port(_context: click.Context, _option: click.Parameter, written: str) -> int:
    """Return a port nobody else listens on, or say what is wrong with it."""
    if not (written.isascii() and written.isdigit() and 1 <= int(written[:6]) <= 65535):
        raise click.ClickException(f"The port must be a number from 1 to 65535, not {written!r}.")
    port = int(written)
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind(("127.0.0.1", port))
        except PermissionError as error:
            raise click.ClickException(f"You may not listen on port {port}; try PORT=8080.") from error
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            raise click.ClickException(
                f"Another program listens on port {port}. Stop it, or choose another port: PORT={port + 1}."
            ) from error
    return port


@main.command(with_appcontext=False)
@click.option(
    "--port",
    default=lambda: os.environ.get("PORT") or "8000",
    show_default="PORT or 8000",
    callback=free_port,
)
@click.option(
    "--demo/--no-demo", default=lambda: os.environ.get("DEMO") != "0", help="Fill an empty database."
)
def run(port: int, *, demo: bool) -> None:
    """Migrate the database, then run the web server and the worker together until Ctrl-C."""
    os.environ.update(local_environment())
    try:
        app = make_app()
    except NoAppException as error:
        raise click.ClickException(error.format_message()) from error
    with app.app_context():
        upgrade()
        if demo and loading.is_empty():
            load_demonstration()
        announce(port)
        db.session.remove()
    sys.exit(supervise(*commands_to_run(port)))


def announce(port: int) -> None:
    """Print the addresses, and how to sign in or how to make the first owner."""
    click.echo(f"\n  The public   http://localhost:{port}/")
    click.echo(f"  Managers     http://localhost:{port}/manage/")
    if loading.is_loaded():
        for email, name, agency, role in loading.PEOPLE:
            click.echo(f"               {email:28} {role} of {agency} ({name})")
        click.echo(f"               password: {loading.PASSWORD}")
    elif loading.is_empty():
        click.echo(FIRST_OWNER.format(python=os.path.relpath(sys.executable)))
    click.echo("  Ctrl-C stops the web server and the worker.\n")


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


def commands_to_run(port: int) -> tuple[list[str], list[str]]:
    """Return the command lines of the web server and the worker."""
    web = [
        *(sys.executable, "-m", "gunicorn", "wsgi:app", "--bind", f"127.0.0.1:{port}"),
        *("--worker-class", "gthread", "--workers", str(os.cpu_count() or 1), "--threads", "8"),
        *("--no-control-socket", "--log-level", "warning"),
    ]
    return web, [sys.executable, "-m", "citizenvoice", "work"]


def supervise(web: list[str], worker: list[str], *, pause: float = PAUSE) -> int:
    """Run the web server and the worker side by side until the first ends or we are told to stop.

    A worker that ends is started again after a pause. Returns the web server's status, 0 if told to stop.
    """
    is_told = False

    def stop(_signal: int, _frame: object) -> None:
        nonlocal is_told
        is_told = True

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    serving, working = _started(web), _started(worker)
    start_again_at: float | None = None
    try:
        while not is_told and serving.poll() is None:
            if start_again_at is None and working.poll() is not None:
                click.echo(f"The worker ended; it is started again in {pause:g} seconds.", err=True)
                start_again_at = time.monotonic() + pause
            elif start_again_at is not None and time.monotonic() >= start_again_at:
                working, start_again_at = _started(worker), None
            time.sleep(min(0.2, pause))
        return 0 if is_told else abs(serving.returncode)
    finally:
        for process in (serving, working):
            process.terminate()
        for process in (serving, working):
            _wait(process)
        for number, handler in before.items():
            signal.signal(number, handler)


def _started(command: list[str]) -> subprocess.Popen[Any]:
    return subprocess.Popen(command, cwd=ROOT, start_new_session=True)  # noqa: S603 - our own command lines


def _wait(process: subprocess.Popen[Any]) -> None:
    try:
        process.wait(timeout=LONGEST_STOP)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
