"""Letters to people who sign in: plain text, in their language, with nothing of what citizens said."""

from datetime import datetime

from flask import current_app, render_template
from flask_babel import force_locale
from flask_babel import gettext as _

from citizenvoice.accounts import links
from citizenvoice.accounts.models import Membership, User
from citizenvoice.web.mail import Letter


def reset_letter(user: User, *, now: datetime) -> Letter:
    """Return the letter with which a person sets a new password."""
    with force_locale(user.language):
        return Letter(
            to=user.email,
            subject=_("Set a new password for %(site)s", site=current_app.config["SITE_NAME"]),
            text=render_template(
                "accounts/mail/reset.txt",
                link=links.password_link(user, lasts=links.RESET_LASTS, now=now),
                minutes=int(links.RESET_LASTS.total_seconds() // 60),
            ),
        )


def invitation_letter(membership: Membership, *, is_new: bool, now: datetime) -> Letter:
    """Return the letter that says where a person is a member now, and lets a new one set a password."""
    user = membership.user
    if is_new:
        link = links.password_link(user, lasts=links.INVITATION_LASTS, now=now)
    else:
        link = links.outside_url("security.login")
    with force_locale(user.language):
        return Letter(
            to=user.email,
            subject=_("You can now sign in to %(site)s", site=current_app.config["SITE_NAME"]),
            text=render_template(
                "accounts/mail/invitation.txt",
                link=link,
                agency=membership.agency.names.get(user.language) or membership.agency.name,
                is_new=is_new,
                days=links.INVITATION_LASTS.days,
            ),
        )
