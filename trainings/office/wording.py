"""Words for codes that the office reads: what happened to an event, a mail, an organisation."""

from __future__ import annotations

from trainings.core.outbox import MailState
from trainings.events.models import EventState
from trainings.registrations.models import RegistrationState

Status = tuple[str, str, str]
"""Icon, word, tone: as the macro `state` takes them."""

ACTION_NAMES = {
    "event_created": "Angelegt",
    "event_copied": "Aus einer anderen Veranstaltung kopiert",
    "event_changed": "Angaben geändert",
    "event_agenda_set": "Programm geändert",
    "event_dates_set": "Termine und Ort geändert",
    "event_capacity_set": "Plätze geändert",
    "event_trainers_set": "Leitung geändert",
    "event_hosts_set": "Organisationen geändert",
    "event_invitations_set": "Einladungen geändert",
    "event_published": "Veröffentlicht",
    "event_held": "Abgeschlossen",
    "attendance_closed": "Anwesenheit abgeschlossen",
    "attendance_reopened": "Anwesenheit wieder geöffnet",
    "event_moved": "Verlegt",
    "cards_planned": "Taschenkarten geplant",
    "event_cancelled": "Abgesagt",
    "event_admitted": "Zulassung bestätigt",
    "extra_date_created": "Zusatztermin angelegt",
    "waiting_list_taken_along": "Warteliste übernommen",
    "capacity_changed": "Plätze geändert",
    "contingent_set": "Kontingent gesetzt",
    "contingent_removed": "Kontingent aufgehoben",
    "contingent_returned": "Plätze eines Kontingents zurückgegeben",
    "requests_ranked": "Reihenfolge einer Organisation geändert",
    "organisation_added": "Angelegt",
    "organisation_changed": "Angaben geändert",
    "organisation_domains_set": "Domains geändert",
    "organisation_retired": "Stillgelegt",
    "organisation_reactivated": "Wieder aufgenommen",
    "organisation_merged": "Zusammengeführt",
}

EVENT_STATUS: dict[EventState, Status] = {
    EventState.DRAFT: ("edit", "Entwurf", "off"),
    EventState.PUBLISHED: ("calendar", "Veröffentlicht", "info"),
    EventState.HELD: ("check-ring", "Durchgeführt", "ok"),
    EventState.CANCELLED: ("cross-ring", "Abgesagt", "bad"),
}

REGISTRATION_STATUS: dict[RegistrationState, Status] = {
    RegistrationState.AWAITING_RELEASE: ("exclamation-ring", "Freigabe steht aus", "warn"),
    RegistrationState.WAITING: ("list", "Warteliste", "warn"),
    RegistrationState.OFFERED: ("clock", "Platz angeboten", "warn"),
    RegistrationState.PLACED: ("check-ring", "Zugesagt", "ok"),
    RegistrationState.DECLINED: ("cross-ring", "Nicht freigegeben", "bad"),
    RegistrationState.EXPIRED: ("cross-ring", "Kein Platz frei geworden", "off"),
    RegistrationState.WITHDRAWN: ("undo", "Platz zurückgegeben", "off"),
    RegistrationState.CANCELLED: ("cross-ring", "Abgesagt", "off"),
    RegistrationState.SUBSTITUTED: ("user", "Ersatzperson benannt", "off"),
    RegistrationState.WALK_IN: ("user", "Ohne Anmeldung dabei", "info"),
}

MAIL_STATUS: dict[MailState, Status] = {
    MailState.DUE: ("clock", "Im Postausgang", "info"),
    MailState.SENT: ("check-ring", "Zugestellt", "ok"),
    MailState.FAILED: ("cross-ring", "Nicht zugestellt", "bad"),
    MailState.DROPPED: ("undo", "Nicht mehr gesendet", "off"),
}
MAIL_STATE_NAMES = {state: status[1] for state, status in MAIL_STATUS.items()}


def action_name(action: str) -> str:
    """Return what a code of the audit says, in German."""
    return ACTION_NAMES.get(action, "Geändert")
