"""Tables of surveys, their frozen versions, the ways in, and the responses."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from citizenvoice.agencies.models import Agency, JourneyStage, Service
from citizenvoice.db import Base, BigId
from citizenvoice.feedback.models import Receipt


class SurveyState(StrEnum):
    """Whether people can answer."""

    DRAFT = "draft"
    LIVE = "live"
    CLOSED = "closed"


class Survey(Base):
    """A questionnaire of one agency about one or more of its services, with a draft being written."""

    __tablename__ = "survey"
    __table_args__ = (CheckConstraint("state IN ('draft', 'live', 'closed')", name="state_known"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    agency_id: Mapped[int] = mapped_column(ForeignKey("agency.id"), index=True)
    slug: Mapped[str] = mapped_column(String(80), unique=True)
    name: Mapped[str] = mapped_column(String(200))  # for managers; people see the definition's title
    state: Mapped[str] = mapped_column(String(8), default=SurveyState.DRAFT)
    codebook: Mapped[str] = mapped_column(String(60), default="public_service")
    draft: Mapped[dict[str, Any]] = mapped_column(default=dict)  # the definition as it is being edited
    stage_id: Mapped[int | None] = mapped_column(ForeignKey("journey_stage.id"))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    agency: Mapped[Agency] = relationship()
    stage: Mapped[JourneyStage | None] = relationship()
    services: Mapped[list[Service]] = relationship(secondary="survey_service", order_by=Service.name)
    versions: Mapped[list["SurveyVersion"]] = relationship(
        order_by="SurveyVersion.number", back_populates="survey"
    )


class SurveyService(Base):
    """One service that a survey asks about."""

    __tablename__ = "survey_service"

    survey_id: Mapped[int] = mapped_column(ForeignKey("survey.id"), primary_key=True)
    service_id: Mapped[int] = mapped_column(ForeignKey("service.id"), primary_key=True, index=True)


class SurveyVersion(Base):
    """A definition as it was published, frozen for ever. The highest number of a live survey is answered."""

    __tablename__ = "survey_version"
    __table_args__ = (UniqueConstraint("survey_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    survey_id: Mapped[int] = mapped_column(ForeignKey("survey.id"), index=True)
    number: Mapped[int]
    definition: Mapped[dict[str, Any]]
    digest: Mapped[str] = mapped_column(String(64))  # SHA-256 of the canonical definition
    published_at: Mapped[datetime]
    note: Mapped[str] = mapped_column(String(500), default="")

    survey: Mapped[Survey] = relationship(back_populates="versions")


class Link(Base):
    """A short way into a survey for one service and channel: what a QR code or a letter carries."""

    __tablename__ = "link"
    __table_args__ = (UniqueConstraint("survey_id", "service_id", "channel"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(12), unique=True)
    survey_id: Mapped[int] = mapped_column(ForeignKey("survey.id"), index=True)
    service_id: Mapped[int] = mapped_column(ForeignKey("service.id"))
    channel: Mapped[str] = mapped_column(String(30))
    created_at: Mapped[datetime]

    survey: Mapped[Survey] = relationship()
    service: Mapped[Service] = relationship()


class Response(Base):
    """One completed questionnaire (or its first pages): the closed answers, under the id of its receipt."""

    __tablename__ = "response"
    __table_args__ = (
        CheckConstraint("n_sections >= 1", name="at_least_one_section"),
        UniqueConstraint("survey_id", "external_id"),
        UniqueConstraint("survey_id", "idempotency_hash"),
        Index("ix_response_version_id", "version_id"),
    )

    id: Mapped[int] = mapped_column(BigId, ForeignKey("receipt.id"), primary_key=True, autoincrement=False)
    survey_id: Mapped[int] = mapped_column(ForeignKey("survey.id"))
    version_id: Mapped[int] = mapped_column(ForeignKey("survey_version.id"))
    answers: Mapped[dict[str, Any]] = mapped_column(default=dict)
    segments: Mapped[dict[str, Any]] = mapped_column(default=dict)  # "about you", kept apart
    n_sections: Mapped[int] = mapped_column(default=1)  # sections submitted so far
    external_id: Mapped[str | None] = mapped_column(String(120))
    import_digest: Mapped[str | None] = mapped_column(
        String(64)
    )  # of the delivered row, to tell a repeat from a change
    idempotency_hash: Mapped[str | None] = mapped_column(String(64))

    receipt: Mapped[Receipt] = relationship()
    version: Mapped[SurveyVersion] = relationship()


class ImportRun(Base):
    """One file of responses being brought in: how far it is, and what was refused."""

    __tablename__ = "import_run"
    __table_args__ = (
        CheckConstraint("state IN ('uploaded', 'waiting', 'running', 'done', 'failed')", name="state_known"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    survey_id: Mapped[int] = mapped_column(ForeignKey("survey.id"), index=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    filename: Mapped[str] = mapped_column(String(255))
    path: Mapped[str] = mapped_column(String(500))
    mapping: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(String(8), default="waiting")
    lease_token: Mapped[str | None] = mapped_column(String(32))
    lease_until: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    n_bytes: Mapped[int] = mapped_column(BigId, default=0)
    n_bytes_done: Mapped[int] = mapped_column(BigId, default=0)
    summary: Mapped[dict[str, Any]] = mapped_column(
        default=dict
    )  # rows read, imported, known, changed, rejected
    error: Mapped[str] = mapped_column(String(500), default="")
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]

    survey: Mapped[Survey] = relationship()
