"""Forms for planning an event."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import date, datetime, time, timedelta
from typing import Any

from wtforms import BooleanField, FormField, SelectChoice
from wtforms import Form as PlainForm
from wtforms.validators import ValidationError

from trainings.core.clock import berlin_day, berlin_instant, end_of_day
from trainings.core.fields import (
    ChoiceField,
    ClockField,
    DayField,
    ManyField,
    NumberField,
    RowsField,
    ask_for,
    enum_field,
    given,
    optional_id,
    options,
)
from trainings.core.forms import Form, LineField, TextField, email_address, required
from trainings.core.text import clean
from trainings.events.details import EventDetails
from trainings.events.models import (
    KIND_NAMES,
    VISIBILITY_NAMES,
    AgendaItem,
    Event,
    Venue,
)
from trainings.events.rules import MOST_SESSIONS, Deadlines, SessionPlan
from trainings.office.policy_form import (
    DoorFieldsMixin,
    PolicyFieldsMixin,
    door_values,
    policy_values,
)

NO_PLACE = ""
MOST_AGENDA_LINES = 80
SPARE_ROWS = 4
MOST_PLACES = 5_000
MOST_INVITATIONS = 500


def last_day_of(instant: datetime) -> date:
    """Return the day that ends with a deadline: midnight belongs to the day before."""
    return berlin_day(instant - timedelta(seconds=1))


class NewEventForm(Form):
    """A new event from a format."""

    template_id = ChoiceField("Veranstaltungsformat", coerce=optional_id)
    first_day = DayField("Erster Tag", [given("Bitte wählen Sie den ersten Tag.")])


class CopyForm(Form):
    """The same event on other days."""

    first_day = DayField("Erster Tag", [given("Bitte wählen Sie den ersten Tag.")])
    with_trainers = BooleanField("Leitung übernehmen", default=True)
    with_room = BooleanField("Raum übernehmen", default=True)


class DetailsForm(DoorFieldsMixin, PolicyFieldsMixin, Form):
    """What an event says about itself."""

    kind = enum_field("Art", KIND_NAMES)
    title = LineField("Titel", 160, [required("Bitte geben Sie einen Titel ein.")])
    summary = TextField("Worum es geht", 4000, render_kw={"rows": 6})
    contents = TextField("Inhalte, eine Zeile je Punkt", 4000, render_kw={"rows": 6})
    visibility = enum_field("Wer sie sieht und sich anmelden kann", VISIBILITY_NAMES)
    minimum = NumberField(
        "Mindestzahl", [given("Bitte geben Sie die Mindestzahl ein, auch 0.")], most=MOST_PLACES
    )
    opens_on = DayField("Anmeldung ab", [given("Bitte wählen Sie einen Tag.")])
    closes_on = DayField(
        "Anmeldeschluss", [given("Bitte wählen Sie einen Tag.")], description="Bis 24:00 Uhr"
    )
    withdraw_on = DayField(
        "Platz zurückgeben bis", [given("Bitte wählen Sie einen Tag.")], description="Bis 24:00 Uhr"
    )
    needs_on = DayField(
        "Bedarfe angeben bis",
        [given("Bitte wählen Sie einen Tag.")],
        description="Dolmetschen, Barrierefreiheit, Essen; bis 24:00 Uhr",
    )

    def details(self) -> EventDetails:
        """Return what was typed."""
        return EventDetails(
            kind=self.kind.data,
            title=self.title.data,
            summary=self.summary.data or "",
            contents=self.contents.data or "",
            visibility=self.visibility.data,
            minimum=self.minimum.data,
            opens_at=berlin_instant(self.opens_on.data, time(0)),
            deadlines=Deadlines(
                end_of_day(self.closes_on.data),
                end_of_day(self.withdraw_on.data),
                end_of_day(self.needs_on.data),
            ),
            policy=self.policy(),
            door=self.door(),
        )


def details_values(event: Event) -> dict[str, Any]:
    """Return what a form for an event's details shows at first."""
    return {
        "kind": event.kind,
        "title": event.title,
        "summary": event.summary,
        "contents": event.contents,
        "visibility": event.visibility,
        "minimum": event.minimum,
        "opens_on": berlin_day(event.opens_at),
        "closes_on": last_day_of(event.closes_at),
        "withdraw_on": last_day_of(event.withdraw_until),
        "needs_on": last_day_of(event.needs_until),
        **policy_values(event),
        **door_values(event),
    }


class SessionRow(PlainForm):  # type: ignore[misc]
    """One session; a row without day and times is left out."""

    day = DayField("Tag")
    begins = ClockField("Beginn")
    ends = ClockField("Ende")
    label = LineField("Bezeichnung", 60)
    remove = BooleanField("streichen")

    @property
    def is_left_out(self) -> bool:
        """Whether nothing was typed, or the row is to go."""
        typed = any(
            field.raw_data and clean("".join(field.raw_data))
            for field in (self.day, self.begins, self.ends, self.label)
        )
        return bool(self.remove.data) or not typed

    def validate(self, extra_validators: Any = None) -> bool:
        """Ask for all of day and times as soon as one is typed."""
        if self.is_left_out:
            return True
        valid = bool(super().validate(extra_validators))
        return ask_for(self.day, self.begins, self.ends) and valid


class SessionsForm(Form):
    """Sessions and place of an event."""

    sessions = RowsField(FormField(SessionRow), "Termine", most=MOST_SESSIONS + SPARE_ROWS)
    place = ChoiceField("Ort und Raum")

    def offer(self, venues: Iterable[Venue]) -> None:
        """Set the places to choose from."""
        self.place.choices = place_choices(venues)

    def plans(self) -> list[SessionPlan]:
        """Return the sessions that were typed."""
        return [
            SessionPlan(row.day.data, row.begins.data, row.ends.data, row.label.data or "")
            for row in (entry.form for entry in self.sessions)
            if not row.is_left_out
        ]

    def chosen_place(self) -> tuple[int | None, int | None]:
        """Return venue and room."""
        return parse_place(self.place.data)


def place_choices(venues: Iterable[Venue]) -> list[SelectChoice]:
    """Return venues and rooms for one field, grouped by venue."""
    choices = options([(NO_PLACE, "Ort steht noch nicht fest")])
    for venue in venues:
        pairs = [(place_value(venue.id, None), f"{venue.name}, Raum noch offen")]
        for room in venue.rooms:
            seats = f" ({room.seats} Plätze)" if room.seats else ""
            pairs.append((place_value(venue.id, room.id), f"{venue.name}, {room.name}{seats}"))
        choices += options(pairs, f"{venue.town}: {venue.name}")
    return choices


def place_value(venue_id: int | None, room_id: int | None) -> str:
    """Return venue and room as the value of one choice."""
    if venue_id is None:
        return NO_PLACE
    return f"{venue_id}-{room_id}" if room_id is not None else str(venue_id)


def parse_place(value: str | None) -> tuple[int | None, int | None]:
    """Return venue and room of a choice that was offered."""
    venue, _, room = (value or NO_PLACE).partition("-")
    return optional_id(venue), optional_id(room)


def session_values(plans: Iterable[SessionPlan]) -> list[dict[str, Any]]:
    """Return sessions as the rows of a form show them, with spare rows."""
    return [*(asdict(plan) for plan in plans), *({} for _ in range(SPARE_ROWS))]


class AgendaRow(PlainForm):  # type: ignore[misc]
    """One line of the programme; a row without a title is left out."""

    day = NumberField("Tag", least=1, most=60)
    begins = ClockField("Von")
    ends = ClockField("Bis")
    title = LineField("Was", 160)
    is_break = BooleanField("Pause")

    @property
    def is_left_out(self) -> bool:
        """Whether the row says nothing."""
        return not self.title.data

    def validate(self, extra_validators: Any = None) -> bool:
        """Ask for day and times as soon as there is a title."""
        if self.is_left_out:
            return True
        valid = bool(super().validate(extra_validators))
        valid = ask_for(self.day, self.begins, self.ends) and valid
        if valid and self.ends.data <= self.begins.data:
            self.ends.errors = ["Das Ende liegt vor dem Beginn."]
            valid = False
        return valid


class AgendaRowsMixin:
    """A form with the rows of a programme."""

    agenda: Any

    def agenda_items(self) -> list[AgendaItem]:
        """Return the lines that were typed, in order."""
        items = [
            AgendaItem(
                day=row.day.data,
                begins=row.begins.data.strftime("%H:%M"),
                ends=row.ends.data.strftime("%H:%M"),
                title=row.title.data,
                is_break=bool(row.is_break.data),
            )
            for row in (entry.form for entry in self.agenda)
            if not row.is_left_out
        ]
        return sorted(items, key=lambda item: (item["day"], item["begins"], item["ends"]))


class AgendaForm(AgendaRowsMixin, Form):
    """The programme of an event."""

    agenda = RowsField(FormField(AgendaRow), "Programm", most=MOST_AGENDA_LINES)


def agenda_values(agenda: Sequence[AgendaItem]) -> list[dict[str, Any]]:
    """Return the lines of a programme as the rows of a form show them, with spare rows."""
    rows: list[dict[str, Any]] = [
        {
            **item,
            "begins": time.fromisoformat(item["begins"]),
            "ends": time.fromisoformat(item["ends"]),
        }
        for item in agenda
    ]
    return [*rows, *({} for _ in range(SPARE_ROWS))][:MOST_AGENDA_LINES]


class TrainersForm(Form):
    """Who leads an event."""

    trainers = ManyField("Leitung")


class HostsForm(Form):
    """For which organisations an in-house event is."""

    hosts = ManyField("Organisationen")


class InvitationsForm(Form):
    """Who is invited, one address per line."""

    emails = TextField(
        "Eingeladene Personen",
        40_000,
        render_kw={"rows": 10, "spellcheck": "false"},
        description="Eine dienstliche E-Mail-Adresse je Zeile.",
    )

    def validate_emails(self, field: Any) -> None:
        """Refuse lines that are no address, and name the first one."""
        self.addresses: list[str] = []
        lines = [line for line in (field.data or "").split("\n") if line.strip()]
        if len(lines) > MOST_INVITATIONS:
            raise ValidationError(f"Bitte höchstens {MOST_INVITATIONS} Adressen.")
        for line in lines:
            holder = _Line(line)
            try:
                email_address(self, holder)
            except ValidationError:
                raise ValidationError(f"„{line[:60]}“ ist keine E-Mail-Adresse.") from None
            self.addresses.append(holder.data)


class _Line:
    def __init__(self, data: str) -> None:
        self.data = data


class PlacesForm(Form):
    """How many places there are."""

    capacity = NumberField(
        "Plätze", [given("Bitte geben Sie die Zahl der Plätze ein.")], least=1, most=MOST_PLACES
    )
    organisation_limit = NumberField(
        "Höchstens je Organisation",
        least=1,
        most=MOST_PLACES,
        description="Leer: keine Grenze",
    )


class ContingentForm(Form):
    """Places held for an organisation until a day."""

    organisation_id = ChoiceField("Organisation", coerce=optional_id)
    places = NumberField(
        "Plätze", [given("Bitte geben Sie eine Zahl ein.")], least=1, most=MOST_PLACES
    )
    until = DayField(
        "Vorgehalten bis", [given("Bitte wählen Sie einen Tag.")], description="Bis 24:00 Uhr"
    )


class CancelForm(Form):
    """Why an event is cancelled, and what stands in for it."""

    reason = LineField(
        "Grund", 300, [required("Bitte nennen Sie einen Grund: Er steht in der Mail.")]
    )
    replaced_by = ChoiceField("Ersatztermin", coerce=optional_id)
