"""Each invariant: data that break it give its sentence, sound data give none."""

from __future__ import annotations

from datetime import date, time, timedelta

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from tests.attendance.certified import (
    CLOSED_AT,
    certificates_of,
    close,
    make_closed_course,
    mark,
)
from tests.attendance.factories import registration_ids
from tests.conftest import NOW
from tests.factories import actor_for, make_event, make_organisation, make_person, make_venue
from tests.inventory.factories import fill, make_card, make_order, make_store, new_key
from tests.registered import make_registration
from tests.registrations.demand import make_template
from trainings.attendance.certificates.operations import issue_certificates
from trainings.attendance.closing.operations import close_attendance
from trainings.attendance.models import Attendance, AttendanceChange, AttendanceMark, WalkIn
from trainings.attendance.operations import record_attendance
from trainings.cli.checks import (
    CHECKS,
    Check,
    accounts,
    attendance,
    card_orders,
    cards,
    certificates,
    closings,
    events,
    places,
    registrations,
    stocktakes,
    wishes,
)
from trainings.core.actors import SYSTEM
from trainings.core.database import db, transaction
from trainings.core.permissions import Role
from trainings.events.details import Policy
from trainings.events.models import (
    Admission,
    Event,
    EventState,
    EventTrainer,
    NumberSeries,
    ShortNotice,
)
from trainings.inventory.holds import hold
from trainings.inventory.ledger import Booking, lock_stores
from trainings.inventory.models import Balance, Edition, Movement, Reservation, Store
from trainings.inventory.orders.models import CardOrder, CardOrderStep, OrderState
from trainings.inventory.orders.steps import move_order
from trainings.inventory.rules import OTHER, in_store
from trainings.inventory.stocktakes.models import Stocktake, StocktakeState
from trainings.inventory.stocktakes.operations import count_lines, open_stocktake, post_stocktake
from trainings.inventory.stocktakes.queries import load_sheet
from trainings.people.models import Account
from trainings.registrations.deciders import Decider, note_release
from trainings.registrations.models import (
    Contingent,
    Registration,
    RegistrationChange,
    RegistrationState,
    Substitution,
    Wish,
    WishedRegistration,
)

pytestmark = pytest.mark.both_databases

TOMORROW = (NOW + timedelta(days=1)).date()
LATER = date(2026, 5, 5)


def findings(check: Check) -> list[str]:
    db.session.expire_all()
    return check(db.session(), NOW)


def sound_event(session: Session, **values: object) -> Event:
    """Add an event of which nothing is wrong."""
    event = make_event(session, **values)  # type: ignore[arg-type]
    year = event.first_day.year
    series = session.get(NumberSeries, year)
    if series is None:
        session.add(NumberSeries(year=year, last=int(event.number[5:])))
    else:
        series.last = max(series.last, int(event.number[5:]))
    session.flush()
    return event


def test_sound_data_give_no_finding(app: Flask) -> None:
    with transaction() as session:
        make_person(session, roles=(Role.ADMIN,))
        event = sound_event(session, capacity=1, venue=make_venue(session))
        session.add(EventTrainer(event=event, person=make_person(session)))
        make_registration(session, event, make_person(session), marks="pa")
        make_registration(session, event, make_person(session), state=RegistrationState.WAITING)
        make_registration(session, event, make_person(session), state=RegistrationState.WITHDRAWN)
        make_held_cards(session)
        make_sent_order(session)
        make_stocktake(session)
    assert [finding for check in CHECKS for finding in findings(check)] == []


def test_nobody_administers(app: Flask) -> None:
    with transaction() as session:
        make_person(session, roles=(Role.ADMIN,))
    assert findings(accounts.somebody_administers) == []
    with transaction() as session:
        session.scalars(select(Account)).one().disabled_at = NOW
    assert "Niemand kann die Anwendung verwalten" in findings(accounts.somebody_administers)[0]


def test_a_number_above_its_series_would_be_given_again(app: Flask) -> None:
    with transaction() as session:
        event = sound_event(session)
        session.get_one(NumberSeries, 2026).last = int(event.number[5:]) - 1
        other_year = make_event(session, first_day=date(2027, 4, 6))
    found = findings(events.numbers_are_within_their_series)
    assert [finding.split(" liegt ")[0] for finding in found] == [
        f"Die Nummer {event.number}",
        f"Die Nummer {other_year.number}",
    ]


def test_days_differ_from_the_sessions(app: Flask) -> None:
    with transaction() as session:
        early, late, empty = (sound_event(session) for _ in range(3))
        early.first_day -= timedelta(days=1)
        late.last_day += timedelta(days=1)
        empty.sessions.clear()
    assert findings(events.days_equal_the_sessions) == [
        f"Der erste oder letzte Tag von {early.number} stimmt nicht mit den Terminen überein.",
        f"Der erste oder letzte Tag von {late.number} stimmt nicht mit den Terminen überein.",
        f"{empty.number} hat keinen Termin.",
    ]


def test_a_trainer_is_booked_twice(app: Flask) -> None:
    with transaction() as session:
        trainer = make_person(session)
        one, other = sound_event(session, days=1), sound_event(session, state=EventState.DRAFT)
        for event in (one, other, sound_event(session, first_day=LATER)):
            session.add(EventTrainer(event=event, person=trainer))
        past = sound_event(session, state=EventState.CANCELLED)
        session.add(EventTrainer(event=past, person=trainer))
    assert findings(events.no_trainer_is_booked_twice) == [
        f"{one.number} und {other.number} haben zur selben Zeit dieselbe Trainerin oder "
        "denselben Trainer."
    ]


def test_a_room_is_booked_twice(app: Flask) -> None:
    with transaction() as session:
        venue = make_venue(session)
        one, other = (sound_event(session, venue=venue) for _ in range(2))
        sound_event(session, venue=venue, first_day=LATER)
        sound_event(session, venue=venue, state=EventState.CANCELLED)
    assert findings(events.no_room_is_booked_twice) == [
        f"{one.number} und {other.number} stehen zur selben Zeit im selben Raum."
    ]


def test_sessions_that_follow_each_other_do_not_overlap(app: Flask) -> None:
    with transaction() as session:
        venue = make_venue(session)
        morning, afternoon = (sound_event(session, venue=venue, days=1) for _ in range(2))
        del morning.sessions[1]
        del afternoon.sessions[0]
        morning.sessions[0].ends = time(13)
        afternoon.sessions[0].begins = time(13)
    assert findings(events.no_room_is_booked_twice) == []


def test_a_pool_is_overbooked(app: Flask) -> None:
    with transaction() as session:
        event = sound_event(session, capacity=1, minimum=1)
        for _ in range(2):
            make_registration(session, event, make_person(session))
    assert findings(places.no_pool_is_overbooked) == [
        f"{event.number} ist überbucht: 2 Zusagen für 1 Plätze."
    ]


def test_more_places_are_held_than_are_left(app: Flask) -> None:
    with transaction() as session:
        event = sound_event(session, capacity=2, minimum=1)
        make_registration(session, event, make_person(session))
        other = make_organisation(session, "Kreis Fern")
        until = NOW + timedelta(days=1)
        session.add(Contingent(pool_id=event.pool_id, organisation=other, places=2, until=until))
    assert findings(places.held_places_are_kept) == [
        f"{event.number} hält mehr Plätze vor, als frei sind: 1 Zusagen und 2 vorgehaltene bei "
        "2 Plätzen."
    ]
    with transaction() as session:
        session.scalars(select(Contingent)).one().until = NOW
    assert findings(places.held_places_are_kept) == []


def test_an_organisation_has_more_than_it_may(app: Flask) -> None:
    with transaction() as session:
        event = sound_event(session, organisation_limit=1)
        organisation = make_organisation(session)
        for _ in range(2):
            make_registration(session, event, make_person(session, organisation))
        make_registration(session, event, make_person(session, make_organisation(session, "B")))
    assert findings(places.organisation_limits_are_kept) == [
        f"{event.number}: Organisation {organisation.id} hat 2 Plätze, erlaubt sind 1."
    ]


def test_somebody_waits_beside_a_free_place(app: Flask) -> None:
    with transaction() as session:
        free, full, over = (
            sound_event(session, capacity=2, minimum=1, first_day=day)
            for day in (LATER, LATER, date(2026, 2, 3))
        )
        make_registration(session, full, make_person(session))
        make_registration(session, full, make_person(session))
        for event in (free, full, over):
            make_registration(session, event, make_person(session), state=RegistrationState.WAITING)
    assert findings(places.nobody_waits_beside_a_free_place) == [
        f"{free.number}: 1 auf der Warteliste, für die ein Platz frei ist."
    ]


def test_nobody_waits_in_vain_where_the_office_decides(app: Flask) -> None:
    by_office = Policy(offer_days=0, admission=Admission.BY_OFFICE)
    at_short_notice = Policy(offer_days=2, short_notice=ShortNotice.OFFICE)
    with transaction() as session:
        for policy, day in ((by_office, LATER), (at_short_notice, TOMORROW)):
            event = sound_event(session, first_day=day, policy=policy)
            make_registration(session, event, make_person(session), state=RegistrationState.WAITING)
    assert findings(places.nobody_waits_beside_a_free_place) == []


def test_an_offer_has_no_end_or_an_end_no_offer(app: Flask) -> None:
    with transaction() as session:
        event = sound_event(session)
        offered, seated, sound = (
            make_registration(session, event, make_person(session), state=state)
            for state in (
                RegistrationState.OFFERED, RegistrationState.PLACED, RegistrationState.OFFERED,
            )
        )  # fmt: skip
        seated.offer_until = sound.offer_until = NOW
    assert findings(places.offers_have_an_end) == [
        f"{event.number}: Anmeldung {wrong.id} hat ein Angebot ohne Frist oder eine Frist ohne "
        "Angebot."
        for wrong in (offered, seated)
    ]


def test_a_request_waits_for_a_decision_that_was_made(app: Flask) -> None:
    with transaction() as session:
        event = sound_event(session)
        decided, _open = (
            make_registration(
                session, event, make_person(session), state=RegistrationState.AWAITING_RELEASE
            )
            for _ in range(2)
        )
        note_release(session, decided, Decider("Erika Beispiel"), NOW)
    assert findings(places.releases_are_decided_once) == [
        f"{event.number}: Anmeldung {decided.id} wartet auf eine Freigabe, über die entschieden "
        "ist."
    ]


def test_a_substitute_sits_beside_the_one_who_was_replaced(app: Flask) -> None:
    with transaction() as session:
        event = sound_event(session)
        left, stayed = (
            make_registration(session, event, make_person(session), state=state)
            for state in (RegistrationState.SUBSTITUTED, RegistrationState.PLACED)
        )
        sound, wrong = (make_registration(session, event, make_person(session)) for _ in range(2))
        session.add_all(
            [
                Substitution(registration_id=sound.id, replaced_id=left.id),
                Substitution(registration_id=wrong.id, replaced_id=stayed.id),
            ]
        )
    assert findings(registrations.substitutes_sit_in_the_place_of_somebody_else) == [
        f"{event.number}: Anmeldung {wrong.id} steht für jemanden, der den Platz nicht abgegeben "
        "hat."
    ]


def test_somebody_is_registered_twice(app: Flask) -> None:
    with transaction() as session:
        event, person = sound_event(session), make_person(session)
        make_registration(session, event, person)
        # The unique index stands in the way of this, so it has to go first.
        session.execute(text("DROP INDEX uq_registrations_active"))
        try:
            make_registration(session, event, person, state=RegistrationState.WAITING)
            found = registrations.nobody_is_registered_twice(session, NOW)
        finally:
            session.rollback()
    assert found == [f"{event.number}: Person {person.id} ist doppelt angemeldet."]


def test_somebody_sits_in_two_events_at_once(app: Flask) -> None:
    with transaction() as session:
        person = make_person(session)
        one, other = sound_event(session), sound_event(session)
        make_registration(session, one, person)
        make_registration(session, other, person)
        make_registration(session, sound_event(session, first_day=LATER), person)
        make_registration(session, sound_event(session), person, state=RegistrationState.WAITING)
    assert findings(registrations.nobody_sits_in_two_events_at_once) == [
        f"Person {person.id} hat zur selben Zeit Plätze in {one.number} und {other.number}."
    ]


def test_tickets_and_places_do_not_match(app: Flask) -> None:
    with transaction() as session:
        event = sound_event(session)
        without = make_registration(session, event, make_person(session))
        without.ticket = None
        beside = make_registration(
            session, event, make_person(session), state=RegistrationState.WITHDRAWN
        )
        beside.ticket = "ABCDEFGH"
    assert findings(registrations.tickets_belong_to_places) == [
        f"Anmeldung {without.id} hat eine Zusage, aber keine Eintrittskarte.",
        f"Anmeldung {beside.id} hat eine Eintrittskarte, aber keine Zusage.",
    ]


def test_closed_attendance_with_a_time_of_day(app: Flask) -> None:
    with transaction() as session:
        event = sound_event(session, first_day=(NOW - timedelta(days=3)).date())
        registration = make_registration(session, event, make_person(session))
        cell = registration.id, event.sessions[0].id
        record_attendance(session, SYSTEM, *cell, AttendanceMark.PRESENT, now=NOW)
        session.flush()
        assert close_attendance(session, SYSTEM, event.id, NOW)
        number = event.number
    assert findings(closings.closed_attendance_keeps_no_times) == []
    with transaction() as session:
        session.scalars(select(AttendanceChange)).one().at = NOW
    (sentence,) = findings(closings.closed_attendance_keeps_no_times)
    assert number in sentence


def test_marks_differ_from_what_was_recorded(app: Flask) -> None:
    with transaction() as session:
        event = sound_event(session)
        rows = [make_registration(session, event, make_person(session), marks="pa") for _ in "ab"]
        first, second, third = session.scalars(
            select(Attendance).order_by(Attendance.registration_id, Attendance.session_id).limit(3)
        )
        first.mark = AttendanceMark.EXCUSED
        second.late_minutes = 5
        session.delete(third)
        numbers = [rows[0].id, rows[0].id, rows[1].id]
    found = findings(attendance.marks_equal_their_recordings)
    assert [finding.split(":")[0] for finding in found] == [f"Anmeldung {row}" for row in numbers]


def test_somebody_without_a_registration_is_settled_twice_or_elsewhere(app: Flask) -> None:
    with transaction() as session:
        event, other = sound_event(session), sound_event(session, first_day=LATER)
        here = make_registration(session, event, make_person(session))
        there = make_registration(session, other, make_person(session))
        settled = (
            (None, None), (here.id, NOW), (there.id, None), (None, NOW),
        )  # fmt: skip
        for number, (registration_id, dismissed_at) in enumerate(settled):
            session.add(
                WalkIn(
                    id=number + 1,
                    key=f"key-{number}",
                    event_id=event.id,
                    name="Gast",
                    at=NOW,
                    received_at=NOW,
                    registration_id=registration_id,
                    dismissed_at=dismissed_at,
                )
            )
    found = findings(attendance.walk_ins_are_settled_once)
    assert [finding.split()[1] for finding in found] == ["2", "3"]


def test_attendance_without_a_place_or_at_another_event(app: Flask) -> None:
    with transaction() as session:
        event, other = sound_event(session), sound_event(session, first_day=LATER)
        gone = make_registration(
            session, event, make_person(session), state=RegistrationState.WITHDRAWN, marks="p"
        )
        placed = make_registration(session, event, make_person(session))
        session.add(
            Attendance(registration=placed, session=other.sessions[0], mark=AttendanceMark.PRESENT)
        )
    first, second = findings(registrations.attendance_belongs_to_places)
    assert f"gehört zu Anmeldung {gone.id}, die keine Zusage hat" in first
    assert "liegt an einem Termin einer anderen Veranstaltung" in second


@pytest.mark.parametrize(
    ("steps", "sentence"),
    [
        ([], "Der Stand stimmt nicht mit dem Verlauf überein."),
        ([(None, "waiting")], "Der Stand stimmt nicht mit dem Verlauf überein."),
        ([("waiting", "placed")], "Der Verlauf hat eine Lücke."),
        ([(None, "waiting"), ("offered", "placed")], "Der Verlauf hat eine Lücke."),
        (
            [(None, "waiting"), ("waiting", "withdrawn"), ("withdrawn", "placed")],
            "Der Verlauf enthält einen unerlaubten Schritt nach „placed“.",
        ),
    ],
)
def test_a_history_does_not_lead_to_the_state(
    app: Flask, steps: list[tuple[str | None, str]], sentence: str
) -> None:
    with transaction() as session:
        event = sound_event(session)
        registration = make_registration(session, event, make_person(session))
        for change in list(registration.history):
            session.delete(change)
        session.flush()
        for old, new in steps:
            session.add(
                RegistrationChange(
                    registration_id=registration.id,
                    at=NOW,
                    from_state=RegistrationState(old) if old else None,
                    to_state=RegistrationState(new),
                    reason="test",
                )
            )
            session.flush()
        number = registration.id
    assert findings(registrations.histories_lead_to_the_states) == [
        f"Anmeldung {number}: {sentence}"
    ]
    assert db.session.get_one(Registration, number).state is RegistrationState.PLACED


def test_a_wish_has_two_places_or_goes_on_beside_one(app: Flask) -> None:
    with transaction() as session:
        first, second = (sound_event(session, first_day=day) for day in (LATER, TOMORROW))
        people = [make_person(session) for _ in range(3)]
        made = [
            Wish(person=person, template=make_template(session), created_at=NOW)
            for person in people
        ]
        session.add_all(made)
        session.flush()
        twice, goes_on, sound = made
        twice.ended_at = sound.ended_at = NOW
        for wish, events_of in ((twice, (first, second)), (goes_on, (first,)), (sound, (first,))):
            for event in events_of:
                row = make_registration(session, event, wish.person)
                session.add(WishedRegistration(registration_id=row.id, wish_id=wish.id))
    assert findings(wishes.a_wish_gives_one_place) == [
        f"Wunsch {wish.id} von Person {wish.person_id} hat mehr als einen Platz, oder einen und "
        "besteht weiter."
        for wish in (twice, goes_on)
    ]


def test_a_wish_has_ended_and_somebody_waits_on(app: Flask) -> None:
    with transaction() as session:
        first, second = make_event(session), make_event(session, first_day=date(2026, 6, 1))
        wish = Wish(
            person=make_person(session), template=make_template(session), created_at=NOW,
            ended_at=NOW,
        )  # fmt: skip
        session.add(wish)
        session.flush()
        rows = [
            make_registration(session, first, wish.person),
            make_registration(session, second, wish.person, state=RegistrationState.WAITING),
        ]
        for row in rows:
            session.add(WishedRegistration(registration_id=row.id, wish_id=wish.id))
        waits = rows[1].id
    assert findings(wishes.ended_wishes_hold_no_list) == [
        f"Anmeldung {waits} wartet weiter, obwohl ihr Wunsch nicht mehr besteht."
    ]


def test_a_registration_serves_the_wish_of_somebody_else(app: Flask) -> None:
    with transaction() as session:
        row = make_registration(session, sound_event(session), make_person(session))
        wish = Wish(person=make_person(session), template=make_template(session), created_at=NOW)
        session.add(wish)
        session.flush()
        session.add(WishedRegistration(registration_id=row.id, wish_id=wish.id))
    assert findings(wishes.wishes_are_of_one_person) == [
        f"Anmeldung {row.id} gehört zum Wunsch einer anderen Person."
    ]


def certified_event(session: Session, *marks: str) -> Event:
    """Add a closed event with its certificates."""
    event = make_closed_course(session, *marks)
    issue_certificates(session, SYSTEM, event.id, CLOSED_AT)
    return event


CERTIFICATE_CHECKS = (
    certificates.numbers_are_given_once,
    certificates.nobody_has_two_certificates,
    certificates.certificates_agree_with_the_attendance,
)


def test_sound_certificates_give_no_finding(app: Flask) -> None:
    with transaction() as session:
        certified_event(session, "pppp", "ppaa", "aaaa")
    assert [found for check in CERTIFICATE_CHECKS for found in findings(check)] == []


def test_a_certificate_says_what_was_not_attended(app: Flask) -> None:
    with transaction() as session:
        event = certified_event(session, "pppp", "pppp")
        event_id, number = event.id, certificates_of(session, event.id)[1].number
        person = registration_ids(session, event)[1]
        mark(session, person, event.sessions[0].id, AttendanceMark.ABSENT)
    check = certificates.certificates_agree_with_the_attendance
    assert findings(check) == [
        f"Die Bescheinigung {number} stimmt nicht mit der Anwesenheit überein."
    ]
    with transaction() as session:
        close(session, session.get_one(Event, event_id), is_closed=False)
    assert findings(check) == []


def test_a_certificate_of_somebody_who_does_not_take_part(app: Flask) -> None:
    with transaction() as session:
        event = certified_event(session, "pppp")
        (row,) = certificates_of(session, event.id)
        row.registration.state = RegistrationState.WITHDRAWN
        number = row.number
    assert findings(certificates.certificates_agree_with_the_attendance) == [
        f"Die Bescheinigung {number} hat jemand, der nicht teilnahm."
    ]


def test_somebody_has_two_certificates(app: Flask) -> None:
    with transaction() as session:
        event = certified_event(session, "pppp", "pppp")
        first, second = certificates_of(session, event.id)
        second.registration_id = first.registration_id
        expected = (
            f"{event.number}: Anmeldung {first.registration_id} hat mehrere gültige "
            "Bescheinigungen."
        )
    assert findings(certificates.nobody_has_two_certificates) == [expected]


def test_a_number_belongs_to_another_event(app: Flask) -> None:
    with transaction() as session:
        event = certified_event(session, "pppp")
        (row,) = certificates_of(session, event.id)
        row.number = "SIKO-2019-001-001"
        expected = f"Die Bescheinigung SIKO-2019-001-001 gehört zu {event.number}."
    assert findings(certificates.numbers_are_given_once) == [expected]


# Pocket cards


def make_held_cards(session: Session) -> CardOrder:
    """Add 100 cards, 10 of them given away and that reversed, 60 of them held for an order."""
    store, edition = make_store(session), make_card(session).editions[0]
    fill(session, store, edition, 100)
    locked = lock_stores(session, [store.id], NOW)
    given = locked.book(SYSTEM, Booking(edition.id, 10, in_store(store.id), OTHER), key=new_key())
    locked.reverse(SYSTEM, given.id, reason="falsch", key=new_key())
    order = make_order(session, edition.card_type, 60, number="TK-2026-0012")
    order.lines[0].approved = 60
    move_order(session, SYSTEM, order, OrderState.APPROVED, NOW)
    until = NOW + timedelta(days=1)
    hold(locked, order.id, store.id, edition.card_type, quantity=60, until=until)
    return order


def test_a_balance_that_is_not_the_sum_of_its_movements(app: Flask) -> None:
    with transaction() as session:
        make_held_cards(session)
        session.scalars(select(Balance)).one().quantity = 99
    (found,) = findings(cards.balances_equal_the_journal)
    assert "Auflage 1: Der Bestand ist 99, die Bewegungen ergeben 100" in found
    with transaction() as session:
        session.execute(text("DELETE FROM card_balances"))
    (found,) = findings(cards.balances_equal_the_journal)
    assert "ist 0, die Bewegungen ergeben 100" in found


def test_a_balance_without_any_movement(app: Flask) -> None:
    with transaction() as session:
        store, edition = make_store(session), make_card(session).editions[0]
        session.add(Balance(store_id=store.id, edition_id=edition.id, quantity=0))
    assert findings(cards.balances_equal_the_journal) == []
    with transaction() as session:
        session.scalars(select(Balance)).one().quantity = 7
    assert "ist 7, die Bewegungen ergeben 0" in findings(cards.balances_equal_the_journal)[0]


def test_cards_held_for_an_order_that_is_over(app: Flask) -> None:
    with transaction() as session:
        make_held_cards(session).state = OrderState.CANCELLED
    (found,) = findings(cards.holds_belong_to_open_orders)
    assert found == (
        "Bestellung TK-2026-0012 ist „storniert“, und doch sind für sie 60 Karten vorgemerkt."
    )
    with transaction() as session:
        session.scalars(select(Reservation)).one().ended_at = NOW
    assert findings(cards.holds_belong_to_open_orders) == []


def test_more_held_than_there_is(app: Flask) -> None:
    with transaction() as session:
        make_held_cards(session)
        session.scalars(select(Balance)).one().quantity = 59
    (found,) = findings(cards.holds_are_covered)
    assert "60 Karten sind vorgemerkt, aber nur 59 da. Betroffen: TK-2026-0012." in found
    with transaction() as session:
        session.scalars(select(Reservation)).one().until = NOW
    assert findings(cards.holds_are_covered) == []


def test_a_withdrawn_edition_that_is_held(app: Flask) -> None:
    with transaction() as session:
        make_held_cards(session)
        session.scalars(select(Edition)).one().withdrawn_at = NOW
    assert "TK-2026-0012" in findings(cards.nothing_is_held_of_withdrawn_editions)[0]


@pytest.mark.parametrize("change", ["quantity = 9", "source = 'event', event_id = 1"])
def test_a_reversal_that_is_no_mirror(app: Flask, change: str) -> None:
    with transaction() as session:
        make_event(session)
        make_held_cards(session)
        session.execute(text(f"UPDATE card_movements SET {change} WHERE reverses_id IS NOT NULL"))
        reversal = session.scalars(select(Movement).where(Movement.reverses_id.is_not(None))).one()
        numbers = reversal.id, reversal.reverses_id
    assert findings(cards.reversals_mirror_what_they_reverse) == [
        f"Bewegung {numbers[0]} nimmt Bewegung {numbers[1]} zurück, ist aber nicht ihr Gegenteil."
    ]


def test_a_retired_store_with_cards_in_it(app: Flask) -> None:
    with transaction() as session:
        make_held_cards(session)
        store = session.scalars(select(Store)).one()
        store.retired_at = NOW
    assert findings(cards.retired_stores_are_empty) == [
        f"Lager {store.id} ist stillgelegt, enthält aber 100 Karten."
    ]


def make_sent_order(session: Session) -> CardOrder:
    """Add an order for 40 cards that was approved, picked and sent; then a card was reversed."""
    store, edition = make_store(session), make_card(session).editions[0]
    fill(session, store, edition, 100)
    order = make_order(session, edition.card_type, 40, number="TK-2026-0013")
    order.lines[0].approved = 40
    for state in (OrderState.APPROVED, OrderState.PICKED, OrderState.SENT):
        move_order(session, SYSTEM, order, state, NOW)
    locked = lock_stores(session, [store.id], NOW)
    booking = Booking(edition.id, 40, in_store(store.id), OTHER, order_id=order.id)
    sent = locked.book(SYSTEM, booking, key=new_key())
    locked.reverse(SYSTEM, sent.id, reason="nicht angekommen", key=new_key())
    return order


def test_an_order_whose_history_has_a_gap(app: Flask) -> None:
    with transaction() as session:
        order = make_sent_order(session)
        session.delete(order.steps[1])
    assert findings(card_orders.histories_lead_to_the_states) == [
        "Bestellung TK-2026-0013: Der Verlauf hat eine Lücke."
    ]


def test_an_order_whose_state_is_not_that_of_its_last_step(app: Flask) -> None:
    with transaction() as session:
        make_sent_order(session).state = OrderState.RECEIVED
    assert findings(card_orders.histories_lead_to_the_states) == [
        "Bestellung TK-2026-0013: Der Stand stimmt nicht mit dem Verlauf überein."
    ]


def test_an_order_that_went_a_way_that_there_is_not(app: Flask) -> None:
    with transaction() as session:
        order = make_sent_order(session)
        order.steps.append(
            CardOrderStep(at=NOW, from_state=OrderState.SENT, to_state=OrderState.REQUESTED)
        )
        order.state = OrderState.REQUESTED
    assert findings(card_orders.histories_lead_to_the_states) == [
        "Bestellung TK-2026-0013: Der Verlauf enthält einen unerlaubten Schritt nach „requested“."
    ]


@pytest.mark.parametrize("approved", [None, 0])
def test_an_approved_order_of_which_nothing_is_approved(app: Flask, approved: int | None) -> None:
    with transaction() as session:
        make_held_cards(session).lines[0].approved = approved
    (found,) = findings(card_orders.approved_orders_say_how_many)
    assert found.startswith("Bestellung TK-2026-0012 ist „genehmigt“, aber")


def test_an_order_that_was_sent_with_fewer_cards_than_approved(app: Flask) -> None:
    with transaction() as session:
        make_sent_order(session)
        session.execute(text("UPDATE card_movements SET quantity = 39 WHERE order_id IS NOT NULL"))
    (found,) = findings(card_orders.sent_is_what_was_approved)
    assert found.startswith("Bestellung TK-2026-0013: ")
    assert found.endswith("sind 40 Karten zu versenden, gebucht sind 39.")


def test_an_order_that_is_not_sent_and_has_a_movement(app: Flask) -> None:
    with transaction() as session:
        make_sent_order(session).state = OrderState.PICKED
    (found,) = findings(card_orders.sent_is_what_was_approved)
    assert found.endswith("sind 0 Karten zu versenden, gebucht sind 40.")


def make_stocktake(session: Session) -> Stocktake:
    """Add a stocktake that found 97 cards where the book said 100, and one edition uncounted."""
    store, card = make_store(session), make_card(session, editions=2)
    first, second = card.editions
    fill(session, store, first, 100)
    fill(session, store, second, 50)
    actor = actor_for(make_person(session, roles=(Role.COORDINATOR,)))
    stocktake = open_stocktake(session, actor, store.id, NOW)
    count_lines(session, actor, stocktake.id, {first.id: 97}, now=NOW)
    seen = load_sheet(session, actor, stocktake.id, NOW).seen
    return post_stocktake(
        session, actor, stocktake.id, seen=seen, reason="verzählt", left_out=[second.id], now=NOW
    )


def test_a_stocktake_that_booked_something_else_than_it_found(app: Flask) -> None:
    with transaction() as session:
        stocktake = make_stocktake(session)
        session.execute(
            text("UPDATE card_movements SET quantity = 4 WHERE stocktake_id IS NOT NULL")
        )
    (found,) = findings(stocktakes.posted_differences_equal_the_counts)
    assert found.startswith(f"Inventur {stocktake.id}, Lager {stocktake.store_id}, ")
    assert found.endswith("Der Unterschied ist -3, gebucht ist -4.")


def test_a_stocktake_whose_difference_was_never_booked(app: Flask) -> None:
    with transaction() as session:
        make_stocktake(session)
        session.execute(text("DELETE FROM card_movements WHERE stocktake_id IS NOT NULL"))
    (found,) = findings(stocktakes.posted_differences_equal_the_counts)
    assert found.endswith("Der Unterschied ist -3, gebucht ist 0.")


def test_a_stocktake_that_booked_in_another_store(app: Flask) -> None:
    with transaction() as session:
        stocktake = make_stocktake(session)
        other = make_store(session, "Lager Bochum")
        session.execute(
            text(
                f"UPDATE card_movements SET source_store_id = {other.id} "
                "WHERE stocktake_id IS NOT NULL"
            )
        )
        places = stocktake.store_id, other.id
    found = findings(stocktakes.posted_differences_equal_the_counts)
    assert [f"Lager {place}, " in line for place, line in zip(places, found, strict=True)] == [
        True,
        True,
    ]


def test_a_difference_of_a_stocktake_that_was_reversed_is_no_finding(app: Flask) -> None:
    with transaction() as session:
        stocktake = make_stocktake(session)
        booked = session.scalars(
            select(Movement).where(Movement.stocktake_id == stocktake.id)
        ).one()
        lock_stores(session, [stocktake.store_id], NOW).reverse(
            SYSTEM, booked.id, reason="wiedergefunden", key=new_key()
        )
    assert findings(stocktakes.posted_differences_equal_the_counts) == []


@pytest.mark.parametrize("state", [StocktakeState.COUNTING, StocktakeState.ABANDONED])
def test_a_stocktake_that_is_not_posted_and_has_a_movement(
    app: Flask, state: StocktakeState
) -> None:
    with transaction() as session:
        stocktake_id = make_stocktake(session).id
        session.execute(text(f"UPDATE stocktakes SET state = '{state}'"))
    (found,) = findings(stocktakes.only_posted_stocktakes_have_movements)
    assert found.endswith(f" gehört zu Inventur {stocktake_id}, die nicht gebucht ist.")
