"""Which of the enabled languages a text is written in."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

FEW_WORDS = 4
"""Below this many words the language of the form counts for more than the words."""

READ_CHARS = 120
"""The beginning of a text is enough to tell its language; the cost grows with every character."""

FORM_LANGUAGE_PRIOR = 0.95
"""How likely a short answer is in the language of its form, before it is read."""

_WORD = re.compile(r"[^\W\d_]+")
_SAME_AS = {"fil": "tl", "nb": "no", "nn": "no", "iw": "he", "in": "id"}


@dataclass(frozen=True, slots=True)
class IdentifiedLanguage:
    """The language of one text and how probable it is, in [0, 1], among the enabled ones."""

    language: str
    probability: float


def identify_language(
    text: str, enabled: Sequence[str], *, form_language: str | None = None
) -> IdentifiedLanguage:
    """Tell which enabled language a text is written in.

    Parameters
    ----------
    text : str
    enabled : sequence of str
        BCP 47 codes of the languages to choose from, at least one; the answer is one of them.
    form_language : str, optional
        Language of the form the text was typed into; decides for texts of fewer than 4 words
        unless the words clearly belong to another language.

    Raises
    ------
    ValueError
        If no language is enabled.

    Notes
    -----
    A text in a language that is not enabled is given to the nearest enabled one: the
    probability does not warn of that. Languages the identifier does not know (it knows 97)
    are only ever given because the form was in them.

    Examples
    --------
    >>> identify_language("La espera fue demasiado larga y nadie contestó", ["en", "es"]).language
    'es'
    >>> identify_language("ok", ["en", "es"], form_language="es").language
    'es'
    """
    if not enabled:
        raise ValueError("Enable at least one language.")
    if len(enabled) == 1:
        return IdentifiedLanguage(enabled[0], 1.0)
    known = [language for language in enabled if _code(language) in _known_codes()]
    if not known or (form_language in enabled and form_language not in known):
        return IdentifiedLanguage(form_language or enabled[0], FORM_LANGUAGE_PRIOR)
    codes = [_code(language) for language in known]
    found = dict(_identifier(tuple(sorted(set(codes)))).rank(text[:READ_CHARS]))
    probabilities = np.array([found[code] for code in codes]) * _prior(text, known, form_language)
    best = int(probabilities.argmax())
    return IdentifiedLanguage(known[best], float(probabilities[best] / probabilities.sum()))


def identify_any(text: str, enabled: Sequence[str]) -> tuple[IdentifiedLanguage, float]:
    """Tell which of all known languages a text is written in, and how probable the enabled ones are together.

    Examples
    --------
    >>> found, share = identify_any("Les gens étaient très aimables mais la file était longue", ["en"])
    >>> found.language, share < 0.01
    ('fr', True)
    """
    ranked = _identifier(()).rank(text[:READ_CHARS])
    codes = {_code(language) for language in enabled}
    share = sum(float(probability) for code, probability in ranked if code in codes)
    return IdentifiedLanguage(ranked[0][0], float(ranked[0][1])), share


def is_same(language: str, other: str) -> bool:
    """Tell whether two codes name the same language, whatever the country.

    Examples
    --------
    >>> is_same("pt-BR", "pt"), is_same("fil", "tl"), is_same("en", "es")
    (True, True, False)
    """
    return _code(language) == _code(other)


def _prior(text: str, enabled: Sequence[str], form_language: str | None) -> np.ndarray[Any, Any]:
    if len(enabled) == 1 or form_language not in enabled or len(_WORD.findall(text)) >= FEW_WORDS:
        return np.ones(len(enabled))
    others = (1 - FORM_LANGUAGE_PRIOR) / (len(enabled) - 1)
    return np.array([FORM_LANGUAGE_PRIOR if language == form_language else others for language in enabled])


@lru_cache(maxsize=512)
def _code(language: str) -> str:
    primary = language.split("-")[0].split("_")[0].lower()
    return _SAME_AS.get(primary, primary)


@lru_cache(maxsize=1)
def _known_codes() -> frozenset[str]:
    return frozenset(_load().labels)


@lru_cache(maxsize=16)
def _identifier(codes: tuple[str, ...]) -> Any:
    """Return an identifier of some languages, or of all it knows where none are named."""
    identifier = _load()
    if codes:
        identifier.set_languages(codes)
    return identifier


def _load() -> Any:
    """Load the identifier on first use: memory that a web process should never need."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
