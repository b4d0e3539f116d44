"""Issuing, voiding, replacing certificates: each once, and as the attendance says."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.attendance.certified import (
    CLOSED_AT,
    LATER,
    certificates_of,
    close,
    mails_of,
    make_closed_course,
    make_office,
    mark,
    person_of,
)
from tests.attendance.factories import registration_ids
from tests.factories import actor_for, make_person
from tests.statements import counted_statements
from trainings.attendance.certificates.operations import (
    forget_old_certificates,
    issue_below_share,
    issue_certificates,
    reissue_certificate,
    send_certificates,
    withdraw_certificate,
)
from trainings.attendance.certificates.rules import KEPT_FOR
from trainings.attendance.models import AttendanceMark, Certificate, CertificateKind, VoidReason
from trainings.core.actors import SYSTEM, Actor
from trainings.core.audit import AuditEntry
from trainings.core.database import db, transaction
from trainings.core.errors import DomainError
from trainings.core.permissions import Role
from trainings.events.models import Event, EventKind
from trainings.registrations.models import Registration, RegistrationState

pytestmark = pytest.mark.both_databases
PRESENT, ABSENT, EXCUSED = AttendanceMark
CERTIFICATE, STATEMENT = CertificateKind
WHY = "Verwechslung zweier Personen"


class Course:
    """A closed course: unless told otherwise, somebody always there, half the time, and never."""

    def __init__(self, *marks: str) -> None:
        with transaction() as session:
            event = make_closed_course(session, *(marks or ("pppp", "ppaa", "aaae")))
            self.id, self.number = event.id, event.number
            self.people = registration_ids(session, event)
            self.sessions = [found.id for found in event.sessions]
            self.office_id, self.office = make_office(session)
            self.trainer = actor_for(session.get_one(Event, self.id).trainers[0].person)

    def issue(self, actor: Actor = SYSTEM) -> list[Certificate]:
        with transaction() as session:
            issue_certificates(session, actor, self.id, CLOSED_AT)
        return self.certificates()

    def certificates(self) -> list[Certificate]:
        db.session.rollback()
        db.session.expire_all()
        return certificates_of(db.session(), self.id)

    def correct(self, person: int, at: int, value: AttendanceMark) -> None:
        with transaction() as session:
            event = session.get_one(Event, self.id)
            close(session, event, is_closed=False)
            mark(session, self.people[person], self.sessions[at], value)
            close(session, event)


def refusal_of(work: Callable[[Session], object]) -> str:
    """Return the code with which an operation is refused."""
    with pytest.raises(DomainError) as error, transaction() as session:
        work(session)
    return error.value.code


def test_everybody_gets_what_is_due_and_who_was_never_there_nothing(app: Flask) -> None:
    course = Course()
    issued = course.issue()
    assert [(row.registration_id, row.kind, row.attended_minutes) for row in issued] == [
        (course.people[0], CERTIFICATE, 780),
        (course.people[1], STATEMENT, 390),
    ]
    assert [row.number for row in issued] == [
        f"SIKO-{course.number}-001",
        f"SIKO-{course.number}-002",
    ]
    assert len({row.code for row in issued}) == 2
    assert all(len(row.code) == 20 and not set(row.code) & set("01IO") for row in issued)


def test_the_paper_holds_all_that_it_says(app: Flask) -> None:
    course = Course("pppa")
    (row,) = course.issue()
    said = row.content or {}
    assert said["name"] == "Kübra Öztürk-Lindner"
    assert said["initials"] == "K. Ö."
    assert said["title"] == "Professioneller Umgang mit Konflikten"
    assert said["contents"] == ["Hintergrundwissen", "Kommunikation"]
    assert [found["attended"] for found in said["sessions"]] == [195, 195, 195, 0]
    assert said["sessions"][0]["day"] == "2026-03-12"
    assert (said["town"], said["trainers"]) == ("Essen", ["Jördis Kałuża"])
    assert said["office"] == "Sicherheitskooperation Ruhr"


def test_the_paper_keeps_what_it_said(app: Flask) -> None:
    course = Course("pppp")
    course.issue()
    with transaction() as session:
        person_of(session, course.people[0]).family_name = "Lindner"
        session.get_one(Event, course.id).title = "Ein anderer Titel"
    (row,) = course.issue()
    assert (row.content or {})["name"] == "Kübra Öztürk-Lindner"
    assert row.voided_at is None


def test_issuing_again_does_nothing_where_nothing_changed(app: Flask) -> None:
    course = Course()
    before = [(row.id, row.code) for row in course.issue()]
    assert [(row.id, row.code) for row in course.issue()] == before
    assert len(mails_of(db.session(), "certificate_issued")) == 2


def test_nothing_is_issued_while_the_attendance_is_open(app: Flask) -> None:
    with transaction() as session:
        event_id = make_closed_course(session, "pppp", closed=False).id

    def issue(session: Session) -> None:
        issue_certificates(session, SYSTEM, event_id, CLOSED_AT)

    assert refusal_of(issue) == "attendance_open"
    with transaction() as session:
        event = session.get_one(Event, event_id)
        close(session, event)
        close(session, event, is_closed=False)
    assert refusal_of(issue) == "attendance_open"
    assert certificates_of(db.session(), event_id) == []


def test_a_correction_replaces_the_certificate_of_that_person_only(app: Flask) -> None:
    course = Course("pppp", "pppp")
    first, other = course.issue()
    course.correct(0, 3, ABSENT)
    before, untouched, after = course.issue()
    assert (before.id, untouched.id) == (first.id, other.id)
    assert before.void_reason is VoidReason.CORRECTED
    assert before.replaced_by_id == after.id
    assert untouched.voided_at is None
    assert (after.kind, after.number[-3:]) == (STATEMENT, "003")
    replacing = mails_of(db.session(), "certificate_issued")[-1]
    assert any(before.number in text for text in replacing.mail.paragraphs)


def test_a_correction_that_leaves_the_minutes_alike_is_a_correction(app: Flask) -> None:
    course = Course("pppa")
    course.issue()
    course.correct(0, 3, PRESENT)
    course.correct(0, 0, ABSENT)
    before, after = course.issue()
    assert before.attended_minutes == after.attended_minutes
    assert before.replaced_by_id == after.id


def test_who_attended_nothing_after_a_correction_has_no_certificate(app: Flask) -> None:
    course = Course("aaap")
    course.issue()
    course.correct(0, 3, ABSENT)
    (row,) = course.issue()
    assert (row.void_reason, row.replaced_by_id) == (VoidReason.CORRECTED, None)
    assert len(mails_of(db.session(), "certificate_void")) == 1
    course.correct(0, 3, PRESENT)
    assert [found.voided_at is None for found in course.issue()] == [False, True]


def test_who_does_not_take_part_any_more_has_no_certificate(app: Flask) -> None:
    course = Course("pppp", "pppp")
    course.issue()
    with transaction() as session:
        row = session.get_one(Registration, course.people[0])
        row.state, row.ticket = RegistrationState.WITHDRAWN, None
    first, second = course.issue()
    assert (first.void_reason, second.voided_at) == (VoidReason.CORRECTED, None)


def test_each_gets_one_mail_with_the_paper(app: Flask) -> None:
    course = Course()
    issued = course.issue()
    mails = mails_of(db.session(), "certificate_issued")
    assert [mail.recipient for mail in mails] == [
        person_of(db.session(), row.registration_id).email for row in issued
    ]
    assert [mail.mail.documents[0].id for mail in mails] == [row.id for row in issued]


def test_issuing_costs_the_same_for_one_and_for_many(app: Flask) -> None:
    costs = []
    for people in (1, 30):
        with transaction() as session:
            event_id = make_closed_course(session, *["pppp"] * people).id
        with transaction() as session, counted_statements() as statements:
            issue_certificates(session, SYSTEM, event_id, CLOSED_AT)
            session.flush()
        # SQLite inserts rows with ids one by one; nothing else may grow with the people.
        costs.append(len([found for found in statements if not found.startswith("INSERT")]))
    assert costs[1] == costs[0] <= 15


def test_who_is_anonymous_gets_no_mail(app: Flask) -> None:
    course = Course("pppp")
    with transaction() as session:
        person_of(session, course.people[0]).anonymised_at = CLOSED_AT
    assert len(course.issue()) == 1
    assert mails_of(db.session(), "certificate_issued") == []


def test_the_audit_tells_ids_only(app: Flask) -> None:
    course = Course("pppp")
    course.issue(course.office)
    entry = db.session.scalars(
        select(AuditEntry).where(AuditEntry.action == "certificate_issued")
    ).one()
    assert entry.actor_person_id == course.office_id
    assert entry.details == {
        "event_id": course.id,
        "registration_id": course.people[0],
        "kind": "certificate",
    }


def test_strangers_issue_nothing(app: Flask) -> None:
    course = Course()
    with transaction() as session:
        foreign = actor_for(make_person(session, roles=(Role.TRAINER,)))
    assert (
        refusal_of(lambda session: issue_certificates(session, foreign, course.id, CLOSED_AT))
        == "not_found"
    )


def test_the_office_issues_below_the_share_with_a_reason(app: Flask) -> None:
    course = Course("ppaa")
    course.issue()
    with transaction() as session:
        issue_below_share(session, course.office, course.people[0], "Dienstlich abgerufen", LATER)
    before, after = course.certificates()
    assert (before.kind, before.replaced_by_id) == (STATEMENT, after.id)
    assert (after.kind, after.reason) == (CERTIFICATE, "Dienstlich abgerufen")
    assert after.attended_minutes == 390
    # Closing again leaves the decision alone; a correction of the hours carries it over.
    assert len(course.issue()) == 2
    course.correct(0, 1, ABSENT)
    newest = course.issue()[-1]
    assert (newest.kind, newest.reason) == (CERTIFICATE, "Dienstlich abgerufen")
    assert newest.attended_minutes == 195
    course.correct(0, 0, ABSENT)
    assert [row.voided_at is None for row in course.issue()] == [False, False, False]


@pytest.mark.parametrize(
    ("marks", "code"), [("pppp", "certificate_due"), ("aaaa", "nothing_attended")]
)
def test_below_the_share_only_where_it_is_needed(app: Flask, marks: str, code: str) -> None:
    course = Course(marks)
    person = course.people[0]
    assert (
        refusal_of(lambda session: issue_below_share(session, course.office, person, "W", LATER))
        == code
    )


def test_what_the_office_decides_is_not_the_trainers(app: Flask) -> None:
    course = Course("ppaa")
    actor, person, event = course.trainer, course.people[0], course.id
    number = course.issue()[0].id
    works: list[Callable[[Session], object]] = [
        lambda session: issue_below_share(session, actor, person, "Weil", LATER),
        lambda session: reissue_certificate(session, actor, person, LATER),
        lambda session: withdraw_certificate(session, actor, number, "Weil", LATER),
        lambda session: send_certificates(session, actor, event, LATER, certificate_id=None),
    ]
    assert [refusal_of(work) for work in works] == ["not_found"] * 4


def test_twice_below_the_share_is_refused(app: Flask) -> None:
    course = Course("ppaa")

    def decide(session: Session) -> None:
        issue_below_share(session, course.office, course.people[0], "Weil", LATER)

    with transaction() as session:
        decide(session)
    assert refusal_of(decide) == "certified_already"


def test_a_withdrawn_one_stays_withdrawn_until_the_office_issues_it_anew(app: Flask) -> None:
    course = Course("pppp")
    (row,) = course.issue()
    certificate_id = row.id

    def withdraw(session: Session) -> None:
        withdraw_certificate(session, course.office, certificate_id, WHY, LATER)

    with transaction() as session:
        withdraw(session)
    (row,) = course.issue()
    assert (row.void_reason, row.void_note) == (VoidReason.WITHDRAWN, WHY)
    (told,) = mails_of(db.session(), "certificate_void")
    assert WHY in " ".join(told.mail.paragraphs)
    assert refusal_of(withdraw) == "certificate_void"
    with transaction() as session:
        reissue_certificate(session, course.office, course.people[0], LATER)
    assert [found.voided_at is None for found in course.certificates()] == [False, True]
    assert course.certificates()[0].replaced_by_id is None


def test_who_withdraws_says_why(app: Flask) -> None:
    course = Course("pppp")
    (row,) = course.issue()
    certificate_id = row.id
    code = refusal_of(
        lambda session: withdraw_certificate(session, course.office, certificate_id, "", LATER)
    )
    assert code == "reason_missing"
    assert course.certificates()[0].voided_at is None


def test_why_one_was_withdrawn_is_forgotten_with_what_it_said(app: Flask) -> None:
    course = Course("pppp")
    course.issue()
    with transaction() as session:
        withdraw_certificate(session, course.office, course.certificates()[0].id, WHY, LATER)
        forget_old_certificates(session, CLOSED_AT + KEPT_FOR + timedelta(seconds=1))
    assert course.certificates()[0].void_note == ""


def test_a_corrected_name_comes_with_a_new_one_on_demand(app: Flask) -> None:
    course = Course("pppp")
    course.issue()

    def reissue(session: Session) -> None:
        reissue_certificate(session, course.office, course.people[0], LATER)

    assert refusal_of(reissue) == "nothing_changed"
    with transaction() as session:
        person_of(session, course.people[0]).title = "Dr."
    with transaction() as session:
        reissue(session)
    before, after = course.certificates()
    assert before.replaced_by_id == after.id
    assert (after.content or {})["name"] == "Dr. Kübra Öztürk-Lindner"


def test_sending_again_sends_the_valid_ones(app: Flask) -> None:
    course = Course()
    first, second = course.issue()
    office, gone = course.office, first.id
    with transaction() as session:
        withdraw_certificate(session, office, gone, WHY, LATER)
    with transaction() as session:
        assert send_certificates(session, office, course.id, LATER, certificate_id=None) == 1
    sent = mails_of(db.session(), "certificate_issued")[-1]
    assert sent.mail.documents[0].id == second.id
    assert (
        refusal_of(
            lambda session: send_certificates(
                session, office, course.id, LATER, certificate_id=gone
            )
        )
        == "nothing_to_send"
    )


def test_after_ten_years_only_the_number_is_left(app: Flask) -> None:
    course = Course("pppp")
    course.issue()
    with transaction() as session:
        assert forget_old_certificates(session, CLOSED_AT + KEPT_FOR) == 0
        assert forget_old_certificates(session, CLOSED_AT + KEPT_FOR + timedelta(seconds=1)) == 1
        assert forget_old_certificates(session, CLOSED_AT + KEPT_FOR * 2) == 0
    (row,) = course.certificates()
    assert row.content is None
    assert row.number.endswith("-001")
    # Its minutes still agree, so that closing once more does not issue another one.
    assert len(course.issue()) == 1


ON_REQUEST = [EventKind.ANNUAL_MEETING, EventKind.WORKING_GROUP]


@pytest.mark.parametrize("kind", list(EventKind))
def test_only_further_education_has_certificates_by_itself(app: Flask, kind: EventKind) -> None:
    with transaction() as session:
        event = make_closed_course(session, "pppp", "ppaa", kind=kind)
        done = issue_certificates(session, SYSTEM, event.id, CLOSED_AT)
    assert len(done.issued) == (0 if kind in ON_REQUEST else 2)


@pytest.mark.parametrize("kind", ON_REQUEST)
def test_the_office_issues_one_on_request_that_follows_corrections(
    app: Flask, kind: EventKind
) -> None:
    with transaction() as session:
        event = make_closed_course(session, "pppp", "pppp", kind=kind)
        event_id, sessions = event.id, [found.id for found in event.sessions]
        people = registration_ids(session, event)
        _, office = make_office(session)
        assert len(reissue_certificate(session, office, people[0], LATER).issued) == 1
    with transaction() as session:
        for person in people:
            mark(session, person, sessions[0], ABSENT)
        done = issue_certificates(session, office, event_id, LATER)
        assert (len(done.issued), len(done.voided)) == (1, 1)
        assert [found.registration_id for found in certificates_of(session, event_id)] == [
            people[0],
            people[0],
        ]
