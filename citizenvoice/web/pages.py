"""Pages that are the same for everybody: made without a session, cached whole, answered with a digest."""

import gzip
import hashlib
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import Response, current_app, request

from citizenvoice.web import languages, surroundings

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_UNSHOWABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufdd0-\ufdef\ufffe\uffff]")

SECONDS = 60  # a page that anybody may keep


@dataclass(frozen=True, slots=True)
class Page:
    """A finished page, also compressed, and the digest by which a browser asks whether it changed."""

    body: bytes
    packed: bytes
    etag: str
    mimetype: str


def render(template: str, language: str, **facts: Any) -> str:
    """Make a page without looking at who is asking: no session, no context processor, no cookie."""
    languages.speak(language)
    return current_app.jinja_env.get_template(template).render(
        page_language=language,
        page_direction=languages.direction(language),
        own_name=languages.own_name,
        site_name=current_app.config["SITE_NAME"],
        **{**surroundings.public(), **facts},
    )


def finished(text: str, mimetype: str = "text/html") -> Page:
    """Finish a page so that it can be kept and answered many times."""
    body = text.encode()
    return Page(body, gzip.compress(body, 9, mtime=0), f'"{hashlib.sha256(body).hexdigest()[:24]}"', mimetype)


def answer(page: Page, seconds: int = SECONDS) -> Response:
    """Answer with a kept page, or with "not modified"."""
    headers = {"Cache-Control": f"public, max-age={seconds}", "ETag": page.etag, "Vary": "Accept-Encoding"}
    if request.headers.get("If-None-Match") == page.etag:
        return Response(status=304, headers=headers)
    body = page.body
    if "gzip" in request.headers.get("Accept-Encoding", ""):
        body = page.packed
        headers["Content-Encoding"] = "gzip"
    return Response(body, headers=headers, mimetype=page.mimetype)


KEEP = "citizenvoice.keep_seconds"


def keep_in_front(seconds: float) -> None:
    """Let this answer be given again for some seconds without asking the application."""
    request.environ[KEEP] = seconds


class KeptAnswers:
    """Gives answers that are the same for everybody again, before the application is asked.

    Only for what a view names with `keep_in_front`, for as many seconds as it says, and at most so many.
    """

    def __init__(self, application: "WSGIApplication", size: int = 500) -> None:
        self._application = application
        self._size = size
        self._kept: dict[tuple[str, ...], _KeptAnswer] = {}

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer from what is kept, or ask the application and keep what it says may be kept."""
        if environ["REQUEST_METHOD"] != "GET":
            return self._application(environ, start_response)
        key = (
            environ["wsgi.url_scheme"],
            environ.get("PATH_INFO", ""),
            environ.get("QUERY_STRING", ""),
            environ.get("HTTP_IF_NONE_MATCH", ""),
            "gzip" if "gzip" in environ.get("HTTP_ACCEPT_ENCODING", "") else "",
        )
        kept = self._kept.get(key)
        if kept is not None and time.monotonic() < kept.until:
            start_response(kept.status, list(kept.headers))
            return [kept.body]
        return self._ask(key, environ, start_response)

    def _ask(
        self, key: tuple[str, ...], environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        said: list[tuple[str, list[tuple[str, str]]]] = []

        def listen(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            said.append((status, headers))
            return start_response(status, headers, *more)

        answer = self._application(environ, listen)
        seconds = environ.get(KEEP)
        if not seconds or not said:
            return answer
        body = b"".join(answer)
        getattr(answer, "close", lambda: None)()
        if len(self._kept) >= self._size:
            self._kept.clear()
        status, headers = said[-1]
        self._kept[key] = _KeptAnswer(status, tuple(headers), body, time.monotonic() + seconds)
        return [body]


@dataclass(frozen=True, slots=True)
class _KeptAnswer:
    """One answer, and until when it may be given."""

    status: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    until: float


def html(body: str | bytes, status: int = 200) -> Response:
    """Answer with a page that is one person's own; nobody keeps it."""
    return Response(body, status, mimetype="text/html", headers={"Cache-Control": "no-store"})


def shown_again(typed: str) -> str:
    """Return what somebody typed without the characters that no page may hold."""
    return _UNSHOWABLE.sub("", typed)
