"""Adds up responses into cells: one day, channel, language and at most one value of one segment each.

Everything is additive. A cell's counts are nested dictionaries of numbers, so that days add up to months and
channels to services by adding leaf by leaf (`add_counts`):

- ``q``: per closed question ``v`` {value: n}, ``asked``, ``blank`` (asked, not answered), ``answered`` (multiple
  choice), ``n``/``sum``/``squares`` (numbers);
- ``c``: comments ``n``, ``read``, ``unread``, ``failed``, ``s`` {sentiment: n}, ``main`` (moments of the main
  rating over the responses with a comment that was read);
- ``t``: per theme ``n`` comments, ``r`` responses, ``s`` {sentiment: n}, ``main`` (moments, with the theme);
- ``x``: contributions left out, by reason.

Zeros are not stored; what was not asked is ``n_responses - asked``.
"""

from collections import defaultdict
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
    ) -> list[Row]:
        """Return one row for each cell that holds a response, in no particular order.

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
        for name, weight in (("n", 1), ("sum", value), ("squares", value * value)):
            found.append((self.feature("q", key, name), weight))
        for band in self._bands[key].bands:
            if band.holds(value):
                found.append((self._values[key][band.value], 1))

    def _asked(self, answers: Mapping[str, Any], n_sections: int) -> tuple[list[int], frozenset[str]]:
        """Return the ``asked`` features and question keys; the same for equal answers to what decides them."""
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

    def rows(self) -> list[Row]:
        """Add the features up cell by cell."""
        if not self.responses:
            return []
        totals = self._totals()
        pairs = self._pairs()
        found = []
        for cell, number in self.cells.items():
            counts = totals.get(number, {})
            found.append(Row(cell, counts.pop("n", 0), _finished(counts), pairs.get(number, {})))
        return found

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
        place = self.counter.main_place
        found = {}
        for number, feature in zip(self.of, self.features, strict=True):
            point = self.counter.scale_value(feature)
            if point is not None and point[0] == place:
                found[number] = point[1]
        return found

    def _totals(self) -> dict[int, Counts]:
        """Return the nested counts of each cell."""
        n_features = len(self.counter.paths)
        of = np.array(self.of, dtype=np.int64)
        features = np.array(self.features, dtype=np.int64)
        weights = np.array(self.weights, dtype=np.float64)
        cell_of = np.array(self.cell_of, dtype=np.int64)
        keys, sums = _sums(cell_of[of] * n_features + features, weights)
        parts = [(keys, sums)]
        if self.members:
            order = np.argsort(of, kind="stable")
            starts = np.searchsorted(of[order], np.arange(len(self.responses) + 1))
            members = np.array(self.members, dtype=np.int64)
            lengths = (starts[1:] - starts[:-1])[members]
            ends = np.cumsum(lengths)
            at = (
                np.arange(ends[-1]) - np.repeat(ends - lengths, lengths) + np.repeat(starts[members], lengths)
            )
            chosen = order[at]
            cells = np.repeat(np.array(self.member_cells, dtype=np.int64), lengths)
            parts.append(_sums(cells * n_features + features[chosen], weights[chosen]))
        return self._nested(parts, n_features)

    def _nested(self, parts: list[tuple[Numbers, list[Any]]], n_features: int) -> dict[int, Counts]:
        paths = self.counter.paths
        totals: dict[int, Counts] = defaultdict(dict)
        for keys, sums in parts:
            cells, features = np.divmod(keys, n_features)
            for cell, feature, amount in zip(cells.tolist(), features.tolist(), sums, strict=True):
                node = totals[cell]
                *above, leaf = paths[feature]
                for name in above:
                    node = node.setdefault(name, {})
                node[leaf] = int(amount) if amount == int(amount) else round(amount, 6)
        return totals

    def _pairs(self) -> dict[int, dict[str, Any]]:
        """Return the sums and products of each pair of ratings, for each cell of everybody."""
        n_scales = len(self.counter.scales)
        if n_scales < 2:
            return {}
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

    def _pair_sums(self, values: Numbers, rated: Numbers) -> dict[int, dict[str, Any]]:
        order = np.argsort(np.array(self.cell_of), kind="stable")
        cells, starts = np.unique(np.array(self.cell_of)[order], return_index=True)
        values, rated = values[order], rated[order]
        columns: list[Numbers] = []
        for a, b in combinations(range(len(self.counter.scales)), 2):
            both = rated[:, a] * rated[:, b]
            one, other = values[:, a] * both, values[:, b] * both
            parts = (both, one, other, one * one, other * other, one * other)
            columns.extend(np.add.reduceat(part, starts) for part in parts)
        table = np.stack(columns, axis=1)
        keys = self.counter.scales
        return {
            cell: {"k": keys, "m": sums}
            for cell, sums in zip(cells.tolist(), table.tolist(), strict=True)
            if any(sums[::6])
        }


def _sums(keys: Numbers, weights: npt.NDArray[np.float64]) -> tuple[Numbers, list[Any]]:
    found, inverse = np.unique(keys, return_inverse=True)
    return found, np.bincount(inverse, weights=weights, minlength=len(found)).tolist()


def _finished(counts: Counts) -> Counts:
    """Work out how many were asked and left it blank."""
    for question in counts.get("q", {}).values():
        asked = question.get("asked", 0)
        answered = question.get("answered", question.get("n", None))
        if answered is None:
            answered = sum(question.get("v", {}).values())
        blank = asked - answered + question.pop("implied", 0)
        if blank > 0:
            question["blank"] = blank
    return counts


def add_counts(into: Counts, other: Mapping[str, Any]) -> Counts:
    """Add nested counts leaf by leaf, in place, and return them.

    >>> add_counts({"q": {"q1": {"v": {"5": 1}}}}, {"q": {"q1": {"v": {"5": 2}}}, "c": {"n": 1}})
    {'q': {'q1': {'v': {'5': 3}}}, 'c': {'n': 1}}
    """
    for key, value in other.items():
        if isinstance(value, dict):
            add_counts(into.setdefault(key, {}), value)
        elif isinstance(value, int):
            into[key] = into.get(key, 0) + value
        else:
            into[key] = _whole(round(into.get(key, 0) + value, 6))
    return into


def _whole(value: float) -> float:
    return int(value) if value == int(value) else value


def add_pairs(into: dict[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Add the pair sums of the same version, in place, and return them."""
    if not into:
        into.update(other)
    elif other:
        into["m"] = [a + b for a, b in zip(into["m"], other["m"], strict=True)]
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


def add_rows(rows: Iterable[Row]) -> dict[Cell, Row]:
    """Add rows of the same version and cell together."""
    found: dict[Cell, Row] = {}
    for row in rows:
        known = found.get(row.cell)
        if known is None:
            found[row.cell] = Row(
                row.cell, row.n_responses, add_counts({}, row.counts), add_pairs({}, row.pairs)
            )
        else:
            add_counts(known.counts, row.counts)
            add_pairs(known.pairs, row.pairs)
            found[row.cell] = known._replace(n_responses=known.n_responses + row.n_responses)
    return found


def months_of(rows: Iterable[Row]) -> list[Row]:
    """Return the month rows that day rows add up to, with one more for everybody in every channel."""

    def cells(row: Row) -> Iterable[Row]:
        month = row.cell._replace(start=row.cell.start.replace(day=1))
        yield row._replace(cell=month)
        if not month.segment:
            yield row._replace(cell=Cell(month.start, "", ""))

    return list(add_rows(part for row in rows for part in cells(row)).values())
