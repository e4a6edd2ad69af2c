import re

import html5lib
import pytest
from bs4 import BeautifulSoup, Tag
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from citizenvoice.web import bar_charts, drawing, line_charts, small_charts
from tests.unit.web.styleguide import bar_chart, create_app, line_chart, stacked_bar

shares = st.floats(0, 1)


def drawn(svg: Markup) -> BeautifulSoup:
    html5lib.HTMLParser(strict=True).parse(f"<!DOCTYPE html><title>x</title>{svg}")
    return BeautifulSoup(svg, "html.parser")


def numbers(tag: Tag, *names: str) -> list[float]:
    return [float(str(tag[name])) for name in names]


def test_a_line_breaks_where_there_are_not_enough_answers() -> None:
    with create_app().app_context():
        picture = drawn(line_chart().svg("line"))

    assert len(picture.select("path.cv-chart__line")) == 2
    assert len(picture.select("circle.cv-chart__dot")) == 11
    gap = picture.select_one("circle.cv-chart__gap")
    assert gap is not None
    assert "Not enough answers" in gap.get_text()
    lowest = max(numbers(line, "y1")[0] for line in picture.select(".cv-chart__grid"))
    top_of_gap = numbers(gap, "cy")[0] - numbers(gap, "r")[0]
    assert top_of_gap > lowest  # nobody takes it for zero


def test_higher_shares_are_drawn_higher_and_later_ones_further_right() -> None:
    points = [line_charts.Point(label=str(i), value=v) for i, v in enumerate((0.2, 0.9))]
    first, second = drawn(line_charts.LineChart(title="x", points=points).svg("x")).select(".cv-chart__dot")

    assert numbers(first, "cx") < numbers(second, "cx")
    assert numbers(first, "cy") > numbers(second, "cy")


def test_the_picture_is_named_and_described() -> None:
    picture = drawn(line_chart().svg("trend", "It rises.")).select_one("svg")

    assert picture is not None
    assert picture["role"] == "img"
    names = str(picture["aria-labelledby"]).split()
    assert [picture.select_one(f"#{name}").get_text() for name in names] == ["Satisfied people", "It rises."]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "chart", [line_chart(), bar_chart(), stacked_bar(), bar_chart("rtl"), stacked_bar("rtl")]
)
def test_colours_are_left_to_the_stylesheet(
    chart: line_charts.LineChart | bar_charts.BarChart | bar_charts.StackedBar,
) -> None:
    svg = chart.svg("x")

    assert not re.findall(r"\b(fill|stroke|style)=", svg)
    drawn(svg)


def test_words_from_outside_cannot_break_out_of_the_picture() -> None:
    hostile = '</svg><script>alert("1")</script>'
    pictures = [
        line_charts.LineChart(
            title=hostile,
            points=[line_charts.Point(label=hostile, tick=hostile, text=hostile, value=0.5)],
            changes=[line_charts.ChangeMarker(0, hostile)],
        ).svg(hostile, hostile),
        bar_charts.BarChart(title=hostile, bars=[bar_charts.Bar(label=hostile, text=hostile, value=0.5)]).svg(
            "b", hostile
        ),
        bar_charts.StackedBar(
            title=hostile,
            parts=[hostile],
            kinds=["good"],
            rows=[bar_charts.StackRow(label=hostile, shares=[1], texts=[hostile])],
        ).svg("s"),
        small_charts.Sparkline(values=[1, 2]).svg(hostile),
        small_charts.interval_bar(charts_figure(), label=hostile),
    ]

    assert not [picture for picture in pictures if "<script" in picture or picture.count("</svg>") != 1]


def charts_figure() -> small_charts.HasEstimate:
    from tests.unit.web.styleguide import Figure

    return Figure(0.5, 0.4, 0.6, 100)


def test_the_table_has_the_numbers_of_the_picture() -> None:
    with create_app().app_context():
        line, bars, stack = line_chart().table(), bar_chart().table(), stacked_bar().table()

    assert [column.text for column in line.columns] == ["Period", "Value", "Answers"]
    assert [row[1] for row in line.rows][:4] == ["61%", "63%", "66%", "Not enough answers"]
    assert bars.rows[2] == ("65 and over", "61% (52–69)", "118")
    assert stack.rows[0] == ("Waiting time", "71%", "8%", "21%", "310")
    assert stack.rows[2] == ("Opening hours", "Not enough answers", "–", "–", "4")
    assert {len(row) for row in stack.rows} == {len(stack.columns)}


def test_bars_start_at_the_readers_side() -> None:
    left = drawn(bar_chart("ltr").svg("x")).select("rect.cv-chart__bar")
    right = drawn(bar_chart("rtl").svg("x")).select("rect.cv-chart__bar")

    assert len(left) == len(right) == 3
    for one, other in zip(left, right, strict=True):
        (x, width), (mirrored, same) = numbers(one, "x", "width"), numbers(other, "x", "width")
        assert width == same
        assert x + mirrored + width == pytest.approx(drawing.WIDTH, abs=0.11)


def test_time_runs_left_to_right_in_every_language() -> None:
    assert 'direction="ltr"' in line_chart().svg("x")


@given(st.lists(shares, min_size=2, max_size=6).filter(lambda parts: sum(parts) > 0.01))
def test_stacked_parts_fill_the_bar_exactly(parts: list[float]) -> None:
    row = bar_charts.StackRow(label="x", shares=parts, texts=["-"] * len(parts))
    chart = bar_charts.StackedBar(
        title="x", parts=["-"] * len(parts), rows=[row], kinds=["good"] * len(parts)
    )
    widths = [float(str(rect["width"])) for rect in drawn(chart.svg("x")).select("rect.cv-chart__part")]

    assert sum(widths) == pytest.approx(drawing.WIDTH - 4, abs=0.4)


@given(st.lists(st.none() | shares, max_size=20))
def test_the_axis_holds_every_share(values: list[float | None]) -> None:
    ticks = [tick.value for tick in line_charts.share_axis(values, locale="en")]

    assert 3 <= len(ticks) <= 7
    assert ticks == sorted(ticks)
    assert ticks[-1] - ticks[0] >= 0.299
    assert all(0 <= tick <= 1 for tick in ticks)
    assert all(ticks[0] - 1e-9 <= value <= ticks[-1] + 1e-9 for value in values if value is not None)


@given(st.lists(st.none() | shares, min_size=1, max_size=40))
def test_every_drawing_stays_inside_its_frame(values: list[float | None]) -> None:
    points = [line_charts.Point(label=str(index), value=value) for index, value in enumerate(values)]
    with create_app().app_context():
        picture = drawn(line_charts.LineChart(title="x", points=points).svg("x"))

    for dot in picture.select("circle"):
        assert 0 <= float(str(dot["cx"])) <= drawing.WIDTH
        assert 0 <= float(str(dot["cy"])) <= 292


def test_a_sparkline_without_values_draws_nothing() -> None:
    assert small_charts.Sparkline(values=[None, None]).svg("x") == ""


def test_a_flat_sparkline_is_drawn_in_the_middle() -> None:
    dot = drawn(small_charts.Sparkline(values=[0.5, 0.5]).svg("x")).select_one("circle")

    assert dot is not None
    assert dot["cy"] == "16"


def test_an_interval_is_clipped_to_its_scale() -> None:
    picture = drawn(small_charts.interval_bar(charts_figure(), scale=(0.45, 0.55)))
    span = picture.select_one(".cv-interval__range")

    assert span is not None
    assert numbers(span, "x", "width") == [3, 234]


def test_charts_that_could_only_mislead_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one point"):
        line_charts.LineChart(title="x", points=[])
    with pytest.raises(ValueError, match="two different ticks"):
        line_charts.LineChart(
            title="x", points=[line_charts.Point(label="x", value=1)], axis=[line_charts.AxisTick(0, "0")]
        )
    with pytest.raises(ValueError, match="low must be below high"):
        bar_charts.BarChart(title="x", bars=[], low=1, high=1)
    with pytest.raises(ValueError, match="1 shares for 2 parts"):
        bar_charts.StackedBar(title="x", parts=["a", "b"], rows=[bar_charts.StackRow(label="x", shares=[1])])
