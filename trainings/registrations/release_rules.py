"""The rules of the release on the Dienstweg: who decides, until when, who is asked again. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time

from trainings.core.clock import berlin_day, end_of_day, to_berlin
from trainings.core.formats import deadline_day
from trainings.core.workdays import add_working_days, is_working_day, working_day_before
from trainings.organisations.models import Level

DECISION_DAYS = 2
"""Working days that the organisation has after registration has closed."""
AGAIN_AFTER_DAYS = 3
"""Working days after which an undecided request is brought up again."""
URGENT_DAYS = 2
"""So many working days before its deadline a request is brought up every day."""
DIGESTS_FROM = time(7)
WARNING_DAYS = 5
"""Working days before a contingent ends at which its organisation is told."""


def release_deadline(closes_at: datetime, first_day: date) -> datetime:
    """Return until when a request can be released.

    The end of the second working day after registration has closed, but never after the last
    working day before the event.

    Args:
        closes_at: registration closes.
        first_day: of the event.

    """
    regular = add_working_days(deadline_day(closes_at), DECISION_DAYS)
    return end_of_day(min(regular, working_day_before(first_day)))


def is_digest_time(now: datetime) -> bool:
    """Say whether people may be asked for releases now: on working days, from 7 o'clock."""
    local = to_berlin(now)
    return is_working_day(local.date()) and local.time() >= DIGESTS_FROM


@dataclass(frozen=True)
class Asked:
    """What decides whether a request is brought up.

    Attributes:
        requested_at: when the person asked.
        asked_at: when anybody was last told of it; None: never.
        deadline: until when it can be released.

    """

    requested_at: datetime
    asked_at: datetime | None
    deadline: datetime


def is_urgent(deadline: datetime, now: datetime) -> bool:
    """Say whether the deadline is so near that a request is brought up every day."""
    return deadline_day(deadline) <= add_working_days(berlin_day(now), URGENT_DAYS)


def is_to_be_asked(request: Asked, told_at: datetime | None, now: datetime) -> bool:
    """Say whether somebody who releases has to be told of a request now.

    Args:
        request: an open one.
        told_at: when this recipient got the last digest, which listed all that was open then.
        now: the present instant.

    """
    if told_at is None or request.asked_at is None or request.requested_at > told_at:
        return True
    again = add_working_days(berlin_day(request.asked_at), AGAIN_AFTER_DAYS)
    return berlin_day(now) >= again or is_urgent(request.deadline, now)


def is_time_to_warn(until: datetime, now: datetime) -> bool:
    """Say whether a contingent that holds until an instant ends within some working days."""
    return deadline_day(until) <= add_working_days(berlin_day(now), WARNING_DAYS)


@dataclass(frozen=True)
class Node:
    """An organisation in the tree."""

    level: Level
    parent_id: int | None
    merged_into_id: int | None = None


@dataclass(frozen=True)
class Tree:
    """The organisations with what stands above them; merged ones lead to where they went.

    Attributes:
        nodes: by id.

    """

    nodes: Mapping[int, Node]

    def living(self, organisation_id: int) -> int:
        """Return the organisation itself, or the one that it was merged into in the end."""
        seen = {organisation_id}
        while (into := self.nodes[organisation_id].merged_into_id) is not None and into not in seen:
            seen.add(into)
            organisation_id = into
        return organisation_id

    def above(self, organisation_id: int) -> int | None:
        """Return the organisation above a living one."""
        parent = self.nodes[organisation_id].parent_id
        return None if parent is None else self.living(parent)

    def deciding(self, authority_id: int, person_organisation_id: int) -> tuple[int, ...]:
        """Return whose contacts may release a request, the nearest first.

        Args:
            authority_id: for which the registration counts.
            person_organisation_id: where the person is now; a unit decides only within the
                authority for which the person registered.

        """
        authority = self.living(authority_id)
        unit = self.living(person_organisation_id)
        chain = [authority]
        if self.nodes[unit].level is Level.UNIT and self.above(unit) == authority:
            chain.insert(0, unit)
        group = self.above(authority)
        return (*chain, group) if group is not None else tuple(chain)

    def overseen(self, spoken_for: Iterable[int]) -> Overseen:
        """Return what somebody oversees who speaks for these organisations."""
        own = {self.living(organisation_id) for organisation_id in spoken_for}
        authorities, units = set(), set()
        for organisation_id in self.nodes:
            living = self.living(organisation_id)
            if self.nodes[living].level is Level.UNIT:
                if living in own:
                    units.add(organisation_id)
            elif living in own or self.above(living) in own:
                authorities.add(organisation_id)
        above_units = {self.above(self.living(unit)) for unit in units}
        return Overseen(
            frozenset(own),
            frozenset(authorities),
            frozenset(units),
            frozenset(one for one in self.nodes if self.living(one) in above_units),
        )


@dataclass(frozen=True)
class Overseen:
    """What somebody oversees; organisations that were merged into one of these are among them.

    Attributes:
        spoken_for: the living organisations themselves.
        authorities: whose registrations are seen: the own ones, and those of an own group.
        units: whose people are seen.
        unit_authorities: for which those people must have registered.

    """

    spoken_for: frozenset[int]
    authorities: frozenset[int]
    units: frozenset[int]
    unit_authorities: frozenset[int]


@dataclass(frozen=True)
class Desks:
    """Who can be asked in each organisation.

    Attributes:
        contacts: persons, deputies among them, by organisation.
        mailboxes: addresses by organisation.

    """

    contacts: Mapping[int, tuple[int, ...]]
    mailboxes: Mapping[int, str]

    def reachable(
        self, chain: Iterable[int], person_id: int | None = None
    ) -> tuple[int, tuple[int, ...], str] | None:
        """Return the nearest organisation that can be asked about somebody's request.

        Args:
            chain: whose contacts may decide, the nearest first.
            person_id: whose request it is, if it is one; nobody is asked about their own.

        Returns:
            The organisation, its contacts and its mailbox; None if nobody can be asked.

        """
        for organisation_id in chain:
            contacts = tuple(
                contact
                for contact in self.contacts.get(organisation_id, ())
                if contact != person_id
            )
            mailbox = self.mailboxes.get(organisation_id, "")
            if contacts or mailbox:
                return organisation_id, contacts, mailbox
        return None


def ranking(typed: Mapping[int, int | None], order: Iterable[int]) -> dict[int, int | None]:
    """Return the places that typed numbers mean: 1 to n without gaps, None for who has no number.

    Args:
        typed: by registration; equal numbers keep the order of the requests.
        order: the registrations, the earliest request first.

    """
    position = {registration_id: place for place, registration_id in enumerate(order)}
    numbered = sorted(
        (number, position[registration_id], registration_id)
        for registration_id, number in typed.items()
        if number is not None
    )
    ranks: dict[int, int | None] = dict.fromkeys(typed)
    ranks.update({entry[2]: place for place, entry in enumerate(numbered, start=1)})
    return ranks
