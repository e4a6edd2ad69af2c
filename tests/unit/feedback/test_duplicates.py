"""The same thing sent twice is known for minutes, and the sender not at all."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citizenvoice.agencies.models import SHARED_DEVICE_CHANNELS
from citizenvoice.feedback import duplicates

SECRET = "a secret of the tests, long enough"  # noqa: S105
MIDNIGHT = datetime(2024, 5, 2, tzinfo=UTC)


@given(st.integers(0, 299), st.integers(0, 86_399))
def test_what_is_sent_again_within_the_window_is_recognised_also_over_midnight(
    later: int, second: int
) -> None:
    first_at = MIDNIGHT + timedelta(seconds=second)
    first = duplicates.sender_digest(SECRET, first_at, "here", "same")
    again = duplicates.sender_digest(SECRET, first_at + timedelta(seconds=later), "here", "same")

    assert first.stored in again.sought


def test_the_next_day_nothing_can_be_told() -> None:
    first = duplicates.sender_digest(SECRET, MIDNIGHT, "here", "same")
    tomorrow = duplicates.sender_digest(SECRET, MIDNIGHT + timedelta(days=1, seconds=301), "here", "same")

    assert first.stored not in tomorrow.sought
    assert len(tomorrow.sought) == 1


@pytest.mark.parametrize(("sender", "content"), [("there", "same"), ("here", "other"), ("her", "e\0same")])
def test_another_sender_or_content_is_another_thing(sender: str, content: str) -> None:
    one = duplicates.sender_digest(SECRET, MIDNIGHT, "here", "same")

    assert one.stored not in duplicates.sender_digest(SECRET, MIDNIGHT, sender, content).sought


def test_content_does_not_depend_on_the_order_of_answers() -> None:
    one = duplicates.content(1, 2, {"a": 1, "b": 2}, [("why", "x")])

    assert one == duplicates.content(1, 2, {"b": 2, "a": 1}, [("why", "x")])
    assert one != duplicates.content(1, 3, {"a": 1, "b": 2}, [("why", "x")])
    assert one != duplicates.content(1, 2, {"a": 1, "b": 2}, [("why", "y")])


@pytest.mark.parametrize("channel", sorted(SHARED_DEVICE_CHANNELS))
def test_on_a_shared_device_only_words_tell(channel: str) -> None:
    assert not duplicates.can_be_told(channel, [])
    assert not duplicates.can_be_told(channel, ["very good"])
    assert duplicates.can_be_told(channel, ["ok", "a long wait"])
    assert duplicates.can_be_told("website", [])
