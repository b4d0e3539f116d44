"""Places held for an organisation: the office sets them, the organisation gives them back."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from trainings.core import audit, formats
from trainings.core.actors import Actor
from trainings.core.errors import DomainError, not_found
from trainings.events.models import Event, EventState
from trainings.organisations.models import Level, Organisation
from trainings.registrations.event_operations import fill_and_tell, refuse_finished
from trainings.registrations.models import Contingent
from trainings.registrations.places import LockedPlaces, begins_at, with_places
from trainings.registrations.release_operations import Speaker


def set_contingent(
    session: Session,
    actor: Actor,
    event_id: int,
    *,
    organisation_id: int,
    places: int,
    until: datetime,
    now: datetime,
) -> None:
    """Hold places for an organisation until an instant; replaces what was held for it before.

    Args:
        session: the open transaction.
        actor: of the office.
        event_id: the event.
        organisation_id: an authority or a group; units count to their authority.
        places: how many altogether, those that its people already have included; at least 1.
        until: from then on unused places are free for everyone.
        now: the present instant.

    Raises:
        DomainError: `not_found`, `finished`, `contingent_for_unit`, `contingent_too_late`,
            `contingent_too_large`.

    """
    organisation = session.get(Organisation, organisation_id)
    if organisation is None or not organisation.is_active:
        raise not_found()
    if organisation.level is Level.UNIT:
        raise DomainError(
            "contingent_for_unit",
            "Ein Kontingent gilt für eine ganze Behörde oder einen Verbund. Bitte wählen Sie die "
            "Behörde, zu der diese Dienststelle gehört.",
            field="organisation_id",
        )

    def work(locked: LockedPlaces) -> None:
        event = locked.event
        refuse_finished(event, now)
        if not now < until <= begins_at(event):
            raise DomainError(
                "contingent_too_late",
                "Bitte wählen Sie einen Tag zwischen heute und dem Beginn der Veranstaltung.",
                field="until",
            )
        row = session.scalar(
            select(Contingent).where(
                Contingent.pool_id == event.pool_id,
                Contingent.organisation_id == organisation_id,
            )
        )
        if row is None:
            row = Contingent(pool_id=event.pool_id, organisation_id=organisation_id)
            session.add(row)
        if row.until != until:
            row.warned_at = None  # of the new date nobody was told
        row.places, row.until = places, until
        session.flush()
        after = locked.places()
        if after.free < 0:
            possible = max(places + after.free, 0)
            raise DomainError(
                "contingent_too_large",
                f"Dafür sind nicht genug Plätze frei. Möglich sind höchstens {possible}.",
                field="places",
            )
        audit.record(
            session, actor, "contingent_set", event, now,
            organisation_id=organisation_id, places=places,
        )  # fmt: skip
        fill_and_tell(locked, actor, "contingent_changed")

    with_places(session, event_id, [], now, work)


def remove_contingent(session: Session, actor: Actor, contingent_id: int, now: datetime) -> None:
    """Stop holding places for an organisation; unused ones go to the waiting list at once.

    Raises:
        DomainError: `not_found`.

    """
    event_id = session.scalar(
        select(Event.id)
        .join(Contingent, Contingent.pool_id == Event.pool_id)
        .where(Contingent.id == contingent_id)
    )
    if event_id is None:
        raise not_found()

    def work(places: LockedPlaces) -> None:
        row = session.get(Contingent, contingent_id, populate_existing=True)
        if row is None:
            raise not_found()
        organisation_id = row.organisation_id
        session.delete(row)
        session.flush()
        audit.record(
            session, actor, "contingent_removed", places.event, now,
            organisation_id=organisation_id,
        )  # fmt: skip
        fill_and_tell(places, actor, "contingent_returned")

    with_places(session, event_id, [], now, work)


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
        fill_and_tell(places, speaker.actor, "contingent_returned")
        return returned

    return with_places(session, row.id, [], now, work)
