"""Certificates: 428 as one PDF, and one by one; time, size, and what it costs in memory.

Each way runs in a process of its own, so that one's memory is not counted for the other.
"""

from __future__ import annotations

import multiprocessing
import resource
from collections.abc import Callable
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from time import perf_counter

from bench.figures import Figure, median_of_runs
from bench.stage import Stage
from trainings import create_app
from trainings.attendance.certificates.issuing import new_code
from trainings.attendance.certificates.papers import certificate_document, certificates_zip
from trainings.attendance.models import Certificate, CertificateKind
from trainings.core.settings import Settings, current_settings

CERTIFICATES = 428
SECONDS_FOR_ALL = 10
SINGLE = 50


def measure_certificates(stage: Stage) -> list[Figure]:
    """Make papers without a database: what they say is stored with the certificate."""
    with stage.app.app_context():
        one = median_of_runs(lambda: _milliseconds_each(SINGLE))
        figures = [Figure("a certificate as PDF", one, "ms")]
        for name, make in (("as one PDF", _in_one), ("as ZIP, one by one", _one_by_one)):
            taken, size, memory = _apart(make, current_settings())
            note = f"{size / 1e6:.1f} MB, {memory:.0f} MB of memory more"
            words = f"{CERTIFICATES} certificates {name}"
            figures.append(Figure(words, taken, "s", SECONDS_FOR_ALL, note=note))
    return figures


def certificates(count: int) -> list[Certificate]:
    """Return certificates of a course of two days, each with a name and a code of its own."""
    sessions = [
        {"day": f"2026-03-{day}", "begins": begins, "ends": ends, "label": "", "attended": 195}
        for day in (12, 13)
        for begins, ends in (("09:00", "12:15"), ("13:15", "16:30"))
    ]
    return [
        Certificate(
            number=f"SIKO-2026-014-{index:03d}",
            code=new_code(),
            kind=CertificateKind.CERTIFICATE,
            attended_minutes=780,
            planned_minutes=780,
            issued_at=datetime(2026, 3, 13, 16, tzinfo=UTC),
            content={
                "name": f"Dr. Kübra Öztürk-Lindner {index}",
                "initials": "K. Ö.",
                "organisation": "Stadt Essen",
                "kind_name": "Training",
                "title": "Professioneller Umgang mit Konflikten",
                "event_number": "2026-014",
                "contents": ["Hintergrundwissen", "Aggression und Gewalt", "Kommunikation"],
                "sessions": sessions,
                "town": "Essen",
                "trainers": ["Jördis Kałuża", "Ann-Kathrin Wietfeld"],
                "office": "Sicherheitskooperation Ruhr",
            },
        )
        for index in range(1, count + 1)
    ]


def _milliseconds_each(count: int) -> float:
    found = certificates(count)
    begin = perf_counter()
    for each in found:
        certificate_document([each])
    return (perf_counter() - begin) * 1000 / count


def _in_one() -> bytes:
    return certificate_document(certificates(CERTIFICATES)).pdf


def _one_by_one() -> bytes:
    return certificates_zip(certificates(CERTIFICATES))


def _apart(make: Callable[[], bytes], settings: Settings) -> tuple[float, int, float]:
    """Run in a new process; return seconds, bytes made, and megabytes that it needed more."""
    # Not a forked one: the threads of the typesetter would be missing in it.
    context = multiprocessing.get_context("spawn")
    receiving, sending = context.Pipe(duplex=False)
    process = context.Process(target=_measured, args=(make, settings, sending))
    process.start()
    found: tuple[float, int, float] = receiving.recv()
    process.join()
    return found


def _measured(make: Callable[[], bytes], settings: Settings, sending: Connection) -> None:
    with create_app(settings).app_context():
        certificate_document(certificates(1))
        before = _most_memory()
        begin = perf_counter()
        size = len(make())
        sending.send((perf_counter() - begin, size, _most_memory() - before))


def _most_memory() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
