"""One factory a model. A bare factory makes the smallest valid row; tests name only what matters to them."""

import secrets
from datetime import UTC, datetime
from functools import cache
from typing import Any

from factory.alchemy import SQLAlchemyModelFactory
from factory.declarations import LazyAttribute, LazyFunction, Sequence, SubFactory

from citizenvoice.accounts import passwords, queries
from citizenvoice.accounts.models import ApiKey, AuditEntry, Membership, User
from citizenvoice.accounts.scope import Role
from citizenvoice.agencies.models import Agency, Service
from citizenvoice.db import db
from citizenvoice.surveys.drafting import blank_draft
from citizenvoice.surveys.models import Survey

MAY_1 = datetime(2024, 5, 1, 12, tzinfo=UTC)
PASSWORD = "correct horse battery staple"  # noqa: S105 - of everybody the tests make


class BaseFactory(SQLAlchemyModelFactory):
    class Meta:
        abstract = True
        sqlalchemy_session_factory = lambda: db.session  # noqa: E731
        sqlalchemy_session_persistence = "flush"


class AgencyFactory(BaseFactory):
    """``AgencyFactory.create(parent=ministry)`` takes its place in the tree."""

    class Meta:
        model = Agency

    name = Sequence(lambda n: f"Agency {n}")
    slug = Sequence(lambda n: f"agency-{n}")

    @classmethod
    def _create(cls, model_class: type[Agency], *args: Any, **kwargs: Any) -> Agency:
        agency: Agency = super()._create(model_class, *args, **kwargs)
        above = agency.parent.path if agency.parent else "/"
        agency.path = f"{above}{agency.id}/"
        db.session.flush()
        return agency


class ServiceFactory(BaseFactory):
    class Meta:
        model = Service

    agency = SubFactory(AgencyFactory)
    name = Sequence(lambda n: f"Service {n}")
    slug = Sequence(lambda n: f"service-{n}")
    languages = LazyFunction(lambda: ["en"])
    channels = LazyFunction(lambda: ["website"])
    created_at = MAY_1


@cache
def password_hash() -> str:
    """Return the hash of PASSWORD, worked out once: it is slow on purpose."""
    return passwords.hashed(PASSWORD)


class UserFactory(BaseFactory):
    class Meta:
        model = User

    email = Sequence(lambda n: f"person-{n}@agency.example")
    password = LazyFunction(password_hash)
    fs_uniquifier = LazyFunction(lambda: secrets.token_hex(32))
    created_at = MAY_1


class MembershipFactory(BaseFactory):
    class Meta:
        model = Membership

    user = SubFactory(UserFactory)
    agency = SubFactory(AgencyFactory)
    role = Role.VIEWER


class ApiKeyFactory(BaseFactory):
    """``ApiKeyFactory.create(plain="cv_…")`` makes the key that a program presents as that text."""

    class Meta:
        model = ApiKey

    class Params:
        plain = Sequence(lambda n: f"cv_of_the_tests_{n}")

    agency = SubFactory(AgencyFactory)
    name = "Nightly import"
    created_at = MAY_1
    prefix = LazyAttribute(lambda key: key.plain[:9])
    key_hash = LazyAttribute(lambda key: queries.key_hash(key.plain))


class AuditEntryFactory(BaseFactory):
    class Meta:
        model = AuditEntry

    at = MAY_1
    user_id = None
    agency_id = None
    action = "account.signed_in"
    subject = "somebody"


class SurveyFactory(BaseFactory):
    """A draft of an empty questionnaire; ``SurveyFactory.create(services=[service], draft={...})``."""

    class Meta:
        model = Survey

    agency = SubFactory(AgencyFactory)
    name = Sequence(lambda n: f"Survey {n}")
    slug = Sequence(lambda n: f"survey-{n}")
    draft = LazyFunction(lambda: blank_draft("Tell us", ["en"]))
    created_at = MAY_1
    updated_at = MAY_1
