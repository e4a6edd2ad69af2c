"""The addresses at which people answer: the first page, the pages after it, and what is sent to them."""

import random
from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, Response, current_app, redirect, request, url_for
from flask.sansio.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from citizenvoice.accounts.access import Audience, open_to
from citizenvoice.config import ANSWERING_LANGUAGES
from citizenvoice.db import db, writing
from citizenvoice.errors import N_, DomainError, NotFoundError
from citizenvoice.feedback import codes
from citizenvoice.surveys import answering, further_pages, queries, routing
from citizenvoice.surveys.answering import Delivery, OpenSurveys, Target
from citizenvoice.surveys.arrivals import Arrivals
from citizenvoice.surveys.contributions import Contribution
from citizenvoice.surveys.definition import Question, Section
from citizenvoice.surveys.parsing import parse_definition
from citizenvoice.surveys.validation import Checked
from citizenvoice.surveys.views import fields
from citizenvoice.surveys.views.answer_pages import (
    CODE_HERE,
    MAX_KEY,
    MINUTE,
    SentPage,
    ended,
    given_back,
    receipt_page,
    section_page,
    sent_back,
    shown_code,
    surroundings_of,
    too_often,
)
from citizenvoice.surveys.views.visits import (
    BACK,
    KEY,
    N_ORDERS,
    ORDER,
    RECEIPT,
    SECTION,
    Visit,
    first_section,
    open_surveys,
    section_named,
    visit,
)
from citizenvoice.web import headers, languages, limits, pages
from citizenvoice.web.clock import utc_now
from citizenvoice.web.csrf import csrf

bp = Blueprint("respond", __name__)
csrf.exempt(bp)  # no session, so no authority to abuse: docs/decisions/0004

CONDITIONS_SECONDS = 31_536_000


def arrivals() -> Arrivals:
    """Return the queue in which this process stores responses."""
    found: Arrivals = current_app.extensions["arrivals"]
    return found


@bp.record_once
def begin(state: BlueprintSetupState) -> None:
    """Give the application what its processes remember between requests."""
    seconds = float(state.app.config.get("SURVEY_SECONDS", 2))
    state.app.extensions["open_surveys"] = OpenSurveys(seconds)
    state.app.extensions["arrivals"] = Arrivals()


# Asking


@bp.get("/<language>/s/<survey>/<service>")
@open_to(Audience.PUBLIC)
def ask(language: str, survey: str, service: str) -> ResponseReturnValue:
    """Show the first page of a survey."""
    return first_page(language, survey, service, is_embedded=False)


@bp.get("/<language>/embed/<survey>/<service>")
@open_to(Audience.PUBLIC)
def ask_embedded(language: str, survey: str, service: str) -> ResponseReturnValue:
    """Show the first page of a survey in a frame on somebody else's page."""
    headers.allow_framing()
    return first_page(language, survey, service, is_embedded=True)


def first_page(language: str, survey: str, service: str, *, is_embedded: bool) -> ResponseReturnValue:
    """Answer with the first page, made once for everybody; in another language than asked for if need be."""
    try:
        target = open_surveys().get(survey, service)
    except NotFoundError:
        last = queries.find_last(survey, service)
        if last is None or last[0] or language not in ANSWERING_LANGUAGES:
            raise
        title = parse_definition(last[1]).title
        said = title.get(language) or next(iter(title.values()))
        return ended(language, service, said, is_embedded=is_embedded)
    if language not in target.definition.languages:
        return redirect(url_for(request.endpoint or "", **_in_another_language(target, request.view_args)))
    shuffles = any(section.shuffle for section in target.definition.sections[:1])
    order = str(random.randrange(N_ORDERS)) if shuffles else "0"  # noqa: S311 - an order is no secret
    sent = {ORDER: order, "via": request.args.get("via", "")}
    seen = visit(language, survey, service, sent, is_embedded=is_embedded)
    page = target.pages.made(
        ("first", *seen.key), lambda: pages.finished(section_page(seen, first_section(seen), {}))
    )
    if not shuffles and len(request.args) == bool(seen.via):
        pages.keep_in_front(open_surveys().seconds)
    return pages.answer(page)


def _in_another_language(target: Target, arguments: Mapping[str, Any] | None) -> dict[str, Any]:
    language = languages.best_of(target.definition.languages)
    return {**(arguments or {}), **_query(), "language": language or target.definition.default_language}


def _query() -> dict[str, Any]:
    """Return what is taken along to another address: the link somebody came by."""
    return {"via": request.args["via"]} if "via" in request.args else {}


@bp.get("/<language>/s/<survey>")
@open_to(Audience.PUBLIC)
def ask_about_the_only_service(language: str, survey: str) -> ResponseReturnValue:
    """Go on to the page of the one service a survey asks about, or let people choose which one."""
    services = queries.services_asked_about(survey)
    if not services:
        raise NotFoundError(N_("There is no survey here that can be answered now."))
    if len(services) == 1:
        return redirect(url_for(".ask", language=language, survey=survey, service=services[0], **_query()))
    targets = [open_surveys().get(survey, service) for service in services]
    if language not in targets[0].definition.languages:
        return redirect(
            url_for(request.endpoint or "", **_in_another_language(targets[0], request.view_args))
        )
    title = targets[0].definition.say(targets[0].definition.title, language)
    body = pages.render(
        "surveys/respond/choose_service.html",
        language,
        title=title,
        agency_name=targets[0].agency_name(language),
        services=[
            {
                "url": url_for(".ask", language=language, survey=survey, service=t.offer.service),
                "text": t.service_name(language),
            }
            for t in targets
        ],
    )
    return pages.answer(pages.finished(body))


@bp.get("/s/<survey>/<int:number>/conditions.css")
@open_to(Audience.PUBLIC)
def conditions(survey: str, number: int) -> ResponseReturnValue:
    """Answer with the style that hides what is not asked, for one version of a survey."""
    services = queries.services_asked_about(survey)
    if not services:
        raise NotFoundError(N_("There is no survey here that can be answered now."))
    definition = open_surveys().version(open_surveys().get(survey, services[0]), number).definition
    return pages.answer(pages.finished(fields.conditions_css(definition), "text/css"), CONDITIONS_SECONDS)


# Answering


@bp.post("/<language>/s/<survey>/<service>")
@open_to(Audience.PUBLIC, locks_itself=True)
def answer(language: str, survey: str, service: str) -> ResponseReturnValue:
    """Record the answers to one page and show the next one, or the receipt."""
    return receive_from(language, survey, service, is_embedded=False)


@bp.post("/<language>/embed/<survey>/<service>")
@open_to(Audience.PUBLIC, locks_itself=True)
def answer_embedded(language: str, survey: str, service: str) -> ResponseReturnValue:
    """Record the answers to one page in a frame."""
    headers.allow_framing()
    return receive_from(language, survey, service, is_embedded=True)


def receive_from(language: str, survey: str, service: str, *, is_embedded: bool) -> Response:
    """Record one page, or give back what was typed on a page that can no longer be sent."""
    try:
        seen = visit(language, survey, service, request.form, is_embedded=is_embedded)
    except NotFoundError as error:
        last = queries.find_last(survey, service)
        if last is None or language not in ANSWERING_LANGUAGES:
            raise
        is_live, definition = last
        languages.speak(language)
        sentence = _(error.message, **error.params)
        if not is_live:
            sentence = _("This survey has ended. What you have just sent was not recorded.")
        return given_back(
            language, parse_definition(definition), sentence, 422 if is_live else 410, is_embedded=is_embedded
        )
    try:
        return receive(seen)
    except DomainError as error:
        db.session.rollback()
        languages.speak(language)
        sentence = _(error.message, **error.params)
        return given_back(
            language,
            seen.questionnaire.definition,
            sentence,
            422,
            **surroundings_of(seen),
            begin_url=seen.action,
        )


def receive(seen: Visit) -> Response:
    """Check and record one page; what cannot be recorded comes back with everything typed in it."""
    if request.form.get(RECEIPT):
        return _receive_further_page(seen, request.form[RECEIPT])
    section = first_section(seen)
    sent = SentPage(section, {}, "")
    if limits.too_often("answers", f"{current_app.config['ANSWERS_PER_MINUTE']}/minute"):
        return too_often(seen, sent)
    checked = seen.questionnaire.section(section.key, seen.language).check(request.form)
    if checked.errors:
        return sent_back(seen, sent, checked.errors)
    key = (request.headers.get("Idempotency-Key") or request.form.get(KEY, ""))[:MAX_KEY]
    code, given = _contribution(seen, checked, key)
    became = arrivals().store(given)  # commits, with whatever else arrives at this moment
    exclusion: str | None = became.exclusion
    if became.is_repeat:
        db.session.rollback()  # what it reads from now on was stored meanwhile
        delivered = queries.get_delivered(became.receipt_id)
        db.session.rollback()
        exclusion = delivered.exclusion
        if delivered.digest != given.import_digest:  # the key of something else, which is nobody's business
            code, given = _contribution(seen, checked, "")
            became = arrivals().store(given)
            exclusion = became.exclusion
    return _next_page(seen, section, given.answers, code, exclusion)


def _contribution(seen: Visit, checked: Checked, key: str) -> tuple[str, Contribution]:
    """Return the code for the receipt and what is to be stored."""
    config = current_app.config
    secret, offer = str(config["SECRET_KEY"]), seen.target.offer
    code = codes.new_code()
    given = answering.contribution(
        seen.questionnaire,
        checked,
        Delivery(
            service_id=offer.service_id,
            time_zone=offer.time_zone,
            channel=seen.target.channel(seen.via),
            language=seen.language,
            at=utc_now(),
            secret=secret,
            sender=sender(),
            regions=config["PHONE_REGIONS"],
        ),
        n_sections=1,
        code_hash=codes.code_hash(secret, code),
    )
    return answering.with_key(given, secret, key) if key else (code, given)


def sender() -> str:
    """Return what tells one sender from another for a few minutes; it is digested at once, never stored."""
    return f"{request.remote_addr}|{request.headers.get('User-Agent', '')}"


def _receive_further_page(seen: Visit, code: str) -> Response:
    so_far = _so_far(seen, code)
    back = request.form.get(BACK, "")
    section = section_named(seen, back or request.form.get(SECTION, ""))
    sent = SentPage(section, so_far.answers, code, so_far.exclusion)
    if back:
        return pages.html(section_page(seen, section, so_far.answers, sent=sent, typed=_said(so_far)))
    if limits.too_often("further pages", f"{3 * current_app.config['ANSWERS_PER_MINUTE']}/minute"):
        return too_often(seen, sent)
    validator = seen.questionnaire.section(section.key, seen.language)
    checked = validator.check(request.form, so_far.answers)
    if checked.errors:
        return sent_back(seen, sent, checked.errors)
    addition = answering.addition(
        seen.questionnaire, section, checked, regions=current_app.config["PHONE_REGIONS"]
    )
    with writing():
        added = further_pages.add_section(
            so_far.receipt_id, addition, utc_now(), current_app.extensions["forget_readings"]
        )
        db.session.commit()
    return _next_page(seen, section, added.answers, code, added.exclusion)


def _said(so_far: queries.SoFar) -> Callable[[Question], Any]:
    """Return what prints each question with what was answered before."""
    given = {**so_far.answers, **so_far.segments, **queries.words_in(so_far.receipt_id)}
    db.session.rollback()

    def said(question: Question) -> Any:
        value = given.get(question.key, "")
        return value if isinstance(value, list) else str(value)

    return said


def _so_far(seen: Visit, code: str) -> queries.SoFar:
    """Return what was answered with this code on the pages before."""
    digest = codes.code_hash(str(current_app.config["SECRET_KEY"]), code)
    found = queries.find_so_far(digest) if digest else None
    db.session.rollback()  # the turn to write is taken before a transaction begins
    if found is None or (found.version_id, found.service_id) != (
        seen.questionnaire.version_id,
        seen.target.offer.service_id,
    ):
        raise DomainError(N_("We could not find your earlier answers. Please begin again."))
    if found.exclusion == "withdrawn":
        raise DomainError(N_("You have taken these answers back. To answer, please begin again."))
    return found


def _next_page(
    seen: Visit, section: Section, answers: Mapping[str, Any], code: str, exclusion: str | None
) -> Response:
    """Answer with the next section, or with the receipt after the last; both are kept, but for the code."""
    following = seen.questionnaire.following(answers, section)
    if following is None:
        minute = int(utc_now().timestamp()) // MINUTE
        key: tuple[Any, ...] = ("receipt", section.key, exclusion, *seen.key, minute)
        body = seen.target.pages.made(key, lambda: receipt_page(seen, section, exclusion).encode())
    else:
        asked = routing.questions_on_page(seen.questionnaire.definition, following.key, answers)
        shown = tuple(question.key for question in asked)
        key = ("section", section.key, following.key, shown, exclusion, *seen.key)
        body = seen.target.pages.made(
            key,
            lambda: section_page(seen, following, answers, exclusion=exclusion, back=section.key).encode(),
        )
    return pages.html(body.replace(CODE_HERE.encode(), shown_code(code).encode()))
