"""What every chart offers beside its picture: the same numbers as a table, and what its marks mean."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from flask_babel import gettext as _

from citizenvoice.web import formats


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One figure in a chart; ``value`` is None where there are not enough answers."""

    label: str
    value: float | None
    lower: float | None = None
    upper: float | None = None
    n: int | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class TargetLine:
    """The value that was promised, and how the reader's language names it."""

    value: float
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


def marks_table(names: Sequence[str], marks: Iterable[Mark]) -> ChartTable:
    """Return a table with a row for each mark: its label, its value and how many answers are behind it."""
    columns = tuple(TableColumn(name, numeric=index > 0) for index, name in enumerate(names))
    rows = tuple((one.label, figure_text(one.value, one.text), count_or_dash(one.n)) for one in marks)
    return ChartTable(columns, rows)


def figure_text(value: float | None, text: str) -> str:
    """Return a value as it is written, or that there are not enough answers."""
    if value is None:
        return text or _("Not enough answers")
    return text or formats.percent(value)


def count_or_dash(n: int | None) -> str:
    """Return a number as it is written, or a dash for none."""
    return "–" if n is None else formats.count(n)
