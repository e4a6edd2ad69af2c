"""The real file of two NHS trusts, with all its dirt. Skips where the file is not at hand."""

import csv
import os
import re
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import func, select

from citizenvoice.db import db
from citizenvoice.feedback.models import Comment
from citizenvoice.surveys.models import Response
from tests.integration.importing.bringing_in import bring, fft_survey, reasons

SHARED = Path(os.environ.get("CITIZENVOICE_SHARED", Path(__file__).parents[4] / "shared"))
FILE = SHARED / "data" / "nhs_patient_experience" / "comments.csv"

pytestmark = pytest.mark.skipif(not FILE.exists(), reason="needs the NHS file: set CITIZENVOICE_SHARED")


def slug(trust: str, service: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", f"{trust} {service or 'other'}".lower()).strip("-")


@pytest.mark.usefixtures("database")
def test_the_nhs_file_comes_in_with_all_its_dirt(tmp_path: Path) -> None:
    with FILE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    pairs = sorted({(row["trust"], " ".join(row["service_type_1"].split())) for row in rows})
    survey = fft_survey(*(slug(*pair) for pair in pairs))
    asked = {" ".join(row["question"].split()) for row in rows}
    better = {"How could we improve?", "What could we do better?"}
    toml = "\n".join(
        [
            "[response]",
            'id = "respondent_id"',
            "grouped = true",
            'received_at = { column = "date", formats = ["%d/%m/%Y"] }',
            'channel = { constant = "other_non_digital" }',
            'service.columns = ["trust", "service_type_1"]',
            "[response.service.map]",
            *(f'"{trust}|{service}" = "{slug(trust, service)}"' for trust, service in pairs),
            "[answers.fft]",
            'column = "fft_rating"',
            'map = { "1" = 1, "2" = 2, "3" = 3, "4" = 4, "5" = 5, "6" = "dk" }',
            "[[texts]]",
            'column = "text"',
            'ignore = ["Did not answer", "N/A"]',
            'question.column = "question"',
            "[texts.question.map]",
            *(f'"{text}" = "{"better" if text in better else "why"}"' for text in sorted(asked)),
        ]
    )

    summary = bring(survey, FILE, toml, tmp_path / "rejects.csv")

    assert summary.n_rows == len(rows)
    refused = reasons(tmp_path / "rejects.csv")
    n_sevens = sum(row["fft_rating"] == "7" for row in rows)
    assert sum("“7”" in sentence for _, _, sentence in refused) == n_sevens == 344
    columns = Counter(column for _, column, _ in refused)
    assert columns["date"] + columns["trust + service_type_1"] > 0, "some respondents' rows disagree"
    assert db.session.scalar(select(func.count()).select_from(Response)) == summary.n_responses > 3000
    assert db.session.scalar(select(func.count()).select_from(Comment)) == summary.n_comments
    per_respondent = Counter(db.session.scalars(select(func.count(Comment.id)).group_by(Comment.receipt_id)))
    assert per_respondent[2] > 500, "two comments of one respondent are one response"

    again = bring(survey, FILE, toml, tmp_path / "rejects.csv")
    assert (again.n_responses, again.n_known) == (0, summary.n_imported)
