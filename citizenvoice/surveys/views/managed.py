"""What the pages about one managed survey share: finding it, saving its draft, and what stands around it."""

from collections import Counter
from collections.abc import Callable
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext
from flask_login import current_user

from citizenvoice.accounts.access import current_scope
from citizenvoice.accounts.scope import Role
from citizenvoice.db import db
from citizenvoice.errors import DomainError
from citizenvoice.surveys import actions, drafting, registry, wordings
from citizenvoice.surveys.definition import Definition
from citizenvoice.surveys.instrument_library import Instrument, find_instrument
from citizenvoice.surveys.parsing import DefinitionError, parse_definition
from citizenvoice.surveys.publishing import problems_for_publishing
from citizenvoice.surveys.question_forms import KIND_NAMES
from citizenvoice.surveys.reading import Problem
from citizenvoice.web.clock import utc_now
from citizenvoice.web.languages import own_name

Survey = Any  # the row; views do not know the tables


def look_at(slug: str) -> Survey:
    """Return a survey this member sees. Raises NotFoundError."""
    return registry.get_managed_survey(slug, current_scope())


def take(slug: str) -> Survey:
    """Return a survey this member may change, held while it is being changed. Raises NotFoundError."""
    return registry.get_managed_survey(
        slug, current_scope(), Role.MANAGER, to_change=request.method == "POST"
    )


def definition_of(survey: Survey) -> Definition:
    """Return the draft as a questionnaire."""
    return parse_definition(survey.draft)


def save(survey: Survey, draft: drafting.Draft) -> None:
    """Keep a changed draft. Raises DefinitionError if it is no questionnaire any more."""
    actions.save_draft(survey, draft, now=utc_now())
    db.session.commit()


def me() -> int:
    """Return who is asking."""
    return int(current_user.id)


def said(error: DomainError) -> str:
    """Return what an error says, in the language of the page."""
    if isinstance(error, DefinitionError):
        return " ".join(sentence(problem) for problem in error.problems[:5])
    return str(_(error.message, **error.params))


def sentence(problem: Problem) -> str:
    """Return what is wrong, in the language of the page."""
    return str(_(problem.message, **problem.params))


def origin_of(survey: Survey, definition: Definition) -> Instrument | None:
    """Return the official questionnaire a survey came from, also after its label was given up."""
    if definition.instrument:
        return find_instrument(definition.instrument)
    given_up = registry.official_wording_given_up(survey)
    return find_instrument(given_up[-1].instrument) if given_up else None


def page(template: str, survey: Survey, heading: str, current: str = "", **facts: Any) -> str:
    """Return a page about a survey, with the ways to its other pages around it."""
    definition = facts.pop("definition", None) or definition_of(survey)
    return render_template(
        f"surveys/manage/{template}",
        survey=survey,
        definition=definition,
        heading=heading,
        can_change=current_scope().allows(survey.agency.path, Role.MANAGER),
        tabs=tabs(survey, definition, current),
        kind_names=kind_names(),
        **facts,
    )


def kind_names() -> dict[str, str]:
    """Return what the kinds of question are called."""
    return {str(kind): _(name) for kind, name in KIND_NAMES.items()}


def tabs(survey: Survey, definition: Definition, current: str) -> list[dict[str, Any]]:
    """Return the ways to the pages of a survey."""
    at = {"survey_slug": survey.slug}
    ways = [
        ("questions", _("Questions"), url_for("survey_design.questions", **at)),
        ("texts", _("Texts and languages"), url_for("survey_texts.texts", **at)),
        ("translations", _("Translations"), url_for("survey_texts.translations", **at)),
        (
            "preview",
            _("Preview"),
            url_for("survey_design.preview", language=definition.default_language, **at),
        ),
        ("publish", _("Publish"), url_for("survey_management.publish", **at)),
        ("versions", _("Versions"), url_for("survey_management.versions", **at)),
        ("share", _("Share"), url_for("survey_management.share", **at)),
        ("imports", _("Import"), url_for("imports.runs", **at)),
    ]
    if not current_scope().allows(survey.agency.path, Role.MANAGER):
        ways = [way for way in ways if way[0] not in ("texts", "publish")]
    return [{"url": url, "text": text, "current": name == current} for name, text, url in ways]


def obstacles(survey: Survey, definition: Definition) -> list[dict[str, str]]:
    """Return what stands in the way of publishing, each with the address of the place to settle it.

    Missing translations are one line a language: their page lists them.
    """
    found, missing = [], Counter[str]()
    for problem in problems_for_publishing(definition):
        language = wordings.place_of(problem.path, definition).language
        if language in definition.languages[1:] and not problem.path.startswith("placeholders."):
            missing[language] += 1
            continue
        text = _("%(place)s: %(problem)s", place=named(definition, problem), problem=sentence(problem))
        found.append({"text": text, "href": address(survey, definition, problem.path)})
    for language, n in missing.items():
        text = ngettext(
            "%(num)s text is missing in %(language)s",
            "%(num)s texts are missing in %(language)s",
            n,
            language=own_name(language),
        )
        where = url_for("survey_texts.translation", survey_slug=survey.slug, language=language)
        found.append({"text": text, "href": where})
    return found


def named(definition: Definition, problem: Problem) -> str:
    """Return what people call the place of a problem."""
    place = wordings.place_of(problem.path, definition)
    keys = {question.key for question in definition.questions}
    if place.question in keys:
        return definition.say(definition.question(place.question).text, definition.default_language)
    official = find_instrument(definition.instrument)
    for question in official.definition.questions if official else ():
        if question.key == place.question:  # an official question that was taken out
            return definition.say(question.text, definition.default_language)
    if place.section:
        section = definition.section(place.section)
        title = definition.say(section.title, definition.default_language)
        return title or _("Page %(number)s", number=definition.sections.index(section) + 1)
    return str(_("The whole questionnaire"))


def address(survey: Survey, definition: Definition, path: str) -> str:
    """Return where a problem with this path can be settled."""
    at = {"survey_slug": survey.slug}
    place = wordings.place_of(path, definition)
    if path.startswith("placeholders."):
        return url_for("survey_texts.texts", **at) + f"#{placeholder_id(path)}"
    if place.question in {question.key for question in definition.questions}:
        return url_for("survey_questions.question", question_key=place.question, **at)
    if path in ("title", "intro", "thanks"):
        return url_for("survey_texts.texts", **at) + f"#{path}"
    return url_for("survey_design.questions", **at) + (f"#section-{place.section}" if place.section else "")


def placeholder_id(path: str) -> str:
    """Return the id of the control for what a placeholder stands for: ``placeholders.service.en``."""
    return path.replace(".", "-")


def step() -> int:
    """Return which way something moves: up (-1) or down (1)."""
    return -1 if request.form.get("way") == "up" else 1


def moved(survey: Survey, draft: drafting.Draft, anchor: str) -> ResponseReturnValue:
    """Keep a draft in a new order, or say why it cannot be."""
    try:
        save(survey, draft)
    except DefinitionError as error:
        db.session.rollback()
        flash(_("It cannot move there. %(why)s", why=said(error)), "error")
    return redirect(url_for("survey_design.questions", survey_slug=survey.slug) + f"#{anchor}")


def taken_out(survey: Survey, take_out: Callable[..., None], key: str) -> ResponseReturnValue:
    """Take a page or a question out of the draft, or say why it cannot be; then show what is left."""
    slug, origin = survey.slug, origin_of(survey, definition_of(survey))
    try:
        take_out(survey, key, instrument=origin, now=utc_now(), by_id=me())
        db.session.commit()
    except DomainError as error:
        db.session.rollback()
        flash(said(error), "error")
    return redirect(url_for("survey_design.questions", survey_slug=slug))
