import re
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from openpyxl import Workbook
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from citizenvoice.accounts.models import AuditEntry
from citizenvoice.accounts.scope import Role
from citizenvoice.db import db
from citizenvoice.demonstration import population
from citizenvoice.surveys import import_runs
from citizenvoice.surveys.models import ImportRun, Response, Survey
from citizenvoice.web.clock import utc_now
from tests.factories import AgencyFactory, ServiceFactory
from tests.integration.importing.bringing_in import EXAMPLES, fft_survey
from tests.members import member_of, sign_in
from tests.pages import PageClient

IMPORTS = "/manage/surveys/fft/imports"
SIMPLE = (
    "Response ID,Submitted on,Service,Overall how was your experience of our service?,Please tell us why\n"
    "1,03/05/2026 14:30,Passports,Very good,Quick\n"
    "2,04/05/2026 09:00,Passports,Poor,I waited two hours\n"
    "3,05/05/2026 10:00,Parking,Good,\n"
    "4,06/05/2026 10:00,Passports,Awful,\n"
)


@pytest.fixture
def survey(client: PageClient) -> Survey:
    """A survey about passports and identity cards whose manager has signed in."""
    survey = fft_survey("passport-renewal", "identity-card")
    survey.services[0].name, survey.services[1].name = "Passports", "Identity cards"
    sign_in(client, member_of(survey.agency, Role.MANAGER))
    return survey


def upload(client: PageClient, content: bytes, name: str = "answers.csv") -> TestResponse:
    return client.post(IMPORTS, data={"file": (BytesIO(content), name)}, content_type="multipart/form-data")


def filled_in(html: str) -> dict[str, str]:
    """Return what the first form of the page would send."""
    form = BeautifulSoup(html, "html.parser").select("main form")[0]
    sent: dict[Any, Any] = {}
    for control in form.select("input, textarea, select"):
        if control.name == "select":
            chosen = control.select_one("option[selected]") or control.select_one("option")
            sent[control["name"]] = chosen["value"] if chosen else ""
        elif control.get("type") != "checkbox" or control.has_attr("checked"):
            sent[control["name"]] = control.get("value") or control.get_text().removeprefix("\n")
    sent.pop("csrf_token", None)
    return sent


def files(app: Flask) -> list[str]:
    return sorted(path.name for path in Path(app.config["IMPORTS_FOLDER"]).glob("*"))


def test_a_file_comes_in_through_the_pages(app: Flask, client: PageClient, survey: Survey) -> None:
    before = files(app)
    columns = upload(client, SIMPLE.encode("utf-8-sig")).location
    guess = filled_in(client.get(columns).text)
    assert guess["at"] == "Submitted on"
    assert guess["at-format"] == "%d/%m/%Y %H:%M"
    assert (guess["id"], guess["service"]) == ("Response ID", "Service")
    assert guess["service-map"] == "Passports = passport-renewal\nParking = "
    assert guess["answer-fft"] == "Overall how was your experience of our service?"
    assert guess["answer-fft-map"] == "Very good = 1\nPoor = 4\nGood = 2\nAwful = "
    assert guess["text-why"] == "Please tell us why"

    preview = client.post(columns, data=guess).location
    page = client.get(preview).text
    assert "2 of the first rows would be refused" in page
    assert "Service: “Parking” is not among the values the mapping knows." in page
    assert db.session.scalar(select(func.count()).select_from(Response)) == 0

    run = client.post(preview.replace("preview", "start")).location
    assert "data-cv-live" in client.get(run).text
    assert import_runs.run_next(utc_now)
    assert not import_runs.run_next(utc_now)

    page = client.get(run).text
    assert "data-cv-live" not in page
    rejects = client.get(f"{run}/rejects.csv")
    assert rejects.text.count("not among the values") == 2
    found = db.session.scalars(select(ImportRun)).one()
    assert found.state == "done"
    assert found.summary == {
        "n_rows": 4,
        "n_imported": 2,
        "n_known": 0,
        "n_changed": 0,
        "n_rejected": 2,
        "n_empty": 0,
        "n_responses": 2,
        "n_comments": 2,
    }
    assert db.session.scalars(select(Response.answers).order_by(Response.id)).all() == [
        {"fft": 1},
        {"fft": 4},
    ]
    assert (
        db.session.scalars(select(AuditEntry.action).order_by(AuditEntry.id.desc())).first()
        == "import.started"
    )
    left = set(files(app)) - set(before)
    assert all(name.endswith(".rejects.csv") for name in left), "the uploaded file is deleted"


def test_a_mapping_says_more_than_the_form(client: PageClient, survey: Survey) -> None:
    columns = upload(client, (EXAMPLES / "visits.csv").read_bytes()).location

    preview = client.post(columns, data={"toml": (EXAMPLES / "visits.toml").read_text()}).location
    page = client.get(preview).text
    assert "4 of the first rows would be refused" in page
    assert "when: This says something else than line 8 of the same respondent." in page
    again = BeautifulSoup(client.get(columns).text, "html.parser")
    assert "[[texts]]" in again.select_one("#toml").text  # type: ignore[union-attr]

    run = client.post(preview.replace("preview", "start")).location
    import_runs.run_next(utc_now)
    assert "Refused" in client.get(run).text
    assert db.session.scalar(select(func.count()).select_from(Response)) == 3


@pytest.mark.parametrize(
    ("change", "said", "field"),
    [
        ({"at": ""}, "Choose the column that says when people answered.", "at"),
        ({"answer-fft-map": "Very good 1"}, "Line 1 has no “=”", "answer-fft-map"),
        ({"answer-fft": "", "text-why": ""}, "Choose the column of at least one question.", "answer-fft"),
        ({"id": "", "grouped": "1"}, "Choose the column by which rows of one person are known.", "id"),
        ({"toml": "[response"}, "The mapping is not valid TOML", "toml"),
        (
            {"toml": '[file]\nencoding="base64"\n[response]\nreceived_at="at"\n[answers]\nfft="x"'},
            "encoding",
            "toml",
        ),
    ],
)
def test_a_wrong_choice_is_named_and_what_was_chosen_stays(
    client: PageClient, survey: Survey, change: dict[str, str], said: str, field: str
) -> None:
    columns = upload(client, SIMPLE.encode()).location
    sent = filled_in(client.get(columns).text) | change

    response = client.post(columns, data=sent)

    assert response.status_code == 422
    page = BeautifulSoup(response.text, "html.parser")
    problem = page.select_one(".cv-errors a")
    assert problem is not None
    assert said in problem.text
    assert problem["href"] == f"#{field}"
    assert page.select_one(f"#{field}") is not None
    if "toml" not in change:
        assert filled_in(response.text) == sent


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.pdf", b"%PDF", "Choose a CSV or XLSX file."),
        ("a.csv", b"", "The file is empty"),
        ("a.xlsx", b"not a book", "This is not an XLSX file that can be read."),
        ("a.csv", b"a,a\n1,2\n", "Two columns have the same name: a."),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_and_not_kept(
    app: Flask, client: PageClient, survey: Survey, name: str, content: bytes, said: str
) -> None:
    before = files(app)

    response = upload(client, content, name)

    assert response.status_code == 422
    assert said in response.text
    assert files(app) == before
    assert db.session.scalars(select(ImportRun)).all() == []


def test_a_file_that_is_too_large_is_refused_in_words(
    app: Flask, client: PageClient, survey: Survey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "MAX_CONTENT_LENGTH", 100_000)

    response = upload(client, b"a,b\n" + b"1,2\n" * 40_000)

    assert response.status_code == 413
    assert "That is too large" in response.text


def test_a_spreadsheet_is_uploaded_like_text(client: PageClient, survey: Survey) -> None:
    book, stream = Workbook(), BytesIO()
    assert book.active is not None
    for line in SIMPLE.splitlines():
        book.active.append(line.split(","))
    book.save(stream)

    columns = upload(client, stream.getvalue(), "answers.xlsx").location
    preview = client.post(columns, data=filled_in(client.get(columns).text)).location
    run = client.post(preview.replace("preview", "start")).location
    import_runs.run_next(utc_now)

    assert client.get(run).status_code == 200
    assert db.session.scalars(select(ImportRun.summary)).one()["n_responses"] == 2


def test_an_uploaded_file_can_be_discarded_and_a_started_one_cannot(
    app: Flask, client: PageClient, survey: Survey
) -> None:
    before = files(app)
    first, second = (upload(client, SIMPLE.encode()).location for _ in range(2))
    client.post(second, data=filled_in(client.get(second).text))
    client.post(second.replace("columns", "start"))
    client.post(second.replace("columns", "start"))

    for columns in (first, second):
        client.post(columns.replace("columns", "discard"))

    assert db.session.scalars(select(ImportRun.state)).all() == ["waiting"]
    assert len(files(app)) == len(before) + 1
    assert len(db.session.scalars(select(AuditEntry).where(AuditEntry.action == "import.started")).all()) == 1


def test_viewers_see_what_came_in_and_nothing_of_the_rows(client: PageClient, survey: Survey) -> None:
    columns = upload(client, SIMPLE.encode()).location
    client.post(columns, data=filled_in(client.get(columns).text))
    run = client.post(columns.replace("columns", "start")).location
    import_runs.run_next(utc_now)
    sign_in(client, member_of(survey.agency, Role.VIEWER))

    assert client.get(run).status_code == 200
    assert client.get(IMPORTS).status_code == 200
    assert client.get(f"{run}/rejects.csv").status_code == 403
    assert upload(client, SIMPLE.encode()).status_code == 403


def test_a_file_in_utf_16_is_read_as_that(client: PageClient, survey: Survey) -> None:
    columns = upload(client, SIMPLE.replace(",", "\t").encode("utf-16")).location

    guess = filled_in(client.get(columns).text)

    assert guess["at"] == "Submitted on"
    assert (
        "2 of the first rows would be refused" in client.get(client.post(columns, data=guess).location).text
    )


@pytest.mark.parametrize("content", [SIMPLE.encode("utf-16-le"), "Fecha,Opinión\n".encode("cp1252")])
def test_a_header_in_another_encoding_is_refused_in_a_sentence(
    client: PageClient, survey: Survey, content: bytes
) -> None:
    response = upload(client, content)

    assert response.status_code == 422
    assert "The file is not in UTF-8. Save it as “CSV UTF-8”." in response.text


def test_a_row_in_another_encoding_is_shown_and_refused(client: PageClient, survey: Survey) -> None:
    columns = upload(client, SIMPLE.replace("Quick", "Rápido").encode("cp1252")).location

    page = client.get(client.post(columns, data=filled_in(client.get(columns).text)).location)

    assert page.status_code == 200
    assert "This row is not in the encoding that was named." in page.text
    assert "R\ufffdpido" in page.text


def test_the_worked_example_can_be_followed_on_the_demonstration(app: Flask, client: PageClient) -> None:
    country = population.country()
    agency = AgencyFactory.create(slug="civil-registry")
    unit = AgencyFactory.create(slug="registry-counters", parent=agency)
    ids = [
        str(ServiceFactory.create(agency=unit, slug=service["slug"], name=service["names"]["en"]).id)
        for service in country["services"]
        if service["names"]["en"] in ("Passport renewal", "National identity card")
    ]
    assert {entry["unit"] for entry in country["services"][:2]} == {"registry-counters"}
    sign_in(client, member_of(agency, Role.MANAGER))
    assert "NHS Friends and Family Test" in client.get("/manage/surveys/new").text
    new = filled_in(client.get("/manage/surveys/new/nhs_fft").text)

    client.post(
        "/manage/surveys/new/nhs_fft",
        data=new | {"slug": "counter-visits", "services": ids, "languages": ["en"]},
    )
    published = client.post("/manage/surveys/counter-visits/publish")
    assert published.status_code == 302, published.text
    db.session.commit()

    command = ["import", "responses", str(EXAMPLES / "visits.csv"), "--survey", "counter-visits"]
    rejects = Path(app.config["IMPORTS_FOLDER"]) / "example.csv"
    more = ["--mapping", str(EXAMPLES / "visits.toml"), "--rejects", str(rejects)]
    told = app.test_cli_runner().invoke(args=[*command, *more])
    rejects.unlink()
    assert told.exit_code == 1, told.output
    assert re.search(r"brought in +4\n", told.output)
    assert db.session.scalar(select(func.count()).select_from(Response)) == 3
    assert str(rejects) in told.output
