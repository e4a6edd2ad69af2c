"""Adds up responses into cells: one day, channel, language and at most one value of one segment each.

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

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import orjson

from citizenvoice.stats.drivers import PairSums
from citizenvoice.surveys import routing
from citizenvoice.surveys.answering import main_question
from citizenvoice.surveys.definition import Definition, Kind, Question, answered_parts

Counts = dict[str, Any]
Numbers = npt.NDArray[np.int64]
Path = tuple[str, ...]


class Cell(NamedTuple):
    """Whom a row counts: a day (or the first day of a month), and a part of the people."""

    start: date
    channel: str
    language: str
    segment: str = ""
    value: str = ""


class ResponseRow(NamedTuple):
    """What counting needs to know of one response; answers and segments as JSON text."""

    id: int
    day: date
    channel: str
    language: str
    exclusion: str | None
    answers: str | bytes
    segments: str | bytes
    n_sections: int


class CommentRow(NamedTuple):
    """What counting needs to know of one comment of a counted response."""

    id: int
    response_id: int
    reading: str
    sentiment: int | None


class Row(NamedTuple):
    """The counts of one cell."""

    cell: Cell
    n_responses: int
    counts: Counts
    pairs: dict[str, Any]


def scale_keys(definition: Definition) -> list[str]:
    """Return the keys of the ratings of the service, in order: those whose pairs are summed."""
    return [
        question.key
        for section in definition.sections
        if not section.about_you
        for question in section.questions
        if question.kind is Kind.SCALE
    ]


class Counter:
    """Adds up the responses to one version; knows its definition's values as numbered features."""

    def __init__(self, definition: Definition) -> None:
        self.definition = definition
        self.paths: list[Path] = []
        self._numbers: dict[Path, int] = {}
        self.scales = scale_keys(definition)
        main = main_question(definition)
        self._main = self.scales.index(main.key) if main else -1
        self._values: dict[str, dict[Any, int]] = {}
        self._kinds: dict[str, Kind] = {}
        self._bands: dict[str, Question] = {}
        self._segments: dict[str, Question] = {}
        self._scale_of: dict[int, tuple[int, int]] = {}
        for section in definition.sections:
            for question in section.questions:
                if section.about_you:
                    self._segments[question.key] = question
                elif question.kind is not Kind.TEXT:
                    self._add_question(question)
        sections = [section for section in definition.sections if not section.about_you]
        conditions = [section.shown_if for section in sections]
        conditions += [question.shown_if for section in sections for question in section.questions]
        self._deciding = tuple(
            dict.fromkeys(part.question for condition in conditions for part in answered_parts(condition))
        )
        self._conditional = any(condition is not None for condition in conditions)
        self._patterns: dict[Any, tuple[list[int], frozenset[str]]] = {}

    def feature(self, *path: str) -> int:
        """Return the number of the leaf at this path of the counts."""
        number = self._numbers.get(path)
        if number is None:
            number = self._numbers[path] = len(self.paths)
            self.paths.append(path)
        return number

    def add_up(
        self,
        responses: Sequence[ResponseRow],
        comments: Sequence[CommentRow] = (),
        themes: Iterable[tuple[int, int]] = (),
    ) -> "Rows":
        """Return one row for each cell that holds a response, and those of the months they add up to.

        ``comments`` are those of ``responses``, ``themes`` the (comment id, theme id) pairs of those read.
        """
        batch = _Batch(self, responses)
        batch.encode()
        batch.encode_comments(comments, themes)
        return batch.rows()

    def encode(self, answers: Mapping[str, Any], n_sections: int, found: list[tuple[int, Any]]) -> None:
        """Append the (feature, weight) pairs of one response's closed answers."""
        asked, asked_keys = self._asked(answers, n_sections)
        found.extend((feature, 1) for feature in asked)
        for key, value in answers.items():
            codes = self._values.get(key)
            if codes is None:
                continue
            if key not in asked_keys:
                found.append((self.feature("q", key, "implied"), 1))
            if self._kinds[key] is Kind.NUMBER:
                self._encode_number(key, value, found)
            elif isinstance(value, list):
                found.append((self.feature("q", key, "answered"), 1))
                found.extend((codes[one], 1) for one in value if one in codes)
            elif (code := codes.get(value)) is not None:
                found.append((code, 1))

    def segment_values(self, segments: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
        """Yield the (segment, value) pairs a person belongs to."""
        for key, value in segments.items():
            question = self._segments.get(key)
            if question is None:
                continue
            for one in value if isinstance(value, list) else (value,):
                if question.bands and isinstance(one, int | float):
                    one = next((band.value for band in question.bands if band.holds(one)), "")
                if one != "":
                    yield key, str(one)

    def scale_value(self, feature: int) -> tuple[int, int] | None:
        """Return (place of the scale, value) of a feature that is a point of a scale."""
        return self._scale_of.get(feature)

    @property
    def main_place(self) -> int:
        """Return the place of the main rating among the scales, or -1."""
        return self._main

    def _add_question(self, question: Question) -> None:
        self._kinds[question.key] = question.kind
        codes: dict[Any, int] = {}
        for value in question.possible_values:
            codes[value] = self.feature("q", question.key, "v", str(value))
        if question.kind is Kind.SCALE:
            for point in question.points:
                self._scale_of[codes[point.value]] = (self.scales.index(question.key), point.value)
        self._values[question.key] = codes
        self._bands[question.key] = question
        self.feature("q", question.key, "asked")

    def _encode_number(self, key: str, value: Any, found: list[tuple[int, Any]]) -> None:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return
        sums = (("n", 1), ("sum", value), ("squares", value * value))
        found.extend((self.feature("q", key, name), weight) for name, weight in sums)
        bands = [band.value for band in self._bands[key].bands if band.holds(value)]
        found.extend((self._values[key][band], 1) for band in bands)

    def _asked(self, answers: Mapping[str, Any], n_sections: int) -> tuple[list[int], frozenset[str]]:
        """Return the ``asked`` features and keys, remembered for equal answers to what decides them."""
        projection: Any = n_sections
        if self._conditional:
            projection = (n_sections, *(_hashable(answers.get(key)) for key in self._deciding))
        pattern = self._patterns.get(projection)
        if pattern is None:
            state = routing.asked(self.definition, answers, n_sections)
            keys = [key for key in self._kinds if state[key] is routing.Asked.OFFERED]
            pattern = ([self.feature("q", key, "asked") for key in keys], frozenset(keys))
            if len(self._patterns) < 100_000:
                self._patterns[projection] = pattern
        return pattern


def _hashable(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


class _Batch:
    """Responses on their way into cells: each is a list of (feature, weight) pairs."""

    def __init__(self, counter: Counter, responses: Sequence[ResponseRow]) -> None:
        self.counter = counter
        self.responses = responses
        self.place = {row.id: number for number, row in enumerate(responses)}
        self.cells: dict[Cell, int] = {}
        self.cell_of: list[int] = []  # of each response
        self.members: list[int] = []  # responses that are in a segment's cell
        self.member_cells: list[int] = []
        self.of: list[int] = []  # response of each feature
        self.features: list[int] = []
        self.weights: list[Any] = []

    def encode(self) -> None:
        """Turn every response into features, and find the cells it is in."""
        counter, cells = self.counter, self.cells
        counted = counter.feature("n")
        for number, row in enumerate(self.responses):
            cell = (row.day, row.channel, row.language)
            self.cell_of.append(cells.setdefault(Cell(*cell), len(cells)))
            if row.segments not in ("{}", b"{}"):
                for segment, value in counter.segment_values(orjson.loads(row.segments)):
                    self.members.append(number)
                    self.member_cells.append(cells.setdefault(Cell(*cell, segment, value), len(cells)))
            found: list[tuple[int, Any]] = []
            if row.exclusion is None:
                found.append((counted, 1))
                counter.encode(orjson.loads(row.answers), row.n_sections, found)
            else:
                found.append((counter.feature("x", row.exclusion), 1))
            self.of.extend([number] * len(found))
            self.features.extend([pair[0] for pair in found])
            self.weights.extend([pair[1] for pair in found])

    def encode_comments(self, comments: Sequence[CommentRow], themes: Iterable[tuple[int, int]]) -> None:
        """Add the features of the comments, their sentiment and themes."""
        of_comment: dict[int, CommentRow] = {}
        mains = self._main_ratings() if comments else {}
        read: set[int] = set()
        for comment in comments:
            number = self.place.get(comment.response_id)
            if number is None or self.responses[number].exclusion is not None:
                continue
            of_comment[comment.id] = comment
            state = {"done": "read", "failed": "failed"}.get(comment.reading, "unread")
            self._add(number, "c", "n")
            self._add(number, "c", state)
            if comment.sentiment is not None:
                self._add(number, "c", "s", str(comment.sentiment))
            if state == "read" and number not in read:
                read.add(number)
                self._add_main(number, mains.get(number), "c")
        seen: set[tuple[int, int]] = set()
        for comment_id, theme_id in themes:
            if (with_theme := of_comment.get(comment_id)) is not None:
                self._add_theme(with_theme, theme_id, mains, seen)

    def rows(self) -> "Rows":
        """Add the features up cell by cell, for the days and for their months."""
        if not self.responses:
            return Rows([], [])
        days = list(self.cells)
        sums = self._day_sums()
        pairs = self._pair_table()
        months: dict[Cell, int] = {}
        own = np.array([months.setdefault(_month(day), len(months)) for day in days], dtype=np.int64)
        total = np.array([months.setdefault(_everywhere(day), len(months)) for day in days], dtype=np.int64)
        month_sums = _sums(
            np.concatenate([own[sums.cells], total[sums.cells[(kept := self._everybody(days)[sums.cells])]]]),
            np.concatenate([sums.features, sums.features[kept]]),
            np.concatenate([sums.amounts, sums.amounts[kept]]),
            len(self.counter.paths),
        )
        return Rows(
            self._rows_of(days, sums, pairs),
            self._rows_of(list(months), month_sums, _join_pairs(pairs, own, total)),
        )

    def _everybody(self, days: list[Cell]) -> npt.NDArray[np.bool_]:
        return np.array([not day.segment for day in days])

    def _add(self, number: int, *path: str, weight: Any = 1) -> None:
        self.of.append(number)
        self.features.append(self.counter.feature(*path))
        self.weights.append(weight)

    def _add_main(self, number: int, rating: int | None, *path: str) -> None:
        if rating is not None:
            self._add(number, *path, "main", "n")
            self._add(number, *path, "main", "sum", weight=rating)
            self._add(number, *path, "main", "squares", weight=rating * rating)

    def _add_theme(
        self, comment: CommentRow, theme_id: int, mains: Mapping[int, int], seen: set[tuple[int, int]]
    ) -> None:
        number, key = self.place[comment.response_id], str(theme_id)
        self._add(number, "t", key, "n")
        if comment.sentiment is not None:
            self._add(number, "t", key, "s", str(comment.sentiment))
        if (number, theme_id) not in seen:
            seen.add((number, theme_id))
            self._add(number, "t", key, "r")
            self._add_main(number, mains.get(number), "t", key)

    def _main_ratings(self) -> dict[int, int]:
        """Return the main rating of each response that gave one."""
        place = self.counter.main_place
        points = {
            feature: point[1]
            for feature in range(len(self.counter.paths))
            if (point := self.counter.scale_value(feature)) is not None and point[0] == place
        }
        return {
            number: points[feature]
            for number, feature in zip(self.of, self.features, strict=True)
            if feature in points
        }

    def _day_sums(self) -> "_Sums":
        of = np.array(self.of, dtype=np.int64)
        features = np.array(self.features, dtype=np.int64)
        weights = np.array(self.weights, dtype=np.float64)
        n_features = len(self.counter.paths)
        everybody = _sums(np.array(self.cell_of, dtype=np.int64)[of], features, weights, n_features)
        if not self.members:
            return everybody
        order = np.argsort(of, kind="stable")
        starts = np.searchsorted(of[order], np.arange(len(self.responses) + 1))
        members = np.array(self.members, dtype=np.int64)
        lengths = (starts[1:] - starts[:-1])[members]
        ends = np.cumsum(lengths)
        at = np.arange(ends[-1]) - np.repeat(ends - lengths, lengths) + np.repeat(starts[members], lengths)
        chosen = order[at]
        cells = np.repeat(np.array(self.member_cells, dtype=np.int64), lengths)
        segments = _sums(cells, features[chosen], weights[chosen], n_features)
        return _Sums(*(np.concatenate(both) for both in zip(everybody, segments, strict=True)))

    def _rows_of(self, cells: list[Cell], sums: "_Sums", pairs: "_PairTable") -> list[Row]:
        """Return the rows of cells from the sums of their features, whose cells come one after the other."""
        totals: list[Counts] = [{} for _ in cells]
        tree = _Tree(self.counter.paths)
        branches, leaves = tree.branches, [path[-1] for path in self.counter.paths]
        last = -1
        nodes: dict[int, Counts] = {}
        for cell, feature, amount in zip(
            sums.cells.tolist(), sums.features.tolist(), _numbers(sums.amounts), strict=True
        ):
            if not amount:
                continue
            if cell != last:
                last, nodes = cell, {0: totals[cell]}
            branch = branches[feature]
            node = nodes.get(branch)
            if node is None:
                node = tree.grow(nodes, branch)
            node[leaves[feature]] = amount
        found = self._pairs_of(pairs)
        return [
            Row(cell, counts.pop("n", 0), _finished(counts), found.get(number, {}))
            for number, (cell, counts) in enumerate(zip(cells, totals, strict=True))
        ]

    def _pairs_of(self, pairs: "_PairTable") -> dict[int, dict[str, Any]]:
        keys = self.counter.scales
        rows = zip(pairs.cells.tolist(), pairs.sums.tolist(), strict=True)
        return {cell: {"k": keys, "m": sums} for cell, sums in rows if any(sums[::6])}

    def _pair_table(self) -> "_PairTable":
        """Return the sums and products of each pair of ratings, for each cell of everybody."""
        n_scales = len(self.counter.scales)
        if n_scales < 2:
            return _PairTable(np.zeros(0, dtype=np.int64), np.zeros((0, 0), dtype=np.int64))
        values = np.zeros((len(self.responses), n_scales), dtype=np.int64)
        rated = np.zeros((len(self.responses), n_scales), dtype=np.int64)
        table = np.full((len(self.counter.paths), 2), -1, dtype=np.int64)
        for feature in range(len(self.counter.paths)):
            if (point := self.counter.scale_value(feature)) is not None:
                table[feature] = point
        features, of = np.array(self.features, dtype=np.int64), np.array(self.of, dtype=np.int64)
        is_point = table[features, 0] >= 0
        where = (of[is_point], table[features[is_point], 0])
        values[where] = table[features[is_point], 1]
        rated[where] = 1
        return self._pair_sums(values, rated)

    def _pair_sums(self, values: Numbers, rated: Numbers) -> "_PairTable":
        order = np.argsort(np.array(self.cell_of), kind="stable")
        cells, starts = np.unique(np.array(self.cell_of)[order], return_index=True)
        values, rated = values[order], rated[order]
        columns: list[Numbers] = []
        for a, b in combinations(range(len(self.counter.scales)), 2):
            both = rated[:, a] * rated[:, b]
            one, other = values[:, a] * both, values[:, b] * both
            parts = (both, one, other, one * one, other * other, one * other)
            columns.extend(np.add.reduceat(part, starts) for part in parts)
        return _PairTable(cells, np.stack(columns, axis=1))


class Rows(NamedTuple):
    """The rows of some days, and of the months they add up to."""

    days: list[Row]
    months: list[Row]


class _Sums(NamedTuple):
    """How much of each feature there is in each cell; ordered by cell."""

    cells: Numbers
    features: Numbers
    amounts: npt.NDArray[np.float64]


class _PairTable(NamedTuple):
    """Six sums for each pair of ratings, a row for each of the cells."""

    cells: Numbers
    sums: Numbers


def _sums(cells: Numbers, features: Numbers, weights: npt.NDArray[np.float64], n_features: int) -> _Sums:
    found, inverse = np.unique(cells * n_features + features, return_inverse=True)
    amounts: npt.NDArray[Any] = np.bincount(inverse, weights=weights, minlength=len(found))
    return _Sums(found // n_features, found % n_features, amounts)


def _join_pairs(days: _PairTable, own: Numbers, total: Numbers) -> _PairTable:
    """Add the pair sums of days up to those of their months, and of everybody everywhere."""
    cells = np.concatenate([own[days.cells], total[days.cells]])
    months, inverse = np.unique(cells, return_inverse=True)
    sums = np.zeros((len(months), days.sums.shape[1]), dtype=np.int64)
    np.add.at(sums, inverse, np.concatenate([days.sums, days.sums]))
    return _PairTable(months, sums)


def _month(cell: Cell) -> Cell:
    return cell._replace(start=cell.start.replace(day=1))


def _everywhere(cell: Cell) -> Cell:
    """Return the cell of everybody in every channel and language of the month."""
    return Cell(cell.start.replace(day=1), "", "")


def _numbers(amounts: npt.NDArray[np.float64]) -> list[Any]:
    rounded = np.round(amounts, 6)
    whole = np.rint(rounded)
    if bool((rounded == whole).all()):
        return whole.astype(np.int64).tolist()  # type: ignore[no-any-return]
    return [_whole(amount) for amount in rounded.tolist()]


class _Tree:
    """The dictionaries counts are nested in, numbered: ``branches`` has that of each leaf, 0 is the root."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._numbers: dict[Path, int] = {(): 0}
        self._grown_from: list[tuple[int, str]] = [(0, "")]
        self.branches = [self._number(path[:-1]) for path in paths]

    def grow(self, nodes: dict[int, Counts], branch: int) -> Counts:
        """Add the dictionary of a branch to those of a cell, with what it grows from, and return it."""
        parent, name = self._grown_from[branch]
        node: Counts = {}
        above = nodes.get(parent)
        (self.grow(nodes, parent) if above is None else above)[name] = nodes[branch] = node
        return node

    def _number(self, path: Path) -> int:
        number = self._numbers.get(path)
        if number is None:
            parent = self._number(path[:-1])
            number = self._numbers[path] = len(self._grown_from)
            self._grown_from.append((parent, path[-1]))
        return number


def _finished(counts: Counts) -> Counts:
    """Work out how many were asked and left it blank."""
    for question in counts.get("q", {}).values():
        asked = question.get("asked", 0)
        answered = question.get("answered", question.get("n"))
        if answered is None:
            answered = sum(question.get("v", {}).values())
        blank = asked - answered + question.pop("implied", 0)
        if blank > 0:
            question["blank"] = blank
    return counts


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
    found: dict[Cell, Row] = {}
    for sign, row in (*((1, row) for row in rows), *((-1, row) for row in less)):
        known = found.get(row.cell) or Row(row.cell, 0, {}, {})
        counts = add_counts(known.counts, row.counts, sign)
        pairs = add_pairs(known.pairs, row.pairs, sign)
        found[row.cell] = Row(row.cell, known.n_responses + sign * row.n_responses, counts, pairs)
    full = [
        row._replace(counts=_pruned(row.counts), pairs=_pruned_pairs(row.pairs)) for row in found.values()
    ]
    return [row for row in full if row.n_responses or row.counts]


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
        for cell in ([_month(row.cell)] if row.cell.segment else [_month(row.cell), _everywhere(row.cell)])
    )
