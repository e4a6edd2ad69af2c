"""Reads delivered files row by row: CSV and XLSX become lines of named text values."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, TextIO

from openpyxl import load_workbook

from citizenvoice.errors import N_, DomainError
from citizenvoice.surveys.mapping import ColumnMapping, missing_columns

csv.field_size_limit(1_000_000)
SNIFFED_CHARS = 20_000


class FileError(DomainError):
    """A file cannot be read at all."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a file: the line it begins on, its values by column, or why it cannot be read."""

    line: int
    values: dict[str, str]
    done: int = 0  # bytes (CSV) or rows (XLSX) read so far
    problem: str = ""


def read_rows(path: Path, mapping: ColumnMapping) -> Iterator[Row]:
    """Yield every row after the header.

    Raises FileError if there is no header, it lacks a column of the mapping, or it is no such file.
    """
    if path.suffix.lower() == ".xlsx":
        yield from _xlsx_rows(path, mapping)
        return
    with path.open(encoding=mapping.encoding, errors="surrogateescape", newline="") as file:
        yield from _csv_rows(file, mapping)


def read_header(
    path: Path, *, encoding: str = "utf-8-sig", delimiter: str = "", sheet: str = ""
) -> list[str]:
    """Return the names of the columns."""
    if path.suffix.lower() == ".xlsx":
        return _header(next(_sheet_rows(path, sheet), ()))
    with path.open(encoding=encoding, errors="surrogateescape", newline="") as file:
        return _header(next(_csv_reader(file, delimiter), ()))


def size_of(path: Path, mapping: ColumnMapping) -> int:
    """Return how much there is to read: bytes of a CSV file, rows of a spreadsheet (0 if it does not say)."""
    if path.suffix.lower() != ".xlsx":
        return path.stat().st_size
    book = load_workbook(path, read_only=True)
    try:
        opened = book[mapping.sheet] if mapping.sheet else book.worksheets[0]
        return int(opened.max_row or 0)
    finally:
        book.close()


def _csv_rows(file: TextIO, mapping: ColumnMapping) -> Iterator[Row]:
    reader = _csv_reader(file, mapping.delimiter)
    header = _checked_header(_header(next(reader, ())), mapping)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield Row(line, {}, _position(file), N_("This row cannot be read: a quotation mark is missing."))
            continue
        if cells:
            yield _row(line, header, cells, _position(file))


def _csv_reader(file: TextIO, delimiter: str) -> Any:
    if not delimiter:
        start = file.read(SNIFFED_CHARS)
        file.seek(0)
        first_line = start.split("\n", 1)[0]
        delimiter = max(",;\t|", key=first_line.count)
    return csv.reader(file, delimiter=delimiter)


def _position(file: TextIO) -> int:
    return file.buffer.tell()


def _xlsx_rows(path: Path, mapping: ColumnMapping) -> Iterator[Row]:
    rows = _sheet_rows(path, mapping.sheet)
    header = _checked_header(_header(next(rows, ())), mapping)
    for number, cells in enumerate(rows, 2):
        if any(cell is not None for cell in cells):
            yield _row(number, header, [_text(cell) for cell in cells][: len(header)], number)


def _sheet_rows(path: Path, sheet: str) -> Iterator[Sequence[Any]]:
    try:
        book = load_workbook(path, read_only=True, data_only=True)
    except Exception as error:
        raise FileError(N_("This is not an XLSX file that can be read.")) from error
    if sheet and sheet not in book.sheetnames:
        raise FileError(N_("There is no sheet “%(sheet)s” in this file."), sheet=sheet)
    opened = book[sheet] if sheet else book.worksheets[0]
    try:
        yield from opened.iter_rows(values_only=True)
    finally:
        book.close()


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
        if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
            return Row(line, values, done, N_("This row is not in the encoding that was named."))
    return Row(line, values, done)
