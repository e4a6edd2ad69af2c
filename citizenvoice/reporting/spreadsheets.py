"""Tables as CSV and XLSX, written row by row while they are sent, and harmless in a spreadsheet."""

import csv
import io
import re
import unicodedata
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from xml.sax.saxutils import escape, quoteattr

Value = str | int | float | bool | date | datetime | None

CHUNK = 64 * 1024  # bytes gathered before they are sent
BOM = "\ufeff"
FORMULA_STARTS = frozenset("=+-@")
SHEET_ROWS = 1_000_000  # a worksheet holds 1,048,576
SHEET_CHARS = 1_500_000_000  # and a part of the file 2 GiB, which not every program reads beyond
CELL_CHARS = 32_767

_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_SHEET_NAME = re.compile(r"[\[\]:*?/\\']")


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table: its name, the machine names of its columns, and its rows, which are read once."""

    name: str
    columns: Sequence[str]
    rows: Iterable[Sequence[Value]]


def safe_cell(value: Value) -> Value:
    """Return a value that no spreadsheet takes for a formula; numbers and days stay what they are.

    Text that begins, perhaps after blanks, with ``= + - @`` in any width, or with a tab or a line break, gets
    an apostrophe in front.

    >>> safe_cell("=1+1"), safe_cell(" ＠SUM(A1)"), safe_cell("a = b"), safe_cell(-5)
    ("'=1+1", "' ＠SUM(A1)", 'a = b', -5)
    """
    if not isinstance(value, str) or not value:
        return value
    if value[0] in "\t\r\n" or _starts_formula(value):
        return f"'{value}"
    return value


def _starts_formula(text: str) -> bool:
    for character in text:
        if character.isspace() or unicodedata.category(character) in {"Cc", "Cf", "Zs", "Mn"}:
            continue  # invisible: a program that trims it would see what follows
        return unicodedata.normalize("NFKC", character)[:1] in FORMULA_STARTS
    return False


def csv_bytes(sheet: Sheet, *, is_marked: bool = False) -> Iterator[bytes]:
    """Write a table as UTF-8 CSV (RFC 4180), some rows at a time; on wish with a byte-order mark."""
    page = io.StringIO()
    if is_marked:
        page.write(BOM)
    writer = csv.writer(page, quoting=csv.QUOTE_MINIMAL, lineterminator="\r\n")
    writer.writerow(sheet.columns)
    for row in sheet.rows:
        writer.writerow([_plain(safe_cell(value)) for value in row])
        if page.tell() >= CHUNK:
            yield page.getvalue().encode()
            page.seek(0)
            page.truncate()
    yield page.getvalue().encode()


def _plain(value: Value) -> Value:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, str):
        return value.replace("\x00", "")
    return value


class _Pipe(io.RawIOBase):
    """A file that is written on one side and taken away on the other; it cannot go back."""

    def __init__(self) -> None:
        self._waiting: list[bytes] = []
        self.size = 0

    def writable(self) -> bool:
        """Say that it can be written."""
        return True

    def write(self, data: object) -> int:
        """Keep what was written until it is taken."""
        piece = bytes(data)  # type: ignore[call-overload]
        self._waiting.append(piece)
        self.size += len(piece)
        return len(piece)

    def take(self) -> bytes:
        """Return what was written since the last time."""
        taken = b"".join(self._waiting)
        self._waiting, self.size = [], 0
        return taken


def xlsx_bytes(sheets: Iterable[Sheet]) -> Iterator[bytes]:
    """Write tables as an Excel workbook (ECMA-376), some rows at a time.

    Nothing is kept: neither in memory nor in a file of its own. A table with more rows than a worksheet can
    hold goes on in the next one. Texts are written as texts, never as formulas, and are made safe all the
    same: what is saved as CSV from the workbook must be as harmless as our own.
    """
    pipe = _Pipe()
    names: list[str] = []
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED, compresslevel=5) as archive:
        for sheet in sheets:
            rows: Iterator[Sequence[Value]] = iter(sheet.rows)
            row = next(rows, None)
            is_first = True
            while is_first or row is not None:
                names.append(_sheet_name(sheet.name, names))
                with archive.open(f"xl/worksheets/sheet{len(names)}.xml", "w") as part:
                    n_chars = part.write(_SHEET_HEAD + _row_xml(sheet.columns, header=True))
                    n_rows = 0
                    while row is not None and n_rows < SHEET_ROWS and n_chars < SHEET_CHARS:
                        n_chars += part.write(_row_xml(row))
                        n_rows += 1
                        row = next(rows, None)
                        if pipe.size >= CHUNK:
                            yield pipe.take()
                    part.write(b"</sheetData></worksheet>")
                is_first = False
        for name, text in _about(names):
            archive.writestr(name, text)
    yield pipe.take()


def _row_xml(row: Sequence[Value], *, header: bool = False) -> bytes:
    style = ' s="1"' if header else ""
    return f"<row>{''.join([_cell_xml(value, style) for value in row])}</row>".encode()


def _cell_xml(value: Value, style: str) -> str:
    if value is None or value == "":
        return "<c/>"
    if isinstance(value, bool):
        return f"<c><v>{int(value)}</v></c>"
    if isinstance(value, int | float):
        return f"<c><v>{value!r}</v></c>"
    if isinstance(value, datetime):
        value = value.isoformat()
    elif isinstance(value, date):
        return f'<c s="2"><v>{value.toordinal() - 693594}</v></c>'  # days since 1899-12-30
    text = _UNWRITABLE.sub("", str(safe_cell(value)))[:CELL_CHARS]
    return f'<c t="inlineStr"{style}><is><t xml:space="preserve">{escape(text)}</t></is></c>'


def _sheet_name(name: str, taken: Sequence[str]) -> str:
    plain = _SHEET_NAME.sub(" ", name)[:25] or "sheet"
    number, candidate = 1, plain
    while candidate.lower() in {other.lower() for other in taken}:
        number += 1
        candidate = f"{plain} {number}"
    return candidate


_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_SHEET_HEAD = (
    f'{_XML}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0">'
    '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>'
    "<sheetData>"
).encode()
_STYLES = (
    f'{_XML}<styleSheet xmlns="{_MAIN}">'
    '<numFmts count="1"><numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd"/></numFmts>'
    '<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>'
    '<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill>'
    '<fill><patternFill patternType="gray125"/></fill></fills>'
    '<borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs>'
    '<cellXfs count="3"><xf xfId="0"/><xf xfId="0" fontId="1" applyFont="1"/>'
    '<xf xfId="0" numFmtId="164" applyNumberFormat="1"/></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
)


def _about(names: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield the parts that say what the workbook holds; they are known last."""
    sheets = types = relations = ""
    for n, name in enumerate(names, start=1):
        sheets += f'<sheet name={quoteattr(name)} sheetId="{n}" r:id="rId{n}"/>'
        types += f'<Override PartName="/xl/worksheets/sheet{n}.xml" ContentType="{_KIND}.worksheet+xml"/>'
        relations += _relation(n, "worksheet", f"worksheets/sheet{n}.xml")
    relations += _relation(len(names) + 1, "styles", "styles.xml")
    workbook = f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{sheets}</sheets></workbook>'
    yield "xl/workbook.xml", _XML + workbook
    yield "xl/_rels/workbook.xml.rels", _relations(relations)
    yield "xl/styles.xml", _STYLES
    yield "_rels/.rels", _relations(_relation(1, "officeDocument", "xl/workbook.xml"))
    yield "[Content_Types].xml", _TYPES.format(more=types)


_TYPES = (
    f'{_XML}<Types xmlns="{_PACKAGE}/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{_KIND}.sheet.main+xml"/>'
    f'<Override PartName="/xl/styles.xml" ContentType="{_KIND}.styles+xml"/>{{more}}</Types>'
)


def _relation(n: int, kind: str, target: str) -> str:
    return f'<Relationship Id="rId{n}" Type="{_OFFICE}/{kind}" Target="{target}"/>'


def _relations(found: str) -> str:
    return f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships">{found}</Relationships>'
