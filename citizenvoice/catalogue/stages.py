"""The rows in which the stages of a journey are edited."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from citizenvoice.config import LANGUAGES

N_EMPTY = 2  # rows for new stages
MAX_ROWS = 40


@dataclass(frozen=True, slots=True)
class StageRow:
    """One row: its number, and what is written in it."""

    number: int
    name: str = ""
    point: str = "post_interaction"
    names: Mapping[str, str] = field(default_factory=dict)

    @property
    def stage(self) -> tuple[str, str, Mapping[str, str]]:
        """What the row says, as the action takes it."""
        return self.name, self.point, {code: text for code, text in self.names.items() if text}


def rows_of(stages: Sequence[Any]) -> list[StageRow]:
    """Return a row a stage, and some empty ones."""
    rows = [
        StageRow(number, stage.name, stage.transaction_point, stage.names)
        for number, stage in enumerate(stages, 1)
    ]
    return rows + [StageRow(len(rows) + number) for number in range(1, N_EMPTY + 1)]


def read_rows(sent: Mapping[str, str]) -> list[StageRow]:
    """Return the rows of a form: ``name-1``, ``point-1``, ``name-1-es`` and so on."""
    rows = []
    for number in range(1, MAX_ROWS + 1):
        if f"name-{number}" not in sent:
            break
        names = {code: sent.get(f"name-{number}-{code}", "").strip()[:120] for code in LANGUAGES}
        name = sent[f"name-{number}"].strip()[:120]
        rows.append(StageRow(number, name, sent.get(f"point-{number}", ""), names))
    return rows
