"""Languages are told apart among the enabled ones only."""

import pytest

from citizenvoice.nlp.language import identify_language

LONG = {
    "en": "The people at the counter were very helpful but the queue was long",
    "es": "La gente de la ventanilla fue muy amable pero la fila era larga",
    "fr": "Les gens au guichet étaient très aimables mais la file était longue",
    "tl": "Mabait ang mga tao sa opisina pero sobrang haba ng pila",
}


@pytest.mark.parametrize("language", LONG)
def test_tells_a_sentence_among_the_enabled_languages(language: str) -> None:
    found = identify_language(LONG[language], list(LONG))
    assert found.language == language
    assert 0.5 < found.probability <= 1


def test_never_answers_a_language_that_is_not_enabled() -> None:
    assert identify_language(LONG["fr"], ["en", "es"]).language in {"en", "es"}


def test_the_form_decides_a_short_answer() -> None:
    assert identify_language("no", ["en", "es"], form_language="es").language == "es"
    assert identify_language("no", ["en", "es"], form_language="en").language == "en"


def test_the_words_decide_a_sentence() -> None:
    assert identify_language(LONG["es"], ["en", "es"], form_language="en").language == "es"


def test_regional_codes_are_kept() -> None:
    assert identify_language(LONG["es"], ["en-US", "es-MX"]).language == "es-MX"
    assert identify_language(LONG["tl"], ["en", "fil"]).language == "fil"


def test_a_language_the_identifier_does_not_know_is_that_of_the_form() -> None:
    assert identify_language("Maayong buntag", ["en", "ceb"], form_language="ceb").language == "ceb"
    assert identify_language(LONG["en"], ["en", "ceb"], form_language="en").language == "en"


def test_refuses_to_choose_among_none() -> None:
    with pytest.raises(ValueError, match="at least one"):
        identify_language("hello", [])
