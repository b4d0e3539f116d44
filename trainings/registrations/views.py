"""Pages of the room: events and one's own registrations."""

from __future__ import annotations

from trainings.registrations import collective_views, event_views, own_views, substitution_views
from trainings.registrations.blueprint import blueprint

__all__ = ["blueprint", "collective_views", "event_views", "own_views", "substitution_views"]
