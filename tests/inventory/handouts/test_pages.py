"""The pages of the cards at events, the button at the door, and what other pages say of them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from tests.attendance.factories import make_registration, make_trainer
from tests.browser_forms import send, submit
from tests.factories import log_in, make_event, make_person
from tests.inventory.factories import fill, make_card, new_key
from tests.inventory.handouts.factories import Course, box_of, in_box, make_course, moved
from tests.statements import counted_statements
from trainings.core.clock import berlin_day, utc_now
from trainings.core.database import db, transaction
from trainings.core.permissions import Role
from trainings.events.models import Event, EventState, EventTrainer
from trainings.inventory.handouts import operations
from trainings.inventory.handouts.list_queries import event_list
from trainings.inventory.handouts.models import EventCards
from trainings.inventory.handouts.operations import plan_cards, take_along
from trainings.inventory.handouts.queries import event_page
from trainings.inventory.handouts.reads import figures_columns
from trainings.inventory.models import Movement, Store
from trainings.people.models import Person
from trainings.registrations.models import Registration

LIST = "/taschenkarten/veranstaltungen/"
HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def course(app: Flask) -> Course:
    with transaction() as session:
        return make_course(session, first_day=berlin_day(utc_now()))


def page(course: Course) -> str:
    return f"{LIST}{course.number}"


def taken(course: Course, quantity: int = 15) -> None:
    with transaction() as session:
        take_along(
            session, course.trainer_actor, course.event, {course.card: quantity},
            store_id=course.store, trainer_id=course.trainer, key=new_key(), now=utc_now(),
        )  # fmt: skip


def planned(course: Course, quantity: int = 12) -> None:
    with transaction() as session:
        plan_cards(session, course.office_actor, course.event, {course.card: quantity}, utc_now())


def test_a_trainer_takes_along_hands_out_and_brings_back(
    course: Course, client: FlaskClient
) -> None:
    log_in(client, course.trainer)
    card = f"card_{course.card}"
    for data, button in (
        ({f"take-{card}": "15"}, "Als mitgenommen buchen"),
        ({f"out-{card}": "11"}, "Als ausgegeben buchen"),
        ({f"back-{card}": "4"}, "Als zurückgebracht buchen"),
    ):
        answer = submit(client, page(course), data, button=button)
        assert answer.status_code == 303, answer.text
    assert in_box(db.session(), course) == [0, 0]
    assert "11 Karten" not in client.get(LIST).text
    assert [row.quantity for row in moved(db.session(), course)] == [15, 11, 4]
    assert "Planen" not in client.get(page(course)).text


def test_a_form_that_is_sent_twice_books_once(course: Course, client: FlaskClient) -> None:
    log_in(client, course.trainer)
    html = client.get(page(course)).text
    for _ in range(2):
        data = {f"take-card_{course.card}": "15"}
        assert send(client, page(course), html, data, button="Als mitgenommen buchen").location
    assert in_box(db.session(), course) == [15, 0]
    data = {f"take-card_{course.card}": "3"}
    send(client, page(course), html, data, button="Als mitgenommen buchen")
    assert in_box(db.session(), course) == [18, 0]


def test_a_replaced_trainer_only_brings_cards_back(course: Course, client: FlaskClient) -> None:
    taken(course)
    with transaction() as session:
        session.delete(session.get_one(EventTrainer, (course.event, course.trainer)))
    log_in(client, course.trainer)
    assert course.number in client.get(LIST).text
    html = client.get(page(course)).text
    assert "Ağaoğlu" not in html
    assert "Als ausgegeben buchen" not in html
    assert submit(client, page(course), button="Als zurückgebracht buchen").status_code == 303
    assert in_box(db.session(), course) == [0, 0]


@pytest.mark.parametrize("typed", ["abc", "-1", "1,5", "1e3", "1000000000000", "１５", "0", ""])
def test_bad_numbers_get_a_sentence(course: Course, client: FlaskClient, typed: str) -> None:
    log_in(client, course.trainer)
    data = {f"take-card_{course.card}": typed}
    answer = submit(client, page(course), data, button="Als mitgenommen buchen")
    assert answer.status_code == 422
    assert "Bitte" in answer.text
    assert moved(db.session(), course) == []


def test_too_many_is_said_at_the_field(course: Course, client: FlaskClient) -> None:
    log_in(client, course.trainer)
    data = {f"take-card_{course.card}": "201"}
    answer = submit(client, page(course), data, button="Als mitgenommen buchen")
    assert answer.status_code == 409
    assert "sind nur noch 200 Karten" in answer.text
    assert f'id="take-card_{course.card}-fehler"' in answer.text


def test_the_office_plans_and_gives_to_a_trainer(course: Course, client: FlaskClient) -> None:
    log_in(client, course.office)
    card = f"card_{course.card}"
    assert submit(client, page(course), {f"plan-{card}": "12"}, button="Planung speichern").location
    assert db.session.get_one(EventCards, (course.event, course.card)).planned == 12
    assert 'value="12"' in client.get(page(course)).text
    answer = submit(client, page(course), {f"take-{card}": "12"}, button="Als mitgenommen buchen")
    assert answer.status_code == 303
    assert in_box(db.session(), course) == [12, 0]
    html = client.get(f"/koordination/veranstaltungen/{course.number}").text
    assert "12 geplant, 12 mitgenommen, 0 ausgegeben" in html


def test_a_wrong_booking_is_taken_back_by_its_button(course: Course, client: FlaskClient) -> None:
    taken(course)
    log_in(client, course.trainer)
    assert submit(client, page(course), button="Zurücknehmen").status_code == 303
    assert in_box(db.session(), course) == [0, 0]
    assert "zurückgenommen" in client.get(page(course)).text


def test_one_tap_per_person_and_back(course: Course, client: FlaskClient) -> None:
    taken(course)
    log_in(client, course.trainer)
    html = client.get(page(course)).text
    assert 'aria-label="Karte: Ağaoğlu, Kübra"' in html
    for button, left in (("Karte", 14), ("hat Karte", 15)):
        answer = submit(client, page(course), button=button)
        assert answer.location == f"{page(course)}#p-{course.people[0]}"
        assert in_box(db.session(), course) == [left, 0]


def test_a_chosen_card_is_given_alone(course: Course, client: FlaskClient) -> None:
    with transaction() as session:
        sibling = make_card(session, "Schwesterkarte")
        fill(session, session.get_one(Store, course.store), sibling.editions[0], 5)
        wanted = {course.card: 5, sibling.id: 5}
        plan_cards(session, course.office_actor, course.event, wanted, utc_now())
        take_along(
            session, course.trainer_actor, course.event, wanted,
            store_id=course.store, trainer_id=course.trainer, key=new_key(), now=utc_now(),
        )  # fmt: skip
        sibling_id = sibling.id
    log_in(client, course.trainer)
    assert "Schwesterkarte" in client.get(page(course)).text
    submit(client, f"{page(course)}?karte={sibling_id}", button="Karte")
    last = moved(db.session(), course)[-1]
    assert last.edition.card_type_id == sibling_id
    assert in_box(db.session(), course) == [5, 0]


@pytest.mark.parametrize("value", ["abc", "0", "-1", "9" * 30, "１"])
def test_hostile_taps_change_nothing(course: Course, client: FlaskClient, value: str) -> None:
    taken(course)
    log_in(client, course.trainer)
    html = client.get(page(course)).text
    token = html.split('name="csrf_token" value="')[1].split('"')[0]
    for data in ({"give": value}, {"back": value}, {"step": value}, {"extra": value}):
        answer = client.post(page(course), data={"csrf_token": token, **data})
        assert answer.status_code in {404, 422}
        answer = client.post(
            f"/einlass/{course.number}?termin=1", data={"csrf_token": token, **data}
        )
        assert answer.status_code in {400, 404, 422}
    assert len(moved(db.session(), course)) == 1


def test_who_has_nothing_to_do_with_it_gets_a_404(
    app: Flask, course: Course, client: FlaskClient
) -> None:
    with transaction() as session:
        stranger = make_trainer(session).id
        participant = make_person(session).id
    log_in(client, stranger)
    assert client.get(page(course)).status_code == 404
    assert course.number not in client.get(LIST).text
    log_in(client, participant)
    assert client.get(page(course)).status_code == 403


def test_names_are_text(course: Course, client: FlaskClient) -> None:
    long = "Müller-" * 11 + "Ähre"
    with transaction() as session:
        event = session.get_one(Event, course.event)
        make_registration(session, event, family_name=HOSTILE)
        make_registration(session, event, family_name=long)
        session.get_one(Person, course.trainer).family_name = HOSTILE
    taken(course)
    log_in(client, course.office)
    html = client.get(page(course)).text
    assert HOSTILE not in html
    assert long in html


def test_the_list_of_a_trainer_and_of_the_office(course: Course, client: FlaskClient) -> None:
    log_in(client, course.trainer)
    assert "Sie haben noch keine Box" in client.get(LIST).text
    planned(course)
    taken(course)
    html = client.get(LIST).text
    assert "15 Karten" in html
    assert 'href="/taschenkarten/inventuren/"' in html
    with transaction() as session:
        event = session.get_one(Event, course.event)
        event.first_day = event.last_day = berlin_day(utc_now()) - timedelta(days=90)
    html = client.get(LIST).text
    assert "Rest zurückgeben" in html
    assert "Rest zurückgeben oder in der Box lassen" in client.get(page(course)).text
    log_in(client, course.office)
    assert "Vorbei, mit Karten in der Box" in client.get(LIST).text
    submit(client, page(course), button="Als zurückgebracht buchen")
    assert course.number not in client.get(LIST).text
    log_in(client, course.trainer)
    assert "Ihre Box ist leer" in client.get(LIST).text
    assert course.number not in client.get(LIST).text


def test_cards_that_an_old_event_left_in_a_box_are_still_found(app: Flask) -> None:
    today = berlin_day(utc_now())
    with transaction() as session:
        old = make_course(session, first_day=today - timedelta(days=800))
        new = make_event(session, first_day=today)
        session.add(EventTrainer(event_id=new.id, person_id=old.trainer))
        for event_id, quantity in ((old.event, 15), (new.id, 4)):
            take_along(
                session, old.trainer_actor, event_id, {old.card: quantity},
                store_id=old.store, trainer_id=old.trainer, key=new_key(), now=utc_now(),
            )  # fmt: skip
    found = event_list(db.session(), old.office_actor, utc_now())
    assert [line.rest for line in (*found.coming, *found.past)] == [4, 15]
    (card,) = event_page(db.session(), old.office_actor, old.number).cards
    assert card.rest == 15


def test_a_cancelled_event_says_so_and_takes_the_cards_back(
    course: Course, client: FlaskClient
) -> None:
    taken(course)
    with transaction() as session:
        session.get_one(Event, course.event).state = EventState.CANCELLED
    log_in(client, course.trainer)
    html = client.get(page(course)).text
    assert "Die Veranstaltung ist abgesagt" in html
    assert "Als mitgenommen buchen" not in html
    assert "Abgesagt" in client.get(LIST).text
    assert submit(client, page(course), button="Als zurückgebracht buchen").status_code == 303


def test_the_door_has_one_more_button_where_there_are_cards(
    course: Course, client: FlaskClient
) -> None:
    log_in(client, course.trainer)
    door = f"/einlass/{course.number}"
    assert 'name="extra"' not in client.get(door).text
    planned(course)
    assert client.get(door).text.count('name="extra"') == 3
    with transaction() as session:
        first = session.get_one(Event, course.event).sessions[0].id
    answer = submit(client, f"{door}?termin={first}", button="Karte")
    assert answer.status_code == 409
    assert "hat noch niemand Karten in einer Box" in answer.text
    taken(course)
    answer = submit(client, f"{door}?termin={first}", button="Karte")
    assert answer.location == f"{door}?termin={first}#p-{course.people[0]}"
    assert in_box(db.session(), course) == [14, 0]
    submit(client, f"{door}?termin={first}", button="hat Karte")
    assert in_box(db.session(), course) == [15, 0]


@pytest.mark.both_databases
@pytest.mark.parametrize("rows", [1, 30])
def test_pages_cost_the_same_with_one_row_and_with_thirty(
    course: Course, client: FlaskClient, rows: int
) -> None:
    planned(course)
    taken(course)
    with transaction() as session:
        event = session.get_one(Event, course.event)
        for number in range(rows - 1):
            make_registration(session, event, family_name=f"Person {number}")
            make_card(session, f"Karte {number}")
            other = make_event(session, first_day=event.first_day)
            trainer = make_trainer(session, event, other)
            session.add(EventTrainer(event_id=other.id, person_id=course.trainer))
            session.flush()
            take_along(
                session, course.office_actor, other.id, {course.card: 1},
                store_id=course.store, trainer_id=trainer.id, key=new_key(), now=utc_now(),
            )  # fmt: skip
    for person, costs in ((course.trainer, (9, 11, 8)), (course.office, (9, 11, 8))):
        log_in(client, person)
        for url, expected in zip((LIST, page(course), f"/einlass/{course.number}"), costs,
                                 strict=True):  # fmt: skip
            db.session.remove()
            with counted_statements() as statements:
                assert client.get(url).status_code == 200
            assert len(statements) == expected, url


@pytest.mark.both_databases
def test_the_line_of_the_office_says_what_the_page_says(course: Course) -> None:
    planned(course)
    taken(course)
    taken(course, 5)
    with transaction() as session:
        box = box_of(session, course.trainer)
        assert box is not None
        office, now = course.office_actor, utc_now()
        last = session.scalars(select(Movement).order_by(Movement.id.desc())).first()
        assert last is not None
        operations.undo_movement(session, office, course.event, last.id, key=new_key(), now=now)
        operations.hand_out(
            session, office, course.event, {course.card: 3}, store_id=box.id, key=new_key(), now=now
        )
        operations.bring_back(
            session, office, course.event, {course.card: 4},
            box_id=box.id, store_id=course.store, key=new_key(), now=now,
        )  # fmt: skip
        (card,) = event_page(session, office, course.number).cards
        row = session.execute(select(*figures_columns()).where(Event.id == course.event)).one()
    assert tuple(row) == (12, 15, 3) == (card.planned, card.counts.taken, card.counts.handed_out)


def test_a_draft_with_a_plan_is_deleted(app: Flask, course: Course, client: FlaskClient) -> None:
    planned(course)
    with transaction() as session:
        session.get_one(Event, course.event).state = EventState.DRAFT
        for person in course.people:
            session.delete(session.get_one(Registration, person))
    log_in(client, course.office)
    url = f"/koordination/veranstaltungen/{course.number}"
    assert submit(client, url, button="Entwurf löschen").status_code == 303
    assert db.session.get(Event, course.event) is None


def test_roles_of_the_navigation(course: Course, client: FlaskClient) -> None:
    log_in(client, course.trainer)
    assert f'href="{LIST}"' in client.get("/einlass/").text
    with transaction() as session:
        person = make_person(session, roles=(Role.PARTICIPANT,)).id
    log_in(client, person)
    assert f'href="{LIST}"' not in client.get("/").text
