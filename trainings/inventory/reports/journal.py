"""The journal as a table, filtered as its page is, read in pieces, so that it may be long."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, Select, func, select
from sqlalchemy.orm import Session, aliased

from trainings.core.actors import Actor
from trainings.core.audit import record
from trainings.core.tables import Cell
from trainings.events.models import Event
from trainings.inventory.ledger import name_of
from trainings.inventory.models import (
    PLACE_NAMES,
    CardType,
    Edition,
    Movement,
    Store,
)
from trainings.inventory.orders.models import CardOrder
from trainings.inventory.stock.journal import JournalFilter, conditions
from trainings.organisations.models import Organisation
from trainings.people.models import Person, full_name

PIECE = 2_000
"""Rows read at once."""
HEADER = (
    "Nr.", "Wann", "Karte", "Auflage", "Anzahl", "Von", "Von Lager", "Nach", "Nach Lager",
    "Organisation", "Veranstaltung", "Bestellung", "Nimmt zurück", "Zurückgenommen von",
    "Gebucht von", "Grund",
)  # fmt: skip


def in_words(session: Session, wanted: JournalFilter) -> list[tuple[str, Cell]]:
    """Say what was filtered, by names where the address has ids; an unknown id stays an id."""

    def named(model: type[Any], row_id: int | None, name: str) -> Cell:
        row = session.get(model, row_id) if row_id is not None else None
        return getattr(row, name) if row is not None else row_id

    pairs: list[tuple[str, Cell]] = [
        ("Lager", named(Store, wanted.store_id, "name")),
        ("Karte", named(CardType, wanted.card_type_id, "title")),
        ("Auflage", _edition_name(session, wanted.edition_id)),
        ("Ort", PLACE_NAMES[wanted.place] if wanted.place else None),
        ("Organisation", named(Organisation, wanted.organisation_id, "name")),
        ("Veranstaltung", wanted.event_number or None),
        ("Von", wanted.first_day),
        ("Bis", wanted.last_day),
        ("Bestellung", wanted.order_number or None),
    ]
    return [(word, value) for word, value in pairs if value is not None]


def _edition_name(session: Session, edition_id: int | None) -> Cell:
    edition = session.get(Edition, edition_id) if edition_id is not None else None
    return name_of(edition) if edition is not None else edition_id


def journal_rows(session: Session, wanted: JournalFilter) -> Iterator[tuple[Cell, ...]]:
    """Yield the movements in the order in which they were booked.

    What is booked while they are read is left out: the journal only grows, so that all pieces
    together are the journal of one moment.

    Args:
        session: for reading.
        wanted: which movements.

    """
    last = session.scalar(select(func.max(Movement.id))) or 0
    query = _query().where(Movement.id <= last, *conditions(wanted))
    seen = 0
    while True:
        rows = session.execute(query.where(Movement.id > seen).limit(PIECE)).all()
        yield from map(_cells, rows)
        if len(rows) < PIECE:
            return
        seen = rows[-1].id


def _query() -> Select[*tuple[Any, ...]]:
    source, target = aliased(Store), aliased(Store)
    reversal = aliased(Movement)
    return (
        select(
            Movement.id,
            Movement.at,
            CardType.title,
            Edition.running,
            Movement.quantity,
            Movement.source,
            source.name.label("source_store"),
            Movement.target,
            target.name.label("target_store"),
            Organisation.name.label("organisation"),
            Event.number.label("event"),
            CardOrder.number.label("order"),
            Movement.reverses_id,
            reversal.id.label("reversed_by"),
            Person.title.label("title_of_person"),
            Person.given_name,
            Person.family_name,
            Movement.reason,
        )
        .join(Edition, Movement.edition_id == Edition.id)
        .join(CardType, Edition.card_type_id == CardType.id)
        .outerjoin(source, Movement.source_store_id == source.id)
        .outerjoin(target, Movement.target_store_id == target.id)
        .outerjoin(Organisation, Movement.organisation_id == Organisation.id)
        .outerjoin(Event, Movement.event_id == Event.id)
        .outerjoin(CardOrder, Movement.order_id == CardOrder.id)
        .outerjoin(reversal, reversal.reverses_id == Movement.id)
        .outerjoin(Person, Movement.person_id == Person.id)
        .order_by(Movement.id)
    )


def _cells(row: Row[Any]) -> tuple[Cell, ...]:
    booked_by = (
        full_name(row.title_of_person, row.given_name, row.family_name) if row.family_name else ""
    )
    return (
        row.id,
        row.at,
        row.title,
        row.running,
        row.quantity,
        PLACE_NAMES[row.source],
        row.source_store,
        PLACE_NAMES[row.target],
        row.target_store,
        row.organisation,
        row.event,
        row.order,
        row.reverses_id,
        row.reversed_by,
        booked_by,
        row.reason,
    )


def note_export(
    session: Session, actor: Actor, wanted: JournalFilter, form: str, now: datetime
) -> None:
    """Note in the audit who took the journal away, and which part of it.

    Args:
        session: the open transaction.
        actor: who is logged in.
        wanted: which movements.
        form: `csv` or `xlsx`.
        now: the present instant.

    """
    person = session.get_one(Person, actor.person_id)
    given = {
        name: value.isoformat() if isinstance(value, date) else value
        for name, value in asdict(wanted).items()
        if value
    }
    record(session, actor, "card_journal_exported", person, now, form=form, **given)
