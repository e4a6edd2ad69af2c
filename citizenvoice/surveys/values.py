"""Reads the answer to one question as it was sent: by a form, as JSON, or in a file to import."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any

from citizenvoice.errors import N_
from citizenvoice.surveys.definition import Kind, Question

Sent = Mapping[str, Any]

NOT_A_CHOICE = N_("Choose one of the answers shown.")
NOT_A_LIST = N_("Give the answers as a list.")
TOO_MANY = N_("Choose no more than %(max)d answers.")
NOT_A_NUMBER = N_("Enter a number in figures, such as %(example)s.")
NOT_WHOLE = N_("Enter a whole number, without decimals.")
TOO_SMALL = N_("Enter a number of %(min)s or more.")
TOO_LARGE = N_("Enter a number of %(max)s or less.")
NOT_TEXT = N_("This answer must be text.")
TOO_LONG = N_("Use %(max)d characters or fewer.")
UNSTORABLE = N_("This text has a character that cannot be stored. Remove it and try again.")

_AROUND = " \t\r\n\f\v\u00a0\u1680\u2000-\u200b\u2028\u2029\u202f\u205f\u2060\u3000\ufeff"
_TRIM = re.compile(f"^[{_AROUND}]+|[{_AROUND}]+$")
_NUMBER = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,9})?")
_WIDE = str.maketrans("０１２３４５６７８９．－−", "0123456789.--")
_BREAKS = re.compile(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_CONTROL = re.compile(r"[\x01-\x08\x0e-\x1f\x7f-\x9f\ufeff\ud800-\udfff]")
_LARGEST = 1e15


class Mode(StrEnum):
    """Where values come from, which decides how literally they are read."""

    FORM = "form"
    JSON = "json"
    IMPORT = "import"


class InvalidError(Exception):
    """A value that cannot be read as an answer to its question."""

    def __init__(self, message: str, **params: Any) -> None:
        self.message = message
        self.params = params
        super().__init__(message)


class OneReader:
    """Reads the point of a scale, a way out of it, or a single choice."""

    __slots__ = ("_by_code", "_by_text", "_key", "_possible")

    def __init__(self, question: Question) -> None:
        self._key = question.key
        self._possible = question.possible_values
        self._by_text = {str(value): value for value in self._possible}
        ways_out = question.ways_out
        codes = {str(option.code): value for value, option in ways_out.items() if option.code is not None}
        self._by_code = {**codes, **{value.upper(): value for value in ways_out}, **self._by_text}

    def form(self, sent: Sent) -> Any:
        """Read the value of a radio button."""
        return self._from_text(sent.get(self._key), self._by_text)

    def json(self, sent: Sent) -> Any:
        """Read a whole number or a string that is one of the answers."""
        raw = sent.get(self._key)
        # The type is compared, not only the value: True == 1 == 1.0
        if raw is not None and (type(raw) not in (int, str) or raw not in self._possible):
            raise InvalidError(NOT_A_CHOICE)
        return raw

    def import_(self, sent: Sent) -> Any:
        """Read an answer, or the code the instrument gives to a way out."""
        raw = sent.get(self._key)
        return self._from_text(raw, self._by_code) if isinstance(raw, str) else self.json(sent)

    @staticmethod
    def _from_text(raw: Any, known: Mapping[str, Any]) -> Any:
        if raw is None or raw == "":
            return None
        if not isinstance(raw, str):
            raise InvalidError(NOT_A_CHOICE)
        value = known.get(raw)
        if value is None and (tidied := _tidy_number(raw)):
            value = known.get(tidied)
            if value is None:
                raise InvalidError(NOT_A_CHOICE)
        return value


class ManyReader:
    """Reads several choices, each once and in the order of the definition."""

    __slots__ = ("_key", "_max", "_order")

    def __init__(self, question: Question) -> None:
        self._key = question.key
        self._max = question.max_choices
        self._order = {choice.value: n for n, choice in enumerate(question.choices) if choice.offered}

    def form(self, sent: Sent) -> Any:
        """Read the ticked boxes."""
        getlist = getattr(sent, "getlist", None)
        raw = getlist(self._key) if getlist is not None else sent.get(self._key) or []
        return self._ordered(value for value in ([raw] if isinstance(raw, str) else raw) if value != "")

    def json(self, sent: Sent) -> Any:
        """Read a list of choices."""
        raw = sent.get(self._key)
        if raw is None:
            return None
        if not isinstance(raw, list):
            raise InvalidError(NOT_A_LIST)
        return self._ordered(raw)

    def import_(self, sent: Sent) -> Any:
        """Read choices separated by semicolons or bars, or a list."""
        raw = sent.get(self._key)
        if isinstance(raw, str):
            return self._ordered(filter(None, (_trim(part) for part in re.split(r"[;|]", raw))))
        return self.json(sent)

    def _ordered(self, raw: Iterable[Any]) -> list[str] | None:
        chosen = set()
        for value in raw:
            if not isinstance(value, str) or value not in self._order:
                raise InvalidError(NOT_A_CHOICE)
            chosen.add(value)
        if self._max is not None and len(chosen) > self._max:
            raise InvalidError(TOO_MANY, max=self._max)
        return sorted(chosen, key=self._order.__getitem__) or None


class NumberReader:
    """Reads a number within its limits; where it is kept in bands, its band, or the band as it was sent."""

    __slots__ = ("_bands", "_question")

    def __init__(self, question: Question) -> None:
        self._question = question
        self._bands = {band.value for band in question.bands}

    def form(self, sent: Sent) -> Any:
        """Read figures, forgiving what surrounds them."""
        raw = sent.get(self._question.key)
        if raw is None:
            return None
        if not isinstance(raw, str):
            raise InvalidError(NOT_A_NUMBER, example="25")
        if raw in self._bands:
            return raw
        tidied = _tidy_number(raw)
        return self._within(_parse_number(tidied)) if tidied else None

    def json(self, sent: Sent) -> Any:
        """Read a number."""
        raw = sent.get(self._question.key)
        if raw is None or (isinstance(raw, str) and raw in self._bands):
            return raw
        if type(raw) not in (int, float):
            raise InvalidError(NOT_A_NUMBER, example="25")
        return self._within(raw)

    def import_(self, sent: Sent) -> Any:
        """Read figures or a number."""
        return self.form(sent) if isinstance(sent.get(self._question.key), str) else self.json(sent)

    def _within(self, number: float) -> Any:
        question = self._question
        if not abs(number) <= _LARGEST:  # also infinities and not-a-number
            raise InvalidError(NOT_A_NUMBER, example="25")
        if question.integer and not isinstance(number, int):
            raise InvalidError(NOT_WHOLE)
        if question.minimum is not None and number < question.minimum:
            raise InvalidError(TOO_SMALL, min=question.minimum)
        if question.maximum is not None and number > question.maximum:
            raise InvalidError(TOO_LARGE, max=question.maximum)
        return self._band_of(number) if question.bands else number

    def _band_of(self, number: float) -> str:
        for band in self._question.bands:
            if band.holds(number):
                return band.value
        raise InvalidError(NOT_A_CHOICE)


class WordsReader:
    """Reads free text."""

    __slots__ = ("_key", "_max")

    def __init__(self, question: Question) -> None:
        self._key = question.key
        self._max = question.max_chars

    def form(self, sent: Sent) -> Any:
        """Read text, cleaned; None when nothing is left."""
        raw = sent.get(self._key)
        if raw is None:
            return None
        if not isinstance(raw, str):
            raise InvalidError(NOT_TEXT)
        return clean_text(raw, self._max) or None

    json = import_ = form


READERS: dict[Kind, type[OneReader | ManyReader | NumberReader | WordsReader]] = {
    Kind.SCALE: OneReader,
    Kind.SINGLE: OneReader,
    Kind.MULTIPLE: ManyReader,
    Kind.NUMBER: NumberReader,
    Kind.TEXT: WordsReader,
}


def clean_text(raw: str, maximum: int) -> str:
    """Return what someone wrote in NFC, with plain line breaks and without control characters, trimmed.

    The length is counted after that, in characters. Raises InvalidError when it is longer than ``maximum``
    or holds a NUL, which databases refuse.
    """
    if "\0" in raw:
        raise InvalidError(UNSTORABLE)
    text = raw if raw.isascii() and raw.isprintable() else _CONTROL.sub("", _BREAKS.sub("\n", raw))
    if len(text) > 4 * maximum:  # no text composes to a quarter; normalising a long run of marks is slow
        raise InvalidError(TOO_LONG, max=maximum)
    text = _trim(unicodedata.normalize("NFC", text))
    if len(text) > maximum:
        raise InvalidError(TOO_LONG, max=maximum)
    return text


def _trim(text: str) -> str:
    return _TRIM.sub("", text)


def _tidy_number(raw: str) -> str:
    """Forgive what surrounds a number pasted from a page or a spreadsheet, and full-width digits; no more."""
    return _trim(raw).translate(_WIDE)


def _parse_number(text: str) -> int | float:
    if not _NUMBER.fullmatch(text):
        raise InvalidError(NOT_A_NUMBER, example="25")
    return float(text) if "." in text else int(text)
