"""Writes to surveys: start one, keep its draft, publish a frozen version, open and close it."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select

from citizenvoice.accounts.actions import record_audit
from citizenvoice.accounts.audit import name_actions
from citizenvoice.agencies.models import Agency, Service
from citizenvoice.db import db
from citizenvoice.errors import N_, DomainError
from citizenvoice.surveys import drafting, official_words
from citizenvoice.surveys.instrument_library import Instrument
from citizenvoice.surveys.models import Survey, SurveyState, SurveyVersion
from citizenvoice.surveys.parsing import parse_definition
from citizenvoice.surveys.publishing import problems_for_publishing, wording_changes
from citizenvoice.surveys.registry import GIVEN_UP

NO_SERVICE = N_("Choose at least one service that the survey asks about.")
RESERVED_SLUGS = frozenset({"new"})

name_actions(
    {
        "survey.created": N_("Survey created"),
        "survey.published": N_("Survey published"),
        "survey.closed": N_("Survey closed"),
        "survey.reopened": N_("Survey opened again"),
        "survey.services_changed": N_("Services of a survey changed"),
        GIVEN_UP: N_("Official wording of a survey given up"),
        "survey.official_wording_restored": N_("Official wording of a survey restored"),
    }
)


def create_survey(
    agency: Agency,
    *,
    name: str,
    slug: str,
    services: Sequence[Service],
    draft: Mapping[str, Any],
    now: datetime,
    codebook: str = "public_service",
    by_id: int | None = None,
) -> Survey:
    """Start a survey of an agency about some of its services, from a first draft.

    Raises DomainError if it names no service or one outside the agency, or the address is taken.
    """
    if not services:
        raise DomainError(NO_SERVICE)
    _refuse_foreign(agency, services)
    if slug in RESERVED_SLUGS or db.session.scalar(select(Survey.id).where(Survey.slug == slug)):
        raise DomainError(N_("Another survey already has the address “%(slug)s”."), slug=slug)
    readable = parse_definition(dict(draft)).to_json()
    survey = Survey(
        agency=agency,
        name=name,
        slug=slug,
        draft=readable,
        codebook=codebook,
        created_at=now,
        updated_at=now,
    )
    survey.services = list(services)
    db.session.add(survey)
    db.session.flush()
    _record("survey.created", survey, now, by_id)
    return survey


def change_survey(
    survey: Survey, *, name: str, services: Sequence[Service], now: datetime, by_id: int | None = None
) -> None:
    """Change what managers call a survey and which services it asks about; answers given stay.

    Raises DomainError if it names no service or one outside the agency.
    """
    if not services:
        raise DomainError(NO_SERVICE)
    _refuse_foreign(survey.agency, services)
    survey.name = name
    if {service.id for service in survey.services} != {service.id for service in services}:
        survey.services = list(services)
        _record("survey.services_changed", survey, now, by_id, services=[s.slug for s in services])
    survey.updated_at = now


def save_draft(survey: Survey, draft: Mapping[str, Any], *, now: datetime) -> None:
    """Keep a draft; what is published does not change.

    Raises DefinitionError naming every problem if it cannot be read as a questionnaire.
    """
    survey.draft = parse_definition(dict(draft)).to_json()
    survey.updated_at = now


def give_up_official_wording(
    survey: Survey, question: str, *, now: datetime, by_id: int | None = None
) -> None:
    """Make an official question editable. The survey loses the official label, and it is written down."""
    before = survey.draft.get("instrument")
    save_draft(survey, official_words.give_up_official_wording(survey.draft, question), now=now)
    _record(GIVEN_UP, survey, now, by_id, question=question, instrument=before or "")


def remove_question(
    survey: Survey,
    question: str,
    *,
    instrument: Instrument | None,
    now: datetime,
    by_id: int | None = None,
) -> None:
    """Take a question out of the draft; if the official label goes with it, that is written down.

    Raises DomainError if another question depends on it.
    """
    before = survey.draft.get("instrument")
    save_draft(survey, drafting.remove_question(survey.draft, question, instrument), now=now)
    if before and not survey.draft["instrument"]:
        _record(GIVEN_UP, survey, now, by_id, question=question, instrument=before)


def remove_section(
    survey: Survey,
    section: str,
    *,
    instrument: Instrument | None,
    now: datetime,
    by_id: int | None = None,
) -> None:
    """Take a page out of the draft with its questions; a loss of the official label is written down.

    Raises DomainError if a question elsewhere depends on one of them.
    """
    before = survey.draft.get("instrument")
    save_draft(survey, drafting.remove_section(survey.draft, section, instrument), now=now)
    if before and not survey.draft["instrument"]:
        _record(GIVEN_UP, survey, now, by_id, question=section, instrument=before)


def restore_official_wording(
    survey: Survey, instrument: Instrument, *, now: datetime, by_id: int | None = None
) -> None:
    """Put back every official question and the official label.

    Raises DomainError if the questionnaire still differs afterwards.
    """
    restored = official_words.restore_official_wording(survey.draft, instrument)
    if wording_changes(parse_definition(restored)):
        raise DomainError(
            N_("The questionnaire still differs from the official one. Start a new survey from it.")
        )
    save_draft(survey, restored, now=now)
    _record("survey.official_wording_restored", survey, now, by_id, instrument=instrument.key)


def publish(survey: Survey, *, now: datetime, note: str = "", by_id: int | None = None) -> SurveyVersion:
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
        _record("survey.reopened", survey, now, by_id)
        return last
    number = 1 + (last.number if last else 0)
    version = SurveyVersion(
        survey=survey, number=number, definition=frozen, digest=digest, published_at=now, note=note
    )
    db.session.add(version)
    survey.state = SurveyState.LIVE
    survey.updated_at = now
    db.session.flush()
    _record("survey.published", survey, now, by_id, version=number)
    return version


def close_survey(survey: Survey, *, now: datetime, by_id: int | None = None) -> None:
    """Take no more answers; what was answered stays."""
    if survey.state != SurveyState.LIVE:
        raise DomainError(N_("Only a survey that is open can be closed."))
    survey.state = SurveyState.CLOSED
    survey.updated_at = now
    _record("survey.closed", survey, now, by_id)


def reopen_survey(survey: Survey, *, now: datetime, by_id: int | None = None) -> None:
    """Take answers again with the last published version."""
    if survey.state != SurveyState.CLOSED:
        raise DomainError(N_("Only a survey that was closed can be opened again."))
    survey.state = SurveyState.LIVE
    survey.updated_at = now
    _record("survey.reopened", survey, now, by_id)


def digest_of(definition: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a definition in canonical JSON."""
    text = json.dumps(definition, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _refuse_foreign(agency: Agency, services: Sequence[Service]) -> None:
    if any(not service.agency.path.startswith(agency.path) for service in services):
        raise DomainError(N_("A survey can only ask about services of its own agency."))


def _record(action: str, survey: Survey, now: datetime, by_id: int | None, **detail: Any) -> None:
    record_audit(
        action, subject=survey.slug, at=now, user_id=by_id, agency_id=survey.agency_id, detail=detail
    )
