from collections import Counter
from datetime import UTC, date, datetime
from itertools import islice

from flask import Flask
from sqlalchemy import func, select

from citizenvoice import jobs
from citizenvoice.accounts.models import Membership
from citizenvoice.agencies.models import Agency, AgencyKind, Service, ServiceVolume
from citizenvoice.db import db
from citizenvoice.demonstration import loading, population
from citizenvoice.feedback.models import Comment, Reading, Receipt
from citizenvoice.indicators.estimating import find_estimate
from citizenvoice.indicators.service_indicators import indicators_of
from citizenvoice.stats.estimates import NotEnough
from citizenvoice.surveys.instrument_library import get_instrument

NOW = datetime(2026, 5, 15, 12, tzinfo=UTC)


def facts_of(slug: str) -> dict[str, object]:
    return next(service for service in population.country()["services"] if service["slug"] == slug)


def test_the_same_day_and_seed_give_the_same_people() -> None:
    definition = get_instrument("omb_a11_v1").definition

    def first_people() -> list[population.Person]:
        everybody = population.people(
            facts_of("passport-renewal"), definition, until=NOW.date(), zone="UTC", seed=1
        )
        return list(islice(everybody, 200))

    assert first_people() == first_people()


def test_a_service_gets_better_after_its_change_and_another_one_worse() -> None:
    before, today = date(2025, 5, 15), NOW.date()

    def gain(slug: str) -> float:
        facts = facts_of(slug)
        return population.quality_on(facts, today, today) - population.quality_on(facts, before, today)

    assert gain("passport-renewal") > 0.1
    assert gain("waste-collection") < -0.05


def test_the_country_is_loaded_read_and_counted(real_app: Flask) -> None:
    with real_app.app_context():
        *_, loaded = loading.load(now=NOW, secret="x" * 40, scale=0.05)
        assert isinstance(loaded, loading.Loaded)
        assert not loading.is_empty()
        assert loading.is_loaded()
        kinds = Counter(db.session.scalars(select(Agency.kind)))
        assert kinds[AgencyKind.AGENCY] == 3
        assert loaded.n_services == db.session.scalar(select(func.count(Service.id))) == 12
        assert loaded.n_responses == db.session.scalar(select(func.count(Receipt.id)))
        assert loaded.n_responses > 900
        assert db.session.scalar(select(func.count(Membership.id))) == len(loading.PEOPLE)
        assert (db.session.scalar(select(func.count(ServiceVolume.id))) or 0) > 300
        assert set(db.session.scalars(select(Receipt.language))) == {"en", "es"}
        assert len(set(db.session.scalars(select(Receipt.exclusion)))) > 1

        jobs.drain()

        assert set(db.session.scalars(select(Comment.reading))) == {Reading.DONE}
        assert not db.session.scalar(select(func.count(Receipt.id)).where(Receipt.uncounted))
        small = db.session.scalars(select(Service).where(Service.slug == "burial-grant")).one()
        found = indicators_of(small.id)
        assert found.main is not None
        figure = find_estimate(found, found.main, date(2024, 1, 1), date(2027, 1, 1))
        assert isinstance(figure.result, NotEnough)
