"""The people of the demonstration: who answers when, what they think, how they say it. Pure, repeatable."""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from citizenvoice.surveys.definition import Definition, Kind, Question
from citizenvoice.surveys.routing import holds

HERE = Path(__file__).parent
DAYS_A_MONTH = 30
# What each role of an official question is about, in the words of the public-service codebook.
THEME_OF_ROLE = {
    "efficiency": "waiting_time",
    "ease": "forms_and_documents",
    "transparency": "information_clarity",
    "employee": "staff_attitude",
    "effectiveness": "outcome",
    "humanity": "fairness",
    "sqd1": "waiting_time",
    "sqd2": "information_clarity",
    "sqd3": "premises",
    "sqd4": "information_clarity",
    "sqd5": "fees",
    "sqd6": "fairness",
    "sqd7": "staff_attitude",
    "sqd8": "outcome",
}
DRIVER_OF_THEME = {
    "waiting_time": "efficiency",
    "forms_and_documents": "ease",
    "website_and_app": "ease",
    "information_clarity": "transparency",
    "staff_attitude": "employee",
    "outcome": "effectiveness",
    "fairness": "humanity",
}


@dataclass(frozen=True, slots=True)
class Person:
    """One person who answered: when, how, and every answer and text as it was given."""

    received_at: datetime
    channel: str
    language: str
    answers: Mapping[str, Any]
    texts: Mapping[str, str] = field(default_factory=dict)
    is_spam: bool = False
    sends_twice: bool = False
    is_again: bool = False  # the same person's second sending


def country() -> dict[str, Any]:
    """Return the agencies and services of the country."""
    facts: dict[str, Any] = json.loads((HERE / "country.json").read_text(encoding="utf-8"))
    return facts


def phrases() -> dict[str, Any]:
    """Return what people say, by theme, language and mood."""
    said: dict[str, Any] = json.loads((HERE / "phrases.json").read_text(encoding="utf-8"))
    return said


def people(
    service: Mapping[str, Any], definition: Definition, *, until: date, zone: str, seed: int
) -> Iterator[Person]:
    """Yield everybody who answered about one service in the months before ``until``, in order of time."""
    random = Random(f"{seed} {service['slug']}")  # noqa: S311 - a simulation, not a secret
    said = phrases()
    for day in _days(service, until=until, random=random):
        person = _person(service, definition, day=day, until=until, zone=zone, said=said, random=random)
        yield person
        if person.sends_twice:
            later = person.received_at + timedelta(seconds=random.randint(2, 40))
            yield replace(person, received_at=later, is_again=True)


def quality_on(service: Mapping[str, Any], day: date, until: date) -> float:
    """Return how good the service was on a day, in [0, 1]: it improves or declines as the country says."""
    quality: float = service["quality"]
    months_ago = (until - day).days / DAYS_A_MONTH
    change, decline = service.get("change"), service.get("decline")
    if change and months_ago <= change["months_ago"]:
        quality += change["gain"]
    if decline and months_ago <= decline["months_ago"]:
        quality -= decline["loss"] * (1 - months_ago / decline["months_ago"])
    busy = service["season"][day.month - 1]
    return float(quality - 0.04 * (busy - 1))


def _days(service: Mapping[str, Any], *, until: date, random: Random) -> list[date]:
    n_days = country()["months"] * DAYS_A_MONTH
    days = [until - timedelta(days=n_days - i) for i in range(n_days)]
    weights = [
        service["season"][day.month - 1] * (1.0, 1, 1, 1, 0.9, 0.4, 0.2)[day.weekday()] for day in days
    ]
    return sorted(random.choices(days, weights, k=service["n"]))


def _person(
    service: Mapping[str, Any],
    definition: Definition,
    *,
    day: date,
    until: date,
    zone: str,
    said: Mapping[str, Any],
    random: Random,
) -> Person:
    languages = [language for language in ("en", "es") if language in definition.languages]
    language = random.choices(languages, [0.45, 0.55][: len(languages)])[0]
    channels: dict[str, int] = service["channels"]
    channel = random.choices(list(channels), list(channels.values()))[0]
    digital_gain = 0.03 if channel in {"website", "mobile_app", "mobile"} else -0.02
    mood = _clamp(random.gauss(quality_on(service, day, until) + digital_gain, service["spread"]))
    is_spam = channel in {"website", "mobile_app"} and random.random() < 0.006
    themes = _themes(service, mood, day, until, random)
    return Person(
        received_at=datetime.combine(day, _time_of_day(random), ZoneInfo(zone)),
        channel=channel,
        language=language,
        answers=_answers(definition, service, mood, themes, random),
        texts=_texts(definition, mood, themes, language, said=said, is_spam=is_spam, random=random),
        is_spam=is_spam,
        sends_twice=not is_spam and channel == "website" and random.random() < 0.01,
    )


def _time_of_day(random: Random) -> time:
    seconds = int(_clamp(random.gauss(0.55, 0.16)) * 86_000)
    return time(seconds // 3600, seconds // 60 % 60, seconds % 60)


def _themes(
    service: Mapping[str, Any], mood: float, day: date, until: date, random: Random
) -> list[tuple[str, bool]]:
    """Return what this person would talk about: (theme, is it praise)."""
    weak, strong = list(service["weak"]), list(service["strong"])
    change = service.get("change")
    if change and (until - day).days / DAYS_A_MONTH <= change["months_ago"] and change["theme"] in weak:
        weak.remove(change["theme"])
        strong.append(change["theme"])
    n_themes = random.choices([1, 2, 3], [0.62, 0.3, 0.08])[0]
    chosen: list[tuple[str, bool]] = []
    for _ in range(n_themes):
        praise = random.random() < (mood - 0.5) * 2.6 + 0.5
        own = random.random() < 0.7
        pool = (strong if praise else weak) if own else [*DRIVER_OF_THEME, "gratitude", "opening_hours"]
        theme = "mixed" if 0.42 < mood < 0.56 and random.random() < 0.4 else random.choice(pool)
        if theme not in {name for name, _ in chosen}:
            chosen.append((theme, praise))
    return chosen


def _answers(
    definition: Definition,
    service: Mapping[str, Any],
    mood: float,
    themes: list[tuple[str, bool]],
    random: Random,
) -> dict[str, Any]:
    """Return what this person answers to the questions they are shown."""
    answers: dict[str, Any] = {}
    for question in definition.questions:
        if question.kind is not Kind.TEXT and (
            question.shown_if is None or holds(question.shown_if, answers)
        ):
            answer = _answer(question, service, mood, themes, random)
            if answer is not None:
                answers[question.key] = answer
    return answers


def _answer(
    question: Question,
    service: Mapping[str, Any],
    mood: float,
    themes: list[tuple[str, bool]],
    random: Random,
) -> Any:
    if question.kind is Kind.SCALE:
        return _scale_answer(question, service, mood, themes, random)
    if question.kind is Kind.SINGLE:
        offered = [choice.value for choice in question.choices if choice.offered]
        steep = 4 if (question.role or "").startswith("sdg_") else 1  # most who ask for a document got it
        weights = [1 / (1 + place) ** steep for place in range(len(offered))]
        return random.choices(offered, weights)[0] if question.required or random.random() < 0.8 else None
    if question.kind is Kind.MULTIPLE:
        praised = "good" in question.key or "well" in (question.role or "")
        wanted = {DRIVER_OF_THEME.get(theme, "other") for theme, praise in themes if praise == praised}
        found = [choice.value for choice in question.choices if choice.value in wanted]
        return found or None
    if question.minimum is None or question.maximum is None or random.random() < 0.4:
        return None
    return int(_clamp(random.gauss(0.35, 0.18)) * (question.maximum - question.minimum) + question.minimum)


def _scale_answer(
    question: Question,
    service: Mapping[str, Any],
    mood: float,
    themes: list[tuple[str, bool]],
    random: Random,
) -> int | str | None:
    chance = random.random()
    if question.dont_know and chance < 0.02:
        return "dk"
    if question.not_applicable and chance < (0.35 if question.role == "sqd5" else 0.05):
        return "na"
    if not question.required and chance > 0.94:
        return None
    theme = THEME_OF_ROLE.get(question.role or "")
    shift = -0.13 if theme in service["weak"] else 0.1 if theme in service["strong"] else 0.0
    shift += sum(0.12 if praise else -0.18 for name, praise in themes if name == theme)
    felt = _clamp(random.gauss(mood + shift, 0.12), 0.0, 0.999)
    best_last = sorted((point.value for point in question.points), reverse=question.polarity == "down")
    return best_last[math.floor(felt * len(best_last))]


def _texts(
    definition: Definition,
    mood: float,
    themes: list[tuple[str, bool]],
    language: str,
    *,
    said: Mapping[str, Any],
    is_spam: bool,
    random: Random,
) -> dict[str, str]:
    asked = [question for question in definition.questions if question.kind is Kind.TEXT]
    if is_spam and asked:
        return {asked[-1].key: random.choice(said["spam"])}
    speaks = 0.62 + 0.5 * abs(mood - 0.55)  # the angry and the delighted write more
    return {
        question.key: _say(themes, language, said=said, random=random)
        for place, question in enumerate(asked)
        if random.random() < (speaks if place == 0 else speaks / 3)
    }


def _say(themes: list[tuple[str, bool]], language: str, *, said: Mapping[str, Any], random: Random) -> str:
    sentences = [
        random.choice(said[theme][language]["good" if praise else "bad"]) for theme, praise in themes
    ]
    if random.random() < 0.015:
        sentences.append(random.choice(said["personal"][language]))
    text = " ".join(sentences).format(
        few=random.randint(2, 20),
        days=random.randint(2, 9),
        weeks=random.randint(3, 11),
        hours=random.randint(2, 5),
        window=random.randint(2, 14),
        phone=f"+1 202 456 {random.randint(1000, 9999)}",
        email=f"ana.ruiz{random.randint(1, 99)}@mail.example",
    )
    return _typed(text, random)


def _typed(text: str, random: Random) -> str:
    """Return the text the way people type it on a phone."""
    chance = random.random()
    if chance < 0.18:
        text = text.lower().rstrip(".")
    elif chance < 0.21:
        text = text.upper()
    if random.random() < 0.08 and len(text) > 12:
        place = random.randrange(4, len(text) - 4)
        text = text[:place] + text[place + 1] + text[place] + text[place + 2 :]
    return text


def _clamp(value: float, low: float = 0.0, high: float = 1.0) -> float:
    return min(max(value, low), high)
