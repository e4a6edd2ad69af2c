"""Client Satisfaction Measurement of the Philippines (ARTA): dimensions, awareness of the charter, bands."""

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

from citizenvoice.stats.estimates import NotEnough, wilson_at_effective_n
from citizenvoice.stats.scores import Method, Score, Tally, check_points, pool, rated_score, share

CSM_ITEMS = tuple(f"sqd{number}" for number in range(1, 9))


class CsmBand(StrEnum):
    """The five words the Philippine client satisfaction measurement uses for a score."""

    POOR = "poor"
    FAIR = "fair"
    SATISFACTORY = "satisfactory"
    VERY_SATISFACTORY = "very_satisfactory"
    OUTSTANDING = "outstanding"


def csm_item(tally: Tally, *, minimum: int = 1) -> Score:
    """Compute one service quality dimension: agree and strongly agree, of the answers other than N/A.

    References
    ----------
    .. [1] Anti-Red Tape Authority (2022). Memorandum Circular 2022-05.

    Examples
    --------
    >>> score = csm_item(Tally({1: 2, 2: 8, 3: 10, 4: 40, 5: 35}, not_applicable=5))
    >>> round(score.result.value, 8), score.n_not_applicable
    (0.78947368, 5)
    """
    check_points(tally, 1, 5)
    return share(tally, (4, 5), minimum=minimum, method=Method.CSM_ITEM)


def csm_overall(items: Mapping[str, Tally], *, include_sqd0: bool = False, minimum: int = 1) -> Score:
    """Compute the overall score of the client satisfaction measurement by pooling its dimensions.

    Parameters
    ----------
    items : mapping of ``"sqd0"`` ... ``"sqd8"`` to Tally
        Dimensions without any rating may be left out.
    include_sqd0 : bool
        Whether overall satisfaction (SQD0) is pooled too; the circular's annex is read both ways,
        so the setting is part of the method's name.
    minimum : int
        People needed for a figure.

    Returns
    -------
    Score
        The value is Σ satisfied / Σ rated over the dimensions, in [0, 1]. ``n`` is the number of
        people who rated the most often rated dimension, not the number of ratings.

    Raises
    ------
    ValueError
        If an item is not one of SQD0 to SQD8, or an answer lies outside 1 to 5.

    Notes
    -----
    The eight ratings of one person resemble each other, so the interval takes them for one answer
    a person (Wilson at that number). It errs on the wide side.

    References
    ----------
    .. [1] Anti-Red Tape Authority (2022). Memorandum Circular 2022-05.

    Examples
    --------
    >>> items = {"sqd1": Tally({4: 40, 5: 40, 1: 20}), "sqd5": Tally({5: 30}, not_applicable=70)}
    >>> score = csm_overall(items)
    >>> round(score.result.value, 6), score.result.n
    (0.846154, 100)
    """
    if unknown := set(items) - {"sqd0", *CSM_ITEMS}:
        raise ValueError(f"not dimensions of the measurement: {sorted(unknown)}")
    method = Method.CSM_OVERALL_WITH_SQD0 if include_sqd0 else Method.CSM_OVERALL
    chosen = [tally for key, tally in items.items() if include_sqd0 or key != "sqd0"]
    for tally in chosen:
        check_points(tally, 1, 5)
    pooled = pool(chosen)
    n_people = max((tally.n_rated for tally in chosen), default=0)
    if n_people < max(1, minimum):
        return rated_score(method, pooled, NotEnough(n_people, max(1, minimum)))
    value = pooled.among((4, 5)) / pooled.n_rated
    return rated_score(method, pooled, wilson_at_effective_n(value, n_people, n=n_people))


def csm_awareness(tally: Tally, *, minimum: int = 1) -> Score:
    """Compute the share aware of the Citizen's Charter: codes 1, 2 and 3 of CC1.

    Raises
    ------
    ValueError
        If an answer lies outside 1 to 4.

    Examples
    --------
    >>> csm_awareness(Tally({1: 60, 2: 10, 3: 10, 4: 20})).result.value
    0.8
    """
    check_points(tally, 1, 4)
    return share(tally, (1, 2, 3), minimum=minimum, method=Method.CSM_AWARENESS)


def csm_band(value: float) -> CsmBand:
    """Name the band of a client satisfaction score.

    The percentage is first rounded half up to one decimal, as it is printed: below 60.0 poor, below
    80.0 fair, below 90.0 satisfactory, below 95.0 very satisfactory, else outstanding.

    Parameters
    ----------
    value : float
        A share in [0, 1], not a percentage.

    Raises
    ------
    ValueError
        If ``value`` is outside [0, 1].

    Examples
    --------
    >>> csm_band(620 / 725)
    <CsmBand.SATISFACTORY: 'satisfactory'>
    >>> csm_band(0.7995)
    <CsmBand.SATISFACTORY: 'satisfactory'>
    """
    if not 0 <= value <= 1:
        raise ValueError(f"{value} is not a share")
    # Through repr, because 79.95 has no exact binary form and would round down.
    percent = (Decimal(repr(float(value))) * 100).quantize(Decimal("0.1"), ROUND_HALF_UP)
    thresholds = (60, 80, 90, 95)
    return tuple(CsmBand)[sum(percent >= threshold for threshold in thresholds)]
