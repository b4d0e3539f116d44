"""What the sending organisation does with requests: release, decline, rank. Each request once."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from trainings.core import audit, formats
from trainings.core.actors import SYSTEM, Actor
from trainings.core.errors import DomainError, not_found
from trainings.core.permissions import Permission
from trainings.events.models import Event, EventState
from trainings.people.models import Person
from trainings.registrations import mails, release_mails
from trainings.registrations.deciders import Decider, note_release, own_request
from trainings.registrations.models import (
    Registration,
    RegistrationState,
    Release,
    ReleaseOutcome,
)
from trainings.registrations.moves import move
from trainings.registrations.places import LockedPlaces, begins_at, with_places
from trainings.registrations.release_queries import (
    NOT_RELEASED,
    load_tree,
    mailbox_of,
    seen_by,
    spoken_for,
)
from trainings.registrations.release_rules import Overseen, ranking, release_deadline

State = RegistrationState
OUTCOME_WORDS = {ReleaseOutcome.RELEASED: "freigegeben", ReleaseOutcome.DECLINED: "abgelehnt"}
RANKED = (State.AWAITING_RELEASE, State.WAITING)
"""States in which the order of an organisation still matters."""


@dataclass(frozen=True)
class Speaker:
    """Somebody who decides for organisations, and which registrations they oversee.

    Attributes:
        decider: by name and function.
        overseen: None for the office, which may decide for any organisation.
        organisations: names of the organisations spoken for.

    """

    decider: Decider
    overseen: Overseen | None
    organisations: tuple[str, ...] = ()

    @property
    def actor(self) -> Actor:
        """The actor for history and audit; somebody at a mailbox is no person that we know."""
        return Actor(person_id=self.decider.person_id)


def contact_speaker(session: Session, person_id: int) -> Speaker:
    """Return a contact as the one who decides, named by the record.

    Raises:
        DomainError: `no_contact`, of anybody who speaks for no organisation (any more).

    """
    own = spoken_for(session, person_id)
    if not own:
        raise DomainError(
            "no_contact",
            "Sie sind zurzeit für keine Organisation als Ansprechperson eingetragen und können "
            "deshalb nichts freigeben. Bitte leiten Sie die Nachricht an Ihre Vertretung weiter, "
            "oder wenden Sie sich an die Geschäftsstelle.",
            status=403,
        )
    person = session.get_one(Person, person_id)
    return Speaker(
        Decider(person.name, person.function, person.id),
        load_tree(session).overseen(own),
        tuple(own.values()),
    )


def mailbox_speaker(session: Session, address: str, *, name: str, function: str) -> Speaker:
    """Return somebody who reads a functional mailbox as the one who decides.

    Raises:
        DomainError: `mailbox_changed`, if no organisation has this mailbox any more.

    """
    own = mailbox_of(session, address)
    if not own:
        raise DomainError(
            "mailbox_changed",
            "Dieses Postfach ist für keine Organisation mehr eingetragen. Bitte wenden Sie sich "
            "an die Geschäftsstelle, damit die Anfragen die richtige Stelle erreichen.",
            status=403,
        )
    return Speaker(Decider(name, function), load_tree(session).overseen(own), tuple(own.values()))


def office_speaker(session: Session, actor: Actor) -> Speaker:
    """Return somebody of the office, who may decide for any organisation.

    Raises:
        DomainError: `not_found`.

    """
    if not actor.may(Permission.OFFICE) or actor.person_id is None:
        raise not_found()
    person = session.get_one(Person, actor.person_id)
    return Speaker(Decider(person.name, "Geschäftsstelle", person.id), None)


def decide_release(
    session: Session,
    speaker: Speaker,
    registration_id: int,
    *,
    outcome: ReleaseOutcome,
    reason: str = "",
    now: datetime,
) -> Registration:
    """Release or decline a request, once; who is released gets a place if there is one.

    Args:
        session: the open transaction.
        speaker: who decides; what they do not oversee does not exist for them.
        registration_id: the request.
        outcome: released or declined.
        reason: what the employee reads when it is declined; may be empty.
        now: the present instant.

    Raises:
        DomainError: `not_found`, `own_request`, `decided_before`, `not_waiting_for_release`,
            `release_over`.

    """
    event_id, person_id = _about(session, speaker, registration_id)
    if person_id == speaker.decider.person_id:
        raise own_request()

    def work(places: LockedPlaces) -> Registration:
        registration = session.get_one(Registration, registration_id, populate_existing=True)
        _refuse_decided(session, places, registration)
        released = outcome is ReleaseOutcome.RELEASED
        actor = speaker.actor
        move(
            session,
            registration,
            State.WAITING if released else State.DECLINED,
            actor,
            reason=outcome.value,
            now=now,
        )
        note_release(
            session,
            registration,
            speaker.decider,
            now,
            outcome=outcome,
            reason="" if released else reason,
        )
        audit.record(
            session, actor, f"release_{outcome.value}", registration, now, event_id=event_id,
            by_office=speaker.overseen is None,
        )  # fmt: skip
        session.flush()
        if not released:
            release_mails.declined(session, registration, speaker.decider, reason, now)
            return registration
        served = places.fill(actor, "released", asked=[registration.id])
        if registration not in served:
            mails.waiting(session, registration, now)
        mails.served(session, served, now, ended=places.ended, asked=registration)
        return registration

    return with_places(session, event_id, [person_id], now, work)


def _about(session: Session, speaker: Speaker, registration_id: int) -> tuple[int, int]:
    row = session.execute(
        select(Registration.event_id, Registration.person_id)
        .join(Person, Registration.person_id == Person.id)
        .where(Registration.id == registration_id, seen_by(speaker.overseen))
    ).one_or_none()
    if row is None:
        raise not_found()
    return row.event_id, row.person_id


def _refuse_decided(session: Session, places: LockedPlaces, registration: Registration) -> None:
    before = session.get(Release, registration.id, populate_existing=True)
    if before is not None:
        who = " ".join(filter(None, (before.name, f"({before.function})" * bool(before.function))))
        raise DomainError(
            "decided_before",
            f"Darüber hat {who or 'Ihre Organisation'} schon entschieden: "
            f"{OUTCOME_WORDS[before.outcome]} am {formats.instant(before.at)}.",
        )
    if registration.state is not State.AWAITING_RELEASE:
        raise DomainError(
            "not_waiting_for_release",
            _ENDED.get(registration.state, "Diese Anmeldung braucht keine Freigabe mehr."),
        )
    event = places.event
    deadline = release_deadline(event.closes_at, event.first_day)
    over = places.now >= min(deadline, begins_at(event))
    if over or event.state is not EventState.PUBLISHED:
        raise DomainError(
            "release_over",
            f"Die Frist für die Freigabe endete am {formats.deadline(deadline)}. Bitte wenden Sie "
            "sich an die Geschäftsstelle, wenn die Person doch teilnehmen soll.",
        )


_ENDED = {
    State.WITHDRAWN: "Die Anmeldung wurde zurückgezogen. Es ist nichts mehr zu entscheiden.",
    State.CANCELLED: "Die Veranstaltung ist abgesagt. Es ist nichts mehr zu entscheiden.",
    State.EXPIRED: "Die Frist für die Freigabe ist vorbei, die Anmeldung ist erloschen. Bitte "
    "wenden Sie sich an die Geschäftsstelle, wenn die Person doch teilnehmen soll.",
}


def rank_requests(
    session: Session,
    speaker: Speaker,
    event_id: int,
    *,
    numbers: Mapping[int, int | None],
    priority: Collection[int],
    now: datetime,
) -> None:
    """Put the requests of an organisation for an event in order, and mark some „vorrangig“.

    Why somebody comes first is neither asked nor stored. Each authority has an order of its own:
    whoever ranks only some of its people, as the contact of a unit does, puts them among the others
    at the numbers that were typed, and equal numbers keep the order of the requests.
    What was decided or withdrawn meanwhile is left as it is.

    Args:
        session: the open transaction.
        speaker: who ranks.
        event_id: the event.
        numbers: what was typed, by registration; None for no number.
        priority: the registrations that are marked; the others of `numbers` are not.
        now: the present instant.

    Raises:
        DomainError: `not_found`, if one of the registrations is not overseen.

    """

    def work(places: LockedPlaces) -> None:
        rows = session.scalars(
            select(Registration)
            .join(Person, Registration.person_id == Person.id)
            .where(
                Registration.event_id == event_id,
                Registration.id.in_(list(numbers)),
                seen_by(speaker.overseen),
            )
            .order_by(Registration.rank)
            .execution_options(populate_existing=True)
        ).all()
        if len(rows) != len(numbers):
            raise not_found()
        waiting = [row for row in rows if row.state in RANKED]
        everyone = _ranked(session, event_id, {row.organisation_id for row in waiting})
        places.hold(row.person_id for row in everyone)
        for authority in {row.organisation_id for row in waiting}:
            of_one = [row for row in everyone if row.organisation_id == authority]
            typed = {row.id: numbers.get(row.id, row.organisation_rank) for row in of_one}
            order = ranking(typed, typed)
            for row in of_one:
                row.organisation_rank = order[row.id]
        for row in waiting:
            row.is_priority = row.id in priority
        audit.record(
            session, speaker.actor, "requests_ranked", session.get_one(Event, event_id), now
        )

    with_places(session, event_id, [], now, work)


def _ranked(session: Session, event_id: int, authorities: Collection[int]) -> list[Registration]:
    return list(
        session.scalars(
            select(Registration)
            .where(
                Registration.event_id == event_id,
                Registration.organisation_id.in_(authorities),
                Registration.state.in_(RANKED),
            )
            .order_by(Registration.rank)
            .execution_options(populate_existing=True)
        )
    )


def expire_unreleased(places: LockedPlaces) -> list[Registration]:
    """End the requests for an event that nobody released in time, and tell the people.

    Returns:
        Those that ended.

    """
    event, session, now = places.event, places.session, places.now
    if event.state is not EventState.PUBLISHED:
        return []
    if now < release_deadline(event.closes_at, event.first_day):
        return []
    undecided = session.scalars(
        select(Registration)
        .where(Registration.pool_id == event.pool_id, Registration.state == State.AWAITING_RELEASE)
        .order_by(Registration.rank)
        .execution_options(populate_existing=True)
    ).all()
    places.hold(registration.person_id for registration in undecided)
    for registration in undecided:
        move(session, registration, State.EXPIRED, SYSTEM, reason=NOT_RELEASED, now=now)
        release_mails.not_released(session, registration, now)
    return list(undecided)
