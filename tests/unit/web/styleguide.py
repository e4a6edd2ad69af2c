"""An app with nothing but the shared templates, and the style guide drawn with every component."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from secrets import token_hex
from typing import Any

from flask import Flask, render_template
from flask_babel import Babel
from flask_wtf.csrf import CSRFProtect

from citizenvoice.web import bar_charts, chart_tables, components, line_charts, small_charts

ROOT = Path(__file__).parents[3]


@dataclass(frozen=True)
class Figure:
    value: float
    lower: float
    upper: float
    n: int
    confidence: float = 0.95


@dataclass(frozen=True)
class Thin:
    n: int
    minimum: int


def create_app(locale: str = "en") -> Flask:
    app = Flask("styleguide", root_path=str(ROOT), static_folder="static", template_folder="templates")
    app.config.update(SECRET_KEY=token_hex(), BABEL_DEFAULT_LOCALE=locale)
    Babel(app)
    CSRFProtect(app)
    components.register(app)
    return app


def line_chart() -> line_charts.LineChart:
    shares = [0.61, 0.63, 0.66, None, 0.64, 0.69, 0.73, 0.76, 0.75, 0.79, 0.81, 0.82]
    months = ["Dec", "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov"]
    points = [
        line_charts.Point(
            label=f"{name} {2025 if index == 0 else 2026}",
            tick=name,
            value=share,
            lower=None if share is None else share - 0.05,
            upper=None if share is None else share + 0.04,
            n=7 if share is None else 200 + index,
        )
        for index, (name, share) in enumerate(zip(months, shares, strict=True))
    ]
    return line_charts.LineChart(
        title="Satisfied people",
        points=points,
        target=chart_tables.TargetLine(0.7, "Target: 70%"),
        limits=line_charts.ControlLimits(0.67, 0.58, 0.76, "Range expected by chance"),
        changes=[
            line_charts.ChangeMarker(5, "May: online booking"),
            line_charts.ChangeMarker(9, "September: more staff"),
        ],
    )


def bar_chart(direction: str = "ltr") -> bar_charts.BarChart:
    return bar_charts.BarChart(
        title="Satisfied, by age",
        direction=direction,
        target=chart_tables.TargetLine(0.7, "Target: 70%"),
        bars=[
            bar_charts.Bar(label="Under 25", value=0.82, lower=0.76, upper=0.87, n=212, text="82% (76–87)"),
            bar_charts.Bar(label="25 to 64", value=0.79, lower=0.75, upper=0.83, n=804, text="79% (75–83)"),
            bar_charts.Bar(
                label="65 and over",
                value=0.61,
                lower=0.52,
                upper=0.69,
                n=118,
                text="61% (52–69)",
                kind="poor",
            ),
            bar_charts.Bar(label="People who chose not to tell us how old they are", value=None, n=7),
        ],
    )


def stacked_bar(direction: str = "ltr") -> bar_charts.StackedBar:
    return bar_charts.StackedBar(
        title="Sentiment by theme",
        direction=direction,
        parts=["Negative", "Neutral", "Positive"],
        rows=[
            bar_charts.StackRow(label="Waiting time", shares=[0.71, 0.08, 0.21], n=310),
            bar_charts.StackRow(label="Helpful staff", shares=[0.12, 0.16, 0.72], n=188),
            bar_charts.StackRow(label="Opening hours", shares=[], n=4),
        ],
    )


def content(direction: str) -> dict[str, Any]:
    words = ["Strongly disagree", "Disagree", "Neither agree nor disagree", "Agree", "Strongly agree"]
    return {
        "agreement": [{"value": value, "label": word} for value, word in enumerate(words, start=1)],
        "numbers": [{"value": value, "label": str(value)} for value in range(11)],
        "satisfied": Figure(0.78, 0.74, 0.82, 412),
        "trusting": Figure(0.71, 0.66, 0.76, 1893),
        "minutes": Figure(23.4, 20.1, 26.7, 55),
        "thin": Thin(7, 30),
        "rise": Figure(0.05, 0.01, 0.09, 800),
        "fall": Figure(-0.04, -0.06, -0.02, 800),
        "flat": Figure(0.01, -0.03, 0.05, 800),
        "spark": small_charts.Sparkline(values=[0.6, 0.62, None, 0.7, 0.74]),
        "line": line_chart(),
        "bars": bar_chart(direction),
        "stack": stacked_bar(direction),
        "opened": date(2026, 11, 23),
    }


def render(layout: str = "layouts/public.html", *, locale: str = "en", direction: str = "ltr") -> str:
    app = create_app(locale)
    with app.test_request_context("/"):
        return render_template(
            "styleguide.html",
            layout=layout,
            page_language=locale,
            page_direction=direction,
            agency_name="Passport Office",
            unit_name="Passport Office, Valencia",
            user_name="Ana Ruiz",
            sign_out_url="/sign-out",
            navigation=[
                {"url": "#", "text": "Services", "current": True},
                {"url": "#", "text": "Comments"},
                {"url": "#", "text": "Surveys"},
                {"url": "#", "text": "Cases"},
            ],
            language_links=[
                {"url": "#", "code": "en", "current": locale == "en"},
                {"url": "#", "code": "es"},
                {"url": "#", "code": "ar", "current": locale == "ar"},
            ],
            footer_links=[{"url": "#", "text": "Privacy"}, {"url": "#", "text": "Accessibility"}],
            **content(direction),
        )
