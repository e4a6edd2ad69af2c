"""Which column of a file answers which question: guessed, chosen in a form, kept as a mapping.

A form's values are flat texts by name; a mapping is what TOML describes (`citizenvoice.surveys.mapping`).
"""

import json
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from difflib import SequenceMatcher
from itertools import islice
from pathlib import Path
from typing import Any

from citizenvoice.agencies.models import CHANNEL_NAMES, Channel, Service
from citizenvoice.errors import N_
from citizenvoice.surveys.definition import Definition, Kind, Question
from citizenvoice.surveys.delivered import read_header, read_rows
from citizenvoice.surveys.mapping import DEFAULT_FORMATS, ColumnMapping, MappingError, Source, tidy_value
from citizenvoice.web.languages import own_name

N_LOOKED_AT = 2000  # rows
N_VALUES = 40  # different values of one column that can be mapped one by one
ALIKE = 0.72  # how similar a column's name must be to a question's words
NO_COLUMNS = ColumnMapping(received_at=Source(), service=Source(), channel=Source(), language=Source())

# How times are written, each with an example people recognise.
FORMATS = {
    "": "2026-05-31 14:30",
    "%d/%m/%Y": "31/05/2026",
    "%d/%m/%Y %H:%M": "31/05/2026 14:30",
    "%d/%m/%Y %H:%M:%S": "31/05/2026 14:30:00",
    "%m/%d/%Y": "05/31/2026",
    "%m/%d/%Y %H:%M": "05/31/2026 14:30",
    "%m/%d/%Y %I:%M %p": "05/31/2026 2:30 PM",
    "%d.%m.%Y": "31.05.2026",
    "%d.%m.%Y %H:%M": "31.05.2026 14:30",
    "%d-%m-%Y": "31-05-2026",
    "%d %B %Y": "31 May 2026",
    "%Y/%m/%d": "2026/05/31",
    "%Y%m%d": "20260531",
}
ID_NAMES = (
    r"(response |respondent |external |case |visit |ticket |record |submission )?(id|uuid|guid|number|folio)"
)
TIME_NAMES = r".*\b(date|time|timestamp|submitted|received|when|at|fecha|hora|fecha y hora|day)\b.*"
SERVICE_NAMES = r".*\b(service|servicio|desk|office|oficina|tramite|unit)\b.*"
CHANNEL_WORDS = r".*\b(channel|canal|mode|via|device)\b.*"
LANGUAGE_NAMES = r".*\b(language|lang|locale|idioma|lengua)\b.*"
TEXT_NAMES = r".*\b(comments?|text|feedback|remarks?|verbatim|said|suggestions?|comentarios?|texto)\b.*"

Values = dict[str, str]


class ChoiceError(MappingError):
    """A field of the form must be filled in differently; ``field`` names it."""

    def __init__(self, field: str, message: str, **params: Any) -> None:
        super().__init__(message, **params)
        self.field = field


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a file, and the different values its first rows have."""

    name: str
    values: tuple[str, ...] = ()

    @property
    def is_short(self) -> bool:
        """Tell whether the values can be listed one by one."""
        return len(self.values) <= N_VALUES


def look_at(path: Path) -> list[Column]:
    """Return the columns of a file with the values of its first rows, in the order they appear."""
    found: dict[str, dict[str, None]] = {name: {} for name in read_header(path) if name}
    for row in islice(read_rows(path, NO_COLUMNS), N_LOOKED_AT):
        for name, values in found.items():
            value = tidy_value(row.values.get(name, ""))
            if value and len(values) <= N_VALUES and not row.problem:
                values[value] = None
    return [Column(name, tuple(values)) for name, values in found.items()]


# Guessing


def guess(columns: Sequence[Column], definition: Definition, services: Sequence[Service]) -> Values:
    """Return the form's values as the names and values of the columns suggest them."""
    guessing = _Guessing({column.name: column for column in columns})
    guessing.values = {
        "service-fixed": services[0].slug if services else "",
        "channel-fixed": "website",
        "language-fixed": definition.default_language,
    }
    guessing.time()
    for question in sorted(_closed(definition), key=lambda q: q.kind is not Kind.SCALE):
        guessing.take(f"answer-{question.key}", guessing.column_for(question), _written(question))
    if len(services) > 1:
        guessing.take("service", guessing.short(SERVICE_NAMES), _services(services))
    guessing.take("channel", guessing.short(CHANNEL_WORDS), _channels())
    guessing.take("language", guessing.short(LANGUAGE_NAMES), _languages(definition))
    guessing.take("id", guessing.named(ID_NAMES))
    texts = _texts(definition)
    for question in texts:
        guessing.take(f"text-{question.key}", guessing.column_for(question))
    if texts and not any(name.startswith("text-") for name in guessing.values):
        guessing.take(f"text-{texts[0].key}", guessing.named(TEXT_NAMES))
    return guessing.values


@dataclass(slots=True)
class _Guessing:
    """A guess being made: the columns that mean nothing yet, and the form's values so far."""

    free: dict[str, Column]
    values: Values = field(default_factory=dict)

    def take(self, name: str, column: Column | None, known: Mapping[str, str] | None = None) -> None:
        """Let a column stand for something, so that it stands for nothing else."""
        if column is None:
            return
        self.values[name] = column.name
        if known and (lines := map_of(column, known)):
            self.values[f"{name}-map"] = lines
        del self.free[column.name]

    def time(self) -> None:
        """Find when each response was given, and how that is written."""
        column = self.named(TIME_NAMES, lambda column: _format_of(column) is not None)
        self.take("at", column)
        self.values["at-format"] = (_format_of(column) if column else None) or ""

    def short(self, pattern: str) -> Column | None:
        """Find a column by its name whose values can be listed."""
        return self.named(pattern, lambda column: column.is_short)

    def named(self, pattern: str, fits: Callable[[Column], bool] = lambda _column: True) -> Column | None:
        """Find a column by its name."""
        found = (c for c in self.free.values() if re.fullmatch(pattern, plain(c.name)) and fits(c))
        return next(found, None)

    def column_for(self, question: Question) -> Column | None:
        """Find the column whose name is most like the key, the role or the words of a question."""
        wordings = [plain(text) for text in (question.key, question.role or "", *question.text.values())]
        likeness = {
            column.name: max(_likeness(plain(column.name), words) for words in wordings if words)
            for column in self.free.values()
            if _fits(question, column)
        }
        best = max(likeness, key=lambda name: likeness[name], default=None)
        return self.free[best] if best is not None and likeness[best] >= ALIKE else None


def map_of(column: Column, known: Mapping[str, str]) -> str:
    """Return lines ``written = ours`` for a column; nothing where what is written needs no map."""
    ours = set(known.values())
    if not column.is_short or all(value in ours for value in column.values):
        return ""
    by_name = {plain(name): value for name, value in known.items()}
    return "\n".join(
        f"{value} = {value if value in ours else by_name.get(plain(value), '')}" for value in column.values
    )


def _format_of(column: Column) -> str | None:
    samples = column.values[:20]
    for pattern in FORMATS if samples else ():
        if all(any(_is_time(value, each) for each in _tried(pattern)) for value in samples):
            return pattern
    return None


def _tried(pattern: str) -> Sequence[str]:
    return [pattern] if pattern else DEFAULT_FORMATS


def _is_time(value: str, pattern: str) -> bool:
    try:
        datetime.strptime(value, pattern)  # noqa: DTZ007 - only whether it can be read
    except ValueError:
        return False
    return True


def _likeness(name: str, words: str) -> float:
    if name == words:
        return 1.0
    if len(words.split()) == 1 and words in name.split():  # the key or the role, among other words
        return 0.9
    return SequenceMatcher(None, name, words).ratio()


def _fits(question: Question, column: Column) -> bool:
    if question.kind in (Kind.TEXT, Kind.NUMBER, Kind.MULTIPLE):
        return True
    return column.is_short


def plain(text: str) -> str:
    """Return words without case, accents and punctuation, to compare names by.

    >>> plain("¿Qué  tan_satisfecho?")
    'que tan satisfecho'
    """
    folded = unicodedata.normalize("NFKD", text.casefold())
    kept = "".join(character for character in folded if not unicodedata.combining(character))
    return " ".join(re.findall(r"[^\W_]+", kept))


def _closed(definition: Definition) -> list[Question]:
    return [question for question in definition.questions if question.kind is not Kind.TEXT]


def _texts(definition: Definition) -> list[Question]:
    return [question for question in definition.questions if question.kind is Kind.TEXT]


def _written(question: Question) -> dict[str, str]:
    """Return how the answers to a question may be written, with the values they stand for."""
    answers = zip(question.possible_values, question.answer_labels, strict=True)
    return {words: str(value) for value, label in answers for words in (str(value), *label.values())}


def _services(services: Sequence[Service]) -> dict[str, str]:
    return {
        name: service.slug
        for service in services
        for name in (service.slug, service.name, service.external_id or "", *service.names.values())
        if name
    }


def _channels() -> dict[str, str]:
    return {str(name): str(channel) for channel, name in CHANNEL_NAMES.items()} | {
        str(channel): str(channel) for channel in Channel
    }


def _languages(definition: Definition) -> dict[str, str]:
    names = {own_name(code): code for code in definition.languages}
    return {code: code for code in definition.languages} | names


# Form to mapping


def mapping_data(values: Mapping[str, str], definition: Definition) -> dict[str, Any]:
    """Return the mapping a form describes. Raises ChoiceError naming the field."""
    if not values.get("at"):
        raise ChoiceError("at", N_("Choose the column that says when people answered."))
    pattern = values.get("at-format", "")
    pattern = values.get("at-other", "").strip() if pattern == "other" else pattern
    response: dict[str, Any] = {
        "received_at": {"column": values["at"], "formats": [pattern]} if pattern else values["at"]
    }
    if values.get("id"):
        response["id"] = values["id"]
        if values.get("grouped"):
            response["grouped"] = True
    elif values.get("grouped"):
        raise ChoiceError("id", N_("Choose the column by which rows of one person are known."))
    for name in ("service", "channel", "language"):
        response[name] = _entry(values, name) or {"constant": values.get(f"{name}-fixed", "")}
    data: dict[str, Any] = {"response": response}
    answers = {q.key: _entry(values, f"answer-{q.key}") for q in _closed(definition)}
    data["answers"] = {key: entry for key, entry in answers.items() if entry}
    ignored = [line.strip() for line in values.get("ignore", "").splitlines() if line.strip()]
    data["texts"] = [
        {"column": values[name], "question": question.key} | ({"ignore": ignored} if ignored else {})
        for question in _texts(definition)
        if values.get(name := f"text-{question.key}")
    ]
    if not data["answers"] and not data["texts"]:
        raise ChoiceError(_first_question(definition), N_("Choose the column of at least one question."))
    return data


def _first_question(definition: Definition) -> str:
    first = definition.questions[0]
    return f"text-{first.key}" if first.kind is Kind.TEXT else f"answer-{first.key}"


def _entry(values: Mapping[str, str], name: str) -> Any:
    column = values.get(name)
    if not column:
        return None
    pairs = {}
    for number, line in enumerate(values.get(f"{name}-map", "").splitlines(), 1):
        if not line.strip():
            continue
        written, equals, ours = line.rpartition("=")
        if not equals:
            raise ChoiceError(
                f"{name}-map",
                N_("Line %(line)d has no “=”: write “value = what it means here”."),
                line=number,
            )
        if ours.strip():
            pairs[written.strip()] = ours.strip()
    return {"column": column, "map": pairs} if pairs else column


def form_values(data: Mapping[str, Any], definition: Definition) -> Values | None:
    """Return the form's values that give this mapping, or None if the form cannot say it."""
    values: Values = {}
    response = data.get("response", {})
    when = response.get("received_at")
    if isinstance(when, dict):
        values["at"] = when.get("column", "")
        pattern = "".join(when.get("formats", [])[:1])
        values["at-format"] = pattern if pattern in FORMATS else "other"
        values["at-other"] = "" if pattern in FORMATS else pattern
    else:
        values["at"] = when or ""
    values["id"] = response.get("id", "") if isinstance(response.get("id", ""), str) else ""
    values["grouped"] = "1" if response.get("grouped") else ""
    for name in ("service", "channel", "language"):
        values |= _said(name, response.get(name))
    for key, entry in data.get("answers", {}).items():
        values |= _said(f"answer-{key}", entry)
    for text in data.get("texts", []):
        if isinstance(text.get("question"), str):
            values[f"text-{text['question']}"] = text["column"]
        values["ignore"] = "\n".join(text.get("ignore", []))
    try:
        again = mapping_data(values, definition)
    except MappingError:
        return None
    return values if again == data else None


def _said(name: str, entry: Any) -> Values:
    if isinstance(entry, str):
        return {name: entry}
    if not isinstance(entry, dict):
        return {}
    if "constant" in entry:
        return {f"{name}-fixed": str(entry["constant"])}
    lines = [f"{written} = {ours}" for written, ours in entry.get("map", {}).items()]
    return {name: str(entry.get("column", "")), f"{name}-map": "\n".join(lines)}


# Mapping to TOML


def to_toml(data: Mapping[str, Any]) -> str:
    """Return a mapping as TOML, as the command takes it."""
    parts = []
    for table in ("file", "response", "answers"):
        if data.get(table):
            lines = [f"{_key(name)} = {_value(value)}" for name, value in data[table].items()]
            parts.append("\n".join([f"[{table}]", *lines]))
    parts += [
        "\n".join(["[[texts]]", *(f"{_key(name)} = {_value(value)}" for name, value in text.items())])
        for text in data.get("texts", [])
    ]
    return "\n\n".join(parts) + "\n"


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _value(name)


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(str(name))} = {_value(each)}" for name, each in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(_value(each) for each in value) + "]"
    # JSON's texts, numbers and truth values are TOML's too, but for one character TOML wants escaped
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
