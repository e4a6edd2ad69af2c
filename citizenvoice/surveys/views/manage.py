"""Managers' pages about their surveys: list, start, publish, versions, close, share."""

from collections.abc import Iterable
from typing import Any

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import force_locale
from flask_babel import gettext as _
from markupsafe import Markup

from citizenvoice.accounts.access import Audience, current_scope, open_to
from citizenvoice.accounts.scope import Role
from citizenvoice.agencies import queries as catalogue
from citizenvoice.config import ANSWERING_LANGUAGES, LANGUAGES
from citizenvoice.db import db
from citizenvoice.errors import DomainError
from citizenvoice.surveys import actions, drafting, links, official_words, queries, registry
from citizenvoice.surveys.definition import Definition, placeholders_used
from citizenvoice.surveys.forms import (
    PublishForm,
    SurveyForm,
    errors_by_id,
    language_choices,
    service_choices,
)
from citizenvoice.surveys.instrument_library import Instrument, get_instrument, instruments
from citizenvoice.surveys.parsing import PLACEHOLDERS, parse_definition
from citizenvoice.surveys.question_editing import free_name
from citizenvoice.surveys.views import conditions, managed
from citizenvoice.surveys.views.changes import described
from citizenvoice.web.clock import utc_now
from citizenvoice.web.languages import local_name

bp = Blueprint("survey_management", __name__, url_prefix="/manage/surveys")

SCRATCH = "scratch"
FRAME = Markup('<iframe src="{}" title="{}" width="100%" height="700" loading="lazy"></iframe>')


@bp.get("")
@open_to(Audience.MEMBER, role=Role.VIEWER)
def surveys() -> ResponseReturnValue:
    """List the surveys of the agencies this member sees."""
    scope = current_scope()
    return render_template(
        "surveys/manage/surveys.html",
        surveys=registry.managed_surveys(scope),
        counted_up_to=registry.COUNTED_UP_TO,
        can_start=bool(scope.paths(Role.MANAGER)),
    )


@bp.get("/new")
@open_to(Audience.MEMBER, role=Role.MANAGER)
def start() -> ResponseReturnValue:
    """Show what a survey can start from."""
    return render_template("surveys/manage/start.html", instruments=instruments(), scratch=SCRATCH)


@bp.route("/new/<instrument>", methods=["GET", "POST"])
@open_to(Audience.MEMBER, role=Role.MANAGER)
def new(instrument: str) -> ResponseReturnValue:
    """Start a survey, from nothing or from an official questionnaire."""
    official = None if instrument == SCRATCH else get_instrument(instrument)
    form, services = survey_form(official)
    errors: dict[str, list[str]] = {}
    if form.validate_on_submit():
        try:
            survey = start_survey(form, official, services)
        except DomainError as error:
            db.session.rollback()
            errors = {"slug" if "slug" in error.params else "services": [managed.said(error)]}
        else:
            flash(_("The survey is there as a draft. Nobody can answer it before you publish it."), "success")
            return redirect(url_for("survey_design.questions", survey_slug=survey.slug))
    return render_template(
        "surveys/manage/new.html",
        form=form,
        instrument=official,
        services=services,
        placeholders=sorted(placeholders_used(official.definition)) if official else [],
        languages=LANGUAGES[:2] if official is None else official.definition.languages,
        typed=request.form,
        errors={**errors_by_id(form), **errors},
    )


def survey_form(official: Instrument | None) -> tuple[SurveyForm, list[Any]]:
    """Return the form for a new survey and the services it can ask about."""
    services = list(catalogue.find_services(current_scope().paths(Role.MANAGER)))
    offered = list(official.definition.languages) if official else ["en"]
    form = SurveyForm(
        name=official.name.get("en", "") if official else "", languages=offered, default_language=offered[0]
    )
    form.services.choices = service_choices(services)
    form.languages.choices = form.default_language.choices = language_choices()
    return form, services


def start_survey(form: SurveyForm, official: Instrument | None, services: list[Any]) -> Any:
    """Make the survey the form describes. Raises DomainError."""
    chosen = [service for service in services if str(service.id) in (form.services.data or ())]
    if not chosen:
        raise DomainError(actions.NO_SERVICE)
    agency = registry.get_common_agency(chosen, current_scope())
    offered = form.languages_in_order()
    if official:
        draft = drafting.draft_of(official, offered)
        draft["placeholders"] = stand_ins(official.definition, offered, chosen, agency)
    else:
        draft = drafting.blank_draft(form.name.data or "", offered)
    survey = actions.create_survey(
        agency,
        name=form.name.data or "",
        slug=form.slug.data or proposed_slug(form.name.data or ""),
        services=chosen,
        draft=draft,
        now=utc_now(),
        by_id=managed.me(),
    )
    db.session.commit()
    return survey


def stand_ins(
    definition: Definition, offered: Iterable[str], services: list[Any], agency: Any
) -> dict[str, dict[str, str]]:
    """Return what the placeholders stand for: what was typed, else the names in the catalogue."""
    only = services[0] if len(services) == 1 else None
    found: dict[str, dict[str, str]] = {
        name: {} for name in PLACEHOLDERS if name in placeholders_used(definition)
    }
    for name, words in found.items():
        for language in offered:
            named = ""
            if name == "service" and only:
                named = catalogue.service_name(only, language)
            elif name == "agency":
                named = catalogue.agency_name(agency, language)
            text = request.form.get(f"placeholders-{name}-{language}", "").strip() or named
            if text:
                words[language] = text[:300]
    return found


def proposed_slug(name: str) -> str:
    """Return a free address made of a name."""
    slug = free_name(name, "survey", ()).replace("_", "-")
    number, wanted = 1, slug
    while slug in actions.RESERVED_SLUGS or registry.is_slug_taken(slug):
        number += 1
        slug = f"{wanted}-{number}"
    return slug


# Publishing


@bp.route("/<survey_slug>/publish", methods=["GET", "POST"])
@open_to(Audience.MEMBER, role=Role.MANAGER)
def publish(survey_slug: str) -> ResponseReturnValue:
    """Show what publishing would change and what stands in its way; publish."""
    survey = managed.take(survey_slug)
    definition = managed.definition_of(survey)
    form = PublishForm()
    if form.validate_on_submit():
        try:
            version = actions.publish(survey, now=utc_now(), note=form.note.data or "", by_id=managed.me())
            db.session.commit()
        except DomainError as error:
            db.session.rollback()
            flash(managed.said(error), "error")
            return redirect(url_for(".publish", survey_slug=survey_slug))
        flash(
            _("Version %(number)s is published. People can answer it now.", number=version.number), "success"
        )
        return redirect(url_for(".share", survey_slug=survey_slug))
    newest = registry.find_newest_version(survey)
    before = parse_definition(newest.definition) if newest else None
    return managed.page(
        "publish.html",
        survey,
        _("Publish"),
        "publish",
        definition=definition,
        form=form,
        errors=errors_by_id(form),
        newest=newest,
        obstacles=managed.obstacles(survey, definition),
        changes=described(before, definition) if before else [],
        **wording_facts(survey, definition),
    )


def wording_facts(survey: Any, definition: Definition) -> dict[str, Any]:
    """Return what a page needs to show how far the official wording is kept."""
    origin = managed.origin_of(survey, definition)
    return {
        "origin": origin,
        "given_up": registry.official_wording_given_up(survey),
        "differences": official_words.differences_from(definition, origin) if origin else [],
    }


# Versions


@bp.get("/<survey_slug>/versions")
@open_to(Audience.MEMBER, role=Role.VIEWER)
def versions(survey_slug: str) -> ResponseReturnValue:
    """List what was published, and what changed between any two versions."""
    survey = managed.look_at(survey_slug)
    published = registry.versions_of(survey)
    numbers = [version.number for version in published]
    newer = request.args.get("newer", type=int)
    older = request.args.get("older", type=int)
    newer = newer if newer in numbers else next(iter(numbers), None)
    if older not in numbers:
        # The one before it; the first one has none and is compared with itself.
        older = next((number for number in numbers if newer and number < newer), newer)
    compared = None
    if newer and older and len(numbers) > 1:
        ends = {version.number: parse_definition(version.definition) for version in published}
        compared = described(ends[older], ends[newer])
    return managed.page(
        "versions.html",
        survey,
        _("Versions"),
        "versions",
        versions=published,
        newer=newer,
        older=older,
        compared=compared,
    )


@bp.get("/<survey_slug>/versions/<int:number>")
@open_to(Audience.MEMBER, role=Role.VIEWER)
def version(survey_slug: str, number: int) -> ResponseReturnValue:
    """Show a version as it was published."""
    survey = managed.look_at(survey_slug)
    frozen = registry.get_version(survey, number)
    shown = parse_definition(frozen.definition)
    earlier = registry.find_version_before(survey, number)
    return managed.page(
        "version.html",
        survey,
        _("Version %(number)s", number=number),
        "versions",
        version=frozen,
        shown=shown,
        earlier=earlier,
        changes=described(parse_definition(earlier.definition), shown) if earlier else [],
        in_words=conditions.in_words,
    )


# Open and closed


@bp.route("/<survey_slug>/close", methods=["GET", "POST"])
@open_to(Audience.MEMBER, role=Role.MANAGER)
def close(survey_slug: str) -> ResponseReturnValue:
    """Ask once, then take no more answers."""
    survey = managed.take(survey_slug)
    if request.method == "POST":
        actions.close_survey(survey, now=utc_now(), by_id=managed.me())
        db.session.commit()
        flash(_("The survey is closed. What was answered stays."), "success")
        return redirect(url_for("survey_design.questions", survey_slug=survey_slug))
    return managed.page("close.html", survey, _("Close this survey?"))


@bp.route("/<survey_slug>/reopen", methods=["GET", "POST"])
@open_to(Audience.MEMBER, role=Role.MANAGER)
def reopen(survey_slug: str) -> ResponseReturnValue:
    """Ask once, then take answers again with the newest version."""
    survey = managed.take(survey_slug)
    if request.method == "POST":
        actions.reopen_survey(survey, now=utc_now(), by_id=managed.me())
        db.session.commit()
        flash(_("The survey is open again."), "success")
        return redirect(url_for(".share", survey_slug=survey_slug))
    return managed.page(
        "reopen.html", survey, _("Open this survey again?"), newest=registry.find_newest_version(survey)
    )


# Ways in


@bp.get("/<survey_slug>/share")
@open_to(Audience.MEMBER, role=Role.VIEWER)
def share(survey_slug: str) -> ResponseReturnValue:
    """Show the ways into a survey: addresses, short links, QR codes, frames."""
    survey = managed.look_at(survey_slug)
    newest = registry.find_newest_version(survey)
    offered = newest.definition["languages"] if newest else managed.definition_of(survey).languages
    services = [ways_into(survey, service, offered) for service in survey.services]
    return managed.page(
        "share.html",
        survey,
        _("Share"),
        "share",
        services=services,
        missing=any(links.is_any_missing(survey, service) for service in survey.services),
    )


@bp.post("/<survey_slug>/share")
@open_to(Audience.MEMBER, role=Role.MANAGER)
def make_links(survey_slug: str) -> ResponseReturnValue:
    """Make the short links that are missing."""
    survey = managed.take(survey_slug)
    links.make_links(survey, now=utc_now())
    db.session.commit()
    return redirect(url_for(".share", survey_slug=survey_slug))


def ways_into(survey: Any, service: Any, offered: Iterable[str]) -> dict[str, Any]:
    """Return the addresses that lead to a survey of one service."""
    home = str(current_app.config["PUBLIC_URL"]) or request.host_url.rstrip("/")
    at = {"survey": survey.slug, "service": service.slug}
    language = next(iter(offered))
    ways = []
    for link in queries.find_links(survey.id, service.id):
        frame = home + url_for("respond.ask_embedded", language=language, via=link.code, **at)
        with force_locale(language if language in ANSWERING_LANGUAGES else LANGUAGES[0]):
            named = service.names.get(language) or service.name
            title = _("Tell us about %(service)s", service=named)
        ways.append(
            {
                "channel": _(links.channel_name(link.channel)),
                "url": home + url_for("ways_in.follow_link", code=link.code),
                "svg_url": url_for("ways_in.qr_svg", code=link.code) if survey.state == "live" else "",
                "png_url": url_for("ways_in.qr_png", code=link.code) if survey.state == "live" else "",
                "embed": str(FRAME.format(frame, title)) if link.channel in links.ON_A_PAGE else "",
            }
        )
    pages = [
        {"language": code, "url": home + url_for("respond.ask", language=code, **at)} for code in offered
    ]
    return {
        "name": local_name(service),
        "pages": pages if survey.state == "live" else [],
        "ways": ways,
    }
