"""Which language a page speaks, and which way it runs."""

from collections.abc import Iterable

from babel import Locale
from flask import current_app, g, has_request_context, request

from citizenvoice.config import LANGUAGES

RIGHT_TO_LEFT = frozenset({"ar", "arc", "dv", "fa", "he", "ku", "ps", "sd", "ug", "ur", "yi"})


def page_language() -> str:
    """Return the language of the page being made; pages that know better set it with ``speak``."""
    if not has_request_context():
        return str(current_app.config["BABEL_DEFAULT_LOCALE"])
    return str(g.get("language") or best_language())


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
    """Return the language of the interface's own words: the page's, if we are translated into it."""
    language = page_language()
    return language if language in LANGUAGES else str(current_app.config["BABEL_DEFAULT_LOCALE"])


def direction(language: str) -> str:
    """Return ``rtl`` or ``ltr``."""
    return "rtl" if language.split("-")[0].split("_")[0] in RIGHT_TO_LEFT else "ltr"


def own_name(language: str) -> str:
    """Return a language's name in itself: ``español``."""
    try:
        return Locale.parse(language.replace("-", "_")).get_display_name() or language
    except ValueError:
        return language
