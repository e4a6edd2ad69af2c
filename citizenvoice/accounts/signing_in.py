"""Signing in: the try is counted before the slow look at the password, and nobody waits for that look."""

from datetime import datetime

from citizenvoice.accounts import actions, passwords, queries
from citizenvoice.accounts.models import User
from citizenvoice.db import db, writing


def sign_in(email: str, password: str, *, now: datetime) -> User | None:
    """Return the person with this address and password; None if there is none or their account is locked.

    Commits twice. The password is compared outside both transactions, because argon2 takes a hundred
    times longer than everything else and SQLite has one writer; and it is compared, for as long, when
    there is nobody to compare with, so that the time taken does not tell which addresses exist.
    """
    user_id, password_hash = _count(email, now=now)
    is_right = passwords.is_right(password, password_hash)
    if user_id is None:
        return None
    with writing():
        user = queries.get_user(user_id)
        if is_right:
            actions.let_in(user, now=now)
        else:
            actions.note_lock(user, now=now)
        db.session.commit()
    return user if is_right else None


def _count(email: str, *, now: datetime) -> tuple[int | None, str | None]:
    """Count the try in a transaction of its own; return whose it is and the hash to compare with."""
    db.session.rollback()
    with writing():
        user = actions.count_try(email, now=now)
        found = (user.id, user.password) if user else (None, None)
        db.session.commit()
    return found
