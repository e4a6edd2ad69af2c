"""The pages of indicators: what is measured, how groups differ, and what a manager decides."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from citizenvoice.accounts.models import AuditEntry
from citizenvoice.accounts.scope import Role
from citizenvoice.db import db
from citizenvoice.indicators.models import IndicatorSetting
from citizenvoice.reporting.forms import NeedsPercentError, read_value, write_value
from tests.factories import AgencyFactory
from tests.integration.indicators.world import World
from tests.integration.reporting.figures import count, look, page, rate, text_of
from tests.members import member_of, sign_in
from tests.pages import PageClient


@pytest.fixture
def world(database: None) -> World:
    """Forty women content, twenty men not, three men on paper."""
    world = World(8, n_services=1)
    world.services[0].channels = ["website", "paper"]
    rate(world, 40, 5, segments={"sex": "f"}, channel="website", language="en")
    rate(world, 20, 1, segments={"sex": "m"}, channel="website", language="es")
    rate(world, 3, 1, segments={"sex": "m"}, channel="paper", language="es")
    count()
    return world


def address(world: World, code: str = "overall/top2_v1") -> str:
    return f"/manage/services/{world.services[0].slug}/indicators/{world.survey.slug}/{code}"


def decided(**changes: Any) -> dict[str, Any]:
    return {
        "level": "outcome",
        "baseline": "60",
        "baseline_day": "2026-01-01",
        "target": "78 %",
        "target_day": "2027-01-01",
        "is_public": "y",
        "minimum_n": "",
    } | changes


def setting(world: World) -> IndicatorSetting | None:
    return db.session.scalar(
        select(IndicatorSetting).where(IndicatorSetting.service_id == world.services[0].id)
    )


def test_the_list_has_every_headline_by_level_and_leads_to_the_details(
    client: PageClient, world: World
) -> None:
    look(client, world.services[0])

    shown = page(client, f"/manage/services/{world.services[0].slug}/indicators")

    assert "Outcome: what it does for people" in [text_of(tag) for tag in shown.select("h2")]
    assert shown.select_one(f'a[href$="{world.survey.slug}/overall/top2_v1"]')
    assert shown.select_one(f'details a[href$="{world.survey.slug}/overall/mean_v1"]')


def test_the_page_says_what_is_measured_and_how(client: PageClient, world: World) -> None:
    look(client, world.services[0])

    shown = text_of(page(client, address(world)))

    assert "Answers in the two best points ÷ answers on the scale" in shown
    assert "top2_v1, version 1" in shown
    assert "Wilson (1927)" in shown


def test_each_group_has_its_figure_or_too_few_answers(client: PageClient, world: World) -> None:
    look(client, world.services[0])

    rows = {
        text_of(row.select_one("th")): text_of(row.select_one("td"))  # type: ignore[arg-type]
        for row in page(client, address(world)).select("h2 ~ .cv-grid tbody tr")
    }

    assert rows["F"].startswith("100% (91–100%), n 40")
    assert rows["M"].startswith("0% (0–14%), n 23")
    assert rows["Paper"] == "Not enough answers yet (3 of 10)"
    assert rows["English"].startswith("100%")


def test_the_groups_can_be_downloaded(client: PageClient, world: World) -> None:
    look(client, world.services[0])
    code = f"{world.survey.slug}/overall/top2_v1"

    response = client.get(f"/manage/services/{world.services[0].slug}/groups.csv?indicator={code}")

    assert "Sex" in response.text or "sex" in response.text
    assert ",F,1.0,0.912378,1.0,40" in response.text


@pytest.mark.parametrize(
    "code",
    ["overall/mean_v1", "again.yes/choice_share_v1", "visits/number_mean_v1", "theme.waiting/theme_share_v1"],
)
def test_every_kind_of_indicator_has_its_page(client: PageClient, world: World, code: str) -> None:
    look(client, world.services[0])

    assert client.get(address(world, code)).status_code == 200


def test_an_indicator_that_is_not_there_is_not_found(client: PageClient, world: World) -> None:
    look(client, world.services[0])

    assert client.get(address(world, "nothing/top2_v1")).status_code == 404


def test_a_manager_decides_and_it_is_written_down(client: PageClient, world: World) -> None:
    look(client, world.services[0], Role.MANAGER)

    response = client.post(address(world), data=decided(is_main="y", minimum_n="20"))

    assert response.status_code == 302
    found = setting(world)
    assert found is not None
    assert (found.target, found.baseline, found.minimum_n, found.is_main) == (0.78, 0.6, 20, True)
    entry = db.session.scalar(select(AuditEntry).where(AuditEntry.action == "indicator.settings_changed"))
    assert entry is not None
    assert entry.detail["changed"]["target"] == [None, 0.78]
    assert entry.detail["service"] == world.services[0].slug


def test_what_was_decided_is_shown_as_it_was_typed(client: PageClient, world: World) -> None:
    look(client, world.services[0], Role.MANAGER)
    client.post(address(world), data=decided(target="78.5"))

    shown = page(client, address(world))

    target = shown.select_one("input[name=target]")
    assert target is not None
    assert target["value"] == "78.5"
    assert "Off track" in text_of(shown) or "Cannot be told apart" in text_of(shown)


def test_saving_again_without_a_change_writes_nothing_down(client: PageClient, world: World) -> None:
    look(client, world.services[0], Role.MANAGER)
    client.post(address(world), data=decided())
    client.post(address(world), data=decided())

    entries = db.session.scalars(
        select(AuditEntry).where(AuditEntry.action == "indicator.settings_changed")
    ).all()

    assert len(entries) == 1


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"target": "much"}, "Write a number, such as 78."),
        ({"target": "178"}, "Write a number between 0 and 100."),
        ({"target": "0.8"}, "Write 80 if you mean 80%, or the sign too if you mean less than one: 0.8%."),
        ({"target_day": "31/12/2027"}, "Write a date that exists as year, month and day"),
        ({"minimum_n": "five"}, "Enter a whole number, such as 5."),
        ({"target_day": ""}, "Give both a value and a date, or neither."),
        ({"target_day": "2025-01-01"}, "The date of the target must be later"),
        ({"minimum_n": "3"}, "5"),
        ({"level": "dream"}, "Choose from what is offered here."),
    ],
)
def test_what_makes_no_sense_is_refused_and_stays_typed(
    client: PageClient, world: World, changes: dict[str, str], said: str
) -> None:
    look(client, world.services[0], Role.MANAGER)

    response = client.post(address(world), data=decided(baseline="61", **changes))

    assert response.status_code == 422
    assert said in response.text
    assert 'value="61"' in response.text
    assert setting(world) is None


def test_baseline_and_target_can_move_past_their_old_dates_together(client: PageClient, world: World) -> None:
    look(client, world.services[0], Role.MANAGER)
    client.post(address(world), data=decided())

    response = client.post(address(world), data=decided(baseline_day="2028-01-01", target_day="2029-01-01"))

    assert response.status_code == 302


def test_a_target_is_taken_away_by_emptying_both_fields(client: PageClient, world: World) -> None:
    look(client, world.services[0], Role.MANAGER)
    client.post(address(world), data=decided())
    client.post(address(world), data=decided(target="", target_day=""))

    found = setting(world)
    assert found is not None
    assert (found.target, found.target_day) == (None, None)


def test_an_analyst_sees_no_form_and_cannot_decide(client: PageClient, world: World) -> None:
    look(client, world.services[0], Role.ANALYST)

    assert not page(client, address(world)).select("form[method=post][action*=indicators]")
    assert client.post(address(world), data=decided()).status_code == 403
    assert setting(world) is None


def test_a_manager_elsewhere_cannot_decide_here(client: PageClient, world: World) -> None:
    sign_in(client, member_of(AgencyFactory.create(), Role.MANAGER))

    assert client.post(address(world), data=decided()).status_code == 404
    assert setting(world) is None


@pytest.mark.parametrize(
    ("typed", "unit", "value"),
    [
        ("78", "share", 0.78),
        ("78 %", "share", 0.78),
        ("78.25%", "share", 0.7825),
        ("-12", "points", -0.12),
        ("−12", "points", -0.12),
        ("4.2", "mean", 4.2),
    ],
)
def test_a_value_is_read_as_it_is_shown(typed: str, unit: str, value: float) -> None:
    assert read_value(typed, unit) == value
    assert read_value(write_value(value, unit), unit) == value


@pytest.mark.parametrize(
    ("typed", "unit", "value"),
    [
        ("80,5 %", "share", 0.805),
        ("80.5", "share", 0.805),
        ("0,8 %", "share", 0.008),
        ("4,25", "mean", 4.25),
        ("0.125", "mean", 0.125),
        ("1.234", "mean", 1234),
        ("-0,5", "points", -0.005),
    ],
)
def test_decimals_are_read_with_the_mark_of_the_language_and_the_other_one(
    app: Flask, typed: str, unit: str, value: float
) -> None:
    with app.test_request_context(headers={"Accept-Language": "es"}):
        assert read_value(typed, unit) == value
        assert read_value(write_value(value, unit), unit) == value


@pytest.mark.parametrize("typed", ["0.8", "0,8", "-0.5"])
def test_a_share_below_one_is_not_guessed_at(typed: str) -> None:
    with pytest.raises(NeedsPercentError):
        read_value(typed, "share")


def test_a_share_below_one_per_cent_is_read_as_it_was_written() -> None:
    assert read_value(write_value(0.008, "share"), "share") == 0.008


def test_a_mean_has_no_percent() -> None:
    with pytest.raises(ValueError, match="number"):
        read_value("4 %", "mean")


@pytest.mark.parametrize("typed", ["", "much", "1.2.3", "nan", "infinity", "7,8,9", "8 0", "1e2", "%", "8%0"])
def test_what_is_no_number_is_not_read_as_one(typed: str) -> None:
    with pytest.raises(ValueError, match="number"):
        read_value(typed, "share")
