"""Reads a CSV file of comments of any size, and writes what was read beside it."""

import csv
import io
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from citizenvoice.nlp.examples import prompt_for
from citizenvoice.nlp.reader import Reader, Reading

AT_ONCE = 500
SHOWN = 20
"""So many problems are told one by one; all of them stand in the file that is written."""

LONGEST_FIELD = 10_000_000

COLUMNS = (
    "language",
    "sentiment",
    "p1",
    "p2",
    "p3",
    "p4",
    "p5",
    "mixed",
    "themes",
    "suggested_themes",
    "urgent",
    "confident",
    "problem",
)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which columns hold what; empty where there is none."""

    text: str
    question: str = ""
    language: str = ""
    rating: str = ""
    is_highest_best: bool = True
    keeps_columns: bool = False


@dataclass(slots=True)
class Summary:
    """What became of the rows of a file."""

    n_rows: int = 0
    n_read: int = 0
    n_unread: int = 0
    n_problems: int = 0
    n_doubtful: int = 0
    first_problems: list[str] = field(default_factory=list)

    def add(self, number: int, reading: Reading | None, problem: str) -> None:
        """Count one row."""
        self.n_rows += 1
        self.n_read += reading is not None and reading.sentiment is not None
        self.n_unread += reading is not None and reading.sentiment is None
        self.n_doubtful += reading is not None and reading.sentiment is not None and not reading.is_confident
        if problem:
            self.n_problems += reading is None
            if len(self.first_problems) < SHOWN:
                self.first_problems.append(f"Row {number}: {problem}")


@dataclass(frozen=True, slots=True)
class _Row:
    number: int
    cells: Mapping[str, str]
    text: str = ""
    prompt: str | None = None
    language: str | None = None
    rating: int | None = None
    problem: str = ""
    is_lost: bool = False


def read_file(
    source: Path, out: Path, reader: Reader, wanted: Wanted, advance: Callable[[int], object]
) -> Summary:
    """Read every row of a CSV file in UTF-8 and write one row for each, in order.

    A row that cannot be understood or read is written with its problem, and the rest go on. ``advance`` is
    told how many bytes were taken since it was last told.

    Raises ValueError if there is no such column.
    """
    csv.field_size_limit(LONGEST_FIELD)
    summary = Summary()
    with source.open("rb") as raw, out.open("w", encoding="utf-8", newline="") as target:
        rows = csv.DictReader(io.TextIOWrapper(raw, encoding="utf-8-sig", errors="replace", newline=""))
        header = [name or "" for name in rows.fieldnames or ()]
        if missing := {wanted.text, wanted.question, wanted.language, wanted.rating} - {"", *header}:
            raise ValueError(
                f"The file has no column {', '.join(sorted(missing))}; it has {', '.join(header)}."
            )
        kept = header if wanted.keeps_columns else []
        writer = csv.writer(target, lineterminator="\n")
        writer.writerow(["row", *(f"original_{n}" if n in COLUMNS else n for n in kept), *COLUMNS])
        at = 0
        for batch in _batches(_rows(rows, wanted)):
            for row, (reading, problem) in zip(batch, _read(batch, reader), strict=True):
                summary.add(row.number, reading, problem)
                copied = [row.cells.get(name, "") for name in kept]
                writer.writerow([row.number, *copied, *_cells(reading, problem)])
            advance(raw.tell() - at)
            at = raw.tell()
    return summary


def _batches(rows: Iterator[_Row]) -> Iterator[list[_Row]]:
    while batch := list(islice(rows, AT_ONCE)):
        yield batch


def _rows(rows: "csv.DictReader[str]", wanted: Wanted) -> Iterator[_Row]:
    number = 0
    while True:
        number += 1
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            yield _Row(number, {}, problem=f"The row cannot be parsed: {error}.", is_lost=True)
            continue
        yield _row(number, row, wanted)


def _row(number: int, row: Mapping[str | None, str | list[str] | None], wanted: Wanted) -> _Row:
    cells = {name: value for name, value in row.items() if name is not None and isinstance(value, str)}
    if wanted.text not in cells:
        return _Row(number, cells, problem="The row is too short: it has no text.", is_lost=True)
    problems = []
    if None in row:
        problems.append("The row has more cells than the header.")
    if "\ufffd" in cells[wanted.text]:
        problems.append("Some characters are not UTF-8.")
    rating = cells.get(wanted.rating, "").strip() if wanted.rating else ""
    number_given = int(rating) if rating in {"1", "2", "3", "4", "5"} else None
    if rating and number_given is None:
        problems.append(f"{rating[:20]!r} is no rating of 1 to 5; read without.")
    if number_given and not wanted.is_highest_best:
        number_given = 6 - number_given
    return _Row(
        number,
        cells,
        text=cells[wanted.text],
        prompt=prompt_for(cells.get(wanted.question, "").strip()) if wanted.question else None,
        language=(cells.get(wanted.language, "").strip() or None) if wanted.language else None,
        rating=number_given,
        problem=" ".join(problems),
    )


def _read(batch: Sequence[_Row], reader: Reader) -> list[tuple[Reading | None, str]]:
    good = [row for row in batch if not row.is_lost]
    try:
        readings = dict(zip((row.number for row in good), _readings(good, reader), strict=True))
    except Exception:  # whatever a text did to the reader, the others must be read
        log.exception("A batch of %d comments could not be read; trying one by one.", len(good))
        return [_read_alone(row, reader) for row in batch]
    return [(readings.get(row.number), row.problem) for row in batch]


def _read_alone(row: _Row, reader: Reader) -> tuple[Reading | None, str]:
    if row.is_lost:
        return None, row.problem
    try:
        return _readings([row], reader)[0], row.problem
    except Exception as error:  # noqa: BLE001 - as in _read, and the row says why
        return None, f"The comment could not be read: {error}"


def _readings(rows: Sequence[_Row], reader: Reader) -> list[Reading]:
    return reader.read(
        [row.text for row in rows],
        prompts=[row.prompt for row in rows],
        languages=[row.language for row in rows],
        ratings=[row.rating for row in rows],
    )


def _cells(reading: Reading | None, problem: str) -> list[str]:
    if reading is None:
        return ["", *[""] * (len(COLUMNS) - 2), problem]
    if reading.sentiment is None or reading.sentiment_probabilities is None:
        return [reading.language, *[""] * (len(COLUMNS) - 2), problem or "not read"]
    themes = [
        (f"{one.code}:{one.probability:.3f}:{one.sentiment}", one.is_suggestion) for one in reading.found
    ]
    return [
        reading.language,
        str(reading.sentiment),
        *(f"{p:.4f}" for p in reading.sentiment_probabilities),
        f"{reading.mixed:.4f}",
        "|".join(theme for theme, is_suggestion in themes if not is_suggestion),
        "|".join(theme for theme, is_suggestion in themes if is_suggestion),
        "|".join(f"{kind}:{p:.3f}" for kind, p in reading.urgent),
        "yes" if reading.is_confident else "no",
        problem,
    ]
