"""What a receipt code shows its holder, and taking back what was sent."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from citizenvoice.agencies.models import CHANNEL_NAMES, Channel, Service
from citizenvoice.analysis import actions as analysis_actions
from citizenvoice.analysis import queries as analysis_queries
from citizenvoice.analysis.queries import ReadComment
from citizenvoice.db import db
from citizenvoice.errors import N_, NotFoundError
from citizenvoice.feedback import actions as feedback_actions
from citizenvoice.feedback import queries as feedback_queries
from citizenvoice.feedback.models import Comment, Exclusion, Receipt
from citizenvoice.surveys import further_pages, twins
from citizenvoice.surveys import queries as survey_queries
from citizenvoice.surveys.definition import Definition, Kind, Question
from citizenvoice.surveys.models import Response
from citizenvoice.surveys.parsing import parse_definition

UNKNOWN_CODE = N_("We know no such code. Compare it with the one you kept, and try again.")


@dataclass(frozen=True, slots=True, kw_only=True)
class SentComment:
    """One free text, and what was read in it: nothing until somebody or something read it."""

    question: str
    text: str
    n_masked: int
    is_read: bool
    sentiment: int | None
    themes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """All that the holder of a code may see of what they sent."""

    service: str
    time_zone: str
    survey: str
    received_at: datetime
    channel_name: str  # to be translated
    language: str
    state: str  # counted, duplicate, withdrawn, spam or test
    answers: tuple[tuple[str, str], ...]  # question, answer
    comments: tuple[SentComment, ...]


def get_sent(code_hash: bytes | None, language: str) -> Sent:
    """Return what was sent under a code, in a language. Raises NotFoundError for every unknown code alike."""
    receipt = _get_receipt(code_hash)
    response = survey_queries.find_response(receipt.id)
    service = db.session.get_one(Service, receipt.service_id)
    definition = parse_definition(response.version.definition) if response else None
    comments = [c for c in feedback_queries.comments_of([receipt]) if c.text]
    return Sent(
        service=service.names.get(language) or service.name,
        time_zone=service.agency.time_zone,
        survey=definition.say(definition.title, language) if definition else "",
        received_at=receipt.received_at,
        channel_name=CHANNEL_NAMES[Channel(receipt.channel)],
        language=receipt.language,
        state=receipt.exclusion or "counted",
        answers=_answers(definition, response, language),
        comments=_comments(definition, comments, response, language),
    )


def withdraw(code_hash: bytes | None, now: datetime) -> None:
    """Take back what was sent under a code: it no longer counts, and words and answers are erased.

    So is a twin that is the same click (`twins.taken_back_with`); other duplicates of it stay, and the first
    of them counts in its place. Doing it again changes nothing. Never commits. Raises NotFoundError for every
    unknown code alike.
    """
    receipt = _get_receipt(code_hash)
    linked = feedback_queries.lock_linked(receipt)
    together = twins.taken_back_with(receipt, linked)
    comments = feedback_actions.withdraw(together, now)
    analysis_actions.forget_readings([comment.id for comment in comments])
    further_pages.erase_answers([each.id for each in together])
    twins.move_up(linked)


def _get_receipt(code_hash: bytes | None) -> Receipt:
    receipt = feedback_queries.find_receipt(code_hash) if code_hash else None
    if receipt is None:
        raise NotFoundError(UNKNOWN_CODE)
    return receipt


def _answers(
    definition: Definition | None, response: Response | None, language: str
) -> tuple[tuple[str, str], ...]:
    if definition is None or response is None or response.receipt.exclusion == Exclusion.WITHDRAWN:
        return ()
    given = {**response.answers, **response.segments}
    return tuple(
        (
            definition.say(question.text, language),
            _answer(definition, question, given[question.key], language),
        )
        for question in definition.questions
        if question.key in given
    )


def _answer(definition: Definition, question: Question, value: Any, language: str) -> str:
    """Return an answer in the words it was chosen by."""
    labels: dict[Any, Any] = {point.value: point.label for point in question.points}
    labels |= {name: option.label for name, option in question.ways_out.items()}
    labels |= {choice.value: choice.label for choice in question.choices}
    labels |= {band.value: band.label for band in question.bands}
    values = value if question.kind is Kind.MULTIPLE else [value]
    return ", ".join(definition.say(labels.get(each, {}), language) or str(each) for each in values)


def _comments(
    definition: Definition | None, comments: list[Comment], response: Response | None, language: str
) -> tuple[SentComment, ...]:
    readings = analysis_queries.reading_of([comment.id for comment in comments])
    names: dict[int, str] = {}
    if readings and response is not None:
        codebook = survey_queries.codebook_of(response.survey_id)
        names = {
            theme.id: theme.names.get(language) or theme.name
            for theme in analysis_queries.themes_of(codebook)
        }
    return tuple(
        _sent_comment(definition, comment, readings.get(comment.id), names, language) for comment in comments
    )


def _sent_comment(
    definition: Definition | None,
    comment: Comment,
    reading: ReadComment | None,
    names: dict[int, str],
    language: str,
) -> SentComment:
    asked = {question.key: question for question in definition.questions} if definition else {}
    question = asked.get(comment.question)
    return SentComment(
        question=definition.say(question.text, language) if definition and question else "",
        text=comment.text,
        n_masked=sum(comment.masked.values()),
        is_read=reading is not None,
        sentiment=reading.sentiment if reading else None,
        themes=tuple(names[theme] for theme in reading.themes if theme in names) if reading else (),
    )
