"""Changes to who signs in, where they belong, the keys of programs, and the record of what was done."""

import secrets
from datetime import datetime, timedelta
from typing import Any

from email_validator import EmailNotValidError, validate_email
from sqlalchemy import select

from citizenvoice.accounts import passwords, queries
from citizenvoice.accounts.models import ApiKey, AuditEntry, Membership, User
from citizenvoice.accounts.scope import Role
from citizenvoice.agencies.models import Agency
from citizenvoice.db import db
from citizenvoice.errors import N_, DomainError

TRIES = 5
LOCKED_FOR = timedelta(minutes=15)
NAME_MAX_CHARS = 120


def record_audit(
    action: str,
    *,
    subject: str,
    at: datetime,
    user_id: int | None,
    agency_id: int | None,
    detail: dict[str, Any] | None = None,
) -> AuditEntry:
    """Write down that somebody did something that may be asked about later."""
    entry = AuditEntry(
        at=at,
        user_id=user_id,
        agency_id=agency_id,
        action=action,
        subject=subject[:200],
        detail=detail or {},
    )
    db.session.add(entry)
    return entry


def create_user(
    email: str, *, now: datetime, name: str = "", password: str | None = None, language: str = "en"
) -> User:
    """Add a person who signs in; without a password they set one through a link.

    Raises DomainError if the address makes no sense or is taken, or the password is quickly guessed.
    """
    try:
        address = validate_email(email, check_deliverability=False, globally_deliverable=False).normalized
    except EmailNotValidError as error:
        raise DomainError(N_("Write an e-mail address such as name@agency.example.")) from error
    if queries.find_user(address):
        raise DomainError(N_("Somebody already signs in with this e-mail address."))
    if password is not None:
        passwords.check(password, email=address)
    user = User(
        email=address.lower(),
        name=name.strip()[:NAME_MAX_CHARS],
        password=passwords.hashed(password or secrets.token_urlsafe(32)),
        fs_uniquifier=secrets.token_hex(32),
        language=language,
        created_at=now,
    )
    db.session.add(user)
    db.session.flush()
    return user


def count_try(email: str, *, now: datetime) -> User | None:
    """Count one try to sign in, before the password is looked at, and return whose it is.

    None if nobody has that address or their account is locked. Counting first means that tries made
    at the same moment cannot slip past the limit.
    """
    user = db.session.scalars(
        select(User).where(User.email == email.strip().lower(), User.active.is_(True)).with_for_update()
    ).one_or_none()
    if user is None or (user.locked_until is not None and user.locked_until > now):
        return None
    user.failed_sign_ins += 1
    if user.failed_sign_ins >= TRIES:
        user.failed_sign_ins = 0
        user.locked_until = now + LOCKED_FOR
    return user


def note_lock(user: User, *, now: datetime) -> None:
    """Write down that the account was locked, if the last wrong password locked it."""
    if user.locked_until is not None and user.locked_until > now:
        record_audit("account.locked", subject=user.email, at=now, user_id=user.id, agency_id=None)


def let_in(user: User, *, now: datetime) -> None:
    """Forget the failed tries of a person whose password was right."""
    user.failed_sign_ins = 0
    user.locked_until = None
    record_audit("account.signed_in", subject=user.email, at=now, user_id=user.id, agency_id=None)


def end_sessions(user: User) -> None:
    """End every session of a person, on every device."""
    user.fs_uniquifier = secrets.token_hex(32)


def set_password(user: User, password: str, *, now: datetime) -> None:
    """Give a person a new password, unlock them, and end every session they have.

    Raises DomainError if it is quickly guessed.
    """
    passwords.check(password, email=user.email)
    user.password = passwords.hashed(password)
    user.failed_sign_ins = 0
    user.locked_until = None
    end_sessions(user)
    record_audit("account.password_changed", subject=user.email, at=now, user_id=user.id, agency_id=None)


def change_password(user: User, *, current: str, new: str, now: datetime) -> None:
    """Replace a password by its owner's wish.

    Raises DomainError if the current one is wrong or the new one is quickly guessed.
    """
    if not passwords.is_right(current, user.password):
        raise DomainError(N_("The current password is not right."))
    set_password(user, new, now=now)


def change_account(user: User, *, name: str, language: str) -> None:
    """Change what a person is called and the language they work in."""
    user.name = name.strip()[:NAME_MAX_CHARS]
    user.language = language


def invite_member(email: str, *, agency: Agency, role: Role, by_id: int | None, now: datetime) -> Membership:
    """Make a person a member of an agency, adding them if they are new.

    Raises DomainError if they already are a member there, or the address makes no sense.
    """
    user = queries.find_user(email) or create_user(email, now=now)
    if any(held.agency_id == agency.id for held in user.memberships):
        raise DomainError(N_("This person is already a member of %(agency)s."), agency=agency.name)
    membership = Membership(user=user, agency=agency, role=role)
    db.session.add(membership)
    db.session.flush()
    _record("member.invited", membership, by_id=by_id, now=now, detail={"role": str(role)})
    return membership


def set_role(membership: Membership, role: Role, *, by_id: int | None, now: datetime) -> None:
    """Change what a member may do.

    Raises DomainError if nobody would be left who owns the agency.
    """
    before = membership.role
    if before == role:
        return
    if before == Role.OWNER:
        _keep_an_owner(membership)
    membership.role = role
    _record("member.role_changed", membership, by_id=by_id, now=now, detail={"from": before, "to": str(role)})


def remove_member(membership: Membership, *, by_id: int | None, now: datetime) -> None:
    """Take a person out of an agency.

    Raises DomainError if nobody would be left who owns the agency.
    """
    if membership.role == Role.OWNER:
        _keep_an_owner(membership)
    _record("member.removed", membership, by_id=by_id, now=now, detail={"role": membership.role})
    db.session.delete(membership)


def _keep_an_owner(membership: Membership) -> None:
    if not queries.other_owners(membership):
        raise DomainError(
            N_("%(agency)s needs an owner. Make somebody else an owner first."), agency=membership.agency.name
        )


def _record(
    action: str, membership: Membership, *, by_id: int | None, now: datetime, detail: dict[str, Any]
) -> None:
    record_audit(
        action,
        subject=membership.user.email,
        at=now,
        user_id=by_id,
        agency_id=membership.agency_id or membership.agency.id,
        detail=detail,
    )


def create_api_key(agency: Agency, *, name: str, by_id: int | None, now: datetime) -> tuple[ApiKey, str]:
    """Make a key for a program of an agency; return it with its plain text, which is kept nowhere.

    Raises DomainError if it has no name.
    """
    name = name.strip()
    if not name:
        raise DomainError(N_("Say what the key is for."))
    plain = f"cv_{secrets.token_urlsafe(32)}"
    key = ApiKey(
        agency=agency,
        name=name[:NAME_MAX_CHARS],
        prefix=plain[:9],
        key_hash=queries.key_hash(plain),
        created_by_id=by_id,
        created_at=now,
    )
    db.session.add(key)
    record_audit("api_key.created", subject=name, at=now, user_id=by_id, agency_id=agency.id)
    return key, plain


def revoke_api_key(key: ApiKey, *, by_id: int | None, now: datetime) -> None:
    """Make a key useless from now on; doing so twice changes nothing."""
    if key.revoked_at is None:
        key.revoked_at = now
        record_audit("api_key.revoked", subject=key.name, at=now, user_id=by_id, agency_id=key.agency_id)
