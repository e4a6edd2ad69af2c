"""Rules every template keeps: all its words translated, nothing that the page's policy would block."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from flask import Flask
from jinja2 import nodes

from tests.servers import ROOT

TEMPLATES = sorted((ROOT / "templates").rglob("*.*"))
PAGES = [path for path in TEMPLATES if path.suffix == ".html"]
READ_ALOUD = {
    "alt",
    "title",
    "placeholder",
    "aria-label",
    "aria-description",
    "aria-roledescription",
    "label",
}
TRANSLATES = {"_", "gettext", "ngettext", "pgettext", "npgettext"}
LETTERS = re.compile(r"[^\W\d_]{2,}")
SENTENCE = re.compile(r"[A-Z][a-z]+\b(?!\.[a-z])")
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT / "templates"))


class VisibleWords(HTMLParser):
    """Collects what a reader would see or hear of a page's fixed text, and what its policy would block."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self.blocked: list[str] = []
        self.open: list[tuple[str, bool]] = []  # element, whether its words are exempt

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        exempt = tag in {"script", "style", "code"} or given.get("translate") == "no" or self.is_exempt()
        if tag not in VOID:
            self.open.append((tag, exempt))
        if not exempt:
            self.found += [given[name] for name in READ_ALOUD & given.keys() if LETTERS.search(given[name])]
            if (
                tag == "input"
                and given.get("type") in {"submit", "button"}
                and LETTERS.search(given.get("value", ""))
            ):
                self.found.append(given["value"])
        self.check_policy(tag, given)

    def check_policy(self, tag: str, given: dict[str, str]) -> None:
        if tag == "style" or (tag == "script" and "src" not in given):
            self.blocked.append(f"<{tag}>")
        self.blocked += [name for name in given if name == "style" or re.fullmatch(r"on[a-z]+", name)]

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if LETTERS.search(data) and not self.is_exempt():
            self.found.append(" ".join(data.split()))

    def is_exempt(self) -> bool:
        return bool(self.open) and self.open[-1][1]


def fixed_text(app: Flask, source: str) -> str:
    """Return a template without its Jinja tags, what ``{% trans %}`` holds, and blocks of class names."""
    kept: list[str] = []
    tag: list[str] = []
    left_out_until = ""
    for _line, kind, value in app.jinja_env.lex(source):
        if kind == "data" and not left_out_until:
            kept.append(value)
        elif kind in {"variable_begin", "block_begin"}:
            tag = [kind]
            if kept and kept[-1].endswith(("<", "</")):
                kept.append("x")  # the element's name is computed
        elif kind == "name":
            tag.append(value)
        elif kind == "block_end":
            left_out_until = end_of_what_is_left_out(tag[1:], left_out_until)
    return "".join(kept)


def end_of_what_is_left_out(tag: list[str], current: str) -> str:
    """Return the tag that ends the stretch this tag stands in or opens; nothing where text counts."""
    if current:
        return "" if tag[:1] == [current] else current
    if tag[:1] == ["trans"]:
        return "endtrans"
    return "endblock" if tag[:1] == ["block"] and tag[1].endswith("_class") else ""


def untranslated_strings(app: Flask, source: str) -> Iterator[str]:
    """Yield the sentences written as strings in Jinja expressions outside a call that translates them."""

    def visit(node: nodes.Node) -> Iterator[str]:
        if (
            isinstance(node, nodes.Call)
            and isinstance(node.node, nodes.Name)
            and node.node.name in TRANSLATES
        ):
            filled_in = [given for given in node.args if not isinstance(given, nodes.Const)]
            for given in (*filled_in, *(keyword.value for keyword in node.kwargs)):
                yield from visit(given)
            return
        if (
            isinstance(node, nodes.Const)
            and isinstance(node.value, str)
            and SENTENCE.match(node.value.strip())
        ):
            yield node.value
        if isinstance(node, nodes.Compare):
            return
        for child in node.iter_child_nodes():
            yield from visit(child)

    yield from visit(app.jinja_env.parse(source))


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_every_word_a_reader_sees_is_translated(app: Flask, path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    words = VisibleWords()
    words.feed(fixed_text(app, source))
    words.close()

    assert words.found + list(untranslated_strings(app, source)) == []


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_no_style_or_script_is_written_into_a_page(app: Flask, path: Path) -> None:
    words = VisibleWords()
    words.feed(fixed_text(app, path.read_text(encoding="utf-8")))
    words.close()

    assert words.blocked == []


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("<p>Hello</p>", ["Hello"]),
        ('<p>{{ _("Hello") }}</p>', []),
        ("<p>{% trans n=3 %}Hello {{ n }}{% pluralize %}Hellos{% endtrans %}</p> after", ["after"]),
        ('<img alt="A dog">', ["A dog"]),
        ('<p translate="no">NHS <b>FFT</b></p><p>Seen</p>', ["Seen"]),
        ('<a class="button large" href="{{ url_for(".home") }}">{{ icon("arrow") }}</a>', []),
        ('{{ button("Send it") }}', ["Send it"]),
        ('{{ button(_("Send it"), class="wide") }}', []),
        ('<p class="{% block page_class %}wide page{% endblock %}">Here</p>', ["Here"]),
        ('{% if kind == "Scale" %}{{ x }}{% endif %}', []),
    ],
)
def test_the_search_for_untranslated_words_finds_them(app: Flask, source: str, expected: list[str]) -> None:
    words = VisibleWords()
    words.feed(fixed_text(app, source))
    words.close()

    assert words.found + list(untranslated_strings(app, source)) == expected
