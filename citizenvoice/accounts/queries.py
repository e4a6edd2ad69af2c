"""Reads about people and what they may see."""

from hashlib import sha256

from sqlalchemy import ColumnElement, and_, false, or_, select
from sqlalchemy.orm import InstrumentedAttribute, joinedload

from citizenvoice.accounts.models import ApiKey, AuditEntry, Membership, User
from citizenvoice.accounts.scope import Role, Scope
from citizenvoice.agencies.models import Agency
from citizenvoice.db import db
from citizenvoice.errors import N_, NotFoundError

AUDIT_PAGE = 50


def in_scope(path: InstrumentedAttribute[str], scope: Scope, role: Role = Role.VIEWER) -> ColumnElement[bool]:
    """Return the condition that an agency's path lies where this person has at least ``role``."""
    paths = scope.paths(role)
    return or_(*(path.startswith(prefix, autoescape=True) for prefix in paths)) if paths else false()


def scope_of(user_id: int) -> Scope:
    """Return what a person may see, and what they may do there."""
    held = db.session.execute(
        select(Agency.path, Membership.role)
        .join(Membership.agency)
        .where(Membership.user_id == user_id)
        .order_by(Agency.path)
    )
    return Scope(user_id=user_id, grants=tuple((path, Role(role)) for path, role in held))


def get_user(user_id: int) -> User:
    """Return a person who can sign in.

    Raises NotFoundError if there is none.
    """
    user = db.session.get(User, user_id)
    if user is None or not user.active:
        raise NotFoundError(N_("There is no such person."))
    return user


def find_user(email: str) -> User | None:
    """Return the person with this e-mail address, whatever its case."""
    return db.session.scalars(select(User).where(User.email == email.strip().lower())).one_or_none()


def find_user_of_session(uniquifier: str) -> User | None:
    """Return the person a session belongs to, unless it was ended or they may no longer sign in."""
    return db.session.scalars(
        select(User).where(User.fs_uniquifier == uniquifier, User.active.is_(True))
    ).one_or_none()


def agencies(scope: Scope, role: Role = Role.VIEWER) -> list[Agency]:
    """Return the agencies where this person has at least ``role``, each after its parent."""
    return list(
        db.session.scalars(
            select(Agency).where(in_scope(Agency.path, scope, role)).order_by(Agency.path, Agency.id)
        )
    )


def find_highest_agency(scope: Scope) -> Agency | None:
    """Return the agency a person belongs to; the highest, or the first of several."""
    paths = sorted(scope.paths(), key=lambda path: (path.count("/"), path))
    if not paths:
        return None
    return db.session.scalars(select(Agency).where(Agency.path == paths[0])).one_or_none()


def get_agency(agency_id: int, scope: Scope, role: Role = Role.VIEWER) -> Agency:
    """Return an agency where this person has at least ``role``.

    Raises NotFoundError if there is none.
    """
    found = db.session.scalars(
        select(Agency).where(Agency.id == agency_id, in_scope(Agency.path, scope, role))
    ).one_or_none()
    if found is None:
        raise NotFoundError(N_("There is no such agency."))
    return found


def find_agency(slug: str) -> Agency | None:
    """Return the agency with this short name; for operators, who see everything."""
    return db.session.scalars(select(Agency).where(Agency.slug == slug)).one_or_none()


def members(scope: Scope) -> list[Membership]:
    """Return the memberships an owner looks after, by agency and then by address."""
    return list(
        db.session.scalars(
            select(Membership)
            .join(Membership.agency)
            .join(Membership.user)
            .where(in_scope(Agency.path, scope, Role.OWNER))
            .order_by(Agency.path, User.email, Membership.id)
            .options(joinedload(Membership.agency), joinedload(Membership.user))
        )
    )


def get_member(membership_id: int, scope: Scope) -> Membership:
    """Return a membership this owner looks after.

    Raises NotFoundError if there is none.
    """
    found = db.session.scalars(
        select(Membership)
        .join(Membership.agency)
        .where(Membership.id == membership_id, in_scope(Agency.path, scope, Role.OWNER))
        .options(joinedload(Membership.agency), joinedload(Membership.user))
    ).one_or_none()
    if found is None:
        raise NotFoundError(N_("There is no such member."))
    return found


def memberships_of(user_id: int) -> list[Membership]:
    """Return where a person belongs, by agency."""
    return list(
        db.session.scalars(
            select(Membership)
            .join(Membership.agency)
            .where(Membership.user_id == user_id)
            .order_by(Agency.path, Membership.id)
            .options(joinedload(Membership.agency))
        )
    )


def other_owners(membership: Membership) -> list[Membership]:
    """Return the active owners beside this one of its agency or an agency above it, and hold their rows.

    Holding them makes two owners who remove each other at the same moment do so one after the other.
    """
    path = membership.agency.path
    owners = db.session.scalars(
        select(Membership)
        .join(Membership.agency)
        .join(Membership.user)
        .where(Membership.role == Role.OWNER, Agency.path.in_(prefixes(path)), User.active.is_(True))
        .order_by(Membership.id)
        .with_for_update(of=Membership)
    )
    return [owner for owner in owners if owner.id != membership.id]


def prefixes(path: str) -> list[str]:
    """Return the paths from the root down to this one.

    >>> prefixes("/1/4/9/")
    ['/1/', '/1/4/', '/1/4/9/']
    """
    steps = path.strip("/").split("/")
    return [f"/{'/'.join(steps[: n + 1])}/" for n in range(len(steps))]


def api_keys(scope: Scope) -> list[ApiKey]:
    """Return the keys an owner looks after, by agency, the newest first."""
    return list(
        db.session.scalars(
            select(ApiKey)
            .join(ApiKey.agency)
            .where(in_scope(Agency.path, scope, Role.OWNER))
            .order_by(Agency.path, ApiKey.id.desc())
            .options(joinedload(ApiKey.agency))
        )
    )


def get_api_key(api_key_id: int, scope: Scope) -> ApiKey:
    """Return a key this owner looks after.

    Raises NotFoundError if there is none.
    """
    found = db.session.scalars(
        select(ApiKey)
        .join(ApiKey.agency)
        .where(ApiKey.id == api_key_id, in_scope(Agency.path, scope, Role.OWNER))
        .options(joinedload(ApiKey.agency))
    ).one_or_none()
    if found is None:
        raise NotFoundError(N_("There is no such key."))
    return found


def find_api_key(plain: str) -> ApiKey | None:
    """Return the key a program presented, with its agency, unless it is unknown or revoked."""
    return db.session.scalars(
        select(ApiKey)
        .where(ApiKey.key_hash == key_hash(plain), ApiKey.revoked_at.is_(None))
        .options(joinedload(ApiKey.agency))
    ).one_or_none()


def key_hash(plain: str) -> str:
    """Return what is stored of a key. It is 256 random bits, so a fast hash gives nothing away."""
    return sha256(plain.encode()).hexdigest()


def audit_entries(
    scope: Scope, *, before: int | None = None, limit: int = AUDIT_PAGE
) -> list[tuple[AuditEntry, str | None, Agency | None]]:
    """Return what was done in an owner's agencies, and by their members to their own accounts.

    The newest first; each with the e-mail address of who did it and the agency.
    """
    own_members = (
        select(Membership.user_id)
        .join(Membership.agency)
        .where(in_scope(Agency.path, scope, Role.OWNER))
        .scalar_subquery()
    )
    rows = db.session.execute(
        select(AuditEntry, User.email, Agency)
        .outerjoin(User, User.id == AuditEntry.user_id)
        .outerjoin(Agency, Agency.id == AuditEntry.agency_id)
        .where(
            or_(
                in_scope(Agency.path, scope, Role.OWNER),
                and_(AuditEntry.agency_id.is_(None), AuditEntry.user_id.in_(own_members)),
            ),
            AuditEntry.id < before if before is not None else AuditEntry.id.is_not(None),
        )
        .order_by(AuditEntry.id.desc())
        .limit(limit)
    )
    return [(entry, email, agency) for entry, email, agency in rows]
