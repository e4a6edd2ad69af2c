"""Brings delivered responses in: each external id once, however often a file is sent; bad rows reported."""

import csv
import hashlib
import json
import re
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from itertools import groupby, islice
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from citizenvoice.agencies.models import Channel
from citizenvoice.db import db, writing
from citizenvoice.errors import N_
from citizenvoice.surveys.answering import Delivery, Questionnaire, contribution
from citizenvoice.surveys.contributions import Contribution
from citizenvoice.surveys.delivered import Row, read_rows
from citizenvoice.surveys.mapping import DEFAULT_FORMATS, SEPARATOR, ColumnMapping, Source, tidy_value
from citizenvoice.surveys.models import Response, Survey, SurveyVersion
from citizenvoice.surveys.parsing import parse_definition
from citizenvoice.surveys.recording import record_many
from citizenvoice.surveys.validation import Checked
from citizenvoice.surveys.values import Mode

BATCH = 500
READ_AHEAD = 20_000
MAX_ID = 120  # characters
EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)  # an earlier time is a slip of the pen
NOON = time(12)
ISO = re.compile(r"\d{4}-\d\d-\d\d(?:[ T]\d\d:\d\d(?::\d\d)?)?", re.ASCII)

# Each id is looked up by itself: given a list, and no statistics yet, the planner reads the whole survey.
KNOWN_ON_POSTGRESQL = text(
    "SELECT found.external_id, found.import_digest FROM unnest(CAST(:ids AS varchar[])) AS wanted (id),"
    " LATERAL (SELECT external_id, import_digest FROM response"
    " WHERE survey_id = :survey_id AND external_id = wanted.id OFFSET 0) AS found"
)

NOT_MAPPED = N_("“%(value)s” is not among the values the mapping knows.")
NO_ID = N_("The id is missing.")
LONG_ID = N_("The id has more than %(n)d characters.")
NO_TIME = N_("The time is missing.")
NOT_A_TIME = N_("“%(value)s” is not a time in any of the formats: %(formats)s.")
IN_FUTURE = N_("“%(value)s” lies in the future.")
TOO_EARLY = N_("“%(value)s” lies before %(year)d.")
NO_SERVICE = N_("This survey does not ask about a service “%(value)s”.")
NO_CHANNEL = N_("There is no channel “%(value)s”.")
NO_LANGUAGE = N_("This survey is not asked in “%(value)s”.")
DISAGREES = N_("This says something else than line %(line)d of the same respondent.")
ANSWERED_TWICE = N_("Line %(line)d of the same respondent already answers this question.")
DELIVERED_BEFORE = N_("The id “%(value)s” was delivered before with other content. The first delivery stays.")


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why one row was not taken: its line, the column at fault (or none), and a sentence."""

    line: int
    column: str
    message: str
    params: Mapping[str, Any] = field(default_factory=dict)

    @property
    def sentence(self) -> str:
        """The reason in English."""
        return self.message % self.params if self.params else self.message


@dataclass(slots=True)
class Summary:
    """What became of every row: ``n_rows`` is the sum of the next five."""

    n_rows: int = 0
    n_imported: int = 0
    n_known: int = 0  # delivered before, the same
    n_changed: int = 0  # delivered before, different: reported, not taken
    n_rejected: int = 0
    n_empty: int = 0  # nothing answered
    n_responses: int = 0  # new responses made of the imported rows
    n_comments: int = 0

    def to_json(self) -> dict[str, int]:
        """Return the figures by name."""
        return asdict(self)

    def after(self, earlier: "Summary") -> "Summary":
        """Return the figures of an import begun anew, with what was taken before it was interrupted.

        The rows an earlier attempt took are found first, as known ones: they count as imported, once.
        """
        taken = min(earlier.n_imported, self.n_known)
        return replace(
            self,
            n_imported=self.n_imported + taken,
            n_known=self.n_known - taken,
            n_responses=self.n_responses + earlier.n_responses,
            n_comments=self.n_comments + earlier.n_comments,
        )


@dataclass(frozen=True, slots=True)
class Facts:
    """What a row says about the whole response."""

    id: str
    service: str
    received_at: datetime
    channel: str
    language: str


@dataclass(slots=True)
class Gathered:
    """One response, gathered from its rows."""

    facts: Facts
    lines: list[int]
    answers: dict[str, Any]
    texts: dict[str, str]
    checked: Checked | None = None  # None where several rows came together: to be checked as a whole


class RefusedError(Exception):
    """A row cannot be taken."""

    def __init__(self, refusals: Sequence[Refusal]) -> None:
        self.refusals = tuple(refusals)
        super().__init__()


class Importer:
    """Brings the rows of one file into one survey.

    ``tell`` hears of the progress: bytes (CSV) or rows (XLSX) done, and the summary so far. It is called in
    the transaction of each batch, before that is committed, so that what it writes is true exactly when the
    batch is stored; what it raises takes the batch back and ends the import.
    """

    def __init__(
        self,
        survey: Survey,
        version: SurveyVersion,
        mapping: ColumnMapping,
        *,
        now: datetime,
        regions: Sequence[str] = ("US",),
        tell: Callable[[int, Summary], None] | None = None,
    ) -> None:
        self.mapping = mapping
        self.summary = Summary()
        self._survey_id = survey.id
        self._now = now
        self._regions = tuple(regions)
        self._tell = tell or (lambda _done, _summary: None)
        self._n_done = 0
        definition = parse_definition(version.definition)
        self._questionnaire = Questionnaire(survey.id, version.id, version.number, definition)
        self._languages = frozenset(definition.languages)
        self._services = {service.slug: (service.id, service.agency.time_zone) for service in survey.services}
        self._only_service = next(iter(self._services)) if len(self._services) == 1 else ""
        self._seen: Counter[str] = Counter()

    def run(self, path: Path, rejects: Path) -> Summary:
        """Import a file batch by batch and write what was refused to ``rejects``. Safe to run again."""
        with rejects.open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["line", "column", "reason"])

            def refuse(refusals: Iterable[Refusal]) -> None:
                writer.writerows((each.line, each.column, each.sentence) for each in refusals)

            responses = self._gathered(path, refuse)
            while batch := list(islice(responses, BATCH)):
                self._n_done = batch[-1][1]
                self._keep([response for response, _ in batch], refuse)
                file.flush()
        return self.summary

    def preview(self, path: Path, n: int) -> list[tuple[Row, tuple[Refusal, ...]]]:
        """Return the first rows with why each would be refused, without storing anything."""
        shown: list[tuple[Row, tuple[Refusal, ...]]] = []
        firsts: dict[str, Gathered] = {}
        for row in islice(read_rows(path, self.mapping), n):
            try:
                gathered = self._read(row)
            except RefusedError as refused:
                shown.append((row, refused.refusals))
                continue
            refusals: Sequence[Refusal] = ()
            if self.mapping.is_grouped and (gathered.answers or gathered.texts):
                first = firsts.setdefault(gathered.facts.id, gathered)
                refusals = self._join(first, gathered) if first is not gathered else ()
            shown.append((row, tuple(refusals)))
        return shown

    # Rows to responses

    def _gathered(
        self, path: Path, refuse: Callable[[Iterable[Refusal]], None]
    ) -> Iterator[tuple[Gathered, int]]:
        read = self._readable(path, refuse)
        if not self.mapping.is_grouped:
            yield from read
            return
        for rows, done in _by_respondent(read):
            gathered = rows[0]
            for row in rows[1:]:
                if refusals := self._join(gathered, row):
                    self.summary.n_rejected += 1
                    refuse(refusals)
            yield gathered, done

    def _join(self, gathered: Gathered, row: Gathered) -> list[Refusal]:
        """Add a row to the respondent's earlier ones, unless it disagrees with them: then say how."""
        refusals = self._disagreements(gathered, row)
        if not refusals:
            gathered.lines += row.lines
            gathered.answers = {**row.answers, **gathered.answers}
            gathered.texts |= row.texts
            gathered.checked = None
        return refusals

    def _readable(
        self, path: Path, refuse: Callable[[Iterable[Refusal]], None]
    ) -> Iterator[tuple[Gathered, int]]:
        for row in read_rows(path, self.mapping):
            self.summary.n_rows += 1
            if self.summary.n_rows % READ_AHEAD == 0:
                if self.mapping.is_grouped:  # reading is half of the work, nothing is stored yet
                    self._n_done = row.done // 2
                self._still_there()
            try:
                gathered = self._read(row)
            except RefusedError as refused:
                self.summary.n_rejected += 1
                refuse(refused.refusals)
                continue
            if gathered.answers or gathered.texts:
                yield gathered, row.done
            else:
                self.summary.n_empty += 1

    def _still_there(self) -> None:
        """Tell of the progress where many rows are read before, or without, anything to store."""
        with one_transaction():
            self._tell(self._n_done, self.summary)

    def _read(self, row: Row) -> Gathered:
        """Read one row. Raises RefusedError with everything that is wrong with it."""
        if row.problem:
            raise RefusedError([Refusal(row.line, "", row.problem)])
        refusals: list[Refusal] = []

        def value(source: Source) -> Any:
            try:
                return _value(source, row.values)
            except KeyError as unknown:
                refusals.append(Refusal(row.line, _name(source), NOT_MAPPED, {"value": unknown.args[0]}))
                return None

        answers = {key: value(source) for key, source in self.mapping.answers.items()}
        texts = self._texts(row, value)
        facts = self._facts(row, value, refusals)
        if refusals:
            raise RefusedError(refusals)
        given = {key: answer for key, answer in answers.items() if answer is not None}
        checked = self._questionnaire.check_whole({**given, **texts}, mode=Mode.IMPORT)
        if checked.errors:
            raise RefusedError(
                [
                    Refusal(row.line, self._column_of(error.question), error.message, error.params)
                    for error in checked.errors
                ]
            )
        return Gathered(facts, [row.line], given, texts, checked)

    def _texts(self, row: Row, value: Callable[[Source], Any]) -> dict[str, str]:
        found: dict[str, str] = {}
        for source in self.mapping.texts:
            text = row.values.get(source.column, "").strip()
            if not text or " ".join(text.split()).casefold() in source.ignored:
                continue
            question = value(source.question)
            if question is not None:
                found[question] = text
        return found

    def _facts(self, row: Row, value: Callable[[Source], Any], refusals: list[Refusal]) -> Facts:
        mapping = self.mapping

        def refuse(source: Source, message: str, **params: Any) -> None:
            refusals.append(Refusal(row.line, _name(source), message, params))

        service = str(value(mapping.service) or self._only_service)
        if service not in self._services and not refusals:
            refuse(mapping.service, NO_SERVICE, value=service)
        _, zone = self._services.get(service, (0, "UTC"))
        channel, language = value(mapping.channel), value(mapping.language)
        if channel is not None and channel not in set(Channel):
            refuse(mapping.channel, NO_CHANNEL, value=channel)
        if language is not None and language not in self._languages:
            refuse(mapping.language, NO_LANGUAGE, value=language)
        row_id = value(mapping.id) if mapping.id else self._content_id(row)
        if mapping.id and row_id is None:
            refuse(mapping.id, NO_ID)
        elif mapping.id and len(str(row_id)) > MAX_ID:
            refuse(mapping.id, LONG_ID, n=MAX_ID)
        is_dated = not row.dated.isdisjoint(mapping.received_at.columns)
        formats = DEFAULT_FORMATS if is_dated else mapping.formats
        received_at = self._received_at(value(mapping.received_at), formats, zone, refuse)
        return Facts(str(row_id), service, received_at, str(channel), str(language))

    def _received_at(
        self, written: Any, formats: tuple[str, ...], zone: str, refuse: Callable[..., None]
    ) -> datetime:
        source = self.mapping.received_at
        at = None if written is None else instant(str(written), formats, zone)
        if written is None:
            refuse(source, NO_TIME)
        elif at is None:
            refuse(source, NOT_A_TIME, value=written, formats=", ".join(self.mapping.formats))
        elif at > self._now + timedelta(days=1):
            refuse(source, IN_FUTURE, value=written)
        elif at < EARLIEST:
            refuse(source, TOO_EARLY, value=written, year=EARLIEST.year)
        return at or self._now

    def _content_id(self, row: Row) -> str:
        """Return an id for a row that has none: what it says, and how often the file said so before."""
        said = json.dumps([row.values.get(name, "") for name in sorted(self.mapping.columns)])
        digest = hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()[:40]
        self._seen[digest] += 1
        return f"row {digest} {self._seen[digest]}"

    def _column_of(self, question: str) -> str:
        source = self.mapping.answers.get(question)
        if source is not None:
            return _name(source)
        return next((text.column for text in self.mapping.texts), "")

    def _disagreements(self, first: Gathered, row: Gathered) -> list[Refusal]:
        line = row.lines[0]
        found = [
            (_name(getattr(self.mapping, name)), DISAGREES)
            for name in ("service", "received_at", "channel", "language")
            if getattr(first.facts, name) != getattr(row.facts, name)
        ]
        found += [
            (self._column_of(key), DISAGREES)
            for key, answer in row.answers.items()
            if first.answers.get(key, answer) != answer
        ]
        found += [
            (self._column_of(key), ANSWERED_TWICE)
            for key, text in row.texts.items()
            if first.texts.get(key, text) != text
        ]
        return [Refusal(line, column, message, {"line": first.lines[0]}) for column, message in found]

    # Responses to the database

    def _keep(self, batch: Sequence[Gathered], refuse: Callable[[Iterable[Refusal]], None]) -> None:
        ready = [(response, self._contribution(response)) for response in batch]
        while True:
            try:
                self._commit(ready, refuse)
            except IntegrityError:  # another import of the same ids was faster: look again
                db.session.rollback()
            else:
                break

    def _commit(
        self,
        ready: Sequence[tuple[Gathered, Contribution]],
        refuse: Callable[[Iterable[Refusal]], None],
    ) -> None:
        with one_transaction():
            known = self._known([response.facts.id for response, _ in ready])
            new: list[Contribution] = []
            n_imported = n_known = 0
            refusals = []
            for response, given in ready:
                before = known.get(response.facts.id)
                if before is None:
                    known[response.facts.id] = given.import_digest or ""
                    new.append(given)
                    n_imported += len(response.lines)
                elif before == given.import_digest:
                    n_known += len(response.lines)
                else:
                    refusals += [self._changed(response, line) for line in response.lines]
            record_many(new)
            summary = replace(
                self.summary,
                n_imported=self.summary.n_imported + n_imported,
                n_known=self.summary.n_known + n_known,
                n_changed=self.summary.n_changed + len(refusals),
                n_responses=self.summary.n_responses + len(new),
                n_comments=self.summary.n_comments + sum(len(given.words) for given in new),
            )
            self._tell(self._n_done, summary)
        self.summary = summary
        refuse(refusals)

    def _changed(self, response: Gathered, line: int) -> Refusal:
        column = _name(self.mapping.id) if self.mapping.id else ""
        return Refusal(line, column, DELIVERED_BEFORE, {"value": response.facts.id})

    def _known(self, ids: Sequence[str]) -> dict[str, str]:
        if db.engine.dialect.name == "postgresql":
            rows = db.session.execute(KNOWN_ON_POSTGRESQL, {"survey_id": self._survey_id, "ids": list(ids)})
        else:
            rows = db.session.execute(
                select(Response.external_id, Response.import_digest)
                .where(Response.survey_id == self._survey_id, Response.external_id.in_(ids))
                .order_by(Response.id)
            )
        return {external_id or "": digest or "" for external_id, digest in rows}

    def _contribution(self, response: Gathered) -> Contribution:
        facts = response.facts
        service_id, zone = self._services[facts.service]
        checked = response.checked or self._questionnaire.check_whole(
            {**response.answers, **response.texts}, mode=Mode.IMPORT
        )
        delivery = Delivery(
            service_id=service_id,
            time_zone=zone,
            channel=facts.channel,
            language=facts.language,
            at=facts.received_at,
            regions=self._regions,
        )
        given = contribution(self._questionnaire, checked, delivery, external_id=facts.id)
        said = [
            *(facts.service, facts.received_at.isoformat(), facts.channel, facts.language),
            *(given.answers, given.segments, sorted((words.question, words.text) for words in given.words)),
        ]
        digest = hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()
        return replace(given, import_digest=digest)


@contextmanager
def one_transaction() -> Iterator[None]:
    """Hold the right to write for one transaction; it is over, well or not, before the right is given back.

    Whoever comes next on SQLite would otherwise find the database locked, and is told so without waiting.
    """
    db.session.rollback()
    with writing():
        try:
            yield
            db.session.commit()
        except BaseException:
            db.session.rollback()
            raise


@lru_cache(maxsize=10_000)
def instant(written: str, formats: tuple[str, ...], zone: str) -> datetime | None:
    """Return the moment a text names, or None; without an offset told in ``zone``, a bare day at noon."""
    written = tidy_value(written)
    at = (_by_iso(written) if formats == DEFAULT_FORMATS else None) or _by_pattern(written, formats)
    if at is None:
        return None
    try:
        return (at if at.tzinfo else at.replace(tzinfo=ZoneInfo(zone))).astimezone(UTC)
    except OverflowError:  # on the first or the last day of the calendar
        return None


def _by_pattern(written: str, patterns: Sequence[str]) -> datetime | None:
    for pattern in patterns:
        try:
            at = datetime.strptime(written, pattern)  # noqa: DTZ007 - the zone comes later
        except ValueError:
            continue
        has_time = "%H" in pattern or "%I" in pattern
        return at if has_time else datetime.combine(at.date(), NOON)
    return None


def _by_iso(written: str) -> datetime | None:
    """Read the usual notation of the default formats, ten times faster than by pattern."""
    if not ISO.fullmatch(written):
        return None
    try:
        at = datetime.fromisoformat(written)
    except ValueError:
        return None
    return at if len(written) > len("2026-05-31") else datetime.combine(at.date(), NOON)


def _value(source: Source, values: Mapping[str, str]) -> Any:
    """Return what a source says in this row, None if blank. Raises KeyError for a value not mapped."""
    if not source.columns:
        return source.constant
    if len(source.columns) == 1:
        written = tidy_value(values.get(source.columns[0], ""))
    else:
        written = SEPARATOR.join(tidy_value(values.get(column, "")) for column in source.columns)
    if not written.strip(SEPARATOR) or written in source.blanks:
        return None
    if source.values is None:
        return written
    found = source.values[written]
    return str(found) if isinstance(found, int) else found


def _name(source: Source) -> str:
    return " + ".join(source.columns)


def _by_respondent(read: Iterator[tuple[Gathered, int]]) -> Iterator[tuple[list[Gathered], int]]:
    """Bring the rows of each respondent together, in the order of their first rows, in a file on disk.

    Reading the file is half of what is done, the other half grows with the rows given on.
    """
    with tempfile.NamedTemporaryFile(suffix=".rows") as file, sqlite3.connect(file.name) as rows:
        rows.execute("PRAGMA journal_mode = OFF")
        rows.execute("CREATE TABLE row (line INTEGER PRIMARY KEY, id TEXT, said TEXT)")
        rows.execute("CREATE TABLE first (id TEXT PRIMARY KEY, line INTEGER)")
        done = n_rows = n_given = 0
        for gathered, reached in read:
            done, line, n_rows = reached, gathered.lines[0], n_rows + 1
            rows.execute("INSERT OR IGNORE INTO first VALUES (?, ?)", (gathered.facts.id, line))
            rows.execute("INSERT INTO row VALUES (?, ?, ?)", (line, gathered.facts.id, _packed(gathered)))
        found = rows.execute(
            "SELECT first.line, said FROM row JOIN first ON first.id = row.id ORDER BY first.line, row.line"
        )
        for _, group in groupby(found, key=lambda pair: pair[0]):
            of_one = [_unpacked(said) for _, said in group]
            n_given += len(of_one)
            yield of_one, done * (n_rows + n_given) // (2 * n_rows)


def _packed(gathered: Gathered) -> str:
    facts = gathered.facts
    kept = [facts.id, facts.service, facts.received_at.isoformat(), facts.channel, facts.language]
    return json.dumps([kept, gathered.lines, gathered.answers, gathered.texts])


def _unpacked(said: str) -> Gathered:
    (row_id, service, at, channel, language), lines, answers, texts = json.loads(said)
    return Gathered(
        Facts(row_id, service, datetime.fromisoformat(at), channel, language), lines, answers, texts
    )
