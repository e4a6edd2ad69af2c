"""The headers that every answer carries: they allow nothing that our pages do not need."""

from collections.abc import Iterable, MutableMapping
from typing import TYPE_CHECKING, Any

from flask import request

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; manifest-src 'self'; "
    "frame-ancestors {ancestors}"
)
FRAMED = "citizenvoice.framed"
ALWAYS = (
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(), microphone=(), geolocation=()"),
    ("Cache-Control", "no-store"),
)
ALONE = (*ALWAYS, ("Content-Security-Policy", POLICY.format(ancestors="'none'")), ("X-Frame-Options", "DENY"))
IN_A_FRAME = (*ALWAYS, ("Content-Security-Policy", POLICY.format(ancestors="*")))
ENCRYPTED = ("Strict-Transport-Security", "max-age=31536000")


def allow_framing() -> None:
    """Let any page show the answer to this request in a frame."""
    request.environ[FRAMED] = True


def of_a_file(headers: MutableMapping[str, str], _path: str, _url: str) -> None:
    """Add to a static file what keeps a browser from taking it for something else."""
    headers["X-Content-Type-Options"] = "nosniff"


class SecurityHeaders:
    """Adds to every answer of the application the headers it does not carry yet."""

    def __init__(self, application: "WSGIApplication") -> None:
        self._application = application

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer as the application does, with more headers."""

        def start(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            present = {name.lower() for name, _value in headers}
            wanted = IN_A_FRAME if environ.get(FRAMED) else ALONE
            if environ["wsgi.url_scheme"] == "https":
                wanted = (*wanted, ENCRYPTED)
            added = [(name, value) for name, value in wanted if name.lower() not in present]
            return start_response(status, headers + added, *more)

        return self._application(environ, start)
