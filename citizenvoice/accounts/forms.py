"""The forms of signing in and of membership."""

from flask_babel import lazy_gettext as _l
from wtforms import EmailField, HiddenField, PasswordField, RadioField, SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, EqualTo, Length

from citizenvoice.accounts.scope import Role
from citizenvoice.config import LANGUAGES
from citizenvoice.web.forms import PageForm
from citizenvoice.web.languages import own_name

ROLE_NAMES = {
    Role.VIEWER: _l("Viewer: sees figures and comments"),
    Role.ANALYST: _l("Analyst: also corrects, moderates and exports"),
    Role.MANAGER: _l("Manager: also surveys, targets, services and imports"),
    Role.OWNER: _l("Owner: also members and keys"),
}
ROLE_WORDS = {
    Role.VIEWER: _l("Viewer"),
    Role.ANALYST: _l("Analyst"),
    Role.MANAGER: _l("Manager"),
    Role.OWNER: _l("Owner"),
}
PASSWORD_HINT = _l("At least 12 characters. Several words are easy to remember.")


def needed(message: str) -> DataRequired:
    """Return the rule that a field must be filled in."""
    return DataRequired(message=message)


class SignInForm(PageForm):
    """Who, with what password, and where to go afterwards."""

    email = EmailField(
        _l("E-mail address"),
        [needed(_l("Write your e-mail address.")), Length(max=255)],
        render_kw={"autocomplete": "username"},
    )
    password = PasswordField(
        _l("Password"), [needed(_l("Write your password."))], render_kw={"autocomplete": "current-password"}
    )
    next = HiddenField()


class ForgotPasswordForm(PageForm):
    """Who forgot their password."""

    email = EmailField(
        _l("E-mail address"),
        [needed(_l("Write your e-mail address.")), Length(max=255)],
        render_kw={"autocomplete": "username"},
    )


class NewPasswordForm(PageForm):
    """A new password, twice."""

    password = PasswordField(
        _l("New password"),
        [needed(_l("Write a new password."))],
        description=PASSWORD_HINT,
        render_kw={"autocomplete": "new-password"},
    )
    again = PasswordField(
        _l("New password again"),
        [EqualTo("password", message=_l("The two new passwords are not the same."))],
        render_kw={"autocomplete": "new-password"},
    )


class ChangePasswordForm(NewPasswordForm):
    """The current password and a new one."""

    current = PasswordField(
        _l("Current password"),
        [needed(_l("Write your current password."))],
        render_kw={"autocomplete": "current-password"},
    )


class AccountForm(PageForm):
    """What a person is called and the language they work in."""

    name = StringField(_l("Your name"), [Length(max=120)], render_kw={"autocomplete": "name"})
    language = SelectField(_l("Language"), choices=[SelectChoice(code, own_name(code)) for code in LANGUAGES])


class RoleForm(PageForm):
    """What a member may do."""

    role = RadioField(
        _l("Role"), choices=[SelectChoice(str(role), name) for role, name in ROLE_NAMES.items()]
    )


class InviteForm(RoleForm):
    """Who becomes a member where."""

    email = EmailField(_l("E-mail address"), [needed(_l("Write their e-mail address.")), Length(max=255)])
    agency = SelectField(_l("Agency"), coerce=int)


class ApiKeyForm(PageForm):
    """What a key is for and whose it is."""

    name = StringField(_l("What the key is for"), [needed(_l("Say what the key is for.")), Length(max=120)])
    agency = SelectField(_l("Agency"), coerce=int)
