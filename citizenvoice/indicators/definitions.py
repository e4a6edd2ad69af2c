"""The indicators a survey has, derived from its published versions alone: nobody writes code for one."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from citizenvoice.indicators.formulas import SENTIMENT_PARTS, Computed, Subject
from citizenvoice.indicators.methods import METHODS, SHARE, Method
from citizenvoice.stats.estimates import Polarity
from citizenvoice.surveys.answering import main_question
from citizenvoice.surveys.changes import series_digest
from citizenvoice.surveys.definition import Definition, Kind, Question, Section
from citizenvoice.surveys.reading import Text

CSM_ITEMS = tuple(f"sqd{number}" for number in range(1, 9))
SDG_ATTRIBUTES = ("sdg_access", "sdg_affordability", "sdg_process", "sdg_equality", "sdg_timeliness")
DRIVERS = ("drivers_positive", "drivers_negative")

# What stands for a service when nobody chose: the most telling first.
MAIN_ROLES = (
    *("overall", "satisfaction", "csat", "gds", "fft", "csm", "sqd0", "sdg_overall", "sdg"),
    *("trust", "recommend", "nps", "ces", "effort"),
)


@dataclass(frozen=True, slots=True)
class Version:
    """One published version of a survey."""

    id: int
    number: int
    definition: Definition


@dataclass(frozen=True, slots=True)
class ThemeName:
    """A theme that comments are read for."""

    id: int
    key: str
    name: str
    names: Mapping[str, str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class IndicatorDefinition:
    """One indicator: what it asks of which survey, by which method, over which versions it is comparable."""

    code: str
    survey_id: int
    survey_slug: str
    survey_name: str
    question: str | None
    part: str | None
    role: str | None
    method: Method
    subject: Subject = field(repr=False)
    polarity: Polarity
    is_directed: bool  # False: neither more nor less is better (a choice, a theme)
    scale: tuple[float, float]
    version_ids: tuple[int, ...]
    is_current: bool
    is_headline: bool
    words: Text = field(default_factory=dict, hash=False, repr=False)
    part_words: Text = field(default_factory=dict, hash=False, repr=False)
    definition: Definition = field(hash=False, compare=False, repr=False)

    @property
    def unit(self) -> str:
        """Return ``share``, ``mean`` or ``points``."""
        return self.method.unit

    @property
    def questions(self) -> tuple[str, ...]:
        """Return the keys of the questions the figure is computed from."""
        return tuple(self.subject.keys.values())

    @property
    def is_bounded(self) -> bool:
        """Whether a value can only lie on the scale; a number asked for without limits has no ends."""
        return self.method.id != "number_mean_v1" or self.subject.limits is not None

    def title(self, language: str) -> str:
        """Return the question's words, or nothing where there is more than one question or none."""
        return self.definition.say(self.words, language)

    def part_title(self, language: str) -> str:
        """Return the words of the choice or theme, or nothing."""
        return self.definition.say(self.part_words, language) if self.part_words else ""

    def compute(self, counts: Mapping[str, Any], minimum: int) -> Computed:
        """Work the figure out from counts of its versions."""
        return self.method.compute(self.subject, counts, minimum)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Draft:
    """An indicator of one version, before versions are joined into series."""

    place: str  # the middle of the code
    method: Method
    subject: Subject
    questions: tuple[tuple[Section, Question], ...] = ()
    question: str | None = None
    part: str | None = None
    role: str | None = None
    polarity: Polarity = Polarity.UP
    is_directed: bool = True
    is_headline: bool = False
    scale: tuple[float, float] = (0.0, 1.0)
    words: Text = field(default_factory=dict)
    part_words: Text = field(default_factory=dict)


def definitions_of(
    survey_id: int, slug: str, name: str, versions: Sequence[Version], themes: Sequence[ThemeName] = ()
) -> tuple[IndicatorDefinition, ...]:
    """Return every indicator of a survey: those of the newest version in its order, then those of old series.

    ``versions`` in order of their numbers. Versions whose question measures the same share a series; another
    wording, scale or condition starts a new one, with the version's number in its code.
    """
    if not versions:
        return ()
    series: dict[tuple[str, str], dict[str, list[tuple[Version, _Draft]]]] = {}
    for version in versions:
        for draft in _drafts(version.definition, themes):
            found = series.setdefault((draft.place, draft.method.id), {})
            found.setdefault(_digest(draft, version.definition), []).append((version, draft))
    newest = versions[-1].id
    facts = {"survey_id": survey_id, "survey_slug": slug, "survey_name": name}
    indicators = [
        _indicator(facts, members, newest, is_first=number == 0)
        for runs in series.values()
        for number, members in enumerate(runs.values())
    ]
    order = {_code_place(d): n for n, d in enumerate(_drafts(versions[-1].definition, themes))}
    last = len(order)
    indicators.sort(
        key=lambda i: (not i.is_current, order.get((i.code.split("/", 1)[1].split("@")[0]), last))
    )
    return tuple(indicators)


def main_rank(indicator: IndicatorDefinition) -> int:
    """Return how well an indicator stands for the whole service: the lower, the better."""
    roles = MAIN_ROLES
    return roles.index(indicator.role) if indicator.role in roles else len(roles)


def _code_place(draft: _Draft) -> str:
    return f"{draft.place}/{draft.method.id}"


def _indicator(
    facts: Mapping[str, Any], members: Sequence[tuple[Version, _Draft]], newest: int, *, is_first: bool
) -> IndicatorDefinition:
    version, draft = members[-1]
    suffix = "" if is_first else f"@{members[0][0].number}"
    return IndicatorDefinition(
        **facts,
        code=f"{facts['survey_slug']}/{_code_place(draft)}{suffix}",
        question=draft.question,
        part=draft.part,
        role=draft.role,
        method=draft.method,
        subject=draft.subject,
        polarity=draft.polarity,
        is_directed=draft.is_directed,
        scale=draft.scale,
        version_ids=tuple(member.id for member, _ in members),
        is_current=version.id == newest,
        is_headline=draft.is_headline,
        words=draft.words,
        part_words=draft.part_words,
        definition=version.definition,
    )


def _digest(draft: _Draft, definition: Definition) -> str:
    language = definition.default_language
    digests = [series_digest(question, language, section) for section, question in draft.questions]
    return hashlib.sha256(" ".join(digests).encode()).hexdigest()


def _drafts(definition: Definition, themes: Sequence[ThemeName]) -> list[_Draft]:
    asked = [
        (section, question)
        for section in definition.sections
        if not section.about_you
        for question in section.questions
    ]
    main = main_question(definition)
    found: list[_Draft] = []
    found.extend(_pooled(asked))
    for section, question in asked:
        found.extend(_of_question(section, question, is_main=main is not None and question.key == main.key))
    if any(question.kind is Kind.TEXT for _, question in asked):
        found.extend(_of_comments(themes))
    return found


def _of_question(section: Section, question: Question, *, is_main: bool) -> Iterator[_Draft]:
    common: dict[str, Any] = {
        "questions": ((section, question),),
        "question": question.key,
        "role": question.role,
        "words": question.text,
    }
    match question.kind:
        case Kind.SCALE:
            yield from _of_scale(question, common, is_main=is_main)
        case Kind.SINGLE:
            yield from _of_single(question, common)
        case Kind.MULTIPLE:
            yield from _of_multiple(question, common)
        case Kind.NUMBER:
            limits = _limits(question)
            yield _Draft(
                **common,
                place=question.key,
                method=METHODS["number_mean_v1"],
                subject=Subject(keys={"": question.key}, limits=limits),
                is_directed=False,
                scale=limits or (0.0, 1.0),
            )


def _limits(question: Question) -> tuple[float, float] | None:
    if question.minimum is None or question.maximum is None:
        return None
    return float(question.minimum), float(question.maximum)


def best_points(question: Question, n: int) -> tuple[int, ...]:
    """Return the ``n`` best points of a scale, whichever end is the good one."""
    points = sorted(point.value for point in question.points)
    return tuple(points[-n:] if question.polarity == "up" else points[:n])


def _methods_of_scale(question: Question) -> list[str]:
    """Return the methods a scale is reported by, its headline first."""
    n = len(question.points)
    values = {point.value for point in question.points}
    role = question.role or ""
    if n == 5 and values == {1, 2, 3, 4, 5}:
        special = {
            "gds": ["gds_weighted_v1", "gds_top2_v2", "mean_v1"],
            "fft": ["nhs_fft_positive_v1", "nhs_fft_negative_v1", "mean_v1"],
            **{item: ["csm_item_v1", "mean_v1"] for item in ("sqd0", *CSM_ITEMS)},
        }
        if role in special:
            return special[role]
    rules = (
        (role in {"nps", "recommend"} and values == set(range(11)), ["nps_v1", "top2_v1", "mean_v1"]),
        (role in {"ces", "effort"} and values == set(range(1, 8)), ["ces_mean_v1", "ces_share_v1"]),
        (role in SDG_ATTRIBUTES and n == 4, ["sdg_16_6_2_attribute_v1"]),
        (role == "sdg_overall" and n == 4, ["sdg_16_6_2_satisfied_v1"]),
        (n >= 4, ["top2_v1", "mean_v1"]),
        (n == 2, ["share_v1"]),
    )
    return next((methods for applies, methods in rules if applies), ["share_v1", "mean_v1"])


def _of_scale(question: Question, common: Mapping[str, Any], *, is_main: bool) -> Iterator[_Draft]:
    points = tuple(sorted(point.value for point in question.points))
    polarity = Polarity(question.polarity)
    details = {*CSM_ITEMS, *SDG_ATTRIBUTES}
    for number, method_id in enumerate(_methods_of_scale(question)):
        method = METHODS[method_id]
        is_share = method.unit == SHARE
        negative = method_id == "nhs_fft_negative_v1"
        direction = Polarity.UP if is_share or method.unit == "points" else polarity
        yield _Draft(
            **common,
            place=question.key,
            method=method,
            subject=Subject(
                keys={question.role or question.key: question.key},
                points=points,
                positive=_positive_points(question, method_id),
                polarity=polarity,
            ),
            polarity=Polarity.DOWN if negative else direction,
            is_headline=number == 0 and (is_main or question.role not in details),
            scale=_scale_of(method, points),
        )


def _scale_of(method: Method, points: tuple[int, ...]) -> tuple[float, float]:
    if method.unit == SHARE:
        return 0.0, 1.0
    return (-1.0, 1.0) if method.unit == "points" else (float(points[0]), float(points[-1]))


def _positive_points(question: Question, method_id: str) -> tuple[int, ...]:
    points = {point.value for point in question.points}
    if method_id == "share_v1":
        return best_points(question, 1)
    if method_id == "ces_share_v1":
        return best_points(question, 3)
    if method_id == "nhs_fft_negative_v1":
        return tuple(sorted(points - set(best_points(question, len(points) - 2))))
    return best_points(question, 2)


def _of_single(question: Question, common: Mapping[str, Any]) -> Iterator[_Draft]:
    offered = tuple(choice.value for choice in question.choices if choice.offered)
    if question.role == "csm_cc1" and set(offered) == {"1", "2", "3", "4"}:
        yield _Draft(
            **common,
            place=question.key,
            method=METHODS["csm_awareness_v1"],
            subject=Subject(keys={"": question.key}, part="1,2,3", parts=offered),
            is_headline=True,
        )
    for choice in question.choices:
        if choice.offered:
            yield _Draft(
                **common,
                place=f"{question.key}.{choice.value}",
                method=METHODS["choice_share_v1"],
                subject=Subject(keys={"": question.key}, part=choice.value, parts=offered),
                part=choice.value,
                is_directed=False,
                part_words=choice.label,
            )


def _of_multiple(question: Question, common: Mapping[str, Any]) -> Iterator[_Draft]:
    is_driver = question.role in DRIVERS
    for choice in question.choices:
        if choice.offered:
            yield _Draft(
                **common,
                place=f"{question.key}.{choice.value}",
                method=METHODS["driver_share_v1" if is_driver else "multiple_share_v1"],
                subject=Subject(keys={"": question.key}, part=choice.value),
                part=choice.value,
                polarity=Polarity.DOWN if question.role == "drivers_negative" else Polarity.UP,
                is_directed=is_driver,
                part_words=choice.label,
            )


def _pooled(asked: Sequence[tuple[Section, Question]]) -> Iterator[_Draft]:
    """Yield the figures that official instruments compute over several questions."""
    by_role = {question.role: (section, question) for section, question in asked if question.role}
    csm = [by_role[role] for role in CSM_ITEMS if role in by_role]
    if len(csm) == len(CSM_ITEMS):
        yield _pool("csm", "csm_overall_sqd1_8_v1", csm)
    sdg = [by_role[role] for role in SDG_ATTRIBUTES if role in by_role]
    if len(sdg) == len(SDG_ATTRIBUTES):
        yield _pool("sdg", "sdg_16_6_2_average_v1", sdg)


def _pool(role: str, method_id: str, questions: Sequence[tuple[Section, Question]]) -> _Draft:
    first = questions[0][1]
    return _Draft(
        place=role,
        role=role,
        method=METHODS[method_id],
        subject=Subject(
            keys={question.role or "": question.key for _, question in questions},
            points=tuple(sorted(point.value for point in first.points)),
            positive=best_points(first, 2),
        ),
        questions=tuple(questions),
        is_headline=True,
    )


def _of_comments(themes: Sequence[ThemeName]) -> Iterator[_Draft]:
    for part in SENTIMENT_PARTS:
        yield _Draft(
            place=f"comments.{part}",
            method=METHODS["sentiment_share_v1"],
            subject=Subject(keys={}, part=part),
            part=part,
            polarity=Polarity.DOWN if "negative" in part else Polarity.UP,
            is_directed=part != "neutral",
        )
    for theme in themes:
        yield _Draft(
            place=f"theme.{theme.key}",
            method=METHODS["theme_share_v1"],
            subject=Subject(keys={}, part=str(theme.id)),
            part=theme.key,
            is_directed=False,
            part_words=theme.names or {"en": theme.name},
        )
