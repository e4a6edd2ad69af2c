"""The short ways into a survey: links to write on a wall, and their QR codes."""

from io import BytesIO

import segno
from flask import Blueprint, Response, current_app, redirect, request, url_for
from flask.typing import ResponseReturnValue

from citizenvoice.accounts.access import Audience, open_to
from citizenvoice.surveys import queries
from citizenvoice.web import languages

bp = Blueprint("ways_in", __name__)


@bp.get("/l/<code>")
@open_to(Audience.PUBLIC)
def follow_link(code: str) -> ResponseReturnValue:
    """Lead from a short link to its survey, in the best language it is asked in."""
    way = queries.get_way_in(code)
    language = languages.best_of(way.languages) or way.languages[0]
    response = redirect(
        url_for("respond.ask", language=language, survey=way.survey, service=way.service, via=way.code)
    )
    response.headers["Vary"] = "Accept-Language"
    return response


@bp.get("/l/<code>.svg")
@open_to(Audience.PUBLIC)
def qr_svg(code: str) -> ResponseReturnValue:
    """Draw the QR code of a short link, for print."""
    return _qr_code(code, "svg", "image/svg+xml")


@bp.get("/l/<code>.png")
@open_to(Audience.PUBLIC)
def qr_png(code: str) -> ResponseReturnValue:
    """Draw the QR code of a short link, for screens."""
    return _qr_code(code, "png", "image/png")


def _qr_code(code: str, kind: str, mimetype: str) -> Response:
    queries.get_way_in(code)
    image = BytesIO()
    segno.make_qr(link_url(code), error="m").save(image, kind=kind, scale=8, border=4)
    return Response(image.getvalue(), mimetype=mimetype, headers={"Cache-Control": "public, max-age=300"})


def link_url(code: str) -> str:
    """Return the whole address of a short link."""
    base = str(current_app.config["PUBLIC_URL"]) or request.host_url.rstrip("/")
    return base + url_for(".follow_link", code=code)
