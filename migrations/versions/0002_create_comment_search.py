"""Create the full-text index of comments.

Each database has its own kind: a contentless FTS5 table on SQLite, a stored ``tsvector`` with a GIN
index on PostgreSQL. Both hold folded text (lower case, no accents) and are filled by the worker, so
nothing is lost when they are dropped: the worker's ``reindex`` fills them again.
"""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create the index that fits the database."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute("CREATE VIRTUAL TABLE comment_search USING fts5(text, content='')")
        return
    op.execute(
        "CREATE TABLE comment_search ("
        "comment_id bigint PRIMARY KEY REFERENCES comment (id) ON DELETE CASCADE, document tsvector NOT NULL)"
    )
    op.execute("CREATE INDEX ix_comment_search_document ON comment_search USING gin (document)")


def downgrade() -> None:
    """Drop the index."""
    op.execute("DROP TABLE comment_search")
