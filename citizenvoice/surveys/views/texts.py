"""Managers' pages for the texts around the questions, and for every text in the other languages."""

from typing import Any

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from citizenvoice.accounts.access import Audience, current_scope, open_to
from citizenvoice.accounts.scope import Role
from citizenvoice.agencies import queries as catalogue
from citizenvoice.db import db
from citizenvoice.errors import N_, DomainError, NotFoundError
from citizenvoice.surveys import actions, wordings
from citizenvoice.surveys.definition import Definition, placeholders_used
from citizenvoice.surveys.forms import TextsForm, errors_by_id, language_choices, service_choices
from citizenvoice.surveys.parsing import DefinitionError
from citizenvoice.surveys.views import managed
from citizenvoice.web.clock import utc_now
from citizenvoice.web.languages import own_name

bp = Blueprint("survey_texts", __name__, url_prefix="/manage/surveys")


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
        draft = wordings.set_words(draft, name, language, form[name].data or "")
    for name in placeholders_used(definition) | {*definition.placeholders}:
        for code in definition.languages:
            typed = request.form.get(f"placeholders-{name}-{code}", "")[:300]
            draft = wordings.set_words(draft, f"placeholders.{name}", code, typed)
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
        managed.save(survey, wordings.set_all_words(definition.to_json(), language, request.form))
    except DefinitionError as error:
        names = {f"{words.path}.{language}": words.name for words in wordings.words_of(definition)}
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
        groups=wordings.words_by_place(definition),
        missing=wordings.missing_words(definition, language),
        is_fixed=lambda words: wordings.is_fixed(definition, words, language),
        typed=typed,
        errors=errors,
    )
