"""Receipt codes: what people type is what we drew, however they write it."""

import re

from hypothesis import given
from hypothesis import strategies as st

from citizenvoice.feedback import codes

SECRET = "a secret of the tests, long enough"  # noqa: S105
PLAIN = st.text(alphabet=codes.ALPHABET, min_size=codes.N_CHARS, max_size=codes.N_CHARS)
LOOKALIKES = {"0": "0Oo", "1": "1IiLl"}


def test_a_code_is_four_groups_of_four_that_cannot_be_mistaken() -> None:
    assert re.fullmatch(r"([0-9A-HJKMNP-TV-Z]{4}-){3}[0-9A-HJKMNP-TV-Z]{4}", codes.new_code())
    assert len(set(codes.ALPHABET)) == 32
    assert codes.BITS >= 60


def test_codes_do_not_repeat() -> None:
    assert len({codes.new_code() for _ in range(2000)}) == 2000


@given(PLAIN, st.randoms(use_true_random=False), st.sampled_from([" ", "-", "–", "", " - ", "\n"]))
def test_however_a_code_is_typed_it_is_the_same_code(plain: str, random, between: str) -> None:
    typed = between.join(
        random.choice(LOOKALIKES.get(character, character + character.lower())) for character in plain
    )

    assert codes.read_code(typed) == plain
    assert codes.code_hash(SECRET, typed) == codes.code_hash(SECRET, codes.shown(plain))


@given(PLAIN, PLAIN)
def test_different_codes_have_different_hashes(one: str, other: str) -> None:
    assert (codes.code_hash(SECRET, one) == codes.code_hash(SECRET, other)) == (one == other)


@given(st.text(max_size=120))
def test_what_cannot_be_a_code_is_no_code(typed: str) -> None:
    plain = codes.read_code(typed)

    assert plain is None or (len(plain) == codes.N_CHARS and set(plain) <= set(codes.ALPHABET))
    assert (codes.code_hash(SECRET, typed) is None) == (plain is None)


def test_the_hash_says_nothing_without_the_secret() -> None:
    code = codes.new_code()

    assert codes.code_hash(SECRET, code) != codes.code_hash(SECRET + "!", code)
    assert (codes.read_code(code) or "").encode() not in (codes.code_hash(SECRET, code) or b"")


@given(st.integers(1, 10**9), st.integers(1, 10**9), st.text(min_size=1, max_size=200), st.text())
def test_a_key_and_what_was_sent_with_it_always_give_the_same_code(
    survey_id: int, service_id: int, key: str, content: str
) -> None:
    sent = survey_id, service_id, key
    others = [(survey_id + 1, service_id, key), (survey_id, service_id + 1, key), (*sent[:2], f"{key}!")]
    code = codes.derived_code(SECRET, *sent, content)

    assert code == codes.derived_code(SECRET, *sent, content)
    assert codes.read_code(code) == code.replace("-", "")
    assert code != codes.derived_code(SECRET, *sent, f"{content}!")
    assert codes.content_digest(SECRET, *sent, content) != codes.content_digest(SECRET, *sent, f"{content}!")
    for other in others:
        assert code != codes.derived_code(SECRET, *other, content)
        assert codes.idempotency_hash(SECRET, *sent) != codes.idempotency_hash(SECRET, *other)
