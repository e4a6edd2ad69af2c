"""Members, keys and the record: an owner's pages, and the rules that hold wherever they are broken."""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from email import message_from_bytes
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from citizenvoice.accounts import actions, queries
from citizenvoice.accounts.models import ApiKey, AuditEntry, Membership, User
from citizenvoice.accounts.scope import Role, Scope
from citizenvoice.agencies.models import Agency
from citizenvoice.db import db
from citizenvoice.errors import DomainError, NotFoundError
from tests.factories import (
    MAY_1,
    PASSWORD,
    AgencyFactory,
    ApiKeyFactory,
    AuditEntryFactory,
    MembershipFactory,
    UserFactory,
)
from tests.members import member_of, sign_in
from tests.pages import PageClient

Recorder = Callable[[], AbstractContextManager[list[str]]]


@pytest.fixture(name="recorder")
def statements_recorder(request: pytest.FixtureRequest) -> Recorder:
    """The shared fixture ``queries`` under a name that leaves the module of that name alone."""
    recorder: Recorder = request.getfixturevalue("queries")
    return recorder


@pytest.fixture
def ministry(client: PageClient) -> Agency:
    """An agency whose owner is signed in."""
    ministry: Agency = AgencyFactory.create(name="Ministry")
    sign_in(client, member_of(ministry, Role.OWNER))
    return ministry


def whole(agency: Agency, role: Role = Role.OWNER) -> Scope:
    return Scope(user_id=None, grants=((agency.path, role),))


def audited() -> list[tuple[str, str]]:
    entries = db.session.scalars(select(AuditEntry).order_by(AuditEntry.id))
    return [(entry.action, entry.subject) for entry in entries]


def test_an_invited_person_chooses_a_password_and_is_in(
    app: Flask, client: PageClient, ministry: Agency, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "MAIL_FOLDER", str(tmp_path))

    invited = client.post(
        "/manage/members/invite",
        data={"email": "New@Agency.example", "agency": str(ministry.id), "role": "analyst"},
    )

    assert invited.location == "/manage/members"
    membership = db.session.scalars(select(Membership).where(Membership.role == Role.ANALYST)).one()
    assert (membership.user.email, membership.agency) == ("new@agency.example", ministry)
    assert audited() == [("member.invited", "new@agency.example")]
    (path,) = tmp_path.glob("*.eml")
    letter = message_from_bytes(path.read_bytes())
    text = letter.get_payload(decode=True).decode()  # type: ignore[union-attr]
    assert "You are now a member of Ministry" in text
    link = re.search(r"(/manage/reset/\S+)", text)
    assert link
    newcomer = app.test_client()
    newcomer.post(link[1], data={"password": "a long enough one", "again": "a long enough one"})
    newcomer.post("/manage/sign-in", data={"email": "new@agency.example", "password": "a long enough one"})
    assert newcomer.get("/manage/account").status_code == 200


def test_nobody_is_invited_into_an_agency_of_others(client: PageClient, ministry: Agency) -> None:
    elsewhere = AgencyFactory.create()

    page = client.post(
        "/manage/members/invite", data={"email": "a@b.example", "agency": str(elsewhere.id), "role": "owner"}
    )

    assert page.status_code == 200
    assert db.session.scalars(select(Membership).where(Membership.agency == elsewhere)).all() == []


@pytest.mark.parametrize(
    ("email", "says"), [("not an address", "Write an e-mail address"), ("ana@b.example", "already a member")]
)
def test_an_invitation_that_makes_no_sense_is_explained(
    client: PageClient, ministry: Agency, email: str, says: str
) -> None:
    MembershipFactory.create(agency=ministry, user__email="ana@b.example")

    page = client.post(
        "/manage/members/invite", data={"email": email, "agency": str(ministry.id), "role": "viewer"}
    )

    assert says in page.text
    assert audited() == []


def test_an_owner_changes_a_role(client: PageClient, ministry: Agency) -> None:
    membership = MembershipFactory.create(agency=ministry)

    client.post(f"/manage/members/{membership.id}", data={"role": "manager"})

    assert membership.role == Role.MANAGER
    assert audited() == [("member.role_changed", membership.user.email)]


def test_an_owner_removes_a_member_who_then_sees_nothing(
    app: Flask, client: PageClient, ministry: Agency
) -> None:
    membership = MembershipFactory.create(agency=ministry, role=Role.OWNER)
    email, other = membership.user.email, app.test_client()
    sign_in(other, membership.user)
    assert other.get("/manage/members").status_code == 200

    client.post(f"/manage/members/{membership.id}/remove")

    assert other.get("/manage/members").status_code == 403
    assert audited() == [("member.removed", email)]


def test_the_last_owner_stays(client: PageClient, ministry: Agency) -> None:
    (own,) = queries.members(whole(ministry))

    removed = client.post(f"/manage/members/{own.id}/remove")
    demoted = client.post(f"/manage/members/{own.id}", data={"role": "viewer"})

    assert removed.location == f"/manage/members/{own.id}"
    assert "Ministry needs an owner." in demoted.text
    assert own.role == Role.OWNER
    assert audited() == []


@pytest.mark.parametrize(
    ("where", "active", "may_go"),
    [("same", True, True), ("above", True, True), ("below", True, False), ("same", False, False)],
)
def test_an_owner_may_go_when_another_owns_the_agency_or_one_above(
    database: None, where: str, active: bool, may_go: bool
) -> None:
    above = AgencyFactory.create()
    agency = AgencyFactory.create(parent=above)
    below = AgencyFactory.create(parent=agency)
    membership = MembershipFactory.create(agency=agency, role=Role.OWNER)
    other = {"same": agency, "above": above, "below": below}[where]
    MembershipFactory.create(agency=other, role=Role.OWNER, user__active=active)

    if may_go:
        actions.remove_member(membership, by_id=None, now=MAY_1)
        assert membership not in queries.members(whole(agency))
    else:
        with pytest.raises(DomainError, match="needs an owner"):
            actions.remove_member(membership, by_id=None, now=MAY_1)


def test_a_role_reaches_down_the_tree_and_nowhere_else(database: None) -> None:
    top = AgencyFactory.create()
    agency, sibling = AgencyFactory.create_batch(2, parent=top)
    below = AgencyFactory.create(parent=agency)
    user = member_of(agency, Role.MANAGER)

    scope = queries.scope_of(user.id)

    assert queries.agencies(scope) == [agency, below]
    assert queries.agencies(scope, Role.OWNER) == []
    for hidden in (top, sibling):
        with pytest.raises(NotFoundError):
            queries.get_agency(hidden.id, scope)


def test_an_agency_whose_number_begins_alike_is_another_agency(database: None) -> None:
    one, other = AgencyFactory.create_batch(2)
    one.path, other.path = "/71/", "/711/"
    db.session.flush()

    assert queries.agencies(Scope(user_id=None, grants=(("/71/", Role.VIEWER),))) == [one]


@pytest.mark.parametrize("n", [1, 3])
def test_members_take_one_query_however_many(recorder: Recorder, n: int) -> None:
    agency = AgencyFactory.create()
    MembershipFactory.create_batch(n, agency=agency)
    scope = whole(agency)
    db.session.commit()

    with recorder() as sent:
        found = queries.members(scope)
        names = [(held.user.email, held.agency.name) for held in found]

    assert names == sorted(names)
    assert len(names) == n
    assert len(sent) == 1


def test_a_key_is_shown_once_and_only_its_hash_is_kept(client: PageClient, ministry: Agency) -> None:
    page = client.post("/manage/api-keys", data={"name": "Call centre", "agency": str(ministry.id)})

    shown = re.search(r"cv_[\w-]{43}", page.text)
    assert shown
    key = db.session.scalars(select(ApiKey)).one()
    kept = " ".join(str(getattr(key, column.key)) for column in ApiKey.__table__.columns)
    assert shown[0] not in kept
    assert shown[0] not in client.get("/manage/api-keys").text
    assert queries.find_api_key(shown[0]) == key
    assert audited() == [("api_key.created", "Call centre")]


def test_a_revoked_key_opens_nothing(client: PageClient, ministry: Agency) -> None:
    key = ApiKeyFactory.create(agency=ministry, plain="cv_old", name="Old")
    assert queries.find_api_key("cv_old") == key

    client.post(f"/manage/api-keys/{key.id}/revoke")
    client.post(f"/manage/api-keys/{key.id}/revoke")

    assert queries.find_api_key("cv_old") is None
    assert audited() == [("api_key.revoked", "Old")]


def test_the_record_shows_an_owner_their_part_newest_first_a_page_at_a_time(
    client: PageClient, ministry: Agency
) -> None:
    below = AgencyFactory.create(parent=ministry)
    member, stranger = member_of(below), UserFactory.create()
    for n in range(queries.AUDIT_PAGE):
        AuditEntryFactory.create(agency_id=below.id, subject=f"subject {n}.", action="member.invited")
    AuditEntryFactory.create(agency_id=AgencyFactory.create().id, subject="of others")
    AuditEntryFactory.create(user_id=stranger.id, subject="a stranger")
    AuditEntryFactory.create(user_id=member.id, subject="a member", action="account.locked")

    first = client.get("/manage/audit").text
    link = re.search(r"/manage/audit\?before=\d+", first)
    assert link
    second = client.get(link[0]).text

    assert "Account locked after wrong passwords" in first
    assert first.index("a member") < first.index("subject 49.") < first.index("subject 1.")
    assert "subject 0." not in first
    assert "subject 0." in second
    assert "of others" not in first + second
    assert "a stranger" not in first + second


def test_the_account_page_changes_name_and_language(client: PageClient, ministry: Agency) -> None:
    client.post("/manage/account", data={"name": " Ana ", "language": "es"})

    user = db.session.scalars(select(User)).one()
    assert (user.name, user.language) == ("Ana", "es")
    assert '<html lang="es"' in client.get("/manage/account").text


def test_an_operator_makes_the_first_owner(real_app: Flask) -> None:
    with real_app.app_context():
        AgencyFactory.create(slug="passports")
        db.session.commit()
    command = ["create-owner", "ana@agency.example", "--agency", "passports"]

    done = real_app.test_cli_runner().invoke(args=command, input=f"{PASSWORD}\n{PASSWORD}\n")

    assert done.exit_code == 0, done.output
    with real_app.app_context():
        held = db.session.scalars(select(Membership)).one()
        assert (held.user.email, held.role) == ("ana@agency.example", Role.OWNER)
    client = real_app.test_client()
    assert client.post("/manage/sign-in", data={"email": "ana@agency.example", "password": PASSWORD}).location


def test_an_operator_hears_what_is_wrong(real_app: Flask) -> None:
    command = ["create-owner", "ana@agency.example", "--agency", "nothing", "--password", PASSWORD]

    refused = real_app.test_cli_runner().invoke(args=command)

    assert refused.exit_code == 1
    assert "no agency with the short name 'nothing'" in refused.output
