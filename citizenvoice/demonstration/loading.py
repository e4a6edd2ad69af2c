"""Loads the demonstration through the same actions a manager's and a citizen's requests take."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import select

from citizenvoice.accounts import actions as accounts
from citizenvoice.accounts.queries import find_user
from citizenvoice.accounts.scope import Role
from citizenvoice.agencies import actions as agencies
from citizenvoice.agencies.models import Agency, AgencyKind, Service
from citizenvoice.db import db, writing
from citizenvoice.demonstration import population
from citizenvoice.demonstration.population import Person
from citizenvoice.feedback import actions as feedback
from citizenvoice.feedback.codes import code_hash, new_code
from citizenvoice.feedback.models import Exclusion, Receipt
from citizenvoice.indicators import actions as indicators
from citizenvoice.indicators.service_indicators import indicators_of
from citizenvoice.surveys import actions as surveys
from citizenvoice.surveys import links
from citizenvoice.surveys.answering import Delivery, Questionnaire, contribution
from citizenvoice.surveys.contributions import Contribution
from citizenvoice.surveys.definition import Definition
from citizenvoice.surveys.instrument_library import get_instrument
from citizenvoice.surveys.models import Survey, SurveyVersion
from citizenvoice.surveys.parsing import parse_definition
from citizenvoice.surveys.recording import record_many
from citizenvoice.surveys.values import Mode

BATCH = 1000
PASSWORD = "a demonstration only"  # noqa: S105 - printed for everybody to see
PEOPLE = (
    ("owner@valdora.example", "Elena Duarte", "valdora", Role.OWNER),
    ("manager@valdora.example", "Marta Solano", "civil-registry", Role.MANAGER),
    ("city@valdora.example", "Tomás Rivas", "port-alva", Role.MANAGER),
    ("analyst@valdora.example", "Joon Park", "valdora", Role.ANALYST),
    ("viewer@valdora.example", "Ruth Adeyemi", "social-insurance", Role.VIEWER),
)


@dataclass(frozen=True, slots=True)
class Loaded:
    """What was put into the database."""

    n_services: int
    n_responses: int
    n_comments: int

    def __str__(self) -> str:
        """Say it in a line."""
        return f"{self.n_services} services, {self.n_responses} responses, {self.n_comments} comments"


def is_empty() -> bool:
    """Tell whether the catalogue is empty, so that the demonstration disturbs nothing."""
    return db.session.scalar(select(Agency.id).limit(1)) is None


def is_loaded() -> bool:
    """Tell whether what is in the database is the demonstration."""
    return find_user(PEOPLE[0][0]) is not None


def load(
    *, now: datetime, secret: str, regions: Sequence[str] = ("US",), scale: float = 1.0
) -> Iterator[str | Loaded]:
    """Load the country into an empty catalogue; yield a line after each step, and at last what was loaded.

    Commits after every step. The same day and seed give the same country; ``scale`` makes it smaller.
    """
    facts = population.country()
    for service_facts in facts["services"]:
        service_facts["n"] = max(7, round(service_facts["n"] * scale))
    until = now.date()
    with writing():
        tree = _agencies(facts)
        _people_who_sign_in(tree, now)
        db.session.commit()
    yield f"{len(tree)} agencies, {len(PEOPLE)} people who sign in"
    n_responses = n_comments = 0
    for service_facts in facts["services"]:
        with writing():
            service, version = _service(service_facts, tree, until=until, now=now)
            db.session.commit()
        made = _responses(service_facts, service, version, now=now, secret=secret, regions=regions)
        n, n_words = _record(made)
        n_responses, n_comments = n_responses + n, n_comments + n_words
        yield f"{service_facts['names']['en']}: {n} responses"
    yield Loaded(len(facts["services"]), n_responses, n_comments)


def _agencies(facts: Mapping[str, Any]) -> dict[str, Agency]:
    government = facts["government"]
    tree = {
        government["slug"]: agencies.create_agency(
            name=government["names"]["en"],
            names=government["names"],
            slug=government["slug"],
            kind=AgencyKind.GOVERNMENT,
            time_zone=government["time_zone"],
            fiscal_year_start=government["fiscal_year_start"],
        )
    }

    def add(entry: Mapping[str, Any], parent: str, kind: AgencyKind) -> None:
        tree[entry["slug"]] = agencies.create_agency(
            name=entry["names"]["en"],
            names=entry["names"],
            slug=entry["slug"],
            parent=tree[parent],
            kind=kind,
        )

    for ministry in facts["ministries"]:
        add(ministry, government["slug"], AgencyKind.MINISTRY)
    for agency in facts["agencies"]:
        add(agency, agency["ministry"], AgencyKind.AGENCY)
        for unit in agency["units"]:
            add(unit, agency["slug"], AgencyKind.UNIT)
    return tree


def _people_who_sign_in(tree: Mapping[str, Agency], now: datetime) -> None:
    for email, name, agency, role in PEOPLE:
        user = accounts.create_user(email, name=name, password=PASSWORD, now=now)
        accounts.invite_member(user.email, agency=tree[agency], role=role, by_id=None, now=now)


def _service(
    facts: Mapping[str, Any], tree: Mapping[str, Agency], *, until: date, now: datetime
) -> tuple[Service, SurveyVersion]:
    began = now - timedelta(days=population.country()["months"] * population.DAYS_A_MONTH + 1)
    service = agencies.create_service(
        tree[facts["unit"]],
        name=facts["names"]["en"],
        names=facts["names"],
        description=facts["descriptions"]["en"],
        descriptions=facts["descriptions"],
        slug=facts["slug"],
        languages=["en", "es"],
        channels=list(facts["channels"]),
        now=began,
    )
    survey = surveys.create_survey(
        tree[facts["unit"]],
        name=f"{facts['names']['en']}: {get_instrument(facts['instrument']).name['en']}",
        slug=facts["slug"],
        services=[service],
        draft=_questionnaire(facts, tree[facts["unit"]]),
        now=began,
    )
    version = surveys.publish(survey, now=began)
    links.make_links(survey, now=began)
    _volumes(facts, service, until)
    _targets(facts, service, until, now)
    return service, version


def _questionnaire(facts: Mapping[str, Any], agency: Agency) -> dict[str, Any]:
    """Return the official questionnaire about this service, with a last open question where it has none."""
    draft = get_instrument(facts["instrument"]).definition.to_json()
    draft["languages"] = ["en", "es"]
    draft["placeholders"] = {
        "service": facts["names"],
        "agency": {language: agency.names.get(language, agency.name) for language in ("en", "es")},
        "population": {"en": "the people of Valdora", "es": "el pueblo de Valdora"},
    }
    if not any(q["kind"] == "text" for section in draft["sections"] for q in section["questions"]):
        own = {
            "key": "anything_else",
            "kind": "text",
            "text": {"en": "What else should we know?", "es": "¿Qué más deberíamos saber?"},
        }
        first_about_you = next(
            (place for place, section in enumerate(draft["sections"]) if section.get("about_you")),
            len(draft["sections"]),
        )
        draft["sections"].insert(
            first_about_you,
            {"key": "words", "title": {"en": "In your words", "es": "En sus palabras"}, "questions": [own]},
        )
    return parse_definition(draft).to_json()


def _volumes(facts: Mapping[str, Any], service: Service, until: date) -> None:
    """Record what was served and offered in each whole month before this one."""
    month = until.replace(day=1)
    weights = facts["channels"]
    for _ in range(population.country()["months"]):
        end, month = month, (month - timedelta(days=1)).replace(day=1)
        for channel, weight in weights.items():
            served = facts["served"] * facts["season"][month.month - 1] * weight / sum(weights.values())
            agencies.record_volume(
                service,
                channel=channel,
                start=month,
                end=end,
                n_served=round(served),
                n_offered=int(served * facts["offered"]),
            )


def _targets(facts: Mapping[str, Any], service: Service, until: date, now: datetime) -> None:
    main = indicators_of(service.id).main
    if main is None:
        return
    indicators.set_main(service.id, main.code, now=now)
    if "target" not in facts:
        return
    began = until - timedelta(days=population.country()["months"] * population.DAYS_A_MONTH)
    low, high = main.scale
    indicators.set_baseline(service.id, main.code, low + facts["baseline"] * (high - low), began, now=now)
    goal_day = until + timedelta(days=facts["target"]["months_ahead"] * population.DAYS_A_MONTH)
    indicators.set_target(
        service.id, main.code, low + facts["target"]["value"] * (high - low), goal_day, now=now
    )


def _responses(
    facts: Mapping[str, Any],
    service: Service,
    version: SurveyVersion,
    *,
    now: datetime,
    secret: str,
    regions: Sequence[str],
) -> list[tuple[Contribution, Person]]:
    survey: Survey = version.survey
    definition: Definition = parse_definition(version.definition)
    questionnaire = Questionnaire(survey.id, version.id, version.number, definition)
    zone = service.agency.time_zone
    made = []
    everybody = population.people(
        facts, definition, until=now.date(), zone=zone, seed=population.country()["seed"]
    )
    number = 0
    for person in everybody:
        number += not person.is_again
        if person.received_at > now:
            continue
        checked = questionnaire.check_whole(
            {**person.answers, **person.texts}, person.language, mode=Mode.JSON
        )
        if checked.errors:
            raise ValueError(f"{facts['slug']}: {checked.errors[0].sentence}")
        delivery = Delivery(
            service_id=service.id,
            time_zone=zone,
            channel=person.channel,
            language=person.language,
            at=person.received_at,
            secret=secret,
            sender=f"{facts['slug']} {number}",
            regions=tuple(regions),
        )
        hashed = code_hash(secret, new_code())
        made.append((contribution(questionnaire, checked, delivery, code_hash=hashed), person))
    return made


def _record(made: Sequence[tuple[Contribution, Person]]) -> tuple[int, int]:
    n_words = 0
    waiting = iter(made)
    while batch := list(islice(waiting, BATCH)):
        with writing():
            recorded = record_many([given for given, _ in batch])
            spam = [
                done.receipt_id for done, (_, person) in zip(recorded, batch, strict=True) if person.is_spam
            ]
            for receipt in db.session.scalars(
                select(Receipt).where(Receipt.id.in_(spam)).order_by(Receipt.id)
            ):
                feedback.set_exclusion(receipt, Exclusion.SPAM, receipt.received_at + timedelta(hours=3))
            db.session.commit()
        n_words += sum(len(given.words) for given, _ in batch)
    return len(made), n_words
