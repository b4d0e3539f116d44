"""Who decides for the sending organisation, and how a decision is kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from trainings.core.errors import DomainError
from trainings.registrations.models import (
    LONGEST_DECIDER,
    Registration,
    Release,
    ReleaseOutcome,
)


@dataclass(frozen=True)
class Decider:
    """Somebody who decides for the sending organisation.

    Attributes:
        name: as the employee and the history read it.
        function: what the person does there, may be empty.
        person_id: None for somebody who reads the functional mailbox.

    """

    name: str
    function: str = ""
    person_id: int | None = None


def own_request() -> DomainError:
    """Return the refusal to decide on one's own request."""
    return DomainError(
        "own_request",
        "Über die eigene Anmeldung entscheidet jemand anderes: Ihre Vertretung, eine andere "
        "Ansprechperson oder die Geschäftsstelle.",
    )


def note_release(
    session: Session,
    registration: Registration,
    decider: Decider,
    now: datetime,
    *,
    outcome: ReleaseOutcome = ReleaseOutcome.RELEASED,
    reason: str = "",
) -> None:
    """Store what the sending organisation decided; each request is decided once."""
    session.add(
        Release(
            registration_id=registration.id,
            outcome=outcome,
            reason=reason,
            at=now,
            person_id=decider.person_id,
            name=decider.name[:LONGEST_DECIDER],
            function=decider.function,
        )
    )
