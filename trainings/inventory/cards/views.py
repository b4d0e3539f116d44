"""All pages of the cards: importing them adds them to the blueprint."""

from __future__ import annotations

from trainings.inventory.cards import office_views, public_views
from trainings.inventory.cards.blueprint import blueprint

__all__ = ["blueprint"]

VIEWS = (office_views, public_views)
