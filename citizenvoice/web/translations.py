"""The interface's translations, read from the catalogues translators edit: nothing is compiled beforehand."""

from functools import cache, cached_property
from io import BytesIO
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from flask_babel import Babel, Domain, get_locale

from citizenvoice.config import ROOT

FOLDER = ROOT / "citizenvoice" / "translations"


class CatalogueDomain(Domain):  # type: ignore[misc]  # Flask-Babel has no types
    """The messages of our catalogues, in the language of the request."""

    def get_translations(self) -> NullTranslations:
        """Return the translations of this request; without one messages stand for themselves."""
        locale = get_locale()
        return translations_in(str(locale)) if locale else NullTranslations()


class CatalogueBabel(Babel):  # type: ignore[misc]  # Flask-Babel has no types
    """Flask-Babel, speaking from our catalogues."""

    @cached_property
    def domain_instance(self) -> CatalogueDomain:
        """Return where messages are looked up."""
        return CatalogueDomain(domain=self.domain)


@cache
def translations_in(language: str) -> NullTranslations:
    """Return the translations of a language or of what it is a variety of, read once a process."""
    for name in (language, language.partition("_")[0]):
        path = catalogue_path(name)
        if path.is_file():
            return _compiled(path)
    return NullTranslations()


def catalogue_path(language: str) -> Path:
    """Return where the catalogue of a language is kept."""
    return FOLDER / language / "LC_MESSAGES" / "messages.po"


def _compiled(path: Path) -> Translations:
    with path.open("rb") as lines:
        catalogue = read_po(lines)
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return Translations(compiled)
