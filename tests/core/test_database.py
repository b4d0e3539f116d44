"""The one way to write: inside of a transaction, on fresh rows, with instants in UTC."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import make_url, select, text
from sqlalchemy.exc import IntegrityError, StatementError

from tests.conftest import NOW
from tests.factories import make_person
from trainings.core.database import db, transaction
from trainings.core.settings import Settings
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


def test_errors_do_not_quote_the_parameters(app: Flask) -> None:
    with transaction() as session:
        make_person(session, email="erika@stadt-essen.example")
    insert = text("INSERT INTO persons SELECT * FROM persons WHERE email = :email")
    with pytest.raises(IntegrityError) as refused, transaction() as session:
        session.execute(insert, {"email": "erika@stadt-essen.example"})
    assert "INSERT INTO persons" in str(refused.value)
    assert "erika@" not in str(refused.value)


def test_what_is_deleted_leaves_no_bytes_in_the_file(
    app: Flask, settings: Settings, backend: str
) -> None:
    if backend != "sqlite":
        # PostgreSQL has no such switch; feedback/surveys/settling.py says what is done there.
        return
    path = Path(make_url(settings.database_url).database or "")
    secret = "Sonnenblumenkernbrot"

    def is_in_the_file() -> bool:
        db.session.remove()
        with db.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        return secret.encode() in path.read_bytes()

    with transaction() as session:
        person_id = make_person(session, family_name=secret, account=False).id
    assert is_in_the_file()
    with transaction() as session:
        session.delete(session.get_one(Person, person_id))
    assert not is_in_the_file()
