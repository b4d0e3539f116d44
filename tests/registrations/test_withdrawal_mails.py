"""What people read after a registration has ended, and until when they may give a place back."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask

from tests.conftest import NOW
from tests.factories import actor_for, make_event, make_person, make_venue
from tests.registrations.demand import mails_to, registration_id
from trainings.core.actors import Actor
from trainings.core.database import transaction
from trainings.core.permissions import Role
from trainings.events.details import Policy
from trainings.events.models import Admission
from trainings.registrations.operations import register, withdraw

pytestmark = pytest.mark.both_databases
ORDINARY = Policy(offer_days=0)


class Case:
    """Somebody who registered for an event, and somebody of the office."""

    def __init__(self, policy: Policy = ORDINARY, *, full: bool = False) -> None:
        with transaction() as session:
            event = make_event(
                session, capacity=1, minimum=0, policy=policy, venue=make_venue(session)
            )
            self.event_id = event.id
            self.office = actor_for(
                make_person(session, given_name="Wiebke", roles=(Role.COORDINATOR,))
            )
            people = [actor_for(make_person(session)) for _ in range(2)]
        self.actor = people[1]
        for actor in people if full else people[1:]:
            with transaction() as session:
                register(session, actor, self.event_id, now=NOW)

    def withdrawn_by(self, actor: Actor) -> str:
        """Withdraw and return the first paragraph of the mail about it."""
        with transaction() as session:
            withdraw(session, actor, registration_id(self.actor, self.event_id), NOW)
        kind, mail = mails_to(self.actor.person_id)[-1]
        assert kind == "registration_withdrawn"
        return mail.paragraphs[0]


def test_whoever_gives_a_place_back_is_thanked(app: Flask) -> None:
    case = Case()
    assert case.withdrawn_by(case.actor).startswith("Sie haben Ihren Platz zurückgegeben.")


def test_whoever_is_withdrawn_by_the_office_is_not_told_to_have_done_it(app: Flask) -> None:
    case = Case()
    assert case.withdrawn_by(case.office) == (
        "Wiebke Beispiel (Geschäftsstelle) hat Sie abgemeldet. Ihren Platz bekommt die nächste "
        "Person auf der Warteliste. Ist das ein Versehen, melden Sie sich bitte bei der "
        "Geschäftsstelle."
    )


@pytest.mark.parametrize(
    ("policy", "full", "own"),
    [
        (ORDINARY, True, "Sie haben die Warteliste verlassen."),
        (Policy(needs_release=True), False, "Sie haben Ihre Anmeldung zurückgezogen."),
        (Policy(admission=Admission.BY_OFFICE), False, "Sie haben Ihre Anmeldung zurückgezogen."),
    ],
)
def test_a_mail_says_what_ended(app: Flask, policy: Policy, full: bool, own: str) -> None:
    case = Case(policy, full=full)
    assert case.withdrawn_by(case.actor) == own
    case = Case(policy, full=full)
    assert case.withdrawn_by(case.office).startswith(
        "Wiebke Beispiel (Geschäftsstelle) hat Sie abgemeldet. Ist das ein Versehen"
    )


def test_a_deadline_that_is_over_is_not_promised(app: Flask) -> None:
    with transaction() as session:
        event = make_event(session, venue=make_venue(session))
        event.withdraw_until = NOW - timedelta(days=1)
        actor = actor_for(make_person(session))
        register(session, actor, event.id, now=NOW)
    words = " ".join(mails_to(actor.person_id)[-1][1].closing)
    assert "Ohne Angabe von Gründen" not in words
    assert "bis zum Beginn" in words
