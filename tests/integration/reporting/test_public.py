"""The public page of a service: only what may be published, nothing that singles people out, no cookies."""

import csv
from datetime import date, timedelta
from typing import Any

import pytest

from citizenvoice.agencies.models import ServiceVolume
from citizenvoice.db import db
from citizenvoice.indicators import actions
from citizenvoice.indicators.methods import METHODS
from citizenvoice.web.clock import utc_now
from tests.factories import ServiceFactory
from tests.integration.indicators.world import World
from tests.integration.reporting.figures import (
    count,
    months_ago,
    page,
    rate,
    read,
    say,
    text_of,
    today,
)
from tests.pages import PageClient

WAITED, RARE = "I waited three hours for nothing", "The lift was broken again today"


@pytest.fixture
def world(database: None) -> World:
    """A hundred answers; sixty comments about waiting and staff, four about cost."""
    world = World(9, n_services=1)
    service = world.services[0]
    service.channels, service.description = ["website", "paper", "phone"], "Renew your passport here."
    say(world, 30, 1, WAITED, channel="website", language="en")
    say(world, 26, 5, "Kind people there", channel="phone", language="en")
    say(world, 4, 1, RARE, channel="paper", language="es")
    rate(world, 40, 5, channel="website", language="en")
    read(world, WAITED, sentiment=1, themes=["waiting"])
    read(world, "Kind people there", sentiment=5, themes=["staff"])
    read(world, RARE, sentiment=1, themes=["cost"])
    count()
    return world


def address(world: World, ending: str = "", language: str = "en") -> str:
    return f"/{language}/services/{world.services[0].slug}{ending}"


def test_everybody_sees_figure_interval_answers_method_and_target(client: PageClient, world: World) -> None:
    code = f"{world.survey.slug}/overall/top2_v1"
    actions.set_target(world.services[0].id, code, 0.9, today(), utc_now())

    shown = page(client, address(world))
    text = text_of(shown)

    assert "Renew your passport here." in text
    assert "66%" in text
    assert "56–75% with 95% confidence, from 100 answers" in text
    assert "Off track" in text
    assert "Target: 90% by" in text
    assert shown.select_one('a[href="/en/methods/top2_v1"]')


def test_nobody_gets_a_cookie_and_everybody_may_keep_the_page(client: PageClient, world: World) -> None:
    response = client.get(address(world))

    assert "Set-Cookie" not in response.headers
    assert "Cookie" not in response.headers.get("Vary", "")
    assert response.headers["Cache-Control"].startswith("public, max-age=")
    again = client.get(address(world), headers={"If-None-Match": response.headers["ETag"]})
    assert again.status_code == 304


def test_an_indicator_kept_back_is_nowhere(client: PageClient, world: World) -> None:
    code = f"{world.survey.slug}/overall/top2_v1"
    actions.set_public(world.services[0].id, code, False, utc_now())

    for ending in ("", "/figures.csv", "/figures.json"):
        response = client.get(address(world, ending))
        assert code not in response.text
        assert "How about overall?" not in response.text
        assert "66%" not in response.text


def test_a_service_without_a_public_page_is_not_found(client: PageClient) -> None:
    service = ServiceFactory.create(is_public=False)

    for ending in ("", "/figures.csv", "/figures.json"):
        assert client.get(f"/en/services/{service.slug}{ending}").status_code == 404


def test_a_theme_of_few_people_is_not_published(client: PageClient, world: World) -> None:
    text = client.get(address(world)).text

    assert ">waiting<" in text
    assert ">cost<" not in text
    assert RARE not in text
    assert WAITED not in text  # no comment is quoted to the public


def test_a_theme_that_all_but_a_few_name_is_not_published(client: PageClient, database: None) -> None:
    world = World(10, n_services=1)
    say(world, 30, 1, WAITED)
    say(world, 3, 5, "Kind people there")
    read(world, WAITED, sentiment=1, themes=["waiting"])
    read(world, "Kind people there", sentiment=5, themes=["staff"])
    count()

    assert ">waiting<" not in client.get(address(world)).text


def test_a_small_group_cannot_be_worked_out_from_the_others(client: PageClient, world: World) -> None:
    rows = {
        text_of(row.select_one("th")): text_of(row.select_one("td"))  # type: ignore[arg-type]
        for row in page(client, address(world)).select("section[aria-labelledby=silent] tbody tr")
    }

    assert rows["Website Channel"].startswith("57%")
    assert rows["Paper Channel"] == "Fewer than 10 answers"
    assert rows["Phone Channel"].startswith("Withheld")


def test_people_it_does_not_speak_for_are_named(client: PageClient, world: World) -> None:
    start = months_ago(1).replace(day=1)
    db.session.add(
        ServiceVolume(
            service_id=world.services[0].id,
            channel="website",
            start=start,
            end=today().replace(day=1),
            n_served=2000,
            n_offered=700,
        )
    )

    text = text_of(page(client, address(world)))

    assert "People choose for themselves whether to answer." in text
    assert "Too few answers to say anything: Paper" in text
    assert "2,000 people were served, 700 were asked, and 70 answered: a response rate of 10.0%." in text


def test_the_survey_can_be_answered_from_here(client: PageClient, world: World) -> None:
    link = page(client, address(world)).select_one("a.cv-button")

    assert link is not None
    assert link["href"] == f"/en/s/{world.survey.slug}/{world.services[0].slug}"


def test_the_page_and_the_data_say_the_same(client: PageClient, world: World) -> None:
    data: dict[str, Any] = client.get(address(world, "/figures.json")).json  # type: ignore[assignment]
    rows = list(csv.DictReader(client.get(address(world, "/figures.csv")).text.splitlines()))

    first = data["indicators"][0]
    assert (first["latest"]["value"], first["latest"]["n"], first["method"]) == (0.66, 100, "top2_v1")
    assert (rows[0]["value"], rows[0]["n"]) == ("0.66", "100")
    phone = next(row for row in rows if row["name"] == "Phone")
    assert (phone["value"], phone["n"]) == ("", "")


def test_figure_interval_answers_and_status_are_of_the_same_month(client: PageClient, world: World) -> None:
    rate(world, 20, 5, day=months_ago(2))
    rate(world, 80, 1, day=months_ago(2))
    count()
    code = f"{world.survey.slug}/overall/top2_v1"
    actions.set_target(world.services[0].id, code, 0.5, today(), utc_now())

    shown = page(client, address(world)).select_one("section[aria-labelledby=promised] .cv-card")
    data: dict[str, Any] = client.get(address(world, "/figures.json")).json  # type: ignore[assignment]
    rows = list(csv.DictReader(client.get(address(world, "/figures.csv")).text.splitlines()))

    assert shown is not None
    assert text_of(shown.select_one(".cv-estimate__value")) == "66%"  # type: ignore[arg-type]
    assert "56–75% with 95% confidence, from 100 answers" in text_of(shown)
    assert "On track" in text_of(shown)
    assert "All twelve months: 43% (36–50%)" in text_of(shown)  # 86 of 200
    latest, whole = data["indicators"][0]["latest"], data["indicators"][0]["whole"]
    assert (latest["value"], latest["n"], latest["status"]) == (0.66, 100, "on_track")
    assert (whole["value"], whole["n"]) == (0.43, 200)
    assert latest["start"] == months_ago(1).replace(day=1).isoformat()
    this_month = today().replace(day=1)
    assert latest["last_day"] == (this_month - timedelta(days=1)).isoformat()
    assert {data["last_day"], data["groups"][0]["last_day"], rows[1]["last_day"]} == {whole["last_day"]}
    last = date.fromisoformat(data["last_day"])
    assert f"{last:%b} {last.day}, {last.year}" in text_of(page(client, address(world)))
    assert whole["start"] == data["start"] == data["themes"][0]["start"] == data["groups"][0]["start"]
    assert [(row["start"], row["value"], row["status"], row["target"]) for row in rows[:2]] == [
        (latest["start"], "0.66", "on_track", "0.5"),
        (whole["start"], "0.43", "", ""),
    ]


@pytest.mark.parametrize("language", ["en", "es"])
def test_it_speaks_every_language_of_the_interface(client: PageClient, world: World, language: str) -> None:
    shown = page(client, address(world, language=language))

    assert shown.html is not None
    assert shown.html["lang"] == language


def test_a_language_we_do_not_speak_is_not_found(client: PageClient, world: World) -> None:
    assert client.get(address(world, language="xx")).status_code == 404


@pytest.mark.parametrize("method_id", METHODS)
def test_every_method_is_explained(client: PageClient, method_id: str) -> None:
    assert METHODS[method_id].reference in text_of(page(client, f"/en/methods/{method_id}"))


def test_a_service_without_answers_says_so(client: PageClient, database: None) -> None:
    service = ServiceFactory.create()

    assert "no published figures" in text_of(page(client, f"/en/services/{service.slug}"))
