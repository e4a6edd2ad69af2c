"""Figures of indicators from stored counts, in a fixed number of statements."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date, timedelta
from typing import Any

from citizenvoice.errors import N_
from citizenvoice.indicators import cells
from citizenvoice.indicators.definitions import (
    IndicatorDefinition,
)
from citizenvoice.indicators.formulas import Measure, compare
from citizenvoice.indicators.pooling import EVERYBODY, Pool, Slice, pool_counts, pool_parts
from citizenvoice.indicators.service_indicators import ServiceIndicators
from citizenvoice.stats import status as target_status
from citizenvoice.stats.comparisons import NOT_ENOUGH, Change
from citizenvoice.stats.estimates import Estimate, NotEnough
from citizenvoice.stats.periods import Period
from citizenvoice.stats.status import Status, Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Exclusions:
    """What is not part of a figure, by reason."""

    dont_know: int = 0
    not_applicable: int = 0
    refused: int = 0
    blank: int = 0
    not_asked: int = 0
    unread: int = 0
    withdrawn: int = 0
    spam: int = 0
    duplicate: int = 0
    test: int = 0

    def listed(self) -> list[tuple[str, int]]:
        """Return (word to translate, number) of the reasons that occur."""
        return [(EXCLUSION_NAMES[f.name], n) for f in fields(self) if (n := getattr(self, f.name))]


EXCLUSION_NAMES = {
    "dont_know": N_("Don’t know"),
    "not_applicable": N_("Does not apply"),
    "refused": N_("Refused to answer"),
    "blank": N_("Asked, not answered"),
    "not_asked": N_("Not asked"),
    "unread": N_("Comments not read yet"),
    "withdrawn": N_("Withdrawn by the sender"),
    "spam": N_("Spam"),
    "duplicate": N_("Sent twice"),
    "test": N_("Tests"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One indicator's figure over one stretch of days, with what is not part of it."""

    definition: IndicatorDefinition
    start: date
    end: date  # the first day not counted
    result: Estimate | NotEnough
    n_responses: int
    exclusions: Exclusions
    minimum: int
    band: str | None = None
    measure: Measure | None = field(default=None, repr=False)

    @property
    def estimate(self) -> Estimate | None:
        """Return the estimate, or None without enough answers."""
        return self.result if isinstance(self.result, Estimate) else None


@dataclass(frozen=True, slots=True)
class StatusOf:
    """Whether a figure keeps up with its target, and the value asked for on its last day."""

    status: Status
    required: float | None


def figures(
    found: ServiceIndicators,
    definitions: Iterable[IndicatorDefinition],
    start: date,
    end: date,
    part: Slice = EVERYBODY,
) -> list[Figure]:
    """Return the figures of some indicators from ``start`` up to, not including, ``end``."""
    pools = pool_counts([found.service_id], [(start, end)], part)
    return [figure_from(found, d, start, end, pools.get((found.service_id, 0), {})) for d in definitions]


def find_estimate(
    found: ServiceIndicators,
    definition: IndicatorDefinition,
    start: date,
    end: date,
    part: Slice = EVERYBODY,
) -> Figure:
    """Return the figure of one indicator from ``start`` up to, not including, ``end``."""
    return figures(found, [definition], start, end, part)[0]


def series(
    found: ServiceIndicators,
    definitions: Iterable[IndicatorDefinition],
    periods: Sequence[Period],
    part: Slice = EVERYBODY,
) -> dict[str, list[Figure]]:
    """Return the figures of some indicators, by code, for each of the periods, in their order."""
    spans = [(period.start, period.end_exclusive) for period in periods]
    pools = pool_counts([found.service_id], spans, part)
    return {
        d.code: [
            figure_from(found, d, start, end, pools.get((found.service_id, place), {}))
            for place, (start, end) in enumerate(spans)
        ]
        for d in definitions
    }


def breakdown(
    found: ServiceIndicators,
    definition: IndicatorDefinition,
    start: date,
    end: date,
    parts: Sequence[Slice],
) -> list[Figure]:
    """Return one indicator's figure of each part of the people, in their order, in one statement."""

    def keep(counts: dict[str, Any]) -> dict[str, Any]:
        if not definition.questions:
            return counts  # of comments and themes
        asked = counts.get("q", {})
        kept = {key: asked[key] for key in definition.questions if key in asked}
        return {"x": counts.get("x", {}), "q": kept}

    pools = pool_parts(found.service_id, (start, end), parts, keep)
    return [figure_from(found, definition, start, end, pools[part]) for part in parts]


def change(earlier: Figure, later: Figure) -> Change:
    """Test whether an indicator changed; figures of different series are not compared."""
    if earlier.definition.code != later.definition.code or earlier.measure is None or later.measure is None:
        return NOT_ENOUGH
    minimum = max(earlier.minimum, later.minimum)
    return compare(earlier.measure, later.measure, later.definition.polarity, minimum)


def status_of(found: ServiceIndicators, figure: Figure) -> StatusOf:
    """Judge a figure by what its target asks for on its last day."""
    setting = found.setting(figure.definition.code)
    required = None
    if setting.target is not None and setting.target_day is not None:
        baseline = None
        if setting.baseline is not None and setting.baseline_day is not None:
            baseline = target_status.Level(setting.baseline_day, setting.baseline)
        target = Target(target_status.Level(setting.target_day, setting.target), baseline)
        required = target_status.required_level(target, figure.end - timedelta(days=1))
    return StatusOf(target_status.status(figure.result, required, figure.definition.polarity), required)


def figure_from(
    found: ServiceIndicators,
    definition: IndicatorDefinition,
    start: date,
    end: date,
    versions: Mapping[int, Pool],
) -> Figure:
    """Return the figure of one indicator from counts added up for each version."""
    pool = _join(versions, definition.version_ids)
    minimum = found.minimum(definition.code)
    computed = definition.compute(pool.counts, minimum)
    return Figure(
        definition=definition,
        start=start,
        end=end,
        result=computed.result,
        n_responses=pool.n_responses,
        exclusions=_exclusions(definition, pool),
        minimum=minimum,
        band=computed.band,
        measure=computed.measure,
    )


def _join(versions: Mapping[int, Pool], ids: Iterable[int]) -> Pool:
    pools = [versions[version_id] for version_id in ids if version_id in versions]
    if len(pools) == 1:
        return pools[0]
    joined = Pool()
    for pool in pools:
        joined.n_responses += pool.n_responses
        cells.add_counts(joined.counts, pool.counts)
    return joined


def _exclusions(definition: IndicatorDefinition, pool: Pool) -> Exclusions:
    left_out: dict[str, int] = dict(pool.counts.get("x", {}))
    for key in definition.questions:
        asked = pool.counts.get("q", {}).get(key, {})
        values = asked.get("v", {})
        ways = (("not_applicable", "na"), ("dont_know", "dk"), ("refused", "ra"))
        for name, way in ways if definition.subject.points else ():
            left_out[name] = left_out.get(name, 0) + values.get(way, 0)
        left_out["blank"] = left_out.get("blank", 0) + asked.get("blank", 0)
        left_out["not_asked"] = left_out.get("not_asked", 0) + pool.n_responses - asked.get("asked", 0)
    if definition.method.id.startswith("nhs_fft"):
        left_out["dont_know"] = 0  # part of the denominator
    if definition.method.id in {"driver_share_v1", "multiple_share_v1"}:
        left_out["blank"] = 0  # offered and nothing chosen is part of the denominator
    if not definition.questions:
        left_out["unread"] = pool.counts.get("c", {}).get("unread", 0)
    return Exclusions(**left_out)
