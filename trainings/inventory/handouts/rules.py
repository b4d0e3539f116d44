"""What the movements of an event add up to, and what may be booked when: pure rules."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from trainings.core.errors import DomainError
from trainings.core.formats import count, long_date, number
from trainings.events.models import EventState
from trainings.inventory.models import PlaceKind, StoreKind
from trainings.inventory.rules import cards_left


class Step(StrEnum):
    """What happens to cards at an event."""

    TAKEN = "taken"
    """From a store into a box."""
    HANDED_OUT = "handed_out"
    RETURNED = "returned"
    """From a box back into a store."""


@dataclass(frozen=True)
class Flow:
    """Cards of one type that went one way for an event, all movements of that way together.

    Attributes:
        event_id: the event.
        card_type_id: which card.
        source: from where.
        source_store_id: from which store, if it was one.
        source_kind: whose store that is.
        target: to where.
        target_store_id: to which store, if it was one.
        target_kind: whose store that is.
        is_reversal: the movements take others back.
        quantity: cards, positive.

    """

    event_id: int
    card_type_id: int
    source: PlaceKind
    source_store_id: int | None
    source_kind: StoreKind | None
    target: PlaceKind
    target_store_id: int | None
    target_kind: StoreKind | None
    is_reversal: bool
    quantity: int


@dataclass(frozen=True)
class Counts:
    """How many cards were taken along, handed out and brought back; a reversal counts against it.

    Attributes:
        taken: from a store into a box.
        handed_out: at the event, from wherever.
        from_boxes: those of them that came from a box.
        returned: from a box back into a store.

    """

    taken: int = 0
    handed_out: int = 0
    from_boxes: int = 0
    returned: int = 0

    @property
    def rest(self) -> int:
        """What should still be in the boxes; older cards of a box may be handed out first."""
        return max(0, self.taken - self.from_boxes - self.returned)

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.taken + other.taken,
            self.handed_out + other.handed_out,
            self.from_boxes + other.from_boxes,
            self.returned + other.returned,
        )


def steps_of(flow: Flow) -> Iterator[tuple[Step, int | None, int]]:
    """Yield what a flow means: the step, the box that it concerns (None: none), how many cards.

    From one box into another one is taken along by the second and given up by the first, so that
    the event's sum stays.
    """
    from_box = flow.source_store_id if flow.source_kind is StoreKind.BOX else None
    into_box = flow.target_store_id if flow.target_kind is StoreKind.BOX else None
    if flow.target is PlaceKind.EVENT:
        yield Step.HANDED_OUT, from_box, flow.quantity
    elif flow.source is PlaceKind.EVENT:
        yield Step.HANDED_OUT, into_box, -flow.quantity
    elif from_box is not None and into_box is not None:
        yield Step.TAKEN, from_box, -flow.quantity
        yield Step.TAKEN, into_box, flow.quantity
    elif into_box is not None and flow.source_kind is not None:
        if flow.is_reversal:
            yield Step.RETURNED, into_box, -flow.quantity
        else:
            yield Step.TAKEN, into_box, flow.quantity
    elif from_box is not None and flow.target_kind is not None:
        if flow.is_reversal:
            yield Step.TAKEN, from_box, -flow.quantity
        else:
            yield Step.RETURNED, from_box, flow.quantity


def counts_by_box(flows: Iterable[Flow]) -> dict[tuple[int, int, int | None], Counts]:
    """Return the counts by event, card and box; what concerns no box stands under None."""
    found: defaultdict[tuple[int, int, int | None], Counts] = defaultdict(Counts)
    for flow in flows:
        for step, box_id, quantity in steps_of(flow):
            found[flow.event_id, flow.card_type_id, box_id] += Counts(
                taken=quantity if step is Step.TAKEN else 0,
                handed_out=quantity if step is Step.HANDED_OUT else 0,
                from_boxes=quantity if step is Step.HANDED_OUT and box_id is not None else 0,
                returned=quantity if step is Step.RETURNED else 0,
            )
    return dict(found)


def counts_by_card(flows: Iterable[Flow]) -> dict[tuple[int, int], Counts]:
    """Return the counts by event and card."""
    found: defaultdict[tuple[int, int], Counts] = defaultdict(Counts)
    for (event_id, card_type_id, _), counts in counts_by_box(flows).items():
        found[event_id, card_type_id] += counts
    return dict(found)


@dataclass(frozen=True)
class Rest:
    """Cards that were taken along to an event and still lie in the box."""

    event_id: int
    card_type_id: int
    box_id: int
    quantity: int


def rests(
    flows: Iterable[Flow],
    balances: Mapping[tuple[int, int], int],
    days: Mapping[int, date],
) -> list[Rest]:
    """Return what lies in boxes of which event, the latest event first.

    A box holds no more than its balance says: what is there came with the latest events, and what
    an earlier one left in the box was used at a later one.

    Args:
        flows: of all events of these boxes.
        balances: cards by box and card type.
        days: the first day of each event.

    """
    left = dict(balances)
    found = []
    counted = counts_by_box(flows).items()
    latest_first = sorted(counted, key=lambda each: (days[each[0][0]], each[0][0]), reverse=True)
    for (event_id, card_type_id, box_id), counts in latest_first:
        if box_id is None:
            continue
        there = min(counts.rest, left.get((box_id, card_type_id), 0))
        if there:
            left[box_id, card_type_id] -= there
            found.append(Rest(event_id, card_type_id, box_id, there))
    return found


def check_taking_along(state: EventState) -> None:
    """Refuse to take cards along to what will not happen.

    Raises:
        DomainError: `event_draft` or `event_cancelled`.

    """
    if state is EventState.DRAFT:
        raise DomainError(
            "event_draft",
            "Die Veranstaltung ist noch ein Entwurf. Bitte veröffentlichen Sie sie zuerst; planen "
            "können Sie die Karten schon jetzt.",
        )
    if state is EventState.CANCELLED:
        raise DomainError(
            "event_cancelled",
            "Die Veranstaltung ist abgesagt. Bitte bringen Sie die Karten zurück, oder lassen Sie "
            "sie für eine andere Veranstaltung in der Box.",
        )


def check_handing_out(state: EventState, first_day: date, today: date) -> None:
    """Refuse to hand out cards at an event that does not happen, or not yet.

    Args:
        state: of the event.
        first_day: of the event.
        today: the present day in Berlin.

    Raises:
        DomainError: `event_draft`, `event_cancelled` or `too_early`.

    """
    check_taking_along(state)
    if today < first_day:
        raise DomainError(
            "too_early",
            f"Karten geben Sie ab dem ersten Tag aus, {long_date(first_day)}. Bis dahin können Sie "
            "buchen, was Sie mitnehmen.",
        )


def too_few(
    card: str, where: str, free: int, *, is_box: bool, withdrawn: int, held: int
) -> DomainError:
    """Return the refusal for a box or store with fewer cards than are to leave it.

    Args:
        card: title of the card.
        where: name of the box or store.
        free: how many could leave.
        is_box: the remedy is to book what was taken along; else another store.
        withdrawn: how many of it lie there that are withdrawn.
        held: how many of it are held for orders.

    """
    advice = f"Bitte geben Sie höchstens {number(free)} an, oder" if free else "Bitte"
    remedy = (
        "buchen Sie zuerst, was mitgenommen wurde" if is_box else "wählen Sie ein anderes Lager"
    )
    kept = f" {count(held, 'ist', 'sind')} für Bestellungen vorgemerkt." if held else ""
    if withdrawn:
        kept += f" {count(withdrawn, 'ist', 'sind')} zurückgezogen und nicht mehr auszugeben."
    return DomainError(
        "not_enough",
        f"In „{where}“ {cards_left(free)} von „{card}“ frei.{kept} {advice} {remedy}.",
        field="quantity",
    )
