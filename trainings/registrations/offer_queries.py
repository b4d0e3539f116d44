"""Named reads about the order of waiting lists."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session, aliased, joinedload

from trainings.people.models import Person
from trainings.registrations.models import Registration, RegistrationChange, RegistrationState
from trainings.registrations.wording import BY_RULE

MOST_LOG_LINES = 200
_WAITING = RegistrationState.WAITING
_OWN_REASONS = (
    "moved_by_office", "offer_missed", "offer_gave_way", "ranked_by_admission",
    "not_admitted_by_office",
)  # fmt: skip


@dataclass(frozen=True)
class QueueNews:
    """What last changed somebody's position on a waiting list.

    Attributes:
        at: when.
        reason: code of the history.
        own: it was a step of this person, not of somebody before them.
        to_state: what became of the one whose step it was.

    """

    at: datetime
    reason: str
    own: bool
    to_state: RegistrationState


def queue_news(session: Session, registration_ids: Iterable[int]) -> dict[int, QueueNews]:
    """Load what last changed the positions of these registrations, in one statement."""
    mine, other, change = (
        aliased(Registration), aliased(Registration), aliased(RegistrationChange),
    )  # fmt: skip
    ids = list(registration_ids)
    if not ids:
        return {}
    before_me = and_(
        other.id != mine.id,
        or_(other.rank < mine.rank, other.state != _WAITING),
        or_(
            and_(change.from_state == _WAITING, change.to_state != _WAITING),
            change.reason.in_(["moved_by_office", "offer_gave_way"]),
        ),
        change.at >= mine.requested_at,
    )
    last = (
        select(mine.id.label("mine_id"), func.max(change.id).label("change_id"))
        .join(other, other.pool_id == mine.pool_id)
        .join(change, change.registration_id == other.id)
        .where(
            mine.id.in_(ids),
            or_(and_(other.id == mine.id, change.reason.in_(_OWN_REASONS)), before_me),
        )
        .group_by(mine.id)
        .subquery()
    )
    rows = session.execute(
        select(last.c.mine_id, RegistrationChange).join(
            RegistrationChange, RegistrationChange.id == last.c.change_id
        )
    )
    return {
        mine_id: QueueNews(row.at, row.reason, row.registration_id == mine_id, row.to_state)
        for mine_id, row in rows
    }


@dataclass(frozen=True)
class LogLine:
    """One step on a waiting list.

    Attributes:
        change: the row of the history.
        person: whose step it was.
        actor: who gave the occasion; empty for the application itself.
        by_rule: a rule decided, whoever gave the occasion.

    """

    change: RegistrationChange
    person: str
    actor: str
    by_rule: bool


def queue(session: Session, pool_id: int) -> list[Registration]:
    """Load who waits or was offered a place, in order, with persons, in one statement."""
    return list(
        session.scalars(
            select(Registration)
            .where(
                Registration.pool_id == pool_id,
                Registration.state.in_([_WAITING, RegistrationState.OFFERED]),
            )
            .order_by(Registration.rank)
            .options(joinedload(Registration.person))
        )
    )


def queue_log(session: Session, pool_id: int) -> list[LogLine]:
    """Load the last steps on a waiting list, the newest first, in one statement."""
    actor = aliased(Person)
    rows = session.execute(
        select(RegistrationChange, Person, actor)
        .join(Registration, RegistrationChange.registration_id == Registration.id)
        .join(Person, Registration.person_id == Person.id)
        .outerjoin(actor, RegistrationChange.actor_person_id == actor.id)
        .where(
            Registration.pool_id == pool_id,
            RegistrationChange.reason != "requested",
        )
        .order_by(RegistrationChange.id.desc())
        .limit(MOST_LOG_LINES)
    )
    return [
        LogLine(
            change,
            person.list_name,
            by.name if by is not None else "",
            by_rule=change.reason in BY_RULE,
        )
        for change, person, by in rows
    ]
