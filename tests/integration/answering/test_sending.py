"""Sending answers: what is stored at once, what later pages add, and what bad input loses (nothing)."""

from collections.abc import Iterator

import pytest
from bs4 import BeautifulSoup
from flask.testing import FlaskClient
from sqlalchemy import select

from citizenvoice.analysis.models import Prediction
from citizenvoice.db import db
from citizenvoice.feedback import codes, search
from citizenvoice.feedback.models import Comment
from citizenvoice.surveys import actions
from citizenvoice.web.clock import utc_now
from citizenvoice.web.limits import limiter
from tests.integration.answering.asking import (
    address,
    code_on,
    comments,
    definition,
    live_survey,
    read_by_machine,
    receipts,
    responses,
    send,
    via,
)
from tests.pages import PageClient
from tests.servers import app_on


def test_the_first_page_counts_at_once(client: PageClient) -> None:
    survey = live_survey()
    page = send(client, client.get(address(survey)), q1="1", bad=["staff", "speed"], why="A long wait.")

    [receipt], [response], [comment] = receipts(), responses(), comments()
    assert page.status_code == 200
    assert response.answers == {"q1": 1, "bad": ["speed", "staff"]}
    assert (response.n_sections, response.version.number) == (1, 1)
    assert (receipt.channel, receipt.language, receipt.exclusion, receipt.uncounted) == (
        *("website", "en"),
        *(None, True),
    )
    assert (comment.text, comment.question, comment.prompt, comment.rating, comment.reading) == (
        *("A long wait.", "why", "why"),
        *(0, "pending"),
    )
    assert receipt.code_hash == codes.code_hash(client.application.config["SECRET_KEY"], code_on(page))


def test_later_pages_add_to_the_same_response(client: PageClient) -> None:
    survey = live_survey()
    page = send(client, client.get(address(survey, "es")), q1="3", why="Todo bien")
    receipts()[0].uncounted = False
    page = send(client, page, q2="2", improve="Más sillas por favor")
    assert responses()[0].n_sections == 2
    assert receipts()[0].uncounted
    page = send(client, page, age="old")

    [response] = responses()
    assert response.answers == {"q1": 3, "q2": 2}
    assert response.segments == {"age": "old"}
    assert response.n_sections == 3
    assert [(c.question, c.prompt, c.language) for c in comments()] == [
        ("why", "why", "es"),
        ("improve", "improve", "es"),
    ]
    assert "Much obliged. (es)" in page.text
    assert code_on(page)


def test_a_page_sent_again_replaces_what_it_said(client: PageClient) -> None:
    survey = live_survey()
    second = send(client, client.get(address(survey)), q1="3")
    send(client, second, q2="1", improve="First words")
    send(client, second, q2="3", improve="Better words")
    send(client, second, q2="3", improve="Better words")

    assert len(receipts()) == 1
    assert responses()[0].answers == {"q1": 3, "q2": 3}
    assert [comment.text for comment in comments()] == ["Better words"]


def test_words_that_were_read_are_replaced_and_forgotten_when_a_page_is_sent_again(
    client: PageClient,
) -> None:
    survey = live_survey()
    second = send(client, client.get(address(survey)), q1="3", why="It stays")
    send(client, second, q2="1", improve="Dreadful words")
    for comment in comments():
        read_by_machine(comment)
    receipts()[0].uncounted = False
    db.session.commit()
    send(client, second, q2="1", improve="Better words")

    assert [(comment.text, comment.reading) for comment in comments()] == [
        ("It stays", "done"),
        ("Better words", "pending"),
    ]
    assert [one.comment_id for one in db.session.scalars(select(Prediction))] == [comments()[0].id]
    found = search.matches("dreadful")
    assert found is not None
    assert db.session.scalars(select(Comment).where(found)).all() == []
    assert receipts()[0].uncounted


def test_the_first_page_can_be_corrected_with_the_code(client: PageClient) -> None:
    survey = live_survey()
    second = send(client, client.get(address(survey)), q1="1", bad=["staff"], why="Teh wait")
    first = send(client, second, **{"cv-back": "main"})
    shown = BeautifulSoup(first.text, "html.parser")

    assert code_on(first) == code_on(second)
    assert shown.select_one("textarea").get_text().strip() == "Teh wait"  # type: ignore[union-attr]
    assert shown.select_one("input[name=q1][value='1']").has_attr("checked")  # type: ignore[union-attr]
    assert shown.select_one("input[value=staff]").has_attr("checked")  # type: ignore[union-attr]
    again = send(client, first, q1="2", why="The wait")

    assert code_on(again) == code_on(second)
    assert [response.answers for response in responses()] == [{"q1": 2}]
    assert [comment.text for comment in comments()] == ["The wait"]


def test_the_last_page_can_be_corrected_from_the_receipt(client: PageClient) -> None:
    survey = live_survey()
    page = send(client, client.get(address(survey)), q1="3")
    page = send(client, send(client, page, q2="1"), age="old")
    button = BeautifulSoup(page.text, "html.parser").select_one("button[name=cv-back]")
    assert button is not None
    page = send(client, page, **{"cv-back": str(button["value"])})
    send(client, page, age="young")

    assert [response.segments for response in responses()] == [{"age": "young"}]


@pytest.mark.parametrize("field", ["cv-version", "cv-order"])
def test_numbers_that_no_page_carries_are_refused_or_ignored(client: PageClient, field: str) -> None:
    survey = live_survey()
    page = client.post(address(survey), data={"q1": "3", field: "9" * 5000})

    assert page.status_code == 200
    assert len(receipts()) == 1


def test_words_sent_with_a_code_that_does_not_work_are_given_back(client: PageClient) -> None:
    survey = live_survey()
    form = {"cv-version": "1", "cv-section": "more", "q2": "1", "improve": "A <b>bench</b>"}
    unknown = client.post(address(survey), data={**form, "cv-receipt": codes.new_code()})
    second = send(client, client.get(address(survey)), q1="3")
    client.post("/en/receipt/withdraw", data={"code": code_on(second), "confirm": "yes"})
    withdrawn = client.post(address(survey), data={**form, "cv-receipt": code_on(second)})

    assert (unknown.status_code, withdrawn.status_code) == (422, 422)
    assert "We could not find your earlier answers." in unknown.text
    assert "You have taken these answers back." in withdrawn.text
    for page in (unknown, withdrawn):
        assert "A &lt;b&gt;bench&lt;/b&gt;" in page.text


def test_the_day_is_the_agencys(client: PageClient) -> None:
    survey = live_survey()
    send(client, client.get(address(survey)), q1="3")
    [receipt] = receipts()

    assert receipt.received_at.utcoffset() is not None
    assert receipt.day.toordinal() - receipt.received_at.date().toordinal() == (
        receipt.received_at.hour >= 16
    )


def test_the_channel_is_that_of_the_link(client: PageClient) -> None:
    survey = live_survey()
    code = via(survey, "self_service_kiosk")
    send(client, client.get(address(survey), query_string={"via": code}), q1="3")
    send(client, client.get(address(survey), query_string={"via": "made-up"}), q1="2")

    assert [receipt.channel for receipt in receipts()] == ["self_service_kiosk", "website"]


def test_personal_data_is_masked_before_anything_is_stored(client: PageClient) -> None:
    survey = live_survey()
    send(client, client.get(address(survey)), q1="1", why="Write to ana@example.org or ana@example.net")

    [comment] = comments()
    assert comment.text == "Write to [email] or [email]"
    assert comment.masked == {"email": 2}


def test_empty_words_are_no_comment(client: PageClient) -> None:
    survey = live_survey()
    send(client, client.get(address(survey)), q1="3", why="  \r\n \u00a0")

    assert comments() == []


def test_an_answer_to_a_question_that_was_not_asked_is_dropped(client: PageClient) -> None:
    survey = live_survey()
    send(client, client.get(address(survey)), q1="3", bad=["speed"])

    assert responses()[0].answers == {"q1": 3}


def test_errors_keep_everything_typed_and_lead_to_each_field(client: PageClient) -> None:
    survey = live_survey()
    long = "x" * 201
    page = send(client, client.get(address(survey)), bad=["staff"], why=long)
    shown = BeautifulSoup(page.text, "html.parser")

    assert page.status_code == 422
    assert receipts() == []
    assert shown.title is not None
    assert shown.title.get_text().startswith("Error: How was it?")
    summary = shown.select_one("[role=alert]")
    assert summary is not None
    assert summary.has_attr("autofocus")
    assert summary["tabindex"] == "-1"
    links = {str(link["href"]): link.get_text() for link in summary.select("a")}
    assert links == {
        "#q-q1": "Statement q1: Choose an answer.",
        "#q-why": "Why? Use 200 characters or fewer.",
    }
    assert all(shown.select_one(href) for href in links)
    assert shown.select_one("textarea").get_text().strip() == long  # type: ignore[union-attr]
    assert shown.select_one("input[value=staff]").has_attr("checked")  # type: ignore[union-attr]


def test_errors_on_a_later_page_keep_the_code_and_the_answers(client: PageClient) -> None:
    survey = live_survey()
    second = send(client, client.get(address(survey)), q1="3")
    again = send(client, second, improve="A bench")

    assert again.status_code == 422
    assert code_on(again) == code_on(second)
    assert "A bench" in again.text
    done = send(client, again, q2="1", improve="A bench")
    assert done.status_code == 200
    assert responses()[0].answers == {"q1": 3, "q2": 1}


def test_characters_that_no_page_may_hold_are_refused_and_not_shown_again(client: PageClient) -> None:
    survey = live_survey()
    page = client.post(address(survey), data={"q1": "3", "why": "a\x00b\x0bc"})

    assert page.status_code == 422
    assert "abc</textarea>" in page.text


def test_an_unknown_code_adds_nothing(client: PageClient) -> None:
    survey = live_survey()
    form = {"cv-version": "1", "cv-section": "more", "cv-receipt": codes.new_code(), "q2": "1"}
    page = client.post(address(survey), data=form)

    assert page.status_code == 422
    assert responses() == []


def test_a_code_of_another_survey_adds_nothing(client: PageClient) -> None:
    one, other = live_survey(), live_survey()
    second = send(client, client.get(address(one)), q1="3")
    form = {"cv-version": "1", "cv-section": "more", "cv-receipt": code_on(second), "q2": "1"}
    page = client.post(address(other), data=form)

    assert page.status_code == 422
    assert responses()[0].answers == {"q1": 3}


def test_an_old_page_is_checked_against_the_version_it_shows(client: PageClient) -> None:
    survey = live_survey()
    page = client.get(address(survey))
    changed = definition()
    changed["sections"][0]["questions"][0]["points"] = [
        {"value": value, "label": {"en": str(value), "es": str(value), "ar": str(value)}} for value in (7, 8)
    ]
    changed["sections"][0]["questions"][1]["shown_if"] = {"question": "q1", "in": [7]}
    survey.draft = changed
    actions.publish(survey, now=utc_now())
    send(client, page, q1="3")
    send(client, client.get(address(survey)), q1="8")

    assert [(r.version.number, r.answers) for r in responses()] == [(1, {"q1": 3}), (2, {"q1": 8})]


@pytest.fixture
def limited(real_database: str) -> Iterator[tuple[FlaskClient, str]]:
    """A browser and a survey where two answers a minute are let through."""
    app = app_on(real_database, RATELIMIT_ENABLED=True, ANSWERS_PER_MINUTE=2)
    with app.app_context():
        survey = address(live_survey())
        db.session.remove()
    yield app.test_client(), survey
    limiter.enabled = False
    with app.app_context():
        db.engine.dispose()


def test_too_many_answers_are_turned_away_with_what_was_typed(limited: tuple[FlaskClient, str]) -> None:
    client, survey = limited
    for words in ("one", "two"):
        assert client.post(survey, data={"q1": "3", "why": words}).status_code == 200
    page = client.post(survey, data={"q1": "2", "why": "my third answer"})
    shown = BeautifulSoup(page.text, "html.parser")

    assert page.status_code == 429
    assert page.headers["Retry-After"] == "60"
    assert "my third answer" in page.text
    assert shown.select_one("input[name=q1][value='2']").has_attr("checked")  # type: ignore[union-attr]
    with client.application.app_context():
        assert len(receipts()) == 2


def test_the_limit_counts_each_sender_apart(limited: tuple[FlaskClient, str]) -> None:
    client, survey = limited
    for number in range(6):
        sender = {"REMOTE_ADDR": f"192.0.2.{number % 3}"}
        page = client.post(survey, data={"q1": "3", "why": str(number)}, environ_base=sender)
        assert page.status_code == 200


def test_no_address_is_stored_anywhere(client: PageClient) -> None:
    survey = live_survey()
    client.post(address(survey), data={"q1": "3"}, environ_base={"REMOTE_ADDR": "192.0.2.77"})
    rows = [
        str(row)
        for table in ("receipt", "response", "comment")
        for row in db.session.connection().exec_driver_sql(f"SELECT * FROM {table}")  # noqa: S608
    ]

    assert rows
    assert not [row for row in rows if "192.0.2.77" in row]
