"""Stock pocket cards: types, editions, stores, journal, orders, stocktakes.

Revision: 0004
Follows: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from trainings.core.migrating import set_states

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None

PURPOSES = ("log_in", "withdraw", "offer", "release")
NEW_PURPOSES = (*PURPOSES, "card_order", "card_receipt")
TABLES = (
    "stocktake_lines",
    "card_reservations",
    "card_order_steps",
    "card_order_lines",
    "card_movements",
    "stocktakes",
    "event_cards",
    "card_orders",
    "card_balances",
    "card_stores",
    "card_editions",
    "card_types",
    "card_order_limits",
    "card_order_series",
    "card_files",
)


def upgrade() -> None:
    """Apply."""
    set_states("action_tokens", "purpose", "purpose", PURPOSES, NEW_PURPOSES)
    op.create_table('card_files',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(length=120), nullable=False),
    sa.Column('media_type', sa.String(length=40), nullable=False),
    sa.Column('size', sa.Integer(), nullable=False),
    sa.Column('uploaded_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('content', sa.LargeBinary(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_card_files'))
    )
    op.create_table('card_order_series',
    sa.Column('year', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('last', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('year', name=op.f('pk_card_order_series'))
    )
    op.create_table('card_order_limits',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('organisation_id', sa.Integer(), nullable=True),
    sa.Column('is_default', sa.Boolean(), nullable=True),
    sa.Column('per_year', sa.Integer(), nullable=False),
    sa.CheckConstraint('(organisation_id IS NULL) = (is_default IS NOT NULL)', name=op.f('ck_card_order_limits_default_or_organisation')),
    sa.CheckConstraint('per_year >= 0', name=op.f('ck_card_order_limits_per_year_not_negative')),
    sa.ForeignKeyConstraint(['organisation_id'], ['organisations.id'], name=op.f('fk_card_order_limits_organisation_id_organisations')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_card_order_limits')),
    sa.UniqueConstraint('is_default', name=op.f('uq_card_order_limits_is_default')),
    sa.UniqueConstraint('organisation_id', name=op.f('uq_card_order_limits_organisation_id'))
    )
    op.create_table('card_types',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('title', sa.String(length=160), nullable=False),
    sa.Column('sort_key', sa.String(length=200), nullable=False),
    sa.Column('description', sa.Text(), nullable=False),
    sa.Column('picture_id', sa.Integer(), nullable=True),
    sa.Column('reorder_level', sa.Integer(), nullable=False),
    sa.Column('reorder_told_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('retired_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint('reorder_level >= 0', name=op.f('ck_card_types_reorder_level_not_negative')),
    sa.ForeignKeyConstraint(['picture_id'], ['card_files.id'], name=op.f('fk_card_types_picture_id_card_files')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_card_types'))
    )
    op.create_index('ix_card_types_sort_key', 'card_types', ['sort_key'])

    op.create_table('card_editions',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('card_type_id', sa.Integer(), nullable=False),
    sa.Column('running', sa.Integer(), nullable=False),
    sa.Column('printed_on', sa.Date(), nullable=False),
    sa.Column('quantity', sa.Integer(), nullable=False),
    sa.Column('code', sa.String(length=16), nullable=False),
    sa.Column('landing_text', sa.Text(), nullable=False),
    sa.Column('pdf_id', sa.Integer(), nullable=True),
    sa.Column('withdrawn_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('withdrawn_reason', sa.String(length=300), nullable=False),
    sa.CheckConstraint('quantity > 0', name=op.f('ck_card_editions_quantity_positive')),
    sa.ForeignKeyConstraint(['card_type_id'], ['card_types.id'], name=op.f('fk_card_editions_card_type_id_card_types')),
    sa.ForeignKeyConstraint(['pdf_id'], ['card_files.id'], name=op.f('fk_card_editions_pdf_id_card_files')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_card_editions')),
    sa.UniqueConstraint('code', name=op.f('uq_card_editions_code'))
    )
    op.create_index('ix_card_editions_card_type_id_running', 'card_editions', ['card_type_id', 'running'], unique=True)

    op.create_table('card_stores',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('kind', sa.Enum('office', 'box', 'partner', name='store_kind', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('name', sa.String(length=120), nullable=False),
    sa.Column('sort_key', sa.String(length=200), nullable=False),
    sa.Column('person_id', sa.Integer(), nullable=True),
    sa.Column('organisation_id', sa.Integer(), nullable=True),
    sa.Column('retired_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("(kind = 'box') = (person_id IS NOT NULL)", name=op.f('ck_card_stores_box_has_a_trainer')),
    sa.ForeignKeyConstraint(['organisation_id'], ['organisations.id'], name=op.f('fk_card_stores_organisation_id_organisations')),
    sa.ForeignKeyConstraint(['person_id'], ['persons.id'], name=op.f('fk_card_stores_person_id_persons')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_card_stores')),
    sa.UniqueConstraint('person_id', name=op.f('uq_card_stores_person_id'))
    )
    op.create_index('ix_card_stores_organisation_id', 'card_stores', ['organisation_id'])
    op.create_index('ix_card_stores_sort_key', 'card_stores', ['sort_key'])

    op.create_table('card_balances',
    sa.Column('store_id', sa.Integer(), nullable=False),
    sa.Column('edition_id', sa.Integer(), nullable=False),
    sa.Column('quantity', sa.Integer(), nullable=False),
    sa.CheckConstraint('quantity >= 0', name=op.f('ck_card_balances_not_below_zero')),
    sa.ForeignKeyConstraint(['edition_id'], ['card_editions.id'], name=op.f('fk_card_balances_edition_id_card_editions')),
    sa.ForeignKeyConstraint(['store_id'], ['card_stores.id'], name=op.f('fk_card_balances_store_id_card_stores')),
    sa.PrimaryKeyConstraint('store_id', 'edition_id', name=op.f('pk_card_balances'))
    )
    op.create_index('ix_card_balances_edition_id', 'card_balances', ['edition_id'])

    op.create_table('card_orders',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('number', sa.String(length=20), nullable=False),
    sa.Column('state', sa.Enum('unconfirmed', 'requested', 'approved', 'lapsed', 'picked', 'sent', 'received', 'declined', 'cancelled', 'expired', name='order_state', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('requested_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('confirmed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('finished_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('person_id', sa.Integer(), nullable=True),
    sa.Column('name', sa.String(length=160), nullable=False),
    sa.Column('email', sa.String(length=254), nullable=False),
    sa.Column('organisation_id', sa.Integer(), nullable=True),
    sa.Column('organisation_name', sa.String(length=160), nullable=False),
    sa.Column('recipient', sa.String(length=160), nullable=False),
    sa.Column('street', sa.String(length=160), nullable=False),
    sa.Column('postcode', sa.String(length=10), nullable=False),
    sa.Column('town', sa.String(length=120), nullable=False),
    sa.Column('purpose', sa.String(length=500), nullable=False),
    sa.Column('wanted_by', sa.Date(), nullable=True),
    sa.Column('store_id', sa.Integer(), nullable=True),
    sa.Column('held_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('decided_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('decided_by_id', sa.Integer(), nullable=True),
    sa.Column('reason', sa.String(length=300), nullable=False),
    sa.Column('sent_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('received_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('received_note', sa.String(length=300), nullable=False),
    sa.ForeignKeyConstraint(['decided_by_id'], ['persons.id'], name=op.f('fk_card_orders_decided_by_id_persons')),
    sa.ForeignKeyConstraint(['organisation_id'], ['organisations.id'], name=op.f('fk_card_orders_organisation_id_organisations')),
    sa.ForeignKeyConstraint(['person_id'], ['persons.id'], name=op.f('fk_card_orders_person_id_persons')),
    sa.ForeignKeyConstraint(['store_id'], ['card_stores.id'], name=op.f('fk_card_orders_store_id_card_stores')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_card_orders')),
    sa.UniqueConstraint('number', name=op.f('uq_card_orders_number'))
    )
    op.create_index('ix_card_orders_organisation_id', 'card_orders', ['organisation_id'])
    op.create_index('ix_card_orders_person_id', 'card_orders', ['person_id'])
    op.create_index('ix_card_orders_state_requested_at', 'card_orders', ['state', 'requested_at'])

    op.create_table('event_cards',
    sa.Column('event_id', sa.Integer(), nullable=False),
    sa.Column('card_type_id', sa.Integer(), nullable=False),
    sa.Column('planned', sa.Integer(), nullable=False),
    sa.CheckConstraint('planned >= 0', name=op.f('ck_event_cards_planned_not_negative')),
    sa.ForeignKeyConstraint(['card_type_id'], ['card_types.id'], name=op.f('fk_event_cards_card_type_id_card_types')),
    sa.ForeignKeyConstraint(['event_id'], ['events.id'], name=op.f('fk_event_cards_event_id_events')),
    sa.PrimaryKeyConstraint('event_id', 'card_type_id', name=op.f('pk_event_cards'))
    )
    op.create_index('ix_event_cards_card_type_id', 'event_cards', ['card_type_id'])

    op.create_table('stocktakes',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('store_id', sa.Integer(), nullable=False),
    sa.Column('state', sa.Enum('counting', 'posted', 'abandoned', name='stocktake_state', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('opened_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('opened_by_id', sa.Integer(), nullable=True),
    sa.Column('finished_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('finished_by_id', sa.Integer(), nullable=True),
    sa.Column('reason', sa.String(length=300), nullable=False),
    sa.ForeignKeyConstraint(['finished_by_id'], ['persons.id'], name=op.f('fk_stocktakes_finished_by_id_persons')),
    sa.ForeignKeyConstraint(['opened_by_id'], ['persons.id'], name=op.f('fk_stocktakes_opened_by_id_persons')),
    sa.ForeignKeyConstraint(['store_id'], ['card_stores.id'], name=op.f('fk_stocktakes_store_id_card_stores')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_stocktakes'))
    )
    op.create_index('ix_stocktakes_store_id', 'stocktakes', ['store_id'])
    op.create_index('uq_stocktakes_one_at_a_time', 'stocktakes', ['store_id'], unique=True, sqlite_where=sa.text("state = 'counting'"), postgresql_where=sa.text("state = 'counting'"))

    op.create_table('card_movements',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('key', sa.String(length=96), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('person_id', sa.Integer(), nullable=True),
    sa.Column('edition_id', sa.Integer(), nullable=False),
    sa.Column('quantity', sa.Integer(), nullable=False),
    sa.Column('source', sa.Enum('printer', 'store', 'organisation', 'event', 'other', 'return', 'loss', name='source', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('source_store_id', sa.Integer(), nullable=True),
    sa.Column('target', sa.Enum('printer', 'store', 'organisation', 'event', 'other', 'return', 'loss', name='target', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('target_store_id', sa.Integer(), nullable=True),
    sa.Column('organisation_id', sa.Integer(), nullable=True),
    sa.Column('organisation_kind', sa.Enum('city', 'district', 'state_police', 'federal_police', 'customs', 'tax', 'justice', 'state_authority', 'regional_government', 'jobcenter', 'university', 'other', name='organisation_kind', native_enum=False, create_constraint=True, length=32), nullable=True),
    sa.Column('event_id', sa.Integer(), nullable=True),
    sa.Column('registration_id', sa.Integer(), nullable=True),
    sa.Column('order_id', sa.Integer(), nullable=True),
    sa.Column('stocktake_id', sa.Integer(), nullable=True),
    sa.Column('reverses_id', sa.Integer(), nullable=True),
    sa.Column('reason', sa.String(length=300), nullable=False),
    sa.CheckConstraint("(source <> 'event' AND target <> 'event') OR event_id IS NOT NULL", name=op.f('ck_card_movements_names_the_event')),
    sa.CheckConstraint("(source <> 'organisation' AND target <> 'organisation') OR organisation_id IS NOT NULL", name=op.f('ck_card_movements_names_the_organisation')),
    sa.CheckConstraint("(source = 'store') = (source_store_id IS NOT NULL)", name=op.f('ck_card_movements_source_store')),
    sa.CheckConstraint("(target = 'store') = (target_store_id IS NOT NULL)", name=op.f('ck_card_movements_target_store')),
    sa.CheckConstraint("source = 'store' OR target = 'store'", name=op.f('ck_card_movements_a_store_on_one_side')),
    sa.CheckConstraint('quantity > 0 AND quantity <= 1000000', name=op.f('ck_card_movements_quantity')),
    sa.CheckConstraint('reverses_id IS NULL OR reverses_id <> id', name=op.f('ck_card_movements_not_of_itself')),
    sa.CheckConstraint('source_store_id <> target_store_id', name=op.f('ck_card_movements_not_into_itself')),
    sa.ForeignKeyConstraint(['edition_id'], ['card_editions.id'], name=op.f('fk_card_movements_edition_id_card_editions')),
    sa.ForeignKeyConstraint(['event_id'], ['events.id'], name=op.f('fk_card_movements_event_id_events')),
    sa.ForeignKeyConstraint(['order_id'], ['card_orders.id'], name=op.f('fk_card_movements_order_id_card_orders')),
    sa.ForeignKeyConstraint(['organisation_id'], ['organisations.id'], name=op.f('fk_card_movements_organisation_id_organisations')),
    sa.ForeignKeyConstraint(['person_id'], ['persons.id'], name=op.f('fk_card_movements_person_id_persons')),
    sa.ForeignKeyConstraint(['registration_id'], ['registrations.id'], name=op.f('fk_card_movements_registration_id_registrations')),
    sa.ForeignKeyConstraint(['reverses_id'], ['card_movements.id'], name=op.f('fk_card_movements_reverses_id_card_movements')),
    sa.ForeignKeyConstraint(['source_store_id'], ['card_stores.id'], name=op.f('fk_card_movements_source_store_id_card_stores')),
    sa.ForeignKeyConstraint(['stocktake_id'], ['stocktakes.id'], name=op.f('fk_card_movements_stocktake_id_stocktakes')),
    sa.ForeignKeyConstraint(['target_store_id'], ['card_stores.id'], name=op.f('fk_card_movements_target_store_id_card_stores')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_card_movements')),
    sa.UniqueConstraint('key', name=op.f('uq_card_movements_key')),
    sa.UniqueConstraint('reverses_id', name=op.f('uq_card_movements_reverses_id'))
    )
    op.create_index('ix_card_movements_at', 'card_movements', ['at'])
    op.create_index('ix_card_movements_edition_id_at', 'card_movements', ['edition_id', 'at'])
    op.create_index('ix_card_movements_event_id', 'card_movements', ['event_id'])
    op.create_index('ix_card_movements_order_id', 'card_movements', ['order_id'])
    op.create_index('ix_card_movements_organisation_id', 'card_movements', ['organisation_id'])
    op.create_index('ix_card_movements_registration_id', 'card_movements', ['registration_id'])
    op.create_index('ix_card_movements_source_store_id_at', 'card_movements', ['source_store_id', 'at'])
    op.create_index('ix_card_movements_stocktake_id', 'card_movements', ['stocktake_id'])
    op.create_index('ix_card_movements_target_store_id_at', 'card_movements', ['target_store_id', 'at'])

    op.create_table('card_order_lines',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('order_id', sa.Integer(), nullable=False),
    sa.Column('card_type_id', sa.Integer(), nullable=False),
    sa.Column('requested', sa.Integer(), nullable=False),
    sa.Column('approved', sa.Integer(), nullable=True),
    sa.CheckConstraint('approved >= 0 AND approved <= requested', name=op.f('ck_card_order_lines_approved_in_range')),
    sa.CheckConstraint('requested > 0', name=op.f('ck_card_order_lines_requested_positive')),
    sa.ForeignKeyConstraint(['card_type_id'], ['card_types.id'], name=op.f('fk_card_order_lines_card_type_id_card_types')),
    sa.ForeignKeyConstraint(['order_id'], ['card_orders.id'], name=op.f('fk_card_order_lines_order_id_card_orders')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_card_order_lines'))
    )
    op.create_index('ix_card_order_lines_order_id_card_type_id', 'card_order_lines', ['order_id', 'card_type_id'], unique=True)

    op.create_table('card_order_steps',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('order_id', sa.Integer(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('person_id', sa.Integer(), nullable=True),
    sa.Column('from_state', sa.Enum('unconfirmed', 'requested', 'approved', 'lapsed', 'picked', 'sent', 'received', 'declined', 'cancelled', 'expired', name='from_state', native_enum=False, create_constraint=True, length=32), nullable=True),
    sa.Column('to_state', sa.Enum('unconfirmed', 'requested', 'approved', 'lapsed', 'picked', 'sent', 'received', 'declined', 'cancelled', 'expired', name='to_state', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('reason', sa.String(length=300), nullable=False),
    sa.ForeignKeyConstraint(['order_id'], ['card_orders.id'], name=op.f('fk_card_order_steps_order_id_card_orders')),
    sa.ForeignKeyConstraint(['person_id'], ['persons.id'], name=op.f('fk_card_order_steps_person_id_persons')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_card_order_steps'))
    )
    op.create_index('ix_card_order_steps_order_id', 'card_order_steps', ['order_id'])

    op.create_table('card_reservations',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('order_id', sa.Integer(), nullable=False),
    sa.Column('store_id', sa.Integer(), nullable=False),
    sa.Column('edition_id', sa.Integer(), nullable=False),
    sa.Column('quantity', sa.Integer(), nullable=False),
    sa.Column('until', sa.DateTime(timezone=True), nullable=False),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint('quantity > 0', name=op.f('ck_card_reservations_quantity_positive')),
    sa.ForeignKeyConstraint(['edition_id'], ['card_editions.id'], name=op.f('fk_card_reservations_edition_id_card_editions')),
    sa.ForeignKeyConstraint(['order_id'], ['card_orders.id'], name=op.f('fk_card_reservations_order_id_card_orders')),
    sa.ForeignKeyConstraint(['store_id'], ['card_stores.id'], name=op.f('fk_card_reservations_store_id_card_stores')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_card_reservations'))
    )
    op.create_index('ix_card_reservations_edition_id', 'card_reservations', ['edition_id'])
    op.create_index('ix_card_reservations_order_id', 'card_reservations', ['order_id'])
    op.create_index('ix_card_reservations_store_id_edition_id_ended_at', 'card_reservations', ['store_id', 'edition_id', 'ended_at'])
    op.create_index('ix_card_reservations_until', 'card_reservations', ['until'])

    op.create_table('stocktake_lines',
    sa.Column('stocktake_id', sa.Integer(), nullable=False),
    sa.Column('edition_id', sa.Integer(), nullable=False),
    sa.Column('counted', sa.Integer(), nullable=True),
    sa.Column('book', sa.Integer(), nullable=True),
    sa.Column('counted_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('counted_by_id', sa.Integer(), nullable=True),
    sa.CheckConstraint('(counted IS NULL) = (book IS NULL) AND (counted IS NULL) = (counted_at IS NULL)', name=op.f('ck_stocktake_lines_counted_with_its_book_value')),
    sa.CheckConstraint('counted >= 0', name=op.f('ck_stocktake_lines_counted_not_negative')),
    sa.ForeignKeyConstraint(['counted_by_id'], ['persons.id'], name=op.f('fk_stocktake_lines_counted_by_id_persons')),
    sa.ForeignKeyConstraint(['edition_id'], ['card_editions.id'], name=op.f('fk_stocktake_lines_edition_id_card_editions')),
    sa.ForeignKeyConstraint(['stocktake_id'], ['stocktakes.id'], name=op.f('fk_stocktake_lines_stocktake_id_stocktakes')),
    sa.PrimaryKeyConstraint('stocktake_id', 'edition_id', name=op.f('pk_stocktake_lines'))
    )
    op.create_index('ix_stocktake_lines_edition_id', 'stocktake_lines', ['edition_id'])


def downgrade() -> None:
    """Take back; links that confirm an order or a receipt are forgotten with the orders."""
    for table in TABLES:
        op.drop_table(table)
    op.execute("DELETE FROM action_tokens WHERE purpose IN ('card_order', 'card_receipt')")
    set_states("action_tokens", "purpose", "purpose", NEW_PURPOSES, PURPOSES)
