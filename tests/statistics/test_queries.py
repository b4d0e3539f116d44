"""What is counted, and what is not."""

from __future__ import annotations

from datetime import date

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from tests.conftest import NOW
from tests.factories import make_event, make_organisation, make_person
from tests.inventory.factories import fill, make_card, make_store, new_key
from tests.registered import make_registration
from tests.statements import counted_statements
from trainings.core.actors import SYSTEM
from trainings.core.database import db, transaction
from trainings.events.models import Event, EventKind, EventState
from trainings.inventory.ledger import Booking, lock_stores
from trainings.inventory.models import Movement
from trainings.inventory.rules import EVENT, in_store
from trainings.organisations.models import Level, OrganisationKind
from trainings.registrations.models import LateReason, RegistrationState
from trainings.statistics.exports import as_json
from trainings.statistics.queries import load_statistics
from trainings.statistics.rules import Selection, Statistics

pytestmark = pytest.mark.both_databases


def statistics(selection: Selection | None = None) -> Statistics:
    return load_statistics(db.session(), selection or Selection())


def held(session: Session, year: int = 2025, **values: object) -> Event:
    return make_event(session, state=EventState.HELD, first_day=date(year, 5, 6), **values)  # type: ignore[arg-type]


def test_nothing_is_counted_in_an_empty_database(app: Flask) -> None:
    found = statistics()
    assert (found.total.events, found.total.participations, found.people) == (0, 0, 0)
    assert found.total.capacity_used is None
    assert found.total.no_show_rate is None
    assert found.by_year == {}
    assert found.by_organisation == ()


def test_one_attended_session_makes_a_participation(app: Flask) -> None:
    with transaction() as session:
        event = held(session)
        make_registration(session, event, make_person(session), marks="--ap")
        make_registration(session, event, make_person(session), marks="aaaa")
        make_registration(session, event, make_person(session), marks="----")
    found = statistics()
    assert found.total.participations == 1
    assert found.total.capacity == 12
    assert found.total.capacity_used == pytest.approx(1 / 12)


def test_no_show_is_absent_never_present_and_not_excused(app: Flask) -> None:
    with transaction() as session:
        event = held(session)
        for marks in ("aaaa", "a---", "aaae", "aaap", "eeee", "----"):
            make_registration(session, event, make_person(session), marks=marks)
    found = statistics()
    assert found.total.no_shows == 2
    assert found.total.recorded == 5
    assert found.total.no_show_rate == pytest.approx(0.4)


def test_excused_absence_is_told_from_unexcused_and_never_raises_the_rate(app: Flask) -> None:
    with transaction() as session:
        event = held(session)
        for marks in ("aaaa", "eeee", "aaae", "eeep", "----"):
            make_registration(session, event, make_person(session), marks=marks)
        gone = RegistrationState.WITHDRAWN
        late = make_registration(session, event, make_person(session), state=gone)
        late.late_reason = LateReason.UNSAID
        make_registration(session, event, make_person(session), state=gone)
        to_come = make_event(session)
        early = make_registration(session, to_come, make_person(session), state=gone)
        early.late_reason = LateReason.PERSONAL
    found = statistics()
    assert (found.total.excused, found.total.no_shows, found.total.recorded) == (3, 1, 4)
    assert found.total.no_show_rate == pytest.approx(0.25)
    assert [row.excused for row in found.by_organisation] == [3]
    assert [row.excused for row in found.by_organisation_kind] == [3]
    assert as_json(found)["excused"] == 3
    assert as_json(found)["by_organisation"][0]["excused"] == 3


def test_who_came_without_a_registration_took_part_and_is_never_missing(app: Flask) -> None:
    with transaction() as session:
        event = held(session)
        make_registration(session, event, make_person(session), marks="aaaa")
        for marks in ("pp--", "aaaa", "eeee"):
            make_registration(
                session, event, make_person(session), state=RegistrationState.WALK_IN, marks=marks
            )
    found = statistics()
    assert (found.total.participations, found.people) == (1, 1)
    assert (found.total.no_shows, found.total.excused, found.total.recorded) == (1, 0, 1)
    assert [row.no_shows for row in found.by_organisation] == [1]


def test_somebody_who_comes_twice_is_two_participations_and_one_person(app: Flask) -> None:
    with transaction() as session:
        person = make_person(session)
        for year in (2024, 2025):
            make_registration(session, held(session, year), person, marks="pppp")
    found = statistics()
    assert (found.total.participations, found.people, found.total.organisations) == (2, 1, 1)
    assert {year: part.participations for year, part in found.by_year.items()} == {2024: 1, 2025: 1}


def test_only_events_that_were_held_count(app: Flask) -> None:
    with transaction() as session:
        person = make_person(session)
        for state in EventState:
            event = make_event(session, state=state, first_day=date(2025, 3, 4))
            make_registration(session, event, person, marks="pppp")
    found = statistics()
    assert (found.total.events, found.total.participations) == (1, 1)
    assert found.total.cancelled == 1


def test_an_event_counts_on_its_first_day(app: Flask) -> None:
    with transaction() as session:
        event = make_event(session, state=EventState.HELD, first_day=date(2025, 12, 31))
        make_registration(session, event, make_person(session), marks="--pp")
    assert list(statistics().by_year) == [2025]
    assert statistics(Selection(last=date(2025, 12, 31))).total.events == 1
    assert statistics(Selection(last=date(2025, 12, 30))).total.events == 0
    assert statistics(Selection(first=date(2026, 1, 1))).total.participations == 0


def test_kind_selects_events_and_their_participations(app: Flask) -> None:
    with transaction() as session:
        for kind in (EventKind.TRAINING, EventKind.CONFERENCE):
            make_registration(session, held(session, kind=kind), make_person(session), marks="pppp")
    assert statistics().total.participations == 1
    assert statistics(Selection(kind=None)).total.participations == 2
    by_kind = statistics(Selection(kind=None)).by_kind
    assert list(by_kind) == [EventKind.TRAINING, EventKind.CONFERENCE]
    assert by_kind[EventKind.CONFERENCE].participations == 1


def test_a_unit_counts_to_its_authority(app: Flask) -> None:
    with transaction() as session:
        city = make_organisation(session, "Stadt Musterhausen")
        unit = make_organisation(session, "Ordnungsamt", parent=city, level=Level.UNIT)
        event = held(session)
        make_registration(session, event, make_person(session, city), marks="pppp")
        make_registration(session, event, make_person(session, unit), marks="pppp")
    found = statistics()
    assert found.total.organisations == 1
    assert [(part.name, part.participations) for part in found.by_organisation] == [
        ("Stadt Musterhausen", 2)
    ]


def test_an_organisation_without_participation_is_not_counted(app: Flask) -> None:
    with transaction() as session:
        event = held(session)
        make_registration(session, event, make_person(session), marks="pppp")
        other = make_organisation(session, "Kreis Fern", kind=OrganisationKind.DISTRICT)
        make_registration(session, event, make_person(session, other), marks="aaaa")
    found = statistics()
    assert found.total.organisations == 1
    assert found.by_organisation[1].no_shows == 1


def test_the_kind_of_organisation_is_that_of_the_registration(app: Flask) -> None:
    with transaction() as session:
        person = make_person(session)
        make_registration(session, held(session), person, marks="pppp")
        person.organisation.kind = OrganisationKind.OTHER
    assert [part.kind for part in statistics().by_organisation_kind] == [OrganisationKind.CITY]


def test_a_withdrawn_registration_is_no_no_show(app: Flask) -> None:
    with transaction() as session:
        make_registration(
            session,
            held(session),
            make_person(session),
            state=RegistrationState.WITHDRAWN,
            marks="aaaa",
        )
    assert statistics().total.no_shows == 0


@pytest.mark.parametrize("number", [1, 30])
def test_figures_cost_three_statements_however_many_there_are(app: Flask, number: int) -> None:
    with transaction() as session:
        for year in range(number):
            organisation = make_organisation(session, f"Stadt {year}")
            event = held(session, 1990 + year)
            make_registration(session, event, make_person(session, organisation), marks="pppp")
    db.session.remove()
    with counted_statements() as statements:
        assert statistics().total.participations == number
    assert len(statements) == 3


def test_cards_are_those_handed_out_at_events_that_were_held(app: Flask) -> None:
    with transaction() as session:
        store = make_store(session)
        edition = make_card(session).editions[0]
        fill(session, store, edition, 100)
        locked, here = lock_stores(session, [store.id], NOW), in_store(store.id)
        first, second = held(session, 2024), held(session, 2025)
        off = make_event(session, state=EventState.CANCELLED, first_day=date(2025, 6, 1))
        for _ in range(4):
            make_registration(session, first, make_person(session), marks="pppp")

        def hand_out(event: Event, quantity: int) -> Movement:
            booking = Booking(edition.id, quantity, here, EVENT, event_id=event.id)
            return locked.book(SYSTEM, booking, key=new_key())

        for event, quantity in ((first, 5), (first, 3), (second, 7), (off, 11)):
            hand_out(event, quantity)
        locked.reverse(SYSTEM, hand_out(first, 9).id, reason="falsch", key=new_key())
        locked.book(SYSTEM, Booking(edition.id, 2, EVENT, here, event_id=first.id), key=new_key())
    found = statistics()
    assert {year: part.cards for year, part in found.by_year.items()} == {2024: 6, 2025: 7}
    assert found.total.cards == 13
    assert found.by_year[2024].cards_per_participation == pytest.approx(1.5)
    assert found.by_year[2025].cards_per_participation is None
    shown = as_json(found)
    assert (shown["cards"], shown["cards_per_participation"]) == (13, 3.25)
