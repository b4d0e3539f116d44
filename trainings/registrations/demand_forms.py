"""Forms for demand: several dates or the next free one, and a course of one's own."""

from __future__ import annotations

from collections.abc import Iterable

from wtforms import BooleanField

from trainings.core import formats
from trainings.core.fields import ChoiceField, ManyField, NumberField, given, optional_id, options
from trainings.core.forms import Form, LineField, TextField, required
from trainings.registrations.demand_queries import OpenDate
from trainings.registrations.forms import RegistrationForm
from trainings.registrations.models import RegistrationState

MOST_PARTICIPANTS = 1000
_MINE = {
    RegistrationState.AWAITING_RELEASE: "Ihre Anmeldung dort wartet auf die Freigabe",
    RegistrationState.OFFERED: "dort ist Ihnen ein Platz angeboten",
}


class WishForm(RegistrationForm):
    """Which dates would suit, and what somebody needs to take part."""

    dates = ManyField("Diese Termine passen mir")
    next_free = BooleanField(
        "Mir passt jeder Termin, auch ein neuer",
        description="Dann gilt der Wunsch für alle Termine, auch für die oben nicht angekreuzten. "
        "Kommt ein Termin dazu, melden wir Sie dort an und schreiben Ihnen.",
    )

    def offer(self, dates: Iterable[OpenDate]) -> None:
        """Fill the choices with the dates that are open."""
        self.dates.choices = options([(row.event_id, _words(row)) for row in dates])


def _words(row: OpenDate) -> str:
    when = formats.day_span(row.first_day, row.last_day)
    which = "".join(f", {part}" for part in (row.title, row.town) if part)
    return f"{when}{which}: {_standing(row)}"


def _standing(row: OpenDate) -> str:
    if row.mine is not None:
        if row.mine.state is RegistrationState.WAITING:
            return f"Sie warten dort an {row.mine.position}. Stelle"
        return _MINE.get(row.mine.state, "Sie sind dort angemeldet")
    if row.free:
        return formats.count(row.free, "freier Platz", "freie Plätze")
    if row.waiting:
        return (
            f"kein freier Platz, {formats.count(row.waiting, 'Person wartet', 'Personen warten')}"
        )
    return "kein freier Platz"


class CourseRequestForm(Form):
    """A course for one organisation (in-house)."""

    template_id = ChoiceField("Format", [given("Bitte wählen Sie ein Format.")], coerce=optional_id)
    organisation_id = ChoiceField(
        "Für", [given("Bitte wählen Sie eine Organisation.")], coerce=optional_id
    )
    participants = NumberField(
        "Zahl der Teilnehmenden",
        [given("Bitte geben Sie an, wie viele ungefähr teilnehmen.")],
        least=1,
        most=MOST_PARTICIPANTS,
        render_kw={"inputmode": "numeric"},
    )
    several = BooleanField("Wir fragen mehrere Termine an")
    period = LineField(
        "Zeitraum",
        200,
        [required("Bitte geben Sie an, wann der Kurs ungefähr stattfinden soll.")],
        description="Zum Beispiel: im Herbst, nicht in den Schulferien",
    )
    note = TextField("Hinweis an die Geschäftsstelle", 500)
