"""Charts described once and drawn on the server as SVG: the same picture for page, print, e-mail and PDF.

Colours are classes, never values, so that dark mode, forced colours and print restyle
them. Time runs from left to right in every language, as figures and published charts
do in Arabic and Hebrew too; bars start from the reader's side (``direction="rtl"``).
"""

import math
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from flask_babel import gettext as _
from markupsafe import Markup, escape

from citizenvoice.web import formats

WIDTH = 560
LABEL_CHARS = 30
LINE_HEIGHT = 22
MOST_TICKS = 6
SHORT_TICK_CHARS = 5
BELOW_AXIS = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One period of a line; ``value`` is None where there are not enough answers."""

    label: str
    value: float | None
    lower: float | None = None
    upper: float | None = None
    n: int | None = None
    text: str = ""
    tick: str = ""


@dataclass(frozen=True, slots=True)
class AxisTick:
    """One labelled height of the vertical axis; the lowest and highest tick are its ends."""

    value: float
    text: str


@dataclass(frozen=True, slots=True)
class TargetLine:
    """The value that was promised, and how the reader's language names it."""

    value: float
    text: str


@dataclass(frozen=True, slots=True)
class ControlLimits:
    """The centre and limits between which the figure moves by chance alone."""

    centre: float
    lower: float
    upper: float
    text: str


@dataclass(frozen=True, slots=True)
class ChangeMarker:
    """Something we changed, at the point with this index."""

    index: int
    text: str


@dataclass(frozen=True, slots=True)
class LegendEntry:
    """What one mark of a chart means; ``kind`` is the class that draws it."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class TableColumn:
    """One column heading of a chart's table."""

    text: str
    numeric: bool = False


@dataclass(frozen=True, slots=True)
class ChartTable:
    """The numbers of a chart as a table; the first cell of each row is its heading."""

    columns: tuple[TableColumn, ...]
    rows: tuple[tuple[str, ...], ...]


class HasEstimate(Protocol):
    """A figure with a value and the two ends of its interval."""

    @property
    def value(self) -> float:
        """The figure."""

    @property
    def lower(self) -> float:
        """The lower end of its interval."""

    @property
    def upper(self) -> float:
        """The upper end of its interval."""


@dataclass(frozen=True, slots=True)
class _Frame:
    """The drawing area of a chart with axes, in units of the picture."""

    low: float
    high: float
    n_points: int
    left: float = 66
    right: float = WIDTH - 22
    top: float = 26
    bottom: float = 252

    def x(self, index: int) -> float:
        if self.n_points == 1:
            return (self.left + self.right) / 2
        inset = min(24.0, (self.right - self.left) / self.n_points / 2)
        return self.left + inset + index * (self.right - self.left - 2 * inset) / (self.n_points - 1)

    def y(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return self.bottom - min(1.0, max(0.0, share)) * (self.bottom - self.top)


def share_axis(shares: Iterable[float | None], *, locale: str | None = None) -> tuple[AxisTick, ...]:
    """Return ticks in tenths, as percentages, that hold every share and span at least three tenths."""
    known = [share for share in shares if share is not None] or [0.0, 1.0]
    low, high = max(0, math.floor(min(known) * 10)), min(10, math.ceil(max(known) * 10))
    while high - low < 3:
        low, high = max(0, low - 1), min(10, high + 1)
    step = 1 if high - low <= 5 else 2
    if step == 2 and (high - low) % 2:
        low, high = (low - 1, high) if low else (low, high + 1)
    ticks = range(low, min(10, high) + 1, step)
    return tuple(AxisTick(tick / 10, formats.percent(tick / 10, locale=locale)) for tick in ticks)


@dataclass(frozen=True, slots=True, kw_only=True)
class LineChart:
    """One figure over time, with its interval, target, control limits and what we changed.

    A point without a value breaks the line and is marked below the time axis, where nobody takes it for zero.

    Raises ValueError if there is no point, or fewer than two different axis ticks.
    """

    title: str
    points: Sequence[Point]
    axis: Sequence[AxisTick] = ()
    target: TargetLine | None = None
    limits: ControlLimits | None = None
    changes: Sequence[ChangeMarker] = ()
    value_name: str = ""
    interval_name: str = ""
    column_names: Sequence[str] = field(default=())

    def __post_init__(self) -> None:
        if not self.points:
            raise ValueError("a line needs at least one point")
        if self.axis and len({tick.value for tick in self.axis}) < 2:
            raise ValueError("an axis needs at least two different ticks")

    def svg(self, chart_id: str, description: str = "") -> Markup:
        """Draw the chart; ids inside it start with ``chart_id``."""
        ticks = self._ticks()
        frame = _Frame(
            low=min(t.value for t in ticks), high=max(t.value for t in ticks), n_points=len(self.points)
        )
        parts = [
            _grid(frame, ticks),
            self._limits(frame),
            self._target(frame),
            self._markers(frame),
            *(_run(frame, run) for run in _runs(self.points)),
            *(_point(frame, index, point) for index, point in enumerate(self.points)),
            self._time(frame),
        ]
        return _picture(chart_id, self.title, description, parts, height=296, kind="line")

    def table(self) -> ChartTable:
        """Return the numbers the chart shows, a row for each point."""
        names = tuple(self.column_names) or (_("Period"), self.value_name or _("Value"), _("Answers"))
        return _points_table(names, [(p.label, p.value, p.text, p.n) for p in self.points])

    def legend(self) -> tuple[LegendEntry, ...]:
        """Return what each mark means, in the order of the drawing."""
        found = [LegendEntry("line", self.value_name or self.title)]
        if any(p.lower is not None for p in self.points):
            found.append(LegendEntry("band", self.interval_name or _("95% interval")))
        if self.target:
            found.append(LegendEntry("target", self.target.text))
        if self.limits:
            found.append(LegendEntry("limits", self.limits.text))
        if any(p.value is None for p in self.points):
            found.append(LegendEntry("gap", _("Not enough answers")))
        return tuple(found)

    def notes(self) -> tuple[str, ...]:
        """Return what was changed, in the order of the numbered markers."""
        return tuple(change.text for change in self._in_order())

    def _ticks(self) -> Sequence[AxisTick]:
        if self.axis:
            return self.axis
        held = [bound for p in self.points for bound in (p.value, p.lower, p.upper)]
        held.append(self.target.value if self.target else None)
        if self.limits:
            held += [self.limits.lower, self.limits.upper]
        return share_axis(held)

    def _in_order(self) -> list[ChangeMarker]:
        return sorted(self.changes, key=lambda change: change.index)

    def _limits(self, frame: _Frame) -> str:
        if not self.limits:
            return ""
        top, bottom = frame.y(self.limits.upper), frame.y(self.limits.lower)
        centre = frame.y(self.limits.centre)
        return _rect("cv-chart__limits", frame.left, top, frame.right - frame.left, bottom - top) + _line(
            "cv-chart__centre", frame.left, centre, frame.right, centre
        )

    def _target(self, frame: _Frame) -> str:
        if not self.target:
            return ""
        height = frame.y(self.target.value)
        return _line("cv-chart__target", frame.left, height, frame.right, height)

    def _markers(self, frame: _Frame) -> str:
        drawn = []
        for number, change in enumerate(self._in_order(), start=1):
            x = frame.x(change.index)
            drawn.append(_line("cv-chart__change", x, frame.top - 4, x, frame.bottom))
            drawn.append(f'<circle class="cv-chart__badge" cx="{_n(x)}" cy="12" r="11"/>')
            drawn.append(_text("cv-chart__badge-text", x, 16.5, formats.count(number), "middle"))
        return "".join(drawn)

    def _time(self, frame: _Frame) -> str:
        count = len(self.points)
        step = max(1, math.ceil(count / MOST_TICKS))
        kept = {0, count - 1, *range(0, count - step // 2 - 1, step)}
        drawn = []
        for index in sorted(kept):
            point = self.points[index]
            written = point.tick or point.label
            runs_out = 0 < index == count - 1 and len(written) > SHORT_TICK_CHARS
            x, anchor = (WIDTH, "end") if runs_out else (frame.x(index), "middle")
            minor = "" if index in {0, count - 1} else " cv-chart__minor"
            drawn.append(_text(f"cv-chart__tick{minor}", x, frame.bottom + 32, written, anchor))
        return "".join(drawn)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One bar; ``value`` is None where there are not enough answers; ``kind`` is good, poor or nothing."""

    label: str
    value: float | None
    lower: float | None = None
    upper: float | None = None
    n: int | None = None
    text: str = ""
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
            lines = _wrapped(bar.label)
            top += LINE_HEIGHT * len(lines)
            parts.append(self._bar(bar, lines, top))
            top += 42
        return _picture(chart_id, self.title, description, parts, height=top, kind="bars")

    def table(self) -> ChartTable:
        """Return the numbers the chart shows, a row for each bar."""
        names = tuple(self.column_names) or (_("Group"), self.value_name or _("Value"), _("Answers"))
        return _points_table(names, [(b.label, b.value, b.text, b.n) for b in self.bars])

    def legend(self) -> tuple[LegendEntry, ...]:
        """Return what the target line means, where there is one."""
        return (LegendEntry("target", self.target.text),) if self.target else ()

    def notes(self) -> tuple[str, ...]:
        """Return nothing: bars have no dated notes."""
        return ()

    def _x(self, value: float) -> float:
        share = min(1.0, max(0.0, (value - self.low) / (self.high - self.low)))
        return _mirrored(2 + share * (WIDTH - 4), self.direction)

    def _bar(self, bar: Bar, lines: list[str], top: float) -> str:
        drawn = [
            _label(lines, top, self.direction),
            _value_text(_written(bar.value, bar.text), top, self.direction),
        ]
        if bar.value is None:
            return "".join(drawn) + _rect("cv-chart__track--empty", 2, top + 8, WIDTH - 4, 16)
        drawn.append(_rect("cv-chart__track", 2, top + 8, WIDTH - 4, 16))
        start, end = sorted((self._x(max(self.low, 0.0)), self._x(bar.value)))
        kind = f" cv-chart__bar--{bar.kind}" if bar.kind else ""
        drawn.append(_rect(f"cv-chart__bar{kind}", start, top + 8, end - start, 16))
        if bar.lower is not None and bar.upper is not None:
            ends = sorted((self._x(bar.lower), self._x(bar.upper)))
            drawn.append(_line("cv-chart__halo", ends[0], top + 16, ends[1], top + 16))
            drawn.append(_line("cv-chart__whisker", ends[0], top + 16, ends[1], top + 16))
            drawn.extend(_line("cv-chart__whisker", x, top + 11, x, top + 21) for x in ends)
        if self.target:
            promised = self._x(self.target.value)
            drawn.append(_line("cv-chart__target", promised, top + 4, promised, top + 29))
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
            lines = _wrapped(row.label)
            top += LINE_HEIGHT * len(lines)
            drawn.append(self._row(row, lines, top))
            top += 50
        return _picture(chart_id, self.title, description, drawn, height=top, kind="stack")

    def table(self) -> ChartTable:
        """Return the numbers the chart shows, a row for each bar and a column for each part."""
        names = tuple(self.column_names) or (_("Group"), *self.parts, _("Answers"))
        columns = tuple(TableColumn(name, numeric=index > 0) for index, name in enumerate(names))
        rows = tuple((row.label, *self._texts(row), _count_or_dash(row.n)) for row in self.rows)
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
        drawn = [_label(lines, top, self.direction), _value_text(written, top, self.direction)]
        if not row.shares:
            return "".join(drawn) + _rect("cv-chart__track--empty", 2, top + 8, WIDTH - 4, 28)
        total, done = sum(row.shares) or 1.0, 0.0
        for share, kind, text in zip(row.shares, self.kinds, self._texts(row), strict=False):
            width = share / total * (WIDTH - 4)
            start = _mirrored(2 + done, self.direction)
            x = start - width if self.direction == "rtl" else start
            drawn.append(_rect(f"cv-chart__part cv-chart__part--{kind}", x, top + 8, width, 28))
            if share >= 0.06:
                small = " cv-chart__minor" if share < 0.13 else ""
                drawn.append(_text(f"cv-chart__part-text{small}", x + width / 2, top + 27.5, text, "middle"))
            done += width
        return "".join(drawn)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sparkline:
    """The shape of a series in the height of a line of text; None where there are not enough answers."""

    values: Sequence[float | None]
    low: float | None = None
    high: float | None = None

    def svg(self, label: str) -> Markup:
        """Draw the line; ``label`` says in words what it shows."""
        known = [value for value in self.values if value is not None]
        if not known:
            return Markup("")
        low, high = self._ends(known)
        count = max(1, len(self.values) - 1)
        points = [
            None if value is None else (4 + index * 112 / count, 28 - (value - low) / (high - low) * 24)
            for index, value in enumerate(self.values)
        ]
        drawn = [_path("cv-chart__line", run) for run in _unbroken(points)]
        x, y = [point for point in points if point is not None][-1]
        drawn.append(f'<circle class="cv-chart__dot" cx="{_n(x)}" cy="{_n(y)}" r="3.5"/>')
        return Markup(  # noqa: S704 — every part was escaped when it was drawn
            f'<svg class="cv-spark" viewBox="0 0 120 32" width="120" height="32" role="img" direction="ltr"'
            f' aria-label="{escape(label)}">{"".join(drawn)}</svg>'
        )

    def _ends(self, known: list[float]) -> tuple[float, float]:
        low = min(known) if self.low is None else self.low
        high = max(known) if self.high is None else self.high
        return (low, high) if low < high else (low - 0.5, high + 0.5)


def interval_bar(
    figure: HasEstimate, scale: Sequence[float] = (0.0, 1.0), target: float | None = None, label: str = ""
) -> Markup:
    """Draw one estimate as a tick on its interval, on a scale from end to end; decoration unless labelled."""
    low, high = scale

    def at(value: float) -> float:
        return 3 + min(1.0, max(0.0, (value - low) / (high - low))) * 234

    start, end = at(figure.lower), at(figure.upper)
    drawn = [
        _rect("cv-interval__track", 3, 8, 234, 4),
        _rect("cv-interval__range", start, 5, max(2.0, end - start), 10),
        _rect("cv-interval__value", at(figure.value) - 2, 1, 4, 18),
    ]
    if target is not None:
        x = at(target)
        drawn.append(f'<path class="cv-interval__target" d="M{_n(x - 5)} 24L{_n(x)} 15L{_n(x + 5)} 24Z"/>')
    named = f'role="img" aria-label="{escape(label)}"' if label else 'aria-hidden="true"'
    return Markup(  # noqa: S704 — numbers, and a label that is escaped above
        f'<svg class="cv-interval" viewBox="0 0 240 24" {named} focusable="false">{"".join(drawn)}</svg>'
    )


def _picture(
    chart_id: str, title: str, description: str, parts: Iterable[str], *, height: float, kind: str
) -> Markup:
    name = escape(chart_id)
    described = f'<desc id="{name}-desc">{escape(description)}</desc>' if description else ""
    labels = f"{name}-title {name}-desc" if description else f"{name}-title"
    return Markup(  # noqa: S704 — every part was escaped when it was drawn
        f'<svg class="cv-chart cv-chart--{kind}" viewBox="0 0 {WIDTH} {_n(height)}" role="img"'
        f' aria-labelledby="{labels}" direction="ltr" focusable="false">'
        f'<title id="{name}-title">{escape(title)}</title>{described}{"".join(parts)}</svg>'
    )


def _grid(frame: _Frame, ticks: Sequence[AxisTick]) -> str:
    drawn = []
    for tick in ticks:
        height = frame.y(tick.value)
        drawn.append(_line("cv-chart__grid", frame.left, height, frame.right, height))
        drawn.append(_text("cv-chart__tick", frame.left - 10, height + 4.5, tick.text, "end"))
    return "".join(drawn)


def _run(frame: _Frame, run: list[tuple[int, Point]]) -> str:
    line = _path("cv-chart__line", [(frame.x(i), frame.y(p.value)) for i, p in run if p.value is not None])
    bounds = [(frame.x(i), p.lower, p.upper) for i, p in run if p.lower is not None and p.upper is not None]
    if len(bounds) < 2:
        return "".join(
            _line("cv-chart__whisker", x, frame.y(low), x, frame.y(high)) for x, low, high in bounds
        )
    above = [(x, frame.y(high)) for x, _low, high in bounds]
    below = [(x, frame.y(low)) for x, low, _high in reversed(bounds)]
    return _path("cv-chart__band", above + below, closed=True) + line


def _point(frame: _Frame, index: int, point: Point) -> str:
    x = frame.x(index)
    if point.value is None:
        hint = f"{point.label}: {_('Not enough answers')}"
        return _dot("cv-chart__gap", x, frame.bottom + BELOW_AXIS, hint)
    hint = f"{point.label}: {_written(point.value, point.text)}"
    return _dot("cv-chart__dot", x, frame.y(point.value), hint)


def _dot(name: str, x: float, y: float, hint: str) -> str:
    return f'<circle class="{name}" cx="{_n(x)}" cy="{_n(y)}" r="4"><title>{escape(hint)}</title></circle>'


def _runs(points: Sequence[Point]) -> list[list[tuple[int, Point]]]:
    runs: list[list[tuple[int, Point]]] = [[]]
    for index, point in enumerate(points):
        if point.value is None:
            runs.append([])
        else:
            runs[-1].append((index, point))
    return [run for run in runs if run]


def _unbroken(points: Sequence[tuple[float, float] | None]) -> list[list[tuple[float, float]]]:
    runs: list[list[tuple[float, float]]] = [[]]
    for point in points:
        if point is None:
            runs.append([])
        else:
            runs[-1].append(point)
    return [run for run in runs if run]


def _points_table(
    names: Sequence[str], rows: Iterable[tuple[str, float | None, str, int | None]]
) -> ChartTable:
    columns = tuple(TableColumn(name, numeric=index > 0) for index, name in enumerate(names))
    cells = tuple((label, _written(value, text), _count_or_dash(n)) for label, value, text, n in rows)
    return ChartTable(columns, cells)


def _written(value: float | None, text: str) -> str:
    if value is None:
        return text or _("Not enough answers")
    return text or formats.percent(value)


def _count_or_dash(n: int | None) -> str:
    return "–" if n is None else formats.count(n)


def _wrapped(label: str) -> list[str]:
    return textwrap.wrap(label, LABEL_CHARS) or [""]


def _label(lines: list[str], bottom: float, direction: str) -> str:
    x, anchor = (WIDTH - 2, "end") if direction == "rtl" else (2, "start")
    first = bottom - LINE_HEIGHT * (len(lines) - 1)
    return "".join(
        _text("cv-chart__label", x, first + LINE_HEIGHT * index, line, anchor)
        for index, line in enumerate(lines)
    )


def _value_text(text: str, bottom: float, direction: str) -> str:
    x, anchor = (2, "start") if direction == "rtl" else (WIDTH - 2, "end")
    return _text("cv-chart__value", x, bottom, text, anchor) if text else ""


def _mirrored(x: float, direction: str) -> float:
    return WIDTH - x if direction == "rtl" else x


def _text(name: str, x: float, y: float, text: str, anchor: str) -> str:
    return f'<text class="{name}" x="{_n(x)}" y="{_n(y)}" text-anchor="{anchor}">{escape(text)}</text>'


def _line(name: str, x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line class="{name}" x1="{_n(x1)}" y1="{_n(y1)}" x2="{_n(x2)}" y2="{_n(y2)}"/>'


def _rect(name: str, x: float, y: float, width: float, height: float) -> str:
    return f'<rect class="{name}" x="{_n(x)}" y="{_n(y)}" width="{_n(width)}" height="{_n(height)}"/>'


def _path(name: str, points: Sequence[tuple[float, float]], *, closed: bool = False) -> str:
    steps = "L".join(f"{_n(x)} {_n(y)}" for x, y in points)
    return f'<path class="{name}" d="M{steps}{"Z" if closed else ""}"/>'


def _n(number: float) -> str:
    """Write a coordinate shortly, the same in every locale."""
    return f"{number:.1f}".removesuffix(".0")
