"""The public pages: no script, no cookie, cached whole, in every language, light."""

import gzip
import re

import pytest
from bs4 import BeautifulSoup
from flask.testing import FlaskClient

from citizenvoice.surveys import actions
from citizenvoice.web.clock import utc_now
from tests.integration.answering.asking import address, definition, live_survey, receipts, scale, via
from tests.pages import PageClient
from tests.servers import ROOT

KILOBYTES_50 = 50_000


@pytest.mark.parametrize("way", ["s", "embed"])
def test_a_page_has_no_script_no_cookie_and_nothing_from_elsewhere(client: PageClient, way: str) -> None:
    page = client.get(address(live_survey(), way=way))
    shown = BeautifulSoup(page.text, "html.parser")

    assert page.status_code == 200
    assert not shown.select("script")
    assert "Set-Cookie" not in page.headers
    assert "Cookie" not in page.headers.get("Vary", "")
    links = [str(tag.get("src") or tag.get("href")) for tag in shown.select("[src], link[href]")]
    assert links
    assert all(link.startswith("/static/") or link.endswith("/conditions.css") for link in links)


def test_answers_and_receipts_set_no_cookie_either(client: PageClient) -> None:
    survey = live_survey()
    for page in (
        client.post(address(survey), data={"q1": "3"}),
        client.post(address(survey), data={}),
        client.get("/en/receipt"),
        client.post("/en/receipt", data={"code": "none"}),
    ):
        assert "Set-Cookie" not in page.headers
        assert "Cookie" not in page.headers.get("Vary", "")


def test_the_page_is_cached_whole_and_knows_whether_it_changed(client: PageClient) -> None:
    survey = live_survey()
    page = client.get(address(survey))

    assert page.headers["Cache-Control"] == "public, max-age=60"
    again = client.get(address(survey), headers={"If-None-Match": page.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    plain = FlaskClient(client.application, client.application.response_class)
    packed = plain.get(address(survey), headers={"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data) == page.data


def test_the_page_weighs_less_than_50_kilobytes_with_its_style(client: PageClient) -> None:
    why = {"key": "why", "kind": "text", "text": {"en": "Why?"}}
    ratings = [scale(f"q{n}", required=True) for n in range(1, 9)]
    sections = [{"key": "main", "questions": [*ratings, why]}]
    page = client.get(address(live_survey({**definition(), "languages": ["en"], "sections": sections})))
    shown = BeautifulSoup(page.text, "html.parser")
    weight = len(page.data)
    for link in shown.select("link[href^='/static/']"):
        weight += (ROOT / str(link["href"]).partition("?")[0].lstrip("/")).stat().st_size

    assert weight <= KILOBYTES_50


def test_a_frame_may_stand_anywhere_and_the_page_nowhere_else(client: PageClient) -> None:
    survey = live_survey()
    page, frame = client.get(address(survey)), client.get(address(survey, way="embed"))

    assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
    assert page.headers["X-Frame-Options"] == "DENY"
    assert "frame-ancestors *" in frame.headers["Content-Security-Policy"]
    assert "X-Frame-Options" not in frame.headers
    assert not BeautifulSoup(frame.text, "html.parser").select("header, footer")
    sent = client.post(address(survey, way="embed"), data={"q1": "3"})
    assert "frame-ancestors *" in sent.headers["Content-Security-Policy"]


def test_arabic_runs_from_right_to_left(client: PageClient) -> None:
    page = BeautifulSoup(client.get(address(live_survey(), "ar")).text, "html.parser")

    assert page.html is not None
    assert (page.html["lang"], page.html["dir"]) == ("ar", "rtl")
    assert page.select_one("legend").get_text(strip=True).startswith("عبارة q1")  # type: ignore[union-attr]


def test_a_survey_may_speak_a_language_that_the_interface_does_not(client: PageClient) -> None:
    tagalog = definition()
    tagalog["languages"], tagalog["title"]["tl"] = ["tl"], "Kumusta?"
    for words in ("intro", "thanks"):
        tagalog[words]["tl"] = "Salamat"
    for section in tagalog["sections"]:
        section["title"] = {"tl": "Bahagi"}
        for question in section["questions"]:
            question["text"]["tl"] = "Tanong"
            for part in ("points", "choices", "bands"):
                for number, one in enumerate(question.get(part, [])):
                    one["label"]["tl"] = f"Sagot {number}"
            if "not_applicable" in question:
                question["not_applicable"]["label"]["tl"] = "Hindi"
    page = client.get(address(live_survey(tagalog), "tl"))

    assert '<html lang="tl"' in page.text
    assert "<h1>Kumusta?</h1>" in page.text
    shown = BeautifulSoup(page.text, "html.parser")
    said = {str(words).strip(): words.find_parent(lang=True) for words in shown.find_all(string=True)}
    languages = {words: str(tag["lang"]) for words, tag in said.items() if tag}
    ours = ("Send my answer", "(optional)", "Skip to main content", "Privacy")
    assert {languages[words] for words in ours} == {"en"}
    assert languages["Tanong"] == "tl"


def test_a_language_that_is_not_asked_in_leads_to_one_that_is(client: PageClient) -> None:
    survey = live_survey()
    code = via(survey, "website")
    page = client.get(address(survey, "fr"), query_string={"via": code}, headers={"Accept-Language": "es"})

    assert page.status_code == 302
    assert page.location == f"{address(survey, 'es')}?via={code}"


def test_the_address_without_a_service_leads_to_the_only_one_or_asks_which(client: PageClient) -> None:
    one, two = live_survey(), live_survey(n_services=2)

    assert client.get(f"/en/s/{one.slug}").location == address(one)
    page = BeautifulSoup(client.get(f"/en/s/{two.slug}").text, "html.parser")
    assert {str(link["href"]) for link in page.select("main a")} == {
        f"/en/s/{two.slug}/{service.slug}" for service in two.services
    }


@pytest.mark.parametrize("state", ["draft", "closed"])
def test_what_is_not_live_cannot_be_answered(client: PageClient, state: str) -> None:
    survey = live_survey()
    survey.state = state

    for page in client.get(f"/en/s/{survey.slug}"), client.get(f"/api/v1/surveys/{survey.slug}"):
        assert page.status_code == 404
    assert client.get(address(survey)).status_code == {"draft": 404, "closed": 410}[state]
    sent = client.post(address(survey), data={"q1": "3", "why": "A long wait"})
    assert sent.status_code == {"draft": 404, "closed": 410}[state]
    assert ("A long wait" in sent.text) == ("This survey has ended." in sent.text) == (state == "closed")
    assert receipts() == []


def test_a_kept_page_carries_each_security_header_once(client: PageClient) -> None:
    survey = live_survey()

    for _ in range(3):  # from the application, then from what is kept in front of it
        page = client.get(address(survey), base_url="https://localhost")
        for name in ("Strict-Transport-Security", "Content-Security-Policy", "X-Frame-Options"):
            assert len(page.headers.getlist(name)) == 1
        frame = client.get(address(survey, way="embed"), base_url="https://localhost")
        assert "frame-ancestors *" in frame.headers["Content-Security-Policy"]
        assert "X-Frame-Options" not in frame.headers


def test_a_static_file_is_taken_for_what_it_is_only(client: PageClient) -> None:
    style = client.get("/static/citizenvoice.css")

    assert style.mimetype == "text/css"
    assert style.headers["X-Content-Type-Options"] == "nosniff"


def test_who_comes_after_the_end_is_told_so_and_shown_what_people_said(client: PageClient) -> None:
    survey = live_survey()
    survey.state = "closed"

    way_in = client.get(f"/l/{via(survey, 'website')}", headers={"Accept-Language": "es"})
    page = client.get(way_in.location)

    assert page.status_code == 410
    assert "Esta encuesta ha terminado." in page.text
    assert f"/es/services/{survey.services[0].slug}" in page.text
    framed = client.get(address(survey).replace("/s/", "/embed/"))
    assert framed.status_code == 410
    assert "frame-ancestors *" in framed.headers["Content-Security-Policy"]


def test_a_new_version_is_shown_and_the_old_one_can_still_be_sent(client: PageClient) -> None:
    survey = live_survey()
    before = client.get(address(survey))
    changed = definition()
    changed["title"]["en"] = "How was it really?"
    survey.draft = changed
    actions.publish(survey, now=utc_now())

    after = client.get(address(survey))

    assert "How was it really?" in after.text
    assert before.headers["ETag"] != after.headers["ETag"]
    assert 'name="cv-version" value="2"' in after.text


def test_a_question_that_is_not_asked_yet_is_hidden_by_style_alone(client: PageClient) -> None:
    survey = live_survey()
    page = BeautifulSoup(client.get(address(survey)).text, "html.parser")
    link = page.select_one("link[href$='conditions.css']")
    assert link is not None
    style = client.get(str(link["href"]))

    assert page.select("[data-cv-question=bad]")
    assert style.mimetype == "text/css"
    assert style.text == (
        'form:not(:has([name="q1"][value="1"]:checked, [name="q1"][value="2"]:checked))'
        ' [data-cv-question="bad"]{display:none}\n'
    )


def test_a_short_link_leads_to_the_page_in_the_best_language(client: PageClient) -> None:
    survey = live_survey()
    code = via(survey, "self_service_kiosk")
    page = client.get(f"/l/{code}", headers={"Accept-Language": "es-MX, en;q=0.5"})

    assert page.location == f"{address(survey, 'es')}?via={code}"
    assert "Set-Cookie" not in page.headers
    assert client.get("/l/nothing").status_code == 404


def test_the_qr_code_comes_for_print_and_for_screens(client: PageClient) -> None:
    code = via(live_survey(), "website")
    svg, png = client.get(f"/l/{code}.svg"), client.get(f"/l/{code}.png")

    assert (svg.mimetype, png.mimetype) == ("image/svg+xml", "image/png")
    assert re.search(r"<svg[^>]*>", svg.text)
    assert png.data.startswith(b"\x89PNG")
    assert client.get("/l/nothing.svg").status_code == 404
