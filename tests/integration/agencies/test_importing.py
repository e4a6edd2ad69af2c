from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from sqlalchemy import select

from citizenvoice.accounts.scope import Role
from citizenvoice.agencies.importing import Outcome, Result, bring_in, summary
from citizenvoice.agencies.models import Agency, Service, ServiceVolume
from citizenvoice.db import db
from citizenvoice.errors import DomainError
from tests.factories import AgencyFactory, ServiceFactory
from tests.members import member_of, sign_in
from tests.pages import PageClient

NOW = datetime(2026, 6, 1, tzinfo=UTC)
AGENCIES = """slug,parent,name,kind,time_zone,fiscal_year_start,name_es
desk,office,Desk,unit,,,Ventanilla
office,ministry,Office,agency,America/Bogota,7,Oficina
ministry,,Ministry,ministry,Europe/Madrid,1,Ministerio
"""
SERVICES = """slug;agency;name;languages;channels;is_public;external_id;name_es;description_es
passports;office;Passports;en|es;website|in_person;yes;S-1;Pasaportes;Para viajar
cards;office;Cards;en;moon;yes;S-2;;
"""
VOLUMES = """service,channel,start,last_day,n_served,n_offered
passports,website,2026-05-01,2026-05-31,1000,200
S-1,in_person,2026-05-01,2026-05-31,500,
passports,website,2026-05-15,2026-06-14,10,1
passports,website,2026-06-01,2026-06-30,10,11
nowhere,website,2026-05-01,2026-05-31,1,
passports,website,May,2026-05-31,1.5,
"""

pytestmark = pytest.mark.usefixtures("database")


def results(outcomes: list[Outcome]) -> list[str]:
    assert sum(summary(outcomes).values()) == len(outcomes)
    return [str(outcome.result) for outcome in outcomes]


def refused(outcomes: list[Outcome]) -> list[tuple[int, str, str]]:
    return [(o.line, o.column, o.sentence) for o in outcomes if o.result is Result.REFUSED]


def test_a_tree_comes_in_whatever_the_order_of_its_lines() -> None:
    first = bring_in("agencies", AGENCIES, now=NOW)
    again = bring_in("agencies", AGENCIES, now=NOW)

    assert results(first) == ["added"] * 3
    assert results(again) == ["same"] * 3
    rows = db.session.scalars(select(Agency).order_by(Agency.path)).all()
    assert [(a.slug, a.path.count("/") - 1) for a in rows] == [("ministry", 1), ("office", 2), ("desk", 3)]
    assert (rows[2].time_zone, rows[2].fiscal_year_start) == ("America/Bogota", 7), "taken from above"
    assert rows[2].names == {"es": "Ventanilla"}


def test_an_empty_cell_leaves_what_is_there_and_a_parent_moves() -> None:
    bring_in("agencies", AGENCIES, now=NOW)

    outcomes = bring_in("agencies", "slug,name,parent\ndesk,Counter,ministry\noffice,Office,\n", now=NOW)

    assert results(outcomes) == ["changed", "same"]
    desk = db.session.scalars(select(Agency).where(Agency.slug == "desk")).one()
    assert (desk.name, desk.kind, desk.names, desk.path.count("/")) == (
        "Counter",
        "unit",
        {"es": "Ventanilla"},
        3,
    )


def test_agencies_that_are_each_others_parents_are_refused() -> None:
    outcomes = bring_in("agencies", "slug,name,parent\na,A,b\nb,B,a\nc,C,\nc,C,\n", now=NOW)

    assert refused(outcomes) == [
        (2, "parent", "There is no agency “b”."),
        (3, "parent", "There is no agency “a”."),
        (5, "slug", "Line 4 already says something about this."),
    ]


def test_services_come_in_once_and_bad_rows_are_named() -> None:
    bring_in("agencies", AGENCIES, now=NOW)

    first = bring_in("services", SERVICES, now=NOW)
    again = bring_in("services", SERVICES.replace("Passports;en", "Passport;en"), now=NOW)

    assert (results(first), results(again)) == (["added", "refused"], ["changed", "refused"])
    assert refused(first)[0][:2] == (3, "channels")
    service = db.session.scalars(select(Service)).one()
    assert (service.name, service.languages, service.names) == (
        "Passport",
        ["en", "es"],
        {"es": "Pasaportes"},
    )
    assert len(service.stages) == 1


def test_volumes_come_in_once_by_service_channel_and_period() -> None:
    bring_in("agencies", AGENCIES, now=NOW)
    bring_in("services", SERVICES, now=NOW)

    first = bring_in("volumes", VOLUMES, now=NOW)
    again = bring_in("volumes", VOLUMES.replace("1000,200", "1000,300"), now=NOW)

    assert results(first) == ["added", "added", *["refused"] * 4]
    assert results(again) == ["changed", "same", *["refused"] * 4]
    assert [(line, column) for line, column, _ in refused(first)] == [
        (4, "last_day"),
        (5, "n_offered"),
        (6, "service"),
        (7, "start"),
    ]
    volumes = db.session.scalars(select(ServiceVolume).order_by(ServiceVolume.id)).all()
    assert [(v.end, v.n_served, v.n_offered) for v in volumes] == [
        (date(2026, 6, 1), 1000, 300),
        (date(2026, 6, 1), 500, None),
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "Missing: slug, name"),
        ("slug,name,colour\n", "mean nothing here: colour"),
        ("slug,name,name\n", "mean nothing here: name"),
    ],
)
def test_a_header_that_cannot_be_understood_is_refused(text: str, said: str) -> None:
    with pytest.raises(DomainError, match=said):
        bring_in("agencies", text, now=NOW)


def test_a_day_far_from_our_time_and_a_missing_quote_are_refused() -> None:
    service = ServiceFactory.create(slug="passports", channels=["website"])
    header = "service,channel,start,last_day,n_served\n"
    days = header + "passports,website,2026-05-01,9999-12-31,1\npassports,website,0026-05-01,2026-05-31,1\n"

    assert refused(bring_in("volumes", days, now=NOW)) == [
        (2, "last_day", "Write a day from 1990 to 2100."),
        (3, "start", "Write a day from 1990 to 2100."),
    ]
    with pytest.raises(DomainError, match="Line 3 cannot be read: a quotation mark is missing"):
        bring_in(
            "volumes",
            header + f"{service.slug},website,2026-05-01,2026-05-31,1\n"
            f'"{service.slug},website,2026-06-01,2026-06-30,1\n{service.slug},website,2026-07-01,2026-07-31,1\n',
            now=NOW,
        )


def test_a_member_brings_in_only_what_they_manage() -> None:
    own, other = AgencyFactory.create(slug="own"), AgencyFactory.create(slug="other")
    ServiceFactory.create(agency=other, slug="theirs", external_id="X-1")
    below = [own.path]

    agencies = bring_in(
        "agencies", "slug,name,parent\na,A,own\nb,B,other\nother,Mine,\nc,C,\n", now=NOW, paths=below
    )
    volumes = bring_in(
        "volumes",
        "service,channel,start,last_day,n_served\nX-1,website,2026-05-01,2026-05-31,1\n",
        now=NOW,
        paths=below,
    )

    assert results(agencies) == ["added", "refused", "refused", "refused"]
    assert results(volumes) == ["refused"]


def test_the_page_shows_what_would_happen_and_then_does_it(client: PageClient) -> None:
    agency = AgencyFactory.create(slug="office")
    sign_in(client, member_of(agency, Role.MANAGER))
    csv = Path(__file__).with_name("services.csv").name, SERVICES.encode("utf-8-sig")
    from io import BytesIO

    preview = client.post(
        "/manage/agencies/import/services",
        data={"file": (BytesIO(csv[1]), csv[0])},
        content_type="multipart/form-data",
    )

    assert db.session.scalars(select(Service)).all() == [], "a preview stores nothing"
    page = BeautifulSoup(preview.text, "html.parser")
    assert "“moon” is not one of" in page.text
    text = page.select_one("textarea[name=text]").text.removeprefix("\n")  # type: ignore[union-attr]
    client.post("/manage/agencies/import/services", data={"text": text})
    assert db.session.scalars(select(Service.slug)).all() == ["passports"]
    assert "Added: 1" in client.get("/manage/agencies").text


def test_the_commands_bring_files_in_and_say_what_became_of_them(app: Flask, tmp_path: Path) -> None:
    for kind, text in (("agencies", AGENCIES), ("services", SERVICES)):
        (tmp_path / f"{kind}.csv").write_text(text, encoding="utf-8")
    runner = app.test_cli_runner()

    agencies = runner.invoke(args=["import", "agencies", str(tmp_path / "agencies.csv")])
    services = runner.invoke(args=["import", "services", str(tmp_path / "services.csv")])

    assert (agencies.exit_code, agencies.stdout) == (0, "3 rows: 3 added, 0 changed, 0 same, 0 refused\n")
    assert (services.exit_code, services.stdout) == (1, "2 rows: 1 added, 0 changed, 0 same, 1 refused\n")
    assert "line 3, channels: “moon” is not one of" in services.stderr
