"""What time brings on the Dienstweg: digests, requests that expire, contingents that end.

As in `office.sweeps`, each event, and each recipient of a digest, has a transaction of its own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from sqlalchemy import and_, exists, select, update
from sqlalchemy.orm import Session

from trainings.core.clock import berlin_day
from trainings.core.database import db, transaction
from trainings.events.models import Event, EventState
from trainings.organisations.models import Organisation
from trainings.organisations.operations import lock_organisations
from trainings.people.models import Person
from trainings.registrations import release_mails
from trainings.registrations.models import Contingent, Registration, RegistrationState
from trainings.registrations.places import LockedPlaces, begins_at, lock_persons, with_places
from trainings.registrations.release_mails import Recipient
from trainings.registrations.release_operations import expire_unreleased
from trainings.registrations.release_queries import (
    EventRequests,
    RequestRow,
    last_digests,
    load_desks,
    load_tree,
    open_requests,
)
from trainings.registrations.release_rules import (
    Asked,
    Desks,
    Tree,
    is_digest_time,
    is_time_to_warn,
    is_to_be_asked,
    release_deadline,
)


@dataclass(frozen=True)
class _Desk:
    """Who is asked for one or more organisations: a contact by id, or the address of a mailbox."""

    organisation_id: int
    person_id: int | None = None
    mailbox: str = ""

    @property
    def key(self) -> tuple[int | None, str]:
        """What tells recipients apart, for whichever organisation they are asked."""
        return self.person_id, self.mailbox


def send_release_digests(now: datetime) -> int:
    """Ask everybody who releases for what is open: at most one mail a day to each.

    Returns:
        How many mails were written.

    """
    if not is_digest_time(now):
        return 0
    session = db.session()
    events = open_requests(session, None, now)
    if not events:
        return 0
    asked = _by_desk(load_tree(session), load_desks(session), events)
    told = last_digests(session)
    return sum(
        _send_digest(desk, requests, now)
        for desk, requests in asked
        if _is_due(requests, told.get(desk.key), now)
    )


def _is_due(events: list[EventRequests], told_at: datetime | None, now: datetime) -> bool:
    """Say whether a recipient gets a digest: one a day, and only if something is to be asked."""
    if told_at is not None and berlin_day(told_at) >= berlin_day(now):
        return False
    return any(
        is_to_be_asked(Asked(row.requested_at, row.asked_at, event.deadline), told_at, now)
        for event in events
        for row in event.rows
    )


def _by_desk(
    tree: Tree, desks: Desks, events: Sequence[EventRequests]
) -> list[tuple[_Desk, list[EventRequests]]]:
    """Return who is asked for which requests; somebody who speaks for several is asked once."""
    rows: dict[tuple[int | None, str], dict[int, list[RequestRow]]] = defaultdict(dict)
    nearest: dict[tuple[int | None, str], int] = {}
    for event in events:
        for row in event.rows:
            chain = tree.deciding(row.organisation_id, row.person_organisation_id)
            for desk in _desks_for(desks, chain, row.person_id):
                nearest.setdefault(desk.key, desk.organisation_id)
                rows[desk.key].setdefault(event.event_id, []).append(row)
    return [
        (
            _Desk(nearest[key], *key),
            [
                replace(event, rows=by_event[event.event_id])
                for event in events
                if event.event_id in by_event
            ],
        )
        for key, by_event in rows.items()
    ]


def _desks_for(desks: Desks, chain: Iterable[int], person_id: int | None = None) -> list[_Desk]:
    found = desks.reachable(chain, person_id)
    if found is None:
        return []
    organisation_id, contacts, mailbox = found
    asked = [_Desk(organisation_id, person_id=contact) for contact in contacts]
    return [*asked, _Desk(organisation_id, mailbox=mailbox)] if mailbox else asked


def _send_digest(desk: _Desk, events: list[EventRequests], now: datetime) -> int:
    with transaction() as session:
        # Two workers may have come this far; the lock lets the second one see the first one's mail.
        persons = {row.person_id for event in events for row in event.rows}
        recipient = _lock_recipient(session, desk, persons)
        if not _is_due(events, last_digests(session).get(desk.key), now):
            return 0
        release_mails.digest(session, recipient, events, now)
        still_open = and_(
            Registration.id.in_([row.id for event in events for row in event.rows]),
            Registration.state == RegistrationState.AWAITING_RELEASE,
        )
        session.execute(update(Registration).where(still_open).values(release_asked_at=now))
    return 1


def _lock_recipient(session: Session, desk: _Desk, about: set[int]) -> Recipient:
    """Lock who is asked and about whom: their requests may be ended by a place elsewhere."""
    if desk.person_id is None:
        lock_organisations(session, desk.organisation_id)
    lock_persons(session, about | ({desk.person_id} if desk.person_id is not None else set()))
    return _recipient(session, desk)


def _recipient(session: Session, desk: _Desk) -> Recipient:
    if desk.person_id is not None:
        person = session.get_one(Person, desk.person_id)
        return Recipient(person.email, person.name, desk.organisation_id, person.id)
    organisation = session.get_one(Organisation, desk.organisation_id)
    return Recipient(desk.mailbox, organisation.name, organisation.id, None)


def expire_requests(now: datetime) -> int:
    """End the requests that nobody released in time, and tell everyone concerned.

    Returns:
        How many ended.

    """
    waiting = exists().where(
        Registration.event_id == Event.id,
        Registration.state == RegistrationState.AWAITING_RELEASE,
    )
    rows = db.session.execute(
        select(Event.id, Event.closes_at, Event.first_day)
        .where(Event.state == EventState.PUBLISHED, waiting)
        .order_by(Event.id)
    ).all()
    over = [row.id for row in rows if now >= release_deadline(row.closes_at, row.first_day)]
    return sum(_in_transaction(event_id, now, _expire) for event_id in over)


def _expire(places: LockedPlaces) -> int:
    expired = expire_unreleased(places)
    if expired:
        _tell_desks(places, expired)
    return len(expired)


def _tell_desks(places: LockedPlaces, expired: Iterable[Registration]) -> None:
    session = places.session
    tree, desks = load_tree(session), load_desks(session)
    names: dict[_Desk, list[str]] = defaultdict(list)
    for registration in expired:
        person = registration.person
        chain = tree.deciding(registration.organisation_id, person.organisation_id)
        for desk in _desks_for(desks, chain, person.id):
            names[desk].append(person.name)
    for desk, people in names.items():
        recipient = _recipient(session, desk)
        release_mails.requests_expired(session, recipient, places.event, people, places.now)


def warn_of_contingents(now: datetime) -> int:
    """Tell organisations, once, that unused places held for them return to everyone soon.

    Returns:
        How many contingents were warned of.

    """
    rows = db.session.execute(
        select(Event.id, Contingent.id, Contingent.until)
        .join(Contingent, Contingent.pool_id == Event.pool_id)
        .where(
            Event.state == EventState.PUBLISHED,
            Contingent.until > now,
            Contingent.warned_at.is_(None),
        )
        .order_by(Event.id, Contingent.id)
    ).all()
    return sum(
        _in_transaction(event_id, now, partial(_warn, contingent_id=contingent_id))
        for event_id, contingent_id, until in rows
        if is_time_to_warn(until, now)
    )


def _warn(places: LockedPlaces, contingent_id: int) -> int:
    session, now = places.session, places.now
    contingent = session.get(Contingent, contingent_id, populate_existing=True)
    if contingent is None or contingent.warned_at is not None or now >= begins_at(places.event):
        return 0
    unused = places.places().unused.get(contingent.organisation_id, 0)
    told = _desks_for(load_desks(session), [contingent.organisation_id])
    if not unused or not told:
        return 0
    for desk in told:
        recipient = _recipient(session, desk)
        release_mails.contingent_ends(
            session, recipient, places.event, contingent, unused=unused, now=now
        )
    contingent.warned_at = now
    return 1


def _in_transaction(event_id: int, now: datetime, work: Callable[[LockedPlaces], int]) -> int:
    with transaction() as session:
        return with_places(session, event_id, (), now, work)
