"""What the page of a service shows its managers, in the order of its four questions."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from flask_babel import gettext as _

from citizenvoice.agencies.models import Service
from citizenvoice.agencies.queries import agency_name, service_name
from citizenvoice.indicators import estimating, key_drivers, service_indicators, service_volumes, theme_tables
from citizenvoice.indicators.definitions import IndicatorDefinition
from citizenvoice.indicators.models import Level
from citizenvoice.indicators.service_indicators import ServiceIndicators
from citizenvoice.indicators.service_volumes import Volume
from citizenvoice.indicators.theme_tables import ThemeRow, ThemeTable
from citizenvoice.reporting import queries, wording
from citizenvoice.reporting.figures import ShownFigure, latest_figure
from citizenvoice.reporting.periods import FigureQuery
from citizenvoice.reporting.queries import Quote
from citizenvoice.stats.comparisons import change_of_proportion
from citizenvoice.stats.drivers import DriverAnalysis, NoVariance
from citizenvoice.stats.estimates import NotEnough, Polarity
from citizenvoice.stats.periods import latest
from citizenvoice.web import formats, languages
from citizenvoice.web.bar_charts import Bar, BarChart, StackedBar, StackRow
from citizenvoice.web.line_charts import LineChart

OUTCOMES = {Level.OUTCOME, Level.IMPACT}
N_QUOTED_THEMES = 3
QUOTES_A_THEME = 2
N_STACKED_THEMES = 8
LEAST_COMMENTS = 10  # to compare how often a theme is named now and before


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
class DriverRow:
    """One answer that goes with the main rating; all but ``n`` are shares in [0, 1]."""

    words: str
    share: float
    performance: float
    priority: float
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Drivers:
    """What goes with the main rating, the most pressing first, or why nothing is known."""

    sentence: str
    rows: tuple[DriverRow, ...] = ()
    chart: BarChart | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownTheme:
    """One theme with its sentence, and whether it is named more than in as long a time before."""

    row: ThemeRow
    name: str
    sentence: str
    is_new: bool = False
    is_rising: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ThemeQuotes:
    """Some comments that stand for a theme."""

    name: str
    key: str
    quotes: tuple[Quote, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Themes:
    """What comments are about: themes by what they cost, a picture of how people feel, and quotes."""

    table: ThemeTable
    by_cost: tuple[ShownTheme, ...] = ()
    by_news: tuple[ShownTheme, ...] = ()
    chart: StackedBar | None = None
    sentence: str = ""
    quotes: tuple[ThemeQuotes, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing to do next: its kind names the sentence and the button."""

    kind: str
    n: int = 0
    code: str = ""
    words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServicePage:
    """The page of a service."""

    slug: str
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


def service_page(service: Service, query: FigureQuery, minimum: int) -> ServicePage:
    """Return the page of a service: a fixed number of statements, however many responses there are."""
    language = languages.page_language()
    found = service_indicators.indicators_of(service.id, minimum=minimum)
    shown, chart, sentence = _lines(found, query, language)
    main = shown[0] if shown else None
    themes = themes_of(service.id, found, query)
    volume = service_volumes.volumes([service.id], query.start, query.end)[service.id]
    return ServicePage(
        slug=service.slug,
        name=service_name(service, language),
        agency=agency_name(service.agency, language),
        query=query,
        filters=filters_of(service, found, language),
        span=formats.period((query.start, query.end)),
        main=main,
        chart=chart,
        chart_sentence=sentence,
        change_sentence=wording.change_words(main.change, main.unit) if main else "",
        others=tuple(shown[1:]),
        drivers=drivers_of(found, query, language),
        themes=themes,
        volume=volume,
        steps=tuple(_steps(service, shown, query)),
    )


def outcomes(found: ServiceIndicators) -> list[IndicatorDefinition]:
    """Return the indicators that say whether a service gets better: the main one, then headline outcomes."""
    return [
        definition
        for definition in found.headlines
        if definition is found.main or found.setting(definition.code).level in OUTCOMES
    ]


def _lines(
    found: ServiceIndicators, query: FigureQuery, language: str
) -> tuple[list[ShownFigure], LineChart | None, str]:
    definitions = outcomes(found)
    periods = [query.periods[0].previous(), *query.periods]
    lines = estimating.series(found, definitions, periods, query.part)
    shown = [latest_figure(found, lines[definition.code], periods) for definition in definitions]
    if not shown:
        return [], None, ""
    main, line = shown[0], lines[shown[0].code][1:]
    chart = wording.series_chart(main.definition, line, query.periods, main.setting, language)
    return shown, chart, wording.series_sentence(line, query.periods, main.unit)


def filters_of(service: Service, found: ServiceIndicators, language: str) -> Filters:
    """Return what the figures of a service can be narrowed to."""
    spoken = list(dict.fromkeys([*service.languages, *_survey_languages(found)]))
    return Filters(
        channels=tuple(Option(value=one, label=wording.channel_name(one)) for one in service.channels),
        languages=tuple(Option(value=one, label=formats.language_name(one)) for one in spoken),
        segments=tuple(
            Option(
                value=f"{segment.key}:{value}",
                label=_("%(question)s: %(answer)s", question=segment.title(language), answer=words),
            )
            for segment in service_indicators.segments_of(found)
            for value, words in segment.value_titles(language)
        ),
    )


def _survey_languages(found: ServiceIndicators) -> list[str]:
    return [code for survey in found.surveys for code in survey.versions[-1].definition.languages]


# What moves it


def drivers_of(found: ServiceIndicators, query: FigureQuery, language: str) -> Drivers | None:
    """Return what goes with the main rating; None where nothing else was asked."""
    main = found.main
    if main is None:
        return None
    if query.segment:
        return Drivers(sentence=_("This is worked out for everybody together, not for one group."))
    analysis = key_drivers.drivers(found, main, query.start, query.end, query.part)
    if isinstance(analysis, DriverAnalysis):
        return _drivers(analysis, main, language)
    if isinstance(analysis, NotEnough):
        return Drivers(sentence=wording.not_enough(analysis))
    same = _("Everybody gave the same answer, so nothing can go with it.")
    return Drivers(sentence=same) if isinstance(analysis, NoVariance) else None


def _drivers(analysis: DriverAnalysis, main: IndicatorDefinition, language: str) -> Drivers:
    definition = main.definition
    rows = [
        DriverRow(
            words=definition.say(definition.question(driver.key).text, language),
            share=driver.share,
            performance=driver.performance,
            priority=driver.priority,
            n=driver.n,
        )
        for driver in sorted(analysis.drivers, key=lambda driver: (-driver.priority, driver.key))
    ]
    bars = [
        Bar(
            label=row.words,
            value=row.share,
            n=row.n,
            text=_(
                "%(share)s of the link, performance %(performance)s",
                share=formats.percent(row.share),
                performance=formats.decimal(row.performance * 100, 0),
            ),
        )
        for row in rows
    ]
    return Drivers(
        sentence=_(
            "Together these answers account for %(share)s of the differences in the main rating "
            "(%(n)s people). The first has the most to gain: it matters, and it does worse.",
            share=formats.percent(analysis.r_squared),
            n=formats.count(analysis.n),
        ),
        rows=tuple(rows),
        chart=BarChart(
            title=_("What goes with the main rating"),
            bars=bars,
            high=max(0.01, *(row.share for row in rows)) if len(rows) > 1 else 1.0,
            direction=languages.direction(language),
            column_names=(_("Answer"), _("Share of the link, and performance"), _("People")),
        ),
    )


# What people say


def themes_of(service_id: int, found: ServiceIndicators, query: FigureQuery) -> Themes:
    """Return what comments are about in the time shown, compared with as long a time before."""
    table = theme_tables.theme_table(found, query.start, query.end, query.part)
    if not table.rows:
        return Themes(table=table)
    span = latest(len(query.periods), query.periods[0].previous())
    before = theme_tables.theme_table(found, span[0].start, span[-1].end_exclusive, query.part)
    shown = [_shown_theme(row, table, before) for row in table.rows]
    by_news = sorted(shown, key=lambda theme: (not theme.is_new, not theme.is_rising, -theme.row.n))
    by_cost = sorted(
        shown,
        key=lambda theme: (theme.row.contribution is None, theme.row.contribution or 0.0, -theme.row.n),
    )
    return Themes(
        table=table,
        by_cost=tuple(by_cost),
        by_news=tuple(by_news),
        chart=_stack(by_news[:N_STACKED_THEMES], table),
        sentence=_sentence(table),
        quotes=() if query.segment else tuple(_quotes(service_id, shown, query)),
    )


def _shown_theme(row: ThemeRow, table: ThemeTable, before: ThemeTable) -> ShownTheme:
    earlier = next((old.n for old in before.rows if old.theme_id == row.theme_id), 0)
    change = change_of_proportion(
        (earlier, before.n_read), (row.n, table.n_read), polarity=Polarity.UP, minimum=LEAST_COMMENTS
    )
    has_risen = change.lower is not None and change.lower > 0 and (change.p_value or 0) < 0.05
    return ShownTheme(
        row=row,
        name=wording.theme_name(row.names, row.name),
        sentence=wording.theme_sentence(row),
        is_new=has_risen and earlier == 0,
        is_rising=has_risen and earlier > 0,
    )


def _stack(themes: Sequence[ShownTheme], table: ThemeTable) -> StackedBar:
    direction = languages.direction(languages.page_language())
    rows = [_stack_row(_("All comments"), table.sentiment)]
    rows += [_stack_row(_label(theme), theme.row.sentiment) for theme in themes]
    return StackedBar(
        title=_("How people feel, by theme"),
        parts=(_("Negative"), _("Neutral or mixed"), _("Positive")),
        rows=rows,
        direction=direction,
        column_names=(
            _("Theme"),
            _("Negative"),
            _("Neutral or mixed"),
            _("Positive"),
            _("Comments"),
        ),
    )


def _label(theme: ShownTheme) -> str:
    if theme.is_new:
        return str(_("%(theme)s (new)", theme=theme.name))
    return str(_("%(theme)s (rising)", theme=theme.name)) if theme.is_rising else theme.name


def _stack_row(label: str, five: tuple[int, ...]) -> StackRow:
    n = sum(five)
    three = (five[0] + five[1], five[2], five[3] + five[4])
    return StackRow(label=label, shares=[part / n for part in three] if n >= LEAST_COMMENTS else (), n=n)


def _sentence(table: ThemeTable) -> str:
    n = sum(table.sentiment)
    if n < LEAST_COMMENTS:
        return wording.not_enough(NotEnough(n, LEAST_COMMENTS))
    return str(
        _(
            "Of %(n)s comments with a feeling in them, %(negative)s are negative and %(positive)s positive.",
            n=formats.count(n),
            negative=formats.percent((table.sentiment[0] + table.sentiment[1]) / n),
            positive=formats.percent((table.sentiment[3] + table.sentiment[4]) / n),
        )
    )


def _quotes(service_id: int, themes: Sequence[ShownTheme], query: FigureQuery) -> list[ThemeQuotes]:
    """Quote, for the most frequent themes, comments with the feeling most people have in them."""
    recent = queries.recent_comments(service_id, start=query.start, end=query.end, part=query.part)
    shown: set[int] = set()
    found = []
    for theme in themes[:N_QUOTED_THEMES]:
        usual = _usual(theme.row.sentiment)
        fitting = (
            quote
            for quote in recent
            if theme.row.theme_id in quote.themes and quote.sentiment in usual and quote.id not in shown
        )
        quotes = tuple(islice(fitting, QUOTES_A_THEME))
        shown |= {quote.id for quote in quotes}
        if quotes:
            found.append(ThemeQuotes(name=theme.name, key=theme.row.key, quotes=quotes))
    return found


def _usual(five: tuple[int, int, int, int, int]) -> tuple[int, ...]:
    """Return the feeling most people have: the negative, the neutral or the positive classes."""
    groups = ((1, 2), (3,), (4, 5))
    return max(groups, key=lambda group: sum(five[value - 1] for value in group))


# What to do next


def _steps(service: Service, shown: Sequence[ShownFigure], query: FigureQuery) -> list[Step]:
    """Return what there is to do, the most pressing first."""
    if not shown:
        return [Step(kind="no_survey")]
    steps = [
        Step(kind="off_track", code=one.code, words=one.title) for one in shown if one.status == "off_track"
    ]
    if waiting := queries.n_waiting(service.id):
        steps.append(Step(kind="unread", n=waiting))
    if isinstance(shown[0].result, NotEnough):
        steps.append(Step(kind="thin", n=shown[0].result.minimum - shown[0].result.n))
    if shown[0].status == "no_target":
        steps.append(Step(kind="no_target", code=shown[0].code, words=shown[0].title))
    if missing := queries.channels_without_volumes(service, query.today):
        names = ", ".join(wording.channel_name(channel) for channel in missing)
        steps.append(Step(kind="no_volumes", n=len(missing), words=names))
    return steps
