"""What people are told by mail about what they wished for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from trainings.core import formats, outbox
from trainings.core.outbox import Mail
from trainings.events.models import Event
from trainings.people.information import post_to_person
from trainings.people.models import Person
from trainings.registrations.mail_parts import MY_REGISTRATIONS, event_facts, event_subject
from trainings.registrations.models import CourseRequest, Registration, RegistrationState, Wish
from trainings.registrations.rules import awaits_admission

COURSE_REQUESTS = "/organisation/kurs-anfragen"


def wish_noted(
    session: Session,
    wish: Wish,
    person: Person,
    waits: Sequence[Registration],
    now: datetime,
) -> None:
    """Confirm a wish for which no place is free yet, with the dates that it is for."""
    waiting = [_date(row) for row in waits if row.state is not RegistrationState.AWAITING_RELEASE]
    awaiting = [_date(row) for row in waits if row.state is RegistrationState.AWAITING_RELEASE]
    paragraphs = ["wir haben Ihren Wunsch notiert. Zurzeit ist kein Platz für Sie frei."]
    if waits:
        paragraphs.append(
            "Sobald Sie an einem der Termine einen Platz haben, enden die anderen von selbst: "
            "Sie nehmen höchstens einmal teil."
        )
    if wish.next_free:
        paragraphs.append(
            "Kommt ein neuer Termin dazu, setzen wir Sie dort auf die Liste und schreiben Ihnen."
        )
    post_to_person(
        session,
        person,
        kind="wish_noted",
        now=now,
        mail=Mail(
            subject=f"Bedarf angemeldet: {wish.template.title}",
            paragraphs=tuple(paragraphs),
            facts=outbox.facts(
                ("Veranstaltung", wish.template.title),
                ("Warteliste", waiting),
                ("Freigabe steht aus", awaiting),
            ),
            link=("Meine Anmeldungen", MY_REGISTRATIONS),
            closing=("Sie möchten nicht mehr warten? Unter „Meine Anmeldungen“ ziehen Sie Ihren "
                     "Wunsch zurück.",),
        ),
    )  # fmt: skip


def wish_ended(session: Session, wish: Wish, ended: Sequence[Registration], now: datetime) -> None:
    """Confirm that somebody no longer wishes for a date."""
    post_to_person(
        session,
        wish.person,
        kind="wish_ended",
        now=now,
        mail=Mail(
            subject=f"Wunsch zurückgezogen: {wish.template.title}",
            paragraphs=(
                "Sie haben Ihren Wunsch zurückgezogen. Sie stehen dafür auf keiner Warteliste mehr."
                if ended
                else "Sie haben Ihren Wunsch zurückgezogen.",
            ),
            facts=outbox.facts(("Beendet", [_date(row) for row in ended])),
            link=("Meine Anmeldungen", MY_REGISTRATIONS),
        ),
    )


def waits_for_new_date(session: Session, registration: Registration, now: datetime) -> None:
    """Tell somebody who wished for any date that there is one, and that they are on its list."""
    event = registration.event
    post_to_person(
        session,
        registration.person,
        kind="wish_new_date",
        now=now,
        mail=Mail(
            subject=f"Neuer Termin: {event_subject(event)}",
            paragraphs=(
                "es gibt einen neuen Termin, und Sie haben den nächsten freien gewünscht. Wir "
                "haben Sie dort angemeldet.",
                _standing(registration),
            ),
            facts=event_facts(event),
            link=("Meine Anmeldungen", MY_REGISTRATIONS),
            closing=("Der Termin passt Ihnen nicht? Dann melden Sie sich bitte unter „Meine "
                     "Anmeldungen“ ab.",),
        ),
    )  # fmt: skip


def _standing(registration: Registration) -> str:
    event = registration.event
    if registration.state is RegistrationState.AWAITING_RELEASE:
        return "Ihre Organisation muss die Anmeldung noch freigeben."
    if awaits_admission(event.admission, event.admitted_at):
        return _decided_by_office(event)
    return (
        "Zurzeit ist kein Platz für Sie frei. Sie stehen auf der Warteliste und hören von uns, "
        "sobald Sie an der Reihe sind."
    )


def _decided_by_office(event: Event) -> str:
    return (
        "Über die Plätze entscheidet die Geschäftsstelle nach dem Anmeldeschluss "
        f"({formats.deadline(event.closes_at)}). Sie bekommen in jedem Fall eine Nachricht."
    )


def waits_for_extra_date(
    session: Session, registration: Registration, source: Event, now: datetime
) -> None:
    """Tell somebody on a waiting list that there is an extra date, with no place for them yet."""
    event = registration.event
    post_to_person(
        session,
        registration.person,
        kind="extra_date",
        now=now,
        mail=Mail(
            subject=f"Zusatztermin: {event_subject(event)}",
            paragraphs=(
                f"für die Warteliste vom {formats.day_span(source.first_day, source.last_day)} "
                "gibt es einen Zusatztermin. "
                + (
                    f"Wir haben Sie dort angemeldet. {_decided_by_office(event)}"
                    if awaits_admission(event.admission, event.admitted_at)
                    else "Wir haben Sie dort in derselben Reihenfolge auf die Warteliste gesetzt."
                ),
                "Ihre Stelle auf der bisherigen Warteliste behalten Sie, bis Sie an einem der "
                "Termine einen Platz haben.",
            ),
            facts=event_facts(event),
            link=("Meine Anmeldungen", MY_REGISTRATIONS),
            closing=("Der Zusatztermin passt Ihnen nicht? Dann melden Sie sich dort bitte unter "
                     "„Meine Anmeldungen“ ab.",),
        ),
    )  # fmt: skip


def course_planned(session: Session, request: CourseRequest, event: Event, now: datetime) -> None:
    """Tell whoever asked for a course that the office plans it."""
    post_to_person(
        session,
        request.person,
        kind="course_planned",
        now=now,
        mail=Mail(
            subject=f"Ihr Kurs ist in Planung: {request.template.title}",
            paragraphs=(
                f"wir planen den Kurs für {request.organisation.name}. Vorgesehen ist der "
                f"{formats.day_span(event.first_day, event.last_day)}; Ort und Leitung stimmen wir "
                "noch ab.",
                "Sobald der Termin veröffentlicht ist, steht er in der Liste der Veranstaltungen. "
                "Ihre Beschäftigten melden sich dort an.",
            ),
            facts=_request_facts(request),
            link=("Meine Anfragen", COURSE_REQUESTS),
        ),
    )


def course_declined(session: Session, request: CourseRequest, now: datetime) -> None:
    """Tell whoever asked for a course that there will be none, and why."""
    post_to_person(
        session,
        request.person,
        kind="course_declined",
        now=now,
        mail=Mail(
            subject=f"Ihre Anfrage: {request.template.title}",
            paragraphs=(
                f"den gewünschten Kurs für {request.organisation.name} können wir leider nicht "
                "anbieten.",
                f"Grund: {request.answer}",
            ),
            facts=_request_facts(request),
            link=("Meine Anfragen", COURSE_REQUESTS),
        ),
    )


def _request_facts(request: CourseRequest) -> tuple[tuple[str, str], ...]:
    return outbox.facts(
        ("Veranstaltung", request.template.title),
        ("Teilnehmende", str(request.participants)),
        ("Zeitraum", request.period),
    )


def _date(registration: Registration) -> str:
    event = registration.event
    return f"{formats.day_span(event.first_day, event.last_day)} ({event.number})"
