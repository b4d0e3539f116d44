"""Invariants of the events: numbers, days, trainers and rooms."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Select, and_, func, or_, select
from sqlalchemy.orm import Session, aliased

from trainings.events.models import (
    Event,
    EventSession,
    EventState,
    EventTrainer,
    NumberSeries,
)

_PLANNED = (EventState.DRAFT, EventState.PUBLISHED)
_One, _Other = aliased(Event), aliased(Event)


def numbers_are_within_their_series(session: Session, _now: datetime) -> list[str]:
    """No event has a number that its year's series would give again."""
    last = {series.year: series.last for series in session.scalars(select(NumberSeries))}
    numbers = session.scalars(select(Event.number).order_by(Event.number)).all()
    return [
        f"Die Nummer {number} liegt über dem Zähler ihres Jahres; sie würde noch einmal vergeben."
        for number in numbers
        if int(number[5:]) > last.get(int(number[:4]), 0)
    ]


def days_equal_the_sessions(session: Session, _now: datetime) -> list[str]:
    """Compare the stored first and last day of each event with its sessions."""
    first, last = func.min(EventSession.day), func.max(EventSession.day)
    rows = session.execute(
        select(Event.number, first)
        .outerjoin(EventSession, EventSession.event_id == Event.id)
        .group_by(Event.id, Event.number, Event.first_day, Event.last_day)
        .having(or_(first.is_(None), first != Event.first_day, last != Event.last_day))
        .order_by(Event.number)
    )
    return [
        f"{number} hat keinen Termin."
        if day is None
        else f"Der erste oder letzte Tag von {number} stimmt nicht mit den Terminen überein."
        for number, day in rows
    ]


def no_trainer_is_booked_twice(session: Session, _now: datetime) -> list[str]:
    """Nobody leads two planned events at the same time."""
    mine, others = aliased(EventTrainer), aliased(EventTrainer)
    pairs = (
        _planned_at_the_same_time()
        .join(mine, mine.event_id == _One.id)
        .join(others, and_(others.event_id == _Other.id, others.person_id == mine.person_id))
    )
    return [
        f"{one} und {other} haben zur selben Zeit dieselbe Trainerin oder denselben Trainer."
        for one, other in session.execute(pairs)
    ]


def no_room_is_booked_twice(session: Session, _now: datetime) -> list[str]:
    """No two planned events stand in the same room at the same time."""
    pairs = _planned_at_the_same_time().where(_One.room_id == _Other.room_id)
    return [
        f"{one} und {other} stehen zur selben Zeit im selben Raum."
        for one, other in session.execute(pairs)
    ]


def _planned_at_the_same_time() -> Select[str, str]:
    """Return the numbers of pairs of planned events of which sessions overlap."""
    mine, others = aliased(EventSession), aliased(EventSession)
    overlap = and_(others.day == mine.day, mine.begins < others.ends, others.begins < mine.ends)
    return (
        select(_One.number, _Other.number)
        .join(mine, mine.event_id == _One.id)
        .join(others, overlap)
        .join(_Other, and_(_Other.id == others.event_id, _One.id < _Other.id))
        .where(_One.state.in_(_PLANNED), _Other.state.in_(_PLANNED))
        .distinct()
        .order_by(_One.number, _Other.number)
    )
