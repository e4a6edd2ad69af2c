"""Managers' pages on which agencies, services and volumes are brought in from CSV."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user

from citizenvoice.accounts.access import Audience, current_scope, open_to
from citizenvoice.accounts.actions import record_audit
from citizenvoice.accounts.audit import name_actions
from citizenvoice.accounts.scope import Role
from citizenvoice.agencies import importing
from citizenvoice.agencies.importing import Outcome, Result
from citizenvoice.catalogue.forms import UploadForm
from citizenvoice.db import db
from citizenvoice.errors import N_, DomainError, NotFoundError
from citizenvoice.web.clock import utc_now

bp = Blueprint("catalogue_imports", __name__, url_prefix="/manage/agencies/import")

MAX_CHARS = 400_000  # a form field carries the text from the preview to the import
N_SHOWN = 200
KINDS = {"agencies": _l("Agencies"), "services": _l("Services"), "volumes": _l("Volumes")}
RESULTS = {
    Result.ADDED: _l("Added"),
    Result.CHANGED: _l("Changed"),
    Result.SAME: _l("Already there"),
    Result.REFUSED: _l("Refused"),
}

name_actions({"catalogue.imported": N_("Catalogue file brought in")})


@bp.get("/<kind>")
@open_to(Audience.MEMBER, role=Role.MANAGER)
def upload(kind: str) -> ResponseReturnValue:
    """Ask for a file."""
    return upload_page(kind, UploadForm())


@bp.post("/<kind>")
@open_to(Audience.MEMBER, role=Role.MANAGER)
def bring_in(kind: str) -> ResponseReturnValue:
    """Show what would come of a file, or bring in what was shown."""
    check(kind)
    if "text" in request.form:
        return bring_in_text(kind, request.form["text"])
    form = UploadForm()
    if not form.validate_on_submit():
        return upload_page(kind, form), 422
    try:
        text = importing.read_text(form.file.data.read(), max_chars=MAX_CHARS)
        outcomes = attempt(kind, text)
    except DomainError as error:
        db.session.rollback()
        form.file.errors = [_(error.message, **error.params)]
        return upload_page(kind, form), 422
    db.session.rollback()  # a preview stores nothing
    return render_template(
        "catalogue/import_preview.html",
        kind=kind,
        title=_("What would come of the file"),
        text=text,
        outcomes=shown(outcomes),
        n_left_out=max(0, len(outcomes) - N_SHOWN),
        summary=summary(outcomes),
        n_useful=sum(outcome.result in (Result.ADDED, Result.CHANGED) for outcome in outcomes),
    )


def bring_in_text(kind: str, text: str) -> ResponseReturnValue:
    """Bring the file in that was shown before."""
    try:
        outcomes = attempt(kind, text)
    except DomainError as error:
        db.session.rollback()
        flash(_(error.message, **error.params), "error")
        return redirect(url_for(".upload", kind=kind))
    counts = importing.summary(outcomes)
    first = current_scope().grants[0][0].strip("/").rpartition("/")[2]
    record_audit(
        "catalogue.imported",
        subject=kind,
        at=utc_now(),
        user_id=int(current_user.id),
        agency_id=int(first),
        detail={str(result): n for result, n in counts.items()},
    )
    db.session.commit()
    said = ", ".join(f"{name}: {n}" for name, n in summary(outcomes))
    flash(_("The file is brought in. %(summary)s.", summary=said), "success")
    return redirect(url_for("agencies.tree"))


def attempt(kind: str, text: str) -> list[Outcome]:
    """Bring the rows in as far as this member may; whoever calls commits or rolls back."""
    return importing.bring_in(kind, text, now=utc_now(), paths=current_scope().paths(Role.MANAGER))


def upload_page(kind: str, form: UploadForm) -> str:
    """Return the page that asks for a file."""
    check(kind)
    return render_template(
        "catalogue/import_upload.html",
        kind=kind,
        kinds=KINDS,
        form=form,
        columns=importing.COLUMNS[kind],
        needed=importing.NEEDED[kind],
        translated=importing.TRANSLATED[kind],
    )


def check(kind: str) -> None:
    """Raise NotFoundError unless there are such files."""
    if kind not in KINDS:
        raise NotFoundError(N_("There is no such page."))


def shown(outcomes: list[Outcome]) -> list[dict[str, Any]]:
    """Return the outcomes for the page, refused rows first."""
    ordered = sorted(outcomes, key=lambda outcome: (outcome.result is not Result.REFUSED, outcome.line))
    return [
        {
            "line": outcome.line,
            "name": outcome.name,
            "result": RESULTS[outcome.result],
            "kind": {Result.REFUSED: "poor", Result.SAME: "neutral"}.get(outcome.result, "good"),
            "column": outcome.column,
            "reason": _(outcome.message, **outcome.params) if outcome.message else "",
        }
        for outcome in ordered[:N_SHOWN]
    ]


def summary(outcomes: list[Outcome]) -> list[tuple[str, int]]:
    """Return how many rows came to each result."""
    return [(str(RESULTS[result]), n) for result, n in importing.summary(outcomes).items()]
