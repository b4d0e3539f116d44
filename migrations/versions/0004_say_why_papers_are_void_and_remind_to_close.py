"""Say why papers are void, drop mails about them, remind trainers to close the attendance.

Revision: 0004
Follows: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None

MAIL_STATES = ("due", "sent", "failed")
NEW_MAIL_STATES = (*MAIL_STATES, "dropped")


def listed(values):
    """Return values as SQL lists them."""
    return ", ".join(f"'{value}'" for value in values)


def set_states(table, column, constraint, before, after):
    """Let a column have these states; on SQLite as the migration before does, and says why."""
    connection = op.get_bind()
    name = f"ck_{table}_{constraint}"
    if connection.dialect.name == "postgresql":
        op.drop_constraint(name, table)
        op.create_check_constraint(
            sa.schema.conv(name), table, f"{column} IN ({listed(after)})"
        )
        return
    old, new = (f"{column} IN ({listed(values)})" for values in (before, after))
    version = connection.exec_driver_sql("PRAGMA schema_version").scalar()
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


def upgrade() -> None:
    """Apply."""
    set_states("outgoing_mails", "state", "mail_state", MAIL_STATES, NEW_MAIL_STATES)
    op.add_column(
        "certificates",
        sa.Column("void_note", sa.String(length=300), nullable=False, server_default=""),
    )
    op.create_table('closing_reminders',
    sa.Column('event_id', sa.Integer(), nullable=False),
    sa.Column('person_id', sa.Integer(), nullable=False),
    sa.Column('sent_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['event_id'], ['events.id'], name=op.f('fk_closing_reminders_event_id_events')),
    sa.ForeignKeyConstraint(['person_id'], ['persons.id'], name=op.f('fk_closing_reminders_person_id_persons')),
    sa.PrimaryKeyConstraint('event_id', 'person_id', name=op.f('pk_closing_reminders'))
    )
    op.create_index('ix_closing_reminders_person_id', 'closing_reminders', ['person_id'])


def downgrade() -> None:
    """Take back. A mail that was not to be sent any more is kept as one that was given up."""
    op.drop_table("closing_reminders")
    op.drop_column("certificates", "void_note")
    op.execute("UPDATE outgoing_mails SET state = 'failed' WHERE state = 'dropped'")
    set_states("outgoing_mails", "state", "mail_state", NEW_MAIL_STATES, MAIL_STATES)
