"""Public figures by month, quarter and fiscal year give no smaller figure away; members see them all."""

import secrets
from datetime import date

import pytest
from flask.testing import FlaskClient

from citizenvoice.db import db
from citizenvoice.indicators import estimating
from citizenvoice.indicators.counting import CountingWorker
from citizenvoice.indicators.publishing import PublicFigures, public_figures
from citizenvoice.indicators.service_indicators import indicators_of
from citizenvoice.stats.estimates import Estimate, NotEnough, Withheld
from citizenvoice.stats.periods import Period, PeriodKind, latest, parse, period_of
from tests.integration.indicators.world import NOW, World

SIZES = {1: 40, 2: 6, 3: 15, 4: 20, 5: 20, 6: 20}  # answers in the months of 2026


@pytest.fixture
def world(database: None) -> World:
    world = World(7, n_services=1)
    for month, n in SIZES.items():
        world.send(n, day=date(2026, month, 10), answers={"overall": 5}, n_sections=1, words=[])
    db.session.commit()
    CountingWorker(secrets.token_hex(8)).recount(lambda: NOW)
    return world


def public(world: World, periods: list[Period], fiscal_start: int = 1) -> PublicFigures:
    found = indicators_of(world.services[0].id)
    assert found.main is not None
    return public_figures(found, [found.main], periods, fiscal_start)[found.main.code]


def kinds(figures: PublicFigures) -> list[type]:
    return [type(figure.result) for figure in figures.periods]


def test_a_small_month_takes_another_of_its_quarter_with_it(world: World) -> None:
    months = latest(6, parse("2026-06"))
    shown = public(world, months)
    assert kinds(shown) == [Estimate, NotEnough, Withheld, Estimate, Estimate, Estimate]
    assert shown.periods[2].measure is None
    assert isinstance(shown.whole.result, Estimate)
    assert shown.whole.result.n == sum(SIZES.values())


def test_quarters_and_years_are_shown_and_days_and_weeks_are_not(world: World) -> None:
    assert kinds(public(world, latest(2, parse("2026-Q2")))) == [Estimate, Estimate]
    assert kinds(public(world, [parse("FY2026")])) == [Estimate]
    for kind in (PeriodKind.DAY, PeriodKind.WEEK):
        assert kinds(public(world, [period_of(date(2026, 1, 10), kind)])) == [Withheld]


def test_quarters_are_those_of_the_fiscal_year(world: World) -> None:
    months = latest(6, parse("2026-06"))
    # December to February and March to May: February's is the smallest of a quarter with January in it.
    assert kinds(public(world, months, 12))[:3] == [Withheld, NotEnough, Estimate]


def test_a_stretch_that_parts_the_withheld_months_is_withheld(world: World) -> None:
    assert isinstance(public(world, latest(4, parse("2026-02"))).whole.result, Withheld)


def test_one_statement_reads_everything(world: World, queries: type) -> None:
    found = indicators_of(world.services[0].id)
    with queries() as sent:
        public_figures(found, found.public, latest(12, parse("2026-06")), 10)
    assert len(sent) == 1


def test_the_public_interface_withholds_what_members_see(world: World, client: FlaskClient) -> None:
    service = world.services[0]
    address = f"/api/v1/services/{service.slug}/figures?period=2026-03"
    answer = client.get(address)
    assert answer.status_code == 200
    assert answer.json is not None
    figures = answer.json["indicators"]
    assert figures
    assert all(one["value"] is None and one["n"] is None for one in figures)
    found = indicators_of(service.id)
    assert found.main is not None
    march = estimating.find_estimate(found, found.main, date(2026, 3, 1), date(2026, 4, 1))
    assert isinstance(march.result, Estimate)
