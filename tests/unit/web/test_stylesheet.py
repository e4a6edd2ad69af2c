import gzip
import re

import pytest

from citizenvoice.web.colours import DARK_PAPER, LIGHT_PAPER, contrast
from tests.unit.web.styleguide import ROOT

CSS = (ROOT / "static" / "citizenvoice.css").read_text()
TEXT = [
    ("ink", "paper"),
    ("ink", "paper-soft"),
    ("ink", "accent-soft"),
    ("ink", "good-soft"),
    ("ink", "poor-soft"),
    ("ink", "attention-soft"),
    ("ink", "part-good"),
    ("ink", "part-neutral"),
    ("ink", "part-poor"),
    ("ink-soft", "paper"),
    ("ink-soft", "paper-soft"),
    ("accent", "paper"),
    ("accent", "paper-soft"),
    ("accent", "accent-soft"),
    ("accent-strong", "paper"),
    ("accent-strong", "accent-soft"),
    ("on-accent", "accent"),
    ("on-accent", "accent-strong"),
    ("good", "paper"),
    ("good", "good-soft"),
    ("poor", "paper"),
    ("poor", "poor-soft"),
    ("attention", "paper"),
    ("attention", "attention-soft"),
    ("paper", "ink"),
]
SHAPES = [
    ("edge", "paper"),
    ("edge", "paper-soft"),
    ("focus", "paper"),
    ("focus", "paper-soft"),
    ("edge", "accent-soft"),
]


def tokens(block: str) -> dict[str, str]:
    return dict(re.findall(r"--cv-([a-z-]+): (#[0-9a-f]{6})", block))


LIGHT = tokens(CSS[: CSS.index("@media")])
DARK = LIGHT | tokens(CSS[CSS.index("@media") : CSS.index("*, ::before")])


@pytest.mark.parametrize("mode", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(("front", "back"), TEXT)
def test_text_can_be_read(mode: dict[str, str], front: str, back: str) -> None:
    assert contrast(mode[front], mode[back]) >= 4.5


@pytest.mark.parametrize("mode", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(("front", "back"), SHAPES)
def test_edges_and_focus_can_be_seen(mode: dict[str, str], front: str, back: str) -> None:
    assert contrast(mode[front], mode[back]) >= 3


def test_every_colour_has_a_dark_counterpart() -> None:
    assert set(tokens(CSS[CSS.index("@media") : CSS.index("*, ::before")])) == set(LIGHT)
    assert (LIGHT["paper"], DARK["paper"]) == (LIGHT_PAPER, DARK_PAPER)


def test_colours_are_written_only_as_tokens() -> None:
    rules = CSS[CSS.index("*, ::before") :]

    assert not re.findall(r"#[0-9a-f]{3,8}\b|rgba?\(|hsla?\(", rules)


def test_every_token_used_is_defined() -> None:
    defined = set(re.findall(r"(--cv-[a-z0-9-]+):", CSS))

    assert set(re.findall(r"var\((--cv-[a-z0-9-]+)\)", CSS)) == defined


def test_nothing_is_tied_to_left_or_right() -> None:
    physical = (
        r"(?<![\w-])((margin|padding|border)-(left|right|top|bottom)|left|right|top|bottom|width|height)\s*:"
    )
    physical_values = r"(text-align|float|clear)\s*:\s*(left|right)"
    rules = re.sub(r"\((min|max)-width[^)]*\)", "", CSS)

    assert not re.findall(physical, rules)
    assert not re.findall(physical_values, rules)


def test_a_first_visit_stays_light() -> None:
    script = (ROOT / "static" / "citizenvoice.js").read_bytes()

    assert len(CSS.encode()) < 32_000  # a survey page has 50 kB for everything
    assert len(gzip.compress(CSS.encode(), mtime=0)) < 8_000
    assert len(script) < 3_000
    assert not re.findall(r"url\(|@import|https?:", CSS)


@pytest.mark.parametrize("query", ["prefers-color-scheme: dark", "forced-colors: active", "print"])
def test_readers_settings_are_answered(query: str) -> None:
    assert query in CSS


def test_movement_is_only_for_those_who_did_not_refuse_it() -> None:
    start = CSS.index("@media (prefers-reduced-motion: no-preference)")
    end = CSS.index("@media print")

    assert re.findall(r"transition|animation", CSS[start:end])
    assert not re.findall(r"transition|animation", CSS[:start] + CSS[end:])
