"""The full-text index of comments: words are folded, so that case and accents do not matter.

SQLite keeps a contentless FTS5 table, PostgreSQL a stored ``tsvector`` with a GIN index. Both see the same
words, split here, so that both find the same comments. It is filled when comments are read in the background.
"""

import re
import unicodedata
from collections.abc import Sequence

from sqlalchemy import ColumnElement, bindparam, column, false, func, literal_column, select, table, text

from citizenvoice.db import db
from citizenvoice.feedback.models import Comment, Reading

AT_ONCE = 2_000
MAX_TERMS = 20
_WORD = re.compile(r"\w+")
_TERM = re.compile(r'(?P<without>-)?(?:"(?P<phrase>[^"]*)"?|(?P<word>[^\s"]+))')

_INDEX = table("comment_search", column("comment_id"), column("document"), column("rowid"))


def fold(words: str) -> str:
    """Write a text as words between single spaces, in lower case and without accents.

    >>> fold("¡La ATENCIÓN, pésima!")
    'la atencion pesima'
    """
    plain = unicodedata.normalize("NFKD", words.casefold())
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    return " ".join(_WORD.findall(plain.replace("_", " ")))


def matches(sought: str) -> ColumnElement[bool] | None:
    """Return the condition that a comment holds what is sought, or None when nothing is.

    No comment holds what has no word in it, such as an apostrophe, nor what only leaves words out.
    All words must be there, in any order; ``"two words"`` next to each other, ``wait*`` for the start of a
    word, ``-word`` for one that must not be there.
    """
    if not sought.strip():
        return None
    terms = _terms(sought)
    if all(without for without, _, _ in terms):
        return false()
    if db.engine.dialect.name == "postgresql":
        query = func.to_tsquery("simple", bindparam(None, _tsquery(terms)))
        found = select(_INDEX.c.comment_id).where(_INDEX.c.document.op("@@")(query))
    else:
        condition = literal_column("comment_search").op("MATCH")(bindparam(None, _fts5(terms)))
        found = select(_INDEX.c.rowid).where(condition)
    return Comment.id.in_(found)


def sought_words(sought: str) -> list[tuple[str, bool]]:
    """Return the folded words that must be there, each with whether it is only the start of a word.

    >>> sought_words('Atención "muy lenta" esper* -rápido')
    [('atencion', False), ('muy', False), ('lenta', False), ('esper', True)]
    """
    found = []
    for without, words, is_start in _terms(sought):
        if not without:
            found += [(word, is_start and place == len(words)) for place, word in enumerate(words, start=1)]
    return found


def index_comments(comments: Sequence[tuple[int, str]]) -> None:
    """Add (comment id, text) pairs that are not in the index yet. Never commits."""
    rows = [{"id": comment_id, "words": fold(words)} for comment_id, words in comments]
    if not rows:
        return
    if db.engine.dialect.name == "postgresql":
        statement = (
            "INSERT INTO comment_search (comment_id, document) VALUES (:id, to_tsvector('simple', :words)) "
            "ON CONFLICT (comment_id) DO UPDATE SET document = excluded.document"
        )
    else:
        statement = "INSERT INTO comment_search (rowid, text) VALUES (:id, :words)"
    db.session.execute(text(statement), rows)


def forget_comment(comment_id: int, words: str) -> None:
    """Take a comment out of the index; ``words`` is the text that was indexed. Never commits.

    Call it before the text is erased, and only for a comment that was read (pending ones are not in).
    """
    if db.engine.dialect.name == "postgresql":
        db.session.execute(text("DELETE FROM comment_search WHERE comment_id = :id"), {"id": comment_id})
        return
    db.session.execute(
        text("INSERT INTO comment_search (comment_search, rowid, text) VALUES ('delete', :id, :words)"),
        {"id": comment_id, "words": fold(words)},
    )


def reindex() -> int:
    """Fill the index anew with every comment that was read, and return how many there are. Never commits."""
    if db.engine.dialect.name == "postgresql":
        db.session.execute(text("DELETE FROM comment_search"))
    else:
        db.session.execute(text("INSERT INTO comment_search (comment_search) VALUES ('delete-all')"))
    n = last = 0
    while True:
        some = db.session.execute(
            select(Comment.id, Comment.text)
            .where(Comment.id > last, Comment.reading != Reading.PENDING, Comment.text != "")
            .order_by(Comment.id)
            .limit(AT_ONCE)
        ).all()
        if not some:
            return n
        index_comments([(comment_id, words) for comment_id, words in some])
        n, last = n + len(some), some[-1][0]


def _terms(sought: str) -> list[tuple[bool, list[str], bool]]:
    """Split what is sought into (without, words, is the last one only a beginning)."""
    found = []
    for match in _TERM.finditer(sought.replace("\x00", " ")):
        raw = match["word"] if match["phrase"] is None else match["phrase"]
        if words := fold(raw).split():
            found.append((bool(match["without"]), words, raw.endswith("*")))
    return found[:MAX_TERMS]


def _fts5(terms: list[tuple[bool, list[str], bool]]) -> str:
    def phrase(words: list[str], *, is_start: bool) -> str:
        return '"' + " ".join(words) + '"' + ("*" if is_start else "")

    wanted = " AND ".join(phrase(words, is_start=start) for without, words, start in terms if not without)
    unwanted = "".join(f" NOT {phrase(words, is_start=start)}" for without, words, start in terms if without)
    return f"({wanted}){unwanted}"


def _tsquery(terms: list[tuple[bool, list[str], bool]]) -> str:
    def phrase(words: list[str], *, is_start: bool) -> str:
        *first, last = [f"'{word}'" for word in words]
        return "(" + " <-> ".join([*first, last + (":*" if is_start else "")]) + ")"

    return " & ".join(
        ("!" if without else "") + phrase(words, is_start=start) for without, words, start in terms
    )
