"""A page about work in the background tells how far it is by itself, without loading anew."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from citizenvoice.accounts.scope import Role
from citizenvoice.db import db
from citizenvoice.surveys import import_runs
from citizenvoice.web.clock import utc_now
from tests.browser.acting import sign_in
from tests.integration.samples import World
from tests.members import member_of
from tests.servers import LiveServer


def test_an_import_is_followed_to_its_end(live: LiveServer, page: Page, axe: Callable[[Page], None]) -> None:
    with live.app.app_context():
        world = World()
        manager = member_of(world.agency, Role.MANAGER)
        run = world.upload
        import_runs.start(run, by_id=None, now=utc_now())
        db.session.commit()
        address = f"/manage/surveys/{world.survey.slug}/imports/{run.id}"
        db.session.refresh(manager)
        db.session.expunge(manager)
    sign_in(page, manager)
    page.goto(address)
    axe(page)
    page.evaluate("document.documentElement.dataset.same = 'page'")
    expect(page.get_by_role("progressbar")).to_be_visible()

    live.start_worker()

    expect(page.get_by_role("progressbar")).to_have_count(0, timeout=60_000)
    expect(page.locator("html")).to_have_attribute("data-same", "page")
    axe(page)
