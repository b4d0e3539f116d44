"""What the office's admission rests on, loaded in a fixed number of statements."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session, aliased, joinedload

from trainings.events.models import Event
from trainings.organisations.models import Organisation
from trainings.registrations.admission_rules import Candidate, Proposal, fingerprint, propose
from trainings.registrations.models import Registration, RegistrationState
from trainings.registrations.place_queries import (
    by_living_organisation,
    chain,
    load_places,
    seats_elsewhere,
)


@dataclass(frozen=True)
class AdmissionList:
    """The proposal of an event with all whom it concerns.

    Attributes:
        proposals: who is to be admitted, then the others in the order of the waiting list.
        registrations: of those in the proposal, by id, with their persons.
        awaiting: who cannot be admitted yet, since the organisation has not released the request.
        names: of the organisations, by id.
        fingerprint: differs as soon as the proposal rests on something else.

    """

    proposals: list[Proposal]
    registrations: dict[int, Registration]
    awaiting: list[Registration]
    names: dict[int, str]
    fingerprint: str

    def words(self, proposal: Proposal) -> str:
        """Say in German what decided a line."""
        return proposal.words(self.names)


def same_course(event: Event, other: Any = Event) -> ColumnElement[bool]:
    """Return the condition on `other` for the further events of the same format.

    An event that was made without a format is compared by its title.
    """
    same = (
        other.template_id == event.template_id
        if event.template_id is not None
        else and_(other.template_id.is_(None), other.title == event.title)
    )
    return and_(other.id != event.id, same)


def load_admission(
    session: Session, event: Event, attended: Mapping[int, int], now: datetime
) -> AdmissionList:
    """Load who asked, and make the proposal; four statements.

    Args:
        session: for reading, or the open transaction with the lock held.
        event: with its pool.
        attended: how often people took part in events of this format, by person.
        now: the present instant.

    """
    rows = session.execute(_asking(event)).all()
    waiting = [row for row in rows if row[0].state is RegistrationState.WAITING]
    persons = [row[0].person_id for row in waiting]
    elsewhere = seats_elsewhere(session, event.id, persons)
    candidates = [
        Candidate(
            id=registration.id,
            person_id=registration.person_id,
            chain=chain(authority.id, authority.parent_id),
            rank=registration.rank,
            organisation_rank=registration.organisation_rank,
            is_priority=registration.is_priority,
            attended_before=attended.get(registration.person_id, 0),
            turned_away=turned_away,
            elsewhere=elsewhere.get(registration.person_id, ""),
        )
        for registration, authority, _, turned_away in waiting
    ]
    names = {authority.id: authority.name for _, authority, _, _ in rows}
    names |= {above.id: above.name for _, _, above, _ in rows if above is not None}
    places = load_places(session, event.pool, now)
    proposals = propose(places, candidates)
    return AdmissionList(
        proposals=proposals,
        registrations={row[0].id: row[0] for row in waiting},
        awaiting=[row[0] for row in rows if row[0].state is not RegistrationState.WAITING],
        names=names,
        fingerprint=fingerprint(places, proposals),
    )


def _asking(event: Event) -> Any:
    before, then, above = aliased(Registration), aliased(Event), aliased(Organisation)
    # Whoever let an offer pass was not turned away. Whoever still waits after an admission was.
    without_place = or_(
        and_(before.state == RegistrationState.EXPIRED, before.missed_offers == 0),
        and_(before.state == RegistrationState.WAITING, then.admitted_at.is_not(None)),
    )
    turned_away = (
        select(func.count())
        .select_from(before)
        .join(then, before.event_id == then.id)
        .where(before.person_id == Registration.person_id, same_course(event, then), without_place)
        .correlate(Registration)
        .scalar_subquery()
    )
    states = (RegistrationState.WAITING, RegistrationState.AWAITING_RELEASE)
    return (
        by_living_organisation(
            select(Registration, Organisation, above, turned_away).select_from(Registration)
        )
        .outerjoin(above, Organisation.parent_id == above.id)
        .where(Registration.pool_id == event.pool_id, Registration.state.in_(states))
        .order_by(Registration.rank)
        .options(joinedload(Registration.person))
        .execution_options(populate_existing=True)
    )
