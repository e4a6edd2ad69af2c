"""Divides what explains a rating among the other ratings of its survey."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from citizenvoice.indicators import cells
from citizenvoice.indicators.definitions import (
    IndicatorDefinition,
)
from citizenvoice.indicators.pooling import EVERYBODY, Slice, pool_counts
from citizenvoice.indicators.service_indicators import ServiceIndicators
from citizenvoice.stats import drivers as driver_analysis
from citizenvoice.stats.drivers import Driver, DriverAnalysis, NoVariance, PairSums
from citizenvoice.stats.estimates import Moments, NotEnough, Polarity
from citizenvoice.surveys.definition import Question


def drivers(
    found: ServiceIndicators,
    definition: IndicatorDefinition,
    start: date,
    end: date,
    part: Slice = EVERYBODY,
) -> DriverAnalysis | NotEnough | NoVariance | None:
    """Divide what explains a rating among the other ratings of its survey; None where there are none.

    Answers to versions that measure the rating alike are pooled; drivers are those of the newest of them.
    """
    outcome = definition.question
    scales = _other_scales(definition) if outcome else []
    if outcome is None or not definition.subject.points or not scales:
        return None
    pools = pool_counts([found.service_id], [(start, end)], part, branches=("q",), with_pairs=True)
    versions = pools.get((found.service_id, 0), {})
    pairs: dict[tuple[str, str], PairSums] = {}
    counts: dict[str, Any] = {}
    for version_id in definition.version_ids:
        if (pool := versions.get(version_id)) is not None:
            cells.add_counts(counts, pool.counts)
            for pair, sums in cells.pair_sums(pool.pairs).items():
                pairs[pair] = pairs[pair] + sums if pair in pairs else sums
    rated = [(scale, _moments(scale, counts)) for scale in scales]
    chosen = [_driver(scale, moments) for scale, moments in rated if moments.n]
    if not chosen:
        return NotEnough(0, found.minimum(definition.code))
    return driver_analysis.key_drivers(chosen, outcome, pairs)


def _other_scales(definition: IndicatorDefinition) -> list[Question]:
    scales = cells.scale_keys(definition.definition)
    questions = [definition.definition.question(key) for key in scales if key != definition.question]
    return questions[: driver_analysis.MAXIMUM_DRIVERS]


def _moments(question: Question, counts: Mapping[str, Any]) -> Moments:
    values = counts.get("q", {}).get(question.key, {}).get("v", {})
    return Moments.of_counts({point.value: values.get(str(point.value), 0) for point in question.points})


def _driver(question: Question, moments: Moments) -> Driver:
    points = [point.value for point in question.points]
    return Driver(
        question.key, moments.n, moments.total, min(points), max(points), Polarity(question.polarity)
    )
