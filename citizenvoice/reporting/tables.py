"""The numbers behind each picture of a service's page as plain rows, for the file that can be downloaded."""

from collections.abc import Callable, Iterable, Sequence

from citizenvoice.agencies.models import Service
from citizenvoice.errors import N_, NotFoundError
from citizenvoice.indicators import estimating, service_indicators, service_volumes, theme_tables
from citizenvoice.indicators.definitions import IndicatorDefinition
from citizenvoice.indicators.estimating import Figure
from citizenvoice.indicators.service_indicators import ServiceIndicators
from citizenvoice.indicators.service_volumes import Volume
from citizenvoice.reporting import pages, wording
from citizenvoice.reporting.periods import FigureQuery
from citizenvoice.reporting.spreadsheets import Sheet, Value
from citizenvoice.stats.estimates import Estimate, NotEnough
from citizenvoice.web import languages


def table_of(name: str, service: Service, query: FigureQuery, minimum: int, code: str = "") -> Sheet:
    """Return the table with this name for what the page shows, or raise NotFoundError."""
    if name not in TABLES:
        raise NotFoundError(N_("There is no such table."))
    found = service_indicators.indicators_of(service.id, minimum=minimum)
    if code:
        return series_table(found, [found.get(code)], query)
    return TABLES[name](service, found, query)


def bounds(result: Estimate | NotEnough) -> tuple[Value, ...]:
    """Return value, lower end, upper end and number of answers; empty where there are not enough."""
    if isinstance(result, NotEnough):
        return None, None, None, result.n
    return round(result.value, 6), round(result.lower, 6), round(result.upper, 6), result.n


FIGURE_COLUMNS = ("value", "lower", "upper", "n")


def series_table(
    found: ServiceIndicators, definitions: Sequence[IndicatorDefinition], query: FigureQuery
) -> Sheet:
    """Return indicators over time, a row for each indicator and period."""
    language = languages.page_language()
    lines = estimating.series(found, definitions, query.periods, query.part)
    rows = tuple(
        (
            *(d.code, wording.title_of(d, language), d.method.id, d.unit),
            *(period.key, period.start.isoformat(), period.last_day.isoformat()),
            *bounds(figure.result),
            found.setting(d.code).target,
        )
        for d in definitions
        for period, figure in zip(query.periods, lines[d.code], strict=True)
    )
    columns = (
        *("code", "indicator", "method", "unit", "period", "start", "last_day"),
        *FIGURE_COLUMNS,
        "target",
    )
    return Sheet("indicators", columns, rows)


def part_table(figures: Iterable[tuple[str, str, Figure]]) -> Sheet:
    """Return one indicator's figures by group: (kind of group, group, figure)."""
    rows = tuple((kind, group, *bounds(figure.result)) for kind, group, figure in figures)
    return Sheet("groups", ("by", "group", *FIGURE_COLUMNS), rows)


def _indicators(_service: Service, found: ServiceIndicators, query: FigureQuery) -> Sheet:
    return series_table(found, pages.outcomes(found), query)


def _drivers(_service: Service, found: ServiceIndicators, query: FigureQuery) -> Sheet:
    drivers = pages.drivers_of(found, query, languages.page_language())
    rows = tuple(
        (row.words, round(row.share, 6), round(row.performance, 6), round(row.priority, 6), row.n)
        for row in (drivers.rows if drivers else ())
    )
    return Sheet("drivers", ("answer", "share", "performance", "priority", "n"), rows)


def _themes(_service: Service, found: ServiceIndicators, query: FigureQuery) -> Sheet:
    table = theme_tables.theme_table(found, query.start, query.end, query.part)
    rows = tuple(
        (
            *(row.key, wording.theme_name(row.names, row.name), row.n),
            *bounds(row.share)[:3],
            *row.sentiment,
            *(bounds(row.score_with)[0], bounds(row.score_without)[0]),
            None if row.contribution is None else round(row.contribution, 6),
        )
        for row in table.rows
    )
    columns = (
        *("theme", "name", "n", "share", "lower", "upper"),
        *("very_negative", "rather_negative", "neutral", "rather_positive", "very_positive"),
        *("score_with", "score_without", "contribution"),
    )
    return Sheet("themes", columns, rows)


def _responses(service: Service, _found: ServiceIndicators, query: FigureQuery) -> Sheet:
    volume = service_volumes.volumes([service.id], query.start, query.end)[service.id]
    rows = [_volume_row(name, part) for name, part in volume.per_channel.items()]
    rows.append(_volume_row("", volume))
    columns = ("channel", "n_served", "n_offered", "n_responses", "response_rate", "offer_rate")
    return Sheet("responses", columns, rows)


def _volume_row(name: str, volume: Volume) -> tuple[Value, ...]:
    return (
        *(name, volume.n_served, volume.n_offered, volume.n_responses_covered),
        *(volume.response_rate, volume.offer_rate),
    )


TABLES: dict[str, Callable[[Service, ServiceIndicators, FigureQuery], Sheet]] = {
    "indicators": _indicators,
    "drivers": _drivers,
    "themes": _themes,
    "responses": _responses,
}
