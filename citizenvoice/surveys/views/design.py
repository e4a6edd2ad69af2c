"""Managers' pages that show the draft of a survey: its questions in order, and a preview as people see it."""

from typing import Any

from flask import Blueprint, Response, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from citizenvoice.accounts.access import Audience, open_to
from citizenvoice.accounts.scope import Role
from citizenvoice.agencies import queries as catalogue
from citizenvoice.db import db
from citizenvoice.errors import N_, DomainError, NotFoundError
from citizenvoice.surveys import actions, registry
from citizenvoice.surveys.definition import Definition, Section
from citizenvoice.surveys.views import conditions, fields, managed
from citizenvoice.surveys.views.manage import wording_facts
from citizenvoice.web import languages, pages
from citizenvoice.web.clock import utc_now
from citizenvoice.web.languages import own_name

bp = Blueprint("survey_design", __name__, url_prefix="/manage/surveys")


@bp.get("/<survey_slug>")
@open_to(Audience.MEMBER, role=Role.VIEWER)
def questions(survey_slug: str) -> ResponseReturnValue:
    """Show the pages and questions of the draft in order."""
    survey = managed.look_at(survey_slug)
    definition = managed.definition_of(survey)
    newest = registry.find_newest_version(survey)
    return managed.page(
        "questions.html",
        survey,
        survey.name,
        "questions",
        definition=definition,
        newest=newest,
        has_changed=newest is None or newest.digest != actions.digest_of(definition.to_json()),
        n_responses=registry.response_counts([survey.id])[survey.id],
        counted_up_to=registry.COUNTED_UP_TO,
        in_words=conditions.in_words,
        **wording_facts(survey, definition),
    )


@bp.post("/<survey_slug>/restore-official-wording")
@open_to(Audience.MEMBER, role=Role.MANAGER)
def restore_official_wording(survey_slug: str) -> ResponseReturnValue:
    """Put back every official question, and the official label."""
    survey = managed.take(survey_slug)
    origin = managed.origin_of(survey, managed.definition_of(survey))
    if origin is None:
        raise DomainError(N_("This survey did not start from an official questionnaire."))
    actions.restore_official_wording(survey, origin, now=utc_now(), by_id=managed.me())
    db.session.commit()
    flash(_("The official wording is back, and the official label with it."), "success")
    return redirect(url_for(".questions", survey_slug=survey_slug))


@bp.get("/<survey_slug>/preview/<language>")
@open_to(Audience.MEMBER, role=Role.VIEWER)
def preview(survey_slug: str, language: str) -> ResponseReturnValue:
    """Show the pages of the draft as people will see them; nothing is recorded."""
    survey = managed.look_at(survey_slug)
    definition = managed.definition_of(survey)
    if language not in definition.languages:
        raise NotFoundError(N_("This survey is not asked in this language."))
    shown = [found for found in definition.sections if found.questions]
    if not shown:
        return managed.page("no_preview.html", survey, _("Preview"), "preview", definition=definition)
    number = min(max(1, request.args.get("page", 1, type=int)), len(shown) + 1)
    facts = around_preview(survey, definition, language, number, len(shown))
    if number > len(shown):
        return pages.html(
            pages.render(
                "surveys/manage/preview_end.html",
                language,
                title=definition.say(definition.title, language),
                thanks=definition.say(definition.thanks, language),
                **facts,
            )
        )
    return pages.html(preview_page(survey, definition, shown[number - 1], language, facts))


def preview_page(
    survey: Any, definition: Definition, section: Section, language: str, facts: dict[str, Any]
) -> str:
    """Return one page of the questionnaire, with every question it can show."""
    printed = fields.printed(definition, section.questions, language)
    has_conditions = any(field["depends"] for field in printed)
    return pages.render(
        "surveys/manage/preview.html",
        language,
        title=definition.say(definition.title, language),
        intro=definition.say(definition.intro, language) if facts["number"] == 1 else "",
        section_title=definition.say(section.title, language),
        section_intro=definition.say(section.intro, language),
        about_you=section.about_you,
        fields=printed,
        problems=[],
        warning="",
        code="",
        hidden_fields={"page": facts["number"] + 1},
        form_method="get",
        shown_only_if=conditions.in_words(definition, section.shown_if) if section.shown_if else "",
        conditions_url=url_for(".preview_conditions", survey_slug=survey.slug) if has_conditions else "",
        **facts,
    )


def around_preview(
    survey: Any, definition: Definition, language: str, number: int, n_pages: int
) -> dict[str, Any]:
    """Return what stands around a previewed page; the words for the manager in the manager's language."""
    own = languages.page_language()
    service = survey.services[0] if survey.services else None
    return {
        "number": number,
        "action": url_for(".preview", survey_slug=survey.slug, language=language),
        "agency_name": catalogue.agency_name(survey.agency, language),
        "service_name": catalogue.service_name(service, language) if service else "",
        "language_links": [
            {
                "code": code,
                "name": own_name(code),
                "url": url_for(".preview", survey_slug=survey.slug, language=code, page=number),
                "current": code == language,
            }
            for code in definition.languages
        ],
        "manager": {
            "language": own,
            "direction": languages.direction(own),
            "title": _("This is a preview. Nothing is recorded."),
            "place": _("Page %(number)s of %(n)s", number=min(number, n_pages), n=n_pages)
            if number <= n_pages
            else _("After the last page"),
            "only_if": _("People see this page only if:"),
            "back": _("Previous page"),
            "back_url": url_for(".preview", survey_slug=survey.slug, language=language, page=number - 1)
            if number > 1
            else "",
            "leave": _("Back to the questions"),
            "leave_url": url_for(".questions", survey_slug=survey.slug),
            "receipt": _(
                "Here people get a receipt code with which they can look at their answers or withdraw them."
            ),
        },
    }


@bp.get("/<survey_slug>/preview-conditions.css")
@open_to(Audience.MEMBER, role=Role.VIEWER)
def preview_conditions(survey_slug: str) -> ResponseReturnValue:
    """Return the style that hides a question until an answer on the same page asks for it."""
    survey = managed.look_at(survey_slug)
    css = fields.conditions_css(managed.definition_of(survey))
    return Response(css, mimetype="text/css", headers={"Cache-Control": "no-store"})
