"""Tables of indicators: the stored counts they are computed from, and what managers decided about them."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from citizenvoice.agencies.models import Service
from citizenvoice.db import Base, BigId
from citizenvoice.surveys.models import SurveyVersion


class Grain(StrEnum):
    """How long a span one row of counts covers."""

    DAY = "day"
    MONTH = "month"


class Level(StrEnum):
    """Place of an indicator in the results chain."""

    INPUT = "input"
    ACTIVITY = "activity"
    OUTPUT = "output"
    OUTCOME = "outcome"
    IMPACT = "impact"


class Count(Base):
    """Everything counted for one service and survey version, over one day or month, in one cell.

    A cell is a channel, a language and one value of one segment ('' and '' = everybody). A wide row:
    ``counts`` holds every question's counts per value, ``pairs`` the sums and cross products of every
    pair of scales (only for everybody). Counts, never percentages, so they add up over any cells.
    """

    __tablename__ = "count"
    __table_args__ = (
        UniqueConstraint(
            "service_id", "version_id", "grain", "start", "channel", "language", "segment", "segment_value"
        ),
        CheckConstraint("grain IN ('day', 'month')", name="grain_known"),
        CheckConstraint("n_responses >= 0", name="responses_not_negative"),
        Index("ix_count_reading", "service_id", "grain", "segment", "start"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    service_id: Mapped[int] = mapped_column(ForeignKey("service.id"))
    version_id: Mapped[int] = mapped_column(ForeignKey("survey_version.id"))
    grain: Mapped[str] = mapped_column(String(5))
    start: Mapped[date]
    channel: Mapped[str] = mapped_column(String(30))
    language: Mapped[str] = mapped_column(String(12))
    segment: Mapped[str] = mapped_column(String(60), default="")
    segment_value: Mapped[str] = mapped_column(String(60), default="")
    n_responses: Mapped[int]
    counts: Mapped[dict[str, Any]]
    pairs: Mapped[dict[str, Any]] = mapped_column(default=dict)

    version: Mapped[SurveyVersion] = relationship()


class IndicatorSetting(Base):
    """What managers decided about one indicator of one service. The indicator itself exists without it."""

    __tablename__ = "indicator_setting"
    __table_args__ = (
        UniqueConstraint("service_id", "code"),
        CheckConstraint("level IN ('input', 'activity', 'output', 'outcome', 'impact')", name="level_known"),
        CheckConstraint("minimum_n IS NULL OR minimum_n >= 5", name="minimum_n_protects_people"),
        CheckConstraint("(baseline IS NULL) = (baseline_day IS NULL)", name="baseline_dated"),
        CheckConstraint("(target IS NULL) = (target_day IS NULL)", name="target_dated"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    service_id: Mapped[int] = mapped_column(ForeignKey("service.id"), index=True)
    code: Mapped[str] = mapped_column(
        String(200)
    )  # survey slug, question and method: "passport-csat/q1/top2_v1"
    level: Mapped[str] = mapped_column(String(10), default=Level.OUTCOME)
    is_main: Mapped[bool] = mapped_column(default=False)
    is_public: Mapped[bool] = mapped_column(default=True)
    minimum_n: Mapped[int | None]
    baseline: Mapped[float | None]
    baseline_day: Mapped[date | None]
    target: Mapped[float | None]
    target_day: Mapped[date | None]
    updated_at: Mapped[datetime]

    service: Mapped[Service] = relationship()


class JobLease(Base):
    """Which worker does a job that only one may do at a time, and until when."""

    __tablename__ = "job_lease"

    name: Mapped[str] = mapped_column(String(60), primary_key=True)
    token: Mapped[str] = mapped_column(String(32))
    until: Mapped[datetime]
