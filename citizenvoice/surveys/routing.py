"""Which questions a person is asked, given the answers so far.

A question that is hidden has no answer, so every condition on it is false, whatever was sent along. Answers
"so far" are the closed answers of a response (`Response.answers`); segments and texts decide nothing.
"""

import hashlib
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any

from citizenvoice.surveys.conditions import AllOf, Answered, Condition
from citizenvoice.surveys.definition import Definition, Question, Section

Answers = Mapping[str, Any]


class Asked(StrEnum):
    """Whether a question was put to a person."""

    NOT_ASKED = "not_asked"
    OFFERED = "offered"


class ChoiceState(StrEnum):
    """What became of one choice of a question: 1, 0 and null in the driver columns of OMB A-11."""

    CHOSEN = "chosen"
    OFFERED = "offered"  # shown, and not chosen
    NOT_ASKED = "not_asked"


def holds(condition: Condition | None, answers: Answers) -> bool:
    """Return whether a condition is true of the answers of the questions that were shown."""
    if condition is None:
        return True
    if isinstance(condition, Answered):
        answer = answers.get(condition.question)
        if isinstance(answer, list):
            return any(value in condition.values for value in answer)
        return answer is not None and answer in condition.values
    parts = (holds(part, answers) for part in condition.conditions)
    return all(parts) if isinstance(condition, AllOf) else any(parts)


def shown_questions(definition: Definition, answers: Answers) -> list[str]:
    """Return the keys of the questions on the path these answers take, in order."""
    return [question.key for _, questions in _path(definition, answers) for question in questions]


def shown_sections(definition: Definition, answers: Answers) -> list[Section]:
    """Return the sections on the path these answers take, in order; one with nothing to ask is left out."""
    return [section for section, _ in _path(definition, answers)]


def next_section(definition: Definition, answers: Answers, after: str | None = None) -> Section | None:
    """Return the section that follows ``after`` (the first, for None), or None at the end."""
    reached = after is None
    path = {section.key for section in shown_sections(definition, answers)}
    for section in definition.sections:
        if reached and section.key in path:
            return section
        reached = reached or section.key == after
    return None


def previous_section(definition: Definition, answers: Answers, before: str) -> Section | None:
    """Return the section that comes before ``before`` on the path, or None at the start."""
    previous = None
    for section in shown_sections(definition, answers):
        if section.key == before:
            return previous
        previous = section
    return None


def position(definition: Definition, answers: Answers, section_key: str) -> int:
    """Return the place of a section on the path, from 1: what `Response.n_sections` is once it is submitted.

    Raises KeyError when the section is not on the path.
    """
    keys = [section.key for section in shown_sections(definition, answers)]
    if section_key not in keys:
        raise KeyError(section_key)
    return keys.index(section_key) + 1


def questions_on_page(definition: Definition, section_key: str, answers: Answers) -> tuple[Question, ...]:
    """Return the questions to print on a page.

    Those that depend on an answer of the same page are printed too: without a script the page cannot know
    yet. What people then answer to a question that turns out hidden is dropped when it is checked.
    """
    section = definition.section(section_key)
    earlier = _shown_answers(definition, answers)
    if not holds(section.shown_if, earlier):
        return ()
    undecided: set[str] = set()
    for question in section.questions:
        if _may_hold(question.shown_if, earlier, undecided):
            undecided.add(question.key)
    return tuple(question for question in section.questions if question.key in undecided)


def shuffled(section: Section, questions: tuple[Question, ...], seed: str) -> tuple[Question, ...]:
    """Return the questions in the order this respondent meets them: the same for the same seed."""
    if not section.shuffle:
        return questions
    return tuple(sorted(questions, key=lambda q: hashlib.sha256(f"{seed}/{q.key}".encode()).digest()))


def asked(definition: Definition, answers: Answers, n_sections: int) -> dict[str, Asked]:
    """Return for every question whether it was put to a person who submitted ``n_sections`` sections.

    Only sections on the path count towards ``n_sections``. A question whose answer was implied, not asked,
    is NOT_ASKED although it has an answer.
    """
    path = _path(definition, answers)[:n_sections]
    offered = {question.key for _, questions in path for question in questions}
    return {
        question.key: Asked.OFFERED if question.key in offered else Asked.NOT_ASKED
        for question in definition.questions
    }


def choice_states(
    definition: Definition, answers: Answers, n_sections: int, question_key: str
) -> dict[str, ChoiceState]:
    """Return the state of each choice of a question: chosen, offered but not chosen, or not asked.

    In the radio form of A-11 version 2 a neutral 3 is asked both what went well and what did not, so for it
    both sets of drivers are offered; 4-5 are asked only the first and 1-2 only the second.
    """
    question = definition.question(question_key)
    if asked(definition, answers, n_sections)[question_key] is Asked.NOT_ASKED:
        return {choice.value: ChoiceState.NOT_ASKED for choice in question.choices}
    answer = answers.get(question_key, [])
    chosen = answer if isinstance(answer, list) else [answer]
    return {
        choice.value: ChoiceState.CHOSEN if choice.value in chosen else ChoiceState.OFFERED
        for choice in question.choices
    }


def implied_answers(definition: Definition, answers: Answers) -> dict[str, Any]:
    """Return the answers that follow from the others without being asked."""
    shown = _shown_answers(definition, answers)
    return {
        question.key: implied.value
        for question in definition.questions
        for implied in question.implied
        if question.key not in shown and holds(implied.when, shown)
    }


def still_standing(definition: Definition, answers: Answers) -> dict[str, Any]:
    """Return the answers without those of questions that are now hidden, and with those that are implied.

    Call it after an earlier answer was changed, so that no answer of a path not taken is kept.
    """
    kept = _shown_answers(definition, answers)
    kept.update(implied_answers(definition, kept))
    return {q.key: kept[q.key] for q in definition.questions if q.key in kept}


def answers_after(
    definition: Definition, earlier: Answers, section_key: str, answers: Answers
) -> dict[str, Any]:
    """Return a response's answers once a section was submitted, or submitted again, with ``answers``."""
    own = {question.key for question in definition.section(section_key).questions}
    kept = {key: value for key, value in earlier.items() if key not in own}
    return still_standing(definition, {**kept, **answers})


def _path(definition: Definition, answers: Answers) -> list[tuple[Section, list[Question]]]:
    return list(_walk(definition, answers, {}))


def _shown_answers(definition: Definition, answers: Answers) -> dict[str, Any]:
    """Return the answers of the questions on the path."""
    shown: dict[str, Any] = {}
    for _ in _walk(definition, answers, shown):
        pass
    return shown


def _walk(
    definition: Definition, answers: Answers, shown: dict[str, Any]
) -> Iterator[tuple[Section, list[Question]]]:
    """Yield each section on the path with its questions, gathering their answers into ``shown``.

    An answer that is not offered (it can only follow from another one) does not stand where it is asked.
    """
    for section in definition.sections:
        if not holds(section.shown_if, shown):
            continue
        questions = []
        for question in section.questions:
            if holds(question.shown_if, shown):
                questions.append(question)
                answer = answers.get(question.key)
                if answer is not None and not _is_unoffered(question, answer):
                    shown[question.key] = answer
        if questions:
            yield section, questions


def _is_unoffered(question: Question, answer: Any) -> bool:
    return any(not choice.offered and choice.value == answer for choice in question.choices)


def _may_hold(condition: Condition | None, earlier: Answers, undecided: set[str]) -> bool:
    if condition is None:
        return True
    if isinstance(condition, Answered):
        return condition.question in undecided or holds(condition, earlier)
    parts = (_may_hold(part, earlier, undecided) for part in condition.conditions)
    return all(parts) if isinstance(condition, AllOf) else any(parts)
