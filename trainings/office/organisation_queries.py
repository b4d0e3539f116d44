"""Organisations with how many people and which events belong to them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from trainings.events.models import Event, EventState
from trainings.office.event_queries import Happening, history_of
from trainings.organisations.models import Organisation
from trainings.organisations.queries import TreeRow, find_organisation, organisation_tree
from trainings.people.models import OrganisationContact, Person
from trainings.people.queries import contacts_of
from trainings.registrations.models import SEATED, Registration


@dataclass(frozen=True)
class OrganisationRow:
    """An organisation in the tree, and how many living people belong to it."""

    tree: TreeRow
    people: int


@dataclass(frozen=True)
class OrganisationEvent:
    """An event and how many places an organisation has or had in it."""

    number: str
    title: str
    first_day: date
    last_day: date
    state: EventState
    places: int


@dataclass(frozen=True)
class OrganisationPage:
    """One organisation with all that belongs to it.

    Attributes:
        organisation: with domains and the one above.
        children: organisations below it.
        contacts: who speaks for it, deputies last.
        people: living people who belong to it.
        events: the latest events in which it has or had places, by the registrations' snapshot.
        history: what happened to it.

    """

    organisation: Organisation
    children: list[Organisation]
    contacts: list[OrganisationContact]
    people: int
    events: list[OrganisationEvent]
    history: list[Happening]


def organisation_rows(session: Session, *, with_inactive: bool) -> list[OrganisationRow]:
    """Return the tree with the number of people; two statements."""
    counted = session.execute(
        select(Person.organisation_id, func.count())
        .where(Person.anonymised_at.is_(None))
        .group_by(Person.organisation_id)
    )
    people = {row[0]: row[1] for row in counted}
    return [
        OrganisationRow(row, people.get(row.organisation.id, 0))
        for row in organisation_tree(session, with_inactive=with_inactive)
    ]


def organisation_page(session: Session, organisation_id: int) -> OrganisationPage:
    """Return one organisation; six statements.

    Raises:
        DomainError: `not_found`.

    """
    organisation = find_organisation(session, organisation_id)
    people = session.scalar(
        select(func.count())
        .select_from(Person)
        .where(Person.organisation_id == organisation_id, Person.anonymised_at.is_(None))
    )
    children = session.scalars(
        select(Organisation)
        .where(Organisation.parent_id == organisation_id)
        .order_by(Organisation.sort_key, Organisation.id)
    )
    return OrganisationPage(
        organisation=organisation,
        children=list(children),
        contacts=contacts_of(session, [organisation_id]),
        people=people or 0,
        events=_events(session, organisation_id),
        history=history_of(session, "organisations", organisation_id),
    )


def _events(session: Session, organisation_id: int) -> list[OrganisationEvent]:
    rows = session.execute(
        select(
            Event.number,
            Event.title,
            Event.first_day,
            Event.last_day,
            Event.state,
            func.count().label("places"),
        )
        .join(Registration, Registration.event_id == Event.id)
        .where(Registration.organisation_id == organisation_id, Registration.state.in_(SEATED))
        .group_by(Event.number, Event.title, Event.first_day, Event.last_day, Event.state)
        .order_by(Event.first_day.desc(), Event.number.desc())
        .limit(20)
    )
    return [OrganisationEvent(*row) for row in rows]
