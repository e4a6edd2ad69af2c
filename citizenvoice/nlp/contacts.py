"""Contact details in folded text: e-mail addresses, phone numbers, payment cards, links and handles."""

import re
from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from phonenumbers import Leniency, PhoneNumberMatcher

from citizenvoice.nlp.identifiers import Span, is_card

LONGEST_RUN = 60
"""A run of more digits than this is no date, amount or number: it is masked whole, unread."""

_PROVIDERS = ("gmail", "yahoo", "hotmail", "outlook", "icloud", "proton", "aol", "live")
_AT = re.compile(
    rf" ?@ ?| ?[\[({{] ?at ?[\])}}] ?| at (?=(?:{'|'.join(_PROVIDERS)})\b)",
    re.IGNORECASE,
)
_IN_ADDRESSES = ("@", "[", "(", "{", *_PROVIDERS)
_IN_LINKS = ("/", "?", "#", "www.")
_DOT = r"(?:\.| ?[\[({] ?dot ?[\])}] ?| dot )"
_LABEL = re.compile(r"[^\W_][\w-]*")
_NEXT_LABEL = re.compile(rf"{_DOT}([^\W_][\w-]*)", re.IGNORECASE)
_LOCAL = frozenset("!#$%&'*+/=?^_`{|}~-.")

_HANDLE = re.compile(r"(?<![\w.])(?:@[^\W\d]\w*(?:\.\w+)*)+")

_LINK = re.compile(
    r"(?<![\w@.-])(?:[a-z][a-z0-9+.-]{1,9}://[^\s<>\"]+|www\.[^\s<>\"]+"
    r"|(?:[a-z0-9-]{1,63}\.){1,8}[a-z]{2,24}[/?#][^\s<>\"]*)",
    re.IGNORECASE,
)
_WORD = re.compile(r"[0-9A-Za-z]+", re.ASCII)

_RUN = re.compile(r"[+(]{0,2}\d(?:[ .\-/()]{0,3}\d)*", re.ASCII)
_GROUP = re.compile(r"\d(?: \d){6,18}(?! ?\d)|\d+", re.ASCII)
_NANP = re.compile(r"(?<![\d.-])(?:\+?1[ .-]?)?(?:\(\d{3}\) ?|\d{3}[-. ])\d{3}[-.]\d{4}(?![\d-])", re.ASCII)
_SPELLED = re.compile(r"\+?\d(?: \d){6,18}", re.ASCII)
_DATE = re.compile(
    r"(?:(?:19|20)\d\d([-./])\d{1,2}\1\d{1,2}|\d{1,2}([-./])\d{1,2}\2(?:(?:19|20)\d\d|\d\d))(?![^ ])"
    r"|(?:19|20)\d\d ?[-/ ] ?(?:19|20)\d\d(?!\d)"  # two years
    r"|(?:19|20)\d\d[-/]\d+(?!.)"  # the number of a case
    r"|(?:19|20)\d{6}(?!.)",
    re.ASCII,
)
_PHONE_WORD = re.compile(
    r"\b(?:tel|phone|mobile|cell|whatsapp|viber|call|ring|text|sms|fax|contact"
    r"|t[ée]l[ée]fono|m[óo]vil|celular|ll[áa]m\w*)\b",
    re.IGNORECASE,
)
_MONEY = re.compile(r"(?:[$€£₱¥₹₽₩₺₦]|\b(?:USD|EUR|GBP|PHP|MXN|INR|Rs)\.?) ?$", re.IGNORECASE)
PHONE_DIGITS = range(7, 16)
CARD_DIGITS = range(12, 20)
_SECRET_CHARS = 12
_MOST_GROUPS = 8


def find_emails(text: str) -> Iterator[Span]:
    """Yield where an e-mail address stands, also one written with "(at)" and "(dot)"."""
    if not _holds_any(text, _IN_ADDRESSES):
        return
    for at in _AT.finditer(text):
        end = _end_of_domain(text, at.end())
        start = _start_of_local_part(text, at.start())
        if end is not None and start < at.start():
            yield start, end


def _start_of_local_part(text: str, end: int) -> int:
    """Walk back from the @; each character is passed once for each @, so the cost stays linear."""
    start = end
    while start > 0 and (text[start - 1].isalnum() or text[start - 1] in _LOCAL):
        start -= 1
    while start < end and not (text[start].isalnum() or text[start] == "_"):
        start += 1
    return start


def _end_of_domain(text: str, start: int) -> int | None:
    """Return where a domain with at least one dot and a top level of letters ends, None if there is none."""
    label, end = _LABEL.match(text, start), None
    while label:
        label = _NEXT_LABEL.match(text, label.end())
        if label and label[1][0].isalpha() and len(label[1]) > 1:
            end = label.end()
    if end is None:
        return None
    while not text[end - 1].isalnum():
        end -= 1
    return end


def _holds_any(text: str, marks: Sequence[str]) -> bool:
    """Tell without a regular expression, in a tenth of the time, that there is nothing to look for."""
    lowered = text.lower()
    return any(mark in lowered for mark in marks)


def find_handles(text: str) -> Iterator[Span]:
    """Yield where an @name stands."""
    if "@" not in text:
        return
    yield from (match.span() for match in _HANDLE.finditer(text))


def find_links(text: str) -> Iterator[Span]:
    """Yield where a link stands that carries a query, a user name or a secret; plain public links stay."""
    if not _holds_any(text, _IN_LINKS):
        return
    for match in _LINK.finditer(text):
        link = match[0].rstrip(".,;:!?'»”)]")
        if _is_telling(link):
            yield match.start(), match.start() + len(link)


def _is_telling(link: str) -> bool:
    try:
        parts = urlsplit(link if "://" in link else f"//{link}")
    except ValueError:  # a malformed address: nobody can tell what it holds
        return True
    if parts.query or "=" in parts.fragment or "@" in parts.netloc or ";" in parts.path:
        return True
    return any(_is_secret(word) for word in _WORD.findall(f"{parts.path} {parts.fragment}"))


def _is_secret(word: str) -> bool:
    """Tell whether a word of a path was made by a machine: a number, letters among digits, or mixed case."""
    if word.isdigit():
        return len(word) >= PHONE_DIGITS.start
    if len(word) < _SECRET_CHARS:
        return False
    return not word.isalpha() or (len(word) >= 2 * _SECRET_CHARS and not (word.islower() or word.isupper()))


def find_cards(text: str) -> Iterator[Span]:
    """Yield where a payment card number stands, its groups apart or not."""
    for run in _RUN.finditer(text):
        groups = [(match.start(), match.end()) for match in _GROUP.finditer(text, *run.span())]
        for first, (start, _) in enumerate(groups):
            if start > 0 and text[start - 1] in "-./":
                continue  # the tail of a longer number
            yield from _cards_from(text, groups[first : first + _MOST_GROUPS])


def _cards_from(text: str, groups: Sequence[Span]) -> Iterator[Span]:
    digits = ""
    for start, end in groups:
        digits += text[start:end].replace(" ", "")
        if len(digits) >= CARD_DIGITS.stop:
            return
        if len(digits) in CARD_DIGITS and is_card(digits):
            yield groups[0][0], end


def find_long_runs(text: str) -> Iterator[Span]:
    """Yield runs of digits too long to be read one by one."""
    for run in _RUN.finditer(text):
        if _n_digits(run[0]) > LONGEST_RUN:
            yield run.span()


def find_phones(text: str, regions: Sequence[str]) -> Iterator[Span]:
    """Yield where a phone number stands that is valid in a region, international, or said to be one."""
    yield from (match.span() for match in _NANP.finditer(text))
    for run in _RUN.finditer(text):
        if _n_digits(run[0]) in range(PHONE_DIGITS.start, LONGEST_RUN + 1) and not _is_money(
            text, run.start()
        ):
            yield from _valid_phones(run, regions)
            if _is_called_a_phone(text, run):
                yield run.span()


def _valid_phones(run: re.Match[str], regions: Sequence[str]) -> Iterator[Span]:
    plain = run[0] if not re.fullmatch(r"\+?\d(?: \d){6,18}", run[0]) else None
    number = plain or run[0].replace(" ", "")
    for region in regions:
        for match in PhoneNumberMatcher(number, region, leniency=Leniency.VALID):
            if plain is None:
                yield run.span()
            elif not _DATE.match(match.raw_string):
                yield run.start() + match.start, run.start() + match.end


def _is_called_a_phone(text: str, run: re.Match[str]) -> bool:
    return (
        _n_digits(run[0]) in PHONE_DIGITS
        and not _DATE.match(run[0])
        and _PHONE_WORD.search(text, max(0, run.start() - 30), run.start()) is not None
    )


def _is_money(text: str, start: int) -> bool:
    return _MONEY.search(text[max(0, start - 5) : start]) is not None


def _n_digits(run: str) -> int:
    return sum(map(str.isdigit, run))
