"""What a phone sends: recordings with its own clock, read with suspicion, and what comes of each.

Pure functions over plain values; the table of conflicts is in docs/attendance.md.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from trainings.attendance.models import LONGEST_MINUTES, AttendanceMark, RecordingKind
from trainings.attendance.rules import THERE, Change, Entry, Mark, fold, normalise_ticket
from trainings.core.fields import FIRST_YEAR, LARGEST_ID, LAST_YEAR
from trainings.core.text import clean

MOST_RECORDINGS = 500
LONGEST_NAME = 160
CLOCK_TOLERANCE = timedelta(minutes=2)
"""A clock that differs by no more is taken as it is: sending takes time, too."""
_KEY = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_HASH = re.compile(r"[0-9a-f]{64}")
_MARKS: Mapping[str, Mark] = {**{mark.value: mark for mark in AttendanceMark}, "open": None}
_UNREADABLE = (
    "Diese Erfassung ließ sich nicht lesen. Gespeichert ist nichts: Bitte tragen Sie sie in der "
    "Liste nach."
)


class Outcome(StrEnum):
    """What came of a recording; one that was refused has the code of an `Answer` instead."""

    RECORDED = "recorded"
    ALREADY = "already_recorded"
    """Was present before."""
    SUPERSEDED = "superseded"
    """Kept, but another recording is in force."""
    UNDONE = "undone"
    WALK_IN = "walk_in_recorded"
    MALFORMED = "malformed"
    """Nothing is stored: the phone keeps it and shows it."""


class UnreadableError(Exception):
    """The request as a whole makes no sense."""


@dataclass(frozen=True)
class Recording:
    """One recording as a phone sent it.

    Attributes:
        sent_key: the key as it was sent, for the answer.
        key: the same as it is stored.
        kind: of the recording.
        at: by the phone's clock.
        session_id: the session that it names; None: there was none that day.
        registration_id: whose, if chosen by name.
        hash: of the ticket, if that was read.
        ticket: the ticket itself, only of a scan that is sent at once.
        says: mark and minutes.
        undoes: the key of the recording that is taken back.
        name: of somebody without a registration.
        organisation: likewise.

    """

    sent_key: str
    key: str
    kind: RecordingKind
    at: datetime
    session_id: int | None
    registration_id: int | None = None
    hash: str = ""
    ticket: str = ""
    says: Entry = THERE
    undoes: str = ""
    name: str = ""
    organisation: str = ""


@dataclass(frozen=True)
class Unreadable:
    """A recording that could not be read; its key as far as it has one."""

    sent_key: str
    sentence: str = _UNREADABLE


def parse_instant(raw: object) -> datetime:
    """Return an instant from ISO 8601 with a time zone.

    Raises:
        ValueError: it is none, or outside of the years that are planned in.

    """
    if not isinstance(raw, str) or len(raw) > 40:
        raise ValueError
    value = datetime.fromisoformat(raw)
    if value.tzinfo is None or not FIRST_YEAR < value.year < LAST_YEAR:
        raise ValueError
    return value.astimezone(UTC)


def parse_request(raw: object) -> tuple[datetime, list[Recording | Unreadable]]:
    """Return when a phone sent its queue, by its own clock, and the recordings in their order.

    Raises:
        UnreadableError: not the shape of a request at all.

    """
    if not isinstance(raw, dict) or not isinstance(raw.get("recordings"), list):
        raise UnreadableError
    try:
        sent_at = parse_instant(raw.get("sent_at"))
    except ValueError as error:
        raise UnreadableError from error
    return sent_at, [_parse(each) for each in raw["recordings"]]


def _parse(raw: object) -> Recording | Unreadable:
    values = raw if isinstance(raw, dict) else {}
    key = values.get("key")
    sent_key = key[:64] if isinstance(key, str) else ""
    try:
        return _recording(values, sent_key)
    except ValueError:
        return Unreadable(sent_key)


def _recording(values: Mapping[str, Any], sent_key: str) -> Recording:
    kind = RecordingKind(_string(values.get("kind")))
    key = _matching(_KEY, sent_key.lower())
    at = parse_instant(values.get("at"))
    session_id = _id(values.get("session"))
    registration_id = _id(values.get("registration"))
    if kind is RecordingKind.WALK_IN:
        name, organisation = _text(values.get("name")), _text(values.get("organisation"))
        if not name:
            raise ValueError
        return Recording(sent_key, key, kind, at, session_id, name=name, organisation=organisation)
    says, hashed, ticket, undoes = THERE, "", "", ""
    if kind is RecordingKind.SET:
        says = _entry(values)
    if kind is RecordingKind.UNDO:
        undoes = _matching(_KEY, _string(values.get("undoes")).lower())
    if kind in (RecordingKind.SEEN, RecordingKind.UNDO) and registration_id is None:
        ticket = normalise_ticket(_string(values.get("ticket")))[:32]
        hashed = _string(values.get("hash"))
        # Without either, only somebody without a registration can be meant: they have no ticket.
        if hashed or kind is RecordingKind.SEEN:
            hashed = _matching(_HASH, hashed)
    elif registration_id is None:
        raise ValueError
    return Recording(
        sent_key, key, kind, at, session_id, registration_id, hashed, ticket, says, undoes
    )


def _entry(values: Mapping[str, Any]) -> Entry:
    mark = _string(values.get("mark"))
    if mark not in _MARKS:
        raise ValueError
    late, early = values.get("late") or 0, values.get("early") or 0
    for minutes in (late, early):
        if type(minutes) is not int or not 0 <= minutes <= LONGEST_MINUTES:
            raise ValueError
    return Entry(_MARKS[mark], late, early)


def _id(raw: object) -> int | None:
    if raw is None:
        return None
    # `True` is an int to Python, not to us.
    if type(raw) is not int or not 0 < raw <= LARGEST_ID:
        raise ValueError
    return raw


def _string(raw: object) -> str:
    if raw is None:
        return ""
    if not isinstance(raw, str):
        raise ValueError
    return raw


def _text(raw: object) -> str:
    text = clean(_string(raw))
    if len(text) > LONGEST_NAME:
        raise ValueError
    return text


def _matching(pattern: re.Pattern[str], text: str) -> str:
    if not pattern.fullmatch(text):
        raise ValueError
    return text


def corrected(instants: Sequence[datetime], sent_at: datetime, now: datetime) -> list[datetime]:
    """Return when things were recorded, by the server's clock; nothing is later than `now`.

    A phone's clock that differs by more than two minutes is corrected by the difference. One that
    is a little ahead would record in the future: then the whole request moves back as far as it
    must, so that its order stays.

    Args:
        instants: of the recordings of one request, by the phone's clock.
        sent_at: when the phone sent them, by the same clock.
        now: when they arrived.

    """
    difference = now - sent_at
    shift = difference if abs(difference) > CLOCK_TOLERANCE else timedelta(0)
    moved = [at + shift for at in instants]
    ahead = max(
        (at - now for at in moved if now < at <= now + CLOCK_TOLERANCE), default=timedelta(0)
    )
    return [min(at - ahead, now) for at in moved]


def outcome_of(change: Change, known: Sequence[Change]) -> tuple[Outcome, Change | None]:
    """Return what came of a recording that was kept, and the recording that is in force.

    Args:
        change: the recording.
        known: those of the same person and session that had arrived with it, itself included.

    """
    entry, deciding = fold(known)
    if change.kind is RecordingKind.UNDO:
        return Outcome.UNDONE, deciding
    undone = any(other.undoes_key == change.key for other in known)
    if deciding is not None and deciding.key == change.key:
        return Outcome.RECORDED, deciding
    if not undone and change.kind is RecordingKind.SET and entry == change.new:
        return Outcome.RECORDED, deciding
    if not undone and change.kind is not RecordingKind.SET and entry.mark is THERE.mark:
        return Outcome.ALREADY, deciding
    return Outcome.SUPERSEDED, deciding


def salt_of(secret_key: str, number: str) -> str:
    """Return the salt of an event's ticket hashes: it stays, and nobody can guess it."""
    message = f"roster {number}".encode()
    return hmac.new(secret_key.encode(), message, hashlib.sha256).hexdigest()[:32]


def ticket_hash(salt: str, ticket: str) -> str:
    """Return what stands for a ticket on a phone."""
    return hashlib.sha256(f"{salt}:{ticket}".encode()).hexdigest()
