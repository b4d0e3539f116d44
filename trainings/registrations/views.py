"""Pages of the room: events, one's own registrations, the organisation's, and demand."""

from __future__ import annotations

from trainings.registrations import (
    collective_views,
    course_views,
    demand_views,
    event_views,
    offer_views,
    organisation_views,
    own_views,
    substitution_views,
)
from trainings.registrations.blueprint import blueprint

__all__ = [
    "blueprint",
    "collective_views",
    "course_views",
    "demand_views",
    "event_views",
    "offer_views",
    "organisation_views",
    "own_views",
    "substitution_views",
]
