"""Ask for feedback: questionnaires, surveys, rights to answer, and what was answered.

Revision: 0006
Follows: 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None

TABLES = (
    "feedback_used_rights",
    "feedback_texts",
    "feedback_rights",
    "feedback_pending_rights",
    "feedback_pending_answers",
    "feedback_invitations",
    "feedback_counts",
    "surveys",
    "questionnaire_versions",
    "feedback_plans",
    "questionnaires",
)


def upgrade() -> None:
    """Apply."""
    op.create_table('questionnaires',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('title', sa.String(length=120), nullable=False),
    sa.Column('use', sa.Enum('training', 'conference', 'follow_up', name='questionnaire_use', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('retired_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_questionnaires'))
    )
    op.create_table('feedback_plans',
    sa.Column('template_id', sa.Integer(), nullable=False),
    sa.Column('after_id', sa.Integer(), nullable=True),
    sa.Column('follow_up_id', sa.Integer(), nullable=True),
    sa.ForeignKeyConstraint(['after_id'], ['questionnaires.id'], name=op.f('fk_feedback_plans_after_id_questionnaires')),
    sa.ForeignKeyConstraint(['follow_up_id'], ['questionnaires.id'], name=op.f('fk_feedback_plans_follow_up_id_questionnaires')),
    sa.ForeignKeyConstraint(['template_id'], ['event_templates.id'], name=op.f('fk_feedback_plans_template_id_event_templates')),
    sa.PrimaryKeyConstraint('template_id', name=op.f('pk_feedback_plans'))
    )
    op.create_table('questionnaire_versions',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('questionnaire_id', sa.Integer(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('state', sa.Enum('draft', 'released', name='version_state', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('content', sa.JSON(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('released_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['questionnaire_id'], ['questionnaires.id'], name=op.f('fk_questionnaire_versions_questionnaire_id_questionnaires')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_questionnaire_versions')),
    sa.UniqueConstraint('questionnaire_id', 'number', name=op.f('uq_questionnaire_versions_questionnaire_id_number'))
    )
    op.create_index('uq_questionnaire_versions_draft', 'questionnaire_versions', ['questionnaire_id'], unique=True, sqlite_where=sa.text("state = 'draft'"), postgresql_where=sa.text("state = 'draft'"))
    op.create_table('surveys',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('event_id', sa.Integer(), nullable=False),
    sa.Column('kind', sa.Enum('after', 'follow_up', name='survey_kind', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('state', sa.Enum('planned', 'omitted', 'open', 'closed', name='survey_state', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('channel', sa.Enum('mail', 'slips', name='channel', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('version_id', sa.Integer(), nullable=True),
    sa.Column('opened_on', sa.Date(), nullable=True),
    sa.Column('closes_on', sa.Date(), nullable=True),
    sa.Column('reminded_on', sa.Date(), nullable=True),
    sa.Column('smallest_group', sa.Integer(), nullable=False),
    sa.Column('invited', sa.Integer(), nullable=False),
    sa.Column('answered', sa.Integer(), nullable=False),
    sa.Column('release', sa.Enum('waiting', 'event', 'year', 'format', name='release', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.CheckConstraint("state IN ('planned', 'omitted') OR (version_id IS NOT NULL AND opened_on IS NOT NULL AND closes_on IS NOT NULL)", name=op.f('ck_surveys_open_says_what')),
    sa.CheckConstraint('answered >= 0 AND answered <= invited', name=op.f('ck_surveys_answered_within_invited')),
    sa.CheckConstraint('smallest_group >= 5', name=op.f('ck_surveys_smallest_group_kept')),
    sa.ForeignKeyConstraint(['event_id'], ['events.id'], name=op.f('fk_surveys_event_id_events')),
    sa.ForeignKeyConstraint(['version_id'], ['questionnaire_versions.id'], name=op.f('fk_surveys_version_id_questionnaire_versions')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_surveys')),
    sa.UniqueConstraint('event_id', 'kind', name=op.f('uq_surveys_event_id_kind'))
    )
    op.create_index('ix_surveys_state_closes_on', 'surveys', ['state', 'closes_on'])
    op.create_index('ix_surveys_version_id', 'surveys', ['version_id'])
    op.create_table('feedback_counts',
    sa.Column('survey_id', sa.Integer(), nullable=False),
    sa.Column('question', sa.String(length=24), nullable=False),
    sa.Column('value', sa.String(length=24), nullable=False),
    sa.Column('people', sa.Integer(), nullable=False),
    sa.CheckConstraint('people >= 1', name=op.f('ck_feedback_counts_people_positive')),
    sa.ForeignKeyConstraint(['survey_id'], ['surveys.id'], name=op.f('fk_feedback_counts_survey_id_surveys')),
    sa.PrimaryKeyConstraint('survey_id', 'question', 'value', name=op.f('pk_feedback_counts')),
    sqlite_with_rowid=False
    )
    op.create_table('feedback_invitations',
    sa.Column('survey_id', sa.Integer(), nullable=False),
    sa.Column('registration_id', sa.Integer(), nullable=False),
    sa.Column('token', sa.String(length=40), nullable=False),
    sa.ForeignKeyConstraint(['registration_id'], ['registrations.id'], name=op.f('fk_feedback_invitations_registration_id_registrations')),
    sa.ForeignKeyConstraint(['survey_id'], ['surveys.id'], name=op.f('fk_feedback_invitations_survey_id_surveys')),
    sa.PrimaryKeyConstraint('survey_id', 'registration_id', name=op.f('pk_feedback_invitations'))
    )
    op.create_index('ix_feedback_invitations_registration_id', 'feedback_invitations', ['registration_id'])
    op.create_table('feedback_pending_answers',
    sa.Column('key', sa.LargeBinary(length=16), nullable=False),
    sa.Column('survey_id', sa.Integer(), nullable=False),
    sa.Column('content', sa.JSON(), nullable=False),
    sa.ForeignKeyConstraint(['survey_id'], ['surveys.id'], name=op.f('fk_feedback_pending_answers_survey_id_surveys')),
    sa.PrimaryKeyConstraint('key', name=op.f('pk_feedback_pending_answers')),
    sqlite_with_rowid=False
    )
    op.create_index('ix_feedback_pending_answers_survey_id', 'feedback_pending_answers', ['survey_id'])
    op.create_table('feedback_pending_rights',
    sa.Column('token_hash', sa.LargeBinary(length=32), nullable=False),
    sa.Column('survey_id', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['survey_id'], ['surveys.id'], name=op.f('fk_feedback_pending_rights_survey_id_surveys')),
    sa.PrimaryKeyConstraint('token_hash', name=op.f('pk_feedback_pending_rights')),
    sqlite_with_rowid=False
    )
    op.create_index('ix_feedback_pending_rights_survey_id', 'feedback_pending_rights', ['survey_id'])
    op.create_table('feedback_rights',
    sa.Column('token_hash', sa.LargeBinary(length=32), nullable=False),
    sa.Column('survey_id', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['survey_id'], ['surveys.id'], name=op.f('fk_feedback_rights_survey_id_surveys')),
    sa.PrimaryKeyConstraint('token_hash', name=op.f('pk_feedback_rights')),
    sqlite_with_rowid=False
    )
    op.create_index('ix_feedback_rights_survey_id', 'feedback_rights', ['survey_id'])
    op.create_table('feedback_texts',
    sa.Column('key', sa.LargeBinary(length=16), nullable=False),
    sa.Column('survey_id', sa.Integer(), nullable=False),
    sa.Column('question', sa.String(length=24), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('state', sa.Enum('unread', 'shown', 'removed', name='text_state', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.ForeignKeyConstraint(['survey_id'], ['surveys.id'], name=op.f('fk_feedback_texts_survey_id_surveys')),
    sa.PrimaryKeyConstraint('key', name=op.f('pk_feedback_texts')),
    sqlite_with_rowid=False
    )
    op.create_index('ix_feedback_texts_survey_id_question', 'feedback_texts', ['survey_id', 'question'])
    op.create_table('feedback_used_rights',
    sa.Column('token_hash', sa.LargeBinary(length=32), nullable=False),
    sa.Column('survey_id', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['survey_id'], ['surveys.id'], name=op.f('fk_feedback_used_rights_survey_id_surveys')),
    sa.PrimaryKeyConstraint('token_hash', name=op.f('pk_feedback_used_rights')),
    sqlite_with_rowid=False
    )
    op.create_index('ix_feedback_used_rights_survey_id', 'feedback_used_rights', ['survey_id'])


def downgrade() -> None:
    """Take back."""
    for table in TABLES:
        op.drop_table(table)
