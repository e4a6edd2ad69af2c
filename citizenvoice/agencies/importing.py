"""Brings agencies, services and volumes in from CSV: good rows once, bad ones with the reason."""

import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from zoneinfo import available_timezones

from citizenvoice.agencies import actions, queries
from citizenvoice.agencies.models import Agency, AgencyKind, Channel, Service
from citizenvoice.db import db
from citizenvoice.errors import N_, DomainError

MAX_ROWS = 20_000
SEVERAL = re.compile(r"[;|,\s]+")  # between the values of one cell
COLUMNS = {
    "agencies": ("slug", "name", "parent", "kind", "time_zone", "fiscal_year_start"),
    "services": (
        *("slug", "agency", "name", "description", "external_id"),
        *("languages", "channels", "is_public"),
    ),
    "volumes": ("service", "channel", "start", "last_day", "n_served", "n_offered"),
}
NEEDED = {
    "agencies": ("slug", "name"),
    "services": ("slug", "agency", "name", "languages", "channels"),
    "volumes": ("service", "channel", "start", "last_day", "n_served"),
}
TRANSLATED = {"agencies": ("name",), "services": ("name", "description"), "volumes": ()}
YES, NO = frozenset({"yes", "y", "true", "1", "sí", "si"}), frozenset({"no", "n", "false", "0"})

MISSING = N_("This must be filled in.")
NO_AGENCY = N_("There is no agency “%(value)s”.")
NO_SERVICE = N_("There is no service “%(value)s”.")
NOT_ONE_OF = N_("“%(value)s” is not one of: %(known)s.")
NOT_A_DAY = N_("“%(value)s” is not a day such as 2026-05-31.")
NOT_WHOLE = N_("“%(value)s” is not a whole number.")
NO_ZONE = N_("There is no time zone “%(value)s”.")
NOT_A_MONTH = N_("The fiscal year starts in a month from 1 to 12.")
TAKEN = N_("“%(value)s” is taken.")
TWICE = N_("Line %(line)d already says something about this.")
NOT_BELOW_YOURS = N_("It can only be put below an agency you manage.")


class Result(StrEnum):
    """What became of one row."""

    ADDED = "added"
    CHANGED = "changed"
    SAME = "same"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one row, and why it was refused: the column at fault (or none) and a sentence."""

    line: int
    name: str
    result: Result
    column: str = ""
    message: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)

    @property
    def sentence(self) -> str:
        """The reason in English."""
        return self.message % self.params if self.params else self.message


class RowError(DomainError):
    """One cell cannot be accepted."""

    def __init__(self, column: str, message: str, **params: Any) -> None:
        super().__init__(message, **params)
        self.column = column


@dataclass(frozen=True, slots=True)
class Row:
    """One row: the line it begins on and its cells by column, without blanks around them."""

    line: int
    cells: Mapping[str, str]

    def get(self, column: str) -> str:
        """Return a cell, empty if it is not there."""
        return self.cells.get(column, "")

    def need(self, column: str) -> str:
        """Return a cell. Raises RowError if it is empty."""
        if not self.get(column):
            raise RowError(column, MISSING)
        return self.get(column)

    def translations(self, column: str, kept: Mapping[str, str]) -> dict[str, str]:
        """Return ``name_es`` and the like by language, beside those kept where the cell is empty."""
        start = f"{column}_"
        given = {
            name.removeprefix(start): text
            for name, text in self.cells.items()
            if name.startswith(start) and text
        }
        return {**kept, **given}


def read_text(content: bytes, *, max_chars: int | None = None) -> str:
    """Return the text of a file. Raises DomainError if it is not UTF-8 or too long."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DomainError(N_("The file is not in UTF-8. Save it as “CSV UTF-8”.")) from error
    if max_chars is not None and len(text) > max_chars:
        raise DomainError(
            N_("The file is too large for this page. Split it, or ask an operator to import it.")
        )
    return text


def bring_in(kind: str, text: str, *, now: datetime, paths: Sequence[str] | None = None) -> list[Outcome]:
    """Bring in the rows of a CSV file, and return what became of each in the order of lines. Never commits.

    With ``paths`` only what lies in those subtrees is found and changed; without, everything.
    Raises DomainError if the file has no header or one that cannot be understood.
    """
    bring = Bringing(now, paths)
    one: Callable[[Row], tuple[str, Result]] = getattr(bring, kind)
    outcomes: list[Outcome] = []
    for row in _parents_first(read_rows(kind, text)) if kind == "agencies" else read_rows(kind, text):
        name = row.get("name") or row.get("service")
        try:
            with db.session.begin_nested():
                name, result = one(row)
                db.session.flush()
        except DomainError as error:
            column = error.column if isinstance(error, RowError) else ""
            outcomes.append(Outcome(row.line, name, Result.REFUSED, column, error.message, error.params))
        else:
            outcomes.append(Outcome(row.line, name, result))
    return sorted(outcomes, key=lambda outcome: outcome.line)


def summary(outcomes: Sequence[Outcome]) -> dict[Result, int]:
    """Return how many rows came to each result; they add up to all rows."""
    counts = Counter(outcome.result for outcome in outcomes)
    return {result: counts[result] for result in Result}


def read_rows(kind: str, text: str) -> list[Row]:
    """Return the rows of a file. Raises DomainError if its columns cannot be understood."""
    first_line = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=first_line.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    header = [" ".join(cell.split()).casefold() for cell in _next(reader) or []]
    _check_header(kind, header)
    rows = []
    line = reader.line_num + 1
    while (cells := _next(reader)) is not None:
        if any(cell.strip() for cell in cells):
            tidied = [" ".join(cell.replace("\xa0", " ").split()) for cell in cells]
            rows.append(Row(line, dict(zip(header, tidied, strict=False))))
        line = reader.line_num + 1
        if len(rows) > MAX_ROWS:
            raise DomainError(N_("A file may have up to %(n)d rows."), n=MAX_ROWS)
    return rows


def _next(reader: Any) -> list[str] | None:
    """Return the next row, None after the last. Raises DomainError if a quotation mark is missing."""
    line = reader.line_num + 1
    try:
        return next(reader, None)
    except csv.Error as error:
        raise DomainError(
            N_("Line %(line)d cannot be read: a quotation mark is missing."), line=line
        ) from error


def _check_header(kind: str, header: Sequence[str]) -> None:
    known = set(COLUMNS[kind])
    missing = [name for name in NEEDED[kind] if name not in header]
    if missing:
        raise DomainError(
            N_("The first row must name the columns. Missing: %(missing)s."), missing=", ".join(missing)
        )
    translated = tuple(f"{name}_" for name in TRANSLATED[kind])
    strange = [
        name
        for name in header
        if name not in known
        and not (name.startswith(translated) and actions.LANGUAGE_CODE.fullmatch(name.split("_", 1)[1]))
    ]
    twice = [name for name, n in Counter(header).items() if n > 1]
    if strange or twice:
        raise DomainError(
            N_("These columns mean nothing here: %(strange)s. Known are: %(known)s."),
            strange=", ".join(name or "–" for name in [*strange, *twice]),
            known=", ".join([*COLUMNS[kind], *(f"{name}es" for name in translated)]),
        )


def _parents_first(rows: Sequence[Row]) -> list[Row]:
    """Return the rows of agencies so that each comes after its parent's, wherever that stands in the file."""
    ordered: list[Row] = []
    waiting = list(rows)
    while waiting:
        to_come = {row.get("slug") for row in waiting}
        ready = [row for row in waiting if row.get("parent") not in to_come]
        if not ready:  # they are each other's parents: each is refused for want of its own
            return [*ordered, *waiting]
        ordered += ready
        waiting = [row for row in waiting if row not in ready]
    return ordered


class Bringing:
    """Brings rows in, one at a time; finds only what lies in the subtrees it may change."""

    def __init__(self, now: datetime, paths: Sequence[str] | None) -> None:
        self._now = now
        self._paths = paths
        self._lines: dict[Any, int] = {}

    def agencies(self, row: Row) -> tuple[str, Result]:
        """Add or change an agency, known by its slug; an empty cell leaves what is there."""
        slug, name = row.need("slug"), row.need("name")
        self._only_once(row, "slug", slug)
        known = queries.find_agency(slug)
        if known is not None and not self._may_change(known):
            raise RowError("slug", TAKEN, value=slug)
        parent = self._agency(row, "parent") if row.get("parent") else None
        facts: dict[str, Any] = {
            "name": name,
            "names": row.translations("name", known.names if known else {}),
            "kind": _one_of(row, "kind", AgencyKind) or (known.kind if known else AgencyKind.AGENCY),
            "time_zone": _zone(row) or (known.time_zone if known else None),
            "fiscal_year_start": _month(row) or (known.fiscal_year_start if known else None),
        }
        if known is None:
            if parent is None and self._paths is not None:
                raise RowError("parent", NOT_BELOW_YOURS)
            _check_slug(slug)
            actions.create_agency(slug=slug, parent=parent, **facts)
            return name, Result.ADDED
        actions.update_agency(known, **facts)
        changed = db.session.is_modified(known)
        if parent is not None and parent.id != known.parent_id:
            if self._paths is not None and not (known.parent and self._may_change(known.parent)):
                raise RowError("parent", NOT_BELOW_YOURS)
            actions.move_agency(known, parent)
            changed = True
        return name, Result.CHANGED if changed else Result.SAME

    def services(self, row: Row) -> tuple[str, Result]:
        """Add or change a service, known by its slug; an empty cell leaves what is there."""
        slug, name = row.need("slug"), row.need("name")
        self._only_once(row, "slug", slug)
        agency = self._agency(row, "agency")
        known = queries.find_service(slug)
        if known is not None and not self._may_change(known.agency):
            raise RowError("slug", TAKEN, value=slug)
        external_id = row.get("external_id") or (known.external_id if known else None)
        holder = queries.find_service_by_external_id(external_id) if external_id else None
        if holder is not None and holder is not known:
            raise RowError("external_id", TAKEN, value=external_id)
        facts: dict[str, Any] = {
            "name": name,
            "description": row.get("description") or (known.description if known else ""),
            "names": row.translations("name", known.names if known else {}),
            "descriptions": row.translations("description", known.descriptions if known else {}),
            "languages": _languages(row) or (known.languages if known else []),
            "channels": _channels(row) or (known.channels if known else []),
            "is_public": _yes_or_no(row, known.is_public if known else True),
        }
        if known is None:
            row.need("languages")
            row.need("channels")
            _check_slug(slug)
            actions.create_service(agency, slug=slug, external_id=external_id, now=self._now, **facts)
            return name, Result.ADDED
        actions.update_service(known, **facts)
        if known.external_id != external_id:
            known.external_id = external_id
        if known.agency_id != agency.id:
            known.agency = agency
        return name, Result.CHANGED if db.session.is_modified(known) else Result.SAME

    def volumes(self, row: Row) -> tuple[str, Result]:
        """Add or replace a volume, known by service, channel and period."""
        service = self._service(row)
        channel = _one_of(row, "channel", Channel, needed=True)
        start, last_day = _day(row, "start"), _day(row, "last_day")
        end = actions.day_after(last_day)
        n_served = _whole(row, "n_served")
        n_offered = _whole(row, "n_offered") if row.get("n_offered") else None
        self._only_once(row, "start", (service.id, channel, start, end))
        name = f"{service.name}, {channel}, {start} – {last_day}"
        known = queries.find_volume(service, channel, start, end)
        if known is not None and (known.n_served, known.n_offered) == (n_served, n_offered):
            return name, Result.SAME
        try:
            actions.record_volume(
                service, channel=channel, start=start, end=end, n_served=n_served, n_offered=n_offered
            )
        except DomainError as error:
            column = "n_offered" if n_offered is not None and n_offered > n_served else "last_day"
            raise RowError(column, error.message, **error.params) from error
        return name, Result.ADDED if known is None else Result.CHANGED

    def _may_change(self, agency: Agency) -> bool:
        return self._paths is None or agency.path.startswith(tuple(self._paths))

    def _only_once(self, row: Row, column: str, key: Any) -> None:
        line = self._lines.setdefault(key, row.line)
        if line != row.line:
            raise RowError(column, TWICE, line=line)

    def _agency(self, row: Row, column: str) -> Agency:
        slug = row.need(column)
        agency = queries.find_agency(slug)
        if agency is None or not self._may_change(agency):
            raise RowError(column, NO_AGENCY, value=slug)
        return agency

    def _service(self, row: Row) -> Service:
        named = row.need("service")
        service = queries.find_service(named) or queries.find_service_by_external_id(named)
        if service is None or not self._may_change(service.agency):
            raise RowError("service", NO_SERVICE, value=named)
        return service


def _check_slug(slug: str) -> None:
    try:
        actions.check_slug(slug)
    except DomainError as error:
        raise RowError("slug", error.message, **error.params) from error


def _one_of(row: Row, column: str, kind: Any, *, needed: bool = False) -> str:
    value = row.need(column) if needed else row.get(column)
    if value and value not in set(kind):
        raise RowError(column, NOT_ONE_OF, value=value, known=", ".join(kind))
    return value


def _zone(row: Row) -> str:
    name = row.get("time_zone")
    if name and name not in available_timezones():
        raise RowError("time_zone", NO_ZONE, value=name)
    return name


def _month(row: Row) -> int:
    written = row.get("fiscal_year_start")
    if written and written not in {str(month) for month in range(1, 13)}:
        raise RowError("fiscal_year_start", NOT_A_MONTH)
    return int(written or 0)


def _languages(row: Row) -> list[str]:
    codes = [code for code in SEVERAL.split(row.get("languages")) if code]
    for code in codes:
        if not actions.LANGUAGE_CODE.fullmatch(code):
            raise RowError("languages", N_("“%(value)s” is not the code of a language."), value=code)
    return codes


def _channels(row: Row) -> list[str]:
    codes = [code for code in SEVERAL.split(row.get("channels")) if code]
    for code in codes:
        if code not in set(Channel):
            raise RowError("channels", NOT_ONE_OF, value=code, known=", ".join(Channel))
    return codes


def _yes_or_no(row: Row, otherwise: bool) -> bool:  # noqa: FBT001 - the value itself
    written = row.get("is_public").casefold()
    if not written:
        return otherwise
    if written not in YES | NO:
        raise RowError("is_public", NOT_ONE_OF, value=written, known="yes, no")
    return written in YES


def _day(row: Row, column: str) -> date:
    written = row.need(column)
    try:
        day = datetime.strptime(written, "%Y-%m-%d").date()  # noqa: DTZ007 - a day has no zone
        actions.day_after(day)
    except ValueError as error:
        raise RowError(column, NOT_A_DAY, value=written) from error
    except DomainError as error:
        raise RowError(column, error.message, **error.params) from error
    return day


def _whole(row: Row, column: str) -> int:
    written = row.need(column)
    if not re.fullmatch(r"[0-9]{1,9}", written):
        raise RowError(column, NOT_WHOLE, value=written)
    return int(written)
