"""Masking of what identifies people, before a text is kept."""

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from citizenvoice.nlp import contacts, identifiers
from citizenvoice.nlp.identifiers import Span

KINDS = ("link", "email", "iban", "card", "id", "phone", "handle")
"""What is masked; the earlier kind gives its name where two finds are equally long."""

FEWEST_DIGITS = 2
"""Fewer digits than these are in no number that identifies anybody."""

_PLACEHOLDER = re.compile(rf"\[(?:{'|'.join(KINDS)})\]")
_MAY_HOLD = re.compile(r"[0-9@/?]|www\.|[\[({] ?at ?[\])}]| at [ghiloapy]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Redacted:
    """A text with placeholders where it identified people, and how many of each kind were put in."""

    text: str
    counts: dict[str, int] = field(default_factory=dict)


class _Folding(dict[int, str]):
    """What each character is read as: one ASCII-like character, or nothing; worked out once for each."""

    def __missing__(self, codepoint: int) -> str:
        self[codepoint] = folded = _fold_character(chr(codepoint))
        return folded


_INVISIBLE = frozenset("\ufe0e\ufe0f\u20e3\u034f\u115f\u1160\u3164")
_SAME_AS = {"。": ".", "\u2024": ".", "\u2212": "-", "\u2043": "-", "\t": " "}


def _fold_character(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Cf" or character in _INVISIBLE:
        return ""
    if category == "Nd":
        return str(unicodedata.decimal(character))
    if category in {"Zs", "Pd"}:
        return " " if category == "Zs" else "-"
    plain = unicodedata.normalize("NFKC", character)
    return _SAME_AS.get(plain, plain) if len(plain) == 1 else character


_FOLDING = _Folding()


def redact(
    text: str,
    *,
    region: str = "US",
    more_regions: Collection[str] = (),
    countries: Collection[str] | None = None,
) -> Redacted:
    """Mask e-mails, phone numbers, cards, accounts, national identifiers, telling links and handles.

    Parameters
    ----------
    text : str
        What a citizen wrote, in any script.
    region : str
        ISO 3166 code of the country whose way of writing phone numbers is expected; numbers
        that begin with + are found wherever they belong.
    more_regions : collection of str
        Further countries whose phone numbers are found without +.
    countries : collection of str, optional
        Countries whose national identifiers are looked for. By default every identifier with
        a distinctive shape or a strong check, and all those of ``region``.

    Returns
    -------
    Redacted
        The text with ``[email] [phone] [card] [iban] [id] [link] [handle]`` in place of what was
        found, and the number of placeholders put in, by kind; kinds not found are absent.

    Notes
    -----
    The text is read in a folded form: digits of every script as ASCII digits, full-width
    characters as narrow ones, no-break spaces as spaces, invisible characters left out. What is
    masked is the stretch of the original that was read, so nothing else in it changes.

    Finds that overlap are masked as one stretch, named after the longest; of equally long ones
    the kind that comes first in ``KINDS`` gives the name. What is left between placeholders is
    read again until nothing more is found, so ``redact`` is idempotent.

    Names, street addresses and descriptions of a person are not recognised.

    Examples
    --------
    >>> redact("Write to ana@example.org or ring 020 7946 0958", region="GB")
    Redacted(text='Write to [email] or ring [phone]', counts={'email': 1, 'phone': 1})
    >>> redact("I waited from 9:30 to 11:45 on 2024-03-05 in room 101").counts
    {}
    """
    folded = text.translate(_FOLDING)
    if not _MAY_HOLD.search(folded):
        return Redacted(text)
    reader = _Reader((region, *(r for r in more_regions if r != region)), region, countries)
    found = sorted(reader.read(folded))
    if not found:
        return Redacted(text)
    return _mask(text, found, _offsets(text, folded))


@dataclass(frozen=True, slots=True)
class _Reader:
    """Looks for everything that identifies people, with one set of countries."""

    regions: tuple[str, ...]
    region: str
    countries: Collection[str] | None

    def read(self, folded: str) -> Iterator[tuple[int, int, str]]:
        """Yield disjoint stretches; what lies between two is read again as if it stood alone."""
        pieces = _between(folded, 0, [match.span() for match in _PLACEHOLDER.finditer(folded)])
        while pieces:
            offset, piece = pieces.pop()
            if not _MAY_HOLD.search(piece):
                continue
            found = _merged(self._candidates(piece))
            if found:
                yield from ((start + offset, end + offset, kind) for start, end, kind in found)
                pieces += _between(piece, offset, [(start, end) for start, end, _ in found])

    def _candidates(self, piece: str) -> Iterator[tuple[int, int, str]]:
        n_digits = sum(map(piece.count, "0123456789"))  # digits of every script are folded to these
        yield from _named("email", contacts.find_emails(piece))
        yield from _named("handle", contacts.find_handles(piece))
        yield from _named("link", contacts.find_links(piece))
        if n_digits >= FEWEST_DIGITS:
            yield from self._numbers(piece, n_digits)

    def _numbers(self, piece: str, n_digits: int) -> Iterator[tuple[int, int, str]]:
        """Look for each kind of number in turn; a number that is found is not read as a later kind."""
        for kind, fewest, find in (
            ("id", contacts.LONGEST_RUN, contacts.find_long_runs),
            ("card", contacts.CARD_DIGITS.start, contacts.find_cards),
            ("iban", FEWEST_DIGITS, identifiers.find_ibans),
            ("id", FEWEST_DIGITS, self._identifiers),
            ("phone", contacts.PHONE_DIGITS.start, lambda text: contacts.find_phones(text, self.regions)),
        ):
            if n_digits < fewest:
                continue
            spans = list(find(piece))
            yield from _named(kind, iter(spans))
            piece = _blanked(piece, spans)

    def _identifiers(self, piece: str) -> Iterator[Span]:
        return identifiers.find_identifiers(piece, self.countries, self.region)


def _blanked(text: str, spans: list[Span]) -> str:
    parts, kept = [], 0
    for start, end in sorted(spans):
        parts += [text[kept:start], "x" * (end - max(start, kept))]
        kept = max(kept, end)
    return "".join([*parts, text[kept:]])


def _named(kind: str, spans: Iterator[Span]) -> Iterator[tuple[int, int, str]]:
    return ((start, end, kind) for start, end in spans)


def _merged(candidates: Iterator[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    """Join overlapping finds into one, named after the longest."""
    merged: list[tuple[int, int, str]] = []
    longest = 0
    for start, end, kind in sorted(candidates, key=lambda find: (find[0], -find[1], KINDS.index(find[2]))):
        if merged and start < merged[-1][1]:
            first, last, name = merged[-1]
            better = end - start > longest or (
                end - start == longest and KINDS.index(kind) < KINDS.index(name)
            )
            merged[-1] = (first, max(last, end), kind if better else name)
            longest = max(longest, end - start)
        else:
            merged.append((start, end, kind))
            longest = end - start
    return merged


def _between(text: str, offset: int, spans: list[Span]) -> list[tuple[int, str]]:
    """Cut out the stretches and return what stays between them, with its offset."""
    edges = [0, *(edge for span in spans for edge in span), len(text)]
    pieces = zip(edges[::2], edges[1::2], strict=True)
    return [(offset + start, text[start:end]) for start, end in pieces if end - start > 1]


def _offsets(text: str, folded: str) -> range | list[int]:
    """Return for each folded character where it stands in the original."""
    if len(folded) == len(text):
        return range(len(text))
    return [offset for offset, character in enumerate(text) if _FOLDING[ord(character)]]


def _mask(text: str, found: list[tuple[int, int, str]], offsets: range | list[int]) -> Redacted:
    parts, kept = [], 0
    for start, end, kind in found:
        parts += [text[kept : offsets[start]], f"[{kind}]"]
        kept = offsets[end - 1] + 1
    counts = Counter(kind for _, _, kind in found)
    return Redacted("".join([*parts, text[kept:]]), dict(sorted(counts.items())))
