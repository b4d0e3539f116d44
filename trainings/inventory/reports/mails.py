"""What the office is told about the stock."""

from __future__ import annotations

from trainings.core.formats import count, long_date, number
from trainings.core.outbox import Mail, facts
from trainings.inventory.reports.outlook import Outlook
from trainings.inventory.reports.rules import Forecast

FORESIGHT = "/taschenkarten/vorschau"


def low_stock_mail(outlook: Outlook) -> Mail:
    """Say that fewer cards are free than the reorder level, and how long they will last."""
    forecast, lying = outlook.forecast, outlook.lying
    return Mail(
        subject=f"Taschenkarten werden knapp: {outlook.title}",
        paragraphs=(
            f"von der Taschenkarte „{outlook.title}“ {_free(lying.free)}. Das sind weniger als der "
            f"Meldebestand von {number(forecast.reorder_level)}.",
            _range(forecast),
        ),
        facts=facts(
            ("Frei", number(lying.free)),
            ("Vorgemerkt", number(lying.held)),
            ("In Boxen", number(lying.boxes)),
            ("Meldebestand", number(forecast.reorder_level)),
        ),
        link=("Zur Vorschau", f"{FORESIGHT}#karte-{outlook.card_id}"),
        closing=(
            "Bitte entscheiden Sie, ob eine neue Auflage gedruckt wird. Diese Nachricht kommt "
            "wieder, wenn der Bestand zwischendurch über dem Meldebestand war.",
        ),
    )


def _free(free: int) -> str:
    if free == 0:
        return "ist keine Karte mehr frei"
    return "ist noch 1 Karte frei" if free == 1 else f"sind noch {number(free)} Karten frei"


def _range(forecast: Forecast) -> str:
    if not forecast.has_history:
        return "Wie lange sie reichen, lässt sich noch nicht sagen: Es gibt zu wenig Verlauf."
    if forecast.weeks is None or forecast.per_week is None:
        return "In den letzten Monaten wurde keine verbraucht."
    average = f"Im Durchschnitt werden {number(forecast.per_week, 1)} in der Woche verbraucht"
    if forecast.empty_on is None:
        return f"{average}."
    weeks = count(int(forecast.weeks), "Woche", "Wochen")
    return (
        f"{average}; so reichen die freien Karten noch {weeks}, bis {long_date(forecast.empty_on)}."
    )
