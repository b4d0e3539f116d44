"""Every text of the inventory says how long it lives, or is known to name nobody."""

from __future__ import annotations

from flask import Flask
from sqlalchemy import Enum, String

from trainings.core.database import Base
from trainings.core.retention import Retention
from trainings.inventory.orders import sweeps
from trainings.inventory.orders.models import CardOrder

NAMES_NOBODY = {
    "card_editions.code",
    "card_editions.landing_text",
    "card_editions.withdrawn_reason",
    "card_files.media_type",
    "card_files.name",
    "card_movements.key",
    "card_order_steps.reason",
    "card_orders.number",
    "card_orders.organisation_name",
    "card_orders.postcode",
    "card_orders.reason",
    "card_orders.town",
    "card_types.description",
    "card_types.sort_key",
    "card_types.title",
}
"""Of cards and organisations; reasons of decisions are shown to both sides and name no person."""


def classes() -> dict[str, Retention | None]:
    """Return the class of each column of the inventory in which somebody may have written."""
    return {
        f"{table.name}.{column.name}": column.info.get("retention")
        for table in Base.metadata.tables.values()
        if table.name.startswith(("card_", "stocktake"))
        for column in table.columns
        if isinstance(column.type, String) and not isinstance(column.type, Enum)
    }


def test_each_text_is_declared_or_names_nobody(app: Flask) -> None:
    assert {name for name, retention in classes().items() if retention is None} == NAMES_NOBODY


def test_what_an_order_declares_is_what_is_blanked(app: Flask) -> None:
    declared = {
        column.name
        for column in CardOrder.__table__.columns
        if column.info.get("retention") is Retention.ORDER
    }
    order = CardOrder(**dict.fromkeys(declared, "Erika"))
    sweeps._blank(order)
    assert {getattr(order, name) for name in declared} == {""}
    assert len(declared) == 6
