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
from citizenvoice.feedback.models import Comment, Receipt
from citizenvoice.surveys import actions, drafting
from citizenvoice.surveys import links as survey_links
from citizenvoice.surveys.instrument_library import get_instrument
from citizenvoice.surveys.models import Link, Survey
from citizenvoice.web.clock import utc_now
from tests.factories import (
    AgencyFactory,
    ApiKeyFactory,
    CommentFactory,
    MembershipFactory,
    ReceiptFactory,
    ServiceFactory,
    SurveyFactory,
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

    @cached_property
    def survey(self) -> Survey:
        """A live survey of the service, in Spanish and English, at its first version."""
        draft = drafting.draft_of(get_instrument("nps"), ["es", "en"])
        draft["placeholders"] = {"service": {"es": "Pasaportes", "en": "Passports"}}
        survey: Survey = SurveyFactory.create(agency=self.agency, services=[self.service], draft=draft)
        actions.publish(survey, now=utc_now())
        return survey

    @cached_property
    def comment(self) -> Comment:
        """A comment on the service."""
        comment: Comment = CommentFactory.create(receipt=self.receipt)
        return comment

    @cached_property
    def receipt(self) -> Receipt:
        """A contribution to the service."""
        receipt: Receipt = ReceiptFactory.create(service_id=self.service.id)
        return receipt

    @cached_property
    def link(self) -> Link:
        """The short link into the survey."""
        return survey_links.make_links(self.survey, now=utc_now())[0]


def password_token(world: World) -> str:
    """Return the last part of a link with which somebody sets a password."""
    return links.password_link(world.user, lasts=timedelta(hours=1), now=utc_now()).rpartition("/")[2]


SAMPLES: dict[str, Callable[[World], Any]] = {
    "agency_id": lambda world: world.agency.id,
    "agency_slug": lambda world: world.agency.slug,
    "api_key_id": lambda world: world.api_key.id,
    "code": lambda world: world.link.code,
    "comment_id": lambda world: world.comment.id,
    "instrument": lambda _world: "nps",
    "language": lambda _world: "en",
    "number": lambda _world: 1,
    "membership_id": lambda world: world.membership.id,
    "service": lambda world: world.service.slug,
    "receipt_id": lambda world: world.receipt.id,
    "question_key": lambda _world: "nps",
    "section_key": lambda _world: "main",
    "service_id": lambda world: world.service.id,
    "service_slug": lambda world: world.service.slug,
    "survey": lambda world: world.survey.slug,
    "survey_slug": lambda world: world.survey.slug,
    "token": password_token,
    "service_indicators.show:code": lambda world: f"{world.survey.slug}/nps/nps_v1",
    "service_indicators.decide:code": lambda world: f"{world.survey.slug}/nps/nps_v1",
    "table": lambda _world: "themes",
    "method_id": lambda _world: "nps_v1",
}

# Arguments that name nothing an agency owns: the same for everybody, so never "not found" for strangers.
OF_NOBODY = {"language", "format", "instrument", "method_id", "table", "token"}
