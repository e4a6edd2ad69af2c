"""Citizens and managers who use no mouse: everything is reached, seen and done with the keyboard."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from citizenvoice import jobs
from citizenvoice.accounts.models import User
from citizenvoice.accounts.scope import Role
from citizenvoice.db import db
from citizenvoice.surveys import actions, drafting
from citizenvoice.surveys.instrument_library import get_instrument
from citizenvoice.web.clock import utc_now
from tests.browser.acting import send_answers
from tests.factories import PASSWORD, AgencyFactory, ServiceFactory, SurveyFactory
from tests.members import member_of
from tests.servers import LiveServer

PRESSES = 60  # more than any page here has things to stop at
SURVEY = "/en/s/permits/permits"
RECEIPT_TITLE = "Thank you. Your answers count."
HAS_FOCUS = "element => element === document.activeElement"
# Whatever shows where one is: an outline or a shadow on the element itself or, for a control that is drawn
# by its label, on the label.
SHOWS_FOCUS = """() => {
    const here = document.activeElement;
    const drawn = [here, ...(here.labels || [])];
    return drawn.some(element => [element, "::before", "::after"].some(part => {
        const style = typeof part === "string" ? getComputedStyle(element, part) : getComputedStyle(element);
        const outlined = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
        return outlined || style.boxShadow !== "none";
    }));
}"""
ON_SCREEN = """() => {
    const drawn = document.activeElement.labels?.[0] || document.activeElement;
    const box = drawn.getBoundingClientRect();
    return box.bottom > 0 && box.top < innerHeight && box.width > 0;
}"""


@pytest.fixture(scope="module")
def manager(live: LiveServer) -> User:
    """The manager of a service that some have already written about."""
    with live.app.app_context():
        agency = AgencyFactory.create(name="Town hall")
        service = ServiceFactory.create(agency=agency, slug="permits", name="Building permits")
        draft = drafting.draft_of(get_instrument("omb_a11_v1"), ["en"])
        draft["placeholders"] = {"service": {"en": "Building permits"}, "agency": {"en": "Town hall"}}
        survey = SurveyFactory.create(agency=agency, services=[service], slug="permits", draft=draft)
        actions.publish(survey, now=utc_now())
        found = member_of(agency, Role.MANAGER)
        db.session.commit()
        send_answers(
            "permits",
            [
                {"q1": 5, "q2": 5, "why": "Quick and clear, thank you."},
                {"q1": 1, "q2": 2, "why": "Nobody answered the telephone."},
            ],
        )
        with live.app.app_context():
            jobs.drain()
        db.session.refresh(found)
        db.session.expunge(found)
    return found


def go_to(page: Page, wanted: Locator, *, key: str = "Tab") -> None:
    """Press a key until something has the focus; every stop on the way must be seen."""
    expect(wanted).to_have_count(1)
    for _press in range(PRESSES):
        page.keyboard.press(key)
        assert page.evaluate(SHOWS_FOCUS), f"no focus to be seen on {where(page)}"
        assert page.evaluate(ON_SCREEN), f"the focus is off the screen on {where(page)}"
        if wanted.evaluate(HAS_FOCUS):
            return
    raise AssertionError(f"{PRESSES} presses of {key} do not reach {wanted}")


def where(page: Page) -> str:
    """Return the element that has the focus as text, for a message."""
    return str(page.evaluate("document.activeElement.outerHTML.slice(0, 200)"))


def test_a_survey_is_answered_to_the_receipt(page: Page, manager: User) -> None:
    page.goto(SURVEY)
    first = page.get_by_role("group", name=re.compile("I am satisfied"))
    go_to(page, first.get_by_role("radio").first)
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(first.get_by_role("radio").nth(2)).to_be_checked()

    second = page.get_by_role("group", name=re.compile("increased my confidence"))
    go_to(page, second.get_by_role("radio").first)
    page.keyboard.press("Space")
    page.keyboard.press("ArrowRight")
    expect(second.get_by_role("radio").nth(1)).to_be_checked()

    go_to(page, page.get_by_label("Any additional feedback on your scores above?"))
    page.keyboard.type("The form asks twice for the same map.")
    go_to(page, page.get_by_role("button", name="Send my answer"))
    page.keyboard.press("Enter")

    expect(page.get_by_text("We have your answer. It counts.")).to_be_visible()
    go_to(page, page.get_by_role("group", name=re.compile("It was easy")).get_by_role("radio").first)
    page.keyboard.press("Space")
    go_to(page, page.get_by_role("button", name="Send my answer"))
    page.keyboard.press("Space")

    expect(page.get_by_role("heading", level=1)).to_have_text(RECEIPT_TITLE)
    go_to(page, page.get_by_role("link", name="Look at what you sent, with your code"))
    page.keyboard.press("Enter")
    expect(page.get_by_label("Receipt code")).to_be_visible()


def test_errors_take_the_focus_and_lead_to_the_fields(
    page: Page, manager: User, axe: Callable[[Page], None]
) -> None:
    page.goto(SURVEY)
    words = page.get_by_label("Any additional feedback on your scores above?")
    second = page.get_by_role("group", name=re.compile("increased my confidence"))
    go_to(page, second.get_by_role("radio").first)
    page.keyboard.press("Space")
    go_to(page, words)
    page.keyboard.type("Typed and not lost <b>")
    go_to(page, page.get_by_role("button", name="Send my answer"))
    page.keyboard.press("Enter")

    summary = page.get_by_role("alert").filter(has_text="There is a problem")
    expect(summary).to_be_focused()
    axe(page)
    expect(page).to_have_title(re.compile("^Error"))
    expect(words).to_have_value("Typed and not lost <b>")
    expect(second.get_by_role("radio").first).to_be_checked()

    go_to(page, summary.get_by_role("link", name=re.compile("I am satisfied")))
    page.keyboard.press("Enter")
    first = page.get_by_role("group", name=re.compile("I am satisfied")).get_by_role("radio").first
    expect(first).to_be_focused()
    assert page.evaluate(SHOWS_FOCUS)
    page.keyboard.press("Space")
    go_to(page, page.get_by_role("button", name="Send my answer"))
    page.keyboard.press("Enter")
    expect(page.get_by_text("We have your answer. It counts.")).to_be_visible()


def test_errors_are_listed_and_linked_without_script(phone: Page, manager: User) -> None:
    phone.goto(SURVEY)
    words = phone.get_by_label("Any additional feedback on your scores above?")
    words.fill("Typed and not lost")
    phone.get_by_role("button", name="Send my answer").click()

    summary = phone.get_by_role("alert").filter(has_text="There is a problem")
    expect(summary).to_be_focused()
    expect(words).to_have_value("Typed and not lost")
    assert summary.get_by_role("link").count() == 2
    summary.get_by_role("link", name=re.compile("increased my confidence")).click()
    group = phone.get_by_role("group", name=re.compile("increased my confidence"))
    expect(group.get_by_role("radio").first).to_be_in_viewport()


def test_a_skip_link_leads_past_the_header(page: Page, manager: User) -> None:
    page.goto(SURVEY)
    page.keyboard.press("Tab")
    assert page.evaluate(SHOWS_FOCUS)
    assert page.evaluate(ON_SCREEN), "the skip link is seen when it has the focus"
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()


def test_a_manager_signs_in_and_filters_comments(page: Page, manager: User) -> None:
    page.goto("/manage/services/permits/comments")
    go_to(page, page.get_by_label("E-mail address"))
    page.keyboard.type(manager.email)
    go_to(page, page.get_by_label("Password"))
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_text("Quick and clear, thank you.")).to_be_visible()

    go_to(page, page.get_by_label("Search"))
    page.keyboard.type("telephone")
    go_to(page, page.get_by_text("More filters"))
    page.keyboard.press("Enter")
    go_to(page, page.get_by_label("Language"))
    page.keyboard.type("English")
    go_to(page, page.get_by_role("button", name="Apply"))
    page.keyboard.press("Enter")

    page.wait_for_url(re.compile("q=telephone.*language=en"))
    expect(page.get_by_text("Nobody answered the telephone.")).to_be_visible()
    expect(page.get_by_text("Quick and clear, thank you.")).to_have_count(0)
