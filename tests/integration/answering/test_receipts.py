"""The receipt page: what a code shows, and taking back what was sent."""

from datetime import timedelta

import pytest
from bs4 import BeautifulSoup
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from citizenvoice.analysis.models import PredictedTheme, Prediction
from citizenvoice.db import db
from citizenvoice.feedback import search
from citizenvoice.feedback.models import Comment
from citizenvoice.web.limits import limiter
from tests.integration.answering.asking import (
    address,
    code_on,
    comments,
    live_survey,
    read_by_machine,
    receipts,
    responses,
    send,
)
from tests.pages import PageClient
from tests.servers import app_on


def text_of(html: str) -> str:
    """Return what a page says, between single spaces."""
    main = BeautifulSoup(html, "html.parser").select_one("main")
    assert main is not None
    return " ".join(main.get_text(" ").split())


def answered(client: PageClient, why: str = "The waiting room was cold") -> str:
    """Answer a survey and return the code."""
    survey = live_survey()
    return code_on(send(client, client.get(address(survey)), q1="1", bad=["staff"], why=why))


def test_a_code_shows_what_was_sent_however_it_is_typed(client: PageClient) -> None:
    code = answered(client, "Ask ana@example.org, the room was cold")
    page = client.post("/en/receipt", data={"code": code.lower().replace("-", " ")})

    assert page.status_code == 200
    shown = text_of(page.text)
    assert "Ask [email], the room was cold" in shown
    assert "We removed one thing that could tell who you are." in shown
    assert "Not read yet." in shown
    assert "Statement q1 Disagree" in shown
    assert "What went wrong? Staff" in shown
    assert "It counts." in shown
    assert "Website" in shown


def test_the_code_is_in_no_address(client: PageClient) -> None:
    code = answered(client)
    page = client.post("/en/receipt", data={"code": code})

    links = [
        str(tag.get("href") or tag.get("action"))
        for tag in BeautifulSoup(page.text, "html.parser").select("a, form")
    ]
    assert links
    assert not [link for link in links if code.split("-")[0] in link.upper()]
    assert page.headers["Cache-Control"] == "no-store"


def test_what_was_read_is_shown_in_the_readers_language(client: PageClient) -> None:
    code = answered(client)
    read_by_machine(comments()[0])
    page = client.post("/es/receipt", data={"code": code})

    assert "Edificio" in text_of(page.text)
    assert "Building" in text_of(client.post("/en/receipt", data={"code": code}).text)
    assert "Negative" in text_of(client.post("/en/receipt", data={"code": code}).text)


def test_every_unknown_code_gets_the_same_answer(client: PageClient) -> None:
    answered(client)
    pages = [
        client.post(path, data={"code": code, "confirm": "yes"})
        for code in ("", "x", "0000-0000-0000-0000", "7KQ4-M2XP-ABCD-EFGH", "\x00" * 16)
        for path in ("/en/receipt", "/en/receipt/withdraw")
    ]

    assert {page.status_code for page in pages} == {422}
    sentences = {
        BeautifulSoup(page.text, "html.parser").select_one("[role=alert] a").get_text()  # type: ignore[union-attr]
        for page in pages
    }
    assert sentences == {"We know no such code. Compare it with the one you kept, and try again."}
    assert not [receipt for receipt in receipts() if receipt.exclusion]


def test_withdrawing_asks_once_and_then_erases_everything(client: PageClient) -> None:
    code = answered(client)
    read_by_machine(comments()[0])
    receipts()[0].uncounted = False
    asked = client.post("/en/receipt/withdraw", data={"code": code})
    assert "This cannot be undone." in text_of(asked.text)
    assert receipts()[0].exclusion is None

    page = client.post("/en/receipt/withdraw", data={"code": code, "confirm": "yes"})

    assert "You took it back." in text_of(page.text)
    assert "cold" not in page.text
    [receipt], [response], [comment] = receipts(), responses(), comments()
    assert (receipt.exclusion, receipt.uncounted, receipt.sender_digest) == ("withdrawn", True, None)
    assert receipt.exclusion_at is not None
    assert (response.answers, response.segments) == ({}, {})
    assert (comment.text, comment.masked, comment.reading) == ("", {}, "done")
    assert db.session.scalars(select(Prediction)).all() == []
    assert db.session.scalars(select(PredictedTheme)).all() == []
    found = search.matches("cold")
    assert found is not None
    assert db.session.scalars(select(Comment).where(found)).all() == []


def twins(client: PageClient, *, why: str = "", n: int = 2) -> list[TestResponse]:
    """Send the same first page several times, as two people behind one address and browser do."""
    survey = live_survey()
    return [client.post(address(survey), data={"q1": "3", "why": why}) for _ in range(n)]


def arrived_apart(seconds: int) -> None:
    """Let the receipts have arrived so many seconds after one another."""
    last = receipts()[-1]
    for receipt in receipts():
        receipt.received_at = last.received_at - timedelta(seconds=seconds) * (last.id - receipt.id)
    db.session.commit()


def withdraw(client: PageClient, page: TestResponse) -> TestResponse:
    """Take back what was sent with the code on a page."""
    return client.post("/en/receipt/withdraw", data={"code": code_on(page), "confirm": "yes"})


@pytest.mark.parametrize(("seconds", "why"), [(1, ""), (120, "The waiting room was cold")])
def test_a_double_click_is_withdrawn_with_any_of_its_codes(
    client: PageClient, seconds: int, why: str
) -> None:
    pages = twins(client, why=why, n=3)
    arrived_apart(seconds)
    withdraw(client, pages[1])

    assert [receipt.exclusion for receipt in receipts()] == ["withdrawn"] * 3
    assert {comment.text for comment in comments()} <= {""}
    assert {response.answers == {} for response in responses()} == {True}


@pytest.mark.parametrize(("taken_back", "left"), [(0, 1), (1, 0)])
def test_equal_answers_without_words_may_be_another_persons_and_stay(
    client: PageClient, taken_back: int, left: int
) -> None:
    pages = twins(client)
    arrived_apart(60)
    withdraw(client, pages[taken_back])

    assert receipts()[taken_back].exclusion == "withdrawn"
    assert (receipts()[left].exclusion, receipts()[left].duplicate_of_id) == (None, None)
    assert responses()[left].answers == {"q1": 3}


def test_the_others_repeat_the_first_that_is_left(client: PageClient) -> None:
    pages = twins(client, n=3)
    arrived_apart(60)
    withdraw(client, pages[0])
    _gone, first, other = receipts()

    assert (first.exclusion, other.exclusion, other.duplicate_of_id) == (None, "duplicate", first.id)


def test_a_code_shows_and_takes_back_its_own_words_only(client: PageClient) -> None:
    one, other = twins(client)
    send(client, one, q2="1", improve="Words of the first")
    send(client, other, q2="2", improve="Words of the second")
    seen = client.post("/en/receipt", data={"code": code_on(other)})
    assert "Words of the second" in seen.text
    assert "Words of the first" not in seen.text
    withdraw(client, other)

    assert [receipt.exclusion for receipt in receipts()] == [None, "withdrawn"]
    assert [response.answers for response in responses()] == [{"q1": 3, "q2": 1}, {}]
    assert [comment.text for comment in comments()] == ["Words of the first", ""]


def test_withdrawing_twice_changes_nothing_more(client: PageClient) -> None:
    code = answered(client)
    client.post("/en/receipt/withdraw", data={"code": code, "confirm": "yes"})
    first = receipts()[0].exclusion_at
    page = client.post("/en/receipt/withdraw", data={"code": code, "confirm": "yes"})

    assert page.status_code == 200
    assert receipts()[0].exclusion_at == first


def test_nothing_is_added_after_withdrawing(client: PageClient) -> None:
    survey = live_survey()
    second = send(client, client.get(address(survey)), q1="3")
    client.post("/en/receipt/withdraw", data={"code": code_on(second), "confirm": "yes"})

    assert send(client, second, q2="1", improve="More").status_code == 422
    assert responses()[0].answers == {}
    assert comments() == []


def test_a_duplicate_says_so(client: PageClient) -> None:
    survey = live_survey()
    codes = [code_on(client.post(address(survey), data={"q1": "3"})) for _ in range(2)]

    assert "The same answers arrived before. They are counted once." in text_of(
        client.post("/en/receipt", data={"code": codes[1]}).text
    )


@pytest.mark.parametrize("path", ["/en/receipt", "/en/receipt/withdraw"])
def test_guessing_codes_is_slowed_down(real_database: str, path: str) -> None:
    app = app_on(real_database, RATELIMIT_ENABLED=True)
    try:
        client = FlaskClient(app, app.response_class)
        statuses = [client.post(path, data={"code": "x"}).status_code for _ in range(21)]
    finally:
        limiter.enabled = False
        with app.app_context():
            db.engine.dispose()

    assert statuses == [422] * 20 + [429]


def test_the_receipt_page_speaks_our_languages_only(client: PageClient) -> None:
    assert client.get("/es/receipt").status_code == 200
    assert client.get("/xx/receipt").status_code == 404
