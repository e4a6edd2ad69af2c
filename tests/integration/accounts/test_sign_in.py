"""Signing in, and everything that must keep the wrong person out."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from citizenvoice.accounts import passwords, signing_in
from citizenvoice.accounts.models import AuditEntry, User
from citizenvoice.db import db
from citizenvoice.web.clock import utc_now
from citizenvoice.web.limits import limiter
from tests.factories import MAY_1, PASSWORD, MembershipFactory, UserFactory
from tests.members import sign_in
from tests.pages import PageClient
from tests.servers import app_on

WRONG = "password do not fit"
NEW_PASSWORD = "nine green bottles hanging"  # noqa: S105 - of somebody the tests make


def try_password(client: PageClient, email: str, password: str = PASSWORD) -> str:
    response = client.post("/manage/sign-in", data={"email": email, "password": password})
    return "let in" if response.location else response.text


def can_open_account(client: PageClient) -> bool:
    return client.get("/manage/account").status_code == 200


def test_the_right_password_lets_in(client: PageClient) -> None:
    user = MembershipFactory.create(user__email="ana@agency.example").user

    response = client.post(
        "/manage/sign-in",
        data={"email": "Ana@Agency.example ", "password": PASSWORD, "next": "/manage/account?tab=1"},
    )

    assert response.location == "/manage/account?tab=1"
    assert can_open_account(client)
    assert db.session.scalars(select(AuditEntry.action)).all() == ["account.signed_in"]
    assert user.password.startswith("$argon2id$")


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/manage",
        "//evil.example",
        "/manageevil.example",
        "/\\evil.example",
        "javascript:1",
    ],
)
def test_signing_in_never_leads_to_another_site(client: PageClient, elsewhere: str) -> None:
    UserFactory.create(email="ana@agency.example")

    response = client.post(
        "/manage/sign-in", data={"email": "ana@agency.example", "password": PASSWORD, "next": elsewhere}
    )

    assert response.location.startswith("/manage")
    assert "evil" not in response.location


def test_every_failure_gets_the_same_answer(client: PageClient) -> None:
    UserFactory.create(email="ana@agency.example")
    UserFactory.create(email="gone@agency.example", active=False)
    UserFactory.create(email="locked@agency.example", locked_until=utc_now() + timedelta(minutes=5))

    pages = {
        re.sub(r'value="[^"]*"', "", try_password(client, email, password))
        for email, password in [
            ("ana@agency.example", "wrong"),
            ("nobody@agency.example", PASSWORD),
            ("gone@agency.example", PASSWORD),
            ("locked@agency.example", PASSWORD),
        ]
    }

    assert len(pages) == 1
    assert WRONG in pages.pop()


def test_five_wrong_passwords_lock_the_account_for_a_quarter_of_an_hour(database: None) -> None:
    user = UserFactory.create()
    db.session.commit()
    for _ in range(5):
        assert signing_in.sign_in(user.email, "wrong", now=MAY_1) is None

    assert signing_in.sign_in(user.email, PASSWORD, now=MAY_1 + timedelta(minutes=14)) is None
    assert signing_in.sign_in(user.email, PASSWORD, now=MAY_1 + timedelta(minutes=15)) == user
    actions = db.session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)).all()
    assert actions == ["account.locked", "account.signed_in"]


def test_four_wrong_passwords_are_forgiven_by_a_right_one(database: None) -> None:
    user = UserFactory.create()
    db.session.commit()
    for _ in range(2):
        for _ in range(4):
            assert signing_in.sign_in(user.email, "wrong", now=MAY_1) is None
        assert signing_in.sign_in(user.email, PASSWORD, now=MAY_1) == user


def test_signing_out_makes_every_copy_of_the_cookie_worthless(app: Flask, client: PageClient) -> None:
    user = UserFactory.create()
    other = app.test_client()
    for browser in (client, other):
        sign_in(browser, user)

    assert client.post("/manage/sign-out").location == "/manage/sign-in"

    assert other.get("/manage/account").location.startswith("/manage/sign-in")


def test_signing_out_takes_a_button_not_a_link(client: PageClient) -> None:
    assert client.get("/manage/sign-out").status_code == 405


@pytest.mark.parametrize(("ago", "name"), [(61, "seen_at"), (12 * 60 + 1, "began_at")])
def test_a_session_ends_by_itself(client: PageClient, ago: int, name: str) -> None:
    sign_in(client, UserFactory.create())
    assert can_open_account(client)

    with client.session_transaction("/manage") as session:
        session[name] = (utc_now() - timedelta(minutes=ago)).timestamp()

    response = client.get("/manage/account?page=2")
    assert response.location == "/manage/sign-in?next=/manage/account?page%3D2"


def test_work_keeps_a_session_alive(client: PageClient) -> None:
    sign_in(client, UserFactory.create())
    with client.session_transaction("/manage") as session:
        session["seen_at"] = before = (utc_now() - timedelta(minutes=50)).timestamp()

    assert can_open_account(client)

    with client.session_transaction("/manage") as session:
        assert session["seen_at"] > before


def test_a_new_password_ends_every_other_session(app: Flask, client: PageClient) -> None:
    user = UserFactory.create()
    other = app.test_client()
    for browser in (client, other):
        sign_in(browser, user)

    response = client.post(
        "/manage/account/password",
        data={"current": PASSWORD, "password": NEW_PASSWORD, "again": NEW_PASSWORD},
    )

    assert response.location == "/manage/account"
    assert can_open_account(client)
    assert other.get("/manage/account").location.startswith("/manage/sign-in")


@pytest.mark.parametrize(
    ("current", "password", "again", "says"),
    [
        ("wrong", NEW_PASSWORD, NEW_PASSWORD, "The current password is not right."),
        (PASSWORD, NEW_PASSWORD, "something else", "are not the same"),
        (PASSWORD, "too short", "too short", "Use at least 12 characters."),
        (PASSWORD, "aaaaaaaaaaaaaa", "aaaaaaaaaaaaaa", "more different characters"),
        (PASSWORD, "ana@agency.example", "ana@agency.example", "Do not use your e-mail address"),
    ],
)
def test_a_password_is_not_changed_for_a_bad_one(
    client: PageClient, current: str, password: str, again: str, says: str
) -> None:
    user = UserFactory.create(email="ana@agency.example")
    sign_in(client, user)
    before = user.password

    page = client.post(
        "/manage/account/password", data={"current": current, "password": password, "again": again}
    )

    assert says in page.text
    assert db.session.scalars(select(User.password)).one() == before


@pytest.fixture
def letters(app: Flask, tmp_path: Path) -> Iterator[Path]:
    """The folder into which this test's letters go."""
    before = app.config["MAIL_FOLDER"]
    app.config["MAIL_FOLDER"] = str(tmp_path / "mail")
    yield tmp_path / "mail"
    app.config["MAIL_FOLDER"] = before


def link_in(folder: Path) -> str:
    (letter,) = folder.glob("*.eml")
    found = re.search(r"http://localhost(/manage/reset/\S+)", letter.read_text().replace("=\n", ""))
    assert found, letter.read_text()
    letter.unlink()
    return found[1]


def test_a_link_in_a_letter_sets_a_new_password_once(client: PageClient, letters: Path) -> None:
    user = UserFactory.create(email="ana@agency.example", locked_until=utc_now() + timedelta(minutes=9))
    sent = client.post("/manage/reset", data={"email": "ana@agency.example"})
    assert "on its way" in sent.text
    link = link_in(letters)

    assert "Choose your password" in client.get(link).text
    done = client.post(link, data={"password": NEW_PASSWORD, "again": NEW_PASSWORD})

    assert done.location == "/manage/sign-in"
    assert passwords.is_right(NEW_PASSWORD, user.password)
    assert try_password(client, user.email, NEW_PASSWORD) == "let in"
    again = client.post(link, data={"password": PASSWORD, "again": PASSWORD})
    assert again.location == "/manage/reset"
    assert "This link no longer works." in client.get("/manage/reset").text


def test_asking_for_a_link_does_not_tell_who_exists(client: PageClient, letters: Path) -> None:
    UserFactory.create(email="ana@agency.example")

    pages = {
        client.post("/manage/reset", data={"email": email}).text.replace(email, "…")
        for email in ("ana@agency.example", "nobody@agency.example")
    }

    assert len(pages) == 1
    assert len(list(letters.glob("*.eml"))) == 1


def test_public_pages_know_nobody(client: PageClient) -> None:
    sign_in(client, UserFactory.create())

    response = client.get("/nothing-here")

    assert "Set-Cookie" not in response.headers
    assert "Cookie" not in response.headers.get("Vary", "")


def test_the_cookie_is_kept_from_scripts_other_sites_and_public_pages(client: PageClient) -> None:
    cookie = client.post(
        "/manage/sign-in", data={"email": UserFactory.create().email, "password": PASSWORD}
    ).headers["Set-Cookie"]

    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Path=/manage" in cookie


def test_cookies_are_secure_unless_told_otherwise(real_database: str) -> None:
    app = app_on(real_database, SESSION_COOKIE_SECURE=True, WTF_CSRF_ENABLED=True)

    cookie = app.test_client().get("/manage/sign-in", base_url="https://localhost").headers["Set-Cookie"]

    assert "Secure" in cookie


def test_a_forged_sign_in_is_refused(real_database: str) -> None:
    client = app_on(real_database, WTF_CSRF_ENABLED=True).test_client()

    assert client.post("/manage/sign-in", data={"email": "a@b.example", "password": "x"}).status_code == 400


def test_one_sender_cannot_try_for_ever(real_database: str) -> None:
    limiter_was = limiter.enabled
    client = app_on(real_database, RATELIMIT_ENABLED=True).test_client()
    limiter.reset()
    try:
        statuses = [
            client.post("/manage/sign-in", data={"email": f"p{n}@agency.example"}).status_code
            for n in range(11)
        ]
        shown = client.get("/manage/sign-in").status_code
    finally:
        limiter.enabled = limiter_was

    assert statuses == [200] * 10 + [429]
    assert shown == 200
