"""The sample world of the route tests after people have answered: figures, words that were read, a target."""

from datetime import timedelta

from flask import current_app

from citizenvoice import jobs
from citizenvoice.agencies import actions as agencies
from citizenvoice.db import db
from citizenvoice.indicators import actions as indicators
from citizenvoice.indicators.service_indicators import indicators_of
from citizenvoice.web.clock import utc_now
from tests.browser.acting import send_answers
from tests.integration.samples import World

MONTHS = 5
A_MONTH = timedelta(days=30)
WORDS = [
    "The queue was far too long and nobody could tell us why.",
    "Very friendly staff, thank you!",
    "It cost more than the website said. Call me on +34 600 123 456",
    "I had to bring the same form three times.",
    "Quick and easy, the page explained everything.",
]


def live_in(world: World) -> None:
    """Let people answer the survey of this world for some months; read and count what they said; commit."""
    now = utc_now()
    service, survey = world.service, world.survey
    assert world.link.code
    db.session.commit()
    for month in range(MONTHS):
        answers = [
            {"nps": number % 11, "why": WORDS[number % len(WORDS)]} if number % 3 else {"nps": 10 - month}
            for number in range(16)
        ]
        send_answers(survey.slug, answers, at=now - month * A_MONTH, language="es" if month % 2 else "en")
    db.session.commit()
    with current_app.app_context():  # jobs let go of the session they use
        jobs.drain()
    main = indicators_of(service.id).main
    assert main is not None
    day = now.date()
    indicators.set_main(service.id, main.code, now=now)
    indicators.set_baseline(service.id, main.code, -0.1, day - MONTHS * A_MONTH, now=now)
    indicators.set_target(service.id, main.code, 0.4, day + 6 * A_MONTH, now=now)
    first = day.replace(day=1) - A_MONTH
    agencies.record_volume(
        service,
        channel="website",
        start=first.replace(day=1),
        end=day.replace(day=1),
        n_served=900,
        n_offered=300,
    )
    db.session.commit()
