"""What stands around every page: where home is, the ways to other pages, the same page in other languages."""

import re
from collections.abc import Sequence
from typing import Any

from flask import has_request_context, request
from flask_babel import gettext as _

from citizenvoice.config import LANGUAGES
from citizenvoice.web import languages

MANAGE = "/manage"
BELONGS = (  # pages that belong to a part of the site their address does not begin with
    (re.compile(rf"{MANAGE}/services/(new|[^/]+/(edit|stages|volumes))(/|$)"), f"{MANAGE}/agencies"),
    (re.compile(rf"{MANAGE}/(api-keys|audit)(/|$)"), f"{MANAGE}/members"),
    (re.compile(rf"{MANAGE}/instruments(/|$)"), f"{MANAGE}/surveys"),
)


def public() -> dict[str, Any]:
    """Return what stands around a public page; it depends on the address alone, never on who is asking."""
    return {
        "home_url": f"/{languages.site_language()}/",
        "footer_links": footer_links(languages.interface_language()),
        "language_links": language_links(),
    }


def footer_links(language: str) -> list[dict[str, str]]:
    """Return the ways to the pages that belong to every page."""
    return [
        {"url": f"/{language}/receipt", "text": _("I have a receipt code")},
        {"url": f"/{language}/privacy", "text": _("Privacy")},
        {"url": f"/{language}/accessibility", "text": _("Accessibility")},
    ]


def language_links(offered: Sequence[str] = LANGUAGES) -> list[dict[str, Any]]:
    """Return the ways to this page in each language it has; none where the address names none of them."""
    path = request.path if has_request_context() else ""
    current, slash, rest = path.removeprefix("/").partition("/")
    if not slash or current not in offered or request.method != "GET":
        return []
    return [
        {
            "code": code,
            "name": languages.own_name(code),
            "url": f"/{code}/{rest}",
            "direction": languages.direction(code),
            "current": code == current,
        }
        for code in offered
    ]


def managers(*, is_owner: bool) -> dict[str, Any]:
    """Return what stands around a page for somebody who is signed in."""
    ways = [
        (f"{MANAGE}/", _("Services")),
        (f"{MANAGE}/comments", _("Comments")),
        (f"{MANAGE}/surveys", _("Surveys")),
        (f"{MANAGE}/agencies", _("Catalogue")),
    ]
    if is_owner:
        ways.append((f"{MANAGE}/members", _("Members")))
    ways.append((f"{MANAGE}/account", _("Account")))
    current = current_way([url for url, _text in ways], request.path)
    return {
        "navigation": [{"url": url, "text": text, "current": url == current} for url, text in ways],
        "footer_links": footer_links(languages.interface_language()),
    }


def current_way(urls: list[str], path: str) -> str:
    """Return the way that leads to the part of the site a page belongs to.

    >>> current_way(["/manage/", "/manage/surveys"], "/manage/surveys/csat/share")
    '/manage/surveys'
    >>> current_way(["/manage/", "/manage/surveys"], "/manage/services/passports")
    '/manage/'
    >>> current_way(["/manage/", "/manage/agencies"], "/manage/services/passports/volumes")
    '/manage/agencies'
    """
    path = next((way for pattern, way in BELONGS if way in urls and pattern.match(path)), path)
    longest = sorted((url for url in urls if f"{path}/".startswith(f"{url.rstrip('/')}/")), key=len)
    return longest[-1] if longest else ""
