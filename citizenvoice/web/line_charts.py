"""One figure over time as a chart: with its interval, target, control limits and what we changed."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from flask_babel import gettext as _
from markupsafe import Markup

from citizenvoice.web import drawing, formats
from citizenvoice.web.chart_tables import ChartTable, LegendEntry, Mark, TargetLine, figure_text, marks_table

MOST_TICKS = 6
SHORT_TICK_CHARS = 5
BELOW_AXIS = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class Point(Mark):
    """One period of a line; ``value`` is None where there are not enough answers."""

    tick: str = ""


@dataclass(frozen=True, slots=True)
class AxisTick:
    """One labelled height of the vertical axis; the lowest and highest tick are its ends."""

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
class _Frame:
    """The drawing area of a chart with axes, in units of the picture."""

    low: float
    high: float
    n_points: int
    left: float = 66
    right: float = drawing.WIDTH - 22
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
        return drawing.picture(chart_id, self.title, description, parts, height=296, kind="line")

    def table(self) -> ChartTable:
        """Return the numbers the chart shows, a row for each point."""
        names = tuple(self.column_names) or (_("Period"), self.value_name or _("Value"), _("Answers"))
        return marks_table(names, self.points)

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
        return drawing.rect(
            "cv-chart__limits", frame.left, top, frame.right - frame.left, bottom - top
        ) + drawing.line("cv-chart__centre", frame.left, centre, frame.right, centre)

    def _target(self, frame: _Frame) -> str:
        if not self.target:
            return ""
        height = frame.y(self.target.value)
        return drawing.line("cv-chart__target", frame.left, height, frame.right, height)

    def _markers(self, frame: _Frame) -> str:
        drawn = []
        for number, change in enumerate(self._in_order(), start=1):
            x = frame.x(change.index)
            drawn.append(drawing.line("cv-chart__change", x, frame.top - 4, x, frame.bottom))
            drawn.append(drawing.circle("cv-chart__badge", x, 12, 11))
            drawn.append(drawing.words("cv-chart__badge-text", x, 16.5, formats.count(number), "middle"))
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
            x, anchor = (drawing.WIDTH, "end") if runs_out else (frame.x(index), "middle")
            minor = "" if index in {0, count - 1} else " cv-chart__minor"
            drawn.append(drawing.words(f"cv-chart__tick{minor}", x, frame.bottom + 32, written, anchor))
        return "".join(drawn)


def _grid(frame: _Frame, ticks: Sequence[AxisTick]) -> str:
    drawn = []
    for tick in ticks:
        height = frame.y(tick.value)
        drawn.append(drawing.line("cv-chart__grid", frame.left, height, frame.right, height))
        drawn.append(drawing.words("cv-chart__tick", frame.left - 10, height + 4.5, tick.text, "end"))
    return "".join(drawn)


def _run(frame: _Frame, run: list[tuple[int, Point]]) -> str:
    line = drawing.path(
        "cv-chart__line", [(frame.x(i), frame.y(p.value)) for i, p in run if p.value is not None]
    )
    bounds = [(frame.x(i), p.lower, p.upper) for i, p in run if p.lower is not None and p.upper is not None]
    if len(bounds) < 2:
        return "".join(
            drawing.line("cv-chart__whisker", x, frame.y(low), x, frame.y(high)) for x, low, high in bounds
        )
    above = [(x, frame.y(high)) for x, _low, high in bounds]
    below = [(x, frame.y(low)) for x, low, _high in reversed(bounds)]
    return drawing.path("cv-chart__band", above + below, closed=True) + line


def _point(frame: _Frame, index: int, point: Point) -> str:
    x = frame.x(index)
    if point.value is None:
        hint = f"{point.label}: {_('Not enough answers')}"
        return drawing.circle("cv-chart__gap", x, frame.bottom + BELOW_AXIS, 4, hint)
    hint = f"{point.label}: {figure_text(point.value, point.text)}"
    return drawing.circle("cv-chart__dot", x, frame.y(point.value), 4, hint)


def _runs(points: Sequence[Point]) -> list[list[tuple[int, Point]]]:
    runs: list[list[tuple[int, Point]]] = [[]]
    for index, point in enumerate(points):
        if point.value is None:
            runs.append([])
        else:
            runs[-1].append((index, point))
    return [run for run in runs if run]
