"""German names for the codes in the history of registrations: the rule behind every step."""

from __future__ import annotations

REASON_NAMES = {
    "requested": "Angemeldet",
    "placed_in_order": "Platz in der Reihenfolge der Anmeldungen",
    "promoted": "Nachgerückt nach der Reihenfolge der Warteliste",
    "capacity_raised": "Nachgerückt, weil es mehr Plätze gibt",
    "contingent_changed": "Nachgerückt, weil ein Kontingent geändert wurde",
    "contingent_returned": "Nachgerückt, weil vorgehaltene Plätze frei wurden",
    "offered": "Platz angeboten nach der Reihenfolge der Warteliste",
    "offer_accepted": "Angebot angenommen",
    "offer_declined": "Angebot abgelehnt",
    "offer_missed": "Angebot verstrichen",
    "offer_gave_way": "Angebot beendet, weil ein Platz der Person auf dieselbe Zeit verlegt wurde",
    "released": "Von der Organisation freigegeben",
    "release_not_needed": "Freigabe nicht mehr nötig",
    "declined": "Von der Organisation nicht freigegeben",
    "not_released_in_time": "Von der Organisation nicht rechtzeitig freigegeben",
    "admitted": "Von der Geschäftsstelle zugelassen",
    "not_admitted": "Bei der Zulassung kein Platz frei",
    "ranked_by_admission": "Bei der Zulassung kein Platz frei, neu gereiht",
    "not_admitted_by_office": "Von der Geschäftsstelle nicht zugelassen",
    "moved_by_office": "Von der Geschäftsstelle auf der Warteliste verschoben",
    "placed_by_office": "Platz durch die Geschäftsstelle",
    "substitute": "Als Ersatzperson benannt",
    "took_over": "Platz als Ersatzperson übernommen",
    "substituted": "Ersatzperson benannt",
    "substituted_by_office": "Ersatzperson von der Geschäftsstelle benannt",
    "taken_over": "Vom abgesagten Termin übernommen",
    "extra_date": "In den Zusatztermin übernommen",
    "next_free": "Für den nächsten freien Termin vorgemerkt",
    "wish_ended": "Bedarf zurückgezogen",
    "placed_elsewhere": "An einem anderen gewünschten Termin einen Platz bekommen",
    "withdrawn": "Abgemeldet",
    "moved_onto_other_event": "Platz frei gegeben, weil die Veranstaltung verlegt wurde",
    "event_cancelled": "Veranstaltung abgesagt",
    "walked_in": "Ohne Anmeldung gekommen, von der Geschäftsstelle nachgetragen",
    "event_began": "Bis zum Beginn kein Platz frei geworden",
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
        "offer_gave_way",
        "not_released_in_time",
        "ranked_by_admission",
        "placed_elsewhere",
        "event_began",
    }
)
"""Steps that a rule took; whoever gave the occasion, such as by withdrawing, did not decide."""


def reason_name(code: str) -> str:
    """Return what a code of the history says, in German."""
    return REASON_NAMES.get(code, "Geändert")
