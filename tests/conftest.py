"""Infrastructure fixtures only. Data comes from factories."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
import redis
from flask import Flask
from flask_sqlalchemy.session import Session
from sqlalchemy import Connection, event

from citizenvoice.db import db
from tests.pages import PageClient, forbid_forgotten_commits
from tests.servers import Databases, app_on, missing, postgres_server, redis_server

POSTGRES = "PostgreSQL: apt install postgresql, or name a server in TEST_POSTGRES_URL"
REDIS = "Redis: apt install redis-server, or name a server in REDIS_URL"


@pytest.fixture(scope="session")
def databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Databases]:
    """Makes databases on the server under test (TEST_DATABASE_URL), SQLite files without one."""
    databases = Databases(os.environ.get("TEST_DATABASE_URL", ""), tmp_path_factory.mktemp("databases"))
    yield databases
    databases.drop_all()


@pytest.fixture(scope="session")
def app(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """The application on a migrated database that all rolled-back tests share."""
    app = app_on(databases.create(), IMPORTS_FOLDER=str(tmp_path_factory.mktemp("imports")))
    app.test_client_class = PageClient
    forbid_forgotten_commits(app)
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def database(app: Flask) -> Iterator[None]:
    """Everything the test writes is rolled back when it ends, commits included."""
    factory = db.session.session_factory
    usual = factory.class_, dict(factory.kw)
    with app.app_context(), db.engine.connect() as connection:
        everything = connection.begin()
        factory.class_ = _session_on(connection)
        factory.configure(join_transaction_mode="create_savepoint")
        try:
            yield
        finally:
            db.session.remove()
            factory.class_, factory.kw = usual
            everything.rollback()


def _session_on(connection: Connection) -> type[Session]:
    """Return a session class that does all its work in the test's own connection."""

    class OneConnection(Session):
        def get_bind(self, *_args: Any, **_kwargs: Any) -> Connection:
            return connection

    return OneConnection


@pytest.fixture
def client(app: Flask, database: None) -> PageClient:
    """A browser that checks every page it opens."""
    client = app.test_client()
    assert isinstance(client, PageClient)
    return client


@pytest.fixture
def real_database(databases: Databases) -> str:
    """The URL of a migrated database of the test's own, where commits are real (workers, kills, locks)."""
    return databases.create()


@pytest.fixture
def real_app(real_database: str, tmp_path: Path) -> Iterator[Flask]:
    """The application on a database of the test's own; push its context and commit as the product does."""
    app = app_on(real_database, IMPORTS_FOLDER=str(tmp_path / "imports"))
    yield app
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def queries(app: Flask, database: None) -> Callable[[], AbstractContextManager[list[str]]]:
    """Record the statements a block sends: ``with queries() as sent: …; assert len(sent) == 2``."""

    @contextmanager
    def record() -> Iterator[list[str]]:
        sent: list[str] = []

        def note(_connection: Connection, _cursor: object, statement: str, *_rest: object) -> None:
            if "SAVEPOINT" not in statement:
                sent.append(statement)

        event.listen(db.engine, "before_cursor_execute", note)
        try:
            yield sent
        finally:
            event.remove(db.engine, "before_cursor_execute", note)

    return record


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The URL of a PostgreSQL server where databases may be made, whatever the suite runs on."""
    given = os.environ.get("TEST_POSTGRES_URL") or os.environ.get("TEST_DATABASE_URL", "")
    if given.startswith("postgres"):
        yield given
        return
    try:
        with postgres_server() as url:
            yield url
    except FileNotFoundError:
        missing(POSTGRES)


@pytest.fixture
def postgres_database(postgres_url: str, tmp_path: Path) -> Iterator[str]:
    """The URL of a migrated PostgreSQL database of the test's own."""
    databases = Databases(postgres_url, tmp_path)
    yield databases.create()
    databases.drop_all()


@pytest.fixture(scope="session")
def redis_server_url() -> Iterator[str]:
    """The URL of a Redis server: the one REDIS_URL names, or one of our own."""
    if os.environ.get("REDIS_URL"):
        yield os.environ["REDIS_URL"]
        return
    try:
        with redis_server() as url:
            yield url
    except FileNotFoundError:
        missing(REDIS)


@pytest.fixture
def redis_url(redis_server_url: str) -> str:
    """The URL of a Redis server with nothing in it."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        number = int(os.environ["PYTEST_XDIST_WORKER"].removeprefix("gw")) + 1
        redis_server_url = f"{redis_server_url.rsplit('/', 1)[0]}/{number}"
    with redis.Redis.from_url(redis_server_url) as server:
        server.flushdb()
    return redis_server_url
