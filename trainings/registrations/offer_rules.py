"""The rules of offers: how a place that became free is passed on. Pure functions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum

from trainings.core.clock import berlin_day, berlin_instant, to_berlin
from trainings.core.workdays import add_working_days, is_working_day, working_day_before
from trainings.events.models import MissedOffer, ShortNotice
from trainings.registrations.models import RegistrationState

NOON = time(12)
SHORTEST_OFFER = timedelta(hours=4)
"""With less time than this nobody can be expected to answer."""
MOST_MISSED_OFFERS = 2
"""Whoever lets so many offers pass leaves the list even where one goes to its end: else the last
one on the list would be asked again and again."""


class Passing(StrEnum):
    """How a free place goes to the next on the waiting list."""

    AT_ONCE = "at_once"
    OFFER = "offer"
    OFFICE = "office"


@dataclass(frozen=True)
class PassingOn:
    """How a free place is passed on right now.

    Attributes:
        how: at once, by an offer, or the office decides.
        until: until when the offer can be accepted; only for an offer.

    """

    how: Passing
    until: datetime | None = None


def offer_deadline(now: datetime, working_days: int, begins_at: datetime) -> datetime | None:
    """Return until when an offer made now holds, or None if there is no time for one.

    It ends some working days later at the same time of day, but never before noon, and never later
    than noon of the last working day before the event.

    Args:
        now: the present instant.
        working_days: how many, at least 1.
        begins_at: when the event begins.

    """
    local = to_berlin(now)
    first, clock = local.date(), local.time().replace(second=0, microsecond=0)
    if not is_working_day(first):
        # Nobody reads it before the next working day begins, so the time runs from there.
        first, clock = add_working_days(first, 1), time()
    regular = berlin_instant(add_working_days(first, working_days), max(clock, NOON))
    until = min(regular, latest_answer(begins_at))
    return until if until - now >= SHORTEST_OFFER else None


def latest_answer(begins_at: datetime) -> datetime:
    """Return noon of the last working day before an event: no offer holds longer."""
    return berlin_instant(working_day_before(berlin_day(begins_at)), NOON)


def passing_on(
    offer_days: int, short_notice: ShortNotice, begins_at: datetime, now: datetime
) -> PassingOn:
    """Return how a place that is free now goes to the next on the waiting list.

    Args:
        offer_days: working days to answer; 0: nobody is asked.
        short_notice: what the event says for when there is no time to ask.
        begins_at: when the event begins.
        now: the present instant.

    """
    if offer_days == 0:
        return PassingOn(Passing.AT_ONCE)
    until = offer_deadline(now, offer_days, begins_at)
    if until is not None:
        return PassingOn(Passing.OFFER, until)
    by_office = short_notice is ShortNotice.OFFICE
    return PassingOn(Passing.OFFICE if by_office else Passing.AT_ONCE)


def after_missed_offer(rule: MissedOffer, missed_before: int) -> RegistrationState:
    """Return what becomes of somebody who let an offer pass: back to the list, or off it.

    Args:
        rule: of the event.
        missed_before: how many offers the person let pass before this one.

    """
    if rule is MissedOffer.LEAVES or missed_before + 1 >= MOST_MISSED_OFFERS:
        return RegistrationState.EXPIRED
    return RegistrationState.WAITING
