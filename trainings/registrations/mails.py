"""What people are told by mail about their registrations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from sqlalchemy.orm import Session

from trainings.core import formats, tokens
from trainings.core.clock import end_of_day
from trainings.core.outbox import Mail
from trainings.core.tokens import Purpose
from trainings.registrations import tickets
from trainings.registrations.mail_parts import (
    MY_REGISTRATIONS,
    event_facts,
    event_path,
    event_subject,
    invitation_parts,
    post,
    ticket_path,
    withdraw_path,
)
from trainings.registrations.models import Registration, RegistrationState
from trainings.registrations.rules import awaits_admission

Days = tuple[date, date]
Ended = Mapping[int, Sequence[Days]]
"""Days of the other dates that were off with a place, by its registration."""


def _registered_by(by: str) -> str:
    return f"{by} hat Sie angemeldet."


def served(
    session: Session,
    registrations: Sequence[Registration],
    now: datetime,
    *,
    ended: Ended,
    asked: Registration | None = None,
    by: str = "",
) -> None:
    """Tell everybody who got or was offered a place.

    Args:
        session: the open transaction.
        registrations: placed or offered.
        now: the present instant.
        ended: `LockedPlaces.ended`.
        asked: the one who asked right now and did not wait before.
        by: who asked for that person, if somebody else did.

    """
    for registration in registrations:
        if registration.offer_until is not None:
            offered(session, registration, registration.offer_until, now)
        else:
            promoted = registration is not asked
            placed(
                session,
                registration,
                now,
                ended=ended,
                promoted=promoted,
                by="" if promoted else by,
            )


def placed(
    session: Session,
    registration: Registration,
    now: datetime,
    *,
    ended: Ended,
    promoted: bool,
    opening: str = "",
    by: str = "",
) -> None:
    """Tell somebody that there is a place, with ticket and calendar entry.

    Args:
        session: the open transaction.
        registration: placed.
        now: the present instant.
        ended: `LockedPlaces.ended`.
        promoted: whether the person waited before.
        opening: the first sentence, where it is a special one.
        by: who registered the person right now, if somebody else did.

    """
    if promoted:
        kind, word = "registration_promoted", "Nachgerückt"
        opening = (
            opening or "ein Platz ist frei geworden, und Sie sind an der Reihe: Sie nehmen teil."
        )
    else:
        kind, word = "registration_placed", "Zusage"
        opening = opening or "Sie haben einen Platz."
        if by:
            opening = f"{_registered_by(by)} {opening}"
    _invite(session, registration, now, kind=kind, word=word, opening=opening, ended=ended)


def took_over(
    session: Session, registration: Registration, instead_of: str, now: datetime, *, ended: Ended
) -> None:
    """Tell somebody that they come in a colleague's place, with ticket and calendar entry."""
    opening = (
        f"{instead_of} kann nicht teilnehmen und hat Sie als Ersatzperson benannt. Der Platz "
        "gehört jetzt Ihnen."
    )
    _invite(
        session,
        registration,
        now,
        kind="registration_taken_over",
        word="Ersatzperson",
        opening=opening,
        ended=ended,
    )


def _invite(
    session: Session,
    registration: Registration,
    now: datetime,
    *,
    kind: str,
    word: str,
    opening: str,
    ended: Ended,
) -> None:
    event = registration.event
    post(
        session,
        registration,
        kind=kind,
        now=now,
        mail=Mail(
            subject=f"{word}: {event_subject(event)}",
            paragraphs=(opening,),
            facts=(
                *event_facts(event),
                ("Eintrittskarte", tickets.in_groups(registration.ticket or "")),
            ),
            link=("Eintrittskarte öffnen", ticket_path(registration)),
            ticket=f"/t/{registration.ticket}",
            closing=(
                *_other_dates(ended.get(registration.id, ())),
                "Bitte zeigen Sie die Eintrittskarte am Eingang vor; Ihr Name genügt auch.",
                "Sie können doch nicht? Bitte geben Sie den Platz zurück, damit jemand nachrücken "
                f"kann. {_until_when(event.withdraw_until, now)}",
            ),
            way_out=("Platz zurückgeben", withdraw_path(session, registration, now)),
            calendar=invitation_parts(registration, cancelled=False),
        ),
    )


def _until_when(withdraw_until: datetime, now: datetime) -> str:
    if now < withdraw_until:
        return f"Ohne Angabe von Gründen geht das bis {formats.deadline(withdraw_until)}."
    return "Das geht bis zum Beginn; Sie wählen dabei aus, warum."


def _other_dates(days: Sequence[Days]) -> tuple[str, ...]:
    """Say which other dates of the same wish are off, now that there is a place."""
    if not days:
        return ()
    spans = [formats.day_span(first_day, last_day) for first_day, last_day in days]
    return (
        "Damit haben Sie Ihren Platz. Auf der Warteliste für "
        f"{formats.join_words(spans)} stehen Sie nicht mehr.",
    )


def waiting(session: Session, registration: Registration, now: datetime, *, by: str = "") -> None:
    """Tell somebody that they are on the waiting list, or that the office will decide.

    Args:
        session: the open transaction.
        registration: waiting.
        now: the present instant.
        by: who registered the person right now, if somebody else did.

    """
    event = registration.event
    if awaits_admission(event.admission, event.admitted_at):
        _request_received(session, registration, now, by=by)
        return
    post(
        session,
        registration,
        kind="registration_waiting",
        now=now,
        mail=Mail(
            subject=f"Warteliste: {event_subject(event)}",
            paragraphs=(
                *((_registered_by(by),) if by else ()),
                f"{'Z' if by else 'z'}urzeit ist kein Platz für Sie frei. Sie stehen auf der "
                "Warteliste.",
                "Sobald ein Platz frei wird und Sie an der Reihe sind, "
                + (
                    "bieten wir ihn Ihnen per E-Mail an, und Sie nehmen ihn mit einem Klick an."
                    if event.offer_days
                    else "bekommen Sie ihn und eine Nachricht von uns."
                )
                + " Bis dahin ist nichts weiter zu tun.",
            ),
            facts=event_facts(event),
            link=("Meine Anmeldungen", MY_REGISTRATIONS),
            closing=("Sie möchten nicht mehr warten? Dann verlassen Sie bitte die Warteliste.",),
            way_out=("Warteliste verlassen", withdraw_path(session, registration, now)),
        ),
    )


def _request_received(
    session: Session, registration: Registration, now: datetime, *, by: str
) -> None:
    event = registration.event
    post(
        session,
        registration,
        kind="registration_received",
        now=now,
        mail=Mail(
            subject=f"Antrag eingegangen: {event_subject(event)}",
            paragraphs=(
                *((_registered_by(by),) if by else ()),
                "Ihre Anmeldung ist eingegangen. Über die Plätze entscheidet die Geschäftsstelle "
                f"nach dem Anmeldeschluss ({formats.deadline(event.closes_at)}).",
                "Bis dahin ist noch nichts zugesagt, und es ist nichts weiter zu tun. Sie bekommen "
                "in jedem Fall eine Nachricht.",
            ),
            facts=event_facts(event),
            link=("So wird zugelassen", f"{event_path(event)}#zulassung"),
            closing=("Sie möchten doch nicht teilnehmen? Dann ziehen Sie die Anmeldung zurück.",),
            way_out=("Anmeldung zurückziehen", withdraw_path(session, registration, now)),
        ),
    )


def awaiting_release(
    session: Session, registration: Registration, now: datetime, *, by: str = ""
) -> None:
    """Tell somebody that the organisation has to release the request first."""
    event = registration.event
    post(
        session,
        registration,
        kind="registration_awaiting_release",
        now=now,
        mail=Mail(
            subject=f"Ihre Anmeldung wartet auf die Freigabe: {event_subject(event)}",
            paragraphs=(
                *((_registered_by(by),) if by else ()),
                "Ihre Anmeldung ist eingegangen. Ihre Organisation muss sie noch freigeben; die "
                "zuständige Stelle bekommt dazu eine Nachricht von uns.",
                "Für die Reihenfolge zählt der Zeitpunkt Ihrer Anmeldung, nicht der der Freigabe. "
                "Sie hören von uns, sobald entschieden ist.",
            ),
            facts=event_facts(event),
            link=("Meine Anmeldungen", MY_REGISTRATIONS),
            closing=("Sie möchten doch nicht teilnehmen? Dann ziehen Sie die Anmeldung zurück.",),
            way_out=("Anmeldung zurückziehen", withdraw_path(session, registration, now)),
        ),
    )


def offered(
    session: Session,
    registration: Registration,
    until: datetime,
    now: datetime,
    *,
    opening: str = "ein Platz ist frei geworden, und Sie sind an der Reihe.",
) -> None:
    """Offer somebody on the waiting list a place, with the link that accepts it."""
    event = registration.event
    token = tokens.issue(session, Purpose.OFFER, registration.id, now, end_of_day(event.last_day))
    post(
        session,
        registration,
        kind="registration_offered",
        now=now,
        mail=Mail(
            subject=f"Platz frei, bitte antworten: {event_subject(event)}",
            paragraphs=(
                f"{opening} Wir halten den Platz für Sie frei bis {formats.instant(until)}.",
                "Bitte nehmen Sie ihn bis dahin an, oder lehnen Sie ihn ab. Danach bieten wir ihn "
                "der nächsten Person an.",
            ),
            facts=event_facts(event),
            link=("Platz annehmen oder ablehnen", tokens.action_path(token)),
        ),
    )


def offer_missed(session: Session, registration: Registration, now: datetime) -> None:
    """Tell somebody that the offer ran out, and what that means."""
    event = registration.event
    waits = registration.state is RegistrationState.WAITING
    post(
        session,
        registration,
        kind="offer_missed",
        now=now,
        mail=Mail(
            subject=f"Das Platzangebot ist abgelaufen: {event_subject(event)}",
            paragraphs=(
                "wir haben bis zum Ende der Frist keine Antwort von Ihnen bekommen. Den Platz "
                "bieten wir der nächsten Person an.",
                "Sie stehen weiter auf der Warteliste, jetzt an letzter Stelle."
                if waits
                else "Sie stehen damit nicht mehr auf der Warteliste. Möchten Sie doch teilnehmen, "
                "melden Sie sich bitte wieder an.",
            ),
            facts=event_facts(event),
            link=("Zur Veranstaltung", event_path(event)),
        ),
    )


def withdrawn(
    session: Session,
    registration: Registration,
    now: datetime,
    *,
    left: RegistrationState,
    by: str = "",
) -> None:
    """Confirm that a registration has ended.

    Args:
        session: the open transaction.
        registration: withdrawn.
        now: the present instant.
        left: the state that it had before.
        by: who ended it, if it was not the person.

    """
    event = registration.event
    had_place = left is RegistrationState.PLACED
    registration.calendar_sequence += 1
    post(
        session,
        registration,
        kind="registration_withdrawn",
        now=now,
        mail=Mail(
            subject=f"Abmeldung: {event_subject(event)}",
            paragraphs=(_what_ended(registration, left, by),),
            facts=event_facts(event),
            link=("Zur Veranstaltung", event_path(event)),
            calendar=invitation_parts(registration, cancelled=True) if had_place else (),
        ),
    )


def _what_ended(registration: Registration, left: RegistrationState, by: str) -> str:
    event = registration.event
    if by:
        passed_on = (
            "Ihren Platz bekommt die nächste Person auf der Warteliste. "
            if left is RegistrationState.PLACED
            else ""
        )
        return (
            f"{by} hat Sie abgemeldet. {passed_on}Ist das ein Versehen, melden Sie sich bitte bei "
            "der Geschäftsstelle."
        )
    if left is RegistrationState.PLACED:
        return "Sie haben Ihren Platz zurückgegeben. Vielen Dank: So kann jemand nachrücken."
    undecided = left is RegistrationState.AWAITING_RELEASE or awaits_admission(
        event.admission, event.admitted_at
    )
    if undecided:
        return "Sie haben Ihre Anmeldung zurückgezogen."
    return "Sie haben die Warteliste verlassen."


def handed_over(session: Session, registration: Registration, to: str, now: datetime) -> None:
    """Confirm that a colleague has the place; the entry leaves the calendar."""
    event = registration.event
    registration.calendar_sequence += 1
    post(
        session,
        registration,
        kind="registration_substituted",
        now=now,
        mail=Mail(
            subject=f"Ersatzperson benannt: {event_subject(event)}",
            paragraphs=(
                f"Ihr Platz gehört jetzt {to}. Ihre Eintrittskarte ist damit ungültig; die neue "
                "haben wir der Ersatzperson geschickt.",
            ),
            facts=event_facts(event),
            link=("Zur Veranstaltung", event_path(event)),
            calendar=invitation_parts(registration, cancelled=True),
        ),
    )
