"""Every page of the URL map, looked at by axe-core (WCAG 2.2 AA) and on the narrowest screen.

What the pages are opened with comes from ``tests/integration/samples.py``.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from flask import Flask, url_for
from playwright.sync_api import Browser, Page
from werkzeug.routing import Rule

from citizenvoice.accounts.access import Audience
from citizenvoice.accounts.models import User
from citizenvoice.accounts.scope import Role
from citizenvoice.db import db
from tests.browser.acting import sign_in
from tests.browser.conftest import visit
from tests.browser.lived_in import live_in
from tests.integration.samples import SAMPLES, World
from tests.members import member_of
from tests.servers import LiveServer

Check = Callable[[Page], None]
HTML = "text/html"


@dataclass(frozen=True)
class Pages:
    """The addresses to look at, by audience, and who may see those of members."""

    addresses: dict[Audience, list[str]]
    owner: User


@pytest.fixture(scope="module")
def pages(live: LiveServer) -> Pages:
    """Build a world in which everything has happened, and an address for every page of it."""
    with live.app.test_request_context(base_url=live.url):
        world = World()
        live_in(world)
        owner = member_of(world.agency, Role.OWNER)
        found: dict[Audience, list[str]] = {audience: [] for audience in Audience}
        for rule in routes(live.app):
            audience = getattr(live.app.view_functions[rule.endpoint], "audience", None)
            if audience in found:
                found[audience].append(address_of(rule, world))
        db.session.commit()
        db.session.refresh(owner)
        db.session.expunge(owner)
    return Pages(found, owner)


def routes(app: Flask) -> list[Rule]:
    """Return every route that can be opened, in the order of addresses."""
    rules = (rule for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ()))
    return sorted(rules, key=lambda rule: rule.rule)


def address_of(rule: Rule, world: World) -> str:
    """Return the address of a route with one of everything it names."""
    values = {}
    for argument in sorted(rule.arguments - set(rule.defaults or ())):
        make = SAMPLES.get(f"{rule.endpoint}:{argument}") or SAMPLES.get(argument)
        assert make, (
            f"{rule.rule} ({rule.endpoint}) has an argument {argument!r} that tests/integration/samples.py "
            f"does not know: add how to make the thing to World, and {argument!r} to SAMPLES."
        )
        values[argument] = make(world)
    return url_for(rule.endpoint, **values)


@contextmanager
def wide_and_narrow(chromium: Browser, live: LiveServer) -> Iterator[tuple[Page, Page]]:
    """Yield a page on a desktop and one on the smallest phone."""
    with (
        visit(chromium, live, width=1280, height=900) as wide,
        visit(chromium, live, width=320, height=640) as narrow,
    ):
        yield wide, narrow


def faults_of(addresses: list[str], wide: Page, narrow: Page, axe: Check, fits: Check) -> list[str]:
    """Open every page among the addresses on both screens and return what is wrong with them."""
    faults: list[str] = []
    for address in addresses:
        answer = wide.context.request.get(address)
        if not answer.headers.get("content-type", "").startswith(HTML):
            continue
        if answer.status >= 400:
            faults.append(f"{address} answers {answer.status}: does its sample fit?")
        else:
            faults += faults_on(address, wide, axe)
            faults += faults_on(address, narrow, fits)
    return faults


def faults_on(address: str, page: Page, check: Check) -> list[str]:
    """Open one page and return what is wrong with it: script errors, and what the check finds."""
    errors: list[str] = []

    def note(error: object) -> None:
        errors.append(f"{address}: {error}")

    page.on("pageerror", note)
    page.goto(address)
    try:
        check(page)
    except AssertionError as fault:
        errors.append(str(fault))
    page.remove_listener("pageerror", note)
    return errors


def test_every_public_page_is_accessible_and_fits_a_phone(
    chromium: Browser, live: LiveServer, pages: Pages, axe: Check, fits: Check
) -> None:
    open_to_all = pages.addresses[Audience.PUBLIC] + pages.addresses[Audience.PROGRAM]
    with wide_and_narrow(chromium, live) as (wide, narrow):
        faults = faults_of(open_to_all, wide, narrow, axe, fits)

    assert not faults, "\n".join(faults)


def test_every_page_of_a_member_is_accessible_and_fits_a_phone(
    chromium: Browser, live: LiveServer, pages: Pages, axe: Check, fits: Check
) -> None:
    with wide_and_narrow(chromium, live) as (wide, narrow):
        sign_in(wide, pages.owner)
        narrow.context.add_cookies(wide.context.cookies())  # type: ignore[arg-type]
        faults = faults_of(pages.addresses[Audience.MEMBER], wide, narrow, axe, fits)

    assert not faults, "\n".join(faults)


def test_pages_that_refuse_are_accessible(page: Page, axe: Check, fits: Check) -> None:
    refused = page.goto("/en/s/nothing/here")
    assert refused is not None
    assert refused.status == 404
    axe(page)
    fits(page)
