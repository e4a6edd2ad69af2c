"""The public pages on which people answer, and the short ways in: links and QR codes."""

import random
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from io import BytesIO
from typing import Any

import segno
from flask import Blueprint, Response, current_app, g, redirect, request, url_for
from flask.sansio.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from markupsafe import Markup

from citizenvoice.accounts.access import Audience, open_to
from citizenvoice.config import ANSWERING_LANGUAGES
from citizenvoice.db import db, writing
from citizenvoice.errors import N_, DomainError, NotFoundError
from citizenvoice.feedback import codes
from citizenvoice.feedback import queries as feedback_queries
from citizenvoice.surveys import answering, queries, recording, routing
from citizenvoice.surveys.answering import Delivery, OpenSurveys, Questionnaire, Target
from citizenvoice.surveys.arrivals import Arrivals
from citizenvoice.surveys.definition import Definition, Kind, Question, Section, parse_definition
from citizenvoice.surveys.validation import Checked, FieldError
from citizenvoice.surveys.views import fields
from citizenvoice.web import languages, limits, pages, surroundings
from citizenvoice.web.clock import day_in, utc_now
from citizenvoice.web.csrf import csrf

bp = Blueprint("respond", __name__)
csrf.exempt(bp)  # no session, so no authority to abuse: docs/decisions/0004

VERSION, SECTION, RECEIPT, KEY, VIA, ORDER, BACK = (
    f"cv-{name}" for name in ("version", "section", "receipt", "key", "via", "order", "back")
)
N_ORDERS = 8  # orders in which a shuffled section is printed
CODE_HERE = "CODE-HERE-CODE-HERE"  # where a kept page is given one person's code
MAX_KEY = 200
MAX_DIGITS = 9
CONDITIONS_SECONDS = 31_536_000
MINUTE = 60
SENTENCE_ENDS = ("?", "؟", "!", ".", "。", "？")


def open_surveys() -> OpenSurveys:
    """Return what this process knows of the surveys that can be answered."""
    found: OpenSurveys = current_app.extensions["open_surveys"]
    return found


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One way of looking at a survey: which version, in which language, come from where, framed or not."""

    target: Target
    questionnaire: Questionnaire
    language: str
    via: str
    order: int
    is_embedded: bool

    @property
    def action(self) -> str:
        """The address answers are sent to."""
        offer = self.target.offer
        framed = "embed" if self.is_embedded else "s"
        return f"/{self.language}/{framed}/{offer.survey}/{offer.service}"

    @property
    def key(self) -> tuple[Any, ...]:
        """What two visits that see the same pages have in common."""
        return (self.questionnaire.version_id, self.language, self.via, self.order, self.is_embedded)

    def say(self, text: Mapping[str, str]) -> str:
        """Return words of the survey in the language of the visit."""
        return self.questionnaire.definition.say(text, self.language)


def visit(language: str, survey: str, service: str, sent: Mapping[str, str], *, is_embedded: bool) -> Visit:
    """Find what is to be answered. Raises NotFoundError where there is nothing in that language."""
    target = open_surveys().get(survey, service)
    if language not in target.definition.languages:
        raise NotFoundError(N_("This survey is not asked in this language."))
    languages.speak(language)
    number, order = small_number(sent.get(VERSION, "")), small_number(sent.get(ORDER, ""))
    questionnaire = target.questionnaire
    if number not in (None, target.offer.number):
        questionnaire = open_surveys().version(target, number)
    via = sent.get(VIA) or sent.get("via", "")
    return Visit(
        target=target,
        questionnaire=questionnaire,
        language=language,
        via=via if via in target.channels else "",
        order=(order or 0) % N_ORDERS,
        is_embedded=is_embedded,
    )


def small_number(typed: str) -> int | None:
    """Return a number a page carries, or None for anything it cannot have carried."""
    return int(typed) if typed.isdecimal() and len(typed) <= MAX_DIGITS else None


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
    g.frame_ancestors = "*"
    return first_page(language, survey, service, is_embedded=True)


def first_page(language: str, survey: str, service: str, *, is_embedded: bool) -> ResponseReturnValue:
    """Answer with the first page, made once for everybody; in another language than asked for if need be."""
    target = open_surveys().get(survey, service)
    if language not in target.definition.languages:
        return redirect(url_for(request.endpoint or "", **_in_another_language(target, request.view_args)))
    shuffles = any(section.shuffle for section in target.definition.sections[:1])
    order = str(random.randrange(N_ORDERS)) if shuffles else "0"  # noqa: S311 - an order is no secret
    sent = {ORDER: order, "via": request.args.get("via", "")}
    seen = visit(language, survey, service, sent, is_embedded=is_embedded)
    page = target.pages.made(
        ("first", *seen.key), lambda: pages.finished(_section_page(seen, _first(seen), {}))
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
    g.frame_ancestors = "*"
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
        return _given_back(
            language, parse_definition(definition), sentence, 422 if is_live else 410, is_embedded=is_embedded
        )
    try:
        return receive(seen)
    except DomainError as error:
        db.session.rollback()
        languages.speak(language)
        sentence = _(error.message, **error.params)
        return _given_back(
            language,
            seen.questionnaire.definition,
            sentence,
            422,
            **_surroundings(seen),
            begin_url=seen.action,
        )


def _given_back(language: str, definition: Definition, sentence: str, status: int, **more: Any) -> Response:
    """Answer with a sentence and the words that were typed, so that nobody has to write them again."""
    typed = [
        {
            "question": definition.say(question.text, language),
            "text": pages.shown_again(request.form[question.key]),
        }
        for question in definition.questions
        if question.kind is Kind.TEXT and request.form.get(question.key, "").strip()
    ]
    body = pages.render(
        "surveys/respond/given_back.html",
        language,
        title=_("That did not work"),
        sentence=sentence,
        typed=typed,
        **{"footer_links": surroundings.footer_links(languages.interface_language()), **more},
    )
    return pages.html(body, status)


def receive(seen: Visit) -> Response:
    """Check and record one page; what cannot be recorded comes back with everything typed in it."""
    if request.form.get(RECEIPT):
        return _receive_further_page(seen, request.form[RECEIPT])
    section = _first(seen)
    sent = SentPage(section, {}, "")
    if limits.too_often("answers", f"{current_app.config['ANSWERS_PER_MINUTE']}/minute"):
        return _too_often(seen, sent)
    checked = seen.questionnaire.section(section.key, seen.language).check(request.form)
    if checked.errors:
        return _sent_back(seen, sent, checked.errors)
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


def _contribution(seen: Visit, checked: Checked, key: str) -> tuple[str, recording.Contribution]:
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
    section = _section_named(seen, back or request.form.get(SECTION, ""))
    sent = SentPage(section, so_far.answers, code, so_far.exclusion)
    if back:
        return pages.html(_section_page(seen, section, so_far.answers, sent=sent, typed=_said(so_far)))
    if limits.too_often("further pages", f"{3 * current_app.config['ANSWERS_PER_MINUTE']}/minute"):
        return _too_often(seen, sent)
    validator = seen.questionnaire.section(section.key, seen.language)
    checked = validator.check(request.form, so_far.answers)
    if checked.errors:
        return _sent_back(seen, sent, checked.errors)
    addition = answering.addition(
        seen.questionnaire, section, checked, regions=current_app.config["PHONE_REGIONS"]
    )
    with writing():
        added = recording.add_section(
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
        body = seen.target.pages.made(key, lambda: _receipt_page(seen, section, exclusion).encode())
    else:
        asked = routing.questions_on_page(seen.questionnaire.definition, following.key, answers)
        shown = tuple(question.key for question in asked)
        key = ("section", section.key, following.key, shown, exclusion, *seen.key)
        body = seen.target.pages.made(
            key,
            lambda: _section_page(seen, following, answers, exclusion=exclusion, back=section.key).encode(),
        )
    return pages.html(body.replace(CODE_HERE.encode(), _shown(code).encode()))


def _shown(code: str) -> str:
    return codes.shown(codes.read_code(code) or "")


# Pages


@dataclass(frozen=True, slots=True)
class SentPage:
    """A page that was sent: its section, the answers before it, the code if one was given out, its state."""

    section: Section
    earlier: Mapping[str, Any]
    code: str
    exclusion: str | None = None


def _sent_back(seen: Visit, sent: SentPage, errors: list[FieldError]) -> Response:
    languages.speak(seen.language)
    found = {error.question: _(error.message, **error.params) for error in errors}
    body = _section_page(seen, sent.section, sent.earlier, sent=sent, errors=found)
    return pages.html(body, 422)


def _too_often(seen: Visit, sent: SentPage) -> Response:
    languages.speak(seen.language)
    warning = _("Many answers came from your network just now. Please wait a minute and send this again.")
    response = pages.html(_section_page(seen, sent.section, sent.earlier, sent=sent, warning=warning), 429)
    response.headers["Retry-After"] = str(MINUTE)
    return response


def _section_page(
    seen: Visit,
    section: Section,
    earlier: Mapping[str, Any],
    *,
    sent: SentPage | None = None,
    errors: Mapping[str, str] | None = None,
    warning: str = "",
    typed: Callable[[Question], Any] | None = None,
    exclusion: str | None = None,
    back: str = "",
) -> str:
    definition = seen.questionnaire.definition
    is_first = section is _first(seen)
    questions = routing.questions_on_page(definition, section.key, earlier)
    printed = fields.printed(
        definition,
        routing.shuffled(section, questions, str(seen.order)),
        seen.language,
        typed=typed or (_typed if sent else None),
        errors=errors,
    )
    if sent:
        code, exclusion = _shown(sent.code) if sent.code else "", sent.exclusion
        before = routing.previous_section(definition, earlier, section.key) if sent.code else None
        back = before.key if before else ""
    else:
        code = "" if is_first else CODE_HERE
    return pages.render(
        "surveys/respond/section.html",
        seen.language,
        **_surroundings(seen),
        title=seen.say(definition.title),
        intro=seen.say(definition.intro) if is_first else "",
        section_title=seen.say(section.title),
        section_intro=seen.say(section.intro),
        about_you=section.about_you,
        fields=printed,
        code=code,
        exclusion=exclusion,
        back=back,
        warning=warning,
        problems=_problems(printed),
        hidden_fields=_hidden_fields(seen, section, code, with_key=sent is not None and not code),
        conditions_url=_conditions_url(seen, printed),
    )


def _receipt_page(seen: Visit, section: Section, exclusion: str | None) -> str:
    target, definition = seen.target, seen.questionnaire.definition
    today = day_in(target.offer.time_zone, utc_now())
    n_this_month = feedback_queries.n_counted(
        target.offer.service_id, today.replace(day=1), today + timedelta(days=1)
    )
    db.session.rollback()
    languages.speak(seen.language)
    return pages.render(
        "surveys/respond/receipt.html",
        seen.language,
        **_surroundings(seen),
        title=_("Thank you. Your answers count.") if exclusion is None else _("Thank you."),
        exclusion=exclusion,
        hidden_fields=_hidden_fields(seen, section, CODE_HERE, with_key=False),
        back=section.key,
        thanks=seen.say(definition.thanks),
        code=CODE_HERE,
        n_this_month=n_this_month,
        receipt_url=f"/{languages.interface_language()}/receipt",
    )


def _surroundings(seen: Visit) -> dict[str, Any]:
    """Return what stands around the questions."""
    target = seen.target
    links = [
        {
            "code": code,
            "name": languages.own_name(code),
            "url": seen.action.replace(f"/{seen.language}/", f"/{code}/", 1)
            + (f"?via={seen.via}" if seen.via else ""),
            "current": code == seen.language,
        }
        for code in target.definition.languages
    ]
    return {
        "is_embedded": seen.is_embedded,
        "agency_name": target.agency_name(seen.language),
        "service_name": target.service_name(seen.language),
        "language_links": links,
        "action": seen.action,
        "footer_links": surroundings.footer_links(languages.interface_language()),
    }


def _hidden_fields(seen: Visit, section: Section, code: str, *, with_key: bool) -> dict[str, str]:
    found = {VERSION: str(seen.questionnaire.number), SECTION: section.key}
    if seen.via:
        found[VIA] = seen.via
    if seen.order:
        found[ORDER] = str(seen.order)
    if code:
        found[RECEIPT] = code
    if with_key:
        found[KEY] = request.form.get(KEY, "")[:MAX_KEY] or secrets.token_urlsafe(16)
    return found


def _problems(printed: list[dict[str, Any]]) -> list[dict[str, str]]:
    return [
        {"href": f"#{field['id']}", "text": _problem(field["text"], languages.ours(error))}
        for field in printed
        for error in field["errors"]
    ]


def _problem(question: str, problem: str) -> Markup:
    """Name the question a problem is about; one that ends like a sentence needs no colon after it."""
    if Markup(question).striptags().endswith(SENTENCE_ENDS):  # noqa: S704 - only to look at its last letter
        return Markup("{} {}").format(question, problem)
    words = Markup(_("%(question)s: %(problem)s"))  # noqa: S704 - ours; what it is given is escaped
    return words % {"question": question, "problem": problem}


def _conditions_url(seen: Visit, printed: list[dict[str, Any]]) -> str:
    if not any(field["depends"] for field in printed):
        return ""
    number = seen.questionnaire.number
    return url_for("respond.conditions", survey=seen.target.offer.survey, number=number)


def _typed(question: Question) -> Any:
    if question.kind is Kind.MULTIPLE:
        return request.form.getlist(question.key)
    return pages.shown_again(request.form.get(question.key, ""))


def _first(seen: Visit) -> Section:
    first = seen.questionnaire.first
    if first is None:
        raise NotFoundError(N_("There is no survey here that can be answered now."))
    return first


def _section_named(seen: Visit, key: str) -> Section:
    for section in seen.questionnaire.definition.sections:
        if section.key == key:
            return section
    raise DomainError(N_("We could not find your earlier answers. Please begin again."))


# Short ways in


@bp.get("/l/<code>")
@open_to(Audience.PUBLIC)
def follow_link(code: str) -> ResponseReturnValue:
    """Lead from a short link to its survey, in the best language it is asked in."""
    way = queries.get_way_in(code)
    language = languages.best_of(way.languages) or way.languages[0]
    response = redirect(
        url_for(".ask", language=language, survey=way.survey, service=way.service, via=way.code)
    )
    response.headers["Vary"] = "Accept-Language"
    return response


@bp.get("/l/<code>.svg")
@open_to(Audience.PUBLIC)
def qr_svg(code: str) -> ResponseReturnValue:
    """Draw the QR code of a short link, for print."""
    return _qr_code(code, "svg", "image/svg+xml")


@bp.get("/l/<code>.png")
@open_to(Audience.PUBLIC)
def qr_png(code: str) -> ResponseReturnValue:
    """Draw the QR code of a short link, for screens."""
    return _qr_code(code, "png", "image/png")


def _qr_code(code: str, kind: str, mimetype: str) -> Response:
    queries.get_way_in(code)
    image = BytesIO()
    segno.make_qr(link_url(code), error="m").save(image, kind=kind, scale=8, border=4)
    return Response(image.getvalue(), mimetype=mimetype, headers={"Cache-Control": "public, max-age=300"})


def link_url(code: str) -> str:
    """Return the whole address of a short link."""
    base = str(current_app.config["PUBLIC_URL"]) or request.host_url.rstrip("/")
    return base + url_for("respond.follow_link", code=code)
