"""The public page of a service, its figures as data, and what each method means; all cached whole."""

from flask import Blueprint, current_app
from flask.typing import ResponseReturnValue

from citizenvoice.accounts.access import Audience, open_to
from citizenvoice.agencies.queries import get_public_service
from citizenvoice.config import LANGUAGES
from citizenvoice.errors import N_, NotFoundError
from citizenvoice.indicators.methods import METHODS
from citizenvoice.reporting import scorecards, wording
from citizenvoice.reporting.scorecards import Scorecard
from citizenvoice.reporting.spreadsheets import csv_bytes
from citizenvoice.web import languages, pages
from citizenvoice.web.clock import day_in, utc_now

bp = Blueprint("scorecards", __name__, url_prefix="/<language>")
SECONDS = 60


@bp.get("/services/<service_slug>")
@open_to(Audience.PUBLIC)
def show(language: str, service_slug: str) -> ResponseReturnValue:
    """Show how a service does, to everybody."""
    speak(language)
    card = card_of(service_slug)
    html = pages.render(
        "reporting/scorecard.html",
        language,
        card=card,
        agency_name=card.agency,
        target_words=wording.target_words,
        in_words=wording.in_words,
    )
    return pages.answer(pages.finished(html), SECONDS)


@bp.get("/services/<service_slug>/figures.csv")
@open_to(Audience.PUBLIC)
def csv(language: str, service_slug: str) -> ResponseReturnValue:
    """Send the published figures as CSV."""
    speak(language)
    sheet = scorecards.as_sheet(card_of(service_slug))
    return pages.answer(pages.finished(b"".join(csv_bytes(sheet)).decode(), "text/csv"), SECONDS)


@bp.get("/services/<service_slug>/figures.json")
@open_to(Audience.PUBLIC)
def json(language: str, service_slug: str) -> ResponseReturnValue:
    """Send the published figures as JSON."""
    speak(language)
    text = current_app.json.dumps(scorecards.as_json(card_of(service_slug)))
    return pages.answer(pages.finished(text, "application/json"), SECONDS)


@bp.get("/methods/<method_id>")
@open_to(Audience.PUBLIC)
def method(language: str, method_id: str) -> ResponseReturnValue:
    """Explain how figures of one kind are worked out."""
    speak(language)
    if method_id not in METHODS:
        raise NotFoundError(N_("There is no such method."))
    html = pages.render("reporting/method.html", language, method=wording.how(METHODS[method_id]))
    return pages.answer(pages.finished(html), SECONDS)


def speak(language: str) -> None:
    """Speak the language of the address. Raises NotFoundError for one we do not speak."""
    if language not in LANGUAGES:
        raise NotFoundError(N_("This page is not available in this language."))
    languages.speak(language)


def card_of(service_slug: str) -> Scorecard:
    """Return what may be shown of a service that has a public page."""
    service = get_public_service(service_slug)
    today = day_in(service.agency.time_zone, utc_now())
    return scorecards.scorecard(service, today, current_app.config["MINIMUM_ANSWERS"])
