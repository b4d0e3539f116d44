"""The database: base class of the models, types, and the one way to write.

Everything that changes data runs inside `transaction()`. On PostgreSQL the operations lock rows; on
SQLite the transaction begins IMMEDIATE, so that it is alone from its first statement on. (The
default there is DEFERRED: two such transactions can read the same free place before one of them
writes.) A flush outside of `transaction()` is refused.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, ClassVar

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Connection, DateTime, Dialect, Engine, Enum, MetaData, event
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.types import TypeDecorator

BUSY_TIMEOUT_SECONDS = 30
POSTGRESQL = "postgresql"
_WRITES = "trainings_writes"


class UTCDateTime(TypeDecorator[datetime]):
    """An instant: aware in Python, UTC in the database, on both databases."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive datetimes, store UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("An instant needs a time zone.")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """Return UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """Base class of all models."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar = {datetime: UTCDateTime()}


db = SQLAlchemy(
    metadata=Base.metadata,
    disable_autonaming=True,
    # What an operation returns stays readable after the commit; nothing stale can be written with
    # it, since every transaction forgets what was read before it.
    session_options={"expire_on_commit": False},
)


def choice(values: type[StrEnum], name: str = "") -> Enum:
    """Return a column type for one of the values, held by a check constraint on both databases.

    Args:
        values: the values.
        name: of the constraint; needed where a table has two such columns.

    """
    name = name or re.sub(r"(?<!^)(?=[A-Z])", "_", values.__name__).lower()
    return Enum(
        values,
        name=name,
        native_enum=False,
        create_constraint=True,
        length=32,
        values_callable=lambda members: [member.value for member in members],
    )


def engine_options(url: str) -> dict[str, Any]:
    """Return the options of the engine: errors, which are logged, do not say what was stored."""
    return {"hide_parameters": True, **reading_options(url)}


def reading_options(url: str) -> dict[str, str]:
    """Return the options of an engine: on PostgreSQL what only reads needs no transaction.

    Each statement sees what is committed, as in a transaction there (READ COMMITTED). psycopg
    forgets its prepared statements at each rollback, and reading ends with one: to plan them anew
    was most of the database's share of a page.
    """
    return {"isolation_level": "AUTOCOMMIT"} if url.startswith(POSTGRESQL) else {}


def writing_options(dialect: str) -> dict[str, str]:
    """Return the options of a connection for what must happen altogether or not at all."""
    return {"isolation_level": "READ COMMITTED"} if dialect == POSTGRESQL else {}


@contextmanager
def transaction() -> Iterator[Session]:
    """Run one operation: everything inside is committed together or not at all.

    What was read before is forgotten first, so that an operation decides on fresh rows only.

    Raises:
        sqlalchemy.exc.OperationalError: the SQLite file stayed locked for 30 seconds.

    """
    session = db.session()
    session.close()
    session.info[_WRITES] = True
    try:
        options = writing_options(session.get_bind().dialect.name)
        session.connection(execution_options={_WRITES: True, **options})
        yield session
        session.commit()
    except BaseException:
        session.rollback()
        raise
    finally:
        session.info.pop(_WRITES, None)


@event.listens_for(Session, "before_flush")
def _refuse_writes_outside_of_a_transaction(session: Session, *_: Any) -> None:
    changed = session.new or session.deleted or any(map(session.is_modified, session.dirty))
    if changed and _WRITES not in session.info:
        raise RuntimeError("Data may change inside of transaction() only.")


@event.listens_for(Engine, "connect")
def _prepare_sqlite(connection: Any, _record: Any) -> None:
    if not isinstance(connection, sqlite3.Connection):
        return
    # The driver must not begin transactions by itself: _begin_sqlite does.
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_SECONDS * 1000}")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    # What is deleted is overwritten, and not only forgotten until the page is used again.
    connection.execute("PRAGMA secure_delete = ON")


@event.listens_for(Engine, "begin")
def _begin_sqlite(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        writes = connection.get_execution_options().get(_WRITES)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
