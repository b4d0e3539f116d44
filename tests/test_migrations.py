"""The migrations lead to the tables that the models describe, on both databases, up and down."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy import Engine, inspect

from trainings.core.database import db
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
