"""What people are told by mail about their registrations."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import and_, bindparam, func, or_, select
from sqlalchemy.orm import Session, aliased

from trainings.core import formats, outbox, tokens
from trainings.core.clock import end_of_day
from trainings.core.outbox import CalendarPart, Mail
from trainings.core.tokens import Purpose
from trainings.events import calendar
from trainings.events.calendar import Invited, calendar_days, place_line
from trainings.events.models import Event
from trainings.people.information import post_to_person
from trainings.people.models import Person
from trainings.registrations import tickets
from trainings.registrations.models import Registration, RegistrationState, WishedRegistration
from trainings.registrations.rules import awaits_admission

# Written out and not built by Flask: mails are also written where there is no request. The
# addresses are fixed (they stand on paper), and a test compares them with the routes.
EVENTS = "/veranstaltungen/"
MY_REGISTRATIONS = "/meine/anmeldungen"
_BY_OTHER = "Ihre Organisation oder die Geschäftsstelle hat Sie angemeldet."


def served(
    session: Session,
    registrations: Sequence[Registration],
    now: datetime,
    *,
    asked: Registration | None = None,
    by_other: bool = False,
) -> None:
    """Tell everybody who got or was offered a place.

    Args:
        session: the open transaction.
        registrations: placed or offered.
        now: the present instant.
        asked: the one who asked right now and did not wait before.
        by_other: somebody else asked for that person.

    """
    for registration in registrations:
        if registration.offer_until is not None:
            offered(session, registration, registration.offer_until, now)
        else:
            promoted = registration is not asked
            placed(
                session, registration, now, promoted=promoted, by_other=by_other and not promoted
            )


def placed(
    session: Session,
    registration: Registration,
    now: datetime,
    *,
    promoted: bool,
    opening: str = "",
    by_other: bool = False,
) -> None:
    """Tell somebody that there is a place, with ticket and calendar entry.

    Args:
        session: the open transaction.
        registration: placed.
        now: the present instant.
        promoted: whether the person waited before.
        opening: the first sentence, where it is a special one.
        by_other: somebody else registered the person right now.

    """
    if promoted:
        kind, word = "registration_promoted", "Nachgerückt"
        opening = (
            opening or "ein Platz ist frei geworden, und Sie sind an der Reihe: Sie nehmen teil."
        )
    else:
        kind, word = "registration_placed", "Zusage"
        opening = opening or "Sie haben einen Platz."
        if by_other:
            opening = f"{_BY_OTHER} {opening}"
    _invite(session, registration, now, kind=kind, word=word, opening=opening)


def took_over(session: Session, registration: Registration, instead_of: str, now: datetime) -> None:
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
    )


def _invite(
    session: Session,
    registration: Registration,
    now: datetime,
    *,
    kind: str,
    word: str,
    opening: str,
) -> None:
    event = registration.event
    _post(
        session,
        registration,
        kind=kind,
        now=now,
        mail=Mail(
            subject=f"{word}: {_subject(event)}",
            paragraphs=(opening,),
            facts=(
                *event_facts(event),
                ("Eintrittskarte", tickets.in_groups(registration.ticket or "")),
            ),
            link=("Eintrittskarte öffnen", ticket_path(registration)),
            ticket=f"/t/{registration.ticket}",
            closing=(
                *_other_dates(session, registration),
                "Bitte zeigen Sie die Eintrittskarte am Eingang vor; Ihr Name genügt auch.",
                "Sie können doch nicht? Bitte geben Sie den Platz zurück, damit jemand nachrücken "
                f"kann. Ohne Angabe von Gründen geht das bis "
                f"{formats.deadline(event.withdraw_until)}.",
            ),
            way_out=("Platz zurückgeben", _withdraw_path(session, registration, now)),
            calendar=invitation_parts(registration, cancelled=False),
        ),
    )


_LINK, _OTHER_LINK = aliased(WishedRegistration), aliased(WishedRegistration)
_ENDED_WITH = (
    select(Event.first_day, Event.last_day)
    .join(Registration, Registration.event_id == Event.id)
    .join(_OTHER_LINK, _OTHER_LINK.registration_id == Registration.id)
    .join(_LINK, _LINK.wish_id == _OTHER_LINK.wish_id)
    .where(
        _LINK.registration_id == bindparam("registration_id"),
        Registration.id != bindparam("registration_id"),
        or_(
            Registration.state == RegistrationState.OFFERED,
            and_(
                Registration.state == RegistrationState.WITHDRAWN,
                Registration.state_since == bindparam("since"),
            ),
        ),
    )
    .order_by(Event.first_day)
)


def _other_dates(session: Session, registration: Registration) -> tuple[str, ...]:
    """Say which other dates of the same wish are off, now that there is a place."""
    values = {"registration_id": registration.id, "since": registration.state_since}
    days = [formats.day_span(*row) for row in session.execute(_ENDED_WITH, values)]
    if not days:
        return ()
    return (
        "Ihr Wunsch ist damit erfüllt. Auf der Warteliste für "
        f"{formats.join_words(days)} stehen Sie nicht mehr.",
    )


def waiting(
    session: Session, registration: Registration, now: datetime, *, by_other: bool = False
) -> None:
    """Tell somebody that they are on the waiting list, or that the office will decide.

    Args:
        session: the open transaction.
        registration: waiting.
        now: the present instant.
        by_other: somebody else registered the person right now.

    """
    event = registration.event
    if awaits_admission(event.admission, event.admitted_at):
        _request_received(session, registration, now, by_other=by_other)
        return
    _post(
        session,
        registration,
        kind="registration_waiting",
        now=now,
        mail=Mail(
            subject=f"Warteliste: {_subject(event)}",
            paragraphs=(
                *((_BY_OTHER,) if by_other else ()),
                f"{'Z' if by_other else 'z'}urzeit ist kein Platz für Sie frei. Sie stehen auf der "
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
            way_out=("Warteliste verlassen", _withdraw_path(session, registration, now)),
        ),
    )


def _request_received(
    session: Session, registration: Registration, now: datetime, *, by_other: bool
) -> None:
    event = registration.event
    _post(
        session,
        registration,
        kind="registration_received",
        now=now,
        mail=Mail(
            subject=f"Antrag eingegangen: {_subject(event)}",
            paragraphs=(
                *((_BY_OTHER,) if by_other else ()),
                "Ihre Anmeldung ist eingegangen. Über die Plätze entscheidet die Geschäftsstelle "
                f"nach dem Anmeldeschluss ({formats.deadline(event.closes_at)}).",
                "Bis dahin ist noch nichts zugesagt, und es ist nichts weiter zu tun. Sie bekommen "
                "in jedem Fall eine Nachricht.",
            ),
            facts=event_facts(event),
            link=("So wird zugelassen", f"{event_path(event)}#zulassung"),
            closing=("Sie möchten doch nicht teilnehmen? Dann ziehen Sie die Anmeldung zurück.",),
            way_out=("Anmeldung zurückziehen", _withdraw_path(session, registration, now)),
        ),
    )


def awaiting_release(
    session: Session, registration: Registration, now: datetime, *, by_other: bool = False
) -> None:
    """Tell somebody that the organisation has to release the request first."""
    event = registration.event
    _post(
        session,
        registration,
        kind="registration_awaiting_release",
        now=now,
        mail=Mail(
            subject=f"Ihre Anmeldung wartet auf die Freigabe: {_subject(event)}",
            paragraphs=(
                *((_BY_OTHER,) if by_other else ()),
                "Ihre Anmeldung ist eingegangen. Ihre Organisation muss sie noch freigeben; die "
                "zuständige Stelle bekommt dazu eine Nachricht von uns.",
                "Für die Reihenfolge zählt der Zeitpunkt Ihrer Anmeldung, nicht der der Freigabe. "
                "Sie hören von uns, sobald entschieden ist.",
            ),
            facts=event_facts(event),
            link=("Meine Anmeldungen", MY_REGISTRATIONS),
            closing=("Sie möchten doch nicht teilnehmen? Dann ziehen Sie die Anmeldung zurück.",),
            way_out=("Anmeldung zurückziehen", _withdraw_path(session, registration, now)),
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
    _post(
        session,
        registration,
        kind="registration_offered",
        now=now,
        mail=Mail(
            subject=f"Platz frei, bitte antworten: {_subject(event)}",
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
    _post(
        session,
        registration,
        kind="offer_missed",
        now=now,
        mail=Mail(
            subject=f"Das Platzangebot ist abgelaufen: {_subject(event)}",
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
    session: Session, registration: Registration, now: datetime, *, had_place: bool
) -> None:
    """Confirm that somebody gave the place back or left the waiting list."""
    event = registration.event
    registration.calendar_sequence += 1
    _post(
        session,
        registration,
        kind="registration_withdrawn",
        now=now,
        mail=Mail(
            subject=f"Abmeldung: {_subject(event)}",
            paragraphs=(
                "Sie haben Ihren Platz zurückgegeben. Vielen Dank: So kann jemand nachrücken."
                if had_place
                else "Sie haben die Warteliste verlassen.",
            ),
            facts=event_facts(event),
            link=("Zur Veranstaltung", event_path(event)),
            calendar=invitation_parts(registration, cancelled=True) if had_place else (),
        ),
    )


def handed_over(session: Session, registration: Registration, to: str, now: datetime) -> None:
    """Confirm that a colleague has the place; the entry leaves the calendar."""
    event = registration.event
    registration.calendar_sequence += 1
    _post(
        session,
        registration,
        kind="registration_substituted",
        now=now,
        mail=Mail(
            subject=f"Ersatzperson benannt: {_subject(event)}",
            paragraphs=(
                f"Ihr Platz gehört jetzt {to}. Ihre Eintrittskarte ist damit ungültig; die neue "
                "haben wir der Ersatzperson geschickt.",
            ),
            facts=event_facts(event),
            link=("Zur Veranstaltung", event_path(event)),
            calendar=invitation_parts(registration, cancelled=True),
        ),
    )


def lost_by_move(
    session: Session,
    registration: Registration,
    other: str,
    now: datetime,
    dropped_days: Sequence[int],
) -> None:
    """Tell somebody that the place went because the event was moved onto another of theirs."""
    event = registration.event
    registration.calendar_sequence += 1
    _post(
        session,
        registration,
        kind="registration_lost_by_move",
        now=now,
        mail=Mail(
            subject=f"Verlegt, Ihr Platz ist frei gegeben: {_subject(event)}",
            paragraphs=(
                "die Veranstaltung wurde verlegt. Zu der neuen Zeit haben Sie schon einen Platz "
                f"in {other}. Deshalb haben wir Ihren Platz in dieser Veranstaltung frei gegeben.",
                "Möchten Sie lieber hier teilnehmen, dann geben Sie bitte den anderen Platz "
                "zurück und melden sich wieder an.",
            ),
            facts=event_facts(event),
            link=("Zur Veranstaltung", event_path(event)),
            calendar=invitation_parts(registration, cancelled=True, dropped_days=dropped_days),
        ),
    )


_STAYS = {
    RegistrationState.PLACED: "Ihr Platz bleibt Ihnen erhalten, die Eintrittskarte gilt weiter.",
    RegistrationState.OFFERED: "Der Platz, den wir Ihnen anbieten, bleibt bis zum Ende der Frist "
    "für Sie frei.",
    RegistrationState.WAITING: "Ihre Stelle auf der Warteliste bleibt Ihnen erhalten.",
}


def moved(
    session: Session,
    registration: Registration,
    now: datetime,
    *,
    before: str,
    dropped_days: Sequence[int],
) -> None:
    """Tell somebody with a place, or on the list, that the event was moved.

    Args:
        session: the open transaction.
        registration: placed or waiting.
        now: the present instant.
        before: dates and place as they were, in one line.
        dropped_days: indexes of days that the event no longer has.

    """
    event = registration.event
    has_place = registration.ticket is not None
    _post(
        session,
        registration,
        kind="event_moved",
        now=now,
        mail=Mail(
            subject=f"Verlegt: {_subject(event)}",
            paragraphs=(
                f"die Veranstaltung wurde verlegt. Bisher: {before}.",
                _STAYS.get(registration.state, "Ihre Anmeldung bleibt bestehen."),
            ),
            facts=event_facts(event),
            link=("Zur Veranstaltung", event_path(event)),
            closing=("Der neue Termin passt Ihnen nicht? Dann melden Sie sich bitte ab.",),
            way_out=("Abmelden", _withdraw_path(session, registration, now)),
            calendar=(
                invitation_parts(registration, cancelled=False, dropped_days=dropped_days)
                if has_place
                else ()
            ),
        ),
    )


def cancelled(
    session: Session, registration: Registration, now: datetime, *, had_place: bool
) -> None:
    """Tell somebody that the event is off."""
    event = registration.event
    _post(
        session,
        registration,
        kind="event_cancelled",
        now=now,
        mail=Mail(
            subject=f"Abgesagt: {_subject(event)}",
            paragraphs=_cancellation_paragraphs(event),
            facts=event_facts(event),
            link=(
                ("Zum Ersatztermin", event_path(event.replaced_by))
                if event.replaced_by
                else ("Andere Veranstaltungen", EVENTS)
            ),
            calendar=invitation_parts(registration, cancelled=True) if had_place else (),
        ),
    )


def trainer_moved(
    session: Session, person: Person, event: Event, now: datetime, dropped_days: Sequence[int]
) -> None:
    """Tell a trainer that the event was moved."""
    mail = Mail(
        subject=f"Verlegt: {_subject(event)}",
        paragraphs=("eine Veranstaltung, die Sie leiten, wurde verlegt.",),
        facts=event_facts(event),
        link=("Zur Veranstaltung", event_path(event)),
        calendar=_parts(
            event,
            person,
            _sequence_of_trainer(session, person, event),
            cancelled=False,
            dropped_days=dropped_days,
        ),
    )
    post_to_person(session, person, kind="event_moved", mail=mail, now=now)


def trainer_cancelled(session: Session, person: Person, event: Event, now: datetime) -> None:
    """Tell a trainer that the event is off."""
    sequence = _sequence_of_trainer(session, person, event)
    mail = Mail(
        subject=f"Abgesagt: {_subject(event)}",
        paragraphs=_cancellation_paragraphs(event),
        facts=event_facts(event),
        calendar=_parts(event, person, sequence, cancelled=True),
    )
    post_to_person(session, person, kind="event_cancelled", mail=mail, now=now)


def _sequence_of_trainer(session: Session, person: Person, event: Event) -> int:
    """Return a sequence above those of the time when the trainer was registered for the event."""
    last = session.scalar(
        select(func.max(Registration.calendar_sequence)).where(
            Registration.event_id == event.id, Registration.person_id == person.id
        )
    )
    return 0 if last is None else last + 1


def event_facts(event: Event) -> tuple[tuple[str, str], ...]:
    """Return what a mail says of an event: title, dates, place, number."""
    dates = [formats.day_and_span(day.day, day.begins, day.ends) for day in calendar_days(event)]
    return outbox.facts(
        ("Veranstaltung", event.title),
        ("Termin" if len(dates) == 1 else "Termine", dates),
        ("Ort", place_line(event)),
        ("Nummer", event.number),
    )


def event_path(event: Event) -> str:
    """Return the address of an event's page."""
    return f"{EVENTS}{event.number}"


def ticket_path(registration: Registration) -> str:
    """Return the address that shows somebody's ticket without login."""
    return tickets.signed_path(registration.ticket or "")


def invitation_parts(
    registration: Registration, *, cancelled: bool, dropped_days: Sequence[int] = ()
) -> tuple[CalendarPart, ...]:
    """Return the calendar objects for somebody's registration."""
    return _parts(
        registration.event,
        registration.person,
        registration.calendar_sequence,
        cancelled=cancelled,
        dropped_days=dropped_days,
    )


def _parts(
    event: Event,
    person: Person,
    sequence: int,
    *,
    cancelled: bool,
    dropped_days: Sequence[int] = (),
) -> tuple[CalendarPart, ...]:
    invited = Invited(person.name, person.email, sequence)
    parts = calendar.invitations(event, invited, cancelled=cancelled, dropped_days=dropped_days)
    return tuple(CalendarPart(name, method, content) for name, method, content in parts)


def _cancellation_paragraphs(event: Event) -> tuple[str, ...]:
    opening = "die Veranstaltung findet leider nicht statt."
    reason = f"Grund: {event.cancellation_reason}" if event.cancellation_reason else ""
    instead = ""
    if event.replaced_by:
        days = formats.day_span(event.replaced_by.first_day, event.replaced_by.last_day)
        instead = f"Es gibt einen Ersatztermin am {days}. Bitte melden Sie sich dort neu an."
    return tuple(filter(None, (opening, reason, instead)))


def _subject(event: Event) -> str:
    return f"{event.title}, {formats.day_span(event.first_day, event.last_day)}"


def _withdraw_path(session: Session, registration: Registration, now: datetime) -> str:
    # Registration may close long before the deadline to give a place back, and whoever waits can
    # leave until the event begins: what is still possible the page says, not the life of the link.
    until = end_of_day(registration.event.last_day)
    token = tokens.issue(session, Purpose.WITHDRAW, registration.id, now, until)
    return f"/aktion/{token}"


def _post(
    session: Session, registration: Registration, *, kind: str, now: datetime, mail: Mail
) -> None:
    post_to_person(session, registration.person, kind=kind, mail=mail, now=now)
