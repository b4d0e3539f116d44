from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from tests.conftest import NOW
from tests.factories import make_event, make_organisation, make_person
from tests.inventory.factories import make_card, make_order
from tests.registered import make_registration
from tests.registrations.demand import make_template
from tests.statements import counted_statements
from trainings.core.actors import SYSTEM
from trainings.core.database import db, transaction
from trainings.core.errors import DomainError
from trainings.events.models import EventHost, EventState
from trainings.inventory.orders.models import CardOrder, OrderState
from trainings.office.merging import merge_organisations
from trainings.office.operations import update_organisation
from trainings.organisations.models import Level, Organisation, OrganisationKind, Partnership
from trainings.organisations.operations import OrganisationData
from trainings.people.models import OrganisationContact, Person
from trainings.registrations.models import (
    Contingent,
    CourseRequest,
    Registration,
    RegistrationState,
)

pytestmark = pytest.mark.both_databases


@pytest.fixture
def pair(app: Flask) -> tuple[int, int]:
    with transaction() as session:
        source = make_organisation(session, "Kreis Alt", domains=("alt.example", "beide.example"))
        target = make_organisation(session, "Kreis Neu", domains=("beide.example",))
        return source.id, target.id


def merge(source: int, target: int) -> None:
    with transaction() as session:
        merge_organisations(session, SYSTEM, source, target, NOW)
    db.session.close()


def refused(source: int, target: int) -> str:
    with pytest.raises(DomainError) as refusal:
        merge(source, target)
    return refusal.value.code


def test_merging_moves_people_units_domains_and_contacts_once(pair: tuple[int, int]) -> None:
    source, target = pair
    with transaction() as session:
        old = session.get_one(Organisation, source)
        unit = make_organisation(session, "Ordnungsamt", parent=old, level=Level.UNIT).id
        both = make_person(session, old).id
        only = make_person(session, old).id
        session.add_all(
            [
                OrganisationContact(organisation_id=source, person_id=both),
                OrganisationContact(organisation_id=target, person_id=both, is_deputy=True),
                OrganisationContact(organisation_id=source, person_id=only, is_deputy=True),
            ]
        )
    merge(source, target)
    new = db.session.get_one(Organisation, target)
    old = db.session.get_one(Organisation, source)
    assert set(db.session.scalars(select(Person.organisation_id))) == {target}
    assert db.session.get_one(Organisation, unit).parent_id == target
    assert [row.domain for row in new.domains] == ["alt.example", "beide.example"]
    assert old.domains == []
    assert old.merged_into_id == target
    contacts = db.session.scalars(select(OrganisationContact)).all()
    assert {(row.organisation_id, row.person_id) for row in contacts} == {
        (target, both),
        (target, only),
    }


def test_registrations_keep_the_organisation_they_were_made_under(pair: tuple[int, int]) -> None:
    source, target = pair
    with transaction() as session:
        person = make_person(session, session.get_one(Organisation, source))
        event = make_event(session)
        session.add(
            Registration(
                pool=event.pool,
                event=event,
                person=person,
                state=RegistrationState.PLACED,
                rank=1,
                requested_at=NOW,
                state_since=NOW,
                organisation_id=source,
                organisation_name="Kreis Alt",
                organisation_kind=OrganisationKind.DISTRICT,
                unit="",
            )
        )
    merge(source, target)
    kept = db.session.scalars(select(Registration)).one()
    assert (kept.organisation_id, kept.organisation_name) == (source, "Kreis Alt")


def test_coming_in_house_events_follow_and_past_ones_stay(pair: tuple[int, int]) -> None:
    source, target = pair
    with transaction() as session:
        coming, shared = make_event(session).id, make_event(session).id
        held = make_event(session, state=EventState.HELD).id
        for event_id in (coming, shared, held):
            session.add(EventHost(event_id=event_id, organisation_id=source))
        session.add(EventHost(event_id=shared, organisation_id=target))
    merge(source, target)
    hosts = db.session.execute(select(EventHost.event_id, EventHost.organisation_id)).all()
    assert {tuple(row) for row in hosts} == {
        (coming, target),
        (shared, target),
        (held, source),
    }


def test_requests_for_courses_follow(pair: tuple[int, int]) -> None:
    source, target = pair
    with transaction() as session:
        session.add(
            CourseRequest(
                organisation_id=source,
                template=make_template(session),
                person=make_person(session),
                participants=9,
                period="Herbst",
                created_at=NOW,
            )
        )
    merge(source, target)
    assert db.session.scalars(select(CourseRequest.organisation_id)).all() == [target]


def test_merging_into_itself_or_a_merged_or_retired_one_is_refused(pair: tuple[int, int]) -> None:
    source, target = pair
    assert refused(source, source) == "merge_into_itself"
    assert refused(source, 999_999) == "not_found"
    merge(source, target)
    assert refused(source, target) == "inactive"
    assert refused(target, source) == "inactive"
    with transaction() as session:
        gone = make_organisation(session, "Kreis Drei")
        gone.retired_at = NOW
        third = gone.id
    assert refused(target, third) == "inactive"


def test_merging_below_its_own_unit_is_refused(pair: tuple[int, int]) -> None:
    source, _ = pair
    with transaction() as session:
        old = session.get_one(Organisation, source)
        unit = make_organisation(session, "Ordnungsamt", parent=old, level=Level.UNIT).id
    assert refused(source, unit) == "below_source"


def test_units_that_would_stand_below_a_unit_are_refused(pair: tuple[int, int]) -> None:
    source, target = pair
    with transaction() as session:
        for above in (source, target):
            parent = session.get_one(Organisation, above)
            unit = make_organisation(session, "Ordnungsamt", parent=parent, level=Level.UNIT).id
    assert refused(source, unit) == "children_misplaced"


def test_merging_waits_for_places_that_are_still_held(pair: tuple[int, int]) -> None:
    source, target = pair
    with transaction() as session:
        event = make_event(session)
        session.add(
            Contingent(
                pool_id=event.pool_id, organisation_id=source, places=2, until=event.closes_at
            )
        )
        number = event.number
    with pytest.raises(DomainError, match="contingent_open") as refusal:
        merge(source, target)
    assert number in refusal.value.sentence


def test_an_organisation_stays_in_its_group_while_places_are_held_for_that(app: Flask) -> None:
    with transaction() as session:
        group = make_organisation(session, "Regionalverband", level=Level.GROUP)
        member = make_organisation(session, "Kreis Mitte", parent=group)
        event = make_event(session, capacity=2)
        session.add(
            Contingent(
                pool_id=event.pool_id,
                organisation_id=group.id,
                places=2,
                until=NOW + timedelta(days=1),
            )
        )
        make_registration(session, event, make_person(session, member))
        number, member_id, group_id = event.number, member.id, group.id
    alone = OrganisationData(
        level=Level.AUTHORITY,
        parent_id=None,
        name="Kreis Mitte",
        short_name="Mitte",
        kind=OrganisationKind.CITY,
        partnership=Partnership.PARTNER,
    )
    with pytest.raises(DomainError) as refusal, transaction() as session:
        update_organisation(session, SYSTEM, member_id, alone, NOW)
    assert (refusal.value.code, refusal.value.field) == ("contingent_open", "parent_id")
    assert number in refusal.value.sentence
    with transaction() as session:
        update_organisation(session, SYSTEM, member_id, replace(alone, parent_id=group_id), NOW)
        update_organisation(session, SYSTEM, member_id, alone, NOW + timedelta(days=2))
    assert db.session.get_one(Organisation, member_id).parent_id is None


def test_people_are_locked_in_the_common_order_before_they_move(pair: tuple[int, int]) -> None:
    with transaction() as session:
        for _ in range(2):
            make_person(session, session.get_one(Organisation, pair[0]))
    with counted_statements() as statements:
        merge(*pair)
    of_persons = [" ".join(one.split()) for one in statements if " persons" in one]
    moving = next(i for i, one in enumerate(of_persons) if one.startswith("UPDATE persons"))
    assert "ORDER BY persons.id" in of_persons[moving - 1]
    if db.engine.dialect.name == "postgresql":
        assert of_persons[moving - 1].endswith("FOR NO KEY UPDATE")


def test_open_orders_of_cards_go_on_with_the_organisation_that_goes_on(
    pair: tuple[int, int],
) -> None:
    source, target = pair
    with transaction() as session:
        card, old = make_card(session), session.get_one(Organisation, source)
        still_open = make_order(session, card, organisation=old, state=OrderState.APPROVED).id
        sent = make_order(session, card, organisation=old, state=OrderState.SENT).id
    merge(source, target)
    with transaction() as session:
        moved = session.get_one(CardOrder, still_open)
        assert (moved.organisation_id, moved.organisation_name) == (target, "Kreis Alt")
        assert session.get_one(CardOrder, sent).organisation_id == source
