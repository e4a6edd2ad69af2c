"""The managers' first page: their services, and what needs attention."""

from flask import Blueprint, current_app, render_template, request
from flask.typing import ResponseReturnValue

from citizenvoice.accounts import queries as accounts
from citizenvoice.accounts.access import Audience, current_scope, open_to
from citizenvoice.agencies.queries import agency_name, get_agency
from citizenvoice.indicators.service_overviews import service_overview
from citizenvoice.reporting import overview, queries, wording
from citizenvoice.reporting.pages import Option
from citizenvoice.reporting.periods import KIND_NAMES, read_kind
from citizenvoice.web import languages
from citizenvoice.web.clock import day_in, utc_now

bp = Blueprint("reporting", __name__, url_prefix="/manage")
bp.add_app_template_filter(wording.difference, "difference")


@bp.get("/")
@open_to(Audience.MEMBER)
def home() -> ResponseReturnValue:
    """Show this member's services, each with its main indicator and whether it changed."""
    scope, kind = current_scope(), read_kind(request.args)
    wanted = request.args.get("agency", "")
    agency = get_agency(wanted, scope.paths()) if wanted else None
    found = queries.services_page(
        (agency.path,) if agency else scope.paths(), after=request.args.get("after", "")
    )
    zone = found.services[0].agency.time_zone if found.services else "UTC"
    overviews = service_overview(
        [service.id for service in found.services],
        kind,
        day_in(zone, utc_now()),
        minimum=current_app.config["MINIMUM_ANSWERS"],
    )
    language = languages.page_language()
    return render_template(
        "reporting/home.html",
        page=overview.home_page(found.services, overviews, found.next_after),
        agencies=[
            Option(value=one.slug, label=agency_name(one, language)) for one in accounts.agencies(scope)
        ],
        agency=wanted,
        kind=kind,
        kinds=[Option(value=str(value), label=name) for value, name in KIND_NAMES.items()],
        address={"agency": wanted or None, "period": request.args.get("period")},
    )
