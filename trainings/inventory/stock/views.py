"""All pages of the stock: importing them adds them to the blueprint."""

from __future__ import annotations

from trainings.inventory.stock import movement_views, store_views
from trainings.inventory.stock.blueprint import blueprint

__all__ = ["blueprint"]

VIEWS = (store_views, movement_views)
