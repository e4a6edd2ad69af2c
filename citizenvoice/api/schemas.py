"""The shapes that the programming interface takes and gives."""

from typing import Any

from marshmallow import EXCLUDE, Schema, fields, validate

from citizenvoice.agencies.models import Channel
from citizenvoice.feedback.codes import GROUP, N_CHARS

MAX_KEY = 200
LANGUAGE = r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$"


class ResponseIn(Schema):
    """One response: the answers by the keys of their questions, free texts among them."""

    language = fields.String(
        validate=[validate.Length(max=12), validate.Regexp(LANGUAGE)],
        metadata={"description": "Language the questions were asked in; the survey's first one without it."},
    )
    channel = fields.String(
        validate=validate.OneOf([str(channel) for channel in Channel]),
        load_default=str(Channel.WEBSITE),
        metadata={"description": "How the person was reached."},
    )
    answers = fields.Dict(
        keys=fields.String(),
        values=fields.Raw(),
        required=True,
        metadata={
            "description": "By question: a point of a scale or na, dk, ra; the value of a choice; a list of"
            " values; a number; a text."
        },
    )


class KeyIn(Schema):
    """The header that makes a request safe to send again."""

    class Meta:
        """Other headers are none of our business."""

        unknown = EXCLUDE

    key = fields.String(
        data_key="Idempotency-Key",
        validate=[validate.Length(min=1, max=MAX_KEY), validate.Regexp(r"^[!-~]+$")],
        metadata={"description": "Any name for this response; the same one again records nothing twice."},
    )


class CodeIn(Schema):
    """The header that carries a receipt code; an address would be kept and passed on."""

    class Meta:
        """Other headers are none of our business."""

        unknown = EXCLUDE

    code = fields.String(
        data_key="Receipt-Code",
        required=True,
        validate=[validate.Length(min=N_CHARS, max=100), validate.Regexp(r"^[!-~]+$")],
        metadata={"description": f"A receipt code, {N_CHARS} characters, grouped by {GROUP} or not."},
    )


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
            for error in problem_errors(inner, pointer if key in {"json", "headers"} else f"{pointer}/{key}")
        ]
    found = messages if isinstance(messages, list) else [messages]
    return [{"pointer": pointer, "detail": str(message)} for message in found]
