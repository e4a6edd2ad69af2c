from datetime import date

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import select

from citizenvoice.accounts.models import AuditEntry
from citizenvoice.accounts.scope import Role
from citizenvoice.agencies.models import Agency, JourneyStage, Service, ServiceVolume
from citizenvoice.db import db
from tests.factories import AgencyFactory, ServiceFactory
from tests.members import member_of, sign_in
from tests.pages import PageClient

AGENCY = {
    "name": "Passport Office",
    "name_es": "Oficina de Pasaportes",
    "name_others": "fr = Bureau des passeports",
    "slug": "",
    "kind": "unit",
    "time_zone": "America/Mexico_City",
    "fiscal_year_start": "4",
}
SERVICE = {
    "name": "Passport renewal",
    "name_es": "Renovación de pasaporte",
    "slug": "",
    "description": "Get a new passport.",
    "description_es": "Obtenga un pasaporte nuevo.",
    "languages": "en, es",
    "channels": ["website", "in_person"],
    "external_id": "S-1",
    "is_public": "y",
}


@pytest.fixture
def ministry(client: PageClient) -> Agency:
    """A ministry whose manager has signed in."""
    ministry: Agency = AgencyFactory.create(name="Ministry", slug="ministry", time_zone="Europe/Madrid")
    sign_in(client, member_of(ministry, Role.MANAGER))
    return ministry


def only(model: type, **facts: object) -> object:
    return db.session.scalars(select(model).filter_by(**facts)).one()


def errors(html: str) -> list[str]:
    return [each.get_text() for each in BeautifulSoup(html, "html.parser").select(".cv-errors li")]


def test_an_agency_is_added_below_one_that_is_managed(client: PageClient, ministry: Agency) -> None:
    response = client.post("/manage/agencies/new", data=AGENCY | {"parent": "ministry"})

    assert response.location == "/manage/agencies/passport-office"
    added = db.session.scalars(select(Agency).where(Agency.slug == "passport-office")).one()
    assert added.path == f"{ministry.path}{added.id}/"
    assert added.names == {"es": "Oficina de Pasaportes", "fr": "Bureau des passeports"}
    assert (added.time_zone, added.fiscal_year_start) == ("America/Mexico_City", 4)
    assert db.session.scalars(select(AuditEntry.action)).all() == ["agency.created"]
    assert "Passport Office" in client.get("/manage/agencies").text


def test_what_was_typed_stays_beside_what_is_wrong_with_it(client: PageClient, ministry: Agency) -> None:
    response = client.post(
        "/manage/agencies/new", data=AGENCY | {"parent": "ministry", "slug": "Big Letters"}
    )

    assert response.status_code == 200
    assert errors(response.text) == [
        "An address has only small letters, digits and single hyphens: “Big Letters”."
    ]
    page = BeautifulSoup(response.text, "html.parser")
    assert page.select_one("#name_es")["value"] == "Oficina de Pasaportes"  # type: ignore[index]
    assert page.select_one("#slug")["value"] == "Big Letters"  # type: ignore[index]


def test_names_in_other_languages_are_one_a_line(client: PageClient, ministry: Agency) -> None:
    response = client.post(
        "/manage/agencies/new", data=AGENCY | {"parent": "ministry", "name_others": "fr: Bureau"}
    )

    assert errors(response.text) == ["Line 1 is not like “fr = Passeports”."]


def test_an_agency_is_changed_and_its_names_come_back(client: PageClient, ministry: Agency) -> None:
    client.post("/manage/agencies/new", data=AGENCY | {"parent": "ministry"})

    form = BeautifulSoup(client.get("/manage/agencies/passport-office/edit").text, "html.parser")
    assert form.select_one("#name_others").text.strip() == "fr = Bureau des passeports"  # type: ignore[union-attr]
    response = client.post("/manage/agencies/passport-office/edit", data=AGENCY | {"name": "Passports"})

    assert response.location == "/manage/agencies/passport-office"
    assert only(Agency, slug="passport-office").name == "Passports"  # type: ignore[attr-defined]


def test_moving_an_agency_takes_everything_below_along(client: PageClient, ministry: Agency) -> None:
    north = AgencyFactory.create(parent=ministry, slug="north")
    south = AgencyFactory.create(parent=ministry, slug="south")
    desk = AgencyFactory.create(parent=north, slug="desk")

    client.post("/manage/agencies/north/move", data={"parent": "south"})

    assert north.path == f"{ministry.path}{south.id}/{north.id}/"
    assert desk.path == f"{north.path}{desk.id}/"
    assert client.post("/manage/agencies/south/move", data={"parent": "desk"}).status_code == 200
    assert south.path == f"{ministry.path}{south.id}/", "not below itself"


def test_the_top_of_what_somebody_manages_stays_where_it_is(client: PageClient) -> None:
    above = AgencyFactory.create(slug="above")
    own, other = (AgencyFactory.create(parent=above, slug=slug) for slug in ("own", "other"))
    user = member_of(own, Role.MANAGER)
    sign_in(client, user)

    client.post("/manage/agencies/own/move", data={"parent": "other"})

    assert own.path == f"{above.path}{own.id}/"
    assert client.get("/manage/agencies/other").status_code == 404
    assert other.path.startswith(above.path)


def test_a_service_is_added_and_changed(client: PageClient, ministry: Agency) -> None:
    response = client.post("/manage/services/new", data=SERVICE | {"agency": "ministry"})
    assert response.location == "/manage/agencies/ministry"

    client.post(
        "/manage/services/passport-renewal/edit",
        data=SERVICE | {"agency": "ministry", "name": "Passports", "channels": ["paper"], "is_public": ""},
    )

    service = db.session.scalars(select(Service)).one()
    assert (service.slug, service.name, service.external_id) == ("passport-renewal", "Passports", "S-1")
    assert (service.languages, service.channels, service.is_public) == (["en", "es"], ["paper"], False)
    assert service.descriptions == {"es": "Obtenga un pasaporte nuevo."}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"channels": []}, "Choose at least one channel."),
        ({"languages": "english"}, "Name at least one language by its code, such as “en”."),
        ({"external_id": "TAKEN"}, "Another service has the id “TAKEN”."),
        ({"slug": "taken"}, "The address “taken” is taken."),
        ({"name": " "}, "Write a name."),
    ],
)
def test_a_wrong_service_is_refused_at_its_field(
    client: PageClient, ministry: Agency, wrong: dict[str, object], said: str
) -> None:
    ServiceFactory.create(slug="taken", external_id="TAKEN")

    response = client.post("/manage/services/new", data=SERVICE | {"agency": "ministry"} | wrong)

    assert errors(response.text) == [said]
    assert len(db.session.scalars(select(Service)).all()) == 1


def test_stages_are_renamed_added_and_taken_out(client: PageClient, ministry: Agency) -> None:
    service = ServiceFactory.create(agency=ministry, slug="s")
    service.stages = [JourneyStage(position=1, name="Start"), JourneyStage(position=2, name="End")]
    rows = {
        "name-1": "Apply",
        "name-1-es": "Solicitar",
        "point-1": "post_interaction",
        "name-2": "",
        "point-2": "post_interaction",
        "name-3": "Collect",
        "point-3": "post_service_journey",
    }

    client.post("/manage/services/s/stages", data=rows)

    stages = db.session.scalars(select(JourneyStage).order_by(JourneyStage.position)).all()
    assert [(s.position, s.name, s.transaction_point) for s in stages] == [
        (1, "Apply", "post_interaction"),
        (2, "Collect", "post_service_journey"),
    ]
    assert stages[0].names == {"es": "Solicitar"}
    assert client.post("/manage/services/s/stages", data={"name-1": ""}).status_code == 422


def test_a_volume_is_recorded_replaced_and_removed(client: PageClient, ministry: Agency) -> None:
    ServiceFactory.create(agency=ministry, slug="s", channels=["website"])
    may = {"channel": "website", "start": "2026-05-01", "last_day": "2026-05-31"}

    client.post("/manage/services/s/volumes", data=may | {"n_served": "900", "n_offered": "300"})
    client.post("/manage/services/s/volumes", data=may | {"n_served": "1000", "n_offered": "250"})

    volume = db.session.scalars(select(ServiceVolume)).one()
    assert (volume.n_served, volume.n_offered, volume.end) == (1000, 250, date(2026, 6, 1))
    assert "25%" in client.get("/manage/services/s/volumes").text
    client.post(f"/manage/services/s/volumes/{volume.id}/remove")
    assert db.session.scalars(select(ServiceVolume)).all() == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"n_offered": "2000"}, "People offered a survey cannot be more than the people served."),
        ({"last_day": "2026-04-01"}, "The period must end after it starts."),
        ({"last_day": "2026-06-30"}, "This period overlaps one already recorded: 2026-05-01 to 2026-06-01."),
        (
            {"start": "2026-05-15", "last_day": "2026-06-15"},
            "This period overlaps one already recorded: 2026-05-01 to 2026-06-01.",
        ),
        ({"last_day": "9999-12-31"}, "Write a day from 1990 to 2100."),
        ({"start": "0001-01-01"}, "Write a day from 1990 to 2100."),
        ({"n_served": ""}, "Write a whole number."),
    ],
)
def test_a_wrong_volume_is_refused_and_stays_typed(
    client: PageClient, ministry: Agency, change: dict[str, str], said: str
) -> None:
    ServiceFactory.create(agency=ministry, slug="s", channels=["website"])
    may = {"channel": "website", "start": "2026-05-01", "last_day": "2026-05-31", "n_served": "1000"}
    client.post("/manage/services/s/volumes", data=may)

    response = client.post("/manage/services/s/volumes", data=may | change)

    assert response.status_code == 422
    assert errors(response.text) == [said]
    assert f'value="{change.get("start", "2026-05-01")}"' in response.text


def test_viewers_look_and_do_not_change(client: PageClient) -> None:
    agency = AgencyFactory.create(slug="a")
    ServiceFactory.create(agency=agency, slug="s")
    sign_in(client, member_of(agency, Role.VIEWER))

    assert "<form" not in client.get("/manage/services/s/volumes").text.split("<main")[1]
    assert client.get("/manage/agencies/a").status_code == 200
    assert client.post("/manage/services/s/stages", data={"name-1": "X"}).status_code == 403
