"""What the managers' pages show: the home page and the page of a service, ready for their templates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from flask_babel import gettext as _
from flask_babel import ngettext

from citizenvoice.agencies.models import Agency, Service
from citizenvoice.agencies.queries import agency_name, service_name
from citizenvoice.indicators import queries as indicators
from citizenvoice.indicators.definitions import IndicatorDefinition
from citizenvoice.indicators.models import Level
from citizenvoice.indicators.queries import (
    Figure,
    Overview,
    ServiceIndicators,
    Setting,
    StatusOf,
    ThemeRow,
    ThemeTable,
    Volume,
)
from citizenvoice.reporting import queries, wording
from citizenvoice.reporting.periods import FigureQuery, period_name
from citizenvoice.reporting.queries import Quote
from citizenvoice.reporting.wording import Exclusion, How
from citizenvoice.stats.comparisons import Change, Verdict, change_of_proportion, judge_together
from citizenvoice.stats.drivers import DriverAnalysis, NoVariance
from citizenvoice.stats.estimates import Estimate, NotEnough
from citizenvoice.stats.periods import Period
from citizenvoice.stats.status import Status
from citizenvoice.web import formats, languages
from citizenvoice.web.charts import Bar, BarChart, LineChart, Sparkline, StackedBar, StackRow

OUTCOMES = {Level.OUTCOME, Level.IMPACT}
MOST_QUOTED_THEMES = 3
QUOTES_A_THEME = 2
MOST_STACKED_THEMES = 8


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


# Home


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceRow:
    """One service on its manager's home page."""

    slug: str
    name: str
    main: ShownFigure | None
    n_responses: int
    n_unread: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AgencyRows:
    """The services of one agency."""

    name: str
    rows: tuple[ServiceRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HomePage:
    """A manager's services by agency, what needs attention among them, and where the next page begins."""

    agencies: tuple[AgencyRows, ...]
    attention: str
    worrying: tuple[ServiceRow, ...]
    next_after: str | None


def home_page(
    services: Sequence[Service], overviews: Mapping[int, Overview], next_after: str | None
) -> HomePage:
    """Return the home page of these services; changes are judged together, because there are many."""
    language = languages.page_language()
    changes = [_change_of(overviews[service.id]) for service in services]
    rows = [
        (service.agency, _service_row(service, overviews[service.id], change, language))
        for service, change in zip(services, judge_together(changes), strict=True)
    ]
    groups: dict[int, tuple[Agency, list[ServiceRow]]] = {}
    for agency, row in rows:
        groups.setdefault(agency.id, (agency, []))[1].append(row)
    every = [row for _agency, row in rows]
    return HomePage(
        agencies=tuple(
            AgencyRows(name=agency_name(agency, language), rows=tuple(found))
            for agency, found in groups.values()
        ),
        attention=attention(every),
        worrying=tuple(row for row in every if is_off_track(row) or is_worse(row)),
        next_after=next_after,
    )


def is_off_track(row: ServiceRow) -> bool:
    """Tell whether a service's main indicator is off track."""
    return row.main is not None and row.main.status == "off_track"


def is_worse(row: ServiceRow) -> bool:
    """Tell whether a service's main indicator is worse than in the period before."""
    return row.main is not None and row.main.change.verdict is Verdict.WORSE


def attention(rows: Sequence[ServiceRow]) -> str:
    """Say in a sentence what needs attention among these services."""
    n_off = sum(is_off_track(row) for row in rows)
    n_worse = sum(is_worse(row) for row in rows)
    off = ngettext("%(num)s service is off track", "%(num)s services are off track", n_off)
    worse = ngettext(
        "%(num)s is worse than in the period before", "%(num)s are worse than in the period before", n_worse
    )
    if n_off and n_worse:
        return str(_("%(off_track)s, and %(worse)s.", off_track=off, worse=worse))
    if n_off:
        return str(_("%(off_track)s; none is distinguishably worse than in the period before.", off_track=off))
    if n_worse:
        one = ngettext(
            "No service is off track, but %(num)s is worse than in the period before.",
            "No service is off track, but %(num)s are worse than in the period before.",
            n_worse,
        )
        return str(one)
    return str(_("No service is off track, and none is distinguishably worse than in the period before."))


def _change_of(overview: Overview) -> Change:
    return overview.change or Change(None, None, None, None, Verdict.NOT_ENOUGH)


def _service_row(service: Service, overview: Overview, change: Change, language: str) -> ServiceRow:
    main = None
    if overview.main and overview.latest:
        status = overview.status or StatusOf(Status.NO_TARGET, None)
        main = shown_figure(overview.found, overview.latest, overview.spark, status, change)
    return ServiceRow(
        slug=service.slug,
        name=service_name(service, language),
        main=main,
        n_responses=overview.n_responses,
        n_unread=overview.n_unread,
    )


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


# A service


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One choice of a filter."""

    value: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What a page of figures can be narrowed to."""

    channels: tuple[Option, ...]
    languages: tuple[Option, ...]
    segments: tuple[Option, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Drivers:
    """What goes with the main rating: a picture and its sentence, or why there is none."""

    chart: BarChart | None
    sentence: str
    rows: tuple[tuple[str, float, float, float, int], ...] = ()  # words, share, performance, priority, n


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownTheme:
    """One theme with its sentence, and whether it is named more or less than before."""

    row: ThemeRow
    name: str
    sentence: str
    is_new: bool
    is_rising: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ThemeQuotes:
    """Some comments that stand for a theme."""

    theme: str
    key: str
    quotes: tuple[Quote, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Themes:
    """What comments are about: themes by what they cost, a picture of how people feel, and quotes."""

    table: ThemeTable
    by_contribution: tuple[ShownTheme, ...]
    chart: StackedBar | None
    sentence: str
    quotes: tuple[ThemeQuotes, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do next: which template sentence, about what, how many."""

    kind: str
    n: int = 0
    code: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServicePage:
    """The page of a service, in the order of its four questions."""

    service: Service
    name: str
    agency: str
    query: FigureQuery
    filters: Filters
    span: str
    main: ShownFigure | None
    chart: LineChart | None
    chart_sentence: str
    change_sentence: str
    others: tuple[ShownFigure, ...]
    drivers: Drivers | None
    themes: Themes
    volume: Volume
    steps: tuple[Step, ...]

    @property
    def has_survey(self) -> bool:
        """Tell whether anybody was ever asked about the service."""
        return self.main is not None


def service_page(service: Service, query: FigureQuery, minimum: int) -> ServicePage:
    """Return the page of a service."""
    language = languages.page_language()
    found = indicators.indicators_of(service.id, minimum=minimum)
    definitions = outcomes(found)
    periods = [query.periods[0].previous(), *query.periods]
    lines = indicators.series(found, definitions, periods, query.part)
    shown = [_latest(found, lines[d.code], periods) for d in definitions]
    main = shown[0] if shown else None
    unread = indicators.service_overview_unread(service.id) if False else None  # noqa: F841
    themes = _themes(service, found, query)
    volume = indicators.volumes([service.id], query.start, query.end)[service.id]
    page = ServicePage(
        service=service,
        name=service_name(service, language),
        agency=agency_name(service.agency, language),
        query=query,
        filters=filters_of(service, found, language),
        span=formats.period((query.start, min(query.end, date.max))),
        main=main,
        chart=None,
        chart_sentence="",
        change_sentence="",
        others=tuple(shown[1:]),
        drivers=_drivers(found, main, query, language),
        themes=themes,
        volume=volume,
        steps=(),
    )
    if main is not None:
        line = lines[main.code][1:]
        page = replace(
            page,
            chart=wording.series_chart(main.definition, line, periods[1:], main.setting, language),
            chart_sentence=wording.series_sentence(line, periods[1:], main.unit),
            change_sentence=wording.change_words(main.change, main.unit),
        )
    return replace(page, steps=_steps(page, found))
