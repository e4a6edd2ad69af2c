"""Reads and replaces stored rows of counts."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Text, cast, delete, select

from citizenvoice.db import db
from citizenvoice.indicators.cells import Cell, Row
from citizenvoice.indicators.models import Count, Grain
from citizenvoice.indicators.work import Work

RowsByVersion = dict[int, list[Row]]


def read(work: Work, *conditions: ColumnElement[bool]) -> RowsByVersion:
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
        .where(Count.start >= work.month, Count.start < work.end)
        .order_by(Count.id)
    )
    found: RowsByVersion = defaultdict(list)
    for row in db.session.execute(stored):
        found[row[0]].append(Row(Cell(*row[1:6]), *row[6:]))
    return found


def replace(work: Work, days: RowsByVersion, months: RowsByVersion) -> None:
    """Put these rows in place of those stored for the same days and month."""
    ours = (Count.service_id == work.service_id, Count.start >= work.month)
    of_days = Count.start.in_(work.days) if work.days else Count.start < work.end
    db.session.execute(delete(Count).where(*ours, Count.grain == Grain.DAY, of_days))
    db.session.execute(delete(Count).where(*ours, Count.grain == Grain.MONTH, Count.start == work.month))
    rows = [
        (
            *(work.service_id, version_id, grain.value),
            *(*row.cell, row.n_responses, row.counts, row.pairs),
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
