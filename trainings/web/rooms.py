"""Which rooms have pages."""

from __future__ import annotations

from flask import Flask

from trainings.attendance.closing_views import blueprint as closing
from trainings.attendance.papers_views import blueprint as papers
from trainings.attendance.participation_views import blueprint as participations
from trainings.attendance.sync_views import blueprint as door
from trainings.attendance.views import blueprint as attendance
from trainings.attendance.walk_in_views import blueprint as walk_ins
from trainings.office.views import blueprint as office
from trainings.people.views import blueprint as people
from trainings.registrations.views import blueprint as registrations
from trainings.statistics.views import blueprint as statistics
from trainings.web.actions import blueprint as actions
from trainings.web.pages import blueprint as web

BLUEPRINTS = (
    people,
    registrations,
    attendance,
    door,
    walk_ins,
    papers,
    closing,
    participations,
    statistics,
    office,
    web,
    actions,
)


def install(app: Flask) -> None:
    """Register the pages of all rooms."""
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
