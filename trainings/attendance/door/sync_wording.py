"""What the phone reads about each recording; the page keeps these words for when it is offline."""

from __future__ import annotations

from datetime import datetime

from trainings.attendance.closing.rules import is_day_only
from trainings.attendance.door.sync_rules import Outcome
from trainings.attendance.models import MARK_NAMES
from trainings.attendance.rules import Answer, Change, Entry
from trainings.attendance.wording import REFUSALS, moment, refusal_words
from trainings.core.clock import to_berlin
from trainings.core.formats import NO_BREAK_SPACE, clock_time

_OUTCOMES: dict[Outcome, tuple[str, str]] = {
    Outcome.RECORDED: ("Erfasst", "Die Erfassung ist gespeichert."),
    Outcome.ALREADY: ("Schon erfasst", "Die Person war schon als anwesend erfasst."),
    Outcome.SUPERSEDED: (
        "Andere Erfassung gilt",
        "Gespeichert, aber es gilt eine andere Erfassung.",
    ),
    Outcome.UNDONE: ("Zurückgenommen", "Die Erfassung ist zurückgenommen."),
    Outcome.WALK_IN: (
        "Ohne Anmeldung erfasst",
        "Die Geschäftsstelle ergänzt die Anmeldung später. Ein Platz ist damit nicht vergeben.",
    ),
    Outcome.MALFORMED: (
        "Nicht lesbar",
        "Diese Erfassung ließ sich nicht lesen. Gespeichert ist nichts: Bitte tragen Sie sie in "
        "der Liste nach.",
    ),
}
# A ticket page says it to whoever opened it; at the door of this event it reads differently.
_AT_THIS_DOOR = {
    Answer.OTHER_EVENT: (
        "Andere Veranstaltung",
        "Diese Eintrittskarte gehört zu einer anderen Veranstaltung.",
    ),
}
TOO_MANY_REFUSED = (
    "Von Ihnen liegen zu dieser Veranstaltung schon zu viele Erfassungen zur Klärung. Gespeichert "
    "ist nichts: Bitte wenden Sie sich an die Geschäftsstelle."
)
FOREIGN_UNDO = "Diese Rücknahme passt zu keiner Erfassung dieser Person in diesem Termin."
COMPLETED_WALK_IN = "Die Geschäftsstelle hat die Person schon nachgetragen."
WITHOUT_DAY = "Dieser Termin ist an einem späteren Tag."


def words_of(code: Outcome | Answer) -> tuple[str, str]:
    """Return a word and a sentence that fit any recording with this outcome."""
    if isinstance(code, Outcome):
        return _OUTCOMES[code]
    if code in _AT_THIS_DOOR:
        return _AT_THIS_DOOR[code]
    return refusal_words(code)


def all_words() -> dict[str, dict[str, str]]:
    """Return the words of all outcomes by their code, for a page without a network."""
    codes: list[Outcome | Answer] = [*Outcome, *REFUSALS]
    found = {code.value: words_of(code) for code in codes}
    word, _ = found[Answer.TOO_EARLY.value]
    found[Answer.TOO_EARLY.value] = (word, WITHOUT_DAY)
    return {code: {"word": words[0], "sentence": words[1]} for code, words in found.items()}


def since(at: datetime) -> str:
    """Return the time of day, or the day alone where closing left no more of it."""
    if is_day_only(at):
        return moment(at)
    return f"{clock_time(to_berlin(at).time())}{NO_BREAK_SPACE}Uhr"


def kept_words(
    outcome: Outcome, name: str, entry: Entry, deciding: Change | None, by: str
) -> tuple[str, str]:
    """Return the word and the sentence about a recording that was kept.

    Args:
        outcome: of the recording.
        name: whose.
        entry: what is recorded.
        deciding: the recording that is in force.
        by: who recorded that.

    """
    word, sentence = words_of(outcome)
    state = MARK_NAMES[entry.mark] if entry.mark else "nicht erfasst"
    when = ""
    if deciding is not None:
        when = f", {since(deciding.at)}" + (f", {by}" if by else "")
    if outcome is Outcome.RECORDED:
        return state[0].upper() + state[1:], f"{name}: {state}."
    if outcome is Outcome.ALREADY:
        return word, f"{name} ist schon erfasst{when}."
    if outcome is Outcome.SUPERSEDED:
        return word, f"{name}: Es gilt „{state}“{when}."
    return word, f"{name}: {sentence}"
