"""Figures side by side as charts: bars with their intervals, and bars divided into parts."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask_babel import gettext as _
from markupsafe import Markup

from citizenvoice.web import drawing, formats
from citizenvoice.web.chart_tables import (
    ChartTable,
    LegendEntry,
    Mark,
    TableColumn,
    TargetLine,
    count_or_dash,
    figure_text,
    marks_table,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar(Mark):
    """One bar; ``value`` is None where there are not enough answers; ``kind`` is good, poor or nothing."""

    kind: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BarChart:
    """Figures side by side with their intervals, each label above its bar."""

    title: str
    bars: Sequence[Bar]
    low: float = 0.0
    high: float = 1.0
    target: TargetLine | None = None
    direction: str = "ltr"
    value_name: str = ""
    column_names: Sequence[str] = ()

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise ValueError("low must be below high")

    def svg(self, chart_id: str, description: str = "") -> Markup:
        """Draw the chart; ids inside it start with ``chart_id``."""
        parts, top = [], 8.0
        for bar in self.bars:
            lines = drawing.wrapped(bar.label)
            top += drawing.LINE_HEIGHT * len(lines)
            parts.append(self._bar(bar, lines, top))
            top += 42
        return drawing.picture(chart_id, self.title, description, parts, height=top, kind="bars")

    def table(self) -> ChartTable:
        """Return the numbers the chart shows, a row for each bar."""
        names = tuple(self.column_names) or (_("Group"), self.value_name or _("Value"), _("Answers"))
        return marks_table(names, self.bars)

    def legend(self) -> tuple[LegendEntry, ...]:
        """Return what the target line means, where there is one."""
        return (LegendEntry("target", self.target.text),) if self.target else ()

    def notes(self) -> tuple[str, ...]:
        """Return nothing: bars have no dated notes."""
        return ()

    def _x(self, value: float) -> float:
        share = min(1.0, max(0.0, (value - self.low) / (self.high - self.low)))
        return drawing.mirrored(2 + share * (drawing.WIDTH - 4), self.direction)

    def _bar(self, bar: Bar, lines: list[str], top: float) -> str:
        drawn = [
            drawing.label_above(lines, top, self.direction),
            drawing.value_beside(figure_text(bar.value, bar.text), top, self.direction),
        ]
        if bar.value is None:
            return "".join(drawn) + drawing.rect("cv-chart__track--empty", 2, top + 8, drawing.WIDTH - 4, 16)
        drawn.append(drawing.rect("cv-chart__track", 2, top + 8, drawing.WIDTH - 4, 16))
        start, end = sorted((self._x(max(self.low, 0.0)), self._x(bar.value)))
        kind = f" cv-chart__bar--{bar.kind}" if bar.kind else ""
        drawn.append(drawing.rect(f"cv-chart__bar{kind}", start, top + 8, end - start, 16))
        if bar.lower is not None and bar.upper is not None:
            ends = sorted((self._x(bar.lower), self._x(bar.upper)))
            drawn.append(drawing.line("cv-chart__halo", ends[0], top + 16, ends[1], top + 16))
            drawn.append(drawing.line("cv-chart__whisker", ends[0], top + 16, ends[1], top + 16))
            drawn.extend(drawing.line("cv-chart__whisker", x, top + 11, x, top + 21) for x in ends)
        if self.target:
            promised = self._x(self.target.value)
            drawn.append(drawing.line("cv-chart__target", promised, top + 4, promised, top + 29))
        return "".join(drawn)


@dataclass(frozen=True, slots=True, kw_only=True)
class StackRow:
    """One row of a stacked bar: its shares add up to 1; empty where there are not enough answers."""

    label: str
    shares: Sequence[float]
    texts: Sequence[str] = ()
    n: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StackedBar:
    """How each row divides into the same parts, such as themes into sentiments.

    Raises ValueError if a row has not one share for each part.
    """

    title: str
    parts: Sequence[str]
    rows: Sequence[StackRow]
    kinds: Sequence[str] = ("poor", "neutral", "good")
    direction: str = "ltr"
    column_names: Sequence[str] = ()

    def __post_init__(self) -> None:
        for row in self.rows:
            if row.shares and len(row.shares) != len(self.parts):
                raise ValueError(f"{row.label!r} has {len(row.shares)} shares for {len(self.parts)} parts")

    def svg(self, chart_id: str, description: str = "") -> Markup:
        """Draw the chart; ids inside it start with ``chart_id``."""
        drawn, top = [], 8.0
        for row in self.rows:
            lines = drawing.wrapped(row.label)
            top += drawing.LINE_HEIGHT * len(lines)
            drawn.append(self._row(row, lines, top))
            top += 50
        return drawing.picture(chart_id, self.title, description, drawn, height=top, kind="stack")

    def table(self) -> ChartTable:
        """Return the numbers the chart shows, a row for each bar and a column for each part."""
        names = tuple(self.column_names) or (_("Group"), *self.parts, _("Answers"))
        columns = tuple(TableColumn(name, numeric=index > 0) for index, name in enumerate(names))
        rows = tuple((row.label, *self._texts(row), count_or_dash(row.n)) for row in self.rows)
        return ChartTable(columns, rows)

    def legend(self) -> tuple[LegendEntry, ...]:
        """Return the parts in the order in which they are stacked."""
        return tuple(LegendEntry(kind, part) for kind, part in zip(self.kinds, self.parts, strict=False))

    def notes(self) -> tuple[str, ...]:
        """Return nothing: stacked bars have no dated notes."""
        return ()

    def _texts(self, row: StackRow) -> tuple[str, ...]:
        if not row.shares:
            return (_("Not enough answers"), *("–" for _part in self.parts[1:]))
        return tuple(row.texts) or tuple(formats.percent(share) for share in row.shares)

    def _row(self, row: StackRow, lines: list[str], top: float) -> str:
        written = _("Not enough answers") if not row.shares else ""
        drawn = [
            drawing.label_above(lines, top, self.direction),
            drawing.value_beside(written, top, self.direction),
        ]
        if not row.shares:
            return "".join(drawn) + drawing.rect("cv-chart__track--empty", 2, top + 8, drawing.WIDTH - 4, 28)
        total, done = sum(row.shares) or 1.0, 0.0
        for share, kind, text in zip(row.shares, self.kinds, self._texts(row), strict=False):
            width = share / total * (drawing.WIDTH - 4)
            start = drawing.mirrored(2 + done, self.direction)
            x = start - width if self.direction == "rtl" else start
            drawn.append(drawing.rect(f"cv-chart__part cv-chart__part--{kind}", x, top + 8, width, 28))
            if share >= 0.06:
                small = " cv-chart__minor" if share < 0.13 else ""
                drawn.append(
                    drawing.words(f"cv-chart__part-text{small}", x + width / 2, top + 27.5, text, "middle")
                )
            done += width
        return "".join(drawn)
