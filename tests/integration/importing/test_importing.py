from pathlib import Path

import pytest
from openpyxl import Workbook
from sqlalchemy import func, select

from citizenvoice.db import db
from citizenvoice.feedback.models import Comment, Receipt
from citizenvoice.surveys.definition import parse_definition
from citizenvoice.surveys.delivered import FileError
from citizenvoice.surveys.mapping import MappingError, read_mapping
from citizenvoice.surveys.models import Response
from tests.integration.importing.bringing_in import EXAMPLES, bring, fft_survey, reasons

VISITS = (EXAMPLES / "visits.toml").read_text()
ONE_ROW_EACH = """
[response]
id = "id"
received_at = "at"
channel = { constant = "website" }
[answers]
fft = "rating"
[[texts]]
column = "why"
question = "why"
"""


def write(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.mark.usefixtures("database")
def test_the_worked_example_comes_in_as_the_docs_say(tmp_path: Path) -> None:
    survey = fft_survey("passports", "identity-cards")

    summary = bring(survey, EXAMPLES / "visits.csv", VISITS, tmp_path / "rejects.csv")

    assert (summary.n_rows, summary.n_imported, summary.n_rejected) == (8, 4, 4)
    assert (summary.n_responses, summary.n_comments) == (3, 3)
    assert reasons(tmp_path / "rejects.csv") == [
        ("5", "rating", "“9” is not among the values the mapping knows."),
        ("6", "when", "“32/05/2026” is not a time in any of the formats: %d/%m/%Y."),
        ("7", "desk", "“Parking” is not among the values the mapping knows."),
        ("9", "when", "This says something else than line 8 of the same respondent."),
    ]
    texts = set(db.session.scalars(select(Comment.text)))
    assert "Answer the phone: call me on [phone]." in texts


@pytest.mark.usefixtures("database")
def test_sending_a_file_again_adds_nothing(tmp_path: Path) -> None:
    survey = fft_survey("passports", "identity-cards")
    bring(survey, EXAMPLES / "visits.csv", VISITS, tmp_path / "rejects.csv")

    again = bring(survey, EXAMPLES / "visits.csv", VISITS, tmp_path / "rejects.csv")

    assert (again.n_imported, again.n_known, again.n_responses) == (0, 4, 0)
    assert db.session.scalar(select(func.count()).select_from(Response)) == 3


@pytest.mark.usefixtures("database")
def test_the_first_delivery_of_an_id_wins_and_another_is_reported(tmp_path: Path) -> None:
    survey = fft_survey("passports")
    first = write(tmp_path / "a.csv", "id,at,rating,why", "1,2026-05-01,5,Slow.")
    other = write(tmp_path / "b.csv", "id,at,rating,why", "1,2026-05-01,1,Quick.")
    bring(survey, first, ONE_ROW_EACH, tmp_path / "rejects.csv")

    summary = bring(survey, other, ONE_ROW_EACH, tmp_path / "rejects.csv")

    assert summary.n_changed == 1
    assert db.session.scalars(select(Response.answers)).all() == [{"fft": 5}]
    assert "delivered before" in reasons(tmp_path / "rejects.csv")[0][2]


@pytest.mark.usefixtures("database")
def test_what_surrounds_a_number_is_forgiven_and_other_notations_are_not(tmp_path: Path) -> None:
    survey = fft_survey("passports")
    rows = [
        "1,2026-05-01,\u00a04 ,",
        "2,2026-05-01,３,",
        "3,2026-05-01,4.0,",
        "4,2026-05-01,four,",
        "5,2026-05-01,7,",
    ]
    file = write(tmp_path / "a.csv", "\ufeffid,at,rating,why", *rows)

    summary = bring(survey, file, ONE_ROW_EACH, tmp_path / "rejects.csv")

    assert summary.n_imported == 2
    assert [line for line, _, _ in reasons(tmp_path / "rejects.csv")] == ["4", "5", "6"]


@pytest.mark.usefixtures("database")
def test_times_take_the_agency_zone_unless_they_carry_an_offset(tmp_path: Path) -> None:
    survey = fft_survey("passports")
    file = write(
        tmp_path / "a.csv",
        "id,at,rating,why",
        "1,2026-05-01T00:30:00,1,",  # London is an hour ahead of UTC in May
        "2,2026-05-01T00:30:00+02:00,1,",
        "3,2027-05-01,1,",
    )

    bring(survey, file, ONE_ROW_EACH, tmp_path / "rejects.csv")

    found = db.session.execute(select(Receipt.received_at, Receipt.day).order_by(Receipt.id)).all()
    assert [(at.isoformat(), day.isoformat()) for at, day in found] == [
        ("2026-04-30T23:30:00+00:00", "2026-05-01"),
        ("2026-04-30T22:30:00+00:00", "2026-04-30"),
    ]
    assert reasons(tmp_path / "rejects.csv") == [("4", "at", "“2027-05-01” lies in the future.")]


@pytest.mark.usefixtures("database")
def test_a_spreadsheet_comes_in_like_text(tmp_path: Path) -> None:
    survey = fft_survey("passports")
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (["id", "at", "rating", "why"], [7, "2026-05-01", 2, "=1+1 kind people"], [None] * 4):
        sheet.append(row)
    sheet["D2"].data_type = "s"
    book.save(tmp_path / "a.xlsx")

    summary = bring(survey, tmp_path / "a.xlsx", ONE_ROW_EACH, tmp_path / "rejects.csv")

    assert (summary.n_rows, summary.n_imported) == (1, 1)
    assert db.session.scalars(select(Comment.text)).all() == ["=1+1 kind people"]


@pytest.mark.usefixtures("database")
def test_broken_rows_are_named_and_the_others_come_in(tmp_path: Path) -> None:
    survey = fft_survey("passports")
    file = tmp_path / "a.csv"
    file.write_bytes(
        b"id,at,rating,why\n1,2026-05-01,1,fine\n2,2026-05-01,1,a,b,c\n3,2026-05-01,1,caf\xe9\n"
        b',2026-05-01,1,no id\n5,2026-05-01,,\n6,2026-05-01,1,"two\nlines"\n7,,1,x\n'
    )

    summary = bring(survey, file, ONE_ROW_EACH, tmp_path / "rejects.csv")

    assert (summary.n_imported, summary.n_rejected, summary.n_empty) == (2, 4, 1)
    assert [line for line, _, _ in reasons(tmp_path / "rejects.csv")] == ["3", "4", "5", "9"]


@pytest.mark.usefixtures("database")
def test_rows_without_an_id_come_in_once(tmp_path: Path) -> None:
    survey = fft_survey("passports")
    toml = ONE_ROW_EACH.replace('id = "id"\n', "")
    file = write(tmp_path / "a.csv", "at,rating,why", "2026-05-01,1,", "2026-05-01,1,", "2026-05-02,2,")

    first = bring(survey, file, toml, tmp_path / "rejects.csv")
    again = bring(survey, file, toml, tmp_path / "rejects.csv")

    assert (first.n_responses, again.n_responses, again.n_known) == (3, 0, 3)


@pytest.mark.parametrize(
    ("toml", "named"),
    [
        ("[respons]\n", "respons"),
        ('[response]\nreceived_at = "at"\n[answers]\nsmile = "x"\n', "answers.smile"),
        ('[response]\nreceived_at = "at"\n[[texts]]\ncolumn = "x"\nquestion = "fft"\n', "texts.1.question"),
        ('[answers]\nfft = "x"\n', "response.received_at"),
        ("[response\n", "not valid TOML"),
        ('[response]\ngrouped = true\nreceived_at = "at"\n[answers]\nfft = "x"\n', "response.id"),
    ],
)
@pytest.mark.usefixtures("database")
def test_a_mistaken_mapping_is_named(toml: str, named: str) -> None:
    definition = parse_definition(fft_survey("passports").versions[-1].definition)

    with pytest.raises(MappingError, match=named):
        read_mapping(toml, definition)


@pytest.mark.usefixtures("database")
def test_a_missing_column_is_named_with_those_there_are(tmp_path: Path) -> None:
    survey = fft_survey("passports")
    file = write(tmp_path / "a.csv", "id,at,score", "1,2026-05-01,5")

    with pytest.raises(FileError, match=r"“rating”, “why”.*id, at, score"):
        bring(survey, file, ONE_ROW_EACH, tmp_path / "rejects.csv")
