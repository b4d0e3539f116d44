"""Running numbers by year that are never given twice."""

from __future__ import annotations

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column


class YearSeries:
    """Columns of a table with the last number given in each year."""

    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    last: Mapped[int]


def next_number(session: Session, series: type[YearSeries], year: int) -> int:
    """Take the next number of a year, beginning with 1.

    One statement on both databases: it adds to the last number under the row's lock, so two
    operations at once wait for each other and get different numbers.
    """
    on_sqlite = session.get_bind().dialect.name == "sqlite"
    insert = sqlite.insert if on_sqlite else postgresql.insert
    taken = session.execute(
        insert(series)
        .values(year=year, last=1)
        .on_conflict_do_update(index_elements=["year"], set_={"last": series.last + 1})
        .returning(series.last)
    )
    return taken.scalar_one()
