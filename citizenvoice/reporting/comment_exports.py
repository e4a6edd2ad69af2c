"""The file of comments people take away, as they are shown on the page."""

from collections.abc import Sequence

from citizenvoice.errors import N_
from citizenvoice.reporting.comment_filters import SENTIMENTS, CommentFilter
from citizenvoice.reporting.comments import each_comment
from citizenvoice.reporting.dictionaries import (
    BETWEEN,
    DICTIONARY_COLUMNS,
    Translate,
    channel_labels,
    entries,
)
from citizenvoice.reporting.facets import Facets
from citizenvoice.reporting.shown_comments import ShownComment
from citizenvoice.reporting.spreadsheets import Sheet, Value

COMMENT_COLUMNS: dict[str, str] = {
    "comment_id": N_("Number of the comment"),
    "response_id": N_("Number of the response it came with; the same in the file of responses"),
    "service": N_("Short name of the service"),
    "day": N_("Day it arrived, in the agency's time zone"),
    "received_at": N_("Moment it arrived, in UTC"),
    "channel": N_("Channel it came by"),
    "language": N_("Language of the page it was written on"),
    "question": N_("Key of the question it answers"),
    "rating": N_("Main rating given with it, from 0 to 100; empty if there is none"),
    "sentiment": N_(
        "Sentiment in force, from 1 (very negative) to 5 (very positive); empty if there is none"
    ),
    "sentiment_machine": N_("Sentiment the machine read, from 1 to 5"),
    "confidence": N_("Probability the machine gives to its reading, from 0 to 1"),
    "themes": N_("Themes in force, by their keys, separated by |"),
    "themes_machine": N_("Themes the machine read, by their keys, separated by |"),
    "model": N_("Model that read it, and its version"),
    "corrected_at": N_("Moment a person corrected the reading, in UTC; empty if nobody did"),
    "reading": N_("How far the machine has come: pending, done or failed"),
    "masked": N_("Personal data masked in it, how many of each kind"),
    "counted": N_("1 if the contribution counts, 0 if it does not"),
    "exclusion": N_("Why it does not count: withdrawn, spam, duplicate or test"),
    "text": N_("What was written, personal data masked"),
}


def comment_sheet(wanted: CommentFilter, facets: Facets) -> Sheet:
    """Return the comments a filter asks for, the newest first, as a table read while it is written."""
    slugs = {service.id: service.slug for service in facets.services}
    rows = (_comment_row(comment, slugs[comment.service_id]) for comment in each_comment(wanted))
    return Sheet("comments", tuple(COMMENT_COLUMNS), rows)


def _comment_row(comment: ShownComment, service: str) -> tuple[Value, ...]:
    return (
        comment.id,
        comment.receipt_id,
        service,
        comment.day,
        comment.received_at,
        comment.channel,
        comment.language,
        comment.question,
        comment.rating,
        comment.sentiment,
        comment.predicted_sentiment,
        None if comment.confidence is None else round(comment.confidence, 4),
        BETWEEN.join(theme.key for theme in comment.themes),
        BETWEEN.join(theme.key for theme, _ in comment.predicted_themes),
        comment.model,
        comment.corrected_at,
        comment.reading,
        BETWEEN.join(f"{kind}:{n}" for kind, n in sorted(comment.masked.items())),
        comment.exclusion is None,
        comment.exclusion,
        comment.text,
    )


def comment_dictionary(facets: Facets, language: str, translate: Translate) -> Sheet:
    """Return what the columns and codes of the comments mean, in a language."""
    rows: list[Sequence[Value]] = []
    codes: dict[str, list[tuple[Value, str]]] = {
        "channel": channel_labels(translate),
        "sentiment": [(code, translate(name)) for code, name in SENTIMENTS.items()],
        "themes": [(theme.key, theme.names.get(language) or theme.name) for theme in facets.themes],
    }
    for name, meaning in COMMENT_COLUMNS.items():
        rows.extend(entries(name, "", "", "", translate(meaning), codes.get(name, ())))
    return Sheet("columns", DICTIONARY_COLUMNS, rows)
