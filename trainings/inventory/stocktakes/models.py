"""Tables of the stocktakes."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from trainings.core.database import Base, choice
from trainings.core.retention import Retention, personal
from trainings.inventory.models import LONGEST_REASON, Edition, Store


class StocktakeState(StrEnum):
    """Where a stocktake stands."""

    COUNTING = "counting"
    POSTED = "posted"
    ABANDONED = "abandoned"


class Stocktake(Base):
    """One counting of one store; when it is posted it is a document and never changes."""

    __tablename__ = "stocktakes"
    __table_args__ = (
        Index(
            "uq_stocktakes_one_at_a_time",
            "store_id",
            unique=True,
            sqlite_where=text("state = 'counting'"),
            postgresql_where=text("state = 'counting'"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    store_id: Mapped[int] = mapped_column(ForeignKey("card_stores.id"), index=True)
    state: Mapped[StocktakeState] = mapped_column(choice(StocktakeState))
    opened_at: Mapped[datetime]
    opened_by_id: Mapped[int | None] = mapped_column(ForeignKey("persons.id"))
    finished_at: Mapped[datetime | None]
    finished_by_id: Mapped[int | None] = mapped_column(ForeignKey("persons.id"))
    reason: Mapped[str] = mapped_column(
        String(LONGEST_REASON), default="", info=personal(Retention.PERSON)
    )
    """Why book and shelf differ, or why the counting was abandoned."""

    store: Mapped[Store] = relationship()
    lines: Mapped[list[StocktakeLine]] = relationship(
        order_by="StocktakeLine.edition_id", cascade="all, delete-orphan"
    )


class StocktakeLine(Base):
    """How many cards of one edition were counted, and what the book said at that moment."""

    __tablename__ = "stocktake_lines"
    __table_args__ = (
        CheckConstraint("counted >= 0", name="counted_not_negative"),
        CheckConstraint(
            "(counted IS NULL) = (book IS NULL) AND (counted IS NULL) = (counted_at IS NULL)",
            name="counted_with_its_book_value",
        ),
    )

    stocktake_id: Mapped[int] = mapped_column(ForeignKey("stocktakes.id"), primary_key=True)
    edition_id: Mapped[int] = mapped_column(
        ForeignKey("card_editions.id"), primary_key=True, index=True
    )
    counted: Mapped[int | None]
    book: Mapped[int | None]
    """The balance at the moment of counting; movements go on after it."""
    counted_at: Mapped[datetime | None]
    counted_by_id: Mapped[int | None] = mapped_column(ForeignKey("persons.id"))

    edition: Mapped[Edition] = relationship()
