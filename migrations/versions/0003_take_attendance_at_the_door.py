"""Take attendance at the door: recordings from phones, minutes, walk-ins, closing, certificates.

Columns are added one by one with their checks, as in the migration before. Only the list of changes
is copied into a new table: nothing refers to it, and it gets a key in place of a reference.

Revision: 0003
Follows: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from trainings.core.migrating import set_states

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None

STATES = (
    "awaiting_release", "waiting", "offered", "placed", "declined", "expired", "withdrawn",
    "cancelled", "substituted",
)
NEW_STATES = (*STATES, "walk_in")
MARKS = ("present", "absent", "excused")
KINDS = ("set", "seen", "fill", "undo", "walk_in")
SHARE = "certificate_share >= 1 AND certificate_share <= 100"
TABLES = (
    "walk_in_sessions", "walk_ins", "refused_recordings", "made_up_sessions", "certificates",
    "door_reminders", "attendance_closings",
)


def add(table, name, kind, *, default=None, check=None):
    """Add a column; with a default for the rows that are there, it is never empty."""
    checks = []
    if check:
        suffix, condition = check
        checks = [sa.CheckConstraint(condition, name=sa.schema.conv(f"ck_{table}_{suffix}"))]
    op.add_column(
        table, sa.Column(name, kind, *checks, nullable=default is None, server_default=default)
    )


def mark(name):
    """Return a column for a mark in the list of changes."""
    return sa.Column(
        name, sa.Enum(*MARKS, name=name, native_enum=False, create_constraint=True, length=32)
    )


def replace_changes(own, copied, values):
    """Put another table in the place of the list of changes, with its rows.

    Args:
        own: columns and constraints that the new one has besides those that stay.
        copied: names of the columns that are filled.
        values: what fills them, as SQL over the old table.

    """
    for name in ("registration_id", "session_id"):
        op.drop_index(f"ix_attendance_changes_{name}", "attendance_changes")
    op.rename_table("attendance_changes", "attendance_changes_before")
    if op.get_bind().dialect.name == "postgresql":
        # Names of constraints and sequences are those of the whole schema there.
        op.execute("ALTER SEQUENCE attendance_changes_id_seq RENAME TO attendance_changes_ids")
        for constraint in sa.inspect(op.get_bind()).get_pk_constraint(
            "attendance_changes_before"
        ), *sa.inspect(op.get_bind()).get_unique_constraints("attendance_changes_before"):
            op.execute(
                f"ALTER TABLE attendance_changes_before RENAME CONSTRAINT {constraint['name']} "
                f"TO {constraint['name']}_before"
            )
    op.create_table(
        "attendance_changes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("registration_id", sa.Integer(), nullable=False),
        sa.Column("session_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_person_id", sa.Integer()),
        mark("old_mark"),
        mark("new_mark"),
        sa.Column("batch", sa.String(length=16), nullable=False),
        *own,
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attendance_changes")),
        *(
            sa.ForeignKeyConstraint(
                [column], [f"{table}.id"], name=op.f(f"fk_attendance_changes_{column}_{table}")
            )
            for column, table in (
                ("registration_id", "registrations"),
                ("session_id", "event_sessions"),
                ("actor_person_id", "persons"),
            )
        ),
    )
    stay = "id, registration_id, session_id, at, actor_person_id, old_mark, new_mark, batch"
    op.execute(
        f"INSERT INTO attendance_changes ({stay}, {copied}) "
        f"SELECT {stay}, {values} FROM attendance_changes_before AS source ORDER BY source.id"
    )
    op.drop_table("attendance_changes_before")
    for name in ("registration_id", "session_id"):
        op.create_index(f"ix_attendance_changes_{name}", "attendance_changes", [name])
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "SELECT setval('attendance_changes_id_seq', coalesce(max(id), 0) + 1, false) "
            "FROM attendance_changes"
        )


def minutes(name):
    """Return a column for minutes in the list of changes."""
    return sa.Column(name, sa.Integer(), nullable=False)


def upgrade() -> None:
    """Apply."""
    replace_changes(
        (
            sa.Column("key", sa.String(length=36), nullable=False),
            sa.Column(
                "kind",
                sa.Enum(
                    *KINDS,
                    name="recording_kind", native_enum=False, create_constraint=True, length=32,
                ),
                nullable=False,
            ),
            sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
            minutes("old_late_minutes"),
            minutes("old_early_minutes"),
            minutes("new_late_minutes"),
            minutes("new_early_minutes"),
            sa.Column("undoes_key", sa.String(length=36)),
            sa.UniqueConstraint("key", name=op.f("uq_attendance_changes_key")),
            sa.UniqueConstraint("undoes_key", name=op.f("uq_attendance_changes_undoes_key")),
        ),
        "key, kind, received_at, old_late_minutes, old_early_minutes, new_late_minutes, "
        "new_early_minutes, undoes_key",
        "'before-0003-' || id, CASE WHEN undoes_id IS NULL THEN 'set' ELSE 'undo' END, at, "
        "0, 0, 0, 0, 'before-0003-' || undoes_id",
    )
    for name in ("late_minutes", "early_minutes"):
        add(
            "attendances", name, sa.Integer(), default="0",
            check=(f"{name}_not_negative", f"{name} >= 0"),
        )
    for table in ("event_templates", "events"):
        add(
            table, "certificate_share", sa.Integer(), default="80",
            check=("certificate_share_percent", SHARE),
        )
        add(table, "offline_roster", sa.Boolean(), default=sa.true())
    add("registrations", "spent_ticket", sa.String(32))
    op.create_index("ix_registrations_spent_ticket", "registrations", ["spent_ticket"])
    set_states("registrations", "state", "registration_state", STATES, NEW_STATES)
    for name in ("from_state", "to_state"):
        set_states("registration_changes", name, name, STATES, NEW_STATES)

    op.create_table('attendance_closings',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('event_id', sa.Integer(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('actor_person_id', sa.Integer(), nullable=True),
    sa.Column('is_closed', sa.Boolean(), nullable=False),
    sa.Column('reason', sa.String(length=300), nullable=False),
    sa.ForeignKeyConstraint(['actor_person_id'], ['persons.id'], name=op.f('fk_attendance_closings_actor_person_id_persons')),
    sa.ForeignKeyConstraint(['event_id'], ['events.id'], name=op.f('fk_attendance_closings_event_id_events')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_attendance_closings'))
    )
    op.create_index('ix_attendance_closings_event_id', 'attendance_closings', ['event_id'])

    op.create_table('door_reminders',
    sa.Column('event_id', sa.Integer(), nullable=False),
    sa.Column('person_id', sa.Integer(), nullable=False),
    sa.Column('sent_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['event_id'], ['events.id'], name=op.f('fk_door_reminders_event_id_events')),
    sa.ForeignKeyConstraint(['person_id'], ['persons.id'], name=op.f('fk_door_reminders_person_id_persons')),
    sa.PrimaryKeyConstraint('event_id', 'person_id', name=op.f('pk_door_reminders'))
    )
    op.create_index('ix_door_reminders_person_id', 'door_reminders', ['person_id'])

    op.create_table('certificates',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('event_id', sa.Integer(), nullable=False),
    sa.Column('registration_id', sa.Integer(), nullable=False),
    sa.Column('running', sa.Integer(), nullable=False),
    sa.Column('number', sa.String(length=32), nullable=False),
    sa.Column('code', sa.String(length=32), nullable=False),
    sa.Column('kind', sa.Enum('certificate', 'statement', name='certificate_kind', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('content', sa.JSON(none_as_null=True), nullable=True),
    sa.Column('attended_minutes', sa.Integer(), nullable=False),
    sa.Column('planned_minutes', sa.Integer(), nullable=False),
    sa.Column('issued_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('issued_by_id', sa.Integer(), nullable=True),
    sa.Column('reason', sa.String(length=300), nullable=False),
    sa.Column('voided_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('void_reason', sa.Enum('corrected', 'withdrawn', name='void_reason', native_enum=False, create_constraint=True, length=32), nullable=True),
    sa.Column('replaced_by_id', sa.Integer(), nullable=True),
    sa.CheckConstraint('attended_minutes >= 0', name=op.f('ck_certificates_attended_minutes_not_negative')),
    sa.ForeignKeyConstraint(['event_id'], ['events.id'], name=op.f('fk_certificates_event_id_events')),
    sa.ForeignKeyConstraint(['issued_by_id'], ['persons.id'], name=op.f('fk_certificates_issued_by_id_persons')),
    sa.ForeignKeyConstraint(['registration_id'], ['registrations.id'], name=op.f('fk_certificates_registration_id_registrations')),
    sa.ForeignKeyConstraint(['replaced_by_id'], ['certificates.id'], name=op.f('fk_certificates_replaced_by_id_certificates')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_certificates')),
    sa.UniqueConstraint('code', name=op.f('uq_certificates_code')),
    sa.UniqueConstraint('event_id', 'running', name=op.f('uq_certificates_event_id_running')),
    sa.UniqueConstraint('number', name=op.f('uq_certificates_number'))
    )
    op.create_index('ix_certificates_registration_id_voided_at', 'certificates', ['registration_id', 'voided_at'])

    op.create_table('made_up_sessions',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('registration_id', sa.Integer(), nullable=False),
    sa.Column('session_id', sa.Integer(), nullable=False),
    sa.Column('made_up_at_id', sa.Integer(), nullable=False),
    sa.Column('decided_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('decided_by_id', sa.Integer(), nullable=True),
    sa.ForeignKeyConstraint(['decided_by_id'], ['persons.id'], name=op.f('fk_made_up_sessions_decided_by_id_persons')),
    sa.ForeignKeyConstraint(['made_up_at_id'], ['event_sessions.id'], name=op.f('fk_made_up_sessions_made_up_at_id_event_sessions')),
    sa.ForeignKeyConstraint(['registration_id'], ['registrations.id'], name=op.f('fk_made_up_sessions_registration_id_registrations')),
    sa.ForeignKeyConstraint(['session_id'], ['event_sessions.id'], name=op.f('fk_made_up_sessions_session_id_event_sessions')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_made_up_sessions')),
    sa.UniqueConstraint('registration_id', 'session_id', name=op.f('uq_made_up_sessions_registration_id_session_id'))
    )
    op.create_index('ix_made_up_sessions_made_up_at_id', 'made_up_sessions', ['made_up_at_id'])
    op.create_index('ix_made_up_sessions_session_id', 'made_up_sessions', ['session_id'])

    op.create_table('refused_recordings',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('key', sa.String(length=36), nullable=False),
    sa.Column('event_id', sa.Integer(), nullable=False),
    sa.Column('registration_id', sa.Integer(), nullable=True),
    sa.Column('session_id', sa.Integer(), nullable=True),
    sa.Column('kind', sa.Enum('set', 'seen', 'fill', 'undo', 'walk_in', name='recording_kind', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('mark', sa.Enum('present', 'absent', 'excused', name='attendance_mark', native_enum=False, create_constraint=True, length=32), nullable=True),
    sa.Column('late_minutes', sa.Integer(), nullable=False),
    sa.Column('early_minutes', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(length=160), nullable=False),
    sa.Column('organisation', sa.String(length=160), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('received_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('actor_person_id', sa.Integer(), nullable=False),
    sa.Column('reason', sa.String(length=48), nullable=False),
    sa.Column('settled_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('settled_by_id', sa.Integer(), nullable=True),
    sa.ForeignKeyConstraint(['actor_person_id'], ['persons.id'], name=op.f('fk_refused_recordings_actor_person_id_persons')),
    sa.ForeignKeyConstraint(['event_id'], ['events.id'], name=op.f('fk_refused_recordings_event_id_events')),
    sa.ForeignKeyConstraint(['registration_id'], ['registrations.id'], name=op.f('fk_refused_recordings_registration_id_registrations')),
    sa.ForeignKeyConstraint(['session_id'], ['event_sessions.id'], name=op.f('fk_refused_recordings_session_id_event_sessions')),
    sa.ForeignKeyConstraint(['settled_by_id'], ['persons.id'], name=op.f('fk_refused_recordings_settled_by_id_persons')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_refused_recordings')),
    sa.UniqueConstraint('key', name=op.f('uq_refused_recordings_key'))
    )
    op.create_index('ix_refused_recordings_event_id', 'refused_recordings', ['event_id'])

    op.create_table('walk_ins',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('key', sa.String(length=36), nullable=False),
    sa.Column('event_id', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(length=160), nullable=False),
    sa.Column('organisation', sa.String(length=160), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('received_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('actor_person_id', sa.Integer(), nullable=True),
    sa.Column('registration_id', sa.Integer(), nullable=True),
    sa.Column('dismissed_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['actor_person_id'], ['persons.id'], name=op.f('fk_walk_ins_actor_person_id_persons')),
    sa.ForeignKeyConstraint(['event_id'], ['events.id'], name=op.f('fk_walk_ins_event_id_events')),
    sa.ForeignKeyConstraint(['registration_id'], ['registrations.id'], name=op.f('fk_walk_ins_registration_id_registrations')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_walk_ins')),
    sa.UniqueConstraint('key', name=op.f('uq_walk_ins_key')),
    sa.UniqueConstraint('registration_id', name=op.f('uq_walk_ins_registration_id'))
    )
    op.create_index('ix_walk_ins_event_id', 'walk_ins', ['event_id'])

    op.create_table('walk_in_sessions',
    sa.Column('walk_in_id', sa.Integer(), nullable=False),
    sa.Column('session_id', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['session_id'], ['event_sessions.id'], name=op.f('fk_walk_in_sessions_session_id_event_sessions')),
    sa.ForeignKeyConstraint(['walk_in_id'], ['walk_ins.id'], name=op.f('fk_walk_in_sessions_walk_in_id_walk_ins')),
    sa.PrimaryKeyConstraint('walk_in_id', 'session_id', name=op.f('pk_walk_in_sessions'))
    )
    op.create_index('ix_walk_in_sessions_session_id', 'walk_in_sessions', ['session_id'])


def downgrade() -> None:
    """Take back. Who came without a registration is kept as withdrawn: the state is unknown then."""
    for table in TABLES:
        op.drop_table(table)
    op.execute("UPDATE registrations SET state = 'withdrawn' WHERE state = 'walk_in'")
    for name in ("from_state", "to_state"):
        op.execute(f"UPDATE registration_changes SET {name} = 'withdrawn' WHERE {name} = 'walk_in'")
        set_states("registration_changes", name, name, NEW_STATES, STATES)
    set_states("registrations", "state", "registration_state", NEW_STATES, STATES)
    op.drop_index("ix_registrations_spent_ticket", "registrations")
    op.drop_column("registrations", "spent_ticket")
    for table in ("event_templates", "events"):
        op.drop_column(table, "offline_roster")
        op.drop_column(table, "certificate_share")
    for name in ("early_minutes", "late_minutes"):
        op.drop_column("attendances", name)
    replace_changes(
        (
            sa.Column("undoes_id", sa.Integer()),
            sa.UniqueConstraint("undoes_id", name=op.f("uq_attendance_changes_undoes_id")),
            sa.ForeignKeyConstraint(
                ["undoes_id"],
                ["attendance_changes.id"],
                name=op.f("fk_attendance_changes_undoes_id_attendance_changes"),
            ),
        ),
        "undoes_id",
        "(SELECT undone.id FROM attendance_changes_before AS undone "
        "WHERE undone.key = source.undoes_key)",
    )
