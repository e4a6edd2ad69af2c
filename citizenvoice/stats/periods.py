"""Days, ISO weeks, months, quarters and fiscal years: which one a day is in, and how they are written."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

ONE_DAY = timedelta(days=1)
MONTHS = {"month": 1, "quarter": 3, "year": 12}


class PeriodKind(StrEnum):
    """How long a period is."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


@dataclass(frozen=True, slots=True)
class Period:
    """A stretch of days from ``start`` up to, not including, ``end_exclusive``.

    ``fiscal_start`` is the month the fiscal year begins in; it matters to quarters and years only
    and is 1 for the other kinds, so that equal periods are equal.
    """

    start: date
    end_exclusive: date
    kind: PeriodKind
    fiscal_start: int = 1

    @property
    def last_day(self) -> date:
        """Name the last day inside the period."""
        return self.end_exclusive - ONE_DAY

    @property
    def n_days(self) -> int:
        """Count the days."""
        return (self.end_exclusive - self.start).days

    @property
    def key(self) -> str:
        """Write the period: ``2026-03-14``, ``2026-W07``, ``2026-03``, ``2026-Q1`` or ``FY2026``."""
        match self.kind:
            case PeriodKind.DAY:
                return self.start.isoformat()
            case PeriodKind.WEEK:
                year, week, _ = self.start.isocalendar()
                return f"{year:04d}-W{week:02d}"
            case PeriodKind.MONTH:
                return self.start.isoformat()[:7]
            case PeriodKind.QUARTER:
                year, month = _fiscal(self.start, self.fiscal_start)
                return f"{year:04d}-Q{month // 3 + 1}"
            case PeriodKind.YEAR:
                return f"FY{_fiscal(self.start, self.fiscal_start)[0]:04d}"

    def __contains__(self, day: date) -> bool:
        return self.start <= day < self.end_exclusive

    def days(self) -> Iterator[date]:
        """Go through the days in order."""
        day = self.start
        while day < self.end_exclusive:
            yield day
            day += ONE_DAY

    def next(self) -> "Period":
        """Return the period of the same kind that follows."""
        return period_of(self.end_exclusive, self.kind, self.fiscal_start)

    def previous(self) -> "Period":
        """Return the period of the same kind that came before."""
        return period_of(self.start - ONE_DAY, self.kind, self.fiscal_start)


def period_of(day: date, kind: PeriodKind, fiscal_start: int = 1) -> Period:
    """Find the period of a kind that a day is in.

    Parameters
    ----------
    day : date
        Any day.
    kind : PeriodKind
        Weeks are ISO weeks (Monday to Sunday).
    fiscal_start : int
        Month the fiscal year begins in, 1 to 12. Quarters are quarters of the fiscal year, and
        the fiscal year has the name of the calendar year it ends in: with 10, 1 October 2025 is
        in ``2026-Q1`` of ``FY2026``.

    Raises
    ------
    ValueError
        If ``fiscal_start`` is not a month.

    Examples
    --------
    >>> period_of(date(2026, 2, 14), PeriodKind.WEEK).key
    '2026-W07'
    >>> period_of(date(2025, 10, 1), PeriodKind.QUARTER, fiscal_start=10).key
    '2026-Q1'
    """
    if not 1 <= fiscal_start <= 12:
        raise ValueError(f"{fiscal_start} is not a month")
    kind = PeriodKind(kind)
    if kind is PeriodKind.DAY:
        return Period(day, day + ONE_DAY, kind)
    if kind is PeriodKind.WEEK:
        monday = day - timedelta(days=day.weekday())
        return Period(monday, monday + timedelta(days=7), kind)
    first = 1 if kind is PeriodKind.MONTH else fiscal_start
    n_months = MONTHS[kind]
    number = day.year * 12 + day.month - 1
    start = number - (number - (first - 1)) % n_months
    return Period(_month_start(start), _month_start(start + n_months), kind, first)


def periods_between(start: date, end: date, kind: PeriodKind, fiscal_start: int = 1) -> Iterator[Period]:
    """Go through the periods that share a day with ``start`` up to, not including, ``end``, in order.

    Examples
    --------
    >>> months = periods_between(date(2026, 1, 15), date(2026, 3, 1), PeriodKind.MONTH)
    >>> [month.key for month in months]
    ['2026-01', '2026-02']
    """
    if start >= end:
        return
    period = period_of(start, kind, fiscal_start)
    while period.start < end:
        yield period
        period = period.next()


def latest(n: int, last: Period) -> list[Period]:
    """List ``n`` periods in order of time, the last being the one given.

    Examples
    --------
    >>> [month.key for month in latest(3, parse("2026-01"))]
    ['2025-11', '2025-12', '2026-01']
    """
    found: list[Period] = []
    period = last
    while len(found) < n:
        found.append(period)
        period = period.previous()
    return found[::-1]


def parse(key: str, fiscal_start: int = 1) -> Period:
    """Read a period as `Period.key` writes it.

    Parameters
    ----------
    key : str
        ``2026-03-14``, ``2026-W07``, ``2026-03``, ``2026-Q1`` or ``FY2026``.
    fiscal_start : int
        Month the fiscal year begins in, as in `period_of`.

    Raises
    ------
    ValueError
        If the text is not a period.

    Examples
    --------
    >>> parse("2026-03").end_exclusive
    datetime.date(2026, 4, 1)
    >>> parse("FY2026", fiscal_start=10).start
    datetime.date(2025, 10, 1)
    """
    for pattern, kind in _PATTERNS:
        if match := re.fullmatch(pattern, key, re.ASCII):
            try:
                day = _first_day(kind, [int(part) for part in match.groups()], fiscal_start)
                return period_of(day, kind, fiscal_start)
            except OverflowError as error:
                raise ValueError(f"{key!r} ends after the last day of the calendar") from error
    raise ValueError(f"{key!r} is not a period")


def months_and_days(start: date, end: date) -> tuple[list[date], list[date]]:
    """Split any range into the whole months inside it and the days left over at its ends.

    Parameters
    ----------
    start, end : date
        First day of the range, and the first day no longer in it.

    Returns
    -------
    months : list of date
        First days of the months wholly inside, in order.
    days : list of date
        All other days, in order; at most 60 of them.

    Examples
    --------
    >>> months, days = months_and_days(date(2026, 1, 30), date(2026, 4, 2))
    >>> [f"{month:%Y-%m}" for month in months], [f"{day:%m-%d}" for day in days]
    (['2026-02', '2026-03'], ['01-30', '01-31', '04-01'])
    """
    months: list[date] = []
    days: list[date] = []
    for month in periods_between(start, end, PeriodKind.MONTH):
        if start <= month.start and month.end_exclusive <= end:
            months.append(month.start)
        else:
            days.extend(day for day in month.days() if start <= day < end)
    return months, days


_PATTERNS = (
    (r"(\d{4})-(\d{2})-(\d{2})", PeriodKind.DAY),
    (r"(\d{4})-W(\d{2})", PeriodKind.WEEK),
    (r"(\d{4})-(\d{2})", PeriodKind.MONTH),
    (r"(\d{4})-Q([1-4])", PeriodKind.QUARTER),
    (r"FY(\d{4})", PeriodKind.YEAR),
)


def _first_day(kind: PeriodKind, parts: list[int], fiscal_start: int) -> date:
    year, *rest = parts
    match kind:
        case PeriodKind.DAY:
            return date(year, *rest)
        case PeriodKind.WEEK:
            return date.fromisocalendar(year, rest[0], 1)
        case PeriodKind.MONTH:
            return date(year, rest[0], 1)
    quarter = rest[0] if rest else 1
    begins = year if fiscal_start == 1 else year - 1
    return _month_start(begins * 12 + fiscal_start - 1 + 3 * (quarter - 1))


def _month_start(number: int) -> date:
    return date(number // 12, number % 12 + 1, 1)


def _fiscal(day: date, fiscal_start: int) -> tuple[int, int]:
    """Give the fiscal year a day is in, and the months that had passed of it."""
    passed = (day.month - fiscal_start) % 12
    begins = day.year if day.month >= fiscal_start else day.year - 1
    return (begins if fiscal_start == 1 else begins + 1), passed
