"""Rules about the code itself that no linter we use can state."""

import ast
import re
from pathlib import Path

import pytest
from flask import Flask

from tests.servers import ROOT
from tests.urls import URLS, promised, served

CODE = sorted((ROOT / "citizenvoice").rglob("*.py"))
VAGUE_NAMES = {
    "utils",
    "util",
    "helpers",
    "helper",
    "managers",
    "manager",
    "common",
    "services",
    "misc",
    "base",
}
FIRST_WORD = re.compile(r"[A-Z]")


def test_every_view_says_who_it_is_for(app: Flask) -> None:
    silent = [name for name, view in app.view_functions.items() if not hasattr(view, "audience")]

    assert silent == ["static"]


def test_urls_are_kebab_case(app: Flask) -> None:
    for rule in app.url_map.iter_rules():
        fixed = "".join(part for part in rule.rule.split("/") if "<" not in part)
        assert fixed == fixed.lower(), rule.rule
        assert "_" not in fixed, rule.rule


def test_every_address_once_served_is_served_or_acknowledged_as_gone(app: Flask) -> None:
    kept, gone = promised()

    assert kept - served(app) == set(), f"removed: write 'gone' and why before each in {URLS.name}"
    assert served(app) - kept == set(), "new: run `make urls`"
    assert gone & served(app) == set(), f"served again: take 'gone' away in {URLS.name}"


@pytest.mark.parametrize("path", CODE, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_module_says_in_one_sentence_what_lives_in_it(path: Path) -> None:
    module = ast.parse(path.read_text(encoding="utf-8"))
    summary = (ast.get_docstring(module) or "").partition("\n\n")[0]

    assert len(summary.split()) >= 3, "no docstring"
    assert FIRST_WORD.match(summary) or not summary[0].isalpha(), summary
    assert summary.endswith((".", "?")), summary
    if path.name == "__init__.py":
        assert len(module.body) == 1, "a package holds its docstring and imports nothing"


def test_no_module_has_a_name_that_means_anything() -> None:
    vague = [path for path in CODE if {path.stem, path.parent.name} & VAGUE_NAMES]

    assert vague == []


def test_nothing_is_left_unfinished() -> None:
    marks = re.compile(r"\b(TODO|FIXME|XXX|NotImplementedError|lorem ipsum|coming soon)\b", re.IGNORECASE)
    unfinished = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in [*CODE, *(ROOT / "templates").rglob("*.html")]
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if marks.search(line)
    ]

    assert unfinished == []
