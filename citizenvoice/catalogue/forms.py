"""The forms of agencies, services, stages and volumes."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any
from zoneinfo import available_timezones

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf.file import FileField, FileRequired
from wtforms import (
    BooleanField,
    DateField,
    Field,
    IntegerField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional, ValidationError

from citizenvoice.agencies.queries import channel_names
from citizenvoice.config import LANGUAGES
from citizenvoice.web.forms import PageForm
from citizenvoice.web.languages import own_name

KINDS = {
    "government": _l("Government"),
    "ministry": _l("Ministry"),
    "agency": _l("Agency"),
    "unit": _l("Unit"),
}
POINTS = {
    "post_interaction": _l("After one interaction"),
    "post_service_journey": _l("At the end of the service"),
    "relational": _l("At any time, about the relationship"),
}
MONTHS = (
    *(_l("January"), _l("February"), _l("March"), _l("April"), _l("May"), _l("June"), _l("July")),
    *(_l("August"), _l("September"), _l("October"), _l("November"), _l("December")),
)
OTHER_LANGUAGE = re.compile(r"([a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*)\s*=\s*(.+)")
CODES = re.compile(r"[,;\s]+")
SLUG = r"[a-z0-9]+(-[a-z0-9]+)*"
ADDRESS_HINT = _l(
    "The last part of its address: small letters, digits and hyphens. Made of the name if empty."
)


@cache
def time_zones() -> tuple[str, ...]:
    """Return the time zones people live in, by name."""
    places = ("Africa/", "America/", "Asia/", "Atlantic/", "Australia/", "Europe/", "Indian/", "Pacific/")
    return ("UTC", *sorted(name for name in available_timezones() if name.startswith(places)))


class ChecklistField(SelectMultipleField):
    """Any number of choices, shown as checkboxes."""


def one_language_a_line(_form: Any, field: Field) -> None:
    """Refuse lines that are not ``fr = Nom``."""
    for number, line in enumerate((field.data or "").splitlines(), 1):
        if line.strip() and not OTHER_LANGUAGE.fullmatch(line.strip()):
            raise ValidationError(_("Line %(number)s is not like “fr = Passeports”.", number=number))


class TranslatedForm(PageForm):
    """A form whose texts are given per language: fields ``name_en`` …, and other languages one a line."""

    def translations(self, name: str) -> dict[str, str]:
        """Return a text by language, without those left empty."""
        found = {code: (self[f"{name}_{code}"].data or "").strip() for code in LANGUAGES}
        for line in (self[f"{name}_others"].data or "").splitlines():
            if match := OTHER_LANGUAGE.fullmatch(line.strip()):
                found[match[1]] = match[2].strip()
        return {code: text for code, text in found.items() if text}

    def fill_translations(self, name: str, texts: Mapping[str, str]) -> None:
        """Show what is known, unless something was typed."""
        for code in LANGUAGES:
            self[f"{name}_{code}"].data = texts.get(code, "")
        self[f"{name}_others"].data = "\n".join(
            f"{code} = {text}" for code, text in texts.items() if code not in LANGUAGES
        )

    def in_languages(self, name: str) -> list[Field]:
        """Return the fields of a text, one a language, then the one for other languages."""
        return [*(self[f"{name}_{code}"] for code in LANGUAGES), self[f"{name}_others"]]


def named(what: str) -> Any:
    """Return a field for a name that is needed."""
    return StringField(what, [DataRequired(_l("Write a name.")), Length(max=200)])


def _names(form: type[TranslatedForm]) -> type[TranslatedForm]:
    """Give a form a name in each language of the interface, and in others."""
    for code in LANGUAGES:
        setattr(form, f"name_{code}", StringField(own_name(code), [Length(max=200)]))
    others = TextAreaField(
        _l("In other languages, one a line"),
        [one_language_a_line, Length(max=4000)],
        description=_l("The code of the language, “=” and the name, such as “fr = Passeports”."),
    )
    form.name_others = others
    return form


@_names
class AgencyForm(TranslatedForm):
    """An agency."""

    name = named(_l("Name"))
    slug = StringField(_l("Address"), [Optional(), Length(max=80)], description=ADDRESS_HINT)
    parent = SelectField(_l("Below"), description=_l("Members of an agency see everything below it."))
    kind = RadioField(_l("Kind"), choices=[SelectChoice(code, name) for code, name in KINDS.items()])
    time_zone = SelectField(
        _l("Time zone"),
        description=_l("A day is a calendar day there. Days already counted stay as they are."),
    )
    fiscal_year_start = SelectField(
        _l("The fiscal year starts in"),
        coerce=int,
        choices=[SelectChoice(number, name) for number, name in enumerate(MONTHS, 1)],
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = list(time_zones())
        if (
            self.time_zone.data
            and self.time_zone.data not in known
            and self.time_zone.data in available_timezones()
        ):
            known.append(self.time_zone.data)
        self.time_zone.choices = [SelectChoice(name, name.replace("_", " ")) for name in known]


class MoveForm(PageForm):
    """Where an agency goes."""

    parent = SelectField(_l("Below"))


@_names
class ServiceForm(TranslatedForm):
    """A service."""

    name = named(_l("Name"))
    slug = StringField(_l("Address"), [Optional(), Length(max=80)], description=ADDRESS_HINT)
    agency = SelectField(_l("Agency"))
    description = TextAreaField(
        _l("What it is for"),
        [Length(max=2000)],
        description=_l("One or two sentences in plain words; shown on its public page."),
    )
    languages = StringField(
        _l("Languages it is offered in"),
        [DataRequired(_l("Name at least one language by its code, such as “en”."))],
        description=_l("Codes with commas between them, such as “en, es”."),
    )
    channels = ChecklistField(_l("How people reach it"), [DataRequired(_l("Choose at least one channel."))])
    external_id = StringField(
        _l("Id in another system"), [Length(max=80)], description=_l("Imports may name the service by it.")
    )
    is_public = BooleanField(_l("It has a public page"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.channels.choices = [SelectChoice(code, _(name)) for code, name in channel_names().items()]

    def language_codes(self) -> list[str]:
        """Return the codes of the languages."""
        return [code for code in CODES.split((self.languages.data or "").strip()) if code]


for _code in LANGUAGES:
    setattr(ServiceForm, f"description_{_code}", TextAreaField(own_name(_code), [Length(max=2000)]))
ServiceForm.description_others = TextAreaField(
    _l("In other languages, one a line"),
    [one_language_a_line, Length(max=8000)],
    description=_l("The code of the language, “=” and the text on one line."),
)


class VolumeForm(PageForm):
    """How many people were served in a period."""

    channel = SelectField(_l("Channel"))
    start = DateField(_l("First day"), [InputRequired(_l("Choose the first day."))])
    last_day = DateField(_l("Last day"), [InputRequired(_l("Choose the last day."))])
    n_served = IntegerField(
        _l("People served"),
        [InputRequired(_l("Write a whole number.")), NumberRange(min=0, max=2_000_000_000)],
    )
    n_offered = IntegerField(
        _l("Of these, offered a survey"),
        [Optional(), NumberRange(min=0, max=2_000_000_000)],
        description=_l("Leave empty if it is not known."),
    )


class UploadForm(PageForm):
    """A CSV file of the catalogue."""

    file = FileField(_l("CSV file"), [FileRequired(_l("Choose the file first."))])
