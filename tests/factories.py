"""Makes rows for tests: each function takes what matters to the test and invents the rest."""

from __future__ import annotations

import itertools
from datetime import date, datetime, time, timedelta

from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from trainings.core.actors import Actor
from trainings.core.clock import berlin_instant, end_of_day
from trainings.core.database import db
from trainings.core.permissions import Role
from trainings.core.text import sort_key
from trainings.events.details import Policy, apply_policy
from trainings.events.models import (
    Event,
    EventKind,
    EventSession,
    EventState,
    Pool,
    Room,
    Venue,
    Visibility,
)
from trainings.organisations.models import (
    Level,
    Organisation,
    OrganisationDomain,
    OrganisationKind,
    Partnership,
)
from trainings.people.models import Account, Person, PersonRole

# Five digits, so that a number that a test writes out (2026-014) is never given by chance.
_numbers = itertools.count(10_001)
AT_ONCE = Policy(offer_days=0)
LONG_AGO = datetime.fromisoformat("2025-01-01T00:00:00+00:00")


def make_organisation(
    session: Session,
    name: str = "Stadt Musterhausen",
    *,
    parent: Organisation | None = None,
    level: Level = Level.AUTHORITY,
    kind: OrganisationKind = OrganisationKind.CITY,
    domains: tuple[str, ...] = (),
) -> Organisation:
    """Add an organisation."""
    organisation = Organisation(
        parent=parent,
        level=level,
        name=name,
        short_name=name[:60],
        sort_key=sort_key(name),
        kind=kind,
        partnership=Partnership.PARTNER,
        domains=[OrganisationDomain(domain=domain) for domain in domains],
    )
    session.add(organisation)
    session.flush()
    return organisation


def make_person(
    session: Session,
    organisation: Organisation | None = None,
    *,
    given_name: str = "Erika",
    family_name: str = "Beispiel",
    email: str = "",
    unit: str = "",
    roles: tuple[Role, ...] = (),
    account: bool = True,
) -> Person:
    """Add a person, with an account unless told otherwise."""
    serial = next(_numbers)
    if organisation is None:
        organisation = session.scalar(select(Organisation).limit(1)) or make_organisation(session)
    person = Person(
        key=f"person-{serial}",
        given_name=given_name,
        family_name=family_name,
        sort_key=sort_key(f"{family_name} {given_name}"),
        email=email or f"person{serial}@stadt-musterhausen.example",
        organisation=organisation,
        unit=unit,
        created_at=LONG_AGO,
        roles=[PersonRole(role=role) for role in roles],
    )
    if account:
        person.account = Account(created_at=LONG_AGO)
        person.informed_at = LONG_AGO
    session.add(person)
    session.flush()
    return person


def make_venue(session: Session, *, town: str = "Essen") -> Venue:
    """Add a venue with one room."""
    venue = Venue(
        name=f"Haus der Bildung {town}",
        street="Musterstraße 1",
        postcode="45127",
        town=town,
        step_free="Aufzug bis in alle Stockwerke",
        rooms=[Room(name="Raum 304", seats=20)],
    )
    session.add(venue)
    session.flush()
    return venue


def make_event(
    session: Session,
    *,
    first_day: date = date(2026, 4, 16),
    days: int = 2,
    capacity: int = 12,
    minimum: int = 6,
    organisation_limit: int | None = None,
    state: EventState = EventState.PUBLISHED,
    visibility: Visibility = Visibility.PARTNERS,
    kind: EventKind = EventKind.TRAINING,
    title: str = "Professioneller Umgang mit Konflikten",
    venue: Venue | None = None,
    opens_at: datetime = LONG_AGO,
    policy: Policy = AT_ONCE,
) -> Event:
    """Add an event with two half days each day, open for registration.

    Whoever waits moves up at once, unless told otherwise.
    """
    serial = next(_numbers)
    last_day = first_day + timedelta(days=days - 1)
    event = Event(
        number=f"{first_day.year}-{serial:03d}",
        uid=f"uid-{serial}",
        kind=kind,
        title=title,
        state=state,
        visibility=visibility,
        pool=Pool(capacity=capacity, organisation_limit=organisation_limit),
        minimum=min(minimum, capacity),
        venue=venue,
        room=venue.rooms[0] if venue else None,
        first_day=first_day,
        last_day=last_day,
        opens_at=opens_at,
        closes_at=end_of_day(first_day - timedelta(days=1)),
        withdraw_until=end_of_day(first_day - timedelta(days=1)),
        needs_until=end_of_day(first_day - timedelta(days=7)),
        created_at=LONG_AGO,
        changed_at=LONG_AGO,
        published_at=None if state is EventState.DRAFT else LONG_AGO,
        cancelled_at=LONG_AGO if state is EventState.CANCELLED else None,
    )
    apply_policy(event, policy)
    for index in range(days):
        day = first_day + timedelta(days=index)
        halves = (("Vormittag", time(9), time(12, 15)), ("Nachmittag", time(13, 15), time(16, 30)))
        for label, begins, ends in halves:
            event.sessions.append(
                EventSession(
                    position=len(event.sessions), day=day, begins=begins, ends=ends, label=label
                )
            )
    session.add(event)
    session.flush()
    return event


def actor_for(person: Person) -> Actor:
    """Return the actor that a person's login stands for."""
    organisation: Organisation | None = person.organisation
    chain = []
    while organisation is not None:
        chain.append(organisation.id)
        organisation = organisation.parent
    roles = frozenset(role.role for role in person.roles)
    in_unit = person.organisation.level is Level.UNIT
    return Actor(person.id, tuple(chain), roles, in_unit=in_unit)


def log_in(client: FlaskClient, person_id: int) -> None:
    """Give the browser the cookie of a person."""
    account = db.session.scalars(select(Account).where(Account.person_id == person_id)).one()
    with client.session_transaction() as cookie:
        cookie["_user_id"] = f"{account.id}:{account.epoch}"
        cookie["_fresh"] = True


def berlin(day: date, hour: int, minute: int = 0) -> datetime:
    """Return an instant given in Berlin time."""
    return berlin_instant(day, time(hour, minute))
