"""Links that set a password, whose letters travel through mail servers we do not know."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from flask import Flask

from citizenvoice.accounts import actions, letters, links
from citizenvoice.accounts.models import User
from citizenvoice.errors import DomainError
from tests.factories import MAY_1, UserFactory

HOUR = timedelta(hours=1)


@pytest.fixture
def user(app: Flask, database: None) -> Iterator[User]:
    with app.test_request_context("/", base_url="https://claimed.example"):
        yield UserFactory.create()


def token_of(user: User) -> str:
    return links.password_link(user, lasts=HOUR, now=MAY_1).rpartition("/")[2]


def test_a_link_names_its_owner_until_it_expires(user: User) -> None:
    token = token_of(user)

    assert links.user_of(token, now=MAY_1 + HOUR - timedelta(seconds=1)) == user
    with pytest.raises(DomainError, match="no longer works"):
        links.user_of(token, now=MAY_1 + HOUR)


def test_a_link_is_void_once_the_password_changed(user: User) -> None:
    token = token_of(user)
    actions.set_password(user, "nine green bottles hanging", now=MAY_1)

    with pytest.raises(DomainError, match="no longer works"):
        links.user_of(token, now=MAY_1)


@pytest.mark.parametrize(
    "spoil",
    [lambda token: token[:-1], lambda token: "x" + token, lambda _token: "", lambda token: token.swapcase()],
)
def test_a_link_nobody_sent_opens_nothing(user: User, spoil: Callable[[str], str]) -> None:
    with pytest.raises(DomainError, match="no longer works"):
        links.user_of(spoil(token_of(user)), now=MAY_1)


def test_a_link_of_somebody_who_may_no_longer_sign_in_opens_nothing(user: User) -> None:
    token = token_of(user)
    user.active = False

    with pytest.raises(DomainError, match="no longer works"):
        links.user_of(token, now=MAY_1)


def test_links_begin_with_our_address_whatever_host_a_request_claims(
    app: Flask, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "PUBLIC_URL", "https://voice.example")

    letter = letters.reset_letter(user, now=MAY_1)

    assert "https://voice.example/manage/reset/" in letter.text
    assert "claimed.example" not in letter.text
