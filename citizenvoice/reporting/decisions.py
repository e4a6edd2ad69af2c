"""What a manager decides about an indicator in one form, carried out as one change and written down."""

from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from citizenvoice.accounts import actions as accounts
from citizenvoice.accounts.audit import name_actions
from citizenvoice.agencies.models import Service
from citizenvoice.errors import N_
from citizenvoice.indicators import actions
from citizenvoice.indicators.service_indicators import Setting, indicators_of

name_actions({"indicator.settings_changed": N_("Indicator settings changed")})


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """All that a manager says about one indicator; values in its unit."""

    level: str
    baseline: float | None
    baseline_day: date | None
    target: float | None
    target_day: date | None
    is_main: bool
    is_public: bool
    minimum_n: int | None


def decide(service: Service, code: str, decision: Decision, *, user_id: int | None, now: datetime) -> None:
    """Carry out what was decided about an indicator and write down what it was before.

    Never commits. Raises DomainError where a rule says no, NotFoundError where there is no such indicator.
    """
    before = indicators_of(service.id).setting(code)
    actions.set_level(service.id, code, decision.level, now)
    if before.target_day and decision.baseline_day and decision.baseline_day >= before.target_day:
        actions.set_target(service.id, code, None, None, now)  # both move: the new target follows below
    actions.set_baseline(service.id, code, decision.baseline, decision.baseline_day, now)
    actions.set_target(service.id, code, decision.target, decision.target_day, now)
    actions.set_public(service.id, code, decision.is_public, now)
    actions.set_minimum(service.id, code, decision.minimum_n, now)
    if decision.is_main and not before.is_main:
        actions.set_main(service.id, code, now)
    if changed := _changes(before, decision):
        accounts.record_audit(
            "indicator.settings_changed",
            subject=code,
            at=now,
            user_id=user_id,
            agency_id=service.agency_id,
            detail={"service": service.slug, "changed": changed},
        )


def _changes(before: Setting, decision: Decision) -> dict[str, list[Any]]:
    """Return {name: [before, after]} of what differs, in plain JSON values."""
    after = asdict(decision)
    if before.is_main:
        after["is_main"] = True  # another indicator takes that place; leaving it empty is not offered
    return {
        name: [_plain(getattr(before, name)), _plain(value)]
        for name, value in after.items()
        if _plain(getattr(before, name)) != _plain(value)
    }


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, str | date) else value
