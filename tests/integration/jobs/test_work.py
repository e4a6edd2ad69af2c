"""Workers read comments and keep the counts, and nothing is lost or done twice when they are killed."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from citizenvoice import jobs
from citizenvoice.analysis.models import Codebook, Prediction, Theme
from citizenvoice.db import db, writing
from citizenvoice.feedback import search
from citizenvoice.feedback.models import Comment, Reading
from citizenvoice.indicators import work
from tests.integration.indicators import oracle
from tests.integration.indicators.world import World
from tests.servers import ENVIRONMENT, app_on

ROOT = Path(__file__).parents[3]
TEXTS = [
    "The queue was far too long and nobody could tell us why.",
    "Very friendly staff, thank you!",
    "La espera fue demasiado larga.",
    "It cost more than the website said",
    "ok",
    "",
]
N_KILLS = 6


def start_worker(url: str, *more: str) -> subprocess.Popen[bytes]:
    environment = os.environ | ENVIRONMENT | {"DATABASE_URL": url, "WORKER_LEASE_SECONDS": "2"}
    command = [sys.executable, "-m", "citizenvoice", "work", *more]
    return subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE)


def fill(world: World, n: int) -> None:
    with writing():
        for _ in range(n):
            world.send(50, words=world.random.choices(TEXTS, k=2))
        db.session.commit()


def check_everything_was_read_and_counted_once() -> None:
    states: dict[Any, int] = dict(
        db.session.execute(select(Comment.reading, func.count()).group_by(Comment.reading)).all()
    )
    assert states == {Reading.DONE: db.session.scalar(select(func.count()).select_from(Prediction))}
    n_indexed = len(db.session.scalars(select(Comment.id).where(search.matches("queue"))).all())  # type: ignore[arg-type]
    assert n_indexed == len(db.session.scalars(select(Comment.id).where(Comment.text == TEXTS[0])).all())
    assert work.is_idle()
    assert oracle.stored() == oracle.expected()


def kill_workers_at_random(url: str, world: World) -> None:
    chance = random.Random(7)  # noqa: S311 - repeatable, not secret
    workers = [start_worker(url), start_worker(url)]
    try:
        for _ in range(N_KILLS):
            fill(world, 2)
            db.session.rollback()
            time.sleep(chance.uniform(0.5, 5))
            victim = workers.pop(0)
            victim.kill()
            victim.communicate()
            workers.append(start_worker(url))
    finally:
        for worker in workers:
            worker.kill()
            worker.communicate()


def survive_kills(app: Flask, url: str) -> None:
    with app.app_context():
        world = World(1)
        kill_workers_at_random(url, world)
        time.sleep(2.5)  # leases of the killed run out
        last = start_worker(url, "--once")
        assert last.communicate(timeout=180)[1].count(b"Traceback") == 0
        assert last.returncode == 0
        check_everything_was_read_and_counted_once()


def test_killed_workers_lose_nothing_and_do_nothing_twice(real_app: Flask, real_database: str) -> None:
    survive_kills(real_app, real_database)


@pytest.mark.postgres
def test_killed_workers_lose_nothing_on_postgres(postgres_database: str) -> None:
    if os.environ.get("TEST_DATABASE_URL", "").startswith("postgres"):
        pytest.skip("the test above ran on PostgreSQL")
    app = app_on(postgres_database)
    survive_kills(app, postgres_database)
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


def test_a_worker_ends_cleanly_when_told_to(real_app: Flask, real_database: str) -> None:
    worker = start_worker(real_database)
    with real_app.app_context():
        world = World(2)
        fill(world, 1)
        deadline = time.monotonic() + 60
        while not (work.is_idle() and db.session.scalar(select(func.count()).select_from(Prediction))):
            db.session.rollback()
            assert time.monotonic() < deadline
            time.sleep(0.2)
    worker.send_signal(signal.SIGTERM)
    assert worker.communicate(timeout=20)[1] == b""
    assert worker.returncode == 0


@pytest.mark.usefixtures("database")
def test_shipped_codebooks_are_written_down_once() -> None:
    jobs.keep_codebooks()
    before = [(theme.id, theme.key, theme.position) for theme in db.session.scalars(select(Theme))]
    jobs.keep_codebooks()
    assert [(t.id, t.key, t.position) for t in db.session.scalars(select(Theme))] == before
    assert {book.key for book in db.session.scalars(select(Codebook))} == {
        "public_service",
        "nhs_patient_experience",
    }


@pytest.mark.usefixtures("database")
def test_a_job_that_finds_nothing_lets_the_worker_rest() -> None:
    turns = 0

    def busy_twice() -> int:
        nonlocal turns
        turns += 1
        return 3 if turns < 3 else 0

    jobs.Worker([busy_twice]).run(once=True)

    assert turns == 3
