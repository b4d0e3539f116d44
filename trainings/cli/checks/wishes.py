"""Invariants of wishes: several dates, one place."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from trainings.registrations.models import (
    ACTIVE,
    Registration,
    RegistrationState,
    Wish,
    WishedRegistration,
)


def a_wish_gives_one_place(session: Session, _now: datetime) -> list[str]:
    """Nobody has places on two dates of one wish, and a wish with a place has ended."""
    places = func.count()
    rows = session.execute(
        select(Wish.id, Wish.person_id)
        .join(WishedRegistration, WishedRegistration.wish_id == Wish.id)
        .join(Registration, Registration.id == WishedRegistration.registration_id)
        .where(Registration.state == RegistrationState.PLACED)
        .group_by(Wish.id, Wish.person_id, Wish.ended_at)
        .having(or_(places > 1, and_(places == 1, Wish.ended_at.is_(None))))
        .order_by(Wish.id)
    )
    return [
        f"Wunsch {wish_id} von Person {person_id} hat mehr als einen Platz, oder einen und "
        "besteht weiter."
        for wish_id, person_id in rows
    ]


def ended_wishes_hold_no_list(session: Session, _now: datetime) -> list[str]:
    """Whoever got a place by a wish, or gave it up, waits for no date of it and is offered none."""
    rows = session.scalars(
        select(Registration.id)
        .join(WishedRegistration, WishedRegistration.registration_id == Registration.id)
        .join(Wish, WishedRegistration.wish_id == Wish.id)
        .where(
            Wish.ended_at.is_not(None),
            Registration.state.in_(ACTIVE),
            Registration.state != RegistrationState.PLACED,
        )
        .order_by(Registration.id)
    )
    return [f"Anmeldung {row} wartet weiter, obwohl ihr Wunsch nicht mehr besteht." for row in rows]


def wishes_are_of_one_person(session: Session, _now: datetime) -> list[str]:
    """Nobody's registration serves the wish of somebody else."""
    rows = session.scalars(
        select(Registration.id)
        .join(WishedRegistration, WishedRegistration.registration_id == Registration.id)
        .join(Wish, WishedRegistration.wish_id == Wish.id)
        .where(Wish.person_id != Registration.person_id)
        .order_by(Registration.id)
    )
    return [f"Anmeldung {row} gehört zum Wunsch einer anderen Person." for row in rows]
