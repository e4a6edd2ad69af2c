"""Who may open which page. A view that does not say is closed to everyone."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TypeVar

from flask import abort, current_app, g, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from flask_security import login_user, logout_user

from citizenvoice.accounts import queries
from citizenvoice.accounts.models import User
from citizenvoice.accounts.scope import Role, Scope
from citizenvoice.web import languages
from citizenvoice.web.clock import utc_now

View = TypeVar("View", bound=Callable[..., ResponseReturnValue])

LONGEST_SESSION = timedelta(hours=12)  # however busy it is
READ_ONLY = frozenset({"GET", "HEAD", "OPTIONS"})


class Audience(StrEnum):
    """Who a page is for."""

    PUBLIC = "public"
    MEMBER = "member"  # signed in; what they may see is decided by their memberships
    PROGRAM = "program"  # the programming interface: a key where one is needed


def open_to(
    audience: Audience, *, role: Role | None = Role.VIEWER, locks_itself: bool = False
) -> Callable[[View], View]:
    """Declare who a view is for, the least role it is useful to, and whether it takes the write lock itself.

    With ``role=None`` a member page is for everybody who is signed in, even without a membership.
    """

    def declare(view: View) -> View:
        view.audience = audience  # type: ignore[attr-defined]
        view.least_role = role  # type: ignore[attr-defined]
        view.locks_itself = locks_itself  # type: ignore[attr-defined]
        return view

    return declare


def require_audience() -> ResponseReturnValue | None:
    """Run before every request: let the right people through and nobody else."""
    if request.endpoint is None or request.endpoint == "static":
        return None
    view = current_app.view_functions[request.endpoint]
    audience = getattr(view, "audience", None)
    if audience is None:
        abort(403)
    if audience is not Audience.MEMBER:
        return None
    if not current_user.is_authenticated or session_is_over(utc_now()):
        return ask_to_sign_in()
    keep_session(utc_now())
    languages.speak(current_user.language)
    least: Role | None = getattr(view, "least_role", Role.VIEWER)
    if least is not None and not current_scope().paths(least):
        abort(403)
    return None


def ask_to_sign_in() -> ResponseReturnValue:
    """Forget who was here and show the way to sign in, and from there back to this page."""
    if current_user.is_authenticated:
        logout_user()
    after = request.full_path.rstrip("?") if request.method in READ_ONLY else None
    return redirect(url_for("security.login", next=after))


def begin_session(user: User, now: datetime) -> None:
    """Start a session of this person, with nothing in it from before."""
    session.clear()
    g.pop("csrf_token", None)
    login_user(user, remember=False)
    session.update(session_times(now))


def session_times(now: datetime) -> dict[str, float]:
    """Return what a session that begins now remembers of the time."""
    return {"began_at": now.timestamp(), "seen_at": now.timestamp()}


def session_is_over(now: datetime) -> bool:
    """Tell whether this session was idle too long or has lasted too long."""
    idle = now - instant_of("seen_at") > current_app.config["SESSION_LIFETIME"]
    return idle or now - instant_of("began_at") > LONGEST_SESSION


def keep_session(now: datetime) -> None:
    """Note that the person is still there; not at every request, so that few answers carry a cookie."""
    if now - instant_of("seen_at") > current_app.config["SESSION_LIFETIME"] / 60:
        session["seen_at"] = now.timestamp()


def instant_of(name: str) -> datetime:
    """Return an instant the session remembers; long ago if it does not."""
    return datetime.fromtimestamp(float(session.get(name, 0)), UTC)


def current_scope() -> Scope:
    """Return what the signed-in person may see; nothing for anybody else."""
    if "scope" not in g:
        signed_in = current_user.is_authenticated
        g.scope = queries.scope_of(current_user.id) if signed_in else Scope(user_id=None, grants=())
    scope: Scope = g.scope
    return scope
