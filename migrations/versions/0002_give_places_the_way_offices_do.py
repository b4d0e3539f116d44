"""Give places the way offices and organisations do: release, admission, offers, demand.

Columns are added and dropped one by one, with their check constraints, instead of by Alembic's
batches: those copy a table on SQLite, which the keys that refer to it forbid, and lose its checks.

Revision: 0002
Follows: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None

PURPOSES = ("log_in", "withdraw")
NEW_PURPOSES = (*PURPOSES, "offer", "release")
POLICY = {
    "needs_release": (sa.Boolean(), (), sa.false()),
    "admission": (sa.String(32), ("in_order", "by_office"), "in_order"),
    "offer_days": (sa.Integer(), (), "2"),
    "short_notice": (sa.String(32), ("automatic", "office"), "automatic"),
    "missed_offer": (sa.String(32), ("to_the_end", "leaves"), "to_the_end"),
}


def add(table, name, kind, *, values=(), default=None):
    """Add a column; with a default for the rows that are there, it is never empty."""
    checks = []
    if values:
        listed = ", ".join(f"'{value}'" for value in values)
        checks = [
            sa.CheckConstraint(
                f"{name} IN ({listed})", name=sa.schema.conv(f"ck_{table}_{name}")
            )
        ]
    op.add_column(
        table, sa.Column(name, kind, *checks, nullable=default is None, server_default=default)
    )


def set_purposes(values):
    """Let links have these purposes; nothing refers to their table, so it can be copied."""
    listed = ", ".join(f"'{value}'" for value in values)
    name = "ck_action_tokens_purpose"
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint(name, "action_tokens")
        op.create_check_constraint(sa.schema.conv(name), "action_tokens", f"purpose IN ({listed})")
        return
    op.drop_index("ix_action_tokens_expires_at", "action_tokens")
    op.rename_table("action_tokens", "action_tokens_before")
    op.create_table(
        "action_tokens",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("purpose", sa.String(length=32), nullable=False),
        sa.Column("subject_id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_action_tokens"),
        sa.UniqueConstraint("token_hash", name="uq_action_tokens_token_hash"),
        sa.CheckConstraint(f"purpose IN ({listed})", name=sa.schema.conv(name)),
    )
    columns = "id, token_hash, purpose, subject_id, created_at, expires_at"
    op.execute(
        f"INSERT INTO action_tokens ({columns}) SELECT {columns} FROM action_tokens_before "
        f"WHERE purpose IN ({listed})"
    )
    op.drop_table("action_tokens_before")
    op.create_index("ix_action_tokens_expires_at", "action_tokens", ["expires_at"])


def upgrade() -> None:
    """Apply."""
    op.create_table('release_digests',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('organisation_id', sa.Integer(), nullable=False),
    sa.Column('person_id', sa.Integer(), nullable=True),
    sa.Column('recipient', sa.String(length=254), nullable=False),
    sa.Column('sent_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['organisation_id'], ['organisations.id'], name=op.f('fk_release_digests_organisation_id_organisations')),
    sa.ForeignKeyConstraint(['person_id'], ['persons.id'], name=op.f('fk_release_digests_person_id_persons')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_release_digests'))
    )
    with op.batch_alter_table('release_digests', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_release_digests_organisation_id'), ['organisation_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_release_digests_person_id'), ['person_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_release_digests_recipient_sent_at'), ['recipient', 'sent_at'], unique=False)

    op.create_table('wishes',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('person_id', sa.Integer(), nullable=False),
    sa.Column('template_id', sa.Integer(), nullable=False),
    sa.Column('next_free', sa.Boolean(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['person_id'], ['persons.id'], name=op.f('fk_wishes_person_id_persons')),
    sa.ForeignKeyConstraint(['template_id'], ['event_templates.id'], name=op.f('fk_wishes_template_id_event_templates')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_wishes'))
    )
    with op.batch_alter_table('wishes', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_wishes_person_id'), ['person_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_wishes_template_id'), ['template_id'], unique=False)

    op.create_table('course_requests',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('organisation_id', sa.Integer(), nullable=False),
    sa.Column('template_id', sa.Integer(), nullable=False),
    sa.Column('person_id', sa.Integer(), nullable=False),
    sa.Column('participants', sa.Integer(), nullable=False),
    sa.Column('period', sa.String(length=200), nullable=False),
    sa.Column('note', sa.String(length=500), nullable=False),
    sa.Column('state', sa.Enum('open', 'planned', 'declined', name='course_request_state', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('answer', sa.String(length=300), nullable=False),
    sa.Column('event_id', sa.Integer(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('answered_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint('participants >= 1', name=op.f('ck_course_requests_participants_positive')),
    sa.ForeignKeyConstraint(['event_id'], ['events.id'], name=op.f('fk_course_requests_event_id_events')),
    sa.ForeignKeyConstraint(['organisation_id'], ['organisations.id'], name=op.f('fk_course_requests_organisation_id_organisations')),
    sa.ForeignKeyConstraint(['person_id'], ['persons.id'], name=op.f('fk_course_requests_person_id_persons')),
    sa.ForeignKeyConstraint(['template_id'], ['event_templates.id'], name=op.f('fk_course_requests_template_id_event_templates')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_course_requests'))
    )
    with op.batch_alter_table('course_requests', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_course_requests_organisation_id'), ['organisation_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_course_requests_template_id'), ['template_id'], unique=False)

    op.create_table('extra_dates',
    sa.Column('event_id', sa.Integer(), nullable=False),
    sa.Column('waiting_from_id', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['event_id'], ['events.id'], name=op.f('fk_extra_dates_event_id_events')),
    sa.ForeignKeyConstraint(['waiting_from_id'], ['events.id'], name=op.f('fk_extra_dates_waiting_from_id_events')),
    sa.PrimaryKeyConstraint('event_id', name=op.f('pk_extra_dates'))
    )
    with op.batch_alter_table('extra_dates', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_extra_dates_waiting_from_id'), ['waiting_from_id'], unique=False)

    op.create_table('releases',
    sa.Column('registration_id', sa.Integer(), nullable=False),
    sa.Column('outcome', sa.Enum('released', 'declined', name='release_outcome', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('reason', sa.String(length=300), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('person_id', sa.Integer(), nullable=True),
    sa.Column('name', sa.String(length=160), nullable=False),
    sa.Column('function', sa.String(length=120), nullable=False),
    sa.ForeignKeyConstraint(['person_id'], ['persons.id'], name=op.f('fk_releases_person_id_persons')),
    sa.ForeignKeyConstraint(['registration_id'], ['registrations.id'], name=op.f('fk_releases_registration_id_registrations')),
    sa.PrimaryKeyConstraint('registration_id', name=op.f('pk_releases'))
    )
    op.create_table('substitutions',
    sa.Column('registration_id', sa.Integer(), nullable=False),
    sa.Column('replaced_id', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['registration_id'], ['registrations.id'], name=op.f('fk_substitutions_registration_id_registrations')),
    sa.ForeignKeyConstraint(['replaced_id'], ['registrations.id'], name=op.f('fk_substitutions_replaced_id_registrations')),
    sa.PrimaryKeyConstraint('registration_id', name=op.f('pk_substitutions')),
    sa.UniqueConstraint('replaced_id', name=op.f('uq_substitutions_replaced_id'))
    )
    op.create_table('wished_registrations',
    sa.Column('registration_id', sa.Integer(), nullable=False),
    sa.Column('wish_id', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['registration_id'], ['registrations.id'], name=op.f('fk_wished_registrations_registration_id_registrations')),
    sa.ForeignKeyConstraint(['wish_id'], ['wishes.id'], name=op.f('fk_wished_registrations_wish_id_wishes')),
    sa.PrimaryKeyConstraint('registration_id', name=op.f('pk_wished_registrations'))
    )
    with op.batch_alter_table('wished_registrations', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_wished_registrations_wish_id'), ['wish_id'], unique=False)

    set_purposes(NEW_PURPOSES)
    add("contingents", "warned_at", sa.DateTime(timezone=True))
    for table in ("event_templates", "events"):
        for name, (kind, values, default) in POLICY.items():
            add(table, name, kind, values=values, default=default)
    # What was announced before this release moves people up without asking them.
    op.execute("UPDATE events SET offer_days = 0")
    add("events", "admitted_at", sa.DateTime(timezone=True))
    add("persons", "informed_at", sa.DateTime(timezone=True))
    op.execute(
        "UPDATE persons SET informed_at = created_at "
        "WHERE EXISTS (SELECT 1 FROM accounts WHERE accounts.person_id = persons.id)"
    )
    add("registration_changes", "note", sa.String(300), default="")
    add("registrations", "offer_until", sa.DateTime(timezone=True))
    add("registrations", "missed_offers", sa.Integer(), default="0")
    add("registrations", "organisation_rank", sa.Integer())
    add("registrations", "is_priority", sa.Boolean(), default=sa.false())
    add("registrations", "release_asked_at", sa.DateTime(timezone=True))
    add("registrations", "late_reason", sa.String(32), values=("official", "personal", "unsaid"))
    op.create_index("ix_registrations_offer_until", "registrations", ["offer_until"])


def downgrade() -> None:
    """Take back."""
    op.drop_index("ix_registrations_offer_until", "registrations")
    columns = {
        "registrations": (
            "late_reason", "release_asked_at", "is_priority", "organisation_rank",
            "missed_offers", "offer_until",
        ),
        "registration_changes": ("note",),
        "persons": ("informed_at",),
        "events": ("admitted_at", *POLICY),
        "event_templates": tuple(POLICY),
        "contingents": ("warned_at",),
    }
    for table, names in columns.items():
        for name in names:
            op.drop_column(table, name)
    set_purposes(PURPOSES)
    with op.batch_alter_table('wished_registrations', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_wished_registrations_wish_id'))

    op.drop_table('wished_registrations')
    op.drop_table('substitutions')
    op.drop_table('releases')
    with op.batch_alter_table('extra_dates', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_extra_dates_waiting_from_id'))

    op.drop_table('extra_dates')
    with op.batch_alter_table('course_requests', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_course_requests_template_id'))
        batch_op.drop_index(batch_op.f('ix_course_requests_organisation_id'))

    op.drop_table('course_requests')
    with op.batch_alter_table('wishes', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_wishes_template_id'))
        batch_op.drop_index(batch_op.f('ix_wishes_person_id'))

    op.drop_table('wishes')
    with op.batch_alter_table('release_digests', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_release_digests_recipient_sent_at'))
        batch_op.drop_index(batch_op.f('ix_release_digests_person_id'))
        batch_op.drop_index(batch_op.f('ix_release_digests_organisation_id'))

    op.drop_table('release_digests')
