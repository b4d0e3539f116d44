"""What migrations of several versions need; used nowhere else."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from trainings.core.database import POSTGRESQL


def set_states(
    table: str, column: str, constraint: str, before: Sequence[str], after: Sequence[str]
) -> None:
    """Let a column of `core.database.choice` have other values.

    SQLite cannot change a check, and a table that others refer to cannot be copied while its keys
    are on. Its documentation names this way for checks (ALTER TABLE, section 7): the text of the
    schema is changed, and the version that says so.

    Args:
        table: name of the table.
        column: name of the column.
        constraint: name of the check, without the table's.
        before: values as the check lists them now.
        after: values that it lists then.

    Raises:
        RuntimeError: the check is not as it was made.

    """
    connection = op.get_bind()
    name = f"ck_{table}_{constraint}"
    old, new = (f"{column} IN ({_listed(values)})" for values in (before, after))
    if connection.dialect.name == POSTGRESQL:
        op.drop_constraint(name, table)
        op.create_check_constraint(sa.schema.conv(name), table, new)
        return
    version = int(connection.exec_driver_sql("PRAGMA schema_version").scalar_one())
    connection.exec_driver_sql("PRAGMA writable_schema = ON")
    changed = connection.exec_driver_sql(
        "UPDATE sqlite_master SET sql = replace(sql, ?, ?) "
        "WHERE type = 'table' AND name = ? AND instr(sql, ?) > 0",
        (old, new, table, old),
    )
    if changed.rowcount != 1:
        raise RuntimeError(f"The check {name} is not as it was made.")
    connection.exec_driver_sql(f"PRAGMA schema_version = {version + 1}")
    connection.exec_driver_sql("PRAGMA writable_schema = OFF")


def _listed(values: Sequence[str]) -> str:
    return ", ".join(f"'{value}'" for value in values)
