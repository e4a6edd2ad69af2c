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

from citizenvoice.accounts import queries as accounts
from citizenvoice.agencies.models import Agency
from citizenvoice.db import db
from citizenvoice.surveys.models import Survey
from citizenvoice.web.clock import utc_now
from citizenvoice.web.limits import limiter
from tests.factories import AgencyFactory, ApiKeyFactory
from tests.integration.answering.asking import comments, live_survey, receipts, responses
from tests.integration.indicators.world import World
from tests.integration.reporting.figures import count, months_ago, rate
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


def test_something_else_with_the_same_key_is_refused_without_a_code(client: PageClient) -> None:
    survey = live_survey()
    headers = {"Idempotency-Key": "k-1"}
    first = client.post(path_of(survey), json={"answers": ANSWERS}, headers=headers)
    other = client.post(path_of(survey), json={"answers": {**ANSWERS, "q1": 2}}, headers=headers)

    assert first.json is not None
    assert (other.status_code, other.mimetype) == (409, "application/problem+json")
    assert first.json["receipt"] not in other.text
    assert len(receipts()) == 1


def test_keys_of_different_services_are_different_keys(client: PageClient) -> None:
    survey = live_survey(n_services=2)
    pages = [
        client.post(
            f"/api/v1/surveys/{survey.slug}/services/{service.slug}/responses",
            json={"answers": ANSWERS},
            headers={"Idempotency-Key": "k"},
        )
        for service in survey.services
    ]

    assert [page.status_code for page in pages] == [201, 201]
    assert len(receipts()) == 2


def test_a_retry_after_withdrawal_says_that_it_does_not_count(client: PageClient) -> None:
    survey = live_survey()
    sent = {"json": {"answers": ANSWERS}, "headers": {"Idempotency-Key": "k"}}
    first = client.post(path_of(survey), **sent)
    assert first.json is not None
    client.delete("/api/v1/receipt", headers={"Receipt-Code": first.json["receipt"]})
    again = client.post(path_of(survey), **sent)

    assert again.json == {"receipt": first.json["receipt"], "counts": False}
    assert len(receipts()) == 1


def test_null_is_no_answer(client: PageClient) -> None:
    survey = live_survey()
    taken = client.post(path_of(survey), json={"answers": {**ANSWERS, "q2": 1, "why": None, "bad": None}})
    refused = client.post(path_of(survey), json={"answers": {**ANSWERS, "q1": None}})

    assert taken.status_code == 201
    assert comments() == []
    assert refused.json is not None
    assert refused.json["errors"] == [{"pointer": "/answers/q1", "detail": "Choose an answer."}]


def test_refusals_are_in_our_own_words(client: PageClient) -> None:
    path = path_of(live_survey())
    pages = [client.post(path, json=sent) for sent in ({}, {"answers": 3}, {"answers": {}, "channel": "x"})]

    assert [page.json["errors"][0] for page in pages if page.json] == [
        {"pointer": "/answers", "detail": "This is missing."},
        {"pointer": "/answers", "detail": "Write an object."},
        {
            "pointer": "/channel",
            "detail": "There is no such channel; the description of the interface lists them.",
        },
    ]


def test_a_body_nested_too_deeply_is_refused(client: PageClient) -> None:
    page = client.post(path_of(live_survey()), data="[" * 100_000, content_type="application/json")

    assert (page.status_code, page.mimetype) == (422, "application/problem+json")


# Keys of agencies


def with_key(agency: Agency, plain: str = "cv_of-the-land-registry") -> dict[str, str]:
    """Return the header of a program of an agency."""
    ApiKeyFactory.create(agency=agency, plain=plain)
    db.session.commit()
    return {"Authorization": f"Bearer {plain}"}


def test_a_program_with_a_key_sends_many_peoples_equal_answers(client: PageClient) -> None:
    survey = live_survey()
    key = with_key(survey.agency)
    pages = [client.post(path_of(survey), json={"answers": ANSWERS}, headers=key) for _ in range(2)]

    assert [page.json["counts"] for page in pages if page.json] == [True, True]
    assert [receipt.exclusion for receipt in receipts()] == [None, None]


def test_a_key_of_another_agency_is_refused(client: PageClient) -> None:
    survey = live_survey()
    key = with_key(AgencyFactory.create())
    slug = survey.services[0].slug

    assert client.post(path_of(survey), json={"answers": ANSWERS}, headers=key).status_code == 403
    assert client.get(f"/api/v1/services/{slug}/figures", headers=key).status_code == 403
    assert receipts() == []


@pytest.mark.parametrize(
    "authorization", ["Bearer cv_unknown", "Bearer cv_revoked", "Basic Y3Y6Y3Y=", "cv_good", "Bearer "]
)
def test_an_unknown_key_is_refused_and_not_repeated(client: PageClient, authorization: str) -> None:
    survey = live_survey()
    with_key(survey.agency, "cv_good")
    with_key(survey.agency, "cv_revoked")
    revoked = accounts.find_api_key("cv_revoked")
    assert revoked is not None
    revoked.revoked_at = utc_now()
    db.session.commit()
    headers = {"Authorization": authorization}
    for page in (
        client.post(path_of(survey), json={"answers": ANSWERS}, headers=headers),
        client.get(f"/api/v1/services/{survey.services[0].slug}/figures", headers=headers),
    ):
        assert (page.status_code, page.mimetype) == (401, "application/problem+json")
        assert page.headers["WWW-Authenticate"] == "Bearer"
        assert "cv_" not in page.text
    assert receipts() == []


def test_a_key_gets_all_figures_and_nobody_else_more_than_the_published(
    client: PageClient,
) -> None:
    world = World(7, n_services=1)
    service = world.services[0]
    rate(world, 40, 5)
    count()
    month = months_ago(1).strftime("%Y-%m")
    key = with_key(service.agency)
    path = f"/api/v1/services/{service.slug}/figures"
    ours = client.get(path, query_string={"period": month}, headers=key).json
    published = client.get(path, query_string={"period": month}).json
    assert ours is not None
    assert published is not None

    code = f"{world.survey.slug}/overall/top2_v1"
    mine = {one["code"]: one for one in ours["indicators"]}
    theirs = {one["code"]: one for one in published["indicators"]}
    assert mine[code]["value"] == 1.0
    assert mine[code]["n"] == 40
    assert {one["is_public"] for one in theirs.values()} == {True}
    assert theirs == {name: one for name, one in mine.items() if one["is_public"]}
    assert len(mine) > len(theirs)
    assert (ours["period"], ours["start"]) == (month, f"{month}-01")
    service.is_public = False
    db.session.commit()
    assert client.get(path).status_code == 404
    assert client.get(path, headers=key).status_code == 200


@pytest.mark.parametrize("period", ["2026-13", "now", "2026-03-01", "0000-01", "FY0000", "FY9999", "9999-12"])
def test_a_period_that_is_none_is_refused(client: PageClient, period: str) -> None:
    service = live_survey().services[0]
    page = client.get(f"/api/v1/services/{service.slug}/figures", query_string={"period": period})

    assert page.status_code == 422
    assert page.json is not None
    assert page.json["errors"][0]["pointer"] == "/period"


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
    app = app_on(real_database, RATELIMIT_ENABLED=True, ANSWERS_PER_MINUTE=2, ANSWERS_PER_MINUTE_AND_KEY=5)
    with app.app_context():
        path = path_of(live_survey())
        db.session.remove()
    yield app.test_client(), path
    limiter.enabled = False
    with app.app_context():
        db.engine.dispose()


def test_a_key_has_a_rate_of_its_own(limited: tuple[FlaskClient, str]) -> None:
    client, path = limited
    with client.application.app_context():
        survey = db.session.scalars(db.select(Survey)).one()
        key = with_key(survey.agency)
        db.session.remove()
    for _ in range(3):
        client.post(path, json={"answers": ANSWERS})
    pages = [client.post(path, json={"answers": ANSWERS}, headers=key) for _ in range(6)]

    assert [page.status_code for page in pages] == [201] * 5 + [429]


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
    expected = 6 if mode is GenerationMode.POSITIVE else 3
    assert len(tested) >= expected, tested
