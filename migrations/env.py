"""Alembic's entry point: the application's engine, our metadata, named constraints."""

from typing import Any

from alembic import context
from flask import current_app

from citizenvoice.db import Base

LOCK_TIMEOUT = "4s"


def is_ours(_object: Any, name: str | None, kind: str, *_rest: Any) -> bool:
    """Leave out the full-text index: each database has its own kind, which no model describes."""
    return not (kind == "table" and (name or "").startswith("comment_search"))


def run_migrations() -> None:
    """Run every pending migration, each in its own transaction."""
    engine = current_app.extensions["migrate"].db.engine
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql(f"SET lock_timeout = '{LOCK_TIMEOUT}'")
            connection.commit()
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            compare_server_default=True,
            include_object=is_ours,
            render_as_batch=engine.dialect.name == "sqlite",
            transaction_per_migration=True,
        )
        with context.begin_transaction():
            context.run_migrations()


run_migrations()
