"""Managers' pages on which the pages of a questionnaire are added, changed, moved and taken out."""

from typing import Any

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from citizenvoice.accounts.access import Audience, open_to
from citizenvoice.accounts.scope import Role
from citizenvoice.errors import N_, NotFoundError
from citizenvoice.surveys import actions, drafting, wordings
from citizenvoice.surveys.definition import Definition, Section
from citizenvoice.surveys.forms import SectionForm, errors_by_id
from citizenvoice.surveys.parsing import DefinitionError
from citizenvoice.surveys.question_editing import earlier_questions
from citizenvoice.surveys.views import conditions, managed

bp = Blueprint("survey_sections", __name__, url_prefix="/manage/surveys")


@bp.route("/<survey_slug>/sections/new", methods=["GET", "POST"])
@open_to(Audience.MEMBER, role=Role.MANAGER)
def new(survey_slug: str) -> ResponseReturnValue:
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
                return redirect(
                    url_for("survey_design.questions", survey_slug=survey.slug) + f"#section-{key}"
                )
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
        "title": wordings.with_words(old.title, language, form.title.data or ""),
        "intro": wordings.with_words(old.intro, language, form.intro.data or ""),
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
def move(survey_slug: str, section_key: str) -> ResponseReturnValue:
    """Move a page up or down."""
    survey = managed.take(survey_slug)
    draft = managed.definition_of(survey).to_json()
    return managed.moved(
        survey, drafting.move_section(draft, section_key, managed.step()), f"section-{section_key}"
    )


@bp.route("/<survey_slug>/sections/<section_key>/remove", methods=["GET", "POST"])
@open_to(Audience.MEMBER, role=Role.MANAGER)
def remove(survey_slug: str, section_key: str) -> ResponseReturnValue:
    """Ask once, then take a page out with its questions."""
    survey = managed.take(survey_slug)
    definition = managed.definition_of(survey)
    found = get_section(definition, section_key)
    if request.method == "POST":
        return managed.taken_out(survey, actions.remove_section, section_key)
    return managed.page(
        "remove_section.html", survey, _("Take this page out?"), definition=definition, section=found
    )
