"""Adds up responses into rows of counts, column by column: a loop over questions, not over people."""

from collections.abc import Sequence
from datetime import date
from itertools import combinations, compress
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from orjson import dumps, loads
from scipy import sparse

from citizenvoice.indicators.cells import Cell, Row, everywhere, month_of
from citizenvoice.indicators.count_texts import count_texts
from citizenvoice.indicators.features import Features, Flags, Numbers
from citizenvoice.surveys.definition import Kind, Question

Amounts = npt.NDArray[np.float64]
STATES = {"done": 1, "failed": 2}  # of reading; anything else waits to be read


class Responses(NamedTuple):
    """What counting needs to know of responses to one version; answers and segments are JSON text."""

    ids: Sequence[int]
    days: Sequence[date]
    channels: Sequence[str]
    languages: Sequence[str]
    exclusions: Sequence[str | None]
    answers: Sequence[str]
    segments: Sequence[str]
    n_sections: Sequence[int]


class Comments(NamedTuple):
    """What counting needs to know of comments."""

    ids: Sequence[int] = ()
    response_ids: Sequence[int] = ()
    readings: Sequence[str] = ()
    sentiments: Sequence[int | None] = ()


class Themes(NamedTuple):
    """Which themes are in force for which comments."""

    comment_ids: Sequence[int] = ()
    theme_ids: Sequence[int] = ()


class Contributions(NamedTuple):
    """Responses to one version, comments (theirs and perhaps others), and what these are about."""

    responses: Responses
    comments: Comments = Comments()
    themes: Themes = Themes()


class Rows(NamedTuple):
    """The rows of some days, and of the months they add up to."""

    days: list[Row]
    months: list[Row]


def add_up(features: Features, found: Contributions) -> Rows:
    """Return one row for each cell that holds a response, and those of the months they add up to.

    Comments of other responses, and themes of other comments, are passed over.
    """
    if not found.responses.ids:
        return Rows([], [])
    batch = _Batch(features, found.responses)
    batch.encode_answers()
    batch.encode_comments(found.comments, found.themes)
    return batch.rows()


class _Batch:
    """Responses on their way into cells, as (response, feature, weight) in long columns."""

    def __init__(self, features: Features, responses: Responses) -> None:
        self.features = features
        self.responses = responses
        self.n = len(responses.ids)
        self.counts = np.fromiter((one is None for one in responses.exclusions), np.bool_, self.n)
        self.points = np.zeros((self.n, len(features.scales)), dtype=np.int64)
        self.rated = np.zeros((self.n, len(features.scales)), dtype=np.bool_)
        self._found: list[tuple[Numbers, Numbers, Amounts]] = []

    def encode_answers(self) -> None:
        """Find the features of the closed answers."""
        counted = np.flatnonzero(self.counts)
        self._add(counted, self.features.number("n"))
        self._encode_excluded()
        if not len(counted):
            return
        texts = compress(self.responses.answers, self.counts)
        answers: list[dict[str, Any]] = loads(f"[{','.join(texts)}]")
        n_sections = list(compress(self.responses.n_sections, self.counts))
        asked = self.features.asked(answers, n_sections)
        for key, question in self.features.questions.items():
            answered = self._encode(question, [one.get(key) for one in answers], counted)
            self._add(counted[asked[key]], self.features.number("q", key, "asked"))
            self._add(counted[asked[key] & ~answered], self.features.number("q", key, "blank"))

    def encode_comments(self, comments: Comments, themes: Themes) -> None:
        """Find the features of the comments, their sentiment and their themes."""
        if not comments.ids:
            return
        of, is_ours = _places(self.responses.ids, comments.response_ids)
        is_counted = is_ours & self.counts[of]
        states = np.fromiter((STATES.get(one, 0) for one in comments.readings), np.int64, len(comments.ids))
        felt = np.fromiter((one or 0 for one in comments.sentiments), np.int64, len(comments.ids))
        self._add(of[is_counted], self.features.number("c", "n"))
        for number, state in enumerate(("unread", "read", "failed")):
            self._add(of[is_counted & (states == number)], self.features.number("c", state))
        self._add_sentiment(of[is_counted], felt[is_counted], "c")
        self._add_main(np.unique(of[is_counted & (states == 1)]), "c")
        if themes.comment_ids and is_counted.any():
            ids = np.array(comments.ids, dtype=np.int64)[is_counted]
            self._encode_themes(themes, ids, of[is_counted], felt[is_counted])

    def rows(self) -> Rows:
        """Add the features up cell by cell, for the days and for their months."""
        cells, membership, base_of = self._cells()
        days = membership @ self._sums(membership.shape[1])
        pairs = self._pairs(base_of)
        months: dict[Cell, int] = {}
        own = [months.setdefault(month_of(cell), len(months)) for cell in cells]
        total = [months.setdefault(everywhere(cell), len(months)) for cell in cells[: len(pairs)]]
        belongs = _matrix(own + total, [*range(len(cells)), *range(len(total))], (len(months), len(cells)))
        return Rows(
            self._rows_of(cells, days, pairs),
            self._rows_of(list(months), belongs @ days, belongs[:, : len(pairs)] @ pairs),
        )

    def _add(self, of: Numbers, feature: int | Numbers, weight: float | Amounts = 1.0) -> None:
        if len(of):
            features = np.broadcast_to(np.asarray(feature, dtype=np.int64), of.shape)
            self._found.append((of, features, np.broadcast_to(np.asarray(weight, np.float64), of.shape)))

    def _encode_excluded(self) -> None:
        reasons = np.array([one or "" for one in self.responses.exclusions])
        for reason in np.unique(reasons[~self.counts]).tolist():
            self._add(np.flatnonzero(reasons == reason), self.features.number("x", reason))

    def _encode(self, question: Question, column: list[Any], counted: Numbers) -> Flags:
        """Find the features of the answers to one question; return who answered it."""
        key = question.key
        if question.kind is Kind.NUMBER:
            return self._encode_numbers(question, column, counted)
        if question.kind is Kind.MULTIPLE:
            return self._encode_choices(key, column, counted)
        values = self.features.values_of(key, column)
        answered: Flags = values >= 0
        self._add(counted[answered], values[answered])
        if question.kind is Kind.SCALE:
            scale = self.features.scales.index(key)
            self.points[counted, scale] = self.features.points_of(key)[values]
            self.rated[counted, scale] = self.features.is_point(key)[values]
        return answered

    def _encode_choices(self, key: str, column: list[Any], counted: Numbers) -> Flags:
        codes = self.features.codes[key]
        answered = np.fromiter((value is not None for value in column), np.bool_, len(column))
        self._add(counted[answered], self.features.number("q", key, "answered"))
        chosen = [
            (number, codes[one])
            for number, value in enumerate(column)
            if value
            for one in (value if isinstance(value, list) else (value,))
            if one in codes
        ]
        if chosen:
            of, values = np.array(chosen, dtype=np.int64).T
            self._add(counted[of], values)
        return answered

    def _encode_numbers(self, question: Question, column: list[Any], counted: Numbers) -> Flags:
        answered = np.fromiter(
            (isinstance(value, int | float) and not isinstance(value, bool) for value in column),
            np.bool_,
            len(column),
        )
        of = counted[answered]
        numbers = np.array(list(compress(column, answered)), dtype=np.float64)
        for name, weight in (("n", np.ones(len(of))), ("sum", numbers), ("squares", numbers * numbers)):
            self._add(of, self.features.number("q", question.key, name), weight)
        for band in question.bands:
            holds = np.fromiter((band.holds(value) for value in numbers.tolist()), np.bool_, len(of))
            self._add(of[holds], self.features.codes[question.key][band.value])
        return answered

    def _add_sentiment(self, of: Numbers, felt: Numbers, *path: str) -> None:
        for sentiment in np.unique(felt[felt > 0]).tolist():
            self._add(of[felt == sentiment], self.features.number(*path, "s", str(sentiment)))

    def _add_main(self, of: Numbers, *path: str) -> None:
        """Add the moments of the main rating of these responses."""
        if self.features.main_key is None or self.features.main_key not in self.features.scales:
            return
        scale = self.features.scales.index(self.features.main_key)
        rated = of[self.rated[of, scale]]
        points = self.points[rated, scale].astype(np.float64)
        for name, weight in (("n", np.ones(len(rated))), ("sum", points), ("squares", points * points)):
            self._add(rated, self.features.number(*path, "main", name), weight)

    def _encode_themes(self, themes: Themes, comment_ids: Numbers, of: Numbers, felt: Numbers) -> None:
        places, is_ours = _places(comment_ids, themes.comment_ids)
        theme_ids = np.array(themes.theme_ids, dtype=np.int64)[is_ours]
        places = places[is_ours]
        for theme_id in np.unique(theme_ids).tolist():
            key, named = str(theme_id), places[theme_ids == theme_id]
            self._add(of[named], self.features.number("t", key, "n"))
            self._add_sentiment(of[named], felt[named], "t", key)
            people = np.unique(of[named])
            self._add(people, self.features.number("t", key, "r"))
            self._add_main(people, "t", key)

    def _cells(self) -> tuple[list[Cell], Any, Numbers]:
        """Return the cells, those of everybody first, which group is in which, and the cell of each response.

        A group is people of the same day, channel, language and segments; it is in the cell of everybody and
        in one for each value of a segment.
        """
        texts: dict[str, int] = {}
        text_of = [texts.setdefault(text, len(texts)) for text in self.responses.segments]
        bases: dict[tuple[date, str, str], int] = {}
        wheres = zip(self.responses.days, self.responses.channels, self.responses.languages, strict=True)
        base_of = np.array([bases.setdefault(where, len(bases)) for where in wheres], dtype=np.int64)
        groups, self.group_of = np.unique(base_of * len(texts) + np.array(text_of), return_inverse=True)
        base, text = np.divmod(groups, len(texts))
        segments: dict[tuple[str, str], int] = {}
        said = [
            [segments.setdefault(pair, len(segments)) for pair in self.features.segment_values(loads(one))]
            for one in texts
        ]
        members = np.repeat(np.arange(len(groups)), [len(said[number]) for number in text.tolist()])
        values = np.array([one for number in text.tolist() for one in said[number]], dtype=np.int64)
        narrow, cell_of = np.unique(base[members] * len(segments) + values, return_inverse=True)
        cells, pairs = [Cell(*where) for where in bases], list(segments)
        for key in narrow.tolist():
            where, segment = divmod(key, len(segments))
            cells.append(Cell(*cells[where][:3], *pairs[segment]))
        into = np.concatenate([base, len(bases) + cell_of])
        from_ = np.concatenate([np.arange(len(groups)), members])
        return cells, _matrix(into, from_, (len(cells), len(groups))), base_of

    def _sums(self, n_groups: int) -> Any:
        """Return how much of each feature there is in each group."""
        of, features, weights = (np.concatenate(column) for column in zip(*self._found, strict=True))
        shape = (n_groups, len(self.features.paths))
        return sparse.coo_array((weights, (self.group_of[of], features)), shape=shape).tocsr()

    def _pairs(self, base_of: Numbers) -> Amounts:
        """Return the sums and products of each pair of ratings, a row for each cell of everybody."""
        columns: list[Any] = []
        for a, b in combinations(range(len(self.features.scales)), 2):
            both = self.rated[:, a] & self.rated[:, b]
            one, other = self.points[:, a] * both, self.points[:, b] * both
            columns.extend((both, one, other, one * one, other * other, one * other))
        n_cells = int(base_of.max()) + 1
        table = np.array(columns, dtype=np.float64).reshape(len(columns), self.n).T
        sums: Amounts = _matrix(base_of, range(self.n), (n_cells, self.n)) @ np.ascontiguousarray(table)
        return sums

    def _rows_of(self, cells: list[Cell], sums: Any, pairs: Amounts) -> list[Row]:
        """Return the rows of cells from the sums of their features and, of the first, those of the pairs."""
        counted = self.features.number("n")
        n_responses = np.rint(sums[:, [counted]].toarray()[:, 0]).astype(np.int64).tolist()
        others = sums.copy()
        others.data[others.indices == counted] = 0
        texts = count_texts(self.features.paths, others)
        products = [self._pairs_text(one) for one in np.rint(pairs).astype(np.int64).tolist()]
        products += ["{}"] * (len(cells) - len(products))
        return [Row(*row) for row in zip(cells, n_responses, texts, products, strict=True)]

    def _pairs_text(self, moments: list[int]) -> str:
        return dumps({"k": self.features.scales, "m": moments}).decode() if any(moments[::6]) else "{}"


def _matrix(into: Any, from_: Any, shape: tuple[int, int]) -> Any:
    """Return the matrix that adds rows of one table up into those of another."""
    return sparse.coo_array((np.ones(len(into)), (into, from_)), shape=shape).tocsr()


def _places(ids: Sequence[int] | Numbers, wanted: Sequence[int]) -> tuple[Numbers, Flags]:
    """Return where the wanted ids are among others, and which of them are there at all."""
    known, asked = np.asarray(ids, dtype=np.int64), np.array(wanted, dtype=np.int64)
    order = np.argsort(known)
    places: Numbers = order[np.minimum(np.searchsorted(known[order], asked), len(known) - 1)]
    return places, known[places] == asked
