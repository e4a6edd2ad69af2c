"""Every route of the product, opened by everybody who should and should not be able to.

What a route promises is read from its view: its audience and the least role it is useful to. What it
is opened with comes from ``tests/integration/samples.py``.
"""

from typing import Any

import pytest
from flask import Flask, url_for
from werkzeug.routing import Rule

from citizenvoice.accounts.access import Audience
from citizenvoice.accounts.scope import ROLE_RANK, Role
from citizenvoice.db import db
from tests.factories import AgencyFactory
from tests.integration.samples import OF_NOBODY, SAMPLES, World
from tests.members import member_of, sign_in, sign_out
from tests.pages import PageClient

SIGN_IN = "/manage/sign-in"
STRANGER = "owner of another agency"
ANONYMOUS = "nobody"
PERSONAS = [ANONYMOUS, STRANGER, *map(str, reversed(Role))]


def routes(app: Flask, *audiences: Audience) -> list[tuple[Rule, str]]:
    """Return the routes for these audiences, each with the methods it answers, in the order of addresses."""
    return sorted(
        (
            (rule, method)
            for rule in app.url_map.iter_rules()
            if getattr(app.view_functions[rule.endpoint], "audience", None) in audiences
            for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        ),
        key=lambda route: (route[0].rule, route[1]),
    )


def sample(rule: Rule, argument: str, world: World) -> Any:
    """Return what to put in an argument of a route."""
    make = SAMPLES.get(f"{rule.endpoint}:{argument}") or SAMPLES.get(argument)
    assert make, (
        f"{rule.rule} ({rule.endpoint}) has an argument {argument!r} that tests/integration/samples.py does "
        f"not know: add how to make the thing to World, and {argument!r} to SAMPLES."
    )
    return make(world)


def visit(client: PageClient, app: Flask, rule: Rule, method: str, world: World) -> tuple[int, str]:
    """Open a route with one of everything it names; return the status and where it leads."""
    values = {argument: sample(rule, argument, world) for argument in sorted(rule.arguments)}
    with app.test_request_context():
        address = url_for(rule.endpoint, **values)
    response = client.open(address, method=method)
    return response.status_code, response.location or ""


def is_refusal_right(rule: Rule, persona: str, least: Role | None) -> int | None:
    """Return the status with which a member must be turned away; None if they must be let through."""
    if persona == STRANGER:
        return 404 if rule.arguments - OF_NOBODY else None
    if least is not None and ROLE_RANK[Role(persona)] < ROLE_RANK[least]:
        return 403
    return None


def wrong(persona: str, rule: Rule, least: Role | None, answer: tuple[int, str]) -> str:
    """Return what is wrong with the answer somebody got from a member's page; nothing if it is right."""
    status, location = answer
    sent_away = location.startswith(SIGN_IN)
    if persona == ANONYMOUS:
        return "" if status == 302 and sent_away else "must lead to the sign-in page"
    expected = is_refusal_right(rule, persona, least)
    if expected is not None:
        return "" if status == expected else f"must be {expected}"
    is_sign_out = rule.endpoint == "security.logout"
    if status >= 500 or status in {401, 403, 404, 405} or (sent_away and not is_sign_out):
        return "must be let through"
    return ""


@pytest.mark.parametrize("persona", PERSONAS)
def test_members_pages_open_for_the_right_people_alone(app: Flask, client: PageClient, persona: str) -> None:
    mistakes = []
    for rule, method in routes(app, Audience.MEMBER):
        world = World()
        if persona == ANONYMOUS:
            sign_out(client)
        elif persona == STRANGER:
            sign_in(client, member_of(AgencyFactory.create(), Role.OWNER))
        else:
            sign_in(client, member_of(world.agency, Role(persona)))
        least = getattr(app.view_functions[rule.endpoint], "least_role", Role.VIEWER)
        answer = visit(client, app, rule, method, world)
        if fault := wrong(persona, rule, least, answer):
            mistakes.append(f"{method} {rule.rule}: {answer[0]} {answer[1]} {fault}")
        db.session.rollback()

    assert mistakes == [], f"as {persona}"


def test_public_pages_ask_nobody_to_sign_in_and_set_no_cookie(app: Flask, client: PageClient) -> None:
    mistakes = []
    for rule, method in routes(app, Audience.PUBLIC):
        world = World()
        values = {argument: sample(rule, argument, world) for argument in sorted(rule.arguments)}
        with app.test_request_context():
            address = url_for(rule.endpoint, **values)
        response = client.open(address, method=method)
        varies = "Cookie" in response.headers.get("Vary", "") or "Set-Cookie" in response.headers
        if response.status_code >= 500 or response.status_code in {401, 403}:
            mistakes.append(f"{method} {address}: {response.status_code}")
        if not address.startswith("/manage") and (varies or SIGN_IN in (response.location or "")):
            mistakes.append(f"{method} {address}: knows about sessions")

    assert mistakes == []


def test_programs_are_answered_with_problems_not_pages(app: Flask, client: PageClient) -> None:
    mistakes = []
    for rule, method in routes(app, Audience.PROGRAM):
        status, location = visit(client, app, rule, method, World())
        if status >= 500 or location.startswith(SIGN_IN):
            mistakes.append(f"{method} {rule.rule}: {status} {location}")

    assert mistakes == []


def test_somebody_without_a_membership_reaches_only_their_account(app: Flask, client: PageClient) -> None:
    opened = []
    for rule, method in routes(app, Audience.MEMBER):
        world = World()
        sign_in(client, world.user)
        if visit(client, app, rule, method, world)[0] != 403:
            opened.append(rule.endpoint)

    assert set(opened) == {"security.account", "security.change_password", "security.logout"}
