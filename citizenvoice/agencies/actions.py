"""Writes to the catalogue: agencies, services, journey stages and volumes."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import available_timezones

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from citizenvoice.agencies.models import (
    Agency,
    AgencyKind,
    Channel,
    JourneyStage,
    Service,
    ServiceVolume,
    TransactionPoint,
)
from citizenvoice.db import db
from citizenvoice.errors import N_, DomainError

SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
LANGUAGE_CODE = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")
MAX_DEPTH = 20
NO_LANGUAGE = N_("Name at least one language by its code, such as “en”.")
YEARS = range(1990, 2101)  # in which people are served
NOT_OUR_TIME = N_("Write a day from %(first)d to %(last)d.")
RESERVED_SLUGS = frozenset({"new", "import"})  # pages beside those of agencies and services


def create_agency(
    *,
    name: str,
    slug: str,
    parent: Agency | None = None,
    kind: str = AgencyKind.AGENCY,
    names: Mapping[str, str] | None = None,
    time_zone: str | None = None,
    fiscal_year_start: int | None = None,
) -> Agency:
    """Add an agency under its parent; time zone and fiscal year are the parent's unless given.

    Raises DomainError if a value makes no sense or the address is taken.
    """
    _check_new_slug(Agency, slug)
    if parent is not None and parent.path.count("/") > MAX_DEPTH:
        raise DomainError(N_("The tree of agencies is too deep here."))
    agency = Agency(
        parent=parent,
        kind=_one_of(AgencyKind, kind),
        slug=slug,
        name=_name(name),
        names=dict(names or {}),
        time_zone=_time_zone(time_zone or (parent.time_zone if parent else "UTC")),
        fiscal_year_start=fiscal_year_start or (parent.fiscal_year_start if parent else 1),
    )
    db.session.add(agency)
    db.session.flush()
    agency.path = f"{parent.path if parent else '/'}{agency.id}/"
    db.session.flush()
    return agency


def update_agency(
    agency: Agency,
    *,
    name: str,
    names: Mapping[str, str],
    kind: str,
    time_zone: str,
    fiscal_year_start: int,
) -> None:
    """Change what an agency is called and the calendar it lives by. Days already counted keep their day."""
    if not 1 <= fiscal_year_start <= 12:
        raise DomainError(N_("The fiscal year starts in a month from 1 to 12."))
    agency.name = _name(name)
    agency.names = dict(names)
    agency.kind = _one_of(AgencyKind, kind)
    agency.time_zone = _time_zone(time_zone)
    agency.fiscal_year_start = fiscal_year_start


def move_agency(agency: Agency, parent: Agency | None) -> None:
    """Put an agency, with everything below it, under another parent.

    Raises DomainError if the parent lies below the agency itself.
    """
    if parent is not None and parent.path.startswith(agency.path):
        raise DomainError(N_("An agency cannot be put below itself."))
    old = agency.path
    new = f"{parent.path if parent else '/'}{agency.id}/"
    below = db.session.scalars(
        select(Agency).where(Agency.path.startswith(old, autoescape=True)).order_by(Agency.path)
    )
    for each in below:
        each.path = new + each.path.removeprefix(old)
    agency.parent = parent


def create_service(
    agency: Agency,
    *,
    name: str,
    slug: str,
    languages: Sequence[str],
    channels: Sequence[str],
    now: datetime,
    description: str = "",
    names: Mapping[str, str] | None = None,
    descriptions: Mapping[str, str] | None = None,
    external_id: str | None = None,
    is_public: bool = True,
) -> Service:
    """Add a service to an agency, with one journey stage, at its end.

    Raises DomainError if a value makes no sense or the address is taken.
    """
    _check_new_slug(Service, slug)
    _check_external_id(None, external_id)
    service = Service(agency=agency, slug=slug, external_id=external_id or None, created_at=now)
    update_service(
        service,
        name=name,
        description=description,
        names=names or {},
        descriptions=descriptions or {},
        languages=languages,
        channels=channels,
        is_public=is_public,
    )
    service.stages = [JourneyStage(position=1, name="End", names={"es": "Final"})]
    db.session.add(service)
    db.session.flush()
    return service


def update_service(
    service: Service,
    *,
    name: str,
    description: str,
    names: Mapping[str, str],
    descriptions: Mapping[str, str],
    languages: Sequence[str],
    channels: Sequence[str],
    is_public: bool,
) -> None:
    """Change what a service is called and how people reach it."""
    if not languages or not all(LANGUAGE_CODE.fullmatch(code) for code in languages):
        raise DomainError(NO_LANGUAGE)
    if not channels:
        raise DomainError(N_("Choose at least one channel."))
    service.name = _name(name)
    service.description = description.strip()[:2000]
    service.names = dict(names)
    service.descriptions = dict(descriptions)
    service.languages = list(dict.fromkeys(languages))
    service.channels = [_one_of(Channel, channel) for channel in dict.fromkeys(channels)]
    service.is_public = is_public


def set_stages(service: Service, stages: Sequence[tuple[str, str, Mapping[str, str]]]) -> None:
    """Replace the journey stages of a service, in order: name, transaction point, names by language.

    Raises DomainError if there is none, or a survey asks at one that is no longer there.
    """
    if not stages:
        raise DomainError(N_("A service has at least one journey stage."))
    for place, (name, point, names) in enumerate(stages):
        known = service.stages[place] if place < len(service.stages) else None
        if known is None:
            known = JourneyStage(position=place + 1)
            service.stages.append(known)
        known.name, known.names = _name(name), dict(names)
        known.transaction_point = _one_of(TransactionPoint, point)
    del service.stages[len(stages) :]
    try:
        db.session.flush()
    except IntegrityError as error:  # the caller rolls back
        raise DomainError(N_("A survey asks at a stage you took out. Rename it instead.")) from error


def record_volume(
    service: Service, *, channel: str, start: date, end: date, n_served: int, n_offered: int | None
) -> ServiceVolume:
    """Record how many people were served, and offered a survey, in a period; the same period is replaced.

    Raises DomainError unless 0 <= offered <= served, and periods of a channel do not overlap.
    The service is locked, so that of two overlapping periods recorded at once one is refused.
    """
    channel = _one_of(Channel, channel)
    db.session.execute(select(Service.id).where(Service.id == service.id).with_for_update())
    if start.year not in YEARS:
        raise DomainError(NOT_OUR_TIME, first=YEARS[0], last=YEARS[-1])
    if start >= end:
        raise DomainError(N_("The period must end after it starts."))
    if n_served < 0 or (n_offered is not None and not 0 <= n_offered <= n_served):
        raise DomainError(N_("People offered a survey cannot be more than the people served."))
    others = db.session.scalars(
        select(ServiceVolume)
        .where(
            ServiceVolume.service_id == service.id,
            ServiceVolume.channel == channel,
            ServiceVolume.start < end,
            ServiceVolume.end > start,
        )
        .order_by(ServiceVolume.start)
    ).all()
    same = next((each for each in others if (each.start, each.end) == (start, end)), None)
    if same is None and others:
        raise DomainError(
            N_("This period overlaps one already recorded: %(start)s to %(end)s."),
            start=others[0].start.isoformat(),
            end=others[0].end.isoformat(),
        )
    volume = same or ServiceVolume(service_id=service.id, channel=channel, start=start, end=end)
    volume.n_served, volume.n_offered = n_served, n_offered
    db.session.add(volume)
    db.session.flush()
    return volume


def day_after(last_day: date) -> date:
    """Return where a period ends whose last day this is. Raises DomainError for a day far from our time."""
    if last_day.year not in YEARS:
        raise DomainError(NOT_OUR_TIME, first=YEARS[0], last=YEARS[-1])
    return last_day + timedelta(days=1)


def check_slug(slug: str) -> None:
    """Raise DomainError if a text cannot be part of an address."""
    if not SLUG.fullmatch(slug) or len(slug) > 80:
        raise DomainError(
            N_("An address has only small letters, digits and single hyphens: “%(slug)s”."), slug=slug
        )
    if slug in RESERVED_SLUGS:
        raise DomainError(N_("The address “%(slug)s” is taken."), slug=slug)


def remove_volume(volume: ServiceVolume) -> None:
    """Take a volume out that was recorded by mistake."""
    db.session.delete(volume)


def place_service(service: Service, agency: Agency, *, external_id: str | None) -> None:
    """Put a service under an agency, and keep by which id another system knows it.

    Raises DomainError if another service has that id.
    """
    _check_external_id(service, external_id)
    if service.agency_id != agency.id:
        service.agency = agency
    service.external_id = external_id or None


def _check_external_id(service: Service | None, external_id: str | None) -> None:
    others = select(Service.id).where(Service.external_id == external_id)
    if service is not None:
        others = others.where(Service.id != service.id)
    if external_id and db.session.scalar(others):
        raise DomainError(N_("Another service has the id “%(external_id)s”."), external_id=external_id)


def proposed_agency_slug(name: str) -> str:
    """Return a free address made of an agency's name; numbered if others have the same."""
    return _proposed_slug(name, Agency)


def proposed_service_slug(name: str) -> str:
    """Return a free address made of a service's name; numbered if others have the same."""
    return _proposed_slug(name, Service)


def _proposed_slug(name: str, model: type[Agency] | type[Service]) -> str:
    folded = unicodedata.normalize("NFKD", name.casefold())
    plain = "-".join(re.findall(r"[a-z0-9]+", folded.encode("ascii", "ignore").decode()))[:70].strip("-")
    slug, wanted, number = plain or "unit", plain or "unit", 1
    while slug in RESERVED_SLUGS or db.session.scalar(select(model.id).where(model.slug == slug)):
        number += 1
        slug = f"{wanted}-{number}"
    return slug


def _check_new_slug(model: Any, slug: str) -> None:
    check_slug(slug)
    if db.session.scalar(select(model.id).where(model.slug == slug)):
        raise DomainError(N_("The address “%(slug)s” is taken."), slug=slug)


def _name(name: str) -> str:
    name = " ".join(name.split())
    if not name or len(name) > 200:
        raise DomainError(N_("A name has from 1 to 200 characters."))
    return name


def _time_zone(name: str) -> str:
    if name not in available_timezones():
        raise DomainError(N_("There is no time zone “%(name)s”."), name=name)
    return name


def _one_of(kind: Any, value: str) -> str:
    if value not in set(kind):
        raise DomainError(N_("“%(value)s” is not one of: %(known)s."), value=value, known=", ".join(kind))
    return value
