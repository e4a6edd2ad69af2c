"""Conditions on earlier answers: when something is asked, follows from an answer, or must agree with one."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Answered:
    """True when the question was shown and its answer (or one of its answers) is among ``values``."""

    question: str
    values: tuple[int | str, ...]


@dataclass(frozen=True, slots=True)
class AllOf:
    """True when every condition is."""

    conditions: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """True when at least one condition is."""

    conditions: tuple["Condition", ...]


Condition = Answered | AllOf | AnyOf


@dataclass(frozen=True, slots=True)
class Implied:
    """The answer that follows, without asking, when a condition holds."""

    when: Condition
    value: int | str


@dataclass(frozen=True, slots=True)
class Consistency:
    """Two answers that must agree: if ``given`` then ``then``; and the reverse, when it holds both ways."""

    given: Answered
    then: Answered
    both_ways: bool = False


def answered_parts(condition: Condition | None) -> Iterator[Answered]:
    """Yield every question-and-values part of a condition."""
    if isinstance(condition, Answered):
        yield condition
    elif condition is not None:
        for part in condition.conditions:
            yield from answered_parts(part)


def condition_json(condition: Condition | None) -> dict[str, Any] | None:
    """Return a condition as JSON data."""
    if condition is None:
        return None
    if isinstance(condition, Answered):
        return {"question": condition.question, "in": list(condition.values)}
    name = "all" if isinstance(condition, AllOf) else "any"
    return {name: [condition_json(part) for part in condition.conditions]}
