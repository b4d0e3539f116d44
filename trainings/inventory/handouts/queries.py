"""What the page of an event's cards shows, in a fixed number of statements."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, joinedload

from trainings.attendance.reads import TAKES_PART, EventHead, organisation_of
from trainings.core.actors import Actor
from trainings.events.models import Event, EventTrainer
from trainings.inventory.handouts.models import EventCards
from trainings.inventory.handouts.reads import (
    CardsAccess,
    balances_of,
    box_ids_at,
    by_card,
    cards_access,
    cards_of_people,
    concerns_boxes,
    first_days,
    flows,
    of_events_from,
)
from trainings.inventory.handouts.rules import Counts, Rest, counts_by_box, counts_by_card, rests
from trainings.inventory.models import (
    CardType,
    Edition,
    Movement,
    Store,
    StoreKind,
)
from trainings.people.models import Person
from trainings.registrations.models import Registration


@dataclass(frozen=True)
class CardLine:
    """One card at an event.

    Attributes:
        id: of the card type.
        title: of the card.
        planned: how many are to be handed out; 0: nothing planned.
        counts: what happened.
        rest: what still lies in the boxes of it.

    """

    id: int
    title: str
    planned: int
    counts: Counts
    rest: int

    @property
    def concerned(self) -> bool:
        """Whether it is planned, or something happened to it at the event."""
        return bool(self.planned) or self.counts != Counts()

    @property
    def to_take(self) -> int:
        """How many of the planned ones nobody has taken along yet."""
        return max(0, self.planned - self.counts.taken)


@dataclass(frozen=True)
class Recipient:
    """Somebody who takes part, and which cards they got.

    Attributes:
        id: of the registration.
        name: as lists sort it.
        organisation: with its unit.
        cards: ids of card types that were handed out to them one by one.

    """

    id: int
    name: str
    organisation: str
    cards: frozenset[int]


@dataclass(frozen=True)
class BoxAtEvent:
    """A box at an event, and how many cards of the event lie in it.

    Attributes:
        id: of the store.
        name: of the store.
        person_id: whose box it is.
        rests: by card type.
        balances: all cards in it, by card type.

    """

    id: int
    name: str
    person_id: int | None
    rests: dict[int, int]
    balances: dict[int, int]


@dataclass(frozen=True)
class EventPage:
    """Everything about the cards of one event.

    Attributes:
        access: what the actor may do.
        cards: planned, moved, or to be had.
        people: who takes part, by name; empty for somebody who may not see them.
        boxes: at the event, the actor's own first.
        stores: from which cards may be taken along and to which they go back.
        trainers: of the event: id and name.
        journal: sums and reversals, the latest first, without the taps.

    """

    access: CardsAccess
    cards: list[CardLine]
    people: list[Recipient]
    boxes: list[BoxAtEvent]
    stores: list[Store]
    trainers: list[tuple[int, str]]
    journal: list[Movement]

    @property
    def event(self) -> EventHead:
        """The event."""
        return self.access.event

    @property
    def given(self) -> list[CardLine]:
        """The cards that everybody gets: what is planned, else what was taken along."""
        planned = [card for card in self.cards if card.planned]
        return planned or [card for card in self.cards if card.counts.taken > 0]

    @property
    def undone(self) -> set[int | None]:
        """Ids of the movements that were taken back."""
        return {movement.reverses_id for movement in self.journal}


def event_page(session: Session, actor: Actor, number: str) -> EventPage:
    """Return the cards of an event; ten statements.

    Raises:
        DomainError: `not_found`, also for a foreign event.

    """
    access = cards_access(session, actor, Event.number == number)
    event_id = access.event.id
    trainers = _trainers(session, event_id)
    stores = session.scalars(select(Store).order_by(Store.sort_key, Store.id)).all()
    boxes = [store for store in stores if store.kind is StoreKind.BOX]
    # Cards of an event are what later ones have left of it: those before it do not matter.
    moved = flows(
        session,
        of_events_from(access.event.first_day),
        or_(Movement.event_id == event_id, concerns_boxes(box_ids_at(event_id))),
    )
    here = [flow for flow in moved if flow.event_id == event_id]
    there = {box_id for _, _, box_id in counts_by_box(here)} - {None}
    ids = {person_id for person_id, _ in trainers}
    chosen = [box for box in boxes if box.id in there or box.person_id in ids]
    in_boxes = by_card(balances_of(session, [box.id for box in chosen]))
    days = first_days(session)
    open_rests = [each for each in rests(moved, in_boxes, days) if each.event_id == event_id]
    return EventPage(
        access=access,
        cards=_cards(session, event_id, counts_by_card(here), open_rests),
        people=_people(session, event_id) if access.hands_out else [],
        boxes=[
            _box_at_event(box, open_rests, in_boxes)
            for box in sorted(chosen, key=lambda box: box.person_id != actor.person_id)
            if access.hands_out or box.person_id == actor.person_id
        ],
        stores=[
            store
            for store in stores
            if store.retired_at is None
            and (store.kind is StoreKind.OFFICE or (access.by_office and store not in boxes))
        ],
        trainers=trainers,
        journal=_journal(session, event_id),
    )


def _trainers(session: Session, event_id: int) -> list[tuple[int, str]]:
    people = session.scalars(
        select(Person)
        .join(EventTrainer, EventTrainer.person_id == Person.id)
        .where(EventTrainer.event_id == event_id)
        .order_by(EventTrainer.position, Person.id)
    )
    return [(person.id, person.name) for person in people]


def _cards(
    session: Session,
    event_id: int,
    counts: dict[tuple[int, int], Counts],
    open_rests: list[Rest],
) -> list[CardLine]:
    rows = session.execute(
        select(CardType.id, CardType.title, CardType.retired_at, EventCards.planned)
        .outerjoin(
            EventCards,
            (EventCards.card_type_id == CardType.id) & (EventCards.event_id == event_id),
        )
        .order_by(CardType.sort_key, CardType.id)
    )
    return [
        CardLine(
            id=row.id,
            title=row.title,
            planned=row.planned or 0,
            counts=counts.get((event_id, row.id), Counts()),
            rest=sum(each.quantity for each in open_rests if each.card_type_id == row.id),
        )
        for row in rows
        if row.retired_at is None or row.planned or (event_id, row.id) in counts
    ]


def _people(session: Session, event_id: int) -> list[Recipient]:
    has = cards_of_people(session, Movement.event_id == event_id)
    rows = session.execute(
        select(Registration, Person)
        .join(Person, Registration.person_id == Person.id)
        .where(Registration.event_id == event_id, TAKES_PART)
        .order_by(Person.sort_key, Registration.id)
    )
    return [
        Recipient(row.id, person.list_name, organisation_of(row), frozenset(has.get(row.id, ())))
        for row, person in rows
    ]


def _box_at_event(
    box: Store, open_rests: list[Rest], balances: dict[tuple[int, int], int]
) -> BoxAtEvent:
    return BoxAtEvent(
        id=box.id,
        name=box.name,
        person_id=box.person_id,
        rests={each.card_type_id: each.quantity for each in open_rests if each.box_id == box.id},
        balances={card: number for (store, card), number in balances.items() if store == box.id},
    )


def _journal(session: Session, event_id: int) -> list[Movement]:
    taps = Movement.registration_id.is_not(None)
    return list(
        session.scalars(
            select(Movement)
            .where(Movement.event_id == event_id, ~taps)
            .options(
                joinedload(Movement.edition).joinedload(Edition.card_type),
                joinedload(Movement.source_store),
                joinedload(Movement.target_store),
                joinedload(Movement.person),
            )
            .order_by(Movement.id.desc())
        )
    )
