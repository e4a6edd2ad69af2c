"""Domain errors: raised by actions and queries, translated and turned into responses by the app."""

from typing import Any


def N_(message: str) -> str:  # noqa: N802 - the name gettext tools look for
    """Mark a message for translation; it is translated where it is shown."""
    return message


class DomainError(Exception):
    """A rule said no. The message is an English sentence fit to show to a person, with named placeholders."""

    def __init__(self, message: str, **params: Any) -> None:
        self.message = message
        self.params = params
        super().__init__(message % params if params else message)


class NotFoundError(DomainError):
    """The thing asked for does not exist, or the asker may not know that it does."""


class ForbiddenError(DomainError):
    """The asker may see the thing but not do this to it."""
