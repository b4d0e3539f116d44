"""Fields that say how places are given: the same for a format and for an event."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from wtforms import BooleanField

from trainings.core.fields import NumberField, enum_field, given
from trainings.events.details import Policy, policy_of
from trainings.events.models import (
    ADMISSION_NAMES,
    MISSED_OFFER_NAMES,
    SHORT_NOTICE_NAMES,
    PlacePolicy,
)

MOST_OFFER_DAYS = 20


class PolicyFieldsMixin:
    """How places are given."""

    needs_release = BooleanField("Die Organisation muss jede Anmeldung freigeben (Dienstweg)")
    admission = enum_field("Wie Plätze vergeben werden", ADMISSION_NAMES)
    offer_days = NumberField(
        "Zeit zum Annehmen eines Platzangebots",
        [given("Bitte geben Sie eine Zahl ein, auch 0.")],
        most=MOST_OFFER_DAYS,
        default=Policy.offer_days,
        description="Arbeitstage; bei 0 rückt die nächste Person ohne Rückfrage nach",
    )
    short_notice = enum_field("Wenn die Zeit für ein Angebot nicht reicht", SHORT_NOTICE_NAMES)
    missed_offer = enum_field("Wer ein Angebot verstreichen lässt, kommt", MISSED_OFFER_NAMES)

    def policy(self) -> Policy:
        """Return what was chosen."""
        return Policy(
            needs_release=bool(self.needs_release.data),
            admission=self.admission.data,
            offer_days=self.offer_days.data,
            short_notice=self.short_notice.data,
            missed_offer=self.missed_offer.data,
        )


def policy_values(row: PlacePolicy) -> dict[str, Any]:
    """Return what the fields show at first."""
    return asdict(policy_of(row))
