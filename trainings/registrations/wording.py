"""German words for the codes in the history of a registration."""

from __future__ import annotations

REASON_NAMES = {
    "requested": "Angemeldet",
    "placed_in_order": "Platz nach der Reihenfolge der Anmeldungen",
    "promoted": "Nachgerückt nach der Reihenfolge der Warteliste",
    "capacity_raised": "Nachgerückt, weil es mehr Plätze gibt",
    "contingent_changed": "Nachgerückt, weil sich ein Kontingent geändert hat",
    "contingent_returned": "Nachgerückt, weil ein Kontingent frei wurde",
    "offered": "Platz angeboten nach der Reihenfolge der Warteliste",
    "offer_accepted": "Angebot angenommen",
    "offer_declined": "Angebot abgelehnt",
    "offer_missed": "Angebot verstrichen",
    "moved_by_office": "Reihenfolge von der Geschäftsstelle geändert",
    "placed_by_office": "Platz von der Geschäftsstelle gegeben",
    "placed_elsewhere": "Beendet, weil ein anderer gewünschter Termin frei wurde",
    "withdrawn": "Abgemeldet",
    "moved_onto_other_event": "Platz frei gegeben, weil sich die Termine überschneiden",
    "event_cancelled": "Veranstaltung abgesagt",
    "event_began": "Kein Platz frei geworden bis zum Beginn",
}


BY_RULE = frozenset(
    {
        "placed_in_order",
        "promoted",
        "capacity_raised",
        "contingent_changed",
        "contingent_returned",
        "offered",
        "offer_missed",
        "placed_elsewhere",
        "event_began",
    }
)
"""Steps that a rule took; whoever gave the occasion, such as by withdrawing, did not decide."""


def reason_name(reason: str) -> str:
    """Return what a code of the history says, in German."""
    return REASON_NAMES.get(reason, "Geändert")
