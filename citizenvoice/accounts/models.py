"""Tables of the people who sign in, where they belong, the keys of programs, and what was done."""

from datetime import datetime
from typing import Any

from flask_security import RoleMixin, UserMixin
from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from citizenvoice.accounts.scope import Role
from citizenvoice.agencies.models import Agency
from citizenvoice.db import Base, BigId


class SecurityRole(Base, RoleMixin):
    """Flask-Security's flat roles. Unused on purpose: who may do what is a Membership in the tree."""

    __tablename__ = "security_role"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80), unique=True)


class User(Base, UserMixin):
    """A person who signs in."""

    __tablename__ = "user"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(255), unique=True)
    name: Mapped[str] = mapped_column(String(120), default="")
    password: Mapped[str] = mapped_column(String(255))
    active: Mapped[bool] = mapped_column(default=True)
    fs_uniquifier: Mapped[str] = mapped_column(String(64), unique=True)
    language: Mapped[str] = mapped_column(String(12), default="en")
    failed_sign_ins: Mapped[int] = mapped_column(default=0)
    locked_until: Mapped[datetime | None]
    created_at: Mapped[datetime]

    roles: Mapped[list[SecurityRole]] = relationship(secondary="user_security_role")  # type: ignore[assignment]
    memberships: Mapped[list["Membership"]] = relationship(
        back_populates="user", cascade="all, delete-orphan", order_by="Membership.id"
    )


class UserSecurityRole(Base):
    """Flask-Security's link between users and flat roles."""

    __tablename__ = "user_security_role"

    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), primary_key=True)
    role_id: Mapped[int] = mapped_column(ForeignKey("security_role.id"), primary_key=True)


class Membership(Base):
    """The role one user has in one agency, and so in every agency below it."""

    __tablename__ = "membership"
    __table_args__ = (
        UniqueConstraint("user_id", "agency_id"),
        CheckConstraint(f"role IN ({', '.join(repr(str(role)) for role in Role)})", name="role_known"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), index=True)
    agency_id: Mapped[int] = mapped_column(ForeignKey("agency.id"), index=True)
    role: Mapped[str] = mapped_column(String(8))

    user: Mapped[User] = relationship(back_populates="memberships")
    agency: Mapped[Agency] = relationship()


class ApiKey(Base):
    """A key with which a program of one agency calls the interface; only its hash is stored."""

    __tablename__ = "api_key"

    id: Mapped[int] = mapped_column(primary_key=True)
    agency_id: Mapped[int] = mapped_column(ForeignKey("agency.id"), index=True)
    name: Mapped[str] = mapped_column(String(120))
    prefix: Mapped[str] = mapped_column(String(12))
    key_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]

    agency: Mapped[Agency] = relationship()


class AuditEntry(Base):
    """One thing a person or a program did that somebody may ask about later."""

    __tablename__ = "audit_entry"
    __table_args__ = (Index("ix_audit_entry_agency_id_id", "agency_id", "id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    at: Mapped[datetime]
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    agency_id: Mapped[int | None] = mapped_column(ForeignKey("agency.id"))
    action: Mapped[str] = mapped_column(String(60))  # "survey.published"
    subject: Mapped[str] = mapped_column(String(200))  # what it was done to, in words
    detail: Mapped[dict[str, Any]] = mapped_column(default=dict)
