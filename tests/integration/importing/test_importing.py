from datetime import date
from pathlib import Path

import pytest
from flask import Flask
from openpyxl import Workbook
from sqlalchemy import func, select

from citizenvoice.db import db
from citizenvoice.feedback.models import Comment, Receipt
from citizenvoice.surveys.delivered import FileError
from citizenvoice.surveys.importing import Importer
from citizenvoice.surveys.mapping import MappingError, read_mapping
from citizenvoice.surveys.models import Response
from citizenvoice.surveys.parsing import parse_definition
from tests.integration.importing.bringing_in import EXAMPLES, NOW, bring, fft_survey, reasons

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
    survey = fft_survey("passport-renewal", "identity-card")

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
    survey = fft_survey("passport-renewal", "identity-card")
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


@pytest.mark.usefixtures("database")
def test_wide_digits_and_blanks_are_forgiven_in_mapped_columns(tmp_path: Path) -> None:
    survey = fft_survey("passports")
    toml = ONE_ROW_EACH.replace('"rating"', '{ column = "rating", map = { "1" = 1 } }')
    file = write(tmp_path / "a.csv", "id,at,rating,why", "1,2026-05-01,\u00a0１ ,", "2,2026-05-01,²,")

    summary = bring(survey, file, toml, tmp_path / "rejects.csv")

    assert (summary.n_imported, summary.n_rejected) == (1, 1)


@pytest.mark.usefixtures("database")
def test_ids_too_long_to_be_told_apart_are_refused(tmp_path: Path) -> None:
    survey = fft_survey("passports")
    rows = [f"{'x' * 120},2026-05-01,1,", f"{'x' * 120}a,2026-05-01,2,", f"{'x' * 120}b,2026-05-01,3,"]
    file = write(tmp_path / "a.csv", "id,at,rating,why", *rows)

    summary = bring(survey, file, ONE_ROW_EACH, tmp_path / "rejects.csv")

    assert summary.n_responses == 1
    assert reasons(tmp_path / "rejects.csv") == [
        (line, "id", "The id has more than 120 characters.") for line in ("3", "4")
    ]


@pytest.mark.usefixtures("database")
def test_only_the_formats_named_count_and_no_time_long_ago(tmp_path: Path) -> None:
    survey = fft_survey("passports")
    toml = ONE_ROW_EACH.replace('"at"', '{ column = "at", formats = ["%d/%m/%Y"] }')
    rows = ["1,03/05/2026,1,", "2,2026-05-03,1,", "3,03/05/0001,1,", "4,01/01/0001,1,", "5,31/12/1989,1,"]
    file = write(tmp_path / "a.csv", "id,at,rating,why", *rows)

    bring(survey, file, toml, tmp_path / "rejects.csv")

    assert [(line, reason) for line, _, reason in reasons(tmp_path / "rejects.csv")] == [
        ("3", "“2026-05-03” is not a time in any of the formats: %d/%m/%Y."),
        ("4", "“03/05/0001” lies before 1990."),
        ("5", "“01/01/0001” lies before 1990."),
        ("6", "“31/12/1989” lies before 1990."),
    ]


@pytest.mark.usefixtures("database")
def test_date_cells_of_a_spreadsheet_need_no_format(tmp_path: Path) -> None:
    survey = fft_survey("passports")
    toml = ONE_ROW_EACH.replace('"at"', '{ column = "at", formats = ["%d/%m/%Y"] }')
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (["id", "at", "rating", "why"], [1, date(2026, 5, 3), 2, ""], [2, "2026-05-03", 2, ""]):
        sheet.append(row)
    book.save(tmp_path / "a.xlsx")

    summary = bring(survey, tmp_path / "a.xlsx", toml, tmp_path / "rejects.csv")

    assert (summary.n_imported, summary.n_rejected) == (1, 1)
    assert db.session.scalars(select(Receipt.day)).all() == [date(2026, 5, 3)]


STRAY_QUOTES = {
    "to the end of the file": ['1,2026-05-01,1,"Slow', "2,2026-05-01,2,fine", "3,2026-05-02,3,good"],
    "to a quoted text": ['1,2026-05-01,1,"Slow', "2,2026-05-01,2,fine", '3,2026-05-02,3,"good"'],
    "to another stray quote": ['1,2026-05-01,1,"Slow', "2,2026-05-01,2,fine", '3,2026-05-02,3,good"'],
}


@pytest.mark.parametrize("rows", STRAY_QUOTES.values(), ids=STRAY_QUOTES)
@pytest.mark.usefixtures("database")
def test_a_stray_quote_refuses_its_row_and_swallows_no_other(tmp_path: Path, rows: list[str]) -> None:
    survey = fft_survey("passports")
    file = write(tmp_path / "a.csv", "id,at,rating,why", *rows)

    summary = bring(survey, file, ONE_ROW_EACH, tmp_path / "rejects.csv")

    assert (summary.n_rows, summary.n_imported) == (3, 2)
    assert reasons(tmp_path / "rejects.csv") == [
        ("2", "", "This row cannot be read: a quotation mark is missing.")
    ]


@pytest.mark.usefixtures("database")
def test_a_quoted_text_of_many_lines_and_commas_comes_in_whole(tmp_path: Path) -> None:
    survey = fft_survey("passports")
    long = "\n".join(["The desk, the chair, the lamp, the floor", *["more"] * 90])
    file = write(
        tmp_path / "a.csv", "id,at,rating,why", f'1,2026-05-01,1,"{long}"', f'2,2026-05-01,1,"{long}\n{long}"'
    )

    summary = bring(survey, file, ONE_ROW_EACH, tmp_path / "rejects.csv")

    assert summary.n_imported == 1
    assert db.session.scalars(select(Comment.text)).all() == [long]
    assert reasons(tmp_path / "rejects.csv")[0][0] == "93"


@pytest.mark.usefixtures("database")
def test_grouped_rows_are_half_done_when_read_and_done_when_stored(tmp_path: Path) -> None:
    survey = fft_survey("passports")
    rows = [f"{number // 2},2026-05-01,1," for number in range(2400)]
    file = write(tmp_path / "a.csv", "id,at,rating,why", *rows)
    toml = ONE_ROW_EACH.replace("[response]", "[response]\ngrouped = true")
    mapping = read_mapping(toml, parse_definition(survey.versions[-1].definition))
    told: list[tuple[int, int]] = []

    importer = Importer(
        survey,
        survey.versions[-1],
        mapping,
        now=NOW,
        tell=lambda done, summary: told.append((100 * done // file.stat().st_size, summary.n_responses)),
    )
    importer.run(file, tmp_path / "rejects.csv")

    assert told == [(70, 500), (91, 1000), (100, 1200)]


@pytest.mark.usefixtures("database")
def test_a_spreadsheet_that_is_none_is_named_by_the_command(app: Flask, tmp_path: Path) -> None:
    fft_survey("passports")
    (tmp_path / "a.xlsx").write_bytes(b"PK no spreadsheet")
    (tmp_path / "a.toml").write_text(ONE_ROW_EACH)
    mapping = ["--mapping", str(tmp_path / "a.toml")]

    told = app.test_cli_runner().invoke(
        args=["import", "responses", str(tmp_path / "a.xlsx"), "--survey", "fft", *mapping]
    )

    assert told.exit_code == 1
    assert told.output == "Error: This is not an XLSX file that can be read.\n"


@pytest.mark.usefixtures("database")
def test_refused_rows_are_kept_beside_the_file_only_if_there_are_some(app: Flask, tmp_path: Path) -> None:
    fft_survey("passports")
    (tmp_path / "a.toml").write_text(ONE_ROW_EACH)
    mapping = ["--mapping", str(tmp_path / "a.toml")]
    rejects = tmp_path / "a.csv.rejects.csv"

    for rating, is_kept in (("1", False), ("9", True)):
        file = write(tmp_path / "a.csv", "id,at,rating,why", f"{rating},2026-05-01,{rating},")
        told = app.test_cli_runner().invoke(
            args=["import", "responses", str(file), "--survey", "fft", *mapping]
        )
        assert rejects.exists() is is_kept
        assert (f"The refused rows and the reasons are in {rejects}." in told.output) is is_kept
