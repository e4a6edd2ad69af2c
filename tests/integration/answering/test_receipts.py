"""The receipt page: what a code shows, and taking back what was sent."""

from datetime import UTC, datetime

import pytest
from bs4 import BeautifulSoup
from flask.testing import FlaskClient
from sqlalchemy import select

from citizenvoice.analysis.models import Codebook, PredictedTheme, Prediction, Theme, TrainedModel
from citizenvoice.db import db
from citizenvoice.feedback import search
from citizenvoice.feedback.models import Comment
from citizenvoice.web.limits import limiter
from tests.integration.answering.asking import (
    address,
    code_on,
    comments,
    live_survey,
    receipts,
    responses,
    send,
)
from tests.pages import PageClient
from tests.servers import app_on

NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)


def text_of(html: str) -> str:
    """Return what a page says, between single spaces."""
    main = BeautifulSoup(html, "html.parser").select_one("main")
    assert main is not None
    return " ".join(main.get_text(" ").split())


def answered(client: PageClient, why: str = "The waiting room was cold") -> str:
    """Answer a survey and return the code."""
    survey = live_survey()
    return code_on(send(client, client.get(address(survey)), q1="1", bad=["staff"], why=why))


def read_by_machine(comment: Comment) -> None:
    """Read a comment as the worker does: negative, about the building."""
    book = Codebook(key="public_service", name="Public service")
    theme = Theme(codebook=book, position=0, key="building", name="Building", names={"es": "Edificio"})
    model = TrainedModel(name="m", version="1", digest="d", data_digest="d", first_used_at=NOW)
    db.session.add_all([book, theme, model])
    db.session.flush()
    read = Prediction(comment_id=comment.id, model_id=model.id, language="en", sentiment=2, read_at=NOW)
    db.session.add(read)
    db.session.flush()
    db.session.add(PredictedTheme(comment_id=comment.id, theme_id=theme.id, probability=0.9))
    search.index_comments([(comment.id, comment.text)])
    comment.reading = "done"
    db.session.commit()


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


def test_any_of_the_linked_codes_withdraws_all(client: PageClient) -> None:
    survey = live_survey()
    form = {"q1": "3", "why": "Good"}
    codes = [code_on(client.post(address(survey), data=form)) for _ in range(3)]
    client.post("/en/receipt/withdraw", data={"code": codes[1], "confirm": "yes"})

    assert [receipt.exclusion for receipt in receipts()] == ["withdrawn"] * 3
    assert {comment.text for comment in comments()} == {""}
    assert {response.answers == {} for response in responses()} == {True}


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

    assert "It arrived twice" in text_of(client.post("/en/receipt", data={"code": codes[1]}).text)


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
