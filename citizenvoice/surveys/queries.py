"""Reads of those who answer: which surveys can be answered now, and what was answered so far."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

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
    """Return where a short link leads, also after the end of its survey, or raise NotFoundError."""
    row = db.session.execute(
        select(Link.channel, Survey.slug, Service.slug, SurveyVersion.definition)
        .join(Survey, Survey.id == Link.survey_id)
        .join(Service, Service.id == Link.service_id)
        .join(SurveyVersion, SurveyVersion.survey_id == Survey.id)
        .where(Link.code == code, Survey.state != SurveyState.DRAFT)
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


def find_response(receipt_id: int) -> Response | None:
    """Return the response of a receipt, with its version."""
    return db.session.scalar(
        select(Response).where(Response.id == receipt_id).options(joinedload(Response.version))
    )


def codebook_of(survey_id: int) -> str:
    """Return the key of the codebook that a survey's comments are read against."""
    return db.session.scalars(select(Survey.codebook).where(Survey.id == survey_id)).one()
