"""The official and common instruments shipped with the program, read from ``instruments/*.json``."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import IO, Any

from citizenvoice.errors import N_, NotFoundError
from citizenvoice.surveys.definition import Definition
from citizenvoice.surveys.parsing import parse_definition
from citizenvoice.surveys.reading import Text


@dataclass(frozen=True, slots=True)
class Instrument:
    """A questionnaire someone else defined, where it comes from, and what of it must not be changed."""

    key: str
    version: str
    name: Text
    authority: str  # this and the next three to be translated
    source: str
    licence: str
    notes: tuple[str, ...]
    official_languages: tuple[str, ...]  # the others are our own translations
    max_questions: int | None
    optional_questions: tuple[str, ...]  # locked, but may be left out
    variants: Mapping[str, tuple[Text, ...]]  # question -> other wordings the authority allows
    required_choices: Mapping[str, tuple[str, ...]]  # question -> choices to keep; others may be left out
    definition: Definition


@cache
def instruments() -> tuple[Instrument, ...]:
    """Return every shipped instrument, ordered by key."""
    folder = files("citizenvoice.surveys.instruments")
    names = sorted(item.name for item in folder.iterdir() if item.name.endswith(".json"))
    return tuple(_instrument(json.loads(folder.joinpath(name).read_text("utf-8"))) for name in names)


def get_instrument(key: str) -> Instrument:
    """Return the instrument, or raise NotFoundError."""
    for instrument in instruments():
        if instrument.key == key:
            return instrument
    raise NotFoundError(N_("There is no instrument “%(key)s”."), key=key)


def find_instrument(key: str | None) -> Instrument | None:
    """Return the instrument, or None."""
    return next((instrument for instrument in instruments() if instrument.key == key), None)


def sentences(
    file: IO[bytes], *_keywords: object, **_options: object
) -> Iterator[tuple[int, None, str, list[str]]]:
    """Yield what a file says about its instrument in English, for `make messages` to collect."""
    data = json.load(file)
    for text in (data["authority"], data["source"], data["licence"], *data["notes"]):
        yield 1, None, text, []


def _instrument(data: dict[str, Any]) -> Instrument:
    definition = parse_definition(
        {**data["definition"], "instrument": data["key"], "instrument_version": data["version"]}
    )
    return Instrument(
        key=data["key"],
        version=data["version"],
        name=data["name"],
        authority=data["authority"],
        source=data["source"],
        licence=data["licence"],
        notes=tuple(data["notes"]),
        official_languages=tuple(
            code for code in definition.languages if data["translation"].get(code) != "unofficial"
        ),
        max_questions=data.get("max_questions"),
        optional_questions=tuple(data.get("optional_questions", ())),
        variants={key: tuple(texts) for key, texts in data.get("variants", {}).items()},
        required_choices={key: tuple(v) for key, v in data.get("required_choices", {}).items()},
        definition=definition,
    )
