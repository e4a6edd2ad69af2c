"""Where the public begins: every service in one list with a search, and what we promise."""

from collections.abc import Sequence

from flask import Blueprint, Response, redirect, request, url_for
from flask.typing import ResponseReturnValue

from citizenvoice.accounts.access import Audience, open_to
from citizenvoice.catalogue import directory
from citizenvoice.config import ANSWERING_LANGUAGES, LANGUAGES
from citizenvoice.db import db
from citizenvoice.errors import N_, NotFoundError
from citizenvoice.web import languages, pages, surroundings

bp = Blueprint("home", __name__)
SECONDS = 60
MAX_QUERY = 100


@bp.get("/")
@open_to(Audience.PUBLIC)
def choose_language() -> ResponseReturnValue:
    """Lead to the first page in the best language."""
    response = redirect(url_for(".index", language=languages.best_language()))
    response.headers["Vary"] = "Accept-Language"
    response.headers["Cache-Control"] = f"public, max-age={SECONDS}"
    return response


@bp.get("/<language>/")
@open_to(Audience.PUBLIC)
def index(language: str) -> ResponseReturnValue:
    """Say what this is, and list the services, or those that fit a search."""
    speak(language)
    query = " ".join(request.args.get("q", "").split())[:MAX_QUERY]
    found = directory.find(query, language)
    db.session.rollback()
    html = pages.render("catalogue/home.html", language, query=query, found=found)
    return pages.answer(pages.finished(html), SECONDS)


@bp.get("/<language>/privacy")
@open_to(Audience.PUBLIC)
def privacy(language: str) -> ResponseReturnValue:
    """Say what is stored and what is not."""
    return promise(language, "catalogue/privacy.html")


@bp.get("/<language>/accessibility")
@open_to(Audience.PUBLIC)
def accessibility(language: str) -> ResponseReturnValue:
    """Say how accessible these pages are."""
    return promise(language, "catalogue/accessibility.html")


def promise(language: str, template: str) -> Response:
    """Answer with a page that whoever answers can read in their own language."""
    speak(language, ANSWERING_LANGUAGES)
    links = surroundings.language_links(ANSWERING_LANGUAGES)
    return pages.answer(pages.finished(pages.render(template, language, language_links=links)))


def speak(language: str, offered: Sequence[str] = LANGUAGES) -> None:
    """Speak the language of the address. Raises NotFoundError for one the page is not offered in."""
    if language not in offered:
        raise NotFoundError(N_("This page is not available in this language."))
    languages.speak(language)
