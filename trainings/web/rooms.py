"""Which rooms have pages."""

from __future__ import annotations

from flask import Flask

from trainings.attendance.certificates.mails import DOCUMENTS
from trainings.attendance.certificates.papers import certificate_attachment
from trainings.attendance.certificates.public_views import blueprint as certificate_holders
from trainings.attendance.certificates.views import blueprint as certificates
from trainings.attendance.closing.views import blueprint as closing
from trainings.attendance.door.scanner_views import blueprint as scanner
from trainings.attendance.door.sync_views import blueprint as door
from trainings.attendance.door.walk_in_views import blueprint as walk_ins
from trainings.attendance.extras import offer_extra
from trainings.attendance.made_up.views import blueprint as made_up
from trainings.attendance.papers.views import blueprint as papers
from trainings.attendance.participation_views import blueprint as participations
from trainings.attendance.views import blueprint as attendance
from trainings.core.outbox import offer_documents
from trainings.feedback.answering.views import blueprint as answering
from trainings.feedback.questionnaires.views import blueprint as questionnaires
from trainings.feedback.results.views import blueprint as feedback_results
from trainings.feedback.surveys.views import blueprint as surveys
from trainings.feedback.texts.views import blueprint as feedback_texts
from trainings.inventory.cards.views import blueprint as cards
from trainings.inventory.handouts.door import CARD_BUTTON, SOURCE
from trainings.inventory.handouts.views import blueprint as card_handouts
from trainings.inventory.orders.views import blueprint as card_orders
from trainings.inventory.reports.views import blueprint as card_reports
from trainings.inventory.stock.views import blueprint as card_stock
from trainings.inventory.stocktakes.views import blueprint as stocktakes
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
    cards,
    card_stock,
    card_orders,
    card_handouts,
    stocktakes,
    card_reports,
    answering,
    surveys,
    feedback_results,
    feedback_texts,
    questionnaires,
    statistics,
    office,
    web,
    actions,
)


def install(app: Flask) -> None:
    """Register the pages of all rooms, the documents that mails attach, buttons of other rooms."""
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    offer_documents(app, DOCUMENTS, certificate_attachment)
    offer_extra(app, SOURCE, CARD_BUTTON)
