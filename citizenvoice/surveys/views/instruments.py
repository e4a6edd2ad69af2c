"""Managers' pages about the official questionnaires that are shipped."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from citizenvoice.accounts.access import Audience, current_scope, open_to
from citizenvoice.accounts.scope import Role
from citizenvoice.surveys.instrument_library import get_instrument, instruments
from citizenvoice.surveys.views import conditions, managed

bp = Blueprint("instruments", __name__, url_prefix="/manage/instruments")


@bp.get("")
@open_to(Audience.MEMBER, role=Role.VIEWER)
def library() -> ResponseReturnValue:
    """List the questionnaires that are shipped."""
    return render_template("surveys/manage/instruments.html", instruments=instruments())


@bp.get("/<instrument>")
@open_to(Audience.MEMBER, role=Role.VIEWER)
def instrument(instrument: str) -> ResponseReturnValue:
    """Show one questionnaire: its exact wording, where it comes from, and what to watch for."""
    found = get_instrument(instrument)
    return render_template(
        "surveys/manage/instrument.html",
        instrument=found,
        definition=found.definition,
        in_words=conditions.in_words,
        kind_names=managed.kind_names(),
        can_start=bool(current_scope().paths(Role.MANAGER)),
    )
