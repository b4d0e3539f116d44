"""Tables of the cards at events."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from trainings.core.database import Base
from trainings.inventory.models import CardType


class EventCards(Base):
    """How many of a card are planned to be handed out at an event."""

    __tablename__ = "event_cards"
    __table_args__ = (CheckConstraint("planned >= 0", name="planned_not_negative"),)

    event_id: Mapped[int] = mapped_column(ForeignKey("events.id"), primary_key=True)
    card_type_id: Mapped[int] = mapped_column(
        ForeignKey("card_types.id"), primary_key=True, index=True
    )
    planned: Mapped[int]

    card_type: Mapped[CardType] = relationship()
