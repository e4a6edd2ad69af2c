"""A manager designs a survey: every page by what it shows, every form by what it changes."""

from datetime import UTC, datetime
from typing import Any

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from sqlalchemy import select

from citizenvoice.accounts.models import AuditEntry
from citizenvoice.accounts.scope import Role
from citizenvoice.agencies.models import Agency, Service
from citizenvoice.db import db
from citizenvoice.surveys import drafting, official_words
from citizenvoice.surveys.definition import Definition
from citizenvoice.surveys.instrument_library import get_instrument, instruments
from citizenvoice.surveys.models import ImportRun, Link, Survey, SurveyVersion
from citizenvoice.surveys.parsing import parse_definition
from tests.factories import AgencyFactory, ServiceFactory, SurveyFactory
from tests.members import member_of, sign_in
from tests.pages import PageClient

SURVEYS = "/manage/surveys"


@pytest.fixture
def agency(client: PageClient) -> Agency:
    """The agency where whoever uses the browser is a manager."""
    agency: Agency = AgencyFactory.create(name="Mint", names={"es": "Ceca"})
    sign_in(client, member_of(agency, Role.MANAGER))
    return agency


@pytest.fixture
def service(agency: Agency) -> Service:
    """A service of the agency."""
    service: Service = ServiceFactory.create(
        agency=agency, name="Passports", names={"es": "Pasaportes"}, channels=["website", "in_person"]
    )
    return service


@pytest.fixture
def survey(service: Service) -> Survey:
    """A draft from the official net promoter question, in English and Spanish."""
    draft = drafting.draft_of(get_instrument("nps"), ["en", "es"])
    draft["placeholders"] = {"service": {"en": "Passports", "es": "Pasaportes"}}
    survey: Survey = SurveyFactory.create(
        agency=service.agency, services=[service], name="Would you?", draft=draft, slug="would-you"
    )
    return survey


@pytest.fixture
def own(service: Service) -> Survey:
    """A draft of our own, with one empty page."""
    survey: Survey = SurveyFactory.create(agency=service.agency, services=[service], slug="own")
    return survey


def drafted(survey: Survey) -> Definition:
    db.session.refresh(survey)
    return parse_definition(survey.draft)


def typed(client: PageClient, address: str) -> dict[str, Any]:
    """Return what a browser would send of the page's big form if nothing were changed."""
    page = BeautifulSoup(client.get(address).text, "html.parser")
    form = max(
        page.select("main form[method=post]"), key=lambda form: len(form.select("input, textarea, select"))
    )
    return sent_by(form)


def sent_by(form: Any) -> dict[str, Any]:
    sent: dict[str, Any] = {}
    for control in form.select("input, textarea, select"):
        kind = control.get("type")
        if kind in ("checkbox", "radio") and not control.has_attr("checked"):
            continue
        if control.name == "select":
            chosen = control.select_one("option[selected]") or control.select_one("option")
            value = chosen["value"] if chosen else ""
        elif control.name == "textarea":
            value = control.get_text().removeprefix("\n")
        else:
            value = control.get("value", "on" if kind == "checkbox" else "")
        if kind == "checkbox":
            sent.setdefault(control["name"], []).append(value)
        else:
            sent[control["name"]] = value
    return sent


def summary_of(text: str) -> list[str]:
    return [link.get_text() for link in BeautifulSoup(text, "html.parser").select(".cv-errors li")]


# Starting


def test_starts_a_survey_from_every_official_questionnaire(client: PageClient, service: Service) -> None:
    for instrument in instruments():
        form = {
            "name": f"My {instrument.key}",
            "services": service.id,
            "languages": ["en"],
            "default_language": "en",
        }
        answer = client.post(f"{SURVEYS}/new/{instrument.key}", data=form)

        survey = db.session.scalars(select(Survey).where(Survey.name == form["name"])).one()
        assert answer.location == f"{SURVEYS}/{survey.slug}"
        assert drafted(survey).instrument == instrument.key
        assert client.get(answer.location).status_code == 200


def test_the_gaps_of_official_wording_are_filled_from_the_catalogue_unless_typed(
    client: PageClient, service: Service
) -> None:
    form = {
        "name": "Trust",
        "services": service.id,
        "languages": ["en", "es"],
        "default_language": "es",
        "placeholders-service-en": "your new passport",
    }
    client.post(f"{SURVEYS}/new/omb_a11_v2_radio", data=form)

    definition = drafted(db.session.scalars(select(Survey).where(Survey.slug == "trust")).one())
    assert definition.languages == ("es", "en")
    assert definition.placeholders["service"] == {"es": "Pasaportes", "en": "your new passport"}
    assert definition.placeholders["agency"] == {"es": "Ceca", "en": "Mint"}


def test_what_is_wrong_with_a_new_survey_is_said_and_nothing_typed_is_lost(
    client: PageClient, service: Service, survey: Survey
) -> None:
    page = client.post(
        f"{SURVEYS}/new/omb_a11_v1", data={"name": "", "slug": "Not good", "placeholders-service-en": "Typed"}
    )
    assert {"Give the survey a name.", "Choose at least one language."} <= set(summary_of(page.text))
    assert 'value="Not good"' in page.text
    assert 'value="Typed"' in page.text

    form = {"name": "N", "languages": "en", "default_language": "en"}
    page = client.post(f"{SURVEYS}/new/scratch", data=form)
    assert summary_of(page.text) == ["Choose at least one service that the survey asks about."]

    page = client.post(f"{SURVEYS}/new/scratch", data=form | {"services": service.id, "slug": "would-you"})
    assert summary_of(page.text) == ["Another survey already has the address “would-you”."]


def test_an_address_is_proposed_that_nobody_has(client: PageClient, service: Service) -> None:
    form = {"name": "¡New!", "services": service.id, "languages": "en", "default_language": "en"}

    assert client.post(f"{SURVEYS}/new/scratch", data=form).location == f"{SURVEYS}/new-2"
    assert client.post(f"{SURVEYS}/new/scratch", data=form).location == f"{SURVEYS}/new-3"


def test_services_of_two_agencies_make_a_survey_of_the_one_above_both(
    client: PageClient, agency: Agency
) -> None:
    services = [ServiceFactory.create(agency=AgencyFactory.create(parent=agency)) for _ in range(2)]
    form = {"name": "Both", "services": [s.id for s in services], "languages": "en", "default_language": "en"}
    client.post(f"{SURVEYS}/new/scratch", data=form)

    assert db.session.scalars(select(Survey).where(Survey.slug == "both")).one().agency_id == agency.id


def test_a_survey_cannot_ask_about_a_foreign_service(client: PageClient, agency: Agency) -> None:
    foreign = ServiceFactory.create()
    form = {"name": "Spy", "services": foreign.id, "languages": "en", "default_language": "en"}

    assert client.post(f"{SURVEYS}/new/scratch", data=form).status_code == 200
    assert db.session.scalars(select(Survey)).all() == []


# Questions


def add_scale(client: PageClient, survey: Survey, words: str, **more: Any) -> None:
    address = f"{SURVEYS}/{survey.slug}/sections/main/questions/new?kind=scale"
    answer = client.post(address, data=typed(client, address) | {"text": words} | more)
    assert answer.status_code == 302, summary_of(answer.text)


def test_a_new_scale_begins_as_a_common_one(client: PageClient, own: Survey) -> None:
    add_scale(client, own, "Was it easy?", required="y", role="ease")

    question = drafted(own).question("was_it_easy")
    assert [point.value for point in question.points] == [1, 2, 3, 4, 5]
    assert (question.required, question.role) == (True, "ease")


def test_points_are_added_taken_out_and_replaced_without_script_or_loss(
    client: PageClient, own: Survey
) -> None:
    address = f"{SURVEYS}/{own.slug}/sections/main/questions/new?kind=scale"
    form = typed(client, address) | {"text": "Typed already"}

    more = client.post(address, data=form | {"do": "add"})
    assert more.text.count("Words of point") == 6
    assert "Typed already" in more.text
    fewer = client.post(address, data=form | {"do": "remove:points-2"})
    assert fewer.text.count("Words of point") == 4
    assert "Neither agree" not in fewer.text
    common = client.post(address, data=form | {"do": "preset", "preset": "thumbs"})
    assert common.text.count("Words of point") == 2
    assert drafted(own).questions == ()

    again = sent_by(BeautifulSoup(common.text, "html.parser").select("main form[method=post]")[-1])
    assert client.post(address, data=again).status_code == 302
    question = drafted(own).questions[0]
    assert question.display == "thumbs"
    assert [point.value for point in question.points] == [1, 0]


def test_a_mistake_in_a_point_stands_at_the_point_and_everything_typed_stays(
    client: PageClient, own: Survey
) -> None:
    address = f"{SURVEYS}/{own.slug}/sections/main/questions/new?kind=scale"
    form = typed(client, address) | {"text": "Kept words"}

    page = client.post(address, data=form | {"points-1-value": "two"})
    assert "Enter a whole number, such as 5." in summary_of(page.text)
    assert 'href="#points-1-value"' in page.text
    assert 'value="two"' in page.text

    page = client.post(address, data=form | {"points-1-value": "9"})
    assert summary_of(page.text) == ["The values of a scale must all rise or all fall."]
    assert "Kept words" in page.text
    page = client.post(address, data=form | {"display": "thumbs"})
    assert summary_of(page.text) == ["Thumbs need a scale of exactly two points."]


@pytest.mark.parametrize(
    ("kind", "fields", "expected"),
    [
        ("single", {"choices-0-label": "Red", "choices-2-label": "Blue"}, {"choices": ["red", "blue"]}),
        (
            "multiple",
            {"choices-0-label": "A", "choices-1-label": "B", "max_choices": "1"},
            {"max_choices": 1},
        ),
        ("text", {"max_chars": "300", "rows": "2"}, {"max_chars": 300, "rows": 2}),
        ("number", {"minimum": "0", "maximum": "1.5"}, {"minimum": 0, "maximum": 1.5, "bands": []}),
        ("number", {"bands-0-label": "Any", "bands-0-minimum": "0"}, {"integer": True}),
    ],
)
def test_adds_every_other_kind_of_question(
    client: PageClient, own: Survey, kind: str, fields: dict[str, str], expected: dict[str, Any]
) -> None:
    start = f"{SURVEYS}/{own.slug}/sections/main/questions/new"
    address = client.post(start, data={"kind": kind}).location
    answer = client.post(address, data=typed(client, address) | {"text": "What?"} | fields)

    assert answer.status_code == 302, summary_of(answer.text)
    item = drafted(own).to_json()["sections"][0]["questions"][0]
    item["choices"] = [choice["value"] for choice in item.get("choices", ())]
    assert {name: item[name] for name in expected} == expected


def test_a_question_saved_untouched_is_the_same(client: PageClient, own: Survey) -> None:
    add_scale(client, own, "One?", has_dont_know="y", dont_know="Don't know")
    before = drafted(own)
    address = f"{SURVEYS}/{own.slug}/questions/one"
    client.post(address, data=typed(client, address))

    assert drafted(own) == before


def test_a_question_is_shown_only_after_certain_answers(client: PageClient, own: Survey) -> None:
    add_scale(client, own, "One?", has_dont_know="y", dont_know="Don't know")
    address = f"{SURVEYS}/{own.slug}/sections/main/questions/new?kind=text&after=one"
    form = typed(client, address) | {"text": "Why?", "conditions-0-question": "one"}

    page = client.post(address, data=form | {"do": "answers"})
    assert "When the answer is" in page.text
    assert "Why?" in page.text
    assert summary_of(client.post(address, data=form).text) == [
        "Choose at least one answer, or take the question away."
    ]

    client.post(address, data=form | {"conditions-0-values": ["1", "2", "dk"]})
    shown_if = drafted(own).to_json()["sections"][0]["questions"][1]["shown_if"]
    assert shown_if == {"question": "one", "in": [1, 2, "dk"]}
    listed = client.get(f"{SURVEYS}/{own.slug}").text
    assert "the answer to “One?” is “Strongly disagree”, “Disagree”, “Don&#39;t know”" in listed


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (
            {"conditions-0-question": "gone", "conditions-0-values": ["1"]},
            "Choose a question that is asked before.",
        ),
        (
            {"conditions-0-question": "later", "conditions-0-values": ["1"]},
            "Choose a question that is asked before.",
        ),
        ({"conditions-0-question": "gone"}, "Choose a question that is asked before."),
        (
            {"conditions-0-question": "one", "conditions-0-values": ["1", "9"]},
            "Choose from the answers to this question.",
        ),
    ],
)
def test_a_condition_that_cannot_be_is_refused_and_never_dropped(
    client: PageClient, own: Survey, row: dict[str, Any], said: str
) -> None:
    add_scale(client, own, "Later?")
    add_scale(client, own, "Two?")
    add_scale(client, own, "One?")
    address = f"{SURVEYS}/{own.slug}/questions/two"
    before = drafted(own)

    assert summary_of(client.post(address, data=typed(client, address) | row).text) == [said]
    assert drafted(own) == before


def test_a_condition_of_a_page_on_an_unknown_question_is_refused(client: PageClient, own: Survey) -> None:
    add_scale(client, own, "One?")
    address = f"{SURVEYS}/{own.slug}/sections/new"
    row = {"conditions-0-question": "gone", "conditions-0-values": ["1"]}

    answer = client.post(address, data=typed(client, address) | {"title": "More"} | row)

    assert summary_of(answer.text) == ["Choose a question that is asked before."]
    assert len(drafted(own).sections) == 1


def test_a_question_to_follow_one_that_is_gone_stands_last_and_says_so(
    client: PageClient, own: Survey
) -> None:
    add_scale(client, own, "One?")
    address = f"{SURVEYS}/{own.slug}/sections/main/questions/new?kind=text&after=gone"
    page = client.post(address, data=typed(client, address) | {"text": "Why?"}, follow_redirects=True)

    assert [question.key for question in drafted(own).questions] == ["one", "why"]
    assert "so it stands last" in page.text


@pytest.mark.parametrize("limit", ["NaN", "sNaN", "Infinity", "-inf", "1e999999999", "much"])
def test_a_limit_that_is_no_number_is_refused_and_stays_typed(
    client: PageClient, own: Survey, limit: str
) -> None:
    address = f"{SURVEYS}/{own.slug}/sections/main/questions/new?kind=number"
    answer = client.post(address, data=typed(client, address) | {"text": "How many?", "minimum": limit})

    assert answer.status_code == 200
    [said] = summary_of(answer.text)
    assert said in ("Enter a number, such as 25.", "Enter a smaller number.")
    assert f'value="{limit}"' in answer.text
    assert drafted(own).questions == ()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"hint": "x" * 5001}, "Use 5000 characters or fewer."),
        ({"display": "film"}, "Choose from what is offered here."),
        ({"points-0-label": "x" * 501}, "Use 500 characters or fewer."),
    ],
)
def test_mistakes_are_told_in_plain_words(
    client: PageClient, own: Survey, changes: dict[str, str], said: str
) -> None:
    address = f"{SURVEYS}/{own.slug}/sections/main/questions/new?kind=scale"
    answer = client.post(address, data=typed(client, address) | {"text": "One?"} | changes)

    assert summary_of(answer.text) == [said]


def test_a_condition_too_rich_for_the_page_is_kept_until_it_is_taken_away(
    client: PageClient, own: Survey
) -> None:
    add_scale(client, own, "One?")
    add_scale(client, own, "Two?", after="one")
    draft = drafted(own).to_json()
    rich = {"all": [{"any": [{"question": draft["sections"][0]["questions"][0]["key"], "in": [1]}]}]}
    draft["sections"][0]["questions"][1]["shown_if"] = rich
    own.draft = draft
    key = draft["sections"][0]["questions"][1]["key"]
    address = f"{SURVEYS}/{own.slug}/questions/{key}"

    client.post(address, data=typed(client, address))
    assert drafted(own).to_json()["sections"][0]["questions"][1]["shown_if"] == rich
    client.post(address, data=typed(client, address) | {"drop_condition": "y"})
    assert drafted(own).question(key).shown_if is None


def test_questions_move_and_say_why_they_cannot(client: PageClient, survey: Survey) -> None:
    address = f"{SURVEYS}/{survey.slug}/questions"
    client.post(f"{address}/why/move", data={"way": "up"})
    assert [question.key for question in drafted(survey).questions] == ["why", "nps"]
    client.post(f"{address}/why/move", data={"way": "down"})

    page = f"{address}/why"
    client.post(
        page, data=typed(client, page) | {"conditions-0-question": "nps", "conditions-0-values": ["0"]}
    )
    moved = client.post(f"{address}/why/move", data={"way": "up"}, follow_redirects=True)
    assert "“nps” is not an earlier question." in moved.text
    assert [question.key for question in drafted(survey).questions] == ["nps", "why"]


def test_taking_out_asks_once_and_refuses_what_others_need(client: PageClient, survey: Survey) -> None:
    page = f"{SURVEYS}/{survey.slug}/questions/why"
    client.post(
        page, data=typed(client, page) | {"conditions-0-question": "nps", "conditions-0-values": ["0"]}
    )
    needed = "depend on it: “What is the main reason for your answer?”."
    assert needed in client.get(f"{SURVEYS}/would-you/questions/nps/remove").text

    client.post(f"{page}/remove")
    assert [question.key for question in drafted(survey).questions] == ["nps"]
    assert drafted(survey).instrument == "nps"


def test_pages_are_added_changed_moved_and_taken_out(client: PageClient, survey: Survey) -> None:
    address = f"{SURVEYS}/{survey.slug}/sections"
    client.post(f"{address}/new?after=main", data={"title": "About you", "about_you": "y", "match": "all"})
    found = drafted(survey).section("about_you")
    assert (found.about_you, found.title) == (True, {"en": "About you"})

    client.post(f"{address}/about_you", data=typed(client, f"{address}/about_you") | {"title": "You"})
    assert drafted(survey).section("about_you").title == {"en": "You"}
    client.post(f"{address}/about_you/move", data={"way": "up"})
    assert [section.key for section in drafted(survey).sections] == ["about_you", "main"]
    assert client.get(f"{address}/about_you/remove").status_code == 200
    client.post(f"{address}/about_you/remove")
    assert [section.key for section in drafted(survey).sections] == ["main"]


def test_a_required_question_about_the_person_is_refused_with_its_reason(
    client: PageClient, own: Survey
) -> None:
    client.post(f"{SURVEYS}/own/sections/main", data={"about_you": "y", "match": "all"})
    address = f"{SURVEYS}/own/sections/main/questions/new?kind=scale"

    page = client.post(address, data=typed(client, address) | {"text": "Old?", "required": "y"})

    assert summary_of(page.text) == ["Questions about the person are always optional."]
    assert 'href="#required"' in page.text


# Official wording


def test_locked_wording_shows_what_may_change_and_no_box_for_the_words(
    client: PageClient, survey: Survey
) -> None:
    address = f"{SURVEYS}/{survey.slug}/questions/nps"
    form = typed(client, address)
    assert "text" not in form

    client.post(address, data=form | {"hint": "Think of last time.", "text": "Changed?", "required": ""})

    question = drafted(survey).question("nps")
    assert question.hint["en"] == "Think of last time."
    assert question.text == get_instrument("nps").definition.question("nps").text
    assert drafted(survey).instrument == "nps"


def test_changing_official_wording_takes_a_step_that_stays_visible_and_can_be_taken_back(
    client: PageClient, survey: Survey
) -> None:
    address = f"{SURVEYS}/{survey.slug}/questions/nps/official-wording"
    assert "What you lose" in client.get(address).text
    assert summary_of(client.post(address).text) == [
        "Tick the box if you want to change the official wording."
    ]
    assert drafted(survey).instrument == "nps"

    opened = client.post(address, data={"understood": "y"})
    page = opened.location
    client.post(page, data=typed(client, page) | {"text": "Would you?"})

    assert (drafted(survey).instrument, drafted(survey).question("nps").locked) == (None, False)
    entry = db.session.scalars(select(AuditEntry).where(AuditEntry.subject == survey.slug)).one()
    assert (entry.action, entry.detail) == (
        "survey.official_wording_given_up",
        {"question": "nps", "instrument": "nps"},
    )
    for where in ("", "/publish"):
        shown = client.get(f"{SURVEYS}/{survey.slug}{where}").text
        assert "official label" in shown
        assert "<ins>Would you?</ins>" in shown

    client.post(f"{SURVEYS}/{survey.slug}/restore-official-wording")
    assert drafted(survey).instrument == "nps"
    assert drafted(survey).question("nps") == get_instrument("nps").definition.question("nps")


def test_other_allowed_wordings_and_fewer_answers_keep_the_label(
    client: PageClient, service: Service
) -> None:
    survey = SurveyFactory.create(
        agency=service.agency,
        services=[service],
        draft=drafting.draft_of(get_instrument("omb_a11_v2_thumbs"), ["en"]),
    )
    page = f"{SURVEYS}/{survey.slug}/questions/q1"
    client.post(page, data=typed(client, page) | {"wording": "1"})
    page = f"{SURVEYS}/{survey.slug}/questions/went_well"
    client.post(page, data=typed(client, page) | {"choices": ["other"]})

    definition = drafted(survey)
    assert definition.question("q1").text["en"].startswith("Based on my experience [agency]'s")
    assert [c.value for c in definition.question("went_well").choices] == ["effectiveness", "ease", "other"]
    assert official_words.differences_from(definition, get_instrument("omb_a11_v2_thumbs")) == []


# Texts and translations


def test_texts_languages_and_services_are_kept(client: PageClient, survey: Survey) -> None:
    address = f"{SURVEYS}/{survey.slug}/texts"
    other = ServiceFactory.create(agency=survey.agency)
    form = typed(client, address) | {
        "title": "Tell us",
        "thanks": "",
        "languages": ["en", "fr"],
        "services": [survey.services[0].id, other.id],
        "placeholders-service-en": "the passport office",
    }
    assert client.post(address, data=form).status_code == 302

    definition = drafted(survey)
    assert definition.title["en"] == "Tell us"
    assert "en" not in definition.thanks
    assert definition.languages == ("en", "fr")
    assert definition.placeholders["service"]["en"] == "the passport office"
    assert {found.id for found in survey.services} == set(form["services"])

    page = client.post(address, data=form | {"title": "", "intro": "Kept"})
    assert summary_of(page.text) == ["Give the questionnaire a title."]
    assert "Kept" in page.text


def test_a_survey_keeps_at_least_one_service(client: PageClient, survey: Survey) -> None:
    address = f"{SURVEYS}/{survey.slug}/texts"
    page = client.post(address, data=typed(client, address) | {"services": []})

    assert summary_of(page.text) == ["Choose at least one service that the survey asks about."]


def test_a_translation_lists_what_is_missing_until_it_is_written(client: PageClient, survey: Survey) -> None:
    survey.draft = {**survey.draft, "languages": ["en", "fr"]}
    address = f"{SURVEYS}/{survey.slug}/translations/fr"
    before = client.get(address).text
    assert "texts are missing" in before
    form = typed(client, address)
    form = {name: f"fr {name}" if name != "csrf_token" else value for name, value in form.items()}

    client.post(address, data=form)

    assert "Everything is translated." in client.get(address).text
    question = drafted(survey).question("nps")
    assert question.text["fr"] == "fr nps:text"
    assert question.points[10].label["fr"] == "fr nps:points:10"


def test_a_translation_that_cannot_be_stored_keeps_everything_typed(
    client: PageClient, survey: Survey
) -> None:
    address = f"{SURVEYS}/{survey.slug}/translations/es"
    page = client.post(
        address, data=typed(client, address) | {"why:text": "x" * 5001, "title": "Nuevo título"}
    )

    assert summary_of(page.text) == ["This must be a text of at most 5000 characters."]
    assert 'href="#why:text"' in page.text
    assert "Nuevo título" in page.text
    assert drafted(survey).title["es"] != "Nuevo título"


# Preview, publishing, versions


def test_the_preview_walks_through_every_page_and_records_nothing(
    client: PageClient, service: Service
) -> None:
    survey = SurveyFactory.create(
        agency=service.agency,
        services=[service],
        draft=drafting.draft_of(get_instrument("arta_csm_online"), ["en", "es"]),
    )
    n_pages = len([section for section in drafted(survey).sections if section.questions])
    for language in ("en", "es"):
        for number in range(1, n_pages + 2):
            page = client.get(f"{SURVEYS}/{survey.slug}/preview/{language}?page={number}")
            assert "This is a preview. Nothing is recorded." in page.text
            assert f'<html lang="{language}"' in page.text
            assert 'method="post"' not in page.text
    assert client.get(f"{SURVEYS}/{survey.slug}/preview/ar").status_code == 404


def test_the_style_of_the_preview_hides_what_depends_on_the_same_page(
    client: PageClient, survey: Survey
) -> None:
    page = f"{SURVEYS}/{survey.slug}/questions/why"
    client.post(
        page, data=typed(client, page) | {"conditions-0-question": "nps", "conditions-0-values": ["0"]}
    )

    css = client.get(f"{SURVEYS}/{survey.slug}/preview-conditions.css")

    assert css.mimetype == "text/css"
    assert '[data-cv-question="why"]{display:none}' in css.text
    assert "preview-conditions.css" in client.get(f"{SURVEYS}/{survey.slug}/preview/en").text


def test_what_stands_in_the_way_of_publishing_leads_to_its_place(
    client: PageClient, service: Service
) -> None:
    survey = SurveyFactory.create(
        agency=service.agency,
        services=[service],
        slug="far-off",
        draft=drafting.draft_of(get_instrument("nps"), ["en", "fr"]),
    )
    page = BeautifulSoup(client.get(f"{SURVEYS}/far-off/publish").text, "html.parser")
    links = [str(link["href"]) for link in page.select(".cv-notice--warning a")]

    assert f"{SURVEYS}/far-off/translations/fr" in links
    assert f"{SURVEYS}/far-off/texts#placeholders-service-en" in links
    assert f"{SURVEYS}/far-off/texts#placeholders-service-fr" in links
    for link in links:
        address, _, anchor = link.partition("#")
        target = BeautifulSoup(client.get(address).text, "html.parser")
        assert not anchor or target.find(id=anchor), link
    refused = client.post(f"{SURVEYS}/far-off/publish", follow_redirects=True)
    assert "The survey cannot be published yet." in refused.text
    assert survey.state == "draft"


def test_two_equal_answers_lead_from_publishing_to_their_question(client: PageClient, own: Survey) -> None:
    address = f"{SURVEYS}/{own.slug}/sections/main/questions/new?kind=single"
    same = {"text": "Which one?", "choices-0-label": "Same", "choices-1-label": "Same"}
    client.post(address, data=typed(client, address) | same)

    page = BeautifulSoup(client.get(f"{SURVEYS}/{own.slug}/publish").text, "html.parser")
    [link] = page.select(".cv-notice--warning a")

    assert link.get_text() == "Which one?: Two answers have the same words (en)."
    assert "Which one?" in client.get(str(link["href"])).text


def test_an_official_question_taken_out_is_named_by_its_words(client: PageClient, survey: Survey) -> None:
    draft = drafted(survey).to_json()
    kept = [question for question in draft["sections"][0]["questions"] if question["key"] != "nps"]
    draft["sections"][0]["questions"] = kept
    survey.draft = draft

    page = BeautifulSoup(client.get(f"{SURVEYS}/{survey.slug}/publish").text, "html.parser")
    said = [link.get_text() for link in page.select(".cv-notice--warning a")]

    assert any(line.startswith("How likely") for line in said), said


def test_times_are_those_of_the_agency(client: PageClient, survey: Survey) -> None:
    survey.agency.time_zone = "Asia/Tokyo"
    client.post(f"{SURVEYS}/{survey.slug}/publish")
    version = db.session.scalars(select(SurveyVersion)).one()
    version.published_at = datetime(2026, 3, 31, 20, 30, tzinfo=UTC)
    run = ImportRun(survey=survey, filename="old.csv", path="old.csv", mapping={}, state="done")
    run.created_at = datetime(2026, 4, 30, 20, 30, tzinfo=UTC)
    db.session.add(run)
    db.session.flush()

    for page in ("versions", "versions/1"):
        text = client.get(f"{SURVEYS}/{survey.slug}/{page}").text
        assert "April 1, 2026, 5:30" in text, page
    for page in ("imports", f"imports/{run.id}"):
        assert "May 1, 2026, 5:30" in client.get(f"{SURVEYS}/{survey.slug}/{page}").text, page
    assert "April 1, 2026" in client.get(f"{SURVEYS}/{survey.slug}").text
    assert "Apr 1, 2026" in client.get(SURVEYS).text


def test_publishing_freezes_a_version_and_the_next_one_says_what_changed(
    client: PageClient, survey: Survey
) -> None:
    address = f"{SURVEYS}/{survey.slug}"
    client.post(f"{address}/publish", data={"note": "First"})
    assert survey.state == "live"
    assert "Nothing. The draft is what people answer now." in client.get(f"{address}/publish").text

    page = f"{address}/questions/why"
    client.post(page, data=typed(client, page) | {"text": "Why so?"})
    shown = client.get(f"{address}/publish").text
    assert "1 change starts a new series" in shown
    assert "<del>What is the main reason for your answer?</del>" in shown
    assert "<ins>Why so?</ins>" in shown

    client.post(f"{address}/publish", data={"note": "Shorter"})
    numbers = db.session.scalars(select(SurveyVersion.number).order_by(SurveyVersion.number)).all()
    assert numbers == [1, 2]
    assert "What is the main reason" in client.get(f"{address}/versions/1").text
    second = BeautifulSoup(client.get(f"{address}/versions/2").text, "html.parser")
    assert "What changed since version 1" in second.get_text()
    assert "1 change starts a new series" in second.get_text()
    assert [words.get_text() for words in second.select("del")] == [
        "What is the main reason for your answer?"
    ]
    assert [words.get_text() for words in second.select("ins")] == ["Why so?"]
    assert [words.get_text() for words in second.select("section li strong")][-1] == "Why so?"
    assert "What changed since" not in client.get(f"{address}/versions/1").text
    assert "<ins>Why so?</ins>" in client.get(f"{address}/versions").text
    compared = client.get(f"{address}/versions?older=1&newer=2").text
    assert "<ins>Why so?</ins>" in compared
    backwards = client.get(f"{address}/versions?older=2&newer=1").text
    assert "<del>Why so?</del>" in backwards
    assert client.get(f"{address}/versions/3").status_code == 404


def test_the_summary_of_changes_speaks_in_words(client: PageClient, survey: Survey) -> None:
    survey.draft = {**survey.draft, "languages": ["en"]}
    address = f"{SURVEYS}/{survey.slug}"
    add_scale(client, survey, "Was it easy?", after="why")
    client.post(f"{address}/publish")
    page = f"{address}/questions/was_it_easy"
    form = typed(client, page) | {"points-4-label": "Quite so", "required": "y", "role": "ease"}
    client.post(page, data=form | {"has_dont_know": "y", "dont_know": "No idea", "display": "faces"})
    page = f"{address}/questions/why"
    client.post(
        page, data=typed(client, page) | {"conditions-0-question": "nps", "conditions-0-values": ["0"]}
    )

    shown = BeautifulSoup(client.get(f"{address}/publish").text, "html.parser")
    after = [words.get_text() for words in shown.select("ins")]

    assert (
        "1 Strongly disagree / 2 Disagree / 3 Neither agree nor disagree / 4 Agree / 5 Quite so / No idea"
        in after
    )
    assert {"Yes", "Ease", "Faces beside the words"} <= set(after)
    asked = next(words for words in after if words.startswith("the answer to"))
    assert asked.endswith("is “0 – Not at all likely”")
    assert "everybody" in [words.get_text() for words in shown.select("del")]


def test_closing_and_opening_again_ask_once(client: PageClient, survey: Survey) -> None:
    address = f"{SURVEYS}/{survey.slug}"
    client.post(f"{address}/publish")
    assert "You can open it again" in client.get(f"{address}/close").text
    assert survey.state == "live"
    client.post(f"{address}/close")
    assert survey.state == "closed"
    assert client.post(f"{address}/close").status_code == 422
    assert "answer version 1 again" in client.get(f"{address}/reopen").text
    client.post(f"{address}/reopen")
    assert survey.state == "live"
    actions = db.session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)).all()
    assert actions == ["survey.published", "survey.closed", "survey.reopened"]


def test_each_service_and_channel_has_its_way_in(client: PageClient, survey: Survey) -> None:
    address = f"{SURVEYS}/{survey.slug}"
    client.post(f"{address}/publish")
    client.post(f"{address}/share")
    client.post(f"{address}/share")

    links = db.session.scalars(select(Link).order_by(Link.channel)).all()
    assert [link.channel for link in links] == ["in_person", "website"]
    page = client.get(f"{address}/share").text
    for link in links:
        assert f"/l/{link.code}.svg" in page
        assert client.get(f"/l/{link.code}.png").mimetype == "image/png"
    assert page.count("&lt;iframe") == 1
    assert f"/en/embed/{survey.slug}/{survey.services[0].slug}?via=" in page


# Who may


def test_a_viewer_reads_everything_and_changes_nothing(client: PageClient, survey: Survey) -> None:
    sign_in(client, member_of(survey.agency, Role.VIEWER))
    page = client.get(f"{SURVEYS}/{survey.slug}").text

    assert "How likely is it" in page
    assert not BeautifulSoup(page, "html.parser").select("main form")
    assert "/remove" not in page
    assert client.post(f"{SURVEYS}/{survey.slug}/translations/es").status_code == 403


def test_a_manager_elsewhere_finds_nothing(client: PageClient, survey: Survey) -> None:
    sign_in(client, member_of(AgencyFactory.create(), Role.MANAGER))

    assert survey.name not in client.get(SURVEYS).text
    assert client.get(f"{SURVEYS}/{survey.slug}").status_code == 404
    assert client.post(f"{SURVEYS}/{survey.slug}/publish").status_code == 404


def test_the_list_asks_as_often_for_three_surveys_as_for_one(
    app: Flask, client: PageClient, survey: Survey, queries: Any
) -> None:
    def asked() -> int:
        client.get(SURVEYS)
        with queries() as sent:
            assert client.get(SURVEYS).status_code == 200
        return len(sent)

    one = asked()
    for _ in range(2):
        SurveyFactory.create(agency=survey.agency, services=survey.services)
    assert asked() == one


def test_the_library_shows_exact_wording_source_and_traps(client: PageClient, agency: Agency) -> None:
    listed = client.get("/manage/instruments").text
    for instrument in instruments():
        assert f"/manage/instruments/{instrument.key}" in listed
        page = BeautifulSoup(
            client.get(f"/manage/instruments/{instrument.key}").text, "html.parser"
        ).get_text()
        words = " ".join(page.split())
        for note in (*instrument.notes, instrument.source, instrument.licence):
            assert " ".join(note.split()) in words
        for question in instrument.definition.questions:
            assert " ".join(question.text["en"].split()) in words
