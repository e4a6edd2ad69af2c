"""The one place that reads the clock, and the calendar days agencies live by."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo


def utc_now() -> datetime:
    """Return this instant, aware, in UTC."""
    return datetime.now(UTC)


def day_in(zone: str, instant: datetime) -> date:
    """Return the calendar day of an instant in a time zone such as ``America/Mexico_City``."""
    return instant.astimezone(ZoneInfo(zone)).date()
