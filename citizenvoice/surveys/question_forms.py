"""The forms managers write questions with: one for each kind, and what kinds and roles are called."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import (
    BooleanField,
    DecimalField,
    FieldList,
    FormField,
    HiddenField,
    IntegerField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, Length, Optional

from citizenvoice.errors import N_
from citizenvoice.surveys.definition import Kind
from citizenvoice.surveys.forms import ConditionalForm
from citizenvoice.surveys.reading import Problem
from citizenvoice.web.forms import PageForm, PartForm

LARGEST_AMOUNT = 10**15

KIND_NAMES = {
    Kind.SCALE: N_("Rating scale"),
    Kind.SINGLE: N_("Choose one"),
    Kind.MULTIPLE: N_("Choose several"),
    Kind.TEXT: N_("Free text"),
    Kind.NUMBER: N_("Number"),
}
KIND_HINTS = {
    Kind.SCALE: N_("From 2 to 11 points, such as from strongly disagree to strongly agree."),
    Kind.SINGLE: N_("One answer out of a list."),
    Kind.MULTIPLE: N_("Any number of answers out of a list."),
    Kind.TEXT: N_("In people's own words. Personal details are taken out before it is stored."),
    Kind.NUMBER: N_("A count, an amount or an age; about people always kept in ranges."),
}
DISPLAY_NAMES = {
    "radio": N_("A row or list of words"),
    "numbers": N_("Numbers, with words at both ends"),
    "faces": N_("Faces beside the words"),
    "thumbs": N_("Thumbs beside the words (two points)"),
}
ROLE_NAMES: dict[str, str] = {
    "satisfaction": N_("Satisfaction"),
    "overall": N_("Overall rating"),
    "trust": N_("Trust"),
    "effectiveness": N_("Effectiveness: the need was met"),
    "ease": N_("Ease"),
    "efficiency": N_("Efficiency: the time it took"),
    "transparency": N_("Transparency"),
    "employee": N_("Helpfulness of employees"),
    "humanity": N_("Humanity: fair and with respect"),
    "recommend": N_("Would recommend"),
    "effort": N_("Effort"),
    "csat": N_("Customer satisfaction (CSAT)"),
    "nps": N_("Net promoter (0–10)"),
    "ces": N_("Customer effort (CES)"),
    "gds": N_("GDS satisfaction"),
    "fft": N_("NHS Friends and Family Test"),
    "client_type": N_("Kind of client"),
    "drivers_positive": N_("What went well"),
    "drivers_negative": N_("What went badly"),
    "age": N_("Age"),
    "sex": N_("Sex or gender"),
    "region": N_("Region"),
    "residence": N_("Where people live"),
    "income": N_("Income"),
    "comment": N_("Comment"),
    "good": N_("What was good"),
    "improve": N_("What could be better"),
    "why": N_("Reason for a rating"),
}
_ABOUT_YOU = ("client_type", "age", "sex", "region", "residence", "income")
_KIND_ROLES: Mapping[Kind, tuple[str, ...]] = {
    Kind.SCALE: (*list(ROLE_NAMES)[:16], *_ABOUT_YOU),
    Kind.SINGLE: _ABOUT_YOU,
    Kind.MULTIPLE: ("drivers_positive", "drivers_negative"),
    Kind.TEXT: ("comment", "good", "improve", "why"),
    Kind.NUMBER: _ABOUT_YOU,
}


class WholeField(IntegerField):
    """A whole number, or nothing."""

    def process_formdata(self, valuelist: Sequence[str]) -> None:
        """Read figures; remember what was typed where they are none."""
        try:
            super().process_formdata(valuelist)
        except ValueError:
            raise ValueError(_("Enter a whole number, such as 5.")) from None


class AmountField(DecimalField):
    """A number with or without decimals, or nothing."""

    data: Any

    def process_formdata(self, valuelist: Sequence[str]) -> None:
        """Read figures; what cannot be counted with, such as “NaN”, is no number."""
        try:
            super().process_formdata(valuelist)
        except ValueError:
            raise ValueError(_("Enter a number, such as 25.")) from None
        if self.data is None:
            return
        if not self.data.is_finite():
            self.data = None
            raise ValueError(_("Enter a number, such as 25."))
        if self.data.copy_abs() > LARGEST_AMOUNT:
            self.data = None
            raise ValueError(_("Enter a smaller number."))

    def plain(self) -> int | float | None:
        """Return the number as JSON writes it."""
        if self.data is None:
            return None
        return int(self.data) if self.data == int(self.data) else float(self.data)


class QuestionForm(ConditionalForm):
    """What every question has."""

    text = TextAreaField(_l("Question"), [DataRequired(_l("Write the question.")), Length(max=5000)])
    hint = TextAreaField(_l("Hint"), [Length(max=5000)], description=_l("A line of help under the question."))
    required = BooleanField(_l("People must answer it"))
    role = SelectField(
        _l("What it measures"),
        validate_choice=False,
        description=_l("Lets the right figures be made of it. Nothing is fine too."),
    )

    def typed(self) -> dict[str, Any]:
        """Return what was typed, as `question_from` takes it."""
        return {name: value for name, value in self.data.items() if name != "csrf_token"}


class PointForm(PartForm):
    """One point of a scale."""

    was = HiddenField()
    value = WholeField(_l("Value"), [Optional()])
    label = StringField(_l("Words"), [Length(max=500)])


class ChoiceForm(PartForm):
    """One answer to choose."""

    was = HiddenField()
    label = StringField(_l("Words"), [Length(max=500)])


class BandForm(PartForm):
    """A range of numbers, both ends included."""

    was = HiddenField()
    label = StringField(_l("Words"), [Length(max=500)])
    minimum = WholeField(_l("From"), [Optional()])
    maximum = WholeField(_l("To"), [Optional()])


class ScaleForm(QuestionForm):
    """A rating scale."""

    points = FieldList(FormField(PointForm), label=_l("Points"), max_entries=12)
    display = RadioField(
        _l("How it looks"),
        choices=[SelectChoice(value, _l(name)) for value, name in DISPLAY_NAMES.items()],
        default="radio",
    )
    polarity = RadioField(
        _l("What is good"),
        choices=[
            SelectChoice("up", _l("A higher value is better")),
            SelectChoice("down", _l("A lower value is better")),
        ],
        default="up",
    )
    has_not_applicable = BooleanField(_l("Offer “does not apply”"))
    not_applicable = StringField(_l("Words for “does not apply”"), [Length(max=300)])
    has_dont_know = BooleanField(_l("Offer “don't know”"))
    dont_know = StringField(_l("Words for “don't know”"), [Length(max=300)])


class SingleForm(QuestionForm):
    """One answer out of a list."""

    choices = FieldList(FormField(ChoiceForm), label=_l("Answers"), max_entries=300)


class MultipleForm(SingleForm):
    """Several answers out of a list."""

    max_choices = WholeField(
        _l("At most"), [Optional()], description=_l("How many answers people may choose. Empty: any number.")
    )


class TextForm(QuestionForm):
    """Free text."""

    max_chars = WholeField(
        _l("Longest answer, in characters"), [DataRequired(_l("Give a length."))], default=1200
    )
    rows = WholeField(_l("Lines shown"), [DataRequired(_l("Give a number of lines."))], default=5)


class NumberForm(QuestionForm):
    """A number, within limits or in ranges."""

    minimum = AmountField(_l("Smallest"), [Optional()], places=None)
    maximum = AmountField(_l("Largest"), [Optional()], places=None)
    integer = BooleanField(_l("Whole numbers only"))
    bands = FieldList(FormField(BandForm), label=_l("Ranges"), max_entries=50)

    def typed(self) -> dict[str, Any]:
        """Return what was typed, numbers as JSON writes them."""
        return {**super().typed(), "minimum": self.minimum.plain(), "maximum": self.maximum.plain()}


class LockedForm(PageForm):
    """What may change of an official question without changing its wording."""

    hint = TextAreaField(_l("Hint"), [Length(max=5000)])
    required = BooleanField(_l("People must answer it"))
    wording = RadioField(_l("Wording"), coerce=int, validate_choice=True)
    choices = SelectMultipleField(_l("Answers to offer"), validate_choice=True)


class KindForm(PageForm):
    """What a new question asks for."""

    kind = RadioField(
        _l("What kind of question?"),
        [DataRequired(_l("Choose what kind of question it is."))],
        choices=[SelectChoice(str(kind), _l(name)) for kind, name in KIND_NAMES.items()],
    )


class UnderstoodForm(PageForm):
    """A step that asks once."""

    understood = BooleanField(
        _l("I understand that the official label is given up"),
        [DataRequired(_l("Tick the box if you want to change the official wording."))],
    )


QUESTION_FORMS: Mapping[Kind, type[QuestionForm]] = {
    Kind.SCALE: ScaleForm,
    Kind.SINGLE: SingleForm,
    Kind.MULTIPLE: MultipleForm,
    Kind.TEXT: TextForm,
    Kind.NUMBER: NumberForm,
}
ROWS = {Kind.SCALE: "points", Kind.SINGLE: "choices", Kind.MULTIPLE: "choices", Kind.NUMBER: "bands"}


def role_choices(kind: Kind, current: str) -> list[SelectChoice]:
    """Return what a question of a kind can measure; a role it has already is among it."""
    known = dict.fromkeys([*_KIND_ROLES[kind], *([current] if current else [])])
    return [
        SelectChoice("", _("Nothing in particular")),
        *(SelectChoice(role, _(ROLE_NAMES[role]) if role in ROLE_NAMES else role) for role in known),
    ]


def errors_of_question(problems: Iterable[Problem], form: QuestionForm, prefix: str) -> dict[str, list[str]]:
    """Return the problems of a definition by the id of the control of this form they are about.

    ``prefix`` is the path of the question; problems elsewhere stand under "".
    """
    found: dict[str, list[str]] = {}
    for problem in problems:
        sentence = _(problem.message, **problem.params)
        found.setdefault(_control(problem.path, form, prefix), []).append(sentence)
    return found


def _control(path: str, form: QuestionForm, prefix: str) -> str:
    if not path.startswith(f"{prefix}."):
        return "text" if path == prefix else ""
    steps = path.removeprefix(f"{prefix}.").split(".")
    if steps[0] == "shown_if":
        return "conditions-0-question"
    if steps[0] in ("points", "choices", "bands") and len(steps) > 1:
        entries = getattr(form, steps[0]).entries
        number = int(steps[1])
        part = steps[2] if len(steps) > 2 else "label"
        if number < len(entries) and part in entries[number].form:
            return str(entries[number].form[part].id)
    return steps[0]
