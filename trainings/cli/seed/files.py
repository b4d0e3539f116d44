"""Reads the files of the demonstration data set."""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy.orm import Session

from trainings.core.files import resource_folder
from trainings.events.models import Event, EventTemplate, Room, Venue
from trainings.organisations.models import Organisation
from trainings.people.models import Person

Row = dict[str, str]


def read(name: str) -> list[Row]:
    """Return the rows of a file of `seed/`, by column."""
    path = resource_folder("seed") / f"{name}.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@dataclass
class Loading:
    """What was loaded so far, by the keys of the files.

    Attributes:
        session: the open transaction.
        now: the instant of loading.
        today: its day in Berlin.
        coordinator: who is noted as having planned everything.

    """

    session: Session
    now: datetime
    today: date
    organisations: dict[str, Organisation] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)
    people: dict[str, Person] = field(default_factory=dict)
    venues: dict[str, Venue] = field(default_factory=dict)
    rooms: dict[tuple[str, str], Room] = field(default_factory=dict)
    templates: dict[str, EventTemplate] = field(default_factory=dict)
    template_rows: dict[str, Row] = field(default_factory=dict)
    events: dict[str, Event] = field(default_factory=dict)

    @property
    def coordinator(self) -> Person:
        """Who is noted as having planned everything."""
        return self.people["demo-koordination"]
