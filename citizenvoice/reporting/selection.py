"""Which contributions a page or a file is about (services, days, channel), read from its address."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import ColumnElement

from citizenvoice.feedback.models import Comment, Exclusion, Receipt
from citizenvoice.stats.periods import parse as parse_period

COUNTED_UP_TO = 10_000
SEARCH_MAX_CHARS = 200
ONE_DAY = timedelta(days=1)
ALL = "all"
EXCLUDED = (ALL, *(str(reason) for reason in Exclusion))


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Contributions to some services: the same value for a page, its count and its files.

    ``start`` and ``end`` are days, ``end`` the first one not wanted. Contributions that do not count are left
    out unless ``excluded`` names a reason (those only) or is ``all`` (beside those that count). Where
    a page is about several services, ``service`` is the one its address asks for.
    """

    service_ids: tuple[int, ...]
    service: str = ""
    channel: str = ""
    language: str = ""
    start: date | None = None
    end: date | None = None
    excluded: str = ""

    @property
    def last_day(self) -> date | None:
        """The last day wanted."""
        return self.end - ONE_DAY if self.end else None

    @property
    def own_args(self) -> dict[str, str]:
        """What an address says beside what every selection has."""
        return {}

    @property
    def to_args(self) -> dict[str, str]:
        """What an address says to mean this selection; reading it back gives an equal value."""
        found = {
            "service": self.service,
            **self.own_args,
            "channel": self.channel,
            "language": self.language,
            "from": self.start.isoformat() if self.start else "",
            "to": self.last_day.isoformat() if self.last_day else "",
            "excluded": self.excluded,
        }
        return {name: value for name, value in found.items() if value}

    def of_services(self, table: type[Comment] | type[Receipt]) -> ColumnElement[bool]:
        """Return the condition on the service."""
        is_one = len(self.service_ids) == 1
        return table.service_id == self.service_ids[0] if is_one else table.service_id.in_(self.service_ids)

    def when_and_how(self, table: type[Comment] | type[Receipt]) -> list[ColumnElement[bool]]:
        """Return the conditions on day, channel and language, which both tables hold."""
        found: list[ColumnElement[bool]] = []
        if self.start:
            found.append(table.day >= self.start)
        if self.end:
            found.append(table.day < self.end)
        equal = {table.channel: self.channel, table.language: self.language}
        return found + [column == wanted for column, wanted in equal.items() if wanted]


class Address:
    """Reads the parts of an address and remembers which of them mean nothing."""

    def __init__(self, args: Mapping[str, str], fiscal_start: int) -> None:
        self.args, self.fiscal_start = args, fiscal_start
        self.ignored: list[str] = []

    def known(self, name: str, values: Collection[str]) -> str:
        """Return a value if it is a known one."""
        value = self.args.get(name, "").strip()
        if value and value not in values:
            self.ignored.append(name)
            return ""
        return value

    def search(self) -> str:
        """Return what is sought, unless it is too long."""
        sought = self.args.get("q", "").strip()
        if len(sought) > SEARCH_MAX_CHARS:
            self.ignored.append("q")
            return ""
        return sought

    def days(self) -> tuple[date | None, date | None]:
        """Return the first day wanted and the first no longer wanted, from a period or from two days."""
        start = end = None
        if period := self.args.get("period", "").strip():
            try:
                found = parse_period(period, self.fiscal_start)
            except ValueError:
                self.ignored.append("period")
            else:
                start, end = found.start, found.end_exclusive
        first, last = self._day("from"), self._day("to")
        start = first or start
        end = last + ONE_DAY if last else end
        if start and end and start >= end:
            self.ignored.append("to")
            end = None
        return start, end

    def _day(self, name: str) -> date | None:
        value = self.args.get(name, "").strip()
        if not value:
            return None
        try:
            found = date.fromisoformat(value)
        except ValueError:
            found = date.max
        if not 1900 <= found.year <= 2200:
            self.ignored.append(name)
            return None
        return found
