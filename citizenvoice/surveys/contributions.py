"""A response ready to be stored, and what became of it: plain values that every way of storing shares."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from citizenvoice.feedback.duplicates import SenderDigest
from citizenvoice.feedback.models import Exclusion

# What was withdrawn may be said again; anything else of the same digest is the same thing.
NOT_WITHDRAWN = "(exclusion IS NULL OR exclusion <> 'withdrawn')"


@dataclass(frozen=True, slots=True)
class Words:
    """One free text, already masked: its question, a hint for reading, how many were masked of each kind."""

    question: str
    prompt: str
    text: str
    masked: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """One response ready to be stored: checked, masked and hashed."""

    survey_id: int
    version_id: int
    service_id: int
    channel: str
    language: str
    received_at: datetime
    day: date
    answers: Mapping[str, Any]
    segments: Mapping[str, Any] = field(default_factory=dict)
    n_sections: int = 1
    words: Sequence[Words] = ()
    rating: int | None = None
    code_hash: bytes | None = None
    sender: SenderDigest | None = None
    idempotency_hash: str | None = None
    external_id: str | None = None
    import_digest: str | None = None
    exclusion: Exclusion | None = None


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of a contribution: a duplicate is stored and does not count, a repeat is not stored."""

    receipt_id: int
    is_duplicate: bool = False
    is_repeat: bool = False

    @property
    def exclusion(self) -> Exclusion | None:
        """Return why something new does not count; of a repeat nothing is known here."""
        return Exclusion.DUPLICATE if self.is_duplicate else None


def key_of(given: Contribution) -> tuple[int, str] | None:
    """Return what a request can be retried with; of two that share it only the first is stored."""
    return (given.survey_id, given.idempotency_hash) if given.idempotency_hash else None


def turns(given: Contribution) -> Iterable[int]:
    """Return the numbers of the locks that equal contributions share."""
    if given.sender is not None and given.code_hash is not None:
        yield int.from_bytes(given.sender.stored[:8], signed=True)
    if given.idempotency_hash is not None:
        yield int(given.idempotency_hash[:15], 16)


def exclusion_of(given: Contribution, first: int | None) -> str | None:
    """Return why a contribution does not count; ``first`` is the receipt it repeats, if it repeats one."""
    exclusion = given.exclusion or (Exclusion.DUPLICATE if first is not None else None)
    return exclusion and str(exclusion)
