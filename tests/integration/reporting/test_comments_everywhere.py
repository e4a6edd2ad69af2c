import csv
import io
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date, timedelta

import openpyxl
import pytest
from bs4 import BeautifulSoup

from citizenvoice.accounts.scope import Role
from citizenvoice.agencies.models import Agency, Service
from citizenvoice.agencies.queries import find_services
from citizenvoice.reporting import comments, facets
from tests.factories import AgencyFactory, MembershipFactory, ServiceFactory, ThemeFactory, UserFactory
from tests.integration.reporting.test_comments_explorer import say
from tests.integration.samples import World
from tests.members import member_of, sign_in
from tests.pages import PageClient

Queries = Callable[[], AbstractContextManager[list[str]]]
MAY_1 = date(2024, 5, 1)
ADDRESS = "/manage/comments"


@pytest.fixture
def agency(client: PageClient) -> Agency:
    """An agency with two services, looked at by one of its analysts."""
    agency: Agency = AgencyFactory.create()
    ServiceFactory.create_batch(2, agency=agency)
    sign_in(client, member_of(agency, Role.ANALYST))
    return agency


@pytest.fixture
def services(agency: Agency) -> list[Service]:
    return list(find_services([agency.path]))


def page_at(client: PageClient, address: str) -> BeautifulSoup:
    return BeautifulSoup(client.get(address).text, "html.parser")


def shown(client: PageClient, query: str = "") -> list[int]:
    found = page_at(client, f"{ADDRESS}?{query}").select("li[id^=comment-]")
    return [int(str(item["id"]).removeprefix("comment-")) for item in found]


def rows_of(client: PageClient, query: str = "") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(client.get(f"{ADDRESS}.csv?{query}").text)))


def test_comments_of_all_services_are_shown_newest_first(client: PageClient, services: list[Service]) -> None:
    first, second = services
    old, new = say(first), say(second, day=MAY_1 + timedelta(days=9))
    between = say(first, day=MAY_1 + timedelta(days=3))
    say(ServiceFactory.create())

    assert shown(client) == [new.id, between.id, old.id]
    [newest, *_] = page_at(client, ADDRESS).select("li[id^=comment-]")
    link = newest.select_one(f"a[href='/manage/services/{second.slug}']")
    assert link is not None
    assert link.get_text() == second.name


def test_a_filter_leaves_one_service_and_combines_with_the_others(
    client: PageClient, services: list[Service]
) -> None:
    first, second = services
    theme = ThemeFactory.create(key="waiting")
    wanted = say(first, "Slow queue", sentiment=1, themes=[theme], rating=10)
    say(first, "Slow clerk", sentiment=5)
    say(second, "Slow queue", sentiment=1, themes=[theme], rating=10)

    query = f"service={first.slug}&theme=waiting&sentiment=negative&q=queue&rating=0-19&channel=website"
    assert shown(client, query) == [wanted.id]
    assert [row["comment_id"] for row in rows_of(client, query)] == [str(wanted.id)]


def test_a_service_out_of_scope_is_not_found_on_the_page_or_in_a_file(
    client: PageClient, services: list[Service]
) -> None:
    other = ServiceFactory.create()
    say(other)
    for ending in ("", ".csv", ".xlsx"):
        assert client.get(f"{ADDRESS}{ending}?service={other.slug}").status_code == 404
    assert other.name not in client.get(ADDRESS).text


def test_below_the_own_agency_is_in_scope_and_beside_it_is_not(client: PageClient, agency: Agency) -> None:
    unit = AgencyFactory.create(parent=agency)
    inside = say(ServiceFactory.create(agency=unit))
    say(ServiceFactory.create())

    assert shown(client) == [inside.id]


def test_files_hold_only_services_in_which_one_is_an_analyst(
    client: PageClient, services: list[Service]
) -> None:
    elsewhere = ServiceFactory.create()
    user = UserFactory.create()
    MembershipFactory.create(user=user, agency=services[0].agency, role=Role.ANALYST)
    MembershipFactory.create(user=user, agency=elsewhere.agency, role=Role.VIEWER)
    sign_in(client, user)
    mine, others = say(services[0]), say(elsewhere)
    text = client.get(ADDRESS).text

    assert sorted(shown(client)) == sorted([mine.id, others.id])
    assert [row["comment_id"] for row in rows_of(client)] == [str(mine.id)]
    assert "in which you are an analyst or more" in text
    assert text.count("Correct or moderate") == 1
    only_theirs = client.get(f"{ADDRESS}?service={elsewhere.slug}").text
    assert ".csv" not in only_theirs
    assert client.get(f"{ADDRESS}.csv?service={elsewhere.slug}").status_code == 404


def test_a_viewer_reads_and_takes_nothing_away(client: PageClient, services: list[Service]) -> None:
    comment = say(services[0])
    sign_in(client, member_of(services[0].agency, Role.VIEWER))

    assert shown(client) == [comment.id]
    assert ".csv" not in client.get(ADDRESS).text
    assert client.get(f"{ADDRESS}.csv").status_code == 403


@pytest.mark.parametrize("few", [0, 30])
def test_pages_follow_each_other_however_they_are_found(
    client: PageClient, services: list[Service], few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comments, "FEW", few)
    ids = [say(services[n % 3 == 0], day=MAY_1 + timedelta(days=n // 7)).id for n in range(120)]
    found: list[int] = []
    where: str | None = ADDRESS
    last = ""
    while where:
        last = where
        page = page_at(client, where)
        found += [int(str(item["id"]).removeprefix("comment-")) for item in page.select("li[id^=comment-]")]
        link = page.select_one("a[rel=next]")
        where = str(link["href"]) if link else None
    back = page_at(client, last).select_one("a[rel=prev]")

    assert found == ids[::-1]
    assert back is not None
    assert [str(item["id"]) for item in page_at(client, str(back["href"])).select("li[id^=comment-]")] == [
        f"comment-{one}" for one in ids[::-1][50:100]
    ]


def test_the_file_holds_what_the_page_counts(client: PageClient, services: list[Service]) -> None:
    for n in range(7):
        say(services[n % 2], sentiment=1 + n % 5)
    page = page_at(client, f"{ADDRESS}?sentiment=negative")
    book = openpyxl.load_workbook(io.BytesIO(client.get(f"{ADDRESS}.xlsx?sentiment=negative").data))

    assert "4 comments" in page.get_text()
    assert book["comments"].max_row == 5
    assert {row["service"] for row in rows_of(client)} == {service.slug for service in services}


def test_more_services_take_as_many_statements(
    client: PageClient, services: list[Service], queries: Queries
) -> None:
    theme = ThemeFactory.create(key="waiting")
    query = "theme=waiting&sentiment=negative"
    for service in services:
        say(service, sentiment=2, themes=[theme])
    shown(client, query)
    with queries() as at_two:
        assert len(shown(client, query)) == 2
    for service in ServiceFactory.create_batch(10, agency=services[0].agency):
        say(service, sentiment=2, themes=[theme])
    with queries() as at_twelve:
        assert len(shown(client, query)) == 12

    assert len(at_twelve) == len(at_two)


def test_questions_are_offered_for_a_limited_number_of_services(
    client: PageClient, services: list[Service], monkeypatch: pytest.MonkeyPatch
) -> None:
    comment = say(services[0])
    survey = World().survey
    user = UserFactory.create()
    for agency in (services[0].agency, survey.agency):
        MembershipFactory.create(user=user, agency=agency, role=Role.OWNER)
    sign_in(client, user)
    monkeypatch.setattr(facets, "QUESTIONNAIRES_OF", 1)

    assert shown(client) == [comment.id]
    assert page_at(client, ADDRESS).select("select[name=question]") == []
    assert page_at(client, f"{ADDRESS}?service={survey.services[0].slug}").select("select[name=question]")


def test_it_is_one_of_the_ways_of_every_managers_page(client: PageClient, services: list[Service]) -> None:
    home = page_at(client, "/manage/")
    way = home.select_one(f"nav a[href='{ADDRESS}']")
    assert way is not None
    assert way.get_text() == "Comments"
    here = page_at(client, ADDRESS).select_one("nav a[aria-current=page]")
    assert here is not None
    assert here["href"] == ADDRESS


def test_nobody_has_written_anything(client: PageClient, agency: Agency) -> None:
    assert "Nobody has written anything yet" in client.get(ADDRESS).text


def test_a_correction_leads_back_to_all_comments(client: PageClient, services: list[Service]) -> None:
    comment = say(services[0], sentiment=2)
    page = page_at(client, f"{ADDRESS}?sentiment=negative")
    link = page.select_one("li[id^=comment-] a[href*='/manage/comments/']")
    assert link is not None
    form = page_at(client, str(link["href"]))
    back = form.select_one("input[name=back]")
    assert back is not None
    answer = client.post(f"{ADDRESS}/{comment.id}", data={"sentiment": "4", "back": str(back["value"])})

    assert answer.status_code == 302
    assert answer.location == f"{ADDRESS}?sentiment=negative"
