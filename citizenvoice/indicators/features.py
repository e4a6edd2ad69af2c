"""What is counted of the responses to one version of a questionnaire, as numbered features."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import repeat
from typing import Any

import numpy as np
import numpy.typing as npt

from citizenvoice.indicators.cells import scale_keys
from citizenvoice.surveys import routing
from citizenvoice.surveys.answering import main_question
from citizenvoice.surveys.conditions import answered_parts
from citizenvoice.surveys.definition import Definition, Kind, Question

Path = tuple[str, ...]
Numbers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
MAX_PATTERNS = 100_000


class Features:
    """The leaves of a version's counts, numbered: ``paths`` has the path of each."""

    def __init__(self, definition: Definition) -> None:
        self.definition = definition
        self.paths: list[Path] = []
        self._numbers: dict[Path, int] = {}
        self.scales = scale_keys(definition)
        self.questions: dict[str, Question] = {}
        self.codes: dict[str, dict[Any, int]] = {}  # of each question: value -> feature
        self.segments: dict[str, Question] = {}
        main = main_question(definition)
        self.main_key = main.key if main else None
        for section in definition.sections:
            for question in section.questions:
                if section.about_you:
                    self.segments[question.key] = question
                elif question.kind is not Kind.TEXT:
                    self._add_question(question)
        sections = [section for section in definition.sections if not section.about_you]
        conditions = [section.shown_if for section in sections]
        conditions += [question.shown_if for section in sections for question in section.questions]
        self._deciding = tuple(
            dict.fromkeys(part.question for condition in conditions for part in answered_parts(condition))
        )
        self._patterns: dict[Any, int] = {}
        self._asked: list[Flags] = []

    def number(self, *path: str) -> int:
        """Return the number of the leaf at this path of the counts."""
        number = self._numbers.get(path)
        if number is None:
            number = self._numbers[path] = len(self.paths)
            self.paths.append(path)
        return number

    def asked(self, answers: Sequence[Mapping[str, Any]], n_sections: Sequence[int]) -> dict[str, Flags]:
        """Return, for each question, which of the responses were asked it."""
        columns = [[_hashable(one.get(key)) for one in answers] for key in self._deciding]
        if len(self._patterns) > MAX_PATTERNS:
            self._patterns, self._asked = {}, []
        known = self._patterns
        projections = list(zip(n_sections, *columns, strict=True))
        for projection, given, n in zip(projections, answers, n_sections, strict=True):
            if projection not in known:  # equal answers to what decides make equal patterns
                known[projection] = len(self._asked)
                self._asked.append(self._pattern(given, n))
        patterns = np.fromiter(map(known.__getitem__, projections), dtype=np.int64, count=len(projections))
        table = np.array(self._asked).reshape(-1, len(self.questions))
        return {key: table[patterns, place] for place, key in enumerate(self.questions)}

    def values_of(self, key: str, column: Sequence[Any]) -> Numbers:
        """Return the feature of each answer to a question; -1 where there is none."""
        return np.fromiter(map(self.codes[key].get, column, repeat(-1)), dtype=np.int64, count=len(column))

    def points_of(self, key: str) -> Numbers:
        """Return the point of a scale that each feature stands for, 0 for others; a table to look up in."""
        table = np.zeros(len(self.paths) + 1, dtype=np.int64)  # the last is for what -1 stands for
        for point in self.questions[key].points:
            table[self.codes[key][point.value]] = point.value
        return table

    def is_point(self, key: str) -> Flags:
        """Return which features are points of a scale; a table to look up in."""
        table = np.zeros(len(self.paths) + 1, dtype=np.bool_)
        table[[self.codes[key][point.value] for point in self.questions[key].points]] = True
        return table

    def segment_values(self, segments: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """Yield the (segment, value) pairs a person belongs to."""
        for key, value in segments.items():
            question = self.segments.get(key)
            if question is None:
                continue
            for one in value if isinstance(value, list) else (value,):
                if question.bands and isinstance(one, int | float):
                    one = next((band.value for band in question.bands if band.holds(one)), "")
                if one != "":
                    yield key, str(one)

    def _add_question(self, question: Question) -> None:
        self.questions[question.key] = question
        self.codes[question.key] = {
            value: self.number("q", question.key, "v", str(value)) for value in question.possible_values
        }

    def _pattern(self, answers: Mapping[str, Any], n_sections: int) -> Flags:
        state = routing.asked(self.definition, answers, n_sections)
        return np.array([state[key] is routing.Asked.OFFERED for key in self.questions], dtype=np.bool_)


def _hashable(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
