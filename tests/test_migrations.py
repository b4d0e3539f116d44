"""The migrations lead to the tables that the models describe, on both databases, up and down."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy import Engine, inspect, select, text
from sqlalchemy.exc import IntegrityError

from tests.factories import LONG_AGO, make_event, make_person
from tests.registered import make_registration
from trainings.attendance.ledger import new_key
from trainings.attendance.models import AttendanceChange, AttendanceMark, RecordingKind
from trainings.attendance.reads import load_all_changes
from trainings.attendance.rules import NOTHING, fold
from trainings.core.database import db, transaction
from trainings.core.outbox import Mail, MailState, OutgoingMail, post
from trainings.models import metadata

pytestmark = pytest.mark.both_databases
ALEMBIC_TABLE = "alembic_version"


def describe_schema(engine: Engine) -> dict[str, Any]:
    """Return tables, columns, keys, indexes and constraints by name, comparable."""
    inspector = inspect(engine)
    schema: dict[str, Any] = {}
    for table in inspector.get_table_names():
        if table == ALEMBIC_TABLE:
            continue
        schema[table] = {
            "columns": {
                column["name"]: (str(column["type"]), column["nullable"])
                for column in inspector.get_columns(table)
            },
            "primary key": inspector.get_pk_constraint(table)["constrained_columns"],
            "foreign keys": sorted(
                (str(key["name"]), key["constrained_columns"], key["referred_table"])
                for key in inspector.get_foreign_keys(table)
            ),
            "indexes": sorted(
                (str(index["name"]), index["column_names"], bool(index["unique"]))
                for index in inspector.get_indexes(table)
            ),
            "unique": sorted(
                (str(unique["name"]), unique["column_names"])
                for unique in inspector.get_unique_constraints(table)
            ),
            "checks": sorted(
                (str(check["name"]), check["sqltext"])
                for check in inspector.get_check_constraints(table)
            ),
        }
    return schema


def test_migrated_schema_equals_models(app: Flask) -> None:
    migrated = describe_schema(db.engine)
    downgrade(revision="base")
    try:
        metadata.create_all(db.engine)
        modelled = describe_schema(db.engine)
        assert sorted(migrated) == sorted(modelled)
        for table, parts in modelled.items():
            for part, value in parts.items():
                assert (table, part, migrated[table][part]) == (table, part, value)
    finally:
        metadata.drop_all(db.engine)
        upgrade()


def test_downgrade_leaves_no_table(app: Flask) -> None:
    downgrade(revision="base")
    try:
        assert set(inspect(db.engine).get_table_names()) <= {ALEMBIC_TABLE}
    finally:
        upgrade()


def test_changes_of_before_survive_the_way_up_and_down(app: Flask) -> None:
    with transaction() as session:
        event = make_event(session)
        registration = make_registration(session, event, make_person(session))
        values = {"registration": registration.id, "session": event.sessions[0].id}
    downgrade(revision="0002")
    try:
        with db.engine.begin() as connection:
            write = (
                "INSERT INTO attendance_changes (id, registration_id, session_id, at, old_mark, "
                "new_mark, batch, undoes_id) VALUES "
            )
            for row in (
                "(7, :registration, :session, '2026-03-12 08:00:00', NULL, 'present', 'a', NULL)",
                "(8, :registration, :session, '2026-03-12 08:01:00', 'present', NULL, 'b', 7)",
                "(9, :registration, :session, '2026-03-12 08:02:00', NULL, 'absent', 'c', NULL)",
            ):
                connection.execute(text(write + row), values)
        before = changes_before()
        upgrade()
        changes = load_all_changes(db.session())
        assert [(change.kind, change.undoes_key == changes[0].key) for change in changes] == [
            (RecordingKind.SET, False), (RecordingKind.UNDO, True), (RecordingKind.SET, False),
        ]  # fmt: skip
        assert fold(changes[:2])[0] == NOTHING
        assert fold(changes)[0].mark is AttendanceMark.ABSENT
        with transaction() as session:
            session.add(change_now(**values))
        db.session.remove()
        downgrade(revision="0002")
        assert changes_before()[:3] == before
        assert len(changes_before()) == 4
    finally:
        db.session.remove()
        upgrade()


def test_a_mail_that_was_dropped_is_given_up_on_the_way_down(app: Flask) -> None:
    with transaction() as session:
        mail = Mail(subject="Bescheinigung", paragraphs=("Sie liegt bei.",))
        row = post(session, kind="x", to="a@b.example", name="A", mail=mail, now=LONG_AGO)
        row.state = MailState.DROPPED
    db.session.remove()
    downgrade(revision="0003")
    try:
        with db.engine.begin() as connection:
            states = connection.execute(text("SELECT state FROM outgoing_mails")).scalars().all()
            assert states == ["failed"]
        with pytest.raises(IntegrityError), db.engine.begin() as connection:
            connection.execute(text("UPDATE outgoing_mails SET state = 'dropped'"))
    finally:
        upgrade()
    with transaction() as session:
        session.scalars(select(OutgoingMail)).one().state = MailState.DROPPED


def changes_before() -> list[tuple[Any, ...]]:
    with db.engine.begin() as connection:
        return [
            tuple(row)
            for row in connection.execute(
                text(
                    "SELECT id, registration_id, session_id, at, old_mark, new_mark, batch, "
                    "undoes_id FROM attendance_changes ORDER BY id"
                )
            )
        ]


def change_now(registration: int, session: int) -> AttendanceChange:
    return AttendanceChange(
        key=new_key(),
        registration_id=registration,
        session_id=session,
        kind=RecordingKind.SEEN,
        at=LONG_AGO,
        received_at=LONG_AGO,
        new_mark=AttendanceMark.PRESENT,
    )
