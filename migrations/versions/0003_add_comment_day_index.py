"""Index comments by day over all services.

The comments of every service of a ministry are read newest first, a page at a time. Without this index both
databases sorted all of them for each page. Nothing is lost when it is dropped but that speed.
"""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create the index; the service stands in it so that other agencies' comments are passed over unread."""
    op.create_index("ix_comment_day_id_service_id", "comment", ["day", "id", "service_id"])


def downgrade() -> None:
    """Drop the index."""
    op.drop_index("ix_comment_day_id_service_id", table_name="comment")
