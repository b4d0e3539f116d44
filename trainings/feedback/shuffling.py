"""Rows in an order that says nothing: shuffled, and stored in just that order."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any, TypeVar

from sqlalchemy import insert
from sqlalchemy.orm import Session

from trainings.core.database import Base

T = TypeVar("T")
_RANDOM = secrets.SystemRandom()
_AT_ONCE = 500
"""Rows of one statement: databases limit how many values it may carry."""


def in_random_order(rows: Sequence[T]) -> list[T]:
    """Return the rows shuffled by the system's random numbers, which nobody can repeat."""
    return _RANDOM.sample(rows, len(rows))


def store_in_order(session: Session, table: type[Base], rows: Sequence[dict[str, Any]]) -> None:
    """Store rows in this order; a flush of many would sort them, by key or by age.

    Args:
        session: the open transaction.
        table: where they go.
        rows: values by column, the same columns in each; there may be none.

    """
    for start in range(0, len(rows), _AT_ONCE):
        session.execute(insert(table).values(rows[start : start + _AT_ONCE]))
