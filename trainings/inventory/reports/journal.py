"""The journal as a table, filtered as its page is, read in pieces, so that it may be long."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime, time
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, func, or_, select
from sqlalchemy.orm import Session, aliased

from trainings.core.actors import Actor
from trainings.core.audit import record
from trainings.core.clock import berlin_instant, end_of_day
from trainings.core.errors import DomainError
from trainings.core.fields import optional_id, parse_day
from trainings.core.tables import Cell
from trainings.core.text import clean
from trainings.events.models import Event
from trainings.inventory.ledger import name_of
from trainings.inventory.models import (
    PLACE_NAMES,
    CardType,
    Edition,
    Movement,
    PlaceKind,
    Store,
)
from trainings.inventory.orders.models import CardOrder
from trainings.organisations.models import Organisation
from trainings.people.models import Person, full_name

PIECE = 2_000
"""Rows read at once."""
HEADER = (
    "Nr.", "Wann", "Karte", "Auflage", "Anzahl", "Von", "Von Lager", "Nach", "Nach Lager",
    "Organisation", "Veranstaltung", "Bestellung", "Nimmt zurück", "Zurückgenommen von",
    "Gebucht von", "Grund",
)  # fmt: skip


@dataclass(frozen=True)
class JournalFilter:
    """What of the journal is wanted; None: whatever it is.

    Attributes:
        lager: id of a store, on either side.
        karte: id of a card.
        auflage: id of an edition.
        ort: kind of place, on either side.
        organisation: id of an organisation.
        veranstaltung: number of an event.
        von: the first day in Berlin.
        bis: the last day.
        bestellung: number of an order.

    """

    lager: int | None = None
    karte: int | None = None
    auflage: int | None = None
    ort: PlaceKind | None = None
    organisation: int | None = None
    veranstaltung: str | None = None
    von: date | None = None
    bis: date | None = None
    bestellung: str | None = None

    @property
    def given(self) -> dict[str, str]:
        """What is asked for, by the names that stand in addresses."""
        pairs = ((each.name, getattr(self, each.name)) for each in fields(self))
        return {
            name: value.isoformat() if isinstance(value, date) else str(value)
            for name, value in pairs
            if value is not None
        }


def _number(text: str) -> str:
    """Return the number of an event or an order: a code, so that the audit may keep it."""
    if not re.fullmatch(r"[0-9A-Z-]{1,20}", text):
        raise ValueError("That is no number.")
    return text


_PARTS: dict[str, Any] = {
    "lager": optional_id,
    "karte": optional_id,
    "auflage": optional_id,
    "ort": PlaceKind,
    "organisation": optional_id,
    "veranstaltung": _number,
    "von": parse_day,
    "bis": parse_day,
    "bestellung": _number,
}


def read_filter(arguments: Mapping[str, str]) -> JournalFilter:
    """Read the filter from an address; names that it does not know are ignored.

    A file does not show what it leaves out, so what makes no sense is refused and not ignored.

    Raises:
        DomainError: `bad_filter`, status 422.

    """
    found = {}
    for name, read in _PARTS.items():
        text = clean(arguments.get(name, ""))
        if text:
            try:
                found[name] = read(text)
            except ValueError:
                raise DomainError(
                    "bad_filter",
                    f"Der Filter „{name}“ in der Adresse ergibt keinen Sinn. Bitte öffnen Sie die "
                    "Bewegungen und filtern Sie dort noch einmal.",
                    status=422,
                ) from None
    return JournalFilter(**found)


def in_words(session: Session, wanted: JournalFilter) -> list[tuple[str, Cell]]:
    """Say what was filtered, by names where the address has ids; an unknown id stays an id."""

    def named(model: type[Any], row_id: int | None, name: str) -> Cell:
        row = session.get(model, row_id) if row_id is not None else None
        return getattr(row, name) if row is not None else row_id

    pairs: list[tuple[str, Cell]] = [
        ("Lager", named(Store, wanted.lager, "name")),
        ("Karte", named(CardType, wanted.karte, "title")),
        ("Auflage", _edition_name(session, wanted.auflage)),
        ("Ort", PLACE_NAMES[wanted.ort] if wanted.ort else None),
        ("Organisation", named(Organisation, wanted.organisation, "name")),
        ("Veranstaltung", wanted.veranstaltung),
        ("Von", wanted.von),
        ("Bis", wanted.bis),
        ("Bestellung", wanted.bestellung),
    ]
    return [(word, value) for word, value in pairs if value is not None]


def _edition_name(session: Session, edition_id: int | None) -> Cell:
    edition = session.get(Edition, edition_id) if edition_id is not None else None
    return name_of(edition) if edition is not None else edition_id


def _conditions(wanted: JournalFilter) -> Iterator[ColumnElement[bool]]:
    """Yield what a movement has to be."""
    if wanted.lager is not None:
        yield or_(
            Movement.source_store_id == wanted.lager, Movement.target_store_id == wanted.lager
        )
    if wanted.karte is not None:
        yield Movement.edition_id.in_(
            select(Edition.id).where(Edition.card_type_id == wanted.karte)
        )
    if wanted.auflage is not None:
        yield Movement.edition_id == wanted.auflage
    if wanted.ort is not None:
        yield or_(Movement.source == wanted.ort, Movement.target == wanted.ort)
    if wanted.organisation is not None:
        yield Movement.organisation_id == wanted.organisation
    if wanted.veranstaltung is not None:
        yield Movement.event_id.in_(select(Event.id).where(Event.number == wanted.veranstaltung))
    if wanted.von is not None:
        yield Movement.at >= berlin_instant(wanted.von, time(0))
    if wanted.bis is not None:
        yield Movement.at < end_of_day(wanted.bis)
    if wanted.bestellung is not None:
        yield Movement.order_id.in_(
            select(CardOrder.id).where(CardOrder.number == wanted.bestellung)
        )


def journal_rows(session: Session, wanted: JournalFilter) -> Iterator[tuple[Cell, ...]]:
    """Yield the movements in the order in which they were booked.

    What is booked while they are read is left out: the journal only grows, so that all pieces
    together are the journal of one moment.

    Args:
        session: for reading.
        wanted: which movements.

    """
    last = session.scalar(select(func.max(Movement.id))) or 0
    query = _query().where(Movement.id <= last, *_conditions(wanted))
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
    record(session, actor, "card_journal_exported", person, now, form=form, **wanted.given)
