"""Runs the migrations on the database of the application (one set for SQLite and PostgreSQL)."""

from __future__ import annotations

from alembic import context

from trainings.core.database import UTCDateTime, db, writing_options
from trainings.models import metadata


def render_item(kind: str, item: object, _context: object) -> str | bool:
    """Write our instants as the plain type below them: migrations outlive the code's classes."""
    if kind == "type" and isinstance(item, UTCDateTime):
        return "sa.DateTime(timezone=True)"
    return False


def run_migrations() -> None:
    """Migrate in one transaction."""
    # Alembic takes SQLite for a database without transactions for its tables; it has them, and a
    # migration that fails in the middle must leave the schema as it was.
    options = writing_options(db.engine.dialect.name)
    with db.engine.execution_options(**options).begin() as connection:
        context.configure(
            connection=connection,
            target_metadata=metadata,
            render_as_batch=True,
            compare_type=True,
            render_item=render_item,
            transactional_ddl=True,
        )
        context.run_migrations()


run_migrations()
