"""Movements in words."""

from __future__ import annotations

from trainings.inventory.ledger import name_of
from trainings.inventory.models import Movement, PlaceKind, Store
from trainings.inventory.stock.journal import JournalRow

_PLAIN = {
    PlaceKind.PRINTER: "Druckerei",
    PlaceKind.OTHER: "andere Stelle",
    PlaceKind.RETURN: "Rückgabe von unbekannt",
    PlaceKind.LOSS: "Verlust, Vernichtung",
}


def source_words(movement: Movement) -> str:
    """Return from where the cards came: „Lager Essen“."""
    return _end(movement, movement.source, movement.source_store)


def target_words(movement: Movement) -> str:
    """Return to where the cards went: „Stadt Essen“."""
    return _end(movement, movement.target, movement.target_store)


def edition_words(movement: Movement) -> str:
    """Return whose cards: „Schütze dich, Auflage 2“."""
    return name_of(movement.edition)


def actor_words(movement: Movement) -> str:
    """Return who booked."""
    return movement.person.name if movement.person else "die Anwendung"


def notes(row: JournalRow) -> list[str]:
    """Return to what else a movement belongs, a few words each."""
    movement = row.movement
    words = []
    if movement.reverses_id is not None:
        words.append(f"nimmt Bewegung {movement.reverses_id} zurück")
    if row.reversed_by is not None:
        words.append(f"zurückgenommen durch Bewegung {row.reversed_by}")
    if row.order_number:
        words.append(f"Bestellung {row.order_number}")
    if movement.stocktake_id is not None:
        words.append(f"Inventur {movement.stocktake_id}")
    if movement.event is not None and PlaceKind.EVENT not in {movement.source, movement.target}:
        words.append(f"für Veranstaltung {movement.event.number}")
    return words


def _end(movement: Movement, kind: PlaceKind, store: Store | None) -> str:
    if store is not None:
        return store.name
    if kind is PlaceKind.ORGANISATION and movement.organisation is not None:
        return movement.organisation.name
    if kind is PlaceKind.EVENT and movement.event is not None:
        return f"Veranstaltung {movement.event.number}"
    return _PLAIN[kind]
