"""The comments explorer: reading, correcting and moderating what people wrote."""

import re
from collections.abc import Sequence
from typing import Any

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user

from citizenvoice.accounts.access import Audience, current_scope, open_to
from citizenvoice.accounts.scope import Role
from citizenvoice.agencies.queries import find_services, get_service, service_name
from citizenvoice.db import db
from citizenvoice.errors import N_, DomainError, ForbiddenError
from citizenvoice.reporting import (
    comment_filters,
    comments,
    facets,
    moderation,
    selection,
    shown_comments,
    wording,
)
from citizenvoice.web import languages
from citizenvoice.web.clock import utc_now

bp = Blueprint("comments", __name__, url_prefix="/manage")

# What the parts of the explorer's address are called on the page.
PART_NAMES = {
    "q": _l("Search"),
    "theme": _l("Theme"),
    "sentiment": _l("Sentiment"),
    "channel": _l("Channel"),
    "language": _l("Language"),
    "question": _l("Question"),
    "rating": _l("Rating"),
    "period": _l("Period"),
    "from": _l("From"),
    "to": _l("To"),
    "excluded": _l("Left out"),
    "segment": _l("What people say about themselves"),
    "survey": _l("Survey"),
    "after": _l("Page"),
    "before": _l("Page"),
}
EXCLUSION_NAMES = {
    "withdrawn": _l("Withdrawn by its sender"),
    "spam": _l("Spam"),
    "duplicate": _l("Sent twice"),
    "test": _l("Test"),
}


@bp.get("/comments")
@bp.get("/services/<service_slug>/comments")
@open_to(Audience.MEMBER)
def explore(service_slug: str | None = None) -> ResponseReturnValue:
    """Show the comments a filter asks for, of one service or of all this member may see, the newest first."""
    scope = current_scope()
    about = get_service(service_slug, scope.paths()) if service_slug else None
    known = facets_of([about] if about else find_services(scope.paths()), is_all=about is None)
    parsed = comment_filters.parse_filter(request.args, known, of_many=about is None)
    after, before = (comments.parse_cursor(request.args.get(name, "")) for name in ("after", "before"))
    unread_places = [
        name for name, place in (("after", after), ("before", before)) if request.args.get(name) and not place
    ]
    return render_template(
        "reporting/comments/explore.html",
        service=about,
        slug=service_slug,
        name=service_name(about, languages.page_language()) if about else "",
        facets=known,
        filter=parsed.filter,
        too_few=parsed.too_few,
        ignored=[PART_NAMES[part] for part in dict.fromkeys([*parsed.ignored, *unread_places])],
        page=comments.find_comments(parsed.filter, after=after, before=before),
        n=comments.n_comments(parsed.filter),
        limit=selection.COUNTED_UP_TO,
        here=request.full_path.rstrip("?"),
        **places(known.services, parsed.filter.service_ids),
        **names(),
    )


def facets_of(services: Sequence[Any], *, is_all: bool = False) -> facets.Facets:
    """Return what the comments of some services can be filtered by; of all, the address may choose one."""
    minimum = current_app.config["MINIMUM_ANSWERS"]
    return facets.get_facets(services, minimum, chosen=request.args.get("service", "") if is_all else "")


def places(services: Sequence[Any], shown: Sequence[int]) -> dict[str, object]:
    """Return the services that comments are about, and where this member may correct and take away."""
    scope, language = current_scope(), languages.page_language()
    corrects = {service.id for service in services if scope.allows(service.agency.path, Role.ANALYST)}
    return {
        "services": {service.id: service for service in services},
        "service_names": {service.id: service_name(service, language) for service in services},
        "corrects": corrects,
        "can_take": not corrects.isdisjoint(shown),
        "takes_all": corrects.issuperset(shown),
    }


def names() -> dict[str, object]:
    """Return what the templates call channels, sentiments, themes and reasons."""
    return {
        "channel_name": wording.channel_name,
        "theme_name": lambda theme: wording.theme_name(theme.names, theme.name),
        "sentiment_names": comment_filters.SENTIMENTS,
        "exclusion_names": EXCLUSION_NAMES,
        "rating_bands": comment_filters.RATING_BANDS,
        "kind_names": KIND_NAMES,
    }


# What stands for masked personal data, by the kind in brackets.
KIND_NAMES = {
    "email": _l("e-mail address, masked"),
    "phone": _l("phone number, masked"),
    "card": _l("card number, masked"),
    "iban": _l("account number, masked"),
    "id": _l("identity number, masked"),
    "link": _l("link, masked"),
    "handle": _l("user name, masked"),
}


@bp.route("/comments/<int:comment_id>", methods=["GET", "POST"])
@open_to(Audience.MEMBER, role=Role.ANALYST)
def comment(comment_id: int) -> ResponseReturnValue:
    """Show one comment, and keep what a person read in it beside the machine's reading."""
    found, service = moderation.get_comment(comment_id, current_scope())
    require_analyst(service.agency.path)
    default = url_for("comments.explore", service_slug=service.slug)
    back = safe_back(request.values.get("back", ""), default)
    if request.method == "POST":
        sentiment, themes = read_correction()
        is_kept = moderation.correct(
            found, service, sentiment=sentiment, themes=themes, by_id=current_user.id, now=utc_now()
        )
        db.session.commit()
        flash(_("Your reading is kept.") if is_kept else _("Nothing was changed."), "success")
        return redirect(back)
    [shown] = shown_comments.shown_comments([comment_id])
    return render_template(
        "reporting/comments/comment.html",
        comment=shown,
        service=service,
        name=service_name(service, languages.page_language()),
        themes=moderation.themes_to_choose(shown, facets_of([service]).themes),
        remarks=moderation.remarks_on(comment_id),
        back=back,
        **names(),
    )


def read_correction() -> tuple[int | None, list[int] | None]:
    """Return the sentiment and the themes somebody chose; None and None for the machine's reading."""
    if "restore" in request.form:
        return None, None
    sentiment = request.form.get("sentiment", "")
    themes = request.form.getlist("themes")
    if not re.fullmatch(r"[1-5]?", sentiment, re.ASCII):
        raise DomainError(N_("Choose one of the five sentiments."))
    if not all(re.fullmatch(r"\d{1,9}", theme, re.ASCII) for theme in themes):
        raise DomainError(N_("One of the themes does not exist."))
    return int(sentiment) if sentiment else None, [int(theme) for theme in themes]


@bp.post("/contributions/<int:receipt_id>/exclusion")
@open_to(Audience.MEMBER, role=Role.ANALYST)
def exclude(receipt_id: int) -> ResponseReturnValue:
    """Say why a contribution does not count, or that it does."""
    receipt, service = moderation.get_contribution(receipt_id, current_scope())
    require_analyst(service.agency.path)
    reason = moderation.reason(request.form.get("exclusion", ""))
    moderation.moderate(receipt, service, reason, by_id=current_user.id, now=utc_now())
    db.session.commit()
    flash(_("It does not count any more.") if reason else _("It counts."), "success")
    default = url_for("comments.explore", service_slug=service.slug)
    return redirect(safe_back(request.form.get("back", ""), default))


@bp.get("/services/<service_slug>/duplicates")
@open_to(Audience.MEMBER, role=Role.ANALYST)
def duplicates(service_slug: str) -> ResponseReturnValue:
    """List the contributions that were taken for something sent before, beside what they repeat."""
    service = get_service(service_slug, current_scope().paths())
    require_analyst(service.agency.path)
    before = request.args.get("before", type=int)
    page = moderation.find_duplicates(service.id, before=before)
    return render_template(
        "reporting/comments/duplicates.html",
        service=service,
        name=service_name(service, languages.page_language()),
        page=page,
        before=before,
        here=request.full_path.rstrip("?"),
        **names(),
    )


def require_analyst(path: str) -> None:
    """Refuse whoever is less than an analyst in the agency; that it is there they know."""
    if not current_scope().allows(path, Role.ANALYST):
        raise ForbiddenError(N_("Your role does not let you do this here."))


def safe_back(address: str, default: str) -> str:
    r"""Return where to go back to if it is one of our managers' pages, else the default.

    >>> safe_back("/manage/services/x/comments?q=1", "/"), safe_back("//evil.example/manage/", "/")
    ('/manage/services/x/comments?q=1', '/')
    """
    is_ours = re.fullmatch(r"/manage/[^\\\x00-\x20\x7f]{0,2000}", address, re.ASCII)
    return address if is_ours and "//" not in address.partition("?")[0] else default
