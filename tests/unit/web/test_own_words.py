"""The words that take the place of those of WTForms."""

import re
from pathlib import Path

import pytest
import wtforms

from citizenvoice.web.forms import OWN_WORDS

SAID = "\n".join(
    path.read_text(encoding="utf-8") for path in sorted(Path(wtforms.__file__).parent.rglob("*.py"))
)


@pytest.mark.parametrize("stock", OWN_WORDS)
def test_wtforms_says_what_is_replaced(stock: str) -> None:
    assert f'"{stock}"' in SAID


@pytest.mark.parametrize(("stock", "own"), OWN_WORDS.items())
def test_a_replacement_names_no_value_that_is_not_filled_in(stock: str, own: str) -> None:
    assert set(re.findall(r"%\(\w+\)[ds]", own)) <= set(re.findall(r"%\(\w+\)[ds]", stock))
