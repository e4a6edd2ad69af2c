"""The programming interface, version 1: answer surveys, and look at or take back what was sent."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from flask import Flask, Response, current_app, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_smorest import Api, Blueprint
from marshmallow import Schema
from werkzeug.exceptions import HTTPException

from citizenvoice.accounts.access import Audience, open_to
from citizenvoice.api import schemas
from citizenvoice.db import db, writing
from citizenvoice.errors import N_, DomainError, NotFoundError
from citizenvoice.feedback import codes
from citizenvoice.reporting import receipts
from citizenvoice.surveys import answering, queries
from citizenvoice.surveys.answering import Delivery, OpenSurveys, Target
from citizenvoice.surveys.arrivals import Arrivals
from citizenvoice.surveys.recording import Contribution
from citizenvoice.surveys.validation import Checked, FieldError
from citizenvoice.web import languages, limits, pages
from citizenvoice.web.clock import utc_now
from citizenvoice.web.csrf import csrf

View = TypeVar("View", bound=Callable[..., Any])

PROBLEM = "application/problem+json"
TRIES = "20/minute"
REFUSALS = {
    404: "There is no such thing, or it is not open.",
    422: "The request cannot be understood or accepted; every error is listed.",
    429: "Too many requests; wait for as many seconds as Retry-After says.",
}

bp = Blueprint("api_v1", __name__, url_prefix="/api/v1", description="Surveys, responses and receipts")
csrf.exempt(bp)  # no session, so no authority to abuse: docs/decisions/0004


def init_api(app: Flask) -> None:
    """Register the programming interface and its description."""
    app.config.update(API_TITLE="citizenvoice", API_VERSION="1", OPENAPI_VERSION="3.1.0")
    api = Api(app)
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
) -> Callable[[View], View]:
    """Serve a view at an address and describe it: what it takes from where, and gives with which status.

    What a view gives is a schema, a media type, or nothing; the first status is the usual one.
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
    refuses=[404, 422, 429],
)
def answer_survey(sent: dict[str, Any], headers: dict[str, Any], *, survey: str, service: str) -> Any:
    """Record one whole response; send an Idempotency-Key so that a retry is recorded once."""
    target = _open_surveys().get(survey, service)
    if limits.too_often("answers", f"{current_app.config['ANSWERS_PER_MINUTE']}/minute"):
        return _too_often()
    language = sent.get("language") or target.definition.default_language
    if language not in target.definition.languages:
        return _problem(422, _("The request is not right."), [_not_asked_in(language)])
    checked = target.questionnaire.check_whole(sent["answers"], language)
    if checked.errors:
        return _problem(422, _("The request is not right."), [_written(error) for error in checked.errors])
    db.session.rollback()
    code, given = _contribution(target, checked, sent["channel"], language, headers.get("key", ""))
    arrivals: Arrivals = current_app.extensions["arrivals"]
    became = arrivals.store(given)  # commits, with whatever else arrives at this moment
    body = {"receipt": code, "counts": not became.is_duplicate}
    return body, 200 if became.is_repeat else 201


def _contribution(
    target: Target, checked: Checked, channel: str, language: str, key: str
) -> tuple[str, Contribution]:
    config, survey_id = current_app.config, target.offer.survey_id
    secret = str(config["SECRET_KEY"])
    code = codes.derived_code(secret, survey_id, key) if key else codes.new_code()
    return code, answering.contribution(
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
            sender=None if key else f"{request.remote_addr}|{request.headers.get('User-Agent', '')}",
            regions=config["PHONE_REGIONS"],
        ),
        code_hash=codes.code_hash(secret, code),
        idempotency_hash=codes.idempotency_hash(secret, survey_id, key) if key else None,
    )


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


bp.register_error_handler(HTTPException, refuse)
bp.register_error_handler(DomainError, refuse_by_rule)
