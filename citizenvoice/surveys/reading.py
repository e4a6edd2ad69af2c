"""Reads untrusted JSON field by field and collects everything that is wrong with it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from citizenvoice.errors import N_

Text = Mapping[str, str]  # language -> words

KEY = re.compile(r"[a-z][a-z0-9_]{0,59}")
VALUE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,59}")
LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
MAX_WORDS = 5000  # characters of one text in one language
_UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: where, as a path such as ``sections.0.questions.2.text``, and a sentence."""

    path: str
    message: str
    params: Mapping[str, Any] = field(default_factory=dict)

    @property
    def sentence(self) -> str:
        """Return the sentence in English with its values filled in."""
        return self.message % self.params if self.params else self.message


class Reader:
    """One JSON object being read; what is asked of it is remembered, so that what is left over is unknown."""

    def __init__(self, data: Any, path: str, problems: list[Problem]) -> None:
        self.path = path
        self.problems = problems
        self._used: set[str] = set()
        self._data: Mapping[str, Any] = data if isinstance(data, dict) else {}
        if not isinstance(data, dict):
            self.complain("", N_("This must be an object with named fields."))

    def complain(self, key: str, message: str, **params: Any) -> None:
        """Note a problem with the field ``key`` (or with the object itself, for an empty key)."""
        self.problems.append(Problem(self._at(key), message, params))

    def has(self, key: str) -> bool:
        """Return whether the field is there and not null."""
        return self._take(key) is not None

    def anything(self, key: str) -> Any:
        """Read a value of any kind."""
        return self._take(key)

    def string(self, key: str, pattern: re.Pattern[str], *, default: str | None = None) -> str | None:
        """Read a short string that must match ``pattern``; without a default it must be there."""
        value = self._take(key)
        if value is None:
            if default is None:
                self.complain(key, N_("This is missing."))
            return default
        if not isinstance(value, str) or not pattern.fullmatch(value):
            self.complain(key, N_("Use small letters, digits and underscores, and start with a letter."))
            return default
        return value

    def optional_string(self, key: str, *, maximum: int = 200) -> str | None:
        """Read a string that may be absent."""
        value = self._take(key)
        if value is None:
            return None
        if not isinstance(value, str) or not 0 < len(value) <= maximum or _UNSTORABLE.search(value):
            self.complain(key, N_("This must be a text of 1 to %(max)d characters."), max=maximum)
            return None
        return value

    def one_of(self, key: str, allowed: Sequence[str], *, default: str | None = None) -> str:
        """Read a string that must be one of ``allowed``; without a default it must be there."""
        value = self._take(key)
        if value is None and default is not None:
            return default
        if not isinstance(value, str) or value not in allowed:
            self.complain(key, N_("This must be one of: %(allowed)s."), allowed=", ".join(allowed))
            return default or allowed[0]
        return value

    def flag(self, key: str, *, default: bool = False) -> bool:
        """Read true or false."""
        value = self._take(key)
        if value is None:
            return default
        if not isinstance(value, bool):
            self.complain(key, N_("This must be true or false."))
            return default
        return value

    def whole(self, key: str, lowest: int, highest: int, *, default: int | None = None) -> int | None:
        """Read a whole number from ``lowest`` to ``highest``."""
        value = self._take(key)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int) or not lowest <= value <= highest:
            self.complain(
                key,
                N_("This must be a whole number from %(lowest)d to %(highest)d."),
                lowest=lowest,
                highest=highest,
            )
            return default
        return value

    def number(self, key: str) -> int | float | None:
        """Read a finite number."""
        value = self._take(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= 1e15:
            self.complain(key, N_("This must be a number."))
            return None
        return value

    def words(self, key: str) -> Text:
        """Read words in several languages: ``{"en": "…", "es": "…"}``; empty words are left out."""
        value = self._take(key)
        if value is None:
            return {}
        if not isinstance(value, dict):
            self.complain(key, N_("This must hold a text for each language."))
            return {}
        return {language: words for language, words in value.items() if self._is_words(key, language, words)}

    def child(self, key: str) -> "Reader | None":
        """Read an object that may be absent."""
        value = self._take(key)
        return None if value is None else Reader(value, self._at(key), self.problems)

    def children(self, key: str, maximum: int) -> Iterator["Reader"]:
        """Read a list of objects, at most ``maximum``."""
        for number, item in enumerate(self.list(key, maximum)):
            yield Reader(item, f"{self._at(key)}.{number}", self.problems)

    def list(self, key: str, maximum: int) -> list[Any]:
        """Read a list of anything, at most ``maximum`` long."""
        value = self._take(key)
        if value is None:
            return []
        if not isinstance(value, list) or len(value) > maximum:
            self.complain(key, N_("This must be a list of at most %(max)d."), max=maximum)
            return []
        return value

    def close(self) -> None:
        """Note every field that nobody asked for: it is a misspelling, or belongs elsewhere."""
        for key in self._data:
            if key not in self._used:
                self.complain(str(key), N_("There is no such field here."))

    def _take(self, key: str) -> Any:
        self._used.add(key)
        return self._data.get(key)

    def _at(self, key: str) -> str:
        return ".".join(part for part in (self.path, key) if part)

    def _is_words(self, key: str, language: Any, words: Any) -> bool:
        if not isinstance(language, str) or not LANGUAGE.fullmatch(language):
            self.complain(key, N_("“%(language)s” is not the code of a language."), language=language)
            return False
        if isinstance(words, str) and _UNSTORABLE.search(words):
            self.complain(
                f"{key}.{language}", N_("It holds a sign that cannot be kept. Write the text anew by hand.")
            )
            return False
        if not isinstance(words, str) or len(words) > MAX_WORDS:
            self.complain(
                f"{key}.{language}", N_("This must be a text of at most %(max)d characters."), max=MAX_WORDS
            )
            return False
        return bool(words.strip())
