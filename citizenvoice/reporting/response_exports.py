"""The file of responses people take away: one row each, closed answers in codes."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import chain
from typing import Any

from sqlalchemy import ColumnElement, Select, func, not_, select, tuple_

from citizenvoice.agencies.models import CHANNEL_NAMES, Service
from citizenvoice.db import db
from citizenvoice.errors import N_
from citizenvoice.feedback.models import Receipt
from citizenvoice.feedback.queries import counted
from citizenvoice.reporting.dictionaries import (
    BETWEEN,
    DICTIONARY_COLUMNS,
    Translate,
    channel_labels,
    entries,
)
from citizenvoice.reporting.facets import Facets, survey_ids
from citizenvoice.reporting.selection import ALL, COUNTED_UP_TO, EXCLUDED, Address, Selection
from citizenvoice.reporting.spreadsheets import Sheet, Value
from citizenvoice.surveys import routing
from citizenvoice.surveys.conditions import answered_parts
from citizenvoice.surveys.definition import Definition, Kind, Question
from citizenvoice.surveys.models import Response, Survey, SurveyVersion
from citizenvoice.surveys.parsing import parse_definition

AT_ONCE = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseFilter(Selection):
    """Which responses of one service."""

    survey: str = ""

    @property
    def own_args(self) -> dict[str, str]:
        """What an address says beside what every selection has."""
        return {"survey": self.survey}

    @property
    def conditions(self) -> list[ColumnElement[bool]]:
        """The conditions on a statement over `Receipt`, `Response` and `Survey`."""
        found = [self.of_services(Receipt), *self.when_and_how(Receipt)]
        if self.survey:
            found.append(Survey.slug == self.survey)
        if not self.excluded:
            found.append(counted())
        elif self.excluded != ALL:
            found += [not_(counted()), Receipt.exclusion == self.excluded]
        return found


@dataclass(frozen=True, slots=True)
class ParsedResponses:
    """A filter as an address asks for it, and the names of the parts of the address that mean nothing."""

    filter: ResponseFilter
    ignored: tuple[str, ...]


def parse_response_filter(
    args: Mapping[str, str], service: Service, facets: Facets, surveys: Sequence[str]
) -> ParsedResponses:
    """Read a filter from an address. What is unknown is left out and named, never refused."""
    address = Address(args, facets.fiscal_start)
    start, end = address.days()
    wanted = ResponseFilter(
        service_ids=(service.id,),
        survey=address.known("survey", surveys),
        channel=address.known("channel", set(map(str, CHANNEL_NAMES))),
        language=address.known("language", facets.languages),
        start=start,
        end=end,
        excluded=address.known("excluded", EXCLUDED),
    )
    return ParsedResponses(wanted, tuple(address.ignored))


def surveys_of(service: Service) -> list[tuple[str, str]]:
    """Return the short names and names of the surveys that ask about a service, or did, by name."""
    found = select(Survey.slug, Survey.name).where(Survey.id.in_(survey_ids([service.id])))
    rows = db.session.execute(found.order_by(Survey.name, Survey.id))
    return [(slug, name) for slug, name in rows]


def n_responses(wanted: ResponseFilter, up_to: int = COUNTED_UP_TO) -> int:
    """Return how many responses there are, counting no further than one past ``up_to``."""
    some = _responses(select(Receipt.id)).where(*wanted.conditions).limit(up_to + 1).subquery()
    return db.session.scalar(select(func.count()).select_from(some)) or 0


def _responses(statement: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    return statement.join(Response, Response.id == Receipt.id).join(Survey, Survey.id == Response.survey_id)


RESPONSE_COLUMNS: dict[str, str] = {
    "response_id": N_("Number of the response"),
    "service": N_("Short name of the service"),
    "survey": N_("Short name of the survey"),
    "version": N_("Version of the survey that was answered"),
    "day": N_("Day it arrived, in the agency's time zone"),
    "received_at": N_("Moment it arrived, in UTC"),
    "channel": N_("Channel it came by"),
    "language": N_("Language it was answered in"),
    "counted": N_("1 if the contribution counts, 0 if it does not"),
    "exclusion": N_("Why it does not count: withdrawn, spam, duplicate or test"),
    "duplicate_of": N_("Number of the response it repeats"),
    "sections": N_("How many pages of the survey were sent"),
    "external_id": N_("Number given by the system it was imported from"),
}


@dataclass(frozen=True, slots=True)
class Column:
    """One column of answers: of a question, or of one choice of a question with several answers."""

    name: str
    key: str
    is_segment: bool
    choice: str | None = None


@dataclass(slots=True)
class _Version:
    """A published version: its definition, and which questions each way through it asks."""

    id: int
    number: int
    survey: str
    definition: Definition
    _deciding: tuple[str, ...] = ()
    _asked: dict[Any, frozenset[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Find the questions whose answers decide what else is asked."""
        sections = self.definition.sections
        conditions = [section.shown_if for section in sections]
        conditions += [question.shown_if for section in sections for question in section.questions]
        self._deciding = tuple(
            sorted({part.question for condition in conditions for part in answered_parts(condition)})
        )

    def asked(self, answers: Mapping[str, Any], n_sections: int) -> frozenset[str]:
        """Return the questions that were put to a person; worked out once for each way through."""
        way = (n_sections, *(repr(answers.get(key)) for key in self._deciding))
        found = self._asked.get(way)
        if found is None:
            states = routing.asked(self.definition, answers, n_sections)
            found = frozenset(key for key, state in states.items() if state is routing.Asked.OFFERED)
            if len(self._asked) < 10_000:
                self._asked[way] = found
        return found


class ResponseTable:
    """The responses of a service as a table: one row each, one column for each closed question.

    A question keeps its column over versions and surveys, so that a file never changes its names; which
    survey and version a row answered stands in the row. A question with several answers has one column a
    choice: 1 chosen, 0 shown and not chosen, empty when it was not asked.
    """

    def __init__(self, wanted: ResponseFilter, service: Service) -> None:
        self.wanted, self.service = wanted, service
        self.versions = {version.id: version for version in _versions(wanted)}
        self.columns = _columns([version.definition for version in self.versions.values()])
        self._segments = {column.key for column in self.columns if column.is_segment}

    def sheet(self) -> Sheet:
        """Return the responses, the oldest first, as a table that is read while it is written."""
        names = (*RESPONSE_COLUMNS, *(column.name for column in self.columns))
        return Sheet("responses", names, map(self._row, self._records()))

    def dictionary(self, language: str, translate: Translate) -> Sheet:
        """Return what the columns and codes mean, in a language; a line for each code."""
        fixed = chain.from_iterable(
            entries(
                name, "", "", "", translate(meaning), channel_labels(translate) if name == "channel" else ()
            )
            for name, meaning in RESPONSE_COLUMNS.items()
        )
        return Sheet("columns", DICTIONARY_COLUMNS, [*fixed, *self._question_entries(language)])

    def _records(self) -> Iterator[Any]:
        """Yield the rows of the database, some at a time, keeping none."""
        statement = (
            _responses(
                select(
                    Receipt.id,
                    Survey.slug,
                    Response.version_id,
                    Receipt.day,
                    Receipt.received_at,
                    Receipt.channel,
                    Receipt.language,
                    Receipt.exclusion,
                    Receipt.duplicate_of_id,
                    Response.n_sections,
                    Response.external_id,
                    Response.answers,
                    Response.segments,
                )
            )
            .where(*self.wanted.conditions)
            .order_by(Receipt.day, Receipt.id)
            .limit(AT_ONCE)
        )
        at: tuple[date, int] | None = None
        while True:
            here = statement if at is None else statement.where(tuple_(Receipt.day, Receipt.id) > at)
            rows = db.session.execute(here).all()
            yield from rows
            if len(rows) < AT_ONCE:
                return
            at = (rows[-1].day, rows[-1].id)

    def _row(self, row: Any) -> list[Value]:
        version = self.versions[row.version_id]
        asked = version.asked(row.answers, row.n_sections)
        cells: list[Value] = [
            row.id,
            self.service.slug,
            row.slug,
            version.number,
            row.day,
            row.received_at,
            row.channel,
            row.language,
            row.exclusion is None,
            row.exclusion,
            row.duplicate_of_id,
            row.n_sections,
            row.external_id,
        ]
        for column in self.columns:
            answers = row.segments if column.is_segment else row.answers
            cells.append(_answer_cell(column, answers.get(column.key), was_asked=column.key in asked))
        return cells

    def _question_entries(self, language: str) -> Iterator[tuple[Value, ...]]:
        """Yield the lines of every question of every survey, versions with the same words together."""
        seen: dict[tuple[Value, ...], list[int]] = {}
        for version in self.versions.values():
            for line in _definition_entries(version.definition, language):
                seen.setdefault((version.survey, *line), []).append(version.number)
        place = {column.name: number for number, column in enumerate(self.columns)}
        for line in sorted(seen, key=lambda line: (place[str(line[1])], str(line[0]))):
            survey, column, kind, meaning, code, label = line
            yield (column, survey, BETWEEN.join(map(str, sorted(seen[line]))), kind, meaning, code, label)


def response_table(args: Mapping[str, str], service: Service, facets: Facets) -> ResponseTable:
    """Return the responses of a service that an address asks for."""
    surveys = [slug for slug, _ in surveys_of(service)]
    return ResponseTable(parse_response_filter(args, service, facets, surveys).filter, service)


def _answer_cell(column: Column, answer: Any, *, was_asked: bool) -> Value:
    if column.choice is None:
        return answer  # type: ignore[no-any-return]
    if answer is None and not was_asked:
        return None
    return column.choice in (answer or ())


def _versions(wanted: ResponseFilter) -> Iterator[_Version]:
    """Yield the versions of the surveys wanted, the newest of each survey first."""
    statement = (
        select(SurveyVersion.id, SurveyVersion.number, Survey.slug, SurveyVersion.definition)
        .join(Survey, Survey.id == SurveyVersion.survey_id)
        .where(SurveyVersion.survey_id.in_(survey_ids(wanted.service_ids)))
        .order_by(Survey.name, Survey.id, SurveyVersion.number.desc())
    )
    if wanted.survey:
        statement = statement.where(Survey.slug == wanted.survey)
    for version_id, number, slug, definition in db.session.execute(statement).all():
        yield _Version(version_id, number, slug, parse_definition(definition))


def _columns(definitions: Iterable[Definition]) -> list[Column]:
    """Return the columns of the closed questions, in the order of the first questionnaire that asks them."""
    found: dict[str, Column] = {}
    for definition in definitions:
        for question, is_segment in _closed_questions(definition):
            for column in _columns_of(question, is_segment=is_segment):
                found.setdefault(column.name, column)
    return sorted(found.values(), key=lambda column: column.is_segment)


def _closed_questions(definition: Definition) -> Iterator[tuple[Question, bool]]:
    for section in definition.sections:
        for question in section.questions:
            if question.kind is not Kind.TEXT:
                yield question, section.about_you


def _columns_of(question: Question, *, is_segment: bool) -> list[Column]:
    name = f"about_you.{question.key}" if is_segment else question.key
    if question.kind is Kind.MULTIPLE:
        return [
            Column(f"{name}.{choice.value}", question.key, is_segment, choice.value)
            for choice in question.choices
        ]
    taken = f"{name}.answer" if name in RESPONSE_COLUMNS else name
    return [Column(taken, question.key, is_segment)]


def _definition_entries(definition: Definition, language: str) -> Iterator[tuple[Value, ...]]:
    for question, is_segment in _closed_questions(definition):
        words = definition.say(question.text, language)
        columns = _columns_of(question, is_segment=is_segment)
        if question.kind is Kind.MULTIPLE:
            for column, choice in zip(columns, question.choices, strict=True):
                yield (column.name, str(question.kind), words, 1, definition.say(choice.label, language))
            continue
        codes = list(zip(question.possible_values, question.answer_labels, strict=True)) or [("", {})]
        for code, label in codes:
            yield (columns[0].name, str(question.kind), words, code, definition.say(label, language))
