"""The same thing sent twice: digests of sender and content under a key that is gone the next day."""

import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any

from citizenvoice.agencies.models import SHARED_DEVICE_CHANNELS

WINDOW = timedelta(seconds=300)
TELLING_WORDS = 3  # on a device that many use, only words make two equal contributions one person's
_IN_ONE_FORM = json.JSONEncoder(sort_keys=True, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class SenderDigest:
    """The digest to store, and those under which the same thing may have been stored within the window."""

    stored: bytes
    sought: tuple[bytes, ...]


def daily_key(secret: str, at: datetime) -> bytes:
    """Return the key of an instant's UTC day; nobody keeps it, and tomorrow's is another one."""
    return _key_of_day(secret, at.astimezone(UTC).date())


@lru_cache(maxsize=2)
def _key_of_day(secret: str, day: date) -> bytes:
    return hmac.digest(secret.encode(), f"senders of {day.isoformat()}".encode(), "sha256")


def sender_digest(secret: str, at: datetime, sender: str, content: str) -> SenderDigest:
    """Return the digest of what a sender sent, also under yesterday's key just after midnight."""
    message = f"{sender}\0{content}".encode("utf-8", "surrogatepass")
    today, before = daily_key(secret, at), daily_key(secret, at - WINDOW)
    stored = hmac.digest(today, message, "sha256")
    if before == today:
        return SenderDigest(stored, (stored,))
    return SenderDigest(stored, (stored, hmac.digest(before, message, "sha256")))


def content(
    survey_id: int, service_id: int, answers: Mapping[str, Any], texts: Sequence[tuple[str, str]]
) -> str:
    """Write a contribution in the one form that equal ones share; texts are (question, masked text)."""
    return _IN_ONE_FORM.encode([survey_id, service_id, answers, texts])


def can_be_told(channel: str, texts: Sequence[str]) -> bool:
    """Tell whether equal contributions through this channel are one person's, sent twice."""
    if channel not in SHARED_DEVICE_CHANNELS:
        return True
    return any(len(text.split()) >= TELLING_WORDS for text in texts)
