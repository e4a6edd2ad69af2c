"""A test client that holds every request to the house rules, so that no test has to remember to."""

from collections import Counter
from typing import Any

import html5lib
import pytest
from bs4 import BeautifulSoup, Tag
from flask import Flask, Response, has_app_context
from flask.testing import FlaskClient
from sqlalchemy import event
from sqlalchemy.orm import ORMExecuteState, Session
from werkzeug.test import TestResponse

from citizenvoice.db import db

CONTROLS = "input:not([type=hidden], [type=submit], [type=button], [type=reset]), select, textarea"


class PageClient(FlaskClient):
    """Opens pages as a browser would: each request on its own, each page checked.

    What the test prepared is committed first, and what it holds is read anew afterwards, so a view
    sees only what is in the database and a test sees only what the view committed.
    """

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        if has_app_context():
            db.session.commit()
        kwargs.setdefault("buffered", True)  # a streamed page is read while its request lasts
        with self.application.app_context():
            response = super().open(*args, **kwargs)
        if response.mimetype == "text/html" and not response.location and response.data:
            check_page(response.text)
        return response


def check_page(html: str) -> None:
    """Fail unless the page is valid HTML with one h1, a title that starts with it, and labelled controls."""
    html5lib.HTMLParser(strict=True).parse(html)
    page = BeautifulSoup(html, "html.parser")

    assert page.html is not None
    assert page.html.get("lang"), "the page does not say its language"
    headings = page.select("h1")
    assert len(headings) == 1, f"{len(headings)} h1 elements"
    title = page.select_one("head > title")
    assert title is not None
    assert words(title).removeprefix("Error: ").removeprefix("خطأ: ").startswith(words(headings[0])), (
        f"{words(title)!r} is no title"
    )

    uses = Counter(tag["id"] for tag in page.select("[id]"))
    assert not (repeated := [name for name, n in uses.items() if n > 1]), f"ids used twice: {repeated}"
    for tag in page.select("[aria-describedby], [aria-labelledby], label[for]"):
        for attribute in ("aria-describedby", "aria-labelledby", "for"):
            for name in str(tag.get(attribute) or "").split():
                assert name in uses, f"{attribute} to nothing: {tag}"

    for control in page.select(CONTROLS):
        assert is_labelled(control, page), f"no label for {control}"
    for button in page.select("button, a[href], input[type=submit]"):
        assert words(button) or button.get("value") or names_itself(button), f"no words on {button}"
    for group in page.select("fieldset"):
        assert group.find("legend", recursive=False), f"no legend for {str(group)[:200]}"
    for image in page.select("img"):
        assert image.has_attr("alt"), f"no alt for {image}"


def words(tag: Tag) -> str:
    """Return the text of an element as a reader sees it."""
    return " ".join(tag.get_text().split())


def is_labelled(control: Tag, page: BeautifulSoup) -> bool:
    """Return whether a form control has a label with words in it."""
    if names_itself(control):
        return True
    wrapping = control.find_parent("label")
    label = page.find("label", attrs={"for": control.get("id")}) if control.get("id") else wrapping
    return isinstance(label, Tag) and bool(words(label))


def names_itself(tag: Tag) -> bool:
    """Return whether an element carries its own accessible name."""
    if tag.get("aria-label") or tag.get("aria-labelledby"):
        return True
    return any(
        image.get("alt") or image.get("aria-label") or image.find("title") for image in tag.select("img, svg")
    )


def forbid_forgotten_commits(app: Flask) -> None:
    """Fail any request that leaves changes behind uncommitted."""

    @event.listens_for(Session, "after_flush")
    def flushed(session: Session, _context: object) -> None:
        session.info["unsaved"] = True

    @event.listens_for(Session, "do_orm_execute")
    def executed(state: ORMExecuteState) -> None:
        if state.is_insert or state.is_update or state.is_delete:
            state.session.info["unsaved"] = True

    @event.listens_for(Session, "after_commit")
    @event.listens_for(Session, "after_rollback")
    def settled(session: Session) -> None:
        session.info["unsaved"] = False

    app.after_request(fail_if_unsaved)


def fail_if_unsaved(response: Response) -> Response:
    """Fail a request that succeeded without committing what it changed; what is refused is rolled back."""
    pending = [*db.session.new, *db.session.dirty, *db.session.deleted]
    if response.status_code < 400 and (pending or db.session.info.get("unsaved")):
        pytest.fail("the view changed the database and did not commit")
    return response
