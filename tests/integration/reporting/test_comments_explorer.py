from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date, timedelta
from typing import Any

import pytest
from bs4 import BeautifulSoup

from citizenvoice.accounts.scope import Role
from citizenvoice.agencies.models import Service
from citizenvoice.feedback import search
from citizenvoice.feedback.models import Comment, Exclusion, Reading
from citizenvoice.reporting import comment_filters, comments, selection
from tests.factories import (
    AgencyFactory,
    CommentFactory,
    PredictedThemeFactory,
    PredictionFactory,
    ReceiptFactory,
    ServiceFactory,
    ThemeFactory,
)
from tests.members import member_of, sign_in
from tests.pages import PageClient

Queries = Callable[[], AbstractContextManager[list[str]]]
MAY_1 = date(2024, 5, 1)


@pytest.fixture
def service(client: PageClient) -> Service:
    """A service, looked at by an analyst of its agency."""
    service: Service = ServiceFactory.create(languages=["en", "es"], channels=["website", "phone"])
    sign_in(client, member_of(service.agency, Role.ANALYST))
    return service


def say(service: Service, text: str = "It took too long.", *, themes: Any = (), **more: Any) -> Comment:
    """Leave a comment; with ``sentiment`` (None for none) the machine has read it."""
    about = {name: more.pop(name) for name in ("day", "channel", "language", "exclusion") if name in more}
    receipt = ReceiptFactory.create(service_id=service.id, **about)
    is_read = "sentiment" in more
    sentiment = more.pop("sentiment", None)
    more.setdefault("reading", Reading.DONE if is_read else Reading.PENDING)
    comment: Comment = CommentFactory.create(receipt=receipt, text=text, **more)
    if is_read:
        PredictionFactory.create(comment=comment, sentiment=sentiment)
        search.index_comments([(comment.id, text)])
    for theme in themes:
        PredictedThemeFactory.create(comment_id=comment.id, theme=theme)
    return comment


def address(service: Service, query: str = "") -> str:
    return f"/manage/services/{service.slug}/comments{'?' if query else ''}{query}"


def shown(client: PageClient, service: Service, query: str = "") -> list[int]:
    """Return the ids of the comments on a page, in its order."""
    page = BeautifulSoup(client.get(address(service, query)).text, "html.parser")
    return [int(str(item["id"]).removeprefix("comment-")) for item in page.select("li[id^=comment-]")]


def test_shows_the_newest_first_and_not_what_does_not_count(client: PageClient, service: Service) -> None:
    late = say(service, day=MAY_1 + timedelta(days=2))
    early, later_that_day = say(service), say(service)
    say(service, exclusion=Exclusion.SPAM)
    say(ServiceFactory.create(agency=service.agency), "Another service")

    assert shown(client, service) == [late.id, later_that_day.id, early.id]


def test_every_filter_leaves_what_it_says(client: PageClient, service: Service) -> None:
    waiting, staff = ThemeFactory.create(key="waiting"), ThemeFactory.create(key="staff")
    bad = say(service, "Waited for hours", sentiment=1, themes=[waiting], rating=0, channel="phone")
    mixed = say(service, "Tardaron mucho", sentiment=3, themes=[waiting, staff], language="es", rating=50)
    good = say(
        service, "Kind people", sentiment=5, themes=[staff], rating=100, day=MAY_1 + timedelta(days=40)
    )
    blank = say(service, "12345", sentiment=None)
    unread = say(service, "Just sent")
    spam = say(service, "Cheap loans", sentiment=4, exclusion=Exclusion.SPAM)
    test = say(service, "Test", sentiment=3, exclusion=Exclusion.TEST)
    all_that_count = {bad.id, mixed.id, good.id, blank.id, unread.id}

    expected = {
        "theme=waiting": {bad, mixed},
        f"theme={staff.id}": {mixed, good},
        "sentiment=very_negative": {bad},
        "sentiment=1": {bad},
        "sentiment=negative": {bad},
        "sentiment=neutral": {mixed},
        "sentiment=positive": {good},
        "sentiment=none": {blank},
        "sentiment=unread": {unread},
        "channel=phone": {bad},
        "language=es": {mixed},
        "rating=0-19": {bad},
        "rating=40-59": {mixed},
        "rating=80-100": {good},
        "rating=none": {blank, unread},
        "period=2024-06": {good},
        "from=2024-05-02": {good},
        "to=2024-05-01": {bad, mixed, blank, unread},
        "period=2024-05&to=2024-05-01": {bad, mixed, blank, unread},
        "q=wait*": {bad},
        "q=TARDARÓN": {mixed},
        "q=people+-kind": set(),
        "theme=waiting&sentiment=neutral&language=es&q=mucho": {mixed},
        "excluded=spam": {spam},
        "excluded=test": {test},
        "excluded=duplicate": set(),
    }
    for query, found in expected.items():
        assert set(shown(client, service, query)) == {comment.id for comment in found}, query
    assert set(shown(client, service, "excluded=all")) == all_that_count | {spam.id, test.id}


def test_what_a_person_corrected_is_what_filters_see(client: PageClient, service: Service) -> None:
    waiting, staff = ThemeFactory.create(key="waiting"), ThemeFactory.create(key="staff")
    comment = say(service, sentiment=5, themes=[waiting])
    client.post(f"/manage/comments/{comment.id}", data={"sentiment": "2", "themes": [str(staff.id)]})

    assert shown(client, service, "sentiment=rather_negative&theme=staff") == [comment.id]
    assert shown(client, service, "sentiment=very_positive") == []
    assert shown(client, service, "theme=waiting") == []


def test_a_frequent_theme_finds_what_a_rare_one_finds(
    client: PageClient, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting, staff = ThemeFactory.create(key="waiting"), ThemeFactory.create(key="staff")
    said = [say(service, sentiment=2, themes=[waiting]) for _ in range(4)]
    client.post(f"/manage/comments/{said[0].id}", data={"themes": [str(staff.id)]})
    unread = say(service)
    client.post(f"/manage/comments/{unread.id}", data={"themes": [str(waiting.id)]})
    as_rare = shown(client, service, "theme=waiting")
    monkeypatch.setattr(comment_filters, "RARE", 1)

    assert as_rare == [unread.id, *(comment.id for comment in reversed(said[1:]))]
    assert shown(client, service, "theme=waiting") == as_rare


@pytest.mark.parametrize(
    "query",
    [
        "theme=nothing",
        "sentiment=9",
        "channel=pigeon",
        "language=xx",
        "question=q99",
        "rating=0-100",
        "period=2024-13",
        "from=yesterday",
        "from=0001-01-01",
        "to=9999-12-31",
        "from=2024-05-01&to=2024-04-01",
        "excluded=yes",
        "q=" + "x" * 201,
        "after=1",
        "before=2024-02-30.1",
        "after=2024-02-01.99999999999999999999",
    ],
)
def test_what_the_address_cannot_mean_is_left_out_and_said(
    client: PageClient, service: Service, query: str
) -> None:
    comment = say(service)
    page = client.get(address(service, query))

    assert page.status_code == 200
    assert "The address asks for something we do not know" in page.text
    assert f'id="comment-{comment.id}"' in page.text


@pytest.mark.parametrize("sought", ["'", "%F0%9F%98%80", "...", "-only", "*"])
def test_a_search_without_a_word_finds_nothing_and_says_so(
    client: PageClient, service: Service, sought: str
) -> None:
    say(service, "It's slow.", sentiment=2)
    page = client.get(address(service, f"q={sought}&channel=website"))

    assert "There is no word to search for" in page.text
    assert "0 comments" in page.text
    assert 'id="comment-' not in page.text
    assert 'href="/manage/services/' + service.slug + '/comments?channel=website"' in page.text


def test_a_usual_address_gives_no_notice(client: PageClient, service: Service) -> None:
    assert "we do not know" not in client.get(address(service, "q=slow&sentiment=&theme=&from=&to=")).text


def test_pages_follow_each_other_in_both_directions(client: PageClient, service: Service) -> None:
    ids = [say(service, day=MAY_1 + timedelta(days=number // 7)).id for number in range(120)]
    forward: list[list[int]] = []
    backward: list[list[int]] = []
    where: str | None = address(service)
    while where:
        page = BeautifulSoup(client.get(where).text, "html.parser")
        forward.append([int(str(item["id"]).split("-")[1]) for item in page.select("li[id^=comment-]")])
        link = page.select_one("a[rel=next]")
        last, where = where, str(link["href"]) if link else None
    where = last
    while where:
        page = BeautifulSoup(client.get(where).text, "html.parser")
        backward.insert(0, [int(str(item["id"]).split("-")[1]) for item in page.select("li[id^=comment-]")])
        link = page.select_one("a[rel=prev]")
        where = str(link["href"]) if link else None

    assert [comment for page_ids in forward for comment in page_ids] == ids[::-1]
    assert [len(page_ids) for page_ids in forward] == [50, 50, 20]
    assert backward == forward


def test_the_total_is_exact_up_to_a_limit(
    client: PageClient, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        say(service)

    assert "<h2>3 comments</h2>" in client.get(address(service)).text
    found = comments.n_comments(comment_filters.CommentFilter(service_ids=(service.id,)), up_to=2)
    assert found == 3  # one past the limit: more than 2
    monkeypatch.setattr(selection, "COUNTED_UP_TO", 2)
    assert "<h2>More than 2 comments</h2>" in client.get(address(service)).text


def test_fifty_comments_take_as_many_statements_as_one(
    client: PageClient, service: Service, queries: Queries
) -> None:
    theme = ThemeFactory.create(key="waiting")
    query = "theme=waiting&sentiment=negative&q=long"
    say(service, sentiment=2, themes=[theme])
    client.get(address(service, query))
    with queries() as at_one:
        client.get(address(service, query))
    for _ in range(60):
        comment = say(service, sentiment=2, themes=[theme])
    client.post(f"/manage/comments/{comment.id}", data={"sentiment": "1", "themes": [str(theme.id)]})
    with queries() as at_fifty:
        assert len(shown(client, service, query)) == 50

    assert len(at_fifty) == len(at_one)
    assert len(at_one) <= 22


def test_words_found_are_marked_and_nothing_in_a_comment_is_markup(
    client: PageClient, service: Service
) -> None:
    say(service, "<script>alert(1)</script> Muy LENTA la atención, lentamente", sentiment=1)
    text = client.get(address(service, "q=lenta+atencion")).text

    assert "<mark>LENTA</mark> la <mark>atención</mark>, lentamente" in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "<script>alert" not in text


def test_masked_personal_data_is_told_apart_from_what_was_typed(client: PageClient, service: Service) -> None:
    say(service, "Write to [email] or [elsewhere]", masked={"email": 1})
    text = client.get(address(service)).text

    assert '<span class="cv-masked" lang="en">e-mail address, masked</span> or [elsewhere]' in text


def test_each_state_of_reading_is_said_in_words(client: PageClient, service: Service) -> None:
    say(service)
    say(service, reading=Reading.FAILED)
    say(service, sentiment=None)
    say(service, sentiment=4)
    say(service, "", reading=Reading.DONE, exclusion=Exclusion.WITHDRAWN)
    text = client.get(address(service, "excluded=all")).text

    for words in ("Not read yet", "Could not be read", "No sentiment in it", "Rather positive", "Withdrawn"):
        assert f"</svg>{words}</span>" in text
    assert "with a confidence of 80%" in text
    assert "Model: reader 1" in text


def test_an_empty_page_teaches_and_an_empty_search_leads_back(client: PageClient, service: Service) -> None:
    assert "Nobody has written anything yet" in client.get(address(service)).text
    assert "No comment fits these filters" in client.get(address(service, "q=anything")).text


def test_viewers_read_and_strangers_find_nothing(client: PageClient, service: Service) -> None:
    comment = say(service)
    sign_in(client, member_of(service.agency, Role.VIEWER))
    text = client.get(address(service)).text
    assert f'id="comment-{comment.id}"' in text
    assert "Correct or moderate" not in text
    assert ".csv" not in text

    sign_in(client, member_of(AgencyFactory.create(), Role.OWNER))
    assert client.get(address(service)).status_code == 404
