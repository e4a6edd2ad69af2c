"""The forms managers design surveys with."""

from collections.abc import Iterable, Iterator
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import (
    BooleanField,
    Field,
    FieldList,
    FormField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, Length, Optional, Regexp

from citizenvoice.surveys.question_editing import MAX_CONDITIONS
from citizenvoice.web.forms import PageForm, PartForm
from citizenvoice.web.languages import local_name, own_name

SLUG = r"[a-z0-9]+(-[a-z0-9]+)*"
LANGUAGES_OFFERED = (
    *("en", "es", "ar", "de", "fil", "fr", "he", "hi", "id", "it", "ja", "ko", "pl", "pt", "ru"),
    *("sw", "ta", "tr", "uk", "ur", "vi", "zh"),
)


def language_choices(extra: Iterable[str] = ()) -> list[SelectChoice]:
    """Return the languages a survey can be offered in, each by its own name."""
    codes = dict.fromkeys([*LANGUAGES_OFFERED, *extra])
    return [SelectChoice(code, own_name(code)) for code in codes]


def service_choices(services: Iterable[Any]) -> list[SelectChoice]:
    """Return the services a survey can ask about, by name."""
    return [SelectChoice(str(service.id), local_name(service)) for service in services]


class SurveyForm(PageForm):
    """What a survey is called among managers, where it lives, and what it asks about."""

    name = StringField(
        _l("Name"),
        [
            DataRequired(_l("Give the survey a name.")),
            Length(max=200, message=_l("Use 200 characters or fewer.")),
        ],
        description=_l("For you and your colleagues. People who answer see the title instead."),
    )
    slug = StringField(
        _l("Address"),
        [
            Optional(),
            Length(max=80, message=_l("Use 80 characters or fewer.")),
            Regexp(f"^{SLUG}$", message=_l("Use small letters, digits and single hyphens.")),
        ],
        description=_l("The last part of the public address. Leave it empty to have one made from the name."),
    )
    services = SelectMultipleField(_l("Services it asks about"), validate_choice=True)
    languages = SelectMultipleField(
        _l("Languages"), [DataRequired(_l("Choose at least one language."))], validate_choice=True
    )
    default_language = SelectField(
        _l("Main language"),
        description=_l("You write in it first, and it stands in where a translation is missing."),
    )

    def languages_in_order(self) -> list[str]:
        """Return the chosen languages, the main one first."""
        main = str(self.default_language.data)
        return [main, *(code for code in self.languages.data or () if code != main)]


class TextsForm(PageForm):
    """What people read before and after the questions, in the main language."""

    name = StringField(_l("Name"), [DataRequired(_l("Give the survey a name.")), Length(max=200)])
    services = SelectMultipleField(_l("Services it asks about"), validate_choice=True)
    languages = SelectMultipleField(
        _l("Languages"), [DataRequired(_l("Choose at least one language."))], validate_choice=True
    )
    title = StringField(_l("Title"), [DataRequired(_l("Give the questionnaire a title.")), Length(max=300)])
    intro = TextAreaField(_l("Introduction"), [Length(max=5000)])
    thanks = TextAreaField(_l("Words of thanks"), [Length(max=5000)])


class ConditionForm(PartForm):
    """An earlier question and the answers to it."""

    question = SelectField(_l("Question"), validate_choice=False)
    values = SelectMultipleField(_l("Answers"), validate_choice=False)


class ConditionalForm(PageForm):
    """Something that may be shown only after certain answers."""

    match = RadioField(
        _l("When there is more than one"),
        choices=[
            SelectChoice("all", _l("All of them must be true")),
            SelectChoice("any", _l("One of them is enough")),
        ],
        default="all",
    )
    conditions = FieldList(FormField(ConditionForm), min_entries=MAX_CONDITIONS, max_entries=MAX_CONDITIONS)
    drop_condition = BooleanField(_l("Always show it"))

    def built(self) -> list[tuple[str, list[str]]]:
        """Return the rows that name a question: its key and the answers."""
        return [
            (entry.form.question.data, list(entry.form.values.data or ()))
            for entry in self.conditions
            if entry.form.question.data
        ]

    def incomplete(self) -> dict[str, list[str]]:
        """Return what is wrong with rows that name a question and no answer to it."""
        return {
            entry.form.values.id: [_("Choose at least one answer, or take the question away.")]
            for entry in self.conditions
            if entry.form.question.data and not entry.form.values.data
        }


class SectionForm(ConditionalForm):
    """One page of a questionnaire."""

    title = StringField(_l("Heading"), [Length(max=300)], description=_l("May stay empty."))
    intro = TextAreaField(_l("Introduction"), [Length(max=5000)])
    about_you = BooleanField(_l("These questions are about the person"))
    shuffle = BooleanField(_l("Ask the questions in a different order each time"))


class PublishForm(PageForm):
    """A word about what a version changes."""

    note = StringField(
        _l("Note"),
        [Length(max=500, message=_l("Use 500 characters or fewer."))],
        description=_l("For your colleagues: why this version. May stay empty."),
    )


def errors_by_id(fields: Iterable[Field]) -> dict[str, list[str]]:
    """Return the sentences about what is wrong, by the id of the control they are about."""
    return dict(_errors(fields))


def _errors(fields: Iterable[Field]) -> Iterator[tuple[str, list[str]]]:
    for field in fields:
        if isinstance(field, FieldList):
            yield from _errors(field)
        elif isinstance(field, FormField):
            yield from _errors(field.form)
        elif field.errors:
            yield field.id, [str(error) for error in field.errors]
