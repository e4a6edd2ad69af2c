"""One of everything a route can name, in one agency: what ``test_access`` opens each page with.

A package that adds a route with a new argument adds how to make the thing to ``World``, and the
argument to ``SAMPLES``: by its name alone, or as ``"endpoint:argument"`` where routes differ.
"""

from collections.abc import Callable
from datetime import timedelta
from functools import cached_property
from typing import Any

from citizenvoice.accounts import links
from citizenvoice.accounts.models import ApiKey, Membership, User
from citizenvoice.agencies.models import Agency, Service
from citizenvoice.web.clock import utc_now
from tests.factories import (
    AgencyFactory,
    ApiKeyFactory,
    MembershipFactory,
    ServiceFactory,
    UserFactory,
)


class World:
    """An agency, and what belongs to it, made as it is asked for."""

    @cached_property
    def agency(self) -> Agency:
        """The agency that everything here belongs to."""
        agency: Agency = AgencyFactory.create()
        return agency

    @cached_property
    def service(self) -> Service:
        """A service of the agency."""
        service: Service = ServiceFactory.create(agency=self.agency)
        return service

    @cached_property
    def user(self) -> User:
        """Somebody who belongs nowhere yet."""
        user: User = UserFactory.create()
        return user

    @cached_property
    def membership(self) -> Membership:
        """A viewer of the agency."""
        membership: Membership = MembershipFactory.create(agency=self.agency)
        return membership

    @cached_property
    def api_key(self) -> ApiKey:
        """A key of the agency."""
        key: ApiKey = ApiKeyFactory.create(agency=self.agency)
        return key


def password_token(world: World) -> str:
    """Return the last part of a link with which somebody sets a password."""
    return links.password_link(world.user, lasts=timedelta(hours=1), now=utc_now()).rpartition("/")[2]


SAMPLES: dict[str, Callable[[World], Any]] = {
    "agency_id": lambda world: world.agency.id,
    "agency_slug": lambda world: world.agency.slug,
    "api_key_id": lambda world: world.api_key.id,
    "language": lambda _world: "en",
    "membership_id": lambda world: world.membership.id,
    "service": lambda world: world.service.slug,
    "service_id": lambda world: world.service.id,
    "service_slug": lambda world: world.service.slug,
    "token": password_token,
}

# Arguments that name nothing an agency owns: the same for everybody, so never "not found" for strangers.
OF_NOBODY = {"language", "format", "instrument", "token"}
