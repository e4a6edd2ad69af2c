"""The page of a service: its four questions, each number's address, and the files of its tables."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from urllib.parse import parse_qs, urlsplit

import pytest

from citizenvoice.accounts.scope import Role
from citizenvoice.agencies.models import ServiceVolume
from citizenvoice.db import db
from citizenvoice.feedback.models import Exclusion, Receipt
from citizenvoice.indicators import actions
from citizenvoice.web.clock import utc_now
from tests.factories import AgencyFactory, ServiceFactory
from tests.integration.indicators.world import World
from tests.integration.reporting.figures import (
    count,
    look,
    months_ago,
    page,
    rate,
    read,
    say,
    text_of,
    today,
)
from tests.members import member_of, sign_in
from tests.pages import PageClient

Record = Callable[[], AbstractContextManager[list[str]]]
WAITED = "I waited three hours for nothing"
KIND = "The staff were kind and quick"


@pytest.fixture
def world(database: None) -> World:
    """Forty who waited and are unhappy, sixty with kind words."""
    world = World(7, n_services=1)
    say(world, 40, 1, WAITED, channel="website")
    say(world, 60, 5, KIND, channel="in_person")
    read(world, WAITED, sentiment=1, themes=["waiting"])
    read(world, KIND, sentiment=5, themes=["staff"])
    count()
    return world


def address(world: World, **arguments: str) -> str:
    query = "&".join(f"{name}={value}" for name, value in arguments.items())
    return f"/manage/services/{world.services[0].slug}?{query}"


def test_a_service_nobody_was_asked_about_says_what_will_be_here(client: PageClient) -> None:
    service = ServiceFactory.create()
    sign_in(client, member_of(service.agency))

    shown = text_of(page(client, f"/manage/services/{service.slug}"))

    assert "Nobody has been asked about this service yet" in shown


def test_the_four_questions_come_in_their_order(client: PageClient, world: World) -> None:
    look(client, world.services[0])

    headings = [text_of(tag) for tag in page(client, address(world)).select("h2")]
    questions = [heading for heading in headings if heading.endswith("?")]

    assert questions == [
        "Is it getting better?",
        "What moves it?",
        "What do people say?",
        "What do I do next?",
    ]


def test_the_main_figure_has_interval_answers_and_method(client: PageClient, world: World) -> None:
    look(client, world.services[0])

    card = text_of(page(client, address(world)).select_one(".cv-estimate"))  # type: ignore[arg-type]

    assert "60%" in card
    assert "50–69% with 95% confidence, from 100 answers" in card
    assert "Method: Share of the two best answers top2_v1 version 1" in card


def test_a_theme_says_how_often_what_score_and_what_it_costs(client: PageClient, world: World) -> None:
    look(client, world.services[0])

    first = page(client, address(world)).select_one("section[aria-labelledby=moves] ol li")

    assert first is not None
    assert text_of(first) == (
        "waiting: In 40% (31–50%) of comments. "
        "Score 0 when it is there, 100 when not: costs the service 40 points."
    )


def test_a_theme_leads_to_the_comments_behind_it(client: PageClient, world: World) -> None:
    look(client, world.services[0])

    link = page(client, address(world, channel="in_person")).select_one(
        "section[aria-labelledby=moves] ol li a"
    )
    assert link is not None
    target = urlsplit(str(link["href"]))

    assert target.path == f"/manage/services/{world.services[0].slug}/comments"
    asked = parse_qs(target.query)
    assert asked["theme"] == ["staff"]
    assert asked["channel"] == ["in_person"]
    assert asked["to"] == [today().isoformat()]


def test_quotes_are_those_of_the_usual_feeling_and_of_what_counts(client: PageClient, world: World) -> None:
    odd = "I waited only a minute and that was a pleasant surprise"
    say(world, 1, 5, odd)
    read(world, odd, sentiment=5, themes=["waiting"])
    spam = "I waited three hours, buy these watches"
    say(world, 1, 1, spam)
    read(world, spam, sentiment=1, themes=["waiting"])
    receipt = db.session.get(Receipt, max(row.id for row in db.session.query(Receipt)))
    assert receipt is not None
    receipt.exclusion, receipt.exclusion_at = Exclusion.SPAM, utc_now()
    receipt.uncounted = True
    count()
    look(client, world.services[0])

    quoted = {text_of(tag) for tag in page(client, address(world)).select("blockquote")}

    assert quoted == {WAITED, KIND}


def test_the_page_shows_the_part_its_address_asks_for(client: PageClient, world: World) -> None:
    look(client, world.services[0])

    card = page(client, address(world, channel="in_person")).select_one(".cv-estimate__value")

    assert card is not None
    assert text_of(card) == "100%"


def test_a_period_in_the_address_can_be_sent_to_a_colleague(client: PageClient, world: World) -> None:
    look(client, world.services[0])
    past = months_ago(14)

    shown = page(client, address(world, until=f"{past:%Y-%m}"))

    assert "Later" in text_of(shown)
    assert "Not enough answers yet (0 of 10)" in text_of(shown)


@pytest.mark.parametrize("kind", ["day", "week", "month", "quarter", "year"])
def test_every_length_of_period_has_its_page(client: PageClient, world: World, kind: str) -> None:
    look(client, world.services[0])

    shown = page(client, address(world, period=kind))
    current = [tab for tab in shown.select("[aria-current=page]") if f"period={kind}" in str(tab.get("href"))]

    assert kind == "month" or current


@pytest.mark.parametrize(
    "nonsense", ["until=2999-01", "until=x", "period=eon", "segment=age", "until=2026-13"]
)
def test_nonsense_in_the_address_is_taken_as_not_given(
    client: PageClient, world: World, nonsense: str
) -> None:
    look(client, world.services[0])

    assert client.get(f"{address(world)}{nonsense}").status_code == 200


def test_what_to_do_next_names_what_waits(client: PageClient, world: World) -> None:
    service = world.services[0]
    say(world, 3, 1, "Not read by anybody yet")
    actions.set_target(service.id, f"{world.survey.slug}/overall/top2_v1", 0.9, today(), utc_now())
    count()
    look(client, service, Role.MANAGER)

    steps = text_of(page(client, address(world)).select_one(".cv-steps"))  # type: ignore[arg-type]

    assert "Off track: How about overall?" in steps
    assert "3 comments have not been read by the machine yet." in steps
    assert "Nobody has said how many people were served last month" in steps


def test_the_ledger_divides_responses_by_those_offered(client: PageClient, world: World) -> None:
    start = months_ago(1).replace(day=1)
    db.session.add(
        ServiceVolume(
            service_id=world.services[0].id,
            channel="in_person",
            start=start,
            end=today().replace(day=1),
            n_served=1000,
            n_offered=300,
        )
    )
    look(client, world.services[0])

    section = page(client, address(world)).select_one("section[aria-labelledby=next]")
    assert section is not None
    cells = [text_of(cell) for cell in section.select("tbody tr")[0].select("th, td")]

    assert cells == ["In person", "1,000", "300", "60", "20%", "30%"]


def test_the_table_of_a_chart_is_a_file_that_no_spreadsheet_computes(
    client: PageClient, world: World
) -> None:
    world.themes[0].name = "=HYPERLINK(1)"
    look(client, world.services[0])

    response = client.get(f"/manage/services/{world.services[0].slug}/tables/themes.csv")

    assert response.mimetype == "text/csv"
    assert "attachment" in response.headers["Content-Disposition"]
    assert "'=HYPERLINK(1)" in response.text
    assert "waiting," in response.text


@pytest.mark.parametrize("table", ["indicators", "drivers", "themes", "responses"])
def test_every_table_can_be_downloaded(client: PageClient, world: World, table: str) -> None:
    look(client, world.services[0])

    response = client.get(f"/manage/services/{world.services[0].slug}/tables/{table}.csv")

    assert response.status_code == 200
    assert len(response.text.splitlines()[0].split(",")) > 4


def test_a_table_that_is_not_there_is_not_found(client: PageClient, world: World) -> None:
    look(client, world.services[0])

    assert client.get(f"/manage/services/{world.services[0].slug}/tables/x.csv").status_code == 404


def test_a_stranger_does_not_find_the_service(client: PageClient, world: World) -> None:
    sign_in(client, member_of(AgencyFactory.create(), Role.OWNER))

    assert client.get(address(world)).status_code == 404


def test_more_responses_take_no_more_statements(client: PageClient, world: World, queries: Record) -> None:
    look(client, world.services[0])
    client.get(address(world))
    with queries() as few:
        client.get(address(world))
    rate(world, 200, 3)
    count()
    with queries() as many:
        client.get(address(world))

    assert len(many) == len(few)
