"""The pocket cards of the demonstration: booked through the ledger, in the order of time.

Days count back from the day of loading, so that stock and consumption are always of today; what is
handed out at an event has the event's day.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from trainings.cli.seed.days import is_working_day
from trainings.cli.seed.files import Loading, Row, read
from trainings.core.actors import Actor
from trainings.core.clock import berlin_instant
from trainings.core.text import sort_key
from trainings.inventory.handouts.models import EventCards
from trainings.inventory.ledger import Booking, LockedStock, lock_all_stores
from trainings.inventory.models import (
    CardType,
    Edition,
    Movement,
    PlaceKind,
    Store,
    StoreKind,
)
from trainings.inventory.orders.models import OrderLimit
from trainings.inventory.rules import Place, allot, in_store
from trainings.inventory.stocktakes.operations import (
    count_lines,
    open_stocktake,
    post_stocktake,
)
from trainings.inventory.stocktakes.rules import fingerprint

CARDS_PER_YEAR = 500
"""The limit for every authority without one of its own."""
_AT = time(10)
_COUNTED_FOR = timedelta(hours=2)
_PLACES = {place.value: Place(place) for place in PlaceKind if place is not PlaceKind.STORE}


@dataclass
class Shelves:
    """What is loaded of the cards, by the keys of the files.

    Attributes:
        loading: what was loaded before.
        cards: the cards.
        editions: their editions, by card and number.
        stores: the stores.
        movements: those that have a key.
        tasks: what happens, each at its instant; done in the order of time.

    """

    loading: Loading
    cards: dict[str, CardType] = field(default_factory=dict)
    editions: dict[tuple[str, int], Edition] = field(default_factory=dict)
    stores: dict[str, Store] = field(default_factory=dict)
    movements: dict[str, Movement] = field(default_factory=dict)
    tasks: list[tuple[datetime, Callable[[datetime], None]]] = field(default_factory=list)

    @property
    def actor(self) -> Actor:
        """Who books: the coordinator."""
        return Actor(person_id=self.loading.coordinator.id, is_system=True)

    def instant(self, days_ago: int, at: time = _AT) -> datetime:
        """Return an instant so many days ago, on a working day unless that is today."""
        day = self.loading.today - timedelta(days=days_ago)
        while days_ago and not is_working_day(day):
            day -= timedelta(days=1)
        return berlin_instant(day, at)

    def lock(self, now: datetime) -> LockedStock:
        """Lock all stores."""
        return lock_all_stores(self.loading.session, now)

    def editions_of(self, card_key: str) -> list[Edition]:
        """Return the editions of a card, the oldest first."""
        return [edition for (key, _), edition in sorted(self.editions.items()) if key == card_key]

    def run(self) -> None:
        """Do what happens until now, in the order of time."""
        for at, task in sorted(self.tasks, key=lambda each: each[0]):
            if at <= self.loading.now:
                task(at)


def load_cards(loading: Loading) -> Shelves:
    """Load cards, editions, stores, and what is planned for events; note down what happened."""
    shelves = Shelves(loading)
    _load_types(shelves)
    _load_stores(shelves)
    loading.session.add(OrderLimit(is_default=True, per_year=CARDS_PER_YEAR))
    loading.session.flush()
    for row in read("event_cards"):
        event = loading.events[row["event_key"]]
        card = shelves.cards[row["card_key"]]
        planned = EventCards(event_id=event.id, card_type=card, planned=int(row["planned"]))
        loading.session.add(planned)
    for number, row in enumerate(read("card_movements"), start=1):
        _plan_movement(shelves, row, f"seed:{number}")
    _plan_stocktake(shelves, read("card_stocktakes"))
    return shelves


def _load_types(shelves: Shelves) -> None:
    for row in read("cards"):
        shelves.cards[row["key"]] = CardType(
            title=row["title"],
            sort_key=sort_key(row["title"]),
            description=row["description"],
            reorder_level=int(row["reorder_level"]),
        )
    for row in read("card_editions"):
        running = int(row["running"])
        printed_at = shelves.instant(int(row["printed_days_ago"]))
        shelves.editions[row["card_key"], running] = Edition(
            card_type=shelves.cards[row["card_key"]],
            running=running,
            printed_on=printed_at.date(),
            quantity=int(row["quantity"]),
            landing_text=row["landing_text"],
        )
    shelves.loading.session.add_all(shelves.cards.values())


def _load_stores(shelves: Shelves) -> None:
    loading = shelves.loading
    for row in read("card_stores"):
        person = loading.people.get(row["person_key"])
        name, order = row["name"], row["name"]
        if person is not None:
            name, order = f"Box {person.name}", f"Box {person.family_name} {person.given_name}"
        shelves.stores[row["key"]] = Store(
            kind=StoreKind(row["kind"]),
            name=name,
            sort_key=sort_key(order),
            person=person,
            organisation=loading.organisations.get(row["organisation_key"]),
        )
    loading.session.add_all(shelves.stores.values())


def _plan_movement(shelves: Shelves, row: Row, key: str) -> None:
    at = _instant_of(shelves, row)
    if at is not None:
        shelves.tasks.append((at, lambda now: _book(shelves, row, key, now)))


def _instant_of(shelves: Shelves, row: Row) -> datetime | None:
    """Return when it happened; None if the event is not there, or was before the first cards."""
    if not row["event_key"]:
        return shelves.instant(int(row["days_ago"]))
    event = shelves.loading.events.get(row["event_key"])
    if event is None or event.first_day < _first_delivery(shelves):
        return None
    offset = int(row["offset"])
    day = event.last_day if offset > 0 else event.first_day
    return berlin_instant(day + timedelta(days=offset), time(17) if offset == 0 else _AT)


def _first_delivery(shelves: Shelves) -> date:
    # Three days later: what is taken along to a course leaves the store before it.
    longest = max(int(row["days_ago"] or 0) for row in read("card_movements"))
    return shelves.loading.today - timedelta(days=longest - 3)


def _book(shelves: Shelves, row: Row, key: str, now: datetime) -> None:
    locked = shelves.lock(now)
    if row["reverses"]:
        wrong = shelves.movements[row["reverses"]]
        locked.reverse(shelves.actor, wrong.id, reason=row["reason"], key=key)
        return
    source, target = (_place(shelves, row[end]) for end in ("source", "target"))
    organisation = shelves.loading.organisations.get(row["organisation_key"])
    event = shelves.loading.events.get(row["event_key"])
    for edition, quantity in _chosen(shelves, locked, row, source):
        movement = locked.book(
            shelves.actor,
            Booking(
                edition_id=edition,
                quantity=quantity,
                source=source,
                target=target,
                organisation_id=organisation.id if organisation else None,
                event_id=event.id if event else None,
                reason=row["reason"],
            ),
            key=f"{key}:{edition}",
        )
        if row["key"]:
            shelves.movements[row["key"]] = movement


def _place(shelves: Shelves, word: str) -> Place:
    return _PLACES.get(word) or in_store(shelves.stores[word].id)


def _chosen(
    shelves: Shelves, locked: LockedStock, row: Row, source: Place
) -> Iterable[tuple[int, int]]:
    """Return the editions that leave, the oldest first unless the row names one."""
    quantity = int(row["quantity"])
    if row["running"]:
        return [(shelves.editions[row["card_key"], int(row["running"])].id, quantity)]
    if source.store_id is None:
        raise ValueError(f"What comes from outside names its edition: {row}")
    return allot(locked.stocks(source.store_id, shelves.editions_of(row["card_key"])), quantity)


def _plan_stocktake(shelves: Shelves, rows: list[Row]) -> None:
    at = shelves.instant(int(rows[0]["days_ago"]))
    shelves.tasks.append((at, lambda now: _count(shelves, rows, now)))


def _count(shelves: Shelves, rows: list[Row], now: datetime) -> None:
    """Count a store and post the differences, some hours later."""
    session, actor = shelves.loading.session, shelves.actor
    store = shelves.stores[rows[0]["store_key"]]
    stocktake = open_stocktake(session, actor, store.id, now)
    counts = {}
    for row in rows:
        edition = shelves.editions[row["card_key"], int(row["running"])]
        book = shelves.lock(now).balance(store.id, edition.id).quantity
        counts[edition.id] = book + int(row["difference"])
    count_lines(session, actor, stocktake.id, counts, now=now + _COUNTED_FOR / 2)
    post_stocktake(
        session,
        actor,
        stocktake.id,
        seen=fingerprint(
            (line.edition_id, line.counted, line.book, line.counted_at) for line in stocktake.lines
        ),
        reason=rows[0]["reason"],
        left_out=[line.edition_id for line in stocktake.lines if line.counted is None],
        now=now + _COUNTED_FOR,
    )
