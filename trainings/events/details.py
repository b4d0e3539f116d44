"""What an event says about itself: plain values, and how they get into its row and out again."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, fields, replace
from datetime import date, datetime, timedelta

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import object_session

from trainings.core.clock import end_of_day
from trainings.core.errors import DomainError
from trainings.events.models import (
    Admission,
    AttendancePolicy,
    Event,
    EventKind,
    EventSession,
    MissedOffer,
    PlacePolicy,
    ShortNotice,
    Visibility,
)
from trainings.events.rules import (
    Deadlines,
    Readiness,
    SessionPlan,
    begin_of,
    deadline_obstacles,
    shift_instant,
)


@dataclass(frozen=True)
class Policy:
    """How places are given.

    Attributes:
        needs_release: the sending organisation has to release each request.
        admission: at once in order, or by the office after registration has closed.
        offer_days: working days to answer an offer from the waiting list; 0: no offers.
        short_notice: what happens when there is no time for an offer.
        missed_offer: what becomes of somebody who lets one pass.

    """

    needs_release: bool = False
    admission: Admission = Admission.IN_ORDER
    offer_days: int = 2
    short_notice: ShortNotice = ShortNotice.AUTOMATIC
    missed_offer: MissedOffer = MissedOffer.TO_THE_END


def policy_of(row: PlacePolicy) -> Policy:
    """Return how a format or an event gives its places."""
    return Policy(**{field.name: getattr(row, field.name) for field in fields(Policy)})


def apply_policy(row: PlacePolicy, policy: Policy) -> None:
    """Write how places are given into the row of a format or an event."""
    for field in fields(Policy):
        setattr(row, field.name, getattr(policy, field.name))


@dataclass(frozen=True)
class DoorPolicy:
    """How attendance is taken and certified.

    Attributes:
        certificate_share: percent of the planned time from which on a certificate is issued.
        offline_roster: a trainer's phone may keep names and ticket hashes, to work without a
            network.

    """

    certificate_share: int = 80
    offline_roster: bool = True


USUAL_DOOR = DoorPolicy()


def door_policy_of(row: AttendancePolicy) -> DoorPolicy:
    """Return how a format or an event takes attendance."""
    return DoorPolicy(row.certificate_share, row.offline_roster)


def apply_door_policy(row: AttendancePolicy, policy: DoorPolicy) -> None:
    """Write how attendance is taken into the row of a format or an event."""
    row.certificate_share = policy.certificate_share
    row.offline_roster = policy.offline_roster


@dataclass(frozen=True)
class EventDetails:
    """What an event says about itself, apart from its dates, place and number of places.

    Attributes:
        kind: training, conference …
        title: one line.
        summary: what it is about.
        contents: what is taught, one line each.
        visibility: who may see and book it.
        minimum: the least number of participants.
        opens_at: from when on people may register.
        deadlines: until when things may be done.
        policy: how places are given.
        door: how attendance is taken and certified.

    """

    kind: EventKind
    title: str
    summary: str
    contents: str
    visibility: Visibility
    minimum: int
    opens_at: datetime
    deadlines: Deadlines
    policy: Policy
    door: DoorPolicy = USUAL_DOOR


def plans_of(event: Event) -> list[SessionPlan]:
    """Return the sessions of an event as plain values, in order."""
    return [SessionPlan(row.day, row.begins, row.ends, row.label) for row in event.sessions]


def deadlines_of(event: Event) -> Deadlines:
    """Return the deadlines of an event."""
    return Deadlines(event.closes_at, event.withdraw_until, event.needs_until)


def details_of(event: Event) -> EventDetails:
    """Return what an event says about itself."""
    return EventDetails(
        kind=event.kind,
        title=event.title,
        summary=event.summary,
        contents=event.contents,
        visibility=event.visibility,
        minimum=event.minimum,
        opens_at=event.opens_at,
        deadlines=deadlines_of(event),
        policy=policy_of(event),
        door=door_policy_of(event),
    )


def readiness_of(event: Event) -> Readiness:
    """Return what decides whether an event can be published."""
    return Readiness(
        sessions=plans_of(event),
        has_venue=event.venue_id is not None,
        opens_at=event.opens_at,
        deadlines=deadlines_of(event),
        capacity=event.pool.capacity,
        minimum=event.minimum,
        needs_hosts=event.visibility is Visibility.IN_HOUSE and not event.hosts,
        needs_invitations=event.visibility is Visibility.INVITATION and not event.invitations,
    )


def replace_sessions(event: Event, plans: Sequence[SessionPlan]) -> None:
    """Give an event these sessions, and the days that follow from them.

    Rows are kept in their order, so that what refers to the first half day still does.

    Args:
        event: draft or published, locked.
        plans: as `check_session_plans` returns them.

    Raises:
        DomainError: `session_in_use`: something is recorded for a half day that would go.

    """
    for position, plan in enumerate(plans):
        if position == len(event.sessions):
            event.sessions.append(EventSession(position=position))
        row = event.sessions[position]
        row.day, row.begins, row.ends, row.label = plan.day, plan.begins, plan.ends, plan.label
    if len(plans) < len(event.sessions):
        _drop_sessions(event, len(plans))
    event.first_day = plans[0].day
    event.last_day = plans[-1].day


def _drop_sessions(event: Event, left: int) -> None:
    """Delete the half days behind those that are left; what refers to them has the last word."""
    session = object_session(event)
    try:
        with session.begin_nested() if session else nullcontext():
            del event.sessions[left:]
    except IntegrityError as error:
        raise DomainError(
            "session_in_use",
            "Für einen Halbtag, der entfallen würde, ist schon Anwesenheit erfasst. Bitte behalten "
            "Sie so viele Halbtage bei, oder sagen Sie die Veranstaltung ab.",
            field="sessions",
        ) from error


def apply_details(event: Event, details: EventDetails) -> None:
    """Write what was checked by `check_details` into the row."""
    event.kind = details.kind
    event.title = details.title
    event.summary = details.summary
    event.contents = details.contents
    event.visibility = details.visibility
    event.minimum = details.minimum
    event.opens_at = details.opens_at
    apply_deadlines(event, details.deadlines)
    apply_policy(event, details.policy)
    apply_door_policy(event, details.door)


def apply_deadlines(event: Event, deadlines: Deadlines) -> None:
    """Write deadlines into the row."""
    event.closes_at = deadlines.closes_at
    event.withdraw_until = deadlines.withdraw_until
    event.needs_until = deadlines.needs_until


def check_details(details: EventDetails, plans: Sequence[SessionPlan], capacity: int) -> None:
    """Refuse deadlines that make no sense and a minimum that cannot be reached.

    Raises:
        DomainError: `wrong_deadlines` (field `closes_on`) or `minimum_above_capacity`.

    """
    check_minimum(details.minimum, capacity, field="minimum")
    obstacles = deadline_obstacles(details.opens_at, details.deadlines, begin_of(plans))
    if obstacles:
        raise DomainError("wrong_deadlines", " ".join(obstacles), field="closes_on", status=422)


def check_minimum(minimum: int, capacity: int, *, field: str) -> None:
    """Refuse a minimum above the number of places.

    Raises:
        DomainError: `minimum_above_capacity` at the given field.

    """
    if minimum > capacity:
        raise DomainError(
            "minimum_above_capacity",
            f"Die Mindestzahl ({minimum}) ist größer als die Zahl der Plätze ({capacity}).",
            field=field,
            status=422,
        )


def shifted(deadlines: Deadlines, days: int) -> Deadlines:
    """Return the deadlines some days later, at the same wall-clock times."""
    return Deadlines(
        shift_instant(deadlines.closes_at, days),
        shift_instant(deadlines.withdraw_until, days),
        shift_instant(deadlines.needs_until, days),
    )


def at_short_notice(details: EventDetails, first_day: date, now: datetime) -> EventDetails:
    """Return the details with a registration deadline that has not passed when it is made.

    A date at short notice would else close before it opens: registration then ends with the day
    before the event.
    """
    if details.deadlines.closes_at > now:
        return details
    eve = end_of_day(first_day - timedelta(days=1))
    return replace(details, deadlines=replace(details.deadlines, closes_at=eve))
