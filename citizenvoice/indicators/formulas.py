"""What the methods compute, from stored counts to an estimate, and how two of their figures are compared."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from citizenvoice.stats import client_satisfaction, scores, sdg_indicator
from citizenvoice.stats.comparisons import (
    NOT_ENOUGH,
    Change,
    change_of_mean,
    change_of_net_score,
    change_of_proportion,
)
from citizenvoice.stats.estimates import Estimate, Moments, NotEnough, Polarity, wilson_proportion
from citizenvoice.stats.means import mean_of_counts, mean_of_moments
from citizenvoice.stats.scores import Tally

SENTIMENT_PARTS: Mapping[str, tuple[int, ...]] = {
    "negative": (1, 2),
    "neutral": (3,),
    "positive": (4, 5),
    "very_negative": (1,),
    "rather_negative": (2,),
    "rather_positive": (4,),
    "very_positive": (5,),
}


@dataclass(frozen=True, slots=True)
class ShareOf:
    """A share known by its counts, for tests of change."""

    successes: int
    n: int


@dataclass(frozen=True, slots=True)
class NetOf:
    """A net score known by its counts, for tests of change."""

    positive: int
    neutral: int
    negative: int


@dataclass(frozen=True, slots=True)
class MeanOf:
    """A mean known by its moments, in units of the figure, for tests of change."""

    moments: Moments


Measure = ShareOf | NetOf | MeanOf


@dataclass(frozen=True, slots=True)
class Computed:
    """A figure and what a test of change needs to know of it."""

    result: Estimate | NotEnough
    measure: Measure
    band: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a method is applied to: questions by their role or key, their points, and one part of them."""

    keys: Mapping[str, str]  # role or key in the method -> key of the question
    points: tuple[int, ...] = ()
    positive: tuple[int, ...] = ()
    polarity: Polarity = Polarity.UP
    part: str = ""
    parts: tuple[str, ...] = ()
    limits: tuple[float, float] | None = None

    @property
    def key(self) -> str:
        """Return the key of the only question."""
        return next(iter(self.keys.values()))


Compute = Callable[[Subject, Mapping[str, Any], int], Computed]


def tally(counts: Mapping[str, Any], key: str, points: tuple[int, ...]) -> Tally:
    """Return how often each point of a question was chosen; refusals are among what does not apply."""
    values = counts.get("q", {}).get(key, {}).get("v", {})
    return Tally(
        {point: values.get(str(point), 0) for point in points},
        not_applicable=values.get("na", 0) + values.get("ra", 0),
        dont_know=values.get("dk", 0),
    )


def compare(earlier: Measure, later: Measure, polarity: Polarity, minimum: int) -> Change:
    """Test whether the later figure differs from the earlier one."""
    match earlier, later:
        case ShareOf(), ShareOf():
            return change_of_proportion(
                (earlier.successes, earlier.n),
                (later.successes, later.n),
                polarity=polarity,
                minimum=minimum,
            )
        case NetOf(), NetOf():
            before = (earlier.positive, earlier.neutral, earlier.negative)
            after = (later.positive, later.neutral, later.negative)
            return change_of_net_score(before, after, polarity=polarity, minimum=minimum)
        case MeanOf(), MeanOf():
            return change_of_mean(earlier.moments, later.moments, polarity=polarity, minimum=minimum)
    return NOT_ENOUGH


def share_of(successes: int, n: int, minimum: int) -> Computed:
    """Return a share, if there are enough answers."""
    enough = n >= max(1, minimum)
    result = wilson_proportion(successes, n) if enough else NotEnough(n, max(1, minimum))
    return Computed(result, ShareOf(successes, n))


def positive_share(subject: Subject, counts: Mapping[str, Any], minimum: int) -> Computed:
    """Work out the share of the positive points among the answers on the scale."""
    found = tally(counts, subject.key, subject.points)
    return share_of(found.among(subject.positive), found.n_rated, minimum)


def mean_rating(subject: Subject, counts: Mapping[str, Any], minimum: int) -> Computed:
    """Work out the mean of the answers on the scale."""
    found = tally(counts, subject.key, subject.points)
    measure = MeanOf(Moments.of_counts(found.counts))
    if found.n_rated < max(1, minimum):
        return Computed(NotEnough(found.n_rated, max(1, minimum)), measure)
    scale = (min(subject.points), max(subject.points))
    return Computed(mean_of_counts(found.counts, scale=scale), measure)


def mean_number(subject: Subject, counts: Mapping[str, Any], minimum: int) -> Computed:
    """Work out the mean of numbers."""
    found = counts.get("q", {}).get(subject.key, {})
    moments = Moments(found.get("n", 0), found.get("sum", 0), found.get("squares", 0))
    if moments.n < max(2, minimum):
        return Computed(NotEnough(moments.n, max(2, minimum)), MeanOf(moments))
    return Computed(mean_of_moments(moments, scale=subject.limits), MeanOf(moments))


def gds_weighted(subject: Subject, counts: Mapping[str, Any], minimum: int) -> Computed:
    """Work out the weighted user satisfaction of GDS."""
    found = tally(counts, subject.key, subject.points)
    score = scores.gds_weighted_v1(found, polarity=subject.polarity, minimum=minimum)
    low, high = min(subject.points), max(subject.points)
    return Computed(
        score.result, MeanOf(rescaled(Moments.of_counts(found.counts), low, high, subject.polarity))
    )


def rescaled(moments: Moments, low: float, high: float, polarity: Polarity) -> Moments:
    """Return the moments of the ratings put on a scale from the worst (0) to the best (1)."""
    origin, width = (low, high - low) if polarity == Polarity.UP else (high, low - high)
    total = (moments.total - moments.n * origin) / width
    squares = (moments.squares - 2 * origin * moments.total + moments.n * origin**2) / width**2
    return Moments(moments.n, total, squares)


def fft_share(subject: Subject, counts: Mapping[str, Any], minimum: int) -> Computed:
    """Work out a share of all answers, *don’t know* included."""
    found = tally(counts, subject.key, subject.points)
    return share_of(found.among(subject.positive), found.n_rated + found.dont_know, minimum)


def nps(subject: Subject, counts: Mapping[str, Any], minimum: int) -> Computed:
    """Work out the net promoter score."""
    found = tally(counts, subject.key, subject.points)
    measure = NetOf(found.among((9, 10)), found.among((7, 8)), found.among(range(7)))
    return Computed(scores.nps(found, minimum=minimum).result, measure)


def csm_overall(subject: Subject, counts: Mapping[str, Any], minimum: int) -> Computed:
    """Work out client satisfaction over SQD1 to SQD8."""
    items = {role: tally(counts, key, subject.points) for role, key in subject.keys.items()}
    score = client_satisfaction.csm_overall(items, minimum=minimum)
    # As the interval: one answer a person, however many dimensions they rated.
    n = max((item.n_rated for item in items.values()), default=0)
    value = score.result.value if isinstance(score.result, Estimate) else 0.0
    return _with_band(Computed(score.result, ShareOf(round(value * n), n)))


def csm_item(subject: Subject, counts: Mapping[str, Any], minimum: int) -> Computed:
    """Work out client satisfaction in one dimension."""
    return _with_band(positive_share(subject, counts, minimum))


def _with_band(computed: Computed) -> Computed:
    if not isinstance(computed.result, Estimate):
        return computed
    return Computed(
        computed.result, computed.measure, client_satisfaction.csm_band(computed.result.value).value
    )


def sdg_average(subject: Subject, counts: Mapping[str, Any], minimum: int) -> Computed:
    """Work out the average of the attributes of SDG 16.6.2."""
    attributes = {role: tally(counts, key, subject.points) for role, key in subject.keys.items()}
    average = sdg_indicator.sdg_16_6_2(
        attributes, Tally(), positive=subject.positive, minimum=minimum
    ).average.result
    n = min(item.n_rated for item in attributes.values())
    value = average.value if isinstance(average, Estimate) else 0.0
    return Computed(average, ShareOf(round(value * n), n))


def choice_share(subject: Subject, counts: Mapping[str, Any], minimum: int) -> Computed:
    """Work out the share of one answer, or of several, among the answers to a question."""
    values = counts.get("q", {}).get(subject.key, {}).get("v", {})
    chosen = sum(values.get(part, 0) for part in subject.part.split(","))
    return share_of(chosen, sum(values.get(part, 0) for part in subject.parts), minimum)


def chosen_of_offered(subject: Subject, counts: Mapping[str, Any], minimum: int) -> Computed:
    """Work out the share of those who chose an answer among those it was offered to."""
    found = counts.get("q", {}).get(subject.key, {})
    return share_of(found.get("v", {}).get(subject.part, 0), found.get("asked", 0), minimum)


def sentiment_share(subject: Subject, counts: Mapping[str, Any], minimum: int) -> Computed:
    """Work out the share of comments of a sentiment."""
    values = counts.get("c", {}).get("s", {})
    chosen = sum(values.get(str(value), 0) for value in SENTIMENT_PARTS[subject.part])
    return share_of(chosen, sum(values.values()), minimum)


def theme_share(subject: Subject, counts: Mapping[str, Any], minimum: int) -> Computed:
    """Work out the share of comments with a theme."""
    n = counts.get("t", {}).get(subject.part, {}).get("n", 0)
    return share_of(n, counts.get("c", {}).get("read", 0), minimum)
