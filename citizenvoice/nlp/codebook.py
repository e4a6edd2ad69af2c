"""Codebooks: named sets of themes, shipped as data."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from importlib import resources
from typing import Any

SHIPPED = ("public_service", "nhs_patient_experience")


@dataclass(frozen=True)
class Theme:
    """One code of a codebook: what it means in each language, and its labels in other schemes.

    ``driver`` is its place among the drivers of OMB Circular A-11 section 280 and ``csm`` among the
    dimensions of the Philippine client satisfaction measurement; ``formerly`` are codes it had in
    earlier versions.
    """

    code: str
    name: dict[str, str]
    description: dict[str, str]
    keywords: dict[str, tuple[str, ...]]
    aliases: tuple[str, ...] = ()
    formerly: tuple[str, ...] = ()
    includes: dict[str, str] = field(default_factory=dict)
    excludes: dict[str, str] = field(default_factory=dict)
    examples: dict[str, tuple[str, ...]] = field(default_factory=dict)
    driver: str | None = None
    csm: str | None = None


@dataclass(frozen=True)
class Crosswalk:
    """How far labels of another scheme can be trusted to speak of this codebook's themes.

    ``unsure`` maps a label to the codes it leaves open; ``silent_on`` are codes the other scheme
    has no label for, so that their absence says nothing.
    """

    unsure: dict[str, tuple[str, ...]]
    silent_on: tuple[str, ...]


@dataclass(frozen=True)
class Codebook:
    """A versioned set of themes."""

    key: str
    version: str
    title: dict[str, str]
    source: str
    themes: tuple[Theme, ...]
    crosswalks: dict[str, Crosswalk] = field(default_factory=dict)

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes, in the order of the codebook."""
        return tuple(theme.code for theme in self.themes)

    @cached_property
    def _by_label(self) -> dict[str, str]:
        return {
            label.casefold(): theme.code
            for theme in self.themes
            for label in (theme.code, *theme.formerly, *theme.name.values(), *theme.aliases)
        }

    def find_code(self, label: str) -> str | None:
        """Return the code a label stands for: a code, a name in any language or an alias; else None."""
        return self._by_label.get(" ".join(label.split()).casefold())

    def codes_of(self, labels: Iterable[str]) -> tuple[str, ...]:
        """Return the codes of the labels the codebook knows, each once, in its order."""
        known = {self.find_code(label) for label in labels}
        return tuple(code for code in self.codes if code in known)

    def open_codes(self, labels: Iterable[str], scheme: str) -> frozenset[str]:
        """Return the codes that labels of another scheme neither give nor rule out."""
        crosswalk = self.crosswalks.get(scheme)
        if crosswalk is None:
            return frozenset()
        labels = list(labels)
        unsure = {code for label in labels for code in crosswalk.unsure.get(label, ())}
        return frozenset((unsure | set(crosswalk.silent_on)) - set(self.codes_of(labels)))


def load_codebook(key: str) -> Codebook:
    """Load a shipped codebook.

    Raises
    ------
    ValueError
        If none of that key is shipped.

    Examples
    --------
    >>> load_codebook("public_service").find_code("Timeliness of care")
    'waiting_time'
    """
    if key not in SHIPPED:
        raise ValueError(f"No codebook called {key!r}; there are {', '.join(SHIPPED)}.")
    text = (resources.files("citizenvoice.nlp") / "codebooks" / f"{key}.json").read_text(encoding="utf-8")
    return parse_codebook(json.loads(text))


def parse_codebook(data: dict[str, Any]) -> Codebook:
    """Build a codebook from its JSON form.

    Raises
    ------
    ValueError
        If a code occurs twice.
    """
    themes = tuple(
        Theme(
            code=theme["code"],
            name=theme["name"],
            description=theme["description"],
            keywords={language: tuple(words) for language, words in theme.get("keywords", {}).items()},
            aliases=tuple(theme.get("aliases", ())),
            formerly=tuple(theme.get("formerly", ())),
            includes=theme.get("includes", {}),
            excludes=theme.get("excludes", {}),
            examples={language: tuple(said) for language, said in theme.get("examples", {}).items()},
            driver=theme.get("driver"),
            csm=theme.get("csm"),
        )
        for theme in data["themes"]
    )
    if len({theme.code for theme in themes}) < len(themes):
        raise ValueError(f"A code occurs twice in codebook {data['key']!r}.")
    crosswalks = {
        scheme: Crosswalk(
            {label: tuple(codes) for label, codes in crosswalk["unsure"].items()},
            tuple(crosswalk["silent_on"]),
        )
        for scheme, crosswalk in data.get("crosswalks", {}).items()
    }
    return Codebook(data["key"], data["version"], data["title"], data["source"], themes, crosswalks)
