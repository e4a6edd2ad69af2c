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
from citizenvoice.analysis.models import Codebook, PredictedTheme, Prediction, Theme, TrainedModel
from citizenvoice.db import db
from citizenvoice.feedback.models import Comment, Reading, Receipt
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


class ReceiptFactory(BaseFactory):
    """``ReceiptFactory.create(service_id=1, day=…)``: arrived at noon of its day."""

    class Meta:
        model = Receipt

    service_id = LazyFunction(lambda: ServiceFactory.create().id)
    channel = "website"
    language = "en"
    day = MAY_1.date()
    received_at = LazyAttribute(lambda receipt: datetime.combine(receipt.day, MAY_1.timetz()))


class CommentFactory(BaseFactory):
    """``CommentFactory.create(receipt=receipt, text="…")``: waiting to be read, as it arrives."""

    class Meta:
        model = Comment

    receipt = SubFactory(ReceiptFactory)
    service_id = LazyAttribute(lambda comment: comment.receipt.service_id)
    channel = LazyAttribute(lambda comment: comment.receipt.channel)
    language = LazyAttribute(lambda comment: comment.receipt.language)
    day = LazyAttribute(lambda comment: comment.receipt.day)
    received_at = LazyAttribute(lambda comment: comment.receipt.received_at)
    question = "comment"
    text = "It took too long."
    rating = None
    reading = Reading.PENDING


class CodebookFactory(BaseFactory):
    class Meta:
        model = Codebook

    key = Sequence(lambda n: f"codebook_{n}")
    name = Sequence(lambda n: f"Codebook {n}")


class ThemeFactory(BaseFactory):
    class Meta:
        model = Theme

    codebook = SubFactory(CodebookFactory)
    position = Sequence(lambda n: n)
    key = Sequence(lambda n: f"theme_{n}")
    name = Sequence(lambda n: f"Theme {n}")


class TrainedModelFactory(BaseFactory):
    class Meta:
        model = TrainedModel

    name = "reader"
    version = "1"
    digest = Sequence(lambda n: f"{n:064d}")
    data_digest = "0" * 64
    first_used_at = MAY_1


class PredictionFactory(BaseFactory):
    class Meta:
        model = Prediction

    comment = SubFactory(CommentFactory)
    comment_id = LazyAttribute(lambda prediction: prediction.comment.id)
    model = SubFactory(TrainedModelFactory)
    language = "en"
    sentiment = 2
    confidence = 0.8
    read_at = MAY_1


class PredictedThemeFactory(BaseFactory):
    class Meta:
        model = PredictedTheme

    theme = SubFactory(ThemeFactory)
    probability = 0.9
