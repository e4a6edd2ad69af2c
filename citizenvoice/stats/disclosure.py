"""What must not be published, so that figures on few answers cannot be worked out from other figures."""

from collections.abc import Sequence
from dataclasses import dataclass

N_MONTHS, N_QUARTERS = 12, 4


def complementary(sizes: Sequence[int], minimum: int) -> set[int]:
    """Choose the parts of a published whole to withhold.

    Whoever knows the whole and all other parts knows the rest: the rest must be empty or large enough.

    Parameters
    ----------
    sizes : sequence of int, shape (n_parts,)
        Answers in each part; the parts do not overlap and add up to the whole.
    minimum : int
        Answers that a published figure needs.

    Returns
    -------
    set of int
        Places of the parts to withhold: those below the minimum and, while these have fewer answers together
        than the minimum, the smallest of the others.

    Notes
    -----
    Cell suppression with secondary suppression, for one total and one figure a part.

    References
    ----------
    .. [1] Hundepool, A., et al. (2012). Statistical Disclosure Control. Wiley. Section 4.3.

    Examples
    --------
    >>> complementary([400, 60, 4], minimum=10)
    {1, 2}
    >>> complementary([400, 60, 0], minimum=10)
    {2}
    """
    hidden = {place for place, n in enumerate(sizes) if n < minimum}
    for place in sorted(range(len(sizes)), key=lambda place: sizes[place]):
        if not 0 < sum(sizes[one] for one in hidden) < minimum:
            break
        hidden.add(place)
    return hidden


@dataclass(frozen=True, slots=True)
class YearOfFigures:
    """Which figures of one fiscal year are withheld: months 0 to 11, quarters 0 to 3, and the year."""

    months: frozenset[int]
    quarters: frozenset[int]
    year: bool


def withheld_in_year(sizes: Sequence[int], minimum: int) -> YearOfFigures:
    """Choose what to withhold of one fiscal year's figures by month, by quarter and of the year.

    Parameters
    ----------
    sizes : sequence of int, shape (12,)
        Answers in each month of the fiscal year.
    minimum : int
        Answers that a published figure needs.

    Returns
    -------
    YearOfFigures
        No published total less any published figures inside it leaves from 1 to ``minimum - 1`` answers.

    Raises
    ------
    ValueError
        If there are not twelve sizes.

    Notes
    -----
    Months are parts of their quarter and quarters parts of the year (`complementary`). Of a quarter withheld
    for the sake of a smaller one, the smallest month is withheld too where all its months were published, as
    they would add up to it. Figures published at different times are not compared: who keeps an older copy
    knows what came in since.

    Examples
    --------
    >>> found = withheld_in_year([40, 6, 50, 70, 80, 90, 70, 80, 90, 70, 80, 90], minimum=10)
    >>> sorted(found.months), sorted(found.quarters), found.year
    ([0, 1], [], False)
    """
    if len(sizes) != N_MONTHS:
        raise ValueError("a year has twelve months")
    months = {
        3 * quarter + place
        for quarter in range(N_QUARTERS)
        for place in complementary(_months_of(sizes, quarter), minimum)
    }
    totals = [sum(_months_of(sizes, quarter)) for quarter in range(N_QUARTERS)]
    quarters = complementary(totals, minimum)
    for quarter in quarters:
        inside = range(3 * quarter, 3 * quarter + 3)
        if totals[quarter] and not sum(sizes[month] for month in inside if month in months):
            months.add(min((month for month in inside if sizes[month]), key=lambda month: sizes[month]))
    return YearOfFigures(frozenset(months), frozenset(quarters), year=sum(sizes) < minimum)


def rest_of_window(years: Sequence[tuple[Sequence[int], YearOfFigures]], first: int, n_months: int) -> int:
    """Count the answers in a stretch of months that no published figure inside it holds.

    Parameters
    ----------
    years : sequence of (sizes, YearOfFigures)
        Fiscal years, one after the other, with the answers in each of their months.
    first : int
        Place of the first month of the stretch, from the first month of the first year.
    n_months : int
        Length of the stretch.

    Returns
    -------
    int
        A figure on the stretch may be published if this is 0 or at least the minimum.

    Examples
    --------
    >>> sizes = [40, 6, 50, 70, 80, 90, 70, 80, 90, 70, 80, 90]
    >>> year = (sizes, withheld_in_year(sizes, minimum=10))
    >>> rest_of_window([year], first=0, n_months=12), rest_of_window([year], first=1, n_months=5)
    (0, 6)
    """
    rest = 0
    for number, (sizes, found) in enumerate(years):
        for month in found.months:
            place, quarter = N_MONTHS * number + month, month // 3
            start = N_MONTHS * number + 3 * quarter
            is_told = quarter not in found.quarters and first <= start and start + 3 <= first + n_months
            if first <= place < first + n_months and not is_told:
                rest += sizes[month]
    return rest


def _months_of(sizes: Sequence[int], quarter: int) -> Sequence[int]:
    return sizes[3 * quarter : 3 * quarter + 3]
