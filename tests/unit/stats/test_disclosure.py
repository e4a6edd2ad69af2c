"""No figure on few answers can be worked out from a published total and published figures inside it."""

from itertools import combinations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citizenvoice.stats.disclosure import (
    YearOfFigures,
    complementary,
    rest_of_window,
    withheld_in_year,
)

MINIMUM = 10
few_or_many = st.one_of(st.just(0), st.integers(1, 9), st.integers(10, 40))
years = st.lists(few_or_many, min_size=12, max_size=12)


def rests_of_quarter(sizes: list[int], year: YearOfFigures, quarter: int, months: list[int]) -> set[int]:
    """Return what may be left of some months of a quarter when published figures are taken away."""
    total = sum(sizes[month] for month in months)
    published = [month for month in months if month not in year.months]
    rests = {
        total - sum(sizes[month] for month in known)
        for n in range(len(published) + 1)
        for known in combinations(published, n)
    }
    if len(months) == 3 and quarter not in year.quarters:
        rests.add(0)
    return rests


def rests(sizes: list[int], year: YearOfFigures, months: range) -> set[int]:
    """Return everything one subtraction can leave of a total over these months of one year."""
    parts = []
    for quarter in range(4):
        inside = [month for month in months if month // 3 == quarter]
        parts.append(rests_of_quarter(sizes, year, quarter, inside) if inside else {0})
    return {sum(rest) for rest in product(*parts)}


def are_safe(found: set[int]) -> bool:
    return not any(0 < rest < MINIMUM for rest in found)


@given(years)
def test_no_published_total_of_a_year_gives_a_small_figure_away(sizes: list[int]) -> None:
    year = withheld_in_year(sizes, MINIMUM)
    assert all(sizes[month] >= MINIMUM for month in range(12) if month not in year.months)
    if not year.year:
        assert are_safe(rests(sizes, year, range(12)))
    for quarter in range(4):
        if quarter not in year.quarters:
            assert are_safe(rests(sizes, year, range(3 * quarter, 3 * quarter + 3)))


@given(years, years, st.integers(0, 12))
def test_no_published_stretch_of_twelve_months_gives_a_small_figure_away(
    one: list[int], other: list[int], first: int
) -> None:
    both = [(sizes, withheld_in_year(sizes, MINIMUM)) for sizes in (one, other)]
    if 0 < rest_of_window(both, first, 12) < MINIMUM:
        return  # withheld
    of_one = rests(one, both[0][1], range(first, 12))
    of_other = rests(other, both[1][1], range(first))
    assert are_safe({a + b for a in of_one for b in of_other})


@given(years)
def test_with_enough_answers_everywhere_nothing_is_withheld(sizes: list[int]) -> None:
    year = withheld_in_year([n + MINIMUM for n in sizes], MINIMUM)
    assert (year.months, year.quarters, year.year) == (frozenset(), frozenset(), False)


def test_a_small_month_takes_the_smallest_of_its_quarter_with_it() -> None:
    sizes = [40, 6, 50] + [100] * 9
    assert withheld_in_year(sizes, MINIMUM).months == {0, 1}


def test_a_small_quarter_takes_another_with_it_and_one_of_its_months() -> None:
    year = withheld_in_year([2, 2, 2] + [30, 20, 25] + [100] * 6, MINIMUM)
    assert year.quarters == {0, 1}
    assert year.months == {0, 1, 2, 4}


@given(st.lists(few_or_many, min_size=1, max_size=6))
def test_parts_withheld_are_nobody_or_enough_people_or_everybody(sizes: list[int]) -> None:
    hidden = complementary(sizes, MINIMUM)
    rest = sum(sizes[place] for place in hidden)
    assert rest == 0 or rest >= MINIMUM or len(hidden) == len(sizes)


def test_a_year_has_twelve_months() -> None:
    with pytest.raises(ValueError, match="twelve"):
        withheld_in_year([1, 2, 3], MINIMUM)
