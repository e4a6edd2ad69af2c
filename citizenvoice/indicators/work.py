"""What is left to count: days and months of services that changed, and the marks that outlive a worker."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, literal_column, select, update

from citizenvoice.db import db
from citizenvoice.feedback.models import Receipt
from citizenvoice.indicators.models import Count, Grain, JobLease

MARK = "recount/"
MOST_CHANGES = 100_000  # looked at in one round
CLEAR_AT_ONCE = 5_000  # receipts marked in one commit: what bounds the time others wait

# Written so that both databases recognise the partial index on it.
UNCOUNTED: ColumnElement[Any] = literal_column("receipt.uncounted")


class Work(NamedTuple):
    """Days of one service and month to be counted again; no days means the whole month."""

    service_id: int
    month: date
    days: tuple[date, ...]

    @property
    def marks(self) -> list[str]:
        """Return the names of the leases that stand for this work until it is done."""
        if not self.days:
            return [month_mark(self.service_id, self.month)]
        return [f"{MARK}{self.service_id}/{day}" for day in self.days]

    @property
    def end(self) -> date:
        """Return the first day after the month."""
        return (self.month + timedelta(days=32)).replace(day=1)

    def holds(self, day: Any) -> Any:
        """Return the condition that a column's day is among those to count."""
        if self.days:
            return day.in_(self.days)
        return (day >= self.month) & (day < self.end)


def month_mark(service_id: int, day: date) -> str:
    """Return the name of the mark for the whole month of a day."""
    return f"{MARK}{service_id}/{day:%Y-%m}"


def is_idle() -> bool:
    """Return whether the stored counts have taken in everything."""
    return not pending()


def pending() -> list[Work]:
    """Return the work left behind by a worker that died, and the work that changes since made; by service."""
    found: dict[tuple[int, date], set[date] | None] = {}
    marks = select(JobLease.name).where(JobLease.name.startswith(MARK)).order_by(JobLease.name)
    for name in db.session.scalars(marks):
        _, service, marked = name.split("/")
        if len(marked) == len("2026-01"):
            found[int(service), date.fromisoformat(f"{marked}-01")] = None
        else:
            _add_day(found, int(service), date.fromisoformat(marked))
    for service_id, day in set(db.session.execute(changed()).all()):
        _add_day(found, service_id, day)
    return [
        Work(service_id, month, tuple(sorted(days)) if days is not None else ())
        for (service_id, month), days in sorted(found.items(), key=lambda item: item[0])
    ]


def changed() -> Select[int, date]:
    """Return the statement for the days of the oldest changes, read from the index of what is uncounted.

    Grouping in the database would tempt SQLite to walk through every receipt there is.
    """
    return select(Receipt.service_id, Receipt.day).where(UNCOUNTED).order_by(Receipt.id).limit(MOST_CHANGES)


def everything() -> list[Work]:
    """Return every service and month that has receipts or counts, in order."""
    days = select(Receipt.service_id, Receipt.day).distinct()
    found = {(service, day.replace(day=1)) for service, day in db.session.execute(days)}
    counted_months = select(Count.service_id, Count.start).where(Count.grain == Grain.MONTH).distinct()
    found |= {(service, start) for service, start in db.session.execute(counted_months)}
    return [Work(service_id, month, ()) for service_id, month in sorted(found)]


def _add_day(found: dict[tuple[int, date], set[date] | None], service_id: int, day: date) -> None:
    days = found.setdefault((service_id, day.replace(day=1)), set())
    if days is not None:
        days.add(day)


def clear(work: Work) -> int:
    """Take some of the changed receipts of this work out of what is uncounted, and return how many."""
    some = (
        select(Receipt.id)
        .where(UNCOUNTED, Receipt.service_id == work.service_id, work.holds(Receipt.day))
        .order_by(Receipt.id)
        .limit(CLEAR_AT_ONCE)
        .with_for_update()
    )
    cleared: Any = db.session.execute(_cleared(some))
    return int(cleared.rowcount)


def clear_oldest() -> tuple[int, list[str]]:
    """Take the oldest changed receipts out of what is uncounted; return how many, and the marks they need."""
    some = select(Receipt.id).where(UNCOUNTED).order_by(Receipt.id).limit(CLEAR_AT_ONCE).with_for_update()
    where = db.session.execute(_cleared(some).returning(Receipt.service_id, Receipt.day)).all()
    return len(where), sorted({month_mark(service_id, day) for service_id, day in where})


def _cleared(some: Select[int]) -> Any:
    cleared = update(Receipt).where(Receipt.id.in_(some)).values(uncounted=False)
    return cleared.execution_options(synchronize_session=False)  # nor have every id sent back


def leave_marks(names: Iterable[str], token: str, now: datetime) -> None:
    """Leave marks (or any lease) where there is none of that name."""
    rows = [{"name": name, "token": token, "until": now} for name in names]
    if not rows:
        return
    if db.engine.dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert as insert_unless_there
    else:
        from sqlalchemy.dialects.sqlite import insert as insert_unless_there  # type: ignore[assignment]
    db.session.execute(insert_unless_there(JobLease).on_conflict_do_nothing(), rows)
