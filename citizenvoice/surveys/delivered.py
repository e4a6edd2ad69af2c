"""Reads delivered files row by row: CSV and XLSX become lines of named text values."""

import codecs
import csv
import re
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any, TextIO

from openpyxl import Workbook, load_workbook

from citizenvoice.errors import N_, DomainError
from citizenvoice.surveys.mapping import ColumnMapping, missing_columns

csv.field_size_limit(1_000_000)
SNIFFED_CHARS = 20_000
MAX_LINES = 100  # of one row: a longer one has lost a quotation mark
UTF_16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
SURROGATES = re.compile("[\ud800-\udfff]")  # bytes that are nothing in the file's encoding

NOT_UTF_8 = N_("The file is not in UTF-8. Save it as “CSV UTF-8”.")
QUOTE_MISSING = N_("This row cannot be read: a quotation mark is missing.")


class FileError(DomainError):
    """A file cannot be read at all."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a file: the line it begins on, its values by column, or why it cannot be read."""

    line: int
    values: dict[str, str]
    done: int = 0  # bytes (CSV) or rows (XLSX) read so far
    problem: str = ""
    dated: frozenset[str] = frozenset()  # columns whose cells are dates of a spreadsheet, not text


def read_rows(path: Path, mapping: ColumnMapping) -> Iterator[Row]:
    """Yield every row after the header.

    Raises FileError if there is no header, it lacks a column of the mapping, or it is no such file.
    """
    if path.suffix.lower() == ".xlsx":
        yield from _xlsx_rows(path, mapping)
        return
    with _open_text(path, mapping.encoding) as file:
        yield from _csv_rows(file, mapping)


def read_header(
    path: Path, *, encoding: str = "utf-8-sig", delimiter: str = "", sheet: str = ""
) -> list[str]:
    """Return the names of the columns. Raises FileError if they cannot be read."""
    if path.suffix.lower() == ".xlsx":
        return _header(next(_sheet_rows(path, sheet), ()))
    with _open_text(path, encoding) as file:
        return _csv_header(_csv_reader(_Lines(file), _delimiter(file, delimiter)))


def size_of(path: Path, mapping: ColumnMapping) -> int:
    """Return how much there is to read: bytes of a CSV file, rows of a spreadsheet (0 if it does not say).

    Raises FileError if it is no such file.
    """
    if path.suffix.lower() != ".xlsx":
        return path.stat().st_size
    book = _open_book(path, mapping.sheet)
    try:
        opened = book[mapping.sheet] if mapping.sheet else book.worksheets[0]
        return int(opened.max_row or 0)
    finally:
        book.close()


def _open_text(path: Path, encoding: str) -> TextIO:
    """Open a text file; one that says in its first bytes that it is UTF-16 is read as that."""
    with path.open("rb") as file:
        if file.read(2) in UTF_16_MARKS:
            encoding = "utf-16"
    return path.open(encoding=encoding, errors="surrogateescape", newline="")


class _Lines:
    """The lines of a file, of which those of a row that cannot be read are given back but for the first."""

    def __init__(self, file: TextIO) -> None:
        self.file = file
        self.n_taken = 0
        self.of_row: list[str] = []
        self._given_back: deque[str] = deque()

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if len(self.of_row) >= MAX_LINES:
            raise csv.Error(QUOTE_MISSING)
        try:
            line = self._given_back.popleft() if self._given_back else next(self.file)
        except UnicodeError as error:
            raise FileError(NOT_UTF_8) from error
        self.n_taken += 1
        self.of_row.append(line)
        return line

    def give_back(self) -> None:
        """Let all lines of this row but the first be read again."""
        again = self.of_row[1:]
        self._given_back.extendleft(reversed(again))
        self.n_taken -= len(again)


def _csv_rows(file: TextIO, mapping: ColumnMapping) -> Iterator[Row]:
    delimiter = _delimiter(file, mapping.delimiter)
    lines = _Lines(file)
    reader = _csv_reader(lines, delimiter)
    header = _checked_header(_csv_header(reader), mapping)
    when = header.index(mapping.received_at.columns[0]) if mapping.received_at.columns else None
    shape = ""
    while True:
        line = lines.n_taken + 1
        lines.of_row.clear()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            cells, is_whole = [], False
        else:
            shape = shape or _shape(cells, when)
            is_whole = not _holds_rows(lines.of_row[1:], len(header), delimiter, when, shape)
        if not is_whole:
            lines.give_back()
            yield Row(line, {}, _position(file), QUOTE_MISSING)
        elif cells:
            shape = _shape(cells, when) or shape
            yield _row(line, header, cells, _position(file))


def _holds_rows(lines: Sequence[str], n_columns: int, delimiter: str, when: int | None, shape: str) -> bool:
    """Tell whether one of a row's further lines is a row itself: as many cells, a time where times are."""
    if not lines or not shape or n_columns < 2:
        return False
    parsed = (next(csv.reader([line], delimiter=delimiter), []) for line in lines)
    return any(len(cells) == n_columns and _shape(cells, when) == shape for cells in parsed)


def _shape(cells: Sequence[str], when: int | None) -> str:
    """Return how the time of a row is written, digits told apart from the rest only."""
    if when is None or when >= len(cells):
        return ""
    return re.sub(r"[0-9]+", "9", cells[when].strip())


def _csv_reader(lines: _Lines, delimiter: str) -> Any:
    return csv.reader(lines, delimiter=delimiter, strict=True)


def _csv_header(reader: Any) -> list[str]:
    try:
        names = _header(next(reader, ()))
    except csv.Error as error:
        raise FileError(N_("The first row cannot be read: a quotation mark is missing.")) from error
    if any("\0" in name or SURROGATES.search(name) for name in names):
        raise FileError(NOT_UTF_8)
    return names


def _delimiter(file: TextIO, named: str) -> str:
    if named:
        return named
    try:
        start = file.read(SNIFFED_CHARS)
    except UnicodeError as error:
        raise FileError(NOT_UTF_8) from error
    file.seek(0)
    return max(",;\t|", key=start.split("\n", 1)[0].count)


def _position(file: TextIO) -> int:
    return file.buffer.tell()


def _xlsx_rows(path: Path, mapping: ColumnMapping) -> Iterator[Row]:
    rows = _sheet_rows(path, mapping.sheet)
    header = _checked_header(_header(next(rows, ())), mapping)
    for number, cells in enumerate(rows, 2):
        if any(cell is not None for cell in cells):
            dated = frozenset(
                name for name, cell in zip(header, cells, strict=False) if isinstance(cell, date)
            )
            row = _row(number, header, [_text(cell) for cell in cells][: len(header)], number)
            yield replace(row, dated=dated) if dated else row


def _sheet_rows(path: Path, sheet: str) -> Iterator[Sequence[Any]]:
    book = _open_book(path, sheet)
    opened = book[sheet] if sheet else book.worksheets[0]
    try:
        yield from opened.iter_rows(values_only=True)
    finally:
        book.close()


def _open_book(path: Path, sheet: str) -> Workbook:
    try:
        book = load_workbook(path, read_only=True, data_only=True)
    except Exception as error:
        raise FileError(N_("This is not an XLSX file that can be read.")) from error
    if sheet and sheet not in book.sheetnames:
        book.close()
        raise FileError(N_("There is no sheet “%(sheet)s” in this file."), sheet=sheet)
    return book


def _text(cell: Any) -> str:
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return cell.isoformat(sep="T", timespec="seconds")
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell)


def _header(cells: Sequence[Any]) -> list[str]:
    names = [_text(cell).replace("\ufeff", "").strip() for cell in cells]
    while names and not names[-1]:
        names.pop()
    if not names:
        raise FileError(N_("The file is empty: its first row must name the columns."))
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if twice:
        raise FileError(N_("Two columns have the same name: %(names)s."), names=", ".join(twice))
    return names


def _checked_header(header: list[str], mapping: ColumnMapping) -> list[str]:
    missing = missing_columns(mapping, header)
    if missing:
        raise FileError(
            N_("The file has no column %(missing)s. Its columns are: %(columns)s."),
            missing=", ".join(f"“{name}”" for name in missing),
            columns=", ".join(header),
        )
    return header


def _row(line: int, header: list[str], cells: list[str], done: int) -> Row:
    if any(cells[len(header) :]):
        return Row(line, {}, done, N_("This row has more values than the header has names."))
    values = dict(zip(header, cells, strict=False))
    for text in cells:
        if not text.isascii() and SURROGATES.search(text):
            shown = {name: SURROGATES.sub("\ufffd", said) for name, said in values.items()}
            return Row(line, shown, done, N_("This row is not in the encoding that was named."))
    return Row(line, values, done)
