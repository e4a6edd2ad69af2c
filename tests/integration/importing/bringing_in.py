"""A Friends and Family survey, and files brought into it."""

import csv
from datetime import UTC, datetime
from pathlib import Path

from citizenvoice.db import db
from citizenvoice.surveys import actions
from citizenvoice.surveys.importing import Importer, Summary
from citizenvoice.surveys.instrument_library import get_instrument
from citizenvoice.surveys.mapping import read_mapping
from citizenvoice.surveys.models import Survey
from citizenvoice.surveys.parsing import parse_definition
from tests.factories import AgencyFactory, ServiceFactory

NOW = datetime(2026, 6, 1, tzinfo=UTC)
EXAMPLES = Path(__file__).parents[3] / "docs" / "examples"


def fft_survey(*services: str) -> Survey:
    """Return an open survey about these services of one agency."""
    agency = AgencyFactory.create(time_zone="Europe/London")
    draft = get_instrument("nhs_fft").definition.to_json()
    survey = actions.create_survey(
        agency,
        name="Friends and Family",
        slug="fft",
        services=[ServiceFactory.create(agency=agency, slug=slug) for slug in services],
        draft=draft,
        now=NOW,
    )
    actions.publish(survey, now=NOW)
    db.session.commit()
    return survey


def bring(survey: Survey, path: Path, toml: str, rejects: Path) -> Summary:
    """Import a file and return its summary."""
    version = survey.versions[-1]
    mapping = read_mapping(toml, parse_definition(version.definition))
    summary = Importer(survey, version, mapping, now=NOW).run(path, rejects)
    parts = ("n_imported", "n_known", "n_changed", "n_rejected", "n_empty")
    assert summary.n_rows == sum(getattr(summary, part) for part in parts)
    return summary


def reasons(rejects: Path) -> list[tuple[str, str, str]]:
    """Return what was refused: line, column, sentence."""
    with rejects.open(encoding="utf-8-sig", newline="") as file:
        return [(row["line"], row["column"], row["reason"]) for row in csv.DictReader(file)]
