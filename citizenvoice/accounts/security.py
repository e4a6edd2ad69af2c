"""Flask-Security as we use it: argon2 hashes and sessions that can be ended; the pages are our own."""

from typing import Any, NoReturn

from flask import Flask, Request, Response, request, url_for
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from flask_login import current_user
from flask_security import Security, SQLAlchemyUserDatastore

from citizenvoice.accounts import queries
from citizenvoice.accounts.commands import create_owner
from citizenvoice.accounts.models import SecurityRole, User
from citizenvoice.accounts.views import members, sign_in
from citizenvoice.db import db
from citizenvoice.web.limits import init_limits
from citizenvoice.web.mail import init_mail

MANAGE = "/manage"


class NoSession(SecureCookieSession):
    """The empty session of a page that knows nobody; writing to it is a mistake in the program."""

    def _refuse(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        raise RuntimeError(f"Pages outside {MANAGE} set no cookie: nothing can be kept in the session there.")

    __setitem__ = __delitem__ = update = setdefault = _refuse


class ManageSessions(SecureCookieSessionInterface):
    """Sessions for managers' pages alone, so that public pages set no cookie and can be cached whole."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """Read the session's cookie, on managers' pages."""
        return super().open_session(app, request) if is_manage(request.path) else NoSession()

    def save_session(self, app: Flask, session: Any, response: Response) -> None:
        """Write the session's cookie, on managers' pages."""
        if not isinstance(session, NoSession):
            super().save_session(app, session, response)


def is_manage(path: str) -> bool:
    """Tell whether an address is a managers' page."""
    return path == MANAGE or path.startswith(f"{MANAGE}/")


def init_security(app: Flask) -> None:
    """Let people sign in, and register the pages and commands that belong to it."""
    app.config["SESSION_COOKIE_PATH"] = MANAGE
    app.config["PERMANENT_SESSION_LIFETIME"] = app.config["SESSION_LIFETIME"]
    app.config.update(
        SECURITY_PASSWORD_HASH="argon2",  # noqa: S106 - the name of the method
        SECURITY_PASSWORD_SCHEMES=["argon2"],
        SECURITY_DEPRECATED_PASSWORD_SCHEMES=[],
        SECURITY_PASSWORD_SINGLE_HASH=["argon2"],  # salted by itself: a new SECRET_KEY locks nobody out
        SECURITY_CLI_USERS_NAME=False,
        SECURITY_CLI_ROLES_NAME=False,
        SESSION_PROTECTION=None,  # its fingerprint of address and browser would be kept in the cookie
    )
    app.config.setdefault("WTF_CSRF_TIME_LIMIT", None)  # a form is good for as long as the session
    app.session_interface = ManageSessions()
    init_mail(app)
    init_limits(app)
    security = Security(app, SQLAlchemyUserDatastore(db, User, SecurityRole), register_blueprint=False)
    only_sessions(app, security)
    app.register_blueprint(sign_in.bp)
    app.register_blueprint(members.bp)
    app.cli.add_command(create_owner)
    app.context_processor(member_facts)


def only_sessions(app: Flask, security: Security) -> None:
    """Leave the session of a managers' page as the one way to be somebody.

    Flask-Security would also accept tokens in the query and the body, and would ask who is there
    before every request: a query and a cookie's worth of variation for each public page.
    """
    security.login_manager.user_loader(queries.find_user_of_session)
    security.login_manager.request_loader(lambda _request: None)
    app.before_request_funcs[None] = [
        before
        for before in app.before_request_funcs[None]
        if getattr(before, "__self__", None) is not security.principal
    ]


def member_facts() -> dict[str, Any]:
    """Tell managers' pages who is signed in, where their first page is, and how to sign out."""
    if not is_manage(request.path) or not current_user.is_authenticated:
        return {}
    return {
        "user_name": current_user.name or current_user.email,
        "sign_out_url": url_for("security.logout"),
        "home_url": sign_in.home(),
    }
