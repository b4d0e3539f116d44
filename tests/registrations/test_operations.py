"""Registering and giving back, against both databases."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from tests.conftest import NOW
from tests.factories import actor_for, make_event, make_organisation, make_person, make_venue
from tests.statements import counted_statements
from trainings.core.actors import Actor
from trainings.core.audit import AuditEntry
from trainings.core.database import db, transaction
from trainings.core.errors import DomainError
from trainings.core.outbox import OutgoingMail
from trainings.core.permissions import Role
from trainings.events.models import Event, EventState, EventTrainer, Visibility
from trainings.organisations.models import Level, Organisation
from trainings.people.models import Person
from trainings.registrations.models import (
    Contingent,
    LateReason,
    NeedKind,
    Registration,
    RegistrationChange,
    RegistrationState,
)
from trainings.registrations.operations import mark_need_done, register, withdraw

pytestmark = pytest.mark.both_databases


class World:
    """An event and some people, with the operations in the words of the tests."""

    def __init__(self, people: int = 3, **event_values: object) -> None:
        with transaction() as session:
            self.organisation_id = make_organisation(session, "Stadt Essen").id
            self.event_id = make_event(
                session,
                venue=make_venue(session),
                **event_values,  # type: ignore[arg-type]
            ).id
            self.people = [make_person(session) for _ in range(people)]
            self.actors = [actor_for(person) for person in self.people]

    def add_person(self, organisation: str, **values: object) -> Actor:
        with transaction() as session:
            place = make_organisation(session, organisation)
            return actor_for(make_person(session, place, **values))  # type: ignore[arg-type]

    def register(self, actor: Actor, event_id: int = 0, **values: object) -> RegistrationState:
        with transaction() as session:
            found = register(session, actor, event_id or self.event_id, now=NOW, **values)  # type: ignore[arg-type]
            return found.state

    def withdraw(self, actor: Actor, late_reason: LateReason | None = None) -> None:
        with transaction() as session:
            withdraw(session, actor, self.registration(actor).id, NOW, late_reason=late_reason)

    def registration(self, actor: Actor) -> Registration:
        return db.session.scalars(
            select(Registration)
            .where(Registration.person_id == actor.person_id)
            .order_by(Registration.id.desc())
        ).first()

    def state(self, actor: Actor) -> RegistrationState:
        db.session.expire_all()
        return self.registration(actor).state

    def refusal(self, actor: Actor, **values: object) -> str:
        with pytest.raises(DomainError) as caught:
            self.register(actor, **values)  # type: ignore[arg-type]
        return caught.value.code

    def change_event(self, **values: object) -> None:
        with transaction() as session:
            event = session.get_one(Event, self.event_id)
            for name, value in values.items():
                setattr(event, name, value)


def mail_kinds(person: Person) -> list[str]:
    return list(
        db.session.scalars(
            select(OutgoingMail.kind)
            .where(OutgoingMail.recipient == person.email)
            .order_by(OutgoingMail.id)
        )
    )


def test_registering_gives_a_place_a_ticket_and_a_mail(app: Flask) -> None:
    world = World()
    assert world.register(world.actors[0]) is RegistrationState.PLACED
    registration = world.registration(world.actors[0])
    assert registration.ticket is not None
    assert len(registration.ticket) == 12
    assert registration.organisation_name == "Stadt Essen"
    assert mail_kinds(world.people[0]) == ["registration_placed"]


def test_history_and_audit_say_who_did_what(app: Flask) -> None:
    world = World()
    world.register(world.actors[0])
    steps = db.session.execute(
        select(
            RegistrationChange.from_state,
            RegistrationChange.to_state,
            RegistrationChange.reason,
            RegistrationChange.actor_person_id,
        ).order_by(RegistrationChange.id)
    ).all()
    person_id = world.actors[0].person_id
    assert [tuple(step) for step in steps] == [
        (None, RegistrationState.WAITING, "requested", person_id),
        (RegistrationState.WAITING, RegistrationState.PLACED, "placed_in_order", person_id),
    ]
    actions = db.session.scalars(select(AuditEntry.action)).all()
    assert actions == ["registered"]


def test_who_finds_no_place_waits_in_order_and_moves_up(app: Flask) -> None:
    world = World(people=4, capacity=1)
    states = [world.register(actor) for actor in world.actors]
    assert states == [RegistrationState.PLACED] + 3 * [RegistrationState.WAITING]
    world.withdraw(world.actors[0])
    assert [world.state(actor) for actor in world.actors] == [
        RegistrationState.WITHDRAWN,
        RegistrationState.PLACED,
        RegistrationState.WAITING,
        RegistrationState.WAITING,
    ]
    assert mail_kinds(world.people[1]) == ["registration_waiting", "registration_promoted"]


def test_giving_back_voids_the_ticket_and_confirms(app: Flask) -> None:
    world = World()
    world.register(world.actors[0])
    world.withdraw(world.actors[0])
    assert world.registration(world.actors[0]).ticket is None
    assert mail_kinds(world.people[0])[-1] == "registration_withdrawn"


def test_registering_again_after_giving_back_stands_at_the_end(app: Flask) -> None:
    world = World(people=3, capacity=1)
    for actor in world.actors:
        world.register(actor)
    world.withdraw(world.actors[0])
    assert world.register(world.actors[0]) is RegistrationState.WAITING
    assert world.registration(world.actors[0]).rank == 4


def test_a_second_registration_for_the_same_event_is_refused(app: Flask) -> None:
    world = World()
    world.register(world.actors[0])
    assert world.refusal(world.actors[0]) == "already_registered"


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"opens_at": NOW + timedelta(hours=1)}, "not_yet_open"),
        ({"closes_at": NOW}, "closed"),
        ({"state": EventState.CANCELLED}, "event_cancelled"),
        ({"state": EventState.HELD}, "event_over"),
        ({"state": EventState.DRAFT}, "not_found"),
        ({"visibility": Visibility.IN_HOUSE}, "not_found"),
        ({"visibility": Visibility.INVITATION}, "not_found"),
    ],
)
def test_refusals_name_their_reason(app: Flask, values: dict[str, object], code: str) -> None:
    world = World()
    world.change_event(**values)
    assert world.refusal(world.actors[0]) == code


def test_an_event_that_does_not_exist_is_not_found(app: Flask) -> None:
    world = World()
    assert world.refusal(world.actors[0], event_id=999_999) == "not_found"


def test_a_trainer_cannot_take_a_place_in_the_own_event(app: Flask) -> None:
    world = World()
    with transaction() as session:
        session.add(EventTrainer(event_id=world.event_id, person_id=world.people[0].id))
    assert world.refusal(world.actors[0]) == "trains_this_event"


def test_a_place_elsewhere_at_the_same_time_is_refused_and_named(app: Flask) -> None:
    world = World()
    with transaction() as session:
        other = make_event(session, first_day=date(2026, 4, 17), days=1, title="Fachtagung")
        other_id, number = other.id, other.number
    world.register(world.actors[0])
    with pytest.raises(DomainError) as caught:
        world.register(world.actors[0], other_id)
    assert caught.value.code == "overlap"
    assert number not in caught.value.sentence
    assert "Professioneller Umgang" in caught.value.sentence


def test_events_on_other_days_do_not_overlap(app: Flask) -> None:
    world = World()
    with transaction() as session:
        other_id = make_event(session, first_day=date(2026, 4, 20), days=1).id
    world.register(world.actors[0])
    assert world.register(world.actors[0], other_id) is RegistrationState.PLACED


def test_whoever_sits_elsewhere_at_the_time_is_passed_over_and_keeps_the_rank(app: Flask) -> None:
    world = World(people=3, capacity=1)
    with transaction() as session:
        other_id = make_event(session).id
    first, second, third = world.actors
    for actor in (first, second, third):
        world.register(actor)
    world.register(second, other_id)
    world.withdraw(first)
    assert world.state(third) is RegistrationState.PLACED
    waiting = db.session.scalars(
        select(Registration).where(
            Registration.person_id == second.person_id,
            Registration.event_id == world.event_id,
        )
    ).one()
    assert waiting.state is RegistrationState.WAITING


def test_a_contingent_holds_places_for_its_organisation(app: Flask) -> None:
    world = World(people=3, capacity=3)
    dortmund = world.add_person("Stadt Dortmund")
    with transaction() as session:
        pool_id = session.get_one(Event, world.event_id).pool_id
        session.add(
            Contingent(
                pool_id=pool_id,
                organisation_id=dortmund.organisation_ids[0],
                places=1,
                until=NOW + timedelta(days=3),
            )
        )
    states = [world.register(actor) for actor in world.actors]
    assert states == [*2 * [RegistrationState.PLACED], RegistrationState.WAITING]
    assert world.register(dortmund) is RegistrationState.PLACED


def test_a_contingent_whose_date_has_passed_serves_the_list_before_a_newcomer(app: Flask) -> None:
    world = World(people=3, capacity=2)
    first, second, newcomer = world.actors
    dortmund = world.add_person("Stadt Dortmund")
    with transaction() as session:
        pool_id = session.get_one(Event, world.event_id).pool_id
        held = Contingent(
            pool_id=pool_id,
            organisation_id=dortmund.organisation_ids[0],
            places=1,
            until=NOW + timedelta(days=3),
        )
        session.add(held)
    assert world.register(first) is RegistrationState.PLACED
    assert world.register(second) is RegistrationState.WAITING
    with transaction() as session:
        session.get_one(Contingent, held.id).until = NOW - timedelta(seconds=1)
    assert world.register(newcomer) is RegistrationState.WAITING
    assert world.state(second) is RegistrationState.PLACED


def test_an_organisation_at_its_limit_waits_while_others_get_places(app: Flask) -> None:
    world = World(people=2, organisation_limit=1)
    dortmund = world.add_person("Stadt Dortmund")
    states = [world.register(actor) for actor in (*world.actors, dortmund)]
    assert states == [
        RegistrationState.PLACED,
        RegistrationState.WAITING,
        RegistrationState.PLACED,
    ]


def test_a_unit_counts_to_its_authority_and_is_kept_in_words(app: Flask) -> None:
    world = World()
    with transaction() as session:
        city = make_organisation(session, "Stadt Bochum")
        office = make_organisation(session, "Ordnungsamt", parent=city, level=Level.UNIT)
        person = make_person(session, office)
        actor = actor_for(person)
    world.register(actor)
    registration = world.registration(actor)
    assert registration.organisation_name == "Stadt Bochum"
    assert registration.unit == "Ordnungsamt"


def test_needs_are_kept_with_the_registration_and_done_once(app: Flask) -> None:
    world = World()
    world.register(
        world.actors[0], needs={NeedKind.STEP_FREE: "", NeedKind.OTHER: "Bitte Platz vorn"}
    )
    needs = world.registration(world.actors[0]).needs
    assert [(need.kind, need.note) for need in needs] == [
        (NeedKind.STEP_FREE, ""),
        (NeedKind.OTHER, "Bitte Platz vorn"),
    ]
    for moment in (NOW, NOW + timedelta(days=1)):
        with transaction() as session:
            mark_need_done(session, world.actors[0], needs[0].id, moment)
    db.session.expire_all()
    assert world.registration(world.actors[0]).needs[0].done_at == NOW


def test_nobody_can_withdraw_somebody_else(app: Flask) -> None:
    world = World()
    world.register(world.actors[0])
    registration_id = world.registration(world.actors[0]).id
    with pytest.raises(DomainError, match="not_found"), transaction() as session:
        withdraw(session, world.actors[1], registration_id, NOW)
    assert world.state(world.actors[0]) is RegistrationState.PLACED


def test_after_the_deadline_a_place_goes_back_with_a_choice_and_to_the_next(app: Flask) -> None:
    world = World(capacity=1)
    first, second = world.actors[:2]
    world.register(first)
    world.register(second)
    world.change_event(withdraw_until=NOW)
    with pytest.raises(DomainError, match="late_reason_missing"):
        world.withdraw(first)
    assert world.state(first) is RegistrationState.PLACED
    world.withdraw(first, late_reason=LateReason.PERSONAL)
    assert world.state(first) is RegistrationState.WITHDRAWN
    assert world.registration(first).late_reason is LateReason.PERSONAL
    assert world.state(second) is RegistrationState.PLACED


def test_before_the_deadline_no_reason_is_kept_and_whoever_waits_is_never_asked(app: Flask) -> None:
    world = World(capacity=1)
    first, second = world.actors[:2]
    world.register(first)
    world.register(second)
    world.withdraw(first, late_reason=LateReason.OFFICIAL)
    assert world.registration(first).late_reason is None
    world.register(world.actors[2])
    world.change_event(withdraw_until=NOW)
    world.withdraw(world.actors[2])
    assert world.state(world.actors[2]) is RegistrationState.WITHDRAWN
    assert world.registration(world.actors[2]).late_reason is None


@pytest.mark.parametrize("chosen", [None, LateReason.OFFICIAL])
def test_the_office_gives_a_place_back_late_with_or_without_a_choice(
    app: Flask, chosen: LateReason | None
) -> None:
    world = World()
    world.register(world.actors[0])
    world.change_event(withdraw_until=NOW)
    coordinator = world.add_person("Geschäftsstelle", roles=(Role.COORDINATOR,))
    with transaction() as session:
        registration_id = world.registration(world.actors[0]).id
        withdraw(session, coordinator, registration_id, NOW, late_reason=chosen)
    assert world.state(world.actors[0]) is RegistrationState.WITHDRAWN
    assert world.registration(world.actors[0]).late_reason is (chosen or LateReason.UNSAID)


def test_withdrawing_twice_says_that_nothing_is_left_to_do(app: Flask) -> None:
    world = World()
    world.register(world.actors[0])
    world.withdraw(world.actors[0])
    with pytest.raises(DomainError, match="not_registered"):
        world.withdraw(world.actors[0])


def test_only_the_office_registers_others(app: Flask) -> None:
    world = World()
    whom = world.people[1].id
    assert world.refusal(world.actors[0], person_id=whom) == "not_found"
    coordinator = world.add_person("Geschäftsstelle", roles=(Role.COORDINATOR,))
    world.register(coordinator, person_id=whom)
    assert world.state(world.actors[1]) is RegistrationState.PLACED


def test_a_refusal_leaves_nothing_behind(app: Flask) -> None:
    world = World()
    world.register(world.actors[0])
    before = [db.session.scalar(select(func.count()).select_from(model)) for model in
              (Registration, RegistrationChange, OutgoingMail, AuditEntry)]  # fmt: skip
    world.refusal(world.actors[0])
    after = [db.session.scalar(select(func.count()).select_from(model)) for model in
             (Registration, RegistrationChange, OutgoingMail, AuditEntry)]  # fmt: skip
    assert before == after


def test_the_calendar_entry_is_replaced_by_ever_higher_sequences(app: Flask) -> None:
    world = World()
    for _ in range(2):
        world.register(world.actors[0])
        world.withdraw(world.actors[0])
    world.register(world.actors[0])
    methods = []
    sequences = []
    for content in db.session.scalars(select(OutgoingMail.content).order_by(OutgoingMail.id)):
        part = content["calendar"][0]
        methods.append(part["method"])
        lines = part["content"].splitlines()
        sequences += [int(line[9:]) for line in lines if line.startswith("SEQUENCE:")]
    assert methods == ["REQUEST", "CANCEL", "REQUEST", "CANCEL", "REQUEST"]
    assert sequences == sorted(set(sequences))


def test_the_name_of_a_unit_may_be_longer_than_what_people_type(app: Flask) -> None:
    world = World()
    name = "Fachbereich " + "Ö" * 148
    with transaction() as session:
        authority = session.get_one(Organisation, world.organisation_id)
        unit = make_organisation(session, name, parent=authority, level=Level.UNIT)
        actor = actor_for(make_person(session, unit))
    assert world.register(actor) is RegistrationState.PLACED
    assert world.registration(actor).unit == name[:120]


def test_what_else_was_wished_for_is_asked_once(app: Flask) -> None:
    """In the rush each statement counts: the mail gets what giving the place has found."""
    world = World(people=1, capacity=4, minimum=0)
    with counted_statements() as statements:
        world.register(world.actors[0])
    links = [statement for statement in statements if "FROM wishes JOIN wished" in statement]
    assert len(links) == 1
    # The queue asks too, for those who wait.
    assert sum("wished_registrations" in statement for statement in statements) == 2
