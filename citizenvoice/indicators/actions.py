"""What managers decide about indicators: place in the results chain, baseline, target, what is shown."""

from datetime import date, datetime

from sqlalchemy import select, update

from citizenvoice.db import db
from citizenvoice.errors import N_, DomainError
from citizenvoice.indicators.definitions import IndicatorDefinition
from citizenvoice.indicators.models import IndicatorSetting, Level
from citizenvoice.indicators.service_indicators import LEAST_MINIMUM, find_definition

LARGEST_MINIMUM = 10_000


def set_level(service_id: int, code: str, level: str, now: datetime) -> IndicatorSetting:
    """Give an indicator its place in the results chain. Raises DomainError for an unknown place."""
    if level not in set(Level):
        raise DomainError(N_("Choose one of: input, activity, output, outcome, impact."))
    setting = _setting(service_id, code, now)
    setting.level = Level(level)
    return setting


def set_baseline(
    service_id: int, code: str, value: float | None, day: date | None, now: datetime
) -> IndicatorSetting:
    """Say from where an indicator starts, in its unit (shares from 0 to 1); None and None take it away.

    Raises DomainError when one of the two is missing, the value is off the scale or the target not later.
    """
    setting = _setting(service_id, code, now)
    _check_level(find_definition(service_id, code), value, day)
    _check_order(day, setting.target_day)
    setting.baseline, setting.baseline_day = value, day
    return setting


def set_target(
    service_id: int, code: str, value: float | None, day: date | None, now: datetime
) -> IndicatorSetting:
    """Say what an indicator should reach and by when, in its unit; None and None take the target away.

    Raises DomainError when one of the two is missing, the value is off the scale or the baseline not earlier.
    """
    setting = _setting(service_id, code, now)
    _check_level(find_definition(service_id, code), value, day)
    _check_order(setting.baseline_day, day)
    setting.target, setting.target_day = value, day
    return setting


def set_main(service_id: int, code: str, now: datetime) -> IndicatorSetting:
    """Make an indicator the one that stands for its service, in place of any other."""
    setting = _setting(service_id, code, now)
    db.session.flush()
    db.session.execute(
        update(IndicatorSetting)
        .where(IndicatorSetting.service_id == service_id, IndicatorSetting.code != code)
        .values(is_main=False)
    )
    setting.is_main = True
    return setting


def set_public(service_id: int, code: str, is_public: bool, now: datetime) -> IndicatorSetting:  # noqa: FBT001
    """Say whether an indicator is shown on the public page of its service."""
    setting = _setting(service_id, code, now)
    setting.is_public = is_public
    return setting


def set_minimum(service_id: int, code: str, n: int | None, now: datetime) -> IndicatorSetting:
    """Say how many answers a figure needs; None leaves it to the operator. Raises DomainError below 5."""
    if n is not None and not LEAST_MINIMUM <= n <= LARGEST_MINIMUM:
        raise DomainError(
            N_("The least number of answers must be from %(least)d to %(most)d."),
            least=LEAST_MINIMUM,
            most=LARGEST_MINIMUM,
        )
    setting = _setting(service_id, code, now)
    setting.minimum_n = n
    return setting


def _setting(service_id: int, code: str, now: datetime) -> IndicatorSetting:
    """Return the row to change, new where there is none; raise NotFoundError for an unknown indicator."""
    definition = find_definition(service_id, code)
    setting = db.session.scalar(
        select(IndicatorSetting).where(
            IndicatorSetting.service_id == service_id, IndicatorSetting.code == definition.code
        )
    )
    if setting is None:
        setting = IndicatorSetting(
            service_id=service_id, code=definition.code, level=Level.OUTCOME, is_main=False, is_public=True
        )
        db.session.add(setting)
    setting.updated_at = now
    return setting


def _check_level(definition: IndicatorDefinition, value: float | None, day: date | None) -> None:
    if (value is None) != (day is None):
        raise DomainError(N_("Give both a value and a date, or neither."))
    low, high = definition.scale
    if value is not None and definition.is_bounded and not low <= value <= high:
        raise DomainError(
            N_("The value must lie between %(low)s and %(high)s."), low=f"{low:g}", high=f"{high:g}"
        )


def _check_order(baseline_day: date | None, target_day: date | None) -> None:
    if baseline_day and target_day and baseline_day >= target_day:
        raise DomainError(N_("The date of the target must be later than the date of the baseline."))
