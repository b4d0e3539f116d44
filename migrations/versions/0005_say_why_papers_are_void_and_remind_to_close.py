"""Say why papers are void, drop mails about them, remind trainers to close the attendance.

Revision: 0005
Follows: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from trainings.core.migrating import set_states

revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None

MAIL_STATES = ("due", "sent", "failed")
NEW_MAIL_STATES = (*MAIL_STATES, "dropped")


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
