"""One indicator's figure as pages show it: its value with words, unit, status, change and short history."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask_babel import gettext as _

from citizenvoice.indicators import estimating
from citizenvoice.indicators.definitions import IndicatorDefinition
from citizenvoice.indicators.estimating import Figure, StatusOf
from citizenvoice.indicators.service_indicators import ServiceIndicators, Setting
from citizenvoice.reporting import wording
from citizenvoice.reporting.periods import period_name
from citizenvoice.reporting.wording import Exclusion, How
from citizenvoice.stats.comparisons import Change, Verdict
from citizenvoice.stats.estimates import Estimate, NotEnough
from citizenvoice.stats.periods import Period
from citizenvoice.web import formats, languages
from citizenvoice.web.small_charts import Sparkline

NO_CHANGE = Change(None, None, None, None, Verdict.NOT_ENOUGH)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownFigure:
    """One indicator's latest figure with everything that is said about it."""

    definition: IndicatorDefinition
    title: str
    unit: str
    figure: Figure
    period: str
    how: How
    exclusions: tuple[Exclusion, ...]
    setting: Setting
    status: str
    required: str
    change: Change
    spark: Sparkline
    spark_words: str

    @property
    def code(self) -> str:
        """Return the code that names the indicator in addresses."""
        return self.definition.code

    @property
    def scale(self) -> tuple[float, float]:
        """Return both ends of the scale intervals are drawn on."""
        return self.definition.scale

    @property
    def result(self) -> Estimate | NotEnough:
        """Return the estimate, or how many answers it lacks."""
        return self.figure.result


def shown_figure(
    found: ServiceIndicators,
    figure: Figure,
    spark: Sequence[Figure],
    status: StatusOf,
    change: Change,
    period: str = "",
) -> ShownFigure:
    """Return a figure with its words."""
    definition, language = figure.definition, languages.page_language()
    unit, title = wording.unit_of(definition), wording.title_of(definition, language)
    values = [one.estimate.value if one.estimate else None for one in spark]
    n_known = sum(value is not None for value in values)
    return ShownFigure(
        definition=definition,
        title=title,
        unit=unit,
        figure=figure,
        period=period or formats.period((figure.start, figure.end)),
        how=wording.how(definition.method),
        exclusions=wording.exclusions_of(figure),
        setting=found.setting(definition.code),
        status=wording.STATUS_KEYS[status.status],
        required="" if status.required is None else wording.amount(status.required, unit),
        change=change,
        spark=Sparkline(values=values),
        spark_words=_(
            "Over time, %(n)s of %(total)s periods with enough answers", n=n_known, total=len(values)
        ),
    )


def latest_figure(found: ServiceIndicators, line: Sequence[Figure], periods: Sequence[Period]) -> ShownFigure:
    """Return the figure of the running period, or of the last complete one until that has enough answers.

    ``line`` and ``periods`` begin with one period more than is shown, to compare with.
    """
    place = len(line) - 1
    if line[place].estimate is None and place > 0:
        place -= 1
    change = estimating.change(line[place - 1], line[place]) if place else NO_CHANGE
    return shown_figure(
        found,
        line[place],
        line[1:],
        estimating.status_of(found, line[place]),
        change,
        period_name(periods[place]),
    )
