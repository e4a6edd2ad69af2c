"""The same thing sent twice counts once: by key, by content, at one moment, and reversibly."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from citizenvoice.db import db, writing
from citizenvoice.errors import DomainError
from citizenvoice.feedback import actions, codes, duplicates, queries
from citizenvoice.feedback.models import Exclusion, Receipt
from citizenvoice.surveys import recording
from citizenvoice.surveys.arrivals import store_together
from citizenvoice.surveys.contributions import Contribution, Recorded, Words
from citizenvoice.web.clock import utc_now
from tests.integration.answering.asking import (
    address,
    code_on,
    comments,
    definition,
    fields_of,
    live_survey,
    receipts,
    responses,
    send,
    via,
)
from tests.pages import PageClient

N_THREADS = 8


def sent_at_once(app: Flask, survey: str, form: dict[str, str], headers: dict[str, str]) -> list[str]:
    """Send the same form from several browsers at one moment and return the codes they got."""
    codes_given: list[str] = []
    together = threading.Barrier(N_THREADS)

    def send_it() -> None:
        together.wait()
        page = app.test_client().post(survey, data=form, headers=headers)
        assert page.status_code == 200, page.text
        codes_given.append(code_on(page))

    threads = [threading.Thread(target=send_it) for _ in range(N_THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return codes_given


@pytest.fixture
def survey_address(real_app: Flask) -> str:
    """Where a survey is answered on a database with real commits."""
    with real_app.app_context():
        found = address(live_survey())
        db.session.remove()
    return found


def test_requests_with_one_key_at_one_moment_make_one_response(real_app: Flask, survey_address: str) -> None:
    given = sent_at_once(real_app, survey_address, {"q1": "3"}, {"Idempotency-Key": "one"})

    assert len(given) == N_THREADS
    assert len(set(given)) == 1
    with real_app.app_context():
        assert len(receipts()) == len(responses()) == 1


def test_a_double_click_counts_once(real_app: Flask, survey_address: str) -> None:
    given = sent_at_once(real_app, survey_address, {"q1": "3", "why": "Twice, at one moment"}, {})

    assert len(set(given)) == N_THREADS
    with real_app.app_context():
        first, *others = receipts()
        assert first.exclusion is None
        assert {(each.exclusion, each.duplicate_of_id) for each in others} == {("duplicate", first.id)}


def test_different_answers_at_one_moment_all_count(real_app: Flask, survey_address: str) -> None:
    together = threading.Barrier(N_THREADS)

    def send_it(number: int) -> None:
        together.wait()
        for again in range(5):
            form = {"q1": "3", "why": f"Answer {number}, {again}"}
            assert real_app.test_client().post(survey_address, data=form).status_code == 200

    threads = [threading.Thread(target=send_it, args=[number]) for number in range(N_THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with real_app.app_context():
        assert [each.exclusion for each in receipts()] == [None] * (5 * N_THREADS)
        assert len({comment.text for comment in comments()}) == 5 * N_THREADS
        assert {comment.id for comment in comments()} == {receipt.id for receipt in receipts()}


def test_one_that_cannot_be_stored_does_not_spoil_the_others(real_app: Flask) -> None:
    with real_app.app_context():
        survey = live_survey()
        facts: dict[str, Any] = {
            "survey_id": survey.id,
            "version_id": survey.versions[0].id,
            "service_id": survey.services[0].id,
            "channel": "website",
            "language": "en",
            "received_at": utc_now(),
            "day": utc_now().date(),
        }
        db.session.remove()
    outcomes: dict[str, bool] = {}
    together = threading.Barrier(N_THREADS)

    def store(number: int) -> None:
        service = {"service_id": 10**6} if number == 3 else {}
        given = Contribution(**{**facts, **service, "answers": {"q1": 3}})
        with real_app.app_context():
            together.wait()
            try:
                real_app.extensions["arrivals"].store(given)
            except Exception:  # noqa: BLE001 - whatever the database says to it
                outcomes["refused"] = number == 3

    threads = [threading.Thread(target=store, args=[number]) for number in range(N_THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes == {"refused": True}
    with real_app.app_context():
        assert len(receipts()) == N_THREADS - 1


def test_a_retry_with_the_same_key_gets_the_same_code(client: PageClient) -> None:
    survey = live_survey()
    form = {"q1": "3", "why": "first"}
    one, two = (client.post(address(survey), data=form, headers={"Idempotency-Key": "k"}) for _ in range(2))

    assert code_on(one) == code_on(two)
    assert [comment.text for comment in comments()] == ["first"]


@pytest.mark.parametrize("way", [{"headers": {"Idempotency-Key": "k"}}, {}])
def test_something_else_with_the_same_key_gets_a_code_of_its_own(
    client: PageClient, way: dict[str, Any]
) -> None:
    survey = live_survey()
    field = {} if way else {"cv-key": "k"}
    one, two = (
        client.post(address(survey), data={"q1": "3", "why": why, **field}, **way)
        for why in ("first", "second")
    )

    assert code_on(one) != code_on(two)
    assert [comment.text for comment in comments()] == ["first", "second"]


def test_the_page_with_errors_carries_a_key(client: PageClient) -> None:
    survey = live_survey()
    page = send(client, client.get(address(survey)))
    assert fields_of(page)["cv-key"]
    assert send(client, page).status_code == 422

    codes_given = {code_on(send(client, page, q1="3")) for _ in range(2)}
    assert len(codes_given) == len(receipts()) == 1


def test_keys_of_different_surveys_are_different_keys(client: PageClient) -> None:
    for survey in (live_survey(), live_survey()):
        client.post(address(survey), data={"q1": "3"}, headers={"Idempotency-Key": "k"})

    assert len(receipts()) == 2


def test_the_same_again_within_minutes_is_marked_and_later_it_is_not(client: PageClient) -> None:
    survey = live_survey()
    form = {"q1": "3", "why": "Good"}
    client.post(address(survey), data=form)
    client.post(address(survey), data=form)
    first, second = receipts()
    assert (second.exclusion, second.duplicate_of_id) == ("duplicate", first.id)

    for receipt in receipts():
        receipt.received_at -= duplicates.WINDOW + timedelta(seconds=1)
    client.post(address(survey), data=form)
    assert receipts()[-1].exclusion is None


@pytest.mark.parametrize(
    "other",
    [
        {"data": {"q1": "2", "why": "Good"}},
        {"data": {"q1": "3", "why": "Good!"}},
        {"headers": {"User-Agent": "another browser"}},
        {"environ_base": {"REMOTE_ADDR": "192.0.2.9"}},
    ],
)
def test_anything_different_is_another_contribution(client: PageClient, other: dict[str, Any]) -> None:
    survey = live_survey()
    form = {"q1": "3", "why": "Good"}
    client.post(address(survey), data=form)
    client.post(address(survey), **{"data": form, **other})

    assert [receipt.exclusion for receipt in receipts()] == [None, None]


@pytest.mark.parametrize(
    ("words", "expected"), [("", None), ("Very good", None), ("A long wait", "duplicate")]
)
def test_on_a_shared_device_only_words_make_a_duplicate(
    client: PageClient, words: str, expected: str | None
) -> None:
    survey = live_survey()
    kiosk = {"cv-via": via(survey, "self_service_kiosk")}
    for _ in range(2):
        client.post(address(survey), data={"q1": "3", "why": words, **kiosk})

    assert receipts()[1].exclusion == expected


def test_a_duplicate_can_be_counted_after_all(client: PageClient) -> None:
    survey = live_survey()
    for _ in range(2):
        client.post(address(survey), data={"q1": "3", "why": "Good"})
    second = receipts()[1]
    second.uncounted = False
    actions.set_exclusion(second, None, utc_now())

    assert (second.exclusion, second.exclusion_at, second.duplicate_of_id) == (None, None, None)
    assert second.uncounted
    actions.set_exclusion(second, Exclusion.SPAM, utc_now())
    assert second.exclusion == "spam"
    assert [r.id for r in db.session.scalars(db.select(Receipt).where(queries.counted()))] == [
        receipts()[0].id
    ]


def test_what_was_withdrawn_stays_withdrawn(client: PageClient) -> None:
    survey = live_survey()
    client.post(address(survey), data={"q1": "3"})
    [receipt] = receipts()
    actions.withdraw([receipt], utc_now())

    with pytest.raises(DomainError):
        actions.set_exclusion(receipt, None, utc_now())
    client.post(address(survey), data={"q1": "3"})
    assert receipts()[1].exclusion is None


def exclusions() -> list[str | None]:
    return [receipt.exclusion for receipt in receipts()]


def test_a_duplicate_that_goes_on_counts_in_place_of_its_twin(client: PageClient) -> None:
    survey = live_survey()
    first, second = (client.post(address(survey), data={"q1": "3", "why": "Good"}) for _ in range(2))
    for receipt in receipts():
        receipt.uncounted = False
    send(client, second, q2="1", improve="A bench")

    assert exclusions() == ["duplicate", None]
    assert [receipt.uncounted for receipt in receipts()] == [True, True]
    assert [receipt.duplicate_of_id for receipt in receipts()] == [None, None]
    assert [response.answers for response in responses()] == [{"q1": 3}, {"q1": 3, "q2": 1}]
    send(client, first, q2="2")
    assert exclusions() == [None, None]
    assert [response.answers for response in responses()] == [{"q1": 3, "q2": 2}, {"q1": 3, "q2": 1}]


def test_a_duplicate_that_goes_on_leaves_a_twin_that_went_on_before(client: PageClient) -> None:
    survey = live_survey()
    first, second = (client.post(address(survey), data={"q1": "3"}) for _ in range(2))
    send(client, first, q2="2", improve="Mine")
    send(client, second, q2="2", improve="Mine too")

    assert exclusions() == [None, None]
    assert [(c.receipt_id, c.text) for c in comments()] == [
        (receipts()[0].id, "Mine"),
        (receipts()[1].id, "Mine too"),
    ]


def test_a_duplicate_sent_again_unchanged_stays_one(client: PageClient) -> None:
    survey = live_survey()
    _first, second = (client.post(address(survey), data={"q1": "3", "why": "Good"}) for _ in range(2))
    send(client, send(client, second, **{"cv-back": "main"}), q1="3", why="Good")

    assert exclusions() == [None, "duplicate"]


def test_the_pages_say_whether_an_answer_counts(client: PageClient) -> None:
    survey = live_survey()
    first, second = (client.post(address(survey), data={"q1": "3"}) for _ in range(2))

    assert "We have your answer. It counts." in first.text
    assert "It counts." not in second.text
    assert "The same answers arrived before, so they are counted once." in second.text
    assert "We have your answer. It counts." in send(client, second, q2="1").text


def test_a_duplicate_of_one_page_is_told_so_at_the_end(client: PageClient) -> None:
    survey = live_survey({**definition(), "sections": definition()["sections"][:1]})
    first, second = (client.post(address(survey), data={"q1": "3"}) for _ in range(2))

    assert "Your answers count" in first.text
    assert "Your answers count" not in second.text
    assert "The same answers arrived before. They are counted once." in second.text


def contribution(survey_id: int, version_id: int, service_id: int, **more: object) -> Contribution:
    """Return a response as an import or a demonstration brings it."""
    now = utc_now()
    return Contribution(
        **{
            "survey_id": survey_id,
            "version_id": version_id,
            "service_id": service_id,
            "channel": "website",
            "language": "en",
            "received_at": now,
            "day": now.date(),
            "answers": {"q1": 3},
            "words": [Words("why", "why", "Good", {})],
            **more,  # type: ignore[arg-type]
        }
    )


def test_many_are_stored_by_the_same_rules(client: PageClient) -> None:
    survey = live_survey()
    ids = survey.id, survey.versions[0].id, survey.services[0].id
    now, secret = utc_now(), "s"
    digest = duplicates.sender_digest(secret, now, "x", "y")
    late = duplicates.sender_digest(secret, now + timedelta(minutes=6), "x", "y")
    with writing():
        recorded = recording.record_many(
            [
                contribution(*ids, sender=digest),
                contribution(*ids, sender=digest),
                contribution(*ids, sender=late, received_at=now + timedelta(minutes=6)),
                contribution(*ids, idempotency_hash="a" * 64),
                contribution(*ids, idempotency_hash="a" * 64),
                contribution(*ids, external_id="7", exclusion=Exclusion.TEST),
            ]
        )
        db.session.commit()
    again = recording.record_many(
        [contribution(*ids, sender=digest), contribution(*ids, idempotency_hash="a" * 64)]
    )

    assert [each.is_duplicate for each in recorded] == [False, True, False, False, False, False]
    assert [each.is_repeat for each in recorded] == [False, False, False, False, True, False]
    assert [each.exclusion for each in receipts()[:5]] == [None, "duplicate", None, None, "test"]
    assert again[0].is_duplicate
    assert again[1] == Recorded(recorded[3].receipt_id, is_repeat=True)
    assert len(comments()) == 6
    assert recording.record_many([]) == []


def test_one_by_one_and_many_store_the_same_rows(client: PageClient) -> None:
    survey = live_survey()
    ids = survey.id, survey.versions[0].id, survey.services[0].id
    given = [
        contribution(*ids, code_hash=bytes([n]) * 32, rating=50, segments={"age": "old"}, import_digest="d")
        for n in (1, 2)
    ]
    store_together(db.session.connection().connection.driver_connection, [given[0]])
    recording.record_many([given[1]])
    db.session.commit()

    def facts(row: object) -> dict[str, object]:
        own = {"id", "code_hash", "receipt_id", "received_at"}
        names = {column.name for column in row.__table__.columns} - own  # type: ignore[attr-defined]
        return {name: getattr(row, name) for name in names}

    for one, other in (receipts(), responses(), comments()):
        assert facts(one) == facts(other)


def test_a_code_is_stored_only_as_a_keyed_hash(client: PageClient) -> None:
    survey = live_survey()
    code = code_on(client.post(address(survey), data={"q1": "3"}))

    assert receipts()[0].code_hash == codes.code_hash(client.application.config["SECRET_KEY"], code)
    assert receipts()[0].code_hash != codes.code_hash("another secret", code)
