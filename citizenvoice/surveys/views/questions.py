"""Managers' pages about one question of a draft: add, change, move, take out, official wording."""

from typing import Any

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from wtforms.fields.choices import SelectChoice

from citizenvoice.accounts.access import Audience, open_to
from citizenvoice.accounts.scope import Role
from citizenvoice.db import db
from citizenvoice.errors import N_, NotFoundError
from citizenvoice.surveys import actions, drafting, official_words, wordings
from citizenvoice.surveys.definition import Definition, Kind, Question, question_json
from citizenvoice.surveys.forms import errors_by_id
from citizenvoice.surveys.instrument_library import Instrument, find_instrument
from citizenvoice.surveys.parsing import DefinitionError
from citizenvoice.surveys.question_editing import (
    PRESETS,
    earlier_questions,
    question_from,
    question_values,
)
from citizenvoice.surveys.question_forms import (
    KIND_HINTS,
    KIND_NAMES,
    QUESTION_FORMS,
    ROWS,
    KindForm,
    LockedForm,
    QuestionForm,
    UnderstoodForm,
    errors_of_question,
    role_choices,
)
from citizenvoice.surveys.views import conditions, managed
from citizenvoice.surveys.views.sections import get_section
from citizenvoice.web.clock import utc_now

bp = Blueprint("survey_questions", __name__, url_prefix="/manage/surveys")


def get_question(definition: Definition, key: str) -> Question:
    """Return a question of the draft. Raises NotFoundError."""
    for question in definition.questions:
        if question.key == key:
            return question
    raise NotFoundError(N_("There is no such question in this questionnaire."))


def taken(survey_slug: str, question_key: str) -> tuple[Any, Definition, Question]:
    """Return a survey this member may change, its draft, and a question of it. Raises NotFoundError."""
    survey = managed.take(survey_slug)
    definition = managed.definition_of(survey)
    return survey, definition, get_question(definition, question_key)


@bp.route("/<survey_slug>/sections/<section_key>/questions/new", methods=["GET", "POST"])
@open_to(Audience.MEMBER, role=Role.MANAGER)
def new(survey_slug: str, section_key: str) -> ResponseReturnValue:
    """Add a question: first what kind, then the rest."""
    survey = managed.take(survey_slug)
    definition = managed.definition_of(survey)
    section = get_section(definition, section_key)
    kind = request.args.get("kind", "")
    if kind in {*Kind}:
        return edit(survey, definition, Kind(kind), None, section_key)
    after = request.args.get("after", "")
    form = KindForm(kind=kind)
    if form.validate_on_submit():
        return redirect(
            url_for(
                ".new",
                survey_slug=survey_slug,
                section_key=section_key,
                kind=form.kind.data,
                after=after or None,
            )
        )
    allowed = [kind for kind in Kind if not (section.about_you and kind is Kind.TEXT)]
    return managed.page(
        "new_question.html",
        survey,
        _("Add a question"),
        definition=definition,
        section=section,
        form=form,
        kinds=[
            {"value": str(kind), "label": _(KIND_NAMES[kind]), "hint": _(KIND_HINTS[kind])}
            for kind in allowed
        ],
    )


@bp.route("/<survey_slug>/questions/<question_key>", methods=["GET", "POST"])
@open_to(Audience.MEMBER, role=Role.MANAGER)
def question(survey_slug: str, question_key: str) -> ResponseReturnValue:
    """Change a question; of official wording only what may change without changing it."""
    survey, definition, found = taken(survey_slug, question_key)
    if found.locked:
        return edit_locked(survey, definition, found)
    return edit(survey, definition, found.kind, found, "")


def edit(
    survey: Any, definition: Definition, kind: Kind, before: Question | None, section_key: str
) -> ResponseReturnValue:
    """Show the form of a question; add and take away rows of it; keep what was typed."""
    form = QUESTION_FORMS[kind](data=start_values(definition, kind, before))
    errors: dict[str, list[str]] = {}
    earlier = earlier_questions(
        definition, before=before.key if before else None, in_section=None if before else section_key
    )
    if request.method == "POST" and not change_rows(form, kind, definition.default_language):
        drop_empty_rows(form, kind)
        errors = {} if form.validate() else errors_by_id(form)
        errors |= conditions.problems(form, definition, earlier)
        if not errors:
            key, draft = changed(definition, kind, form, before, section_key)
            try:
                managed.save(survey, draft)
            except DefinitionError as error:
                errors = errors_of_question(error.problems, form, path_of(draft, key))
            else:
                flash(_("Saved."), "success")
                return redirect(
                    url_for("survey_design.questions", survey_slug=survey.slug) + f"#question-{key}"
                )
    return managed.page(
        "question.html",
        survey,
        _("Change the question") if before else _("Add a question"),
        definition=definition,
        form=form,
        kind=str(kind),
        question=before,
        errors=errors,
        rows=getattr(form, ROWS[kind]) if kind in ROWS else None,
        roles=role_choices(kind, form.role.data or ""),
        presets=[{"value": key, "label": _(preset.name)} for key, preset in PRESETS.items()],
        builder=conditions.builder(form, definition, earlier, before.shown_if if before else None),
    )


def start_values(definition: Definition, kind: Kind, before: Question | None) -> dict[str, Any]:
    """Return what the form of a question starts with."""
    language = definition.default_language
    if before:
        return {**question_values(before, language), **conditions.initial(before.shown_if)}
    if kind is Kind.SCALE:
        return {"points": preset_rows("agree", language)}
    return {"choices": [{}] * 3} if kind in (Kind.SINGLE, Kind.MULTIPLE) else {}


def preset_rows(name: str, language: str) -> list[dict[str, Any]]:
    """Return the rows of a common scale, in this language if it is known in it."""
    return [
        {"was": "", "value": point["value"], "label": point["label"].get(language) or point["label"]["en"]}
        for point in PRESETS[name].points
    ]


def change_rows(form: QuestionForm, kind: Kind, language: str) -> bool:
    """Do what a button beside the rows asks for; return whether one was pressed."""
    do = request.form.get("do", "save")
    rows = getattr(form, ROWS[kind]) if kind in ROWS else None
    if rows is not None and do == "add" and len(rows.entries) < (rows.max_entries or 0):
        rows.append_entry({})
    elif rows is not None and do.startswith("remove:"):
        rows.entries = [entry for entry in rows.entries if entry.name != do.removeprefix("remove:")]
    elif do == "preset" and request.form.get("preset", "") in PRESETS and kind is Kind.SCALE:
        name = request.form["preset"]
        form["points"].entries = []
        for row in preset_rows(name, language):
            form["points"].append_entry(row)
        form["display"].data = PRESETS[name].display
    return do != "save"


def drop_empty_rows(form: QuestionForm, kind: Kind) -> None:
    """Forget the rows in which nothing was typed."""
    if kind in ROWS:
        rows = getattr(form, ROWS[kind])
        rows.entries = [entry for entry in rows.entries if any(map(typed_in, entry.form))]


def typed_in(field: Any) -> bool:
    """Return whether something was typed into a control that is seen."""
    return field.name.rpartition("-")[2] != "was" and any(map(str.strip, field.raw_data or ()))


def changed(
    definition: Definition, kind: Kind, form: QuestionForm, before: Question | None, section_key: str
) -> tuple[str, drafting.Draft]:
    """Return the question's key and the draft with it as it was typed."""
    draft = definition.to_json()
    item = question_from(kind, form.typed(), definition.languages, question_json(before) if before else None)
    item["shown_if"] = conditions.built(form, definition, before.shown_if if before else None)
    if before:
        return before.key, drafting.replace_question(draft, before.key, item)
    item["key"] = drafting.free_key(draft, form.text.data or "", "question")
    return item["key"], drafting.add_question(
        draft, section_key, item, after=place_for(definition, section_key)
    )


def place_for(definition: Definition, section_key: str) -> str | None:
    """Return the question that a new one follows: the one the address names, or the last if it is gone."""
    after = request.args.get("after") or None
    keys = [question.key for question in get_section(definition, section_key).questions]
    if after is None or after in keys:
        return after
    flash(_("The question it was to follow is not on this page any more, so it stands last."), "warning")
    return keys[-1] if keys else None


def path_of(draft: drafting.Draft, key: str) -> str:
    """Return where a question stands, as problems name it."""
    for s, section in enumerate(draft["sections"]):
        for q, found in enumerate(section["questions"]):
            if found["key"] == key:
                return f"sections.{s}.questions.{q}"
    return ""


@bp.post("/<survey_slug>/questions/<question_key>/move")
@open_to(Audience.MEMBER, role=Role.MANAGER)
def move(survey_slug: str, question_key: str) -> ResponseReturnValue:
    """Move a question up or down."""
    survey = managed.take(survey_slug)
    draft = managed.definition_of(survey).to_json()
    return managed.moved(
        survey, drafting.move_question(draft, question_key, managed.step()), f"question-{question_key}"
    )


@bp.route("/<survey_slug>/questions/<question_key>/remove", methods=["GET", "POST"])
@open_to(Audience.MEMBER, role=Role.MANAGER)
def remove(survey_slug: str, question_key: str) -> ResponseReturnValue:
    """Ask once, then take a question out."""
    survey, definition, found = taken(survey_slug, question_key)
    official = find_instrument(definition.instrument)
    if request.method == "POST":
        return managed.taken_out(survey, actions.remove_question, question_key)
    return managed.page(
        "remove_question.html",
        survey,
        _("Take this question out?"),
        definition=definition,
        question=found,
        costs_label=drafting.removal_costs_label(question_json(found), official),
        dependents=drafting.called(definition, drafting.dependents(definition.to_json(), [question_key])),
    )


# Official wording


def edit_locked(survey: Any, definition: Definition, found: Question) -> ResponseReturnValue:
    """Change of an official question what leaves its wording alone."""
    instrument = find_instrument(definition.instrument)
    allowed = wordings_of(instrument, found)
    form = LockedForm(
        hint=found.hint.get(definition.default_language, ""),
        required=found.required,
        wording=next((n for n, text in enumerate(allowed) if text == dict(found.text)), 0),
        choices=[choice.value for choice in found.choices],
    )
    free = free_choices(instrument, definition, found)
    form.wording.choices = [
        SelectChoice(n, definition.say(text, definition.default_language)) for n, text in enumerate(allowed)
    ] or [SelectChoice(0, "")]
    form.choices.choices = [SelectChoice(item["value"], item["label"]) for item in free]
    if form.validate_on_submit():
        draft = locked_draft(definition, found, form)
        if len(allowed) > 1:
            draft = official_words.choose_wording(draft, found.key, allowed[form.wording.data])
        if free and instrument:
            draft = official_words.keep_choices(draft, found.key, form.choices.data or (), instrument)
        managed.save(survey, draft)
        flash(_("Saved."), "success")
        return redirect(
            url_for("survey_design.questions", survey_slug=survey.slug) + f"#question-{found.key}"
        )
    return managed.page(
        "locked_question.html",
        survey,
        _("Official question"),
        definition=definition,
        question=found,
        form=form,
        errors=errors_by_id(form),
        instrument=instrument,
        wordings=allowed,
        free_choices=free,
    )


def locked_draft(definition: Definition, found: Question, form: LockedForm) -> drafting.Draft:
    """Return the draft with what was typed about an official question."""
    language = definition.default_language
    item = {
        **question_json(found),
        "hint": wordings.with_words(found.hint, language, form.hint.data or ""),
        "required": bool(form.required.data),
    }
    return drafting.replace_question(definition.to_json(), found.key, item)


def wordings_of(instrument: Instrument | None, found: Question) -> list[dict[str, str]]:
    """Return the wordings the authority allows for a question; nothing where there is no choice."""
    if instrument is None or not instrument.variants.get(found.key):
        return []
    official = instrument.definition.question(found.key).text
    return [dict(text) for text in (official, *instrument.variants[found.key])]


def free_choices(
    instrument: Instrument | None, definition: Definition, found: Question
) -> list[dict[str, str]]:
    """Return the answers of an official question that may be left out."""
    if instrument is None or found.key not in instrument.required_choices:
        return []
    required = instrument.required_choices[found.key]
    return [
        {"value": choice.value, "label": definition.say(choice.label, definition.default_language)}
        for choice in instrument.definition.question(found.key).choices
        if choice.value not in required
    ]


@bp.route("/<survey_slug>/questions/<question_key>/official-wording", methods=["GET", "POST"])
@open_to(Audience.MEMBER, role=Role.MANAGER)
def official_wording(survey_slug: str, question_key: str) -> ResponseReturnValue:
    """Say what is lost when official wording is changed, and open it once that is understood."""
    survey, definition, found = taken(survey_slug, question_key)
    form = UnderstoodForm()
    if form.validate_on_submit():
        actions.give_up_official_wording(survey, question_key, now=utc_now(), by_id=managed.me())
        db.session.commit()
        flash(
            _("You can change this question now. The survey no longer carries the official label."), "warning"
        )
        return redirect(url_for(".question", survey_slug=survey_slug, question_key=question_key))
    return managed.page(
        "official_wording.html",
        survey,
        _("Change the official wording"),
        definition=definition,
        question=found,
        form=form,
        errors=errors_by_id(form),
        instrument=managed.origin_of(survey, definition),
    )
