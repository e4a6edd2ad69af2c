"""The worker's side of imports: leases, kills, two workers at once. Commits are real here."""

import os
import signal
import subprocess
import sys
import threading
import time
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path

from flask import Flask
from sqlalchemy import func, select

from citizenvoice.db import db, writing
from citizenvoice.feedback.models import Comment
from citizenvoice.surveys import import_runs
from citizenvoice.surveys.models import ImportRun, Response
from citizenvoice.web.clock import utc_now
from tests.integration.importing.bringing_in import EXAMPLES, fft_survey
from tests.servers import ENVIRONMENT, ROOT

N_ROWS = 6000
MAPPING = {
    "response": {"id": "id", "received_at": "at", "channel": {"constant": "website"}},
    "answers": {"fft": "rating"},
    "texts": [{"column": "why", "question": "why"}],
}


def rows(n: int = N_ROWS) -> bytes:
    lines = [f"{number},2026-05-01,{number % 6 or 9},Call {number} was slow" for number in range(n)]
    return "\n".join(["id,at,rating,why", *lines]).encode()


def waiting_file(content: bytes) -> int:
    """Return the id of a file that waits for a worker; one row in six has a rating that is refused."""
    survey = fft_survey("passports")
    path = import_runs.keep_upload("answers.csv", BytesIO(content))
    run = import_runs.create_run(survey, path, filename="answers.csv", by_id=None, now=utc_now())
    import_runs.choose_columns(run, MAPPING, import_runs.definition_of(run))
    import_runs.start(run, by_id=None, now=utc_now())
    db.session.commit()
    import_id: int = run.id
    db.session.remove()
    return import_id


def stored() -> tuple[int, int, int]:
    n_responses = db.session.scalar(select(func.count()).select_from(Response))
    n_ids = db.session.scalar(select(func.count(Response.external_id.distinct())))
    n_comments = db.session.scalar(select(func.count()).select_from(Comment))
    db.session.remove()
    return n_responses or 0, n_ids or 0, n_comments or 0


def summary(import_id: int) -> tuple[str, dict[str, int]]:
    run = db.session.get_one(ImportRun, import_id)
    db.session.rollback()
    return run.state, run.summary


def in_an_hour() -> datetime:
    return utc_now() + timedelta(hours=1)


def test_a_worker_killed_in_the_middle_loses_nothing_and_repeats_nothing(
    real_app: Flask, real_database: str, tmp_path: Path
) -> None:
    with real_app.app_context():
        import_id = waiting_file(rows())
        code = (
            "import os\nfrom citizenvoice.app import create_app\n"
            "from citizenvoice.config import config_from\n"
            "from citizenvoice.surveys import import_runs\nfrom citizenvoice.web.clock import utc_now\n"
            "with create_app(config_from(os.environ)).app_context():\n    import_runs.run_next(utc_now)\n"
        )
        environment = ENVIRONMENT | {
            "DATABASE_URL": real_database,
            "IMPORTS_FOLDER": real_app.config["IMPORTS_FOLDER"],
            "PATH": os.environ["PATH"],
        }
        worker = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, env=environment)
        deadline = time.monotonic() + 60
        while stored()[0] < 1000 and worker.poll() is None:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        worker.send_signal(signal.SIGKILL)
        assert worker.wait() == -signal.SIGKILL, "it was killed before it was done"
        state, before = summary(import_id)
        assert state == "running"
        n_before = stored()[0]
        assert before["n_responses"] == n_before, "the progress is exactly what is stored"

        assert not import_runs.run_next(utc_now), "its lease lasts for a while"
        assert import_runs.run_next(in_an_hour)

        assert stored() == (5000, 5000, 5000)
        state, after = summary(import_id)
        assert state == "done"
        assert after == {
            "n_rows": 6000,
            "n_imported": 5000,
            "n_known": 0,
            "n_changed": 0,
            "n_rejected": 1000,
            "n_empty": 0,
            "n_responses": 5000,
            "n_comments": 5000,
        }
        run = db.session.get_one(ImportRun, import_id)
        assert run.attempts == 2
        assert not Path(run.path).exists()
        with import_runs.rejects_path(run).open(encoding="utf-8-sig") as rejects:
            assert len(rejects.readlines()) == 1001


def test_two_workers_do_not_take_the_same_file(real_app: Flask) -> None:
    with real_app.app_context():
        import_id = waiting_file(rows(600))
    took: list[bool] = []

    def work() -> None:
        with real_app.app_context():
            took.append(import_runs.run_next(utc_now))
            db.session.remove()

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    with real_app.app_context():
        assert sorted(took) == [False, False, False, True]
        assert stored() == (500, 500, 500)
        assert db.session.get_one(ImportRun, import_id).attempts == 1


def test_a_worker_whose_file_was_taken_over_stores_nothing_more(real_app: Flask) -> None:
    with real_app.app_context():
        import_id = waiting_file(rows(12_000))

    def an_hour_ago() -> datetime:
        return utc_now() - timedelta(hours=1)

    def work_slowly() -> None:
        with real_app.app_context():
            import_runs.run_next(an_hour_ago)  # its lease is over from the start
            db.session.remove()

    worker = threading.Thread(target=work_slowly)
    worker.start()
    with real_app.app_context():
        while stored()[0] == 0 and worker.is_alive():
            time.sleep(0.01)
        while not (taken_over := import_runs.run_next(utc_now)) and worker.is_alive():
            time.sleep(0.01)  # its row is held while a batch is stored
        worker.join()
        assert taken_over

        assert stored() == (10_000, 10_000, 10_000)
        state, after = summary(import_id)
        assert (state, after["n_imported"], after["n_known"], after["n_responses"]) == (
            "done",
            10_000,
            0,
            10_000,
        )
        assert db.session.get_one(ImportRun, import_id).attempts == 2


def test_a_file_that_keeps_failing_is_given_up(real_app: Flask) -> None:
    with real_app.app_context():
        import_id = waiting_file(rows(6))
        with writing():
            run = db.session.get_one(ImportRun, import_id)
            run.state, run.attempts = "running", import_runs.MAX_ATTEMPTS
            run.lease_until = utc_now() - timedelta(seconds=1)
            path = Path(run.path)
            db.session.commit()

        assert not import_runs.run_next(utc_now)

        run = db.session.get_one(ImportRun, import_id)
        assert (run.state, run.error) == ("failed", import_runs.GAVE_UP)
        assert not path.exists()


def test_a_file_that_is_gone_fails_with_a_sentence(real_app: Flask) -> None:
    with real_app.app_context():
        import_id = waiting_file(rows(6))
        Path(db.session.get_one(ImportRun, import_id).path).unlink()

        assert import_runs.run_next(utc_now)

        assert db.session.get_one(ImportRun, import_id).error == "The uploaded file is gone. Upload it again."


def test_files_nobody_started_are_forgotten_after_a_day(real_app: Flask) -> None:
    with real_app.app_context():
        waiting_file(rows(6))
        survey_id = db.session.scalar(select(ImportRun.survey_id))
        path = import_runs.keep_upload("late.csv", BytesIO(rows(1)))
        db.session.add(
            ImportRun(
                survey_id=survey_id,
                filename="late.csv",
                path=str(path),
                mapping={},
                state="uploaded",
                created_at=utc_now(),
            )
        )
        db.session.commit()

        assert import_runs.forget_old(utc_now()) == 0
        assert import_runs.forget_old(utc_now() + timedelta(days=2)) == 1

        assert not path.exists()
        assert db.session.scalars(select(ImportRun.state)).all() == ["waiting"]


def test_the_command_brings_a_file_in_and_says_what_became_of_it(real_app: Flask, tmp_path: Path) -> None:
    with real_app.app_context():
        fft_survey("passport-renewal", "identity-card")
    arguments = ["import", "responses", str(EXAMPLES / "visits.csv"), "--survey", "fft"]
    arguments += ["--mapping", str(EXAMPLES / "visits.toml"), "--rejects", str(tmp_path / "rejects.csv")]
    runner = real_app.test_cli_runner()

    first, again = runner.invoke(args=arguments), runner.invoke(args=arguments)

    said = {tuple(line.rsplit(None, 1)) for line in first.stdout.splitlines() if line.strip()}
    assert {("rows read", "8"), ("  brought in", "4"), ("  refused", "4"), ("new responses", "3")} <= said
    assert (first.exit_code, again.exit_code) == (1, 1)
    assert "brought in 0 already there, the same 4" in " ".join(again.stdout.split())
    assert (tmp_path / "rejects.csv").read_text(encoding="utf-8-sig").count("\n") == 5
    unknown = runner.invoke(args=["import", "responses", *arguments[2:3], "--survey", "x", *arguments[5:7]])
    assert "There is no such survey." in unknown.stderr
