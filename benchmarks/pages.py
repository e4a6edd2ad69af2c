"""A service's page for one year: 1,000,000 responses may take 1.5 times what 10,000 take, and under 60 ms.

Both services live in one database. ``RESPONSES=`` and ``BENCH_DATABASE_URL=`` change size and database; the
other pages of figures are measured beside it.
"""

import os
import secrets
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text

from benchmarks._world import NOW, fill, new_app, read_by_chance, say
from citizenvoice.accounts import actions as accounts
from citizenvoice.accounts.access import session_times
from citizenvoice.accounts.scope import Role
from citizenvoice.agencies.models import Agency
from citizenvoice.db import db
from citizenvoice.indicators.counting import CountingWorker
from citizenvoice.web.clock import utc_now

N = int(os.environ.get("RESPONSES", "1000000"))
SMALL = 10_000
ROUNDS = 40
SECONDS, RATIO = 0.060, 1.5
LARGE_PAGE = "/manage/services/s0?until=2025-12"
SMALL_PAGE = "/manage/services/s1?until=2025-12"
OTHER_PAGES = (
    "/manage/",
    "/manage/services/s0/indicators?until=2025-12",
    "/manage/services/s0/indicators/survey/overall/top2_v1?until=2025-12",
    "/manage/services/s0?until=2025-12&segment=sex:f",
    "/manage/services/s0?until=2025-12-31&period=day",
    "/en/services/s0",
)


def main() -> int:
    """Fill, count, open pages; return 1 when a promise is broken."""
    with tempfile.TemporaryDirectory() as folder:
        app = new_app(os.environ.get("BENCH_DATABASE_URL", f"sqlite:///{folder}/bench.db"))
        with app.app_context():
            prepare()
        client = member(app)
        measure(client, [SMALL_PAGE, LARGE_PAGE], rounds=5)
        took = measure(client, [SMALL_PAGE, LARGE_PAGE], rounds=ROUNDS)
        ratio = took[LARGE_PAGE] / took[SMALL_PAGE]
        for address in (SMALL_PAGE, LARGE_PAGE):
            say(page=address, milliseconds=round(took[address] * 1000, 1))
        say(responses=N, against=SMALL, ratio=round(ratio, 2), most=RATIO)
        for address, seconds in measure(client, OTHER_PAGES, rounds=10).items():
            say(page=address, milliseconds=round(seconds * 1000, 1))
    return int(took[LARGE_PAGE] >= SECONDS or ratio > RATIO)


def prepare() -> None:
    """Make one service with N responses and one with 10,000, all read and counted, over one year."""
    large, small = fill(N + SMALL, 2)
    places = {"small": small, "large": large, "every": (N + SMALL) // SMALL}
    for table, key in (("receipt", "id"), ("comment", "receipt_id")):
        moved = f"UPDATE {table} SET service_id = CASE WHEN {key} % :every = 0 THEN :small ELSE :large END"  # noqa: S608
        db.session.execute(text(moved), places)
    db.session.commit()
    read_by_chance()
    CountingWorker(secrets.token_hex(16)).recount(lambda: NOW)
    db.session.execute(text("ANALYZE"))
    agency = db.session.scalars(select(Agency)).one()
    user = accounts.create_user("a@b.example", now=NOW)
    accounts.invite_member(user.email, agency=agency, role=Role.OWNER, by_id=None, now=NOW)
    db.session.commit()


def member(app: Flask) -> FlaskClient:
    """Return a browser in which the owner of everything has signed in."""
    with app.app_context():
        uniquifier = db.session.execute(text('SELECT fs_uniquifier FROM "user"')).scalar_one()
    client = app.test_client()
    with client.session_transaction("/manage") as session:
        session.update({"_user_id": uniquifier, "_fresh": True} | session_times(utc_now()))
    return client


def measure(client: FlaskClient, addresses: tuple[str, ...] | list[str], *, rounds: int) -> dict[str, float]:
    """Return the median seconds each page takes; pages take turns, so that noise hits all alike."""
    took: dict[str, list[float]] = {address: [] for address in addresses}
    for _ in range(rounds):
        for address in addresses:
            started = time.perf_counter()
            response = client.get(address, base_url="https://localhost")
            took[address].append(time.perf_counter() - started)
            if response.status_code != 200:
                raise SystemExit(f"{address}: {response.status}")
    return {address: statistics.median(times) for address, times in took.items()}


if __name__ == "__main__":
    sys.exit(main())
