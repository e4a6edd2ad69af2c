"""An owner's pages: who is a member, which programs hold keys, and what was done."""

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user
from wtforms.fields.choices import SelectChoice

from citizenvoice.accounts import actions, audit, letters, queries
from citizenvoice.accounts.access import Audience, current_scope, open_to
from citizenvoice.accounts.forms import ROLE_WORDS, ApiKeyForm, InviteForm, RoleForm
from citizenvoice.accounts.scope import Role
from citizenvoice.db import db
from citizenvoice.errors import DomainError
from citizenvoice.web.clock import utc_now
from citizenvoice.web.languages import local_name
from citizenvoice.web.mail import send_after

bp = Blueprint("accounts", __name__, url_prefix="/manage")


@bp.route("/members")
@open_to(Audience.MEMBER, role=Role.OWNER)
def members() -> ResponseReturnValue:
    """List the members of the agencies this owner looks after."""
    return render_template(
        "accounts/members.html", members=queries.members(current_scope()), role_words=ROLE_WORDS
    )


@bp.route("/members/invite", methods=["GET", "POST"])
@open_to(Audience.MEMBER, role=Role.OWNER)
def invite() -> ResponseReturnValue:
    """Make somebody a member and tell them by mail."""
    form = InviteForm(role=str(Role.VIEWER))
    form.agency.choices = agency_choices()
    if form.validate_on_submit():
        try:
            return send_invitation(form)
        except DomainError as error:
            db.session.rollback()
            form.email.errors = [_(error.message, **error.params)]
    return render_template("accounts/invite.html", form=form)


def send_invitation(form: InviteForm) -> ResponseReturnValue:
    """Invite the person the form names, and send the letter when that is certain."""
    now, email = utc_now(), form.email.data or ""
    is_new = queries.find_user(email) is None
    membership = actions.invite_member(
        email,
        agency=queries.get_agency(form.agency.data, current_scope(), Role.OWNER),
        role=Role(form.role.data),
        by_id=current_user.id,
        now=now,
    )
    db.session.commit()
    flash(_("%(email)s is now a member. We have sent them a letter.", email=membership.user.email), "success")
    response = make_response(redirect(url_for("accounts.members")))
    send_after(response, letters.invitation_letter(membership, is_new=is_new, now=now))
    return response


@bp.route("/members/<int:membership_id>", methods=["GET", "POST"])
@open_to(Audience.MEMBER, role=Role.OWNER)
def member(membership_id: int) -> ResponseReturnValue:
    """Show one member and let an owner change what they may do."""
    membership = queries.get_member(membership_id, current_scope())
    form = RoleForm(obj=membership)
    if form.validate_on_submit():
        try:
            actions.set_role(membership, Role(form.role.data), by_id=current_user.id, now=utc_now())
        except DomainError as error:
            form.role.errors = [_(error.message, **error.params)]
        else:
            db.session.commit()
            flash(_("Your changes are saved."), "success")
            return redirect(url_for("accounts.members"))
    return render_template("accounts/member.html", form=form, membership=membership)


@bp.route("/members/<int:membership_id>/remove", methods=["POST"])
@open_to(Audience.MEMBER, role=Role.OWNER)
def remove_member(membership_id: int) -> ResponseReturnValue:
    """Take a member out of an agency."""
    membership = queries.get_member(membership_id, current_scope())
    email, agency = membership.user.email, local_name(membership.agency)
    try:
        actions.remove_member(membership, by_id=current_user.id, now=utc_now())
    except DomainError as error:
        flash(_(error.message, **error.params), "error")
        return redirect(url_for("accounts.member", membership_id=membership_id))
    db.session.commit()
    flash(_("%(email)s is no longer a member of %(agency)s.", email=email, agency=agency), "success")
    return redirect(url_for("accounts.members"))


@bp.route("/api-keys", methods=["GET", "POST"])
@open_to(Audience.MEMBER, role=Role.OWNER)
def api_keys() -> ResponseReturnValue:
    """List the keys of programs; make a new one and show it this once."""
    form = ApiKeyForm()
    form.agency.choices = agency_choices()
    if form.validate_on_submit():
        agency = queries.get_agency(form.agency.data, current_scope(), Role.OWNER)
        key, plain = actions.create_api_key(
            agency, name=form.name.data or "", by_id=current_user.id, now=utc_now()
        )
        db.session.commit()
        return render_template("accounts/api_key_created.html", key=key, plain=plain)
    return render_template("accounts/api_keys.html", form=form, keys=queries.api_keys(current_scope()))


@bp.route("/api-keys/<int:api_key_id>/revoke", methods=["POST"])
@open_to(Audience.MEMBER, role=Role.OWNER)
def revoke_api_key(api_key_id: int) -> ResponseReturnValue:
    """Make a key useless from now on."""
    key = queries.get_api_key(api_key_id, current_scope())
    actions.revoke_api_key(key, by_id=current_user.id, now=utc_now())
    db.session.commit()
    flash(_("The key “%(name)s” no longer works.", name=key.name), "success")
    return redirect(url_for("accounts.api_keys"))


@bp.route("/audit")
@open_to(Audience.MEMBER, role=Role.OWNER)
def audit_log() -> ResponseReturnValue:
    """List what was done, the newest first."""
    before = request.args.get("before", type=int)
    entries = queries.audit_entries(current_scope(), before=before)
    is_full = len(entries) == queries.AUDIT_PAGE
    return render_template(
        "accounts/audit.html",
        entries=entries,
        names=audit.NAMES,
        before=before,
        next_before=entries[-1][0].id if is_full else None,
    )


def agency_choices() -> list[SelectChoice]:
    """Return the agencies an owner can choose between."""
    agencies = queries.agencies(current_scope(), Role.OWNER)
    return [SelectChoice(agency.id, local_name(agency)) for agency in agencies]
