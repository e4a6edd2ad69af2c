import csv
import io
import secrets

import pytest
from bs4 import BeautifulSoup
from flask import Flask

from citizenvoice.accounts.scope import Role
from citizenvoice.agencies.models import Service
from citizenvoice.db import db
from citizenvoice.feedback.models import Exclusion
from citizenvoice.indicators.counting import CountingWorker
from tests.integration.indicators.world import NOW, World, everything_definition
from tests.members import member_of, sign_in
from tests.pages import PageClient

ANSWERED = {"overall": 4}
TOO_FEW = "could give them away"


@pytest.fixture
def world(client: PageClient) -> World:
    """Two services: in the first 12 women, 9 men, 11 people who see badly, of whom 10 also hear badly."""
    data = everything_definition()
    you = data["sections"][2]["questions"]
    you.append(
        {
            "key": "age",
            "kind": "number",
            "text": {"en": "How old are you?"},
            "integer": True,
            "bands": [
                {"value": "young", "label": {"en": "Under 40"}, "maximum": 39},
                {"value": "old", "label": {"en": "40 or more"}, "minimum": 40},
            ],
        }
    )
    points = [{"value": value, "label": {"en": f"Trust {value}"}} for value in range(1, 6)]
    you.append({"key": "trust", "kind": "scale", "text": {"en": "Trust"}, "points": points})
    world = World(7, data)
    write(world, 12, sex="f", age="old")
    write(world, 9, sex="m", trust=3)
    write(world, 10, needs=["sight", "hearing"], trust=5)
    write(world, 1, needs=["sight"], age="young")
    write(world, 3, service=world.services[1], sex="f")
    write(world, 4, exclusion=Exclusion.SPAM, sex="m")
    count_everything()
    sign_in(client, member_of(world.services[0].agency, Role.ANALYST))
    return world


def write(
    world: World,
    n: int,
    service: Service | None = None,
    exclusion: Exclusion | None = None,
    **segments: object,
) -> None:
    """Let people with these answers about themselves write a comment each."""
    said = {key: value for key, value in segments.items() if value}
    service = service or world.services[0]
    world.send(
        n, service=service, segments=said, answers=ANSWERED, words=["Slow"], exclusion=exclusion, n_sections=3
    )


def count_everything() -> None:
    db.session.commit()
    worker = CountingWorker(secrets.token_hex(8), patience=0)
    while worker.count_next(lambda: NOW):
        pass


def look(client: PageClient, address: str) -> BeautifulSoup:
    return BeautifulSoup(client.get(address).text, "html.parser")


def n_shown(page: BeautifulSoup) -> int:
    return len(page.select("li[id^=comment-]"))


def offered(page: BeautifulSoup) -> dict[str, str]:
    return {str(one["value"]): one.get_text() for one in page.select("select[name=segment] option[value]")}


def explorer(world: World, query: str = "", place: int = 0) -> str:
    return f"/manage/services/{world.services[place].slug}/comments?{query}"


@pytest.mark.parametrize(
    ("segment", "n"),
    [("sex:f", 12), ("needs:sight", 11), ("needs:hearing", 10), ("age:old", 12), ("trust:5", 10)],
)
def test_comments_of_people_who_gave_one_answer(
    client: PageClient, world: World, segment: str, n: int
) -> None:
    page = look(client, explorer(world, f"segment={segment}"))

    assert n_shown(page) == n
    assert f"{n} comments" in page.get_text()
    chosen = page.select_one("select[name=segment] option[selected]")
    assert chosen is not None
    assert chosen["value"] == segment


def test_it_is_kept_while_paging_and_in_the_file(client: PageClient, world: World) -> None:
    write(world, 45, sex="f")
    page = look(client, explorer(world, "segment=sex:f&channel="))
    following = page.select_one("a[rel=next]")
    file = page.select_one("a[href*='comments.csv']")

    assert following is not None
    assert file is not None
    assert n_shown(page) == 50
    assert n_shown(look(client, str(following["href"]))) == 7
    rows = list(csv.DictReader(io.StringIO(client.get(str(file["href"])).text)))
    assert len(rows) == 57


@pytest.mark.parametrize("segment", ["sex:m", "age:young", "trust:3", "trust:1"])
def test_a_group_too_small_to_hide_in_is_neither_offered_nor_shown_apart(
    client: PageClient, world: World, segment: str
) -> None:
    page = look(client, explorer(world, f"segment={segment}"))

    assert segment not in offered(page)
    assert TOO_FEW in page.get_text()
    assert n_shown(page) == 32  # everybody
    for kind in ("csv", "xlsx"):
        file = client.get(explorer(world, f"segment={segment}").replace("comments?", f"comments.{kind}?"))
        assert file.status_code == 422
        assert "Too few people gave this answer" in file.text


def test_what_does_not_count_does_not_make_a_group_large_enough(client: PageClient, world: World) -> None:
    assert "sex:m" not in offered(look(client, explorer(world, "excluded=all")))
    write(world, 1, sex="m")
    count_everything()

    assert "sex:m" in offered(look(client, explorer(world)))


def test_the_operators_minimum_holds_but_never_below_five(
    app: Flask, client: PageClient, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "MINIMUM_ANSWERS", 1)
    write(world, 4, needs=["hearing"], service=world.services[1])
    count_everything()
    assert {"sex:m", "trust:3"} < set(offered(look(client, explorer(world))))
    assert "needs:hearing" not in offered(look(client, explorer(world, place=1)))
    monkeypatch.setitem(app.config, "MINIMUM_ANSWERS", 12)
    assert set(offered(look(client, explorer(world)))) == {"", "sex:f", "age:old"}


def test_over_all_services_only_those_with_enough_of_the_group_are_shown(
    client: PageClient, world: World
) -> None:
    everywhere = look(client, "/manage/comments?segment=sex:f")
    in_second = look(client, f"/manage/comments?segment=sex:f&service={world.services[1].slug}")

    assert n_shown(everywhere) == 12  # not the three women of the second service
    assert TOO_FEW not in everywhere.get_text()
    assert n_shown(in_second) == 3  # everybody there
    assert TOO_FEW in in_second.get_text()


@pytest.mark.parametrize("segment", ["sex", "sex:x", "words:f", "overall:4", ":", "sex:f'--"])
def test_what_is_no_answer_about_a_person_is_left_out(client: PageClient, world: World, segment: str) -> None:
    page = look(client, explorer(world, f"segment={segment}"))

    assert "The address asks for something we do not know" in page.get_text()
    assert n_shown(page) == 32


def test_answers_are_called_what_people_read(client: PageClient, world: World) -> None:
    assert offered(look(client, explorer(world)))["age:old"] == "How old are you?: 40 or more"


def test_the_figures_of_a_group_lead_to_its_comments(client: PageClient, world: World) -> None:
    write(world, 30, sex="f", service=world.services[0])
    count_everything()
    page = look(client, f"/manage/services/{world.services[0].slug}?segment=sex:f&until=2026-03")
    links = [str(link["href"]) for link in page.select("main a[href*='/comments?']")]

    assert links
    assert all("segment=sex:f" in link or "segment=sex%3Af" in link for link in links), links
