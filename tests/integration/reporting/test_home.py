"""The managers' first page: whose services it shows, what it says of each, and what it costs."""

from collections.abc import Callable
from contextlib import AbstractContextManager

from citizenvoice.accounts.scope import Role
from citizenvoice.db import db
from citizenvoice.indicators import actions
from citizenvoice.reporting import queries as reporting
from citizenvoice.web.clock import utc_now
from tests.factories import AgencyFactory, ServiceFactory
from tests.integration.indicators.world import World
from tests.integration.reporting.figures import (
    count,
    look,
    months_ago,
    page,
    rate,
    say,
    text_of,
    today,
)
from tests.members import member_of, sign_in
from tests.pages import PageClient

Record = Callable[[], AbstractContextManager[list[str]]]


def main_code(world: World) -> str:
    return f"{world.survey.slug}/overall/top2_v1"


def test_a_member_sees_the_services_below_their_agency_and_no_others(client: PageClient) -> None:
    ministry, stranger = AgencyFactory.create(), AgencyFactory.create()
    unit = AgencyFactory.create(parent=ministry)
    ServiceFactory.create(agency=unit, name="Passports")
    ServiceFactory.create(agency=stranger, name="Pensions")
    sign_in(client, member_of(ministry))

    shown = text_of(page(client, "/manage/"))

    assert "Passports" in shown
    assert "Pensions" not in shown


def test_somebody_without_services_is_told_what_will_be_here(client: PageClient) -> None:
    sign_in(client, member_of(AgencyFactory.create()))

    assert "No services yet" in text_of(page(client, "/manage/"))


def test_a_row_says_figure_interval_answers_change_and_what_waits(client: PageClient) -> None:
    world = World(1, n_services=1)
    rate(world, 30, 5)
    say(world, 10, 1, "Slow")
    rate(world, 20, 5, day=months_ago(2))
    rate(world, 20, 1, day=months_ago(2))
    count()
    look(client, world.services[0])

    row = text_of(page(client, "/manage/").select_one("tbody tr"))  # type: ignore[arg-type]

    assert "75% (60–86%), n 40" in row  # Wilson interval of 30 of 40
    assert "Better +25 points" in row
    assert "No target set" in row
    assert row.endswith("40 10")


def test_too_few_answers_say_how_many_are_missing(client: PageClient) -> None:
    world = World(2, n_services=1)
    rate(world, 7, 5)
    count()
    look(client, world.services[0])

    shown = text_of(page(client, "/manage/"))

    assert "Not enough answers yet (7 of 10)" in shown
    assert "Not enough answers to compare" in shown


def test_what_is_off_track_and_what_got_worse_stands_first(client: PageClient) -> None:
    world = World(3, n_services=1)
    service = world.services[0]
    rate(world, 10, 5)
    rate(world, 40, 1)
    rate(world, 50, 5, day=months_ago(2))
    actions.set_target(service.id, main_code(world), 0.8, today(), utc_now())
    count()
    look(client, service)

    first = page(client, "/manage/").select_one(".cv-lede")

    assert first is not None
    assert text_of(first) == "1 service is off track, and 1 is worse than in the period before."


def test_a_better_figure_for_a_bad_thing_is_not_called_worse(client: PageClient) -> None:
    world = World(4, n_services=1)
    rate(world, 50, 5)
    rate(world, 50, 1, day=months_ago(2))
    count()
    look(client, world.services[0])

    lede = page(client, "/manage/").select_one(".cv-lede")

    assert lede is not None
    assert text_of(lede).startswith("No service is off track, and none")


def test_the_page_can_be_narrowed_to_an_agency_and_another_period(client: PageClient) -> None:
    ministry = AgencyFactory.create()
    one, other = AgencyFactory.create(parent=ministry), AgencyFactory.create(parent=ministry)
    ServiceFactory.create(agency=one, name="Passports")
    ServiceFactory.create(agency=other, name="Pensions")
    sign_in(client, member_of(ministry))

    narrowed = page(client, f"/manage/?agency={one.slug}&period=quarter")

    assert "Passports" in text_of(narrowed)
    assert "Pensions" not in text_of(narrowed)
    assert narrowed.select_one("option[value=quarter][selected]")
    link = narrowed.select_one("tbody a")
    assert link is not None
    assert str(link["href"]).endswith("?period=quarter")


def test_another_agency_cannot_be_asked_for(client: PageClient) -> None:
    stranger = AgencyFactory.create()
    sign_in(client, member_of(AgencyFactory.create(), Role.OWNER))

    assert client.get(f"/manage/?agency={stranger.slug}").status_code == 404


def test_three_services_take_as_many_statements_as_one(client: PageClient, queries: Record) -> None:
    sent_by = []
    for n in (1, 3):
        world = World(50 + n, n_services=n)
        for service in world.services:
            rate(world, 12, 4, service=service)
        count()
        look(client, world.services[0])
        client.get("/manage/")
        with queries() as sent:
            page(client, "/manage/")
        sent_by.append(len(sent))

    assert sent_by[0] == sent_by[1]


def test_pages_of_services_follow_each_other_without_gap_or_overlap(database: None) -> None:
    ministry = AgencyFactory.create()
    for unit in AgencyFactory.create_batch(2, parent=ministry):
        ServiceFactory.create_batch(3, agency=unit, name="The same name")
    db.session.commit()

    seen: list[str] = []
    after: str | None = ""
    while after is not None:
        found = reporting.services_page((ministry.path,), after=after, limit=2)
        seen += [service.slug for service in found.services]
        after = found.next_after

    assert len(seen) == len(set(seen)) == 6
