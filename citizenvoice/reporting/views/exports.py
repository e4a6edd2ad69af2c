"""The files people take away: comments and responses as CSV and XLSX, of any size, sent as they are read."""

from collections.abc import Iterable, Iterator
from typing import Any

from flask import Blueprint, Response, render_template, request, stream_with_context
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from citizenvoice.accounts.access import Audience, current_scope, open_to
from citizenvoice.accounts.scope import Role
from citizenvoice.agencies.queries import find_services, get_service, service_name
from citizenvoice.errors import N_, DomainError
from citizenvoice.reporting import comment_exports, comment_filters, response_exports, selection
from citizenvoice.reporting.facets import Facets
from citizenvoice.reporting.spreadsheets import Sheet, csv_bytes, xlsx_bytes
from citizenvoice.reporting.views.comments import PART_NAMES, facets_of, names, require_analyst
from citizenvoice.web import languages

bp = Blueprint("exports", __name__, url_prefix="/manage")

CSV = "text/csv; charset=utf-8"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@bp.get("/comments.csv")
@bp.get("/services/<service_slug>/comments.csv")
@open_to(Audience.MEMBER, role=Role.ANALYST)
def comments_csv(service_slug: str | None = None) -> ResponseReturnValue:
    """Send the comments on the screen as CSV."""
    return csv_file(comments_sheet(facets_to_take(service_slug)), named(service_slug, "comments"))


@bp.get("/comments.xlsx")
@bp.get("/services/<service_slug>/comments.xlsx")
@open_to(Audience.MEMBER, role=Role.ANALYST)
def comments_xlsx(service_slug: str | None = None) -> ResponseReturnValue:
    """Send the comments on the screen as a workbook, with what its columns mean."""
    facets = facets_to_take(service_slug)
    return xlsx_file([comments_sheet(facets), comments_meaning(facets)], named(service_slug, "comments"))


@bp.get("/comments-dictionary.csv")
@bp.get("/services/<service_slug>/comments-dictionary.csv")
@open_to(Audience.MEMBER, role=Role.ANALYST)
def comments_dictionary(service_slug: str | None = None) -> ResponseReturnValue:
    """Send what the columns and codes of the comments mean."""
    meaning = comments_meaning(facets_to_take(service_slug))
    return csv_file(meaning, named(service_slug, "comments-dictionary"))


@bp.get("/services/<service_slug>/responses")
@open_to(Audience.MEMBER, role=Role.ANALYST)
def responses(service_slug: str) -> ResponseReturnValue:
    """Choose which responses to take away."""
    service = service_to_take(service_slug)
    facets = facets_of([service])
    surveys = response_exports.surveys_of(service)
    parsed = response_exports.parse_response_filter(
        request.args, service, facets, [slug for slug, _ in surveys]
    )
    return render_template(
        "reporting/comments/responses.html",
        service=service,
        name=service_name(service, languages.page_language()),
        facets=facets,
        surveys=surveys,
        filter=parsed.filter,
        ignored=[PART_NAMES[part] for part in parsed.ignored],
        n=response_exports.n_responses(parsed.filter),
        limit=selection.COUNTED_UP_TO,
        **names(),
    )


@bp.get("/services/<service_slug>/responses.csv")
@open_to(Audience.MEMBER, role=Role.ANALYST)
def responses_csv(service_slug: str) -> ResponseReturnValue:
    """Send responses as CSV, one row each, answers in codes."""
    return csv_file(response_table(service_slug).sheet(), named(service_slug, "responses"))


@bp.get("/services/<service_slug>/responses.xlsx")
@open_to(Audience.MEMBER, role=Role.ANALYST)
def responses_xlsx(service_slug: str) -> ResponseReturnValue:
    """Send responses as a workbook, with what its columns and codes mean."""
    table = response_table(service_slug)
    return xlsx_file([table.sheet(), responses_meaning(table)], named(service_slug, "responses"))


@bp.get("/services/<service_slug>/responses-dictionary.csv")
@open_to(Audience.MEMBER, role=Role.ANALYST)
def responses_dictionary(service_slug: str) -> ResponseReturnValue:
    """Send what the columns and codes of the responses mean."""
    meaning = responses_meaning(response_table(service_slug))
    return csv_file(meaning, named(service_slug, "responses-dictionary"))


def service_to_take(service_slug: str) -> Any:
    """Return a service whose files this member may take away. Raises NotFoundError or ForbiddenError."""
    service = get_service(service_slug, current_scope().paths())
    require_analyst(service.agency.path)
    return service


def facets_to_take(service_slug: str | None) -> Facets:
    """Return the facets of a service, or of every one, whose files this member may take away."""
    if service_slug:
        return facets_of([service_to_take(service_slug)])
    return facets_of(find_services(current_scope().paths(Role.ANALYST)), is_all=True)


def comments_sheet(facets: Facets) -> Sheet:
    """Return the comments that the address asks for. Raises DomainError for a group too small to show."""
    of_many = "service_slug" not in (request.view_args or {})
    parsed = comment_filters.parse_filter(request.args, facets, of_many=of_many)
    if parsed.too_few:
        raise DomainError(
            N_("Too few people gave this answer about themselves to show apart what they wrote.")
        )
    return comment_exports.comment_sheet(parsed.filter, facets)


def comments_meaning(facets: Facets) -> Sheet:
    """Return what the columns of comments mean, in the language of whoever asks."""
    return comment_exports.comment_dictionary(facets, languages.page_language(), gettext)


def response_table(service_slug: str) -> response_exports.ResponseTable:
    """Return the responses that the address asks for."""
    service = service_to_take(service_slug)
    return response_exports.response_table(request.args, service, facets_of([service]))


def responses_meaning(table: response_exports.ResponseTable) -> Sheet:
    """Return what the columns of responses mean, in the language of whoever asks."""
    return table.dictionary(languages.page_language(), gettext)


def named(service_slug: str | None, what: str) -> str:
    """Return what a file is called, without its ending."""
    return f"{service_slug}-{what}" if service_slug else what


def csv_file(sheet: Sheet, name: str) -> Response:
    """Answer with a table as a CSV file, sent while it is read; ``?bom=1`` marks it for Excel."""
    return file_of(csv_bytes(sheet, is_marked=request.args.get("bom") == "1"), CSV, f"{name}.csv")


def xlsx_file(sheets: Iterable[Sheet], name: str) -> Response:
    """Answer with tables as a workbook, sent while they are read."""
    return file_of(xlsx_bytes(sheets), XLSX, f"{name}.xlsx")


def file_of(pieces: Iterator[bytes], content_type: str, name: str) -> Response:
    """Answer with a file in pieces."""
    response = Response(stream_with_context(pieces), content_type=content_type)
    response.headers.set("Content-Disposition", "attachment", filename=name)
    return response
