"""Forms of orders: the public one, that of people who are logged in, and the office's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wtforms import BooleanField, StringField
from wtforms.validators import ValidationError

from trainings.core.fields import ChoiceField, DayField, NumberField, given, optional_id, options
from trainings.core.forms import (
    LONGEST_EMAIL,
    Form,
    LineField,
    QueryForm,
    TextField,
    email_address,
    registered_name,
    required,
)
from trainings.core.text import clean
from trainings.inventory.models import LARGEST_QUANTITY, LONGEST_REASON, CardType
from trainings.inventory.orders.entry import Wanted
from trainings.inventory.orders.models import CardOrderLine, OrderState
from trainings.inventory.orders.rules import STATE_NAMES, nothing_ordered

MOST_PER_ORDER = 10_000
"""More of one card than this asks for are printed, not ordered from a store."""
OTHER = "other"
"""The choice „andere Stelle“ where an organisation is chosen."""
LONGEST_SEARCH = 120


class RowField(NumberField):
    """How many of one card; the title stands beside the field and in what is said of errors."""

    def __init__(self, title: str, validators: Any = (), **kwargs: Any) -> None:
        super().__init__("Anzahl", validators, **kwargs)
        self.row_name = title


class AddressForm(Form):
    """What every order asks for besides the cards; subclasses say who orders."""

    recipient = LineField(
        "Empfänger", 160, [required("Bitte geben Sie an, an wen die Sendung geht.")],
        description="Dienststelle oder Name, wie es auf dem Paket stehen soll.",
    )  # fmt: skip
    street = LineField(
        "Straße und Hausnummer", 160, [required("Bitte geben Sie Straße und Hausnummer ein.")]
    )
    postcode = LineField("Postleitzahl", 10, [required("Bitte geben Sie die Postleitzahl ein.")])
    town = LineField("Ort", 120, [required("Bitte geben Sie den Ort ein.")])
    purpose = TextField(
        "Wofür brauchen Sie die Karten?", 500,
        [required("Bitte schreiben Sie kurz, wofür Sie die Karten brauchen.")],
        description="Zum Beispiel: „Für die Streifen des Ordnungsamts“. Bitte keine Angaben zu "
        "Vorfällen oder Personen.",
    )  # fmt: skip
    wanted_by = DayField("Gebraucht bis")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # As they stand on the page, so that errors are listed in the order in which they are met.
        self._fields: dict[str, Any] = dict(
            sorted(self._fields.items(), key=lambda item: _rank(item[0]))
        )

    def validate_postcode(self, field: Any) -> None:
        """Ask for five digits: cards are sent within Germany only."""
        if not (field.data.isascii() and field.data.isdigit() and len(field.data) == 5):
            raise ValidationError("Bitte fünf Ziffern. Beispiel: 45127")

    def validate(self, extra_validators: Any = None) -> bool:
        """Check all fields, and that there is a number: said with all else, not afterwards."""
        valid = bool(super().validate(extra_validators))
        if not self.quantities() and not any(field.errors for field in self.cards):
            self.refuse(nothing_ordered(next((field.name for field in self.cards), None)))
            return False
        return valid

    @property
    def cards(self) -> list[Any]:
        """The fields of the cards, in the order of their titles."""
        return [field for field in self if field.name.startswith(_CARD)]

    def quantities(self) -> dict[int, int]:
        """Return how many of each card are wanted; cards without a number are left out."""
        return {
            int(field.name.removeprefix(_CARD)): field.data for field in self.cards if field.data
        }

    def wanted(
        self,
        *,
        name: str,
        email: str,
        organisation_id: int | None,
        organisation_name: str = "",
    ) -> Wanted:
        """Return what is asked for."""
        return Wanted(
            quantities=self.quantities(),
            name=name,
            email=email,
            organisation_id=organisation_id,
            organisation_name=organisation_name,
            recipient=self.recipient.data,
            street=self.street.data,
            postcode=self.postcode.data,
            town=self.town.data,
            purpose=self.purpose.data,
            wanted_by=self.wanted_by.data,
        )


class OwnOrderForm(AddressForm):
    """Of somebody who is logged in: name and address of mails are known."""

    organisation_id = ChoiceField("Organisation", coerce=optional_id)


class NamedOrderForm(AddressForm):
    """Of somebody who says who they are, or whom the office names."""

    name = LineField("Name", 160, [required("Bitte geben Sie den Namen ein."), registered_name])
    email = StringField(
        "Dienstliche E-Mail", [required("Bitte geben Sie die E-Mail-Adresse ein."), email_address],
        render_kw={"maxlength": LONGEST_EMAIL, "autocomplete": "email"},
    )  # fmt: skip
    organisation_name = LineField(
        "Organisation", 160, [required("Bitte geben Sie die Organisation ein.")],
        description="Wählen Sie einen Vorschlag, oder schreiben Sie den Namen.",
    )  # fmt: skip


class PublicOrderForm(NamedOrderForm):
    """Of anybody; people leave the field empty that only robots find."""

    remark = StringField("Bitte leer lassen")
    """Out of sight; not called like anything that browsers fill in by themselves."""

    @property
    def is_from_robot(self) -> bool:
        """Whether the field was filled in that nobody sees."""
        return bool(self.remark.data)


_CARD = "card_"
_WHO = ("name", "email", "organisation_id", "organisation_name")


def _rank(name: str) -> int:
    """Return which part of the page a field belongs to: the cards, who orders, where to."""
    return 0 if name.startswith(_CARD) else 1 if name in _WHO else 2


def with_cards(base: type[AddressForm], cards: Sequence[CardType]) -> type[AddressForm]:
    """Return the form with a field for each card."""
    fields = {
        f"{_CARD}{card.id}": RowField(card.title, least=0, most=MOST_PER_ORDER) for card in cards
    }
    return type(base.__name__, (base,), fields)


class ApproveForm(Form):
    """Approve in full or in part: from which store, until when."""

    store_id = ChoiceField("Lager", coerce=optional_id)
    until = DayField("Vormerken bis", [given("Bitte geben Sie einen Tag an.")])
    reason = TextField(
        "Begründung", LONGEST_REASON,
        description="Nötig, wenn Sie weniger als bestellt oder mehr als die Jahresgrenze "
        "genehmigen. Sie steht in der Mail und auf der Seite der Bestellung.",
    )  # fmt: skip
    beyond_limit = BooleanField("Trotz der Jahresgrenze genehmigen")

    @property
    def lines(self) -> list[Any]:
        """The fields of the lines."""
        return [field for field in self if field.name.startswith(_LINE)]

    def quantities(self) -> dict[int, int]:
        """Return how many are approved, by line."""
        return {int(field.name.removeprefix(_LINE)): field.data or 0 for field in self.lines}


_LINE = "line_"


def approve_form(lines: Sequence[CardOrderLine]) -> type[ApproveForm]:
    """Return the form with a field for each line of an order, filled in with all of it."""
    fields = {
        f"{_LINE}{line.id}": RowField(
            line.card_type.title,
            [given("Bitte geben Sie eine Zahl an, 0 für keine.")],
            least=0,
            most=line.requested,
            default=line.requested,
        )
        for line in lines
    }
    return type("ApproveForm", (ApproveForm,), fields)


class AssignForm(Form):
    """Which organisation of the register ordered."""

    organisation = ChoiceField("Organisation im Register")

    def chosen(self) -> int | None:
        """Return the organisation, None for „andere Stelle“."""
        return None if self.organisation.data == OTHER else int(self.organisation.data)


class DeclineForm(Form):
    """Why an order is declined."""

    reason = TextField(
        "Begründung", LONGEST_REASON, [required("Bitte nennen Sie den Grund.")],
        description="Sie steht in der Mail und auf der Seite der Bestellung.",
    )  # fmt: skip


class ReceiptForm(Form):
    """The cards have arrived."""

    note = TextField(
        "Hat etwas nicht gestimmt?", LONGEST_REASON,
        description="Zum Beispiel: „Es waren nur 80 Karten im Paket.“",
    )  # fmt: skip


class LimitForm(Form):
    """How many cards an organisation may get in a year."""

    organisation_id = ChoiceField("Organisation", coerce=optional_id)
    per_year = NumberField(
        "Karten im Jahr", [given("Bitte geben Sie eine Zahl an.")], least=0, most=LARGEST_QUANTITY
    )


class OrderFilter(QueryForm):
    """What the list of orders is limited to; what makes no sense is ignored."""

    stand = ChoiceField(
        "Stand",
        choices=options([("", "alle"), ("offen", "alle offenen"), *STATE_NAMES.items()]),
        validate_choice=False,
        default="",
    )
    organisation = ChoiceField("Organisation", coerce=optional_id, validate_choice=False)
    suche = StringField("Suche", render_kw={"maxlength": LONGEST_SEARCH})

    @property
    def state(self) -> OrderState | None:
        """The state that is asked for, if there is such a one."""
        return OrderState(self.stand.data) if self.stand.data in set(OrderState) else None

    @property
    def text(self) -> str:
        """The words that are searched."""
        return clean((self.suche.data or "")[:LONGEST_SEARCH])
