"""The application factory: the only module that knows every package."""

import hashlib
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

from flask import Flask, Response, current_app, g, render_template, request
from flask_babel import gettext
from flask_migrate import Migrate
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException
from werkzeug.middleware.proxy_fix import ProxyFix
from whitenoise import WhiteNoise

from citizenvoice import jobs
from citizenvoice.accounts import queries as accounts
from citizenvoice.accounts.access import current_scope, require_audience
from citizenvoice.accounts.scope import Role
from citizenvoice.accounts.security import init_security, is_manage
from citizenvoice.agencies import queries as catalogue
from citizenvoice.agencies.commands import bring
from citizenvoice.analysis.actions import forget_readings
from citizenvoice.api.v1 import init_api
from citizenvoice.catalogue.views import agencies as catalogue_agencies
from citizenvoice.catalogue.views import home as public_home
from citizenvoice.catalogue.views import imports as catalogue_imports
from citizenvoice.catalogue.views import service_pages as catalogue_services
from citizenvoice.config import LANGUAGES, ROOT
from citizenvoice.db import db, open_sqlite_properly, writing
from citizenvoice.errors import DomainError, ForbiddenError, NotFoundError
from citizenvoice.reporting.views import comments, exports, home, indicator, public, receipt, service
from citizenvoice.surveys.commands import bring_responses
from citizenvoice.surveys.views import (
    design,
    imports,
    instruments,
    manage,
    questions,
    respond,
    sections,
    texts,
    ways_in,
)
from citizenvoice.web import components, headers, languages, pages, surroundings
from citizenvoice.web.csrf import csrf
from citizenvoice.web.translations import CatalogueBabel

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; manifest-src 'self'; "
    "frame-ancestors {ancestors}"
)


def create_app(config: Mapping[str, Any]) -> Flask:
    """Build the application from a finished configuration."""
    app = Flask(__name__, template_folder=str(ROOT / "templates"), static_folder=str(ROOT / "static"))
    app.config.from_mapping(config)
    db.init_app(app)
    Migrate(app, db, directory=str(ROOT / "migrations"))
    with app.app_context():
        if db.engine.dialect.name == "sqlite":
            open_sqlite_properly(db.engine)
    csrf.init_app(app)
    add_languages(app)
    components.register(app)
    add_features(app)
    app.before_request(require_audience)
    app.before_request(queue_to_write)
    app.teardown_request(leave_the_queue)
    add_error_pages(app)
    stand_in_front(app)
    return app


def add_features(app: Flask) -> None:
    """Register every package's pages and commands."""
    # Keep one line a feature, in the order of the packages.
    init_security(app)
    app.register_blueprint(respond.bp)
    app.register_blueprint(ways_in.bp)
    app.extensions["forget_readings"] = forget_readings  # of words that somebody took back by sending others
    app.register_blueprint(receipt.bp)
    for reported in (home, service, indicator, public, comments, exports):
        app.register_blueprint(reported.bp)
    init_api(app)
    for feature in (manage, design, sections, questions, texts, instruments, imports):
        app.register_blueprint(feature.bp)
    for catalogued in (public_home, catalogue_agencies, catalogue_services, catalogue_imports):
        app.register_blueprint(catalogued.bp)
    bring.add_command(bring_responses)
    app.cli.add_command(bring)
    for command in jobs.COMMANDS:
        app.cli.add_command(command)


def add_languages(app: Flask) -> None:
    """Speak the language of the page, and tell templates which one it is."""
    app.config.setdefault("BABEL_TRANSLATION_DIRECTORIES", str(ROOT / "citizenvoice" / "translations"))
    CatalogueBabel(app, locale_selector=languages.interface_language)
    app.jinja_env.globals.update(LANGUAGES=LANGUAGES)

    @app.context_processor
    def page_facts() -> dict[str, Any]:
        language = languages.page_language()
        return {
            "page_language": language,
            "page_direction": languages.direction(language),
            "own_name": languages.own_name,
            "site_name": current_app.config["SITE_NAME"],
        }

    app.context_processor(page_surroundings)


def page_surroundings() -> dict[str, Any]:
    """Tell pages what stands around them; public ones without looking at who is asking."""
    if not is_manage(request.path):
        return surroundings.public()
    scope = current_scope()
    if scope.user_id is None:
        return surroundings.public() | {"language_links": []}
    try:
        own = accounts.find_highest_agency(scope)
    except SQLAlchemyError:  # the page that says so must not fail too
        db.session.rollback()
        own = None
    return surroundings.managers(is_owner=bool(scope.paths(Role.OWNER))) | {
        "unit_name": catalogue.agency_name(own, languages.page_language()) if own else ""
    }


def queue_to_write() -> None:
    """Take the turn to write before a request that changes something reads its first row.

    A SQLite transaction that read before another one wrote cannot be upgraded to a writing one.
    """
    view = current_app.view_functions.get(request.endpoint or "")
    if request.method in SAFE_METHODS or view is None or getattr(view, "locks_itself", False):
        return
    db.session.rollback()  # who is asking was read before; nothing else was
    turn = ExitStack()
    turn.enter_context(writing())
    g.turn_to_write = turn


def leave_the_queue(_error: BaseException | None) -> None:
    """Give the turn to write back, whatever happened; what was not committed is rolled back first."""
    turn: ExitStack | None = g.pop("turn_to_write", None)
    if turn is not None:
        db.session.rollback()
        turn.close()


ERROR_PAGES = {
    403: "errors/forbidden.html",
    404: "errors/not_found.html",
    413: "errors/too_large.html",
    422: "errors/domain_error.html",
    429: "errors/too_many_requests.html",
    500: "errors/server_error.html",
}


def add_error_pages(app: Flask) -> None:
    """Answer every refusal with a page, or with problem details for programs (RFC 9457)."""
    app.register_error_handler(NotFoundError, lambda error: say_no(404, error))
    app.register_error_handler(ForbiddenError, lambda error: say_no(403, error))
    app.register_error_handler(DomainError, lambda error: say_no(422, error))
    app.register_error_handler(CSRFError, lambda error: say_no(400, error))
    app.register_error_handler(HTTPException, lambda error: say_no(error.code or 500, error))


def say_no(status: int, error: Exception) -> Response:
    """Return the page or the problem details for a refusal."""
    sentence = gettext(error.message, **error.params) if isinstance(error, DomainError) else ""
    if request.path.startswith("/api/"):
        title = sentence or getattr(error, "description", "") or "Error"
        problem = current_app.json.dumps({"type": "about:blank", "status": status, "title": title})
        response = current_app.make_response(problem)
        response.mimetype = "application/problem+json"
    else:
        template = ERROR_PAGES.get(status, "errors/bad_request.html")
        response = current_app.make_response(render_template(template, sentence=sentence, message=sentence))
    response.status_code = status
    if isinstance(error, HTTPException):
        for name, value in error.get_headers(None):
            if name.lower() in {"allow", "retry-after"}:
                response.headers[name] = value
    return response


def stand_in_front(app: Flask) -> None:
    """Answer what needs no application: static files, cacheable for a year by version, and kept pages."""
    answering: Any = headers.SecurityHeaders(app.wsgi_app)
    answering = pages.KeptAnswers(answering)  # keeps an answer with all its headers
    answering = WhiteNoise(
        answering,
        root=str(ROOT / "static"),
        prefix="static/",
        max_age=31536000,
        autorefresh=bool(app.debug),
        add_headers_function=headers.of_a_file,
    )
    trusted = app.config.get("TRUSTED_PROXIES", 0)
    if trusted:  # outermost: everything else looks at who asks, and how
        answering = ProxyFix(answering, x_for=trusted, x_proto=trusted, x_host=trusted)
    app.wsgi_app = answering  # type: ignore[method-assign]
    version = static_version()

    @app.url_defaults
    def add_version(endpoint: str, values: dict[str, Any]) -> None:
        if endpoint == "static":
            values["v"] = version


def static_version() -> str:
    """Return a short digest of everything under ``static/``: a new one makes browsers fetch anew."""
    digest = hashlib.sha256()
    for path in sorted((ROOT / "static").rglob("*")):
        if path.is_file():
            digest.update(path.read_bytes())
    return digest.hexdigest()[:10]
