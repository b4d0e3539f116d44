"""Loads what „Warum (nicht)?“ rests on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from trainings.core.actors import Actor
from trainings.core.errors import not_found
from trainings.events.details import plans_of
from trainings.events.models import Event
from trainings.events.rules import first_overlap
from trainings.organisations.models import Level, Organisation
from trainings.people.models import Person
from trainings.registrations.affiliation import counts_for
from trainings.registrations.entry import window_of
from trainings.registrations.explain_rules import Condition, Facts, deciding, explain
from trainings.registrations.models import (
    SEATED,
    Registration,
    RegistrationChange,
    RegistrationState,
)
from trainings.registrations.place_queries import (
    chain,
    load_places,
    load_pools,
    offers_by_same_wish,
    seats_elsewhere,
)
from trainings.registrations.queries import MyPlace, MyRegistration, visible_to
from trainings.registrations.rules import Places
from trainings.registrations.wording import reason_name


@dataclass(frozen=True)
class Step:
    """One line of the history: what happened, why in words, when, who (empty: the application)."""

    name: str
    note: str
    at: datetime
    actor: str


@dataclass(frozen=True)
class Explanation:
    """Why one person has a place in one event, or has none.

    Attributes:
        person: who.
        registration: the latest, or None.
        conditions: all of them, in the order in which they decide.
        deciding: the one that decides.
        history: of all registrations of the person for the event, the latest first.

    """

    person: Person
    registration: Registration | None
    conditions: list[Condition]
    deciding: Condition
    history: list[Step]


def why_not_yet(
    mine: MyPlace,
    event: Event,
    places: Places,
    now: datetime,
    *,
    elsewhere: str,
    offered: str,
    last_step: tuple[str, str] = ("", ""),
) -> Condition | None:
    """Return what keeps somebody who asked from a place, or None for who is asked or has one.

    Args:
        mine: the person's registration.
        event: with its sessions.
        places: its pool as it is.
        now: the present instant.
        elsewhere: number of an event at the same time with a place of the person, or empty.
        offered: number of another date of the same wish that is offered, or empty.
        last_step: code and note of the last step in its history, if the office has admitted.

    """
    if mine.state in SEATED:
        return None
    facts = Facts(
        window=window_of(event),
        needs_release=event.needs_release,
        admission=event.admission,
        admitted_at=event.admitted_at,
        places=places,
        chain=mine.chain,
        elsewhere=elsewhere,
        offered=offered,
        state=mine.state,
        last_reason=last_step[0],
        last_note=last_step[1],
        ahead=max(mine.position - 1, 0),
    )
    return deciding(facts, now)


def last_steps(session: Session, registration_ids: Iterable[int]) -> dict[int, tuple[str, str]]:
    """Return code and note of the last step of each registration; one statement, or none."""
    ids = list(registration_ids)
    if not ids:
        return {}
    last = (
        select(func.max(RegistrationChange.id))
        .where(RegistrationChange.registration_id.in_(ids))
        .group_by(RegistrationChange.registration_id)
    )
    rows = session.execute(
        select(
            RegistrationChange.registration_id, RegistrationChange.reason, RegistrationChange.note
        ).where(RegistrationChange.id.in_(last))
    )
    return {row.registration_id: (row.reason, row.note) for row in rows}


def explain_own(
    session: Session, everything: Sequence[MyRegistration], now: datetime
) -> dict[int, Condition]:
    """Return by registration what keeps the person from a place; at most three statements.

    Args:
        session: for reading.
        everything: all registrations of the person.
        now: the present instant.

    """
    asking = [mine for mine in everything if mine.place and mine.place.state not in SEATED]
    if not asking:
        return {}
    pools = {mine.event.pool_id: mine.event.pool for mine in asking}
    places, _ = load_pools(
        session, {id_: (pool.capacity, pool.organisation_limit) for id_, pool in pools.items()}, now
    )
    offered = {}
    if any(mine.registration.state is RegistrationState.OFFERED for mine in everything):
        offered = offers_by_same_wish(session, [mine.registration.id for mine in asking])
    steps = last_steps(
        session, [mine.registration.id for mine in asking if mine.event.admitted_at is not None]
    )
    found = {}
    for mine in asking:
        if mine.place is not None:
            condition = why_not_yet(
                mine.place,
                mine.event,
                places[mine.event.pool_id],
                now,
                elsewhere=_own_elsewhere(mine.event, everything),
                offered=offered.get(mine.registration.id, ""),
                last_step=steps.get(mine.registration.id, ("", "")),
            )
            if condition is not None:
                found[mine.registration.id] = condition
    return found


def _own_elsewhere(event: Event, everything: Sequence[MyRegistration]) -> str:
    plans = plans_of(event)
    others = (mine.event for mine in everything if mine.registration.state in SEATED)
    overlapping = (
        other.number
        for other in others
        if other.id != event.id and first_overlap(plans, plans_of(other))
    )
    return next(overlapping, "")


def explain_to_office(session: Session, event: Event, person_id: int, now: datetime) -> Explanation:
    """Load why a person has a place in an event, or has none; eight statements.

    Args:
        session: for reading.
        event: with pool, sessions and trainers.
        person_id: who.
        now: the present instant.

    Raises:
        DomainError: `not_found`, if there is no such person.

    """
    person = _person(session, person_id)
    registrations = _registrations(session, event, person_id)
    latest = registrations[0] if registrations else None
    history = _history(session, registrations)
    organisations = _organisations_of(person)
    visible, ahead = _visible_and_ahead(session, event, person, latest)
    authority = counts_for(latest.organisation) if latest is not None else None
    facts = Facts(
        window=window_of(event),
        needs_release=event.needs_release,
        admission=event.admission,
        admitted_at=event.admitted_at,
        places=load_places(session, event.pool, now),
        chain=(
            chain(authority.id, authority.parent_id)
            if authority is not None
            else tuple(row.id for row in organisations if row.level is not Level.UNIT)
        ),
        visible=visible,
        leads=any(trainer.person_id == person_id for trainer in event.trainers),
        elsewhere=seats_elsewhere(session, event.id, [person_id]).get(person_id, ""),
        offered=offers_by_same_wish(session, [latest.id]).get(latest.id, "") if latest else "",
        state=latest.state if latest else None,
        since=latest.state_since if latest else None,
        last_reason=history[0][0] if history else "",
        last_note=history[0][1].note if history else "",
        ahead=ahead,
        offer_until=latest.offer_until if latest else None,
        missed_offers=latest.missed_offers if latest else 0,
    )
    return Explanation(
        person=person,
        registration=latest,
        conditions=explain(facts, now),
        deciding=deciding(facts, now),
        history=[step for _, step in history],
    )


def _person(session: Session, person_id: int) -> Person:
    person = (
        session.scalars(
            select(Person)
            .where(Person.id == person_id)
            .options(
                joinedload(Person.roles),
                joinedload(Person.organisation)
                .joinedload(Organisation.parent)
                .joinedload(Organisation.parent),
            )
        )
        .unique()
        .one_or_none()
    )
    if person is None:
        raise not_found()
    return person


def _organisations_of(person: Person) -> list[Organisation]:
    """Return the person's organisation and those above it, nearest first."""
    found = []
    organisation: Organisation | None = person.organisation
    while organisation is not None:
        found.append(organisation)
        organisation = organisation.parent
    return found


def _registrations(session: Session, event: Event, person_id: int) -> Sequence[Registration]:
    return session.scalars(
        select(Registration)
        .where(Registration.event_id == event.id, Registration.person_id == person_id)
        .order_by(Registration.id.desc())
        .options(joinedload(Registration.organisation))
    ).all()


def _history(session: Session, registrations: Sequence[Registration]) -> list[tuple[str, Step]]:
    rows = session.execute(
        select(RegistrationChange, Person)
        .outerjoin(Person, RegistrationChange.actor_person_id == Person.id)
        .where(RegistrationChange.registration_id.in_([row.id for row in registrations]))
        .order_by(RegistrationChange.id.desc())
    )
    return [
        (
            change.reason,
            Step(reason_name(change.reason), change.note, change.at, actor.name if actor else ""),
        )
        for change, actor in rows
    ]


def _visible_and_ahead(
    session: Session, event: Event, person: Person, latest: Registration | None
) -> tuple[bool, int]:
    actor = Actor(
        person.id,
        tuple(row.id for row in _organisations_of(person)),
        frozenset(row.role for row in person.roles),
    )
    ahead = select(func.count()).where(
        Registration.pool_id == event.pool_id, Registration.state == RegistrationState.WAITING
    )
    if latest is not None and latest.is_active:
        ahead = ahead.where(Registration.rank < latest.rank)
    row = session.execute(
        select(
            select(func.count())
            .where(Event.id == event.id, visible_to(actor))
            .correlate(None)
            .scalar_subquery(),
            ahead.scalar_subquery(),
        )
    ).one()
    return bool(row[0]), int(row[1] or 0)
