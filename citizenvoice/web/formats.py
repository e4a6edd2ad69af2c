"""Template filters that write numbers, days, instants and languages the way the reader's language does."""

from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Protocol
from zoneinfo import ZoneInfo

import flask_babel
from babel import Locale, UnknownLocaleError
from babel import dates as babel_dates
from babel import numbers as babel_numbers
from flask import Flask, has_app_context
from flask_babel import gettext as _
from flask_babel import ngettext

DEFAULT_LOCALE = Locale("en")
MINUS, NO_BREAK_SPACE = "\N{MINUS SIGN}", "\N{NO-BREAK SPACE}"
ANY_FRACTION = 100  # a number whose plural is that of most numbers, in every language we know


class HasInterval(Protocol):
    """A figure with the two ends of its interval, in the unit of its value."""

    @property
    def lower(self) -> float:
        """The lower end."""

    @property
    def upper(self) -> float:
        """The upper end."""


def current_locale(locale: str | Locale | None = None) -> Locale:
    """Return the locale named, or the one of the current request, or English outside one."""
    if isinstance(locale, Locale):
        return locale
    if locale:
        return Locale.parse(locale.replace("-", "_"))
    return (flask_babel.get_locale() if has_app_context() else None) or DEFAULT_LOCALE


def current_zone(zone: str | tzinfo | None = None) -> tzinfo:
    """Return the time zone named, or the one of the current request, or UTC outside one."""
    if isinstance(zone, tzinfo):
        return zone
    if zone:
        return ZoneInfo(zone)
    found: tzinfo | None = flask_babel.get_timezone() if has_app_context() else None
    return found or UTC


def decimal(
    number: float, digits: int = 1, *, signed: bool = False, locale: str | Locale | None = None
) -> str:
    """Write a number with a fixed count of decimals: 1234.5 as "1,234.5", -3 as "−3.0", never "−0.0"."""
    size = round(number, digits) or 0
    written = babel_numbers.format_decimal(size, _pattern(digits), locale=current_locale(locale))
    return ("+" if signed and size > 0 else "") + written.replace("-", MINUS)


def count(number: int, *, locale: str | Locale | None = None) -> str:
    """Write a whole number with the separators of the locale: 12345 as "12,345"."""
    return babel_numbers.format_decimal(number, "#,##0", locale=current_locale(locale))


def percent(share: float, digits: int = 0, *, locale: str | Locale | None = None) -> str:
    """Write a share in [0, 1] as a percentage: 0.78 as "78%", or "78 %" where the language puts a space."""
    found = current_locale(locale)
    written = babel_numbers.format_percent(0, locale=found)
    return written.replace("0", decimal(share * 100, digits, locale=found), 1)


def points(difference: float, digits: int = 0, *, signed: bool = False) -> str:
    """Write a difference between two shares in percentage points: 0.09 as "9 points", or "+9 points"."""
    size = round(difference * 100, digits)
    return _in_points(decimal(size, digits, signed=signed), abs(size))


def interval(
    figure: HasInterval, unit: str = "percent", digits: int = 0, *, locale: str | Locale | None = None
) -> str:
    """Write both ends of an interval once with their unit: "74–82%", "−12 to 10 points"."""
    found = current_locale(locale)
    scale = 1 if unit == "number" else 100
    low, high = (decimal(end * scale, digits, locale=found) for end in (figure.lower, figure.upper))
    joined = _between(low, high) if MINUS in low else f"{low}–{high}"
    if unit == "number":
        return joined
    if unit == "points":
        return _in_points(joined, max(2, abs(round(figure.upper * scale, digits))))
    return babel_numbers.format_percent(0, locale=found).replace("0", joined, 1)


def day(value: date, *, locale: str | Locale | None = None, zone: str | tzinfo | None = None) -> str:
    """Write a day in full: "23 November 2026" in the order of the locale."""
    return babel_dates.format_date(_day_of(value, zone), "long", locale=current_locale(locale))


def short_day(value: date, *, locale: str | Locale | None = None, zone: str | tzinfo | None = None) -> str:
    """Write a day with a short month, for tables."""
    return babel_dates.format_date(_day_of(value, zone), "medium", locale=current_locale(locale))


def month(value: date, *, locale: str | Locale | None = None, zone: str | tzinfo | None = None) -> str:
    """Write the month of a day: "November 2026"."""
    return babel_dates.format_skeleton("yMMMM", _day_of(value, zone), locale=current_locale(locale))


def period(bounds: tuple[date, date], *, locale: str | Locale | None = None) -> str:
    """Write the days from the first up to, not including, the second; a whole month or year by its name."""
    start, end = bounds
    found = current_locale(locale)
    last = end - timedelta(days=1)
    if start.day == 1 and end.day == 1:
        if (end.year, end.month) == (start.year + start.month // 12, start.month % 12 + 1):
            return month(start, locale=found)
        if start.month == end.month == 1 and end.year == start.year + 1:
            return babel_dates.format_skeleton("y", start, locale=found)
    if start >= last:
        return day(start, locale=found)
    return babel_dates.format_interval(start, last, "yMMMd", locale=found)


def instant(value: datetime, *, locale: str | Locale | None = None, zone: str | tzinfo | None = None) -> str:
    """Write an instant as day, time and time zone, in the reader's time zone."""
    found, local = current_locale(locale), value.astimezone(current_zone(zone))
    written_day = babel_dates.format_date(local, "long", locale=found)
    written_time = babel_dates.format_time(local, "short", tzinfo=local.tzinfo, locale=found)
    name = babel_dates.get_timezone_name(local, width="short", locale=found)
    if name.startswith(("+", "-")):
        name = babel_dates.get_timezone_gmt(local, width="long", locale=found)
    return f"{written_day}, {written_time} {name}"


def since(value: datetime, now: datetime, *, locale: str | Locale | None = None) -> str:
    """Write how long before (or after) now an instant is: "3 days ago"."""
    return babel_dates.format_timedelta(value - now, add_direction=True, locale=current_locale(locale))


def language_name(code: str) -> str:
    """Name a language in that language: "es" as "español"; an unknown code stays as it is."""
    try:
        return Locale.parse(code.replace("-", "_")).get_display_name() or code
    except (UnknownLocaleError, ValueError):
        return code


def text_direction(code: str) -> str:
    """Return "rtl" for languages written right to left (Arabic, Hebrew, Persian, Urdu …), else "ltr"."""
    try:
        return Locale.parse(code.replace("-", "_")).text_direction
    except (UnknownLocaleError, ValueError):
        return "ltr"


FILTERS = {
    "count": count,
    "day": day,
    "decimal": decimal,
    "instant": instant,
    "interval": interval,
    "language_name": language_name,
    "month": month,
    "percent": percent,
    "percent_points": points,
    "period": period,
    "short_day": short_day,
    "since": since,
    "text_direction": text_direction,
}


def register(app: Flask) -> None:
    """Make the filters of this module known to the app's templates.

    ``count`` takes the place of Jinja's second name for ``length``: here it writes a number.
    """
    app.jinja_env.filters.update(FILTERS)


def _between(low: str, high: str) -> str:
    """Write a range whose dash would be taken for a minus sign, on one line."""
    return str(_("%(low)s to %(high)s", low=low, high=high)).replace(" ", NO_BREAK_SPACE)


def _in_points(written: str, size: float) -> str:
    """Put the unit after a number or range of this size, on the same line as the last digit."""
    plural_of = int(size) if size == int(size) else ANY_FRACTION
    named = ngettext("%(points)s point", "%(points)s points", plural_of, points=written)
    return str(named).replace(f"{written} ", f"{written}{NO_BREAK_SPACE}")


def _pattern(digits: int) -> str:
    return "#,##0." + "0" * digits if digits > 0 else "#,##0"


def _day_of(value: date, zone: str | tzinfo | None) -> date:
    return value.astimezone(current_zone(zone)).date() if isinstance(value, datetime) else value
