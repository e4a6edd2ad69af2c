"""Stores what arrives at one moment in one transaction: many answers wait for one write to the disk.

A disk makes a few hundred writes a second durable, however small they are. The first request that finds
nobody writing leads: it waits for its turn at the database, takes along all that has arrived by then, commits
once, and tells the others. Nobody is answered before what they sent is durable.

On PostgreSQL, too, several responses in one transaction cost a fraction of as many transactions. What is
done here works on the database driver's own connections: a session is a noticeable part of what an answer
costs (`benchmarks/answering.py`).
"""

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection

from citizenvoice.db import db, writing
from citizenvoice.surveys.contributions import Contribution, Recorded
from citizenvoice.surveys.storing_on_postgresql import store_on_postgresql
from citizenvoice.surveys.storing_on_sqlite import store_on_sqlite

MOST = 64  # stored in one transaction


class _Arrival:
    """One contribution on its way, and what became of it."""

    __slots__ = ("contribution", "error", "leads", "recorded", "turn")

    def __init__(self, contribution: Contribution) -> None:
        self.contribution = contribution
        self.recorded: Recorded | None = None
        self.error: Exception | None = None
        self.leads = False
        self.turn = threading.Lock()  # held until it is stored, or has to lead
        self.turn.acquire()


class Arrivals:
    """The contributions of one process that wait to be stored."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[_Arrival] = []
        self._is_led = False

    def store(self, contribution: Contribution) -> Recorded:
        """Store one response and return when it is durable. Commits; what was not committed before is lost.

        Raises whatever kept this one from being stored; the others are not touched by it.
        """
        arrival = _Arrival(contribution)
        self._take_part(arrival)
        if arrival.error is not None:
            raise arrival.error
        if arrival.recorded is None:
            raise RuntimeError("whoever led this contribution was stopped")
        return arrival.recorded

    def _take_part(self, arrival: _Arrival) -> None:
        with self._lock:
            self._waiting.append(arrival)
            arrival.leads = not self._is_led
            self._is_led = True
        if not arrival.leads:
            arrival.turn.acquire()
        if arrival.leads:
            self._lead()

    def _lead(self) -> None:
        batch: list[_Arrival] = []
        if db.session.registry.has():
            db.session.rollback()  # what it has read is old by now, and nothing else may be in it
        try:
            with writing():
                with self._lock:
                    batch, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
                _store(batch)
        finally:
            with self._lock:
                next_leader = next(iter(self._waiting), None)
                self._is_led = next_leader is not None
            for arrival in batch:
                arrival.turn.release()
            if next_leader is not None:
                next_leader.leads = True
                next_leader.turn.release()


def _store(batch: Sequence[_Arrival]) -> None:
    """Store all in one transaction; if that fails each in its own, so that one cannot spoil the others."""
    try:
        with _transaction() as driver:
            recorded = store_together(driver, [arrival.contribution for arrival in batch])
    except Exception as error:  # noqa: BLE001 - handed to the request it belongs to
        if len(batch) == 1:
            batch[0].error = error
            return
        for arrival in batch:
            _store([arrival])
        return
    for arrival, became in zip(batch, recorded, strict=True):
        arrival.recorded = became


def store_together(driver: Any, contributions: Sequence[Contribution]) -> list[Recorded]:
    """Store responses in their order, in the transaction a driver's connection is in.

    On SQLite the caller holds `citizenvoice.db.writing`. On PostgreSQL all of them are one round trip and
    one transaction, even if the connection commits by itself.
    """
    if isinstance(driver, sqlite3.Connection):
        return store_on_sqlite(driver, contributions)
    return store_on_postgresql(driver, contributions)


@contextmanager
def _transaction() -> Iterator[Any]:
    """Lend a connection of the database's driver; what is done with it is committed when the block ends."""
    bind = db.session.get_bind()
    if isinstance(bind, Connection):  # everything here is part of somebody's transaction
        with bind.begin_nested():
            yield bind.connection.driver_connection
        return
    lent = bind.raw_connection()
    driver: Any = lent.driver_connection
    try:
        with (
            _sqlite_transaction(driver) if isinstance(driver, sqlite3.Connection) else _commits_itself(driver)
        ):
            yield driver
    except Exception:
        if getattr(driver, "closed", False):
            lent.invalidate()
            bind.dispose()  # the server went away, and with it every connection that waits
        raise
    finally:
        lent.close()


@contextmanager
def _sqlite_transaction(driver: sqlite3.Connection) -> Iterator[None]:
    driver.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        driver.rollback()
        raise
    driver.commit()


@contextmanager
def _commits_itself(driver: Any) -> Iterator[None]:
    """Save the round trips of BEGIN and COMMIT: what is sent at once is one transaction as it is."""
    driver.autocommit = True
    try:
        yield
    finally:
        if not driver.closed:
            driver.autocommit = False
