"""Figures in words and pictures: titles, units, sentences and charts that every page of figures shares."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from citizenvoice.agencies.models import CHANNEL_NAMES, Channel
from citizenvoice.indicators.definitions import IndicatorDefinition
from citizenvoice.indicators.estimating import Figure
from citizenvoice.indicators.methods import SENTIMENT_NAMES, SHARE, Method
from citizenvoice.indicators.models import Level
from citizenvoice.indicators.service_indicators import Setting
from citizenvoice.indicators.theme_tables import ThemeRow
from citizenvoice.reporting.periods import period_name, period_tick
from citizenvoice.stats.comparisons import Change, Verdict
from citizenvoice.stats.estimates import Estimate, NotEnough, Withheld
from citizenvoice.stats.periods import Period
from citizenvoice.stats.status import Status
from citizenvoice.web import formats, languages
from citizenvoice.web.chart_tables import TargetLine
from citizenvoice.web.line_charts import AxisTick, LineChart, Point

UNITS = {"share": "percent", "mean": "number", "points": "points"}  # as the macros call them
STATUS_KEYS = {  # as the macro ``status`` calls them
    Status.ON_TRACK: "on_track",
    Status.OFF_TRACK: "off_track",
    Status.NOT_DISTINGUISHABLE: "not_distinguishable",
    Status.NOT_ENOUGH_ANSWERS: "not_enough",
    Status.OVERDUE: "not_enough",
    Status.NO_TARGET: "no_target",
}
LEVEL_NAMES = {
    Level.INPUT: _l("Input: what goes in"),
    Level.ACTIVITY: _l("Activity: what is done"),
    Level.OUTPUT: _l("Output: what comes out"),
    Level.OUTCOME: _l("Outcome: what it does for people"),
    Level.IMPACT: _l("Impact: what it changes in the end"),
}
MOST_TICKS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class How:
    """How a figure is worked out, in the fields the macro ``estimate`` asks for."""

    id: str
    version: str
    name: str
    definition: str
    numerator: str
    denominator: str
    exclusions: str
    reference: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Exclusion:
    """How many answers are left out of a figure for one reason."""

    text: str
    n: int


def channel_name(channel: str) -> str:
    """Return what a channel is called in the reader's language."""
    return str(_(CHANNEL_NAMES[Channel(channel)])) if channel in set(Channel) else channel


def title_of(definition: IndicatorDefinition, language: str) -> str:
    """Return what an indicator is called: the words people were asked, or its method's name."""
    words, part = definition.title(language), definition.part_title(language)
    if definition.method.id == "sentiment_share_v1":
        name = SENTIMENT_NAMES[definition.part or ""]
        return str(_("Comments: %(sentiment)s", sentiment=_(name)))
    if definition.method.id == "theme_share_v1":
        return str(_("Comments about: %(theme)s", theme=part))
    if words and part:
        return str(_("%(question)s: %(answer)s", question=words, answer=part))
    return words or part or str(_(definition.method.name))


def how(method: Method) -> How:
    """Return what a method is and does, in the reader's language."""
    return How(
        id=method.id,
        version=method.version,
        name=_(method.name),
        definition=_(method.formula),
        numerator=_(method.numerator),
        denominator=_(method.denominator),
        exclusions=_(method.exclusions),
        reference=method.reference,
    )


def exclusions_of(figure: Figure) -> tuple[Exclusion, ...]:
    """Return what was left out of a figure, in the reader's language."""
    return tuple(Exclusion(text=_(word), n=n) for word, n in figure.exclusions.listed())


def unit_of(definition: IndicatorDefinition) -> str:
    """Return the unit of an indicator as the macros call it."""
    return UNITS[definition.unit]


def amount(value: float, unit: str) -> str:
    """Write a figure in its unit: "78%", "4.2", "31 points"."""
    if unit == "percent":
        return formats.percent(value)
    return formats.points(value) if unit == "points" else formats.decimal(value)


def with_interval(estimate: Estimate, unit: str) -> str:
    """Write a figure with its interval: "78% (74–82%)"."""
    digits = 1 if unit == "number" else 0
    return str(
        _(
            "%(value)s (%(interval)s)",
            value=amount(estimate.value, unit),
            interval=formats.interval(estimate, unit, digits),
        )
    )


def not_enough(thin: NotEnough) -> str:
    """Say how far a figure is from having enough answers, or that it is withheld."""
    if isinstance(thin, Withheld):
        return str(_("Withheld, so that a figure on fewer answers cannot be worked out"))
    return str(
        _(
            "Not enough answers yet (%(n)s of %(minimum)s)",
            n=formats.count(thin.n),
            minimum=formats.count(thin.minimum),
        )
    )


def in_words(result: Estimate | NotEnough, unit: str) -> str:
    """Write a figure with its interval, or how many answers it lacks."""
    return with_interval(result, unit) if isinstance(result, Estimate) else not_enough(result)


def target_words(setting: Setting, unit: str) -> str:
    """Say what was promised by when; nothing where there is no target."""
    if setting.target is None or setting.target_day is None:
        return ""
    return str(
        _(
            "Target: %(value)s by %(day)s",
            value=amount(setting.target, unit),
            day=formats.short_day(setting.target_day),
        )
    )


def change_words(change: Change | None, unit: str) -> str:
    """Say in a sentence whether an indicator changed since the period before."""
    if change is None or change.difference is None or change.lower is None or change.upper is None:
        return str(_("There are not enough answers to compare with the period before."))
    amounts = {
        "amount": amount(abs(change.difference), "number" if unit == "number" else "points"),
        "interval": formats.interval(_Ends(change.lower, change.upper), *_difference(unit)),
    }
    if change.verdict is Verdict.NO_DISTINGUISHABLE_CHANGE:
        return str(_("It cannot be told apart from the period before (difference %(interval)s).", **amounts))
    if change.verdict is Verdict.BETTER:
        return str(_("It is better than the period before, by %(amount)s (%(interval)s).", **amounts))
    return str(_("It is worse than the period before, by %(amount)s (%(interval)s).", **amounts))


def difference(change: Change, unit: str) -> str:
    """Write a change with its sign and interval: "+6 points (−8 to 19 points)"; nothing where unknown."""
    if change.difference is None or change.lower is None or change.upper is None:
        return ""
    kind, digits = _difference(unit)
    if kind == "points":
        written = formats.points(change.difference, digits, signed=True)
    else:
        written = formats.decimal(change.difference, digits, signed=True)
    ends = formats.interval(_Ends(change.lower, change.upper), kind, digits)
    return str(_("%(value)s (%(interval)s)", value=written, interval=ends))


@dataclass(frozen=True, slots=True)
class _Ends:
    """Both ends of the interval of a difference."""

    lower: float
    upper: float


def _difference(unit: str) -> tuple[str, int]:
    return ("number", 1) if unit == "number" else ("points", 0)


def series_sentence(figures: Sequence[Figure], periods: Sequence[Period], unit: str) -> str:
    """Say what a line over time shows: where it began, where it is, and in how many periods it is unknown."""
    known = [
        (period, figure.result)
        for period, figure in zip(periods, figures, strict=True)
        if isinstance(figure.result, Estimate)
    ]
    if not known:
        return str(_("No period shown has enough answers yet."))
    first, last = known[0], known[-1]
    if len(known) == 1:
        return str(
            _(
                "Only %(period)s has enough answers: %(figure)s.",
                period=period_name(last[0]),
                figure=with_interval(last[1], unit),
            )
        )
    return str(
        _(
            "From %(first)s in %(start)s to %(last)s in %(end)s.",
            first=with_interval(first[1], unit),
            start=period_name(first[0]),
            last=with_interval(last[1], unit),
            end=period_name(last[0]),
        )
    )


def series_chart(
    definition: IndicatorDefinition,
    figures: Sequence[Figure],
    periods: Sequence[Period],
    setting: Setting,
    language: str,
) -> LineChart:
    """Draw an indicator over time, with its interval and its target."""
    unit = unit_of(definition)
    points = [_point(figure, period, unit) for figure, period in zip(figures, periods, strict=True)]
    target = None if setting.target is None else TargetLine(setting.target, target_words(setting, unit))
    held = [value for point in points for value in (point.value, point.lower, point.upper)]
    held.append(setting.target)
    return LineChart(
        title=title_of(definition, language),
        points=points,
        axis=() if definition.unit == SHARE else axis(held, definition.scale, unit),
        target=target,
        value_name=_(definition.method.name),
    )


def _point(figure: Figure, period: Period, unit: str) -> Point:
    label, tick = period_name(period), period_tick(period)
    if isinstance(figure.result, NotEnough):
        return Point(label=label, value=None, n=figure.result.n, text=not_enough(figure.result), tick=tick)
    found = figure.result
    return Point(
        label=label,
        value=found.value,
        lower=found.lower,
        upper=found.upper,
        n=found.n,
        text=with_interval(found, unit),
        tick=tick,
    )


def axis(values: Iterable[float | None], scale: tuple[float, float], unit: str) -> tuple[AxisTick, ...]:
    """Return round heights that hold all values, or the whole scale where there is none."""
    known = [value for value in values if value is not None] or list(scale)
    low, high = min(known), max(known)
    step = _step((high - low) or abs(high) or 1.0)
    first = math.floor(low / step + 1e-9)
    last = max(first + 1, math.ceil(high / step - 1e-9))
    heights = [number * step for number in range(first, last + 1)]
    return tuple(AxisTick(height, _tick(height, unit, step)) for height in heights)


def _step(span: float) -> float:
    size = float(10 ** math.floor(math.log10(span / MOST_TICKS)))
    return next(size * factor for factor in (1, 2, 5, 10) if span / (size * factor) <= MOST_TICKS)


def _tick(height: float, unit: str, step: float) -> str:
    if unit == "points":
        return formats.decimal(height * 100, 0)
    return formats.decimal(height, 0 if step >= 1 else 1 if step >= 0.1 else 2)


def theme_name(names: Mapping[str, str], name: str) -> str:
    """Return what a theme is called in the reader's language."""
    return str(names.get(languages.page_language()) or name)


def theme_sentence(row: ThemeRow) -> str:
    """Say how often a theme is named and what it does to the score; an association, not a cause."""
    facts: dict[str, Any] = {"share": in_words(row.share, "percent")}
    if isinstance(row.share, NotEnough):
        return str(
            _("Not enough comments yet (%(n)s of %(minimum)s)", n=row.share.n, minimum=row.share.minimum)
        )
    if (
        row.contribution is None
        or not isinstance(row.score_with, Estimate)
        or not isinstance(row.score_without, Estimate)
    ):
        return str(_("In %(share)s of comments. Not enough ratings with and without it to compare.", **facts))
    facts |= {
        "with_it": formats.decimal(row.score_with.value * 100, 0),
        "without_it": formats.decimal(row.score_without.value * 100, 0),
        "points": formats.points(abs(row.contribution), 1 if abs(row.contribution) < 0.0095 else 0),
    }
    if abs(row.contribution) < 0.0005:
        return str(
            _(
                "In %(share)s of comments. Score %(with_it)s when it is there, %(without_it)s when not: "
                "makes no difference to the service.",
                **facts,
            )
        )
    if row.contribution < 0:
        return str(
            _(
                "In %(share)s of comments. Score %(with_it)s when it is there, %(without_it)s when not: "
                "costs the service %(points)s.",
                **facts,
            )
        )
    return str(
        _(
            "In %(share)s of comments. Score %(with_it)s when it is there, %(without_it)s when not: "
            "brings the service %(points)s.",
            **facts,
        )
    )
