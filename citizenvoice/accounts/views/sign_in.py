"""Signing in and out, and everything about one's own password and account.

The endpoints carry the names Flask-Security gives to these pages.
"""

from flask import (
    Blueprint,
    Response,
    flash,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user
from flask_security import logout_user
from werkzeug.routing import BuildError

from citizenvoice.accounts import actions, letters, links, queries, signing_in
from citizenvoice.accounts.access import Audience, begin_session, open_to
from citizenvoice.accounts.forms import (
    ROLE_WORDS,
    AccountForm,
    ChangePasswordForm,
    ForgotPasswordForm,
    NewPasswordForm,
    SignInForm,
)
from citizenvoice.db import db
from citizenvoice.errors import DomainError
from citizenvoice.web.clock import utc_now
from citizenvoice.web.limits import limiter
from citizenvoice.web.mail import send_after

bp = Blueprint("security", __name__, url_prefix="/manage")


@bp.route("/sign-in", methods=["GET", "POST"])
@open_to(Audience.PUBLIC, locks_itself=True)
@limiter.limit("10 per minute; 100 per hour", methods=["POST"])
def login() -> ResponseReturnValue:
    """Ask for an address and a password, and let the right person in."""
    form = SignInForm(next=request.args.get("next", ""))
    if form.validate_on_submit():
        user = signing_in.sign_in(form.email.data or "", form.password.data or "", now=utc_now())
        if user is not None:
            begin_session(user, utc_now())
            return redirect(next_page(form.next.data or ""))
        form.form_errors.append(wrong_or_locked())
    return render_template("security/sign_in.html", form=form)


def wrong_or_locked() -> str:
    """Return the one answer to every sign-in that fails: it does not tell which addresses exist."""
    answer: str = _(
        "That e-mail address and password do not fit, or the account is locked after too many tries. "
        "A locked account opens again after %(minutes)s minutes.",
        minutes=int(actions.LOCKED_FOR.total_seconds() // 60),
    )
    return answer


def next_page(wanted: str) -> str:
    """Return where to go after signing in: only ever to a managers' page of our own."""
    if wanted == "/manage" or wanted.startswith(("/manage/", "/manage?")):
        return wanted
    return home()


def home() -> str:
    """Return the address of the managers' first page; the account page where there is no other."""
    try:
        return url_for("reporting.home")
    except BuildError:
        return url_for("security.account")


@bp.route("/sign-out", methods=["POST"])
@open_to(Audience.MEMBER, role=None)
def logout() -> ResponseReturnValue:
    """End every session of this person, so that a copy of the cookie is worth nothing."""
    actions.end_sessions(queries.get_user(current_user.id))
    db.session.commit()
    logout_user()
    flash(_("You have signed out."), "success")
    return redirect(url_for("security.login"))


@bp.route("/reset", methods=["GET", "POST"])
@open_to(Audience.PUBLIC, locks_itself=True)
@limiter.limit("5 per minute; 20 per hour", methods=["POST"])
def forgot_password() -> ResponseReturnValue:
    """Send a link to whoever forgot their password; say the same thing whether or not we know them."""
    form = ForgotPasswordForm()
    if not form.validate_on_submit():
        return render_template("security/forgot_password.html", form=form)
    response = make_response(render_template("security/link_sent.html", email=form.email.data))
    user = queries.find_user(form.email.data or "")
    if user is not None and user.active:
        send_after(response, letters.reset_letter(user, now=utc_now()))
    return response


@bp.route("/reset/<token>", methods=["GET", "POST"])
@open_to(Audience.PUBLIC)
@limiter.limit("10 per minute", methods=["POST"])
def reset_password(token: str) -> ResponseReturnValue:
    """Let the holder of a link that still works set a password."""
    try:
        user = links.user_of(token, now=utc_now())
    except DomainError as error:
        flash(_(error.message), "error")
        return redirect(url_for("security.forgot_password"))
    form = NewPasswordForm()
    if form.validate_on_submit():
        try:
            actions.set_password(user, form.password.data or "", now=utc_now())
        except DomainError as error:
            form.password.errors = [_(error.message, **error.params)]
        else:
            db.session.commit()
            flash(_("Your password is set. Sign in with it."), "success")
            return redirect(url_for("security.login"))
    return render_template("security/reset_password.html", form=form, token=token)


@bp.route("/account/password", methods=["GET", "POST"])
@open_to(Audience.MEMBER, role=None)
@limiter.limit("10 per minute", methods=["POST"])
def change_password() -> ResponseReturnValue:
    """Replace one's own password; every other session of theirs ends."""
    form = ChangePasswordForm()
    if form.validate_on_submit():
        user, now = queries.get_user(current_user.id), utc_now()
        try:
            actions.change_password(
                user, current=form.current.data or "", new=form.password.data or "", now=now
            )
        except DomainError as error:
            form.form_errors.append(_(error.message, **error.params))
        else:
            db.session.commit()
            begin_session(user, now)
            flash(_("Your password is changed. You are signed out everywhere else."), "success")
            return redirect(url_for("security.account"))
    return render_template("security/change_password.html", form=form)


@bp.route("/account", methods=["GET", "POST"])
@open_to(Audience.MEMBER, role=None)
def account() -> ResponseReturnValue:
    """Show where a person belongs, and let them change their name and language."""
    user = queries.get_user(current_user.id)
    form = AccountForm(obj=user)
    if form.validate_on_submit():
        actions.change_account(user, name=form.name.data or "", language=form.language.data)
        db.session.commit()
        flash(_("Your changes are saved."), "success")
        return redirect(url_for("security.account"))
    return render_template(
        "accounts/account.html",
        form=form,
        user=user,
        memberships=queries.memberships_of(user.id),
        role_words=ROLE_WORDS,
    )


@bp.after_request
def never_store(response: Response) -> Response:
    """Keep pages with links and accounts out of every cache."""
    response.headers["Cache-Control"] = "no-store"
    return response
