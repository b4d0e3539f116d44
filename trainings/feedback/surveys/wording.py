"""Words for what pages show of a survey."""

from __future__ import annotations

from enum import StrEnum

from trainings.feedback.surveys.timing import Phase


class Way(StrEnum):
    """What is chosen before a survey opens."""

    MAIL = "mail"
    SLIPS = "slips"
    OMIT = "omit"


WAY_NAMES = {
    Way.MAIL: "per Mail an alle, die da waren",
    Way.SLIPS: "mit Zetteln vor Ort, dann geht keine Mail hinaus",
    Way.OMIT: "entfällt",
}
PHASES = {
    Phase.COMING: ("calendar", "Kommt", "off"),
    Phase.RUNNING: ("clock", "Läuft", "warn"),
    Phase.OVER: ("check-ring", "Abgeschlossen", "ok"),
    Phase.OMITTED: ("cross-ring", "Entfällt", "off"),
    Phase.MISSED: ("cross-ring", "Nicht gefragt", "off"),
    Phase.NEVER: ("cross-ring", "Nicht vorgesehen", "off"),
}
"""Icon, word and tone."""
FILTER_NAMES = {
    Phase.RUNNING: "läuft",
    Phase.COMING: "kommt",
    Phase.OVER: "abgeschlossen",
}
