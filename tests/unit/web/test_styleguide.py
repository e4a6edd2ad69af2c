import re
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from flask import render_template

from tests.pages import check_page
from tests.unit.web import styleguide

COMPONENTS = sorted((styleguide.ROOT / "templates" / "components").glob("*.html"))
PAGES = [
    ("layouts/public.html", "en", "ltr"),
    ("layouts/public.html", "ar", "rtl"),
    ("layouts/manage.html", "en", "ltr"),
    ("layouts/manage.html", "ar", "rtl"),
]


@pytest.mark.parametrize(("layout", "locale", "direction"), PAGES)
def test_every_component_is_valid_html_with_labelled_controls(
    layout: str, locale: str, direction: str
) -> None:
    html = styleguide.render(layout, locale=locale, direction=direction)

    check_page(html)
    root = BeautifulSoup(html, "html.parser").html
    assert root is not None
    assert (root["lang"], root["dir"]) == (locale, direction)


@pytest.mark.parametrize("layout", ["layouts/public.html", "layouts/manage.html"])
def test_nothing_needs_a_loose_content_security_policy(layout: str) -> None:
    page = BeautifulSoup(styleguide.render(layout), "html.parser")

    assert not page.select("[style], style, script:not([src])")
    assert not [tag for tag in page.find_all() for name in tag.attrs if name.startswith("on")]
    linked = [tag["src"] for tag in page.select("script, img")] + [tag["href"] for tag in page.select("link")]
    assert linked
    assert all(str(address).startswith("/static/") for address in linked)


def test_every_reference_between_elements_leads_somewhere() -> None:
    page = BeautifulSoup(styleguide.render(), "html.parser")
    ids = {tag["id"] for tag in page.select("[id]")}
    pointers = ("aria-describedby", "aria-labelledby", "data-cv-copy", "for")
    named = {
        name
        for pointer in pointers
        for tag in page.select(f"[{pointer}]")
        for name in " ".join(map(str, tag.get_attribute_list(pointer))).split()
    }
    targets = {str(link["href"]).removeprefix("#") for link in page.select(".cv-errors a, .cv-skip")}

    assert named | targets <= ids


@pytest.mark.parametrize("path", COMPONENTS, ids=lambda path: path.stem)
def test_the_style_guide_shows_every_component(path: Path) -> None:
    macros = set(re.findall(r"{% macro ([a-z]\w*)\(", path.read_text()))
    shown = (styleguide.ROOT / "templates" / "styleguide.html").read_text()
    shown_by_others = {"csrf", "hidden", "form_errors", "skip_link", "language_links", "table_frame"}

    assert {name for name in macros - shown_by_others if f"{name}(" not in shown} == set()


def test_every_class_that_is_styled_is_used_or_documented() -> None:
    stylesheet = (styleguide.ROOT / "static" / "citizenvoice.css").read_text()
    folders = [
        ("templates", "*.html"),
        ("citizenvoice/web", "*.py"),
        ("static", "*.js"),
        ("docs", "design.md"),
    ]
    places = [path for folder, glob in folders for path in (styleguide.ROOT / folder).rglob(glob)]
    written = "\n".join(path.read_text() for path in places)
    begun = {f"{name}--" for name in re.findall(r"(cv-[\w-]+?)--\W", written)}
    styled = set(re.findall(r"\.(cv-[\w-]+)", stylesheet))

    assert {
        name for name in styled if name not in written and name.split("--")[0] + "--" not in begun
    } == set()


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("not_found", {}),
        ("forbidden", {}),
        ("bad_request", {}),
        ("server_error", {}),
        ("too_many_requests", {"wait": "Wait 20 seconds."}),
        ("domain_error", {"message": "This survey is closed.", "back_url": "/surveys"}),
    ],
)
def test_every_error_page_says_what_to_do_next(name: str, values: dict[str, str]) -> None:
    with styleguide.create_app().test_request_context("/"):
        html = render_template(f"errors/{name}.html", **values)

    check_page(html)
    for value in values.values():
        assert value in html
