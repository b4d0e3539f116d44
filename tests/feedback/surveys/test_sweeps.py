"""Invitations, the reminder, the follow-up: who is asked when, once, and what is kept of it."""

from __future__ import annotations

import json
from datetime import date, timedelta

import pytest
from flask import Flask
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from tests.factories import berlin, make_event, make_person
from tests.feedback.factories import (
    answer,
    make_attended,
    make_closed_survey,
    make_format,
    make_open_survey,
    make_version,
)
from tests.registered import make_registration
from trainings.attendance.models import Attendance, AttendanceMark
from trainings.core.actors import Actor
from trainings.core.audit import AuditEntry
from trainings.core.clock import utc_now
from trainings.core.database import db, transaction
from trainings.core.delivery import deliver_due_mails
from trainings.core.outbox import MailState, OutgoingMail
from trainings.core.permissions import Role
from trainings.core.settings import current_settings
from trainings.core.tokens import digest
from trainings.events.models import Event, EventKind, EventState
from trainings.feedback.answering.operations import asked
from trainings.feedback.models import (
    Channel,
    FeedbackInvitation,
    FeedbackPlan,
    FeedbackRight,
    QuestionnaireUse,
    Survey,
    SurveyKind,
    SurveyState,
    UsedRight,
)
from trainings.feedback.surveys.queries import list_events, load_event_surveys
from trainings.feedback.surveys.settling import close_surveys, settle_answers
from trainings.feedback.surveys.sweeps import (
    INVITED,
    REMINDED,
    follow_up,
    forget_rights,
    invite,
    remind,
)
from trainings.people.models import Person
from trainings.registrations.models import Registration, RegistrationState

pytestmark = pytest.mark.both_databases

FRIDAY = date(2026, 4, 17)
END = berlin(FRIDAY, 16, 30)
"""Of the event of `make_attended`."""
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


def course(people: int = 6, **values: object) -> int:
    """Add a training of two days that ended on Friday, and the questionnaires."""
    with transaction() as session:
        make_version(session)
        make_version(session, use=QuestionnaireUse.FOLLOW_UP, title="Nachbefragung")
        return make_attended(session, people, **values).id  # type: ignore[arg-type]


def survey_of(event_id: int, kind: SurveyKind = SurveyKind.AFTER) -> Survey | None:
    db.session.expire_all()
    return db.session.scalar(select(Survey).where(Survey.event_id == event_id, Survey.kind == kind))


def the_survey(event_id: int, kind: SurveyKind = SurveyKind.AFTER) -> Survey:
    survey = survey_of(event_id, kind)
    assert survey is not None
    return survey


def mails(kind: str = INVITED) -> list[OutgoingMail]:
    db.session.expire_all()
    statement = select(OutgoingMail).where(OutgoingMail.kind == kind).order_by(OutgoingMail.id)
    return list(db.session.scalars(statement))


def codes(rows: list[OutgoingMail]) -> list[str]:
    links = [row.mail.link for row in rows]
    return [link[1].removeprefix("/rueckmeldung/") for link in links if link]


def rights() -> set[bytes]:
    return set(db.session.scalars(select(FeedbackRight.token_hash)))


def tokens() -> list[str]:
    db.session.expire_all()
    statement = select(FeedbackInvitation.token).order_by(FeedbackInvitation.registration_id)
    return list(db.session.scalars(statement))


def mark(session: Session, registration_id: int, how: AttendanceMark) -> None:
    """Record somebody at all sessions."""
    session.execute(delete(Attendance).where(Attendance.registration_id == registration_id))
    registration = session.get_one(Registration, registration_id)
    for part in session.get_one(Event, registration.event_id).sessions:
        session.add(Attendance(registration_id=registration_id, session_id=part.id, mark=how))


def first_registration(event_id: int) -> int:
    ids = select(func.min(Registration.id)).where(Registration.event_id == event_id)
    return db.session.scalar(ids) or 0


def test_everybody_who_attended_is_asked_when_the_last_session_is_over(app: Flask) -> None:
    event_id = course()
    with transaction() as session:
        event = session.get_one(Event, event_id)
        make_registration(session, event, make_person(session), marks="aaaa")
        make_registration(session, event, make_person(session))
        withdrawn = RegistrationState.WITHDRAWN
        make_registration(session, event, make_person(session), state=withdrawn, marks="pp")
    assert invite(END - MINUTE) == 0
    assert survey_of(event_id) is None
    assert invite(END) == 6
    survey = the_survey(event_id)
    assert (survey.state, survey.channel, survey.invited) == (SurveyState.OPEN, Channel.MAIL, 6)
    assert (survey.opened_on, survey.closes_on) == (FRIDAY, FRIDAY + 21 * DAY)
    assert rights() == {digest(code) for code in codes(mails())}
    assert len(rights()) == 6
    present = (
        select(Person.email)
        .join(Registration)
        .where(Registration.id.in_(select(FeedbackInvitation.registration_id)))
    )
    assert {row.recipient for row in mails()} == set(db.session.scalars(present))


def test_whoever_came_for_one_half_day_is_asked(app: Flask) -> None:
    event_id = course(1)
    with transaction() as session:
        event = session.get_one(Event, event_id)
        make_registration(session, event, make_person(session), marks="apaa")
    assert invite(END) == 2


def test_a_second_run_changes_nothing(app: Flask) -> None:
    event_id = course()
    invite(END)
    before = (tokens(), rights(), len(mails()), len(db.session.scalars(select(AuditEntry)).all()))
    assert (invite(END), invite(END + 3 * DAY), follow_up(END + DAY)) == (0, 0, 0)
    after = (tokens(), rights(), len(mails()), len(db.session.scalars(select(AuditEntry)).all()))
    assert before == after
    assert the_survey(event_id).invited == 6


@pytest.mark.parametrize("last_day", [date(2026, 3, 29), date(2026, 10, 25)])
def test_the_end_is_a_time_in_berlin_also_when_the_clock_changes(
    app: Flask, last_day: date
) -> None:
    course(first_day=last_day - DAY)
    end = berlin(last_day, 16, 30)
    assert end.hour == (14 if last_day.month == 3 else 15)
    assert invite(end - MINUTE) == 0
    assert invite(end) == 6


def test_what_was_missed_for_two_weeks_is_not_asked_any_more(app: Flask) -> None:
    event_id = course()
    assert invite(END + 15 * DAY) == 0
    assert survey_of(event_id) is None
    assert invite(END + 14 * DAY) == 6


def test_nobody_was_there_yet(app: Flask) -> None:
    event_id = course(0)
    with transaction() as session:
        event = session.get_one(Event, event_id)
        registration_id = make_registration(session, event, make_person(session)).id
    assert invite(END) == 0
    assert survey_of(event_id) is None
    with transaction() as session:
        mark(session, registration_id, AttendanceMark.PRESENT)
    assert invite(END + DAY) == 1


@pytest.mark.parametrize("state", [EventState.DRAFT, EventState.CANCELLED])
def test_drafts_and_cancelled_events_never_ask(app: Flask, state: EventState) -> None:
    event_id = course()
    with transaction() as session:
        session.get_one(Event, event_id).state = state
    assert (invite(END), follow_up(berlin(date(2026, 7, 17), 12))) == (0, 0)


def test_working_groups_and_formats_without_a_questionnaire_do_not_ask(app: Flask) -> None:
    event_id = course()
    with transaction() as session:
        group = make_event(
            session, first_day=FRIDAY, days=1, kind=EventKind.WORKING_GROUP, state=EventState.HELD
        )
        make_registration(session, group, make_person(session), marks="pp")
        template = make_format(session)
        session.get_one(Event, event_id).template_id = template.id
        session.add(FeedbackPlan(template_id=template.id, after_id=None, follow_up_id=None))
    assert (invite(END), follow_up(berlin(date(2026, 7, 17), 12))) == (0, 0)


@pytest.mark.parametrize(
    ("state", "channel", "asked_people"),
    [
        (SurveyState.PLANNED, Channel.MAIL, 6),
        (SurveyState.PLANNED, Channel.SLIPS, 0),
        (SurveyState.OMITTED, Channel.MAIL, 0),
    ],
)
def test_what_was_chosen_counts(
    app: Flask, state: SurveyState, channel: Channel, asked_people: int
) -> None:
    event_id = course()
    with transaction() as session:
        session.add(Survey(event_id=event_id, kind=SurveyKind.AFTER, state=state, channel=channel))
    assert invite(END) == asked_people
    assert len(mails()) == asked_people


def test_an_open_survey_with_slips_sends_no_codes(app: Flask) -> None:
    event_id = course()
    with transaction() as session:
        version = make_version(session)
        event = session.get_one(Event, event_id)
        make_open_survey(session, event, version, END, rights=2, channel=Channel.SLIPS)
    assert (invite(END), remind(END + 7 * DAY), len(mails())) == (0, 0, 0)


def test_whoever_is_recorded_later_is_asked_until_the_last_day(app: Flask) -> None:
    event_id = course()
    invite(END)
    with transaction() as session:
        event = session.get_one(Event, event_id)
        make_registration(session, event, make_person(session), marks="pppp")
    assert invite(END + 22 * DAY) == 0
    assert invite(END + 3 * DAY) == 1
    assert the_survey(event_id).invited == 7
    remind(END + 7 * DAY)
    with transaction() as session:
        event = session.get_one(Event, event_id)
        make_registration(session, event, make_person(session), marks="pppp")
    # After the reminder no code is kept, not even until the next sweep.
    assert (invite(END + 8 * DAY), set(tokens()), invite(END + 9 * DAY)) == (1, {""}, 0)


def test_whoever_turns_out_absent_loses_an_unused_right(app: Flask) -> None:
    event_id = course()
    invite(END)
    absent = first_registration(event_id)
    token = tokens()[0]
    assert asked(db.session(), token, END).survey.event_id == event_id
    with transaction() as session:
        mark(session, absent, AttendanceMark.ABSENT)
    assert invite(END + DAY) == 0
    assert digest(token) not in rights()
    with pytest.raises(Exception, match="unknown_right"):
        asked(db.session(), token, END + DAY)
    with transaction() as session:
        mark(session, absent, AttendanceMark.PRESENT)
    # Was there after all: the link that they have leads to their right again.
    assert [invite(END + 2 * DAY), invite(END + 2 * DAY)] == [0, 0]
    assert asked(db.session(), token, END + 2 * DAY).survey.event_id == event_id
    assert (the_survey(event_id).invited, len(rights()), len(mails())) == (6, 6, 6)


def test_whoever_was_there_after_all_has_the_right_back_before_the_reminder(app: Flask) -> None:
    event_id = course()
    invite(END)
    token = tokens()[0]
    for how in (AttendanceMark.ABSENT, AttendanceMark.PRESENT):
        if how is AttendanceMark.PRESENT:
            invite(END + DAY)
        with transaction() as session:
            mark(session, first_registration(event_id), how)
    assert remind(END + 7 * DAY) == 6
    assert digest(token) in rights()


def test_recording_somebody_as_absent_does_not_tell_whether_they_have_answered(
    app: Flask,
) -> None:
    """Whoever takes the attendance of somebody back, and gives it again, sees the same."""

    def seen() -> tuple[object, ...]:
        survey = the_survey(event_id)
        entries = db.session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
        return survey.invited, len(tokens()), len(mails()), len(entries)

    event_id = course()
    invite(END)
    silent, answered = db.session.scalars(
        select(Registration.id).order_by(Registration.id).limit(2)
    )
    with transaction() as session:
        answer(session, [tokens()[1]], END)
    before = seen()
    for person in (silent, answered):
        for how in (AttendanceMark.ABSENT, AttendanceMark.PRESENT):
            with transaction() as session:
                mark(session, person, how)
            invite(END + DAY)
            assert seen() == before


@pytest.mark.parametrize("has_answered", [False, True])
def test_no_number_of_a_running_survey_tells_whether_somebody_absent_has_answered(
    app: Flask, has_answered: bool
) -> None:
    event_id = course()
    invite(END)
    absent, token = first_registration(event_id), tokens()[0]
    with transaction() as session:
        if has_answered:
            answer(session, [token], END)
        mark(session, absent, AttendanceMark.ABSENT)
    invite(END + DAY)
    session, office, now = db.session(), Actor(1, roles=frozenset({Role.COORDINATOR})), END + DAY
    (listed,) = list_events(session, office, None, now, offset=0)
    page = load_event_surveys(session, office, listed.number, now)
    assert (listed.after.invited, page.after.invited) == (6, 6)


def test_an_answer_of_somebody_absent_counts_once_and_they_get_no_second_right(app: Flask) -> None:
    event_id = course()
    invite(END)
    absent = first_registration(event_id)
    with transaction() as session:
        answer(session, [tokens()[0]], END)
    for how in (AttendanceMark.ABSENT, AttendanceMark.PRESENT):
        with transaction() as session:
            mark(session, absent, how)
        assert invite(END + DAY) == 0
    assert (the_survey(event_id).invited, len(rights()), len(mails())) == (6, 5, 6)


def test_who_answered_cannot_be_told_from_the_reminders(app: Flask) -> None:
    """Of two absent people one has used the right: neither gets a mail."""
    event_id = course()
    invite(END)
    used, unused = db.session.scalars(select(Registration.id).order_by(Registration.id).limit(2))
    with transaction() as session:
        answer(session, [tokens()[0]], END)
        mark(session, used, AttendanceMark.ABSENT)
        mark(session, unused, AttendanceMark.ABSENT)
    invite(END + DAY)
    assert remind(END + 7 * DAY) == 4
    assert set(tokens()) == {""}
    assert len(tokens()) == 6
    assert the_survey(event_id).invited == 6


def test_all_are_reminded_once_after_a_week_and_their_codes_forgotten(app: Flask) -> None:
    event_id = course()
    invite(END)
    first = dict(zip([row.recipient for row in mails()], codes(mails()), strict=True))
    with transaction() as session:
        answer(session, list(first.values())[:2], END)
    assert remind(END + 6 * DAY) == 0
    assert all(tokens())
    assert remind(END + 7 * DAY) == 6
    assert the_survey(event_id).reminded_on == FRIDAY + 7 * DAY
    assert set(tokens()) == {""}
    again = dict(
        zip([row.recipient for row in mails(REMINDED)], codes(mails(REMINDED)), strict=True)
    )
    assert again == first
    assert remind(END + 8 * DAY) == 0


def test_nobody_is_reminded_after_the_last_day(app: Flask) -> None:
    course()
    invite(END)
    assert remind(END + 22 * DAY) == 0
    close_surveys(END + 22 * DAY)
    assert set(tokens()) == {""}
    assert remind(END + 22 * DAY) == 0


def test_the_mail_says_what_has_to_be_known(app: Flask) -> None:
    course(1)
    invite(END)
    (row,) = mails()
    mail = row.mail
    text = "\n".join([*mail.paragraphs, *mail.closing])
    for words in ("freiwillig", "anonym", "zwei Minuten", "08.05.2026", "nicht weiter"):
        assert words in text
    assert mail.way_out == ("Wie wir Ihre Antworten schützen", "/rueckmeldung/vertraulichkeit")
    assert mail.fleeting


def test_no_code_is_kept_in_a_mail_that_has_left(app: Flask) -> None:
    course()
    with transaction() as session:
        # Somebody who was entered by others gets more paragraphs with the first mail.
        session.scalars(select(Person).limit(1)).one().informed_at = None
    invite(END)
    remind(END + 7 * DAY)
    known = codes(mails()) + codes(mails(REMINDED))
    assert len(known) == 12
    deliver_due_mails(current_settings(), utc_now())
    rows = mails() + mails(REMINDED)
    assert {row.state for row in rows} == {MailState.SENT}
    stored = json.dumps(
        [[row.subject, row.content, row.message_id, row.last_error, row.kind] for row in rows]
    )
    assert not [code for code in known if code in stored]
    assert "/rueckmeldung/vertraulichkeit" in stored


def test_three_months_later_those_who_attended_are_asked_by_mail(app: Flask) -> None:
    event_id = course()
    opens = date(2026, 7, 17)
    with transaction() as session:
        make_closed_survey(
            session, session.get_one(Event, event_id), make_version(session), {}, answered=0
        )
    assert follow_up(berlin(opens - DAY, 23, 59)) == 0
    assert follow_up(berlin(opens, 0, 0)) == 6
    assert follow_up(berlin(opens, 0, 5)) == 0
    survey = the_survey(event_id, SurveyKind.FOLLOW_UP)
    assert (survey.opened_on, survey.closes_on) == (opens, opens + 28 * DAY)
    assert survey.invited == 6
    assert mails()[0].subject.startswith("Drei Monate danach")
    assert remind(berlin(opens + 7 * DAY, 0, 0)) == 6


def test_a_follow_up_is_missed_after_two_weeks_or_omitted(app: Flask) -> None:
    event_id = course()
    assert follow_up(berlin(date(2026, 8, 1), 9)) == 0
    with transaction() as session:
        session.add(Survey(event_id=event_id, kind=SurveyKind.FOLLOW_UP, state=SurveyState.OMITTED))
    assert follow_up(berlin(date(2026, 7, 20), 9)) == 0


def test_the_end_of_february_is_three_months_after_november(app: Flask) -> None:
    course(first_day=date(2026, 11, 29))
    assert follow_up(berlin(date(2027, 2, 27), 12)) == 0
    assert follow_up(berlin(date(2027, 2, 28), 12)) == 6


def test_whoever_was_anonymised_is_not_asked(app: Flask) -> None:
    course(2)
    with transaction() as session:
        person = session.scalars(select(Person).limit(1)).one()
        person.anonymised_at, person.email = END, ""
    assert follow_up(berlin(date(2026, 7, 17), 12)) == 1


def test_rights_are_forgotten_ninety_days_after_the_last_day(app: Flask) -> None:
    event_id = course()
    invite(END)
    with transaction() as session:
        answer(session, tokens()[:5], END)
    settle_answers(END)
    close_surveys(END + 22 * DAY)
    last = FRIDAY + 21 * DAY
    assert forget_rights(berlin(last + 90 * DAY, 12)) == 0
    assert forget_rights(berlin(last + 91 * DAY, 12)) == 6
    assert (rights(), db.session.scalars(select(UsedRight)).all()) == (set(), [])
    survey = the_survey(event_id)
    assert (survey.invited, survey.answered) == (6, 5)
    assert forget_rights(berlin(last + 92 * DAY, 12)) == 0


def test_rights_of_open_surveys_are_kept_whatever_their_days(app: Flask) -> None:
    event_id = course()
    invite(END)
    assert forget_rights(END + timedelta(days=400)) == 0
    assert the_survey(event_id).invited == len(rights())


def test_codes_are_not_handed_out_in_the_order_of_the_rights(app: Flask) -> None:
    """Rights are stored in random order: their place says nothing about whose they are."""
    course(12)
    invite(END)
    given = [digest(token) for token in tokens()]
    stored = list(db.session.scalars(select(FeedbackRight.token_hash)))
    assert sorted(stored) == sorted(given)
    assert stored != given


def test_nothing_stored_but_mail_and_invitation_knows_a_code(app: Flask) -> None:
    course()
    invite(END)
    known = tokens()
    remind(END + 7 * DAY)
    deliver_due_mails(current_settings(), utc_now())
    db.session.expire_all()
    dump = "".join(
        str(tuple(row))
        for table in db.metadata.sorted_tables
        for row in db.session.execute(select(table))
    )
    assert len(known) == 6
    assert not [code for code in known if code in dump]
