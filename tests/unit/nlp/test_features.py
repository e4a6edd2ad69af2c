"""Texts become rows of numbers in the same way when training and when reading."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from citizenvoice.nlp.features import (
    CROSSED,
    PROMPTS,
    TextFeatures,
    Vectoriser,
    normalise,
    prompt_rows,
    tokens_of,
)
from citizenvoice.nlp.lexicon import N_SIGNS, Lexicon, english_valence

TEXTS = ["the wait was long", "the staff were kind", "long wait, kind staff!", "la espera fue larga"]


@given(st.text())
def test_normalising_twice_changes_nothing_for_letters(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once or any(ord(character) > 127 for character in once)
    assert "\n" not in once


def test_accents_and_apostrophes_make_no_difference() -> None:
    assert normalise("Atención, NO FUNCIONÓ") == normalise("atencion, no funciono")
    assert normalise("didn’t") == normalise("didn't") == "didnt"


def _tokens(texts: list[str]) -> list[list[str]]:
    return [tokens_of(normalise(text)) for text in texts]


def test_words_are_weighed_and_rows_have_length_one() -> None:
    words = Vectoriser.fit("words", _tokens(TEXTS), min_df=1)
    rows = words.transform(_tokens([*TEXTS, "unknown tokens only"]))
    assert rows.shape == (5, len(words.terms))
    assert np.allclose(np.sqrt((rows.toarray() ** 2).sum(axis=1)), [1, 1, 1, 1, 0], atol=1e-6)
    assert words.idf[words.terms.index("the")] < words.idf[words.terms.index("kind staff")]


def test_counts_are_damped() -> None:
    words = Vectoriser("words", ("bad", "very"), np.ones(2, dtype=np.float32))
    row = words.transform(_tokens(["very very bad"])).toarray()[0]
    assert row[1] / row[0] == pytest.approx(1 + np.log(2))


def test_pieces_stay_inside_words() -> None:
    pieces = Vectoriser.fit("pieces", _tokens(["ab cd"]), min_df=1)
    of_one_word = {" a", "ab", "b ", " ab", "ab ", " ab ", " c", "cd", "d ", " cd", "cd ", " cd "}
    assert set(pieces.terms) == of_one_word


def test_only_the_commonest_terms_are_kept() -> None:
    assert Vectoriser.fit("words", _tokens(["a b", "a c", "a b"]), min_df=1, max_terms=1).terms == ("a",)


def test_a_negation_marks_the_words_it_reaches() -> None:
    terms = Vectoriser.fit("words", _tokens(["not very good at all", "never, good"]), min_df=1).terms
    assert {"not_very", "not_good", "not_at"} <= set(terms)
    assert "not_all" not in terms


def test_crossing_repeats_words_and_signs_under_their_question() -> None:
    features = TextFeatures.fit(TEXTS, {"kind": 2.0}, max_words=100, max_pieces=100)
    rows = features.transform(TEXTS, ["good", None, "other", "improve"]).toarray()
    n_words = len(features.words.terms)
    assert rows.shape == (4, features.n_columns)
    blocks = rows[:, features.n_plain :].reshape(4, len(CROSSED), n_words + N_SIGNS)
    assert np.allclose(blocks[0, CROSSED.index("good"), :n_words], rows[0, :n_words])
    assert blocks[3, CROSSED.index("improve")].any()
    assert not blocks[1].any()
    assert not blocks[2].any()


def test_an_unknown_prompt_is_refused_and_other_is_comment() -> None:
    with pytest.raises(ValueError, match="'best'"):
        prompt_rows(["best"])
    assert prompt_rows(["other", None, ""]).argmax(axis=1)[0] == PROMPTS.index("comment")
    assert prompt_rows([None, ""]).sum() == 0


@given(st.lists(st.text(), max_size=4))
def test_signs_of_any_text_are_moderate(texts: list[str]) -> None:
    signs = Lexicon(english_valence()).signs(_tokens(texts), texts)
    assert signs.shape == (len(texts), N_SIGNS)
    assert np.isfinite(signs).all()
    assert (abs(signs) < 12).all()


def test_a_negation_turns_praise_to_blame() -> None:
    lexicon = Lexicon(english_valence())
    net = lexicon.signs(_tokens(["good", "not good", "very good"]), ["good", "not good", "very good"])[:, -1]
    assert net[1] < 0 < net[0] < net[2]
