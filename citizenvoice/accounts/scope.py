"""Which agencies a person may see, and what they may do there."""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What a member may do in an agency and everything below it, from most to least."""

    OWNER = "owner"  # also: members and keys
    MANAGER = "manager"  # also: surveys, targets, catalogue, import
    ANALYST = "analyst"  # also: correct what was read, export, moderate
    VIEWER = "viewer"  # look


ROLE_RANK = {Role.VIEWER: 1, Role.ANALYST: 2, Role.MANAGER: 3, Role.OWNER: 4}


@dataclass(frozen=True, slots=True)
class Scope:
    """Which agencies a person may see and what they may do there: (path prefix, role) pairs.

    Queries take a scope, so that what is out of scope is not found rather than refused.
    """

    user_id: int | None
    grants: tuple[tuple[str, Role], ...]

    def paths(self, role: Role = Role.VIEWER) -> tuple[str, ...]:
        """Return the path prefixes of the subtrees where this person has at least ``role``."""
        return tuple(path for path, held in self.grants if ROLE_RANK[held] >= ROLE_RANK[role])

    def allows(self, agency_path: str, role: Role = Role.VIEWER) -> bool:
        """Tell whether this person has at least ``role`` in the agency with that path."""
        return any(agency_path.startswith(path) for path in self.paths(role))
