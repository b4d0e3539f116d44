"""Tests of the mail to trainers on the day before."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from tests.attendance.factories import FRIDAY, THURSDAY, make_course, make_trainer
from tests.factories import berlin, make_event
from trainings.attendance.door.reminders import (
    is_reminder_time,
    print_path,
    ready_path,
    send_door_reminders,
)
from trainings.core.clock import to_berlin
from trainings.core.database import db, transaction
from trainings.core.outbox import OutgoingMail
from trainings.events.models import Event, EventState, EventTrainer

pytestmark = pytest.mark.both_databases

EVE = THURSDAY - timedelta(days=1)
NOON = berlin(EVE, 12)


def mails() -> list[OutgoingMail]:
    db.session.rollback()
    statement = select(OutgoingMail).where(OutgoingMail.kind == "door_reminder")
    return list(db.session.scalars(statement.order_by(OutgoingMail.id)))


def test_each_trainer_gets_one_mail_from_noon_on_the_day_before(app: Flask) -> None:
    with transaction() as session:
        event = make_course(session)
        addresses = {make_trainer(session, event).email, make_trainer(session, event).email}
        number = event.number
    assert send_door_reminders(NOON - timedelta(minutes=1)) == 0
    assert send_door_reminders(NOON) == 2
    assert {mail.recipient for mail in mails()} == addresses
    said = mails()[0].mail
    assert said.link == ("Gerät vorbereiten", ready_path(number))
    assert said.way_out == ("Papiere zum Ausdrucken", print_path(number))
    assert "Do., 12.03.2026, 09:00–12:15 Uhr" in said.paragraphs[0].replace("\u00a0", " ")
    assert send_door_reminders(NOON + timedelta(hours=1)) == 0
    assert len(mails()) == 2


def test_a_trainer_who_joins_later_is_reminded_until_the_event_begins(app: Flask) -> None:
    with transaction() as session:
        event_id = make_course(session).id
    assert send_door_reminders(NOON) == 0
    with transaction() as session:
        trainer = make_trainer(session)
        session.add(EventTrainer(event_id=event_id, person_id=trainer.id))
    assert send_door_reminders(berlin(THURSDAY, 9)) == 0
    assert send_door_reminders(berlin(THURSDAY, 8, 59)) == 1


@pytest.mark.parametrize("state", [EventState.CANCELLED, EventState.DRAFT])
def test_nobody_is_reminded_of_what_does_not_take_place(app: Flask, state: EventState) -> None:
    with transaction() as session:
        make_trainer(session, make_event(session, first_day=THURSDAY, state=state))
    assert send_door_reminders(NOON) == 0


def test_an_event_that_is_moved_is_reminded_of_before_its_new_day(app: Flask) -> None:
    with transaction() as session:
        event = make_course(session)
        make_trainer(session, event)
        event_id = event.id
        for found in event.sessions:
            found.day = FRIDAY
        event.first_day = event.last_day = FRIDAY
    assert send_door_reminders(NOON) == 0
    assert send_door_reminders(NOON + timedelta(days=1)) == 1
    assert db.session.get_one(Event, event_id).first_day == FRIDAY


def test_the_addresses_in_the_mail_are_those_of_the_pages(app: Flask) -> None:
    with app.test_request_context():
        adapter = app.url_map.bind("")
        assert adapter.match(ready_path("2026-014"))[0] == "scanner.ready_page"
        assert adapter.match(print_path("2026-014"))[0] == "papers.overview"


@given(
    days=st.integers(0, 2000),
    minutes=st.integers(0, 24 * 60 - 1),
    before=st.timedeltas(timedelta(hours=-48), timedelta(hours=72)),
)
def test_the_time_is_between_noon_of_the_day_before_and_the_begin(
    days: int, minutes: int, before: timedelta
) -> None:
    begins = datetime(2024, 1, 2, tzinfo=UTC) + timedelta(days=days, minutes=minutes)
    now = begins - before
    local, first = to_berlin(now), to_berlin(begins)
    day_before = local.date() == first.date() - timedelta(days=1) and local.hour >= 12
    same_day = local.date() == first.date() and now < begins
    assert is_reminder_time(begins, now) == (day_before or same_day)
