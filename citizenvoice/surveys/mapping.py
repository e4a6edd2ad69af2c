"""How the columns of a delivered file become answers: a mapping, read from TOML, checked by the survey."""

import codecs
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from citizenvoice.errors import N_, DomainError
from citizenvoice.surveys.definition import Definition, Kind

SEPARATOR = "|"  # between the values of several columns in a value map
FULL_WIDTH_DIGITS = str.maketrans("０１２３４５６７８９", "0123456789")
DEFAULT_FORMATS = (
    "%Y-%m-%dT%H:%M:%S%z",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%d",
)


class MappingError(DomainError):
    """A mapping cannot be used; the sentence names the entry."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a value comes from: one or more columns through a map, or always the same."""

    columns: tuple[str, ...] = ()
    values: Mapping[str, Any] | None = None  # written value -> our value; None: as it is written
    constant: Any = None
    blanks: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class TextSource:
    """A column of free text, and which question it answers: always the same, or told by another column."""

    column: str
    question: Source
    ignored: frozenset[str] = frozenset()  # texts that say nothing, such as "Did not answer", in lower case


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """A whole mapping. Without ``id`` a row is known again by what it says."""

    received_at: Source
    service: Source
    channel: Source
    language: Source
    id: Source | None = None
    formats: tuple[str, ...] = DEFAULT_FORMATS
    is_grouped: bool = False  # several rows may belong to one respondent, told by ``id``
    answers: Mapping[str, Source] = field(default_factory=dict)
    texts: tuple[TextSource, ...] = ()
    encoding: str = "utf-8-sig"
    delimiter: str = ""  # "": found out
    sheet: str = ""

    @property
    def columns(self) -> frozenset[str]:
        """Every column the mapping reads."""
        sources = [self.received_at, self.service, self.channel, self.language, *self.answers.values()]
        sources += [self.id] if self.id else []
        sources += [text.question for text in self.texts]
        named = {column for source in sources for column in source.columns}
        return frozenset(named | {text.column for text in self.texts})


def read_mapping(toml: str, definition: Definition) -> ColumnMapping:
    """Read a mapping from TOML and check that every question in it exists.

    Raises MappingError with a sentence that names the entry.
    """
    try:
        data = tomllib.loads(toml)
    except tomllib.TOMLDecodeError as error:
        raise MappingError(N_("The mapping is not valid TOML: %(reason)s."), reason=str(error)) from error
    return mapping_of(data, definition)


def mapping_of(data: Mapping[str, Any], definition: Definition) -> ColumnMapping:
    """Return the mapping that data such as TOML's describe. Raises MappingError."""
    _only(data, {"file", "response", "answers", "texts"}, "")
    file, response = _table(data, "file"), _table(data, "response")
    _only(file, {"encoding", "delimiter", "sheet"}, "file")
    _only(response, {"id", "received_at", "service", "channel", "language", "grouped"}, "response")
    when = response.get("received_at")
    formats: tuple[str, ...] = ()
    if isinstance(when, dict):
        formats = _formats(when.get("formats", []))
        when = {name: value for name, value in when.items() if name != "formats"}
    mapping = ColumnMapping(
        id=_source(response["id"], "response.id") if "id" in response else None,
        received_at=_source(when, "response.received_at"),
        service=_source(response.get("service", {"constant": ""}), "response.service"),
        channel=_source(response.get("channel", {"constant": "other_non_digital"}), "response.channel"),
        language=_source(
            response.get("language", {"constant": definition.default_language}), "response.language"
        ),
        formats=formats or DEFAULT_FORMATS,
        is_grouped=bool(response.get("grouped", False)),
        answers=_answers(_table(data, "answers"), definition),
        texts=_texts(data.get("texts", []), definition),
        encoding=_encoding(str(file.get("encoding", "utf-8-sig"))),
        delimiter=_delimiter(str(file.get("delimiter", ""))),
        sheet=str(file.get("sheet", "")),
    )
    if mapping.is_grouped and mapping.id is None:
        raise MappingError(
            N_("Rows can only be grouped by an id: name its column in “%(entry)s”."), entry="response.id"
        )
    if not mapping.answers and not mapping.texts:
        raise MappingError(N_("The mapping names no question."))
    return mapping


def _formats(given: Any) -> tuple[str, ...]:
    if not isinstance(given, list) or not all(isinstance(pattern, str) for pattern in given):
        raise MappingError(N_("“%(entry)s” must be a list of texts."), entry="response.received_at.formats")
    return tuple(given)


def _encoding(name: str) -> str:
    try:
        found = codecs.lookup(name)
    except LookupError as error:
        raise MappingError(N_("There is no encoding “%(name)s”."), name=name) from error
    if not found._is_text_encoding:  # a codec such as base64 makes bytes of bytes
        raise MappingError(N_("There is no encoding “%(name)s”."), name=name)
    return name


def _delimiter(character: str) -> str:
    if len(character) > 1 or character in ('"', "\n", "\r"):
        raise MappingError(N_("“%(entry)s” must be one character."), entry="file.delimiter")
    return character


def _answers(data: Mapping[str, Any], definition: Definition) -> dict[str, Source]:
    found = {}
    for key, entry in data.items():
        question = next((q for q in definition.questions if q.key == key), None)
        if question is None or question.kind is Kind.TEXT:
            raise MappingError(
                N_("“%(entry)s” is not a closed question of this survey."), entry=f"answers.{key}"
            )
        found[key] = _source(entry, f"answers.{key}")
    return found


def _texts(data: Any, definition: Definition) -> tuple[TextSource, ...]:
    if not isinstance(data, list):
        raise MappingError(N_("“%(entry)s” must be a list of tables."), entry="texts")
    asked = {question.key for question in definition.questions if question.kind is Kind.TEXT}
    found = []
    for number, entry in enumerate(data):
        name = f"texts.{number + 1}"
        if not isinstance(entry, dict) or not isinstance(entry.get("column"), str):
            raise MappingError(N_("“%(entry)s” must name its column."), entry=name)
        _only(entry, {"column", "question", "ignore"}, name)
        question = _source(
            {"constant": entry["question"]}
            if isinstance(entry.get("question"), str)
            else entry.get("question"),
            f"{name}.question",
        )
        named = [question.constant] if question.values is None else list(question.values.values())
        for key in named:
            if key not in asked:
                raise MappingError(
                    N_("“%(entry)s” names “%(key)s”, which is not a text question of this survey."),
                    entry=f"{name}.question",
                    key=key,
                )
        ignored = frozenset(" ".join(str(text).split()).casefold() for text in entry.get("ignore", ()))
        found.append(TextSource(entry["column"], question, ignored))
    return tuple(found)


def _source(entry: Any, name: str) -> Source:
    """Read ``"column"`` or ``{column|columns|constant, map, blank}``."""
    if isinstance(entry, str):
        return Source(columns=(entry,))
    if not isinstance(entry, dict):
        raise MappingError(N_("“%(entry)s” is missing."), entry=name)
    _only(entry, {"column", "columns", "constant", "map", "blank"}, name)
    if "constant" in entry:
        return Source(constant=entry["constant"])
    columns = entry.get("columns") or [entry.get("column")]
    if not isinstance(columns, list) or not all(isinstance(column, str) and column for column in columns):
        raise MappingError(N_("“%(entry)s” must name its column."), entry=name)
    values = entry.get("map")
    if values is not None and not isinstance(values, dict):
        raise MappingError(N_("“%(entry)s” must be a table of values."), entry=f"{name}.map")
    return Source(
        columns=tuple(columns),
        values=None if values is None else {tidy_value(key): value for key, value in values.items()},
        blanks=frozenset(tidy_value(text) for text in entry.get("blank", ())),
    )


def tidy_value(text: str) -> str:
    """Return a written value without blanks around it, runs of them, a byte-order mark, or wide digits.

    >>> tidy_value("\u00a0１ ")
    '1'
    """
    if not text.isascii():
        text = text.replace("\ufeff", "").replace("\u200b", "").translate(FULL_WIDTH_DIGITS)
    return " ".join(text.split())


def _table(data: Mapping[str, Any], name: str) -> dict[str, Any]:
    found = data.get(name, {})
    if not isinstance(found, dict):
        raise MappingError(N_("“%(entry)s” must be a table of values."), entry=name)
    return dict(found)


def _only(data: Mapping[str, Any], known: set[str], name: str) -> None:
    for key in data:
        if key not in known:
            entry = f"{name}.{key}".strip(".")
            raise MappingError(
                N_("“%(entry)s” means nothing here; known are: %(known)s."),
                entry=entry,
                known=", ".join(sorted(known)),
            )


def missing_columns(mapping: ColumnMapping, header: Sequence[str]) -> list[str]:
    """Return the columns the mapping reads that the file does not have."""
    return sorted(mapping.columns - set(header))
