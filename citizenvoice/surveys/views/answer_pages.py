"""The pages of answering: a section, one sent back with what was typed, the receipt, the end of a survey."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask import Response, request, url_for
from flask_babel import gettext as _
from markupsafe import Markup

from citizenvoice.db import db
from citizenvoice.feedback import codes
from citizenvoice.feedback import queries as feedback_queries
from citizenvoice.surveys import routing
from citizenvoice.surveys.definition import Definition, Kind, Question, Section
from citizenvoice.surveys.validation import FieldError
from citizenvoice.surveys.views import fields
from citizenvoice.surveys.views.visits import KEY, ORDER, RECEIPT, SECTION, VERSION, VIA, Visit, first_section
from citizenvoice.web import languages, pages, surroundings
from citizenvoice.web.clock import day_in, utc_now

CODE_HERE = "CODE-HERE-CODE-HERE"  # where a kept page is given one person's code
MAX_KEY = 200
MINUTE = 60
SENTENCE_ENDS = ("?", "؟", "!", ".", "。", "？")


@dataclass(frozen=True, slots=True)
class SentPage:
    """A page that was sent: its section, the answers before it, the code if one was given out, its state."""

    section: Section
    earlier: Mapping[str, Any]
    code: str
    exclusion: str | None = None


def sent_back(seen: Visit, sent: SentPage, errors: list[FieldError]) -> Response:
    """Answer with the page as it was sent, and what is wrong with it."""
    languages.speak(seen.language)
    found = {error.question: _(error.message, **error.params) for error in errors}
    body = section_page(seen, sent.section, sent.earlier, sent=sent, errors=found)
    return pages.html(body, 422)


def too_often(seen: Visit, sent: SentPage) -> Response:
    """Answer that too much came from one sender, with everything that was typed."""
    languages.speak(seen.language)
    warning = _("Many answers came from your network just now. Please wait a minute and send this again.")
    response = pages.html(section_page(seen, sent.section, sent.earlier, sent=sent, warning=warning), 429)
    response.headers["Retry-After"] = str(MINUTE)
    return response


def section_page(
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
    """Print a section: as the first page, after another one, or again with what was sent."""
    definition = seen.questionnaire.definition
    is_first = section is first_section(seen)
    questions = routing.questions_on_page(definition, section.key, earlier)
    printed = fields.printed(
        definition,
        routing.shuffled(section, questions, str(seen.order)),
        seen.language,
        typed=typed or (_typed if sent else None),
        errors=errors,
    )
    if sent:
        code, exclusion = shown_code(sent.code) if sent.code else "", sent.exclusion
        before = routing.previous_section(definition, earlier, section.key) if sent.code else None
        back = before.key if before else ""
    else:
        code = "" if is_first else CODE_HERE
    return pages.render(
        "surveys/respond/section.html",
        seen.language,
        **surroundings_of(seen),
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


def receipt_page(seen: Visit, section: Section, exclusion: str | None) -> str:
    """Print the receipt, with a place where somebody's code is put in."""
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
        **surroundings_of(seen),
        title=_("Thank you. Your answers count.") if exclusion is None else _("Thank you."),
        exclusion=exclusion,
        hidden_fields=_hidden_fields(seen, section, CODE_HERE, with_key=False),
        back=section.key,
        thanks=seen.say(definition.thanks),
        code=CODE_HERE,
        n_this_month=n_this_month,
        receipt_url=f"/{languages.interface_language()}/receipt",
    )


def surroundings_of(seen: Visit) -> dict[str, Any]:
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


def shown_code(code: str) -> str:
    """Return a code as it is shown, however it was typed; nothing for what is no code."""
    return codes.shown(codes.read_code(code) or "")


def ended(language: str, service: str, title: str, *, is_embedded: bool) -> Response:
    """Answer somebody who came too late: with the end of the survey, and where to see what people said."""
    languages.speak(language)
    interface = languages.interface_language()
    body = pages.render(
        "surveys/respond/ended.html",
        language,
        title=title,
        is_embedded=is_embedded,
        results_url=url_for("scorecards.show", language=interface, service_slug=service),
        footer_links=surroundings.footer_links(interface),
    )
    return pages.html(body, 410)


def given_back(language: str, definition: Definition, sentence: str, status: int, **more: Any) -> Response:
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
