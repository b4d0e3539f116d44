"""Certificates as PDF, single, all in one, and as ZIP."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from datetime import date, time
from urllib.parse import urlsplit

from sqlalchemy.orm import Session

from trainings.attendance.certificates.rules import hours_words, units_words
from trainings.attendance.models import CERTIFICATE_NAMES, Certificate, CertificateKind
from trainings.core.clock import berlin_day, to_berlin
from trainings.core.documents import Document, Paper, render_all
from trainings.core.formats import day_and_span, join_words, short_date
from trainings.core.qr import qr_modules
from trainings.core.settings import Settings, current_settings
from trainings.core.text import sort_key
from trainings.registrations.tickets import in_groups

_SENTENCES = {
    CertificateKind.CERTIFICATE: "hat teilgenommen an",
    CertificateKind.STATEMENT: "hat einen Teil dieser Veranstaltung besucht:",
}


def code_path(code: str) -> str:
    """Return the address that verifies a certificate; it stands on paper."""
    return f"/bescheinigung/{code}"


def certificate_document(certificates: Sequence[Certificate]) -> Document:
    """Make one PDF of certificates, a page each.

    Args:
        certificates: at least one, all with their contents.

    """
    (document,) = render_all([_paper(certificates)])
    return document


def certificate_attachment(session: Session, certificate_id: int) -> bytes | None:
    """Return the PDF for a mail that is about to leave; None if it is valid no longer."""
    found = session.get(Certificate, certificate_id)
    if found is None or found.content is None or found.voided_at is not None:
        return None
    return certificate_document([found]).pdf


def certificates_zip(certificates: Sequence[Certificate]) -> bytes:
    """Return certificates as a ZIP with one PDF each, named by number and person."""
    documents = render_all([_paper([found]) for found in certificates])
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for found, document in zip(certificates, documents, strict=True):
            made = to_berlin(found.issued_at).timetuple()[:6]
            archive.writestr(zipfile.ZipInfo(f"{file_name(found)}.pdf", made), document.pdf)
    return packed.getvalue()


def file_name(certificate: Certificate) -> str:
    """Return „SIKO-2026-014-007-kubra-ozturk“: plain letters, which every system can write."""
    name = sort_key(str(_content(certificate)["name"])).replace(" ", "-")
    return f"{certificate.number}-{name}"[:100].rstrip("-")


def _paper(certificates: Sequence[Certificate]) -> Paper:
    settings = current_settings()
    first = certificates[0]
    if len(certificates) == 1:
        title = f"{CERTIFICATE_NAMES[first.kind]} {first.number}"
    else:
        title = f"Bescheinigungen {_content(first)['event_number']}"
    return Paper(
        "certificate",
        {"certificates": [_data(found, settings) for found in certificates]},
        title=title,
        at=max(found.issued_at for found in certificates),
    )


def _content(certificate: Certificate) -> dict[str, object]:
    if certificate.content is None:
        raise ValueError("What this certificate says is no longer stored.")
    return certificate.content


def _data(certificate: Certificate, settings: Settings) -> dict[str, object]:
    said = certificate.content or {}
    address = settings.base_url + code_path(certificate.code)
    return {
        "kind": CERTIFICATE_NAMES[certificate.kind],
        "short-name": certificate.kind is CertificateKind.CERTIFICATE,
        "sentence": _SENTENCES[certificate.kind],
        "office": said["office"],
        "address": " · ".join(settings.office_address[1:]),
        "name": said["name"],
        "organisation": said["organisation"],
        "title": said["title"],
        "facts": facts(certificate),
        "contents-label": "Inhalte",
        "contents": said["contents"],
        "issued": ", ".join(
            filter(None, (_office_town(settings), short_date(berlin_day(certificate.issued_at))))
        ),
        "trainers": f"Leitung: {join_words(said['trainers'])}" if said["trainers"] else "",
        "number": certificate.number,
        "letters": in_groups(certificate.code),
        "address-of-code": address,
        "shown-address": f"{urlsplit(settings.base_url).netloc}{code_path(certificate.code)}",
        "qr": qr_modules(address),
    }


def facts(certificate: Certificate) -> list[dict[str, object]]:
    """Return what a certificate says of when, where and how long: words and lines."""
    said = certificate.content or {}
    units = units_words(certificate.attended_minutes)
    attended = hours_words(certificate.attended_minutes)
    lines = [f"{attended} ({units})" if units else attended]
    if certificate.attended_minutes != certificate.planned_minutes:
        lines.append(f"von geplanten {hours_words(certificate.planned_minutes)}")
    found: list[tuple[str, list[str]]] = [
        ("Termine" if len(said["sessions"]) > 1 else "Termin", session_lines(certificate)),
        ("Ort", [said["town"]] if said["town"] else []),
        ("Besuchte Zeit", lines),
        ("Veranstaltung", [f"{said['kind_name']} {said['event_number']}"]),
    ]
    return [{"label": label, "lines": own} for label, own in found if own]


def session_lines(certificate: Certificate) -> list[str]:
    """Return the sessions in words; where not all was attended, with how much of each."""
    partial = certificate.attended_minutes != certificate.planned_minutes
    lines = []
    for found in (certificate.content or {})["sessions"]:
        span = day_and_span(
            date.fromisoformat(found["day"]),
            time.fromisoformat(found["begins"]),
            time.fromisoformat(found["ends"]),
        )
        attended = hours_words(found["attended"]) if found["attended"] else "nicht besucht"
        lines.append(f"{span}: {attended}" if partial else span)
    return lines


def _office_town(settings: Settings) -> str:
    """Return „Essen“ from „Müller-Breslau-Str. 28, 45130 Essen“."""
    place = settings.office_address[1].rpartition(",")[2].strip()
    return place.partition(" ")[2] if place[:5].isdigit() else ""
