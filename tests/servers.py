"""Real servers for the tests: databases, PostgreSQL, Redis, and the product itself as an operator starts it.

``python -m tests.servers COMMAND`` runs a command with PostgreSQL and Redis beside it;
``python -m tests.servers --on-postgres COMMAND`` also makes PostgreSQL the database under test.
"""

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, NoReturn

import psycopg
import pytest
import redis
from alembic import command
from alembic.config import Config
from flask import Flask
from psycopg import sql
from sqlalchemy import make_url

from citizenvoice.app import create_app
from citizenvoice.config import config_from, database_url
from citizenvoice.db import db

ROOT = Path(__file__).parent.parent
ENVIRONMENT = {"SECRET_KEY": "tests only, and long enough to be accepted", "INSECURE_COOKIES": "1"}
IN_PROCESS = {"TESTING": True, "WTF_CSRF_ENABLED": False, "RATELIMIT_ENABLED": False, "SURVEY_SECONDS": 0}
START_SECONDS = 60
STOP_SECONDS = 15


def missing(what: str) -> NoReturn:
    """Skip the test for want of a program; fail where everything must be there."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"needs {what}")
    pytest.skip(f"needs {what}")


def app_on(url: str, **settings: Any) -> Flask:
    """Return the application on this database, with the settings tests run under."""
    return create_app(config_from(ENVIRONMENT | {"DATABASE_URL": url}) | IN_PROCESS | settings)


class Databases:
    """Makes databases that only one test run uses: SQLite files, or databases of a PostgreSQL server.

    A migrated database is a copy of one that the real migrations built, so that it costs milliseconds.
    """

    def __init__(self, server: str, folder: Path) -> None:
        self.server = make_url(database_url(server)) if server else None
        self.folder = folder
        self.prefix = f"citizenvoice_test_{secrets.token_hex(4)}"
        self.made = 0
        self.template: str | None = None

    def create_empty(self) -> str:
        """Create a database without tables and return its URL."""
        return self._create(f"{self.prefix}_{self._next()}")

    def create(self) -> str:
        """Create a migrated database and return its URL."""
        if self.template is None:
            self.template = f"{self.prefix}_template"
            migrate(self._create(self.template))
        return self._create(f"{self.prefix}_{self._next()}", copy_of=self.template)

    def drop_all(self) -> None:
        """Drop every database made here."""
        if self.server is None:
            shutil.rmtree(self.folder, ignore_errors=True)
            return
        for name in [f"{self.prefix}_{n}" for n in range(1, self.made + 1)] + [f"{self.prefix}_template"]:
            self._execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def _next(self) -> int:
        self.made += 1
        return self.made

    def _create(self, name: str, copy_of: str | None = None) -> str:
        if self.server is None:
            path = self.folder / f"{name}.db"
            if copy_of:
                shutil.copyfile(self.folder / f"{copy_of}.db", path)
            return f"sqlite:///{path}"
        template = sql.Identifier(copy_of or "template0")
        self._execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), template))
        return self.server.set(database=name).render_as_string(hide_password=False)

    def _execute(self, statement: sql.Composed) -> None:
        assert self.server is not None
        plain = self.server.set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(plain, autocommit=True) as connection:
            connection.execute(statement)


def migrate(url: str) -> None:
    """Run every migration on this database."""
    app = app_on(url)
    with app.app_context():
        command.upgrade(migrations_of(app), "head")
        db.engine.dispose()


def migrations_of(app: Flask) -> Config:
    """Return what Alembic's commands need to migrate the database of this application, in its context."""
    config: Config = app.extensions["migrate"].migrate.get_config()
    return config


@contextmanager
def postgres_server(*, is_durable: bool = False) -> Iterator[str]:
    """Run a PostgreSQL server of our own and yield its URL; a durable one waits for the disk.

    Raises FileNotFoundError where it is not installed.
    """
    folder = Path(tempfile.mkdtemp(prefix="citizenvoice-postgres-"))
    password = secrets.token_urlsafe(16)
    port = free_port()
    account = _unprivileged_account()
    try:
        (folder / "password").write_text(password)
        if account:
            for path in (folder, folder / "password"):
                shutil.chown(path, account)
        as_owner: dict[str, Any] = {"cwd": folder, "check": True, "stdout": subprocess.DEVNULL}
        if account:
            as_owner |= {"user": account, "group": pwd.getpwnam(account).pw_gid, "extra_groups": []}
        data = folder / "data"
        setup = ["-U", "tests", "--auth=scram-sha-256", f"--pwfile={folder / 'password'}", "--no-sync"]
        language = ["--encoding=UTF8", "--locale=C.UTF-8"]  # orders text by code point, as SQLite does
        subprocess.run([_postgres_program("initdb"), "-D", data, *setup, *language], **as_owner)
        # Nothing in tests outlives the run, so nothing has to survive a power cut.
        options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1"
        options += "" if is_durable else " -c fsync=off -c full_page_writes=off"
        control: list[str | Path] = [_postgres_program("pg_ctl"), "-D", data, "-w"]
        subprocess.run([*control, "-l", folder / "log", "-o", options, "start"], **as_owner)
        try:
            yield f"postgresql+psycopg://tests:{password}@127.0.0.1:{port}/postgres"
        finally:
            subprocess.run([*control, "-m", "immediate", "stop"], **as_owner)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _postgres_program(name: str) -> str:
    """Return the path of a PostgreSQL server program; Debian keeps them off the PATH, by version."""
    debian = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[4]))
    found = str(debian[-1]) if debian else shutil.which(name)
    if found is None:
        raise FileNotFoundError(name)
    return found


def _unprivileged_account() -> str | None:
    """Return who PostgreSQL should run as where we are root, which it refuses."""
    if os.geteuid() != 0:
        return None
    with suppress(KeyError):
        return pwd.getpwnam("postgres").pw_name
    return "nobody"


@contextmanager
def redis_server() -> Iterator[str]:
    """Run a Redis server of our own and yield its URL; raise FileNotFoundError where it is not installed."""
    program = shutil.which("redis-server")
    if program is None:
        raise FileNotFoundError("redis-server")
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="citizenvoice-redis-") as folder:
        redis_command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder]
        url = f"redis://127.0.0.1:{port}/0"
        with running(redis_command, Path(folder) / "log") as process, redis.Redis.from_url(url) as client:
            wait_until(lambda: _answers(client), process, Path(folder) / "log")
            yield url


def _answers(client: "redis.Redis") -> bool:
    try:
        return bool(client.ping())
    except redis.exceptions.ConnectionError:
        return False


class LiveServer:
    """The product as an operator runs it: gunicorn on a database of its own, and workers when asked.

    ``app`` is the same application in this process, on the same database, to prepare data with:
    ``with live.app.app_context(): ServiceFactory.create(); db.session.commit()``.
    """

    def __init__(self, database: str, folder: Path, **environment: str) -> None:
        self.database = database
        self.folder = folder
        self.app = app_on(database, IMPORTS_FOLDER=str(folder / "imports"))
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.environment = {
            **{name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TZ") if name in os.environ},
            **ENVIRONMENT,
            "DATABASE_URL": database,
            "PUBLIC_URL": self.url,
            "IMPORTS_FOLDER": str(folder / "imports"),
            **environment,
        }
        self.processes = ExitStack()

    def __enter__(self) -> "LiveServer":
        """Start the web server and wait until it answers."""
        listen = ["--bind", f"fd://{self.listener.fileno()}", "--no-control-socket"]
        threads = ["--worker-class", "gthread", "--workers", "1", "--threads", "8"]
        command = [sys.executable, "-m", "gunicorn", *listen, *threads, "--log-level", "warning", "wsgi:app"]
        log = self.folder / "web.log"
        inherited = (self.listener.fileno(),)
        try:
            process = self.processes.enter_context(
                running(command, log, env=self.environment, cwd=ROOT, pass_fds=inherited)
            )
            wait_until(lambda: is_serving(self.url), process, log)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_error: object) -> None:
        """Stop everything that was started and close the database."""
        self.processes.close()
        self.listener.close()
        with self.app.app_context():
            db.session.remove()
            db.engine.dispose()

    def start_worker(self) -> "subprocess.Popen[bytes]":
        """Start one more background worker; it is stopped with the server."""
        command = [sys.executable, "-m", "citizenvoice", "work"]
        log = self.folder / "work.log"
        return self.processes.enter_context(running(command, log, env=self.environment, cwd=ROOT))


def is_serving(url: str) -> bool:
    """Return whether anything answers at this address, be it an error page."""
    try:
        with urllib.request.urlopen(url, timeout=5):  # noqa: S310 - our own http address
            return True
    except urllib.error.HTTPError as page:
        page.close()
        return True
    except OSError:
        return False


@contextmanager
def running(command: list[str], log: Path, **options: Any) -> "Iterator[subprocess.Popen[bytes]]":
    """Run a program while the block lasts, its output in a file; then ask it to stop, and insist."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, **options
        )
    with process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.terminate()
                try:
                    process.wait(STOP_SECONDS)
                except subprocess.TimeoutExpired:
                    process.kill()


def wait_until(ready: Callable[[], bool], process: "subprocess.Popen[bytes]", log: Path) -> None:
    """Wait until a program is ready; fail with its last words if it ends or takes too long."""
    deadline = time.monotonic() + START_SECONDS
    while not ready():
        if process.poll() is not None or time.monotonic() > deadline:
            pytest.fail(f"{process.args!r} did not start:\n{log.read_text(errors='replace')[-4000:]}")
        time.sleep(0.05)


def free_port() -> int:
    """Return a port nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def main(arguments: list[str]) -> int:
    """Run a command with PostgreSQL and Redis beside it and return its exit status."""
    on_postgres = arguments[:1] == ["--on-postgres"]
    command = arguments[1:] if on_postgres else arguments
    if not command:
        sys.stderr.write(f"{__doc__}\n")
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    environment = dict(os.environ)
    with ExitStack() as servers:
        try:
            given = os.environ.get("TEST_POSTGRES_URL")
            environment["TEST_POSTGRES_URL"] = given or servers.enter_context(postgres_server())
            environment["REDIS_URL"] = os.environ.get("REDIS_URL") or servers.enter_context(redis_server())
        except FileNotFoundError as program:
            sys.stderr.write(
                f"{program} is not installed. On Debian or Ubuntu: apt install postgresql redis-server\n"
            )
            return 1
        if on_postgres:
            environment["TEST_DATABASE_URL"] = environment["TEST_POSTGRES_URL"]
        return subprocess.run(command, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
