"""Which rooms have pages."""

from __future__ import annotations

from flask import Flask

from trainings.attendance.certificate_mails import DOCUMENTS
from trainings.attendance.certificate_papers import certificate_attachment
from trainings.attendance.certificate_public_views import blueprint as certificate_holders
from trainings.attendance.certificate_views import blueprint as certificates
from trainings.attendance.closing_views import blueprint as closing
from trainings.attendance.made_up_views import blueprint as made_up
from trainings.attendance.papers_views import blueprint as papers
from trainings.attendance.participation_views import blueprint as participations
from trainings.attendance.scanner_views import blueprint as scanner
from trainings.attendance.sync_views import blueprint as door
from trainings.attendance.views import blueprint as attendance
from trainings.attendance.walk_in_views import blueprint as walk_ins
from trainings.core.outbox import offer_documents
from trainings.inventory.reports.views import blueprint as card_reports
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
    papers,
    closing,
    door,
    walk_ins,
    scanner,
    participations,
    certificates,
    certificate_holders,
    made_up,
    card_reports,
    statistics,
    office,
    web,
    actions,
)


def install(app: Flask) -> None:
    """Register the pages of all rooms, and the documents that mails attach."""
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    offer_documents(app, DOCUMENTS, certificate_attachment)
