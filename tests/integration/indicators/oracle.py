"""The counts as they must be, worked out response by response in the plainest way there is."""

from collections import defaultdict
from itertools import combinations
from typing import Any

from sqlalchemy import select

from citizenvoice.analysis.models import Annotation, PredictedTheme, Prediction
from citizenvoice.db import db
from citizenvoice.feedback.models import Comment, Receipt
from citizenvoice.indicators.models import Count
from citizenvoice.surveys import routing
from citizenvoice.surveys.definition import Definition, Kind
from citizenvoice.surveys.models import Response, SurveyVersion
from citizenvoice.surveys.parsing import parse_definition

Key = tuple[Any, ...]


def stored() -> dict[Key, Any]:
    """Return the counts in the database, by cell."""
    db.session.expire_all()
    found = {}
    for row in db.session.scalars(select(Count).order_by(Count.id)):
        cell = (row.service_id, row.version_id, row.grain, row.start, row.channel, row.language)
        found[*cell, row.segment, row.segment_value] = {
            "n": row.n_responses,
            "counts": row.counts,
            "pairs": plain_pairs(row.pairs),
        }
    return found


def plain_pairs(pairs: dict[str, Any]) -> dict[str, list[int]]:
    if not pairs:
        return {}
    names = [f"{a}-{b}" for a, b in combinations(pairs["k"], 2)]
    found = {name: pairs["m"][6 * n : 6 * n + 6] for n, name in enumerate(names)}
    return {name: sums for name, sums in found.items() if sums[0]}


def expected() -> dict[Key, Any]:
    """Return the counts as they should be."""
    db.session.expire_all()
    found: dict[Key, Any] = {}
    rows = select(Receipt, Response).join(Response, Response.id == Receipt.id)
    for receipt, response in db.session.execute(rows):
        version = db.session.get_one(SurveyVersion, response.version_id)
        definition = parse_definition(version.definition)
        facts = facts_of(receipt, response, definition)
        for cell in cells_of(receipt, response):
            everybody = cell[-2] == ""
            key = (receipt.service_id, version.id, *cell)
            row = found.setdefault(key, {"n": 0, "counts": defaultdict(float), "pairs": {}})
            row["n"] += receipt.exclusion is None
            for path, weight in facts:
                row["counts"][path] += weight
            if everybody and receipt.exclusion is None:
                add_pairs(row["pairs"], response.answers, definition)
    for row in found.values():
        row["counts"] = nested(row["counts"])
    return found


def cells_of(receipt: Receipt, response: Response) -> list[Key]:
    month = receipt.day.replace(day=1)
    people = [("", "")]
    for segment, value in response.segments.items():
        people += [(segment, one) for one in (value if isinstance(value, list) else [value])]
    where = (receipt.channel, receipt.language)
    found: list[Key] = [("month", month, "", "", "", "")]
    for who in people:
        found += [("day", receipt.day, *where, *who), ("month", month, *where, *who)]
    return found


def facts_of(  # noqa: C901, PLR0912 - plain on purpose
    receipt: Receipt, response: Response, definition: Definition
) -> list[tuple[Key, float]]:
    if receipt.exclusion is not None:
        return [(("x", receipt.exclusion), 1)]
    facts: list[tuple[Key, float]] = []
    asked = routing.asked(definition, response.answers, response.n_sections)
    for section in definition.sections:
        for question in section.questions if not section.about_you else ():
            if question.kind is Kind.TEXT:
                continue
            key, answer = question.key, response.answers.get(question.key)
            is_asked = asked[key] is routing.Asked.OFFERED
            if is_asked:
                facts.append((("q", key, "asked"), 1))
            if answer is None and is_asked:
                facts.append((("q", key, "blank"), 1))
            elif question.kind is Kind.NUMBER and answer is not None:
                facts += [
                    (("q", key, "n"), 1),
                    (("q", key, "sum"), answer),
                    (("q", key, "squares"), answer**2),
                ]
            elif isinstance(answer, list):
                facts.append((("q", key, "answered"), 1))
                facts += [(("q", key, "v", one), 1) for one in answer]
            elif answer is not None:
                facts.append((("q", key, "v", str(answer)), 1))
    return facts + comment_facts(response)


def comment_facts(response: Response) -> list[tuple[Key, float]]:
    facts: list[tuple[Key, float]] = []
    rating = response.answers.get("overall")
    mains: set[str] = set()
    for comment in db.session.scalars(select(Comment).where(Comment.receipt_id == response.id)):
        facts += [(("c", "n"), 1)]
        state = {"pending": "unread", "done": "read", "failed": "failed"}[comment.reading]
        facts += [(("c", state), 1)]
        sentiment, themes = reading(comment.id)
        if sentiment:
            facts += [(("c", "s", str(sentiment)), 1)]
        mains |= {"c"} if state == "read" else set()
        for theme in themes:
            facts += [(("t", str(theme), "n"), 1)]
            facts += [(("t", str(theme), "s", str(sentiment)), 1)] if sentiment else []
            mains.add(str(theme))
    for name in mains:
        place: Key = ("c",) if name == "c" else ("t", name)
        facts += [((*place, "r"), 1)] if name != "c" else []
        if isinstance(rating, int):
            facts += [((*place, "main", "n"), 1), ((*place, "main", "sum"), rating)]
            facts += [((*place, "main", "squares"), rating**2)]
    return facts


def reading(comment_id: int) -> tuple[int | None, list[int]]:
    prediction = db.session.get(Prediction, comment_id)
    said = db.session.scalar(
        select(Annotation).where(Annotation.comment_id == comment_id, Annotation.superseded_at.is_(None))
    )
    predicted = db.session.scalars(
        select(PredictedTheme.theme_id).where(PredictedTheme.comment_id == comment_id)
    )
    themes = [theme.id for theme in said.themes] if said and said.has_themes else list(predicted)
    sentiment = prediction.sentiment if prediction else None
    if said and said.sentiment is not None:
        sentiment = said.sentiment
    return sentiment, themes


def add_pairs(pairs: dict[str, list[int]], answers: dict[str, Any], definition: Definition) -> None:
    scales = [
        question.key
        for section in definition.sections
        if not section.about_you
        for question in section.questions
        if question.kind is Kind.SCALE
    ]
    for one, other in combinations(scales, 2):
        a, b = answers.get(one), answers.get(other)
        if isinstance(a, int) and isinstance(b, int):
            sums = pairs.setdefault(f"{one}-{other}", [0] * 6)
            for place, value in enumerate((1, a, b, a * a, b * b, a * b)):
                sums[place] += value


def nested(counts: dict[Key, float]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for path, n in counts.items():
        if not n:
            continue  # zeros are not stored
        node = found
        for name in path[:-1]:
            node = node.setdefault(name, {})
        node[path[-1]] = n
    return found
