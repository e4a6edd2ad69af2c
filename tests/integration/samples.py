"""One of everything a route can name, in one agency: what ``test_access`` opens each page with.

A package that adds a route with a new argument adds how to make the thing to ``World``, and the
argument to ``SAMPLES``: by its name alone, or as ``"endpoint:argument"`` where routes differ.
"""

from collections.abc import Callable
from datetime import date, timedelta
from functools import cached_property
from io import BytesIO
from typing import Any

from flask import current_app

from citizenvoice.accounts import links
from citizenvoice.accounts.models import ApiKey, Membership, User
from citizenvoice.agencies import actions as catalogue
from citizenvoice.agencies.models import Agency, Service, ServiceVolume
from citizenvoice.db import db
from citizenvoice.feedback.models import Comment, Receipt
from citizenvoice.surveys import actions, drafting, import_runs
from citizenvoice.surveys import links as survey_links
from citizenvoice.surveys.instrument_library import get_instrument
from citizenvoice.surveys.models import ImportRun, Link, Survey
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

    @cached_property
    def upload(self) -> ImportRun:
        """A file uploaded for the survey, its columns chosen."""
        path = import_runs.keep_upload("answers.csv", BytesIO(b"at,score\n2026-05-01,9\n"))
        run = import_runs.create_run(self.survey, path, filename="answers.csv", by_id=None, now=utc_now())
        mapping = {"response": {"received_at": "at"}, "answers": {"nps": "score"}}
        import_runs.choose_columns(run, mapping, import_runs.definition_of(run))
        return run

    @cached_property
    def volume(self) -> ServiceVolume:
        """People the service served in a month."""
        return catalogue.record_volume(
            self.service,
            channel="website",
            start=date(2026, 5, 1),
            end=date(2026, 6, 1),
            n_served=10,
            n_offered=4,
        )


def password_token(world: World) -> str:
    """Return the last part of a link with which somebody sets a password."""
    with current_app.test_request_context():
        link = links.password_link(world.user, lasts=timedelta(hours=1), now=utc_now())
    return link.rpartition("/")[2]


def finished_import(world: World) -> int:
    """Return an import of the survey that came to its end with refused rows."""
    run = world.upload
    import_runs.rejects_path(run).write_text("line,column,reason\n")
    run.state = "done"
    db.session.flush()
    return run.id


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
    "import_id": lambda world: world.upload.id,
    "imports.rejects:import_id": finished_import,
    "kind": lambda _world: "services",
    "volume_id": lambda world: world.volume.id,
    "service_indicators.show:code": lambda world: f"{world.survey.slug}/nps/nps_v1",
    "service_indicators.decide:code": lambda world: f"{world.survey.slug}/nps/nps_v1",
    "table": lambda _world: "themes",
    "method_id": lambda _world: "nps_v1",
}

# Arguments that name nothing an agency owns: the same for everybody, so never "not found" for strangers.
OF_NOBODY = {"language", "format", "instrument", "kind", "method_id", "table", "token"}
