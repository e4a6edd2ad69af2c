"""The files people take away: comments and responses as CSV and XLSX, of any size, sent as they are read."""

from collections.abc import Iterable, Iterator

from flask import Blueprint, Response, render_template, request, stream_with_context
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from citizenvoice.accounts.access import Audience, current_scope, open_to
from citizenvoice.accounts.scope import Role
from citizenvoice.agencies.queries import get_service, service_name
from citizenvoice.reporting import comments, exports
from citizenvoice.reporting.spreadsheets import Sheet, csv_bytes, xlsx_bytes
from citizenvoice.reporting.views.comments import PART_NAMES, names, require_analyst
from citizenvoice.web import languages

bp = Blueprint("exports", __name__, url_prefix="/manage/services/<service_slug>")

CSV = "text/csv; charset=utf-8"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@bp.get("/comments.csv")
@open_to(Audience.MEMBER, role=Role.ANALYST)
def comments_csv(service_slug: str) -> ResponseReturnValue:
    """Send the comments on the screen as CSV."""
    service = get_service(service_slug, current_scope().paths())
    require_analyst(service.agency.path)
    wanted = comments.parse_filter(request.args, service, comments.get_facets(service)).filter
    return csv_file(exports.comment_sheet(wanted, service), f"{service.slug}-comments")


@bp.get("/comments.xlsx")
@open_to(Audience.MEMBER, role=Role.ANALYST)
def comments_xlsx(service_slug: str) -> ResponseReturnValue:
    """Send the comments on the screen as a workbook, with what its columns mean."""
    service = get_service(service_slug, current_scope().paths())
    require_analyst(service.agency.path)
    facets = comments.get_facets(service)
    wanted = comments.parse_filter(request.args, service, facets).filter
    meaning = exports.comment_dictionary(facets, languages.page_language(), gettext)
    return xlsx_file([exports.comment_sheet(wanted, service), meaning], f"{service.slug}-comments")


@bp.get("/comments-dictionary.csv")
@open_to(Audience.MEMBER, role=Role.ANALYST)
def comments_dictionary(service_slug: str) -> ResponseReturnValue:
    """Send what the columns and codes of the comments mean."""
    service = get_service(service_slug, current_scope().paths())
    require_analyst(service.agency.path)
    facets = comments.get_facets(service)
    meaning = exports.comment_dictionary(facets, languages.page_language(), gettext)
    return csv_file(meaning, f"{service.slug}-comments-dictionary")


@bp.get("/responses")
@open_to(Audience.MEMBER, role=Role.ANALYST)
def responses(service_slug: str) -> ResponseReturnValue:
    """Choose which responses to take away."""
    service = get_service(service_slug, current_scope().paths())
    require_analyst(service.agency.path)
    facets = comments.get_facets(service)
    surveys = exports.surveys_of(service)
    parsed = exports.parse_response_filter(request.args, service, facets, [slug for slug, _ in surveys])
    return render_template(
        "reporting/comments/responses.html",
        service=service,
        name=service_name(service, languages.page_language()),
        facets=facets,
        surveys=surveys,
        filter=parsed.filter,
        ignored=[PART_NAMES[part] for part in parsed.ignored],
        n=exports.n_responses(parsed.filter),
        limit=comments.COUNTED_UP_TO,
        **names(),
    )


@bp.get("/responses.csv")
@open_to(Audience.MEMBER, role=Role.ANALYST)
def responses_csv(service_slug: str) -> ResponseReturnValue:
    """Send responses as CSV, one row each, answers in codes."""
    service = get_service(service_slug, current_scope().paths())
    require_analyst(service.agency.path)
    table = exports.response_table(request.args, service)
    return csv_file(table.sheet(), f"{service.slug}-responses")


@bp.get("/responses.xlsx")
@open_to(Audience.MEMBER, role=Role.ANALYST)
def responses_xlsx(service_slug: str) -> ResponseReturnValue:
    """Send responses as a workbook, with what its columns and codes mean."""
    service = get_service(service_slug, current_scope().paths())
    require_analyst(service.agency.path)
    table = exports.response_table(request.args, service)
    meaning = table.dictionary(languages.page_language(), gettext)
    return xlsx_file([table.sheet(), meaning], f"{service.slug}-responses")


@bp.get("/responses-dictionary.csv")
@open_to(Audience.MEMBER, role=Role.ANALYST)
def responses_dictionary(service_slug: str) -> ResponseReturnValue:
    """Send what the columns and codes of the responses mean."""
    service = get_service(service_slug, current_scope().paths())
    require_analyst(service.agency.path)
    table = exports.response_table(request.args, service)
    meaning = table.dictionary(languages.page_language(), gettext)
    return csv_file(meaning, f"{service.slug}-responses-dictionary")


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
