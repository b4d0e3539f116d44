"""How the state of an event or a registration is said: icon, word, tone, and what follows."""

from __future__ import annotations

from datetime import datetime

from trainings.core import formats
from trainings.core.actors import Actor
from trainings.core.clock import berlin_day
from trainings.events.models import EventState
from trainings.registrations.event_queries import EventRow
from trainings.registrations.models import CourseRequestState, RegistrationState
from trainings.registrations.offer_queries import QueueNews
from trainings.registrations.queries import MyPlace

Status = tuple[str, str, str, str]
"""Icon, word, tone (ok, warn, bad, info, mine, off), second line: what the macro `state` wants."""

SCARCE = 2
"""So many free places or fewer are called scarce."""


STATE_STATUS: dict[RegistrationState, tuple[str, str, str]] = {
    RegistrationState.AWAITING_RELEASE: ("clock", "Freigabe steht aus", "warn"),
    RegistrationState.WAITING: ("list", "Warteliste", "info"),
    RegistrationState.OFFERED: ("exclamation-ring", "Platz angeboten", "warn"),
    RegistrationState.PLACED: ("check-ring", "Zugesagt", "ok"),
}
"""What a list says of somebody else's active registration: icon, word, tone."""
COURSE_REQUEST_STATUS: dict[CourseRequestState, tuple[str, str, str]] = {
    CourseRequestState.OPEN: ("clock", "In Prüfung", "info"),
    CourseRequestState.PLANNED: ("calendar", "Wird geplant", "ok"),
    CourseRequestState.DECLINED: ("cross-ring", "Abgelehnt", "bad"),
}
"""Icon, word and tone of an organisation's request for a course."""


def event_status(row: EventRow, actor: Actor, now: datetime) -> Status:
    """Return what a list says of an event to one person."""
    if row.state is EventState.CANCELLED:
        return ("cross-ring", "Abgesagt", "bad", _replacement(row))
    if row.mine is not None:
        return registration_status(row.mine)
    if now < row.opens_at:
        opens = formats.long_date(berlin_day(row.opens_at))
        return ("calendar", "Noch nicht geöffnet", "off", f"Anmelden ab {opens}")
    if now >= row.closes_at:
        return ("lock", "Anmeldung geschlossen", "off", "")
    until = f"Anmelden bis {formats.long_date(formats.deadline_day(row.closes_at))}"
    if row.awaits_admission:
        return ("calendar", "Anmeldung offen", "ok", f"{until}, Plätze werden danach zugelassen")
    if actor.person_id is None:
        return ("calendar", "Anmeldung offen", "ok", until)
    free = row.places.free_for(actor.counted_for)
    if free == 0:
        waiting = formats.count(row.waiting, "Person", "Personen")
        return ("list", "Ausgebucht", "info", f"Warteliste: {waiting}" if row.waiting else until)
    if free <= SCARCE:
        return ("exclamation-ring", f"Noch {formats.count(free, 'Platz', 'Plätze')}", "warn", until)
    return ("check-ring", f"{free} freie Plätze", "ok", until)


def registration_status(mine: MyPlace) -> Status:
    """Return what is said of a person's own active registration."""
    if mine.state is RegistrationState.PLACED:
        return ("ticket", "Sie haben einen Platz", "mine", "")
    if mine.state is RegistrationState.WAITING and mine.awaits_admission:
        return ("clock", "Antrag eingegangen", "info", "Zulassung nach Anmeldeschluss")
    if mine.state is RegistrationState.WAITING:
        return ("list", "Warteliste", "info", f"Sie sind an {mine.position}. Stelle")
    if mine.state is RegistrationState.OFFERED:
        until = (
            f"Bitte antworten bis {formats.instant(mine.offer_until)}" if mine.offer_until else ""
        )
        return ("exclamation-ring", "Platz angeboten", "warn", until)
    return ("clock", "Freigabe steht aus", "warn", "")


_OWN_STEPS = {
    "offer_missed": "Sie haben ein Angebot verstreichen lassen und stehen seitdem am Ende.",
    "offer_gave_way": "Ein Platz von Ihnen wurde auf dieselbe Zeit verlegt, deshalb gilt unser "
    "Angebot nicht mehr.",
}


def queue_sentence(news: QueueNews) -> str:
    """Return why somebody's position on a waiting list last changed."""
    day = formats.long_date(berlin_day(news.at))
    if news.own:
        why = _OWN_STEPS.get(news.reason, "Die Geschäftsstelle hat Ihre Stelle geändert.")
    elif news.reason == "moved_by_office":
        why = "Die Geschäftsstelle hat die Reihenfolge geändert."
    elif news.reason == "offer_gave_way":
        why = "Eine Person vor Ihnen steht wieder auf der Warteliste."
    elif news.to_state in (RegistrationState.PLACED, RegistrationState.OFFERED):
        why = "Eine Person vor Ihnen hat einen Platz bekommen."
    else:
        why = "Eine Person vor Ihnen hat die Warteliste verlassen."
    return f"Zuletzt geändert am {day}: {why}"


_ENDED: dict[str, Status] = {
    "placed_elsewhere": ("check-ring", "Platz an einem anderen Termin", "off", ""),
    "wish_ended": ("undo", "Wunsch zurückgezogen", "off", ""),
    "offer_declined": ("undo", "Angebot abgelehnt", "off", ""),
}


def past_status(
    state: RegistrationState, by_wish: str | None = None, *, unreleased: bool = False
) -> Status:
    """Return what is said of a registration that is over.

    Args:
        state: of the registration.
        by_wish: why it ended, if that tells more than the state (`demand_queries.ended_by_wish`).
        unreleased: it expired because the organisation did not decide.

    """
    if unreleased:
        return ("clock", "Nicht rechtzeitig freigegeben", "bad", "")
    if by_wish is not None:
        return _ENDED[by_wish]
    words = {
        RegistrationState.PLACED: ("check-ring", "Angemeldet", "ok"),
        RegistrationState.WITHDRAWN: ("undo", "Platz zurückgegeben", "off"),
        RegistrationState.CANCELLED: ("cross-ring", "Veranstaltung abgesagt", "bad"),
        RegistrationState.DECLINED: ("cross-ring", "Nicht freigegeben", "bad"),
        RegistrationState.SUBSTITUTED: ("group", "Ersatzperson benannt", "off"),
        RegistrationState.WALK_IN: ("check-ring", "Ohne Anmeldung dabei", "ok"),
    }
    icon, word, tone = words.get(state, ("list", "Kein Platz frei geworden", "off"))
    return (icon, word, tone, "")


def _replacement(row: EventRow) -> str:
    return f"Ersatztermin: {formats.day_span(*row.replacement)}" if row.replacement else ""
