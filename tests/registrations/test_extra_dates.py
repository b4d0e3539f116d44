"""An extra date takes the waiting list along: same order, always by offer, nobody twice."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from tests.conftest import NOW
from tests.factories import actor_for, make_event, make_person, make_venue
from tests.registered import make_registration
from tests.registrations.demand import (
    DAY,
    everything,
    fill_up,
    mails_to,
    make_dates,
    make_template,
    open_wishes,
    reasons_of,
    registration_id,
    states_of,
)
from trainings.core.actors import SYSTEM, Actor
from trainings.core.database import db, transaction
from trainings.core.errors import DomainError
from trainings.events.details import Policy, apply_policy
from trainings.events.models import (
    Admission,
    Event,
    EventState,
    EventTrainer,
    ExtraDate,
    ShortNotice,
)
from trainings.events.operations import copy_event, delete_draft, publish_event
from trainings.office.demand_queries import demand
from trainings.registrations.demand_operations import express_wish
from trainings.registrations.demand_queries import my_wishes
from trainings.registrations.extra_date_operations import (
    create_extra_date,
    publish_and_take_along,
    take_waiting_list_along,
)
from trainings.registrations.models import (
    Need,
    NeedKind,
    Registration,
    RegistrationState,
    Release,
    ReleaseOutcome,
)
from trainings.registrations.offer_operations import accept_offer, decline_offer, move_in_queue
from trainings.registrations.operations import register, withdraw
from trainings.registrations.places import with_many_places

pytestmark = pytest.mark.both_databases
State = RegistrationState
WAITING, OFFERED, PLACED, WITHDRAWN = (
    State.WAITING,
    State.OFFERED,
    State.PLACED,
    State.WITHDRAWN,
)
EXTRA_DAY = date(2026, 5, 11)


class Queue:
    """A full event with a waiting list, and the draft of an extra date for two of them."""

    def __init__(self, waiting: int = 3, *, day: date = EXTRA_DAY, **policy: object) -> None:
        with transaction() as session:
            template = make_template(session)
            (event,) = make_dates(session, template, 1, venue=make_venue(session), **policy)
            fill_up(session, event)
            people = [make_person(session) for _ in range(waiting)]
            self.rows = [make_registration(session, event, person, state=WAITING).id
                         for person in people]  # fmt: skip
            self.actors = [actor_for(person) for person in people]
            self.event_id, self.template_id = event.id, template.id
        with transaction() as session:
            extra = create_extra_date(session, SYSTEM, self.event_id, day, NOW)
            extra.pool.capacity = 2
            self.extra_id = extra.id

    def publish(self) -> int:
        with transaction() as session:
            return publish_and_take_along(session, SYSTEM, self.extra_id, NOW)

    def states(self) -> list[list[RegistrationState]]:
        """Return each person's states, by date."""
        return [states_of(actor.person_id) for actor in self.actors]

    def take_again(self) -> int:
        persons = [actor.person_id or 0 for actor in self.actors]
        with transaction() as session:
            return with_many_places(
                session,
                [self.event_id, self.extra_id],
                persons,
                NOW,
                lambda sections: len(take_waiting_list_along(sections[0], sections[1], SYSTEM)),
            )


def test_those_who_wait_are_offered_the_extra_date_in_order_and_wait_on(app: Flask) -> None:
    queue = Queue()
    with transaction() as session:
        move_in_queue(session, SYSTEM, queue.rows[2], position=1, reason="Zusage", now=NOW)
    assert queue.publish() == 3
    assert queue.states() == [[WAITING, OFFERED], [WAITING, WAITING], [WAITING, OFFERED]]
    order = db.session.scalars(
        select(Registration.person_id)
        .where(Registration.event_id == queue.extra_id)
        .order_by(Registration.rank)
    ).all()
    people = [actor.person_id for actor in queue.actors]
    assert order == [people[2], people[0], people[1]]
    assert reasons_of(people[0])[1] == ["extra_date", "offered"]
    assert [len(open_wishes(person)) for person in people] == [1, 1, 1]


def test_the_mails_say_that_it_is_an_extra_date(app: Flask) -> None:
    queue = Queue()
    queue.publish()
    (kind, mail), (other_kind, other) = (
        mails_to(queue.actors[number].person_id)[-1] for number in (0, 2)
    )
    assert kind == "registration_offered"
    assert "Warteliste vom 16.–17.04.2026 gibt es einen Zusatztermin" in mail.paragraphs[0]
    assert "11.–12.05.2026" in mail.subject
    assert other_kind == "extra_date"
    assert "in derselben Reihenfolge" in other.paragraphs[0]


def test_where_the_office_admits_to_the_extra_date_the_mail_says_so(app: Flask) -> None:
    queue = Queue(1, policy=Policy(offer_days=0, admission=Admission.BY_OFFICE))
    queue.publish()
    kind, mail = mails_to(queue.actors[0].person_id)[-1]
    assert kind == "extra_date"
    assert "Wir haben Sie dort angemeldet." in mail.paragraphs[0]
    assert "entscheidet die Geschäftsstelle nach dem Anmeldeschluss" in mail.paragraphs[0]


def test_accepting_ends_the_wait_on_the_old_date(app: Flask) -> None:
    queue = Queue()
    queue.publish()
    actor = queue.actors[0]
    with transaction() as session:
        accept_offer(session, actor, registration_id(actor, queue.extra_id), NOW)
    assert queue.states()[0] == [WITHDRAWN, PLACED]
    assert reasons_of(actor.person_id)[0][-1] == "placed_elsewhere"


def test_declining_keeps_the_wait_and_offers_the_place_to_the_next(app: Flask) -> None:
    queue = Queue()
    queue.publish()
    actor = queue.actors[0]
    with transaction() as session:
        decline_offer(session, actor, registration_id(actor, queue.extra_id), NOW)
    assert queue.states() == [[WAITING, WITHDRAWN], [WAITING, OFFERED], [WAITING, OFFERED]]


@pytest.mark.parametrize(
    ("rule", "states"),
    # The extra date is the earlier one here.
    [(ShortNotice.AUTOMATIC, [PLACED, WITHDRAWN]), (ShortNotice.OFFICE, [WAITING, WAITING])],
)
def test_without_time_for_an_offer_the_rule_for_short_notice_decides(
    app: Flask, rule: ShortNotice, states: list[State]
) -> None:
    queue = Queue(
        1, day=NOW.date() + timedelta(days=1), policy=Policy(offer_days=0, short_notice=rule)
    )
    queue.publish()
    assert queue.states() == [states]


def test_the_event_offers_from_then_on_as_well(app: Flask) -> None:
    queue = Queue()
    queue.publish()
    assert db.session.get_one(Event, queue.extra_id).offer_days == 2


def test_a_second_time_changes_nothing_even_for_those_who_declined(app: Flask) -> None:
    queue = Queue()
    queue.publish()
    actor = queue.actors[0]
    with transaction() as session:
        decline_offer(session, actor, registration_id(actor, queue.extra_id), NOW)
    before = everything()
    assert queue.take_again() == 0
    assert everything() == before
    with pytest.raises(DomainError, match="illegal_move"):
        queue.publish()


def test_who_sits_elsewhere_leads_it_or_was_there_before_is_left_out(app: Flask) -> None:
    queue = Queue(4)
    sits, leads, *_ = queue.actors
    with transaction() as session:
        elsewhere = make_event(session, first_day=EXTRA_DAY, days=1)
        register(session, sits, elsewhere.id, now=NOW)
        extra = session.get_one(Event, queue.extra_id)
        extra.trainers.append(EventTrainer(person_id=leads.person_id or 0, position=0))
    assert queue.publish() == 2
    assert queue.states() == [[WAITING, PLACED], [WAITING], [WAITING, OFFERED], [WAITING, OFFERED]]
    assert open_wishes(sits.person_id) == open_wishes(leads.person_id) == []


def test_a_wish_that_is_there_is_the_one_that_links_both(app: Flask) -> None:
    queue = Queue()
    actor = queue.actors[0]
    with transaction() as session:
        express_wish(
            session, actor, queue.template_id, event_ids=[queue.event_id], next_free=True, now=NOW
        )
    queue.publish()
    (wish,) = open_wishes(actor.person_id)
    assert wish.next_free


def test_what_somebody_needs_and_the_release_go_along(app: Flask) -> None:
    queue = Queue(2)
    with transaction() as session:
        first = session.get_one(Registration, queue.rows[0])
        first.needs.append(Need(kind=NeedKind.OTHER, note="Rollstuhl"))
        session.add(
            Release(
                registration_id=first.id,
                outcome=ReleaseOutcome.RELEASED,
                at=NOW,
                name="Ute Weiß",
                function="Fortbildung",
            )
        )
        apply_policy(session.get_one(Event, queue.extra_id), Policy(needs_release=True))
    queue.publish()
    assert queue.states() == [[WAITING, OFFERED], [WAITING, State.AWAITING_RELEASE]]
    mine = registration_id(queue.actors[0], queue.extra_id)
    assert db.session.get_one(Release, mine).name == "Ute Weiß"
    assert [need.note for need in db.session.get_one(Registration, mine).needs] == ["Rollstuhl"]


def test_a_date_that_is_no_extra_date_takes_nobody_along(app: Flask) -> None:
    queue = Queue()
    with transaction() as session:
        copied = copy_event(session, SYSTEM, queue.event_id, EXTRA_DAY + timedelta(7), NOW,
                            with_room=False)  # fmt: skip
        copied_id = copied.id
    with transaction() as session:
        assert publish_and_take_along(session, SYSTEM, copied_id, NOW) == 0
    assert queue.states() == [[WAITING]] * 3
    assert db.session.get_one(Event, copied_id).state is EventState.PUBLISHED


def test_an_extra_date_needs_a_format_and_somebody_who_waits(app: Flask) -> None:
    with transaction() as session:
        without_format = make_event(session).id
        (alone,) = make_dates(session, make_template(session), 1, first_day=DAY + timedelta(30))
        alone_id = alone.id
    for event_id, code in ((without_format, "no_format"), (alone_id, "nobody_waits"),
                           (99, "not_found")):  # fmt: skip
        with pytest.raises(DomainError, match=code), transaction() as session:
            create_extra_date(session, SYSTEM, event_id, EXTRA_DAY, NOW)


def test_the_draft_of_an_extra_date_can_be_deleted(app: Flask) -> None:
    queue = Queue()
    with transaction() as session:
        delete_draft(session, SYSTEM, queue.extra_id, NOW)
    assert db.session.scalars(select(ExtraDate)).all() == []
    assert queue.states() == [[WAITING]] * 3


def test_publishing_by_the_plain_operation_is_refused_as_before(app: Flask) -> None:
    """What keeps a draft from publication keeps the waiting list where it is."""
    queue = Queue()
    with transaction() as session:
        session.get_one(Event, queue.extra_id).venue_id = None
    with pytest.raises(DomainError, match="not_ready"):
        queue.publish()
    with pytest.raises(DomainError, match="not_ready"), transaction() as session:
        publish_event(session, Actor(is_system=True), queue.extra_id, NOW)
    assert queue.states() == [[WAITING]] * 3


def test_the_tie_to_the_extra_date_is_no_demand_that_anybody_expressed(app: Flask) -> None:
    queue = Queue(1)
    queue.publish()
    (actor,) = queue.actors
    assert queue.states() == [[WAITING, OFFERED]]
    assert len(open_wishes(actor.person_id)) == 1
    assert my_wishes(db.session(), actor) == []
    assert demand(db.session(), queue.template_id, NOW).people == 1  # waits, whatever was wished
    db.session.remove()
    with transaction() as session:
        withdraw(session, actor, queue.rows[0], NOW)
    assert demand(db.session(), queue.template_id, NOW).people == 0


def test_whoever_says_more_than_the_extra_date_has_wished_from_then_on(app: Flask) -> None:
    queue = Queue(1)
    queue.publish()
    (actor,) = queue.actors
    later = NOW + timedelta(hours=1)
    with transaction() as session:
        express_wish(
            session, actor, queue.template_id,
            event_ids=[queue.event_id], next_free=False, now=later,
        )  # fmt: skip
    ((wish,), mine) = open_wishes(actor.person_id), my_wishes(db.session(), actor)
    assert wish.created_at == later
    assert [row.id for row in mine] == [wish.id]
