"""Managers' pages of the tree of agencies."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user
from wtforms.fields.choices import SelectChoice

from citizenvoice.accounts.access import Audience, current_scope, open_to
from citizenvoice.accounts.actions import record_audit
from citizenvoice.accounts.audit import name_actions
from citizenvoice.accounts.scope import Role
from citizenvoice.agencies import actions, queries
from citizenvoice.catalogue.forms import KINDS, MONTHS, AgencyForm, MoveForm
from citizenvoice.db import db
from citizenvoice.errors import N_, DomainError
from citizenvoice.web import languages
from citizenvoice.web.clock import utc_now

bp = Blueprint("agencies", __name__, url_prefix="/manage/agencies")

name_actions(
    {
        "agency.created": N_("Agency added"),
        "agency.changed": N_("Agency changed"),
        "agency.moved": N_("Agency moved"),
    }
)


@bp.get("")
@open_to(Audience.MEMBER, role=Role.VIEWER)
def tree() -> ResponseReturnValue:
    """Show the agencies this member sees as a tree, with their services."""
    scope = current_scope()
    agencies = queries.find_agencies(scope.paths())
    services: dict[int, list[Any]] = {}
    for service in queries.find_services(scope.paths()):
        services.setdefault(service.agency_id, []).append(service)
    return render_template(
        "catalogue/tree.html",
        branches=branches(agencies),
        services=services,
        kinds=KINDS,
        can_change=bool(scope.paths(Role.MANAGER)),
    )


def branches(agencies: Any) -> list[dict[str, Any]]:
    """Return the agencies as nested branches, by name; one whose parent is not seen is a root."""
    language = languages.page_language()
    nodes = {
        each.id: {"agency": each, "name": queries.agency_name(each, language), "below": []}
        for each in agencies
    }
    roots: list[dict[str, Any]] = []
    for node in sorted(nodes.values(), key=lambda node: node["name"].casefold()):
        above = nodes.get(node["agency"].parent_id)
        (above["below"] if above else roots).append(node)
    return roots


@bp.route("/new", methods=["GET", "POST"])
@open_to(Audience.MEMBER, role=Role.MANAGER)
def new() -> ResponseReturnValue:
    """Add an agency below one this member manages."""
    possible = managed_agencies()
    chosen = next((each for each in possible if each.slug == request.args.get("parent")), possible[0])
    form = AgencyForm(
        parent=chosen.slug,
        kind="unit",
        time_zone=chosen.time_zone,
        fiscal_year_start=chosen.fiscal_year_start,
    )
    form.parent.choices = choices(possible)
    if form.validate_on_submit():
        try:
            agency = actions.create_agency(
                parent=queries.get_agency(form.parent.data, current_scope().paths(Role.MANAGER)),
                slug=form.slug.data or actions.proposed_agency_slug(form.name.data),
                **facts(form),
            )
        except DomainError as error:
            db.session.rollback()
            refuse(form, error)
        else:
            audit("agency.created", agency)
            db.session.commit()
            flash(_("“%(name)s” is added.", name=languages.local_name(agency)), "success")
            return redirect(url_for(".show", agency_slug=agency.slug))
    return render_template("catalogue/agency_form.html", form=form, agency=None)


@bp.get("/<agency_slug>")
@open_to(Audience.MEMBER, role=Role.VIEWER)
def show(agency_slug: str) -> ResponseReturnValue:
    """Show one agency, what is below it and its services."""
    scope = current_scope()
    agency = queries.get_agency(agency_slug, scope.paths())
    seen = [each for each in queries.find_ancestors(agency) if scope.allows(each.path)]
    return render_template(
        "catalogue/agency.html",
        agency=agency,
        above=seen[:-1],
        below=queries.find_children(agency),
        services=queries.find_services_of(agency),
        kinds=KINDS,
        months=MONTHS,
        languages=sorted(agency.names),
        can_change=scope.allows(agency.path, Role.MANAGER),
        can_move=can_move(agency),
        agency_name=lambda each: queries.agency_name(each, languages.page_language()),
        service_name=lambda each: queries.service_name(each, languages.page_language()),
    )


@bp.route("/<agency_slug>/edit", methods=["GET", "POST"])
@open_to(Audience.MEMBER, role=Role.MANAGER)
def edit(agency_slug: str) -> ResponseReturnValue:
    """Change what an agency is called and the calendar it lives by."""
    agency = take(agency_slug)
    form = AgencyForm(obj=agency)
    del form.parent, form.slug
    if not form.is_submitted():
        form.fill_translations("name", agency.names)
    if form.validate_on_submit():
        try:
            actions.update_agency(agency, **facts(form))
        except DomainError as error:
            db.session.rollback()
            agency = take(agency_slug)
            refuse(form, error)
        else:
            audit("agency.changed", agency)
            db.session.commit()
            flash(_("Your changes are saved."), "success")
            return redirect(url_for(".show", agency_slug=agency_slug))
    return render_template("catalogue/agency_form.html", form=form, agency=agency)


@bp.route("/<agency_slug>/move", methods=["GET", "POST"])
@open_to(Audience.MEMBER, role=Role.MANAGER)
def move(agency_slug: str) -> ResponseReturnValue:
    """Put an agency, with everything below it, below another one."""
    agency = take(agency_slug)
    form = MoveForm(parent=agency.parent.slug if agency.parent else "")
    possible = [each for each in managed_agencies() if not each.path.startswith(agency.path)]
    form.parent.choices = choices(possible)
    if can_move(agency) and form.validate_on_submit():
        parent = queries.get_agency(form.parent.data, current_scope().paths(Role.MANAGER))
        actions.move_agency(agency, parent)
        audit("agency.moved", agency, to=parent.slug)
        db.session.commit()
        flash(
            _(
                "“%(name)s” is now below “%(parent)s”.",
                name=languages.local_name(agency),
                parent=languages.local_name(parent),
            ),
            "success",
        )
        return redirect(url_for(".show", agency_slug=agency_slug))
    return render_template("catalogue/move.html", form=form, agency=agency, can_move=can_move(agency))


def can_move(agency: Any) -> bool:
    """Tell whether this member manages the agency and the one above it."""
    return agency.parent is not None and current_scope().allows(agency.parent.path, Role.MANAGER)


def take(agency_slug: str) -> Any:
    """Return an agency this member manages. Raises NotFoundError."""
    return queries.get_agency(agency_slug, current_scope().paths(Role.MANAGER))


def managed_agencies() -> list[Any]:
    """Return the agencies this member manages, each after its parent."""
    return list(queries.find_agencies(current_scope().paths(Role.MANAGER)))


def choices(agencies: list[Any]) -> list[SelectChoice]:
    """Return agencies to choose between, each with where it stands."""
    names = {each.path: languages.local_name(each) for each in agencies}
    return [SelectChoice(each.slug, " › ".join(line(each.path, names))) for each in agencies]


def line(path: str, names: dict[str, str]) -> list[str]:
    """Return the names from the highest agency that is seen down to this one."""
    steps = path.strip("/").split("/")
    paths = [f"/{'/'.join(steps[: n + 1])}/" for n in range(len(steps))]
    return [names[each] for each in paths if each in names]


def facts(form: Any) -> dict[str, Any]:
    """Return what a form says about an agency."""
    return {
        "name": form.name.data or "",
        "names": form.translations("name"),
        "kind": form.kind.data,
        "time_zone": form.time_zone.data,
        "fiscal_year_start": form.fiscal_year_start.data,
    }


def refuse(form: Any, error: DomainError) -> None:
    """Show a rule's no at the field it is about, or above the form."""
    said = _(error.message, **error.params)
    if "slug" in error.params and "slug" in form:
        form.slug.errors = [said]
    else:
        form.form_errors.append(said)


def audit(action: str, agency: Any, **detail: Any) -> None:
    """Write down what was done to an agency."""
    record_audit(
        action,
        subject=agency.slug,
        at=utc_now(),
        user_id=int(current_user.id),
        agency_id=agency.id,
        detail=detail,
    )
