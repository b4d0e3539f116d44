"""Sessions made up at another event: what counts, once, and what it does to the certificate."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import select

from tests.attendance.certificates.test_operations import (
    ABSENT,
    CERTIFICATE,
    STATEMENT,
    Course,
    refusal_of,
)
from tests.attendance.certified import LATER, close, mark, person_of
from tests.attendance.factories import registration_ids
from tests.factories import make_event, make_person
from tests.registered import make_registration
from trainings.attendance.certificates.operations import issue_certificates
from trainings.attendance.made_up.operations import decide_made_up, revoke_made_up
from trainings.attendance.models import MadeUpSession
from trainings.core.actors import SYSTEM, Actor
from trainings.core.database import db, transaction
from trainings.core.errors import DomainError
from trainings.events.models import Event, EventSession

pytestmark = pytest.mark.both_databases


class MadeUp(Course):
    """A course with a missed half day, and another event that the same person attended."""

    def __init__(self, marks: str, other: str = "p") -> None:
        super().__init__(marks)
        with transaction() as session:
            event = make_event(session, days=1)
            make_registration(session, event, person_of(session, self.people[0]), marks=other)
            stranger = make_event(session, days=1)
            make_registration(session, stranger, make_person(session), marks="p")
            self.other_id = event.id
            self.elsewhere = [found.id for found in event.sessions]
            self.foreign = stranger.sessions[0].id

    def decide(self, missed: int, at: int, actor: Actor | None = None) -> None:
        with transaction() as session:
            decide_made_up(
                session,
                actor or self.office,
                self.people[0],
                self.sessions[missed],
                made_up_at_id=at,
                now=LATER,
            )

    def refusal(self, missed: int, at: int, actor: Actor | None = None) -> str:
        with pytest.raises(DomainError) as error:
            self.decide(missed, at, actor)
        return error.value.code


def test_a_made_up_session_counts_and_replaces_the_statement(app: Flask) -> None:
    course = MadeUp("pppa")
    with transaction() as session:
        session.get_one(Event, course.id).certificate_share = 100
    course.issue()
    course.decide(3, course.elsewhere[0])
    before, after = course.certificates()
    assert (before.kind, before.replaced_by_id) == (STATEMENT, after.id)
    assert (after.kind, after.attended_minutes) == (CERTIFICATE, 780)
    decision_id = db.session.scalars(select(MadeUpSession.id)).one()
    with transaction() as session:
        revoke_made_up(session, course.office, decision_id, LATER)
    assert [row.kind for row in course.certificates()] == [STATEMENT, CERTIFICATE, STATEMENT]
    assert course.certificates()[1].voided_at is not None
    assert (
        refusal_of(lambda session: revoke_made_up(session, course.office, decision_id, LATER))
        == "not_found"
    )


def test_a_made_up_session_counts_at_most_its_own_length(app: Flask) -> None:
    course = MadeUp("pppa")
    with transaction() as session:
        longer = session.get_one(EventSession, course.elsewhere[0])
        longer.ends = longer.ends.replace(hour=13)
    course.decide(3, course.elsewhere[0])
    assert course.issue()[-1].attended_minutes == 780


def test_before_closing_a_decision_issues_nothing(app: Flask) -> None:
    course = MadeUp("pppa")
    with transaction() as session:
        close(session, session.get_one(Event, course.id), is_closed=False)
    course.decide(3, course.elsewhere[0])
    assert course.certificates() == []


@pytest.mark.parametrize("which", ["foreign", "missed", "own", "unknown"])
def test_only_what_the_same_person_attended_elsewhere_counts(app: Flask, which: str) -> None:
    course = MadeUp("pppa", other="pa")
    at = {
        "foreign": course.foreign,
        "missed": course.elsewhere[1],
        "own": course.sessions[0],
        "unknown": 999_999,
    }[which]
    assert course.refusal(3, at) == "not_attended_there"


def test_one_session_is_made_up_once_and_counts_once(app: Flask) -> None:
    course = MadeUp("ppaa", other="pp")
    course.decide(3, course.elsewhere[0])
    assert course.refusal(3, course.elsewhere[1]) == "made_up_already"
    assert course.refusal(2, course.elsewhere[0]) == "made_up_already"
    course.decide(2, course.elsewhere[1])


def test_making_up_is_the_offices_to_decide(app: Flask) -> None:
    course = MadeUp("pppa")
    assert course.refusal(3, course.elsewhere[0], course.trainer) == "not_found"


def test_correcting_the_other_event_corrects_the_certificate(app: Flask) -> None:
    course = MadeUp("pppa")
    course.decide(3, course.elsewhere[0])
    with transaction() as session:
        other = session.get_one(Event, course.other_id)
        (registration,) = registration_ids(session, other)
        mark(session, registration, course.elsewhere[0], ABSENT)
        close(session, other)
        issue_certificates(session, SYSTEM, other.id, LATER)
    assert [row.attended_minutes for row in course.certificates()] == [780, 585]
