"""The page of a service for its managers, and the files of its tables."""

from functools import partial
from typing import Any

from flask import Blueprint, Response, current_app, render_template, request, url_for
from flask.typing import ResponseReturnValue

from citizenvoice.accounts.access import Audience, current_scope, open_to
from citizenvoice.accounts.scope import Role
from citizenvoice.agencies.queries import get_service
from citizenvoice.reporting import pages, tables, wording
from citizenvoice.reporting.periods import KIND_NAMES, FigureQuery, query_about
from citizenvoice.reporting.spreadsheets import Sheet, csv_bytes
from citizenvoice.web.clock import utc_now

bp = Blueprint("service_figures", __name__, url_prefix="/manage/services")


@bp.get("/<service_slug>")
@open_to(Audience.MEMBER)
def show(service_slug: str) -> ResponseReturnValue:
    """Answer the four questions about a service."""
    service = get_service(service_slug, current_scope().paths())
    query = query_about(service, request.args, utc_now())
    return render_template(
        "reporting/service.html",
        page=pages.service_page(service, query, current_app.config["MINIMUM_ANSWERS"]),
        query=query,
        kinds=KIND_NAMES,
        explorer=partial(comments_url, service.slug, query),
        channel_name=wording.channel_name,
        can_manage=current_scope().allows(service.agency.path, Role.MANAGER),
    )


@bp.get("/<service_slug>/tables/<table>.csv")
@open_to(Audience.MEMBER)
def table(service_slug: str, table: str) -> ResponseReturnValue:
    """Send the numbers of one picture of a service's pages as CSV."""
    service = get_service(service_slug, current_scope().paths())
    query = query_about(service, request.args, utc_now())
    minimum, code = current_app.config["MINIMUM_ANSWERS"], request.args.get("indicator", "")
    return csv_file(tables.table_of(table, service, query, minimum, code), f"{service.slug}-{table}")


def comments_url(slug: str, query: FigureQuery, **wanted: str) -> str:
    """Return the address of the comments behind a number."""
    arguments: dict[str, Any] = {**query.comments(**wanted)}
    return url_for("comments.explore", service_slug=slug, **arguments)


def csv_file(sheet: Sheet, name: str) -> Response:
    """Answer with a table as a file."""
    response = Response(b"".join(csv_bytes(sheet)), mimetype="text/csv")
    response.headers.set("Content-Disposition", "attachment", filename=f"{name}.csv")
    return response
