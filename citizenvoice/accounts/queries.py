"""Reads about people and what they may see."""

from sqlalchemy import ColumnElement, false, or_
from sqlalchemy.orm import InstrumentedAttribute

from citizenvoice.accounts.models import Role
from citizenvoice.accounts.scope import Scope


def in_scope(path: InstrumentedAttribute[str], scope: Scope, role: Role = Role.VIEWER) -> ColumnElement[bool]:
    """Return the condition that an agency's path lies where this person has at least ``role``."""
    paths = scope.paths(role)
    return or_(*(path.startswith(prefix, autoescape=True) for prefix in paths)) if paths else false()
