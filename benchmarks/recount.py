"""Counting 1,000,000 responses from the start in under 60 s, and what the counts then cost to read.

``RESPONSES=``, ``SERVICES=`` and ``BENCH_DATABASE_URL=`` change what is counted.
"""

import os
import resource
import secrets
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from sqlalchemy import text

from benchmarks._world import NOW, fill, new_app, read_by_chance, say
from citizenvoice.db import db
from citizenvoice.indicators import (
    estimating,
    key_drivers,
    pooling,
    service_indicators,
    service_overviews,
    theme_tables,
)
from citizenvoice.indicators.counting import CountingWorker
from citizenvoice.stats.periods import PeriodKind, latest, period_of

N = int(os.environ.get("RESPONSES", "1000000"))
N_SERVICES = int(os.environ.get("SERVICES", "20"))
SECONDS = 60


def main() -> int:
    """Fill, count, read; return 1 when a promise is broken."""
    with tempfile.TemporaryDirectory() as folder:
        url = os.environ.get("BENCH_DATABASE_URL", f"sqlite:///{folder}/bench.db")
        app = new_app(url)
        with app.app_context():
            started = time.perf_counter()
            services = fill(N, N_SERVICES)
            read_by_chance()
            say(step="fill", seconds=round(time.perf_counter() - started, 1))
            seconds = recount()
            say(step="grain", rows=grains())
            reading = read_a_year(services)
            say(step="read a year of the largest service", milliseconds=reading)
            say(step="one new answer counted", milliseconds=one_more())
        return int(seconds >= SECONDS * max(1, N / 1_000_000))


def recount() -> float:
    """Count everything and return how long it took."""
    started, cpu = time.perf_counter(), time.process_time()
    CountingWorker(secrets.token_hex(16)).recount(lambda: NOW)
    seconds = time.perf_counter() - started
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    say(
        step="recount",
        responses=N,
        seconds=round(seconds, 1),
        cpu_seconds=round(time.process_time() - cpu, 1),
        peak_mb=memory,
    )
    return seconds


def grains() -> dict[str, dict[str, int]]:
    """Return how many rows each grain has, and their size."""
    size = "length(CAST(counts AS text)) + length(CAST(pairs AS text))"
    rows = db.session.execute(
        text(
            f"SELECT grain, CASE WHEN segment = '' THEN 'everybody' ELSE 'segments' END, count(*), "  # noqa: S608
            f'avg({size}), sum({size}) FROM "count" GROUP BY 1, 2 ORDER BY 1, 2'
        )
    )
    return {
        f"{grain} {who}": {"rows": n, "mean_bytes": int(mean), "total_mb": int(total) // 1_000_000}
        for grain, who, n, mean, total in rows
    }


def read_a_year(services: list[int]) -> dict[str, float]:
    """Return how long the reads of a service page and of the home list take."""
    found = service_indicators.indicators_of(services[0])
    start, end = date(2025, 1, 1), date(2026, 1, 1)
    months = latest(12, period_of(date(2025, 12, 31), PeriodKind.MONTH))
    main_indicator = found.definitions[0]
    return {
        "indicators": median(lambda: service_indicators.indicators_of(services[0])),
        "figures": median(lambda: estimating.figures(found, found.headlines, start, end)),
        "figures of women": median(
            lambda: estimating.figures(
                found, found.headlines, start, end, pooling.Slice(segment="sex", value="f")
            )
        ),
        "series": median(lambda: estimating.series(found, found.headlines, months)),
        "themes": median(lambda: theme_tables.theme_table(found, start, end)),
        "drivers": median(lambda: key_drivers.drivers(found, main_indicator, start, end)),
        "home": median(
            lambda: service_overviews.service_overview(services, PeriodKind.MONTH, date(2025, 12, 31))
        ),
    }


def median(read: Callable[[], Any]) -> float:
    """Return the median milliseconds of a few calls."""
    times = []
    for _ in range(7):
        started = time.perf_counter()
        read()
        times.append(time.perf_counter() - started)
    return round(1000 * statistics.median(times), 2)


def one_more() -> float:
    """Return how long it takes to count the day of one change, in milliseconds."""
    times = []
    for receipt_id in range(1, 8):
        db.session.execute(text(f"UPDATE receipt SET uncounted = true WHERE id = {receipt_id}"))  # noqa: S608
        db.session.commit()
        started = time.perf_counter()
        CountingWorker(secrets.token_hex(16)).count_next(lambda: NOW)
        times.append(time.perf_counter() - started)
    return round(1000 * statistics.median(times), 1)


if __name__ == "__main__":
    sys.exit(main())
