"""A real Chromium, and the product running as an operator starts it."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from weakref import WeakSet

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, sync_playwright

from tests.servers import Databases, LiveServer, missing

CHROMIUM = "Chromium: apt install chromium"
PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
AXE = Path(__file__).parent / "vendor" / "axe-core" / "axe.min.js"
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
RUN_AXE = "tags => axe.run(document, {runOnly: tags, resultTypes: ['violations']})"
PATIENCE_MS = 15_000
WITHOUT_SCRIPT: WeakSet[BrowserContext] = WeakSet()

Axe = Callable[[Page], None]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything in this folder as a browser test."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The Chromium of this machine."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        missing(CHROMIUM)
    as_root = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program, args=[*as_root, "--disable-dev-shm-usage"]
        )
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def live(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """The web server on a database that this module's tests share; ``live.start_worker()`` adds a worker."""
    with LiveServer(databases.create(), tmp_path_factory.mktemp("live")) as server:
        yield server


@pytest.fixture
def page(chromium: Browser, live: LiveServer) -> Iterator[Page]:
    """A page on a desktop, 1280 pixels wide, without a session; ``page.goto("/")``."""
    with visit(chromium, live, width=1280, height=900) as page:
        yield page


@pytest.fixture
def phone(chromium: Browser, live: LiveServer) -> Iterator[Page]:
    """A page on the smallest screen, 320 pixels wide, that runs no script."""
    with visit(chromium, live, width=320, height=640, script=False) as page:
        yield page


@contextmanager
def visit(
    chromium: Browser,
    live: LiveServer,
    *,
    width: int,
    height: int,
    script: bool = True,
    language: str = "en-GB",
) -> Iterator[Page]:
    """Open a page that fails on a script error, a blocked resource or a request to a third party."""
    context = chromium.new_context(
        base_url=live.url,
        viewport={"width": width, "height": height},
        java_script_enabled=script,
        locale=language,
    )
    context.set_default_timeout(PATIENCE_MS)
    if not script:
        WITHOUT_SCRIPT.add(context)
    faults = watch(context, live.url)
    yield context.new_page()
    context.close()
    assert not faults, faults


def watch(context: BrowserContext, home: str) -> list[str]:
    """Return a list that fills with what no page of ours may do."""
    faults: list[str] = []

    def sent(request: Request) -> None:
        if not request.url.startswith((f"{home}/", "data:", "blob:", "about:")):
            faults.append(f"request to {request.url}")

    def said(message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            faults.append(message.text)

    context.on("request", sent)
    context.on("console", said)
    context.on("weberror", lambda error: faults.append(str(error.error)))
    return faults


@pytest.fixture
def axe() -> Axe:
    """Fail on any fault axe-core finds in a page by the rules of WCAG 2.2 AA: ``axe(page)``."""
    source = AXE.read_text(encoding="utf-8")

    def check(page: Page) -> None:
        with with_script(page) as readable:
            readable.evaluate(source)
            result = readable.evaluate(RUN_AXE, WCAG)
        faults = [
            f"{fault['id']}: {fault['help']}\n    {node['html'][:300]}"
            for fault in result["violations"]
            for node in fault["nodes"]
        ]
        assert not faults, f"{page.url}\n" + "\n".join(faults)

    return check


@contextmanager
def with_script(page: Page) -> Iterator[Page]:
    """Yield the page, or a copy that runs script where this one does not: axe waits for promises."""
    if page.context not in WITHOUT_SCRIPT:
        yield page
        return
    assert page.context.browser is not None
    html = page.content()
    context = page.context.browser.new_context(
        storage_state=page.context.storage_state(), viewport=page.viewport_size
    )
    context.route(page.url, lambda route: route.fulfill(body=html, content_type="text/html; charset=utf-8"))
    copy = context.new_page()
    copy.goto(page.url)
    yield copy
    context.close()


@pytest.fixture
def fits() -> Callable[[Page], None]:
    """Fail where a page is wider than its screen: ``fits(page)``."""

    def check(page: Page) -> None:
        width = page.evaluate("document.documentElement.scrollWidth")
        assert page.viewport_size is not None
        assert width <= page.viewport_size["width"], f"{page.url} is {width} pixels wide"

    return check
