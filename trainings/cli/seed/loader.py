"""Loads the whole data set in one transaction."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from trainings.cli.seed.base import (
    load_organisations,
    load_people,
    load_templates,
    load_venues,
)
from trainings.cli.seed.card_orders import load_orders
from trainings.cli.seed.cards import load_cards
from trainings.cli.seed.closing import close_history
from trainings.cli.seed.events import load_events
from trainings.cli.seed.feedback import load_feedback
from trainings.cli.seed.files import Loading
from trainings.cli.seed.registrations import load_registrations
from trainings.core.clock import berlin_day
from trainings.core.database import POSTGRESQL
from trainings.events.models import Event
from trainings.organisations.models import Organisation


def is_empty(session: Session) -> bool:
    """Say whether nothing was entered yet: no organisation and no event."""
    return not any(session.scalar(select(table.id).limit(1)) for table in (Organisation, Event))


def load_seed(session: Session, now: datetime, *, with_passwords: bool) -> bool:
    """Load the demonstration data set, unless the database holds data already.

    Args:
        session: the open transaction.
        now: the present instant; upcoming events count from its day in Berlin.
        with_passwords: give the demonstration logins their published password; else they log in
            by mail only.

    Returns:
        Whether anything was loaded.

    """
    if not is_empty(session):
        return False
    loading = Loading(session, now, berlin_day(now))
    load_organisations(loading)
    load_people(loading, with_passwords=with_passwords)
    load_venues(loading)
    load_templates(loading)
    load_events(loading)
    load_registrations(loading)
    close_history(loading)
    shelves = load_cards(loading)
    load_orders(shelves)
    shelves.run()
    load_feedback(loading)
    _count_rows(session)
    return True


def _count_rows(session: Session) -> None:
    """Let PostgreSQL count what was loaded, so that it plans the next statements for it.

    It counts by itself about once a minute. If it does so during this long transaction it finds
    full pages without a row that it may see, takes the tables for empty, and some checks of
    `trainings doctor` then take minutes instead of a second.
    """
    session.flush()
    if session.get_bind().dialect.name == POSTGRESQL:
        session.execute(text("ANALYZE"))
