"""The pages of a service's indicators for its managers, and what is decided about one."""

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from citizenvoice.accounts.access import Audience, current_scope, open_to
from citizenvoice.accounts.scope import Role
from citizenvoice.agencies.queries import get_service
from citizenvoice.db import db
from citizenvoice.errors import DomainError
from citizenvoice.reporting import decisions, indicator_pages
from citizenvoice.reporting.forms import SettingForm
from citizenvoice.reporting.periods import KIND_NAMES, query_about
from citizenvoice.reporting.tables import part_table
from citizenvoice.reporting.views.service import csv_file
from citizenvoice.web.clock import utc_now

bp = Blueprint("service_indicators", __name__, url_prefix="/manage/services")


@bp.get("/<service_slug>/indicators")
@open_to(Audience.MEMBER)
def show_all(service_slug: str) -> ResponseReturnValue:
    """List the indicators of a service by their place in the results chain."""
    service = get_service(service_slug, current_scope().paths())
    query = query_about(service, request.args, utc_now())
    page = indicator_pages.indicators_page(service, query, current_app.config["MINIMUM_ANSWERS"])
    return render_template("reporting/indicators.html", page=page, query=query)


@bp.get("/<service_slug>/indicators/<path:code>")
@open_to(Audience.MEMBER)
def show(service_slug: str, code: str) -> ResponseReturnValue:
    """Show one indicator with everything about it."""
    return indicator(service_slug, code)


@bp.post("/<service_slug>/indicators/<path:code>")
@open_to(Audience.MEMBER, role=Role.MANAGER)
def decide(service_slug: str, code: str) -> ResponseReturnValue:
    """Carry out what a manager decided about an indicator."""
    service = get_service(service_slug, current_scope().paths(Role.MANAGER))
    form = SettingForm(*indicator_pages.setting_of(service, code))
    if form.validate_on_submit():
        try:
            decisions.decide(service, code, form.decision(), user_id=current_user.id, now=utc_now())
        except DomainError as error:
            db.session.rollback()
            form.form_errors.append(_(error.message, **error.params))
        else:
            db.session.commit()
            flash(_("Your changes are saved."), "success")
            return redirect(url_for(".show", service_slug=service_slug, code=code))
    return indicator(service_slug, code, form), 422


@bp.get("/<service_slug>/groups.csv")
@open_to(Audience.MEMBER)
def groups(service_slug: str) -> ResponseReturnValue:
    """Send an indicator's figures by group as CSV."""
    service = get_service(service_slug, current_scope().paths())
    query = query_about(service, request.args, utc_now())
    rows = indicator_pages.groups(
        service, request.args.get("indicator", ""), query, current_app.config["MINIMUM_ANSWERS"]
    )
    return csv_file(part_table(rows), f"{service.slug}-groups")


def indicator(service_slug: str, code: str, form: SettingForm | None = None) -> str:
    """Make the page of one indicator, with the form as it was sent where there is something wrong with it."""
    service = get_service(service_slug, current_scope().paths())
    query = query_about(service, request.args, utc_now())
    page = indicator_pages.indicator_page(service, code, query, current_app.config["MINIMUM_ANSWERS"])
    can_manage = current_scope().allows(service.agency.path, Role.MANAGER)
    if form is None and can_manage:
        form = SettingForm(page.shown.definition, page.shown.setting)
    return render_template(
        "reporting/indicator.html",
        page=page,
        query=query,
        kinds=KIND_NAMES,
        form=form,
        errors_present=bool(form and form.errors),
    )
