"""The two mails of a survey: the invitation and the one reminder.

Their link is known to nobody but the person who gets it: `fleeting` deletes it from the row when
the mail has left.
"""

from __future__ import annotations

from trainings.core.formats import long_date
from trainings.core.outbox import Mail
from trainings.events.models import Event
from trainings.feedback.models import Survey, SurveyKind
from trainings.feedback.surveys.rights import answer_path
from trainings.registrations.mail_parts import event_facts

CONFIDENTIALITY_PATH = "/rueckmeldung/vertraulichkeit"
_ANSWER = "Fragen beantworten"
_ANONYMOUS = (
    "Ihre Antworten sind freiwillig und anonym: Behalten wird nur, wie oft jede Antwort gewählt "
    "wurde, ohne Namen, Uhrzeit und Reihenfolge; freie Texte stehen für sich."
)
_KEEP_IT = (
    "Der Link gilt für eine einzige Antwort. Bitte geben Sie ihn und diese Mail nicht weiter, "
    "sonst antwortet jemand anderes an Ihrer Stelle."
)


def invitation(survey: Survey, event: Event, code: str) -> Mail:
    """Return the mail that asks somebody who attended.

    Args:
        survey: open.
        event: that they attended.
        code: their right to answer.

    """
    if survey.kind is SurveyKind.FOLLOW_UP:
        subject = f"Drei Monate danach: {event.title}, {event.number}"
        first = (
            "vor drei Monaten waren Sie dabei. Was ist geblieben, und was konnten Sie anwenden? "
            "Mit Ihrer Antwort werden die nächsten Veranstaltungen besser."
        )
    else:
        subject = f"Wie war es? Ihre Rückmeldung: {event.title}, {event.number}"
        first = (
            "danke, dass Sie dabei waren. Wie war es für Sie? Mit Ihrer Antwort werden die "
            "nächsten Veranstaltungen besser."
        )
    return _mail(survey, event, code, subject, first)


def reminder(survey: Survey, event: Event, code: str) -> Mail:
    """Return the mail that goes to all who were asked, whether they have answered or not."""
    return _mail(
        survey,
        event,
        code,
        f"Noch Zeit für Ihre Rückmeldung: {event.title}, {event.number}",
        "vor einigen Tagen haben wir Sie um eine Rückmeldung gebeten. Diese eine Erinnerung "
        "bekommen alle, denn wir sehen nicht nach, wer schon geantwortet hat. Falls Sie es schon "
        "getan haben: danke, dann ist nichts weiter zu tun.",
    )


def _mail(survey: Survey, event: Event, code: str, subject: str, first: str) -> Mail:
    until = long_date(survey.closes_on) if survey.closes_on else ""
    return Mail(
        subject=subject,
        paragraphs=(first, f"Es dauert etwa zwei Minuten und geht bis {until}.", _ANONYMOUS),
        facts=event_facts(event),
        link=(_ANSWER, answer_path(code)),
        closing=(_KEEP_IT,),
        way_out=("Wie wir Ihre Antworten schützen", CONFIDENTIALITY_PATH),
        fleeting=True,
    )
