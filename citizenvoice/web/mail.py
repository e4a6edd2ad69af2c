"""Sending plain-text mail: through the server MAIL_URL names, or into a folder where there is none."""

import logging
import secrets
import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from flask import Flask, Response, current_app

from citizenvoice.config import ROOT, ConfigError
from citizenvoice.web.clock import utc_now

SECONDS_TO_WAIT = 15
OWN_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One message to one person."""

    to: str
    subject: str
    text: str


def init_mail(app: Flask) -> None:
    """Check the settings of mail.

    Raises ConfigError if they cannot work, or if links in mail would depend on what a request claims.
    """
    url = app.config.get("MAIL_URL", "")
    app.config.setdefault("MAIL_FOLDER", str(ROOT / "var" / "mail"))
    app.config.setdefault("MAIL_FROM", "citizenvoice@localhost")
    if url and urlsplit(url).scheme not in {"smtp", "smtps"}:
        raise ConfigError("MAIL_URL must look like smtp://user:password@host:port or smtps://…")
    if url and not app.config.get("PUBLIC_URL"):
        raise ConfigError("PUBLIC_URL must be set where MAIL_URL is: links in mail begin with it.")


def send_after(response: Response, letter: Letter) -> None:
    """Send a letter when the response has left.

    Nobody waits for the mail server, and how long a page takes does not tell whether a letter was sent.
    A letter that cannot be sent is logged, without its address.
    """
    url, sender = current_app.config["MAIL_URL"], current_app.config["MAIL_FROM"]
    folder = Path(current_app.config["MAIL_FOLDER"])

    def send() -> None:
        message = compose(letter, sender=sender)
        try:
            if url:
                send_through(url, message)
            else:
                keep_in(folder, message)
        except (OSError, smtplib.SMTPException) as error:
            log.error("A letter could not be sent: %s", type(error).__name__)  # noqa: TRY400 - the trace names the addressee

    response.call_on_close(send)


def compose(letter: Letter, *, sender: str) -> EmailMessage:
    """Return the message as it travels."""
    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    message["To"] = letter.to
    message["Subject"] = letter.subject
    message["Date"] = format_datetime(utc_now())
    message["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2].rstrip(">") or "localhost")
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.text)
    return message


def send_through(url: str, message: EmailMessage) -> None:
    """Hand a message to the mail server; a password is only ever sent encrypted, or within this machine."""
    server = urlsplit(url)
    with connect(server) as connection:
        encrypted = server.scheme == "smtps"
        connection.ehlo()
        if not encrypted and connection.has_extn("starttls"):
            connection.starttls(context=ssl.create_default_context())
            encrypted = True
        if server.username:
            if not encrypted and server.hostname not in OWN_MACHINE:
                raise smtplib.SMTPNotSupportedError("the mail server offers no encryption")
            connection.login(unquote(server.username), unquote(server.password or ""))
        connection.send_message(message)


def connect(server: SplitResult) -> smtplib.SMTP:
    """Open a connection to a mail server."""
    host = server.hostname or "localhost"
    if server.scheme == "smtps":
        context = ssl.create_default_context()
        return smtplib.SMTP_SSL(host, server.port or 465, timeout=SECONDS_TO_WAIT, context=context)
    return smtplib.SMTP(host, server.port or 587, timeout=SECONDS_TO_WAIT)


def keep_in(folder: Path, message: EmailMessage) -> None:
    """Write a message as a file that only this user can read: ``make run`` needs no mail server."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{utc_now():%Y%m%d-%H%M%S-%f}-{secrets.token_hex(3)}.eml"
    path.touch(mode=0o600)
    path.write_bytes(message.as_bytes())
