"""A colleague comes in somebody's place: the place stays, ticket and calendar entry change."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session, joinedload

from trainings.core import audit, formats
from trainings.core.actors import Actor
from trainings.core.errors import DomainError, not_found
from trainings.core.permissions import Permission
from trainings.core.text import normalise_email
from trainings.events.models import Event, EventTrainer
from trainings.organisations.models import Organisation
from trainings.people.models import Person
from trainings.people.operations import create_person
from trainings.people.queries import organisations_for_email, person_by_email
from trainings.registrations import mails
from trainings.registrations.affiliation import authority_and_unit, counts_for
from trainings.registrations.models import (
    ACTIVE,
    SEATED,
    Registration,
    RegistrationState,
    Release,
    Substitution,
    Wish,
    WishedRegistration,
)
from trainings.registrations.moves import move, new_ticket, note_change
from trainings.registrations.place_queries import seats_elsewhere
from trainings.registrations.places import LockedPlaces, begins_at, with_places
from trainings.registrations.rules import substitution_refusal


def substitute(
    session: Session,
    actor: Actor,
    registration_id: int,
    *,
    given_name: str,
    family_name: str,
    email: str,
    now: datetime,
) -> Registration:
    """Give somebody's place to a colleague of the same organisation, in one step.

    The place, its rank and its release stay; the old ticket is void. Somebody who waits for the
    same event gets the place on the registration that is there already.

    Args:
        session: the open transaction.
        actor: whose place it is, or the office.
        registration_id: the registration with the place.
        given_name: of the colleague; used where nobody has this address yet.
        family_name: likewise.
        email: work address of the colleague.
        now: the present instant.

    Returns:
        The colleague's registration, placed.

    Raises:
        DomainError: `not_found`; `event_cancelled`, `no_place_to_hand_over`, `event_over`;
            `substitute_self`, `foreign_organisation`, `already_registered`, `trains_this_event`,
            `overlap`; as `create_person`.

    """
    old = session.get(Registration, registration_id, options=[joinedload(Registration.person)])
    if old is None or (old.person_id != actor.person_id and not actor.may(Permission.OFFICE)):
        raise not_found()
    if normalise_email(email) == old.person.email:
        raise _same_person()
    authority = counts_for(old.organisation)
    colleague = person_by_email(session, email)
    if colleague is None:
        if not actor.may(Permission.OFFICE) and authority.id not in {
            organisation.id for organisation in organisations_for_email(session, email)
        }:
            raise _foreign(authority)
        # Nobody else can see or lock this row before the commit: it needs no place in the order.
        colleague = create_person(
            session,
            actor,
            email=email,
            given_name=given_name,
            family_name=family_name,
            organisation_id=authority.id,
            now=now,
        )
    whom = colleague.id

    def work(places: LockedPlaces) -> Registration:
        return _hand_over(places, actor, registration_id, whom)

    return with_places(session, old.event_id, [old.person_id, whom], now, work)


def _hand_over(
    places: LockedPlaces, actor: Actor, registration_id: int, person_id: int
) -> Registration:
    session, event, now = places.session, places.event, places.now
    old = session.get_one(Registration, registration_id, populate_existing=True)
    refusal = substitution_refusal(old.state, event.state, begins_at(event), now)
    if refusal is not None:
        raise refusal
    colleague = session.get_one(
        Person, person_id, options=[joinedload(Person.organisation)], populate_existing=True
    )
    authority = counts_for(old.organisation)
    if authority_and_unit(colleague)[0].id != authority.id:
        raise _foreign(authority)
    by_office = actor.may(Permission.OFFICE)
    waits = _refuse_if_busy(session, event, person_id, by_office=by_office)
    by_self = actor.person_id == old.person_id
    move(
        session,
        old,
        RegistrationState.SUBSTITUTED,
        actor,
        reason="substituted" if by_self else "substituted_by_office",
        now=now,
    )
    new = waits or _registration_like(session, old, colleague, now)
    # The same place in the same contingent, whatever the colleague's own request said.
    new.organisation_id, new.organisation_name = old.organisation_id, old.organisation_name
    new.organisation_kind, new.rank = old.organisation_kind, old.rank
    if waits is None:
        session.add(new)
        note_change(session, new, None, actor, reason="took_over", now=now)
        session.flush()
        _serve_open_wish(places, new, actor)
    else:
        places.place(new, actor, "took_over")
    session.flush()
    session.add(Substitution(registration_id=new.id, replaced_id=old.id))
    _keep_release(session, old, new)
    audit.record(session, actor, "substituted", old, now, event_id=event.id, registration_id=new.id)
    mails.handed_over(session, old, colleague.name, now)
    mails.took_over(session, new, old.person.name, now, ended=places.ended)
    return new


def _serve_open_wish(places: LockedPlaces, new: Registration, actor: Actor) -> None:
    """Let the place end what the colleague waits for, as any place on a date of a wish does."""
    session = places.session
    wish_id = session.scalar(
        select(func.min(Wish.id)).where(
            Wish.person_id == new.person_id,
            Wish.template_id == places.event.template_id,
            Wish.ended_at.is_(None),
        )
    )
    if wish_id is not None:
        session.add(WishedRegistration(registration_id=new.id, wish_id=wish_id))
        places.end_other_waits(new, actor)


def _refuse_if_busy(
    session: Session, event: Event, person_id: int, *, by_office: bool
) -> Registration | None:
    """Refuse a colleague who cannot come; return where they wait for this event, if they do."""
    own = session.scalar(
        select(Registration)
        .where(
            Registration.pool_id == event.pool_id,
            Registration.person_id == person_id,
            Registration.state.in_(ACTIVE),
        )
        .execution_options(populate_existing=True)
    )
    if own is not None and own.state in SEATED:
        raise DomainError(
            "already_registered",
            "Diese Person hat für diese Veranstaltung schon einen Platz. Bitte benennen Sie jemand "
            "anderen.",
            field="email",
        )
    if session.scalar(
        select(
            exists().where(EventTrainer.event_id == event.id, EventTrainer.person_id == person_id)
        )
    ):
        raise DomainError(
            "trains_this_event",
            "Diese Person leitet die Veranstaltung. Bitte benennen Sie jemand anderen.",
            field="email",
        )
    elsewhere = seats_elsewhere(session, event.id, [person_id])
    if elsewhere:
        # What a colleague takes part in is nobody's business but the office's.
        which = f" ({elsewhere[person_id]})" if by_office else ""
        raise DomainError(
            "overlap",
            "Diese Person hat zu dieser Zeit schon einen Platz in einer anderen "
            f"Veranstaltung{which}. Bitte benennen Sie jemand anderen.",
            field="email",
        )
    return own


def _registration_like(
    session: Session, old: Registration, colleague: Person, now: datetime
) -> Registration:
    """Return a new registration on the same place: the organisation's figures do not change."""
    last_sequence = session.scalar(
        select(func.max(Registration.calendar_sequence)).where(
            Registration.pool_id == old.pool_id, Registration.person_id == colleague.id
        )
    )
    return Registration(
        pool_id=old.pool_id,
        event=old.event,
        person=colleague,
        state=RegistrationState.PLACED,
        ticket=new_ticket(),
        requested_at=now,
        state_since=now,
        unit=authority_and_unit(colleague)[1],
        calendar_sequence=0 if last_sequence is None else last_sequence + 1,
    )


def _keep_release(session: Session, old: Registration, new: Registration) -> None:
    """Let the release go with the place, unless the colleague's request has one of its own."""
    release = session.get(Release, old.id)
    if release is None or session.get(Release, new.id) is not None:
        return
    session.add(
        Release(
            registration_id=new.id,
            outcome=release.outcome,
            reason=release.reason,
            at=release.at,
            person_id=release.person_id,
            name=release.name,
            function=release.function,
        )
    )


def _same_person() -> DomainError:
    return DomainError(
        "substitute_self",
        "Das ist die Adresse der Person, die den Platz schon hat. Bitte geben Sie die Adresse der "
        "Ersatzperson ein.",
        field="email",
    )


def _foreign(authority: Organisation) -> DomainError:
    return DomainError(
        "foreign_organisation",
        f"Der Platz gehört {authority.name}. Diese Adresse gehört nicht dorthin. Bitte benennen "
        "Sie jemanden aus derselben Organisation, oder geben Sie den Platz zurück.",
        field="email",
    )


def seat_to_hand_over(session: Session, actor: Actor, registration_id: int) -> Registration:
    """Load a registration for the page that names a substitute; three statements.

    Raises:
        DomainError: `not_found`, also for somebody else's unless the office asks.

    """
    registration = session.scalar(
        select(Registration)
        .where(Registration.id == registration_id)
        .options(
            joinedload(Registration.person),
            joinedload(Registration.organisation),
            joinedload(Registration.event).selectinload(Event.sessions),
        )
    )
    if registration is None or (
        registration.person_id != actor.person_id and not actor.may(Permission.OFFICE)
    ):
        raise not_found()
    return registration


def handed_over_to(registration: Registration) -> str:
    """Return what the page says when a colleague has the place."""
    event = registration.event
    days = formats.day_span(event.first_day, event.last_day)
    return (
        f"{registration.person.name} hat den Platz übernommen: „{event.title}“, {days}. "
        "Eintrittskarte und Kalendereintrag sind per E-Mail unterwegs."
    )
