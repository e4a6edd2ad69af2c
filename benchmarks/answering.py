"""Measures answering against a bare Flask hello under the same gunicorn: requests, processor time, waiting.

It measures on SQLite, and on PostgreSQL: the server that TEST_POSTGRES_URL names, or a durable one of our own
where PostgreSQL is installed. Ratios to the hello of the same round are what to look at; the machine decides
the rest. It fails when answering costs more processor time, or waits longer, than it may. How many there are
a second also depends on the disk and on whoever else uses the machine; that is shown beside its aim.

With wrk installed it sends the requests, without it threads of this process do and share the processor.
``ROUNDS=``, ``SECONDS=``, ``CONNECTIONS=`` and ``THREADS=`` change how much is sent.
"""

import hashlib
import http.client
import json
import os
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

sys.path.insert(0, str(Path(__file__).parent.parent))

from flask import Flask, jsonify
from flask.typing import ResponseReturnValue

from citizenvoice.agencies.models import Agency, Service
from citizenvoice.db import db, writing
from citizenvoice.surveys.models import Survey, SurveyService, SurveyVersion
from citizenvoice.web.clock import utc_now
from tests.servers import (
    ENVIRONMENT,
    ROOT,
    Databases,
    app_on,
    free_port,
    postgres_server,
    running,
    wait_until,
)

PAGE = "/en/s/benchmark/benchmark"
N_RATINGS, N_CONNECTIONS = 8, int(os.environ.get("CONNECTIONS", "16"))
ROUNDS, SECONDS, WARM_UP = (
    int(os.environ.get(name, default))
    for name, default in (("ROUNDS", "3"), ("SECONDS", "5"), ("WARM_UP", "2"))
)
SAID = """the office was open and staff helped me but I waited long for a letter that never came please answer
the phone and say when the card will be ready thank you for a clear web page"""
WORDS = SAID.split()
TICKS = os.sysconf("SC_CLK_TCK")
MOST_CPU, MOST_P99 = 6, 12  # times hello's
AIMS = {"page": "  aim 0.70 x", "answer": "  aim 0.25 x, CPU 6 x, p99 12 x"}

hello = Flask("hello")


@hello.route("/", methods=["GET", "POST"])
def say_hello() -> ResponseReturnValue:
    """Answer the least a Flask application can."""
    return jsonify(hello="world")


@dataclass(frozen=True, slots=True)
class Measured:
    """One round of one kind of request: per second, milliseconds waited by the slowest 1 %, and CPU in us."""

    rate: float
    p99: float
    cpu: float
    n_failed: int


@dataclass(frozen=True, slots=True)
class Requests:
    """What is sent: to which port and path, with a form or without."""

    port: int
    path: str
    is_answer: bool = False


def definition() -> dict[str, Any]:
    """Return eight ratings and a comment."""
    labels = ("Strongly disagree", "Disagree", "Neither agree nor disagree", "Agree", "Strongly agree")
    points = [{"value": value, "label": {"en": label}} for value, label in enumerate(labels, 1)]
    ratings = [
        {
            "key": f"q{number}",
            "kind": "scale",
            "text": {"en": f"Statement number {number} is true."},
            "required": True,
            "role": "satisfaction" if number == 1 else None,
            "points": points,
        }
        for number in range(1, N_RATINGS + 1)
    ]
    why = {"key": "why", "kind": "text", "text": {"en": "Why?"}, "role": "why"}
    section = {"key": "main", "questions": [*ratings, why]}
    return {"title": {"en": "Benchmark"}, "languages": ["en"], "sections": [section]}


def prepare(url: str) -> None:
    """Put a live survey into an empty database."""
    app = app_on(url)
    with app.app_context(), writing():
        now = utc_now()
        agency = Agency(slug="benchmark", name="Benchmark", path="/1/")
        db.session.add(agency)
        db.session.flush()
        service = Service(agency_id=agency.id, slug="benchmark", name="Benchmark", created_at=now)
        survey = Survey(
            agency_id=agency.id,
            slug="benchmark",
            name="Benchmark",
            state="live",
            created_at=now,
            updated_at=now,
        )
        db.session.add_all([service, survey])
        db.session.flush()
        db.session.add(SurveyService(survey_id=survey.id, service_id=service.id))
        digest = hashlib.sha256(json.dumps(definition()).encode()).hexdigest()
        db.session.add(
            SurveyVersion(
                survey_id=survey.id, number=1, definition=definition(), digest=digest, published_at=now
            )
        )
        db.session.commit()
        db.engine.dispose()


@contextmanager
def gunicorn(target: str, folder: Path, environment: dict[str, str]) -> Iterator[tuple[int, int]]:
    """Serve an application as the product is served; yield its port and process."""
    port, log = free_port(), folder / f"{target.replace(':', '-')}.log"
    command = [
        *(
            sys.executable,
            "-m",
            "gunicorn",
            target,
            "--bind",
            f"127.0.0.1:{port}",
            "--worker-class",
            "gthread",
        ),
        *(
            "--workers",
            str(os.cpu_count() or 1),
            "--threads",
            os.environ.get("THREADS", "8"),
            "--no-control-socket",
        ),
        *("--log-level", "warning"),
    ]
    with running(command, log, cwd=ROOT, env={**os.environ, **environment}) as process:
        wait_until(lambda: is_answering(port), process, log)
        yield port, process.pid


def is_answering(port: int) -> bool:
    """Tell whether something listens."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/")
        connection.getresponse().read()
    except OSError:
        return False
    finally:
        connection.close()
    return True


def cpu_seconds(parent: int) -> float:
    """Return the processor time the workers of a gunicorn used so far."""
    total = 0
    for children in Path(f"/proc/{parent}/task").glob("*/children"):
        for child in children.read_text().split():
            fields = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()
            total += int(fields[11]) + int(fields[12])
    return total / TICKS


def measure(requests: Requests, parent: int, seconds: int) -> Measured:
    """Send requests for some seconds and return what came of it."""
    before = cpu_seconds(parent)
    send = send_with_wrk if shutil.which("wrk") else send_with_threads
    n, took, p99, n_failed = send(requests, seconds)
    used = cpu_seconds(parent) - before
    return Measured(n / took, p99, 1e6 * used / max(n, 1), n_failed)


SCRIPT = """
local words = {{{words}}}
math.randomseed(os.time() + {seed})
request = function()
  local said = {{}}
  for n = 1, 20 do said[n] = words[math.random(#words)] end
  local body = "cv-version=1&cv-section=main"
  for n = 1, {ratings} do body = body .. "&q" .. n .. "=" .. math.random(5) end
  body = body .. "&why=" .. table.concat(said, "+") .. "+" .. math.random(1000000)
  return wrk.format("POST", nil, {{["Content-Type"] = "application/x-www-form-urlencoded"}}, body)
end
"""


def send_with_wrk(requests: Requests, seconds: int) -> tuple[int, float, float, int]:
    """Return requests answered, seconds, the 99th percentile in milliseconds, and failures."""
    command = ["wrk", "-t2", f"-c{N_CONNECTIONS}", f"-d{seconds}s", "--latency"]
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        if requests.is_answer:
            quoted = ", ".join(f'"{word}"' for word in WORDS)
            seed = random.randrange(10**6)  # noqa: S311 - any words will do
            script.write(SCRIPT.format(words=quoted, ratings=N_RATINGS, seed=seed))
            script.flush()
            command += ["-s", script.name]
        address = f"http://127.0.0.1:{requests.port}{requests.path}"
        said = subprocess.run([*command, address], capture_output=True, text=True, check=True).stdout  # noqa: S603
    n, took = re.search(r"(\d+) requests in ([\d.]+)s", said).groups()  # type: ignore[union-attr]
    value, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)", said).groups()  # type: ignore[union-attr]
    failed = re.search(r"Non-2xx or 3xx responses: (\d+)", said)
    p99 = float(value) * {"us": 0.001, "ms": 1, "s": 1000}[unit]
    return int(n), float(took), p99, int(failed[1]) if failed else 0


def send_with_threads(requests: Requests, seconds: int) -> tuple[int, float, float, int]:
    """Do the same with threads of this process."""
    waits: list[float] = []
    failures: list[int] = []
    end = time.perf_counter() + seconds

    def send() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", requests.port)
        while time.perf_counter() < end:
            began = time.perf_counter()
            send_one(connection, requests, failures)
            waits.append(time.perf_counter() - began)
        connection.close()

    began = time.perf_counter()
    threads = [threading.Thread(target=send) for _ in range(N_CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    p99 = 1000 * sorted(waits)[int(len(waits) * 0.99)]
    return len(waits), time.perf_counter() - began, p99, len(failures)


def send_one(connection: http.client.HTTPConnection, requests: Requests, failures: list[int]) -> None:
    """Send one request and read its answer."""
    if requests.is_answer:
        form = {f"q{number}": random.randint(1, 5) for number in range(1, N_RATINGS + 1)}  # noqa: S311
        words = " ".join(random.choices(WORDS, k=20))  # noqa: S311
        body = urlencode({**form, "why": words, "cv-version": 1, "cv-section": "main"})
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        connection.request("POST", requests.path, body, headers)
    else:
        connection.request("GET", requests.path)
    response = connection.getresponse()
    response.read()
    if response.status != 200:
        failures.append(response.status)


def compare(name: str, url: str, folder: Path) -> bool:
    """Measure hello, page and answer in turn, print the medians of their ratios and judge them."""
    prepare(url)
    environment = {**ENVIRONMENT, "DATABASE_URL": url, "ANSWERS_PER_MINUTE": str(10**9)}
    rounds: dict[str, list[Measured]] = {"hello": [], "page": [], "answer": []}
    with (
        gunicorn("benchmarks.answering:hello", folder, environment) as (hello_port, hello_process),
        gunicorn("wsgi:app", folder, environment) as (port, process),
    ):
        kinds = {
            "hello": (Requests(hello_port, "/"), hello_process),
            "page": (Requests(port, PAGE), process),
            "answer": (Requests(port, PAGE, is_answer=True), process),
        }
        for requests, parent in kinds.values():
            measure(requests, parent, WARM_UP)
        for _ in range(ROUNDS):
            for kind, (requests, parent) in kinds.items():
                rounds[kind].append(measure(requests, parent, SECONDS))
    return report(name, rounds)


def report(name: str, rounds: dict[str, list[Measured]]) -> bool:
    """Print one line for each kind of request and return whether what was promised of answers is kept."""
    is_kept = True
    for kind, measured in rounds.items():
        pairs = list(zip(measured, rounds["hello"], strict=True))
        rate = statistics.median(m.rate for m in measured)
        ratio = statistics.median(m.rate / h.rate for m, h in pairs)
        cpu = statistics.median(m.cpu for m in measured)
        cpu_ratio = statistics.median(m.cpu / h.cpu for m, h in pairs)
        p99 = statistics.median(m.p99 for m in measured)
        p99_ratio = statistics.median(m.p99 / h.p99 for m, h in pairs)
        failed = sum(m.n_failed for m in measured)
        is_kept &= kind != "answer" or (cpu_ratio <= MOST_CPU and p99_ratio <= MOST_P99 and not failed)
        print(  # noqa: T201 - this is its output
            f"{name:<11}{kind:<7}{rate:8.0f}/s ({ratio:4.2f} x hello)  CPU {cpu:6.0f} us ({cpu_ratio:4.1f} x)"
            f"  p99 {p99:6.1f} ms ({p99_ratio:4.1f} x){f'  {failed} FAILED' if failed else ''}"
            f"{AIMS.get(kind, '')}"
        )
    return is_kept


def main() -> int:
    """Measure on every database there is; return 1 when a promise is broken."""
    is_kept = True
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        servers = {"sqlite": ""}
        try:
            given = os.environ.get("TEST_POSTGRES_URL")
            servers["postgresql"] = given or stack.enter_context(postgres_server(is_durable=True))
        except FileNotFoundError:
            print("postgresql is not installed")  # noqa: T201 - this is its output
        for name, server in servers.items():
            databases = Databases(server, folder)
            stack.callback(databases.drop_all)
            is_kept &= compare(name, databases.create(), folder)
    return int(not is_kept)


if __name__ == "__main__":
    sys.exit(main())
