"""To which authority somebody belongs: what counts for their places."""

from __future__ import annotations

from trainings.core.actors import Actor
from trainings.organisations.models import Level, Organisation
from trainings.people.models import Person
from trainings.registrations.models import (
    LONGEST_UNIT,
)
from trainings.registrations.place_queries import chain


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


def counts_for(organisation: Organisation) -> Organisation:
    """Return the authority for which a registration made under an organisation counts today.

    As `place_queries.by_living_organisation`, for a single one.
    """
    while True:
        if organisation.merged_into is not None:
            organisation = organisation.merged_into
        elif organisation.level is Level.UNIT and organisation.parent is not None:
            organisation = organisation.parent
        else:
            return organisation
