"""Short links: the ways into a survey that a QR code, a letter or another page carries."""

import secrets
from datetime import datetime

from citizenvoice.agencies.models import CHANNEL_NAMES, Channel, Service
from citizenvoice.db import db
from citizenvoice.surveys import queries
from citizenvoice.surveys.models import Link, Survey

ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"  # nothing that is mistaken for something else on paper
N_CHARS = 8
# Channels whose people are on a page already, in which the survey can stand in a frame.
ON_A_PAGE = frozenset({Channel.WEBSITE, Channel.COMPUTER, Channel.MOBILE, Channel.OTHER_DIGITAL})


def make_links(survey: Survey, *, now: datetime) -> list[Link]:
    """Return the short links into a survey, one for each of its services and their channels, in that order.

    Those that are missing are made; links that were given out stay for ever. Never commits.
    """
    links = []
    for service in survey.services:
        known = {link.channel: link for link in queries.find_links(survey.id, service.id)}
        for channel in channels_of(service):
            link = known.get(channel)
            if link is None:
                link = Link(
                    code="".join(secrets.choice(ALPHABET) for _ in range(N_CHARS)),
                    survey_id=survey.id,
                    service_id=service.id,
                    channel=str(channel),
                    created_at=now,
                )
                db.session.add(link)
            links.append(link)
    db.session.flush()
    return links


def is_any_missing(survey: Survey, service: Service) -> bool:
    """Return whether a channel of the service has no short link into the survey yet."""
    known = {link.channel for link in queries.find_links(survey.id, service.id)}
    return not set(channels_of(service)) <= known


def channels_of(service: Service) -> list[Channel]:
    """Return the channels through which a service reaches people: the web, where it names none."""
    return [Channel(channel) for channel in service.channels] or [Channel.WEBSITE]


def channel_name(channel: str) -> str:
    """Return the name of a channel, to be translated."""
    return CHANNEL_NAMES[Channel(channel)]
