"""The rules of places: who gets one, who waits, what may follow what. Pure functions.

Places are held in three ways: taken by somebody, held for an organisation (contingent), or free for
everyone. A held place counts against the capacity until it is taken or its date has passed, so

    seated + held and unused ≤ capacity

is what every operation keeps.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from trainings.core import formats
from trainings.core.errors import DomainError
from trainings.events.models import Admission, EventState
from trainings.registrations.models import ACTIVE, RegistrationState

State = RegistrationState

REGISTRATION_MOVES: Mapping[State | None, frozenset[State]] = {
    None: frozenset({State.AWAITING_RELEASE, State.WAITING, State.PLACED, State.WALK_IN}),
    State.AWAITING_RELEASE: frozenset(
        {State.WAITING, State.OFFERED, State.PLACED, State.DECLINED, State.EXPIRED,
         State.WITHDRAWN, State.CANCELLED, State.SUBSTITUTED, State.WALK_IN}
    ),
    State.WAITING: frozenset(
        {State.OFFERED, State.PLACED, State.DECLINED, State.EXPIRED, State.WITHDRAWN,
         State.CANCELLED, State.SUBSTITUTED, State.WALK_IN}
    ),
    State.OFFERED: frozenset(
        {State.PLACED, State.WAITING, State.DECLINED, State.EXPIRED, State.WITHDRAWN,
         State.CANCELLED, State.WALK_IN}
    ),
    State.PLACED: frozenset({State.WITHDRAWN, State.CANCELLED, State.SUBSTITUTED}),
    State.DECLINED: frozenset(),
    State.EXPIRED: frozenset(),
    State.WITHDRAWN: frozenset(),
    State.CANCELLED: frozenset(),
    State.SUBSTITUTED: frozenset(),
    State.WALK_IN: frozenset({State.WITHDRAWN}),
}  # fmt: skip


def check_move(old: State | None, new: State) -> None:
    """Refuse a move that the table does not have.

    Raises:
        DomainError: `illegal_move`. Somebody acted on a page that was no longer true.

    """
    if new not in REGISTRATION_MOVES[old]:
        raise DomainError(
            "illegal_move",
            "Die Anmeldung hat inzwischen einen anderen Stand. Bitte laden Sie die Seite neu.",
        )


@dataclass(frozen=True)
class Hold:
    """Places held for an organisation and those below it.

    Attributes:
        organisation_id: an authority or a group.
        places: how many are held altogether, taken ones included.

    """

    organisation_id: int
    places: int


@dataclass(frozen=True)
class Seeker:
    """Somebody on the waiting list.

    Attributes:
        id: the registration.
        person_id: the person.
        chain: the person's authority, then the group above it.

    """

    id: int
    person_id: int
    chain: tuple[int, ...]


class Verdict(StrEnum):
    """Whether there is a place for somebody, and if not, why."""

    PLACE = "place"
    FULL = "full"
    HELD_FOR_OTHERS = "held_for_others"
    ORGANISATION_FULL = "organisation_full"


@dataclass(frozen=True)
class Places:
    """The places of a pool at one moment.

    Attributes:
        capacity: all places.
        holds: contingents that still count at this moment.
        seated: how many have a place, by their chain of organisations.
        organisation_limit: most places for one authority; None: no limit.

    """

    capacity: int
    holds: tuple[Hold, ...] = ()
    seated: Mapping[tuple[int, ...], int] = field(default_factory=dict)
    organisation_limit: int | None = None

    @property
    def taken(self) -> int:
        """How many have a place."""
        return sum(self.seated.values())

    @property
    def unused(self) -> dict[int, int]:
        """Held places that nobody has taken yet, by organisation.

        Whoever is seated takes from the nearest contingent: the authority's own before the group's.
        """
        left = {hold.organisation_id: hold.places for hold in self.holds}
        for chain, number in self.seated.items():
            remaining = number
            for organisation_id in chain:
                used = min(remaining, left.get(organisation_id, 0))
                if used:
                    left[organisation_id] -= used
                    remaining -= used
        return left

    @property
    def held(self) -> int:
        """How many places are held and not taken."""
        return sum(self.unused.values())

    @property
    def free(self) -> int:
        """How many places are free for everyone; less than 0 where more is given than there is."""
        return self.capacity - self.taken - self.held

    @property
    def most_of_one(self) -> int:
        """How many places the authority with the most has."""
        by_authority: Counter[int] = Counter()
        for chain, number in self.seated.items():
            by_authority[chain[0]] += number
        return max(by_authority.values(), default=0)

    def free_for(self, chain: tuple[int, ...]) -> int:
        """Return how many places somebody of these organisations could choose from."""
        empty = self.capacity - self.taken
        open_places = empty
        if self.holds:
            unused = self.unused
            own = sum(unused.get(organisation_id, 0) for organisation_id in chain)
            open_places = min(empty, max(empty - sum(unused.values()), 0) + own)
        if self.organisation_limit is not None:
            open_places = min(open_places, self.organisation_limit - self.seated_of(chain))
        return max(open_places, 0)

    def verdict(self, chain: tuple[int, ...]) -> Verdict:
        """Say whether there is a place for somebody of these organisations, and if not, why."""
        if self.free_for(chain):
            return Verdict.PLACE
        if self.taken >= self.capacity:
            return Verdict.FULL
        if self.limit_reached(chain):
            return Verdict.ORGANISATION_FULL
        return Verdict.HELD_FOR_OTHERS

    def with_seat(self, chain: tuple[int, ...]) -> Places:
        """Return the places after somebody of these organisations sat down."""
        return replace(self, seated=Counter(self.seated) + Counter({chain: 1}))

    def limit_reached(self, chain: tuple[int, ...]) -> bool:
        """Say whether the authority has all the places that one may have."""
        limit = self.organisation_limit
        return limit is not None and self.seated_of(chain) >= limit

    def seated_of(self, chain: tuple[int, ...]) -> int:
        """Return how many places the authority has."""
        return sum(number for other, number in self.seated.items() if other[:1] == chain[:1])


def next_places(places: Places, queue: Iterable[Seeker]) -> list[Seeker]:
    """Return who gets a place now: everybody in the order of the queue for whom there is one.

    One pass is enough: a place that somebody takes never opens one for somebody else, so whoever
    was passed over stays without (the property tests hold this).

    Args:
        places: the pool as it is.
        queue: who waits, first come first.

    """
    chosen = []
    for seeker in queue:
        if places.verdict(seeker.chain) is Verdict.PLACE:
            chosen.append(seeker)
            places = places.with_seat(seeker.chain)
    return chosen


WAITING_REASONS: Mapping[Verdict, str] = {
    Verdict.FULL: "Alle Plätze sind vergeben.",
    Verdict.HELD_FOR_OTHERS: "Die übrigen Plätze sind für andere Organisationen vorgemerkt.",
    Verdict.ORGANISATION_FULL: "Ihre Organisation hat schon alle Plätze, die sie bekommen kann.",
}


def awaits_admission(admission: Admission, admitted_at: datetime | None) -> bool:
    """Say whether an event gives no place before the office has confirmed who is admitted."""
    return admission is Admission.BY_OFFICE and admitted_at is None


@dataclass(frozen=True)
class Window:
    """What decides whether somebody can register for an event at all.

    Attributes:
        state: of the event.
        opens_at: registration opens.
        closes_at: registration closes; from then on nobody can register.
        begins_at: the first session begins.

    """

    state: EventState
    opens_at: datetime
    closes_at: datetime
    begins_at: datetime


def window_refusal(window: Window, now: datetime) -> DomainError | None:
    """Return why nobody can register now, or None if it is open."""
    if window.state is EventState.CANCELLED:
        return DomainError("event_cancelled", "Diese Veranstaltung ist abgesagt.")
    if window.state is EventState.HELD or now >= window.begins_at:
        return DomainError("event_over", "Diese Veranstaltung hat schon begonnen.")
    if window.state is not EventState.PUBLISHED:
        return DomainError("event_not_published", "Diese Veranstaltung ist noch nicht offen.")
    if now < window.opens_at:
        return DomainError(
            "not_yet_open",
            f"Die Anmeldung öffnet am {formats.instant(window.opens_at)}. "
            "Bitte kommen Sie dann wieder.",
        )
    if now >= window.closes_at:
        return DomainError(
            "closed",
            f"Anmeldeschluss war {formats.deadline(window.closes_at)}. Bitte wählen Sie einen "
            "anderen Termin oder wenden Sie sich an die Geschäftsstelle.",
        )
    return None


def withdrawal_refusal(
    state: State,
    withdraw_until: datetime,
    begins_at: datetime,
    now: datetime,
    *,
    says_why: bool = False,
) -> DomainError | None:
    """Return why somebody cannot give the place back now, or None.

    Args:
        state: of the registration.
        withdraw_until: until when a place is given back without a word.
        begins_at: the first session begins; from then on nobody leaves.
        now: the present instant.
        says_why: a choice was made, or none is asked for; late, a place goes back only with one.

    """
    if state not in ACTIVE:
        return DomainError(
            "not_registered", "Diese Anmeldung besteht nicht mehr. Es ist nichts weiter zu tun."
        )
    if now >= begins_at:
        return DomainError("event_over", "Diese Veranstaltung hat schon begonnen.")
    if is_late(state, withdraw_until, now) and not says_why:
        return DomainError(
            "late_reason_missing",
            f"Die Frist zum Zurückgeben endete {formats.deadline(withdraw_until)}. Sie können den "
            "Platz trotzdem zurückgeben: Bitte wählen Sie aus, warum.",
            field="late_reason",
            status=422,
        )
    return None


def is_late(state: State, withdraw_until: datetime, now: datetime) -> bool:
    """Say whether giving back comes after the deadline; whoever has no place yet leaves freely."""
    return state is State.PLACED and now >= withdraw_until


def substitution_refusal(
    state: State, event_state: EventState, begins_at: datetime, now: datetime
) -> DomainError | None:
    """Return why nobody can come in somebody's place now, or None.

    Args:
        state: of the registration that would be handed over.
        event_state: of the event.
        begins_at: the first session begins.
        now: the present instant.

    """
    if event_state is EventState.CANCELLED:
        return DomainError("event_cancelled", "Diese Veranstaltung ist abgesagt.")
    if state is not State.PLACED:
        return DomainError(
            "no_place_to_hand_over",
            "Zu dieser Anmeldung gehört kein Platz, den jemand übernehmen könnte. Bitte laden Sie "
            "die Seite neu.",
        )
    if event_state is not EventState.PUBLISHED or now >= begins_at:
        return DomainError("event_over", "Diese Veranstaltung hat schon begonnen.")
    return None
