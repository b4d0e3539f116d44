"""Tests of the mail to trainers who have not closed the attendance."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from tests.attendance.factories import FRIDAY, make_course, make_registration, make_trainer
from tests.concurrency.threads import run_together
from tests.factories import actor_for, berlin, log_in, make_event, make_person
from trainings.attendance.closing.operations import close_attendance, reopen_attendance
from trainings.attendance.closing.reminders import (
    CLOSED_WITHIN,
    closing_path,
    send_closing_reminders,
    unclosed,
)
from trainings.cli.jobs import JOBS
from trainings.core.actors import SYSTEM
from trainings.core.clock import utc_now
from trainings.core.database import db, transaction
from trainings.core.outbox import OutgoingMail
from trainings.core.permissions import Role
from trainings.events.models import Event, EventKind, EventState, EventTrainer

pytestmark = pytest.mark.both_databases

ENDS = berlin(FRIDAY, 16, 30)
DUE = ENDS + CLOSED_WITHIN
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


def mails() -> list[OutgoingMail]:
    db.session.rollback()
    statement = select(OutgoingMail).where(OutgoingMail.kind == "closing_reminder")
    return list(db.session.scalars(statement.order_by(OutgoingMail.id)))


def make_over(trainers: int = 1, **values: object) -> int:
    with transaction() as session:
        event = make_course(session, **values)  # type: ignore[arg-type]
        for _ in range(trainers):
            make_trainer(session, event)
        return event.id


def total(now: object = DUE) -> int:
    db.session.rollback()
    return unclosed(db.session(), now, 8).total  # type: ignore[arg-type]


def test_each_trainer_gets_one_mail_three_days_after_the_last_session(app: Flask) -> None:
    event_id = make_over(trainers=2)
    assert (send_closing_reminders(DUE - MINUTE), total(DUE - MINUTE)) == (0, 0)
    assert (send_closing_reminders(DUE), total()) == (2, 1)
    assert len({mail.recipient for mail in mails()}) == 2
    said = mails()[0].mail
    number = db.session.get_one(Event, event_id).number
    assert said.link == ("Anwesenheit abschließen", closing_path(number))
    text = " ".join((*said.paragraphs, *said.closing)).replace("\u00a0", " ")
    assert "endete am Fr., 13.03.2026" in text
    assert "bekommt erst danach eine Bescheinigung" in text
    assert "bis Fr., 27.03.2026" in text
    assert send_closing_reminders(DUE + DAY) == 0
    assert len(mails()) == 2


def test_workers_at_the_same_time_remind_each_trainer_once(app: Flask) -> None:
    make_over(trainers=6)
    results = run_together(app, [lambda: send_closing_reminders(DUE)] * 3)
    assert sum(found for found in results if isinstance(found, int)) == 6, results
    assert len({mail.recipient for mail in mails()}) == len(mails()) == 6


def test_who_closed_is_not_reminded(app: Flask) -> None:
    event_id = make_over()
    with transaction() as session:
        close_attendance(session, SYSTEM, event_id, ENDS)
    assert (send_closing_reminders(DUE), total()) == (0, 0)


def test_what_was_opened_again_has_three_days_more(app: Flask) -> None:
    event_id = make_over()
    with transaction() as session:
        office = actor_for(make_person(session, roles=(Role.COORDINATOR,)))
        close_attendance(session, SYSTEM, event_id, ENDS)
        reopen_attendance(session, office, event_id, "Nachtrag", ENDS + DAY)
    assert (send_closing_reminders(DUE), total()) == (0, 0)
    assert (send_closing_reminders(DUE + DAY), total(DUE + DAY)) == (1, 1)


@pytest.mark.parametrize("state", [EventState.CANCELLED, EventState.DRAFT])
def test_nobody_is_reminded_of_what_did_not_take_place(app: Flask, state: EventState) -> None:
    make_over(state=state)
    assert (send_closing_reminders(DUE), total()) == (0, 0)


def test_an_event_that_is_marked_as_held_is_as_open(app: Flask) -> None:
    make_over(state=EventState.HELD)
    assert (send_closing_reminders(DUE), total()) == (1, 1)


def test_where_nobody_takes_part_there_is_nothing_to_close(app: Flask) -> None:
    make_over(people=0)
    assert (send_closing_reminders(DUE), total()) == (0, 0)


def test_after_two_weeks_it_is_for_the_office(app: Flask) -> None:
    make_over()
    late = berlin(FRIDAY + timedelta(days=15), 0, 1)
    assert (send_closing_reminders(late), total(late)) == (0, 1)


def test_a_trainer_who_joins_later_is_reminded_as_well(app: Flask) -> None:
    event_id = make_over()
    assert send_closing_reminders(DUE) == 1
    with transaction() as session:
        trainer = make_trainer(session)
        session.add(EventTrainer(event_id=event_id, person_id=trainer.id))
    assert send_closing_reminders(DUE + MINUTE) == 1


def test_a_sitting_promises_no_certificate(app: Flask) -> None:
    make_over(kind=EventKind.WORKING_GROUP)
    assert send_closing_reminders(DUE) == 1
    assert "Bescheinigung" not in " ".join(mails()[0].mail.paragraphs)


def test_the_address_is_that_of_the_page_and_the_worker_knows_the_sweep(app: Flask) -> None:
    with app.test_request_context():
        adapter = app.url_map.bind("")
        assert adapter.match(closing_path("2026-014"))[0] == "closing.close"
    assert "send_closing_reminders" in {job.name for job in JOBS}


def test_the_office_sees_it_on_its_day(app: Flask, client: FlaskClient) -> None:
    today = utc_now().date()
    with transaction() as session:
        log_in(client, make_person(session, roles=(Role.COORDINATOR,)).id)
        numbers = []
        for days in (8, 30):
            event = make_event(session, first_day=today - timedelta(days=days))
            event.title = "<b>Training</b>"
            make_registration(session, event)
            numbers.append(event.number)
    html = client.get("/koordination/").text
    assert "Anwesenheit, die noch offen ist" in html
    assert "2 Veranstaltungen" in html
    assert "<b>Training</b>" not in html
    for number in numbers:
        assert f'href="{closing_path(number)}"' in html
    with transaction() as session:
        for event_id in session.scalars(select(Event.id)):
            close_attendance(session, SYSTEM, event_id, utc_now())
    assert "Anwesenheit, die noch offen ist" not in client.get("/koordination/").text
