"""Which language a page speaks, and which way it runs."""

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
    return request.accept_languages.best_match(LANGUAGES) or str(current_app.config["BABEL_DEFAULT_LOCALE"])


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
