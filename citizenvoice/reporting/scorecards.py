"""What the public page of a service shows: what may be published, and nothing that singles people out."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask_babel import gettext as _

from citizenvoice.agencies.models import Service
from citizenvoice.agencies.queries import agency_name, service_description, service_name
from citizenvoice.indicators import estimating, publishing, service_indicators, service_volumes, theme_tables
from citizenvoice.indicators.definitions import IndicatorDefinition
from citizenvoice.indicators.estimating import Figure
from citizenvoice.indicators.pooling import Slice
from citizenvoice.indicators.service_indicators import ServiceIndicators
from citizenvoice.indicators.service_volumes import Volume
from citizenvoice.indicators.theme_tables import ThemeRow, ThemeTable
from citizenvoice.reporting import wording
from citizenvoice.reporting.figures import NO_CHANGE, ShownFigure, latest_figure, shown_figure
from citizenvoice.reporting.pages import filters_of
from citizenvoice.reporting.spreadsheets import Sheet, Value
from citizenvoice.stats.disclosure import complementary
from citizenvoice.stats.estimates import Estimate, NotEnough
from citizenvoice.stats.periods import ONE_DAY, Period, PeriodKind, latest, period_of
from citizenvoice.web import formats, languages
from citizenvoice.web.line_charts import LineChart

N_MONTHS = 12
N_THEMES = 6
SHEET_COLUMNS = (
    *("kind", "code", "name", "method", "unit", "start", "last_day"),
    *("value", "lower", "upper", "n", "target", "status"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicFigure:
    """One indicator in its latest month, by which its status is judged, and over the whole time shown."""

    latest: ShownFigure
    whole: ShownFigure


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupFigure:
    """The main figure of one channel or language; None where another group would be given away."""

    by: str
    group: str
    result: Estimate | NotEnough | None

    @property
    def is_too_small(self) -> bool:
        """Whether too few of the group answered for a figure."""
        return isinstance(self.result, NotEnough)


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicTheme:
    """How often a theme is named."""

    key: str
    name: str
    share: Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyLink:
    """A survey that can be answered now."""

    survey: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Scorecard:
    """The public page of a service."""

    slug: str
    name: str
    agency: str
    description: str
    start: date
    end: date
    span: str
    figures: tuple[PublicFigure, ...]
    chart: LineChart | None
    chart_sentence: str
    groups: tuple[GroupFigure, ...]
    silent: tuple[str, ...]  # groups with too few answers
    themes: tuple[PublicTheme, ...]
    n_read: int
    volume: Volume
    surveys: tuple[SurveyLink, ...]


def scorecard(service: Service, today: date, minimum: int) -> Scorecard:
    """Return the public page of a service over the last twelve months, the running one included."""
    language = languages.page_language()
    found = service_indicators.indicators_of(service.id, minimum=minimum)
    months = latest(N_MONTHS, period_of(today, PeriodKind.MONTH))
    start, end = months[0].start, months[-1].end_exclusive
    public = publishing.public_figures(found, found.public, months, service.agency.fiscal_year_start)
    lines = {code: list(figures.periods) for code, figures in public.items()}
    chart, sentence = _chart(found, lines, months, language)
    table = theme_tables.theme_table(found, start, end)
    groups = tuple(_groups(service, found, start, end))
    return Scorecard(
        slug=service.slug,
        name=service_name(service, language),
        agency=agency_name(service.agency, language),
        description=service_description(service, language),
        start=start,
        end=end,
        span=formats.period((start, end)),
        figures=tuple(
            PublicFigure(
                latest=latest_figure(found, one.periods, months),
                whole=shown_figure(found, one.whole, (), estimating.status_of(found, one.whole), NO_CHANGE),
            )
            for one in public.values()
        ),
        chart=chart,
        chart_sentence=sentence,
        groups=groups,
        silent=tuple(one.group for one in groups if isinstance(one.result, NotEnough)),
        themes=tuple(_themes(table, max(minimum, service_indicators.LEAST_MINIMUM))),
        n_read=table.n_read,
        volume=service_volumes.volumes([service.id], start, end)[service.id],
        surveys=tuple(_surveys(found, language)),
    )


def _public_main(found: ServiceIndicators) -> IndicatorDefinition | None:
    main = found.main
    return main if main is not None and main in found.public else None


def _chart(
    found: ServiceIndicators, lines: Mapping[str, list[Figure]], months: Sequence[Period], language: str
) -> tuple[LineChart | None, str]:
    main = _public_main(found)
    if main is None:
        return None, ""
    chart = wording.series_chart(main, lines[main.code], months, found.setting(main.code), language)
    return chart, wording.series_sentence(lines[main.code], months, wording.unit_of(main))


def _groups(service: Service, found: ServiceIndicators, start: date, end: date) -> Iterator[GroupFigure]:
    main = _public_main(found)
    if main is None:
        return
    choices = filters_of(service, found, languages.page_language())
    named = [
        (_("Channel"), [(one.label, Slice(channel=one.value)) for one in choices.channels]),
        (_("Language"), [(one.label, Slice(language=one.value)) for one in choices.languages]),
    ]
    named = [(by, parts) for by, parts in named if len(parts) > 1]
    wanted = [part for _by, parts in named for _label, part in parts]
    figures = iter(estimating.breakdown(found, main, start, end, wanted))
    for by, parts in named:
        results = [next(figures).result for _part in parts]
        kept_back = complementary([result.n for result in results], found.minimum(main.code))
        for place, ((label, _part), result) in enumerate(zip(parts, results, strict=True)):
            hidden = place in kept_back and isinstance(result, Estimate)
            yield GroupFigure(by=by, group=label, result=None if hidden else result)


def _themes(table: ThemeTable, minimum: int) -> list[PublicTheme]:
    """Return the most frequent themes that enough people name and enough do not."""
    return [
        PublicTheme(key=row.key, name=wording.theme_name(row.names, row.name), share=row.share)
        for row in table.rows
        if isinstance(row.share, Estimate) and _is_publishable(row, table, minimum)
    ][:N_THEMES]


def _is_publishable(row: ThemeRow, table: ThemeTable, minimum: int) -> bool:
    return row.n >= minimum and table.n_read - row.n >= minimum


def _surveys(found: ServiceIndicators, language: str) -> Iterator[SurveyLink]:
    for survey in found.surveys:
        definition = survey.versions[-1].definition
        if survey.is_live and language in definition.languages:
            yield SurveyLink(survey=survey.slug, title=definition.say(definition.title, language))


# The published figures as data


def as_json(card: Scorecard) -> dict[str, Any]:
    """Return the published figures as plain JSON values; shares from 0 to 1."""
    volume = card.volume
    return {
        "service": card.slug,
        "name": card.name,
        "agency": card.agency,
        **_days(card),
        "indicators": [_indicator(one) for one in card.figures],
        "groups": [
            {"by": one.by, "group": one.group, **_days(card), **_numbers(one.result)} for one in card.groups
        ],
        "themes": [
            {"key": one.key, "name": one.name, **_days(card), **_numbers(one.share)} for one in card.themes
        ],
        "responses": {
            **_days(card),
            "n_served": volume.n_served,
            "n_offered": volume.n_offered,
            "n_responses": volume.n_responses_covered,
            "response_rate": volume.response_rate,
        },
    }


def figures_of_period(service: Service, period: Period, minimum: int, *, is_whole: bool) -> dict[str, Any]:
    """Return the figures of a service in one period as plain JSON values: all of them, or the published."""
    language = languages.page_language()
    found = service_indicators.indicators_of(service.id, minimum=minimum)
    if is_whole:
        figures = estimating.figures(found, found.definitions, period.start, period.end_exclusive)
    else:
        public = publishing.public_figures(found, found.public, [period], service.agency.fiscal_year_start)
        figures = [one.periods[0] for one in public.values()]
    return {
        "service": service.slug,
        "name": service_name(service, language),
        "agency": agency_name(service.agency, language),
        "period": period.key,
        "start": period.start.isoformat(),
        "end": period.end_exclusive.isoformat(),
        "indicators": [_in_period(found, figure) for figure in figures],
    }


def _in_period(found: ServiceIndicators, figure: Figure) -> dict[str, Any]:
    shown = shown_figure(found, figure, (), estimating.status_of(found, figure), NO_CHANGE)
    days = {"start": figure.start.isoformat(), "end": figure.end.isoformat()}
    known = {**_facts(shown), **days, **_said(shown)}
    return known | {"status": shown.status, "is_public": figure.definition in found.public}


def _indicator(figure: PublicFigure) -> dict[str, Any]:
    one = figure.latest
    return {
        **_facts(one),
        "latest": {**_period(one), "status": one.status},
        "whole": _period(figure.whole),
    }


def _facts(one: ShownFigure) -> dict[str, Any]:
    setting = one.setting
    return {
        "code": one.code,
        "title": one.title,
        "method": one.how.id,
        "method_version": one.how.version,
        "unit": one.definition.unit,
        "minimum_n": one.figure.minimum,
        "target": setting.target,
        "target_day": setting.target_day.isoformat() if setting.target_day else None,
    }


def _period(one: ShownFigure) -> dict[str, Any]:
    return {**_days(one.figure), **_said(one)}


def _said(one: ShownFigure) -> dict[str, Any]:
    return {**_numbers(one.result), "excluded": {reason.text: reason.n for reason in one.exclusions}}


def _days(one: Scorecard | Figure) -> dict[str, str]:
    """Return the first and the last day counted, as the page names them."""
    return {"start": one.start.isoformat(), "last_day": (one.end - ONE_DAY).isoformat()}


def as_sheet(card: Scorecard) -> Sheet:
    """Return the published figures as a table: two rows an indicator, its latest month and the whole time.

    Only the latest month is held against a target.
    """
    return Sheet("figures", SHEET_COLUMNS, tuple(_rows(card)))


def _rows(card: Scorecard) -> Iterator[tuple[Value, ...]]:
    for figure in card.figures:
        for one in (figure.latest, figure.whole):
            words = (one.code, one.title, one.how.id, one.definition.unit)
            judged = (one.setting.target, one.status) if one is figure.latest else (None, "")
            yield ("indicator", *words, *_days(one.figure).values(), *_ends(one.result), *judged)
    span = _days(card).values()
    for group in card.groups:
        yield ("group", group.by, group.group, "", "", *span, *_ends(group.result), None, "")
    for theme in card.themes:
        words = (theme.key, theme.name, "theme_share_v1", "share")
        yield ("theme", *words, *span, *_ends(theme.share), None, "")


def _numbers(result: Estimate | NotEnough | None) -> dict[str, Value]:
    return dict(zip(("value", "lower", "upper", "n"), _ends(result), strict=True))


def _ends(result: Estimate | NotEnough | None) -> Iterable[Value]:
    if isinstance(result, Estimate):
        return round(result.value, 6), round(result.lower, 6), round(result.upper, 6), result.n
    return None, None, None, None  # how few they are is nobody's business
