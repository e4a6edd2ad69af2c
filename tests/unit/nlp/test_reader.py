"""What a reading holds: sentiment, themes with their own, urgency, doubt, and the words behind it."""

import numpy as np
import pytest

from citizenvoice.nlp.model import load_shipped_model
from citizenvoice.nlp.reader import Reader, load_reader


@pytest.fixture(scope="module")
def reader() -> Reader:
    return load_reader("public_service")


def test_a_reading_holds_what_was_read(reader: Reader) -> None:
    reading = reader.read(["La fila era demasiado larga y nadie contesta el teléfono"])[0]
    assert reading.language == "es"
    assert reading.sentiment in (1, 2)
    assert reading.sentiment_probabilities is not None
    assert sum(reading.sentiment_probabilities) == pytest.approx(1, abs=1e-5)
    assert {"waiting_time", "contact"} & {code for code, _ in reading.themes}
    assert [p for _, p in reading.themes] == sorted((p for _, p in reading.themes), reverse=True)


def test_each_theme_has_its_own_sentiment(reader: Reader) -> None:
    reading = reader.read(["Lovely friendly staff, but I waited three hours in the queue"])[0]
    said = {one.code: one.sentiment for one in reading.found}
    assert (said["staff_attitude"], said["waiting_time"]) == ("pos", "neg")


@pytest.mark.parametrize(
    ("text", "sentiment", "theme"),
    [
        ("The clerk was rude and unhelpful", -1, "staff_attitude"),
        ("The clerk was friendly and explained everything", 1, "staff_attitude"),
        ("I had to wait six weeks for my licence", -1, "waiting_time"),
        ("The online portal crashed twice", -1, "website_and_app"),
        ("Bins not collected again", -1, "reliability"),
        ("Nobody answers the phone", -1, "contact"),
        ("La señora fue muy amable, gracias", 1, "staff_attitude"),
        ("La página web no funciona", -1, "website_and_app"),
    ],
)
def test_plain_sentences_about_any_service_are_read(
    reader: Reader, text: str, sentiment: int, theme: str
) -> None:
    reading = reader.read([text])[0]
    assert reading.sentiment is not None
    assert np.sign(reading.sentiment - 3) == sentiment
    assert theme in {code for code, _ in reading.themes}


def test_mixed_is_told_apart_from_neutral(reader: Reader) -> None:
    mixed, neutral = reader.read(
        ["Staff were lovely but the wait was far too long", "I renewed my licence on Tuesday."]
    )
    assert mixed.mixed is not None
    assert neutral.mixed is not None
    assert mixed.mixed > 0.3 > neutral.mixed


def test_danger_is_flagged_and_daily_trouble_is_not(reader: Reader) -> None:
    texts = [
        "The officer asked for a bribe before he would stamp my papers",
        "He slapped my disabled brother and left bruises, please someone check on the patients",
        "Very quick and polite, thank you",
        "The form is too long",
    ]
    bribe, abuse, *harmless = reader.read(texts)
    assert bribe.urgent[0][0] == "corruption"
    assert abuse.urgent
    assert not any(reading.urgent for reading in harmless)


def test_the_question_changes_what_nothing_means_unless_it_is_switched_off() -> None:
    model = load_shipped_model("nhs_patient_experience")
    asked = Reader(model).read(["Nothing"] * 2, prompts=["improve", "good"])
    assert asked[0].sentiment is not None
    assert asked[1].sentiment is not None
    assert asked[0].sentiment > asked[1].sentiment
    off = Reader(model, use_prompts=False).read(["Nothing"] * 2, prompts=["improve", "good"])
    assert off[0] == off[1]


def test_the_rating_moves_a_vague_comment_unless_it_is_switched_off(reader: Reader) -> None:
    worst, best, without = reader.read(["As usual on a Tuesday"] * 3, ratings=[1, 5, None])
    expected = [np.dot(one.sentiment_probabilities or (), range(1, 6)) for one in (worst, without, best)]
    assert expected[0] < expected[1] < expected[2]
    off = Reader(reader.model, use_ratings=False).read(["As usual on a Tuesday"] * 2, ratings=[1, 5])
    assert off[0] == off[1]


def test_doubt_grows_with_the_confidence_that_is_wanted(reader: Reader) -> None:
    texts = ["Excellent, thank you so much", "it was what it was, some of it", "rude", "meh"]
    usual, strict, lax = (
        [one.is_confident for one in Reader(reader.model, confidence=wanted).read(texts)]
        for wanted in (None, 0.9999, 0.0)
    )
    assert usual[0]
    assert not any(strict)
    assert all(lax)


def test_rare_themes_are_only_suggested() -> None:
    reader = load_reader("nhs_patient_experience")
    themes = reader.model.parts["en"].calibration.themes["nhs_patient_experience"]
    rare = {code for code, few in zip(reader.model.theme_codes, themes.is_rare, strict=True) if few}
    assert "parking" in rare
    for reading in reader.read(["parking dreadful, no parking spaces", "car park full", "Nice food"]):
        assert not {code for code, _ in reading.themes} & rare
        assert {code for code, _ in reading.suggestions} <= rare


def test_order_is_kept_over_batches(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = ["Rude", "Excelente servicio, gracias", "?!", "Too slow, too dear", "", "Thank you"]
    whole = reader.read(texts)
    monkeypatch.setattr("citizenvoice.nlp.reader.BATCH", 2)
    for one, again in zip(whole, reader.read(texts), strict=True):
        assert (one.language, one.sentiment, one.themes) == (again.language, again.sentiment, again.themes)


@pytest.mark.parametrize("text", ["", "12345", "?!…", "\u200b\u200b", "   \n\t"])
def test_what_cannot_be_read_gets_no_sentiment_and_no_theme(reader: Reader, text: str) -> None:
    reading = reader.read([text])[0]
    assert reading.sentiment is None
    assert reading.sentiment_probabilities is None
    assert (reading.found, reading.urgent, reading.is_confident) == ((), (), False)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Les gens étaient très aimables mais la file d'attente était longue", "fr"),
        ("Die Mitarbeiter waren freundlich, aber wir mussten sehr lange warten", "de"),
        ("الموظفون كانوا لطفاء لكن الانتظار كان طويلا", "ar"),
        ("窓口の人はとても親切でしたが、長く待たされました", "ja"),
        ("Сотрудники были вежливы, но очередь очень длинная", "ru"),
        ("Os funcionários foram simpáticos, mas esperei muito tempo na fila", "pt"),
    ],
)
def test_other_languages_come_back_unread(reader: Reader, text: str, language: str) -> None:
    reading = reader.read([text])[0]
    assert (reading.language, reading.sentiment, reading.found) == (language, None, ())


def test_a_language_that_is_enabled_but_not_known_is_not_guessed_at(reader: Reader) -> None:
    french, english = Reader(reader.model, languages=["en", "es", "fr"]).read(
        [
            "Les gens étaient très aimables mais la file était longue",
            "The queue was long but the clerk was nice",
        ]
    )
    assert (french.language, french.sentiment) == ("fr", None)
    assert english.sentiment is not None


def test_a_language_that_is_known_but_not_enabled_is_not_read(reader: Reader) -> None:
    reading = Reader(reader.model, languages=["en"]).read(["La señora de la ventanilla fue muy amable"])[0]
    assert (reading.language, reading.sentiment) == ("es", None)


def test_countries_do_not_matter(reader: Reader) -> None:
    reading = Reader(reader.model, languages=["en-GB", "es-MX"]).read(["ok"], languages=["en-GB"])[0]
    assert reading.language == "en-GB"
    assert reading.sentiment is not None


def test_no_texts_give_no_readings(reader: Reader) -> None:
    assert reader.read([]) == []


def test_lengths_prompts_and_ratings_are_checked(reader: Reader) -> None:
    with pytest.raises(ValueError, match="one prompt"):
        reader.read(["a", "b"], prompts=["good"])
    with pytest.raises(ValueError, match="none of the prompts"):
        reader.read(["a"], prompts=["bad"])
    with pytest.raises(ValueError, match="rating"):
        reader.read(["a"], ratings=[6])


def test_the_words_that_carried_a_label_are_where_they_are_said_to_be(reader: Reader) -> None:
    text = "Well… the clerk was RUDE,  and I waited hours 😡"
    explained = reader.explain(text)
    assert {"sentiment", "waiting_time", "staff_attitude"} <= explained.keys()
    assert explained["staff_attitude"][0].text in ("RUDE", "clerk")
    assert explained["waiting_time"][0].text in ("waited", "hours")
    for carriers in explained.values():
        assert [one.weight for one in carriers] == sorted((one.weight for one in carriers), reverse=True)
        assert all(text[one.start : one.end] == one.text and one.weight > 0 for one in carriers)


@pytest.mark.parametrize("text", ["", "x " * 25_000, "\ud800 rude", "12345"])
def test_anything_can_be_asked_to_be_explained(reader: Reader, text: str) -> None:
    assert isinstance(reader.explain(text), dict)
