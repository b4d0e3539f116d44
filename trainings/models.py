"""Imports the tables of all rooms, for migrations and for whoever needs the whole schema."""

from __future__ import annotations

from trainings.core.database import Base

metadata = Base.metadata
