"""The bases of forms: what WTForms would say by itself is said in our words, in the language of the page."""

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _
from flask_wtf import FlaskForm
from wtforms import Form

from citizenvoice.errors import N_

_NOT_OFFERED = N_("Choose from what is offered here.")
_WHOLE = N_("Enter a whole number, such as 5.")
_NUMBER = N_("Enter a number, such as 25.")

# What WTForms says, and what a person can do about it. Of singular and plural the plural stands here.
OWN_WORDS: Mapping[str, str] = {
    "This field is required.": N_("This is needed."),
    "Invalid input.": N_("This is not written the way it must be."),
    "Invalid Choice: could not coerce.": _NOT_OFFERED,
    "Invalid choice(s): one or more data inputs could not be coerced.": _NOT_OFFERED,
    "Not a valid choice.": _NOT_OFFERED,
    "'%(value)s' are not valid choices for this field.": _NOT_OFFERED,
    "Not a valid date value.": N_("Write a date that exists as year, month and day, such as 2026-05-31."),
    "Not a valid integer value.": _WHOLE,
    "Not a valid decimal value.": _NUMBER,
    "Not a valid float value.": _NUMBER,
    "Field cannot be longer than %(max)d characters.": N_("Use %(max)d characters or fewer."),
    "Field must be at least %(min)d characters long.": N_("Use %(min)d characters or more."),
    "Field must be between %(min)d and %(max)d characters long.": N_("Use %(min)d to %(max)d characters."),
    "Number must be at least %(min)s.": N_("Enter %(min)s or more."),
    "Number must be at most %(max)s.": N_("Enter %(max)s or less."),
    "Number must be between %(min)s and %(max)s.": N_("Enter a number from %(min)s to %(max)s."),
}


class OwnWords:
    """The words of WTForms replaced by ours; it fills in the values itself."""

    def gettext(self, string: str) -> str:
        """Return a sentence in the language of the page."""
        return str(_(OWN_WORDS.get(string, string)))

    def ngettext(self, _singular: str, plural: str, _number: int) -> str:
        """Return a sentence that fits every number."""
        return self.gettext(plural)


class PageForm(FlaskForm):
    """A form of a page, protected against being sent from elsewhere."""

    class Meta(FlaskForm.Meta):
        """How its fields behave."""

        def get_translations(self, _form: Any) -> OwnWords:
            """Return what says what is wrong."""
            return OwnWords()


class PartForm(Form):
    """A form inside a form, such as one row of several."""

    class Meta:
        """How its fields behave."""

        def get_translations(self, _form: Any) -> OwnWords:
            """Return what says what is wrong."""
            return OwnWords()
