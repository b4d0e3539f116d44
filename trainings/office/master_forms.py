"""Forms for what the office keeps ready: organisations, people, venues, formats."""

from __future__ import annotations

from typing import Any

from wtforms import BooleanField, FormField, HiddenField
from wtforms import Form as PlainForm
from wtforms.validators import ValidationError

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
from trainings.core.forms import (
    LONGEST_EMAIL,
    Form,
    LineField,
    TextField,
    email_address,
    required,
)
from trainings.core.permissions import ROLE_NAMES, Role
from trainings.events.models import KIND_NAMES, VISIBILITY_NAMES, EventTemplate, Venue
from trainings.events.venues import RoomPlan, TemplateData, TemplateSessionPlan, VenueData
from trainings.office.event_forms import (
    MOST_AGENDA_LINES,
    MOST_PLACES,
    SPARE_ROWS,
    AgendaRow,
    AgendaRowsMixin,
    agenda_values,
)
from trainings.office.policy_form import (
    DoorFieldsMixin,
    PolicyFieldsMixin,
    door_values,
    policy_values,
)
from trainings.organisations import models as organisations
from trainings.organisations.operations import OrganisationData
from trainings.people.forms import PersonDetailsForm

MOST_ROOMS = 60
MOST_TEMPLATE_SESSIONS = 30
_FEATURES = ("step_free", "hearing_loop", "parking", "public_transport")
_DAYS = "Kalendertage vor dem ersten Tag"


def optional_email(form: Any, field: Any) -> None:
    """Refuse what is not an address, but accept none."""
    if field.data:
        email_address(form, field)


class OrganisationForm(Form):
    """An organisation."""

    name = LineField("Name", 160, [required("Bitte geben Sie den Namen ein.")])
    short_name = LineField(
        "Kurzname", 60, [required("Bitte geben Sie einen Kurznamen für schmale Tabellen ein.")]
    )
    level = enum_field("Ebene", organisations.LEVEL_NAMES, default=organisations.Level.AUTHORITY)
    parent_id = ChoiceField("Gehört zu", coerce=optional_id)
    kind = enum_field("Art", organisations.KIND_NAMES)
    partnership = enum_field(
        "Status in der Kooperation",
        organisations.PARTNERSHIP_NAMES,
        default=organisations.Partnership.NONE,
    )
    partner_since = DayField("Partner seit")
    mailbox = LineField(
        "Funktionspostfach", LONGEST_EMAIL, [optional_email], render_kw={"type": "email"}
    )
    domains = TextField(
        "E-Mail-Domains",
        4000,
        description="Der Teil der Adressen hinter dem @, einer je Zeile. Mehrere Organisationen "
        "können sich einen teilen.",
        render_kw={"rows": 4, "spellcheck": "false"},
    )

    def organisation(self) -> OrganisationData:
        """Return what was typed."""
        return OrganisationData(
            level=self.level.data,
            parent_id=self.parent_id.data,
            name=self.name.data,
            short_name=self.short_name.data,
            kind=self.kind.data,
            partnership=self.partnership.data,
            partner_since=self.partner_since.data,
            mailbox=self.mailbox.data or "",
        )

    def domain_list(self) -> list[str]:
        """Return the domains that were typed."""
        return [line for line in (self.domains.data or "").split("\n") if line.strip()]


def organisation_values(organisation: organisations.Organisation) -> dict[str, Any]:
    """Return what a form for an organisation shows at first."""
    return {
        "name": organisation.name,
        "short_name": organisation.short_name,
        "level": organisation.level,
        "parent_id": organisation.parent_id,
        "kind": organisation.kind,
        "partnership": organisation.partnership,
        "partner_since": organisation.partner_since,
        "mailbox": organisation.mailbox,
        "domains": "\n".join(row.domain for row in organisation.domains),
    }


class MergeForm(Form):
    """Into which organisation another one goes."""

    target_id = ChoiceField("Geht auf in", coerce=optional_id)

    def validate_target_id(self, field: Any) -> None:
        """Ask for a choice."""
        if field.data is None:
            raise ValidationError("Bitte wählen Sie eine Organisation.")


class ContactForm(Form):
    """Who speaks for an organisation."""

    email = LineField(
        "Dienstliche E-Mail",
        LONGEST_EMAIL,
        [required("Bitte geben Sie die E-Mail-Adresse ein."), email_address],
        render_kw={"type": "email"},
    )
    is_deputy = BooleanField("Vertretung")


class PersonForm(PersonDetailsForm):
    """Somebody whom the office registers; no account is needed."""

    def validate_organisation_id(self, field: Any) -> None:
        """Ask for a choice."""
        if field.data is None:
            raise ValidationError("Bitte wählen Sie die Organisation.")


class RolesForm(Form):
    """What a person may do."""

    roles = ManyField("Rollen", coerce=Role)

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.roles.choices = options([(role.value, name) for role, name in ROLE_NAMES.items()])


class RoomRow(PlainForm):  # type: ignore[misc]
    """A room of a venue; a new row without a name is left out."""

    id = HiddenField()
    name = LineField("Raum", 80)
    seats = NumberField("Plätze", least=1, most=MOST_PLACES)


class VenueForm(Form):
    """A venue with its rooms."""

    name = LineField("Name", 120, [required("Bitte geben Sie den Namen ein.")])
    street = LineField("Straße und Hausnummer", 120, [required("Bitte geben Sie die Straße ein.")])
    postcode = LineField("Postleitzahl", 10, [required("Bitte geben Sie die Postleitzahl ein.")])
    town = LineField("Ort", 80, [required("Bitte geben Sie den Ort ein.")])
    step_free = LineField("Stufenfreier Zugang", 300)
    hearing_loop = LineField("Höranlage", 300)
    parking = LineField("Parken", 300)
    public_transport = LineField("Bus und Bahn", 300)
    rooms = RowsField(FormField(RoomRow), "Räume", most=MOST_ROOMS)

    def validate_rooms(self, _field: Any) -> None:
        """Ask for the names of rooms that exist: a room is not deleted, past events name it."""
        for entry in self.rooms:
            row = entry.form
            known = bool(row.id.data)
            if (known or row.seats.data is not None) and not row.name.data:
                row.name.errors = ["Bitte geben Sie den Namen des Raums ein."]
                raise ValidationError("Bitte prüfen Sie die markierten Zeilen.")
            try:
                optional_id(row.id.data)
            except ValueError as error:
                raise ValidationError("Diesen Raum gibt es nicht.") from error

    def venue(self) -> VenueData:
        """Return what was typed."""
        lines = ("name", "street", "postcode", "town", *_FEATURES)
        return VenueData(**{line: self[line].data or "" for line in lines})

    def room_plans(self) -> list[RoomPlan]:
        """Return the rooms that were typed."""
        rows = [entry.form for entry in self.rooms]
        return [
            RoomPlan(optional_id(row.id.data), row.name.data, row.seats.data)
            for row in rows
            if row.name.data
        ]


def venue_values(venue: Venue) -> dict[str, Any]:
    """Return what a form for a venue shows at first."""
    lines = ("name", "street", "postcode", "town", *_FEATURES)
    rooms = [{"id": room.id, "name": room.name, "seats": room.seats} for room in venue.rooms]
    return {
        **{line: getattr(venue, line) for line in lines},
        "rooms": with_spares(rooms, MOST_ROOMS),
    }


def with_spares(rows: list[dict[str, Any]], most: int) -> list[dict[str, Any]]:
    """Return rows with empty ones after them, for a page without script; `most` rows in all."""
    return [*rows, *({} for _ in range(min(SPARE_ROWS, most - len(rows))))]


class TemplateSessionRow(PlainForm):  # type: ignore[misc]
    """A session of a format; a row without times is left out."""

    day = NumberField("Tag", least=1, most=60)
    begins = ClockField("Beginn")
    ends = ClockField("Ende")
    label = LineField("Bezeichnung", 60)
    remove = BooleanField("streichen")

    @property
    def is_left_out(self) -> bool:
        """Whether the row says nothing or is to go."""
        typed = any(field.data is not None for field in (self.day, self.begins, self.ends))
        wrong = any(field.process_errors for field in (self.day, self.begins, self.ends))
        return bool(self.remove.data) or not (typed or wrong)

    def validate(self, extra_validators: Any = None) -> bool:
        """Ask for day and times as soon as one is typed."""
        if self.is_left_out:
            return True
        valid = bool(super().validate(extra_validators))
        return ask_for(self.day, self.begins, self.ends) and valid


class TemplateForm(DoorFieldsMixin, PolicyFieldsMixin, AgendaRowsMixin, Form):
    """A format."""

    kind = enum_field("Art", KIND_NAMES)
    title = LineField("Titel", 160, [required("Bitte geben Sie einen Titel ein.")])
    summary = TextField("Worum es geht", 4000, render_kw={"rows": 5})
    contents = TextField("Inhalte, eine Zeile je Punkt", 4000, render_kw={"rows": 5})
    aim = TextField("Ziel", 4000, render_kw={"rows": 4})
    visibility = enum_field("Wer sie sieht und sich anmelden kann", VISIBILITY_NAMES)
    capacity = NumberField(
        "Plätze", [given("Bitte geben Sie die Zahl der Plätze ein.")], least=1, most=MOST_PLACES
    )
    minimum = NumberField(
        "Mindestzahl", [given("Bitte geben Sie die Mindestzahl ein, auch 0.")], most=MOST_PLACES
    )
    registration_deadline_days = NumberField(
        "Anmeldeschluss", [given("Bitte geben Sie eine Zahl ein.")], most=365, description=_DAYS
    )
    withdrawal_deadline_days = NumberField(
        "Platz zurückgeben bis",
        [given("Bitte geben Sie eine Zahl ein.")],
        most=365,
        description=_DAYS,
    )
    needs_deadline_days = NumberField(
        "Bedarfe angeben bis",
        [given("Bitte geben Sie eine Zahl ein.")],
        most=365,
        description=_DAYS,
    )
    sessions = RowsField(FormField(TemplateSessionRow), "Termine", most=MOST_TEMPLATE_SESSIONS)
    agenda = RowsField(FormField(AgendaRow), "Programm", most=MOST_AGENDA_LINES)

    def template(self) -> TemplateData:
        """Return what was typed."""
        return TemplateData(
            kind=self.kind.data,
            title=self.title.data,
            summary=self.summary.data or "",
            contents=self.contents.data or "",
            aim=self.aim.data or "",
            capacity=self.capacity.data,
            minimum=self.minimum.data,
            visibility=self.visibility.data,
            registration_deadline_days=self.registration_deadline_days.data,
            withdrawal_deadline_days=self.withdrawal_deadline_days.data,
            needs_deadline_days=self.needs_deadline_days.data,
            policy=self.policy(),
            door=self.door(),
        )

    def session_plans(self) -> list[TemplateSessionPlan]:
        """Return the sessions that were typed."""
        return [
            TemplateSessionPlan(row.day.data, row.begins.data, row.ends.data, row.label.data or "")
            for row in (entry.form for entry in self.sessions)
            if not row.is_left_out
        ]


def template_values(template: EventTemplate) -> dict[str, Any]:
    """Return what a form for a format shows at first."""
    names = (
        "kind", "title", "summary", "contents", "aim", "visibility", "capacity", "minimum",
        "registration_deadline_days", "withdrawal_deadline_days", "needs_deadline_days",
    )  # fmt: skip
    rows = [
        {"day": row.day, "begins": row.begins, "ends": row.ends, "label": row.label}
        for row in template.sessions
    ]
    return {
        **{name: getattr(template, name) for name in names},
        **policy_values(template),
        **door_values(template),
        "sessions": with_spares(rows, MOST_TEMPLATE_SESSIONS),
        "agenda": agenda_values(template.agenda),
    }
