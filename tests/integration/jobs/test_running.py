"""One command runs the web server and the worker; what is wrong is said before anything starts."""

import os
import signal
import socket
import sys
import threading
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from flask import Flask

from citizenvoice import cli
from citizenvoice.accounts.models import Membership
from citizenvoice.db import db
from tests.servers import ENVIRONMENT

DIE = "import os, sys; open(sys.argv[1], 'a').write('x'); os.kill(os.getpid(), 9)"
SERVE_UNTIL_THREE = (
    "import os, sys, time\n"
    "while not (os.path.exists(sys.argv[1]) and os.path.getsize(sys.argv[1]) >= 3): time.sleep(0.02)\n"
    "sys.exit(3)"
)
WAIT = "import os, sys, time; open(sys.argv[1], 'w').write(str(os.getpid())); time.sleep(60)"


def python(program: str, path: Path) -> list[str]:
    return [sys.executable, "-c", program, str(path)]


def call(*args: str) -> Result:
    return CliRunner().invoke(cli.main, list(args))


def test_a_worker_that_is_killed_is_started_again_and_the_web_server_stays(tmp_path: Path) -> None:
    lives = tmp_path / "lives"

    status = cli.supervise(python(SERVE_UNTIL_THREE, lives), python(DIE, lives), pause=0.02)

    assert status == 3, "the web server ended by itself, and only then everything"
    assert lives.stat().st_size >= 3


def test_a_signal_stops_both(tmp_path: Path) -> None:
    pids = tmp_path / "web", tmp_path / "worker"

    def tell_when_both_run() -> None:
        while not all(path.exists() and path.read_text() for path in pids):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    teller = threading.Thread(target=tell_when_both_run, daemon=True)
    teller.start()
    status = cli.supervise(*(python(WAIT, path) for path in pids))

    assert status == 0
    for path in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(int(path.read_text()), 0)


@pytest.mark.parametrize("port", ["abc", "0", "70000", "-1", "８０００"])
def test_a_port_that_is_none_is_refused_in_a_sentence(monkeypatch: pytest.MonkeyPatch, port: str) -> None:
    monkeypatch.setenv("PORT", port)

    told = call("run")

    assert told.exit_code == 1
    assert told.output == f"Error: The port must be a number from 1 to 65535, not {port!r}.\n"


def test_a_busy_port_is_told_before_anything_else() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]

        told = call("run", "--port", str(port))

    assert told.exit_code == 1
    assert told.output.startswith(f"Error: Another program listens on port {port}.")
    assert "password" not in told.output


def test_without_a_demonstration_the_first_owner_is_made_as_told(
    real_app: Flask, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with real_app.app_context():
        cli.announce(8000)
    told = capsys.readouterr().out
    assert "import agencies agencies.csv" in told
    assert "create-owner you@agency.example --agency my-agency" in told
    assert "slug,name\\nmy-agency,My agency" in told

    (tmp_path / "agencies.csv").write_text("slug,name\nmy-agency,My agency\n")
    runner = real_app.test_cli_runner()
    assert runner.invoke(args=["import", "agencies", str(tmp_path / "agencies.csv")]).exit_code == 0
    owner = ["create-owner", "you@agency.example", "--agency", "my-agency"]
    assert runner.invoke(args=owner, input="a long password\na long password\n").exit_code == 0
    with real_app.app_context():
        assert [member.role for member in db.session.query(Membership)] == ["owner"]
        cli.announce(8000)
    assert "create-owner" not in capsys.readouterr().out


@pytest.fixture
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The environment of a fresh checkout, its folder elsewhere."""
    for name in (*ENVIRONMENT, "SECRET_KEY", "DATABASE_URL", "INSECURE_COOKIES"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.setattr(cli, "ROOT", tmp_path)
    return tmp_path


def test_commands_take_the_secret_key_that_run_keeps(
    bare_environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{bare_environment / 'c.db'}")

    told = call("import", "--help")

    kept = (bare_environment / "var" / "secret-key").read_text()
    assert told.exit_code == 0
    assert (
        told.stderr == f"SECRET_KEY is not set: using the one in {bare_environment / 'var' / 'secret-key'}.\n"
    )
    assert cli.local_environment()["SECRET_KEY"] == kept
    assert os.environ["SECRET_KEY"] == kept


def test_a_setting_that_makes_no_sense_is_named_in_one_line(
    bare_environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAX_UPLOAD_MB", "much")

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    told = call("run", "--port", str(port))

    assert told.exit_code == 1
    assert told.output == "Error: MAX_UPLOAD_MB must be a whole number, not 'much'.\n"


@pytest.mark.parametrize("command", [("import", "--help"), ("demo",), ("work",)])
def test_a_missing_setting_is_named_in_one_line(
    bare_environment: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://db.example/citizenvoice")

    told = call(*command)

    assert told.exit_code != 0
    assert told.output == "Error: SECRET_KEY must be set to at least 32 random characters.\n"
