"""The database handle, the base every model inherits, and the way SQLite is opened and written."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import JSON, BigInteger, Connection, DateTime, Dialect, Engine, Integer, MetaData, event
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.types import TypeDecorator

CONSTRAINT_NAMES = {
    "ix": "ix_%(column_0_N_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

# JSON that PostgreSQL can look into, and a row number that outlives 2^31 rows on both databases.
Json = JSON().with_variant(JSONB(), "postgresql")
BigId = BigInteger().with_variant(Integer(), "sqlite")


class Instant(TypeDecorator[datetime]):
    """A moment in time: aware UTC in Python on both databases (SQLite itself forgets the zone)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Refuse naive times; store UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant needs a time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Return aware UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """Declarative base whose constraints carry predictable, migratable names."""

    metadata = MetaData(naming_convention=CONSTRAINT_NAMES)
    type_annotation_map = {dict[str, Any]: Json, list[str]: Json, datetime: Instant}


# Models stay on the plain base above; the extension gives the engine and the request-scoped session.
db = SQLAlchemy()


def open_sqlite_properly(engine: Engine) -> None:
    """Make SQLite durable, concurrent for readers, strict about foreign keys, and honest about transactions.

    Without our own BEGIN, savepoints on Python's sqlite3 isolate nothing (SQLAlchemy docs, pysqlite dialect).
    """

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _entry: ConnectionPoolEntry) -> None:
        connection.isolation_level = None
        for pragma in (
            "journal_mode = WAL",
            "synchronous = FULL",
            "wal_autocheckpoint = 4000",
            "foreign_keys = ON",
            "busy_timeout = 20000",
            "cache_size = -32000",
            "temp_store = MEMORY",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")


_holding = ContextVar("citizenvoice_holding_write_lock", default=False)


@contextmanager
def writing() -> Iterator[None]:
    """Hold the right to write while the block runs; start no transaction before it.

    SQLite has one writer, and its busy handler sleeps and starves whoever waits; a file lock is a
    fair queue kept by the kernel, across processes. PostgreSQL needs none. A block inside a block
    of the same thread is free.
    """
    engine = db.engine
    if _holding.get() or engine.dialect.name != "sqlite" or engine.url.database in {None, "", ":memory:"}:
        yield
        return
    lock = os.open(f"{engine.url.database}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        held = _holding.set(True)
        try:
            yield
        except BaseException:
            db.session.rollback()  # while the turn is still ours: the next writer must not find it open
            raise
        finally:
            _holding.reset(held)
    finally:
        os.close(lock)
