"""How full events are, as the office sees it, agrees with the rules that give places."""

from __future__ import annotations

from datetime import timedelta

from flask import Flask

from tests.conftest import NOW
from tests.factories import make_event, make_organisation, make_person
from tests.registered import make_registration
from trainings.core.database import db, transaction
from trainings.events.models import Event
from trainings.office.occupancy import occupancies
from trainings.organisations.models import Level
from trainings.registrations.models import Contingent
from trainings.registrations.place_queries import load_places


def test_somebody_takes_from_one_contingent_only(app: Flask) -> None:
    until = NOW + timedelta(days=1)
    with transaction() as session:
        group = make_organisation(session, "Regionalverband", level=Level.GROUP)
        authority = make_organisation(session, "Stadt Essen", parent=group)
        event = make_event(session, capacity=10)
        for owner, places in ((authority, 2), (group, 3)):
            session.add(
                Contingent(
                    pool_id=event.pool_id, organisation_id=owner.id, places=places, until=until
                )
            )
        for _ in range(2):
            make_registration(session, event, make_person(session, authority))
        event_id = event.id
    event = db.session.get_one(Event, event_id)
    shown = occupancies(db.session(), [event.pool_id], NOW)[event.pool_id]
    assert (shown.taken, shown.held) == (2, 3)
    assert shown.held == load_places(db.session(), event.pool, NOW).held
