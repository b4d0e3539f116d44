"""An extra date (Zusatztermin) for those on a waiting list, who are taken along in their order."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from trainings.core import audit, formats
from trainings.core.actors import Actor
from trainings.core.errors import DomainError, not_found
from trainings.events.models import Event, EventTrainer, ExtraDate
from trainings.events.operations import copy_event, publish_event
from trainings.registrations import demand_mails, mails
from trainings.registrations.deciders import Decider
from trainings.registrations.demand_operations import link_to_wish, open_wish
from trainings.registrations.entry import enter
from trainings.registrations.models import Registration, RegistrationState, Release
from trainings.registrations.places import LockedPlaces, with_many_places

OFFER_DAYS = 2
"""Working days to answer where the event itself asks nobody: another date may not suit."""


def create_extra_date(
    session: Session,
    actor: Actor,
    event_id: int,
    first_day: date,
    now: datetime,
    *,
    with_trainers: bool = True,
    with_room: bool = True,
) -> Event:
    """Make a draft like an event whose waiting list it takes along once it is published.

    Args:
        session: the open transaction.
        actor: who plans.
        event_id: the event that people wait for.
        first_day: day of the first session in Berlin.
        now: the present instant.
        with_trainers: also the trainers, if they are free.
        with_room: also the room, if it is free.

    Raises:
        DomainError: `not_found`, `no_format`, `nobody_waits`, or what `copy_event` refuses.

    """
    source = session.get(Event, event_id)
    if source is None:
        raise not_found()
    if source.template_id is None:
        raise DomainError(
            "no_format",
            "Diese Veranstaltung gehört zu keinem Format. Bitte kopieren Sie sie; wer wartet, "
            "meldet sich dort selbst an.",
        )
    if not _waiting(session, event_id):
        raise DomainError(
            "nobody_waits",
            "Auf der Warteliste steht niemand mehr. Soll es trotzdem einen weiteren Termin geben, "
            "kopieren Sie bitte die Veranstaltung.",
        )
    event = copy_event(
        session,
        actor,
        event_id,
        first_day,
        now,
        with_trainers=with_trainers,
        with_room=with_room,
    )
    session.add(ExtraDate(event_id=event.id, waiting_from_id=event_id))
    audit.record(session, actor, "extra_date_created", source, now, extra_date=event.id)
    return event


def publish_and_take_along(session: Session, actor: Actor, event_id: int, now: datetime) -> int:
    """Publish a draft; if it is an extra date, take the waiting list along in the same step.

    Nobody can register for the extra date before those who have been waiting.

    Returns:
        How many were taken along.

    Raises:
        DomainError: as `events.operations.publish_event`; `changed_meanwhile`.

    """
    source_id = session.scalar(
        select(ExtraDate.waiting_from_id).where(ExtraDate.event_id == event_id)
    )
    if source_id is None:
        publish_event(session, actor, event_id, now)
        return 0
    persons = {row.person_id for row in _waiting(session, source_id)}
    persons |= set(_trainers(session, event_id))
    room_id = session.scalar(select(Event.room_id).where(Event.id == event_id))
    rooms = {room_id} if room_id is not None else set()

    def work(sections: list[LockedPlaces]) -> int:
        by_id = {places.event.id: places for places in sections}
        source, target = by_id[source_id], by_id[event_id]
        concerned = {row.person_id for row in _waiting(session, source_id)}
        concerned |= set(_trainers(session, event_id))
        if not concerned <= persons or target.event.room_id not in {*rooms, None}:
            raise DomainError(
                "changed_meanwhile",
                "Gerade hat sich die Warteliste, die Leitung oder der Raum geändert. Bitte "
                "versuchen Sie es noch einmal.",
            )
        publish_event(session, actor, event_id, now)
        return len(take_waiting_list_along(source, target, actor))

    # Publishing locks trainers and room itself: taken here in one go before any pool, those locks
    # find theirs and wait for nobody.
    return with_many_places(session, [source_id, event_id], persons, now, work, room_ids=rooms)


def take_waiting_list_along(
    source: LockedPlaces, target: LockedPlaces, actor: Actor
) -> list[Registration]:
    """Put those who wait for one event on the list of another one, in the same order.

    They are offered the free places there, since another date may not suit; where no time is left
    for an offer, the event's rule for short notice decides. They wait on at the old date too: a
    place on one ends the other. Whoever leads the other event, sits elsewhere at that time or was
    registered there before is left out. A second time changes nothing.

    Args:
        source: the event that people wait for.
        target: its extra date, published; those who wait are locked.
        actor: of the office.

    Returns:
        Their registrations on the extra date.

    """
    session, event, now = target.session, target.event, target.now
    if event.template_id is None:
        return []
    known = set(
        session.scalars(select(Registration.person_id).where(Registration.event_id == event.id))
    )
    taken = []
    for waiting in _waiting(session, source.event.id):
        if waiting.person_id in known:
            continue
        registration = _take_along(target, waiting, actor)
        if registration is None:
            continue
        wish = open_wish(session, actor, waiting.person_id, event.template_id, now)
        link_to_wish(session, waiting, wish)
        link_to_wish(session, registration, wish)
        taken.append(registration)
    event.offer_days = event.offer_days or OFFER_DAYS
    session.flush()
    served = target.fill(actor, "extra_date")
    _tell(target, source.event, taken, served)
    if taken:
        audit.record(session, actor, "waiting_list_taken_along", event, now, people=len(taken))
    return taken


def _take_along(target: LockedPlaces, waiting: Registration, actor: Actor) -> Registration | None:
    release = target.session.get(Release, waiting.id)
    try:
        return enter(
            target,
            actor,
            waiting.person_id,
            needs={need.kind: need.note for need in waiting.needs},
            released_by=(
                Decider(release.name, release.function, release.person_id) if release else None
            ),
            in_window=False,
            reason="extra_date",
        )
    except DomainError:
        return None


def _tell(
    target: LockedPlaces, source: Event, taken: list[Registration], served: list[Registration]
) -> None:
    session, now = target.session, target.now
    days = formats.day_span(source.first_day, source.last_day)
    for registration in served:
        if registration.offer_until is None:
            mails.placed(session, registration, now, ended=target.ended, promoted=True)
            continue
        opening = (
            f"für die Warteliste vom {days} gibt es einen Zusatztermin, und Sie sind an der Reihe. "
            "Passt er Ihnen nicht, behalten Sie Ihre Stelle auf der bisherigen Warteliste."
        )
        mails.offered(session, registration, registration.offer_until, now, opening=opening)
    for registration in taken:
        if registration in served:
            continue
        if registration.state is RegistrationState.AWAITING_RELEASE:
            mails.awaiting_release(session, registration, now)
        else:
            demand_mails.waits_for_extra_date(session, registration, source, now)


def _waiting(session: Session, event_id: int) -> list[Registration]:
    return list(
        session.scalars(
            select(Registration)
            .where(
                Registration.event_id == event_id,
                Registration.state == RegistrationState.WAITING,
            )
            .order_by(Registration.rank)
            .options(selectinload(Registration.needs))
            .execution_options(populate_existing=True)
        )
    )


def _trainers(session: Session, event_id: int) -> list[int]:
    return list(
        session.scalars(select(EventTrainer.person_id).where(EventTrainer.event_id == event_id))
    )
