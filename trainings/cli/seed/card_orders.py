"""The orders of the demonstration: each goes its way step by step, with its cards."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from trainings.cli.seed.cards import Shelves
from trainings.cli.seed.files import Row, read
from trainings.core.actors import VISITOR, Actor
from trainings.core.clock import berlin_day, end_of_day
from trainings.core.numbering import next_number
from trainings.inventory.holds import hold
from trainings.inventory.orders.models import (
    CardOrder,
    CardOrderLine,
    CardOrderSeries,
    OrderState,
)
from trainings.inventory.orders.operations import ship_held
from trainings.inventory.orders.steps import move_order

HELD_FOR = timedelta(days=28)
State = OrderState
_ON_THE_WAY = (State.APPROVED, State.PICKED, State.SENT, State.RECEIVED)
_REFUSED = (State.DECLINED, State.CANCELLED)
_PACKED_BEFORE = timedelta(hours=1)


def load_orders(shelves: Shelves) -> None:
    """Note down what happens to the orders of the files, and when."""
    for row in read("card_orders"):
        _plan(shelves, row)


def _plan(shelves: Shelves, row: Row) -> None:
    """Note down the steps of an order; the state in the file is the last of them."""
    days_ago, state = int(row["days_ago"]), State(row["state"])
    requested_at = shelves.instant(days_ago, time(9))
    if days_ago == 0:
        requested_at = shelves.loading.now - timedelta(hours=1)
    way = _Way(shelves, row)
    shelves.tasks.append((requested_at, way.request))

    def later(column: str, at: time) -> datetime:
        # A weekend may push two steps onto one day; the hours keep them apart.
        return max(
            shelves.instant(days_ago - int(row[column]), at), requested_at + timedelta(minutes=1)
        )

    if state in _REFUSED:
        shelves.tasks.append((later("decided_after", time(11)), way.refuse))
    if state in _ON_THE_WAY:
        approved_at = later("decided_after", time(11))
        shelves.tasks.append((approved_at, way.approve))
        if state is State.PICKED:
            shelves.tasks.append((approved_at + _PACKED_BEFORE, way.pick))
    if state in (State.SENT, State.RECEIVED):
        sent_at = later("sent_after", time(15))
        shelves.tasks += [(sent_at - _PACKED_BEFORE, way.pick), (sent_at, way.send)]
    if state is State.RECEIVED:
        shelves.tasks.append((later("received_after", time(16)), way.receive))


class _Way:
    """The way of one order."""

    def __init__(self, shelves: Shelves, row: Row) -> None:
        self.shelves = shelves
        self.row = row
        self.order: CardOrder

    def request(self, now: datetime) -> None:
        """Order; somebody without a login has not confirmed yet, or did at once."""
        row, loading = self.row, self.shelves.loading
        organisation = loading.organisations.get(row["organisation_key"])
        person = loading.people.get(row["person_key"])
        unconfirmed = row["state"] == State.UNCONFIRMED
        year = berlin_day(now).year
        number = next_number(loading.session, CardOrderSeries, year)
        first = State.UNCONFIRMED if person is None else State.REQUESTED
        self.order = CardOrder(
            number=f"TK-{year}-{number:04d}",
            state=first,
            requested_at=now,
            confirmed_at=None if unconfirmed else now,
            person=person,
            name=person.name if person else row["name"],
            email=person.email if person else row["email"],
            organisation=organisation,
            organisation_name=organisation.name if organisation else row["organisation_name"],
            recipient=row["recipient"] or row["name"],
            street=row["street"],
            postcode=row["postcode"],
            town=row["town"],
            purpose=row["purpose"],
            lines=[
                CardOrderLine(
                    card_type=self.shelves.cards[row["card_key"]], requested=int(row["requested"])
                )
            ],
        )
        loading.session.add(self.order)
        loading.session.flush()
        actor = Actor(person_id=person.id) if person else VISITOR
        move_order(loading.session, actor, self.order, first, now)
        if person is None and not unconfirmed:
            move_order(loading.session, actor, self.order, State.REQUESTED, now)

    def refuse(self, now: datetime) -> None:
        """Decline, or take back by whoever ordered."""
        order, state = self.order, State(self.row["state"])
        actor = self.shelves.actor
        if state is State.CANCELLED:
            actor = Actor(person_id=order.person_id)
        else:
            order.reason = self.row["reason"]
            order.decided_at, order.decided_by_id = now, actor.person_id
        self._move(state, now, actor=actor, reason=order.reason)

    def approve(self, now: datetime) -> None:
        """Approve, and hold the cards in the office's store."""
        order, shelves = self.order, self.shelves
        (line,) = order.lines
        line.approved = int(self.row["approved"])
        order.store = shelves.stores["office"]
        order.held_until = end_of_day(berlin_day(now + HELD_FOR))
        order.decided_at, order.decided_by_id = now, shelves.actor.person_id
        order.reason = self.row["reason"]
        self._move(State.APPROVED, now, reason=order.reason)
        hold(
            shelves.lock(now),
            order.id,
            order.store.id,
            line.card_type,
            quantity=line.approved,
            until=order.held_until,
        )

    def pick(self, now: datetime) -> None:
        """Pack the parcel."""
        self._move(State.PICKED, now)

    def send(self, now: datetime) -> None:
        """Send the cards that were held."""
        ship_held(self.shelves.lock(now), self.shelves.actor, self.order)
        self.order.sent_at = now
        self._move(State.SENT, now)

    def receive(self, now: datetime) -> None:
        """Confirm the receipt."""
        self.order.received_at = now
        self._move(State.RECEIVED, now, actor=Actor(person_id=self.order.person_id))

    def _move(
        self, state: State, now: datetime, *, actor: Actor | None = None, reason: str = ""
    ) -> None:
        session = self.shelves.loading.session
        actor = actor or self.shelves.actor
        move_order(session, actor, self.order, state, now, reason=reason)
