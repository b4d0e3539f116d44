"""What the list of events with their cards shows, in a fixed number of statements."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from trainings.attendance.reads import EventHead, head_of
from trainings.core.actors import Actor
from trainings.core.clock import berlin_day
from trainings.core.permissions import Permission
from trainings.events.models import Event, EventState
from trainings.inventory.handouts.reads import (
    balances_of,
    by_card,
    concerns_boxes,
    first_days,
    flows,
    of_events_from,
    planned_cards,
    shown_events,
)
from trainings.inventory.handouts.rules import Counts, Rest, counts_by_card, rests
from trainings.inventory.models import (
    Balance,
    CardType,
    Movement,
    Store,
)

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
    in_boxes, days = by_card(balances), first_days(session)
    of_boxes = concerns_boxes({each.store_id for each in balances})
    recent = of_events_from(today - RECENT)
    moved = flows(session, recent, of_boxes)
    found = rests(moved, in_boxes, days)
    if sum(rest.quantity for rest in found) == sum(in_boxes.values()):
        return found
    return rests([*moved, *flows(session, ~recent, of_boxes)], in_boxes, days)


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
