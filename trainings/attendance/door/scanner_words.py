"""What the scanner says by itself: word, sentence, tone and icon of each answer.

Where the server answers, its words count; these stand in the page for a door without a network.
"""

from __future__ import annotations

from trainings.attendance.rules import Answer
from trainings.attendance.wording import REFUSALS

# Answers of the device: tone, icon, word, sentence.
_OWN: dict[str, tuple[str, str, str, str]] = {
    "recorded": ("ok", "check-ring", "Da", ""),
    "set_absent": ("warn", "cross-ring", "Fehlt", "Als fehlend erfasst."),
    "filled": ("ok", "double-check", "Alle übrigen als da erfasst", ""),
    "already_recorded": (
        "warn",
        "double-check",
        "Schon erfasst",
        "Die Person ist für diesen Termin schon als da erfasst.",
    ),
    "superseded": (
        "warn",
        "exclamation-ring",
        "Inzwischen anders erfasst",
        "Es gilt, was später erfasst wurde. Ihre Erfassung bleibt im Verlauf der Person stehen.",
    ),
    "undone": ("ok", "undo", "Zurückgenommen", ""),
    "walk_in_recorded": (
        "ok",
        "plus",
        "Ohne Anmeldung erfasst",
        "Die Geschäftsstelle ergänzt die Angaben.",
    ),
    "not_a_ticket": (
        "bad",
        "cross-ring",
        "Unbekannt",
        "Das ist keine Eintrittskarte dieser Anwendung. Bitte suchen Sie den Namen.",
    ),
    "not_in_roster": (
        "bad",
        "exclamation-ring",
        "Unbekannt",
        "Diese Eintrittskarte steht nicht in der Liste auf diesem Gerät. Sie wird geprüft, sobald "
        "das Netz da ist; bis dahin suchen Sie bitte den Namen.",
    ),
    "not_ready": (
        "bad",
        "exclamation-ring",
        "Nicht bereit",
        "Auf diesem Gerät fehlen die Angaben der Veranstaltung. Bitte öffnen Sie den Scanner "
        "einmal mit Netz.",
    ),
    "taken_over": (
        "ok",
        "check-ring",
        "Übernommen",
        "Die Geschäftsstelle hat das übernommen.",
    ),
    "dismissed": ("warn", "cross-ring", "Verworfen", "Die Geschäftsstelle hat das verworfen."),
    "malformed": (
        "bad",
        "warning",
        "Nicht lesbar",
        "Der Server konnte diese Erfassung nicht lesen. Bitte tragen Sie die Person in der Liste "
        "der Namen nach.",
    ),
}
# The same answer as on the pages, where the sentence needs nothing that the device does not know.
_OTHER_SENTENCES = {
    Answer.OTHER_DAY: "Für heute ist kein Termin gewählt. Bitte wählen Sie oben den Termin.",
    Answer.TOO_EARLY: "Dieser Termin ist noch nicht. Bitte wählen Sie oben den richtigen.",
}


def scanner_words() -> dict[str, dict[str, str]]:
    """Return by outcome what the scanner shows: tone, icon, word and sentence."""
    refusals = {
        answer.value: ("bad", "cross-ring", word, _OTHER_SENTENCES.get(answer, sentence))
        for answer, (word, sentence) in REFUSALS.items()
    }
    return {
        outcome: dict(zip(("tone", "icon", "word", "sentence"), words, strict=True))
        for outcome, words in (refusals | _OWN).items()
    }
