"""What people do with places: register, give the place back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from trainings.core import audit
from trainings.core.actors import Actor
from trainings.core.errors import not_found
from trainings.core.permissions import Permission
from trainings.people.models import Person
from trainings.people.operations import join
from trainings.registrations import mails
from trainings.registrations.affiliation import employee
from trainings.registrations.deciders import Decider, own_request
from trainings.registrations.entry import enter
from trainings.registrations.models import (
    LateReason,
    Need,
    NeedKind,
    Registration,
    RegistrationState,
)
from trainings.registrations.moves import move
from trainings.registrations.places import LockedPlaces, begins_at, with_places
from trainings.registrations.rules import is_late, withdrawal_refusal


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
        by = _named(session, actor, released_by) if by_other else ""
        registration = enter(
            places, actor, whom, needs=needs or {}, released_by=released_by, in_window=True
        )
        if registration.state is RegistrationState.AWAITING_RELEASE:
            mails.awaiting_release(session, registration, now, by=by)
            return registration
        served = places.fill(actor, "placed_in_order", asked=[registration.id])
        if registration not in served:
            mails.waiting(session, registration, now, by=by)
        mails.served(session, served, now, ended=places.ended, asked=registration, by=by)
        return registration

    return with_places(session, event_id, [whom], now, work)


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
        move(
            session,
            registration,
            RegistrationState.WITHDRAWN,
            actor,
            reason="withdrawn",
            now=now,
        )
        audit.record(session, actor, "withdrawn", registration, now, event_id=event.id)
        by = "" if actor.person_id == row.person_id else _named(session, actor, None)
        mails.withdrawn(session, registration, now, left=state, by=by)
        session.flush()
        mails.served(session, places.fill(actor, "promoted"), now, ended=places.ended)
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


def _named(session: Session, actor: Actor, decider: Decider | None) -> str:
    """Return who registered or withdrew somebody else, as that person reads it."""
    if actor.person_id is None:
        return decider.name if decider else "Die Geschäftsstelle"
    person = session.get_one(Person, actor.person_id)
    where = "Geschäftsstelle" if actor.may(Permission.OFFICE) else person.organisation.name
    return f"{person.name} ({where})"
