"""Letters leave after the response, whole, and their failure harms no page."""

import logging
import socketserver
import stat
import threading
from collections.abc import Iterator
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from flask import Flask, Response

from citizenvoice.config import ConfigError
from citizenvoice.web import mail
from citizenvoice.web.mail import Letter
from tests.servers import app_on

LETTER = Letter(to="ana@agency.example", subject="Contraseña nueva", text="¿Olvidó su contraseña?\n")


class MailServer(socketserver.ThreadingTCPServer):
    """Takes one letter at a time, without encryption, and keeps what it was told."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Conversation)
        self.said: list[str] = []
        self.letters: list[bytes] = []


class Conversation(socketserver.StreamRequestHandler):
    server: MailServer

    def handle(self) -> None:
        self.say("220 ready")
        while line := self.rfile.readline():
            command = line.decode().strip()
            self.server.said.append(command)
            if command.upper().startswith("EHLO"):
                self.say("250-here", "250 8BITMIME")
            elif command.upper() == "DATA":
                self.say("354 go on")
                self.server.letters.append(b"".join(iter(self.rfile.readline, b".\r\n")))
                self.say("250 taken")
            else:
                self.say("221 bye" if command.upper() == "QUIT" else "250 fine")

    def say(self, *lines: str) -> None:
        self.wfile.write("".join(f"{line}\r\n" for line in lines).encode())


@pytest.fixture
def server() -> Iterator[MailServer]:
    with MailServer() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def send(app: Flask, letter: Letter = LETTER) -> None:
    response = Response("done")
    with app.test_request_context():
        mail.send_after(response, letter)
    response.close()


def test_a_letter_goes_through_the_mail_server(
    app: Flask, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "MAIL_URL", f"smtp://127.0.0.1:{server.server_address[1]}")

    send(app)

    (taken,) = server.letters
    letter = message_from_bytes(taken, policy=policy.default)
    assert (letter["To"], letter["Subject"]) == (LETTER.to, LETTER.subject)
    assert letter["From"] == app.config["MAIL_FROM"]
    assert letter.get_content_type() == "text/plain"
    assert letter.get_content().splitlines() == LETTER.text.splitlines()
    assert not any(line.upper().startswith("AUTH") for line in server.said)


def test_a_letter_leaves_after_the_response(
    app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "MAIL_FOLDER", str(tmp_path / "mail"))
    response = Response("done")
    with app.test_request_context():
        mail.send_after(response, LETTER)
    assert not (tmp_path / "mail").exists()

    response.close()

    (kept,) = (tmp_path / "mail").glob("*.eml")
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_a_mail_server_that_is_away_harms_no_page_and_the_log_names_nobody(
    app: Flask, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(app.config, "MAIL_URL", "smtp://127.0.0.1:1")

    with caplog.at_level(logging.ERROR):
        send(app)

    assert "could not be sent: ConnectionRefusedError" in caplog.text
    assert LETTER.to not in caplog.text


def test_no_header_can_be_slipped_into_a_letter() -> None:
    with pytest.raises(ValueError, match="linefeed or carriage return"):
        mail.compose(Letter(to="a@b.example\nBcc: c@d.example", subject="x", text="x"), sender="e@f.example")


def test_links_in_mail_need_an_address_of_ours() -> None:
    with pytest.raises(ConfigError, match="PUBLIC_URL"):
        app_on("sqlite://", MAIL_URL="smtp://mail.example")


def test_a_mail_address_that_makes_no_sense_stops_the_start() -> None:
    with pytest.raises(ConfigError, match="MAIL_URL"):
        app_on("sqlite://", MAIL_URL="mail.example:25")
