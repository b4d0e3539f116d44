"""What everybody attended of an event, and which certificates they have."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, select, true
from sqlalchemy.orm import Session, aliased, joinedload, selectinload

from trainings.attendance.certificates.rules import (
    CERTIFIED_KINDS,
    AttendedTime,
    Content,
    attended_time,
    contents_lines,
    initials,
    kind_due,
    minutes_at,
)
from trainings.attendance.models import (
    Attendance,
    Certificate,
    CertificateKind,
    MadeUpSession,
    VoidReason,
)
from trainings.attendance.reads import TAKES_PART, load_sessions
from trainings.attendance.rules import NOTHING, Entry, SessionTime
from trainings.core.formats import clock_time
from trainings.events.models import KIND_NAMES, Event, EventSession, EventTrainer
from trainings.registrations.models import Registration

_SOFT_HYPHEN = "\u00ad"
_ENTRY = (Attendance.mark, Attendance.late_minutes, Attendance.early_minutes)


@dataclass(frozen=True)
class Standing:
    """Somebody who takes part: what was attended, which papers were issued.

    Attributes:
        registration: with its person.
        time: attended and planned.
        share: percent of the event from which on a certificate is due.
        certificates: all that were issued, in their order.
        on_request: whether the kind of event has certificates only where somebody asks for one.

    """

    registration: Registration
    time: AttendedTime
    share: int
    certificates: tuple[Certificate, ...]
    on_request: bool = False

    @property
    def valid(self) -> Certificate | None:
        """The certificate that is valid; there is one at most."""
        return next((found for found in self.certificates if found.voided_at is None), None)

    @property
    def last(self) -> Certificate | None:
        """The newest one, valid or not."""
        return self.certificates[-1] if self.certificates else None

    @property
    def withdrawn_before(self) -> tuple[Certificate, ...]:
        """Those that the office took back, but for the newest one."""
        return tuple(
            found for found in self.certificates[:-1] if found.void_reason is VoidReason.WITHDRAWN
        )

    @property
    def below_reason(self) -> str:
        """Why the office issues a certificate below the share; empty where that is not so."""
        return "" if self.valid is None or self.time.reaches(self.share) else self.valid.reason

    @property
    def due(self) -> CertificateKind | None:
        """The paper that is due."""
        return kind_due(self.time, self.share, below_share=bool(self.below_reason))

    @property
    def lacks(self) -> bool:
        """Whether a paper is to be issued by itself; what the office withdrew stays withdrawn."""
        if self.on_request:
            return False
        withdrawn = self.last is not None and self.last.void_reason is VoidReason.WITHDRAWN
        return self.due is not None and self.valid is None and not withdrawn


def load_certified_event(session: Session, event_id: int) -> Event:
    """Return an event with all that its certificates say of it."""
    return session.scalars(
        select(Event)
        .where(Event.id == event_id)
        .options(
            joinedload(Event.venue),
            selectinload(Event.trainers).joinedload(EventTrainer.person),
            selectinload(Event.sessions),
        )
        .execution_options(populate_existing=True)
    ).one()


def load_standings(
    session: Session, event: Event, which: ColumnElement[bool] | None = None
) -> list[Standing]:
    """Return what everybody attended, by name.

    Args:
        session: for reading, or the open transaction.
        event: the event.
        which: condition on the registrations; None: all.

    """
    mine = and_(Registration.event_id == event.id, TAKES_PART, true() if which is None else which)
    sessions = load_sessions(session, event.id)
    registrations = session.scalars(
        select(Registration).where(mine).options(joinedload(Registration.person))
    ).all()
    entries: dict[tuple[int, int], Entry] = {
        (row[0], row[1]): Entry(*row[2:])
        for row in session.execute(
            select(Attendance.registration_id, Attendance.session_id, *_ENTRY)
            .join(Registration)
            .where(mine)
        )
    }
    made_up = _made_up_minutes(session, mine)
    certificates: dict[int, list[Certificate]] = {}
    for found in session.scalars(
        select(Certificate)
        .where(Certificate.event_id == event.id)
        .order_by(Certificate.running)
        .execution_options(populate_existing=True)
    ):
        certificates.setdefault(found.registration_id, []).append(found)
    return [
        Standing(
            registration,
            attended_time(
                sessions,
                [entries.get((registration.id, found.id), NOTHING) for found in sessions],
                made_up.get(registration.id, {}),
            ),
            event.certificate_share,
            tuple(certificates.get(registration.id, ())),
            event.kind not in CERTIFIED_KINDS,
        )
        for registration in sorted(registrations, key=lambda row: (row.person.sort_key, row.id))
    ]


def _made_up_minutes(session: Session, mine: ColumnElement[bool]) -> dict[int, dict[int, int]]:
    """Return by registration and missed session the minutes attended at the other event."""
    other = aliased(Registration)
    rows = session.execute(
        select(MadeUpSession.registration_id, MadeUpSession.session_id, EventSession, *_ENTRY)
        .join(Registration, MadeUpSession.registration_id == Registration.id)
        .join(EventSession, MadeUpSession.made_up_at_id == EventSession.id)
        .join(Attendance, Attendance.session_id == EventSession.id)
        .join(
            other,
            and_(Attendance.registration_id == other.id, other.person_id == Registration.person_id),
        )
        .where(mine)
    )
    found: dict[int, dict[int, int]] = {}
    for row in rows:
        registration_id, session_id, at = row[:3]
        minutes = minutes_at(session_time(at), Entry(*row[3:]))
        own = found.setdefault(registration_id, {})
        own[session_id] = max(minutes, own.get(session_id, 0))
    return found


def session_time(row: EventSession) -> SessionTime:
    """Return a session as the rules take it."""
    return SessionTime(row.id, row.day, row.begins, row.ends, row.label)


def content_of(event: Event, standing: Standing, office: str) -> Content:
    """Return what a certificate says that is issued now."""
    person = standing.registration.person
    return Content(
        name=person.name,
        initials=initials(person.given_name, person.family_name),
        organisation=standing.registration.organisation_name,
        kind_name=KIND_NAMES[event.kind].replace(_SOFT_HYPHEN, ""),
        title=event.title,
        event_number=event.number,
        contents=contents_lines(
            event.contents, [item["title"] for item in event.agenda if not item["is_break"]]
        ),
        sessions=[
            {
                "day": found.day.isoformat(),
                "begins": clock_time(found.begins),
                "ends": clock_time(found.ends),
                "label": found.label,
                "attended": minutes,
            }
            for found, minutes in zip(
                _in_order(event.sessions), standing.time.by_session, strict=True
            )
        ],
        town=event.venue.town if event.venue else "",
        trainers=[trainer.person.name for trainer in event.trainers],
        office=office,
    )


def _in_order(sessions: Iterable[EventSession]) -> list[EventSession]:
    return sorted(sessions, key=lambda found: (found.day, found.begins, found.id))


def agrees(certificate: Certificate, event: Event, standing: Standing) -> bool:
    """Say whether a certificate says what was attended; names and titles are left out.

    What is no longer stored cannot be compared; the minutes and the kind always can.
    """
    if (certificate.kind, certificate.attended_minutes, certificate.planned_minutes) != (
        standing.due,
        standing.time.attended,
        standing.time.planned,
    ):
        return False
    stored = certificate.content
    return stored is None or stored["sessions"] == content_of(event, standing, "")["sessions"]
