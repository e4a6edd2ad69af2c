"""Measures how many rows a second an import of responses brings in, on a file it generates.

``python -m benchmarks.importing`` imports 50,000 rows (ROWS) of 8 ratings and a comment of about 100
characters into SQLite, and into PostgreSQL too where TEST_POSTGRES_URL names a server; DATABASE_URL
measures one database alone. The same file is then sent again, which must bring in nothing.
"""

import csv
import os
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from citizenvoice.agencies import actions as catalogue
from citizenvoice.db import db
from citizenvoice.surveys import actions
from citizenvoice.surveys.importing import Importer, Summary
from citizenvoice.surveys.mapping import mapping_of
from citizenvoice.surveys.models import Survey
from citizenvoice.surveys.parsing import parse_definition
from citizenvoice.web.clock import utc_now
from tests.servers import Databases, app_on, migrate

ROWS = int(os.environ.get("ROWS", "50000"))
AIM = 3000  # rows a second
N_RATINGS = 8
WORDS = (  # noqa: SIM905 - a sentence is easier to read than a list
    "the office was open and staff helped me but I waited long for a letter that never came please answer "
    "the phone and say when the card will be ready thank you for a clear web page and a kind person"
).split()


def main() -> int:
    """Print the rows a second on each database; fail where one is below the aim."""
    slowest = float("inf")
    with tempfile.TemporaryDirectory(prefix="citizenvoice-importing-") as name:
        folder = Path(name)
        file = generate(folder / "responses.csv")
        for server in servers():
            databases = Databases(server, folder)
            try:
                url = os.environ.get("DATABASE_URL") or databases.create()
                slowest = min(slowest, measure(url, file, folder))
            finally:
                databases.drop_all()
                folder.mkdir(exist_ok=True)
                file = file if file.exists() else generate(file)
    return 0 if slowest >= AIM else 1


def servers() -> list[str]:
    """Return the servers to measure on; nothing stands for SQLite."""
    if os.environ.get("DATABASE_URL"):
        migrate(os.environ["DATABASE_URL"])
        return [""]
    return ["", *filter(None, [os.environ.get("TEST_POSTGRES_URL")])]


def generate(path: Path) -> Path:
    """Write the file, the same every time."""
    chance = random.Random(20260601)  # noqa: S311 - test data, not secrets
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "at", *(f"rating {n}" for n in range(1, N_RATINGS + 1)), "comment"])
        for number in range(ROWS):
            day, hour = 1 + number % 28, chance.randrange(24)
            ratings = [chance.randint(1, 5) for _ in range(N_RATINGS)]
            comment = " ".join(chance.choices(WORDS, k=chance.randint(16, 24))).capitalize() + "."
            if number % 20 == 0:
                comment += f" Write to me: person{number}@mail.example"
            writer.writerow([number, f"2026-05-{day:02d} {hour:02d}:{number % 60:02d}", *ratings, comment])
    return path


def measure(url: str, file: Path, folder: Path) -> float:
    """Import the file twice into a database, print how fast, and return the rows a second at first."""
    app = app_on(url)
    with app.app_context():
        kind = db.engine.dialect.name
        survey = new_survey()
        first, rate, own_rate = timed(survey, file, folder)
        again, rate_again, _own = timed(survey, file, folder)
        db.session.remove()
        db.engine.dispose()
    if first.n_imported != ROWS or again.n_known != ROWS:
        raise RuntimeError(f"imported {first.n_imported} of {ROWS} rows, then knew {again.n_known}")
    sys.stdout.write(
        f"{kind}: {rate:,.0f} rows/s (aim {AIM:,}; {own_rate:,.0f} rows a second of our own processor time); "
        f"the same file again {rate_again:,.0f} rows/s; {first.n_comments:,} comments masked\n"
    )
    return rate


def timed(survey: Survey, file: Path, folder: Path) -> tuple[Summary, float, float]:
    """Import the file; return what became of it and the rows a second, by the clock and by our own work."""
    version = survey.versions[-1]
    mapping = mapping_of(
        {
            "response": {"id": "id", "received_at": "at", "channel": {"constant": "website"}},
            "answers": {f"q{n}": f"rating {n}" for n in range(1, N_RATINGS + 1)},
            "texts": [{"column": "comment", "question": "why"}],
        },
        parse_definition(version.definition),
    )
    importer = Importer(survey, version, mapping, now=utc_now(), regions=("US", "GB", "PH", "ES", "MX"))
    started, work = time.perf_counter(), time.process_time()
    summary = importer.run(file, folder / "rejects.csv")
    return summary, ROWS / (time.perf_counter() - started), ROWS / (time.process_time() - work)


def new_survey() -> Survey:
    """Publish a survey of 8 ratings and a comment about one service."""
    name, now = f"benchmark-{time.time_ns()}", utc_now()
    agency = catalogue.create_agency(name="Benchmark", slug=name)
    service = catalogue.create_service(
        agency, name="Benchmark", slug=name, languages=["en"], channels=["website"], now=now
    )
    survey = actions.create_survey(
        agency, name="Benchmark", slug=name, services=[service], draft=draft(), now=now
    )
    actions.publish(survey, now=now)
    db.session.commit()
    return survey


def draft() -> dict[str, Any]:
    """Return the questions."""
    points = [{"value": value, "label": {"en": f"{value} of 5"}} for value in range(1, 6)]
    ratings = [
        {
            "key": f"q{number}",
            "kind": "scale",
            "text": {"en": f"Statement {number}"},
            "required": True,
            "display": "radio",
            "polarity": "up",
            "points": points,
        }
        for number in range(1, N_RATINGS + 1)
    ]
    comment = {"key": "why", "kind": "text", "text": {"en": "Why?"}, "max_chars": 1200, "rows": 5}
    return {
        "title": {"en": "Benchmark"},
        "languages": ["en"],
        "sections": [{"key": "main", "questions": [*ratings, comment]}],
    }


if __name__ == "__main__":
    sys.exit(main())
