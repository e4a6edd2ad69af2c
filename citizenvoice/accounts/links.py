"""The links in mail with which a person sets a password: they expire, and work once."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from flask import current_app, request, url_for
from itsdangerous import BadData, URLSafeSerializer

from citizenvoice.accounts import queries
from citizenvoice.accounts.models import User
from citizenvoice.errors import N_, DomainError, NotFoundError

RESET_LASTS = timedelta(hours=1)
INVITATION_LASTS = timedelta(days=7)


def password_link(user: User, *, lasts: timedelta, now: datetime) -> str:
    """Return the whole address of a page where this person, and only they, can set a password once."""
    token = _serializer().dumps([user.id, _fingerprint(user), int((now + lasts).timestamp())])
    return outside_url("security.reset_password", token=token)


def user_of(token: str, *, now: datetime) -> User:
    """Return whose link it is.

    Raises DomainError if it was used, is too old or was not made by us.
    """
    try:
        user_id, fingerprint, expires = _serializer().loads(token)
        user = queries.get_user(user_id)
    except (BadData, ValueError, TypeError, NotFoundError) as error:
        raise _no_longer() from error
    if fingerprint != _fingerprint(user) or datetime.fromtimestamp(expires, UTC) <= now:
        raise _no_longer()
    return user


def outside_url(endpoint: str, **values: Any) -> str:
    """Return an address that works from a mail: under PUBLIC_URL, whatever host a request claims."""
    public: str = current_app.config.get("PUBLIC_URL", "") or request.host_url.rstrip("/")
    return public + url_for(endpoint, **values)


def _no_longer() -> DomainError:
    return DomainError(N_("This link no longer works. It was used, or it is too old. Ask for a new one."))


def _fingerprint(user: User) -> str:
    """Return what changes with the password: a link made before the change is void after it."""
    return sha256(user.password.encode()).hexdigest()[:16]


def _serializer() -> URLSafeSerializer:
    secret: str = current_app.config["SECRET_KEY"]
    return URLSafeSerializer(secret, salt="accounts.password-link", signer_kwargs={"digest_method": sha256})
