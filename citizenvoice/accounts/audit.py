"""What the things that are written down are called; every package adds its own."""

from citizenvoice.errors import N_

NAMES: dict[str, str] = {
    "account.signed_in": N_("Signed in"),
    "account.locked": N_("Account locked after wrong passwords"),
    "account.password_changed": N_("Password set"),
    "member.invited": N_("Member invited"),
    "member.role_changed": N_("Role changed"),
    "member.removed": N_("Member removed"),
    "api_key.created": N_("Key created"),
    "api_key.revoked": N_("Key revoked"),
}


def name_actions(names: dict[str, str]) -> None:
    """Say what a package's actions are called: ``{"survey.published": N_("Survey published")}``."""
    NAMES.update(names)
