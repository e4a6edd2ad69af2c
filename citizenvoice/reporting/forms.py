"""Forms of the pages of figures: what a manager decides about one indicator."""

import re
from typing import Any

from babel import numbers
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, DateField, IntegerField, SelectField, StringField, ValidationError
from wtforms.fields.choices import SelectChoice
from wtforms.validators import NumberRange, Optional

from citizenvoice.indicators.actions import LARGEST_MINIMUM
from citizenvoice.indicators.definitions import IndicatorDefinition
from citizenvoice.indicators.models import Level
from citizenvoice.indicators.service_indicators import LEAST_MINIMUM, Setting
from citizenvoice.reporting import wording
from citizenvoice.reporting.decisions import Decision
from citizenvoice.web import formats
from citizenvoice.web.forms import PageForm

SHOWN_AS_HUNDREDTHS = {"share", "points"}
# A number as people type it: digits, perhaps grouped, perhaps with decimals; no spaces within, no exponent.
_TYPED = re.compile(r"(?P<number>[-+]?\d[\d.,]{0,20})\s*(?P<percent>[%\u066a])?")
_WITH_OTHER_MARK = re.compile(r"(?P<whole>[-+]?\d+)[.,](?P<decimals>\d+)")


class NeedsPercentError(ValueError):
    """A share below one without a sign: 0.8 may mean 80 % or 0.8 %."""


def read_value(text: str, unit: str) -> float:
    """Read a value as the page writes it: "78" or "78 %" is the share 0.78.

    Decimals are read as in the language, and with the other mark where it cannot mean thousands: "4.2" and
    "4,2" are the same. Raises NeedsPercentError if a share could be meant either way, ValueError if it is
    no number in this unit.
    """
    typed = _TYPED.fullmatch(text.strip().replace("−", "-"))
    if typed is None or (typed["percent"] and unit not in SHOWN_AS_HUNDREDTHS):
        raise ValueError(f"{text!r} is not a number here")
    number = _read_number(typed["number"])
    if unit not in SHOWN_AS_HUNDREDTHS:
        return number
    if unit == "share" and 0 < abs(number) < 1 and not typed["percent"]:
        raise NeedsPercentError(f"{text!r} is a number without its sign")
    return round(number / 100, 6)


def _read_number(typed: str) -> float:
    try:
        return float(numbers.parse_decimal(typed, locale=formats.current_locale(), strict=True))
    except numbers.NumberFormatError:
        found = _WITH_OTHER_MARK.fullmatch(typed)
        if found is None or (len(found["decimals"]) == 3 and found["whole"].strip("+-0")):
            raise ValueError(f"{typed!r} is not a number") from None
        return float(f"{found['whole']}.{found['decimals']}")


def write_value(value: float | None, unit: str) -> str:
    """Write a value as `read_value` reads it, with its sign only where it would be doubtful without."""
    if value is None:
        return ""
    shown = round(value * 100, 4) if unit in SHOWN_AS_HUNDREDTHS else round(value, 6)
    locale = formats.current_locale()
    written = str(numbers.format_decimal(shown, "0.####", locale=locale))
    if unit == "share" and 0 < abs(shown) < 1:
        return str(numbers.format_percent(0, locale=locale)).replace("0", written, 1)
    return written


class SettingForm(PageForm):
    """Place in the results chain, baseline, target, and what is shown of one indicator."""

    level = SelectField(_l("Place in the results chain"))
    baseline = StringField(_l("Baseline"), description=_l("The value to measure progress from."))
    baseline_day = DateField(_l("Date of the baseline"), validators=[Optional()])
    target = StringField(_l("Target"), description=_l("The value that is promised."))
    target_day = DateField(_l("Date of the target"), validators=[Optional()])
    is_main = BooleanField(_l("This indicator stands for the whole service"))
    is_public = BooleanField(_l("Show it on the public page"))
    minimum_n = IntegerField(
        _l("Fewest answers for a figure"),
        description=_l("Leave empty to use the number that holds for everything."),
        validators=[Optional(), NumberRange(LEAST_MINIMUM, LARGEST_MINIMUM)],
    )

    def __init__(self, definition: IndicatorDefinition, setting: Setting, **kwargs: Any) -> None:
        unit = definition.unit
        super().__init__(
            data={
                "level": str(setting.level),
                "baseline": write_value(setting.baseline, unit),
                "baseline_day": setting.baseline_day,
                "target": write_value(setting.target, unit),
                "target_day": setting.target_day,
                "is_main": setting.is_main,
                "is_public": setting.is_public,
                "minimum_n": setting.minimum_n,
            },
            **kwargs,
        )
        self.unit = unit
        self.scale = definition.scale if definition.is_bounded else None
        self.level.choices = [SelectChoice(str(level), wording.LEVEL_NAMES[level]) for level in Level]

    def validate_baseline(self, field: StringField) -> None:
        """Refuse what is not a number on the scale."""
        self._read(field)

    def validate_target(self, field: StringField) -> None:
        """Refuse what is not a number on the scale."""
        self._read(field)

    def value_of(self, field: StringField) -> float | None:
        """Return what was typed, in the unit of the indicator; None where nothing was."""
        typed = (field.data or "").strip()
        return read_value(typed, self.unit) if typed else None

    def _read(self, field: StringField) -> None:
        try:
            value = self.value_of(field)
        except NeedsPercentError as error:
            raise ValidationError(
                _(
                    "Write 80 if you mean %(large)s, or the sign too if you mean less than one: %(small)s.",
                    large=formats.percent(0.8),
                    small=formats.percent(0.008, 1),
                )
            ) from error
        except ValueError as error:
            raise ValidationError(_("Write a number, such as 78.")) from error
        if value is None or self.scale is None:
            return
        low, high = self.scale
        if not low <= value <= high:
            ends = {"low": write_value(low, self.unit), "high": write_value(high, self.unit)}
            raise ValidationError(_("Write a number between %(low)s and %(high)s.", **ends))

    def decision(self) -> Decision:
        """Return what the manager decided; only for a form that was found valid."""
        return Decision(
            level=self.level.data,
            baseline=self.value_of(self.baseline),
            baseline_day=self.baseline_day.data,
            target=self.value_of(self.target),
            target_day=self.target_day.data,
            is_main=self.is_main.data,
            is_public=self.is_public.data,
            minimum_n=self.minimum_n.data,
        )
