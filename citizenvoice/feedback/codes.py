"""Receipt codes: 80 random bits a person can read aloud, kept only as a keyed hash."""

import base64
import hmac
import json
import re
import secrets
from functools import cache

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32: no I, L, O or U
N_CHARS, GROUP = 16, 4
BITS = N_CHARS * 5

_FROM_HEX = str.maketrans("0123456789ABCDEFGHIJKLMNOPQRSTUV", ALPHABET)  # RFC 4648, section 7
_CONFUSED = str.maketrans("OIL", "011")
_CODE = re.compile(f"[{ALPHABET}]{{{N_CHARS}}}")
_BETWEEN = re.compile(r"[\s\-‐-―−]+")


def new_code() -> str:
    """Draw a new code, grouped as it is shown."""
    return _written(secrets.token_bytes(BITS // 8))


def derived_code(secret: str, survey_id: int, service_id: int, key: str, content: str) -> str:
    """Return the code of what was sent with an idempotency key: the same one at every retry of the same."""
    message = _message(survey_id, service_id, key, content)
    digest = hmac.digest(_key(secret, "receipt code of a key"), message, "sha256")
    return _written(digest[: BITS // 8])


def read_code(typed: str) -> str | None:
    """Return the sixteen characters of a code as a person typed it, or None if it is not one.

    Case, spaces and dashes do not matter; O is read as 0, I and L as 1.

    >>> read_code("7kq4 m2xp-oi1l-zzzz")
    '7KQ4M2XP0111ZZZZ'
    """
    plain = _BETWEEN.sub("", typed[:100]).upper().translate(_CONFUSED)
    return plain if _CODE.fullmatch(plain) else None


def shown(code: str) -> str:
    """Group the sixteen characters for reading: ``XXXX-XXXX-XXXX-XXXX``."""
    return "-".join(code[start : start + GROUP] for start in range(0, N_CHARS, GROUP))


def code_hash(secret: str, typed: str) -> bytes | None:
    """Return what is stored in place of a code, or None for what cannot be one."""
    code = read_code(typed)
    return hmac.digest(_key(secret, "receipt code"), code.encode(), "sha256") if code else None


def idempotency_hash(secret: str, survey_id: int, service_id: int, key: str) -> str:
    """Return what is stored in place of the key a request can be retried with."""
    message = _message(survey_id, service_id, key)
    return hmac.digest(_key(secret, "idempotency key"), message, "sha256").hex()


def content_digest(secret: str, survey_id: int, service_id: int, key: str, content: str) -> str:
    """Return what tells a retry from something else sent with the same idempotency key."""
    message = _message(survey_id, service_id, key, content)
    return hmac.digest(_key(secret, "content sent with a key"), message, "sha256").hex()


def _message(survey_id: int, service_id: int, *parts: str) -> bytes:
    return json.dumps([survey_id, service_id, *parts]).encode()


def _written(drawn: bytes) -> str:
    return shown(base64.b32hexencode(drawn).decode().translate(_FROM_HEX))


@cache
def _key(secret: str, purpose: str) -> bytes:
    """Derive a key that serves one purpose only."""
    return hmac.digest(secret.encode(), purpose.encode(), "sha256")
