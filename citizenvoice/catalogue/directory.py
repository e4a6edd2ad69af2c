"""The list of public services, by agency, and a search in it that forgives case and accents."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from citizenvoice.agencies import queries as catalogue
from citizenvoice.agencies.models import Service
from citizenvoice.surveys import queries as surveys

N_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Entry:
    """One service: its name, what it is for, its page, and where people can say how it went."""

    name: str
    description: str
    slug: str
    feedback: tuple[str, str] | None  # the survey, and the language it is asked in


@dataclass(frozen=True, slots=True)
class Found:
    """The services that were found, grouped by agency, and how many there are in all."""

    groups: Sequence[tuple[str, Sequence[Entry]]]
    n: int

    @property
    def is_cut(self) -> bool:
        """Tell whether there are more than are shown."""
        return self.n > N_SHOWN


def find(query: str, language: str) -> Found:
    """Return the public services whose names, agency or description hold every word of the query."""
    wanted = folded(query).split()
    found = [each for each in catalogue.find_public_services() if fits(each, wanted)]
    found.sort(
        key=lambda each: (
            folded(catalogue.agency_name(each.agency, language)),
            each.agency_id,
            folded(catalogue.service_name(each, language)),
        )
    )
    shown = found[:N_SHOWN]
    asked = surveys.live_surveys([service.id for service in shown])
    groups = [
        (
            catalogue.agency_name(services[0].agency, language),
            [entry(each, language, asked.get(each.id, ())) for each in services],
        )
        for services in (list(group) for _, group in groupby(shown, key=lambda each: each.agency_id))
    ]
    return Found(groups, len(found))


def entry(service: Service, language: str, asked: Sequence[tuple[str, list[str]]]) -> Entry:
    """Return a service as the list shows it; feedback in this language where it can be given so."""
    feedback = min(asked, key=lambda each: language not in each[1], default=None)
    return Entry(
        name=catalogue.service_name(service, language),
        description=catalogue.service_description(service, language),
        slug=service.slug,
        feedback=(feedback[0], language if language in feedback[1] else feedback[1][0]) if feedback else None,
    )


def fits(service: Service, words: Sequence[str]) -> bool:
    """Tell whether a service's words, in any language, hold all of these."""
    if not words:
        return True
    texts = (
        *(service.name, service.description, service.agency.name),
        *(*service.names.values(), *service.descriptions.values(), *service.agency.names.values()),
    )
    said = folded(" ".join(texts))
    return all(word in said for word in words)


def folded(text: str) -> str:
    """Return a text as it is searched: without case and accents.

    >>> folded("Renovación de Pasaporte")
    'renovacion de pasaporte'
    """
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in apart if not unicodedata.combining(character))
