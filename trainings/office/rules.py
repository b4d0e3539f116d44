"""What the office has to do next: pure functions over plain values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

DECISION_WINDOW = timedelta(days=7)


class Step(StrEnum):
    """The next thing to do for an event."""

    CLOSE = "close"
    ADMIT = "admit"
    CHOOSE_PLACE = "choose_place"
    CHOOSE_TRAINERS = "choose_trainers"
    SETTLE_NEEDS = "settle_needs"
    DECIDE = "decide"
    LOOK = "look"


STEP_NAMES = {
    Step.CLOSE: "Abschließen",
    Step.ADMIT: "Zulassen",
    Step.CHOOSE_PLACE: "Raum wählen",
    Step.CHOOSE_TRAINERS: "Leitung wählen",
    Step.SETTLE_NEEDS: "Bedarf klären",
    Step.DECIDE: "Entscheiden",
    Step.LOOK: "Ansehen",
}


@dataclass(frozen=True)
class Planned:
    """What decides the next step of a published event.

    Attributes:
        ends_at: when its last session ends.
        decide_by: when registration closes: until then it is decided whether it takes place.
        has_room: whether venue and room are chosen.
        trainers: how many lead it.
        needs_trainers: whether its kind is led by trainers at all.
        open_needs: needs of participants that nobody has settled.
        taken: places taken; before the office has admitted, those who would get one.
        minimum: the least number of participants.
        awaits_admission: whether the office gives the places and has not done so.

    """

    ends_at: datetime
    decide_by: datetime
    has_room: bool
    trainers: int
    needs_trainers: bool
    open_needs: int
    taken: int
    minimum: int
    awaits_admission: bool = False


def is_due(event: Planned, now: datetime) -> bool:
    """Say whether it has to be decided within a week whether the event takes place."""
    return now <= event.decide_by < now + DECISION_WINDOW


def next_step(event: Planned, now: datetime) -> Step:
    """Return the one thing to do next, the most urgent first."""
    if event.ends_at <= now:
        return Step.CLOSE
    if event.awaits_admission and event.decide_by <= now:
        return Step.ADMIT
    if is_due(event, now) and event.taken < event.minimum:
        return Step.DECIDE
    if not event.has_room:
        return Step.CHOOSE_PLACE
    if event.needs_trainers and not event.trainers:
        return Step.CHOOSE_TRAINERS
    if event.open_needs:
        return Step.SETTLE_NEEDS
    return Step.LOOK
