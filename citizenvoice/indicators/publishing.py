"""Figures as everybody may see them: none that gives away another one on few answers."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from citizenvoice.indicators.definitions import IndicatorDefinition
from citizenvoice.indicators.estimating import Figure, series
from citizenvoice.indicators.service_indicators import ServiceIndicators
from citizenvoice.stats.disclosure import N_MONTHS, YearOfFigures, rest_of_window, withheld_in_year
from citizenvoice.stats.estimates import Estimate, Withheld
from citizenvoice.stats.periods import Period, PeriodKind, period_of, periods_between


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicFigures:
    """One indicator's public figures: of each period asked for, and of all of them together."""

    periods: tuple[Figure, ...]
    whole: Figure


def public_figures(
    found: ServiceIndicators,
    definitions: Iterable[IndicatorDefinition],
    periods: Sequence[Period],
    fiscal_start: int,
) -> dict[str, PublicFigures]:
    """Return the public figures of some indicators, by code, of periods of one kind that follow each other.

    Months, quarters and fiscal years have figures; those of days and weeks are withheld, as they would tell
    months apart. What is withheld depends on the whole fiscal years, not on what is asked for.
    """
    definitions = tuple(definitions)
    first, last = periods[0], periods[-1]
    whole = Period(first.start, last.end_exclusive, first.kind, first.fiscal_start)
    year = period_of(first.start, PeriodKind.YEAR, fiscal_start)
    end = period_of(last.last_day, PeriodKind.YEAR, fiscal_start).end_exclusive
    months = list(periods_between(year.start, end, PeriodKind.MONTH))
    lines = series(found, definitions, [*months, *periods, whole])
    public = {}
    for definition in definitions:
        line = lines[definition.code]
        rule = _Rule(months, [figure.result.n for figure in line[: len(months)]], line[-1].minimum)
        shown = [
            figure if rule.shows(period) else _withheld(figure)
            for period, figure in zip(periods, line[len(months) : -1], strict=True)
        ]
        total = line[-1] if rule.shows_stretch(whole) else _withheld(line[-1])
        public[definition.code] = PublicFigures(periods=tuple(shown), whole=total)
    return public


class _Rule:
    """What is withheld of one indicator in whole fiscal years, from the answers in each of their months."""

    def __init__(self, months: Sequence[Period], sizes: Sequence[int], minimum: int) -> None:
        self.minimum = minimum
        self.place = {month.start: number for number, month in enumerate(months)}
        self.ends = {month.end_exclusive for month in months}
        parts = [sizes[start : start + N_MONTHS] for start in range(0, len(sizes), N_MONTHS)]
        self.years: list[tuple[Sequence[int], YearOfFigures]] = [
            (part, withheld_in_year(part, minimum)) for part in parts
        ]

    def shows(self, period: Period) -> bool:
        """Return whether the figure of a period may be published."""
        if period.kind in {PeriodKind.DAY, PeriodKind.WEEK}:
            return False
        number, month = divmod(self.place[period.start], N_MONTHS)
        found = self.years[number][1]
        if period.kind is PeriodKind.MONTH:
            return month not in found.months
        return month // 3 not in found.quarters if period.kind is PeriodKind.QUARTER else not found.year

    def shows_stretch(self, stretch: Period) -> bool:
        """Return whether the figure of several periods together may be published."""
        if stretch.start not in self.place or stretch.end_exclusive not in self.ends:
            return False
        first = self.place[stretch.start]
        after = self.place.get(stretch.end_exclusive, len(self.place))
        rest = rest_of_window(self.years, first, after - first)
        return not 0 < rest < self.minimum


def _withheld(figure: Figure) -> Figure:
    """Return a figure without what it says; too few answers stay what they are."""
    if not isinstance(figure.result, Estimate):
        return figure
    result = Withheld(figure.result.n, figure.minimum)
    return replace(figure, result=result, band=None, measure=None)
