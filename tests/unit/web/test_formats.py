from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from flask import render_template_string

from citizenvoice.web import formats
from tests.unit.web.styleguide import Figure, create_app


@dataclass
class Interval:
    lower: float
    upper: float


@pytest.mark.parametrize(
    ("locale", "written"), [("en", "78.5%"), ("fr", "78,5 %"), ("tr", "%78,5"), ("es", "78,5 %")]
)
def test_a_share_is_written_as_the_language_writes_percentages(locale: str, written: str) -> None:
    assert formats.percent(0.785, 1, locale=locale).replace("\N{NO-BREAK SPACE}", " ") == written


@pytest.mark.parametrize(
    ("interval", "unit", "locale", "written"),
    [
        (Interval(0.741, 0.816), "percent", "en", "74–82%"),
        (Interval(0.741, 0.816), "percent", "tr", "%74–82"),
        (Interval(-0.031, 0.05), "points", "en", "−3 to 5 points"),
        (Interval(0.03, 0.05), "points", "en", "3–5 points"),
        (Interval(-0.051, 0.011), "points", "en", "−5 to 1 points"),
        (Interval(-0.001, 0.05), "percent", "en", "0–5%"),
        (Interval(-3.2, -1.1), "number", "en", "−3 to −1"),
        (Interval(20.12, 26.7), "number", "es", "20–27"),
    ],
)
def test_an_interval_names_its_unit_once(interval: Interval, unit: str, locale: str, written: str) -> None:
    with create_app().app_context():
        assert formats.interval(interval, unit, locale=locale).replace("\N{NO-BREAK SPACE}", " ") == written


@pytest.mark.parametrize(
    ("difference", "written"),
    [(0.01, "1 point"), (0.09, "9 points"), (0.0, "0 points"), (-0.002, "0 points"), (-0.01, "−1 point")],
)
def test_differences_between_shares_are_points_that_stay_with_their_number(
    difference: float, written: str
) -> None:
    with create_app().app_context():
        assert formats.points(difference) == written.replace(" ", "\N{NO-BREAK SPACE}")


@pytest.mark.parametrize(
    ("number", "signed", "written"),
    [(-3, False, "−3.0"), (-0.04, False, "0.0"), (0.2, True, "+0.2"), (-0.2, True, "−0.2"), (0, True, "0.0")],
)
def test_one_minus_sign_is_written_everywhere(number: float, signed: bool, written: str) -> None:
    assert formats.decimal(number, signed=signed, locale="en") == written


@pytest.mark.parametrize("language", ["en", "es", "ar"])
def test_a_minus_sign_stays_with_its_number_in_every_language(language: str) -> None:
    written = formats.interval(Interval(-0.12, 0.1), "points", locale=language)

    assert "−12" in written
    assert " " not in written


@pytest.mark.parametrize(
    ("start", "end", "written"),
    [
        (date(2026, 12, 1), date(2027, 1, 1), "December 2026"),
        (date(2026, 2, 1), date(2026, 3, 1), "February 2026"),
        (date(2026, 1, 1), date(2027, 1, 1), "2026"),
        (date(2026, 11, 2), date(2026, 11, 3), "November 2, 2026"),
    ],
)
def test_a_period_ends_the_day_before_its_end(start: date, end: date, written: str) -> None:
    assert formats.period((start, end), locale="en") == written


def test_a_quarter_is_told_by_its_first_and_last_day() -> None:
    written = formats.period((date(2026, 1, 1), date(2026, 4, 1)), locale="en")

    assert written.startswith("Jan 1")
    assert written.endswith("Mar 31, 2026")


def test_an_instant_is_told_in_the_readers_time_zone() -> None:
    late = datetime(2026, 11, 2, 23, 30, tzinfo=UTC)

    assert formats.instant(late, locale="es", zone="Europe/Madrid") == "3 de noviembre de 2026, 0:30 CET"
    assert "November 2, 2026" in formats.instant(late, locale="en")
    assert formats.day(late, locale="en", zone="Europe/Madrid") == "November 3, 2026"
    assert formats.since(late, late + timedelta(days=3), locale="en") == "3 days ago"


@pytest.mark.parametrize(
    ("code", "direction"),
    [
        ("ar", "rtl"),
        ("he", "rtl"),
        ("fa", "rtl"),
        ("ur", "rtl"),
        ("ar-EG", "rtl"),
        ("es", "ltr"),
        ("xx", "ltr"),
    ],
)
def test_languages_know_their_direction(code: str, direction: str) -> None:
    assert formats.text_direction(code) == direction


def test_languages_are_named_in_themselves() -> None:
    assert [formats.language_name(code) for code in ("es", "ar", "tlh")] == ["español", "العربية", "tlh"]


@pytest.mark.parametrize(
    ("source", "value", "written"),
    [
        ("{{ x|percent }}", 0.78, "78%"),
        ("{{ x|count }}", 12345, "12,345"),
        ("{{ x|decimal(2) }}", 3.14159, "3.14"),
        ("{{ x|interval }}", Figure(0.78, 0.74, 0.82, 412), "74–82%"),
        ("{{ x|month }}", date(2026, 11, 23), "November 2026"),
        ("{{ x|language_name }}", "fr", "français"),
    ],
)
def test_templates_have_the_filters(source: str, value: Any, written: str) -> None:
    with create_app().test_request_context("/"):
        assert render_template_string(source, x=value) == written
