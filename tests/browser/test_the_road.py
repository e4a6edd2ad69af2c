"""The main road of the product, from a manager's first click to a citizen's last."""

import csv
import io
import re
from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import Page, expect

from citizenvoice.accounts.models import User
from citizenvoice.accounts.scope import Role
from citizenvoice.db import db
from tests.browser.acting import eventually, send_answers, sign_in
from tests.factories import AgencyFactory, ServiceFactory
from tests.members import member_of
from tests.servers import LiveServer

SERVICE, SURVEY = "passports", "how-was-your-passport"
TOP, OTHERS = 12, 8  # of the people who answered before, how many chose one of the two best points
WORDS = "I waited four hours in the queue and nobody apologised. Write to ana@example.org"
KEPT = "I waited four hours in the queue and nobody apologised. Write to [email]"


@dataclass(frozen=True)
class Figure:
    """What the page of a service says about its main indicator, and what its file says exactly."""

    shown: str
    n_shown: int
    value: float
    n: int


def test_an_answer_moves_the_indicator_and_taking_it_back_moves_it_back(
    live: LiveServer, page: Page, phone: Page, axe: Callable[[Page], None], fits: Callable[[Page], None]
) -> None:
    sign_in(page, someone_who_runs_a_service(live))
    address = design_and_publish(page)
    with live.app.app_context():
        send_answers(SURVEY, [{"csat": 5}] * TOP + [{"csat": 2}] * OTHERS)
    worker = live.start_worker()
    before = eventually(lambda: main_figure(page), lambda seen: seen is not None)
    assert before == Figure("60%", TOP + OTHERS, TOP / (TOP + OTHERS), TOP + OTHERS)
    worker.terminate()
    worker.wait()

    code = answer(phone, address)
    look_over(phone, axe, fits)
    look_at_receipt(phone, code)
    assert "Not read yet." in phone.inner_text("main")
    assert KEPT in phone.inner_text("main")
    assert main_figure(page) == before, "nothing has counted the answer yet"

    live.start_worker()
    eventually(lambda: receipt_text(phone, code), lambda seen: "What was read in it:" in seen, pause=4)
    assert re.search(r"Very negative|Negative", phone.inner_text("main")), "a complaint is no praise"
    look_over(phone, axe, fits)
    moved = eventually(lambda: main_figure(page), lambda seen: seen != before)
    n = TOP + OTHERS + 1
    assert moved == Figure("57%", n, round(TOP / n, 6), n)
    assert "nobody apologised" in found_comments(page, "queue apologised")

    withdraw(phone, code)
    look_over(phone, axe, fits)
    assert KEPT not in phone.inner_text("main")
    eventually(lambda: main_figure(page), lambda seen: seen == before)
    assert "apologised" not in found_comments(page, "queue apologised")
    assert "apologised" not in found_comments(page, "")


def look_over(phone: Page, *checks: Callable[[Page], None]) -> None:
    """Check what a page must be whatever it says."""
    for check in checks:
        check(phone)


def someone_who_runs_a_service(live: LiveServer) -> User:
    """Put an agency with one service and its manager into the database."""
    with live.app.app_context():
        agency = AgencyFactory.create(name="Civil registry")
        ServiceFactory.create(agency=agency, slug=SERVICE, name="Passport renewal")
        manager = member_of(agency, Role.MANAGER)
        db.session.commit()
        db.session.refresh(manager)
        db.session.expunge(manager)
    return manager


def design_and_publish(page: Page) -> str:
    """Make a survey from an official questionnaire, publish it, and return its public address."""
    page.get_by_role("navigation").get_by_role("link", name="Surveys", exact=True).click()
    page.get_by_role("link", name="Start a survey").first.click()
    page.get_by_role("link", name=re.compile("CSAT")).first.click()
    page.get_by_label("Name", exact=True).fill("Passports: how was it?")
    page.get_by_label("Address", exact=True).fill(SURVEY)
    page.get_by_label("Passport renewal").check()
    page.get_by_role("button", name="Start the survey").click()
    expect(page.get_by_text("Overall, how satisfied are you with Passport renewal?").first).to_be_visible()
    page.get_by_role("link", name="Publish", exact=True).click()
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_text("People can answer it now")).to_be_visible()
    return page.get_by_role("link").filter(has_text=f"/en/s/{SURVEY}/").inner_text()


def main_figure(page: Page) -> Figure | None:
    """Return what the manager's page of the service shows; None while it does not show a figure."""
    page.goto(f"/manage/services/{SERVICE}")
    main = page.locator(".cv-estimate").first
    if main.locator(".cv-estimate__value").count() == 0:
        return None
    n_shown = re.search(r"from (\d+) answers", main.inner_text())
    assert n_shown
    with page.expect_download() as download:
        page.get_by_role("link", name="Download these numbers Over time").click()
    rows = list(csv.DictReader(io.StringIO(download.value.path().read_text(encoding="utf-8-sig"))))
    [latest] = [row for row in rows if row["code"] == rows[0]["code"]][-1:]
    return Figure(
        main.locator(".cv-estimate__value").inner_text(),
        int(n_shown[1]),
        float(latest["value"]),
        int(latest["n"]),
    )


def answer(phone: Page, address: str) -> str:
    """Answer the survey as an unhappy citizen and return the code on the receipt."""
    phone.goto(address)
    phone.get_by_label("Very dissatisfied").check()
    phone.get_by_label("What is the main reason for your answer?").fill(WORDS)
    phone.get_by_role("button", name="Send my answer").click()
    expect(phone.get_by_role("heading", level=1)).to_have_text("Thank you. Your answers count.")
    code = re.search(r"\b(?:[0-9A-Z]{4}-){3}[0-9A-Z]{4}\b", phone.inner_text("main"))
    assert code, phone.inner_text("main")
    return code[0]


def look_at_receipt(phone: Page, code: str) -> None:
    """Open the page of receipts and type the code."""
    phone.goto("/en/receipt")
    phone.get_by_label("Receipt code").fill(code.lower())
    phone.get_by_role("button", name="Show what I sent").click()
    expect(phone.get_by_role("heading", level=1)).to_have_text("What you sent")


def receipt_text(phone: Page, code: str) -> str:
    """Return what the receipt says now."""
    look_at_receipt(phone, code)
    return phone.inner_text("main")


def withdraw(phone: Page, code: str) -> None:
    """Take back what was sent under a code."""
    look_at_receipt(phone, code)
    phone.get_by_role("button", name="Take it back").click()
    phone.get_by_role("button", name="Yes").click()
    expect(phone.get_by_text("You took it back.")).to_be_visible()


def found_comments(page: Page, words: str) -> str:
    """Search the comments of the service and return what the explorer shows of them."""
    page.goto(f"/manage/services/{SERVICE}")
    page.get_by_role("link", name="Look at all comments").click()
    page.get_by_label("Search").fill(words)
    page.get_by_role("button", name="Apply").click()
    return page.inner_text("main")
