"""Files of labelled comments are understood by the names of their columns."""

import csv
from pathlib import Path

import pytest

from citizenvoice.nlp.codebook import load_codebook
from citizenvoice.nlp.examples import Example, own_examples, parse_examples
from citizenvoice.nlp.features import PROMPTS, normalise

NHS = (
    "comment_id,respondent_id,trust,date,service_type_1,service_type_2,fft_rating,question,text,sentiment_5,"
    "themes\n"
)
DATA = Path(__file__).parents[2] / "data"


def test_sentiment_and_rating_are_turned_round_in_the_published_file() -> None:
    parsed = parse_examples([NHS, "1,r1,T,2021,a,b,1,What was good?,Kind,1,Staff manner\n"])
    scheme = "nhs_patient_experience"
    assert parsed == [Example("Kind", 5, ("Staff manner",), "r1", "good", scheme=scheme, rating=5)]


def test_rows_without_an_answer_or_a_label_are_left_out() -> None:
    rows = [
        "1,r1,T,,,,1,FFT Why?,Did not answer,,Labelling not possible\n",
        "2,r2,T,,,,1,FFT Why?, ,1,\n",
        "3,r3,T,,,,9,Else?,Fine,,A|B\n",
        "4,r4,T,,,,1,FFT Why?,xx,,Labelling not possible\n",
    ]
    scheme = "nhs_patient_experience"
    parsed = parse_examples([NHS, *rows])
    assert parsed == [Example("Fine", None, ("A", "B"), "r3", "comment", scheme=scheme)]


def test_a_file_of_texts_and_sentiments_is_enough() -> None:
    parsed = parse_examples(["text,sentiment\n", "good,5\n", "bad,negative\n", "so,0\n", "no label,\n"])
    assert [(e.sentiment, e.is_coarse, e.themes) for e in parsed] == [
        (5, False, None),
        (2, True, None),
        (3, True, None),
        (None, False, None),
    ]
    assert len({e.group for e in parsed}) == 4


def test_what_is_said_of_a_theme_is_read_with_it() -> None:
    lines = ["text,sentiment,mixed,themes,urgent\n", "x,3,yes,fees:neg|outcome:pos,none\n", "y,1,no,,harm\n"]
    first, second = parse_examples(lines)
    assert first.themes == ("fees", "outcome")
    assert first.stances == (("fees", "neg"), ("outcome", "pos"))
    assert (first.mixed, first.urgent) == (True, "")
    assert (second.themes, second.urgent) == ((), "harm")


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["a,b\n", "1,2\n"], "no column text"),
        (["text,sentiment\n", "a,6\n"], "Row 1: Sentiment '6'"),
        (["text,urgent\n", "a,none\n", "b,fire\n"], "Row 2: 'fire'"),
    ],
)
def test_what_cannot_be_understood_is_named(lines: list[str], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        parse_examples(lines)


@pytest.mark.parametrize("language", ["en", "es"])
def test_our_own_comments_are_labelled_as_they_say(language: str) -> None:
    examples = own_examples([language])
    codes = set(load_codebook("public_service").codes)
    assert len(examples) >= 500
    for example in examples:
        assert example.language == language
        assert example.prompt in PROMPTS
        assert example.sentiment is not None
        assert set(example.themes or ()) <= codes
        assert not example.mixed or example.sentiment == 3


@pytest.mark.parametrize("language", ["en", "es"])
def test_no_training_comment_repeats_one_of_the_examination(language: str) -> None:
    """Answers of a few words, as "nothing", are anybody's."""
    with (DATA / f"examination_{language}.csv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    trained = {normalise(example.text) for example in own_examples()}
    assert len(rows) >= 140
    assert not [
        row["text"] for row in rows if len(row["text"].split()) > 5 and normalise(row["text"]) in trained
    ]
