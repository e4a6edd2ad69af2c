"""Tables of the catalogue: agencies in a tree, their services, journey stages and volumes."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from citizenvoice.db import Base, BigId
from citizenvoice.errors import N_


class AgencyKind(StrEnum):
    """What level of the administration an agency is."""

    GOVERNMENT = "government"
    MINISTRY = "ministry"
    AGENCY = "agency"
    UNIT = "unit"


class Channel(StrEnum):
    """How people reach a service (OMB Circular A-11 section 280, as GSA's reporting tool lists them)."""

    COMPUTER = "computer"
    MOBILE = "mobile"
    EMAIL = "email"
    CHATBOT = "chatbot"
    PHONE = "phone"
    AUTOMATED_PHONE = "automated_phone"
    IN_PERSON = "in_person"
    PAPER = "paper"
    POSTAL_MAIL = "postal_mail"
    FAX = "fax"
    SELF_SERVICE_KIOSK = "self_service_kiosk"
    WEBSITE = "website"
    MOBILE_APP = "mobile_app"
    LIVE_CHAT = "live_chat"
    SMS = "sms_text_messages"
    SOCIAL_MEDIA = "social_media"
    OTHER_DIGITAL = "other_digital"
    OTHER_NON_DIGITAL = "other_non_digital"


CHANNEL_NAMES = {
    Channel.COMPUTER: N_("Computer"),
    Channel.MOBILE: N_("Mobile phone"),
    Channel.EMAIL: N_("E-mail"),
    Channel.CHATBOT: N_("Chatbot"),
    Channel.PHONE: N_("Phone"),
    Channel.AUTOMATED_PHONE: N_("Automated phone"),
    Channel.IN_PERSON: N_("In person"),
    Channel.PAPER: N_("Paper"),
    Channel.POSTAL_MAIL: N_("Postal mail"),
    Channel.FAX: N_("Fax"),
    Channel.SELF_SERVICE_KIOSK: N_("Self-service kiosk"),
    Channel.WEBSITE: N_("Website"),
    Channel.MOBILE_APP: N_("Mobile app"),
    Channel.LIVE_CHAT: N_("Live chat"),
    Channel.SMS: N_("Text message"),
    Channel.SOCIAL_MEDIA: N_("Social media"),
    Channel.OTHER_DIGITAL: N_("Other digital"),
    Channel.OTHER_NON_DIGITAL: N_("Other, not digital"),
}

# Devices that many people use one after the other, where two equal answers are often two people.
SHARED_DEVICE_CHANNELS = frozenset({Channel.SELF_SERVICE_KIOSK, Channel.IN_PERSON, Channel.PAPER})


class TransactionPoint(StrEnum):
    """When in the journey people are asked (OMB Circular A-11 section 280)."""

    POST_INTERACTION = "post_interaction"
    POST_SERVICE_JOURNEY = "post_service_journey"
    RELATIONAL = "relational"


class Agency(Base):
    """One public body in the tree: a government, a ministry, an agency or a unit."""

    __tablename__ = "agency"
    __table_args__ = (
        CheckConstraint("fiscal_year_start BETWEEN 1 AND 12", name="fiscal_year_start_is_a_month"),
        CheckConstraint("parent_id IS NULL OR parent_id <> id", name="not_its_own_parent"),
        Index("ix_agency_path", "path"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("agency.id"), index=True)
    # Ids from the root down to this agency: "/1/4/9/". A subtree is one prefix.
    path: Mapped[str] = mapped_column(String(200), default="")
    kind: Mapped[str] = mapped_column(String(20), default=AgencyKind.AGENCY)
    slug: Mapped[str] = mapped_column(String(80), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    names: Mapped[dict[str, Any]] = mapped_column(default=dict)  # {language: name}, beside the main name
    time_zone: Mapped[str] = mapped_column(String(60), default="UTC")
    fiscal_year_start: Mapped[int] = mapped_column(default=1)  # month

    parent: Mapped["Agency | None"] = relationship(remote_side="Agency.id")


class Service(Base):
    """One thing the public obtains from one agency."""

    __tablename__ = "service"

    id: Mapped[int] = mapped_column(primary_key=True)
    agency_id: Mapped[int] = mapped_column(ForeignKey("agency.id"), index=True)
    slug: Mapped[str] = mapped_column(String(80), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    description: Mapped[str] = mapped_column(String(2000), default="")
    names: Mapped[dict[str, Any]] = mapped_column(default=dict)  # {language: name}
    descriptions: Mapped[dict[str, Any]] = mapped_column(default=dict)  # {language: description}
    languages: Mapped[list[str]] = mapped_column(default=list)
    channels: Mapped[list[str]] = mapped_column(default=list)
    external_id: Mapped[str | None] = mapped_column(String(80), unique=True)
    is_public: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]

    agency: Mapped[Agency] = relationship()
    stages: Mapped[list["JourneyStage"]] = relationship(
        order_by="JourneyStage.position", back_populates="service", cascade="all, delete-orphan"
    )


class JourneyStage(Base):
    """One stage of a service's journey at which people can be asked."""

    __tablename__ = "journey_stage"
    __table_args__ = (UniqueConstraint("service_id", "position"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    service_id: Mapped[int] = mapped_column(ForeignKey("service.id"), index=True)
    position: Mapped[int]
    name: Mapped[str] = mapped_column(String(120))
    names: Mapped[dict[str, Any]] = mapped_column(default=dict)
    transaction_point: Mapped[str] = mapped_column(String(30), default=TransactionPoint.POST_INTERACTION)

    service: Mapped[Service] = relationship(back_populates="stages")


class ServiceVolume(Base):
    """How many people one service served, and offered a survey, in one period through one channel.

    Dated facts of their own, never page loads: the denominators of coverage and response rate.
    """

    __tablename__ = "service_volume"
    __table_args__ = (
        CheckConstraint('start < "end"', name="period_not_empty"),
        CheckConstraint("n_served >= 0", name="served_not_negative"),
        CheckConstraint(
            "n_offered IS NULL OR (n_offered >= 0 AND n_offered <= n_served)", name="offered_within_served"
        ),
        UniqueConstraint("service_id", "channel", "start", "end"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    service_id: Mapped[int] = mapped_column(ForeignKey("service.id"), index=True)
    channel: Mapped[str] = mapped_column(String(30))
    start: Mapped[date]
    end: Mapped[date]  # the first day not counted
    n_served: Mapped[int]
    n_offered: Mapped[int | None]  # None: not known
