"""The strokes that charts are drawn with, as pieces of SVG.

Colours are classes, never values, so that dark mode, forced colours and print restyle
them. Time runs from left to right in every language, as figures and published charts
do in Arabic and Hebrew too; bars start from the reader's side (``direction="rtl"``).
"""

import textwrap
from collections.abc import Iterable, Sequence

from markupsafe import Markup, escape

WIDTH = 560
LABEL_CHARS = 30
LINE_HEIGHT = 22


def picture(
    chart_id: str, title: str, description: str, parts: Iterable[str], *, height: float, kind: str
) -> Markup:
    """Return a whole picture, named and perhaps described in words; ids inside it start with ``chart_id``."""
    name = escape(chart_id)
    described = f'<desc id="{name}-desc">{escape(description)}</desc>' if description else ""
    labels = f"{name}-title {name}-desc" if description else f"{name}-title"
    return Markup(  # noqa: S704 — every part was escaped when it was drawn
        f'<svg class="cv-chart cv-chart--{kind}" viewBox="0 0 {WIDTH} {at(height)}" role="img"'
        f' aria-labelledby="{labels}" direction="ltr" focusable="false">'
        f'<title id="{name}-title">{escape(title)}</title>{described}{"".join(parts)}</svg>'
    )


def wrapped(label: str) -> list[str]:
    """Return a label in lines short enough to stand above its bar."""
    return textwrap.wrap(label, LABEL_CHARS) or [""]


def label_above(lines: list[str], bottom: float, direction: str) -> str:
    """Draw the lines of a label from the reader's side, the last one at ``bottom``."""
    x, anchor = (WIDTH - 2, "end") if direction == "rtl" else (2, "start")
    first = bottom - LINE_HEIGHT * (len(lines) - 1)
    return "".join(
        words("cv-chart__label", x, first + LINE_HEIGHT * index, line, anchor)
        for index, line in enumerate(lines)
    )


def value_beside(text: str, bottom: float, direction: str) -> str:
    """Draw a value at the far end of its label; nothing for no text."""
    x, anchor = (2, "start") if direction == "rtl" else (WIDTH - 2, "end")
    return words("cv-chart__value", x, bottom, text, anchor) if text else ""


def mirrored(x: float, direction: str) -> float:
    """Return where something stands for readers of this direction."""
    return WIDTH - x if direction == "rtl" else x


def words(name: str, x: float, y: float, text: str, anchor: str) -> str:
    """Draw a text."""
    return f'<text class="{name}" x="{at(x)}" y="{at(y)}" text-anchor="{anchor}">{escape(text)}</text>'


def line(name: str, x1: float, y1: float, x2: float, y2: float) -> str:
    """Draw a straight line."""
    return f'<line class="{name}" x1="{at(x1)}" y1="{at(y1)}" x2="{at(x2)}" y2="{at(y2)}"/>'


def rect(name: str, x: float, y: float, width: float, height: float) -> str:
    """Draw a rectangle."""
    size = f'width="{at(width)}" height="{at(height)}"'
    return f'<rect class="{name}" x="{at(x)}" y="{at(y)}" {size}/>'


def circle(name: str, x: float, y: float, radius: float, hint: str = "") -> str:
    """Draw a circle, perhaps with a hint for whoever points at it."""
    end = f"><title>{escape(hint)}</title></circle>" if hint else "/>"
    return f'<circle class="{name}" cx="{at(x)}" cy="{at(y)}" r="{at(radius)}"{end}'


def path(name: str, points: Sequence[tuple[float, float]], *, closed: bool = False) -> str:
    """Draw a line through points, or the area they enclose."""
    steps = "L".join(f"{at(x)} {at(y)}" for x, y in points)
    return f'<path class="{name}" d="M{steps}{"Z" if closed else ""}"/>'


def at(number: float) -> str:
    """Write a coordinate shortly, the same in every locale."""
    return f"{number:.1f}".removesuffix(".0")
