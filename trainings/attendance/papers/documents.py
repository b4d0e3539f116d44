"""The papers of an event: what stands on them, and which letters cannot be printed.

What somebody needs to take part (access, diet) is not even loaded here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby

from sqlalchemy import select
from sqlalchemy.orm import Session

from trainings.attendance.models import WalkIn
from trainings.attendance.reads import TAKES_PART, EventHead, event_head, load_sessions
from trainings.attendance.rules import SessionTime
from trainings.attendance.wording import column_names
from trainings.core.actors import Actor
from trainings.core.documents import Document, missing_letters, render
from trainings.core.errors import DomainError, not_found
from trainings.core.formats import day_span, instant, long_date, time_span
from trainings.core.qr import qr_modules
from trainings.core.settings import current_settings
from trainings.events.models import Event, EventState, EventTrainer, Venue
from trainings.people.models import Person, full_name
from trainings.registrations.models import Registration, RegistrationState

EMPTY_ROWS = 4
"""Rows of the sign-in sheet for people without a registration."""
MOST_BOXES = 6
"""Sessions that have a box of their own on the list for the door; more are ticked in one."""
Data = dict[str, object]


@dataclass(frozen=True)
class Guest:
    """Somebody on a list.

    Attributes:
        given_name: with the academic title; empty for a name that was only typed at the door.
        family_name: by which lists are sorted.
        organisation: as it was when the person registered.
        unit: within it.
        walk_in: came without a registration.

    """

    given_name: str
    family_name: str
    organisation: str
    unit: str = ""
    walk_in: bool = False

    @property
    def list_name(self) -> str:
        """„Kałuża, Dr. Jördis“."""
        return ", ".join(filter(None, (self.family_name, self.given_name)))

    @property
    def missing(self) -> frozenset[str]:
        """The letters that no font of the papers has."""
        return missing_letters(
            f"{self.given_name} {self.family_name} {self.organisation} {self.unit}"
        )


@dataclass(frozen=True)
class Folder:
    """All that the papers of an event need; six statements.

    Attributes:
        event: the event.
        sessions: in order of time.
        guests: who takes part, by name; behind them who came and is not registered yet.
        trainers: their names.
        venue: where it is; None: not fixed yet.

    """

    event: EventHead
    sessions: tuple[SessionTime, ...]
    guests: tuple[Guest, ...]
    trainers: tuple[str, ...]
    venue: Venue | None

    @property
    def unprintable(self) -> list[Guest]:
        """Those on whose papers a stand-in is printed for a letter."""
        return [guest for guest in self.guests if guest.missing]


def load_folder(session: Session, actor: Actor, number: str) -> Folder:
    """Load what the papers of an event need.

    Args:
        session: for reading.
        actor: a trainer of the event, or somebody of the office.
        number: of the event.

    Raises:
        DomainError: `not_found`, also for a foreign event.

    """
    event = event_head(session, actor, number)
    trainers = session.scalars(
        select(Person)
        .join(EventTrainer, EventTrainer.person_id == Person.id)
        .where(EventTrainer.event_id == event.id)
        .order_by(EventTrainer.position, Person.sort_key)
    )
    return Folder(
        event=event,
        sessions=load_sessions(session, event.id),
        guests=(*_load_participants(session, event.id), *_load_walk_ins(session, event.id)),
        trainers=tuple(trainer.name for trainer in trainers),
        venue=session.scalar(
            select(Venue).join(Event, Event.venue_id == Venue.id).where(Event.id == event.id)
        ),
    )


def _load_participants(session: Session, event_id: int) -> list[Guest]:
    rows = session.execute(
        select(Registration, Person)
        .join(Person, Registration.person_id == Person.id)
        .where(Registration.event_id == event_id, TAKES_PART)
        .order_by(Person.sort_key, Registration.id)
    )
    return [_guest_of(registration, person) for registration, person in rows]


def _guest_of(registration: Registration, person: Person) -> Guest:
    return Guest(
        full_name(person.title, person.given_name, ""),
        person.family_name,
        registration.organisation_name,
        registration.unit,
        registration.state is RegistrationState.WALK_IN,
    )


def _load_walk_ins(session: Session, event_id: int) -> list[Guest]:
    """Load who came without a registration, as far as the office has not settled it."""
    rows = session.execute(
        select(WalkIn.name, WalkIn.organisation)
        .where(
            WalkIn.event_id == event_id,
            WalkIn.registration_id.is_(None),
            WalkIn.dismissed_at.is_(None),
        )
        .order_by(WalkIn.name, WalkIn.id)
    )
    return [Guest("", row.name, row.organisation, walk_in=True) for row in rows]


def unprintable_letters(registration: Registration) -> frozenset[str]:
    """Return the letters that the papers lack for somebody; loads the person."""
    return _guest_of(registration, registration.person).missing


@dataclass(frozen=True)
class Paper:
    """One kind of paper.

    Attributes:
        title: what it is called.
        sentence: what it is for.
        template: its file in `templates/documents/`.
        build: makes what the template shows.

    """

    title: str
    sentence: str
    template: str
    build: Callable[[Folder], Data]


def print_paper(folder: Folder, name: str, now: datetime) -> Document:
    """Make a paper of an event as PDF.

    Args:
        folder: what it is made from.
        name: of the paper, as in its address.
        now: the present instant, which stands on lists of names.

    Raises:
        DomainError: `not_found`; `event_cancelled`, since nobody shall come.

    """
    paper = PAPERS.get(name)
    if paper is None:
        raise not_found()
    if folder.event.access.state is EventState.CANCELLED:
        raise DomainError("event_cancelled", CANCELLED)
    event = folder.event
    return render(
        paper.template,
        _common(folder, now) | paper.build(folder),
        title=f"{paper.title}: {event.title}, {day_span(event.first_day, event.last_day)}",
        at=now,
    )


CANCELLED = (
    "Die Veranstaltung ist abgesagt. Deshalb gibt es für sie keine Papiere mehr. Was schon "
    "ausgedruckt ist, gilt nicht mehr."
)


def _common(folder: Folder, now: datetime) -> Data:
    event = folder.event
    return {
        "number": event.number,
        "event": event.title,
        "event_line": f"{event.title} · {day_span(event.first_day, event.last_day)}",
        "kind": event.kind_name,
        "days": day_span(event.first_day, event.last_day),
        "place": _place(folder),
        "trainers": list(folder.trainers),
        "as_of": instant(now),
    }


def _place(folder: Folder) -> str:
    if folder.venue is None:
        return ""
    town = f"{folder.venue.postcode} {folder.venue.town}"
    return ", ".join(
        filter(None, (folder.venue.name, folder.event.room, folder.venue.street, town))
    )


def _days(folder: Folder) -> list[tuple[date, list[SessionTime]]]:
    return [
        (day, list(sessions)) for day, sessions in groupby(folder.sessions, lambda each: each.day)
    ]


def _rows(guests: Sequence[Guest]) -> list[Data]:
    return [
        {
            "given_name": guest.given_name,
            "family_name": guest.family_name,
            "name": guest.list_name,
            "organisation": guest.organisation,
            "unit": guest.unit,
            "walk_in": guest.walk_in,
        }
        for guest in guests
    ]


def _sign_in_sheet(folder: Folder) -> Data:
    days = [
        {
            "day": long_date(day),
            "sessions": [
                {"label": each.label, "time": time_span(each.begins, each.ends)}
                for each in sessions
            ],
        }
        for day, sessions in _days(folder)
    ]
    return {"sheets": days, "people": _rows(folder.guests), "empty_rows": EMPTY_ROWS}


def _door_list(folder: Folder) -> Data:
    columns = column_names(folder.sessions)
    boxes = columns if 1 <= len(columns) <= MOST_BOXES else ["Da"]
    return {"boxes": boxes, "people": _rows(folder.guests)}


def _name_badges(folder: Folder) -> Data:
    return {"people": _rows(folder.guests)}


def _directions(folder: Folder) -> Data:
    venue, settings = folder.venue, current_settings()
    address = f"{settings.base_url}/veranstaltungen/{folder.event.number}"
    return {
        "times": [
            {
                "day": long_date(day),
                "time": time_span(sessions[0].begins, max(each.ends for each in sessions)),
            }
            for day, sessions in _days(folder)
        ],
        "venue": venue
        and {
            "name": venue.name,
            "room": folder.event.room or "",
            "street": venue.street,
            "town": f"{venue.postcode} {venue.town}",
            "public_transport": venue.public_transport,
            "parking": venue.parking,
            "step_free": venue.step_free,
            "hearing_loop": venue.hearing_loop,
        },
        "contact": list(settings.office_address),
        "address": address,
        "modules": qr_modules(address),
    }


PAPERS = {
    "teilnahmeliste": Paper(
        "Teilnahmeliste",
        "Zum Unterschreiben: für jeden Tag ein Blatt mit einem Feld je Termin und leeren Zeilen "
        "für Personen ohne Anmeldung.",
        "sign_in_sheet",
        _sign_in_sheet,
    ),
    "einlassliste": Paper(
        "Einlassliste",
        "Zum Abhaken an der Tür: große Namen nach dem Familiennamen, auch für den Fall, dass die "
        "Technik versagt.",
        "door_list",
        _door_list,
    ),
    "namensschilder": Paper(
        "Namensschilder",
        "Zum Ausschneiden: zehn Schilder je Blatt A4, 90 × 54 mm, passend für übliche "
        "Steckhüllen. Bitte in Originalgröße drucken (100 %).",
        "name_badges",
        _name_badges,
    ),
    "anfahrt": Paper(
        "Anfahrt",
        "Zum Weitergeben oder Aushängen: Zeiten, Adresse, Bus und Bahn, Parken, stufenfreier "
        "Zugang und Höranlage. Ohne Namen.",
        "directions",
        _directions,
    ),
}
