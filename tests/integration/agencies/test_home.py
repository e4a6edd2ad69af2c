import pytest
from bs4 import BeautifulSoup
from flask import Flask

from citizenvoice.catalogue.directory import N_SHOWN
from citizenvoice.db import db
from citizenvoice.surveys import actions, drafting
from citizenvoice.surveys.instrument_library import get_instrument
from citizenvoice.surveys.models import Survey
from tests.factories import AgencyFactory, ServiceFactory, SurveyFactory
from tests.integration.importing.bringing_in import NOW
from tests.pages import PageClient


@pytest.fixture
def survey(database: None) -> Survey:
    """A live survey, in Spanish alone, about a passport service."""
    agency = AgencyFactory.create(name="Foreign Office", names={"es": "Ministerio de Exteriores"})
    service = ServiceFactory.create(
        agency=agency,
        slug="passports",
        name="Passport renewal",
        names={"es": "Renovación de pasaporte"},
        description="Get a new passport.",
    )
    ServiceFactory.create(agency=agency, slug="hidden", name="Hidden passport desk", is_public=False)
    ServiceFactory.create(slug="parks", name="Parks")
    draft = drafting.draft_of(get_instrument("nps"), ["es"])
    draft["placeholders"] = {"service": {"es": "Pasaportes"}}
    survey: Survey = SurveyFactory.create(agency=agency, services=[service], draft=draft, slug="pass")
    actions.publish(survey, now=NOW)
    return survey


def listed(client: PageClient, address: str) -> list[str]:
    page = BeautifulSoup(client.get(address).text, "html.parser")
    return [link.get_text() for link in page.select("main li .cv-tiles__name a")]


def test_the_first_page_comes_in_the_language_the_browser_asks_for(client: PageClient) -> None:
    response = client.get("/", headers={"Accept-Language": "es-MX, en;q=0.5"})

    assert response.location == "/es/"
    assert response.headers["Vary"] == "Accept-Language"
    assert client.get("/fr/").status_code == 404


def test_public_services_are_listed_and_lead_to_their_page_and_survey(
    client: PageClient, survey: Survey
) -> None:
    assert sorted(listed(client, "/en/")) == ["Parks", "Passport renewal"]
    page = BeautifulSoup(client.get("/es/").text, "html.parser")
    hrefs = {link["href"] for link in page.select("main a")}
    assert {"/es/services/passports", "/es/s/pass/passports", "/es/receipt"} <= hrefs
    assert "Ministerio de Exteriores" in page.text
    assert 'href="/es/s/pass/passports"' in client.get("/en/").text, "in a language it is asked in"


@pytest.mark.parametrize("query", ["PASSPORT", "renovacion", "RENOVACIÓN exteriores", "new foreign"])
def test_a_search_forgives_case_accents_and_language(client: PageClient, survey: Survey, query: str) -> None:
    assert listed(client, f"/en/?q={query}") == ["Passport renewal"]


def test_a_search_that_finds_nothing_says_what_to_try(client: PageClient, survey: Survey) -> None:
    page = client.get("/en/?q=<b>moon").text

    assert "0 services found" in page
    assert "<b>moon" not in page
    assert "Try fewer or shorter words" in page


def test_a_closed_survey_is_not_offered(client: PageClient, survey: Survey) -> None:
    actions.close_survey(survey, now=NOW)

    assert "/s/pass/" not in client.get("/en/").text


def test_public_pages_can_be_kept_by_anybody_and_set_no_cookie(client: PageClient, survey: Survey) -> None:
    for address in ("/", "/en/", "/en/privacy", "/es/accessibility"):
        response = client.get(address)
        assert response.cache_control.public, address
        assert response.cache_control.max_age, address
        assert "Set-Cookie" not in response.headers
        assert "Cookie" not in response.headers.get("Vary", "")


def test_every_page_leads_home_to_privacy_and_to_other_languages(client: PageClient, survey: Survey) -> None:
    page = BeautifulSoup(client.get("/es/privacy").text, "html.parser")
    hrefs = {link["href"] for link in page.select("a[href]")}

    assert {"/es/", "/es/privacy", "/es/accessibility", "/es/receipt", "/en/privacy", "/ar/privacy"} <= hrefs


def test_a_long_list_is_cut_and_asks_to_search(app: Flask, client: PageClient) -> None:
    agency = AgencyFactory.create()
    ServiceFactory.create_batch(N_SHOWN + 1, agency=agency)
    db.session.commit()

    assert len(listed(client, "/en/")) == N_SHOWN
    assert "Search to find yours" in client.get("/en/").text
