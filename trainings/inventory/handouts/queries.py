"""What the pages of the handouts show, each in a fixed number of statements."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, joinedload

from trainings.attendance.reads import TAKES_PART, EventHead, head_of, organisation_of
from trainings.core.actors import Actor
from trainings.core.clock import berlin_day
from trainings.core.permissions import Permission
from trainings.events.models import Event, EventState, EventTrainer
from trainings.inventory.handouts.models import EventCards
from trainings.inventory.handouts.reads import (
    CardsAccess,
    balances_of,
    box_ids_at,
    by_card,
    cards_access,
    cards_of_people,
    concerns_boxes,
    flows,
    of_events_from,
    planned_cards,
    shown_events,
)
from trainings.inventory.handouts.rules import Counts, Rest, counts_by_box, counts_by_card, rests
from trainings.inventory.models import (
    Balance,
    CardType,
    Edition,
    Movement,
    Store,
    StoreKind,
)
from trainings.people.models import Person
from trainings.registrations.models import Registration

LISTED_FOR = timedelta(days=30)
"""How long after its last day a trainer's event stands in the list, as among the attendance."""

RECENT = timedelta(days=365)
"""Cards in boxes mostly come from events of this time; see `_open_rests`."""


@dataclass(frozen=True)
class EventLine:
    """An event in the list, with the sums of all its cards."""

    event: EventHead
    planned: int
    counts: Counts
    rest: int

    @property
    def cancelled(self) -> bool:
        """Whether the event is off."""
        return self.event.access.state is EventState.CANCELLED


@dataclass(frozen=True)
class BoxLine:
    """Cards of one type in a box."""

    card: str
    quantity: int
    withdrawn: int


@dataclass(frozen=True)
class EventList:
    """The events of an actor.

    Attributes:
        coming: today and later.
        past: over; for the office only those of which cards still lie in a box.
        box: what lies in the actor's own box.
        has_box: the actor has one.

    """

    coming: list[EventLine]
    past: list[EventLine]
    box: list[BoxLine]
    has_box: bool


def event_list(session: Session, actor: Actor, now: datetime) -> EventList:
    """Return a trainer's own events, for the office all to come, and those with open rests."""
    today, by_office = berlin_day(now), actor.may(Permission.OFFICE)
    balances = balances_of(session)
    own_box = session.scalar(select(Store).where(Store.person_id == actor.person_id))
    own_id = own_box.id if own_box else 0
    seen = balances if by_office else [each for each in balances if each.store_id == own_id]
    found = _open_rests(session, seen, today)
    with_rest = {rest.event_id for rest in found}
    recent = Event.last_day >= (today if by_office else today - LISTED_FOR)
    statement = shown_events(actor).where(
        or_(recent, Event.id.in_(with_rest)),
        or_(Event.state != EventState.CANCELLED, Event.id.in_(with_rest)),
    )
    if not by_office:
        statement = statement.where(Event.state != EventState.DRAFT)
    heads = [
        head_of(actor, row[:-1])
        for row in session.execute(statement.order_by(Event.first_day, Event.number))
    ]
    ids = [head.id for head in heads]
    planned = planned_cards(session, ids)
    counts = counts_by_card(flows(session, Movement.event_id.in_(ids)))
    lines = [_line(head, planned, counts, found) for head in heads]
    return EventList(
        coming=[line for line in lines if line.event.last_day >= today],
        past=[line for line in reversed(lines) if line.event.last_day < today],
        box=_box_lines([each for each in balances if each.store_id == own_id], _titles(session)),
        has_box=own_box is not None,
    )


def _open_rests(session: Session, balances: Sequence[Balance], today: date) -> list[Rest]:
    """Return of which events cards lie in boxes; three statements, mostly two.

    What lies in a box came with the latest events: where those of the last year explain all of it,
    the movements of the years before need not be added up.
    """
    in_boxes, days = by_card(balances), _first_days(session)
    of_boxes = concerns_boxes({each.store_id for each in balances})
    recent = of_events_from(today - RECENT)
    moved = flows(session, recent, of_boxes)
    found = rests(moved, in_boxes, days)
    if sum(rest.quantity for rest in found) == sum(in_boxes.values()):
        return found
    return rests([*moved, *flows(session, ~recent, of_boxes)], in_boxes, days)


def _first_days(session: Session) -> dict[int, date]:
    return {row.id: row.first_day for row in session.execute(select(Event.id, Event.first_day))}


def _titles(session: Session) -> dict[int, str]:
    return {row.id: row.title for row in session.execute(select(CardType.id, CardType.title))}


def _line(
    head: EventHead,
    planned: dict[tuple[int, int], int],
    counts: dict[tuple[int, int], Counts],
    found: Iterable[Rest],
) -> EventLine:
    return EventLine(
        event=head,
        planned=sum(number for (event_id, _), number in planned.items() if event_id == head.id),
        counts=sum(
            (each for (event_id, _), each in counts.items() if event_id == head.id), Counts()
        ),
        rest=sum(rest.quantity for rest in found if rest.event_id == head.id),
    )


def _box_lines(balances: Iterable[Balance], titles: dict[int, str]) -> list[BoxLine]:
    lines: dict[int, tuple[int, int]] = {}
    for each in balances:
        quantity, withdrawn = lines.get(each.edition.card_type_id, (0, 0))
        gone = each.quantity if each.edition.withdrawn_at else 0
        lines[each.edition.card_type_id] = (quantity + each.quantity, withdrawn + gone)
    return [BoxLine(titles[card], *numbers) for card, numbers in lines.items()]


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
    days = _first_days(session)
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
