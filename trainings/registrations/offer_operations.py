"""What people and the office do with offers and with the order of a waiting list."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from trainings.core import audit, formats
from trainings.core.actors import SYSTEM, Actor
from trainings.core.errors import DomainError, not_found
from trainings.core.permissions import Permission
from trainings.events.models import EventState
from trainings.registrations import mails
from trainings.registrations.affiliation import counts_for
from trainings.registrations.models import Registration, RegistrationState
from trainings.registrations.moves import last_rank, move, note_change, placed_elsewhere
from trainings.registrations.offer_rules import after_missed_offer
from trainings.registrations.place_queries import chain, seats_elsewhere
from trainings.registrations.places import LockedPlaces, begins_at, with_places
from trainings.registrations.rules import Verdict, awaits_admission

State = RegistrationState


def accept_offer(
    session: Session, actor: Actor, registration_id: int, now: datetime
) -> Registration:
    """Take the place that was offered.

    Args:
        session: the open transaction.
        actor: noted in the history; that the person may was checked before.
        registration_id: the registration.
        now: the present instant.

    Raises:
        DomainError: `not_found`, `accepted_before`, `offer_over`.

    """

    def work(places: LockedPlaces) -> Registration:
        registration = _offered(places, registration_id)
        places.place(registration, actor, "offer_accepted")
        audit.record(session, actor, "offer_accepted", registration, now, event_id=places.event.id)
        mails.placed(session, registration, now, ended=places.ended, promoted=True)
        return registration

    return with_places(session, *_about(session, registration_id), now, work)


def decline_offer(
    session: Session, actor: Actor, registration_id: int, now: datetime
) -> Registration:
    """Refuse the place that was offered; it goes to the next one, and the person leaves the list.

    Raises:
        DomainError: as `accept_offer`.

    """

    def work(places: LockedPlaces) -> Registration:
        registration = _offered(places, registration_id)
        move(session, registration, State.WITHDRAWN, actor, reason="offer_declined", now=now)
        audit.record(session, actor, "offer_declined", registration, now, event_id=places.event.id)
        session.flush()
        mails.served(session, places.fill(actor, "promoted"), now, ended=places.ended)
        return registration

    return with_places(session, *_about(session, registration_id), now, work)


def expire_offers(places: LockedPlaces) -> int:
    """End the offers of an event that have run out, and offer the places to the next ones.

    Returns:
        How many ended.

    """
    session, event, now = places.session, places.event, places.now
    if event.state is not EventState.PUBLISHED:
        return 0
    over = session.scalars(
        select(Registration)
        .where(
            Registration.pool_id == event.pool_id,
            Registration.state == State.OFFERED,
            Registration.offer_until <= now,
        )
        .order_by(Registration.rank)
        .execution_options(populate_existing=True)
    ).all()
    for registration in over:
        to = after_missed_offer(event.missed_offer, registration.missed_offers)
        registration.missed_offers += 1
        if to is State.WAITING:
            registration.rank = last_rank(session, event.pool_id) + 1
        move(session, registration, to, SYSTEM, reason="offer_missed", now=now)
        mails.offer_missed(session, registration, now)
        session.flush()
    if over:
        mails.served(session, places.fill(SYSTEM, "promoted"), now, ended=places.ended)
    return len(over)


def move_in_queue(
    session: Session,
    actor: Actor,
    registration_id: int,
    *,
    position: int,
    reason: str,
    now: datetime,
) -> None:
    """Put somebody at another place on the waiting list; the office does, with a reason.

    Args:
        session: the open transaction.
        actor: of the office.
        registration_id: somebody who waits.
        position: from 1; beyond the end means the end.
        reason: in the office's words; it is kept in the history.
        now: the present instant.

    Raises:
        DomainError: `not_found`, `not_waiting`, `reason_missing`.

    """
    _require_office(actor, reason)

    def work(places: LockedPlaces) -> None:
        queue = list(
            session.scalars(
                select(Registration)
                .where(
                    Registration.pool_id == places.event.pool_id,
                    Registration.state == State.WAITING,
                )
                .order_by(Registration.rank)
                .execution_options(populate_existing=True)
            )
        )
        places.hold(registration.person_id for registration in queue)
        moved = _waiting(session, registration_id)
        ranks = [registration.rank for registration in queue]
        queue.remove(moved)
        queue.insert(max(position, 1) - 1, moved)
        for registration, rank in zip(queue, ranks, strict=True):
            registration.rank = rank
        note_change(
            session, moved, State.WAITING, actor, reason="moved_by_office", now=now, note=reason
        )
        audit.record(session, actor, "queue_changed", moved, now, event_id=places.event.id)
        session.flush()
        mails.served(session, places.fill(actor, "promoted"), now, ended=places.ended)

    with_places(session, *_about(session, registration_id), now, work)


def place_by_office(
    session: Session, actor: Actor, registration_id: int, *, reason: str, now: datetime
) -> Registration:
    """Give somebody who waits a free place out of turn; the office does, with a reason.

    Capacity, contingents and limits hold for the office as well.

    Args:
        session: the open transaction.
        actor: of the office.
        registration_id: somebody who waits.
        reason: in the office's words; it is kept in the history.
        now: the present instant.

    Raises:
        DomainError: `not_found`, `not_waiting`, `reason_missing`, `admission_pending`, `no_place`,
            `overlap`.

    """
    _require_office(actor, reason)

    def work(places: LockedPlaces) -> Registration:
        registration = _waiting(session, registration_id)
        if awaits_admission(places.event.admission, places.event.admitted_at):
            raise DomainError(
                "admission_pending", "Über diese Plätze entscheiden Sie bei der Zulassung, nachdem "
                "die Anmeldung geschlossen ist.",
            )  # fmt: skip
        authority = counts_for(registration.organisation)
        if places.places().verdict(chain(authority.id, authority.parent_id)) is not Verdict.PLACE:
            raise DomainError(
                "no_place",
                "Für diese Person ist kein Platz frei. Erhöhen Sie zuerst die Zahl der Plätze, "
                "oder heben Sie ein Kontingent auf.",
            )
        if seats_elsewhere(session, places.event.id, [registration.person_id]):
            raise DomainError(
                "overlap", "Diese Person hat zu derselben Zeit einen Platz in einer anderen "
                "Veranstaltung.",
            )  # fmt: skip
        places.place(registration, actor, "placed_by_office", note=reason)
        audit.record(session, actor, "placed_by_office", registration, now)
        mails.placed(session, registration, now, ended=places.ended, promoted=True)
        return registration

    return with_places(session, *_about(session, registration_id), now, work)


def _require_office(actor: Actor, reason: str) -> None:
    if not actor.may(Permission.OFFICE):
        raise not_found()
    if not reason.strip():
        raise DomainError(
            "reason_missing", "Bitte geben Sie einen Grund an.", field="reason", status=422
        )


def _about(session: Session, registration_id: int) -> tuple[int, list[int]]:
    row = session.execute(
        select(Registration.event_id, Registration.person_id).where(
            Registration.id == registration_id
        )
    ).one_or_none()
    if row is None:
        raise not_found()
    return row.event_id, [row.person_id]


def _waiting(session: Session, registration_id: int) -> Registration:
    registration = session.get_one(Registration, registration_id, populate_existing=True)
    if registration.state is not State.WAITING:
        raise DomainError(
            "not_waiting", "Diese Person steht nicht mehr auf der Warteliste. Bitte laden Sie die "
            "Seite neu.",
        )  # fmt: skip
    return registration


def _offered(places: LockedPlaces, registration_id: int) -> Registration:
    registration = places.session.get_one(Registration, registration_id, populate_existing=True)
    refusal = offer_refusal(registration, begins_at(places.event), places.now)
    if refusal is not None:
        raise refusal
    return registration


def answer_sentence(registration: Registration) -> str:
    """Return what somebody reads after an offer was answered."""
    title = registration.event.title
    if registration.state is State.PLACED:
        return f"Der Platz gehört Ihnen: „{title}“. Die Eintrittskarte kommt auch per E-Mail."
    return f"Sie haben den Platz abgelehnt: „{title}“. Wir bieten ihn der nächsten Person an."


def offer_refusal(
    registration: Registration, begins: datetime, now: datetime
) -> DomainError | None:
    """Return why an offer cannot be accepted or declined any more, or None."""
    if registration.state is State.PLACED:
        return DomainError(
            "accepted_before", "Sie haben den Platz schon angenommen. Die Eintrittskarte steht "
            "unter „Meine Anmeldungen“.",
        )  # fmt: skip
    if registration.state is State.OFFERED and registration.offer_until is not None:
        if now < registration.offer_until and now < begins:
            return None
        until = formats.instant(registration.offer_until)
        return DomainError(
            "offer_over", f"Das Angebot galt bis {until}. Der Platz geht an die nächste Person. Ob "
            "Sie weiter auf der Warteliste stehen, lesen Sie gleich unter „Meine Anmeldungen“ und "
            "in unserer E-Mail.",
        )  # fmt: skip
    if registration.state is State.WAITING:
        return DomainError(
            "offer_over", "Dieses Angebot ist abgelaufen. Sie stehen weiter auf der Warteliste und "
            "hören von uns, wenn wieder ein Platz frei wird.",
        )  # fmt: skip
    if registration.history[-1].reason == "placed_elsewhere":
        return placed_elsewhere()
    if registration.history[-1].reason == "offer_declined":
        return DomainError(
            "offer_over", "Sie haben diesen Platz schon abgelehnt. Möchten Sie doch teilnehmen, "
            "melden Sie sich bitte wieder an.",
        )  # fmt: skip
    return DomainError(
        "offer_over", "Dieses Angebot gilt nicht mehr. Möchten Sie teilnehmen, melden Sie sich "
        "bitte wieder an.",
    )  # fmt: skip
