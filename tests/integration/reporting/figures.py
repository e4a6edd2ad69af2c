"""What tests of pages of figures share: answers of known size, counted, and somebody who looks."""

import secrets
from datetime import date, timedelta
from typing import Any

from bs4 import BeautifulSoup, Tag
from sqlalchemy import select

from citizenvoice.accounts.scope import Role
from citizenvoice.agencies.models import Service
from citizenvoice.analysis.models import PredictedTheme, Prediction
from citizenvoice.db import db
from citizenvoice.feedback.models import Comment, Reading, Receipt
from citizenvoice.indicators.counting import CountingWorker
from citizenvoice.web.clock import utc_now
from tests.integration.indicators.world import World
from tests.members import member_of, sign_in
from tests.pages import PageClient, words


def today() -> date:
    """Return the day it is for agencies in UTC."""
    return utc_now().date()


def months_ago(n: int) -> date:
    """Return a day in the middle of the month that many months back."""
    day = today().replace(day=15)
    for _ in range(n):
        day = (day.replace(day=1) - timedelta(days=1)).replace(day=15)
    return day


def rate(world: World, n: int, rating: int, **given: Any) -> None:
    """Send ``n`` responses to the first service that rate it the same."""
    given = {"service": world.services[0], "segments": {}, "words": [], "day": months_ago(1)} | given
    world.send(n, n_sections=1, answers={"overall": rating} | given.pop("answers", {}), **given)


def say(world: World, n: int, rating: int, text: str, **given: Any) -> None:
    """Send ``n`` responses with a rating and a comment."""
    rate(world, n, rating, words=[text], **given)


def read(world: World, text: str, *, sentiment: int, themes: list[str]) -> None:
    """Write down what was read in every comment with this text."""
    waiting = select(Comment).where(Comment.text == text, Comment.reading == Reading.PENDING)
    for comment in db.session.scalars(waiting.order_by(Comment.id)).all():
        comment.reading = Reading.DONE
        db.session.add(
            Prediction(
                comment_id=comment.id,
                model_id=world.model.id,
                language="en",
                sentiment=sentiment,
                confidence=0.9,
                read_at=utc_now(),
            )
        )
        db.session.flush()
        db.session.add_all(
            PredictedTheme(comment_id=comment.id, theme_id=theme.id, probability=0.8)
            for theme in world.themes
            if theme.key in themes
        )
        db.session.get_one(Receipt, comment.receipt_id).uncounted = True
    db.session.flush()


def count() -> None:
    """Bring the stored counts up to date, as the worker does."""
    db.session.commit()
    worker = CountingWorker(secrets.token_hex(8), patience=0)
    while worker.count_next(utc_now):
        pass


def look(client: PageClient, service: Service, role: Role = Role.VIEWER) -> None:
    """Sign somebody with this role in the service's agency in."""
    sign_in(client, member_of(service.agency, role))


def page(client: PageClient, address: str) -> BeautifulSoup:
    """Open a page that must be there."""
    response = client.get(address)
    assert response.status_code == 200, response.text
    return BeautifulSoup(response.text, "html.parser")


def text_of(tag: BeautifulSoup | Tag) -> str:
    """Return the text of a page or a part of it as a reader sees it."""
    return words(tag)
