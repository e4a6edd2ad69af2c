"""Files of responses on their way in: uploaded, waiting for the worker, brought in, and what was refused.

The state, the lease and the progress live in the row (`ImportRun`), so that a worker killed in the middle
loses nothing: another one begins the file anew, and every response that is there is known by its id.
"""

import logging
import secrets
import shutil
import zipfile
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, Any

from flask import current_app
from sqlalchemy import and_, or_, select, update
from sqlalchemy.exc import OperationalError

from citizenvoice.accounts.actions import record_audit
from citizenvoice.accounts.audit import name_actions
from citizenvoice.db import db, writing
from citizenvoice.errors import N_, DomainError, NotFoundError
from citizenvoice.surveys.definition import Definition
from citizenvoice.surveys.delivered import FileError, read_header, size_of
from citizenvoice.surveys.importing import Importer, Summary
from citizenvoice.surveys.mapping import mapping_of
from citizenvoice.surveys.models import ImportRun, Survey, SurveyVersion
from citizenvoice.surveys.parsing import parse_definition
from citizenvoice.surveys.registry import find_newest_version

LEASE = timedelta(seconds=120)
MAX_ATTEMPTS = 5
FORGET_UPLOADS_AFTER = timedelta(days=1)  # never started
FORGET_REJECTS_AFTER = timedelta(days=30)
MAX_UNPACKED = 2_000_000_000  # bytes of a spreadsheet once unzipped
SUFFIXES = (".csv", ".tsv", ".txt", ".xlsx")
N_SHOWN = 50  # runs on the page of a survey

GAVE_UP = N_("The import stopped unexpectedly several times. What came in before stays; you can try again.")
FAILED = N_("The import failed unexpectedly. What came in before stays.")
NOT_PUBLISHED = N_("Publish the survey first: every response names the version it answers.")

name_actions({"import.started": N_("Import of responses started")})

log = logging.getLogger(__name__)


class LeaseLostError(Exception):
    """Another worker has taken this file over."""


def folder() -> Path:
    """Return where uploaded files wait; web processes and workers share it."""
    found = Path(current_app.config["IMPORTS_FOLDER"])
    found.mkdir(mode=0o700, parents=True, exist_ok=True)
    return found


# Uploading


def keep_upload(filename: str, stream: IO[bytes]) -> Path:
    """Put an uploaded file where the worker finds it, under a name nobody can guess.

    Raises FileError if it is neither text nor a spreadsheet that can be read.
    """
    suffix = Path(filename).suffix.lower()
    if suffix not in SUFFIXES:
        raise FileError(N_("Choose a CSV or XLSX file."))
    path = folder() / f"{secrets.token_hex(16)}{suffix}"
    with path.open("xb") as file:
        path.chmod(0o600)
        shutil.copyfileobj(stream, file)
    try:
        if suffix == ".xlsx":
            _refuse_bomb(path)
        read_header(path)
    except FileError:
        path.unlink()
        raise
    return path


def _refuse_bomb(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as book:
            n_bytes = sum(part.file_size for part in book.infolist())
    except zipfile.BadZipFile as error:
        raise FileError(N_("This is not an XLSX file that can be read.")) from error
    if n_bytes > MAX_UNPACKED:
        raise FileError(N_("This spreadsheet is too large. Save it as CSV and upload that."))


def create_run(survey: Survey, path: Path, *, filename: str, by_id: int | None, now: datetime) -> ImportRun:
    """Write down an uploaded file; it waits for its columns to be chosen. Never commits.

    Raises DomainError if the survey was never published.
    """
    if find_newest_version(survey) is None:
        raise DomainError(NOT_PUBLISHED)
    run = ImportRun(
        survey_id=survey.id,
        user_id=by_id,
        filename=Path(filename).name[-255:],
        path=str(path),
        mapping={},
        state="uploaded",
        created_at=now,
    )
    db.session.add(run)
    db.session.flush()
    return run


def choose_columns(run: ImportRun, mapping: Mapping[str, Any], definition: Definition) -> None:
    """Keep how the columns become answers. Raises MappingError or FileError if they cannot."""
    checked = mapping_of(mapping, definition)
    read_header(Path(run.path), encoding=checked.encoding, delimiter=checked.delimiter, sheet=checked.sheet)
    run.mapping = dict(mapping)


def start(run: ImportRun, *, by_id: int | None, now: datetime) -> None:
    """Let the worker bring a file in. Starting it twice starts it once.

    Raises DomainError if its columns were not chosen.
    """
    if run.state != "uploaded":
        return
    if not run.mapping:
        raise DomainError(N_("Choose the columns first."))
    mapping = mapping_of(run.mapping, definition_of(run))
    run.n_bytes = size_of(Path(run.path), mapping)
    run.state = "waiting"
    record_audit(
        "import.started",
        subject=run.filename,
        at=now,
        user_id=by_id,
        agency_id=run.survey.agency_id,
        detail={"survey": run.survey.slug, "import": run.id},
    )


def discard(run: ImportRun) -> None:
    """Forget an uploaded file that was not started."""
    if run.state != "uploaded":
        raise DomainError(N_("This import has begun and cannot be taken back."))
    Path(run.path).unlink(missing_ok=True)
    db.session.delete(run)


# Reading


def get_run(survey: Survey, import_id: int) -> ImportRun:
    """Return one file of a survey, or raise NotFoundError."""
    run = db.session.scalars(
        select(ImportRun).where(ImportRun.id == import_id, ImportRun.survey_id == survey.id)
    ).one_or_none()
    if run is None:
        raise NotFoundError(N_("There is no such import."))
    return run


def runs_of(survey: Survey) -> Sequence[ImportRun]:
    """Return the files brought into a survey, the newest first."""
    return db.session.scalars(
        select(ImportRun).where(ImportRun.survey_id == survey.id).order_by(ImportRun.id.desc()).limit(N_SHOWN)
    ).all()


def summary_of(run: ImportRun) -> Summary:
    """Return what became of the rows so far."""
    return Summary(**run.summary)


def rejects_path(run: ImportRun) -> Path:
    """Return where the refused rows of a file are written."""
    return Path(run.path).with_suffix(".rejects.csv")


def definition_of(run: ImportRun) -> Definition:
    """Return the questions a file is brought in for: those of the newest version."""
    return parse_definition(_version(run).definition)


def importer_for(
    run: ImportRun, *, now: datetime, tell: Callable[[int, Summary], None] | None = None
) -> Importer:
    """Return what brings this file in, or shows what would come of it."""
    return Importer(
        run.survey,
        _version(run),
        mapping_of(run.mapping, definition_of(run)),
        now=now,
        regions=current_app.config["PHONE_REGIONS"],
        tell=tell,
    )


def _version(run: ImportRun) -> SurveyVersion:
    version = find_newest_version(run.survey)
    if version is None:
        raise DomainError(NOT_PUBLISHED)
    return version


# Working


def run_next(now: Callable[[], datetime]) -> bool:
    """Bring the next waiting file in, if there is one; start no transaction before. Commits.

    Any number of workers may call this, and any of them may be killed at any moment.
    """
    claimed = _claim(now())
    if claimed is None:
        return False
    import_id, token = claimed
    try:
        _bring_in(import_id, token, now)
    except LeaseLostError:
        db.session.rollback()
        log.warning("Import %d was taken over by another worker.", import_id)
    except DomainError as error:
        _finish(import_id, token, now(), error=str(error))
    except OperationalError:
        raise  # the database is away: whoever comes next tries again when the lease is over
    except Exception:
        log.exception("Import %d failed.", import_id)
        _finish(import_id, token, now(), error=FAILED)
    return True


def _claim(now: datetime) -> tuple[int, str] | None:
    db.session.rollback()
    waiting = or_(
        ImportRun.state == "waiting", and_(ImportRun.state == "running", ImportRun.lease_until < now)
    )
    found = select(ImportRun).where(waiting).order_by(ImportRun.id).limit(1)
    if db.session.scalar(found.with_only_columns(ImportRun.id)) is None:
        db.session.rollback()
        return None
    db.session.rollback()
    with writing():
        run = db.session.scalars(found.with_for_update(skip_locked=True)).one_or_none()
        if run is None:
            db.session.rollback()
            return None
        token = secrets.token_hex(16)
        run.state, run.lease_token, run.lease_until = "running", token, now + LEASE
        run.attempts += 1
        has_given_up = run.attempts > MAX_ATTEMPTS
        import_id, path = run.id, Path(run.path)
        if has_given_up:
            _end(run, now, error=GAVE_UP)
        db.session.commit()
    if has_given_up:
        path.unlink(missing_ok=True)
        return None
    return import_id, token


def _bring_in(import_id: int, token: str, now: Callable[[], datetime]) -> None:
    run = db.session.get_one(ImportRun, import_id)
    earlier, path, rejects = summary_of(run), Path(run.path), _own_rejects(run, token)
    if not path.exists():
        raise FileError(N_("The uploaded file is gone. Upload it again."))

    def tell(done: int, summary: Summary) -> None:
        """Keep the progress and the lease, or give the file up to whoever has it now."""
        kept = db.session.execute(
            update(ImportRun)
            .where(ImportRun.id == import_id, ImportRun.lease_token == token)
            .values(
                lease_until=now() + LEASE,
                n_bytes_done=done,
                summary=summary.after(earlier).to_json(),
            )
            .execution_options(synchronize_session=False)
        )
        if kept.rowcount != 1:  # type: ignore[attr-defined]
            raise LeaseLostError

    importer = importer_for(run, now=now(), tell=tell)
    summary = importer.run(path, rejects).after(earlier)
    _finish(import_id, token, now(), summary=summary)


def _finish(
    import_id: int, token: str, now: datetime, *, summary: Summary | None = None, error: str = ""
) -> None:
    """Close a run unless another worker has taken it over; then delete the uploaded file."""
    db.session.rollback()
    with writing():
        run = db.session.scalars(
            select(ImportRun)
            .where(ImportRun.id == import_id, ImportRun.lease_token == token)
            .with_for_update()
        ).one_or_none()
        if run is None:
            db.session.rollback()
            return
        path, rejects, own_rejects = Path(run.path), rejects_path(run), _own_rejects(run, token)
        if summary is not None:
            run.summary = summary.to_json()
        _end(run, now, error=error)
        if own_rejects.exists():
            own_rejects.replace(rejects)
        db.session.commit()
    path.unlink(missing_ok=True)


def _own_rejects(run: ImportRun, token: str) -> Path:
    """Return where one worker writes what it refuses: one that was given up for dead may still write too."""
    return rejects_path(run).with_name(f"{Path(run.path).stem}-{token}.rejects.csv")


def _end(run: ImportRun, now: datetime, *, error: str) -> None:
    run.state = "failed" if error else "done"
    run.error = error[:500]
    run.lease_token = run.lease_until = None
    run.finished_at = now
    if not error:
        run.n_bytes_done = run.n_bytes


def forget_old(now: datetime) -> int:
    """Delete files that were uploaded and never started, and whatever else lies here for a month.

    Commits; returns how many were deleted.
    """
    db.session.rollback()
    n = 0
    with writing():
        stale = db.session.scalars(
            select(ImportRun)
            .where(ImportRun.state == "uploaded", ImportRun.created_at < now - FORGET_UPLOADS_AFTER)
            .order_by(ImportRun.id)
        ).all()
        for run in stale:
            discard(run)
            n += 1
        db.session.commit()
    oldest = (now - FORGET_REJECTS_AFTER).timestamp()
    for path in folder().iterdir():
        if path.is_file() and path.stat().st_mtime < oldest:
            path.unlink(missing_ok=True)
            n += 1
    return n
