"""Issues and voids certificates inside of a transaction that holds the lock."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from trainings.attendance.certificates import mails
from trainings.attendance.certificates.reads import Standing, agrees, content_of
from trainings.attendance.certificates.rules import certificate_number
from trainings.attendance.models import Certificate, CertificateKind, VoidReason
from trainings.core import audit
from trainings.core.actors import Actor
from trainings.core.settings import current_settings
from trainings.events.models import Event
from trainings.registrations.moves import TICKET_LETTERS

CODE_LENGTH = 20
"""Of 32 letters each: 100 bits."""


@dataclass(frozen=True)
class Issuance:
    """What came of issuing.

    Attributes:
        issued: ids of the new certificates, those that replace others included.
        voided: ids of those that are no longer valid.

    """

    issued: tuple[int, ...] = ()
    voided: tuple[int, ...] = ()


@dataclass
class Issuing:
    """Issues and voids under the lock; `finish` tells people and writes the audit."""

    session: Session
    actor: Actor
    event: Event
    now: datetime
    _issued: list[tuple[Certificate, Standing, Certificate | None]] = field(default_factory=list)
    _voided: list[Certificate] = field(default_factory=list)

    def settle(self, standing: Standing) -> None:
        """Issue what is due and not issued yet, replace what changed, void what is not due."""
        valid, due = standing.valid, standing.due
        if due is None:
            if valid is not None:
                self.void(valid, VoidReason.CORRECTED)
            return
        if valid is not None:
            if not agrees(valid, self.event, standing):
                self.issue(standing, due, standing.below_reason)
            return
        if standing.lacks:
            self.issue(standing, due, "")

    def issue(self, standing: Standing, kind: CertificateKind, reason: str) -> None:
        """Issue a certificate in place of the one that is valid, if there is one."""
        running = self._next_running()
        certificate = Certificate(
            event_id=self.event.id,
            registration_id=standing.registration.id,
            running=running,
            number=certificate_number(
                current_settings().certificate_prefix, self.event.number, running
            ),
            code=new_code(),
            kind=kind,
            content=self.content(standing),
            attended_minutes=standing.time.attended,
            planned_minutes=standing.time.planned,
            issued_at=self.now,
            issued_by_id=self.actor.person_id,
            reason=reason,
        )
        self.session.add(certificate)
        self._issued.append((certificate, standing, standing.valid))

    def void(self, certificate: Certificate, reason: VoidReason, note: str = "") -> None:
        """Void a certificate; whoever held it is told, with the note that says why."""
        certificate.voided_at = self.now
        certificate.void_reason = reason
        certificate.void_note = note
        self._voided.append(certificate)

    def content(self, standing: Standing) -> dict[str, object]:
        """Return what a certificate says that is issued now."""
        return dict(content_of(self.event, standing, current_settings().office))

    def finish(self) -> Issuance:
        """Store everything, post the mails, write the audit rows."""
        self.session.flush()
        for certificate, standing, before in self._issued:
            replaces = ""
            if before is not None:
                before.voided_at, before.void_reason = self.now, VoidReason.CORRECTED
                before.replaced_by_id = certificate.id
                replaces = before.number
                self._note("certificate_voided", before, why=VoidReason.CORRECTED.value)
            person = standing.registration.person
            mails.issued(self.session, certificate, self.event, person, self.now, replaces=replaces)
            self._note("certificate_issued", certificate, kind=certificate.kind.value)
        for certificate in self._voided:
            person = certificate.registration.person
            mails.voided(self.session, certificate, self.event, person, self.now)
            why = certificate.void_reason
            self._note("certificate_voided", certificate, why=why.value if why else None)
        replaced = [before.id for _, _, before in self._issued if before is not None]
        return Issuance(
            tuple(certificate.id for certificate, _, _ in self._issued),
            (*replaced, *(certificate.id for certificate in self._voided)),
        )

    def _next_running(self) -> int:
        if self._issued:
            return self._issued[-1][0].running + 1
        highest = select(func.max(Certificate.running)).where(Certificate.event_id == self.event.id)
        return (self.session.scalar(highest) or 0) + 1

    def _note(self, action: str, certificate: Certificate, **details: str | None) -> None:
        audit.record(
            self.session,
            self.actor,
            action,
            certificate,
            self.now,
            event_id=self.event.id,
            registration_id=certificate.registration_id,
            **details,
        )


def new_code() -> str:
    """Return a random code, in letters that cannot be taken for each other."""
    return "".join(secrets.choice(TICKET_LETTERS) for _ in range(CODE_LENGTH))
