"""The forms of the handouts: each has one field for each card."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from wtforms import StringField

from trainings.core.fields import ChoiceField, NumberField, given, optional_id, parse_id
from trainings.core.forms import Form
from trainings.inventory.handouts.booking import card_field
from trainings.inventory.models import LARGEST_QUANTITY

_PLACE = "Bitte wählen Sie einen Eintrag aus der Liste."


class CardsForm(Form):
    """Quantities of cards; the base of all forms here, see `with_cards`."""

    card_ids: tuple[int, ...] = ()

    @property
    def quantities(self) -> dict[int, int]:
        """Cards by type; what was left empty is 0."""
        return {card: self[card_field(card)].data or 0 for card in self.card_ids}

    @property
    def card_fields(self) -> list[Any]:
        """The fields of the cards."""
        return [self[card_field(card)] for card in self.card_ids]


class TakeForm(CardsForm):
    """Cards that are taken along."""

    store = ChoiceField("Aus", [given(_PLACE)], coerce=optional_id)
    trainer = ChoiceField("In die Box von", [given(_PLACE)], coerce=optional_id)


class HandOutForm(CardsForm):
    """Cards that were handed out, as a sum."""

    store = ChoiceField("Aus", [given(_PLACE)], coerce=optional_id)


class ReturnForm(CardsForm):
    """Cards that come back."""

    box = ChoiceField("Aus", [given(_PLACE)], coerce=optional_id)
    store = ChoiceField("Zurück in", [given(_PLACE)], coerce=optional_id)


class TapForm(Form):
    """The buttons beside the names.

    Without a key against double submits, as in the list of the attendance: all buttons share one
    form, and a second tap books nothing.
    """

    form_key = None
    give = StringField()
    back = StringField()

    @property
    def tapped(self) -> tuple[int, bool] | None:
        """The registration, and whether it gets a card or gives it back; None: no such button."""
        for field, gets in ((self.give, True), (self.back, False)):
            registration_id = parse_id(field.data)
            if registration_id is not None:
                return registration_id, gets
        return None


Cards = TypeVar("Cards", bound=CardsForm)


def with_cards(base: type[Cards], cards: Iterable[tuple[int, str]]) -> type[Cards]:
    """Return the form with a field for each card.

    Args:
        base: which form.
        cards: id and title of each.

    """
    listed = tuple(cards)
    fields: dict[str, Any] = {
        card_field(card_id): NumberField(title, most=LARGEST_QUANTITY) for card_id, title in listed
    }
    return type(base.__name__, (base,), {**fields, "card_ids": tuple(card for card, _ in listed)})
