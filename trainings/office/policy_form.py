"""Fields for rules of a format and of an event: how places are given, how attendance is taken."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from wtforms import BooleanField

from trainings.core.fields import NumberField, enum_field, given
from trainings.events.details import DoorPolicy, Policy, door_policy_of, policy_of
from trainings.events.models import (
    ADMISSION_NAMES,
    MISSED_OFFER_NAMES,
    SHORT_NOTICE_NAMES,
    AttendancePolicy,
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


class DoorFieldsMixin:
    """How attendance is taken and certified."""

    certificate_share = NumberField(
        "Bescheinigung ab … % der Zeit",
        [given("Bitte geben Sie eine Zahl von 1 bis 100 ein.")],
        least=1,
        most=100,
        default=DoorPolicy.certificate_share,
        description="Darunter gibt es eine Bescheinigung über die besuchten Stunden",
    )
    offline_roster = BooleanField(
        "Namen auf dem Telefon der Trainer:innen erlauben (ohne Netz)",
        default=DoorPolicy.offline_roster,
    )

    def door(self) -> DoorPolicy:
        """Return what was chosen."""
        return DoorPolicy(self.certificate_share.data, bool(self.offline_roster.data))


def door_values(row: AttendancePolicy) -> dict[str, Any]:
    """Return what the fields show at first."""
    return asdict(door_policy_of(row))
