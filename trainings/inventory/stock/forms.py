"""Forms of the stock: bookings, reversal, stores, the filter of the journal."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import Any

from flask import request
from sqlalchemy.orm import Session
from wtforms import StringField

from trainings.core.fields import (
    ChoiceField,
    DayField,
    NumberField,
    given,
    optional_id,
    options,
)
from trainings.core.formats import number
from trainings.core.forms import Form, LineField, QueryForm, required
from trainings.core.text import clean
from trainings.inventory.models import (
    LARGEST_QUANTITY,
    LONGEST_REASON,
    PLACE_NAMES,
    Edition,
    PlaceKind,
    Store,
)
from trainings.inventory.stock.journal import JournalFilter
from trainings.inventory.stock.queries import StockRow, list_editions, list_stores
from trainings.organisations.queries import organisation_choices

_NOTHING = "– bitte wählen –"
_NO_STOCK = "Bitte wählen Sie einen Eintrag aus der Liste."
_WHOLE = f"Bitte geben Sie eine ganze Zahl von 1 bis {number(LARGEST_QUANTITY)} an."


class QuantityField(NumberField):
    """A number of cards: whatever is none gets the same sentence."""

    def __init__(self, label: str, validators: Any = (), **kwargs: Any) -> None:
        super().__init__(
            label, [given(_WHOLE), *validators], least=1, most=LARGEST_QUANTITY, **kwargs
        )

    def process_formdata(self, valuelist: list[str]) -> None:
        """Parse what the browser sent."""
        try:
            super().process_formdata(valuelist)
        except ValueError as error:
            raise ValueError(_WHOLE) from error


def stock_key(value: Any) -> tuple[int, int] | None:
    """Coerce a choice of what lies where: „3-5“ is edition 5 in store 3."""
    if isinstance(value, tuple):
        return value
    store, _, edition = str(value or "").partition("-")
    ids = optional_id(store), optional_id(edition)
    if ids[0] is None or ids[1] is None:
        if value in (None, "", "None"):
            return None
        raise ValueError(_NO_STOCK)
    return ids[0], ids[1]


class StockField(ChoiceField):
    """What lies where; the operation judges, so that who comes late reads what has changed."""

    def __init__(self, label: str, **kwargs: Any) -> None:
        super().__init__(
            label,
            [given(_NO_STOCK)],
            coerce=stock_key,
            validate_choice=False,
            **kwargs,
        )

    def offer(self, rows: Iterable[StockRow], *, only_issuable: bool) -> None:
        """Fill in what is free.

        Args:
            rows: what lies in the stores.
            only_issuable: leave out withdrawn editions.

        """
        self.choices = options(
            [
                ("", _NOTHING),
                *(
                    (f"{row.store.id}-{row.edition.id}", _stock_label(row))
                    for row in rows
                    if row.stock.free and not (only_issuable and row.edition.withdrawn_at)
                ),
            ]
        )


def edition_label(edition: Edition) -> str:
    """Return an edition in a list to choose from."""
    gone = ", zurückgezogen" if edition.withdrawn_at else ""
    return f"Auflage {edition.running}{gone}, {edition.card_type.title}"


def _stock_label(row: StockRow) -> str:
    # What differs comes first: a narrow screen cuts the end off.
    gone = ", zurückgezogen" if row.edition.withdrawn_at else ""
    return (
        f"{row.store.name}: Auflage {row.edition.running}{gone} ({number(row.stock.free)} frei), "
        f"{row.edition.card_type.title}"
    )


class BookingForm(Form):
    """What each booking asks for."""

    quantity = QuantityField("Anzahl Karten")
    reason = LineField("Anlass oder Bemerkung", LONGEST_REASON)

    def offer_editions(self, editions: Iterable[Edition]) -> None:
        """Fill in the editions."""
        pairs = [(edition.id, edition_label(edition)) for edition in editions]
        self.edition_id.choices = options([("", _NOTHING), *pairs])

    def offer_stores(self, field: Any, stores: Iterable[Store]) -> None:
        """Fill in the stores."""
        field.choices = options([("", _NOTHING), *((store.id, store.name) for store in stores)])

    def offer_organisations(self, pairs: Iterable[tuple[int, str]], otherwise: str) -> None:
        """Fill in the organisations, before them what is none."""
        self.organisation_id.choices = options([("", otherwise), *pairs])


class ReceiveForm(BookingForm):
    """Cards from the printer."""

    edition_id = ChoiceField(
        "Auflage", [given("Bitte wählen Sie die Auflage.")], coerce=optional_id
    )
    store_id = ChoiceField(
        "In welches Lager?", [given("Bitte wählen Sie das Lager.")], coerce=optional_id
    )


class TransferForm(BookingForm):
    """Cards from one store into another."""

    stock = StockField("Welche Karten, aus welchem Lager?")
    target = ChoiceField(
        "In welches Lager?", [given("Bitte wählen Sie das Lager.")], coerce=optional_id
    )


class IssueForm(BookingForm):
    """Cards for an organisation or somebody else."""

    stock = StockField("Welche Karten, aus welchem Lager?")
    organisation_id = ChoiceField("Wer bekommt sie?", coerce=optional_id)


class ReturnForm(BookingForm):
    """Cards that come back."""

    edition_id = ChoiceField(
        "Auflage", [given("Bitte wählen Sie die Auflage.")], coerce=optional_id
    )
    store_id = ChoiceField(
        "In welches Lager?", [given("Bitte wählen Sie das Lager.")], coerce=optional_id
    )
    organisation_id = ChoiceField("Von wem?", coerce=optional_id)


class LossForm(BookingForm):
    """Cards that are lost or destroyed."""

    stock = StockField("Welche Karten, aus welchem Lager?")
    reason = LineField(
        "Was ist geschehen?",
        LONGEST_REASON,
        [required("Bitte schreiben Sie, was geschehen ist.")],
    )


class ReversalForm(Form):
    """Why a movement is taken back."""

    reason = LineField(
        "Warum wird sie zurückgenommen?",
        LONGEST_REASON,
        [required("Bitte schreiben Sie, warum die Bewegung zurückgenommen wird.")],
    )


class StoreForm(Form):
    """A store of the office."""

    name = LineField("Name", 120, [required("Bitte geben Sie dem Lager einen Namen.")])


class BoxForm(StoreForm):
    """A trainer's box."""

    person_id = ChoiceField(
        "Wem gehört die Box?", [given("Bitte wählen Sie, wem die Box gehört.")], coerce=optional_id
    )


class PartnerStoreForm(StoreForm):
    """A partner's store."""

    organisation_id = ChoiceField(
        "Bei welcher Organisation?",
        [given("Bitte wählen Sie die Organisation.")],
        coerce=optional_id,
    )


class JournalForm(QueryForm):
    """The filter of the journal; it stands in the address, so that it can be sent to somebody."""

    lager = ChoiceField("Lager", coerce=optional_id)
    karte = ChoiceField("Karte oder Auflage", coerce=str, default="")
    ort = ChoiceField("Von oder nach", coerce=str, default="")
    organisation = ChoiceField("Organisation", coerce=optional_id)
    veranstaltung = StringField("Veranstaltung (Nummer)", filters=[lambda text: clean(text or "")])
    bestellung = StringField("Bestellung (Nummer)", filters=[lambda text: clean(text or "")])
    von = DayField("Vom Tag an")
    bis = DayField("Bis zum Tag")

    def offer(
        self,
        stores: Iterable[Store],
        editions: Iterable[Edition],
        organisations: Iterable[tuple[int, str]],
    ) -> None:
        """Fill in the choices."""
        everything = [("", "alle")]
        self.lager.choices = options([*everything, *((row.id, row.name) for row in stores)])
        cards = options(everything)
        for card, several in groupby(editions, key=lambda row: row.card_type):
            pairs = [(f"k{card.id}", "alle Auflagen")]
            pairs += [(f"a{row.id}", f"Auflage {row.running}") for row in several]
            cards += options(pairs, group=card.title)
        self.karte.choices = cards
        self.ort.choices = options([*everything, *PLACE_NAMES.items()])
        self.organisation.choices = options([*everything, *organisations])

    def wanted(self) -> JournalFilter:
        """Return the filter; what makes no sense has an error at its field and is left out."""
        self.validate()
        valid = {
            name: field.data if not field.errors else None for name, field in self._fields.items()
        }
        kind, chosen = (valid["karte"] or "")[:1], (valid["karte"] or "")[1:]
        return JournalFilter(
            store_id=valid["lager"],
            card_type_id=optional_id(chosen) if kind == "k" else None,
            edition_id=optional_id(chosen) if kind == "a" else None,
            place=PlaceKind(valid["ort"]) if valid["ort"] else None,
            organisation_id=valid["organisation"],
            event_number=valid["veranstaltung"] or "",
            order_number=(valid["bestellung"] or "").upper(),
            first_day=valid["von"],
            last_day=valid["bis"],
        )

    @classmethod
    def from_address(cls, session: Session) -> JournalForm:
        """Return the filter that the address names, with its choices."""
        form = cls(request.args)
        form.offer(
            list_stores(session, with_retired=True),
            list_editions(session),
            organisation_choices(session),
        )
        return form

    @property
    def is_used(self) -> bool:
        """Whether anything is filtered or was tried."""
        return any(request.args.get(name) for name in self._fields)
