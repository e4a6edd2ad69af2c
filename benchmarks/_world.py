"""A million responses in bulk: what benchmarks count and read."""

import json
import random
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from flask import Flask
from sqlalchemy import insert, text

from citizenvoice.agencies.models import Agency, Service
from citizenvoice.app import create_app
from citizenvoice.config import config_from
from citizenvoice.db import db
from citizenvoice.feedback.models import Comment, Receipt
from citizenvoice.surveys.changes import definition_digest
from citizenvoice.surveys.models import Response, Survey, SurveyService, SurveyVersion
from citizenvoice.surveys.parsing import parse_definition

NOW = datetime(2026, 6, 1, tzinfo=UTC)
FIRST_DAY = date(2025, 1, 1)
N_DAYS = 365
CHANNELS, LANGUAGES = ("website", "mobile", "in_person"), ("en", "es")
SCALES = ("overall", "ease", "speed", "clear", "fair", "staff", "need", "trust")
WORDS = (
    *("the queue was very long and slow", "friendly helpful staff explained everything", "website broke"),
    *("had to come back three times for one form", "quick and easy thank you", "nobody answered the phone"),
    *("la espera fue demasiado larga", "muy amables y rápidos", "the fee was higher than announced"),
)
AT_ONCE = 20_000


def new_app(url: str) -> Flask:
    """Return the application on a database, migrated."""
    from flask_migrate import upgrade

    app = create_app(config_from({"SECRET_KEY": "b" * 40, "DATABASE_URL": url}))
    with app.app_context():
        upgrade()
    return app


def definition() -> dict[str, Any]:
    """Return eight ratings, a comment and two questions about the person."""
    points = [{"value": value, "label": {"en": str(value)}} for value in range(1, 6)]
    scales = [{"key": key, "kind": "scale", "text": {"en": key}, "points": points} for key in SCALES]
    scales[0]["role"] = "satisfaction"
    words = {"key": "words", "kind": "text", "text": {"en": "Why?"}}
    sex = [{"value": value, "label": {"en": value}} for value in ("f", "m")]
    ages = [{"value": value, "label": {"en": value}} for value in ("young", "middle", "old")]
    about = [
        {"key": "sex", "kind": "single", "text": {"en": "Sex"}, "choices": sex},
        {"key": "age", "kind": "single", "text": {"en": "Age"}, "choices": ages},
    ]
    return {
        "title": {"en": "How was it?"},
        "languages": ["en", "es"],
        "sections": [
            {"key": "main", "questions": [*scales, words]},
            {"key": "you", "about_you": True, "questions": about},
        ],
    }


def make_catalogue(n_services: int) -> tuple[list[int], int, int]:
    """Make services and a published survey; return the ids of the services, the survey and its version."""
    agency = Agency(slug="agency", name="Agency", names={}, path="/1/")
    db.session.add(agency)
    db.session.flush()
    services = [
        Service(
            agency_id=agency.id, slug=f"s{n}", name=f"Service {n}", languages=[], channels=[], created_at=NOW
        )
        for n in range(n_services)
    ]
    survey = Survey(
        agency_id=agency.id, slug="survey", name="Survey", state="live", created_at=NOW, updated_at=NOW
    )
    parsed = parse_definition(definition())
    version = SurveyVersion(
        survey=survey,
        number=1,
        definition=parsed.to_json(),
        digest=definition_digest(parsed),
        published_at=NOW,
    )
    db.session.add_all([*services, survey, version])
    db.session.flush()
    db.session.add_all([SurveyService(survey_id=survey.id, service_id=service.id) for service in services])
    db.session.commit()
    return [service.id for service in services], survey.id, version.id


def fill(n: int, n_services: int, *, share_with_comment: float = 0.4, days: int = N_DAYS) -> list[int]:
    """Insert ``n`` responses, most to the first services (Zipf), and return the ids of the services."""
    services, survey_id, version_id = make_catalogue(n_services)
    chance = random.Random(1)  # noqa: S311 - repeatable, not secret
    weights = [1 / (rank + 1) for rank in range(n_services)]
    for start in range(1, n + 1, AT_ONCE):
        ids = range(start, min(n + 1, start + AT_ONCE))
        receipts = list(_receipts(ids, services, weights, days, chance))
        db.session.execute(insert(Receipt), receipts)
        db.session.execute(insert(Response), list(_responses(ids, survey_id, version_id, chance)))
        comments = [_comment(row, chance) for row in receipts if chance.random() < share_with_comment]
        if comments:
            db.session.execute(insert(Comment), comments)
        db.session.commit()
    if db.engine.dialect.name == "postgresql":
        highest = text("SELECT setval(pg_get_serial_sequence('receipt', 'id'), :n)")
        db.session.execute(highest, {"n": n})
    return services


def _receipts(
    ids: range, services: list[int], weights: list[float], days: int, chance: random.Random
) -> Iterator[dict[str, Any]]:
    for receipt_id, service_id in zip(ids, chance.choices(services, weights, k=len(ids)), strict=True):
        day = FIRST_DAY + timedelta(days=chance.randrange(days))
        yield {
            "id": receipt_id,
            "service_id": service_id,
            "channel": chance.choice(CHANNELS),
            "language": chance.choice(LANGUAGES),
            "received_at": datetime(day.year, day.month, day.day, 12, tzinfo=UTC),
            "day": day,
            "exclusion": "spam" if chance.random() < 0.01 else None,
            "uncounted": True,
        }


def _responses(
    ids: range, survey_id: int, version_id: int, chance: random.Random
) -> Iterator[dict[str, Any]]:
    for receipt_id in ids:
        answers = {key: chance.choice((1, 2, 3, 4, 4, 5, 5)) for key in SCALES if chance.random() < 0.95}
        segments = {"sex": chance.choice("fm")} if chance.random() < 0.8 else {}
        if chance.random() < 0.8:
            segments["age"] = chance.choice(("young", "middle", "old"))
        yield {
            "id": receipt_id,
            "survey_id": survey_id,
            "version_id": version_id,
            "answers": answers,
            "segments": segments,
            "n_sections": 2,
        }


def _comment(receipt: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    same = ("service_id", "channel", "language", "day", "received_at")
    return {name: receipt[name] for name in same} | {
        "receipt_id": receipt["id"],
        "question": "words",
        "prompt": "why",
        "text": ". ".join(chance.sample(WORDS, chance.randint(1, 3))),
        "reading": "pending",
        "attempts": 0,
    }


def read_by_chance() -> None:
    """Give every comment a reading at random, as if the machine had read it."""
    from citizenvoice.analysis.models import Codebook, Theme, TrainedModel

    book = Codebook(key="public_service", name="Public services", names={})
    book.themes = [Theme(key=f"t{n}", position=n, name=f"Theme {n}", names={}) for n in range(12)]
    model = TrainedModel(name="m", version="1", digest="d", data_digest="", figures={}, first_used_at=NOW)
    db.session.add_all([book, model])
    db.session.flush()
    values = {"model": model.id, "now": NOW.isoformat(sep=" ").removesuffix("+00:00")}
    statements = (
        """INSERT INTO prediction (comment_id, model_id, language, sentiment, confidence, read_at)
        SELECT id, :model, 'en', 1 + id % 5, 0.9, :now FROM comment""",
        """INSERT INTO predicted_theme (comment_id, theme_id, probability)
        SELECT comment.id, theme.id, 0.8 FROM comment JOIN theme ON (comment.id + theme.id) % 12 IN (0, 5)""",
        "UPDATE comment SET reading = 'done'",
    )
    for statement in statements:
        needed = {name: value for name, value in values.items() if f":{name}" in statement}
        db.session.execute(text(statement), needed)
    db.session.commit()


def say(**figures: Any) -> None:
    """Print figures as one JSON line."""
    sys.stdout.write(json.dumps(figures) + "\n")
    sys.stdout.flush()
