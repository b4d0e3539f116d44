"""Who speaks for an organisation, and the requests and places that they see."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, func, or_, select, true
from sqlalchemy.orm import Session

from trainings.core.clock import berlin_day
from trainings.events.models import Event, EventKind, EventState
from trainings.organisations.models import Organisation
from trainings.people.models import OrganisationContact, Person, full_name
from trainings.registrations.models import (
    ACTIVE,
    Registration,
    RegistrationChange,
    RegistrationState,
    Release,
    ReleaseDigest,
)
from trainings.registrations.release_rules import (
    Desks,
    Node,
    Overseen,
    Tree,
    release_deadline,
)
from trainings.registrations.rules import awaits_admission

State = RegistrationState
NOT_RELEASED = "not_released_in_time"
"""The reason with which a request ends that nobody decided."""


def load_tree(session: Session) -> Tree:
    """Load all organisations with what stands above them, in one statement."""
    rows = session.execute(
        select(
            Organisation.id,
            Organisation.level,
            Organisation.parent_id,
            Organisation.merged_into_id,
        )
    )
    return Tree({row[0]: Node(*row[1:]) for row in rows})


def spoken_for(session: Session, person_id: int | None) -> dict[int, str]:
    """Load for which organisations a person speaks, with their names, in one statement."""
    rows = session.execute(
        select(Organisation.id, Organisation.name)
        .join(OrganisationContact, OrganisationContact.organisation_id == Organisation.id)
        .join(Person, OrganisationContact.person_id == Person.id)
        .where(Person.id == person_id, Person.anonymised_at.is_(None))
        .order_by(Organisation.sort_key)
    )
    return {row.id: row.name for row in rows}


def mailbox_of(session: Session, address: str) -> dict[int, str]:
    """Load whose functional mailbox has an address, with their names, in one statement."""
    rows = session.execute(
        select(Organisation.id, Organisation.name)
        .where(Organisation.mailbox == address, *_living())
        .order_by(Organisation.sort_key)
    )
    return {row.id: row.name for row in rows} if address else {}


def load_desks(session: Session) -> Desks:
    """Load who can be asked in each organisation, in two statements."""
    contacts: dict[int, list[int]] = defaultdict(list)
    for organisation_id, person_id in session.execute(
        select(OrganisationContact.organisation_id, OrganisationContact.person_id)
        .join(Person, OrganisationContact.person_id == Person.id)
        .where(Person.anonymised_at.is_(None))
        .order_by(OrganisationContact.is_deputy, Person.sort_key, Person.id)
    ):
        contacts[organisation_id].append(person_id)
    mailboxes = session.execute(
        select(Organisation.id, Organisation.mailbox).where(Organisation.mailbox != "", *_living())
    )
    return Desks(
        {organisation_id: tuple(persons) for organisation_id, persons in contacts.items()},
        {row.id: row.mailbox for row in mailboxes},
    )


def _living() -> tuple[ColumnElement[bool], ...]:
    return Organisation.retired_at.is_(None), Organisation.merged_into_id.is_(None)


def seen_by(overseen: Overseen | None) -> ColumnElement[bool]:
    """Return the condition on `Registration` and `Person` for what somebody oversees.

    Args:
        overseen: None for the office, which sees everything.

    """
    if overseen is None:
        return true()
    return or_(
        Registration.organisation_id.in_(overseen.authorities),
        and_(
            Person.organisation_id.in_(overseen.units),
            Registration.organisation_id.in_(overseen.unit_authorities),
        ),
    )


@dataclass(frozen=True)
class RequestRow:
    """Somebody's registration for a coming event, as the sending organisation sees it."""

    id: int
    person_id: int
    person: str
    organisation_id: int
    organisation: str
    person_organisation_id: int
    unit: str
    state: RegistrationState
    rank: int
    requested_at: datetime
    asked_at: datetime | None
    organisation_rank: int | None
    is_priority: bool

    @property
    def is_open(self) -> bool:
        """Whether it waits for its release."""
        return self.state is State.AWAITING_RELEASE


@dataclass(frozen=True)
class EventRequests:
    """The registrations of an organisation for one event, in the order of the requests.

    Attributes:
        event_id: the event.
        number: of the event.
        kind: of the event.
        title: of the event.
        first_day: of the event.
        last_day: of the event.
        deadline: until when requests can be released.
        is_ranked: the office will give the places and look at the organisation's own order.
        rows: the registrations.

    """

    event_id: int
    number: str
    kind: EventKind
    title: str
    first_day: date
    last_day: date
    deadline: datetime
    is_ranked: bool
    rows: list[RequestRow]

    def only(self, *states: RegistrationState) -> list[RequestRow]:
        """Return the rows in one of these states."""
        return [row for row in self.rows if row.state in states]


def _requests(states: Iterable[RegistrationState]) -> Select[*tuple[Any, ...]]:
    return (
        select(
            Registration.id,
            Registration.person_id,
            Person.title.label("person_title"),
            Person.given_name,
            Person.family_name,
            Person.organisation_id.label("person_organisation_id"),
            Registration.organisation_id,
            Registration.organisation_name,
            Registration.unit,
            Registration.state,
            Registration.rank,
            Registration.requested_at,
            Registration.release_asked_at,
            Registration.organisation_rank,
            Registration.is_priority,
            Event.id.label("event_id"),
            Event.number,
            Event.kind,
            Event.title,
            Event.first_day,
            Event.last_day,
            Event.closes_at,
            Event.admission,
            Event.admitted_at,
        )
        .join(Person, Registration.person_id == Person.id)
        .join(Event, Registration.event_id == Event.id)
        .where(Registration.state.in_(list(states)), Event.state == EventState.PUBLISHED)
        .order_by(Event.first_day, Event.number, Registration.rank)
    )


def coming_requests(
    session: Session,
    overseen: Overseen | None,
    now: datetime,
    states: Iterable[RegistrationState] = ACTIVE,
) -> list[EventRequests]:
    """Load the registrations for coming events that somebody oversees, in one statement.

    Args:
        session: for reading.
        overseen: None for the office.
        now: the present instant.
        states: only these.

    """
    statement = _requests(states).where(seen_by(overseen), Event.last_day >= berlin_day(now))
    return _by_event(session.execute(statement).all())


def open_requests(
    session: Session, overseen: Overseen | None, now: datetime
) -> list[EventRequests]:
    """Load the requests that wait for their release, in one statement."""
    return coming_requests(session, overseen, now, [State.AWAITING_RELEASE])


def _by_event(rows: Sequence[Row[*tuple[Any, ...]]]) -> list[EventRequests]:
    found = []
    for event_id, of_event in groupby(rows, key=lambda row: row.event_id):
        registrations = list(of_event)
        first = registrations[0]
        found.append(
            EventRequests(
                event_id=event_id,
                number=first.number,
                kind=first.kind,
                title=first.title,
                first_day=first.first_day,
                last_day=first.last_day,
                deadline=release_deadline(first.closes_at, first.first_day),
                is_ranked=awaits_admission(first.admission, first.admitted_at),
                rows=[_request_row(row) for row in registrations],
            )
        )
    return found


def _request_row(row: Row[*tuple[Any, ...]]) -> RequestRow:
    return RequestRow(
        id=row.id,
        person_id=row.person_id,
        person=full_name(row.person_title, row.given_name, row.family_name),
        organisation_id=row.organisation_id,
        organisation=row.organisation_name,
        person_organisation_id=row.person_organisation_id,
        unit=row.unit,
        state=row.state,
        rank=row.rank,
        requested_at=row.requested_at,
        asked_at=row.release_asked_at,
        organisation_rank=row.organisation_rank,
        is_priority=row.is_priority,
    )


def named_requests(
    session: Session, overseen: Overseen | None, registration_ids: Collection[int]
) -> dict[int, str]:
    """Load what registrations are called, whatever their state: „Erika Beispiel, 2026-014“.

    Returns:
        By id; what somebody does not oversee is left out.

    """
    rows = session.execute(
        select(
            Registration.id,
            Person.title,
            Person.given_name,
            Person.family_name,
            Event.number,
        )
        .join(Person, Registration.person_id == Person.id)
        .join(Event, Registration.event_id == Event.id)
        .where(Registration.id.in_(registration_ids), seen_by(overseen))
    )
    return {
        row.id: f"{full_name(row.title, row.given_name, row.family_name)}, {row.number}"
        for row in rows
    }


@dataclass(frozen=True)
class Declined:
    """Why a request was declined, and who can be asked."""

    reason: str
    name: str
    function: str


def declined_requests(session: Session, registration_ids: Collection[int]) -> dict[int, Declined]:
    """Load what was said about declined requests, in one statement at most."""
    if not registration_ids:
        return {}
    rows = session.execute(
        select(Release.registration_id, Release.reason, Release.name, Release.function).where(
            Release.registration_id.in_(registration_ids)
        )
    )
    return {row[0]: Declined(*row[1:]) for row in rows}


def not_released_in_time(session: Session, registration_ids: Collection[int]) -> set[int]:
    """Load which requests expired because nobody decided, in one statement at most."""
    if not registration_ids:
        return set()
    return set(
        session.scalars(
            select(RegistrationChange.registration_id).where(
                RegistrationChange.registration_id.in_(registration_ids),
                RegistrationChange.reason == NOT_RELEASED,
            )
        )
    )


def declined_for(session: Session, person_id: int | None, event_id: int) -> Declined | None:
    """Load what was said when a person's last request for an event was declined."""
    row = session.execute(
        select(Registration.state, Release.reason, Release.name, Release.function)
        .outerjoin(Release, Release.registration_id == Registration.id)
        .where(Registration.event_id == event_id, Registration.person_id == person_id)
        .order_by(Registration.id.desc())
        .limit(1)
    ).first()
    if row is None or row.state is not State.DECLINED or row.name is None:
        return None
    return Declined(row.reason, row.name, row.function)


def last_digests(session: Session) -> dict[tuple[int | None, str], datetime]:
    """Load when each recipient got the last digest, in one statement.

    Returns:
        By the id of a contact, or by the address of a mailbox.

    """
    rows = session.execute(
        select(
            ReleaseDigest.person_id,
            ReleaseDigest.recipient,
            func.max(ReleaseDigest.sent_at).label("sent_at"),
        ).group_by(ReleaseDigest.person_id, ReleaseDigest.recipient)
    )
    found: dict[tuple[int | None, str], datetime] = {}
    for row in rows:
        # A contact whose address changed is still the same one.
        key = (row.person_id, "" if row.person_id is not None else row.recipient)
        found[key] = max(row.sent_at, found.get(key, row.sent_at))
    return found
