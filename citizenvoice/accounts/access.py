"""Who may open which page. A view that does not say is closed to everyone."""

from collections.abc import Callable
from enum import StrEnum
from typing import TypeVar

from flask import abort, current_app, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from citizenvoice.accounts.models import Role
from citizenvoice.accounts.scope import Scope

View = TypeVar("View", bound=Callable[..., ResponseReturnValue])


class Audience(StrEnum):
    """Who a page is for."""

    PUBLIC = "public"
    MEMBER = "member"  # signed in; what they may see is decided by their memberships
    PROGRAM = "program"  # the programming interface: a key where one is needed


def open_to(
    audience: Audience, *, role: Role = Role.VIEWER, locks_itself: bool = False
) -> Callable[[View], View]:
    """Declare who a view is for, the least role it is useful to, and whether it takes the write lock itself."""

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
    audience = getattr(current_app.view_functions[request.endpoint], "audience", None)
    if audience is None:
        abort(403)
    if audience is Audience.MEMBER and not current_user.is_authenticated:
        return redirect(url_for("security.login", next=request.full_path.rstrip("?")))
    return None


def current_scope() -> Scope:
    """Return what the signed-in person may see; nothing for anybody else."""
    if not current_user.is_authenticated:
        return Scope(user_id=None, grants=())
    return Scope(
        user_id=current_user.id,
        grants=tuple((held.agency.path, Role(held.role)) for held in current_user.memberships),
    )
