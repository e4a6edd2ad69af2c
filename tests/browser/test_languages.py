"""One survey in several languages, one of them written from right to left."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, expect

from citizenvoice.db import db
from citizenvoice.surveys import actions, drafting
from citizenvoice.surveys.instrument_library import get_instrument
from citizenvoice.web.clock import utc_now
from tests.browser.conftest import visit
from tests.factories import AgencyFactory, ServiceFactory, SurveyFactory
from tests.servers import LiveServer

Check = Callable[[Page], None]
CODE = re.compile(r"\b(?:[0-9A-Z]{4}-){3}[0-9A-Z]{4}\b")
POINTS = ["غير راضٍ إطلاقًا", "غير راضٍ", "لا راضٍ ولا غير راضٍ", "راضٍ", "راضٍ جدًا"]
ARABIC = {
    "title": "ما مدى رضاك؟",
    "thanks": "شكرًا لك. وصلت إجاباتك.",
    "csat": "بشكل عام، ما مدى رضاك عن [service]؟",
    "why": "ما السبب الرئيسي لإجابتك؟",
    "hint": "من فضلك لا تكتب أسماء أو أرقامًا أو عناوين.",
}


@pytest.fixture(scope="module", autouse=True)
def survey(live: LiveServer) -> None:
    """A survey asked in English, Spanish and Arabic."""
    draft = drafting.draft_of(get_instrument("csat"), ["en", "es", "ar"])
    draft["title"]["ar"], draft["thanks"]["ar"] = ARABIC["title"], ARABIC["thanks"]
    draft["placeholders"] = {
        "service": {"en": "Passport renewal", "es": "la renovación del pasaporte", "ar": "تجديد جواز السفر"}
    }
    rating, why = draft["sections"][0]["questions"]
    rating["text"]["ar"], why["text"]["ar"], why["hint"]["ar"] = (
        ARABIC[name] for name in ("csat", "why", "hint")
    )
    for point, label in zip(rating["points"], POINTS, strict=True):
        point["label"]["ar"] = label
    with live.app.app_context():
        agency = AgencyFactory.create(
            name="Civil registry", names={"es": "Registro civil", "ar": "السجل المدني"}
        )
        service = ServiceFactory.create(
            agency=agency,
            slug="passports",
            name="Passport renewal",
            names={"es": "Renovación del pasaporte", "ar": "تجديد جواز السفر"},
            languages=["en", "es", "ar"],
        )
        made = SurveyFactory.create(agency=agency, services=[service], slug="csat", draft=draft)
        actions.publish(made, now=utc_now())
        db.session.commit()


def test_the_survey_is_answered_in_spanish(phone: Page, axe: Check, fits: Check) -> None:
    phone.goto("/es/s/csat/passports")
    look(phone, "es", "ltr", axe, fits)
    expect(phone.get_by_role("heading", level=1)).to_have_text("¿Qué tan satisfecho está?")
    assert "Renovación del pasaporte" in phone.inner_text("main")
    send = phone.locator("form button")
    expect(send).not_to_have_text("Send my answer")
    send.click()

    look(phone, "es", "ltr", axe, fits)
    expect(phone.get_by_role("alert")).to_contain_text("la renovación del pasaporte")
    phone.get_by_label("Satisfecho", exact=True).check()
    phone.get_by_label("¿Cuál es la razón principal de su respuesta?").fill("Fue rápido y muy claro.")
    send.click()

    look(phone, "es", "ltr", axe, fits)
    assert CODE.search(phone.inner_text("main"))
    assert "/es/receipt" in (phone.locator("main a").last.get_attribute("href") or "")


def test_the_language_can_be_changed_before_answering(phone: Page) -> None:
    phone.goto("/en/s/csat/passports")
    phone.get_by_role("link", name="Español").click()
    expect(phone.locator("html")).to_have_attribute("lang", "es")
    phone.get_by_role("link", name="العربية").click()
    expect(phone.locator("html")).to_have_attribute("dir", "rtl")


@pytest.mark.parametrize("width", [320, 1280])
def test_the_survey_is_answered_in_arabic_from_right_to_left(
    chromium: Browser, live: LiveServer, axe: Check, fits: Check, width: int
) -> None:
    with visit(chromium, live, width=width, height=700, script=False, language="ar") as page:
        page.goto("/ar/s/csat/passports")
        look(page, "ar", "rtl", axe, fits)
        expect(page.get_by_role("heading", level=1)).to_have_text(ARABIC["title"])
        first, last = page.get_by_text(POINTS[0], exact=True), page.get_by_text("راضٍ جدًا")
        assert edge(page, "h1") > width / 2, "the heading begins at the right"
        if width > 1000:
            boxes = [label.bounding_box() for label in (first, last)]
            assert boxes[0]
            assert boxes[1]
            assert boxes[0]["x"] > boxes[1]["x"], "the scale runs from right to left"
        page.locator("form button").click()

        look(page, "ar", "rtl", axe, fits)
        expect(page.get_by_role("alert")).to_contain_text("تجديد جواز السفر")
        page.get_by_label(POINTS[3], exact=True).check()
        page.get_by_label(ARABIC["why"]).fill(f"خدمة سريعة {width}")
        page.locator("form button").click()

        look(page, "ar", "rtl", axe, fits)
        assert CODE.search(page.inner_text("main"))
        assert ARABIC["thanks"] in page.inner_text("main")


def test_a_language_that_is_not_asked_leads_to_one_that_is(chromium: Browser, live: LiveServer) -> None:
    with visit(chromium, live, width=320, height=640, language="es-MX") as page:
        page.goto("/fr/s/csat/passports")
        page.wait_for_url("**/es/s/csat/passports")
        expect(page.locator("html")).to_have_attribute("lang", "es")


def look(page: Page, language: str, direction: str, axe: Check, fits: Check) -> None:
    """Check the language, the direction, the width and the accessibility of a page."""
    expect(page.locator("html")).to_have_attribute("lang", language)
    expect(page.locator("html")).to_have_attribute("dir", direction)
    fits(page)
    axe(page)


def edge(page: Page, selector: str) -> float:
    """Return where the words of an element end at the right, in pixels."""
    found = page.locator(selector).evaluate(
        "element => { const range = document.createRange(); range.selectNodeContents(element);"
        " return range.getBoundingClientRect().right; }"
    )
    return float(found)
