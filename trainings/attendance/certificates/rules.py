"""The rules of certificates: minutes planned and attended, which paper is due, how it is named.

Pure functions over plain values. Attended counts what was recorded: who is absent, excused or not
recorded attended nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TypedDict

from trainings.attendance.models import AttendanceMark, CertificateKind
from trainings.attendance.rules import Entry, SessionTime
from trainings.events.models import EventKind

TEACHING_UNIT = 45
"""Minutes of an Unterrichtseinheit, in which careers and remuneration are counted."""
KEPT_FOR = timedelta(days=3653)
"""How long what a certificate says is stored, from when it was issued: ten years."""
CERTIFIED_KINDS = frozenset({EventKind.TRAINING, EventKind.CONFERENCE, EventKind.BRIEFING})
"""Further education. Sittings and leaders' meetings are work: a paper for them only on request."""


@dataclass(frozen=True)
class AttendedTime:
    """How much of an event somebody attended.

    Attributes:
        by_session: minutes of each session, in their order.
        planned: minutes of all sessions.

    """

    by_session: tuple[int, ...]
    planned: int

    @property
    def attended(self) -> int:
        """Minutes of all sessions together."""
        return sum(self.by_session)

    def reaches(self, share: int) -> bool:
        """Say whether at least this share of the planned time, in percent, was attended."""
        return self.attended > 0 and 100 * self.attended >= share * self.planned


class SessionLine(TypedDict):
    """What a certificate says of one session; the day in ISO form."""

    day: str
    begins: str
    ends: str
    label: str
    attended: int


class Content(TypedDict):
    """What a certificate says, as it was when it was issued."""

    name: str
    initials: str
    organisation: str
    kind_name: str
    title: str
    event_number: str
    contents: list[str]
    sessions: list[SessionLine]
    town: str
    trainers: list[str]
    office: str


def minutes_at(session: SessionTime, entry: Entry) -> int:
    """Return how many minutes of a session somebody attended."""
    if entry.mark is not AttendanceMark.PRESENT:
        return 0
    return max(0, session.minutes - entry.late - entry.early)


def attended_time(
    sessions: Sequence[SessionTime], entries: Sequence[Entry], made_up: Mapping[int, int]
) -> AttendedTime:
    """Return how much of an event somebody attended.

    Args:
        sessions: of the event.
        entries: one for each session, in their order.
        made_up: minutes attended at another event instead, by session; each counts up to the length
            of the session that was missed, and not on top of what was attended of it.

    """
    return AttendedTime(
        tuple(
            max(minutes_at(found, entry), min(made_up.get(found.id, 0), found.minutes))
            for found, entry in zip(sessions, entries, strict=True)
        ),
        sum(found.minutes for found in sessions),
    )


def kind_due(
    time: AttendedTime, share: int, *, below_share: bool = False
) -> CertificateKind | None:
    """Return the paper that is due; None for who attended nothing.

    Args:
        time: what was attended.
        share: percent of the planned time from which on a certificate is issued.
        below_share: the office decided to issue a certificate nevertheless.

    """
    if not time.attended:
        return None
    if below_share or time.reaches(share):
        return CertificateKind.CERTIFICATE
    return CertificateKind.STATEMENT


def certificate_number(prefix: str, event_number: str, running: int) -> str:
    """Return „SIKO-2026-014-007“."""
    return f"{prefix}-{event_number}-{running:03d}"


def initials(given_name: str, family_name: str) -> str:
    """Return „K. Ö.“: what a stranger who verifies a certificate may compare, and no more."""
    firsts = (
        next((sign for sign in name if sign.isalpha()), "") for name in (given_name, family_name)
    )
    return " ".join(f"{letter.upper()}." for letter in firsts if letter)


def hours_words(minutes: int) -> str:
    """Return „7 Stunden 30 Minuten“."""
    hours, rest = divmod(minutes, 60)
    words = [f"{hours} {'Stunde' if hours == 1 else 'Stunden'}"] if hours else []
    if rest or not hours:
        words.append(f"{rest} {'Minute' if rest == 1 else 'Minuten'}")
    return " ".join(words)


def units_words(minutes: int) -> str:
    """Return „10 Unterrichtseinheiten zu 45 Minuten“; empty where it would not be exact."""
    units, rest = divmod(minutes, TEACHING_UNIT)
    if rest or not units:
        return ""
    word = "Unterrichtseinheit" if units == 1 else "Unterrichtseinheiten"
    return f"{units} {word} zu {TEACHING_UNIT} Minuten"


def contents_lines(contents: str, agenda_titles: Sequence[str]) -> list[str]:
    """Return the contents of a training as a list, without the marks of lists that people type.

    Args:
        contents: as the event says them, one in each line.
        agenda_titles: of its programme without breaks; they serve where nothing else is said.

    """
    lines = (line.strip().lstrip("-–•*").strip() for line in contents.splitlines())
    found = [line for line in lines if line]
    return list(dict.fromkeys(found or agenda_titles))
