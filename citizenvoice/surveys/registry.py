"""Reads of those who manage surveys: their surveys, the versions of each, and what was decided about it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, literal, select, union_all
from sqlalchemy.orm import joinedload, selectinload

from citizenvoice.accounts.models import AuditEntry, User
from citizenvoice.accounts.queries import in_scope
from citizenvoice.accounts.scope import Role, Scope
from citizenvoice.agencies.models import Agency, Service
from citizenvoice.db import db
from citizenvoice.errors import N_, NotFoundError
from citizenvoice.surveys.models import Response, Survey, SurveyVersion

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
