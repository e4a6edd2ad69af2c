"""What must be settled before a definition is published, and whether official wording was kept."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from citizenvoice.errors import N_
from citizenvoice.surveys.conditions import condition_json
from citizenvoice.surveys.definition import (
    Choice,
    Definition,
    Option,
    Point,
    Question,
    Section,
    all_texts,
    placeholders_used,
)
from citizenvoice.surveys.instrument_library import Instrument, find_instrument
from citizenvoice.surveys.reading import Problem, Text


@dataclass(frozen=True, slots=True)
class WordingChange:
    """One way in which a question differs from the official instrument; ``language`` is "" for structure."""

    question: str
    part: str  # question, kind, text, points, polarity, choices, ways_out, shown_if
    language: str
    official: str
    ours: str


def problems_for_publishing(definition: Definition) -> list[Problem]:
    """Return everything that stands in the way of publishing; a draft may have all of it."""
    problems = list(_content_problems(definition))
    problems.extend(_translation_problems(definition))
    problems.extend(_placeholder_problems(definition))
    problems.extend(_instrument_problems(definition))
    return problems


def wording_changes(definition: Definition) -> list[WordingChange]:
    """Return how the locked questions differ from the shipped instrument; empty without an instrument.

    A survey with changes may be published only without the official label: set `instrument` to None.
    """
    instrument = find_instrument(definition.instrument)
    if instrument is None:
        return []
    ours = {question.key: (section, question) for section, question in _placed(definition)}
    languages = _compared_languages(instrument, definition)
    changes: list[WordingChange] = []
    for section, official in _placed(instrument.definition):
        if not official.locked:
            continue
        if official.key in ours:
            changes.extend(_differences(instrument, (section, official), ours[official.key], languages))
        elif official.key not in instrument.optional_questions:
            language = instrument.definition.default_language
            text = instrument.definition.say(official.text, language)
            changes.append(WordingChange(official.key, "question", language, text, ""))
    return changes


def _content_problems(definition: Definition) -> Iterator[Problem]:
    if not definition.title:
        yield Problem("title", N_("Give the questionnaire a title."))
    if not any(not section.about_you and section.questions for section in definition.sections):
        yield Problem("sections", N_("Ask at least one question."))
    for s, section in enumerate(definition.sections):
        if not section.questions:
            yield Problem(f"sections.{s}", N_("This page has no question."))
        for q, question in enumerate(section.questions):
            path = f"sections.{s}.questions.{q}"
            if not question.text:
                yield Problem(f"{path}.text", N_("Write the question."))
            yield from _label_problems(path, question, definition)


def _label_problems(path: str, question: Question, definition: Definition) -> Iterator[Problem]:
    labels = question.answer_labels
    if not all(labels):
        yield Problem(path, N_("Every answer needs words."))
    for language in definition.languages:
        words = [label[language].strip().casefold() for label in labels if language in label]
        if len(set(words)) < len(words):
            yield Problem(path, N_("Two answers have the same words (%(language)s)."), {"language": language})


def _translation_problems(definition: Definition) -> Iterator[Problem]:
    for path, text in all_texts(definition):
        for language in definition.languages:
            if text and language not in text:
                yield Problem(
                    f"{path}.{language}", N_("The text in “%(language)s” is missing."), {"language": language}
                )


def _placeholder_problems(definition: Definition) -> Iterator[Problem]:
    for name in sorted(placeholders_used(definition)):
        words = definition.placeholders.get(name, {})
        for language in definition.languages:
            if language not in words:
                yield Problem(
                    f"placeholders.{name}.{language}",
                    N_("Say what “[%(name)s]” stands for in “%(language)s”."),
                    {"name": name, "language": language},
                )


def _instrument_problems(definition: Definition) -> Iterator[Problem]:
    if definition.instrument is None:
        return
    instrument = find_instrument(definition.instrument)
    if instrument is None:
        yield Problem("instrument", N_("There is no instrument “%(key)s”."), {"key": definition.instrument})
        return
    if definition.instrument_version != instrument.version:
        yield Problem(
            "instrument_version",
            N_("This follows version %(ours)s of the instrument; the current one is %(current)s."),
            {"ours": definition.instrument_version or "?", "current": instrument.version},
        )
    if instrument.max_questions is not None and len(definition.questions) > instrument.max_questions:
        yield Problem(
            "sections",
            N_("This instrument allows %(max)d questions in all."),
            {"max": instrument.max_questions},
        )
    for change in wording_changes(definition):
        yield Problem(
            f"questions.{change.question}.{change.part}",
            N_("This differs from the official instrument. Restore it, or drop the official label."),
        )


# Comparing with the official instrument


def _placed(definition: Definition) -> Iterator[tuple[Section, Question]]:
    return ((section, question) for section in definition.sections for question in section.questions)


def _compared_languages(instrument: Instrument, definition: Definition) -> list[str]:
    """Return the languages in which wording must match; unofficial translations only if nothing else can."""
    shared = [code for code in instrument.definition.languages if code in definition.languages]
    return [code for code in shared if code in instrument.official_languages] or shared


def _differences(
    instrument: Instrument,
    official: tuple[Section, Question],
    ours: tuple[Section, Question],
    languages: list[str],
) -> Iterator[WordingChange]:
    theirs, mine = official[1], ours[1]
    for part, before, after in (
        ("kind", theirs.kind.value, mine.kind.value),
        ("polarity", theirs.polarity, mine.polarity),
        ("points", [point.value for point in theirs.points], [point.value for point in mine.points]),
        ("ways_out", list(theirs.ways_out), list(mine.ways_out)),
        ("shown_if", _conditions(official), _conditions(ours)),
    ):
        if before != after:
            yield WordingChange(theirs.key, part, "", str(before), str(after))
    if not _choices_kept(instrument, theirs, mine):
        yield WordingChange(theirs.key, "choices", "", ", ".join(_choices(theirs)), ", ".join(_choices(mine)))
    for language in languages:
        yield from _words_changed(instrument, theirs, mine, language)


def _words_changed(
    instrument: Instrument, theirs: Question, mine: Question, language: str
) -> Iterator[WordingChange]:
    allowed = [theirs.text, *instrument.variants.get(theirs.key, ())]
    if _in(mine.text, language) not in {_in(text, language) for text in allowed}:
        yield WordingChange(
            theirs.key, "text", language, _in(theirs.text, language), _in(mine.text, language)
        )
    for part, before, after in (
        ("points", _labels(theirs.points, language), _labels(mine.points, language)),
        ("ways_out", _labels(theirs.ways_out.values(), language), _labels(mine.ways_out.values(), language)),
        ("choices", _labels(theirs.choices, language), _labels(mine.choices, language)),
    ):
        if before != after and not (part == "choices" and theirs.key in instrument.required_choices):
            yield WordingChange(theirs.key, part, language, " / ".join(before), " / ".join(after))


def _choices_kept(instrument: Instrument, theirs: Question, mine: Question) -> bool:
    required = instrument.required_choices.get(theirs.key)
    if required is None:
        return _choices(theirs) == _choices(mine)
    return set(required) <= set(_choices(mine)) <= set(_choices(theirs))


def _choices(question: Question) -> list[str]:
    return [choice.value for choice in question.choices]


def _conditions(placed: tuple[Section, Question]) -> list[object]:
    return [condition_json(c) for c in (placed[0].shown_if, placed[1].shown_if) if c is not None]


def _labels(items: Iterable[Point | Choice | Option], language: str) -> list[str]:
    return [_in(item.label, language) for item in items]


def _in(text: Text, language: str) -> str:
    return " ".join(text.get(language, "").split())
