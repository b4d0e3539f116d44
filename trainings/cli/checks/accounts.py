"""Invariants of the accounts."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from trainings.people.queries import admin_ids


def somebody_administers(session: Session, _now: datetime) -> list[str]:
    """Somebody who can log in holds the role that gives roles."""
    if admin_ids(session):
        return []
    return [
        "Niemand kann die Anwendung verwalten: Es gibt kein Konto mit der Rolle Verwaltung. "
        "„trainings user create --role admin“ legt eines an."
    ]
