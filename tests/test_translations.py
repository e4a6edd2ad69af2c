"""The interface is in Spanish, what citizens meet in Arabic too, and no catalogue holds stale sentences."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po
from bs4 import BeautifulSoup
from flask import Flask
from flask_babel import force_locale, gettext
from jinja2 import Environment, FileSystemLoader, meta
from werkzeug.test import TestResponse

from citizenvoice.accounts.scope import Role
from citizenvoice.config import (
    ANSWERING_LANGUAGES,
    CITIZEN_LANGUAGES,
    LANGUAGES,
    SOURCE_LANGUAGE,
    ConfigError,
    config_from,
)
from citizenvoice.web.translations import FOLDER, catalogue_path
from tests.factories import AgencyFactory
from tests.integration.answering.asking import FIRST, address, code_on, live_survey, send
from tests.members import member_of, sign_in
from tests.pages import PageClient
from tests.servers import ROOT

COMPLETE = tuple(language for language in LANGUAGES if language != SOURCE_LANGUAGE)
CITIZENS_PAGES = (
    "surveys/respond/*.html",
    "reporting/receipt_*.html",
    "errors/*.html",
    "layouts/public.html",
)
PROMISES = ("catalogue/privacy.html", "catalogue/accessibility.html")
CITIZENS_MODULES = (
    "agencies/models.py",  # names of channels
    "reporting/receipts.py",
    "reporting/views/receipt.py",
    "surveys/queries.py",  # why there is nothing to answer
    "surveys/validation.py",
    "surveys/values.py",
    "surveys/views/respond.py",
    "web/formats.py",
    "web/surroundings.py",
)
CATALOGUES = sorted(FOLDER.glob("*/LC_MESSAGES/messages.po"))
KEYWORDS = {
    "_": None,
    "_l": None,
    "N_": None,
    "gettext": None,
    "lazy_gettext": None,
    "ngettext": (1, 2),
    "lazy_ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
    "lazy_pgettext": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%%")


class Sentence(NamedTuple):
    """What identifies a message in a catalogue."""

    text: str
    context: str | None


@cache
def sentences() -> dict[Sentence, set[str]]:
    """Return every sentence of code and templates, with the files it stands in."""
    with (ROOT / "babel.cfg").open() as lines:
        methods, options = parse_mapping_cfg(lines)
    catalogue = Catalog()
    for file, _line, message, _comments, context in extract_from_dir(
        ROOT, methods, options, keywords=KEYWORDS
    ):
        catalogue.add(message, locations=[(file, 0)], context=context)
    return {key(message): {file for file, _line in message.locations} for message in catalogue if message.id}


@cache
def citizens_files() -> frozenset[str]:
    """Return the files whose sentences meet whoever answers a survey: pages with all they are made of."""
    folder = ROOT / "templates"
    environment = Environment(
        loader=FileSystemLoader(folder), extensions=["jinja2.ext.i18n"], autoescape=True
    )
    waiting = [str(path.relative_to(folder)) for pattern in CITIZENS_PAGES for path in folder.glob(pattern)]
    waiting += PROMISES
    templates: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name not in templates:
            templates.add(name)
            tree = environment.parse((folder / name).read_text())
            waiting += [other for other in meta.find_referenced_templates(tree) if other]
    return frozenset(
        {f"templates/{name}" for name in templates} | {f"citizenvoice/{name}" for name in CITIZENS_MODULES}
    )


def missing(language: str, among: frozenset[str] | None = None) -> list[str]:
    """Return what a catalogue does not translate of all sentences, or of those in some files."""
    done = {key(m) for m in messages_of(catalogue_path(language)) if is_translated(m) and not m.fuzzy}
    return [
        f"{min(files)}: {sentence.text}"
        for sentence, files in sentences().items()
        if sentence not in done and (among is None or files & among)
    ]


def key(message: Message) -> Sentence:
    singular = message.id if isinstance(message.id, str) else message.id[0]
    return Sentence(singular, message.context)


def messages_of(path: Path) -> Iterator[Message]:
    """Yield the messages of a catalogue, its header left out."""
    with path.open("rb") as lines:
        yield from (message for message in read_po(lines) if message.id)


@pytest.mark.parametrize("language", COMPLETE)
def test_every_sentence_is_translated(language: str) -> None:
    assert missing(language) == [], "run `make messages`, then fill in the catalogue"


@pytest.mark.parametrize("language", CITIZEN_LANGUAGES)
def test_every_sentence_that_citizens_meet_is_translated(language: str) -> None:
    assert all((ROOT / file).is_file() for file in citizens_files())
    assert missing(language, citizens_files()) == [], "run `make messages`, then fill in the catalogue"


@pytest.mark.parametrize("language", [*COMPLETE, *CITIZEN_LANGUAGES])
def test_a_catalogue_forms_plurals_as_its_language_does(language: str) -> None:
    with catalogue_path(language).open("rb") as lines:
        catalogue = read_po(lines)
    n_forms = {len(forms(m.string)) for m in catalogue if isinstance(m.id, tuple) and is_translated(m)}

    assert catalogue.plural_forms == Catalog(locale=language).plural_forms
    assert n_forms == {catalogue.num_plurals}


def is_translated(message: Message) -> bool:
    return all(forms(message.string))


def forms(text: str | tuple[str, ...] | list[str] | None) -> tuple[str, ...]:
    """Return the singular and plurals of a message or of its translation."""
    return (text,) if isinstance(text, str) else tuple(text or ("",))


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parts[-3])
def test_no_sentence_is_kept_that_nobody_says_any_more(path: Path) -> None:
    stale = [message.id for message in messages_of(path) if key(message) not in sentences()]

    assert stale == [], "run `make messages`"


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parts[-3])
def test_translations_keep_every_placeholder(path: Path) -> None:
    for message in messages_of(path):
        singular, plural = (set(PLACEHOLDER.findall(text)) for text in (forms(message.id) * 2)[:2])
        *others, most = (set(PLACEHOLDER.findall(text)) for text in forms(message.string))
        if is_translated(message):
            assert most == plural, message.id
            assert all(used <= singular | plural for used in others), message.id


def test_the_application_speaks_from_the_catalogue(app: Flask) -> None:
    message = next(m for m in messages_of(catalogue_path("es")) if isinstance(m.id, str) and m.string != m.id)

    with app.test_request_context(), force_locale("es"):
        assert gettext(str(message.id)).replace("%%", "%") == str(message.string).replace("%%", "%")


def words_of(page: TestResponse) -> list[str]:
    """Return the pieces of text that a reader sees or hears of a page."""
    shown = BeautifulSoup(page.text, "html.parser")
    spoken = [str(tag["aria-label"]) for tag in shown.select("[aria-label]")]
    return [text for text in (*shown.stripped_strings, *spoken) if any(letter.isalpha() for letter in text)]


def is_in(language: str, page: TestResponse) -> bool:
    """Tell whether a page says it is in a language, and says none of our sentences as they are in English."""
    html = BeautifulSoup(page.text, "html.parser").html
    assert html is not None
    english = {sentence.text for sentence in sentences()} & set(words_of(page)) - {"citizenvoice"}
    return html["lang"] == language and html["dir"] == "rtl" and not english


def test_whoever_answers_in_arabic_meets_nothing_but_arabic(client: PageClient) -> None:
    first = client.get(address(live_survey(), "ar"))
    sent_back = send(client, first, q1="", why="")
    second = send(client, first, **FIRST)
    third = send(client, second, q2="1", improve="")
    receipt = send(client, third)
    kept = client.post("/ar/receipt", data={"code": code_on(receipt)})
    asked = client.post("/ar/receipt/withdraw", data={"code": code_on(receipt)})
    wrong = client.post("/ar/receipt", data={"code": "x"})

    assert [page.status_code for page in (sent_back, receipt, kept, wrong)] == [422, 200, 200, 422]
    for page in (first, sent_back, second, third, receipt, kept, asked, wrong):
        assert is_in("ar", page), words_of(page)


@pytest.mark.parametrize("page", ["receipt", "privacy", "accessibility", "nothing-is-here"])
def test_the_pages_around_answering_are_arabic(client: PageClient, page: str) -> None:
    found = client.get(f"/ar/{page}")

    assert is_in("ar", found), words_of(found)


def test_nothing_offers_a_language_that_is_not_there(client: PageClient) -> None:
    service = live_survey().services[0]
    service.is_public = True
    home = f"/en/services/{service.slug}"
    pages = {
        path: client.get(path) for path in ("/en/", home, "/manage/sign-in", "/ar/privacy", "/ar/receipt")
    }
    linked = {
        str(link["href"])
        for page in pages.values()
        for link in BeautifulSoup(page.text, "html.parser").select("a")
    }
    in_arabic = {path for path in linked if path.startswith("/ar/")}

    assert {page.status_code for page in pages.values()} == {200}
    assert in_arabic == {"/ar/receipt", "/ar/privacy", "/ar/accessibility"}
    assert {client.get(path).status_code for path in in_arabic} == {200}
    assert client.get("/ar/").status_code == 404
    assert client.get("/", headers={"Accept-Language": "ar, es;q=0.5"}).location == "/es/"


def test_each_language_we_answer_in_has_a_catalogue_and_no_other() -> None:
    assert {path.parts[-3] for path in CATALOGUES} == set(ANSWERING_LANGUAGES) - {SOURCE_LANGUAGE}


def test_agencies_have_their_name_in_the_language_of_the_page(client: PageClient) -> None:
    agency = AgencyFactory.create(name="Land Registry", names={"es": "Registro de la Propiedad"})
    sign_in(client, user := member_of(agency, Role.OWNER))
    said = {}
    for language in LANGUAGES:
        user.language = language
        for path in ("/manage/account", "/manage/members", "/manage/members/invite", "/manage/audit"):
            said[language, path] = " ".join(words_of(client.get(path)))

    assert all(
        ("Registro de la Propiedad" in text) == (language == "es") for (language, _), text in said.items()
    )
    assert all(("Land Registry" in text) == (language == "en") for (language, _), text in said.items())


def test_the_frame_on_another_page_is_named_in_its_own_language(client: PageClient) -> None:
    survey = live_survey()
    survey.services[0].names = {"es": "Pasaportes"}
    sign_in(client, user := member_of(survey.agency, Role.MANAGER))
    user.language = "es"
    snippets = BeautifulSoup(client.get(f"/manage/surveys/{survey.slug}/share").text, "html.parser").select(
        "pre"
    )

    assert snippets
    assert all(f'title="Tell us about {survey.services[0].name}"' in pre.get_text() for pre in snippets)


def test_an_unknown_default_language_is_refused_at_the_start() -> None:
    with pytest.raises(ConfigError, match="DEFAULT_LANGUAGE"):
        config_from({"SECRET_KEY": "x" * 40, "DEFAULT_LANGUAGE": "ar"})


def test_a_refusal_is_explained_in_the_language_of_the_address(client: PageClient) -> None:
    survey = live_survey()
    data = {"cv-receipt": "XXXX-XXXX-XXXX-XXXX", "cv-section": "more"}
    refused = client.post(address(survey, "es"), data=data)
    absent = client.get("/es/s/none/none")

    assert (refused.status_code, absent.status_code) == (422, 404)
    assert "No encontramos sus respuestas anteriores. Por favor, empiece de nuevo." in words_of(refused)
    assert any("no hay ninguna encuesta que se pueda responder" in words for words in words_of(absent))
