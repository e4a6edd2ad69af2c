"""Texts become rows of numbers in the same way when training and when reading."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from citizenvoice.nlp.features import TextFeatures, Vectoriser, normalise, prompt_rows, with_prompts

TEXTS = ["the wait was long", "the staff were kind", "long wait, kind staff!", "la espera fue larga"]


@given(st.text())
def test_normalising_twice_changes_nothing_for_letters(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once or any(ord(character) > 127 for character in once)
    assert "\n" not in once


def test_accents_and_apostrophes_make_no_difference() -> None:
    assert normalise("Atención, NO FUNCIONÓ") == normalise("atencion, no funciono")
    assert normalise("didn’t") == normalise("didn't") == "didnt"


def test_words_are_weighed_and_rows_have_length_one() -> None:
    words = Vectoriser.fit("words", TEXTS, min_df=1)
    rows = words.transform([*TEXTS, "unknown tokens only"])
    assert rows.shape == (5, len(words.terms))
    assert np.allclose(np.sqrt((rows.toarray() ** 2).sum(axis=1)), [1, 1, 1, 1, 0], atol=1e-6)
    assert words.idf[words.terms.index("the")] < words.idf[words.terms.index("kind staff")]


def test_counts_are_damped() -> None:
    words = Vectoriser("words", ("bad", "very"), np.ones(2, dtype=np.float32))
    row = words.transform(["very very bad"]).toarray()[0]
    assert row[1] / row[0] == pytest.approx(1 + np.log(2))


def test_pieces_stay_inside_words() -> None:
    pieces = Vectoriser.fit("pieces", ["ab cd"], min_df=1)
    assert set(pieces.terms) == {
        " a",
        "ab",
        "b ",
        " ab",
        "ab ",
        " ab ",
        " c",
        "cd",
        "d ",
        " cd",
        "cd ",
        " cd ",
    }


def test_only_the_commonest_terms_are_kept() -> None:
    assert Vectoriser.fit("words", ["a b", "a c", "a b"], min_df=1, max_terms=1).terms == ("a",)


def test_crossing_repeats_the_words_under_their_prompt() -> None:
    features = TextFeatures.fit(TEXTS)
    rows = features.transform(TEXTS)
    n_words, n_terms = len(features.words.terms), rows.shape[1]
    crossed = features.crossed(rows, prompt_rows(["good", None, "other", "improve"])).toarray()
    assert crossed.shape == (4, n_terms + 4 + 4 * n_words)
    block = crossed[:, n_terms + 4 :].reshape(4, 4, n_words)
    assert np.allclose(block[0, 0], rows[0, :n_words].toarray())
    assert not block[1].any()
    assert with_prompts(rows, prompt_rows([None] * 4)).shape == (4, n_terms + 4)


def test_an_unknown_prompt_is_refused() -> None:
    with pytest.raises(ValueError, match="'best'"):
        prompt_rows(["best"])
