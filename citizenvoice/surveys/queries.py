"""Reads about surveys: what can be answered now, and what was answered so far."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, literal, select, union_all
from sqlalchemy.orm import joinedload, selectinload

from citizenvoice.accounts.models import AuditEntry, User
from citizenvoice.accounts.queries import in_scope
from citizenvoice.accounts.scope import Role, Scope
from citizenvoice.agencies.models import Agency, Service
from citizenvoice.db import db
from citizenvoice.errors import N_, NotFoundError
from citizenvoice.feedback.models import Comment, Receipt
from citizenvoice.surveys.models import Link, Response, Survey, SurveyService, SurveyState, SurveyVersion


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One service that a live survey asks about: all a page needs to know beside the questions."""

    survey_id: int
    survey: str  # slugs
    service: str
    service_id: int
    version_id: int
    number: int
    digest: str
    name: str
    names: Mapping[str, str]
    agency: str
    agencies: Mapping[str, str]
    time_zone: str
    links: tuple[tuple[str, str], ...]  # (code, channel), by code


@dataclass(frozen=True, slots=True, kw_only=True)
class SoFar:
    """What a person answered so far with the code they got."""

    receipt_id: int
    survey_id: int
    version_id: int
    service_id: int
    channel: str
    language: str
    received_at: datetime
    day: date
    exclusion: str | None
    answers: dict[str, Any]
    segments: dict[str, Any]
    n_sections: int


@dataclass(frozen=True, slots=True)
class Delivered:
    """A stored response: the digest of what was sent with a key, and why it does not count if it does not."""

    digest: str | None
    exclusion: str | None


@dataclass(frozen=True, slots=True)
class WayIn:
    """Where a short link leads."""

    code: str
    channel: str
    survey: str
    service: str
    languages: tuple[str, ...]


def get_offer(survey: str, service: str) -> Offer:
    """Return what a live survey offers for one of its services, at its latest version.

    Raises NotFoundError where there is nothing to answer.
    """
    row = db.session.execute(
        select(Survey.id, SurveyVersion.id, SurveyVersion.number, SurveyVersion.digest, Service, Agency)
        .join(SurveyVersion, SurveyVersion.survey_id == Survey.id)
        .join(SurveyService, SurveyService.survey_id == Survey.id)
        .join(Service, Service.id == SurveyService.service_id)
        .join(Agency, Agency.id == Service.agency_id)
        .where(Survey.slug == survey, Survey.state == SurveyState.LIVE, Service.slug == service)
        .order_by(SurveyVersion.number.desc())
        .limit(1)
    ).one_or_none()
    if row is None:
        raise NotFoundError(N_("There is no survey here that can be answered now."))
    survey_id, version_id, number, digest, asked, agency = row
    return Offer(
        survey_id=survey_id,
        survey=survey,
        service=service,
        service_id=asked.id,
        version_id=version_id,
        number=number,
        digest=digest,
        name=asked.name,
        names=asked.names,
        agency=agency.name,
        agencies=agency.names,
        time_zone=agency.time_zone,
        links=_links(survey_id, asked.id),
    )


def _links(survey_id: int, service_id: int) -> tuple[tuple[str, str], ...]:
    rows = db.session.execute(
        select(Link.code, Link.channel)
        .where(Link.survey_id == survey_id, Link.service_id == service_id)
        .order_by(Link.code)
    )
    return tuple((code, channel) for code, channel in rows)


def services_asked_about(survey: str) -> list[str]:
    """Return the slugs of the services a live survey asks about, in the order of their names."""
    return list(
        db.session.scalars(
            select(Service.slug)
            .join(SurveyService, SurveyService.service_id == Service.id)
            .join(Survey, Survey.id == SurveyService.survey_id)
            .where(Survey.slug == survey, Survey.state == SurveyState.LIVE)
            .where(select(SurveyVersion.id).where(SurveyVersion.survey_id == Survey.id).exists())
            .order_by(Service.name, Service.id)
        )
    )


def live_surveys(service_ids: Sequence[int]) -> dict[int, list[tuple[str, list[str]]]]:
    """Return the surveys that can be answered about each service, newest first: slug and languages."""
    newest = (
        select(func.max(SurveyVersion.number))
        .where(SurveyVersion.survey_id == Survey.id)
        .correlate(Survey)
        .scalar_subquery()
    )
    rows = db.session.execute(
        select(SurveyService.service_id, Survey.slug, SurveyVersion.definition["languages"])
        .join(Survey, Survey.id == SurveyService.survey_id)
        .join(SurveyVersion, (SurveyVersion.survey_id == Survey.id) & (SurveyVersion.number == newest))
        .where(SurveyService.service_id.in_(service_ids), Survey.state == SurveyState.LIVE)
        .order_by(Survey.id.desc())
    )
    found: dict[int, list[tuple[str, list[str]]]] = {}
    for service_id, slug, asked_in in rows:
        found.setdefault(service_id, []).append((slug, list(asked_in)))
    return found


def get_definition(survey_id: int, number: int) -> tuple[int, str, dict[str, Any]]:
    """Return id, digest and frozen definition of a survey's version, or raise NotFoundError."""
    row = db.session.execute(
        select(SurveyVersion.id, SurveyVersion.digest, SurveyVersion.definition).where(
            SurveyVersion.survey_id == survey_id, SurveyVersion.number == number
        )
    ).one_or_none()
    if row is None:
        raise NotFoundError(N_("This survey has no version %(number)s."), number=number)
    return row[0], row[1], row[2]


def find_so_far(code_hash: bytes) -> SoFar | None:
    """Return the response a receipt code belongs to."""
    row = db.session.execute(
        select(Receipt, Response)
        .join(Response, Response.id == Receipt.id)
        .where(Receipt.code_hash == code_hash)
    ).one_or_none()
    if row is None:
        return None
    receipt, response = row
    return SoFar(
        receipt_id=receipt.id,
        survey_id=response.survey_id,
        version_id=response.version_id,
        service_id=receipt.service_id,
        channel=receipt.channel,
        language=receipt.language,
        received_at=receipt.received_at,
        day=receipt.day,
        exclusion=receipt.exclusion,
        answers=response.answers,
        segments=response.segments,
        n_sections=response.n_sections,
    )


def words_in(receipt_id: int) -> dict[str, str]:
    """Return what was written in a response, by question."""
    rows = db.session.execute(
        select(Comment.question, Comment.text).where(Comment.receipt_id == receipt_id).order_by(Comment.id)
    )
    return dict(rows.all())


def find_last(survey: str, service: str) -> tuple[bool, dict[str, Any]] | None:
    """Return whether a survey about a service can be answered or has ended, and what it asked last."""
    row = db.session.execute(
        select(Survey.state, SurveyVersion.definition)
        .join(SurveyVersion, SurveyVersion.survey_id == Survey.id)
        .join(SurveyService, SurveyService.survey_id == Survey.id)
        .join(Service, Service.id == SurveyService.service_id)
        .where(Survey.slug == survey, Service.slug == service, Survey.state != SurveyState.DRAFT)
        .order_by(SurveyVersion.number.desc())
        .limit(1)
    ).one_or_none()
    return None if row is None else (row[0] == SurveyState.LIVE, row[1])


def get_delivered(receipt_id: int) -> Delivered:
    """Return what is known of a response that a program or a page sends again."""
    row = db.session.execute(
        select(Response.import_digest, Receipt.exclusion)
        .join(Receipt, Receipt.id == Response.id)
        .where(Response.id == receipt_id)
    ).one()
    return Delivered(*row)


def get_way_in(code: str) -> WayIn:
    """Return where a short link leads while its survey is live, or raise NotFoundError."""
    row = db.session.execute(
        select(Link.channel, Survey.slug, Service.slug, SurveyVersion.definition)
        .join(Survey, Survey.id == Link.survey_id)
        .join(Service, Service.id == Link.service_id)
        .join(SurveyVersion, SurveyVersion.survey_id == Survey.id)
        .where(Link.code == code, Survey.state == SurveyState.LIVE)
        .order_by(SurveyVersion.number.desc())
        .limit(1)
    ).one_or_none()
    if row is None:
        raise NotFoundError(N_("This link leads nowhere. The survey may have ended."))
    channel, survey, service, definition = row
    return WayIn(code, channel, survey, service, tuple(definition["languages"]))


def find_links(survey_id: int, service_id: int) -> list[Link]:
    """Return the short links into a survey for one service, by channel."""
    return list(
        db.session.scalars(
            select(Link)
            .where(Link.survey_id == survey_id, Link.service_id == service_id)
            .order_by(Link.channel, Link.id)
        )
    )


# What managers read

COUNTED_UP_TO = 10_000
GIVEN_UP = "survey.official_wording_given_up"


@dataclass(frozen=True, slots=True)
class ManagedSurvey:
    """One line of a manager's list: a survey, its newest version, and responses up to COUNTED_UP_TO."""

    survey: Survey
    version: int | None
    published_at: datetime | None
    n_responses: int


@dataclass(frozen=True, slots=True)
class GivenUp:
    """When, by whom and for which question the official wording of a survey was given up."""

    at: datetime
    email: str
    question: str
    instrument: str


def managed_surveys(scope: Scope) -> list[ManagedSurvey]:
    """Return the surveys of the agencies a member sees, by name."""
    newest = (
        select(
            SurveyVersion.survey_id,
            func.max(SurveyVersion.number).label("number"),
            func.max(SurveyVersion.published_at).label("published_at"),
        )
        .group_by(SurveyVersion.survey_id)
        .subquery()
    )
    rows = db.session.execute(
        select(Survey, newest.c.number, newest.c.published_at)
        .join(Survey.agency)
        .outerjoin(newest, newest.c.survey_id == Survey.id)
        .where(in_scope(Agency.path, scope))
        .order_by(Survey.name, Survey.id)
        .options(joinedload(Survey.agency), selectinload(Survey.services))
    ).all()
    counts = response_counts([survey.id for survey, _, _ in rows])
    return [ManagedSurvey(survey, number, at, counts[survey.id]) for survey, number, at in rows]


def response_counts(survey_ids: Sequence[int]) -> dict[int, int]:
    """Return how many responses each survey has, counting no further than one past COUNTED_UP_TO."""
    if not survey_ids:
        return {}
    few = [
        select(
            literal(survey_id).label("survey_id"),
            select(func.count())
            .select_from(
                select(Response.id).where(Response.survey_id == survey_id).limit(COUNTED_UP_TO + 1).subquery()
            )
            .scalar_subquery()
            .label("n"),
        )
        for survey_id in survey_ids
    ]
    return {row.survey_id: row.n for row in db.session.execute(union_all(*few))}


def get_managed_survey(
    slug: str, scope: Scope, role: Role = Role.VIEWER, *, to_change: bool = False
) -> Survey:
    """Return a survey of an agency where this member has at least ``role``.

    With ``to_change`` its row is held, so that two edits of a draft come one after the other.
    Raises NotFoundError if there is none.
    """
    wanted = (
        select(Survey)
        .join(Survey.agency)
        .where(Survey.slug == slug, in_scope(Agency.path, scope, role))
        .options(joinedload(Survey.agency), selectinload(Survey.services).joinedload(Service.agency))
    )
    if to_change:
        wanted = wanted.with_for_update(of=Survey)
    survey = db.session.scalars(wanted).one_or_none()
    if survey is None:
        raise NotFoundError(N_("There is no such survey."))
    return survey


def versions_of(survey: Survey) -> list[SurveyVersion]:
    """Return the published versions of a survey, the newest first."""
    return list(
        db.session.scalars(
            select(SurveyVersion)
            .where(SurveyVersion.survey_id == survey.id)
            .order_by(SurveyVersion.number.desc())
        )
    )


def find_newest_version(survey: Survey) -> SurveyVersion | None:
    """Return the newest version of a survey, if it was ever published."""
    return db.session.scalars(
        select(SurveyVersion)
        .where(SurveyVersion.survey_id == survey.id)
        .order_by(SurveyVersion.number.desc())
        .limit(1)
    ).one_or_none()


def get_version(survey: Survey, number: int) -> SurveyVersion:
    """Return a version of a survey, or raise NotFoundError."""
    found = db.session.scalars(
        select(SurveyVersion).where(SurveyVersion.survey_id == survey.id, SurveyVersion.number == number)
    ).one_or_none()
    if found is None:
        raise NotFoundError(N_("This survey has no version %(number)s."), number=number)
    return found


def find_version_before(survey: Survey, number: int) -> SurveyVersion | None:
    """Return the version that people answered before this one, if there was one."""
    return db.session.scalars(
        select(SurveyVersion)
        .where(SurveyVersion.survey_id == survey.id, SurveyVersion.number < number)
        .order_by(SurveyVersion.number.desc())
        .limit(1)
    ).one_or_none()


def get_survey(slug: str) -> Survey:
    """Return a survey by its short name, for operators, who see everything. Raises NotFoundError."""
    survey = db.session.scalars(select(Survey).where(Survey.slug == slug)).one_or_none()
    if survey is None:
        raise NotFoundError(N_("There is no such survey."))
    return survey


def is_slug_taken(slug: str) -> bool:
    """Return whether a survey has this address already."""
    return db.session.scalar(select(Survey.id).where(Survey.slug == slug)) is not None


def get_common_agency(services: Iterable[Service], scope: Scope) -> Agency:
    """Return the lowest agency that all these services belong to, where this member is a manager.

    Raises NotFoundError if the member manages no agency that holds them all.
    """
    paths = [service.agency.path.strip("/").split("/") for service in services]
    shared: list[str] = []
    for steps in zip(*paths, strict=False):
        if len(set(steps)) > 1:
            break
        shared.append(steps[0])
    found = db.session.scalars(
        select(Agency).where(
            Agency.path == f"/{'/'.join(shared)}/", in_scope(Agency.path, scope, Role.MANAGER)
        )
    ).one_or_none()
    if found is None:
        raise NotFoundError(N_("You manage no agency that all these services belong to."))
    return found


def official_wording_given_up(survey: Survey) -> list[GivenUp]:
    """Return when the official wording of a survey was given up, the first time first."""
    rows = db.session.execute(
        select(AuditEntry, User.email)
        .outerjoin(User, User.id == AuditEntry.user_id)
        .where(
            AuditEntry.action == GIVEN_UP,
            AuditEntry.subject == survey.slug,
            AuditEntry.agency_id == survey.agency_id,
        )
        .order_by(AuditEntry.id)
    )
    return [
        GivenUp(entry.at, email or "", entry.detail.get("question", ""), entry.detail.get("instrument", ""))
        for entry, email in rows
    ]


def find_response(receipt_id: int) -> Response | None:
    """Return the response of a receipt, with its version."""
    return db.session.scalar(
        select(Response).where(Response.id == receipt_id).options(joinedload(Response.version))
    )


def codebook_of(survey_id: int) -> str:
    """Return the key of the codebook that a survey's comments are read against."""
    return db.session.scalars(select(Survey.codebook).where(Survey.id == survey_id)).one()
