"""Which language a page speaks, and which way it runs."""

from collections.abc import Iterable, Mapping
from typing import Protocol

from babel import Locale
from flask import current_app, g, has_request_context, request
from markupsafe import Markup

from citizenvoice.config import ANSWERING_LANGUAGES, LANGUAGES

RIGHT_TO_LEFT = frozenset({"ar", "arc", "dv", "fa", "he", "ku", "ps", "sd", "ug", "ur", "yi"})


class Named(Protocol):
    """What has a name, and the name in other languages."""

    @property
    def name(self) -> str:
        """The name in the language it was first given."""

    @property
    def names(self) -> Mapping[str, str]:
        """The name by the code of a language."""


def page_language() -> str:
    """Return the language of the page being made; pages that know better set it with ``speak``."""
    if not has_request_context():
        return str(current_app.config["BABEL_DEFAULT_LOCALE"])
    return str(g.get("language") or _addressed() or best_language())


def _addressed() -> str | None:
    """Return the language at the head of the address, for pages that say why there is no other page."""
    first = request.path.split("/", 2)[1:2]
    return first[0] if first and first[0] in ANSWERING_LANGUAGES else None


def best_language() -> str:
    """Return the interface language the browser asks for, or the default."""
    return best_of(LANGUAGES) or str(current_app.config["BABEL_DEFAULT_LOCALE"])


def best_of(offered: Iterable[str]) -> str | None:
    """Return the language the browser likes best of those offered, if any; Mexican Spanish may be Spanish."""
    offers = {language.lower(): language for language in offered}
    for wanted, quality in request.accept_languages:  # the best first
        for code in (wanted.lower(), wanted.lower().partition("-")[0]):
            if quality > 0 and code in offers:
                return offers[code]
    return None


def speak(language: str) -> None:
    """Make the rest of this request in a language."""
    g.language = language
    g.pop("_flask_babel", None)  # Flask-Babel remembers the locale it chose


def interface_language() -> str:
    """Return the language of the interface's own words: the page's, if there are words in it."""
    language = page_language()
    for code in (language, _base(language)):
        if code in ANSWERING_LANGUAGES:
            return code
    return str(current_app.config["BABEL_DEFAULT_LOCALE"])


def site_language() -> str:
    """Return the language in which to go on to pages that citizens' languages do not have."""
    language = interface_language()
    return language if language in LANGUAGES else str(current_app.config["BABEL_DEFAULT_LOCALE"])


def local_name(named: Named) -> str:
    """Return what an agency or a service is called in the language of the page."""
    return named.names.get(page_language()) or named.name


def ours(text: str) -> str:
    """Mark words of the interface with their language where the page is in one we have no words for."""
    mark = our_language()
    return Markup("<span{}>{}</span>").format(mark, text) if mark else text


def our_language() -> Markup:
    """Return the attributes of an element that holds the interface's words; none where they fit the page."""
    page, own = page_language(), interface_language()
    return (
        Markup("")
        if own in (page, _base(page))
        else Markup(' lang="{}" dir="{}"').format(own, direction(own))
    )


def _base(language: str) -> str:
    return language.split("-")[0].split("_")[0]


def direction(language: str) -> str:
    """Return ``rtl`` or ``ltr``."""
    return "rtl" if _base(language) in RIGHT_TO_LEFT else "ltr"


def own_name(language: str) -> str:
    """Return a language's name in itself: ``español``."""
    try:
        return Locale.parse(language.replace("-", "_")).get_display_name() or language
    except ValueError:
        return language
