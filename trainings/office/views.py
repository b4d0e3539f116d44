"""All pages of the office: importing them adds them to the blueprint."""

from __future__ import annotations

from trainings.office import (
    admission_views,
    attendance_views,
    demand_views,
    desk,
    event_change_views,
    event_edit_views,
    event_views,
    mail_views,
    organisation_views,
    person_views,
    queue_views,
    registration_views,
    release_views,
    template_views,
    venue_views,
    why_views,
)
from trainings.office.blueprint import blueprint

__all__ = ["blueprint"]

VIEWS = (
    desk,
    demand_views,
    event_views,
    event_change_views,
    event_edit_views,
    registration_views,
    queue_views,
    release_views,
    admission_views,
    organisation_views,
    person_views,
    venue_views,
    template_views,
    mail_views,
    why_views,
    attendance_views,
)
