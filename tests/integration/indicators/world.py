"""A small country to count: a survey with every kind of question, and contributions of our own making."""

import random
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import select

from citizenvoice.analysis.models import Codebook, PredictedTheme, Prediction, Theme, TrainedModel
from citizenvoice.db import db
from citizenvoice.feedback.models import Comment, Exclusion, Reading, Receipt
from citizenvoice.surveys import routing
from citizenvoice.surveys.changes import definition_digest
from citizenvoice.surveys.contributions import Contribution, Words
from citizenvoice.surveys.definition import Definition, Kind
from citizenvoice.surveys.models import Response, Survey, SurveyService, SurveyVersion
from citizenvoice.surveys.parsing import parse_definition
from citizenvoice.surveys.recording import record_many
from tests.factories import AgencyFactory, ServiceFactory

NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
FIRST_DAY = date(2026, 1, 20)


def scale(key: str, role: str | None = None, **more: Any) -> dict[str, Any]:
    points = [{"value": value, "label": {"en": str(value)}} for value in range(1, 6)]
    return {
        "key": key,
        "kind": "scale",
        "text": {"en": f"How about {key}?"},
        "role": role,
        "points": points,
    } | more


def everything_definition() -> dict[str, Any]:
    """Return a definition with every kind of question, a condition, a later page and segments."""
    no = {"not_applicable": {"label": {"en": "N/A"}}, "dont_know": {"label": {"en": "Don't know"}}}
    choices = [{"value": value, "label": {"en": value}} for value in ("ease", "speed", "staff")]
    return {
        "title": {"en": "How was it?"},
        "languages": ["en", "es"],
        "sections": [
            {
                "key": "main",
                "questions": [
                    scale("overall", "satisfaction", required=True),
                    scale("ease", "ease", **no),
                    {
                        "key": "why_bad",
                        "kind": "multiple",
                        "text": {"en": "What went badly?"},
                        "role": "drivers_negative",
                        "choices": choices,
                        "shown_if": {"question": "overall", "in": [1, 2]},
                    },
                    {"key": "words", "kind": "text", "text": {"en": "Why?"}},
                ],
            },
            {
                "key": "more",
                "questions": [
                    scale("speed", "efficiency"),
                    {
                        "key": "visits",
                        "kind": "number",
                        "text": {"en": "How often?"},
                        "minimum": 0,
                        "maximum": 9,
                    },
                    {
                        "key": "again",
                        "kind": "single",
                        "text": {"en": "Would you come again?"},
                        "choices": [
                            {"value": "yes", "label": {"en": "Yes"}},
                            {"value": "no", "label": {"en": "No"}},
                        ],
                    },
                ],
            },
            {
                "key": "you",
                "about_you": True,
                "questions": [
                    {
                        "key": "sex",
                        "kind": "single",
                        "text": {"en": "Sex"},
                        "choices": [
                            {"value": "f", "label": {"en": "F"}},
                            {"value": "m", "label": {"en": "M"}},
                        ],
                    },
                    {
                        "key": "needs",
                        "kind": "multiple",
                        "text": {"en": "Needs"},
                        "choices": [{"value": v, "label": {"en": v}} for v in ("sight", "hearing")],
                    },
                ],
            },
        ],
    }


def publish(survey: Survey, data: dict[str, Any]) -> SurveyVersion:
    definition = parse_definition(data)
    version = SurveyVersion(
        survey=survey,
        number=len(survey.versions) + 1,
        definition=definition.to_json(),
        digest=definition_digest(definition),
        published_at=NOW,
    )
    db.session.add(version)
    db.session.flush()
    return version


class World:
    """Services, a survey with two versions, a codebook, and random things that happen to them."""

    def __init__(self, seed: int, data: dict[str, Any] | None = None, n_services: int = 2) -> None:
        self.random = random.Random(seed)  # noqa: S311 - repeatable, not secret
        agency = AgencyFactory.create()
        self.services = ServiceFactory.create_batch(n_services, agency=agency)
        self.codebook = db.session.scalar(select(Codebook).where(Codebook.key == "public_service"))
        if self.codebook is None:
            self.codebook = Codebook(key="public_service", name="Public services", names={})
            db.session.add(self.codebook)
            for position, key in enumerate(("waiting", "staff", "cost")):
                self.codebook.themes.append(Theme(key=key, position=position, name=key, names={}))
        self.model = TrainedModel(
            name="test", version="1", digest=f"test-{seed}", data_digest="", figures={}, first_used_at=NOW
        )
        slug = f"survey-{agency.id}"
        self.survey = Survey(
            agency_id=agency.id,
            slug=slug,
            name="Survey",
            state="live",
            draft={},
            created_at=NOW,
            updated_at=NOW,
        )
        db.session.add_all([self.model, self.survey])
        db.session.flush()
        for service in self.services:
            db.session.add(SurveyService(survey_id=self.survey.id, service_id=service.id))
        first = data or everything_definition()
        self.versions = [publish(self.survey, first)]
        self.definitions: dict[int, Definition] = {self.versions[0].id: parse_definition(first)}
        self.themes = list(self.codebook.themes)
        db.session.commit()

    def publish_again(self, data: dict[str, Any]) -> SurveyVersion:
        version = publish(self.survey, data)
        self.versions.append(version)
        self.definitions[version.id] = parse_definition(data)
        return version

    # What people send

    def send(self, n: int = 1, **given: Any) -> list[int]:
        """Store ``n`` random responses (with what is given instead of chance) and return their ids."""
        return [one.receipt_id for one in record_many([self.contribution(**given) for _ in range(n)])]

    def contribution(self, **given: Any) -> Contribution:
        pick = self.random
        version = given.get("version") or pick.choice(self.versions)
        definition = self.definitions[version.id]
        n_sections = given.get("n_sections", pick.choice([1, 2, 3]))
        answers = given.get("answers", self.answers(definition, n_sections))
        day = given.get("day", FIRST_DAY + timedelta(days=pick.randrange(40)))
        texts = given.get("words", ["Slow"] * pick.choice([0, 0, 1, 2]))
        return Contribution(
            survey_id=self.survey.id,
            version_id=version.id,
            service_id=given.get("service", pick.choice(self.services)).id,
            channel=given.get("channel", pick.choice(["website", "in_person"])),
            language=given.get("language", pick.choice(["en", "es"])),
            received_at=datetime(day.year, day.month, day.day, 12, tzinfo=UTC),
            day=day,
            answers=answers,
            segments=given.get("segments", self.segments()),
            n_sections=n_sections,
            words=[Words("words", "why", text) for text in texts],
            exclusion=given.get("exclusion"),
        )

    def answers(self, definition: Definition, n_sections: int) -> dict[str, Any]:
        """Return random answers to the pages submitted, as the product would keep them."""
        pick = self.random
        answers: dict[str, Any] = {}
        for section in [s for s in definition.sections if not s.about_you][:n_sections]:
            for question in section.questions:
                if question.required or pick.random() < 0.7:
                    if question.kind is Kind.SCALE:
                        values = [*(point.value for point in question.points), *question.ways_out]
                        answers[question.key] = pick.choice(values)
                    elif question.kind is Kind.SINGLE:
                        answers[question.key] = pick.choice(question.choices).value
                    elif question.kind is Kind.MULTIPLE:
                        some = [c.value for c in question.choices if pick.random() < 0.5]
                        answers |= {question.key: some} if some else {}
                    elif question.kind is Kind.NUMBER:
                        answers[question.key] = pick.choice([0, 3, 9, 2.5])
        return routing.still_standing(definition, answers)

    def segments(self) -> dict[str, Any]:
        pick = self.random
        found: dict[str, Any] = {}
        if pick.random() < 0.6:
            found["sex"] = pick.choice(["f", "m"])
        if pick.random() < 0.3:
            found["needs"] = pick.choice([["sight"], ["sight", "hearing"]])
        return found

    # What happens to it

    def any_receipt(self) -> Receipt | None:
        ids = db.session.scalars(select(Receipt.id).order_by(Receipt.id)).all()
        return db.session.get(Receipt, self.random.choice(ids), populate_existing=True) if ids else None

    def exclude(self, reason: Exclusion | None) -> None:
        if (receipt := self.any_receipt()) is not None:
            receipt.exclusion = reason
            receipt.uncounted = True

    def add_page(self) -> None:
        if (receipt := self.any_receipt()) is not None:
            response = db.session.get_one(Response, receipt.id, populate_existing=True)
            definition = self.definitions[response.version_id]
            response.n_sections = 3
            new = self.answers(definition, 3)
            response.answers = routing.still_standing(definition, new | response.answers)
            response.segments = self.segments()
            receipt.uncounted = True

    def read_some(self, limit: int = 5) -> None:
        """Write down readings as the reading worker does."""
        waiting = select(Comment).where(Comment.reading == Reading.PENDING).order_by(Comment.id).limit(limit)
        for comment in db.session.scalars(waiting).all():
            receipt = db.session.get_one(Receipt, comment.receipt_id)
            if self.random.random() < 0.1:
                comment.reading = Reading.FAILED
            else:
                comment.reading = Reading.DONE
                db.session.add(
                    Prediction(
                        comment_id=comment.id,
                        model_id=self.model.id,
                        language="en",
                        sentiment=self.random.choice([1, 2, 3, 4, 5, None]),
                        confidence=0.9,
                        read_at=NOW,
                    )
                )
                db.session.flush()
                for theme in self.themes:
                    if self.random.random() < 0.4:
                        db.session.add(
                            PredictedTheme(comment_id=comment.id, theme_id=theme.id, probability=0.8)
                        )
            receipt.uncounted = True
        db.session.flush()
