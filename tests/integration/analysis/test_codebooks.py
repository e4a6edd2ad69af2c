"""A shipped codebook that gives a theme a new code keeps what was stored under the old one."""

from typing import Any

import pytest
from sqlalchemy import select

from citizenvoice import jobs
from citizenvoice.analysis import actions
from citizenvoice.analysis.models import Codebook, Theme
from citizenvoice.db import db

pytestmark = pytest.mark.usefixtures("database")


def _theme(key: str, **more: Any) -> dict[str, Any]:
    return {"key": key, "name": key, "names": {}, **more}


def test_a_renamed_theme_is_the_same_row() -> None:
    actions.keep_codebook("book", name="Book", names={}, themes=[_theme("phone"), _theme("fees")])
    before = {theme.key: theme.id for theme in db.session.scalars(select(Theme))}
    renamed = [_theme("fees"), _theme("contact", formerly=("phone",))]
    for _ in range(2):
        actions.keep_codebook("book", name="Book", names={}, themes=renamed)
        after = {theme.key: theme.id for theme in db.session.scalars(select(Theme))}
        assert after == {"contact": before["phone"], "fees": before["fees"]}


def test_the_first_version_of_the_general_codebook_becomes_the_second() -> None:
    book = Codebook(key="public_service", name="Public services", names={})
    book.themes = [
        Theme(key=key, name=key, position=i) for i, key in enumerate(("phone_contact", "general_praise"))
    ]
    db.session.add(book)
    db.session.flush()
    ids = [theme.id for theme in book.themes]
    jobs.keep_codebook("public_service")
    stored = {
        theme.id: theme.key for theme in db.session.scalars(select(Theme).where(Theme.codebook_id == book.id))
    }
    assert [stored[one] for one in ids] == ["contact", "overall"]
    assert len(stored) == 22
