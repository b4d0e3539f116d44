"""What the pages of certificates say."""

from __future__ import annotations

from datetime import date

from trainings.attendance.certificates.issuing import Issuance
from trainings.attendance.certificates.reads import Standing
from trainings.attendance.models import CERTIFICATE_NAMES, Certificate, VoidReason
from trainings.core.formats import count, day_span

Status = tuple[str, str, str, str]
"""Icon, word, tone, detail: as the macro `state` takes them."""


def standing_status(standing: Standing, *, closed: bool, outdated: bool, by_office: bool) -> Status:
    """Return where somebody's certificate is.

    Args:
        standing: what was attended and issued.
        closed: whether the attendance of the event is closed.
        outdated: name, title or anything else that it says is another one now.
        by_office: why the office took one back is for the office to read, and for the person.

    """
    valid, last = standing.valid, standing.last
    if valid is not None:
        if valid.content is None:
            return "info", "nicht mehr gespeichert", "off", ""
        if outdated:
            return "exclamation-ring", "gültig", "warn", "mit früheren Angaben"
        return "check-ring", "gültig", "ok", ""
    if last is not None and last.void_reason is VoidReason.WITHDRAWN:
        return "cross-ring", "zurückgezogen", "bad", last.void_note if by_office else ""
    if standing.due is None:
        return "dashed-ring", "keine", "off", "nichts besucht" if closed else ""
    if standing.on_request:
        return "dashed-ring", "auf Anfrage", "off", ""
    if not closed:
        return "clock", "nach dem Abschluss", "off", ""
    return "exclamation-ring", "noch nicht ausgestellt", "warn", ""


def own_status(certificate: Certificate) -> Status:
    """Return what holds of somebody's own certificate."""
    if certificate.voided_at is not None:
        return "cross-ring", *void_words(certificate)
    if certificate.content is None:
        return "info", "Nicht mehr gespeichert", "off", ""
    return "check-ring", "Gültig", "ok", ""


def void_words(certificate: Certificate) -> tuple[str, str, str]:
    """Return word, tone and detail of a certificate that is not valid."""
    if certificate.replaced_by is not None:
        return "Ersetzt", "off", f"durch {certificate.replaced_by.number}"
    if certificate.void_reason is VoidReason.WITHDRAWN:
        note = certificate.void_note
        return "Zurückgezogen", "bad", f"Grund der Geschäftsstelle: {note}" if note else ""
    return "Ungültig", "bad", "nach einer Korrektur"


def issuance_sentence(done: Issuance) -> str:
    """Return what came of issuing."""
    if not done.issued and not done.voided:
        return "Es war nichts zu tun: Alles, was fällig ist, ist ausgestellt."
    sentences = []
    if done.issued:
        sentences.append(
            count(
                len(done.issued),
                "Bescheinigung ist ausgestellt; die Mail liegt im Postausgang.",
                "Bescheinigungen sind ausgestellt; die Mails liegen im Postausgang.",
            )
        )
    if done.voided:
        sentences.append(count(len(done.voided), "frühere gilt", "frühere gelten") + " nicht mehr.")
    return " ".join(sentences)


def days_of(certificate: Certificate) -> str:
    """Return „12.–13.03.2026“ of a certificate that is still stored."""
    days = [date.fromisoformat(found["day"]) for found in (certificate.content or {})["sessions"]]
    return day_span(min(days), max(days))


KIND_WORDS = {
    kind: name.replace("nahmeb", "nahme\u00adb") for kind, name in CERTIFICATE_NAMES.items()
}
"""The names with a soft hyphen, for the narrow columns of tables."""
