"""What people do with places: register, give the place back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Select, and_, bindparam, exists, func, or_, select
from sqlalchemy.orm import Session, joinedload

from trainings.core import audit, formats
from trainings.core.actors import Actor
from trainings.core.errors import DomainError, not_found
from trainings.core.permissions import Permission
from trainings.events.models import Event, EventTrainer
from trainings.organisations.models import Level, Organisation
from trainings.people.models import Person
from trainings.people.operations import join
from trainings.registrations import mails
from trainings.registrations.models import (
    ACTIVE,
    LONGEST_DECIDER,
    LONGEST_UNIT,
    SEATED,
    LateReason,
    Need,
    NeedKind,
    Registration,
    RegistrationState,
    Release,
    ReleaseOutcome,
    Wish,
    WishedRegistration,
)
from trainings.registrations.moves import move, note_change
from trainings.registrations.place_queries import chain, overlapping_events
from trainings.registrations.places import LockedPlaces, begins_at, with_places
from trainings.registrations.queries import visible_to
from trainings.registrations.release_rules import release_deadline
from trainings.registrations.rules import Window, is_late, window_refusal, withdrawal_refusal


def register(
    session: Session,
    actor: Actor,
    event_id: int,
    *,
    person_id: int | None = None,
    needs: Mapping[NeedKind, str] | None = None,
    released_by: Decider | None = None,
    now: datetime,
) -> Registration:
    """Register a person for an event: a place if there is one, else the waiting list.

    Where the sending organisation has to release the request, it waits for that first; its place
    in the order it has already.

    Args:
        session: the open transaction.
        actor: who registers.
        event_id: the event; the actor must be able to see it.
        person_id: whom; the actor unless given. Others are registered by the office, or by
            somebody who releases for their organisation.
        needs: what the person needs, with a note for each (may be empty).
        released_by: who releases the request in the same step; the caller has checked that this
            person may.
        now: the present instant.

    Returns:
        The registration, placed, waiting or awaiting its release.

    Raises:
        DomainError: `not_found`; `not_yet_open`, `closed`, `event_cancelled`, `event_over`,
            `event_not_published`, `too_late_to_release`; `already_registered`,
            `trains_this_event`, `overlap`; `own_request`, if released by the person.

    """
    whom = person_id or actor.person_id
    by_other = whom != actor.person_id
    if released_by is not None and released_by.person_id == whom:
        raise own_request()
    unchecked = by_other and released_by is None
    if whom is None or (unchecked and not actor.may(Permission.OFFICE)):
        raise not_found()

    def work(places: LockedPlaces) -> Registration:
        registration = enter(
            places, actor, whom, needs=needs or {}, released_by=released_by, in_window=True
        )
        if registration.state is RegistrationState.AWAITING_RELEASE:
            mails.awaiting_release(session, registration, now, by_other=by_other)
            return registration
        served = places.fill(actor, "placed_in_order", asked=[registration.id])
        if registration not in served:
            mails.waiting(session, registration, now, by_other=by_other)
        mails.served(session, served, now, asked=registration, by_other=by_other)
        return registration

    return with_places(session, event_id, [whom], now, work)


def enter(
    places: LockedPlaces,
    actor: Actor,
    person_id: int,
    *,
    needs: Mapping[NeedKind, str],
    released_by: Decider | None = None,
    in_window: bool,
    reason: str = "requested",
) -> Registration:
    """Put somebody at the end of an event's queue; places are given and people told by the caller.

    Whoever has an open wish for the event's format waits here for that wish as well: a place on
    one of its dates ends the others.

    Args:
        places: of the event; the person is locked too.
        actor: who registers; must be able to see the event.
        person_id: whom.
        needs: as for `register`.
        released_by: as for `register`.
        in_window: whether registration must be open.
        reason: code for the history.

    Returns:
        The registration, waiting or awaiting its release.

    Raises:
        DomainError: as `register`.

    """
    session, event, now = places.session, places.event, places.now
    values = {"event_id": event.id, "whom": person_id}
    shown = session.execute(_shown(actor), values).one_or_none()
    if shown is None:
        raise not_found()
    refusal = window_refusal(window_of(event), now) if in_window else None
    if refusal is not None:
        raise refusal
    if in_window and event.needs_release and released_by is None:
        _refuse_late_request(event, now)
    by_self = person_id == actor.person_id
    _refuse_second_seat(session, event, person_id, leads=shown.leads, by_self=by_self)
    person = session.get_one(Person, person_id, options=[joinedload(Person.organisation)])
    registration = new_registration(session, event, person, now, released=released_by is not None)
    for kind, note in needs.items():
        registration.needs.append(Need(kind=kind, note=note))
    session.add(registration)
    note_change(session, registration, None, actor, reason=reason, now=now)
    session.flush()
    if event.needs_release and released_by is not None:
        note_release(session, registration, released_by, now)
    if shown.wish_id is not None:
        session.add(WishedRegistration(registration_id=registration.id, wish_id=shown.wish_id))
    audit.record(session, actor, "registered", registration, now, event_id=event.id)
    return registration


def join_and_register(
    session: Session,
    event_id: int,
    *,
    email: str,
    details: Mapping[str, Any],
    needs: Mapping[NeedKind, str],
    now: datetime,
) -> Registration:
    """Add somebody whose address was verified, and register them: the first registration.

    Args:
        session: the open transaction.
        event_id: the event.
        email: the verified address.
        details: who they are, as `people.operations.join` takes it.
        needs: as for `register`.
        now: the present instant.

    Raises:
        DomainError: as `join` and `register`; then nobody is added.

    """
    account = join(session, email=email, **details, now=now)
    session.flush()
    return register(session, employee(account.person), event_id, needs=needs, now=now)


def employee(person: Person) -> Actor:
    """Return who a person is without any role: what that actor may see, the person may see."""
    organisation: Organisation | None = person.organisation
    above = []
    while organisation is not None:
        above.append(organisation.id)
        organisation = organisation.parent
    return Actor(
        person_id=person.id,
        organisation_ids=tuple(above),
        in_unit=person.organisation.level is Level.UNIT,
    )


def withdraw(
    session: Session,
    actor: Actor,
    registration_id: int,
    now: datetime,
    *,
    late_reason: LateReason | None = None,
) -> Registration:
    """Give a place back, or leave the waiting list; the place goes to the next one.

    Args:
        session: the open transaction.
        actor: the person, or the office.
        registration_id: of the person.
        now: the present instant.
        late_reason: asked for after the deadline; the office may leave it out.

    Raises:
        DomainError: `not_found`, `not_registered`, `late_reason_missing`, `event_over`.

    """
    found = session.get(Registration, registration_id)
    if found is None:
        raise not_found()
    if found.person_id != actor.person_id:
        if not actor.may(Permission.OFFICE):
            raise not_found()
        late_reason = late_reason or LateReason.UNSAID
    return give_back(session, actor, registration_id, now, late_reason=late_reason)


def give_back(
    session: Session,
    actor: Actor,
    registration_id: int,
    now: datetime,
    *,
    late_reason: LateReason | None = None,
) -> Registration:
    """Withdraw a registration for somebody whose right to do so was checked before.

    Args:
        session: the open transaction.
        actor: noted in the history.
        registration_id: the registration.
        now: the present instant.
        late_reason: needed after the deadline, and stored only then.

    Raises:
        DomainError: `not_registered`, `late_reason_missing`, `event_over`.

    """
    row = session.execute(
        select(Registration.event_id, Registration.person_id).where(
            Registration.id == registration_id
        )
    ).one()

    def work(places: LockedPlaces) -> Registration:
        event = places.event
        registration = session.get_one(Registration, registration_id, populate_existing=True)
        state, until = registration.state, event.withdraw_until
        refusal = withdrawal_refusal(
            state, until, begins_at(event), now, says_why=late_reason is not None
        )
        if refusal is not None:
            raise refusal
        registration.late_reason = late_reason if is_late(state, until, now) else None
        had_place = state is RegistrationState.PLACED
        move(
            session,
            registration,
            RegistrationState.WITHDRAWN,
            actor,
            reason="withdrawn",
            now=now,
        )
        audit.record(session, actor, "withdrawn", registration, now, event_id=event.id)
        mails.withdrawn(session, registration, now, had_place=had_place)
        session.flush()
        mails.served(session, places.fill(actor, "promoted"), now)
        return registration

    return with_places(session, row.event_id, [row.person_id], now, work)


def mark_need_done(session: Session, actor: Actor, need_id: int, now: datetime) -> None:
    """Note that the office has taken care of what somebody needs; a second time changes nothing.

    Raises:
        DomainError: `not_found`.

    """
    need = session.get(Need, need_id)
    if need is None:
        raise not_found()
    if need.done_at is None:
        need.done_at = now
        audit.record(session, actor, "need_done", need, now)


def window_of(event: Event) -> Window:
    """Return what decides whether somebody can register for an event at all."""
    return Window(event.state, event.opens_at, event.closes_at, begins_at(event))


_LEADS = exists().where(
    EventTrainer.event_id == Event.id, EventTrainer.person_id == bindparam("whom")
)


_OPEN_WISH = (
    select(func.min(Wish.id))
    .where(
        Wish.person_id == bindparam("whom"),
        Wish.template_id == Event.template_id,
        Wish.ended_at.is_(None),
    )
    .correlate(Event)
    .scalar_subquery()
)


@lru_cache(maxsize=256)
def _shown(actor: Actor) -> Select[bool, int | None]:
    """Return the statement whether the actor sees an event, and what `whom` has to do with it."""
    return select(_LEADS.label("leads"), _OPEN_WISH.label("wish_id")).where(
        Event.id == bindparam("event_id"), visible_to(actor)
    )


# Statements of the rush are built once, since that takes longer than to run them.
_OTHER_SEATS = (
    select(Registration.pool_id, Event.number, Event.title, Event.first_day)
    .join(Event, Registration.event_id == Event.id)
    .where(
        Registration.person_id == bindparam("whom"),
        or_(
            and_(Registration.pool_id == bindparam("pool_id"), Registration.state.in_(ACTIVE)),
            and_(
                Registration.event_id.in_(overlapping_events(bindparam("event_id"))),
                Registration.state.in_(SEATED),
            ),
        ),
    )
)
_LAST_NUMBERS = select(
    func.max(Registration.rank),
    func.max(Registration.calendar_sequence).filter(Registration.person_id == bindparam("whom")),
).where(Registration.pool_id == bindparam("pool_id"))


def _refuse_late_request(event: Event, now: datetime) -> None:
    deadline = release_deadline(event.closes_at, event.first_day)
    if now >= deadline:
        raise DomainError(
            "too_late_to_release",
            "Für diese Veranstaltung ist eine Freigabe nötig, und dafür ist es zu spät: Die Frist "
            f"endete am {formats.deadline(deadline)}. Bitte wählen Sie einen anderen Termin oder "
            "wenden Sie sich an die Geschäftsstelle.",
        )


def _refuse_second_seat(
    session: Session, event: Event, person_id: int, *, leads: bool, by_self: bool
) -> None:
    others = session.execute(
        _OTHER_SEATS, {"whom": person_id, "pool_id": event.pool_id, "event_id": event.id}
    ).all()
    if any(other.pool_id == event.pool_id for other in others):
        raise DomainError(
            "already_registered",
            "Sie sind für diese Veranstaltung schon angemeldet. Den Stand sehen Sie unter "
            "„Meine Anmeldungen“."
            if by_self
            else "Diese Person ist für diese Veranstaltung schon angemeldet.",
        )
    if leads:
        raise DomainError(
            "trains_this_event",
            "Sie leiten diese Veranstaltung selbst."
            if by_self
            else "Diese Person leitet die Veranstaltung.",
        )
    if others:
        overlap = others[0]
        raise DomainError(
            "overlap",
            f"{'Sie haben' if by_self else 'Diese Person hat'} zu dieser Zeit schon einen Platz: "
            f"„{overlap.title}“ ({overlap.number}) am {formats.long_date(overlap.first_day)}. "
            "Bitte geben Sie ihn zuerst zurück, oder wählen Sie einen anderen Termin.",
        )


def new_registration(
    session: Session, event: Event, person: Person, now: datetime, *, released: bool
) -> Registration:
    """Return a registration at the end of the order, with the organisation as it is today."""
    highest_rank, last_sequence = session.execute(
        _LAST_NUMBERS, {"whom": person.id, "pool_id": event.pool_id}
    ).one()
    authority, unit = authority_and_unit(person)
    return Registration(
        pool_id=event.pool_id,
        event=event,
        person=person,
        state=(
            RegistrationState.AWAITING_RELEASE
            if event.needs_release and not released
            else RegistrationState.WAITING
        ),
        rank=(highest_rank or 0) + 1,
        requested_at=now,
        state_since=now,
        organisation_id=authority.id,
        organisation_name=authority.name,
        organisation_kind=authority.kind,
        unit=unit,
        # A calendar takes an invitation after a cancellation only with a higher SEQUENCE.
        calendar_sequence=0 if last_sequence is None else last_sequence + 1,
    )


@dataclass(frozen=True)
class Decider:
    """Somebody who decides for the sending organisation.

    Attributes:
        name: as the employee and the history read it.
        function: what the person does there, may be empty.
        person_id: None for somebody who reads the functional mailbox.

    """

    name: str
    function: str = ""
    person_id: int | None = None


def own_request() -> DomainError:
    """Return the refusal to decide on one's own request."""
    return DomainError(
        "own_request",
        "Über die eigene Anmeldung entscheidet jemand anderes: Ihre Vertretung, eine andere "
        "Ansprechperson oder die Geschäftsstelle.",
    )


def note_release(
    session: Session,
    registration: Registration,
    decider: Decider,
    now: datetime,
    *,
    outcome: ReleaseOutcome = ReleaseOutcome.RELEASED,
    reason: str = "",
) -> None:
    """Store what the sending organisation decided; each request is decided once."""
    session.add(
        Release(
            registration_id=registration.id,
            outcome=outcome,
            reason=reason,
            at=now,
            person_id=decider.person_id,
            name=decider.name[:LONGEST_DECIDER],
            function=decider.function,
        )
    )


def chain_of(person: Person) -> tuple[int, ...]:
    """Return the authority that a person's place counts for, and the group above it."""
    authority, _ = authority_and_unit(person)
    return chain(authority.id, authority.parent_id)


def authority_and_unit(person: Person) -> tuple[Organisation, str]:
    """Return the authority that counts in statistics and contingents, and the unit in words."""
    organisation, unit = person.organisation, person.unit
    while organisation.level is Level.UNIT and organisation.parent is not None:
        unit = unit or organisation.name
        organisation = organisation.parent
    return organisation, unit[:LONGEST_UNIT]
