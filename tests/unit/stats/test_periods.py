"""Periods partition the calendar, and their keys read back as they were written."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citizenvoice.stats.periods import (
    Period,
    PeriodKind,
    latest,
    months_and_days,
    parse,
    period_of,
    periods_between,
)

days = st.dates(date(1900, 1, 1), date(2199, 12, 31))
kinds = st.sampled_from(list(PeriodKind))
fiscal_starts = st.integers(1, 12)


@pytest.mark.parametrize(
    ("day", "kind", "fiscal_start", "key", "start", "end"),
    [
        (date(2026, 3, 14), PeriodKind.DAY, 1, "2026-03-14", date(2026, 3, 14), date(2026, 3, 15)),
        (date(2026, 2, 14), PeriodKind.WEEK, 1, "2026-W07", date(2026, 2, 9), date(2026, 2, 16)),
        (date(2021, 1, 3), PeriodKind.WEEK, 1, "2020-W53", date(2020, 12, 28), date(2021, 1, 4)),
        (date(2024, 12, 30), PeriodKind.WEEK, 1, "2025-W01", date(2024, 12, 30), date(2025, 1, 6)),
        (date(2024, 2, 29), PeriodKind.MONTH, 1, "2024-02", date(2024, 2, 1), date(2024, 3, 1)),
        (date(2026, 3, 31), PeriodKind.QUARTER, 1, "2026-Q1", date(2026, 1, 1), date(2026, 4, 1)),
        (date(2025, 10, 1), PeriodKind.QUARTER, 10, "2026-Q1", date(2025, 10, 1), date(2026, 1, 1)),
        (date(2026, 9, 30), PeriodKind.QUARTER, 10, "2026-Q4", date(2026, 7, 1), date(2026, 10, 1)),
        (date(2026, 1, 31), PeriodKind.QUARTER, 2, "2026-Q4", date(2025, 11, 1), date(2026, 2, 1)),
        (date(2026, 5, 5), PeriodKind.YEAR, 1, "FY2026", date(2026, 1, 1), date(2027, 1, 1)),
        (date(2026, 9, 30), PeriodKind.YEAR, 10, "FY2026", date(2025, 10, 1), date(2026, 10, 1)),
        (date(2026, 4, 1), PeriodKind.YEAR, 4, "FY2027", date(2026, 4, 1), date(2027, 4, 1)),
    ],
)
def test_known_periods(
    day: date, kind: PeriodKind, fiscal_start: int, key: str, start: date, end: date
) -> None:
    period = period_of(day, kind, fiscal_start)
    assert (period.key, period.start, period.end_exclusive) == (key, start, end)
    assert period.last_day == end - timedelta(days=1)


@given(days, kinds, fiscal_starts)
def test_every_day_is_in_its_period(day: date, kind: PeriodKind, fiscal_start: int) -> None:
    period = period_of(day, kind, fiscal_start)
    assert day in period
    assert period.end_exclusive not in period
    assert period.start - timedelta(days=1) not in period


@given(days, kinds, fiscal_starts)
def test_every_day_of_a_period_leads_back_to_it(day: date, kind: PeriodKind, fiscal_start: int) -> None:
    period = period_of(day, kind, fiscal_start)
    inside = list(period.days())
    assert len(inside) == period.n_days
    assert {period_of(other, kind, fiscal_start) for other in inside} == {period}


@given(days, kinds, fiscal_starts)
def test_neighbours_touch(day: date, kind: PeriodKind, fiscal_start: int) -> None:
    period = period_of(day, kind, fiscal_start)
    assert period.next().start == period.end_exclusive
    assert period.previous().end_exclusive == period.start
    assert period.next().previous() == period == period.previous().next()


@given(days, kinds, fiscal_starts)
def test_keys_read_back(day: date, kind: PeriodKind, fiscal_start: int) -> None:
    period = period_of(day, kind, fiscal_start)
    assert parse(period.key, fiscal_start) == period


@given(days, kinds, fiscal_starts)
def test_keys_sort_as_time_does(day: date, kind: PeriodKind, fiscal_start: int) -> None:
    period = period_of(day, kind, fiscal_start)
    assert period.previous().key < period.key < period.next().key


@given(days, fiscal_starts)
def test_four_quarters_and_twelve_months_make_a_fiscal_year(day: date, fiscal_start: int) -> None:
    year = period_of(day, PeriodKind.YEAR, fiscal_start)
    for kind, n in ((PeriodKind.QUARTER, 4), (PeriodKind.MONTH, 12)):
        parts = list(periods_between(year.start, year.end_exclusive, kind, fiscal_start))
        assert len(parts) == n
        assert (parts[0].start, parts[-1].end_exclusive) == (year.start, year.end_exclusive)
        assert {part.key[:4] for part in parts if kind is PeriodKind.QUARTER} <= {year.key[2:]}


@given(days, st.integers(0, 900), kinds, fiscal_starts)
def test_periods_between_cover_a_range_without_gap_or_overlap(
    start: date, length: int, kind: PeriodKind, fiscal_start: int
) -> None:
    end = start + timedelta(days=length)
    found = list(periods_between(start, end, kind, fiscal_start))
    covered = [day for period in found for day in period.days()]
    assert len(covered) == len(set(covered))
    assert {start + timedelta(days=k) for k in range(length)} <= set(covered)
    assert all(period.start < end and start < period.end_exclusive for period in found)


@given(days, st.integers(-40, 1500))
def test_months_and_days_partition_a_range(start: date, length: int) -> None:
    end = start + timedelta(days=length)
    months, leftover = months_and_days(start, end)
    whole = [day for month in months for day in period_of(month, PeriodKind.MONTH).days()]
    assert sorted(whole + leftover) == [start + timedelta(days=k) for k in range(length)]
    assert leftover == sorted(leftover)
    assert len(leftover) <= 60


def test_months_and_days_of_short_ranges() -> None:
    assert months_and_days(date(2026, 1, 1), date(2026, 1, 1)) == ([], [])
    assert months_and_days(date(2026, 2, 1), date(2026, 3, 1)) == ([date(2026, 2, 1)], [])
    inside = months_and_days(date(2026, 2, 2), date(2026, 2, 4))
    assert inside == ([], [date(2026, 2, 2), date(2026, 2, 3)])


def test_latest_periods_end_with_the_one_given() -> None:
    quarter = parse("2026-Q2", 10)
    assert [period.key for period in latest(4, quarter)] == ["2025-Q3", "2025-Q4", "2026-Q1", "2026-Q2"]
    assert latest(0, quarter) == []


def test_the_fiscal_year_does_not_change_months_weeks_and_days() -> None:
    for kind in (PeriodKind.DAY, PeriodKind.WEEK, PeriodKind.MONTH):
        assert period_of(date(2026, 3, 14), kind, 10) == period_of(date(2026, 3, 14), kind)


@pytest.mark.parametrize(
    "text",
    ["", "2026", "2026-13", "2026-00", "2026-3", "2026-Q5", "2026-Q0", "FY26", "2026-W54", "2026-02-30",
     "2026-03-14 ", "2025-W53", "x2026-03", "9999-12-31",
     "9999-12", "FY9999", "9999-W52", "0000-01", "٢٠٢٦-03"],
)  # fmt: skip
def test_texts_that_are_not_periods_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse(text)


@pytest.mark.parametrize("fiscal_start", [0, 13, -1])
def test_a_fiscal_year_begins_in_a_month(fiscal_start: int) -> None:
    with pytest.raises(ValueError, match="not a month"):
        period_of(date(2026, 1, 1), PeriodKind.YEAR, fiscal_start)


def test_periods_are_values() -> None:
    month = Period(date(2026, 3, 1), date(2026, 4, 1), PeriodKind.MONTH)
    assert month == parse("2026-03")
    assert {month: 1}[parse("2026-03")] == 1
