"""What came of one recording, as the phone gets it back."""

from __future__ import annotations

from dataclasses import dataclass

from trainings.attendance.door.sync_rules import Outcome, Recording
from trainings.attendance.door.sync_wording import words_of
from trainings.attendance.rules import Entry


@dataclass(frozen=True)
class Result:
    """What came of one recording.

    Attributes:
        key: as the phone sent it.
        outcome: code of an `Outcome` or an `Answer`.
        word: large on the screen.
        sentence: below it.
        registration_id: whose; None where nobody is known, or nobody may be named.
        name: as lists sort it.
        organisation: with its unit.
        session_id: the session.
        by: who made the recording that is in force.
        at: when, „08:57“.
        entry: what is recorded now.
        kept_as: the key of the same scan that waits for the office in place of this one.

    """

    key: str
    outcome: str
    word: str
    sentence: str
    registration_id: int | None = None
    name: str = ""
    organisation: str = ""
    session_id: int | None = None
    by: str = ""
    at: str = ""
    entry: Entry | None = None
    kept_as: str = ""


def said(recording: Recording, outcome: Outcome, name: str = "", *, sentence: str = "") -> Result:
    """Return what is said of a recording without naming anybody but who was typed in."""
    word, usual = words_of(outcome)
    return Result(
        key=recording.sent_key,
        outcome=outcome,
        word=word,
        sentence=sentence or usual,
        name=name,
        session_id=recording.session_id,
    )


def nothing(sent_key: str, sentence: str = "") -> Result:
    """Return that nothing was stored."""
    word, usual = words_of(Outcome.MALFORMED)
    return Result(sent_key, Outcome.MALFORMED, word, sentence or usual)
