"""Charts small enough to stand in a line of text or a cell: a sparkline, an estimate on its interval."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from markupsafe import Markup, escape

from citizenvoice.web import drawing


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
        drawn = [drawing.path("cv-chart__line", run) for run in _unbroken(points)]
        x, y = [point for point in points if point is not None][-1]
        drawn.append(drawing.circle("cv-chart__dot", x, y, 3.5))
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
        drawing.rect("cv-interval__track", 3, 8, 234, 4),
        drawing.rect("cv-interval__range", start, 5, max(2.0, end - start), 10),
        drawing.rect("cv-interval__value", at(figure.value) - 2, 1, 4, 18),
    ]
    if target is not None:
        x = at(target)
        drawn.append(drawing.path("cv-interval__target", [(x - 5, 24), (x, 15), (x + 5, 24)], closed=True))
    named = f'role="img" aria-label="{escape(label)}"' if label else 'aria-hidden="true"'
    return Markup(  # noqa: S704 — numbers, and a label that is escaped above
        f'<svg class="cv-interval" viewBox="0 0 240 24" {named} focusable="false">{"".join(drawn)}</svg>'
    )


def _unbroken(points: Sequence[tuple[float, float] | None]) -> list[list[tuple[float, float]]]:
    runs: list[list[tuple[float, float]]] = [[]]
    for point in points:
        if point is None:
            runs.append([])
        else:
            runs[-1].append(point)
    return [run for run in runs if run]
