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
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

import orjson
from sqlalchemy import (
    ColumnElement,
    Select,
    Text,
    case,
    cast,
    delete,
    func,
    literal_column,
    null,
    select,
    update,
)

from citizenvoice.analysis.queries import effective_sentiment, effective_themes, with_reading
from citizenvoice.db import db, writing
from citizenvoice.feedback.models import Comment, Receipt
from citizenvoice.feedback.queries import counted
from citizenvoice.indicators import cells
from citizenvoice.indicators.cells import Cell, CommentRow, Counter, ResponseRow, Row
from citizenvoice.indicators.models import Count, Grain, JobLease
from citizenvoice.surveys.definition import parse_definition
from citizenvoice.surveys.models import Response, SurveyVersion

JOB = "count"
MARK = "recount/"
LEASE = timedelta(seconds=30)
CHUNK = 20_000  # responses added up at a time: what bounds the memory
MOST_CHANGES = 100_000  # looked at in one round
CLEAR_AT_ONCE = 5_000  # receipts marked in one commit: what bounds the time others wait
PATIENCE = 10  # a day is not counted again sooner than this many times what counting it took

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
            return [f"{MARK}{self.service_id}/{self.month:%Y-%m}"]
        return [f"{MARK}{self.service_id}/{day}" for day in self.days]


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
        work = [one for one in pending() if self._is_due(one)]
        db.session.rollback()
        if not work or not self._take(now()):
            return 0
        n_days = 0
        for one in work:
            started = time.monotonic()
            if not self._try(one, now):
                return n_days
            n_days += max(1, len(one.days))
            ended = time.monotonic()
            self._not_before[one.service_id, one.month] = ended + self.patience * (ended - started)
        self._give_back(now())
        return n_days

    def recount(self, now: Callable[[], datetime], progress: Callable[[int, int], None] | None = None) -> int:
        """Count everything from the start and return the number of service months; waits for its turn.

        Commits per service and month.
        """
        self._wait(now)
        work = everything()
        db.session.rollback()
        for done, one in enumerate(work, start=1):
            while not self._try(one, now):
                self._wait(now)
            if progress:
                progress(done, len(work))
        self._give_back(now())
        return len(work)

    def _wait(self, now: Callable[[], datetime]) -> None:
        while not self._take(now()):
            time.sleep(0.2)

    def _try(self, work: Work, now: Callable[[], datetime]) -> bool:
        """Count some days; False when another worker took over meanwhile."""
        try:
            self._count(work, now)
        except LostError:
            db.session.rollback()
            return False
        return True

    def _is_due(self, work: Work) -> bool:
        return time.monotonic() >= self._not_before.get((work.service_id, work.month), 0.0)

    def _count(self, work: Work, now: Callable[[], datetime]) -> None:
        with _without_collector():
            self._count_days(work, now)

    def _count_days(self, work: Work, now: Callable[[], datetime]) -> None:
        self._mark(work, now)
        days, months = _add_up(work, lambda: self._renew(now()))
        if work.days:
            months = _corrected_months(work, days)
        db.session.rollback()
        with writing():
            self._hold(now())
            _replace(work, days, months)
            db.session.execute(delete(JobLease).where(JobLease.name.in_(work.marks)))
            db.session.commit()

    def _mark(self, work: Work, now: Callable[[], datetime]) -> None:
        """Take the changed receipts over from ``uncounted`` into marks that outlive this process."""
        while True:
            with writing():
                self._hold(now())
                _leave_marks(work.marks, self.token, now())
                cleared: Any = db.session.execute(_clear(work))
                db.session.commit()
            if cleared.rowcount < CLEAR_AT_ONCE:
                return

    def _take(self, now: datetime) -> bool:
        with writing():
            lease = db.session.get(JobLease, JOB, with_for_update=True, populate_existing=True)
            if lease is not None and lease.token != self.token and lease.until > now:
                db.session.rollback()
                return False
            if lease is None:
                _leave_marks([JOB], self.token, now)
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


def _clear(work: Work) -> Any:
    some = (
        select(Receipt.id)
        .where(UNCOUNTED, Receipt.service_id == work.service_id, _in_days(work))
        .order_by(Receipt.id)
        .limit(CLEAR_AT_ONCE)
        .with_for_update()
    )
    cleared = update(Receipt).where(Receipt.id.in_(some)).values(uncounted=False)
    return cleared.execution_options(synchronize_session=False)  # nor have every id sent back


def _in_days(work: Work) -> Any:
    if work.days:
        return Receipt.day.in_(work.days)
    return (Receipt.day >= work.month) & (Receipt.day < _next_month(work.month))


def _next_month(month: date) -> date:
    return (month + timedelta(days=32)).replace(day=1)


def _leave_marks(names: Sequence[str], token: str, now: datetime) -> None:
    rows = [{"name": name, "token": token, "until": now} for name in names]
    if db.engine.dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert as insert_unless_there
    else:
        from sqlalchemy.dialects.sqlite import insert as insert_unless_there  # type: ignore[assignment]
    db.session.execute(insert_unless_there(JobLease).on_conflict_do_nothing(), rows)


RowsByVersion = dict[int, list[Row]]


def _add_up(work: Work, between: Callable[[], None]) -> tuple[RowsByVersion, RowsByVersion]:
    """Add up the responses of these days; return the day and month rows of each version."""
    days: RowsByVersion = defaultdict(list)
    months: RowsByVersion = defaultdict(list)
    n_chunks = 0
    for condition in _chunks(work):
        if n_chunks:
            between()
        chunk = _read_chunk(work.service_id, condition)
        for version_id, (responses, comments, themes) in chunk.items():
            rows = _counter(version_id).add_up(responses, comments, themes)
            days[version_id] += rows.days
            months[version_id] += rows.months
        n_chunks += 1
    if n_chunks > 1:
        return _joined(days), _joined(months)
    return days, months


def _joined(rows: RowsByVersion) -> RowsByVersion:
    return {version_id: cells.add_rows(found) for version_id, found in rows.items()}


def _chunks(work: Work) -> Iterator[Any]:
    """Yield conditions that part the days into pieces small enough for the memory."""
    sizes = (
        select(Receipt.day, func.count())
        .where(Receipt.service_id == work.service_id, _in_days(work))
        .group_by(Receipt.day)
        .order_by(Receipt.day)
    )
    days: list[date] = []
    n = 0
    for day, size in db.session.execute(sizes).all():
        if size > CHUNK:
            n_parts = size // CHUNK + 1
            yield from ((Receipt.day == day) & (Receipt.id % n_parts == part) for part in range(n_parts))
            continue
        if n + size > CHUNK:
            yield Receipt.day.in_(days)
            days, n = [], 0
        days.append(day)
        n += size
    if days:
        yield Receipt.day.in_(days)


Chunk = dict[int, tuple[list[ResponseRow], list[CommentRow], list[tuple[int, int]]]]


def _read_chunk(service_id: int, condition: Any) -> Chunk:
    chunk: Chunk = {}
    version_of: dict[int, int] = {}
    responses = (
        select(
            Response.version_id,
            Receipt.id,
            Receipt.day,
            Receipt.channel,
            Receipt.language,
            case((counted(), null()), else_=Receipt.exclusion),
            cast(Response.answers, Text),
            cast(Response.segments, Text),
            Response.n_sections,
        )
        .join(Response, Response.id == Receipt.id)
        .where(Receipt.service_id == service_id, condition)
        .order_by(Receipt.id)
    )
    for version_id, *rest in db.session.execute(responses):
        row = ResponseRow(*rest)
        version_of[row.id] = version_id
        chunk.setdefault(version_id, ([], [], []))[0].append(row)
    version_of_comment: dict[int, int] = {}
    for comment in _comments(service_id, condition):
        if (version := version_of.get(comment.response_id)) is not None:
            version_of_comment[comment.id] = version
            chunk[version][1].append(comment)
    if version_of_comment:
        for comment_id, theme_id in _themes(service_id, condition):
            if (version := version_of_comment.get(comment_id)) is not None:
                chunk[version][2].append((comment_id, theme_id))
    return chunk


def _comments(service_id: int, condition: Any) -> Iterable[CommentRow]:
    found = (
        with_reading(select(Comment.id, Comment.receipt_id, Comment.reading, effective_sentiment()))
        .join(Receipt, Receipt.id == Comment.receipt_id)
        .where(Receipt.service_id == service_id, condition, counted())
        .order_by(Comment.id)
    )
    return [CommentRow(*row) for row in db.session.execute(found)]


def _themes(service_id: int, condition: Any) -> Iterable[tuple[int, int]]:
    ours = (
        select(Comment.id)
        .join(Receipt, Receipt.id == Comment.receipt_id)
        .where(Receipt.service_id == service_id, condition, counted())
    )
    themes = effective_themes(among=ours)
    found = select(themes.c.comment_id, themes.c.theme_id).order_by(themes.c.comment_id, themes.c.theme_id)
    return [(row[0], row[1]) for row in db.session.execute(found)]


@lru_cache(maxsize=64)
def _counter_of(digest: str, version_id: int) -> Counter:  # noqa: ARG001 - a new digest is a new definition
    definition = db.session.scalar(select(SurveyVersion.definition).where(SurveyVersion.id == version_id))
    return Counter(parse_definition(definition))


def _counter(version_id: int) -> Counter:
    digest = db.session.scalar(select(SurveyVersion.digest).where(SurveyVersion.id == version_id))
    return _counter_of(f"{db.engine.url}{digest}", version_id)


def _corrected_months(work: Work, days: RowsByVersion) -> RowsByVersion:
    """Return the stored month rows with these days in place of what was stored of them."""
    in_days = (Count.grain == Grain.DAY, Count.start.in_(work.days))
    before, months = _stored(work, *in_days), _stored(work, Count.grain == Grain.MONTH)
    return {
        version_id: cells.add_rows(
            [*months.get(version_id, ()), *cells.months_of(days.get(version_id, ()))],
            less=cells.months_of(before.get(version_id, ())),
        )
        for version_id in {*days, *before, *months}
    }


def _stored(work: Work, *conditions: ColumnElement[bool]) -> RowsByVersion:
    """Return stored rows of this service and month, by version."""
    stored = (
        select(
            Count.version_id,
            Count.start,
            Count.channel,
            Count.language,
            Count.segment,
            Count.segment_value,
            Count.n_responses,
            cast(Count.counts, Text),
            cast(Count.pairs, Text),
        )
        .where(Count.service_id == work.service_id, *conditions)
        .where(Count.start >= work.month, Count.start < _next_month(work.month))
        .order_by(Count.id)
    )
    found: RowsByVersion = defaultdict(list)
    for row in db.session.execute(stored):
        version_id, cell, (n, counts, pairs) = row[0], Cell(*row[1:6]), row[6:]
        found[version_id].append(Row(cell, n, orjson.loads(counts), orjson.loads(pairs)))
    return found


def _replace(work: Work, days: RowsByVersion, months: RowsByVersion) -> None:
    ours = (Count.service_id == work.service_id, Count.start >= work.month)
    of_days = Count.start.in_(work.days) if work.days else Count.start < _next_month(work.month)
    db.session.execute(delete(Count).where(*ours, Count.grain == Grain.DAY, of_days))
    db.session.execute(delete(Count).where(*ours, Count.grain == Grain.MONTH, Count.start == work.month))
    rows = [
        (
            *(work.service_id, version_id, grain.value, *row.cell, row.n_responses),
            *(orjson.dumps(row.counts).decode(), orjson.dumps(row.pairs).decode()),
        )
        for grain, found in ((Grain.DAY, days), (Grain.MONTH, months))
        for version_id, version_rows in found.items()
        for row in sorted(version_rows, key=lambda row: row.cell)
    ]
    if rows:
        _insert(rows)


COLUMNS = (
    *("service_id", "version_id", "grain", "start", "channel", "language", "segment", "segment_value"),
    *("n_responses", "counts", "pairs"),
)


def _insert(rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert rows whose JSON is already text, the fastest way the database has."""
    names = ", ".join(COLUMNS)
    if db.engine.dialect.name == "postgresql":
        cursor = db.session.connection().connection.cursor()
        with cursor.copy(f'COPY "count" ({names}) FROM STDIN') as copy:
            for row in rows:
                copy.write_row(row)
        return
    marks = ", ".join("?" * len(COLUMNS))
    cursor = db.session.connection().connection.cursor()
    cursor.executemany(
        f'INSERT INTO "count" ({names}) VALUES ({marks})',  # noqa: S608 - our own column names
        [(*row[:3], row[3].isoformat(), *row[4:]) for row in rows],
    )
    cursor.close()
