from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date, time, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from tests.conftest import NOW
from tests.factories import berlin, make_event, make_organisation, make_person, make_venue
from trainings.core.actors import SYSTEM
from trainings.core.audit import AuditEntry
from trainings.core.database import db, transaction
from trainings.core.errors import DomainError
from trainings.core.permissions import Role
from trainings.events.details import (
    DoorPolicy,
    EventDetails,
    Policy,
    details_of,
    door_policy_of,
    plans_of,
)
from trainings.events.models import (
    Event,
    EventKind,
    EventSession,
    EventState,
    EventTemplate,
    EventTrainer,
    Pool,
    TemplateSession,
    Visibility,
)
from trainings.events.operations import (
    copy_event,
    create_event,
    create_event_from_template,
    delete_draft,
    mark_held,
    next_event_number,
    publish_event,
)
from trainings.events.planning import (
    set_agenda,
    set_dates_and_place,
    set_draft_capacity,
    set_hosts,
    set_invitations,
    set_trainers,
    update_event,
)
from trainings.events.rules import SessionPlan, deadlines_before

pytestmark = pytest.mark.both_databases
FIRST = date(2026, 4, 16)
MORNING = SessionPlan(FIRST, time(9), time(12, 15), "Vormittag")
AFTERNOON = SessionPlan(FIRST, time(13, 15), time(16, 30), "Nachmittag")


def details(**changes: Any) -> EventDetails:
    plain = EventDetails(
        kind=EventKind.TRAINING,
        title="Professioneller Umgang mit Konflikten",
        summary="Zwei Tage",
        contents="Kommunikation",
        visibility=Visibility.PARTNERS,
        minimum=6,
        opens_at=NOW,
        deadlines=deadlines_before(FIRST, registration_days=14, withdrawal_days=7, needs_days=14),
        policy=Policy(),
    )
    return replace(plain, **changes)


def run(work: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    with transaction() as session:
        result = work(session, SYSTEM, *arguments, **named, now=NOW)
        session.flush()
        return result.id if isinstance(result, Event) else result


def refused(work: Callable[..., Any], *arguments: Any, **named: Any) -> DomainError:
    with pytest.raises(DomainError) as refusal:
        run(work, *arguments, **named)
    return refusal.value


def stored(event_id: int) -> Event:
    db.session.close()
    return db.session.get_one(Event, event_id)


def draft(**changes: Any) -> int:
    sessions = changes.pop("sessions", [MORNING, AFTERNOON])
    capacity = changes.pop("capacity", 12)
    return int(run(create_event, details(**changes), sessions=sessions, capacity=capacity))


def trainer(name: str = "Jördis") -> int:
    with transaction() as session:
        return make_person(session, given_name=name, roles=(Role.TRAINER,)).id


def room() -> tuple[int, int]:
    with transaction() as session:
        venue = make_venue(session)
        return venue.id, venue.rooms[0].id


# Creating


def test_draft_gets_number_uid_days_and_sessions_in_order(app: Flask) -> None:
    event = stored(draft(sessions=[AFTERNOON, MORNING]))
    assert (event.number, event.state, event.version) == ("2026-001", EventState.DRAFT, 1)
    assert re.fullmatch(r"[0-9a-f]{40}", event.uid)
    assert plans_of(event) == [MORNING, AFTERNOON]
    assert (event.first_day, event.last_day) == (FIRST, FIRST)


def test_how_attendance_is_taken_is_copied_and_changed(app: Flask) -> None:
    door = DoorPolicy(certificate_share=65, offline_roster=False)
    event_id = draft(door=door)
    copy_id = run(copy_event, event_id, FIRST + timedelta(days=7))
    assert [door_policy_of(stored(each)) for each in (event_id, copy_id)] == [door, door]
    other = DoorPolicy(certificate_share=100, offline_roster=True)
    run(update_event, copy_id, details(door=other))
    assert door_policy_of(stored(copy_id)) == other
    assert door_policy_of(stored(event_id)) == door


def test_draft_from_a_format_takes_attendance_as_the_format_says(app: Flask) -> None:
    template = make_template()
    with transaction() as session:
        row = session.get_one(EventTemplate, template)
        row.certificate_share, row.offline_roster = 70, False
    event = stored(run(create_event_from_template, template, FIRST))
    assert door_policy_of(event) == DoorPolicy(70, False)


def test_numbers_count_within_the_year_of_the_first_session_and_are_never_reused(
    app: Flask,
) -> None:
    first = draft()
    assert stored(draft()).number == "2026-002"
    winter = replace(MORNING, day=date(2027, 1, 7))
    assert stored(draft(sessions=[winter])).number == "2027-001"
    run(delete_draft, first)
    assert stored(draft()).number == "2026-003"
    with transaction() as session:
        numbers = [next_event_number(session, 2030) for _ in range(3)]
    assert numbers == ["2030-001", "2030-002", "2030-003"]


def test_minimum_above_capacity_and_late_deadlines_are_refused(app: Flask) -> None:
    above = refused(create_event, details(minimum=13), sessions=[MORNING], capacity=12)
    assert (above.code, above.field) == ("minimum_above_capacity", "minimum")
    late = deadlines_before(FIRST, registration_days=-1, withdrawal_days=7, needs_days=7)
    wrong = refused(create_event, details(deadlines=late), sessions=[MORNING], capacity=12)
    assert (wrong.code, wrong.field) == ("wrong_deadlines", "closes_on")
    assert db.session.scalar(select(func.count()).select_from(Event)) == 0


def make_template() -> int:
    with transaction() as session:
        template = EventTemplate(
            kind=EventKind.TRAINING,
            title="Umgang mit Konflikten",
            summary="Kurz",
            contents="Inhalte",
            aim="Ziel",
            agenda=[
                {"day": 1, "begins": "09:00", "ends": "10:30", "title": "A", "is_break": False}
            ],
            capacity=12,
            minimum=6,
            visibility=Visibility.PARTNERS,
            registration_deadline_days=14,
            withdrawal_deadline_days=7,
            needs_deadline_days=10,
            sessions=[
                TemplateSession(
                    position=0, day=1, begins=time(9), ends=time(12), label="Vormittag"
                ),
                TemplateSession(position=1, day=2, begins=time(9), ends=time(15), label="Tag 2"),
            ],
        )
        session.add(template)
        session.flush()
        return template.id


def test_event_from_template_takes_texts_sessions_places_and_deadlines(app: Flask) -> None:
    template = make_template()
    event = stored(run(create_event_from_template, template, FIRST))
    assert (event.title, event.summary) == ("Umgang mit Konflikten", "Kurz\n\nZiel")
    assert [plan.day for plan in plans_of(event)] == [FIRST, FIRST + timedelta(days=1)]
    assert event.closes_at == berlin(date(2026, 4, 3), 0)
    assert event.withdraw_until == berlin(date(2026, 4, 10), 0)
    assert event.needs_until == berlin(date(2026, 4, 7), 0)
    assert (event.pool.capacity, event.minimum, event.template_id) == (12, 6, template)
    assert event.agenda[0]["title"] == "A"


def test_event_at_short_notice_is_open_until_the_day_before(app: Flask) -> None:
    event = stored(run(create_event_from_template, make_template(), date(2026, 3, 6)))
    assert event.closes_at == berlin(date(2026, 3, 6), 0)


def test_retired_or_unknown_template_is_refused(app: Flask) -> None:
    template = make_template()
    with transaction() as session:
        session.get_one(EventTemplate, template).retired_at = NOW
    assert refused(create_event_from_template, template, FIRST).code == "retired"
    assert refused(create_event_from_template, 999, FIRST).code == "not_found"


def test_copy_moves_days_and_deadlines_and_takes_people_and_place(app: Flask) -> None:
    venue_id, room_id = room()
    person = trainer()
    original = draft()
    run(set_dates_and_place, original, sessions=[MORNING], venue_id=venue_id, room_id=room_id)
    run(set_trainers, original, [person])
    copied = stored(run(copy_event, original, FIRST + timedelta(days=28)))
    assert copied.first_day == FIRST + timedelta(days=28)
    assert copied.closes_at == berlin(date(2026, 5, 1), 0)
    assert (copied.venue_id, copied.room_id) == (venue_id, room_id)
    assert [row.person_id for row in copied.trainers] == [person]
    assert (copied.number, copied.state) == ("2026-002", EventState.DRAFT)
    assert copied.uid != stored(original).uid


def test_copy_to_the_same_day_is_refused_unless_people_and_room_are_left_out(app: Flask) -> None:
    venue_id, room_id = room()
    original = draft()
    run(set_dates_and_place, original, sessions=[MORNING], venue_id=venue_id, room_id=room_id)
    run(set_trainers, original, [trainer()])
    assert refused(copy_event, original, FIRST).code == "trainer_booked"
    assert refused(copy_event, original, FIRST, with_trainers=False).code == "room_booked"
    copied = run(copy_event, original, FIRST, with_trainers=False, with_room=False)
    assert stored(copied).room_id is None


# Changing


def test_change_of_a_published_event_raises_its_version_and_of_a_draft_does_not(
    app: Flask,
) -> None:
    with transaction() as session:
        published = make_event(session).id
    event_id = draft()
    for number, version in ((event_id, 1), (published, 2)):
        changed = replace(details_of(stored(number)), title="Neu")
        run(update_event, number, changed)
        run(set_agenda, number, []) if number == event_id else None
        assert (stored(number).title, stored(number).version) == ("Neu", version)


@pytest.mark.parametrize("state", [EventState.HELD, EventState.CANCELLED])
def test_finished_event_is_not_changed(app: Flask, state: EventState) -> None:
    with transaction() as session:
        event_id = make_event(session, state=state).id
    same = details_of(stored(event_id))
    assert refused(update_event, event_id, same).code == "finished"
    assert refused(set_trainers, event_id, []).code == "finished"


def test_dates_place_and_places_of_a_published_event_are_not_changed_here(app: Flask) -> None:
    with transaction() as session:
        event_id = make_event(session).id
    plans = plans_of(stored(event_id))
    place = {"venue_id": None, "room_id": None}
    assert refused(set_dates_and_place, event_id, sessions=plans, **place).code == "not_a_draft"
    places = {"capacity": 3, "organisation_limit": None}
    assert refused(set_draft_capacity, event_id, **places).code == "not_a_draft"
    assert refused(delete_draft, event_id).code == "not_a_draft"


def test_new_dates_of_a_draft_take_its_deadlines_along_and_keep_its_number(app: Flask) -> None:
    event_id = draft()
    later = [replace(MORNING, day=FIRST + timedelta(days=300))]
    run(set_dates_and_place, event_id, sessions=later, venue_id=None, room_id=None)
    event = stored(event_id)
    assert event.number == "2026-001"
    assert event.closes_at == berlin(date(2027, 1, 28), 0)
    assert len(event.sessions) == 1
    assert db.session.scalar(select(func.count()).select_from(EventSession)) == 1


def test_sessions_keep_their_rows_when_they_move(app: Flask) -> None:
    event_id = draft()
    before = [row.id for row in stored(event_id).sessions]
    moved = [replace(plan, day=FIRST + timedelta(days=1)) for plan in (AFTERNOON, MORNING)]
    extra = SessionPlan(FIRST + timedelta(days=2), time(9), time(10))
    run(set_dates_and_place, event_id, sessions=[*moved, extra], venue_id=None, room_id=None)
    after = stored(event_id).sessions
    assert [row.id for row in after[:2]] == before
    assert [row.position for row in after] == [0, 1, 2]


def test_room_of_another_venue_is_refused(app: Flask) -> None:
    event_id = draft()
    venue_id, _ = room()
    with transaction() as session:
        other = make_venue(session, town="Bochum").rooms[0].id
    plans = plans_of(stored(event_id))
    for place, code in (
        ({"venue_id": venue_id, "room_id": other}, "room_elsewhere"),
        ({"venue_id": 999, "room_id": None}, "not_found"),
    ):
        assert refused(set_dates_and_place, event_id, sessions=plans, **place).code == code


def test_capacity_of_a_draft_may_not_fall_below_its_minimum(app: Flask) -> None:
    event_id = draft()
    low = refused(set_draft_capacity, event_id, capacity=5, organisation_limit=None)
    assert (low.code, low.field) == ("minimum_above_capacity", "capacity")
    run(set_draft_capacity, event_id, capacity=20, organisation_limit=3)
    pool = stored(event_id).pool
    assert (pool.capacity, pool.organisation_limit) == (20, 3)


def test_only_people_with_the_role_become_trainers_in_the_order_given(app: Flask) -> None:
    event_id = draft()
    first, second = trainer("A"), trainer("B")
    with transaction() as session:
        nobody = make_person(session).id
    assert refused(set_trainers, event_id, [first, nobody]).code == "not_a_trainer"
    run(set_trainers, event_id, [second, first, second])
    assert [row.person_id for row in stored(event_id).trainers] == [second, first]
    run(set_trainers, event_id, [first])
    assert [(row.person_id, row.position) for row in stored(event_id).trainers] == [(first, 0)]


def test_hosts_and_invitations_are_set_and_unknown_ones_refused(app: Flask) -> None:
    event_id = draft()
    with transaction() as session:
        host = make_organisation(session).id
        guest = make_person(session, email="gast@stadt.example").id
    run(set_hosts, event_id, [host, host])
    run(set_invitations, event_id, ["gast@stadt.example"])
    event = stored(event_id)
    assert [row.organisation_id for row in event.hosts] == [host]
    assert [row.person_id for row in event.invitations] == [guest]
    assert refused(set_hosts, event_id, [host, 999]).code == "not_found"
    unknown = refused(set_invitations, event_id, ["gast@stadt.example", "wer@stadt.example"])
    assert unknown.code == "unknown_people"
    assert "wer@stadt.example" in unknown.sentence
    assert len(stored(event_id).invitations) == 1


# Publishing, closing, deleting


def test_draft_is_published_once_and_only_with_a_venue(app: Flask) -> None:
    event_id = draft()
    assert "Veranstaltungsort" in refused(publish_event, event_id).sentence
    venue_id, room_id = room()
    plans = plans_of(stored(event_id))
    run(set_dates_and_place, event_id, sessions=plans, venue_id=venue_id, room_id=room_id)
    run(publish_event, event_id)
    event = stored(event_id)
    assert (event.state, event.published_at) == (EventState.PUBLISHED, NOW)
    assert refused(publish_event, event_id).code == "illegal_move"
    actions = db.session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)).all()
    assert actions == ["event_created", "event_dates_set", "event_published"]


def test_event_is_held_only_after_its_last_session_has_ended(app: Flask) -> None:
    with transaction() as session:
        over = make_event(session, first_day=NOW.date() - timedelta(days=1), days=1).id
        # NOW is 10:00 in Berlin; its sessions of today end at 16:30.
        running = make_event(session, first_day=NOW.date(), days=1).id
        unborn = make_event(session, state=EventState.DRAFT).id
    assert refused(mark_held, running).code == "not_over"
    assert refused(mark_held, unborn).code == "illegal_move"
    run(mark_held, over)
    assert stored(over).state is EventState.HELD


def test_deleted_draft_leaves_no_rows_but_an_audit_row(app: Flask) -> None:
    event_id = draft()
    run(set_trainers, event_id, [trainer()])
    run(delete_draft, event_id)
    for table in (Event, EventSession, EventTrainer, Pool):
        assert db.session.scalar(select(func.count()).select_from(table)) == 0
    assert "event_deleted" in db.session.scalars(select(AuditEntry.action)).all()
    assert refused(delete_draft, event_id).code == "not_found"
