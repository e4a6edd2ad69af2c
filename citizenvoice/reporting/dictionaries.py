"""What the columns and codes of a file mean: one line for each code of each column."""

from collections.abc import Callable, Iterable, Iterator

from citizenvoice.agencies.models import CHANNEL_NAMES
from citizenvoice.reporting.spreadsheets import Value

BETWEEN = "|"  # several values in one cell
DICTIONARY_COLUMNS = ("column", "survey", "versions", "kind", "meaning", "code", "label")
Translate = Callable[[str], str]


def channel_labels(translate: Translate) -> list[tuple[Value, str]]:
    """Return (code, words) of every channel."""
    return [(str(channel), translate(name)) for channel, name in CHANNEL_NAMES.items()]


def entries(
    column: str, survey: str, versions: str, kind: str, meaning: str, codes: Iterable[tuple[Value, str]]
) -> Iterator[tuple[Value, ...]]:
    """Yield one line for a column, or one for each of its codes."""
    found = list(codes) or [("", "")]
    for code, label in found:
        yield (column, survey, versions, kind, meaning, code, label)
