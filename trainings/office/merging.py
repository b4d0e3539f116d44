"""Merging one organisation into another."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from trainings.core.actors import Actor
from trainings.core.audit import record
from trainings.core.errors import DomainError
from trainings.events.models import Event, EventHost
from trainings.events.rules import LIVE_STATES
from trainings.inventory.orders.operations import move_open_orders
from trainings.office.operations import check_nothing_held
from trainings.organisations.models import Organisation, OrganisationDomain
from trainings.organisations.operations import check_active, lock_organisations
from trainings.organisations.rules import PLACE_SENTENCES, may_stand_below
from trainings.people.models import OrganisationContact, Person
from trainings.registrations.models import CourseRequest
from trainings.registrations.places import lock_persons


def merge_organisations(
    session: Session, actor: Actor, source_id: int, target_id: int, now: datetime
) -> None:
    """Merge an organisation into another one, as authorities merge in life.

    People, contacts, units, mail domains, requests for courses, open orders of cards and the
    invitation to coming in-house events move to the target. Registrations keep the organisation
    under which they were made: history is not rewritten, and statistics follow `merged_into_id`
    where they want to.

    Args:
        session: the open transaction.
        actor: who merges.
        source_id: the organisation that ends.
        target_id: the organisation that goes on.
        now: the present instant.

    Raises:
        DomainError: `not_found`, `merge_into_itself`, `inactive`, `below_source`,
            `children_misplaced` or `contingent_open`.

    """
    if source_id == target_id:
        raise DomainError(
            "merge_into_itself",
            "Eine Organisation lässt sich nicht mit sich selbst zusammenführen.",
            field="target_id",
            status=422,
        )
    source, target = lock_organisations(session, source_id, target_id)
    check_active(source)
    check_active(target)
    _check_tree(session, source, target)
    check_nothing_held(session, source, now)
    if source.parent is not None and source.parent_id != target.parent_id:
        # Those who sit in places held for the one group would sit in the other group's.
        check_nothing_held(session, source.parent, now)

    # By ascending id, as everything else locks persons; the update alone takes them as they come.
    lock_persons(
        session, session.scalars(select(Person.id).where(Person.organisation_id == source.id))
    )
    people = session.execute(
        update(Person).where(Person.organisation_id == source.id).values(organisation_id=target.id)
    )
    session.execute(
        update(Organisation).where(Organisation.parent_id == source.id).values(parent_id=target.id)
    )
    _move_contacts(session, source, target)
    _move_domains(source, target)
    _move_hosts(session, source, target)
    session.execute(
        update(CourseRequest)
        .where(CourseRequest.organisation_id == source.id)
        .values(organisation_id=target.id)
    )
    move_open_orders(session, actor, source.id, target.id, now)
    source.merged_into_id = target.id
    source.retired_at = now
    moved = int(people.rowcount)  # type: ignore[attr-defined]
    record(session, actor, "organisation_merged", source, now, into=target.id, people=moved)


def _check_tree(session: Session, source: Organisation, target: Organisation) -> None:
    above = target.parent
    while above is not None:
        if above.id == source.id:
            raise DomainError(
                "below_source",
                f"{target.name} gehört selbst zu {source.name}. Bitte wählen Sie eine "
                "Organisation, die nicht darunter steht.",
                field="target_id",
            )
        above = above.parent
    levels = session.scalars(
        select(Organisation.level).where(Organisation.parent_id == source.id).distinct()
    )
    for level in levels:
        if not may_stand_below(level, target.level):
            raise DomainError(
                "children_misplaced",
                f"Was zu {source.name} gehört, kann nicht unter {target.name} stehen: "
                f"{PLACE_SENTENCES[level]}",
                field="target_id",
            )


def _move_contacts(session: Session, source: Organisation, target: Organisation) -> None:
    known = set(
        session.scalars(
            select(OrganisationContact.person_id).where(
                OrganisationContact.organisation_id == target.id
            )
        )
    )
    rows = session.scalars(
        select(OrganisationContact).where(OrganisationContact.organisation_id == source.id)
    ).all()
    for row in rows:
        session.delete(row)
        if row.person_id not in known:
            session.add(
                OrganisationContact(
                    organisation_id=target.id, person_id=row.person_id, is_deputy=row.is_deputy
                )
            )


def _move_domains(source: Organisation, target: Organisation) -> None:
    known = {row.domain for row in target.domains}
    moved = [row.domain for row in source.domains if row.domain not in known]
    source.domains.clear()
    target.domains.extend(OrganisationDomain(domain=domain) for domain in moved)


def _move_hosts(session: Session, source: Organisation, target: Organisation) -> None:
    live = select(Event.id).where(Event.state.in_(LIVE_STATES))
    hosted_by = select(EventHost.event_id)
    kept = hosted_by.where(EventHost.organisation_id == target.id)
    mine = EventHost.organisation_id == source.id
    session.execute(
        update(EventHost)
        .where(mine, EventHost.event_id.in_(live), EventHost.event_id.not_in(kept))
        .values(organisation_id=target.id)
    )
    session.execute(delete(EventHost).where(mine, EventHost.event_id.in_(live)))
