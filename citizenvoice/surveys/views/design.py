"""Managers' pages on which the draft of a survey is written: pages, texts, translations, preview."""

from typing import Any

from flask import Blueprint, Response, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from citizenvoice.accounts.access import Audience, current_scope, open_to
from citizenvoice.accounts.scope import Role
from citizenvoice.agencies import queries as catalogue
from citizenvoice.db import db
from citizenvoice.errors import N_, DomainError, NotFoundError
from citizenvoice.surveys import actions, drafting, queries
from citizenvoice.surveys.definition import Definition, DefinitionError, Section, placeholders_used
from citizenvoice.surveys.forms import SectionForm, TextsForm, errors_by_id, language_choices, service_choices
from citizenvoice.surveys.question_editing import earlier_questions
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
    newest = queries.find_newest_version(survey)
    return managed.page(
        "questions.html",
        survey,
        survey.name,
        "questions",
        definition=definition,
        newest=newest,
        has_changed=newest is None or newest.digest != actions.digest_of(definition.to_json()),
        n_responses=queries.response_counts([survey.id])[survey.id],
        counted_up_to=queries.COUNTED_UP_TO,
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


# Pages


@bp.route("/<survey_slug>/sections/new", methods=["GET", "POST"])
@open_to(Audience.MEMBER, role=Role.MANAGER)
def new_section(survey_slug: str) -> ResponseReturnValue:
    """Add a page."""
    return edit_section(managed.take(survey_slug), None)


@bp.route("/<survey_slug>/sections/<section_key>", methods=["GET", "POST"])
@open_to(Audience.MEMBER, role=Role.MANAGER)
def section(survey_slug: str, section_key: str) -> ResponseReturnValue:
    """Change a page's heading, introduction and condition."""
    survey = managed.take(survey_slug)
    return edit_section(survey, get_section(managed.definition_of(survey), section_key))


def get_section(definition: Definition, key: str) -> Section:
    """Return a page of the draft. Raises NotFoundError."""
    for found in definition.sections:
        if found.key == key:
            return found
    raise NotFoundError(N_("There is no such page in this questionnaire."))


def edit_section(survey: Any, before: Section | None) -> ResponseReturnValue:
    """Show the form of a page and keep what was typed."""
    definition = managed.definition_of(survey)
    earlier = earlier_questions(definition, before=before.key if before else None)
    form = SectionForm(data=section_values(definition, before))
    errors: dict[str, list[str]] = {}
    if request.method == "POST" and request.form.get("do") != "answers":
        errors = {} if form.validate() else errors_by_id(form)
        errors |= conditions.problems(form, definition, earlier)
        if not errors:
            try:
                key = save_section(survey, definition, form, before)
            except DefinitionError as error:
                errors = {"": [managed.sentence(problem) for problem in error.problems]}
            else:
                return redirect(url_for(".questions", survey_slug=survey.slug) + f"#section-{key}")
    return managed.page(
        "section.html",
        survey,
        _("Change the page") if before else _("Add a page"),
        definition=definition,
        form=form,
        errors=errors,
        builder=conditions.builder(form, definition, earlier, before.shown_if if before else None),
    )


def section_values(definition: Definition, before: Section | None) -> dict[str, Any]:
    """Return what the form of a page starts with."""
    if before is None:
        return {}
    language = definition.default_language
    return {
        "title": before.title.get(language, ""),
        "intro": before.intro.get(language, ""),
        "about_you": before.about_you,
        "shuffle": before.shuffle,
        **conditions.initial(before.shown_if),
    }


def save_section(survey: Any, definition: Definition, form: SectionForm, before: Section | None) -> str:
    """Keep a page; return its key. Raises DefinitionError."""
    draft, language = definition.to_json(), definition.default_language
    old = before or Section(key="")
    typed = {
        "title": drafting.with_words(old.title, language, form.title.data or ""),
        "intro": drafting.with_words(old.intro, language, form.intro.data or ""),
        "about_you": bool(form.about_you.data),
        "shuffle": bool(form.shuffle.data),
        "shown_if": conditions.built(form, definition, old.shown_if),
    }
    if before:
        managed.save(survey, drafting.update_section(draft, before.key, typed))
        return before.key
    key = drafting.free_key(draft, form.title.data or "", "page")
    managed.save(
        survey, drafting.add_section(draft, {"key": key, **typed}, after=request.args.get("after") or None)
    )
    return key


@bp.post("/<survey_slug>/sections/<section_key>/move")
@open_to(Audience.MEMBER, role=Role.MANAGER)
def move_section(survey_slug: str, section_key: str) -> ResponseReturnValue:
    """Move a page up or down."""
    survey = managed.take(survey_slug)
    draft = managed.definition_of(survey).to_json()
    return moved(survey, drafting.move_section(draft, section_key, step()), f"section-{section_key}")


@bp.route("/<survey_slug>/sections/<section_key>/remove", methods=["GET", "POST"])
@open_to(Audience.MEMBER, role=Role.MANAGER)
def remove_section(survey_slug: str, section_key: str) -> ResponseReturnValue:
    """Ask once, then take a page out with its questions."""
    survey = managed.take(survey_slug)
    definition = managed.definition_of(survey)
    found = get_section(definition, section_key)
    if request.method == "POST":
        try:
            actions.remove_section(
                survey,
                section_key,
                instrument=managed.origin_of(survey, definition),
                now=utc_now(),
                by_id=managed.me(),
            )
            db.session.commit()
        except DomainError as error:
            db.session.rollback()
            flash(managed.said(error), "error")
        return redirect(url_for(".questions", survey_slug=survey_slug))
    return managed.page(
        "remove_section.html", survey, _("Take this page out?"), definition=definition, section=found
    )


def step() -> int:
    """Return which way something moves: up (-1) or down (1)."""
    return -1 if request.form.get("way") == "up" else 1


def moved(survey: Any, draft: drafting.Draft, anchor: str) -> ResponseReturnValue:
    """Keep a draft in a new order, or say why it cannot be."""
    try:
        managed.save(survey, draft)
    except DefinitionError as error:
        db.session.rollback()
        flash(_("It cannot move there. %(why)s", why=managed.said(error)), "error")
    return redirect(url_for("survey_design.questions", survey_slug=survey.slug) + f"#{anchor}")


# Texts and translations


@bp.route("/<survey_slug>/texts", methods=["GET", "POST"])
@open_to(Audience.MEMBER, role=Role.MANAGER)
def texts(survey_slug: str) -> ResponseReturnValue:
    """Change what stands around the questions: title, words of thanks, languages, placeholders, services."""
    survey = managed.take(survey_slug)
    definition = managed.definition_of(survey)
    services = list(catalogue.find_services(current_scope().paths(Role.MANAGER)))
    language = definition.default_language
    form = TextsForm(
        name=survey.name,
        services=[str(service.id) for service in survey.services],
        languages=list(definition.languages),
        **{name: getattr(definition, name).get(language, "") for name in ("title", "intro", "thanks")},
    )
    form.services.choices = service_choices(services)
    form.languages.choices = language_choices(definition.languages)
    errors: dict[str, list[str]] = {}
    if request.method == "POST":
        errors = {} if form.validate() else errors_by_id(form)
        if not errors:
            try:
                save_texts(survey, definition, form, services)
            except DomainError as error:
                db.session.rollback()
                errors = {"services" if not isinstance(error, DefinitionError) else "": [managed.said(error)]}
            else:
                flash(_("Saved."), "success")
                return redirect(url_for(".texts", survey_slug=survey_slug))
    return managed.page(
        "texts.html",
        survey,
        _("Texts and languages"),
        "texts",
        definition=definition,
        form=form,
        errors=errors,
        placeholders=sorted(placeholders_used(definition) | {*definition.placeholders}),
        typed=request.form,
    )


def save_texts(survey: Any, definition: Definition, form: TextsForm, services: list[Any]) -> None:
    """Keep what stands around the questions. Raises DomainError."""
    draft, language = definition.to_json(), definition.default_language
    for name in ("title", "intro", "thanks"):
        draft = drafting.set_words(draft, name, language, form[name].data or "")
    for name in placeholders_used(definition) | {*definition.placeholders}:
        for code in definition.languages:
            typed = request.form.get(f"placeholders-{name}-{code}", "")[:300]
            draft = drafting.set_words(draft, f"placeholders.{name}", code, typed)
    wanted = list(form.languages.data or ())
    draft["languages"] = [code for code in definition.languages if code in wanted]
    draft["languages"] += [code for code in wanted if code not in definition.languages]
    chosen = [service for service in services if str(service.id) in (form.services.data or ())]
    now = utc_now()
    actions.change_survey(survey, name=form.name.data or "", services=chosen, now=now, by_id=managed.me())
    actions.save_draft(survey, draft, now=now)
    db.session.commit()


@bp.get("/<survey_slug>/translations")
@open_to(Audience.MEMBER, role=Role.VIEWER)
def translations(survey_slug: str) -> ResponseReturnValue:
    """Go on to the first language there is to translate into, or say how to add one."""
    survey = managed.look_at(survey_slug)
    definition = managed.definition_of(survey)
    if len(definition.languages) > 1:
        return redirect(url_for(".translation", survey_slug=survey_slug, language=definition.languages[1]))
    return managed.page("no_translations.html", survey, _("Translations"), "translations")


@bp.get("/<survey_slug>/translations/<language>")
@open_to(Audience.MEMBER, role=Role.VIEWER)
def translation(survey_slug: str, language: str) -> ResponseReturnValue:
    """Show every text beside its translation."""
    survey = managed.look_at(survey_slug)
    if language == managed.definition_of(survey).default_language:
        return redirect(url_for(".translations", survey_slug=survey_slug))
    return translation_page(survey, language, {}, {})


@bp.post("/<survey_slug>/translations/<language>")
@open_to(Audience.MEMBER, role=Role.MANAGER)
def translate(survey_slug: str, language: str) -> ResponseReturnValue:
    """Keep a translation."""
    survey = managed.take(survey_slug)
    if language == managed.definition_of(survey).default_language:
        return redirect(url_for(".translations", survey_slug=survey_slug))
    definition = translated(managed.definition_of(survey), language)
    try:
        managed.save(survey, drafting.set_all_words(definition.to_json(), language, request.form))
    except DefinitionError as error:
        names = {f"{words.path}.{language}": words.name for words in drafting.words_of(definition)}
        errors: dict[str, list[str]] = {}
        for problem in error.problems:
            errors.setdefault(names.get(problem.path, ""), []).append(managed.sentence(problem))
        return translation_page(survey, language, request.form, errors)
    flash(_("Saved."), "success")
    return redirect(url_for(".translation", survey_slug=survey_slug, language=language))


def translated(definition: Definition, language: str) -> Definition:
    """Return the draft if it is translated into this language. Raises NotFoundError."""
    if language not in definition.languages[1:]:
        raise NotFoundError(N_("The survey is not translated into this language."))
    return definition


def translation_page(survey: Any, language: str, typed: Any, errors: dict[str, list[str]]) -> str:
    """Return the page with every text and its translation, as it is or as it was typed."""
    definition = translated(managed.definition_of(survey), language)
    return managed.page(
        "translation.html",
        survey,
        _("Translation: %(language)s", language=own_name(language)),
        "translations",
        definition=definition,
        language=language,
        groups=drafting.words_by_place(definition),
        missing=drafting.missing_words(definition, language),
        is_fixed=lambda words: drafting.is_fixed(definition, words, language),
        typed=typed,
        errors=errors,
    )


# Preview


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
