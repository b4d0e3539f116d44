"""How many SQL statements each page takes, counted in this process."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Flask, url_for
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.routing import Rule

from bench.feedback import open_rights
from bench.figures import Figure
from bench.stage import Stage
from tests.factories import log_in
from tests.statements import counted_statements
from trainings.core.clock import utc_now
from trainings.core.database import db, transaction
from trainings.core.outbox import OutgoingMail
from trainings.core.tokens import Purpose, issue
from trainings.events.models import Event, EventTemplate, Venue
from trainings.feedback.models import Questionnaire
from trainings.people.models import Account
from trainings.registrations.models import Registration
from trainings.registrations.tickets import signed_path

MOST = 12
# The journal leaves in pieces, however long it is.
NO_PAGES = frozenset({"static", "card_reports.journal_csv", "card_reports.journal_xlsx"})


def measure_statements(stage: Stage) -> tuple[list[Figure], list[str]]:
    """Count the statements of all pages, seen by somebody who may open each.

    Returns:
        The page that takes the most, as a figure; one line for each page.

    """
    with stage.app.app_context():
        person_id = db.session.get_one(Account, stage.data.everything).person_id
        values = _values(stage, person_id)
        client = stage.app.test_client()
        log_in(client, person_id)
    counts = {}
    unknown = []
    for rule in sorted(stage.app.url_map.iter_rules(), key=lambda rule: rule.rule):
        if "GET" not in (rule.methods or ()) or rule.endpoint in NO_PAGES:
            continue
        path = _path(stage.app, rule, values)
        if path is None:
            unknown.append(f"{rule.rule} was not opened")
        else:
            counts[rule.rule] = _count(stage.app, client, path)
    worst = max(counts, key=lambda rule: counts[rule][0])
    figure = Figure("SQL statements of a page", counts[worst][0], "", MOST, note=f"most: {worst}")
    lines = [
        f"{number:>3}  {rule}{'' if status == 200 else f' ({status})'}"
        for rule, (number, status) in counts.items()
    ]
    return [figure], lines + unknown


def _values(stage: Stage, person_id: int) -> dict[str, Any]:
    """Return what the parts of addresses are filled with, by their names."""
    registration = db.session.scalars(
        select(Registration)
        .join(Event, Registration.event_id == Event.id)
        .where(Registration.person_id == person_id, Event.number == stage.data.today_number)
    ).one()
    ticket = registration.ticket or ""
    with transaction() as session:
        now = utc_now()
        token = issue(session, Purpose.WITHDRAW, registration.id, now, now + timedelta(days=1))
        (code,) = open_rights(session, 1)
    return {
        "person_id": person_id,
        "organisation_id": registration.organisation_id,
        "venue_id": db.session.scalar(select(Venue.id)),
        "template_id": db.session.scalar(select(EventTemplate.id)),
        "mail_id": db.session.scalar(select(OutgoingMail.id)),
        "number": stage.data.today_number,
        "registration_id": registration.id,
        "ticket": ticket,
        "signature": signed_path(ticket).rpartition("/")[2],
        "token": token,
        "code": code,
        "questionnaire_id": db.session.scalar(select(Questionnaire.id)),
        "version": 1,
    }


def _path(app: Flask, rule: Rule, values: dict[str, Any]) -> str | None:
    wanted = {name: values[name] for name in rule.arguments if name in values}
    if len(wanted) < len(rule.arguments):
        return None
    with app.test_request_context():
        return url_for(rule.endpoint, **wanted)


def _count(app: Flask, client: FlaskClient, path: str) -> tuple[int, int]:
    with app.app_context(), counted_statements() as statements:
        status = client.get(path).status_code
    return len(statements), status
