import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citizenvoice.web.colours import DARK_PAPER, accent_css, contrast, is_readable_accent, mix

colours = st.from_regex(r"#[0-9a-f]{6}", fullmatch=True)


@pytest.mark.parametrize(
    ("first", "second", "ratio"),
    [
        ("#000000", "#ffffff", 21.0),
        ("#777777", "#ffffff", 4.48),
        ("#767676", "#ffffff", 4.54),
        ("#ff0000", "#ffffff", 4.0),
    ],
)
def test_contrast_is_that_of_wcag(first: str, second: str, ratio: float) -> None:
    assert contrast(first, second) == pytest.approx(ratio, abs=0.005)


@given(colours, colours)
def test_contrast_does_not_depend_on_the_order(first: str, second: str) -> None:
    assert contrast(first, second) == contrast(second, first)
    assert 1 <= contrast(first, second) <= 21


@given(colours.filter(is_readable_accent))
def test_an_accepted_accent_can_be_read_in_every_place_it_is_used(colour: str) -> None:
    light, dark = accent_css(colour).split("@media")
    for block, paper in ((light, "#ffffff"), (dark, DARK_PAPER)):
        token = dict(re.findall(r"--cv-([a-z-]+):(#[0-9a-f]{6})", block))
        assert contrast(token["accent"], paper) >= 4.5
        assert contrast(token["on-accent"], token["accent"]) >= 4.5
        assert contrast(token["on-accent"], token["accent-strong"]) >= 4.5
        assert contrast(token["accent-strong"], token["accent-soft"]) >= 4.5
        assert contrast({"#ffffff": "#14212b"}.get(paper, "#e8eef1"), token["accent-soft"]) >= 4.5
        assert contrast(token["accent"], token["accent-soft"]) >= 3.4


@pytest.mark.parametrize("colour", ["#ffd700", "#777777", "teal", "#abc", "#0b5563;}", ""])
def test_a_pale_or_malformed_accent_is_refused(colour: str) -> None:
    assert not is_readable_accent(colour)
    with pytest.raises(ValueError, match="contrast"):
        accent_css(colour)


def test_mixing_goes_from_one_colour_to_the_other() -> None:
    assert [mix("#000000", "#ffffff", share) for share in (0, 0.5, 1)] == ["#000000", "#808080", "#ffffff"]
