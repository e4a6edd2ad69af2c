"""What the pages of a service's indicators show: all of them by level, and one with everything about it."""

from collections.abc import Iterator
from dataclasses import dataclass

from flask_babel import gettext as _

from citizenvoice.agencies.models import Service
from citizenvoice.agencies.queries import service_name
from citizenvoice.indicators import estimating, service_indicators
from citizenvoice.indicators.definitions import IndicatorDefinition
from citizenvoice.indicators.estimating import Figure
from citizenvoice.indicators.models import Level
from citizenvoice.indicators.pooling import Slice
from citizenvoice.indicators.service_indicators import ServiceIndicators, Setting
from citizenvoice.reporting import wording
from citizenvoice.reporting.figures import ShownFigure, latest_figure
from citizenvoice.reporting.pages import Filters, filters_of
from citizenvoice.reporting.periods import FigureQuery
from citizenvoice.web import formats, languages
from citizenvoice.web.line_charts import LineChart

LEVELS = tuple(reversed(Level))  # what matters most to people comes first


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelRows:
    """The indicators at one level of the results chain."""

    name: str
    rows: tuple[ShownFigure, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class IndicatorsPage:
    """All indicators of a service."""

    slug: str
    name: str
    levels: tuple[LevelRows, ...]
    details: tuple[tuple[str, str], ...]  # (code, title) of details and old series


@dataclass(frozen=True, slots=True, kw_only=True)
class PartRow:
    """One group's figure."""

    by: str
    group: str
    figure: Figure


@dataclass(frozen=True, slots=True, kw_only=True)
class PartRows:
    """The figures of the groups that one question or channel or language makes."""

    name: str
    rows: tuple[PartRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class IndicatorPage:
    """One indicator: its figure, its line, and how it differs between groups."""

    slug: str
    service: str
    span: str
    filters: Filters
    shown: ShownFigure
    whole: Figure
    chart: LineChart
    chart_sentence: str
    change_sentence: str
    target: str
    level: str
    parts: tuple[PartRows, ...]


def indicators_page(service: Service, query: FigureQuery, minimum: int) -> IndicatorsPage:
    """Return all indicators of a service by their place in the results chain."""
    language = languages.page_language()
    found = service_indicators.indicators_of(service.id, minimum=minimum)
    listed = [d for d in found.definitions if d in found.headlines or d.code in found.settings]
    periods = [query.periods[0].previous(), *query.periods]
    lines = estimating.series(found, listed, periods, query.part)
    shown = [latest_figure(found, lines[d.code], periods) for d in listed]
    codes = {d.code for d in listed}
    return IndicatorsPage(
        slug=service.slug,
        name=service_name(service, language),
        levels=tuple(
            LevelRows(name=str(wording.LEVEL_NAMES[level]), rows=rows)
            for level in LEVELS
            if (rows := tuple(one for one in shown if one.setting.level == level))
        ),
        details=tuple((d.code, _series_title(d, language)) for d in found.definitions if d.code not in codes),
    )


def _series_title(definition: IndicatorDefinition, language: str) -> str:
    title = wording.title_of(definition, language)
    method = _(definition.method.name)
    named = title if title == method else _("%(title)s (%(method)s)", title=title, method=method)
    if definition.is_current:
        return str(named)
    return str(_("%(title)s, no longer asked in this way", title=named))


def indicator_page(service: Service, code: str, query: FigureQuery, minimum: int) -> IndicatorPage:
    """Return everything about one indicator of a service, or raise NotFoundError."""
    language = languages.page_language()
    found = service_indicators.indicators_of(service.id, minimum=minimum)
    definition = found.get(code)
    periods = [query.periods[0].previous(), *query.periods]
    line = estimating.series(found, [definition], periods, query.part)[code]
    shown = latest_figure(found, line, periods)
    return IndicatorPage(
        slug=service.slug,
        service=service_name(service, language),
        span=formats.period((query.start, query.end)),
        filters=filters_of(service, found, language),
        shown=shown,
        whole=estimating.find_estimate(found, definition, query.start, query.end, query.part),
        chart=wording.series_chart(definition, line[1:], query.periods, shown.setting, language),
        chart_sentence=wording.series_sentence(line[1:], query.periods, shown.unit),
        change_sentence=wording.change_words(shown.change, shown.unit),
        target=wording.target_words(shown.setting, shown.unit),
        level=str(wording.LEVEL_NAMES[shown.setting.level]),
        parts=tuple(parts_of(service, found, definition, query)),
    )


def parts_of(
    service: Service, found: ServiceIndicators, definition: IndicatorDefinition, query: FigureQuery
) -> Iterator[PartRows]:
    """Yield an indicator's figures by channel, by language and by each thing people say about themselves."""
    language = languages.page_language()
    choices = filters_of(service, found, language)
    simple = (
        (_("Channel"), [(one.label, Slice(channel=one.value)) for one in choices.channels]),
        (_("Language"), [(one.label, Slice(language=one.value)) for one in choices.languages]),
    )
    segments = (
        (
            segment.title(language),
            [
                (words, Slice(segment=segment.key, value=value))
                for value, words in segment.value_titles(language)
            ],
        )
        for segment in service_indicators.segments_of(found)
    )
    named = [(name, groups) for name, groups in (*simple, *segments) if groups]
    parts = [part for _name, groups in named for _group, part in groups]
    figures = iter(estimating.breakdown(found, definition, query.start, query.end, parts))
    for name, groups in named:
        rows = tuple(PartRow(by=name, group=group, figure=next(figures)) for group, _part in groups)
        yield PartRows(name=name, rows=rows)


def groups(service: Service, code: str, query: FigureQuery, minimum: int) -> list[tuple[str, str, Figure]]:
    """Return (kind of group, group, figure) of one indicator, or of the main one where no code is given.

    Raises NotFoundError where there is no such indicator.
    """
    found = service_indicators.indicators_of(service.id, minimum=minimum)
    definition = found.get(code) if code else found.main
    parts = parts_of(service, found, definition, query) if definition else ()
    return [(row.by, row.group, row.figure) for part in parts for row in part.rows]


def setting_of(service: Service, code: str) -> tuple[IndicatorDefinition, Setting]:
    """Return an indicator and what was decided about it, or raise NotFoundError."""
    found = service_indicators.indicators_of(service.id)
    return found.get(code), found.setting(code)
