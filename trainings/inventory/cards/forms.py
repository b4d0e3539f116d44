"""Forms of cards and editions."""

from __future__ import annotations

from typing import Any

from flask_wtf.file import FileField
from wtforms import BooleanField
from wtforms.validators import ValidationError

from trainings.core.errors import DomainError
from trainings.core.fields import DayField, NumberField, enum_field, given
from trainings.core.forms import Form, LineField, TextField, required
from trainings.inventory.cards.operations import CardData, EditionData
from trainings.inventory.cards.uploads import (
    LARGEST_PDF,
    LARGEST_PICTURE,
    CheckedFile,
    read_pdf,
    read_picture,
)
from trainings.inventory.cards.withdrawing import RESTORE_REASONS
from trainings.inventory.models import LARGEST_QUANTITY, LONGEST_REASON
from trainings.inventory.stock.forms import QuantityField

LONGEST_TEXT = 5000


class CardForm(Form):
    """A card; its picture is checked and drawn anew while the form is validated."""

    title = LineField("Titel der Karte", 160, [required("Bitte geben Sie den Titel ein.")])
    description = TextField("Beschreibung", LONGEST_TEXT)
    reorder_level = NumberField(
        "Meldebestand",
        [given("Bitte geben Sie eine Zahl ein; 0 heißt: nie melden.")],
        most=LARGEST_QUANTITY,
    )
    picture = FileField("Bild der Karte")
    drop_picture = BooleanField("Das jetzige Bild entfernen")
    checked_picture: CheckedFile | None = None

    def validate_picture(self, field: Any) -> None:
        """Read the picture."""
        if field.data:
            # One byte more than is allowed is enough to know.
            content = field.data.read(LARGEST_PICTURE + 1)
            try:
                self.checked_picture = read_picture(field.data.filename, content)
            except DomainError as refusal:
                raise ValidationError(refusal.sentence) from refusal

    def card(self) -> CardData:
        """Return the card as it was typed."""
        return CardData(
            self.title.data,
            self.description.data or "",
            self.reorder_level.data,
            self.checked_picture,
            drop_picture=self.drop_picture.data,
        )


class EditionForm(Form):
    """An edition; its PDF is checked while the form is validated."""

    printed_on = DayField("Gedruckt am", [given("Bitte geben Sie den Tag des Drucks ein.")])
    quantity = QuantityField("Gedruckte Karten")
    landing_text = TextField("Text auf der Seite hinter dem QR-Code", LONGEST_TEXT)
    pdf = FileField("PDF der Karte")
    drop_pdf = BooleanField("Die jetzige PDF-Datei entfernen")
    checked_pdf: CheckedFile | None = None

    def validate_pdf(self, field: Any) -> None:
        """Read the PDF."""
        if field.data:
            content = field.data.read(LARGEST_PDF + 1)
            try:
                self.checked_pdf = read_pdf(field.data.filename, content)
            except DomainError as refusal:
                raise ValidationError(refusal.sentence) from refusal

    def edition(self) -> EditionData:
        """Return the edition as it was typed."""
        return EditionData(
            self.printed_on.data,
            self.quantity.data,
            self.landing_text.data or "",
            self.checked_pdf,
            drop_pdf=self.drop_pdf.data,
        )


class WithdrawForm(Form):
    """Why an edition is withdrawn."""

    reason = LineField(
        "Warum wird sie zurückgezogen?",
        LONGEST_REASON,
        [required("Bitte schreiben Sie, warum die Auflage zurückgezogen wird.")],
    )


class RestoreForm(Form):
    """Why an edition is handed out again."""

    reason = enum_field("Warum wird sie wieder ausgegeben?", RESTORE_REASONS)
