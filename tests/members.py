"""Being somebody in a test: ``sign_in(client, member_of(agency, Role.MANAGER))``."""

from flask.testing import FlaskClient

from citizenvoice.accounts.access import session_times
from citizenvoice.accounts.models import User
from citizenvoice.accounts.scope import Role
from citizenvoice.agencies.models import Agency
from citizenvoice.db import db
from citizenvoice.web.clock import utc_now
from tests.factories import MembershipFactory


def member_of(agency: Agency, role: Role = Role.VIEWER) -> User:
    """Return a new person with this role in the agency."""
    membership = MembershipFactory.create(agency=agency, role=role)
    user: User = membership.user
    return user


def sign_in(client: FlaskClient, user: User) -> None:
    """Give the browser a session of this person, without the slow look at a password."""
    db.session.commit()
    with client.session_transaction("/manage") as session:
        session.clear()
        session.update({"_user_id": user.fs_uniquifier, "_fresh": True} | session_times(utc_now()))


def sign_out(client: FlaskClient) -> None:
    """Take the session away from the browser."""
    client.delete_cookie("session", path="/manage")
