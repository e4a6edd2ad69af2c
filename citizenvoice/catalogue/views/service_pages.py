"""Managers' pages of a service in the catalogue: what it is called, its stages, how many people it serves."""

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
from citizenvoice.catalogue import stages as stage_rows
from citizenvoice.catalogue.forms import POINTS, ServiceForm, VolumeForm
from citizenvoice.catalogue.views.agencies import choices, managed_agencies, refuse
from citizenvoice.config import LANGUAGES
from citizenvoice.db import db
from citizenvoice.errors import N_, DomainError
from citizenvoice.indicators.service_volumes import answered_in
from citizenvoice.web.clock import utc_now

bp = Blueprint("services", __name__, url_prefix="/manage/services")

name_actions(
    {
        "service.created": N_("Service added"),
        "service.changed": N_("Service changed"),
        "service.stages_changed": N_("Journey stages changed"),
        "service.volume_recorded": N_("Volume recorded"),
        "service.volume_removed": N_("Volume removed"),
    }
)


@bp.route("/new", methods=["GET", "POST"])
@open_to(Audience.MEMBER, role=Role.MANAGER)
def new() -> ResponseReturnValue:
    """Add a service to an agency this member manages."""
    possible = managed_agencies()
    asked = request.args.get("agency")
    form = ServiceForm(
        agency=asked if asked in {each.slug for each in possible} else possible[0].slug,
        languages="en",
        is_public=True,
    )
    form.agency.choices = choices(possible)
    if form.validate_on_submit():
        try:
            service = actions.create_service(
                queries.get_agency(form.agency.data, current_scope().paths(Role.MANAGER)),
                slug=form.slug.data or actions.proposed_service_slug(form.name.data),
                external_id=form.external_id.data,
                now=utc_now(),
                **facts(form),
            )
        except DomainError as error:
            db.session.rollback()
            refuse_service(form, error)
        else:
            audit("service.created", service)
            db.session.commit()
            flash(_("“%(name)s” is added. Now a survey can ask about it.", name=service.name), "success")
            return redirect(url_for("agencies.show", agency_slug=service.agency.slug))
    return render_template("catalogue/service_new.html", form=form)


@bp.route("/<service_slug>/edit", methods=["GET", "POST"])
@open_to(Audience.MEMBER, role=Role.MANAGER)
def edit(service_slug: str) -> ResponseReturnValue:
    """Change what a service is called and how people reach it."""
    service = take(service_slug)
    form = ServiceForm(obj=service, agency=service.agency.slug, languages=", ".join(service.languages))
    form.agency.choices = choices(managed_agencies())
    del form.slug
    if not form.is_submitted():
        form.agency.data = service.agency.slug
        form.languages.data = ", ".join(service.languages)
        form.fill_translations("name", service.names)
        form.fill_translations("description", service.descriptions)
    if form.validate_on_submit():
        try:
            agency = queries.get_agency(form.agency.data, current_scope().paths(Role.MANAGER))
            actions.update_service(service, **facts(form))
            actions.place_service(service, agency, external_id=form.external_id.data)
        except DomainError as error:
            db.session.rollback()
            service = take(service_slug)
            refuse_service(form, error)
        else:
            audit("service.changed", service)
            db.session.commit()
            flash(_("Your changes are saved."), "success")
            return redirect(url_for(".edit", service_slug=service_slug))
    return page("service_edit.html", service, "edit", form=form)


@bp.route("/<service_slug>/stages", methods=["GET"])
@open_to(Audience.MEMBER, role=Role.VIEWER)
def stages(service_slug: str) -> ResponseReturnValue:
    """Show the stages of a service's journey at which people can be asked."""
    service = look_at(service_slug)
    return stages_page(service, stage_rows.rows_of(service.stages))


def stages_page(service: Any, rows: list[stage_rows.StageRow], error: str = "") -> str:
    """Return the page with these rows."""
    return page(
        "stages.html",
        service,
        "stages",
        rows=rows,
        error=error,
        languages=LANGUAGES,
        points=[{"value": code, "label": name} for code, name in POINTS.items()],
        point_names=POINTS,
    )


@bp.post("/<service_slug>/stages")
@open_to(Audience.MEMBER, role=Role.MANAGER)
def set_stages(service_slug: str) -> ResponseReturnValue:
    """Replace the stages of a service's journey."""
    service = take(service_slug)
    rows = stage_rows.read_rows(request.form)
    try:
        actions.set_stages(service, [row.stage for row in rows if row.name.strip()])
    except DomainError as error:
        db.session.rollback()
        said = _(error.message, **error.params)
        return stages_page(take(service_slug), rows, said), 422
    audit("service.stages_changed", service)
    db.session.commit()
    flash(_("Your changes are saved."), "success")
    return redirect(url_for(".stages", service_slug=service_slug))


@bp.get("/<service_slug>/volumes")
@open_to(Audience.MEMBER, role=Role.VIEWER)
def volumes(service_slug: str) -> ResponseReturnValue:
    """Show how many people a service served and offered a survey, by period and channel."""
    service = look_at(service_slug)
    return volumes_page(service, volume_form(service))


def volumes_page(service: Any, form: VolumeForm) -> str:
    """Return the page with the volumes and the form for one more."""
    ledger = queries.find_volumes(service)
    answered = answered_in(ledger)
    return page(
        "volumes.html",
        service,
        "volumes",
        form=form,
        volumes=[(volume, answered[volume.id]) for volume in ledger],
        channel_names=queries.channel_names(),
    )


def volume_form(service: Any) -> VolumeForm:
    """Return the form for a volume of this service."""
    form = VolumeForm()
    names = queries.channel_names()
    form.channel.choices = [SelectChoice(code, _(names[code])) for code in service.channels]
    return form


@bp.post("/<service_slug>/volumes")
@open_to(Audience.MEMBER, role=Role.MANAGER)
def record_volume(service_slug: str) -> ResponseReturnValue:
    """Record a volume, or replace that of the same period and channel."""
    service = take(service_slug)
    form = volume_form(service)
    if not form.validate_on_submit():
        return volumes_page(service, form), 422
    try:
        volume = actions.record_volume(
            service,
            channel=form.channel.data,
            start=form.start.data,
            end=actions.day_after(form.last_day.data),
            n_served=form.n_served.data,
            n_offered=form.n_offered.data,
        )
    except DomainError as error:
        db.session.rollback()
        field = form.n_offered if (form.n_offered.data or 0) > form.n_served.data else form.last_day
        field.errors = [_(error.message, **error.params)]
        return volumes_page(take(service_slug), form), 422
    audit("service.volume_recorded", service, channel=volume.channel, start=volume.start.isoformat())
    db.session.commit()
    flash(_("The volume is recorded."), "success")
    return redirect(url_for(".volumes", service_slug=service_slug))


@bp.post("/<service_slug>/volumes/<int:volume_id>/remove")
@open_to(Audience.MEMBER, role=Role.MANAGER)
def remove_volume(service_slug: str, volume_id: int) -> ResponseReturnValue:
    """Take a volume out that was recorded by mistake."""
    service = take(service_slug)
    volume = queries.get_volume(service, volume_id)
    audit(
        "service.volume_removed",
        service,
        channel=volume.channel,
        start=volume.start.isoformat(),
        n_served=volume.n_served,
    )
    actions.remove_volume(volume)
    db.session.commit()
    flash(_("The volume is removed."), "success")
    return redirect(url_for(".volumes", service_slug=service_slug))


def look_at(service_slug: str) -> Any:
    """Return a service this member sees. Raises NotFoundError."""
    return queries.get_service(service_slug, current_scope().paths())


def take(service_slug: str) -> Any:
    """Return a service this member manages. Raises NotFoundError."""
    return queries.get_service(service_slug, current_scope().paths(Role.MANAGER))


def page(template: str, service: Any, current: str, **given: Any) -> str:
    """Return a page about a service, with the ways to its other pages."""
    can_change = current_scope().allows(service.agency.path, Role.MANAGER)
    ways = [("edit", _("Name and channels"))] if can_change else []
    ways += [("stages", _("Journey stages")), ("volumes", _("Volumes"))]
    tabs = [
        {"url": url_for(f".{way}", service_slug=service.slug), "text": text, "current": way == current}
        for way, text in ways
    ]
    return render_template(
        f"catalogue/{template}", service=service, tabs=tabs, can_change=can_change, **given
    )


def facts(form: Any) -> dict[str, Any]:
    """Return what a form says about a service."""
    return {
        "name": form.name.data or "",
        "description": form.description.data or "",
        "names": form.translations("name"),
        "descriptions": form.translations("description"),
        "languages": form.language_codes(),
        "channels": form.channels.data or [],
        "is_public": form.is_public.data,
    }


def refuse_service(form: Any, error: DomainError) -> None:
    """Show a rule's no at the field it is about, or above the form."""
    if "external_id" in error.params:
        form.external_id.errors = [_(error.message, **error.params)]
    elif error.message == actions.NO_LANGUAGE:
        form.languages.errors = [_(error.message)]
    else:
        refuse(form, error)


def audit(action: str, service: Any, **detail: Any) -> None:
    """Write down what was done to a service."""
    record_audit(
        action,
        subject=service.slug,
        at=utc_now(),
        user_id=int(current_user.id),
        agency_id=service.agency_id or service.agency.id,
        detail=detail,
    )
