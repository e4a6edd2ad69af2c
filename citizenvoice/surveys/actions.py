"""Writes to surveys: start one, keep its draft, publish a frozen version, open and close it."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select

from citizenvoice.agencies.models import Agency, Service
from citizenvoice.db import db
from citizenvoice.errors import N_, DomainError
from citizenvoice.surveys.definition import parse_definition
from citizenvoice.surveys.models import Survey, SurveyState, SurveyVersion
from citizenvoice.surveys.publishing import problems_for_publishing


def create_survey(
    agency: Agency,
    *,
    name: str,
    slug: str,
    services: Sequence[Service],
    draft: Mapping[str, Any],
    now: datetime,
    codebook: str = "public_service",
) -> Survey:
    """Start a survey of an agency about some of its services, from a first draft.

    Raises DomainError if it names no service or one outside the agency, or the address is taken.
    """
    if not services:
        raise DomainError(N_("Choose at least one service that the survey asks about."))
    if any(not service.agency.path.startswith(agency.path) for service in services):
        raise DomainError(N_("A survey can only ask about services of its own agency."))
    if db.session.scalar(select(Survey.id).where(Survey.slug == slug)):
        raise DomainError(N_("Another survey already has the address “%(slug)s”."), slug=slug)
    parse_definition(dict(draft))
    survey = Survey(
        agency=agency,
        name=name,
        slug=slug,
        draft=dict(draft),
        codebook=codebook,
        created_at=now,
        updated_at=now,
    )
    survey.services = list(services)
    db.session.add(survey)
    db.session.flush()
    return survey


def save_draft(survey: Survey, draft: Mapping[str, Any], *, now: datetime) -> None:
    """Keep a draft; what is published does not change.

    Raises DefinitionError naming every problem if it cannot be read as a questionnaire.
    """
    survey.draft = parse_definition(dict(draft)).to_json()
    survey.updated_at = now


def publish(survey: Survey, *, now: datetime, note: str = "") -> SurveyVersion:
    """Freeze the draft as the next version and open the survey.

    Raises DomainError if something that publishing needs is missing, or nothing changed since last time.
    """
    definition = parse_definition(survey.draft)
    problems = problems_for_publishing(definition)
    if problems:
        listed = " ".join(problem.sentence for problem in problems[:10])
        raise DomainError(N_("The survey cannot be published yet. %(problems)s"), problems=listed)
    frozen = definition.to_json()
    digest = digest_of(frozen)
    last = db.session.scalar(
        select(SurveyVersion)
        .where(SurveyVersion.survey_id == survey.id)
        .order_by(SurveyVersion.number.desc())
        .limit(1)
    )
    if last is not None and last.digest == digest:
        if survey.state == SurveyState.LIVE:
            raise DomainError(N_("Nothing changed since version %(number)s."), number=last.number)
        survey.state = SurveyState.LIVE
        return last
    number = 1 + (last.number if last else 0)
    version = SurveyVersion(
        survey=survey, number=number, definition=frozen, digest=digest, published_at=now, note=note
    )
    db.session.add(version)
    survey.state = SurveyState.LIVE
    survey.updated_at = now
    db.session.flush()
    return version


def close_survey(survey: Survey, *, now: datetime) -> None:
    """Take no more answers; what was answered stays."""
    if survey.state != SurveyState.LIVE:
        raise DomainError(N_("Only a survey that is open can be closed."))
    survey.state = SurveyState.CLOSED
    survey.updated_at = now


def reopen_survey(survey: Survey, *, now: datetime) -> None:
    """Take answers again with the last published version."""
    if survey.state != SurveyState.CLOSED:
        raise DomainError(N_("Only a survey that was closed can be opened again."))
    survey.state = SurveyState.LIVE
    survey.updated_at = now


def digest_of(definition: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a definition in canonical JSON."""
    text = json.dumps(definition, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
