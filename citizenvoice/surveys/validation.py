"""Checks the answers to a section against its definition; compiled once per version, used for every response.

Three kinds of input, one set of rules: a HTML form (strings; a mapping with ``getlist``), JSON (typed values,
nothing converted), and an import (strings of a file or typed values; gaps are allowed).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from citizenvoice.errors import N_
from citizenvoice.surveys.conditions import Consistency, answered_parts
from citizenvoice.surveys.definition import Definition, Kind, Question, Section
from citizenvoice.surveys.routing import holds, still_standing
from citizenvoice.surveys.values import NOT_A_CHOICE, READERS, InvalidError, Mode, Sent

REQUIRED = N_("Choose an answer.")
REQUIRED_TEXT = N_("Write an answer.")
REQUIRED_NUMBER = N_("Enter a number.")
DISAGREES = N_("This does not agree with your answer to “%(other)s”.")
NO_SUCH_QUESTION = N_("There is no question with this name.")


@dataclass(frozen=True, slots=True)
class FieldError:
    """One answer that cannot be accepted: a message to translate, with its values (always ``label``)."""

    question: str
    message: str
    params: Mapping[str, Any] = field(default_factory=dict)

    @property
    def sentence(self) -> str:
        """Return the message in English with its values filled in."""
        return self.message % self.params


@dataclass(frozen=True, slots=True)
class Checked:
    """What came of checking: what may be stored, and what was wrong. Store nothing while there are errors."""

    answers: dict[str, Any]
    segments: dict[str, Any]
    texts: dict[str, str]
    errors: list[FieldError]


@dataclass(frozen=True, slots=True)
class _Compiled:
    """A question with what is looked up for each answer to it."""

    question: Question
    required_message: str
    unoffered: frozenset[str]


class SectionValidator:
    """The checks of one section, compiled. Has no state: one may serve all threads."""

    __slots__ = (
        "_fields",
        "_implied",
        "_language",
        "_looks_back",
        "_own",
        "_readers",
        "_rules",
        "definition",
        "section",
    )

    def __init__(self, definition: Definition, section: Section, language: str) -> None:
        self.definition = definition
        self.section = section
        self._language = language
        self._fields = tuple(_compile(question) for question in section.questions)
        readers = [(question, READERS[question.kind](question)) for question in section.questions]
        self._readers: Mapping[Mode, Sequence[tuple[Question, Callable[[Sent], Any]]]] = {
            Mode.FORM: [(question, reader.form) for question, reader in readers],
            Mode.JSON: [(question, reader.json) for question, reader in readers],
            Mode.IMPORT: [(question, reader.import_) for question, reader in readers],
        }
        self._own = own = frozenset(question.key for question in section.questions)
        self._rules = tuple(r for r in definition.consistency if own & {r.given.question, r.then.question})
        self._implied = tuple(
            (question.key, implied.when, implied.value)
            for question in definition.questions
            for implied in question.implied
            if question.key in own or own & {part.question for part in answered_parts(implied.when)}
        )
        conditional = section.shown_if or any(question.shown_if for question in section.questions)
        self._looks_back = bool(conditional or self._implied)

    def check(
        self,
        values: Mapping[str, Any],
        earlier: Mapping[str, Any] | None = None,
        *,
        mode: Mode = Mode.FORM,
    ) -> Checked:
        """Check the values sent for this section.

        ``earlier`` holds the answers of the sections before (`Response.answers`); conditions look at them.
        Values for questions that are not shown are dropped. Answers that follow from these, also to questions
        of other sections, are added. Required questions are not insisted on in an import: paper has gaps.
        """
        earlier = earlier or {}
        read, wrong = self._read(values, mode)
        if self._rules and mode is not Mode.FORM:
            wrong.update(self._disagreements({**earlier, **read}))
        known = self._known(earlier)
        checked = Checked({}, {}, {}, [])
        shown = holds(self.section.shown_if, known)
        for compiled in self._fields:
            question = compiled.question
            if shown and (question.shown_if is None or holds(question.shown_if, known)):
                error = wrong.get(question.key) or self._accept(compiled, read, checked, known, mode)
            else:
                error = self._dropped(wrong.get(question.key))
            if error is not None:
                checked.errors.append(error)
        for key, when, value in self._implied:
            unanswered = key not in checked.answers and (key in self._own or key not in known)
            if unanswered and holds(when, known):
                checked.answers[key] = value
        return checked

    def _read(self, values: Mapping[str, Any], mode: Mode) -> tuple[dict[str, Any], dict[str, FieldError]]:
        read: dict[str, Any] = {}
        wrong: dict[str, FieldError] = {}
        for question, reader in self._readers[mode]:
            try:
                value = reader(values)
            except InvalidError as error:
                wrong[question.key] = self._error(question, error.message, error.params)
            else:
                if value is not None:
                    read[question.key] = value
        return read, wrong

    def _known(self, earlier: Mapping[str, Any]) -> dict[str, Any]:
        """Return the earlier answers that stand, without those this section is about to replace."""
        if not earlier or not self._looks_back:
            return {}
        return still_standing(
            self.definition, {key: value for key, value in earlier.items() if key not in self._own}
        )

    def _accept(
        self,
        compiled: _Compiled,
        read: dict[str, Any],
        checked: Checked,
        known: dict[str, Any],
        mode: Mode,
    ) -> FieldError | None:
        """Put a value where it is kept, or return why not."""
        question = compiled.question
        value = read.get(question.key)
        if value is None:
            missing = question.required and mode is not Mode.IMPORT
            return self._error(question, compiled.required_message, {}) if missing else None
        if compiled.unoffered and value in compiled.unoffered:
            return self._error(question, NOT_A_CHOICE, {})
        if question.kind is Kind.TEXT:
            checked.texts[question.key] = value
        elif self.section.about_you:
            checked.segments[question.key] = value
        else:
            checked.answers[question.key] = known[question.key] = value
        return None

    @staticmethod
    def _dropped(error: FieldError | None) -> FieldError | None:
        """Forgive whatever was sent for a hidden question, unless it contradicts another answer."""
        return error if error is not None and error.message == DISAGREES else None

    def _disagreements(self, answers: Mapping[str, Any]) -> Iterator[tuple[str, FieldError]]:
        for rule in self._rules:
            if (
                rule.given.question in answers
                and rule.then.question in answers
                and not _agrees(rule, answers)
            ):
                given = self.definition.question(rule.given.question)
                other = self.definition.say(given.text, self._language)
                question = self.definition.question(rule.then.question)
                if question.key not in self._own:
                    question = given
                yield question.key, self._error(question, DISAGREES, {"other": other})

    def _error(self, question: Question, message: str, params: Mapping[str, Any]) -> FieldError:
        label = self.definition.say(question.text, self._language)
        return FieldError(question.key, message, {"label": label, **params})


class SurveyValidator:
    """The checks of every section, for a response that arrives whole: from the API or an import."""

    __slots__ = ("definition", "sections")

    def __init__(self, definition: Definition, language: str) -> None:
        self.definition = definition
        self.sections = {s.key: SectionValidator(definition, s, language) for s in definition.sections}

    def check(self, values: Mapping[str, Any], *, mode: Mode = Mode.JSON) -> Checked:
        """Check a whole response; unknown names are errors."""
        whole = Checked({}, {}, {}, [])
        known = {question.key for question in self.definition.questions}
        for name in values:
            if name not in known:
                whole.errors.append(FieldError(str(name)[:80], NO_SUCH_QUESTION, {"label": str(name)[:80]}))
        for validator in self.sections.values():
            checked = validator.check(values, whole.answers, mode=mode)
            whole.answers.update(checked.answers)
            whole.segments.update(checked.segments)
            whole.texts.update(checked.texts)
            whole.errors.extend(checked.errors)
        return whole


def compile_section(definition: Definition, section_key: str, language: str) -> SectionValidator:
    """Compile the checks of one section; keep the result for as long as the version lives.

    Raises KeyError for an unknown section.
    """
    return SectionValidator(definition, definition.section(section_key), language)


def compile_survey(definition: Definition, language: str) -> SurveyValidator:
    """Compile the checks of every section."""
    return SurveyValidator(definition, language)


_REQUIRED = {Kind.TEXT: REQUIRED_TEXT, Kind.NUMBER: REQUIRED_NUMBER}


def _compile(question: Question) -> _Compiled:
    unoffered = [choice.value for choice in question.choices if not choice.offered]
    return _Compiled(
        question,
        _REQUIRED.get(question.kind, REQUIRED),
        frozenset(unoffered) if question.kind is Kind.SINGLE else frozenset(),
    )


def _agrees(rule: Consistency, answers: Mapping[str, Any]) -> bool:
    given, then = holds(rule.given, answers), holds(rule.then, answers)
    return given == then if rule.both_ways else then or not given
