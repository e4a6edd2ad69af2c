"""Which figures a page shows (periods, channel, language, segment), read once from its address."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from babel import dates as babel_dates
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from citizenvoice.agencies.models import Service
from citizenvoice.indicators.pooling import Slice
from citizenvoice.stats.periods import Period, PeriodKind, latest, parse, period_of
from citizenvoice.web import formats
from citizenvoice.web.clock import day_in

# How many periods of each kind one line shows.
HOW_MANY = {
    PeriodKind.DAY: 30,
    PeriodKind.WEEK: 26,
    PeriodKind.MONTH: 12,
    PeriodKind.QUARTER: 8,
    PeriodKind.YEAR: 4,
}
KIND_NAMES = {
    PeriodKind.DAY: _l("Day"),
    PeriodKind.WEEK: _l("Week"),
    PeriodKind.MONTH: _l("Month"),
    PeriodKind.QUARTER: _l("Quarter"),
    PeriodKind.YEAR: _l("Fiscal year"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureQuery:
    """The figures a page, its table and its file show alike: up to which period, of whom."""

    today: date
    last: Period
    fiscal_start: int = 1
    channel: str = ""
    language: str = ""
    segment: str = ""
    value: str = ""

    @property
    def kind(self) -> PeriodKind:
        """Return how long a period is."""
        return self.last.kind

    @property
    def periods(self) -> list[Period]:
        """Return the periods shown, in order of time."""
        return latest(HOW_MANY[self.kind], self.last)

    @property
    def start(self) -> date:
        """Return the first day shown."""
        return self.periods[0].start

    @property
    def end(self) -> date:
        """Return the first day no longer shown."""
        return self.last.end_exclusive

    @property
    def part(self) -> Slice:
        """Return what part of the responses is shown."""
        return Slice(
            channel=self.channel or None,
            language=self.language or None,
            segment=self.segment,
            value=self.value,
        )

    @property
    def is_narrowed(self) -> bool:
        """Tell whether only a part of the responses is shown."""
        return bool(self.channel or self.language or self.segment)

    def address(self, **changes: str) -> dict[str, str]:
        """Return the arguments of the address that shows this, with changes; defaults are left out."""
        current = period_of(self.today, self.kind, self.fiscal_start)
        found = {
            "period": "" if self.kind is PeriodKind.MONTH else str(self.kind),
            "until": "" if self.last == current else self.last.key,
            "channel": self.channel,
            "language": self.language,
            "segment": f"{self.segment}:{self.value}" if self.segment else "",
        }
        return {name: value for name, value in (found | changes).items() if value}

    def comments(self, **more: str) -> dict[str, str]:
        """Return the arguments of the explorer's address for the comments of the same days and people."""
        found = {
            "from": self.start.isoformat(),
            "to": min(self.last.last_day, self.today).isoformat(),
            "channel": self.channel,
            "language": self.language,
            "segment": f"{self.segment}:{self.value}" if self.segment else "",
        }
        return {name: value for name, value in (found | more).items() if value}

    def earlier(self) -> dict[str, str]:
        """Return the address of the periods before those shown."""
        return self.address(until=self.periods[0].previous().key)

    def later(self) -> dict[str, str] | None:
        """Return the address of the periods after those shown, or None where they are in the future."""
        current = period_of(self.today, self.kind, self.fiscal_start)
        if self.last.start >= current.start:
            return None
        following = self.last
        for _step in range(HOW_MANY[self.kind]):
            following = following.next()
        return self.address(until="" if following.start >= current.start else following.key)


def query_about(service: Service, arguments: Mapping[str, str], now: datetime) -> FigureQuery:
    """Read what a page about a service shows, in its agency's own days and fiscal years."""
    agency = service.agency
    return read_query(arguments, today=day_in(agency.time_zone, now), fiscal_start=agency.fiscal_year_start)


def read_query(arguments: Mapping[str, str], *, today: date, fiscal_start: int) -> FigureQuery:
    """Read what a page shows from its address; what makes no sense there is taken as not given."""
    kind = read_kind(arguments)
    current = period_of(today, kind, fiscal_start)
    last = current
    try:
        asked = parse(arguments.get("until", ""), fiscal_start)
    except ValueError:
        asked = current
    if asked.kind is kind and asked.start <= current.start and asked.start.year > today.year - 50:
        last = asked
    segment, _separator, value = arguments.get("segment", "").partition(":")
    return FigureQuery(
        today=today,
        last=last,
        fiscal_start=fiscal_start,
        channel=arguments.get("channel", "")[:30],
        language=arguments.get("language", "")[:12],
        segment=segment[:60] if value else "",
        value=value[:60],
    )


def read_kind(arguments: Mapping[str, str]) -> PeriodKind:
    """Return the kind of period an address asks for; months where it asks for none."""
    asked = arguments.get("period", "")
    return PeriodKind(asked) if asked in set(PeriodKind) else PeriodKind.MONTH


def period_name(period: Period) -> str:
    """Write a period the way its reader's language does."""
    if period.kind is PeriodKind.WEEK:
        return str(_("week of %(day)s", day=formats.short_day(period.start)))
    if period.kind in {PeriodKind.QUARTER, PeriodKind.YEAR}:
        return _fiscal_name(period)
    return formats.month(period.start) if period.kind is PeriodKind.MONTH else formats.day(period.start)


def _fiscal_name(period: Period) -> str:
    is_fiscal = period.fiscal_start != 1
    if period.kind is PeriodKind.YEAR:
        year = period.key.removeprefix("FY")
        return str(_("fiscal year %(year)s", year=year)) if is_fiscal else year
    year, _dash, number = period.key.partition("-Q")
    if is_fiscal:
        return str(_("quarter %(number)s of fiscal year %(year)s", number=number, year=year))
    return str(_("quarter %(number)s of %(year)s", number=number, year=year))


def period_tick(period: Period) -> str:
    """Write a period as shortly as an axis needs it."""
    match period.kind:
        case PeriodKind.DAY | PeriodKind.WEEK:
            return _skeleton("MMMd", period.start)
        case PeriodKind.MONTH:
            return _skeleton("MMM", period.start)
        case PeriodKind.QUARTER:
            year, _dash, number = period.key.partition("-Q")
            return str(_("Q%(number)s %(year)s", number=number, year=year[2:]))
        case PeriodKind.YEAR:
            return period.key.removeprefix("FY")


def _skeleton(pattern: str, day: date) -> str:
    written: Any = babel_dates.format_skeleton(pattern, day, locale=formats.current_locale())
    return str(written)
