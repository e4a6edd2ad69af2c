"""Every sentence of the interface has a complete Spanish translation, and no catalogue holds stale ones."""

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
from flask import Flask
from flask_babel import force_locale, gettext

from citizenvoice.web.translations import FOLDER, catalogue_path
from tests.servers import ROOT

COMPLETE = ("es",)
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
def sentences() -> dict[Sentence, str]:
    """Return every sentence of code and templates, with the file it stands in."""
    with (ROOT / "babel.cfg").open() as lines:
        methods, options = parse_mapping_cfg(lines)
    catalogue = Catalog()
    for file, _line, message, _comments, context in extract_from_dir(
        ROOT, methods, options, keywords=KEYWORDS
    ):
        catalogue.add(message, locations=[(file, 0)], context=context)
    return {key(message): message.locations[0][0] for message in catalogue if message.id}


def key(message: Message) -> Sentence:
    singular = message.id if isinstance(message.id, str) else message.id[0]
    return Sentence(singular, message.context)


def messages_of(path: Path) -> Iterator[Message]:
    """Yield the messages of a catalogue, its header left out."""
    with path.open("rb") as lines:
        yield from (message for message in read_po(lines) if message.id)


@pytest.mark.parametrize("language", COMPLETE)
def test_every_sentence_is_translated(language: str) -> None:
    done = {key(m) for m in messages_of(catalogue_path(language)) if is_translated(m) and not m.fuzzy}
    missing = [f"{file}: {sentence.text}" for sentence, file in sentences().items() if sentence not in done]

    assert missing == [], f"{len(missing)} to translate: run `make messages`, then fill in the catalogue"


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
