from __future__ import annotations

from datetime import time
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from tests.conftest import NOW
from trainings.core.actors import SYSTEM
from trainings.core.database import db, transaction
from trainings.core.errors import DomainError
from trainings.events.details import Policy
from trainings.events.models import EventKind, EventTemplate, Room, TemplateSession, Visibility
from trainings.events.queries import find_place, templates, venues_with_rooms
from trainings.events.venues import (
    RoomPlan,
    TemplateData,
    TemplateSessionPlan,
    VenueData,
    create_template,
    create_venue,
    set_template_retired,
    set_venue_retired,
    update_template,
    update_venue,
)

pytestmark = pytest.mark.both_databases
HALL = VenueData("Haus der Technik", "Hollestraße 1", "45127", "Essen")
FORMAT = TemplateData(
    kind=EventKind.TRAINING,
    title="Umgang mit Konflikten",
    summary="",
    contents="",
    aim="",
    capacity=12,
    minimum=6,
    visibility=Visibility.PARTNERS,
    registration_deadline_days=14,
    withdrawal_deadline_days=7,
    needs_deadline_days=14,
    policy=Policy(),
)
DAY_ONE = TemplateSessionPlan(1, time(9), time(12), "Vormittag")
DAY_TWO = TemplateSessionPlan(2, time(9), time(12), "Vormittag")


def make_hall() -> int:
    rooms = [RoomPlan(None, "Raum 304", 20), RoomPlan(None, "Saal", None)]
    with transaction() as session:
        return create_venue(session, SYSTEM, HALL, rooms=rooms, now=NOW).id


def make_format(**changes: Any) -> int:
    values = {"sessions": [DAY_TWO, DAY_ONE], "agenda": [], **changes}
    with transaction() as session:
        template = create_template(session, SYSTEM, FORMAT, **values, now=NOW)
        session.flush()
        return template.id


def test_rooms_are_renamed_and_added_but_never_deleted(app: Flask) -> None:
    hall = make_hall()
    first = db.session.scalars(select(Room).order_by(Room.id)).first()
    assert first is not None
    plans = [RoomPlan(first.id, "Raum 305", 18), RoomPlan(None, "Foyer", None)]
    with transaction() as session:
        update_venue(session, SYSTEM, hall, HALL, rooms=plans, now=NOW)
    db.session.remove()
    names = db.session.scalars(select(Room.name).order_by(Room.id)).all()
    assert names == ["Raum 305", "Saal", "Foyer"]
    assert find_place(db.session(), hall, first.id) == "Haus der Technik, Essen, Raum 305"
    assert find_place(db.session(), None, None) == ""


def test_two_rooms_of_a_venue_need_two_names(app: Flask) -> None:
    hall = make_hall()
    with pytest.raises(DomainError, match="room_twice"), transaction() as session:
        plans = [RoomPlan(None, "SAAL", None)]
        update_venue(session, SYSTEM, hall, HALL, rooms=plans, now=NOW)
    assert len(db.session.scalars(select(Room)).all()) == 2


def test_retired_venue_and_format_are_not_offered_until_taken_up_again(app: Flask) -> None:
    hall, template = make_hall(), make_format()
    for retired, offered in ((True, 0), (False, 1)):
        with transaction() as session:
            set_venue_retired(session, SYSTEM, hall, retired=retired, now=NOW)
            set_template_retired(session, SYSTEM, template, retired=retired, now=NOW)
        assert len(venues_with_rooms(db.session())) == offered
        assert len(templates(db.session())) == offered


def test_sessions_of_a_format_are_stored_in_order_and_replaced_as_a_whole(app: Flask) -> None:
    template = make_format()
    stored = db.session.get_one(EventTemplate, template)
    assert [row.day for row in stored.sessions] == [1, 2]
    with transaction() as session:
        update_template(session, SYSTEM, template, FORMAT, sessions=[DAY_ONE], agenda=[], now=NOW)
    assert db.session.scalars(select(TemplateSession.day)).all() == [1]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"sessions": []}, "no_session"),
        ({"sessions": [DAY_ONE, DAY_ONE]}, "sessions_overlap"),
        ({"sessions": [TemplateSessionPlan(1, time(9), time(9), "")]}, "ends_before_begin"),
    ],
)
def test_format_without_sensible_sessions_is_refused(
    app: Flask, changes: dict[str, Any], code: str
) -> None:
    with pytest.raises(DomainError, match=code):
        make_format(**changes)


@pytest.mark.parametrize("work", [set_venue_retired, set_template_retired])
def test_unknown_rows_are_not_found(app: Flask, work: Any) -> None:
    with pytest.raises(DomainError, match="not_found"), transaction() as session:
        work(session, SYSTEM, 999, retired=True, now=NOW)
