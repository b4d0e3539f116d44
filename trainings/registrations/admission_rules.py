"""The rules by which the office admits: who gets the places, and what decided. Pure functions.

They are published (`RULES`), so whoever changes the code changes the sentences with it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from trainings.core import formats
from trainings.core.errors import DomainError
from trainings.events.models import Admission, EventState
from trainings.registrations.rules import Places, Verdict, awaits_admission

RULES = (
    "Zahl der Plätze, Kontingente und die Höchstzahl je Organisation gelten immer.",
    "Kontingente zuerst: Plätze, die für eine Organisation vorgemerkt sind, bekommen ihre "
    "Beschäftigten, in der Reihung, die ihre Ansprechperson festgelegt hat.",
    "Danach kommen die Anmeldungen, die die Organisation als „vorrangig“ gekennzeichnet hat.",
    "Wer an diesem Format noch nicht teilgenommen hat, kommt vor allen anderen.",
    "Wer bei diesem Format schon einmal keinen Platz bekommen hat, kommt früher.",
    "Mischung der Organisationen: Als nächste kommt die Organisation an die Reihe, die bisher die "
    "wenigsten Plätze hat.",
    "Innerhalb einer Organisation gilt deren eigene Reihung.",
    "Bei Gleichstand entscheidet die Reihenfolge der Anmeldungen.",
)
"""„So wird zugelassen“: in this order, as the pages show them."""


class Rule(StrEnum):
    """What decided a line of the proposal."""

    CONTINGENT = "contingent"
    ENOUGH = "enough"
    PRIORITY = "priority"
    FIRST_TIME = "first_time"
    TURNED_AWAY = "turned_away"
    MIX = "mix"
    OWN_ORDER = "own_order"
    ORDER = "order"
    ELSEWHERE = "elsewhere"
    ORGANISATION_FULL = "organisation_full"
    HELD_FOR_OTHERS = "held_for_others"
    FULL = "full"


_WON_BY: Mapping[Rule, str] = {
    Rule.ENOUGH: "Es sind genug Plätze da",
    Rule.PRIORITY: "vorrangig",
    Rule.FIRST_TIME: "zum ersten Mal dabei",
    Rule.TURNED_AWAY: "früher nicht zum Zug gekommen",
    Rule.MIX: "Mischung der Organisationen",
    Rule.OWN_ORDER: "Reihung der Organisation",
    Rule.ORDER: "Reihenfolge der Anmeldung",
}
_LOST_BY: Mapping[Rule, str] = {
    Rule.PRIORITY: "andere sind vorrangig",
    Rule.FIRST_TIME: "andere sind zum ersten Mal dabei",
    Rule.TURNED_AWAY: "andere sind früher nicht zum Zug gekommen",
    Rule.MIX: "Mischung der Organisationen",
    Rule.OWN_ORDER: "Reihung der Organisation",
    Rule.ORDER: "Reihenfolge der Anmeldung",
    Rule.ORGANISATION_FULL: "Die Organisation hat schon die Höchstzahl an Plätzen",
    Rule.HELD_FOR_OTHERS: "Die übrigen Plätze sind für andere Organisationen vorgemerkt",
    Rule.FULL: "Alle Plätze sind vergeben",
}


@dataclass(frozen=True)
class Candidate:
    """Somebody who asked for a place, with all that the rules look at.

    Attributes:
        id: the registration.
        person_id: the person.
        chain: the person's authority, then the group above it.
        rank: place in the order of the requests.
        organisation_rank: place in the order of the own organisation; None: not ranked.
        is_priority: marked „vorrangig“ by the organisation.
        attended_before: how often the person took part in events of this format.
        turned_away: how often the person asked for this format and got no place.
        elsewhere: number of another event at the same time in which the person has a place.

    """

    id: int
    person_id: int
    chain: tuple[int, ...]
    rank: int
    organisation_rank: int | None = None
    is_priority: bool = False
    attended_before: int = 0
    turned_away: int = 0
    elsewhere: str = ""

    @property
    def tier(self) -> tuple[bool, bool, int]:
        """What counts before organisations are compared; the least comes first."""
        return (not self.is_priority, self.attended_before > 0, -self.turned_away)

    @property
    def own_order(self) -> tuple[bool, int]:
        """Where the own organisation put the person; whoever is not ranked comes after them."""
        return (self.organisation_rank is None, self.organisation_rank or 0)


@dataclass(frozen=True)
class Proposal:
    """One line of the proposal.

    Attributes:
        candidate: whom it is about.
        admitted: whether the person is to get a place.
        rule: what decided.
        organisation_id: whose contingent the place is from, with the rule `CONTINGENT`.

    """

    candidate: Candidate
    admitted: bool
    rule: Rule
    organisation_id: int | None = None

    def words(self, names: Mapping[int, str]) -> str:
        """Say in German what decided.

        Args:
            names: of the organisations, by id.

        """
        if self.rule is Rule.CONTINGENT and self.organisation_id is not None:
            return f"Kontingent: {names.get(self.organisation_id, 'Organisation')}"
        if self.rule is Rule.ELSEWHERE:
            return f"Hat zur selben Zeit einen Platz in {self.candidate.elsewhere}"
        return (_WON_BY if self.admitted else _LOST_BY)[self.rule]


@dataclass
class _Queues:
    """Who still asks, by organisations, each in the order that holds within one."""

    by_chain: dict[tuple[int, ...], list[Candidate]] = field(default_factory=dict)

    @classmethod
    def of(cls, candidates: Iterable[Candidate], *, own_order_first: bool) -> _Queues:
        queues = cls()
        for candidate in candidates:
            queues.by_chain.setdefault(candidate.chain, []).append(candidate)
        for waiting in queues.by_chain.values():
            # Taken from the end, so that the first is the last of the list.
            waiting.sort(key=lambda one: _within(one, own_order_first), reverse=True)
        return queues

    def head(self, seats: Mapping[int, int]) -> Candidate:
        """Return who comes next, given how many places each authority has."""
        heads = (waiting[-1] for waiting in self.by_chain.values())
        return min(heads, key=lambda one: (one.tier, seats.get(one.chain[0], 0), one.rank, one.id))

    def drop(self, chain: tuple[int, ...]) -> list[Candidate]:
        return self.by_chain.pop(chain)

    def take(self, chain: tuple[int, ...]) -> Candidate:
        waiting = self.by_chain[chain]
        candidate = waiting.pop()
        if not waiting:
            del self.by_chain[chain]
        return candidate


def _within(one: Candidate, own_order_first: bool) -> tuple[object, ...]:
    order = (one.own_order, one.tier) if own_order_first else (one.tier, one.own_order)
    return (*order, one.rank, one.id)


@dataclass(frozen=True)
class _Seat:
    """A place that was given, and how many places the authorities had just before."""

    candidate: Candidate
    seats: Mapping[int, int]
    contingent: int | None = None


def propose(places: Places, candidates: Sequence[Candidate]) -> list[Proposal]:
    """Return who is to be admitted, in order, then the others in the order of the waiting list.

    The result depends on nothing but its arguments, and not on the order of the candidates.

    Args:
        places: the pool as it is.
        candidates: who asked and may be admitted.

    """
    possible = [one for one in candidates if not one.elsewhere]
    by_contingent, places = _from_contingents(places, possible)
    seated = {seat.candidate.id for seat in by_contingent}
    in_general, places_after = _in_general(
        places, [one for one in possible if one.id not in seated]
    )
    given = [*by_contingent, *in_general]
    seated |= {seat.candidate.id for seat in in_general}
    left_out = _in_order([one for one in candidates if one.id not in seated], places_after)
    return [
        *(_admitted(seat, left_out, places_after) for seat in given),
        *(_left_out(one, in_general, places_after) for one in left_out),
    ]


def _from_contingents(
    places: Places, candidates: Sequence[Candidate]
) -> tuple[list[_Seat], Places]:
    given: list[_Seat] = []
    queues = _Queues.of(candidates, own_order_first=True)
    while queues.by_chain:
        one = queues.head(_seats(places))
        unused = places.unused
        own = next((id_ for id_ in one.chain if unused.get(id_, 0)), None)
        if own is None or places.verdict(one.chain) is not Verdict.PLACE:
            queues.drop(one.chain)
            continue
        given.append(_Seat(queues.take(one.chain), _seats(places), own))
        places = places.with_seat(one.chain)
    return given, places


def _in_general(places: Places, candidates: Sequence[Candidate]) -> tuple[list[_Seat], Places]:
    given: list[_Seat] = []
    queues = _Queues.of(candidates, own_order_first=False)
    while queues.by_chain:
        seats = _seats(places)
        one = queues.head(seats)
        if places.verdict(one.chain) is not Verdict.PLACE:
            # A place that somebody takes never opens one for somebody else.
            queues.drop(one.chain)
            continue
        given.append(_Seat(queues.take(one.chain), seats))
        places = places.with_seat(one.chain)
    return given, places


def _in_order(candidates: Sequence[Candidate], places: Places) -> list[Candidate]:
    """Return the others as if there were places for all of them: the order of the waiting list."""
    queues = _Queues.of(candidates, own_order_first=False)
    seats = dict(_seats(places))
    order = []
    while queues.by_chain:
        one = queues.take(queues.head(seats).chain)
        seats[one.chain[0]] = seats.get(one.chain[0], 0) + 1
        order.append(one)
    return order


def _seats(places: Places) -> dict[int, int]:
    seats: dict[int, int] = {}
    for chain, number in places.seated.items():
        seats[chain[0]] = seats.get(chain[0], 0) + number
    return seats


def _admitted(seat: _Seat, left_out: Sequence[Candidate], after: Places) -> Proposal:
    one = seat.candidate
    if seat.contingent is not None:
        return Proposal(one, True, Rule.CONTINGENT, seat.contingent)
    rivals = [other for other in left_out if _competed(other, one, after)]
    if not rivals:
        return Proposal(one, True, Rule.ENOUGH)
    rule = _deciding(one, rivals[0], seat.seats)
    if rivals[0].tier == one.tier:
        # Within the own organisation its order decided; that it was its turn may be the mix.
        others = (other for other in rivals if other.chain != one.chain and other.tier == one.tier)
        if any(_deciding(one, other, seat.seats) is Rule.MIX for other in others):
            rule = Rule.MIX
    return Proposal(one, True, rule)


def _competed(other: Candidate, winner: Candidate, after: Places) -> bool:
    """Say whether somebody left out could have had the winner's place."""
    if other.elsewhere:
        return False
    return other.chain == winner.chain or not after.limit_reached(other.chain)


def _left_out(one: Candidate, given: Sequence[_Seat], after: Places) -> Proposal:
    if one.elsewhere:
        return Proposal(one, False, Rule.ELSEWHERE)
    if after.limit_reached(one.chain):
        return Proposal(one, False, Rule.ORGANISATION_FULL)
    if not given:
        return Proposal(one, False, Rule(after.verdict(one.chain).value))
    last = given[-1]
    return Proposal(one, False, _deciding(last.candidate, one, last.seats))


def _deciding(winner: Candidate, loser: Candidate, seats: Mapping[int, int]) -> Rule:
    """Return the first rule in which two differ, given the places just before the winner's."""
    for rule, ours, theirs in zip(
        (Rule.PRIORITY, Rule.FIRST_TIME, Rule.TURNED_AWAY), winner.tier, loser.tier, strict=True
    ):
        if ours != theirs:
            return rule
    if winner.chain == loser.chain:
        return Rule.ORDER if winner.own_order == loser.own_order else Rule.OWN_ORDER
    if seats.get(winner.chain[0], 0) != seats.get(loser.chain[0], 0):
        return Rule.MIX
    # Whoever asked earlier and still comes later stands behind somebody of the own organisation.
    return Rule.ORDER if winner.rank < loser.rank else Rule.OWN_ORDER


def fingerprint(places: Places, proposals: Sequence[Proposal]) -> str:
    """Return a text that differs as soon as anything differs that the proposal rests on."""
    seated = sorted(places.seated.items())
    told = repr((places.capacity, places.organisation_limit, places.holds, seated, proposals))
    return hashlib.sha256(told.encode()).hexdigest()


@dataclass(frozen=True)
class AdmissionWindow:
    """What decides whether the office can admit now.

    Attributes:
        state: of the event.
        admission: how its places are given.
        admitted_at: when it was confirmed, or None.
        closes_at: registration closes.
        begins_at: the first session begins.

    """

    state: EventState
    admission: Admission
    admitted_at: datetime | None
    closes_at: datetime
    begins_at: datetime


def admission_refusal(window: AdmissionWindow, now: datetime) -> DomainError | None:
    """Return why nobody can be admitted now, or None if the office can."""
    if window.admission is not Admission.BY_OFFICE:
        return DomainError(
            "not_by_office", "Diese Veranstaltung vergibt ihre Plätze in der Reihenfolge der "
            "Anmeldungen. Eine Zulassung ist nicht nötig.",
        )  # fmt: skip
    if not awaits_admission(window.admission, window.admitted_at):
        return DomainError(
            "admitted_before", "Die Zulassung ist schon bestätigt. Frei werdende Plätze gehen an "
            "die Warteliste.",
        )  # fmt: skip
    if window.state is not EventState.PUBLISHED or now >= window.begins_at:
        return DomainError(
            "event_over", "Diese Veranstaltung steht nicht mehr bevor. Eine Zulassung ist nicht "
            "mehr möglich.",
        )  # fmt: skip
    if now < window.closes_at:
        return DomainError(
            "registration_open",
            f"Die Anmeldung läuft noch bis {formats.deadline(window.closes_at)}. Danach können Sie "
            "die Zulassung bestätigen.",
        )
    return None
