"""Keeps the stored counts equal to what was sent, by counting changed days again from the start.

A change only sets ``Receipt.uncounted``. One worker at a time (a `JobLease`) then takes the days of these
receipts in three steps, so that the database is never locked for long:

1. clear ``uncounted`` and leave a mark for each day (a lease ``recount/<service>/<day>``), in one commit;
2. read and add up the whole days, in no transaction;
3. replace the day rows and the month rows they add up to, and remove the marks, in one commit.

A change that arrives after step 1 sets ``uncounted`` again and is counted again. A worker that dies leaves
its marks, and the next one takes the marked days first. Counting a day twice gives the same rows.
"""

import gc
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import delete, select, update

from citizenvoice.db import db, writing
from citizenvoice.indicators import cells, contributions, stored_rows, work
from citizenvoice.indicators.adding import add_up
from citizenvoice.indicators.features import Features
from citizenvoice.indicators.models import Count, Grain, JobLease
from citizenvoice.indicators.stored_rows import RowsByVersion
from citizenvoice.indicators.work import Work
from citizenvoice.surveys.models import SurveyVersion
from citizenvoice.surveys.parsing import parse_definition

JOB = "count"
LEASE = timedelta(seconds=30)
PATIENCE = 10  # a day is not counted again sooner than this many times what counting it took


class LostError(Exception):
    """Another worker took the job over because this one was too slow; nothing was written."""


@dataclass(slots=True)
class CountingWorker:
    """One process's part in counting: its token, and until when it leaves expensive days alone."""

    token: str
    lease: timedelta = LEASE
    patience: float = PATIENCE
    _not_before: dict[tuple[int, date], float] = field(default_factory=dict)

    def count_next(self, now: Callable[[], datetime]) -> int:
        """Count what changed, one service and month after the other; return how many days were counted.

        Commits. Returns 0 when nothing is due or another worker is at it.
        """
        due = [one for one in work.pending() if self._is_due(one)]
        db.session.rollback()
        if not due or not self._take(now()):
            return 0
        n_days = 0
        for one in due:
            started = time.monotonic()
            if not self._try(lambda: self._mark_and_count(one, now)):  # noqa: B023 - called at once
                return n_days
            n_days += max(1, len(one.days))
            ended = time.monotonic()
            self._not_before[one.service_id, one.month] = ended + self.patience * (ended - started)
        self._give_back(now())
        return n_days

    def recount(self, now: Callable[[], datetime], progress: Callable[[int, int], None] | None = None) -> int:
        """Count everything from the start and return the number of service months; waits for its turn.

        Commits per service and month. What changed before is taken over in the order it arrived, which costs
        far less than month by month; what changes meanwhile is left to `count_next`.
        """
        self._wait(now)
        while not self._try(lambda: self._mark_oldest(now)):
            self._wait(now)
        months = work.everything()
        db.session.rollback()
        for done, one in enumerate(months, start=1):
            while not self._try(lambda: self._count(one, now)):  # noqa: B023 - called at once
                self._wait(now)
            if progress:
                progress(done, len(months))
        self._give_back(now())
        return len(months)

    def _wait(self, now: Callable[[], datetime]) -> None:
        while not self._take(now()):
            time.sleep(0.2)

    def _try(self, step: Callable[[], None]) -> bool:
        """Take a step; False when another worker took over meanwhile."""
        try:
            step()
        except LostError:
            db.session.rollback()
            return False
        return True

    def _is_due(self, work: Work) -> bool:
        return time.monotonic() >= self._not_before.get((work.service_id, work.month), 0.0)

    def _mark_and_count(self, due: Work, now: Callable[[], datetime]) -> None:
        self._mark(due, now)
        self._count(due, now)

    def _count(self, due: Work, now: Callable[[], datetime]) -> None:
        with _without_collector():
            days, months = _add_up(due, lambda: self._renew(now()))
            if due.days:
                months = _corrected_months(due, days)
            db.session.rollback()
            with writing():
                self._hold(now())
                stored_rows.replace(due, days, months)
                db.session.execute(delete(JobLease).where(JobLease.name.in_(due.marks)))
                db.session.commit()

    def _mark(self, due: Work, now: Callable[[], datetime]) -> None:
        """Take the changed receipts over from ``uncounted`` into marks that outlive this process."""
        while True:
            with writing():
                self._hold(now())
                work.leave_marks(due.marks, self.token, now())
                n_cleared = work.clear(due)
                db.session.commit()
            if n_cleared < work.CLEAR_AT_ONCE:
                return

    def _mark_oldest(self, now: Callable[[], datetime]) -> None:
        """Take all changed receipts over into marks of whole months, the oldest first."""
        while True:
            with writing():
                self._hold(now())
                n_cleared, marks = work.clear_oldest()
                work.leave_marks(marks, self.token, now())
                db.session.commit()
            if n_cleared < work.CLEAR_AT_ONCE:
                return

    def _take(self, now: datetime) -> bool:
        with writing():
            lease = db.session.get(JobLease, JOB, with_for_update=True, populate_existing=True)
            if lease is not None and lease.token != self.token and lease.until > now:
                db.session.rollback()
                return False
            if lease is None:
                work.leave_marks([JOB], self.token, now)
                lease = db.session.get(JobLease, JOB, with_for_update=True, populate_existing=True)
            if lease is None or (lease.token != self.token and lease.until > now):
                db.session.rollback()
                return False
            lease.token, lease.until = self.token, now + self.lease
            db.session.commit()
            return True

    def _hold(self, now: datetime) -> None:
        """Renew the lease inside the caller's transaction; raise LostError if another worker has it."""
        renewed: Any = db.session.execute(
            update(JobLease)
            .where(JobLease.name == JOB, JobLease.token == self.token)
            .values(until=now + self.lease)
        )
        if renewed.rowcount == 0:
            raise LostError

    def _renew(self, now: datetime) -> None:
        db.session.rollback()
        with writing():
            self._hold(now)
            db.session.commit()

    def _give_back(self, now: datetime) -> None:
        db.session.rollback()
        with writing():
            db.session.execute(
                update(JobLease).where(JobLease.name == JOB, JobLease.token == self.token).values(until=now)
            )
            db.session.commit()


@contextmanager
def _without_collector() -> Iterator[None]:
    """Spare the garbage collector millions of small dictionaries, none of which is part of a cycle."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _add_up(due: Work, between: Callable[[], None]) -> tuple[RowsByVersion, RowsByVersion]:
    """Add up the responses of these days; return the day and month rows of each version."""
    days: RowsByVersion = defaultdict(list)
    months: RowsByVersion = defaultdict(list)
    n_pieces = 0
    for piece in contributions.pieces(due):
        if n_pieces:
            between()
        for version_id, found in contributions.read(due.service_id, piece).items():
            rows = add_up(_features(version_id), found)
            days[version_id] += rows.days
            months[version_id] += rows.months
        n_pieces += 1
    if n_pieces > 1:
        return _joined(days), _joined(months)
    return days, months


def _joined(rows: RowsByVersion) -> RowsByVersion:
    return {version_id: cells.add_rows(found) for version_id, found in rows.items()}


@lru_cache(maxsize=64)
def _features_of(digest: str, version_id: int) -> Features:  # noqa: ARG001 - a new digest is a new definition
    definition = db.session.scalar(select(SurveyVersion.definition).where(SurveyVersion.id == version_id))
    return Features(parse_definition(definition))


def _features(version_id: int) -> Features:
    digest = db.session.scalar(select(SurveyVersion.digest).where(SurveyVersion.id == version_id))
    return _features_of(f"{db.engine.url}{digest}", version_id)


def _corrected_months(due: Work, days: RowsByVersion) -> RowsByVersion:
    """Return the stored month rows with these days in place of what was stored of them."""
    before = stored_rows.read(due, Count.grain == Grain.DAY, Count.start.in_(due.days))
    months = stored_rows.read(due, Count.grain == Grain.MONTH)
    return {
        version_id: cells.add_rows(
            [*months.get(version_id, ()), *cells.months_of(days.get(version_id, ()))],
            less=cells.months_of(before.get(version_id, ())),
        )
        for version_id in {*days, *before, *months}
    }
