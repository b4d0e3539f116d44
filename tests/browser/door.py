"""An event of today in the running application, and cameras that show its tickets."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import qrcode
from flask import Flask
from playwright.sync_api import Browser, BrowserType, Page
from qrcode.constants import ERROR_CORRECT_M
from sqlalchemy import select

from tests.attendance.factories import make_registration
from tests.browser.conftest import CHROMIUM, COORDINATOR, FLAGS, Site
from tests.factories import make_event
from trainings import create_app
from trainings.attendance.door.refused_operations import dismiss_refused, take_over
from trainings.attendance.models import AttendanceChange, RefusedRecording, WalkIn
from trainings.core.actors import Actor
from trainings.core.clock import berlin_day, utc_now
from trainings.core.database import db, transaction
from trainings.core.permissions import Role
from trainings.core.settings import load_settings
from trainings.events.models import Event, EventTrainer
from trainings.people.models import Person, PersonRole
from trainings.registrations.models import Registration, RegistrationState

WIDTH, HEIGHT, MODULE = 640, 480, 8
NAMES = ("Ağaoğlu", "Brüggemann", "Czerwiński", "Dörrenberg-van Aken")


@dataclass(frozen=True)
class Door:
    """An event of today with four people who have a place.

    Attributes:
        app: an application on the same database as the running one.
        url: address of the running application.
        number: of the event.
        tickets: by family name.

    """

    app: Flask
    url: str
    number: str
    tickets: dict[str, str]

    @property
    def scanner(self) -> str:
        return f"/einlass/{self.number}/scanner"

    def code(self, name: str) -> str:
        """Return what the QR code of somebody's ticket holds."""
        return f"{self.url}/t/{self.tickets[name]}"

    def recorded(self) -> list[str]:
        """Return the family name of each recording that the server has."""
        return self._column(
            select(Person.family_name)
            .join(Registration, Registration.person_id == Person.id)
            .join(AttendanceChange, AttendanceChange.registration_id == Registration.id)
            .join(Event, Registration.event_id == Event.id)
            .where(Event.number == self.number)
        )

    def walk_ins(self) -> list[str]:
        return self._column(select(WalkIn.name).join(Event).where(Event.number == self.number))

    def refused(self) -> list[str]:
        return self._column(
            select(RefusedRecording.reason)
            .join(Event, RefusedRecording.event_id == Event.id)
            .where(Event.number == self.number)
        )

    def settle(self) -> None:
        """Let the office take over the first refused recording, and dismiss the others."""
        with self.app.app_context(), transaction() as session:
            person = session.scalars(select(Person).where(Person.email == COORDINATOR)).one()
            office = Actor(person.id, roles=frozenset({Role.COORDINATOR}))
            first, *others = session.scalars(
                select(RefusedRecording.id)
                .join(Event, RefusedRecording.event_id == Event.id)
                .where(Event.number == self.number)
                .order_by(RefusedRecording.id)
            )
            take_over(session, office, first, utc_now())
            for refused in others:
                dismiss_refused(session, office, refused, utc_now())

    @contextmanager
    def waiting(self, name: str) -> Iterator[None]:
        """Put somebody on the waiting list for a while."""
        self._change(name, RegistrationState.WAITING)
        try:
            yield
        finally:
            self._change(name, RegistrationState.PLACED)

    def _change(self, name: str, state: RegistrationState) -> None:
        with self.app.app_context(), transaction() as session:
            session.scalars(
                select(Registration).where(Registration.ticket == self.tickets[name])
            ).one().state = state

    @contextmanager
    def without_role(self, address: str) -> Iterator[None]:
        """Take the role of a trainer away from somebody for a while."""
        with self.app.app_context():
            person = select(Person.id).where(Person.email == address).scalar_subquery()
            theirs = (PersonRole.person_id == person, PersonRole.role == Role.TRAINER)
            with transaction() as session:
                row = session.scalars(select(PersonRole).where(*theirs)).one()
                person_id = row.person_id
                session.delete(row)
        try:
            yield
        finally:
            with self.app.app_context(), transaction() as session:
                session.add(PersonRole(person_id=person_id, role=Role.TRAINER))

    def _column(self, statement: Any) -> list[str]:
        with self.app.app_context():
            return sorted(db.session.scalars(statement))


def make_door(site: Site, trainer: str, *, offline: bool = True, ahead: int = 0) -> Door:
    """Add an event of today, or of some days ahead, to the running application."""
    app = create_app(
        load_settings(
            {
                "TRAININGS_SECRET_KEY": "nothing is signed here, only rows are written",
                "TRAININGS_DATABASE_URL": f"sqlite:///{site.instance / 'trainings.sqlite3'}",
            }
        )
    )
    with app.app_context(), transaction() as session:
        event = make_event(session, first_day=berlin_day(utc_now()) + timedelta(days=ahead), days=1)
        event.offline_roster = offline
        person = session.scalars(select(Person).where(Person.email == trainer)).one()
        session.add(EventTrainer(event_id=event.id, person_id=person.id))
        tickets = {
            name: make_registration(
                session, event, family_name=name, ticket=f"A{event.id:05d}QRST{place:02d}"
            ).ticket
            or ""
            for place, name in enumerate(NAMES)
        }
        return Door(app, site.url, event.number, tickets)


def film(path: Path, text: str) -> Path:
    """Write a film in which a QR code stands still."""
    code = qrcode.QRCode(error_correction=ERROR_CORRECT_M, border=0, box_size=1)
    code.add_data(text)
    code.make(fit=True)
    rows = code.modules
    left, top = (WIDTH - len(rows) * MODULE) // 2, (HEIGHT - len(rows) * MODULE) // 2
    white = b"\xeb" * WIDTH
    picture = [white] * top
    for row in rows:
        line = b"\xeb" * left + b"".join((b"\x10" if dark else b"\xeb") * MODULE for dark in row)
        picture += [line.ljust(WIDTH, b"\xeb")] * MODULE
    picture += [white] * (HEIGHT - len(picture))
    frame = b"FRAME\n" + b"".join(picture) + b"\x80" * (WIDTH * HEIGHT // 2)
    head = f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F10:1 Ip A1:1 C420jpeg\n".encode()
    path.write_bytes(head + frame * 2)
    return path


@contextmanager
def camera(chromium: BrowserType, shown: Path | None, *, allowed: bool = True) -> Iterator[Browser]:
    """Start a browser whose camera shows a film; None: it has no camera."""
    flags = [*FLAGS, "--use-fake-ui-for-media-stream" if allowed else "--deny-permission-prompts"]
    if shown is not None:
        flags += [
            "--use-fake-device-for-media-stream",
            f"--use-file-for-fake-video-capture={shown}",
        ]
    path = next(path for path in CHROMIUM if Path(path).exists())
    browser = chromium.launch(executable_path=path, args=flags)
    yield browser
    browser.close()


def scan_by_hardware(page: Page, text: str) -> None:
    """Type as a hardware scanner does: faster than a busy machine passes key after key."""
    page.evaluate(
        """(keys) => {
          for (const key of keys)
            document.activeElement.dispatchEvent(
              new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }),
            );
        }""",
        [*text, "Enter"],
    )
