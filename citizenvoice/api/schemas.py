"""The shapes that the programming interface takes and gives."""

from typing import Any

from flask_babel import lazy_gettext as _l
from marshmallow import EXCLUDE, Schema, fields, validate

from citizenvoice.agencies.models import Channel
from citizenvoice.feedback.codes import GROUP, N_CHARS

MAX_KEY = 200
LANGUAGE = r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$"
PERIOD = r"^(|[0-9]{4}-(0[1-9]|1[0-2]|Q[1-4])|FY[0-9]{4})$"

NOT_A_LANGUAGE = _l("Write the code of a language, such as en.")
NOT_A_CHANNEL = _l("There is no such channel; the description of the interface lists them.")
NOT_A_KEY = _l("Use 1 to 200 letters, figures and signs, without spaces.")
NOT_A_CODE = _l("This cannot be a receipt code.")
NOT_A_PERIOD = _l("Write a month (2026-03), a quarter (2026-Q1) or a fiscal year (FY2026).")
PLAIN = {  # what the library says of a value before our own rules see it
    "Missing data for required field.": _l("This is missing."),
    "Field may not be null.": _l("This is missing."),
    "Unknown field.": _l("There is no such field."),
    "Not a valid string.": _l("Write a text."),
    "Not a valid mapping type.": _l("Write an object."),
    "Invalid input type.": _l("Write an object."),
    "Invalid JSON body.": _l("This is not JSON."),
}


class ResponseIn(Schema):
    """One response: the answers by the keys of their questions, free texts among them."""

    language = fields.String(
        validate=[
            validate.Length(max=12, error=NOT_A_LANGUAGE),
            validate.Regexp(LANGUAGE, error=NOT_A_LANGUAGE),
        ],
        metadata={"description": "Language the questions were asked in; the survey's first one without it."},
    )
    channel = fields.String(
        validate=validate.OneOf([str(channel) for channel in Channel], error=NOT_A_CHANNEL),
        load_default=str(Channel.WEBSITE),
        metadata={"description": "How the person was reached."},
    )
    answers = fields.Dict(
        keys=fields.String(),
        values=fields.Raw(allow_none=True),
        required=True,
        metadata={
            "description": "By question: a point of a scale or na, dk, ra; the value of a choice; a list of"
            " values; a number; a text; null for no answer."
        },
    )


class KeyIn(Schema):
    """The header that makes a request safe to send again."""

    class Meta:
        """Other headers are none of our business."""

        unknown = EXCLUDE

    key = fields.String(
        data_key="Idempotency-Key",
        validate=[
            validate.Length(min=1, max=MAX_KEY, error=NOT_A_KEY),
            validate.Regexp(r"^[!-~]+$", error=NOT_A_KEY),
        ],
        metadata={
            "description": "A name for this response that nobody can guess, such as a random UUID; the same"
            " response again with the same name is recorded once, anything else with it is refused."
        },
    )


class CodeIn(Schema):
    """The header that carries a receipt code; an address would be kept and passed on."""

    class Meta:
        """Other headers are none of our business."""

        unknown = EXCLUDE

    code = fields.String(
        data_key="Receipt-Code",
        required=True,
        validate=[
            validate.Length(min=N_CHARS, max=100, error=NOT_A_CODE),
            validate.Regexp(r"^[!-~]+$", error=NOT_A_CODE),
        ],
        metadata={"description": f"A receipt code, {N_CHARS} characters, grouped by {GROUP} or not."},
    )


class FiguresIn(Schema):
    """Which figures are wanted."""

    period = fields.String(
        load_default="",
        validate=[
            validate.Length(max=10, error=NOT_A_PERIOD),
            validate.Regexp(PERIOD, error=NOT_A_PERIOD),
        ],
        metadata={
            "description": "A month (2026-03), quarter (2026-Q1) or fiscal year (FY2026); the running month"
            " without it."
        },
    )


class FigureOut(Schema):
    """One indicator in one period; no value where too few people answered."""

    code = fields.String(required=True)
    title = fields.String(required=True)
    method = fields.String(required=True)
    method_version = fields.Integer(required=True)
    unit = fields.String(required=True)
    minimum_n = fields.Integer(required=True)
    is_public = fields.Boolean(required=True)
    target = fields.Float(required=True, allow_none=True)
    target_day = fields.String(required=True, allow_none=True)
    start = fields.String(required=True)
    end = fields.String(required=True)
    value = fields.Float(required=True, allow_none=True)
    lower = fields.Float(required=True, allow_none=True)
    upper = fields.Float(required=True, allow_none=True)
    n = fields.Integer(required=True, allow_none=True)
    status = fields.String(required=True)
    excluded = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True)


class FiguresOut(Schema):
    """The figures of a service in one period, from ``start`` up to, not including, ``end``."""

    service = fields.String(required=True)
    name = fields.String(required=True)
    agency = fields.String(required=True)
    period = fields.String(required=True)
    start = fields.String(required=True)
    end = fields.String(required=True)
    indicators = fields.List(fields.Nested(FigureOut), required=True)


class ReceiptOut(Schema):
    """What the sender gets: the only way back to what was sent."""

    receipt = fields.String(required=True)
    counts = fields.Boolean(required=True)


class CommentOut(Schema):
    """One free text and what was read in it."""

    question = fields.String(required=True)
    text = fields.String(required=True)
    is_read = fields.Boolean(required=True)
    sentiment = fields.Integer(required=True, allow_none=True)
    themes = fields.List(fields.String(), required=True)


class SentOut(Schema):
    """What was sent under a receipt code."""

    service = fields.String(required=True)
    survey = fields.String(required=True)
    language = fields.String(required=True)
    received_at = fields.DateTime(required=True)
    state = fields.String(
        required=True, validate=validate.OneOf(["counted", "duplicate", "withdrawn", "spam", "test"])
    )
    comments = fields.List(fields.Nested(CommentOut), required=True)


class SurveyOut(Schema):
    """A survey as it is answered now."""

    survey = fields.String(required=True)
    version = fields.Integer(required=True)
    services = fields.List(fields.String(), required=True)
    definition = fields.Dict(required=True)


class ProblemError(Schema):
    """One thing that is wrong with a request."""

    pointer = fields.String(required=True, metadata={"description": "Where, such as /answers/q1."})
    detail = fields.String(required=True)


class Problem(Schema):
    """Why a request was refused (RFC 9457)."""

    type = fields.String(required=True)
    status = fields.Integer(required=True)
    title = fields.String(required=True)
    errors = fields.List(fields.Nested(ProblemError))


def problem_errors(messages: Any, pointer: str = "") -> list[dict[str, str]]:
    """Flatten marshmallow's nested messages into pointers and sentences."""
    if isinstance(messages, dict):
        return [
            error
            for key, inner in messages.items()
            for error in problem_errors(
                inner, pointer if key in {"json", "headers", "query"} else f"{pointer}/{key}"
            )
        ]
    found = messages if isinstance(messages, list) else [messages]
    return [{"pointer": pointer, "detail": str(PLAIN.get(message, message))} for message in found]
