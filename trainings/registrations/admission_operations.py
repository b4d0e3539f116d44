"""The office confirms who is admitted to an event."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from trainings.core import audit
from trainings.core.actors import Actor
from trainings.core.errors import DomainError, not_found
from trainings.core.permissions import Permission
from trainings.events.models import Event
from trainings.registrations import admission_mails, mails
from trainings.registrations.admission_queries import AdmissionList, load_admission
from trainings.registrations.admission_rules import AdmissionWindow, Proposal, admission_refusal
from trainings.registrations.models import Registration, RegistrationState
from trainings.registrations.moves import note_change
from trainings.registrations.places import LockedPlaces, begins_at, with_places
from trainings.registrations.rules import Verdict

LONGEST_REASON = 250
Experience = Callable[[Session, Event], Mapping[int, int]]
"""Counts how often people took part in events of the same format, by person: attendance belongs to
a room above this one."""

_NO_PLACE: Mapping[Verdict, str] = {
    Verdict.FULL: "Es sind schon alle Plätze vergeben.",
    Verdict.HELD_FOR_OTHERS: "Die übrigen Plätze sind für andere Organisationen vorgemerkt.",
    Verdict.ORGANISATION_FULL: "Die Organisation hätte mehr Plätze, als eine haben darf.",
}


def reason_field(registration_id: int | str) -> str:
    """Return the name of the field for the reason of one line, where refusals stand."""
    return f"reason_{registration_id}"


@dataclass(frozen=True)
class Admitted:
    """What came of an admission: how many got a place, how many wait."""

    placed: int
    waiting: int


def window_of(event: Event) -> AdmissionWindow:
    """Return what decides whether the office can admit now."""
    return AdmissionWindow(
        event.state, event.admission, event.admitted_at, event.closes_at, begins_at(event)
    )


def confirm_admission(
    session: Session,
    actor: Actor,
    event_id: int,
    *,
    chosen: Collection[int],
    reasons: Mapping[int, str],
    expected: str,
    experience: Experience,
    now: datetime,
) -> Admitted:
    """Give the chosen ones their places; the others wait, in the order of the proposal.

    Whom the office left out although the rules admit them goes to the end of the list. What is
    still free is passed on by the waiting list, as ever.

    Args:
        session: the open transaction.
        actor: of the office.
        event_id: the event.
        chosen: registrations of those who get a place.
        reasons: why a line differs from the proposal, by registration; each is kept.
        expected: the fingerprint of the proposal that the office saw.
        experience: counts former participations.
        now: the present instant.

    Raises:
        DomainError: `not_found`; `not_by_office`, `admitted_before`, `event_over`,
            `registration_open`; `proposal_changed`, if it rests on something else by now;
            `reason_missing`; `elsewhere`, `no_place`.

    """
    if not actor.may(Permission.OFFICE):
        raise not_found()
    persons = session.scalars(
        select(Registration.person_id).where(
            Registration.event_id == event_id, Registration.state == RegistrationState.WAITING
        )
    ).all()

    def work(places: LockedPlaces) -> Admitted:
        event = places.event
        refusal = admission_refusal(window_of(event), now)
        if refusal is not None:
            raise refusal
        found = load_admission(session, event, experience(session, event), now)
        if found.fingerprint != expected or not set(chosen) <= set(found.registrations):
            raise DomainError(
                "proposal_changed", "Inzwischen haben sich Anmeldungen oder Plätze geändert. Bitte "
                "prüfen Sie den neuen Vorschlag; Ihre Gründe sind noch da.",
            )  # fmt: skip
        _check_reasons(found, chosen, reasons)
        _check_places(places, found, chosen)
        notes = {
            line.candidate.id: _note(found.words(line), line, chosen, reasons)
            for line in found.proposals
        }
        admitted = [line for line in found.proposals if line.candidate.id in chosen]
        for line in admitted:
            registration = found.registrations[line.candidate.id]
            places.place(registration, actor, "admitted", note=notes[registration.id])
            admission_mails.admitted(session, registration, now, ended=places.ended)
        _rank_others(places, actor, found, chosen, notes)
        event.admitted_at = now
        audit.record(session, actor, "event_admitted", event, now, admitted=len(admitted))
        session.flush()
        served = places.fill(actor, "promoted")
        mails.served(session, served, now, ended=places.ended)
        waiting = _tell_others(session, found, now)
        return Admitted(len(admitted), waiting)

    return with_places(session, event_id, persons, now, work)


def reason_question(name: str) -> str:
    """Return what the office reads if it decided otherwise about somebody without a reason."""
    return f"Bitte geben Sie an, warum Sie bei {name} vom Vorschlag abweichen."


def _check_reasons(
    found: AdmissionList, chosen: Collection[int], reasons: Mapping[int, str]
) -> None:
    for line in found.proposals:
        registration = found.registrations[line.candidate.id]
        changed = line.admitted is not (registration.id in chosen)
        if changed and not reasons.get(registration.id, "").strip():
            raise DomainError(
                "reason_missing",
                reason_question(registration.person.name),
                field=reason_field(registration.id),
                status=422,
            )


def _check_places(places: LockedPlaces, found: AdmissionList, chosen: Collection[int]) -> None:
    pool = places.places()
    for line in found.proposals:
        one = line.candidate
        if one.id not in chosen:
            continue
        name = found.registrations[one.id].person.name
        if one.elsewhere:
            raise DomainError(
                "elsewhere",
                f"{name} hat zur selben Zeit einen Platz in {one.elsewhere} und kann hier nicht "
                "zugelassen werden.",
                field=reason_field(one.id),
            )
        verdict = pool.verdict(one.chain)
        if verdict is not Verdict.PLACE:
            raise DomainError(
                "no_place",
                f"Für {name} ist kein Platz: {_NO_PLACE[verdict]} Bitte nehmen Sie jemand anderen "
                "heraus, oder ändern Sie zuerst Plätze und Kontingente.",
                field=reason_field(one.id),
            )
        pool = pool.with_seat(one.chain)


def _note(words: str, line: Proposal, chosen: Collection[int], reasons: Mapping[int, str]) -> str:
    if line.admitted is (line.candidate.id in chosen):
        return words
    return f"Abweichend vom Vorschlag: {reasons[line.candidate.id].strip()[:LONGEST_REASON]}"


def _rank_others(
    places: LockedPlaces,
    actor: Actor,
    found: AdmissionList,
    chosen: Collection[int],
    notes: Mapping[int, str],
) -> None:
    """Put the others in the order of the proposal, by the ranks that they have among them.

    Requests that are not released yet keep theirs.
    """
    others = [line for line in found.proposals if line.candidate.id not in chosen]
    others.sort(key=lambda line: line.admitted)
    ranks = sorted(line.candidate.rank for line in others)
    for line, rank in zip(others, ranks, strict=True):
        registration = found.registrations[line.candidate.id]
        moved = registration.rank != rank
        registration.rank = rank
        note_change(
            places.session,
            registration,
            registration.state,
            actor,
            reason="not_admitted_by_office"
            if line.admitted
            else ("ranked_by_admission" if moved else "not_admitted"),
            now=places.now,
            note=notes[registration.id],
        )


def _tell_others(session: Session, found: AdmissionList, now: datetime) -> int:
    """Tell everybody who still waits, with the position on the list; return how many."""
    everybody = [*found.registrations.values(), *found.awaiting]
    queue = sorted(
        (one for one in everybody if one.state is RegistrationState.WAITING),
        key=lambda one: one.rank,
    )
    for position, registration in enumerate(queue, start=1):
        admission_mails.not_admitted(session, registration, position, now)
    return len(queue)
