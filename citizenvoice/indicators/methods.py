"""The formulas figures are computed by: each with its name, version, words and reference."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from citizenvoice.errors import N_
from citizenvoice.stats import scores
from citizenvoice.stats.comparisons import (
    NOT_ENOUGH,
    Change,
    change_of_mean,
    change_of_net_score,
    change_of_proportion,
)
from citizenvoice.stats.estimates import (
    Estimate,
    Moments,
    NotEnough,
    Polarity,
    mean_of_counts,
    mean_of_moments,
    wilson_proportion,
)
from citizenvoice.stats.scores import Tally

SHARE, MEAN, POINTS = "share", "mean", "points"
SENTIMENT_PARTS: Mapping[str, tuple[int, ...]] = {
    "negative": (1, 2),
    "neutral": (3,),
    "positive": (4, 5),
    "very_negative": (1,),
    "rather_negative": (2,),
    "rather_positive": (4,),
    "very_positive": (5,),
}
SENTIMENT_NAMES = {
    "negative": N_("Negative"),
    "neutral": N_("Neutral or mixed"),
    "positive": N_("Positive"),
    "very_negative": N_("Very negative"),
    "rather_negative": N_("Rather negative"),
    "rather_positive": N_("Rather positive"),
    "very_positive": N_("Very positive"),
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """One formula: its id names it for ever; another formula is another method and starts another series."""

    id: str
    version: str
    name: str
    formula: str
    numerator: str
    denominator: str
    exclusions: str
    reference: str
    unit: str
    compute: Compute


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


def _positive(subject: Subject, counts: Mapping[str, Any], minimum: int) -> Computed:
    found = tally(counts, subject.key, subject.points)
    return share_of(found.among(subject.positive), found.n_rated, minimum)


def _mean(subject: Subject, counts: Mapping[str, Any], minimum: int) -> Computed:
    found = tally(counts, subject.key, subject.points)
    measure = MeanOf(Moments.of_counts(found.counts))
    if found.n_rated < max(1, minimum):
        return Computed(NotEnough(found.n_rated, max(1, minimum)), measure)
    scale = (min(subject.points), max(subject.points))
    return Computed(mean_of_counts(found.counts, scale=scale), measure)


def _number(subject: Subject, counts: Mapping[str, Any], minimum: int) -> Computed:
    found = counts.get("q", {}).get(subject.key, {})
    moments = Moments(found.get("n", 0), found.get("sum", 0), found.get("squares", 0))
    if moments.n < max(2, minimum):
        return Computed(NotEnough(moments.n, max(2, minimum)), MeanOf(moments))
    return Computed(mean_of_moments(moments, scale=subject.limits), MeanOf(moments))


def _gds_weighted(subject: Subject, counts: Mapping[str, Any], minimum: int) -> Computed:
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


def _fft(subject: Subject, counts: Mapping[str, Any], minimum: int) -> Computed:
    found = tally(counts, subject.key, subject.points)
    return share_of(found.among(subject.positive), found.n_rated + found.dont_know, minimum)


def _nps(subject: Subject, counts: Mapping[str, Any], minimum: int) -> Computed:
    found = tally(counts, subject.key, subject.points)
    measure = NetOf(found.among((9, 10)), found.among((7, 8)), found.among(range(7)))
    return Computed(scores.nps(found, minimum=minimum).result, measure)


def _csm_overall(subject: Subject, counts: Mapping[str, Any], minimum: int) -> Computed:
    items = {role: tally(counts, key, subject.points) for role, key in subject.keys.items()}
    score = scores.csm_overall(items, minimum=minimum)
    # As the interval: one answer a person, however many dimensions they rated.
    n = max((item.n_rated for item in items.values()), default=0)
    value = score.result.value if isinstance(score.result, Estimate) else 0.0
    return _with_band(Computed(score.result, ShareOf(round(value * n), n)))


def _csm_item(subject: Subject, counts: Mapping[str, Any], minimum: int) -> Computed:
    return _with_band(_positive(subject, counts, minimum))


def _with_band(computed: Computed) -> Computed:
    if not isinstance(computed.result, Estimate):
        return computed
    return Computed(computed.result, computed.measure, scores.csm_band(computed.result.value).value)


def _sdg_average(subject: Subject, counts: Mapping[str, Any], minimum: int) -> Computed:
    attributes = {role: tally(counts, key, subject.points) for role, key in subject.keys.items()}
    average = scores.sdg_16_6_2(
        attributes, Tally(), positive=subject.positive, minimum=minimum
    ).average.result
    n = min(item.n_rated for item in attributes.values())
    value = average.value if isinstance(average, Estimate) else 0.0
    return Computed(average, ShareOf(round(value * n), n))


def _choice(subject: Subject, counts: Mapping[str, Any], minimum: int) -> Computed:
    values = counts.get("q", {}).get(subject.key, {}).get("v", {})
    chosen = sum(values.get(part, 0) for part in subject.part.split(","))
    return share_of(chosen, sum(values.get(part, 0) for part in subject.parts), minimum)


def _chosen_of_offered(subject: Subject, counts: Mapping[str, Any], minimum: int) -> Computed:
    found = counts.get("q", {}).get(subject.key, {})
    return share_of(found.get("v", {}).get(subject.part, 0), found.get("asked", 0), minimum)


def _sentiment(subject: Subject, counts: Mapping[str, Any], minimum: int) -> Computed:
    values = counts.get("c", {}).get("s", {})
    chosen = sum(values.get(str(value), 0) for value in SENTIMENT_PARTS[subject.part])
    return share_of(chosen, sum(values.values()), minimum)


def _theme(subject: Subject, counts: Mapping[str, Any], minimum: int) -> Computed:
    n = counts.get("t", {}).get(subject.part, {}).get("n", 0)
    return share_of(n, counts.get("c", {}).get("read", 0), minimum)


_LEFT_OUT = N_("“Does not apply”, “don’t know” and unanswered are left out and counted beside the figure.")
_RATED = N_("Answers on the scale")
_A11 = "OMB Circular A-11, section 280"
_CSM = "ARTA Memorandum Circular 2022-05"
_SDG = "UN SDG indicator metadata 16.6.2 (2021-04-19)"

METHODS: dict[str, Method] = {
    method.id: method
    for method in (
        Method(
            id="mean_v1",
            version="1",
            name=N_("Mean"),
            formula=N_("Sum of the ratings ÷ number of ratings; interval by Student’s t."),
            numerator=N_("Sum of the ratings"),
            denominator=_RATED,
            exclusions=_LEFT_OUT,
            reference="Student (1908), Biometrika 6(1), 1-25",
            unit=MEAN,
            compute=_mean,
        ),
        Method(
            id="top2_v1",
            version="1",
            name=N_("Share of the two best answers"),
            formula=N_("Answers in the two best points ÷ answers on the scale; Wilson interval."),
            numerator=N_("Answers in the two best points"),
            denominator=_RATED,
            exclusions=_LEFT_OUT,
            reference="Wilson (1927), JASA 22(158), 209-212",
            unit=SHARE,
            compute=_positive,
        ),
        Method(
            id="share_v1",
            version="1",
            name=N_("Share of the best answer"),
            formula=N_("Answers in the best point ÷ answers on the scale; Wilson interval."),
            numerator=N_("Answers in the best point"),
            denominator=_RATED,
            exclusions=_LEFT_OUT,
            reference="Wilson (1927), JASA 22(158), 209-212",
            unit=SHARE,
            compute=_positive,
        ),
        Method(
            id="gds_weighted_v1",
            version="1",
            name=N_("User satisfaction (GDS, weighted)"),
            formula=N_("Mean of the answers weighted 0, 25, 50, 75 and 100 %; interval by Student’s t."),
            numerator=N_("Sum of the weights"),
            denominator=_RATED,
            exclusions=_LEFT_OUT,
            reference="alphagov/spotlight, user-satisfaction.js",
            unit=SHARE,
            compute=_gds_weighted,
        ),
        Method(
            id="gds_top2_v2",
            version="2",
            name=N_("User satisfaction (GDS, satisfied or very satisfied)"),
            formula=N_("Satisfied and very satisfied ÷ answers on the scale; Wilson interval."),
            numerator=N_("Satisfied and very satisfied"),
            denominator=_RATED,
            exclusions=_LEFT_OUT,
            reference="ministryofjustice/opg-performance-data, from 2026-04",
            unit=SHARE,
            compute=_positive,
        ),
        Method(
            id="nhs_fft_positive_v1",
            version="1",
            name=N_("Positive experience (Friends and Family Test)"),
            formula=N_("Very good and good ÷ all answers, “don’t know” included; Wilson interval."),
            numerator=N_("Very good and good"),
            denominator=N_("All answers, “don’t know” included"),
            exclusions=N_("Unanswered is left out; “don’t know” is not."),
            reference="NHS England, FFT calculations (from April 2020)",
            unit=SHARE,
            compute=_fft,
        ),
        Method(
            id="nhs_fft_negative_v1",
            version="1",
            name=N_("Negative experience (Friends and Family Test)"),
            formula=N_("Poor and very poor ÷ all answers, “don’t know” included; Wilson interval."),
            numerator=N_("Poor and very poor"),
            denominator=N_("All answers, “don’t know” included"),
            exclusions=N_("Unanswered is left out; “don’t know” is not."),
            reference="NHS England, FFT calculations (from April 2020)",
            unit=SHARE,
            compute=_fft,
        ),
        Method(
            id="nps_v1",
            version="1",
            name=N_("Net promoter score"),
            formula=N_("Share answering 9 or 10 less share answering 0 to 6."),
            numerator=N_("Promoters less detractors"),
            denominator=_RATED,
            exclusions=_LEFT_OUT,
            reference="Rocks (2016), The American Statistician 70(4), 365-372",
            unit=POINTS,
            compute=_nps,
        ),
        Method(
            id="ces_mean_v1",
            version="1",
            name=N_("Customer effort score (mean)"),
            formula=N_("Mean of the answers on 1 to 7; interval by Student’s t."),
            numerator=N_("Sum of the ratings"),
            denominator=_RATED,
            exclusions=_LEFT_OUT,
            reference="CES 2.0",
            unit=MEAN,
            compute=_mean,
        ),
        Method(
            id="ces_share_v1",
            version="1",
            name=N_("Customer effort score (share who found it easy)"),
            formula=N_("Answers 5, 6 and 7 ÷ answers on the scale; Wilson interval."),
            numerator=N_("Answers 5, 6 and 7"),
            denominator=_RATED,
            exclusions=_LEFT_OUT,
            reference="CES 2.0",
            unit=SHARE,
            compute=_positive,
        ),
        Method(
            id="csm_item_v1",
            version="1",
            name=N_("Client satisfaction, one dimension"),
            formula=N_("Agree and strongly agree ÷ answers other than N/A; Wilson interval."),
            numerator=N_("Agree and strongly agree"),
            denominator=N_("Answers other than N/A"),
            exclusions=_LEFT_OUT,
            reference=_CSM,
            unit=SHARE,
            compute=_csm_item,
        ),
        Method(
            id="csm_overall_sqd1_8_v1",
            version="1",
            name=N_("Client satisfaction, overall score"),
            formula=N_(
                "Agree and strongly agree ÷ answers other than N/A, over SQD1 to SQD8 together; "
                "Wilson interval that counts each person once."
            ),
            numerator=N_("Agree and strongly agree, SQD1 to SQD8"),
            denominator=N_("Answers other than N/A, SQD1 to SQD8"),
            exclusions=_LEFT_OUT,
            reference=_CSM,
            unit=SHARE,
            compute=_csm_overall,
        ),
        Method(
            id="csm_awareness_v1",
            version="1",
            name=N_("Awareness of the Citizen’s Charter"),
            formula=N_("Answers 1, 2 and 3 ÷ all answers to CC1; Wilson interval."),
            numerator=N_("Answers 1, 2 and 3"),
            denominator=N_("Answers to CC1"),
            exclusions=N_("Unanswered is left out."),
            reference=_CSM,
            unit=SHARE,
            compute=_choice,
        ),
        Method(
            id="sdg_16_6_2_attribute_v1",
            version="1",
            name=N_("SDG 16.6.2, one attribute"),
            formula=N_("Agree and strongly agree ÷ answers on the scale; Wilson interval."),
            numerator=N_("Agree and strongly agree"),
            denominator=_RATED,
            exclusions=_LEFT_OUT,
            reference=_SDG,
            unit=SHARE,
            compute=_positive,
        ),
        Method(
            id="sdg_16_6_2_average_v1",
            version="1",
            name=N_("SDG 16.6.2, average of the five attributes"),
            formula=N_("Simple average of the five attributes’ shares."),
            numerator=N_("Sum of the five shares"),
            denominator=N_("Five"),
            exclusions=_LEFT_OUT,
            reference=_SDG,
            unit=SHARE,
            compute=_sdg_average,
        ),
        Method(
            id="sdg_16_6_2_satisfied_v1",
            version="1",
            name=N_("SDG 16.6.2, satisfied with the service"),
            formula=N_("Satisfied and very satisfied ÷ answers on the scale; Wilson interval."),
            numerator=N_("Satisfied and very satisfied"),
            denominator=_RATED,
            exclusions=_LEFT_OUT,
            reference=_SDG,
            unit=SHARE,
            compute=_positive,
        ),
        Method(
            id="driver_share_v1",
            version="1",
            name=N_("Share who named this driver"),
            formula=N_("People who chose the driver ÷ people it was offered to; Wilson interval."),
            numerator=N_("People who chose it"),
            denominator=N_("People it was offered to, whether or not they chose anything"),
            exclusions=N_("People it was not offered to are left out."),
            reference=_A11,
            unit=SHARE,
            compute=_chosen_of_offered,
        ),
        Method(
            id="multiple_share_v1",
            version="1",
            name=N_("Share who chose this answer"),
            formula=N_("People who chose the answer ÷ people it was offered to; Wilson interval."),
            numerator=N_("People who chose it"),
            denominator=N_("People it was offered to, whether or not they chose anything"),
            exclusions=N_("People it was not offered to are left out."),
            reference="Wilson (1927), JASA 22(158), 209-212",
            unit=SHARE,
            compute=_chosen_of_offered,
        ),
        Method(
            id="choice_share_v1",
            version="1",
            name=N_("Share who gave this answer"),
            formula=N_("This answer ÷ all answers to the question; Wilson interval."),
            numerator=N_("This answer"),
            denominator=N_("Answers to the question"),
            exclusions=N_("Unanswered is left out, and answers that were not offered to choose."),
            reference="Wilson (1927), JASA 22(158), 209-212",
            unit=SHARE,
            compute=_choice,
        ),
        Method(
            id="number_mean_v1",
            version="1",
            name=N_("Mean of the numbers"),
            formula=N_("Sum of the numbers ÷ how many there are; interval by Student’s t."),
            numerator=N_("Sum of the numbers"),
            denominator=N_("Answers"),
            exclusions=N_("Unanswered is left out."),
            reference="Student (1908), Biometrika 6(1), 1-25",
            unit=MEAN,
            compute=_number,
        ),
        Method(
            id="sentiment_share_v1",
            version="1",
            name=N_("Share of comments by sentiment"),
            formula=N_("Comments read with this sentiment ÷ comments in which a sentiment was read."),
            numerator=N_("Comments with this sentiment"),
            denominator=N_("Comments in which a sentiment was read"),
            exclusions=N_("Comments not read yet, or in which there was nothing to read, are left out."),
            reference="docs/indicators.md",
            unit=SHARE,
            compute=_sentiment,
        ),
        Method(
            id="theme_share_v1",
            version="1",
            name=N_("Share of comments by theme"),
            formula=N_("Comments read with this theme ÷ comments that were read."),
            numerator=N_("Comments with this theme"),
            denominator=N_("Comments that were read"),
            exclusions=N_("Comments not read yet are left out."),
            reference="docs/indicators.md",
            unit=SHARE,
            compute=_theme,
        ),
    )
}
