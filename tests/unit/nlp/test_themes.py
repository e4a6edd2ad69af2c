"""Themes are chosen by their own thresholds, and codebooks know other names of their themes."""

import numpy as np
import pytest

from citizenvoice.config import ANSWERING_LANGUAGES, LANGUAGES
from citizenvoice.nlp.codebook import SHIPPED, load_codebook, parse_codebook
from citizenvoice.nlp.themes import choose_themes, label_matrix, tune_thresholds


@pytest.mark.parametrize("key", SHIPPED)
def test_shipped_codebooks_name_every_theme_in_the_languages_of_receipts(key: str) -> None:
    codebook = load_codebook(key)
    assert codebook.key == key
    for theme in codebook.themes:
        assert theme.name.keys() == set(ANSWERING_LANGUAGES)
        assert theme.description.keys() == set(LANGUAGES)
        assert all(theme.name.values())
        assert all(theme.description.values())


def test_the_general_codebook_gives_keywords_in_both_languages() -> None:
    assert all(
        len(theme.keywords["en"]) > 2 < len(theme.keywords["es"])
        for theme in load_codebook("public_service").themes
    )


def test_labels_of_another_scheme_are_understood_once() -> None:
    codebook = load_codebook("public_service")
    labels = [
        "Unspecified communication",
        "Timeliness of care",
        "Being kept informed, clarity & consistency of information",
    ]
    assert codebook.codes_of([*labels, "No such label"]) == ("waiting_time", "kept_informed")


def test_a_label_that_leaves_themes_open_says_neither_yes_nor_no() -> None:
    codebook = load_codebook("public_service")
    left_open = codebook.open_codes(["Unspecified communication"], "nhs_patient_experience")
    assert {"contact", "information_clarity", "outcome"} <= left_open
    assert "waiting_time" not in left_open
    assert "contact" not in codebook.open_codes(
        ["Unspecified communication", "Contacting services"], "nhs_patient_experience"
    )
    assert codebook.open_codes(["Anything"], "public_service") == frozenset()


def test_codes_of_the_first_version_are_still_understood() -> None:
    codebook = load_codebook("public_service")
    assert codebook.codes_of(["phone_contact", "general_praise"]) == ("contact", "overall")
    assert len(codebook.codes) == 22


def test_every_general_theme_is_defined_and_has_its_place_among_what_people_tick() -> None:
    drivers = {"effectiveness", "ease", "efficiency", "transparency", "humanity", "employee"}
    for theme in load_codebook("public_service").themes:
        for words in (theme.includes, theme.excludes, theme.examples):
            assert words.keys() == {"en", "es"}
        assert theme.driver in drivers or (theme.code, theme.driver) == ("overall", None)
        assert theme.csm in {f"sqd{number}" for number in range(9)}


def test_no_label_stands_for_two_themes() -> None:
    for key in SHIPPED:
        labels = [
            label
            for theme in load_codebook(key).themes
            for label in {name.casefold() for name in (theme.code, *theme.name.values(), *theme.aliases)}
        ]
        assert len(labels) == len(set(labels))


def test_an_unknown_codebook_is_refused() -> None:
    with pytest.raises(ValueError, match="No codebook"):
        load_codebook("../secrets")


def test_a_code_may_not_occur_twice() -> None:
    theme = {"code": "a", "name": {}, "description": {}}
    with pytest.raises(ValueError, match="twice"):
        parse_codebook({"key": "x", "version": "1", "title": {}, "source": "", "themes": [theme, theme]})


def test_thresholds_separate_where_it_can_be_done() -> None:
    probabilities = np.array([[0.9, 0.3], [0.8, 0.1], [0.4, 0.25], [0.3, 0.05]] * 20, dtype=np.float32)
    labels = probabilities > np.array([0.5, 0.2])
    thresholds = tune_thresholds(probabilities, labels)
    assert 0.4 < thresholds[0] < 0.8
    assert ((probabilities[:, 0] >= thresholds[0]) == labels[:, 0]).all()


def test_a_theme_with_few_examples_takes_the_common_threshold() -> None:
    probabilities = np.array([[0.9, 0.2], [0.8, 0.1], [0.1, 0.1], [0.2, 0.1]], dtype=np.float32)
    labels = np.array([[1, 1], [1, 0], [0, 0], [0, 0]], dtype=bool)
    few = tune_thresholds(probabilities, labels)[1]
    alone = tune_thresholds(np.tile(probabilities, (30, 1)), np.tile(labels, (30, 1)))[1]
    assert few > alone


def test_a_comment_below_every_threshold_gets_the_nearest_theme_unless_all_are_far() -> None:
    chosen = choose_themes(np.array([[0.3, 0.1], [0.01, 0.02]], np.float32), np.array([0.5, 0.5], np.float32))
    assert chosen.tolist() == [[True, False], [False, False]]


def test_label_matrix_follows_the_order_of_codes() -> None:
    assert label_matrix(("a", "b", "c"), [("c",), (), ("a", "b")]).astype(int).tolist() == [
        [0, 0, 1],
        [0, 0, 0],
        [1, 1, 0],
    ]
