"""Managers' pages on which files of responses are uploaded, their columns chosen, tried and brought in."""

import tomllib
from itertools import chain
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from citizenvoice.accounts.access import Audience, current_scope, open_to
from citizenvoice.accounts.scope import Role
from citizenvoice.agencies.queries import channel_names, service_name
from citizenvoice.db import db, writing
from citizenvoice.errors import N_, DomainError, NotFoundError
from citizenvoice.surveys import column_choices, import_runs, registry
from citizenvoice.surveys.column_choices import FORMATS, ChoiceError
from citizenvoice.surveys.definition import Definition, Kind
from citizenvoice.surveys.importing import Refusal
from citizenvoice.surveys.mapping import MappingError
from citizenvoice.surveys.views import managed
from citizenvoice.web import languages
from citizenvoice.web.clock import utc_now

bp = Blueprint("imports", __name__, url_prefix="/manage/surveys/<survey_slug>/imports")

N_PREVIEWED = 20

Run = Any  # the row; views do not know the tables


@bp.get("")
@open_to(Audience.MEMBER, role=Role.VIEWER)
def runs(survey_slug: str) -> ResponseReturnValue:
    """List the files brought into a survey and take another one."""
    return runs_page(managed.look_at(survey_slug))


def runs_page(survey: Any, error: str = "") -> str:
    """Return the page, with what was wrong with the file just sent."""
    return page(
        "runs.html",
        survey,
        runs=import_runs.runs_of(survey),
        is_published=registry.find_newest_version(survey) is not None,
        error=error,
    )


@bp.post("")
@open_to(Audience.MEMBER, role=Role.MANAGER, locks_itself=True)
def upload(survey_slug: str) -> ResponseReturnValue:
    """Keep an uploaded file and go on to its columns."""
    file, now, me = request.files.get("file"), utc_now(), managed.me()
    take(survey_slug)
    if file is None or not file.filename:
        return Response(runs_page(take(survey_slug), _("Choose the file first.")), 422)
    path = None
    try:
        path = import_runs.keep_upload(file.filename, file.stream)
        db.session.rollback()
        with writing():
            run = import_runs.create_run(take(survey_slug), path, filename=file.filename, by_id=me, now=now)
            import_id = run.id
            db.session.commit()
    except DomainError as error:
        db.session.rollback()
        if path is not None:
            path.unlink(missing_ok=True)
        return Response(runs_page(take(survey_slug), managed.said(error)), 422)
    return redirect(url_for(".columns", survey_slug=survey_slug, import_id=import_id))


@bp.get("/<int:import_id>/columns")
@open_to(Audience.MEMBER, role=Role.MANAGER)
def columns(survey_slug: str, import_id: int) -> ResponseReturnValue:
    """Ask which column answers which question, with a guess to begin with."""
    survey = take(survey_slug)
    run = import_runs.get_run(survey, import_id)
    if run.state != "uploaded":
        return redirect(url_for(".run", survey_slug=survey_slug, import_id=import_id))
    definition, found = import_runs.definition_of(run), column_choices.look_at(Path(run.path))
    data = run.mapping
    values = column_choices.form_values(data, definition) if data else None
    if not data:
        values = column_choices.guess(found, definition, survey.services)
        data = tried(values, definition)
    return columns_page(
        survey, run, found, values=values or {}, toml=column_choices.to_toml(data), is_toml=values is None
    )


def tried(values: dict[str, str], definition: Definition) -> dict[str, Any]:
    """Return the mapping a guess amounts to; nothing where it is not one yet."""
    try:
        return column_choices.mapping_data(values, definition)
    except MappingError:
        return {}


@bp.post("/<int:import_id>/columns")
@open_to(Audience.MEMBER, role=Role.MANAGER)
def choose_columns(survey_slug: str, import_id: int) -> ResponseReturnValue:
    """Keep which column answers which question and show what would come of it."""
    survey = take(survey_slug)
    run = import_runs.get_run(survey, import_id)
    if run.state != "uploaded":
        return redirect(url_for(".run", survey_slug=survey_slug, import_id=import_id))
    definition, values = import_runs.definition_of(run), request.form.to_dict()
    is_toml = "toml" in values
    try:
        data = toml_data(values["toml"]) if is_toml else column_choices.mapping_data(values, definition)
        import_runs.choose_columns(run, data, definition)
    except DomainError as error:
        db.session.rollback()
        return refused_columns(survey_slug, import_id, error, is_toml=is_toml)
    db.session.commit()
    return redirect(url_for(".preview", survey_slug=survey_slug, import_id=import_id))


def toml_data(text: str) -> dict[str, Any]:
    """Return what a mapping says. Raises MappingError."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise MappingError(N_("The mapping is not valid TOML: %(reason)s."), reason=str(error)) from error


def refused_columns(
    survey_slug: str, import_id: int, error: DomainError, *, is_toml: bool
) -> ResponseReturnValue:
    """Show the choice again, with everything that was chosen and what is wrong with it."""
    survey = take(survey_slug)
    run = import_runs.get_run(survey, import_id)
    field = "toml" if is_toml else error.field if isinstance(error, ChoiceError) else "at"
    values = request.form.to_dict()
    body = columns_page(
        survey,
        run,
        column_choices.look_at(Path(run.path)),
        values=values,
        toml=values.get("toml", ""),
        is_toml=is_toml,
        errors={field: [managed.said(error)]},
    )
    return Response(body, 422)


def columns_page(survey: Any, run: Run, found: list[Any], **facts: Any) -> str:
    """Return the page on which columns are chosen."""
    definition = import_runs.definition_of(run)
    language = languages.page_language()
    return page(
        "columns.html",
        survey,
        run=run,
        columns=found,
        answered=[asked(q, definition) for q in definition.questions if q.kind is not Kind.TEXT],
        written=[asked(q, definition) for q in definition.questions if q.kind is Kind.TEXT],
        formats=FORMATS,
        service_items=[
            {"value": service.slug, "label": service_name(service, language)} for service in survey.services
        ],
        channel_items=[{"value": code, "label": _(name)} for code, name in channel_names().items()],
        language_items=[{"value": code, "label": languages.own_name(code)} for code in definition.languages],
        **({"errors": {}} | facts),
    )


def asked(question: Any, definition: Definition) -> dict[str, Any]:
    """Return what the page says of a question: its words and how its answers are written."""
    language = definition.default_language
    answers = zip(question.possible_values, question.answer_labels, strict=True)
    return {
        "key": question.key,
        "text": definition.say(question.text, language),
        "answers": ", ".join(f"{value} = {definition.say(label, language)}" for value, label in answers),
    }


@bp.get("/<int:import_id>/preview")
@open_to(Audience.MEMBER, role=Role.MANAGER)
def preview(survey_slug: str, import_id: int) -> ResponseReturnValue:
    """Show the first rows and which of them would be refused, and why."""
    survey = take(survey_slug)
    run = import_runs.get_run(survey, import_id)
    if run.state != "uploaded" or not run.mapping:
        step = ".columns" if run.state == "uploaded" else ".run"
        return redirect(url_for(step, survey_slug=survey_slug, import_id=import_id))
    importer = import_runs.importer_for(run, now=utc_now())
    shown = importer.preview(Path(run.path), N_PREVIEWED)
    return page(
        "preview.html",
        survey,
        run=run,
        columns=sorted(importer.mapping.columns, key=column_order(shown)),
        rows=[(row, [sentence(refusal) for refusal in refusals]) for row, refusals in shown],
        n_refused=sum(bool(refusals) for _row, refusals in shown),
    )


def column_order(shown: list[Any]) -> Any:
    """Return a key that sorts column names as the file has them."""
    names = list(chain(*(row.values for row, _refusals in shown[:1])))
    return lambda name: names.index(name) if name in names else len(names)


def sentence(refusal: Refusal) -> str:
    """Return why a row is refused, in the language of the page."""
    reason = _(refusal.message, **refusal.params)
    if not refusal.column:
        return str(reason)
    return str(_("%(column)s: %(reason)s", column=refusal.column, reason=reason))


@bp.post("/<int:import_id>/start")
@open_to(Audience.MEMBER, role=Role.MANAGER)
def start(survey_slug: str, import_id: int) -> ResponseReturnValue:
    """Let the worker bring the file in."""
    run = import_runs.get_run(take(survey_slug), import_id)
    try:
        import_runs.start(run, by_id=managed.me(), now=utc_now())
    except DomainError as error:
        db.session.rollback()
        flash(managed.said(error), "error")
        return redirect(url_for(".columns", survey_slug=survey_slug, import_id=import_id))
    db.session.commit()
    return redirect(url_for(".run", survey_slug=survey_slug, import_id=import_id))


@bp.post("/<int:import_id>/discard")
@open_to(Audience.MEMBER, role=Role.MANAGER)
def discard(survey_slug: str, import_id: int) -> ResponseReturnValue:
    """Forget an uploaded file."""
    run = import_runs.get_run(take(survey_slug), import_id)
    try:
        import_runs.discard(run)
    except DomainError as error:
        db.session.rollback()
        flash(managed.said(error), "error")
        return redirect(url_for(".run", survey_slug=survey_slug, import_id=import_id))
    db.session.commit()
    flash(_("The file is deleted. Nothing was brought in."), "success")
    return redirect(url_for(".runs", survey_slug=survey_slug))


@bp.get("/<int:import_id>")
@open_to(Audience.MEMBER, role=Role.VIEWER)
def run(survey_slug: str, import_id: int) -> ResponseReturnValue:
    """Show how far an import is, and in the end what became of its rows."""
    survey = managed.look_at(survey_slug)
    found = import_runs.get_run(survey, import_id)
    return page(
        "run.html",
        survey,
        run=found,
        summary=import_runs.summary_of(found),
        is_under_way=found.state in ("waiting", "running"),
        has_rejects=import_runs.rejects_path(found).exists(),
        error=_(found.error) if found.error else "",
    )


@bp.get("/<int:import_id>/rejects.csv")
@open_to(Audience.MEMBER, role=Role.MANAGER)
def rejects(survey_slug: str, import_id: int) -> ResponseReturnValue:
    """Download which rows were refused and why."""
    found = import_runs.get_run(take(survey_slug), import_id)
    path = import_runs.rejects_path(found)
    if not path.exists():
        raise NotFoundError(N_("There is no list of refused rows: it is kept for 30 days."))
    return send_file(
        path, mimetype="text/csv", as_attachment=True, download_name=f"{survey_slug}-{import_id}-rejects.csv"
    )


def take(survey_slug: str) -> Any:
    """Return a survey this member may bring responses into. Raises NotFoundError."""
    return registry.get_managed_survey(survey_slug, current_scope(), Role.MANAGER)


def page(template: str, survey: Any, **facts: Any) -> str:
    """Return a page about the imports of a survey."""
    return render_template(
        f"surveys/imports/{template}",
        survey=survey,
        heading=_("Import responses"),
        can_change=current_scope().allows(survey.agency.path, Role.MANAGER),
        tabs=managed.tabs(survey, managed.definition_of(survey), "imports"),
        **facts,
    )
