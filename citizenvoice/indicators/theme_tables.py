"""What comments are about, how people feel in them, and what that does to the main rating."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from citizenvoice.indicators import cells
from citizenvoice.indicators.formulas import rescaled, share_of
from citizenvoice.indicators.pooling import EVERYBODY, Slice, pool_counts
from citizenvoice.indicators.service_indicators import LEAST_MINIMUM, ServiceIndicators
from citizenvoice.stats.estimates import Estimate, Moments, NotEnough, Polarity
from citizenvoice.stats.means import mean_of_moments
from citizenvoice.surveys.answering import main_question
from citizenvoice.surveys.definition import Question


@dataclass(frozen=True, slots=True, kw_only=True)
class ThemeRow:
    """One theme: how often, how people feel in it, and how they rate the service with and without it.

    Scores run from 0 (worst) to 1 (best). ``contribution`` is the mean of all less the mean of those without
    the theme: what the service's score gains (or loses, below 0) by the responses that name it.
    """

    theme_id: int
    key: str
    name: str
    names: Mapping[str, str]
    n: int
    share: Estimate | NotEnough
    sentiment: tuple[int, int, int, int, int]
    negative: Estimate | NotEnough
    score_with: Estimate | NotEnough
    score_without: Estimate | NotEnough
    contribution: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ThemeTable:
    """What comments are about: a row a theme, the most frequent first."""

    rows: tuple[ThemeRow, ...]
    n_comments: int
    n_read: int
    n_unread: int
    n_failed: int
    sentiment: tuple[int, int, int, int, int]
    score: Estimate | NotEnough  # of the responses with a comment that was read, 0..1


def theme_table(
    found: ServiceIndicators,
    start: date,
    end: date,
    part: Slice = EVERYBODY,
    survey_id: int | None = None,
) -> ThemeTable:
    """Return what comments are about, how people feel in them and what that does to the main rating."""
    pools = pool_counts([found.service_id], [(start, end)], part, branches=("c", "t")).get(
        (found.service_id, 0), {}
    )
    counts: dict[str, Any] = {}
    everyone = Moments(0, 0, 0)
    by_theme: dict[str, Moments] = {}
    for survey in found.surveys:
        for version in survey.versions if survey_id in {None, survey.id} else ():
            if (pool := pools.get(version.id)) is None:
                continue
            said: dict[str, Any] = {name: pool.counts[name] for name in ("c", "t") if name in pool.counts}
            cells.add_counts(counts, said)
            if (main := main_question(version.definition)) is not None:
                everyone += _main_moments(main, said.get("c", {}))
                for key, theme in said.get("t", {}).items():
                    by_theme[key] = by_theme.get(key, Moments(0, 0, 0)) + _main_moments(main, theme)
    comments = counts.get("c", {})
    rows = [
        _theme_row(found, key, theme, comments.get("read", 0), everyone, by_theme.get(key, Moments(0, 0, 0)))
        for key, theme in counts.get("t", {}).items()
        if int(key) in found.themes
    ]
    return ThemeTable(
        rows=tuple(sorted(rows, key=lambda row: (-row.n, row.key))),
        n_comments=comments.get("n", 0),
        n_read=comments.get("read", 0),
        n_unread=comments.get("unread", 0),
        n_failed=comments.get("failed", 0),
        sentiment=_five(comments),
        score=_mean_score(everyone, _minimum(found)),
    )


def _minimum(found: ServiceIndicators) -> int:
    return max(LEAST_MINIMUM, found.default_minimum)


def _five(counts: Mapping[str, Any]) -> tuple[int, int, int, int, int]:
    values = counts.get("s", {})
    return values.get("1", 0), values.get("2", 0), values.get("3", 0), values.get("4", 0), values.get("5", 0)


def _main_moments(main: Question, counts: Mapping[str, Any]) -> Moments:
    """Return the moments of the main rating from the worst (0) to the best (1)."""
    stored = counts.get("main", {})
    points = [point.value for point in main.points]
    moments = Moments(stored.get("n", 0), stored.get("sum", 0), stored.get("squares", 0))
    return rescaled(moments, min(points), max(points), Polarity(main.polarity))


def _mean_score(moments: Moments, minimum: int) -> Estimate | NotEnough:
    if moments.n < minimum:
        return NotEnough(moments.n, minimum)
    mean = min(1.0, max(0.0, moments.mean))  # what rounding leaves outside the scale
    return mean_of_moments(Moments(moments.n, mean * moments.n, moments.squares), scale=(0.0, 1.0))


def _theme_row(
    found: ServiceIndicators,
    key: str,
    counts: Mapping[str, Any],
    n_read: int,
    everyone: Moments,
    with_theme: Moments,
) -> ThemeRow:
    theme, minimum = found.themes[int(key)], _minimum(found)
    without = Moments(
        everyone.n - with_theme.n, everyone.total - with_theme.total, everyone.squares - with_theme.squares
    )
    sentiment = _five(counts)
    enough = min(with_theme.n, without.n) >= minimum
    return ThemeRow(
        theme_id=theme.id,
        key=theme.key,
        name=theme.name,
        names=theme.names,
        n=counts.get("n", 0),
        share=share_of(counts.get("n", 0), n_read, minimum).result,
        sentiment=sentiment,
        negative=share_of(sentiment[0] + sentiment[1], sum(sentiment), minimum).result,
        score_with=_mean_score(with_theme, minimum),
        score_without=_mean_score(without, minimum),
        contribution=everyone.mean - without.mean if enough else None,
    )
