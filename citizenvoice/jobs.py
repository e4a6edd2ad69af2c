"""Background work: each job pulls what there is to do from the database; nothing waits for a message."""

import logging
import secrets
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from types import FrameType

import click
from flask import current_app
from flask.cli import with_appcontext
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError, OperationalError

from citizenvoice.analysis import actions
from citizenvoice.analysis.reading import CodebookReader, ReadingWorker, theme_ids
from citizenvoice.db import db, writing
from citizenvoice.feedback import actions as feedback
from citizenvoice.feedback import search
from citizenvoice.indicators.counting import CountingWorker
from citizenvoice.nlp import codebook as codebooks
from citizenvoice.surveys import import_runs
from citizenvoice.surveys.models import Response, Survey
from citizenvoice.web.clock import utc_now

LONGEST_SLEEP = 1.0  # seconds: how late new work is noticed at worst
SHORTEST_SLEEP = 0.05
PAUSE_AFTER_ERROR = 5.0

log = logging.getLogger(__name__)

# A job does some of what waits, commits, and returns how much that was; 0 when there is nothing to do.
Job = Callable[[], int]


@dataclass(slots=True)
class Worker:
    """One background process: its jobs in turn, until it is told to stop."""

    jobs: Sequence[Job]
    is_stopping: bool = field(default=False)

    def run(self, *, once: bool = False) -> None:
        """Work until told to stop; with ``once`` until there is nothing left to do."""
        sleep = SHORTEST_SLEEP
        while not self.is_stopping:
            if self._turn(once=once):
                sleep = SHORTEST_SLEEP
            elif once:
                return
            else:
                time.sleep(sleep)
                sleep = min(LONGEST_SLEEP, sleep * 2)

    def stop(self, _signal: int = 0, _frame: FrameType | None = None) -> None:
        """Finish the job at hand, then return from `run`."""
        self.is_stopping = True

    def _turn(self, *, once: bool) -> int:
        done = 0
        for job in self.jobs:
            if self.is_stopping:
                break
            try:
                done += job()
            except (OperationalError, DBAPIError):
                if once:
                    raise
                log.exception("The database did not answer; trying again in %d s.", PAUSE_AFTER_ERROR)
                time.sleep(PAUSE_AFTER_ERROR)
            finally:
                db.session.remove()
        return done


def jobs(*, patient: bool = True) -> list[Job]:
    """Return the jobs of one worker; one that is not patient counts a day again as often as it changes."""
    lease = current_app.config["WORKER_LEASE"]
    reading = ReadingWorker(codebooks_of=codebooks_of, reader_for=cache(reader_for), now=utc_now, lease=lease)
    counting = CountingWorker(secrets.token_hex(16), lease)
    if not patient:
        counting.patience = 0
    return [
        reading.read_next,
        lambda: counting.count_next(utc_now),
        lambda: int(import_runs.run_next(utc_now)),
        hourly(lambda: import_runs.forget_old(utc_now())),
        hourly(forget_senders),
    ]


def forget_senders() -> int:
    """Erase the digests of senders that have served; commits some at a time."""
    n = 0
    while True:
        db.session.rollback()
        with writing():
            some = feedback.forget_senders(utc_now())
            db.session.commit()
        n += some
        if not some:
            return n


def hourly(job: Job) -> Job:
    """Return a job that does something at most once an hour, and is never a reason to go on."""
    next_at = 0.0

    def now_and_then() -> int:
        nonlocal next_at
        if time.monotonic() >= next_at:
            next_at = time.monotonic() + 3600
            job()
        return 0

    return now_and_then


def codebooks_of(receipt_ids: Sequence[int]) -> Mapping[int, str]:
    """Return the codebook that the comments of each receipt are read against."""
    rows = (
        select(Response.id, Survey.codebook)
        .join(Survey, Survey.id == Response.survey_id)
        .where(Response.id.in_(receipt_ids))
        .order_by(Response.id)
    )
    usual = current_app.config["READER"]
    found = dict(db.session.execute(rows).all())
    return {receipt_id: shipped(found.get(receipt_id, usual), usual) for receipt_id in receipt_ids}


def shipped(codebook: str, usual: str) -> str:
    """Return the codebook if a reader for it is shipped, else the usual one."""
    return codebook if codebook in codebooks.SHIPPED else str(usual)


def reader_for(codebook: str) -> CodebookReader:
    """Return the shipped reader of a codebook, having written down its themes and model; commits."""
    from citizenvoice.nlp.reader import load_reader  # memory that web processes need not spend

    ignored = current_app.config["READER_IGNORES"]
    reading = load_reader(
        codebook,
        current_app.config["READER_TIER"],
        use_prompts="questions" not in ignored,
        use_ratings="ratings" not in ignored,
    )
    model = reading.model
    with writing():
        keep_codebook(codebook)
        kept = actions.keep_model(
            reading.name,
            version=str(model.facts.get("version", model.codebook_version)),
            digest=reading.digest,
            data_digest=str(model.facts.get("data_digest", "")),
            figures=model.facts,
            now=utc_now(),
        )
        reader = CodebookReader(reading, kept.id, theme_ids(codebook))
        db.session.commit()
    return reader


def keep_codebooks() -> None:
    """Write down every shipped codebook and its themes; commits."""
    with writing():
        for key in codebooks.SHIPPED:
            keep_codebook(key)
        db.session.commit()


def keep_codebook(key: str) -> None:
    """Write down one shipped codebook and its themes. Never commits."""
    book = codebooks.load_codebook(key)
    actions.keep_codebook(
        book.key,
        name=_english(book.title),
        names=book.title,
        themes=[
            {
                "key": theme.code,
                "formerly": theme.formerly,
                "name": _english(theme.name),
                "names": theme.name,
                "description": _english(theme.description),
            }
            for theme in book.themes
        ],
    )


def _english(words: Mapping[str, str]) -> str:
    return words.get("en") or next(iter(words.values()), "")


def drain() -> None:
    """Do everything that waits, then return."""
    keep_codebooks()
    Worker(jobs(patient=False)).run(once=True)


@click.command("work")
@click.option("--once", is_flag=True, help="Stop when there is nothing left to do.")
@with_appcontext
def work(*, once: bool) -> None:
    """Read comments, keep the counts and run imports until told to stop."""
    keep_codebooks()
    worker = Worker(jobs(patient=not once))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, worker.stop)
    worker.run(once=once)


@click.command("recount")
@with_appcontext
def recount() -> None:
    """Count everything from the start, and report how long it took."""
    started = time.monotonic()

    def progress(done: int, n: int) -> None:
        if done % 100 == 0 or done == n:
            click.echo(f"{done} of {n} service months")

    n = CountingWorker(secrets.token_hex(16)).recount(utc_now, progress)
    click.echo(f"Counted {n} service months in {time.monotonic() - started:.1f} s.")


@click.command("reindex")
@with_appcontext
def reindex() -> None:
    """Fill the full-text index of comments anew."""
    with writing():
        n = search.reindex()
        db.session.commit()
    click.echo(f"Indexed {n} comments.")


COMMANDS = (work, recount, reindex)
