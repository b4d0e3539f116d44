"""Choosing how an event asks, printing slips, setting the last day."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from tests.factories import actor_for, berlin, make_event, make_person
from tests.feedback.factories import (
    answer,
    make_attended,
    make_closed_survey,
    make_open_survey,
    make_version,
)
from tests.registered import make_registration
from trainings.core.actors import Actor
from trainings.core.audit import AuditEntry
from trainings.core.database import db, transaction
from trainings.core.errors import DomainError
from trainings.core.outbox import OutgoingMail
from trainings.core.permissions import Role
from trainings.core.tokens import digest
from trainings.events.models import Event, EventKind, EventState, EventTrainer
from trainings.feedback.models import (
    Channel,
    FeedbackInvitation,
    FeedbackRight,
    Survey,
    SurveyKind,
    SurveyState,
)
from trainings.feedback.surveys.operations import Slips, choose_way, print_slips, set_last_day
from trainings.feedback.surveys.settling import settle_answers
from trainings.feedback.surveys.sweeps import invite
from trainings.feedback.surveys.wording import Way

pytestmark = pytest.mark.both_databases

FRIDAY = date(2026, 4, 17)
END = berlin(FRIDAY, 16, 30)
BEFORE = END - timedelta(days=20)
DAY = timedelta(days=1)
AFTER, FOLLOW_UP = SurveyKind.AFTER, SurveyKind.FOLLOW_UP


class Course:
    """A training that ended on Friday, with a trainer, a foreign trainer and the office."""

    def __init__(self, people: int = 6, **values: object) -> None:
        with transaction() as session:
            make_version(session)
            event = make_attended(session, people, **values)  # type: ignore[arg-type]
            self.id, self.number = event.id, event.number
            self.trainer = actor_for(make_person(session, roles=(Role.TRAINER,)))
            self.foreign = actor_for(make_person(session, roles=(Role.TRAINER,)))
            self.office = actor_for(make_person(session, roles=(Role.COORDINATOR,)))
            session.add(EventTrainer(event_id=event.id, person_id=self.trainer.person_id))

    def choose(self, way: Way, *, kind: SurveyKind = AFTER, actor: Actor | None = None) -> None:
        with transaction() as session:
            choose_way(session, actor or self.trainer, self.number, kind, way=way, now=BEFORE)

    def slips(self, *, anew: bool = False, actor: Actor | None = None, now: object = END) -> Slips:
        with transaction() as session:
            return print_slips(
                session,
                actor or self.trainer,
                self.number,
                now,  # type: ignore[arg-type]
                anew=anew,
            )

    def end(self, day: date, *, now: object = END, actor: Actor | None = None) -> None:
        with transaction() as session:
            set_last_day(
                session,
                actor or self.office,
                self.number,
                AFTER,
                day=day,
                now=now,  # type: ignore[arg-type]
            )

    @property
    def survey(self) -> Survey:
        db.session.expire_all()
        statement = select(Survey).where(Survey.event_id == self.id, Survey.kind == AFTER)
        return db.session.scalars(statement).one()

    def came(self, people: int = 1) -> None:
        """Record more people as present."""
        with transaction() as session:
            for _ in range(people):
                event = session.get_one(Event, self.id)
                make_registration(session, event, make_person(session), marks="pppp")


def rights() -> set[bytes]:
    db.session.expire_all()
    return set(db.session.scalars(select(FeedbackRight.token_hash)))


def count(table: type) -> int:
    db.session.expire_all()
    return db.session.scalar(select(func.count()).select_from(table)) or 0


def test_how_an_event_asks_is_chosen_by_its_trainer_and_by_the_office(app: Flask) -> None:
    course = Course()
    for actor, way in ((course.trainer, Way.SLIPS), (course.office, Way.OMIT)):
        course.choose(way, actor=actor)
    assert course.survey.state is SurveyState.OMITTED
    course.choose(Way.SLIPS)
    survey = course.survey
    assert (survey.state, survey.channel) == (SurveyState.PLANNED, Channel.SLIPS)
    entries = db.session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
    assert [entry.action for entry in entries] == ["survey_planned"] * 3
    assert entries[0].details == {"state": "planned", "channel": "slips"}


def test_a_foreign_trainer_finds_no_such_event(app: Flask) -> None:
    course = Course()
    course.choose(Way.SLIPS)
    for refused in (
        lambda: course.choose(Way.MAIL, actor=course.foreign),
        lambda: course.slips(actor=course.foreign),
        lambda: course.slips(anew=True, actor=course.foreign),
        lambda: course.end(FRIDAY + DAY, actor=course.foreign),
        lambda: course.end(FRIDAY + DAY, actor=course.trainer),
    ):
        with pytest.raises(DomainError) as error:
            refused()
        assert error.value.status == 404


def refusal_of(course: Course, way: Way, kind: SurveyKind = AFTER) -> str:
    with pytest.raises(DomainError) as refused:
        course.choose(way, kind=kind)
    return refused.value.code


def test_the_follow_up_knows_no_slips(app: Flask) -> None:
    course = Course()
    assert refusal_of(course, Way.SLIPS, FOLLOW_UP) == "no_slips"
    course.choose(Way.OMIT, kind=FOLLOW_UP)


def test_nothing_is_chosen_any_more_once_it_is_asked(app: Flask) -> None:
    course = Course()
    invite(END)
    assert refusal_of(course, Way.SLIPS) == "survey_moved_on"
    assert refusal_of(course, Way.OMIT) == "survey_moved_on"


def test_what_does_not_ask_has_nothing_to_choose(app: Flask) -> None:
    course = Course()
    for state in (EventState.DRAFT, EventState.CANCELLED):
        with transaction() as session:
            session.get_one(Event, course.id).state = state
        assert refusal_of(course, Way.MAIL) == "not_asked"
        # A draft with a survey could not be deleted any more.
        assert refusal_of(course, Way.OMIT) == "not_asked"
    with transaction() as session:
        event = session.get_one(Event, course.id)
        event.state, event.kind = EventState.HELD, EventKind.WORKING_GROUP
    assert refusal_of(course, Way.MAIL) == "not_asked"


def test_it_is_too_late_to_choose_two_weeks_after_the_event(app: Flask) -> None:
    course = Course(first_day=date(2026, 3, 1))
    assert refusal_of(course, Way.MAIL) == "too_late"
    assert count(Survey) == 0


def test_there_are_as_many_slips_as_people_attended(app: Flask) -> None:
    course = Course()
    course.choose(Way.SLIPS)
    slips = course.slips()
    assert len(set(slips.codes)) == 6
    assert {digest(code) for code in slips.codes} == rights()
    survey = course.survey
    assert (survey.state, survey.channel, survey.invited) == (
        SurveyState.OPEN,
        Channel.SLIPS,
        6,
    )
    assert (slips.closes_on, survey.opened_on) == (FRIDAY + timedelta(days=21), FRIDAY)
    assert (count(OutgoingMail), count(FeedbackInvitation)) == (0, 0)
    assert invite(END) == 0


def test_a_second_submit_makes_no_more_rights_than_people_attended(app: Flask) -> None:
    course = Course()
    course.choose(Way.SLIPS)
    course.slips()
    with pytest.raises(DomainError) as refused:
        course.slips()
    assert refused.value.code == "all_printed"
    assert "Neu drucken" in refused.value.sentence
    assert len(rights()) == 6


def test_whoever_came_later_gets_a_slip_of_their_own(app: Flask) -> None:
    course = Course()
    course.choose(Way.SLIPS)
    first = course.slips().codes
    course.came(2)
    more = course.slips().codes
    assert len(more) == 2
    assert {digest(code) for code in first + more} == rights()


def test_printing_anew_takes_back_what_was_not_used(app: Flask) -> None:
    course = Course()
    course.choose(Way.SLIPS)
    first = course.slips().codes
    with transaction() as session:
        answer(session, first[:5], END)
    settle_answers(END)
    course.came(2)
    again = course.slips(anew=True).codes
    assert len(again) == 3
    assert {digest(code) for code in again} == rights()
    survey = course.survey
    assert (survey.invited, survey.answered) == (8, 5)


def test_printing_anew_counts_answers_that_are_still_pending(app: Flask) -> None:
    course = Course()
    course.choose(Way.SLIPS)
    first = course.slips().codes
    with transaction() as session:
        answer(session, first[:2], END)
    assert len(course.slips(anew=True).codes) == 4


def test_nothing_is_taken_back_if_nothing_is_printed(app: Flask) -> None:
    course = Course()
    course.choose(Way.SLIPS)
    codes = course.slips().codes
    with transaction() as session:
        answer(session, codes, END)
    with pytest.raises(DomainError) as refused:
        course.slips(anew=True)
    assert refused.value.code == "all_printed"
    assert course.survey.invited == 6


def test_printing_leaves_no_number_from_which_the_answers_could_be_told(app: Flask) -> None:
    course = Course()
    course.choose(Way.SLIPS)
    course.slips()
    course.slips(anew=True)
    entries = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "slips_printed"))
    assert [entry.details for entry in entries] == [{"anew": False}, {"anew": True}]


@pytest.mark.parametrize(
    ("now", "code"),
    [
        (berlin(FRIDAY - DAY, 23, 59), "too_early"),
        (berlin(FRIDAY, 0, 0), ""),
        (berlin(FRIDAY + 14 * DAY, 23, 59), ""),
        (berlin(FRIDAY + 15 * DAY, 0, 0), "too_late"),
    ],
)
def test_slips_are_printed_from_the_last_day_on(app: Flask, now: object, code: str) -> None:
    course = Course()
    course.choose(Way.SLIPS)
    if code:
        with pytest.raises(DomainError) as refused:
            course.slips(now=now)
        assert refused.value.code == code
    else:
        assert len(course.slips(now=now).codes) == 6


def slips_refusal(course: Course, now: object = END) -> str:
    with pytest.raises(DomainError) as refused:
        course.slips(now=now)
    return refused.value.code


def test_without_somebody_present_there_is_no_slip(app: Flask) -> None:
    course = Course(0)
    course.choose(Way.SLIPS)
    assert slips_refusal(course) == "nobody_present"
    assert course.survey.state is SurveyState.PLANNED


def test_an_event_that_asks_by_mail_prints_no_slips(app: Flask) -> None:
    course = Course()
    assert slips_refusal(course) == "no_slips_chosen"
    course.choose(Way.MAIL)
    assert slips_refusal(course) == "no_slips_chosen"
    invite(END)
    assert slips_refusal(course) == "no_slips_chosen"
    assert len(rights()) == 6


def test_no_slip_is_printed_after_the_last_day(app: Flask) -> None:
    course = Course()
    course.choose(Way.SLIPS)
    course.slips()
    course.came()
    assert slips_refusal(course, END + 22 * DAY) == "survey_over"


# Each example makes an event of its own.
@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(steps=st.lists(st.sampled_from(["print", "anew", "came", "answer"]), max_size=8))
def test_there_are_never_more_rights_than_people(app: Flask, steps: list[str]) -> None:
    course = Course(3)
    course.choose(Way.SLIPS)
    codes = course.slips().codes
    people, used = 3, 0
    for step in steps:
        if step == "came":
            course.came()
            people += 1
        elif step == "answer" and codes:
            with transaction() as session:
                answer(session, [codes.pop()], END)
            used += 1
        else:
            try:
                fresh = course.slips(anew=step == "anew").codes
            except DomainError as refusal:
                assert refusal.code == "all_printed"
            else:
                codes = fresh if step == "anew" else codes + fresh
    survey = course.survey
    mine = select(func.count()).where(FeedbackRight.survey_id == survey.id)
    assert survey.invited == used + (db.session.scalar(mine) or 0) <= people
    assert len(codes) == survey.invited - used


def test_the_office_sets_the_last_day_of_an_open_survey(app: Flask) -> None:
    course = Course()
    invite(END)
    for day in (FRIDAY, FRIDAY + 60 * DAY):
        course.end(day)
        assert course.survey.closes_on == day
    for day in (FRIDAY - DAY, FRIDAY + 61 * DAY):
        with pytest.raises(DomainError) as refused:
            course.end(day)
        assert (refused.value.code, refused.value.field) == ("bad_last_day", "last_day")
    last = db.session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc()).limit(1)).one()
    assert (last.action, last.details) == ("survey_last_day_set", {"last_day": "2026-06-16"})


def test_a_survey_that_is_over_never_runs_again(app: Flask) -> None:
    course = Course()
    invite(END)
    course.end(FRIDAY)
    # Nothing has closed it yet, but its last day is over.
    with pytest.raises(DomainError) as refused:
        course.end(FRIDAY + 9 * DAY, now=END + DAY)
    assert refused.value.code == "survey_over"


def test_a_closed_survey_and_none_have_no_last_day_to_set(app: Flask) -> None:
    course = Course()
    with pytest.raises(DomainError) as refused:
        course.end(FRIDAY + DAY)
    assert refused.value.status == 404
    with transaction() as session:
        event = session.get_one(Event, course.id)
        make_closed_survey(
            session, event, make_version(session), {}, answered=0, closes_on=FRIDAY + 2 * DAY
        )
    with pytest.raises(DomainError) as refused:
        course.end(FRIDAY + 2 * DAY)
    assert refused.value.code == "survey_over"


def test_slips_of_one_event_leave_those_of_others_alone(app: Flask) -> None:
    course = Course()
    course.choose(Way.SLIPS)
    with transaction() as session:
        other = make_event(session, first_day=FRIDAY, days=1, state=EventState.HELD)
        _, codes = make_open_survey(session, other, make_version(session), END, rights=3)
    course.slips()
    course.slips(anew=True)
    assert {digest(code) for code in codes} <= rights()
