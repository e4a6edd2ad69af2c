"""Passwords: what makes one acceptable, its argon2 hash, and whether one is right."""

import unicodedata

from flask_security import hash_password, verify_password

from citizenvoice.errors import N_, DomainError

MIN_CHARS = 12
MAX_CHARS = 200
MIN_DIFFERENT_CHARS = 5


def check(password: str, *, email: str) -> None:
    """Refuse a password that is quickly guessed.

    Length and nothing about digits or signs (NIST SP 800-63B-4, section 3.1.1.2): those rules make
    passwords that people write down and machines guess.

    Raises DomainError saying what is wrong with it.
    """
    folded = normal(password).casefold()
    if len(folded) < MIN_CHARS:
        raise DomainError(
            N_("Use at least %(n)s characters. Several words are easy to remember."), n=MIN_CHARS
        )
    if len(folded) > MAX_CHARS:
        raise DomainError(N_("Use at most %(n)s characters."), n=MAX_CHARS)
    if len(set(folded)) < MIN_DIFFERENT_CHARS:
        raise DomainError(N_("Use more different characters."))
    if email.casefold() in folded or folded in email.casefold():
        raise DomainError(N_("Do not use your e-mail address as your password."))


def hashed(password: str) -> str:
    """Return the hash to store."""
    return str(hash_password(normal(password)))


def is_right(password: str, password_hash: str | None) -> bool:
    """Tell whether a password belongs to a hash; take as long where there is no hash to compare with."""
    if len(password) > MAX_CHARS:
        return False
    if password_hash is None:
        hash_password(normal(password))
        return False
    return bool(verify_password(normal(password), password_hash))


def normal(password: str) -> str:
    """Return the same text for the same password, however a keyboard composes its letters."""
    return unicodedata.normalize("NFKC", password)
