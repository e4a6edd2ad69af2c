"""Rate limits: who is counted, without keeping who it was, and what happens without the shared counter."""

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from citizenvoice.web.limits import keyed_hash, limiter, sender_key, subscriber, too_often
from tests.servers import app_on

DAY = date(2024, 5, 1)


@given(st.ip_addresses(v=4))
def test_the_key_says_nothing_about_the_address_and_changes_every_day(address: object) -> None:
    today = keyed_hash(str(address), secret="s" * 32, day=DAY)

    assert str(address) not in today
    assert today == keyed_hash(str(address), secret="s" * 32, day=DAY)
    assert today != keyed_hash(str(address), secret="s" * 32, day=DAY + timedelta(days=1))
    assert today != keyed_hash(str(address), secret="t" * 32, day=DAY)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:0db8:0001:0002"),
        ("2001:db8:1:2::9", "2001:0db8:0001:0002"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("", ""),
        ("unix socket", "unix socket"),
    ],
)
def test_a_subscriber_is_an_address_or_the_half_of_one(address: str, expected: str) -> None:
    assert subscriber(address) == expected


def test_the_sender_of_a_request_is_its_address(app: Flask) -> None:
    keys = set()
    for address in ("203.0.113.9", "203.0.113.9", "203.0.113.10"):
        with app.test_request_context(environ_base={"REMOTE_ADDR": address}):
            keys.add(sender_key())

    assert len(keys) == 2


@pytest.fixture
def switched_on() -> Iterator[None]:
    """The limiter as it was, afterwards."""
    enabled = limiter.enabled
    yield
    limiter.enabled = enabled


def statuses(app: Flask, n: int) -> list[int]:
    client = app.test_client()
    return [client.post("/manage/sign-in", data={}).status_code for _ in range(n)]


@pytest.mark.redis
def test_processes_share_the_count_through_redis(
    real_database: str, redis_url: str, switched_on: None
) -> None:
    settings = {"REDIS_URL": redis_url, "RATELIMIT_ENABLED": True}

    one = app_on(real_database, **settings)
    limiter.reset()

    first = statuses(one, 6)
    second = statuses(app_on(real_database, **settings), 6)

    assert first + second == [200] * 10 + [429] * 2


def test_without_redis_each_process_counts_for_itself(real_database: str, switched_on: None) -> None:
    app = app_on(real_database, REDIS_URL="redis://127.0.0.1:1/0", RATELIMIT_ENABLED=True)

    assert statuses(app, 11) == [200] * 10 + [429]
    limiter._storage_dead = False  # as when Redis went away just now
    with app.test_request_context(environ_base={"REMOTE_ADDR": "203.0.113.9"}):
        assert [too_often("trying", "2/minute") for _ in range(3)] == [False, False, True]
