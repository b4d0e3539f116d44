"""Demand (Bedarf): somebody would take one of several dates, or the next one that is free.

Of each person there is at most one open wish for a format. All registrations of the person for
dates of that format, made while it is open, serve it: the first place ends the others.

A wish is expressed in one transaction, so that nobody is left with half of it: the person is locked
first, then the pools of all its dates by ascending id (`places.with_many_places`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from trainings.core import audit, formats
from trainings.core.actors import Actor
from trainings.core.clock import berlin_day
from trainings.core.errors import DomainError, not_found
from trainings.events.models import Admission, Event, EventState, EventTemplate
from trainings.people.models import Person
from trainings.registrations import demand_mails, mails
from trainings.registrations.affiliation import chain_of
from trainings.registrations.demand_queries import may_wish_for, open_dates, was_expressed
from trainings.registrations.entry import enter
from trainings.registrations.models import (
    ACTIVE,
    NeedKind,
    Registration,
    RegistrationState,
    Wish,
    WishedRegistration,
)
from trainings.registrations.moves import move
from trainings.registrations.place_queries import load_queue
from trainings.registrations.places import LockedPlaces, lock_persons, with_many_places
from trainings.registrations.rules import Seeker, next_places

State = RegistrationState


@dataclass(frozen=True)
class Wished:
    """What came of a wish.

    Attributes:
        wish: open, unless there was a place at once.
        placed: the registration with a place.
        waits: registrations on the other dates; none if there was a place.

    """

    wish: Wish
    placed: Registration | None
    waits: list[Registration]


def express_wish(
    session: Session,
    actor: Actor,
    template_id: int,
    *,
    event_ids: Collection[int],
    next_free: bool,
    needs: Mapping[NeedKind, str] | None = None,
    now: datetime,
) -> Wished:
    """Register for one of several dates: for the first with a free place, else for all of them.

    Where no date has a free place the person waits for each; the first place ends the other waits.
    Somebody who already waits for some of the dates keeps the place in the order there. A second
    wish for the same format adds to the first.

    Args:
        session: the open transaction.
        actor: the person.
        template_id: the format.
        event_ids: dates that would suit.
        next_free: any date will do, those included that do not exist yet.
        needs: what the person needs, as for `register`.
        now: the present instant.

    Raises:
        DomainError: `not_found`, `nothing_chosen`, `retired`, `date_gone`, `already_placed`; for
            one of the dates what `register` refuses, with the date in the sentence. Then nothing is
            registered at all.

    """
    person_id = actor.person_id
    if person_id is None or not may_wish_for(session, actor, template_id, now):
        raise not_found()
    wanted = _wanted(session, actor, template_id, set(event_ids), next_free=next_free, now=now)

    def work(sections: Sequence[LockedPlaces]) -> Wished:
        day = coming_place(session, person_id, template_id, now)
        if day is not None:
            raise DomainError(
                "already_placed",
                f"Sie haben schon einen Platz am {formats.long_date(day)}. Passt Ihnen der Termin "
                "nicht, geben Sie den Platz bitte zuerst unter „Meine Anmeldungen“ zurück.",
            )
        wish = open_wish(session, actor, person_id, template_id, now)
        if not _is_expressed(session, wish):
            wish.created_at = now  # until now it only tied an extra date to a waiting list
        wish.next_free = wish.next_free or next_free
        return _register(
            session, actor, wish, sections, chosen=set(event_ids), needs=needs or {}, now=now
        )

    if wanted:
        return with_many_places(session, sorted(wanted), [person_id], now, work)
    lock_persons(session, [person_id])
    return work([])


def _wanted(
    session: Session,
    actor: Actor,
    template_id: int,
    chosen: set[int],
    *,
    next_free: bool,
    now: datetime,
) -> set[int]:
    """Return the dates that a wish is for, after refusing what cannot be chosen."""
    if not chosen and not next_free:
        raise DomainError(
            "nothing_chosen",
            "Bitte wählen Sie mindestens einen Termin oder den nächsten freien Termin.",
            field="dates",
            status=422,
        )
    template = session.get_one(EventTemplate, template_id)
    if next_free and template.retired_at is not None:
        raise DomainError(
            "retired",
            "Von diesem Format sind keine neuen Termine geplant. Bitte wählen Sie unter den "
            "Terminen, die feststehen.",
            field="next_free",
        )
    known = {row.event_id for row in open_dates(session, actor, template_id, now)}
    if not chosen <= known:
        raise DomainError(
            "date_gone",
            "Einer der gewählten Termine ist nicht mehr offen. Bitte wählen Sie noch einmal.",
            field="dates",
        )
    # Any date means also those that there are already.
    return known if next_free else chosen


def open_wish(
    session: Session, actor: Actor, person_id: int, template_id: int, now: datetime
) -> Wish:
    """Return the open wish of a person for a format, a new one if there is none.

    The person is locked.
    """
    found = session.scalar(
        select(Wish)
        .where(
            Wish.person_id == person_id, Wish.template_id == template_id, Wish.ended_at.is_(None)
        )
        .order_by(Wish.id)
        .execution_options(populate_existing=True)
    )
    if found is not None:
        return found
    wish = Wish(person_id=person_id, template_id=template_id, created_at=now)
    session.add(wish)
    audit.record(session, actor, "wish_expressed", wish, now, template_id=template_id)
    return wish


def _is_expressed(session: Session, wish: Wish) -> bool:
    session.flush()
    found = session.scalar(select(Wish.id).where(Wish.id == wish.id, was_expressed()))
    return found is not None


def coming_place(session: Session, person_id: int, template_id: int, now: datetime) -> date | None:
    """Return the day of somebody's place on a coming date of a format, or None."""
    return session.scalar(
        select(Event.first_day)
        .join(Registration, Registration.event_id == Event.id)
        .where(
            Registration.person_id == person_id,
            Registration.state == State.PLACED,
            Event.template_id == template_id,
            Event.state == EventState.PUBLISHED,
            Event.first_day > berlin_day(now),
        )
        .order_by(Event.first_day)
    )


def _register(
    session: Session,
    actor: Actor,
    wish: Wish,
    sections: Sequence[LockedPlaces],
    *,
    chosen: Collection[int],
    needs: Mapping[NeedKind, str],
    now: datetime,
) -> Wished:
    person = session.get_one(Person, wish.person_id, options=[joinedload(Person.organisation)])
    by_date = sorted(sections, key=lambda places: (places.event.first_day, places.event.id))
    present = _link_present(session, wish, [places.event.id for places in by_date])
    new = [places for places in by_date if places.event.id not in present]
    free = [places for places in new if _has_place_for(places, person)]
    entered: list[tuple[LockedPlaces, Registration]] = []
    for places in free + [places for places in new if places not in free]:
        registration = _enter(places, actor, person.id, needs, asked=places.event.id in chosen)
        if registration is None:
            continue
        entered.append((places, registration))
        if registration.state is State.AWAITING_RELEASE:
            continue
        served = places.fill(actor, "placed_in_order", asked=[registration.id])
        mails.served(session, served, now, ended=places.ended, asked=registration)
        if registration.state is State.PLACED:
            return Wished(wish, registration, [])
    waits = [*present.values(), *(registration for _, registration in entered)]
    waits.sort(key=lambda registration: (registration.event.first_day, registration.id))
    demand_mails.wish_noted(session, wish, person, waits, now)
    return Wished(wish, None, waits)


def _enter(
    places: LockedPlaces,
    actor: Actor,
    person_id: int,
    needs: Mapping[NeedKind, str],
    *,
    asked: bool,
) -> Registration | None:
    event = places.event
    try:
        return enter(
            places,
            actor,
            person_id,
            needs=needs if places.now < event.needs_until else {},
            in_window=True,
        )
    except DomainError as refusal:
        if not asked:
            return None  # any date will do, so one that cannot be is no obstacle
        day = formats.day_span(event.first_day, event.last_day)
        raise DomainError(refusal.code, f"{day}: {refusal.sentence}", field="dates") from refusal


def _link_present(
    session: Session, wish: Wish, event_ids: Sequence[int]
) -> dict[int, Registration]:
    """Let the registrations that are there serve the wish; a place is no wait."""
    found = session.scalars(
        select(Registration)
        .where(
            Registration.person_id == wish.person_id,
            Registration.event_id.in_(event_ids),
            Registration.state.in_(set(ACTIVE) - {State.PLACED}),
        )
        .execution_options(populate_existing=True)
    ).all()
    for registration in found:
        link_to_wish(session, registration, wish)
    return {registration.event_id: registration for registration in found}


def link_to_wish(session: Session, registration: Registration, wish: Wish) -> None:
    """Let a registration serve a wish; one that served an ended wish serves this one now."""
    link = session.get(WishedRegistration, registration.id)
    if link is None:
        session.add(WishedRegistration(registration_id=registration.id, wish_id=wish.id))
    else:
        link.wish_id = wish.id


def _has_place_for(places: LockedPlaces, person: Person) -> bool:
    """Say whether the person would get a place here at once, behind all who wait before."""
    event = places.event
    if event.needs_release or (event.admission is Admission.BY_OFFICE and not event.admitted_at):
        return False
    newcomer = Seeker(0, person.id, chain_of(person))
    queue = [*load_queue(places.session, event), newcomer]
    return newcomer in next_places(places.places(), queue)


def end_wish(session: Session, actor: Actor, wish_id: int, now: datetime) -> Wish:
    """End a wish and leave all waiting lists that it was for; places that were offered go on.

    Args:
        session: the open transaction.
        actor: the person.
        wish_id: of the person.
        now: the present instant.

    Raises:
        DomainError: `not_found`; `wish_over` if it has ended before; `changed_meanwhile`.

    """
    wish = session.get(Wish, wish_id)
    if wish is None or wish.person_id != actor.person_id:
        raise not_found()
    event_ids = [registration.event_id for registration in _active(session, wish)]

    def work(sections: Sequence[LockedPlaces]) -> Wish:
        session.refresh(wish)
        if wish.ended_at is not None:
            raise DomainError(
                "wish_over",
                "Dieser Wunsch besteht nicht mehr. Was gilt, sehen Sie unter „Meine Anmeldungen“.",
            )
        active = _active(session, wish)
        if not {registration.event_id for registration in active} <= set(event_ids):
            raise DomainError(
                "changed_meanwhile",
                "Gerade ist ein Termin dazugekommen. Bitte versuchen Sie es noch einmal.",
            )
        for registration in active:
            move(session, registration, State.WITHDRAWN, actor, reason="wish_ended", now=now)
        wish.ended_at = now
        audit.record(session, actor, "wish_ended", wish, now)
        demand_mails.wish_ended(session, wish, active, now)
        session.flush()
        for places in sections:
            mails.served(session, places.fill(actor, "promoted"), now, ended=places.ended)
        return wish

    if event_ids:
        return with_many_places(session, event_ids, [wish.person_id], now, work)
    lock_persons(session, [wish.person_id])
    return work([])


def _active(session: Session, wish: Wish) -> list[Registration]:
    return list(
        session.scalars(
            select(Registration)
            .join(WishedRegistration, WishedRegistration.registration_id == Registration.id)
            .where(WishedRegistration.wish_id == wish.id, Registration.state.in_(ACTIVE))
            .order_by(Registration.id)
            .execution_options(populate_existing=True)
        )
    )
