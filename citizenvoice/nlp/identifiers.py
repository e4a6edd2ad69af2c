"""National identifiers: the shape each country writes them in and the check that tells them apart."""

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import lru_cache

from stdnum import iban as stdnum_iban
from stdnum import luhn, numdb, verhoeff
from stdnum.bg import egn
from stdnum.br import cpf
from stdnum.cl import rut
from stdnum.cn import ric
from stdnum.cz import rc
from stdnum.de import idnr
from stdnum.dk import cpr
from stdnum.es import dni, nie
from stdnum.fi import hetu
from stdnum.fr import nir
from stdnum.gb import nhs
from stdnum.in_ import pan
from stdnum.it import codicefiscale
from stdnum.kr import rrn
from stdnum.mx import curp
from stdnum.nl import bsn
from stdnum.no import fodselsnummer
from stdnum.pk import cnic
from stdnum.pl import pesel
from stdnum.ro import cnp
from stdnum.se import personnummer
from stdnum.th import pin
from stdnum.tr import tckimlik
from stdnum.us import itin, ssn
from stdnum.za import idnr as za_idnr

Span = tuple[int, int]
S = r"[ .\-/]?"
"""One optional separator, as people write it between groups."""

CARD_LENGTHS: tuple[tuple[str, frozenset[int]], ...] = (
    (r"4", frozenset({13, 16, 19})),
    (r"5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720", frozenset({16})),
    (r"3[47]", frozenset({15})),
    (r"30[0-5]|309|3[689]", frozenset({14, 16, 17, 18, 19})),
    (r"6011|64[4-9]|65|35(?:2[89]|[3-8])|62|60|81|82|508", frozenset({16, 17, 18, 19})),
    (r"220[0-4]", frozenset({16, 17, 18, 19})),
    (r"50|5[6-9]|6", frozenset({12, 13, 14, 15, 16, 17, 18, 19})),
)
"""Issuer prefixes and the lengths their cards have (ISO/IEC 7812)."""

_CARD_ISSUERS = tuple((re.compile(prefix), lengths) for prefix, lengths in CARD_LENGTHS)


@dataclass(frozen=True, slots=True)
class Identifier:
    """One kind of national identifier.

    ``distinctive`` is true where shape and check together are rarely met by chance; the
    others are looked for only when their country was asked for. A text with fewer digits
    than ``fewest_digits`` cannot hold one.
    """

    country: str
    name: str
    shape: re.Pattern[str]
    is_valid: Callable[[str], bool]
    distinctive: bool = True
    fewest_digits: int = 7


def _any(_number: str) -> bool:
    return True


def _is_aadhaar(number: str) -> bool:
    digits = re.sub(r"\D", "", number)
    return digits != digits[::-1] and bool(verhoeff.is_valid(digits))


def _is_luhn(number: str) -> bool:
    return bool(luhn.is_valid(re.sub(r"\D", "", number)))


def _kind(
    country: str,
    name: str,
    body: str,
    is_valid: Callable[[str], bool] = _any,
    *,
    distinctive: bool = True,
    fewest_digits: int = 7,
) -> Identifier:
    """Anchor a shape between characters that are neither letter nor digit; overlapping finds allowed."""
    shape = re.compile(rf"(?<![0-9A-Za-z])(?=({body})(?![0-9A-Za-z]))", re.ASCII | re.IGNORECASE)
    return Identifier(country, name, shape, is_valid, distinctive, fewest_digits)


IDENTIFIERS: tuple[Identifier, ...] = (
    _kind("US", "social security number", r"\d{3}([ -])\d\d\1\d{4}".replace(r"\1", r"\2"), ssn.is_valid),
    _kind("US", "taxpayer number (ITIN)", r"9\d\d-\d\d-\d{4}", itin.is_valid),
    _kind(
        "GB",
        "national insurance number",
        r"(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d\d ?\d\d ?\d\d ?[A-D]",
        fewest_digits=6,
    ),
    _kind("GB", "NHS number", rf"\d{{3}}{S}\d{{3}}{S}\d{{4}}", nhs.is_valid, distinctive=False),
    _kind("ES", "DNI", rf"\d{{2}}\.?\d{{3}}\.?\d{{3}}{S}[A-Z]", dni.is_valid),
    _kind("ES", "NIE", rf"[XYZ]{S}\d\.?\d{{3}}\.?\d{{3}}{S}[A-Z]", nie.is_valid),
    _kind("MX", "CURP", r"[A-Z]{4}\d{6}[HM][A-Z]{5}[0-9A-Z]\d", curp.is_valid),
    _kind("FR", "NIR", rf"[12]{S}\d\d{S}\d\d{S}\d[0-9AB]{S}\d{{3}}{S}\d{{3}}{S}\d\d", nir.is_valid),
    _kind("DE", "tax identification number", rf"\d\d{S}\d{{3}}{S}\d{{3}}{S}\d{{3}}", idnr.is_valid),
    _kind("BR", "CPF", r"\d{3}\.?\d{3}\.?\d{3}-?\d\d", cpf.is_valid),
    _kind("IT", "codice fiscale", r"[A-Z]{6}\d\d[A-EHLMPRST]\d\d[A-Z]\d{3}[A-Z]", codicefiscale.is_valid),
    _kind("NL", "BSN", rf"\d{{4}}{S}\d\d{S}\d{{3}}|\d{{9}}", bsn.is_valid, distinctive=False),
    _kind("PL", "PESEL", r"\d{11}", pesel.is_valid),
    _kind("IN", "Aadhaar", r"[2-9]\d{3}[ -]\d{4}[ -]\d{4}", _is_aadhaar),
    _kind("IN", "Aadhaar without spaces", r"[2-9]\d{11}", _is_aadhaar, distinctive=False),
    _kind("IN", "PAN", r"[A-Z]{3}[ABCFGHJLPT][A-Z]\d{4}[A-Z]", pan.is_valid, fewest_digits=4),
    _kind("PH", "PhilSys number", r"\d{4}-\d{4}-\d{4}(?:-\d{4})?"),
    _kind("PH", "social security (SSS) number", r"\d\d-\d{7}-\d"),
    _kind("PH", "taxpayer number (TIN)", r"\d{3}-\d{3}-\d{3}-\d{3,5}"),
    _kind("RO", "CNP", r"[1-8]\d{12}", cnp.is_valid),
    _kind("ZA", "identity number", rf"\d{{6}}{S}\d{{4}}{S}\d{{3}}", za_idnr.is_valid),
    _kind("NO", "fødselsnummer", rf"\d{{6}}{S}\d{{5}}", fodselsnummer.is_valid),
    _kind("FI", "henkilötunnus", r"\d{6}[-+A-FU-Y]\d{3}[0-9A-Y]", hetu.is_valid),
    _kind("SE", "personnummer", r"(?:\d\d)?\d{6}[-+]\d{4}", personnummer.is_valid),
    _kind("DK", "CPR number", r"\d{6}-\d{4}", cpr.is_valid),
    _kind("CL", "RUT", r"\d{1,2}\.\d{3}\.\d{3}-[0-9K]|\d{7,8}-[0-9K]", rut.is_valid),
    _kind("TR", "T.C. kimlik", r"[1-9]\d{10}", tckimlik.is_valid),
    _kind("KR", "resident registration number", r"\d{6}-[1-8]\d{6}", rrn.is_valid),
    _kind("CN", "resident identity number", r"\d{17}[0-9X]", ric.is_valid),
    _kind("CA", "social insurance number", r"[1-9]\d\d([ -])\d{3}\2\d{3}", _is_luhn),
    _kind("CZ", "rodné číslo", r"\d{6}/\d{4}", rc.is_valid),
    _kind("BG", "EGN", r"\d{10}", egn.is_valid, distinctive=False),
    _kind("PK", "CNIC", r"\d{5}-\d{7}-\d", cnic.is_valid),
    _kind("TH", "citizen number", r"\d-\d{4}-\d{5}-\d\d-\d|\d{13}", pin.is_valid, distinctive=False),
)

COUNTRIES = frozenset(identifier.country for identifier in IDENTIFIERS)
"""ISO 3166 codes of the countries whose identifiers are known."""

_DIGITS = re.compile(r"\d")
_NAMED_NUMBER = re.compile(
    r"\b(?:ssn|social security|national insurance|ni|nhs|passport|pasaporte|aadhaar|philsys|philhealth|umid"
    r"|curp|dni|nie|cpf|bsn|pesel|c[ée]dula|id card|identity card|driving licen[cs]e|driver'?s licen[cs]e)"
    r"(?: (?:no|num(?:ber)?|n[úu]mero|nr|card))?\W{0,3}(?:(?:is|was|es|no|number|nr)\W{1,3})?"
    r"((?:[A-Z]{1,4}[ -]?)?\d[0-9A-Z]{0,15}(?:[ -]\d[0-9A-Z]{0,7}){0,6}(?:[ -][A-Z])?)(?![0-9A-Za-z])",
    re.ASCII | re.IGNORECASE,
)
_IBAN_START = re.compile(r"(?<![0-9A-Za-z])[A-Za-z]{2}\d\d(?=[ -]?[0-9A-Za-z])", re.ASCII)
_MIN_NAMED_DIGITS = 6


def find_identifiers(text: str, countries: Collection[str] | None, region: str) -> Iterator[Span]:
    """Yield where a national identifier stands; ``countries`` None means every distinctive kind."""
    n_digits = sum(map(text.count, "0123456789"))
    for identifier in _wanted(None if countries is None else frozenset(countries), region):
        if n_digits < identifier.fewest_digits:
            break
        for match in identifier.shape.finditer(text):
            if identifier.is_valid(match[1]):
                yield match.span(1)
    if n_digits < _MIN_NAMED_DIGITS:
        return
    for match in _NAMED_NUMBER.finditer(text):
        if len(_DIGITS.findall(match[1])) >= _MIN_NAMED_DIGITS:
            yield match.span(1)


@lru_cache(maxsize=64)
def _wanted(countries: frozenset[str] | None, region: str) -> tuple[Identifier, ...]:
    """Return the identifiers to look for, those of the fewest digits first."""
    if countries is None:
        wanted = [one for one in IDENTIFIERS if one.distinctive or one.country == region]
    else:
        wanted = [one for one in IDENTIFIERS if one.country in countries]
    return tuple(sorted(wanted, key=lambda one: one.fewest_digits))


@lru_cache(maxsize=1024)
def iban_length(country: str) -> int:
    """Return how many characters a country's IBAN has, 0 if it has none."""
    (_, properties), *_ = numdb.get("iban").info(country)
    structure = properties.get("bban", "")
    return sum(int(n) for n in re.findall(r"(\d+)!", structure)) + 4 if structure else 0


def find_ibans(text: str) -> Iterator[Span]:
    """Yield where an international bank account number (ISO 13616) stands."""
    for match in _IBAN_START.finditer(text):
        length = iban_length(match[0][:2].upper())
        end = _end_of_characters(text, match.start(), length) if length else None
        if end is not None and stdnum_iban.is_valid(text[match.start() : end]):
            yield match.start(), end


def _end_of_characters(text: str, start: int, length: int) -> int | None:
    """Return the offset after ``length`` letters or digits with at most one separator between two."""
    n, separated = 0, True
    for offset in range(start, min(len(text), start + 2 * length)):
        if text[offset].isalnum():
            n, separated = n + 1, False
            if n == length:
                return offset + 1 if not text[offset + 1 : offset + 2].isalnum() else None
        elif text[offset] in " -." and not separated:
            separated = True
        else:
            return None
    return None


def is_card(digits: str) -> bool:
    """Tell whether a string of digits is a payment card number: issuer, length and Luhn check."""
    if len(set(digits)) < 2:
        return False
    for prefix, lengths in _CARD_ISSUERS:
        if prefix.match(digits):
            return len(digits) in lengths and bool(luhn.is_valid(digits))
    return False
