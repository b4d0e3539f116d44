"""The one way to write: inside of a transaction, on fresh rows, with instants in UTC."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import StatementError

from tests.conftest import NOW
from tests.factories import make_person
from trainings.core.database import db, transaction
from trainings.people.models import Person

pytestmark = pytest.mark.both_databases


def test_data_changes_inside_of_a_transaction_only(app: Flask) -> None:
    with transaction() as session:
        person_id = make_person(session).id
    db.session.get_one(Person, person_id).unit = "changed in passing"
    with pytest.raises(RuntimeError, match="inside of transaction"):
        db.session.flush()
    db.session.rollback()
    assert db.session.get_one(Person, person_id).unit == ""


def test_an_error_undoes_everything(app: Flask) -> None:
    with pytest.raises(ZeroDivisionError), transaction() as session:
        make_person(session)
        raise ZeroDivisionError
    assert db.session.scalars(select(Person)).all() == []


def test_a_transaction_forgets_what_was_read_before(app: Flask) -> None:
    with transaction() as session:
        person_id = make_person(session).id
    read_before = db.session.get_one(Person, person_id)
    with transaction() as session:
        assert session.get_one(Person, person_id) is not read_before


def test_an_instant_comes_back_as_the_same_instant_in_utc(app: Flask) -> None:
    berlin = datetime(2026, 7, 1, 12, tzinfo=timezone(timedelta(hours=2)))
    with transaction() as session:
        person = make_person(session)
        person.created_at = berlin
    db.session.remove()
    stored = db.session.scalars(select(Person.created_at)).one()
    assert stored == berlin
    assert stored.utcoffset() == timedelta(0)


def test_an_instant_without_time_zone_is_refused(app: Flask) -> None:
    with pytest.raises(StatementError, match="time zone"), transaction() as session:
        make_person(session).created_at = NOW.replace(tzinfo=None)
        session.flush()
