"""What organisations do with the places that are held for them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from trainings.core import audit, formats
from trainings.core.errors import DomainError, not_found
from trainings.events.models import Event, EventState
from trainings.registrations import mails
from trainings.registrations.models import Contingent
from trainings.registrations.places import LockedPlaces, begins_at, with_places
from trainings.registrations.release_operations import Speaker


def return_contingent(
    session: Session,
    speaker: Speaker,
    contingent_id: int,
    *,
    number: int | None = None,
    now: datetime,
) -> int:
    """Give held places back before their date; they go to the waiting list at once.

    Args:
        session: the open transaction.
        speaker: who gives them back, for the organisation or one above it.
        contingent_id: the contingent.
        number: how many unused places; None: all of them.
        now: the present instant.

    Returns:
        How many were given back.

    Raises:
        DomainError: `not_found`, `contingent_over`, `contingent_used`.

    """
    row = session.execute(
        select(Event.id, Contingent.organisation_id)
        .join(Contingent, Contingent.pool_id == Event.pool_id)
        .where(Contingent.id == contingent_id)
    ).one_or_none()
    overseen = speaker.overseen
    if row is None or (
        overseen is not None
        and row.organisation_id not in overseen.spoken_for | overseen.authorities
    ):
        raise not_found()

    def work(places: LockedPlaces) -> int:
        event = places.event
        held = session.get(Contingent, contingent_id, populate_existing=True)
        over = now >= begins_at(event) or event.state is not EventState.PUBLISHED
        if held is None or now >= held.until or over:
            raise DomainError(
                "contingent_over",
                "Dieses Kontingent ist schon zu Ende. Die freien Plätze stehen allen offen; es ist "
                "nichts weiter zu tun.",
            )
        unused = places.places().unused.get(held.organisation_id, 0)
        returned = unused if number is None else number
        if not 1 <= returned <= unused:
            raise DomainError(
                "contingent_used",
                f"So viele Plätze sind nicht mehr frei. Zurückgeben können Sie höchstens "
                f"{formats.count(unused, 'Platz', 'Plätze')}."
                if unused
                else "Alle Plätze dieses Kontingents sind vergeben. Einzelne Plätze geben die "
                "angemeldeten Personen selbst zurück.",
                field="number",
            )
        if returned == held.places:
            session.delete(held)
        else:
            held.places -= returned
        audit.record(
            session, speaker.actor, "contingent_returned", event, now,
            organisation_id=row.organisation_id, places=returned,
        )  # fmt: skip
        session.flush()
        mails.served(session, places.fill(speaker.actor, "contingent_returned"), now)
        return returned

    return with_places(session, row.id, [], now, work)
