"""What people do in these tests: sign in, send many answers at once, and wait for what happens by itself."""

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from playwright.sync_api import Page
from sqlalchemy import select

from citizenvoice.accounts.models import User
from citizenvoice.db import db, writing
from citizenvoice.feedback.codes import code_hash, new_code
from citizenvoice.surveys.answering import Delivery, Questionnaire, contribution
from citizenvoice.surveys.models import Survey
from citizenvoice.surveys.parsing import parse_definition
from citizenvoice.surveys.recording import record_many
from citizenvoice.web.clock import utc_now
from tests.factories import PASSWORD
from tests.servers import ENVIRONMENT

LONGEST_WAIT = 90  # seconds for a worker to start, load its model, read and count
BETWEEN_LOOKS = 0.5

Seen = TypeVar("Seen")


def eventually(
    look: Callable[[], Seen], wanted: Callable[[Seen], bool], *, pause: float = BETWEEN_LOOKS
) -> Seen:
    """Look again and again until what is seen is what is wanted; fail with the last thing seen."""
    deadline = time.monotonic() + LONGEST_WAIT
    while not wanted(seen := look()):
        assert time.monotonic() < deadline, f"after {LONGEST_WAIT} seconds still {seen!r}"
        time.sleep(pause)
    return seen


def sign_in(page: Page, user: User) -> None:
    """Sign in on the sign-in page and end on the page that asked for it."""
    page.goto("/manage/account")
    page.get_by_label("E-mail address").fill(user.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/manage/account")


def send_answers(
    survey_slug: str,
    answers: Sequence[Mapping[str, Any]],
    *,
    at: datetime | None = None,
    language: str = "en",
) -> None:
    """Let many people answer a survey about its first service, each once; commits.

    Goes through the product's own checks, masking and recording, but not through the limit on how
    often one network may send.
    """
    survey = db.session.scalars(select(Survey).where(Survey.slug == survey_slug)).one()
    version, service = survey.versions[-1], survey.services[0]
    questionnaire = Questionnaire(survey.id, version.id, version.number, parse_definition(version.definition))
    secret, at = ENVIRONMENT["SECRET_KEY"], at or utc_now()
    zone = service.agency.time_zone
    made = []
    for number, given in enumerate(answers):
        checked = questionnaire.check_whole(given, language)
        assert not checked.errors, checked.errors
        delivery = Delivery(
            service_id=service.id,
            time_zone=zone,
            channel="website",
            language=language,
            at=at,
            secret=secret,
            sender=f"person {number}",
            regions=("US",),
        )
        made.append(contribution(questionnaire, checked, delivery, code_hash=code_hash(secret, new_code())))
    db.session.rollback()  # the turn to write is taken before a transaction begins
    with writing():
        record_many(made)
        db.session.commit()
