"""A live survey to answer, and a person who answers it page by page."""

from datetime import UTC, datetime
from typing import Any

from bs4 import BeautifulSoup
from sqlalchemy import select
from werkzeug.test import TestResponse

from citizenvoice.agencies.models import Service
from citizenvoice.analysis.models import Codebook, PredictedTheme, Prediction, Theme, TrainedModel
from citizenvoice.db import db
from citizenvoice.feedback import search
from citizenvoice.feedback.models import Comment, Receipt
from citizenvoice.surveys import actions, links
from citizenvoice.surveys.models import Link, Response, Survey
from citizenvoice.web.clock import utc_now
from tests.factories import AgencyFactory, ServiceFactory, SurveyFactory
from tests.pages import PageClient

NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)
AGREE = {1: "Disagree", 2: "Neither", 3: "Agree"}
FIRST = {"q1": "3", "why": ""}


def scale(key: str, **more: Any) -> dict[str, Any]:
    """Return a three-point question in three languages."""
    words = {"en": f"Statement {key}", "es": f"Frase {key}", "ar": f"عبارة {key}"}
    points = [{"value": v, "label": {"en": w, "es": f"{w} (es)", "ar": f"نعم {v}"}} for v, w in AGREE.items()]
    return {"key": key, "kind": "scale", "text": words, "points": points, **more}


def definition() -> dict[str, Any]:
    """Return three pages: what counts at once, what depends on it, and who the person is."""
    everywhere = lambda words: {"en": words, "es": f"{words} (es)", "ar": f"عن {words}"}  # noqa: E731
    drivers = [{"value": v, "label": everywhere(v.title())} for v in ("speed", "staff", "clarity")]
    why = {"key": "why", "kind": "text", "text": everywhere("Why?"), "role": "why", "max_chars": 200}
    bad = {
        "key": "bad",
        "kind": "multiple",
        "text": everywhere("What went wrong?"),
        "choices": drivers,
        "shown_if": {"question": "q1", "in": [1, 2]},
    }
    first = [scale("q1", required=True, role="satisfaction", not_applicable={"label": everywhere("N/A")})]
    second = [scale("q2", required=True), {**why, "key": "improve", "role": "improve"}]
    age = {
        "key": "age",
        "kind": "number",
        "text": everywhere("Age"),
        "integer": True,
        "bands": [
            {"value": "young", "label": everywhere("Young"), "minimum": 0, "maximum": 39},
            {"value": "old", "label": everywhere("Old"), "minimum": 40, "maximum": 130},
        ],
    }
    return {
        "title": everywhere("How was it?"),
        "intro": everywhere("One minute."),
        "thanks": everywhere("Much obliged."),
        "languages": ["en", "es", "ar"],
        "sections": [
            {"key": "main", "questions": [*first, bad, why]},
            {"key": "more", "title": everywhere("More"), "questions": second},
            {"key": "you", "about_you": True, "questions": [age]},
        ],
    }


def live_survey(draft: dict[str, Any] | None = None, *, n_services: int = 1) -> Survey:
    """Return a published survey of an agency in Manila, with links for the web and for the counter."""
    agency = AgencyFactory.create(name="Land Registry", time_zone="Asia/Manila")
    services: list[Service] = ServiceFactory.create_batch(
        n_services, agency=agency, channels=["website", "self_service_kiosk"]
    )
    survey: Survey = SurveyFactory.create(agency=agency, services=services, draft=draft or definition())
    actions.publish(survey, now=utc_now())
    links.make_links(survey, now=utc_now())
    db.session.commit()
    return survey


def address(survey: Survey, language: str = "en", way: str = "s") -> str:
    """Return where a survey of one service is answered."""
    return f"/{language}/{way}/{survey.slug}/{survey.services[0].slug}"


def via(survey: Survey, channel: str) -> str:
    """Return the link code of a channel."""
    found = db.session.scalars(select(Link).where(Link.survey_id == survey.id, Link.channel == channel)).one()
    return found.code


def fields_of(page: TestResponse) -> dict[str, str]:
    """Return the hidden fields of the form on a page."""
    return {
        str(tag["name"]): str(tag["value"])
        for tag in BeautifulSoup(page.text, "html.parser").select("form input[type=hidden]")
    }


def send(client: PageClient, page: TestResponse, **answers: Any) -> TestResponse:
    """Fill in the form on a page and send it."""
    form = BeautifulSoup(page.text, "html.parser").select_one("main form")
    assert form is not None
    return client.post(str(form["action"]), data={**fields_of(page), **answers})


def code_on(page: TestResponse) -> str:
    """Return the receipt code a page shows."""
    shown = BeautifulSoup(page.text, "html.parser")
    found = shown.select_one(".cv-panel__code") or shown.select_one("strong[dir=ltr]")
    assert found is not None, page.text
    return found.get_text(strip=True)


def receipts() -> list[Receipt]:
    """Return every receipt, the first first."""
    return list(db.session.scalars(select(Receipt).order_by(Receipt.id)))


def responses() -> list[Response]:
    """Return every response, the first first."""
    return list(db.session.scalars(select(Response).order_by(Response.id)))


def comments() -> list[Comment]:
    """Return every comment, the first first."""
    return list(db.session.scalars(select(Comment).order_by(Comment.id)))


def read_by_machine(comment: Comment) -> None:
    """Read a comment as the worker does: negative, about the building."""
    theme = db.session.scalar(select(Theme).where(Theme.key == "building"))
    model = db.session.scalar(select(TrainedModel))
    if theme is None or model is None:
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
