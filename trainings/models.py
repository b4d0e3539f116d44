"""Imports the tables of all rooms, for migrations and for whoever needs the whole schema."""

from __future__ import annotations

from importlib import import_module

from trainings.core.database import Base

MODULES = (
    "core.audit",
    "core.idempotency",
    "core.outbox",
    "core.throttle",
    "core.tokens",
    "organisations.models",
    "people.models",
    "events.models",
    "registrations.models",
    "attendance.models",
    "feedback.models",
    "inventory.models",
    "inventory.orders.models",
    "inventory.stocktakes.models",
    "inventory.handouts.models",
)
for module in MODULES:
    import_module(f"trainings.{module}")

metadata = Base.metadata
