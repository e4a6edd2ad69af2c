"""Reads of the catalogue. What the public may see and what a scope allows is decided here."""

from collections.abc import Sequence
from datetime import date

from sqlalchemy import ColumnElement, false, or_, select
from sqlalchemy.orm import joinedload

from citizenvoice.agencies.models import CHANNEL_NAMES, Agency, Service, ServiceVolume
from citizenvoice.db import db
from citizenvoice.errors import N_, NotFoundError


def below(paths: Sequence[str]) -> ColumnElement[bool]:
    """Return the condition that an agency lies in one of these subtrees, given by their path prefixes."""
    return or_(*(Agency.path.startswith(path, autoescape=True) for path in paths)) if paths else false()


def find_agencies(paths: Sequence[str]) -> Sequence[Agency]:
    """Return the agencies of these subtrees, parents before children, then by name."""
    return db.session.scalars(select(Agency).where(below(paths)).order_by(Agency.path)).all()


def find_children(agency: Agency) -> Sequence[Agency]:
    """Return the agencies directly below one, by name."""
    return db.session.scalars(
        select(Agency).where(Agency.parent_id == agency.id).order_by(Agency.name, Agency.id)
    ).all()


def find_services_of(agency: Agency) -> Sequence[Service]:
    """Return the services of one agency alone, by name."""
    return db.session.scalars(
        select(Service).where(Service.agency_id == agency.id).order_by(Service.name, Service.id)
    ).all()


def get_agency(slug: str, paths: Sequence[str]) -> Agency:
    """Return the agency of these subtrees, or raise NotFoundError."""
    agency = db.session.scalar(select(Agency).where(Agency.slug == slug, below(paths)))
    if agency is None:
        raise NotFoundError(N_("There is no such agency."))
    return agency


def find_agency(slug: str) -> Agency | None:
    """Return the agency with this address, whoever asks."""
    return db.session.scalars(select(Agency).where(Agency.slug == slug)).one_or_none()


def find_service(slug: str) -> Service | None:
    """Return the service with this address, whoever asks."""
    return db.session.scalars(select(Service).where(Service.slug == slug)).one_or_none()


def find_service_by_external_id(external_id: str) -> Service | None:
    """Return the service that another system knows by this id, whoever asks."""
    return db.session.scalars(select(Service).where(Service.external_id == external_id)).one_or_none()


def find_volume(service: Service, channel: str, start: date, end: date) -> ServiceVolume | None:
    """Return the volume of exactly this period and channel."""
    return db.session.scalars(
        select(ServiceVolume).where(
            ServiceVolume.service_id == service.id,
            ServiceVolume.channel == channel,
            ServiceVolume.start == start,
            ServiceVolume.end == end,
        )
    ).one_or_none()


def get_volume(service: Service, volume_id: int) -> ServiceVolume:
    """Return one volume of a service, or raise NotFoundError."""
    volume = db.session.scalars(
        select(ServiceVolume).where(ServiceVolume.id == volume_id, ServiceVolume.service_id == service.id)
    ).one_or_none()
    if volume is None:
        raise NotFoundError(N_("There is no such volume."))
    return volume


def find_services(paths: Sequence[str]) -> Sequence[Service]:
    """Return the services of these subtrees by name."""
    return db.session.scalars(
        select(Service)
        .join(Service.agency)
        .options(joinedload(Service.agency))
        .where(below(paths))
        .order_by(Service.name, Service.id)
    ).all()


def get_service(slug: str, paths: Sequence[str]) -> Service:
    """Return the service of these subtrees, or raise NotFoundError."""
    service = db.session.scalar(
        select(Service)
        .join(Service.agency)
        .options(joinedload(Service.agency))
        .where(Service.slug == slug, below(paths))
    )
    if service is None:
        raise NotFoundError(N_("There is no such service."))
    return service


def get_public_service(slug: str) -> Service:
    """Return a service that has a public page, or raise NotFoundError."""
    service = db.session.scalar(
        select(Service).options(joinedload(Service.agency)).where(Service.slug == slug, Service.is_public)
    )
    if service is None:
        raise NotFoundError(N_("There is no such service."))
    return service


def find_public_services() -> Sequence[Service]:
    """Return every service with a public page, by agency and name."""
    return db.session.scalars(
        select(Service)
        .join(Service.agency)
        .options(joinedload(Service.agency))
        .where(Service.is_public)
        .order_by(Agency.name, Service.name, Service.id)
    ).all()


def find_ancestors(agency: Agency) -> Sequence[Agency]:
    """Return the agency and everything above it, from the root down."""
    ids = [int(part) for part in agency.path.strip("/").split("/")]
    return db.session.scalars(select(Agency).where(Agency.id.in_(ids)).order_by(Agency.path)).all()


def find_volumes(
    service: Service, start: date | None = None, end: date | None = None
) -> Sequence[ServiceVolume]:
    """Return the volumes of a service that lie wholly between two days, latest first."""
    wanted = select(ServiceVolume).where(ServiceVolume.service_id == service.id)
    if start is not None:
        wanted = wanted.where(ServiceVolume.start >= start)
    if end is not None:
        wanted = wanted.where(ServiceVolume.end <= end)
    return db.session.scalars(wanted.order_by(ServiceVolume.start.desc(), ServiceVolume.channel)).all()


def channel_names() -> dict[str, str]:
    """Return what every channel is called, in English, for translation where it is shown."""
    return {str(channel): name for channel, name in CHANNEL_NAMES.items()}


def agency_name(agency: Agency, language: str) -> str:
    """Return an agency's name in a language, or its main name."""
    return str(agency.names.get(language) or agency.name)


def service_name(service: Service, language: str) -> str:
    """Return a service's name in a language, or its main name."""
    return str(service.names.get(language) or service.name)


def service_description(service: Service, language: str) -> str:
    """Return what a service is for in a language, or its main description."""
    return str(service.descriptions.get(language) or service.description)
