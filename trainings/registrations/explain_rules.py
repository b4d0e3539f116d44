"""„Warum (nicht)?“: the conditions for a place, and which one decides. Pure functions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from trainings.core import formats
from trainings.events.models import Admission, EventState
from trainings.registrations.models import ACTIVE, SEATED, STATE_NAMES, RegistrationState
from trainings.registrations.rules import (
    WAITING_REASONS,
    Places,
    Verdict,
    Window,
    awaits_admission,
    window_refusal,
)
from trainings.registrations.wording import reason_name

State = RegistrationState
LEFT_OUT = "not_admitted_by_office"
"""Code of the history: the office left somebody out whom the rules would have admitted."""
NOT_ADMITTED = frozenset({LEFT_OUT, "not_admitted", "ranked_by_admission"})
"""Codes of the history of those whom the admission gave no place."""


@dataclass(frozen=True)
class Facts:
    """All that decides whether one person has a place in one event.

    Attributes:
        window: of the event.
        needs_release: whether the organisation has to release the request.
        admission: how places are given.
        admitted_at: when the office confirmed who is admitted, or None.
        places: the pool as it is.
        chain: the person's authority, then the group above it.
        visible: whether the person sees the event.
        leads: whether the person leads it.
        elsewhere: number of another event at the same time with a place of the person, or empty.
        offered: number of another date of the same wish that the person is offered, or empty.
        state: of the latest registration; None: never registered.
        since: of that state.
        last_reason: code of the last step of its history, may be empty.
        last_note: what decided that step, or why the office acted against the order.
        ahead: how many wait before the person.
        offer_until: until when a place is offered.
        missed_offers: how many offers the person let pass.

    """

    window: Window
    needs_release: bool
    admission: Admission
    admitted_at: datetime | None
    places: Places
    chain: tuple[int, ...]
    visible: bool = True
    leads: bool = False
    elsewhere: str = ""
    offered: str = ""
    state: State | None = None
    since: datetime | None = None
    last_reason: str = ""
    last_note: str = ""
    ahead: int = 0
    offer_until: datetime | None = None
    missed_offers: int = 0

    @property
    def is_active(self) -> bool:
        """Whether the person is registered now."""
        return self.state in ACTIVE

    @property
    def is_seated(self) -> bool:
        """Whether the person has a place, or one is kept free."""
        return self.state in SEATED


@dataclass(frozen=True)
class Condition:
    """One condition for a place.

    Attributes:
        code: stable.
        met: whether it is met; None where it does not apply or cannot be said yet.
        words: what the office reads.
        to_person: what the person reads if this one decides.
        decides: False for what is only worth knowing.

    """

    code: str
    met: bool | None
    words: str
    to_person: str = ""
    decides: bool = True

    @property
    def name(self) -> str:
        """What has to be so for a place."""
        return _NAMES[self.code]


_NAMES = {
    "event": "Die Veranstaltung steht bevor und nimmt Anmeldungen an",
    "visible": "Die Veranstaltung ist für die Person sichtbar",
    "leads": "Die Person leitet die Veranstaltung nicht selbst",
    "overlap": "Kein anderer Platz zur selben Zeit",
    "other_offer": "Kein anderer Termin desselben Bedarfs ist angeboten",
    "registered": "Die Person ist angemeldet",
    "release": "Die Freigabe liegt vor oder ist nicht nötig",
    "admission": "Die Zulassung ist erfolgt oder nicht nötig",
    "limit": "Höchstzahl der Organisation ist nicht erreicht",
    "capacity": "Ein Platz ist frei",
    "contingents": "Freie Plätze sind nicht für andere vorgemerkt",
    "queue": "Niemand wartet davor",
    "offer": "Kein Platzangebot ist offen oder verstrichen",
}
_HAS_PLACE = "Die Person hat einen Platz, oder einer wird für sie frei gehalten."


def explain(facts: Facts, now: datetime) -> list[Condition]:
    """Return all conditions that apply, in the order in which they decide."""
    found = (check(facts, now) for check in _CHECKS)
    return [condition for condition in found if condition is not None]


def deciding(facts: Facts, now: datetime) -> Condition:
    """Return the condition that decides why somebody has a place, or has none."""
    conditions = explain(facts, now)
    by_code = {condition.code: condition for condition in conditions}
    if facts.state is State.OFFERED:
        return by_code["offer"]
    if facts.state is not None and (facts.is_seated or not facts.is_active):
        return by_code["registered"]
    unmet = (condition for condition in conditions if condition.decides and condition.met is False)
    return next(unmet, by_code["queue"])


def _event(facts: Facts, now: datetime) -> Condition:
    if facts.is_active:
        # Whoever has asked needs no open registration, only an event that is still to come.
        if facts.window.state is EventState.PUBLISHED and now < facts.window.begins_at:
            return Condition("event", True, "Die Veranstaltung steht bevor.")
        sentence = "Diese Veranstaltung findet nicht mehr statt oder hat schon begonnen."
        return Condition("event", False, sentence, sentence)
    refusal = window_refusal(facts.window, now)
    if refusal is None:
        return Condition("event", True, "Die Anmeldung ist offen.")
    return Condition("event", False, refusal.sentence, refusal.sentence)


def _visible(facts: Facts, _now: datetime) -> Condition:
    if facts.visible:
        return Condition("visible", True, "Die Person sieht diese Veranstaltung.")
    return Condition(
        "visible",
        False,
        "Die Person sieht diese Veranstaltung nicht: Sie ist weder eingeladen, noch ist die "
        "Veranstaltung für ihre Organisation gedacht.",
    )


def _leads(facts: Facts, _now: datetime) -> Condition:
    if not facts.leads:
        return Condition("leads", True, "Die Person leitet die Veranstaltung nicht.")
    return Condition(
        "leads", False, "Die Person leitet die Veranstaltung.",
        "Sie leiten diese Veranstaltung selbst.",
    )  # fmt: skip


def _overlap(facts: Facts, _now: datetime) -> Condition:
    if not facts.elsewhere:
        return Condition(
            "overlap", True, "Die Person hat zur selben Zeit keinen Platz in einer anderen "
            "Veranstaltung.",
        )  # fmt: skip
    return Condition(
        "overlap",
        False,
        f"Die Person hat zur selben Zeit einen Platz in {facts.elsewhere}.",
        f"Sie haben zur selben Zeit einen Platz in {facts.elsewhere}. Solange Sie ihn behalten, "
        "bekommen Sie hier keinen.",
    )


def _other_offer(facts: Facts, _now: datetime) -> Condition | None:
    if not facts.offered:
        return None
    return Condition(
        "other_offer",
        False,
        f"Der Person ist ein anderer Termin desselben Bedarfs angeboten ({facts.offered}). Bis zur "
        "Antwort wird sie hier übergangen und behält ihre Stelle.",
        f"Wir bieten Ihnen gerade einen Platz in {facts.offered} an. Bis Sie geantwortet haben, "
        "bekommen Sie hier keinen; Ihre Stelle auf dieser Warteliste behalten Sie.",
    )


def _registered(facts: Facts, _now: datetime) -> Condition:
    if facts.state is None:
        return Condition(
            "registered", False, "Die Person hat sich nicht angemeldet.",
            "Sie haben sich nicht angemeldet.",
        )  # fmt: skip
    since = f"seit {formats.instant(facts.since)} " if facts.since else ""
    why = f": {reason_name(facts.last_reason)}" if facts.last_reason else ""
    words = f"Stand {since}„{STATE_NAMES[facts.state]}“{why}."
    if facts.state is State.PLACED:
        return Condition("registered", True, words, "Sie haben einen Platz.")
    if facts.is_active:
        return Condition("registered", True, words)
    sentence = f"Ihre Anmeldung besteht {since}nicht mehr{why}."
    return Condition("registered", False, words, sentence)


def _release(facts: Facts, _now: datetime) -> Condition:
    if facts.state is State.AWAITING_RELEASE:
        return Condition(
            "release", False, "Die Organisation hat die Anmeldung noch nicht freigegeben. Sie "
            "behält ihren Rang.",
            "Ihre Organisation hat die Anmeldung noch nicht freigegeben.",
        )  # fmt: skip
    if facts.state is State.DECLINED:
        return Condition("release", False, "Die Organisation hat die Anmeldung nicht freigegeben.")
    if not facts.needs_release:
        return Condition("release", None, "Eine Freigabe der Organisation ist nicht nötig.")
    if facts.is_active:
        return Condition("release", True, "Die Organisation hat die Anmeldung freigegeben.")
    return Condition("release", None, "Die Organisation muss eine Anmeldung freigeben.")


def _admission(facts: Facts, now: datetime) -> Condition:
    if facts.admission is Admission.IN_ORDER:
        return Condition("admission", None, "Plätze gibt es in der Reihenfolge der Anmeldungen.")
    if not awaits_admission(facts.admission, facts.admitted_at):
        if facts.state is State.WAITING and facts.last_reason in NOT_ADMITTED:
            return _not_admitted(facts)
        return Condition(
            "admission", True, "Die Geschäftsstelle hat über die Zulassung entschieden."
        )
    until = formats.deadline(facts.window.closes_at)
    if now < facts.window.closes_at:
        sentence = f"Die Geschäftsstelle entscheidet nach Anmeldeschluss ({until})."
    else:
        sentence = "Die Geschäftsstelle entscheidet in Kürze über die Zulassung."
    return Condition("admission", False, sentence, sentence)


def _not_admitted(facts: Facts) -> Condition:
    """Say what kept somebody from a place in the admission, which counts until the next step."""
    if facts.last_reason == LEFT_OUT:
        return Condition(
            "admission",
            False,
            "Die Geschäftsstelle hat die Person bei der Zulassung herausgenommen. "
            f"{facts.last_note}",
            "Die Geschäftsstelle hat bei der Zulassung anders entschieden. Wenden Sie sich bei "
            "Fragen bitte an sie.",
        )
    return Condition(
        "admission",
        False,
        f"Bei der Zulassung war kein Platz für die Person. Es entschied: {facts.last_note}",
        f"Bei der Zulassung war kein Platz für Sie. Es entschied: {facts.last_note}",
    )


def _limit(facts: Facts, _now: datetime) -> Condition | None:
    limit = facts.places.organisation_limit
    if limit is None:
        return None
    if facts.is_seated:
        return Condition("limit", None, _HAS_PLACE)
    used = f"{facts.places.seated_of(facts.chain)} von höchstens {limit}"
    return Condition(
        "limit",
        not facts.places.limit_reached(facts.chain),
        f"Die Organisation hat {used} Plätzen.",
        WAITING_REASONS[Verdict.ORGANISATION_FULL],
    )


def _capacity(facts: Facts, _now: datetime) -> Condition:
    if facts.is_seated:
        return Condition("capacity", None, _HAS_PLACE)
    places = facts.places
    return Condition(
        "capacity",
        places.taken < places.capacity,
        f"{places.taken} von {formats.count(places.capacity, 'Platz', 'Plätzen')} vergeben.",
        WAITING_REASONS[Verdict.FULL],
    )


def _contingents(facts: Facts, _now: datetime) -> Condition | None:
    places = facts.places
    if not places.holds:
        return None
    if facts.is_seated:
        return Condition("contingents", None, _HAS_PLACE)
    own = sum(number for id_, number in places.unused.items() if id_ in facts.chain)
    held = formats.count(places.held, "Platz ist", "Plätze sind")
    words = f"{held} noch für Organisationen vorgemerkt, davon {own} für die der Person."
    return Condition(
        "contingents",
        places.verdict(facts.chain) is not Verdict.HELD_FOR_OTHERS,
        words if places.held else "Die Kontingente sind ausgeschöpft.",
        WAITING_REASONS[Verdict.HELD_FOR_OTHERS],
    )


def _queue(facts: Facts, _now: datetime) -> Condition:
    if facts.is_seated:
        return Condition("queue", None, _HAS_PLACE)
    before = formats.count(facts.ahead, "Person", "Personen")
    if facts.ahead:
        verb = "wartet" if facts.ahead == 1 else "warten"
        return Condition(
            "queue", False, f"Davor {verb} {before}. Ein Platz geht an die erste, für die er "
            "gilt.", f"Vor Ihnen {verb} noch {before}.",
        )  # fmt: skip
    return Condition(
        "queue", True, "Davor wartet niemand.",
        "Sie sind die nächste Person; ein freier Platz kommt in Kürze zu Ihnen.",
    )  # fmt: skip


def _offer(facts: Facts, _now: datetime) -> Condition | None:
    if facts.offer_until is not None:
        until = formats.instant(facts.offer_until)
        return Condition(
            "offer", False, f"Ein Platz ist angeboten bis {until}; die Antwort steht aus.",
            f"Ein Platz ist für Sie frei gehalten bis {until}. Bitte nehmen Sie ihn bis dahin an.",
        )  # fmt: skip
    if facts.missed_offers:
        missed = formats.count(facts.missed_offers, "Angebot", "Angebote")
        return Condition("offer", False, f"{missed} verstreichen lassen.", decides=False)
    return None


_CHECKS: tuple[Callable[[Facts, datetime], Condition | None], ...] = (
    _event, _visible, _leads, _overlap, _other_offer, _registered, _release, _admission,
    _limit, _capacity, _contingents, _queue, _offer,
)  # fmt: skip
