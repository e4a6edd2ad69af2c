"""The cells counts are stored in, and how rows of counts are added up and taken away.

Everything is additive. A cell's counts are nested dictionaries of numbers, so that days add up to months and
channels to services by adding leaf by leaf (`add_counts`):

- ``q``: per closed question ``v`` {value: n}, ``asked``, ``blank`` (asked, not answered), ``answered``
  (multiple choice), ``n``/``sum``/``squares`` (numbers);
- ``c``: comments ``n``, ``read``, ``unread``, ``failed``, ``s`` {sentiment: n}, ``main`` (moments of the main
  rating over the responses with a comment that was read);
- ``t``: per theme ``n`` comments, ``r`` responses, ``s`` {sentiment: n}, ``main`` (moments, with the theme);
- ``x``: contributions left out, by reason.

Zeros are not stored; what was not asked is ``n_responses - asked``.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from itertools import combinations
from typing import Any, NamedTuple

import orjson

from citizenvoice.stats.drivers import PairSums
from citizenvoice.surveys.definition import Definition, Kind

Counts = dict[str, Any]


class Cell(NamedTuple):
    """Whom a row counts: a day (or the first day of a month), and a part of the people."""

    start: date
    channel: str
    language: str
    segment: str = ""
    value: str = ""


class Row(NamedTuple):
    """The counts of one cell, as JSON text the way they are stored."""

    cell: Cell
    n_responses: int
    counts: str
    pairs: str


def scale_keys(definition: Definition) -> list[str]:
    """Return the keys of the ratings of the service, in order: those whose pairs are summed."""
    return [
        question.key
        for section in definition.sections
        if not section.about_you
        for question in section.questions
        if question.kind is Kind.SCALE
    ]


def month_of(cell: Cell) -> Cell:
    """Return the cell of the same people over the whole month."""
    return cell._replace(start=cell.start.replace(day=1))


def everywhere(cell: Cell) -> Cell:
    """Return the cell of everybody in every channel and language of the month."""
    return Cell(cell.start.replace(day=1), "", "")


def add_counts(into: Counts, other: Mapping[str, Any], sign: int = 1) -> Counts:
    """Add (or take away) nested counts leaf by leaf, in place, and return them.

    >>> add_counts({"q": {"q1": {"v": {"5": 1}}}}, {"q": {"q1": {"v": {"5": 2}}}, "c": {"n": 1}})
    {'q': {'q1': {'v': {'5': 3}}}, 'c': {'n': 1}}
    """
    for key, value in other.items():
        if isinstance(value, dict):
            node = into.get(key)
            if node is None:
                node = into[key] = {}
            add_counts(node, value, sign)
        elif isinstance(value, int):
            into[key] = into.get(key, 0) + sign * value
        else:
            into[key] = _whole(round(into.get(key, 0) + sign * value, 6))
    return into


def _whole(value: float) -> float:
    return int(value) if value == int(value) else value


def add_pairs(into: dict[str, Any], other: Mapping[str, Any], sign: int = 1) -> dict[str, Any]:
    """Add (or take away) the pair sums of the same version, in place, and return them."""
    if other:
        before = into.get("m") or [0] * len(other["m"])
        into["k"] = other["k"]
        into["m"] = [a + sign * b for a, b in zip(before, other["m"], strict=True)]
    return into


def pair_sums(pairs: Mapping[str, Any]) -> dict[tuple[str, str], PairSums]:
    """Return stored pair sums as the values that the driver analysis takes."""
    if not pairs:
        return {}
    sums = pairs["m"]
    return {
        pair: PairSums(*sums[6 * number : 6 * number + 6])
        for number, pair in enumerate(combinations(pairs["k"], 2))
    }


def add_rows(rows: Iterable[Row], less: Iterable[Row] = ()) -> list[Row]:
    """Add rows of the same version cell by cell, take others away, and leave out what is empty then."""
    found: dict[Cell, tuple[int, Counts, dict[str, Any]]] = {}
    for sign, row in (*((1, row) for row in rows), *((-1, row) for row in less)):
        n_responses, counts, pairs = found.get(row.cell) or (0, {}, {})
        add_counts(counts, orjson.loads(row.counts), sign)
        add_pairs(pairs, orjson.loads(row.pairs), sign)
        found[row.cell] = n_responses + sign * row.n_responses, counts, pairs
    return [
        Row(cell, n_responses, orjson.dumps(full).decode(), orjson.dumps(_pruned_pairs(pairs)).decode())
        for cell, (n_responses, counts, pairs) in found.items()
        if (full := _pruned(counts)) or n_responses
    ]


def _pruned(counts: Counts) -> Counts:
    """Return counts without zeros and without what is empty then."""
    found: Counts = {}
    for key, value in counts.items():
        kept = _pruned(value) if isinstance(value, dict) else value
        if kept:
            found[key] = kept
    return found


def _pruned_pairs(pairs: dict[str, Any]) -> dict[str, Any]:
    return pairs if pairs and any(pairs["m"][::6]) else {}


def months_of(rows: Iterable[Row]) -> list[Row]:
    """Return the month rows that day rows add up to, with one more for everybody in every channel."""
    return add_rows(
        row._replace(cell=cell)
        for row in rows
        for cell in ([month_of(row.cell)] if row.cell.segment else [month_of(row.cell), everywhere(row.cell)])
    )
