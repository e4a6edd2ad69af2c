"""The page where a receipt code works: what became of what was sent, and taking it back.

The code travels in the body of a request, never in an address, where it would be kept and passed on.
"""

from typing import Any

from flask import Blueprint, Response, abort, current_app, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from citizenvoice.accounts.access import Audience, open_to
from citizenvoice.config import ANSWERING_LANGUAGES
from citizenvoice.db import db, writing
from citizenvoice.errors import NotFoundError
from citizenvoice.feedback import codes
from citizenvoice.reporting import receipts
from citizenvoice.web import formats, languages, limits, pages
from citizenvoice.web.clock import utc_now
from citizenvoice.web.csrf import csrf

bp = Blueprint("receipt", __name__, url_prefix="/<language>/receipt")
csrf.exempt(bp)  # no session, so no authority to abuse: docs/decisions/0004

TRIES = "20/minute"
SENTIMENTS = {
    1: _l("Very negative"),
    2: _l("Negative"),
    3: _l("Neutral"),
    4: _l("Positive"),
    5: _l("Very positive"),
}
STATES = {
    "counted": _l("It counts."),
    "duplicate": _l("The same answers arrived before. They are counted once."),
    "withdrawn": _l("You took it back. It does not count, and the words are erased."),
    "spam": _l("It does not count, because it looks like advertising or like it was sent by a program."),
    "test": _l("It does not count, because it was sent to try the survey out."),
}


@bp.get("")
@open_to(Audience.PUBLIC)
def enter_code(language: str) -> ResponseReturnValue:
    """Ask for a code."""
    _speak(language)
    return pages.answer(pages.finished(_form(language)))


@bp.post("")
@open_to(Audience.PUBLIC, locks_itself=True)
def show_sent(language: str) -> ResponseReturnValue:
    """Show what was sent under a code."""
    _speak(language)
    typed = request.form.get("code", "")
    if limits.too_often("receipt codes", TRIES):
        return _too_often(language, typed)
    try:
        sent = receipts.get_sent(_hash(typed), language)
    except NotFoundError as error:
        return pages.html(_form(language, typed, _(error.message)), 422)
    return pages.html(_sent_page(language, typed, sent))


@bp.post("/withdraw")
@open_to(Audience.PUBLIC, locks_itself=True)
def withdraw(language: str) -> ResponseReturnValue:
    """Take back what was sent under a code, after asking once."""
    _speak(language)
    typed = request.form.get("code", "")
    if limits.too_often("receipt codes", TRIES):
        return _too_often(language, typed)
    try:
        if request.form.get("confirm") != "yes":
            receipts.get_sent(_hash(typed), language)
            title = _("Take back what you sent?")
            return pages.html(_page("confirm", language, title=title, code=_shown(typed)))
        db.session.rollback()
        with writing():
            receipts.withdraw(_hash(typed), utc_now())
            db.session.commit()
    except NotFoundError as error:
        return pages.html(_form(language, typed, _(error.message)), 422)
    return pages.html(_sent_page(language, typed, receipts.get_sent(_hash(typed), language)))


def _speak(language: str) -> None:
    if language not in ANSWERING_LANGUAGES:
        abort(404)
    languages.speak(language)


def _hash(typed: str) -> bytes | None:
    return codes.code_hash(str(current_app.config["SECRET_KEY"]), typed)


def _shown(typed: str) -> str:
    return codes.shown(codes.read_code(typed) or "")


def _form(language: str, typed: str = "", error: str = "") -> str:
    return _page(
        "form",
        language,
        title=_("What became of your answer"),
        typed=pages.shown_again(typed[:100]),
        problems=[{"href": "#code", "text": error}] if error else [],
    )


def _too_often(language: str, typed: str) -> Response:
    sentence = _("Too many tries. Please wait a minute and try again.")
    response = pages.html(_form(language, typed, sentence), 429)
    response.headers["Retry-After"] = "60"
    return response


def _sent_page(language: str, typed: str, sent: receipts.Sent) -> str:
    return _page(
        "sent",
        language,
        title=_("What you sent"),
        code=_shown(typed),
        sent=sent,
        sentiments=SENTIMENTS,
        facts=[
            {"term": _("About"), "description": sent.service},
            {"term": _("Survey"), "description": sent.survey},
            {
                "term": _("Arrived"),
                "description": formats.instant(sent.received_at, zone=sent.time_zone),
            },
            {"term": _("How it was answered"), "description": _(sent.channel_name)},
            {"term": _("Does it count?"), "description": STATES[sent.state]},
        ],
    )


def _page(name: str, language: str, **facts: Any) -> str:
    path = f"/{language}/receipt"
    return pages.render(
        f"reporting/receipt_{name}.html",
        language,
        action=path,
        withdraw_action=f"{path}/withdraw",
        language_links=[
            {
                "code": code,
                "name": languages.own_name(code),
                "url": f"/{code}/receipt",
                "current": code == language,
            }
            for code in ANSWERING_LANGUAGES
        ],
        **facts,
    )
