"""The programming interface, version 1: answer surveys, take back what was sent, and fetch figures."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from flask import Flask, Response, abort, current_app, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_smorest import Api, Blueprint
from marshmallow import Schema
from werkzeug.exceptions import HTTPException

from citizenvoice.accounts import queries as accounts
from citizenvoice.accounts.access import Audience, open_to
from citizenvoice.accounts.models import ApiKey
from citizenvoice.agencies import queries as catalogue
from citizenvoice.api import schemas
from citizenvoice.db import db, writing
from citizenvoice.errors import N_, DomainError, NotFoundError
from citizenvoice.feedback import codes
from citizenvoice.reporting import receipts, scorecards
from citizenvoice.stats.periods import PeriodKind, parse, period_of
from citizenvoice.surveys import answering, queries
from citizenvoice.surveys.answering import Delivery, OpenSurveys, Target
from citizenvoice.surveys.arrivals import Arrivals
from citizenvoice.surveys.contributions import Contribution
from citizenvoice.surveys.validation import Checked, FieldError
from citizenvoice.web import languages, limits, pages
from citizenvoice.web.clock import day_in, utc_now
from citizenvoice.web.csrf import csrf

View = TypeVar("View", bound=Callable[..., Any])

PROBLEM = "application/problem+json"
TRIES = "20/minute"
AGENCY_KEY = "agency key"
REFUSALS = {
    401: "The key is unknown or was revoked.",
    403: "The key belongs to an agency that has nothing to do with this service.",
    404: "There is no such thing, or it is not open.",
    409: "Something else was sent with this Idempotency-Key before.",
    422: "The request cannot be understood or accepted; every error is listed.",
    429: "Too many requests; wait for as many seconds as Retry-After says.",
}

bp = Blueprint("api_v1", __name__, url_prefix="/api/v1", description="Surveys, responses and receipts")
csrf.exempt(bp)  # no session, so no authority to abuse: docs/decisions/0004


def init_api(app: Flask) -> None:
    """Register the programming interface and its description."""
    app.config.update(API_TITLE="citizenvoice", API_VERSION="1", OPENAPI_VERSION="3.1.0")
    api = Api(app)
    api.spec.components.security_scheme(
        AGENCY_KEY,
        {
            "type": "http",
            "scheme": "bearer",
            "description": "A key that an owner of an agency made for a program; it begins with cv_.",
        },
    )
    api.register_blueprint(bp)
    app.extensions["api_v1_description"] = described(api.spec.to_dict())


def described(spec: dict[str, Any]) -> dict[str, Any]:
    """Return the description as it is served: refusals are problem details, on every path."""
    problem = {"schema": {"$ref": "#/components/schemas/Problem"}}
    for path in spec["paths"].values():
        for operation in path.values():
            if not isinstance(operation, dict):
                continue
            operation["responses"].pop("default", None)
            for status, answer in operation["responses"].items():
                if int(status) >= 400:
                    answer["content"] = {PROBLEM: problem}
    return {**spec, "servers": [{"url": "/"}]}


def operation(
    rule: str,
    method: str = "GET",
    *,
    takes: Mapping[str, type[Schema]] | None = None,
    gives: Mapping[int, type[Schema] | str | None],
    refuses: Sequence[int] = (),
    audience: Audience = Audience.PROGRAM,
    knows_keys: bool = False,
) -> Callable[[View], View]:
    """Serve a view at an address and describe it: what it takes from where, and gives with which status.

    What a view gives is a schema, a media type, or nothing; the first status is the usual one. One that knows
    keys can be asked without a key as well.
    """

    def serve(view: View) -> View:
        served: Any = view
        (usual, what), *others = gives.items()
        served = bp.response(usual, **_answer(what))(served)
        for location, schema in reversed(list((takes or {}).items())):
            served = bp.arguments(schema, location=location)(served)
        for status, other in others:
            served = bp.alt_response(status, **_answer(other))(served)
        for status in refuses:
            served = bp.alt_response(status, schema=schemas.Problem, description=REFUSALS[status])(served)
        if knows_keys:
            served = bp.doc(security=[{}, {AGENCY_KEY: []}])(served)
        served = open_to(audience, locks_itself=method != "GET")(served)
        bp.route(rule, methods=[method])(served)
        return view

    return serve


def _answer(what: type[Schema] | str | None) -> dict[str, Any]:
    if isinstance(what, str):
        return {"content_type": what, "description": what}
    return {} if what is None else {"schema": what}


def refuse(error: HTTPException) -> Response:
    """Answer a refusal with problem details and every error."""
    status = 422 if error.code == 400 else error.code or 500
    messages = getattr(error, "data", {}).get("messages", {}) if status == 422 else {}
    title = _("The request is not right.") if messages else error.description or error.name
    response = _problem(status, title, schemas.problem_errors(messages))
    if error.code == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    if error.code == 405:
        response.headers["Allow"] = ", ".join(sorted(getattr(error, "valid_methods", None) or ()))
    return response


def _problem(status: int, title: str, errors: list[dict[str, str]] | None = None) -> Response:
    body: dict[str, Any] = {"type": "about:blank", "status": status, "title": title}
    if errors:
        body["errors"] = errors
    return Response(current_app.json.dumps(body), status, mimetype=PROBLEM)


# Surveys and responses


@operation("/surveys/<survey>", gives={200: schemas.SurveyOut}, refuses=[404])
def show_survey(survey: str) -> Any:
    """Return the definition of a live survey, as it is answered now."""
    services = queries.services_asked_about(survey)
    if not services:
        raise NotFoundError(N_("There is no survey here that can be answered now."))
    target = _open_surveys().get(survey, services[0])
    return {
        "survey": survey,
        "version": target.offer.number,
        "services": services,
        "definition": target.definition.to_json(),
    }


@operation(
    "/surveys/<survey>/services/<service>/responses",
    "POST",
    takes={"json": schemas.ResponseIn, "headers": schemas.KeyIn},
    gives={201: schemas.ReceiptOut, 200: schemas.ReceiptOut},
    refuses=[401, 403, 404, 409, 422, 429],
    knows_keys=True,
)
def answer_survey(sent: dict[str, Any], headers: dict[str, Any], *, survey: str, service: str) -> Any:
    """Record one whole response; send an Idempotency-Key so that a retry is recorded once."""
    caller = _caller()
    target = _open_surveys().get(survey, service)
    _stay_in_agency(caller, service)
    if _answers_too_often(caller):
        return _too_often()
    language = sent.get("language") or target.definition.default_language
    if language not in target.definition.languages:
        return _problem(422, _("The request is not right."), [_not_asked_in(language)])
    checked = target.questionnaire.check_whole(sent["answers"], language)
    if checked.errors:
        return _problem(422, _("The request is not right."), [_written(error) for error in checked.errors])
    db.session.rollback()
    code, given = _contribution(target, checked, sent["channel"], language, headers.get("key", ""), caller)
    return _store(code, given)


def _store(code: str, given: Contribution) -> Any:
    """Store a response and answer with its code; what was stored before is told from something else."""
    arrivals: Arrivals = current_app.extensions["arrivals"]
    became = arrivals.store(given)  # commits, with whatever else arrives at this moment
    if not became.is_repeat:
        return {"receipt": code, "counts": not became.is_duplicate}, 201
    db.session.rollback()  # what it reads from now on was stored meanwhile
    delivered = queries.get_delivered(became.receipt_id)
    if delivered.digest != given.import_digest:
        return _problem(409, _("Something else was sent with this Idempotency-Key before."))
    return {"receipt": code, "counts": delivered.exclusion is None}, 200


def _answers_too_often(caller: ApiKey | None) -> bool:
    """Count one more answer by the program that has a key, or by whoever is at this address."""
    if caller is None:
        return limits.too_often("answers", f"{current_app.config['ANSWERS_PER_MINUTE']}/minute")
    rate = f"{current_app.config['ANSWERS_PER_MINUTE_AND_KEY']}/minute"
    return limits.too_often("answers with a key", rate, by=f"key {caller.id}")


def _contribution(
    target: Target, checked: Checked, channel: str, language: str, key: str, caller: ApiKey | None
) -> tuple[str, Contribution]:
    config = current_app.config
    secret, code = str(config["SECRET_KEY"]), codes.new_code()
    given = answering.contribution(
        target.questionnaire,
        checked,
        Delivery(
            service_id=target.offer.service_id,
            time_zone=target.offer.time_zone,
            channel=channel,
            language=language,
            at=utc_now(),
            secret=secret,
            # Who sends a key says which are the same; a relay sends many people's answers from one address.
            sender=None
            if key or caller
            else f"{request.remote_addr}|{request.headers.get('User-Agent', '')}",
            regions=config["PHONE_REGIONS"],
        ),
        code_hash=codes.code_hash(secret, code),
    )
    own = f"{caller.id if caller else ''}|{key}"  # two programs may well number their responses alike
    return answering.with_key(given, secret, own) if key else (code, given)


def _written(error: FieldError) -> dict[str, str]:
    return {"pointer": f"/answers/{error.question}", "detail": _(error.message, **error.params)}


def _not_asked_in(language: str) -> dict[str, str]:
    return {"pointer": "/language", "detail": _("The survey is not asked in “%(code)s”.", code=language)}


def _too_often() -> Response:
    response = _problem(429, _("Too many tries. Please wait a minute and try again."))
    response.headers["Retry-After"] = "60"
    return response


def _open_surveys() -> OpenSurveys:
    found: OpenSurveys = current_app.extensions["open_surveys"]
    return found


# Keys and figures


def _caller() -> ApiKey | None:
    """Return the key of the program that is asking, or None without one; refuse one that is not known."""
    if "Authorization" not in request.headers:
        return None
    scheme, _space, plain = request.headers["Authorization"].partition(" ")
    key = accounts.find_api_key(plain.strip()) if scheme.lower() == "bearer" else None
    if key is None:
        abort(401, _("The key is unknown or was revoked."))
    return key


def _stay_in_agency(caller: ApiKey | None, service: str) -> None:
    """Refuse a key of an agency that is not above a service."""
    found = catalogue.find_service(service) if caller else None
    if caller and found and not found.agency.path.startswith(caller.agency.path):
        abort(403, _("The key belongs to an agency that has nothing to do with this service."))


@operation(
    "/services/<service>/figures",
    takes={"query": schemas.FiguresIn},
    gives={200: schemas.FiguresOut},
    refuses=[401, 403, 404, 422],
    knows_keys=True,
)
def show_figures(query: dict[str, Any], *, service: str) -> Any:
    """Return a service's figures in one period: all with a key of its agency, the published ones without."""
    caller = _caller()
    languages.speak(languages.best_language())
    _stay_in_agency(caller, service)
    asked = (
        catalogue.get_service(service, [caller.agency.path])
        if caller
        else catalogue.get_public_service(service)
    )
    today = day_in(asked.agency.time_zone, utc_now())
    try:
        fiscal_start = asked.agency.fiscal_year_start
        period = (
            parse(query["period"], fiscal_start) if query["period"] else period_of(today, PeriodKind.MONTH)
        )
    except (ValueError, OverflowError):
        return _problem(
            422,
            _("The request is not right."),
            [{"pointer": "/period", "detail": str(schemas.NOT_A_PERIOD)}],
        )
    minimum = int(current_app.config["MINIMUM_ANSWERS"])
    return scorecards.figures_of_period(asked, period, minimum, is_whole=caller is not None)


# Receipts


@operation(
    "/receipt", takes={"headers": schemas.CodeIn}, gives={200: schemas.SentOut}, refuses=[404, 422, 429]
)
def show_receipt(headers: dict[str, Any]) -> Any:
    """Return what was sent under a receipt code, and what was read in it."""
    if limits.too_often("receipt codes", TRIES):
        return _too_often()
    return receipts.get_sent(_hash(headers["code"]), languages.best_language())


@operation(
    "/receipt", "DELETE", takes={"headers": schemas.CodeIn}, gives={204: None}, refuses=[404, 422, 429]
)
def withdraw(headers: dict[str, Any]) -> Any:
    """Take back what was sent under a receipt code: it no longer counts, and its words are erased."""
    if limits.too_often("receipt codes", TRIES):
        return _too_often()
    with writing():
        receipts.withdraw(_hash(headers["code"]), utc_now())
        db.session.commit()
    return None


def _hash(code: str) -> bytes | None:
    return codes.code_hash(str(current_app.config["SECRET_KEY"]), code)


# The description of all this


@operation("/openapi.json", gives={200: "application/json"})
def describe() -> ResponseReturnValue:
    """Return the description of this interface in OpenAPI 3.1."""
    description = current_app.json.dumps(current_app.extensions["api_v1_description"])
    return Response(description, mimetype="application/json")


@operation("/docs", gives={200: "text/html"}, audience=Audience.PUBLIC)
def explain() -> ResponseReturnValue:
    """Show the description of this interface to people."""
    language = languages.best_language()
    languages.speak(language)
    spec = current_app.extensions["api_v1_description"]
    operations = [
        {"path": path, "method": method.upper(), **operation}
        for path, methods in spec["paths"].items()
        for method, operation in methods.items()
        if isinstance(operation, dict)
    ]
    return pages.html(
        pages.render(
            "api/docs.html",
            language,
            title=_("Programming interface"),
            operations=operations,
            description_url="/api/v1/openapi.json",
        )
    )


def refuse_by_rule(error: DomainError) -> Response:
    """Answer a rule's refusal with problem details."""
    status = 404 if isinstance(error, NotFoundError) else 422
    return _problem(status, _(error.message, **error.params))


def refuse_too_deep(_error: RecursionError) -> Response:
    """Answer a body nested so deeply that it cannot be read."""
    return _problem(422, _("The request is not right."), [{"pointer": "", "detail": _("This is not JSON.")}])


bp.register_error_handler(HTTPException, refuse)
bp.register_error_handler(RecursionError, refuse_too_deep)
bp.register_error_handler(DomainError, refuse_by_rule)
