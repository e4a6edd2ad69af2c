"""The programming interface: the rules of the page, in JSON, and as its OpenAPI description says."""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode, checks

from citizenvoice.db import db
from citizenvoice.web.limits import limiter
from tests.integration.answering.asking import comments, live_survey, receipts, responses
from tests.pages import PageClient
from tests.servers import app_on

ANSWERS = {"q1": 1, "bad": ["staff", "speed"], "why": "Ring 020 7946 0958", "q2": 3, "age": 44}


def path_of(survey) -> str:
    return f"/api/v1/surveys/{survey.slug}/services/{survey.services[0].slug}/responses"


def test_a_whole_response_is_recorded(client: PageClient) -> None:
    survey = live_survey()
    page = client.post(
        path_of(survey), json={"answers": ANSWERS, "language": "es", "channel": "sms_text_messages"}
    )

    [receipt], [response], [comment] = receipts(), responses(), comments()
    assert page.status_code == 201
    assert page.json is not None
    assert page.json["counts"] is True
    assert response.answers == {"q1": 1, "bad": ["speed", "staff"], "q2": 3}
    assert response.segments == {"age": "old"}
    assert response.n_sections == 3
    assert (receipt.channel, receipt.language) == ("sms_text_messages", "es")
    assert comment.text == "Ring [phone]"
    assert "Set-Cookie" not in page.headers


def test_a_retry_with_the_same_key_is_recorded_once(client: PageClient) -> None:
    survey = live_survey()
    one, two = (
        client.post(path_of(survey), json={"answers": ANSWERS}, headers={"Idempotency-Key": "k-1"})
        for _ in range(2)
    )

    assert (one.status_code, two.status_code) == (201, 200)
    assert one.json == two.json
    assert len(receipts()) == 1


def test_equal_answers_with_different_keys_are_different_peoples(client: PageClient) -> None:
    survey = live_survey()
    for key in ("a", "b"):
        client.post(path_of(survey), json={"answers": ANSWERS}, headers={"Idempotency-Key": key})

    assert [receipt.exclusion for receipt in receipts()] == [None, None]


def test_the_same_without_a_key_is_marked_as_a_duplicate(client: PageClient) -> None:
    survey = live_survey()
    pages = [client.post(path_of(survey), json={"answers": ANSWERS}) for _ in range(2)]

    assert [page.json["counts"] for page in pages if page.json] == [True, False]


def test_every_error_is_listed_with_where_it_is(client: PageClient) -> None:
    survey = live_survey()
    page = client.post(path_of(survey), json={"answers": {"q1": "3", "bad": "staff", "typo": 1}})

    assert page.status_code == 422
    assert page.mimetype == "application/problem+json"
    assert page.json is not None
    pointers = {error["pointer"]: error["detail"] for error in page.json["errors"]}
    assert pointers["/answers/q1"] == "Choose one of the answers shown."
    assert pointers["/answers/typo"] == "There is no question with this name."
    assert pointers["/answers/q2"] == "Choose an answer."
    assert receipts() == []


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"answers": []},
        {"answers": ANSWERS, "more": 1},
        {"answers": ANSWERS, "channel": "pigeon"},
        {"answers": ANSWERS, "language": "fr"},
    ],
)
def test_what_is_not_understood_is_refused(client: PageClient, sent: dict[str, object]) -> None:
    page = client.post(path_of(live_survey()), json=sent)

    assert page.status_code == 422
    assert page.json is not None
    assert page.json["errors"]
    assert receipts() == []


def test_the_survey_is_described(client: PageClient) -> None:
    survey = live_survey(n_services=2)
    page = client.get(f"/api/v1/surveys/{survey.slug}")

    assert page.json is not None
    assert page.json["version"] == 1
    assert page.json["services"] == [service.slug for service in survey.services]
    assert page.json["definition"] == survey.versions[0].definition


def test_a_receipt_can_be_looked_at_and_taken_back(client: PageClient) -> None:
    survey = live_survey()
    sent = client.post(path_of(survey), json={"answers": ANSWERS})
    assert sent.json is not None
    code = {"Receipt-Code": sent.json["receipt"]}

    page = client.get("/api/v1/receipt", headers=code)
    assert page.json is not None
    assert page.json["state"] == "counted"
    assert page.json["comments"] == [
        {"question": "Why?", "text": "Ring [phone]", "is_read": False, "sentiment": None, "themes": []}
    ]
    assert client.delete("/api/v1/receipt", headers=code).status_code == 204
    assert receipts()[0].exclusion == "withdrawn"
    again = client.get("/api/v1/receipt", headers=code)
    assert again.json is not None
    assert (again.json["state"], again.json["comments"]) == ("withdrawn", [])
    unknown = {"Receipt-Code": "0000-0000-0000-0000"}
    assert client.get("/api/v1/receipt", headers=unknown).status_code == 404
    assert client.delete("/api/v1/receipt", headers=unknown).status_code == 404


def test_the_description_is_openapi_3_1_and_has_a_page_for_people(client: PageClient) -> None:
    spec = client.get("/api/v1/openapi.json").json
    page = client.get("/api/v1/docs")

    assert spec is not None
    assert spec["openapi"] == "3.1.0"
    assert "<script" not in page.text
    for path in spec["paths"]:
        assert path in page.text


@pytest.fixture
def limited(real_database: str) -> Iterator[tuple[FlaskClient, str]]:
    """A program and a survey where two answers a minute are let through."""
    app = app_on(real_database, RATELIMIT_ENABLED=True, ANSWERS_PER_MINUTE=2)
    with app.app_context():
        path = path_of(live_survey())
        db.session.remove()
    yield app.test_client(), path
    limiter.enabled = False
    with app.app_context():
        db.engine.dispose()


def test_programs_are_slowed_down_too(limited: tuple[FlaskClient, str]) -> None:
    client, path = limited
    pages = [client.post(path, json={"answers": ANSWERS}) for _ in range(3)]

    assert [page.status_code for page in pages] == [201, 201, 429]
    assert pages[2].mimetype == "application/problem+json"
    assert pages[2].headers["Retry-After"] == "60"


# What a survey asks is known to the survey, not to the description of the interface: answers that fit the
# description may still not fit the survey, and are refused.
THE_SURVEYS_OWN = "positive_data_acceptance"


@pytest.mark.parametrize("mode", list(GenerationMode))
def test_the_interface_does_what_its_description_says(real_app: Flask, mode: GenerationMode) -> None:
    with real_app.app_context():
        survey = live_survey()
        survey.slug, survey.services[0].slug = "how-was-it", "permits"
        db.session.commit()
        db.session.remove()
    checks.load_all_checks()
    excluded = [check for check in checks.CHECKS.get_all() if check.__name__ == THE_SURVEYS_OWN]
    tested = set()

    for found in schemathesis.openapi.from_wsgi("/api/v1/openapi.json", real_app).get_all_operations():
        operation: Any = found.ok()  # type: ignore[union-attr]

        @settings(max_examples=40, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(case=operation.as_strategy(generation_mode=mode))
        def hold(case: Any) -> None:
            if "survey" in case.path_parameters and mode is GenerationMode.POSITIVE:
                case.path_parameters["survey"] = "how-was-it"
                if "service" in case.path_parameters:
                    case.path_parameters["service"] = "permits"
            case.call_and_validate(excluded_checks=excluded)
            tested.add((case.method, case.path))

        try:
            hold()
        except Unsatisfiable:  # nothing can be wrong with a request that takes nothing
            assert mode is GenerationMode.NEGATIVE
    expected = 5 if mode is GenerationMode.POSITIVE else 3
    assert len(tested) >= expected, tested
