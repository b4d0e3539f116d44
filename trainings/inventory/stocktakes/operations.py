"""Opening a stocktake, counting, posting the differences, giving it up.

Each locks the store first: a store has one open stocktake at most, and its balances stay as they
are read until the transaction ends.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, event, exists, inspect, or_, select
from sqlalchemy.orm import Mapper, Session, joinedload

from trainings.core.actors import Actor
from trainings.core.audit import record
from trainings.core.errors import DomainError, not_found
from trainings.core.formats import join_words
from trainings.inventory.ledger import LockedStock, lock_stores, name_of
from trainings.inventory.models import Balance, Edition, Movement, Store
from trainings.inventory.rules import check_quantity
from trainings.inventory.stocktakes.models import Stocktake, StocktakeLine, StocktakeState
from trainings.inventory.stocktakes.reads import balances, countable_by, moved_since
from trainings.inventory.stocktakes.rules import counting_moment, fingerprint


def open_stocktake(session: Session, actor: Actor, store_id: int, now: datetime) -> Stocktake:
    """Open a stocktake with a line for every edition that lies in the store or ever did.

    Args:
        session: the open transaction.
        actor: the office, or the trainer whose box it is.
        store_id: which store.
        now: the present instant.

    Raises:
        DomainError: `not_found`, also for a foreign store; `store_retired` or `stocktake_open`.

    """
    known = session.scalar(select(Store.id).where(Store.id == store_id, countable_by(actor)))
    if known is None:
        raise not_found()
    store = lock_stores(session, [store_id], now).stores[store_id]
    if store.retired_at is not None:
        raise _retired(store)
    counting = select(Stocktake.id).where(
        Stocktake.store_id == store_id, Stocktake.state == StocktakeState.COUNTING
    )
    if session.scalar(counting) is not None:
        raise DomainError(
            "stocktake_open",
            f"Für „{store.name}“ läuft schon eine Inventur. Bitte zählen Sie dort weiter, oder "
            "brechen Sie sie ab.",
            field="store_id",
        )
    stocktake = Stocktake(
        store_id=store_id,
        state=StocktakeState.COUNTING,
        opened_at=now,
        opened_by_id=actor.person_id,
        lines=[StocktakeLine(edition_id=edition) for edition in _known_editions(session, store_id)],
    )
    session.add(stocktake)
    session.flush()
    record(session, actor, "stocktake_opened", stocktake, now, store_id=store_id)
    return stocktake


def _known_editions(session: Session, store_id: int) -> list[int]:
    """Return the editions that ever moved in a store; each of these has a balance."""
    moved = exists().where(
        Movement.edition_id == Balance.edition_id,
        or_(Movement.source_store_id == store_id, Movement.target_store_id == store_id),
    )
    return list(
        session.scalars(
            select(Balance.edition_id)
            .where(Balance.store_id == store_id, moved)
            .order_by(Balance.edition_id)
        )
    )


def add_line(
    session: Session, actor: Actor, stocktake_id: int, edition_id: int, now: datetime
) -> StocktakeLine:
    """Add an edition that was found on the shelf and is not listed.

    Raises:
        DomainError: `not_found`, `stocktake_finished` or `already_listed`.

    """
    stocktake, _ = lock_counting(session, actor, stocktake_id, now)
    if session.get(Edition, edition_id) is None:
        raise not_found()
    if session.get(StocktakeLine, (stocktake_id, edition_id)) is not None:
        raise DomainError(
            "already_listed",
            "Diese Auflage steht schon auf der Liste. Bitte geben Sie dort ein, wie viele Karten "
            "es sind.",
            field="edition_id",
        )
    line = StocktakeLine(stocktake_id=stocktake_id, edition_id=edition_id)
    session.add(line)
    session.flush()
    record(session, actor, "stocktake_line_added", stocktake, now, edition_id=edition_id)
    return line


def count_lines(
    session: Session,
    actor: Actor,
    stocktake_id: int,
    counts: Mapping[int, int],
    *,
    counted_at: datetime | None = None,
    now: datetime,
) -> Stocktake:
    """Keep how many cards were counted, beside what the book said at that moment.

    A line that was counted before is replaced; what it said stays in the audit.

    Args:
        session: the open transaction.
        actor: the office, or the trainer whose box it is.
        stocktake_id: which stocktake.
        counts: cards counted, 0 to `LARGEST_QUANTITY`, by edition.
        counted_at: when, for a list on paper: to the minute; None: now.
        now: the present instant.

    Raises:
        DomainError: `not_found`, also for an edition that is not listed; `stocktake_finished`,
            `bad_quantity`, `counted_in_the_future` or `counted_before_opening`.

    """
    stocktake, locked = lock_counting(session, actor, stocktake_id, now)
    moment = counting_moment(counted_at, stocktake.opened_at, now)
    lines = {line.edition_id: line for line in _lines(session, stocktake_id)}
    if not counts.keys() <= lines.keys():
        raise not_found()
    for counted in filter(None, counts.values()):
        check_quantity(counted, field=None)
    here = balances(session, stocktake.store_id)
    # What came meanwhile is already in the balance of a count that is made now.
    since = {} if counted_at is None else moved_since(session, stocktake.store_id, moment)
    for edition_id, counted in sorted(counts.items()):
        line = lines[edition_id]
        book = here.get(edition_id, 0) - since.get(edition_id, 0)
        record(
            session, actor, "stocktake_counted", stocktake, now,
            edition_id=edition_id, counted=counted, book=book,
            counted_before=line.counted, book_before=line.book,
        )  # fmt: skip
        line.counted, line.book, line.counted_at = counted, book, moment
        line.counted_by_id = actor.person_id
    locked.session.flush()
    return stocktake


def post_stocktake(
    session: Session,
    actor: Actor,
    stocktake_id: int,
    *,
    seen: str,
    reason: str,
    left_out: Collection[int] = (),
    now: datetime,
) -> Stocktake:
    """Book the differences and make the stocktake a document that never changes.

    Args:
        session: the open transaction.
        actor: the office, or the trainer whose box it is.
        stocktake_id: which stocktake.
        seen: `rules.fingerprint` of the counts that were looked at.
        reason: why book and shelf differ, 1 to 300 letters; may be empty if they do not.
        left_out: editions that nobody counted, and nobody shall.
        now: the present instant.

    Raises:
        DomainError: `not_found`, `stocktake_finished`, `store_retired`, `changed_meanwhile`,
            `nothing_counted`, `not_counted`, `reason_missing` or `taken_since`.

    """
    stocktake, locked = lock_counting(session, actor, stocktake_id, now)
    store = locked.stores[stocktake.store_id]
    if store.retired_at is not None:
        raise _retired(store)
    lines = _lines(session, stocktake_id)
    if seen != fingerprint((ln.edition_id, ln.counted, ln.book, ln.counted_at) for ln in lines):
        raise DomainError(
            "changed_meanwhile",
            "Inzwischen wurde weiter gezählt. Bitte sehen Sie sich die Zahlen noch einmal an und "
            "buchen Sie dann.",
        )
    _check_complete(lines, left_out)
    found = [(line.edition_id, line.counted - line.book)  # type: ignore[operator]
             for line in lines if line.counted != line.book]  # fmt: skip
    if found and not reason.strip():
        raise DomainError(
            "reason_missing",
            "Buch und Lager weichen voneinander ab. Bitte schreiben Sie, woran das liegt.",
            field="reason",
            status=422,
        )
    for edition_id, difference in found:
        locked.book_difference(
            actor,
            stocktake.store_id,
            edition_id,
            difference,
            stocktake_id=stocktake_id,
            reason=reason,
            key=f"stocktake-{stocktake_id}-{edition_id}",
        )
    stocktake.state, stocktake.reason = StocktakeState.POSTED, reason
    _finish(session, actor, stocktake, now)
    return stocktake


def abandon_stocktake(
    session: Session, actor: Actor, stocktake_id: int, *, reason: str, now: datetime
) -> Stocktake:
    """Give a stocktake up; nothing is booked, what was counted stays as it is.

    Args:
        session: the open transaction.
        actor: the office, or the trainer whose box it is.
        stocktake_id: which stocktake.
        reason: why, 1 to 300 letters.
        now: the present instant.

    Raises:
        DomainError: `not_found`, `stocktake_finished` or `reason_missing`.

    """
    stocktake, _ = lock_counting(session, actor, stocktake_id, now)
    if not reason.strip():
        raise DomainError(
            "reason_missing",
            "Bitte schreiben Sie, warum die Inventur abgebrochen wird.",
            field="reason",
            status=422,
        )
    stocktake.state, stocktake.reason = StocktakeState.ABANDONED, reason
    _finish(session, actor, stocktake, now)
    return stocktake


def lock_counting(
    session: Session, actor: Actor, stocktake_id: int, now: datetime
) -> tuple[Stocktake, LockedStock]:
    """Lock the store of an open stocktake, and read the stocktake under the lock.

    Raises:
        DomainError: `not_found`, also for a foreign one; `stocktake_finished`.

    """
    store_id = session.scalar(
        select(Stocktake.store_id)
        .join(Store, Stocktake.store_id == Store.id)
        .where(Stocktake.id == stocktake_id, countable_by(actor))
    )
    if store_id is None:
        raise not_found()
    locked = lock_stores(session, [store_id], now)
    stocktake = session.get_one(Stocktake, stocktake_id, populate_existing=True)
    if stocktake.state is not StocktakeState.COUNTING:
        raise finished(stocktake.state)
    return stocktake, locked


def finished(state: StocktakeState) -> DomainError:
    """Return the refusal for whoever wants to change a stocktake that is posted or given up."""
    how = "gebucht" if state is StocktakeState.POSTED else "abgebrochen"
    return DomainError(
        "stocktake_finished",
        f"Diese Inventur ist schon {how} und ändert sich nicht mehr. Bitte eröffnen Sie eine neue, "
        "wenn noch einmal gezählt werden soll.",
    )


def _lines(session: Session, stocktake_id: int) -> list[StocktakeLine]:
    return list(
        session.scalars(
            select(StocktakeLine)
            .where(StocktakeLine.stocktake_id == stocktake_id)
            .options(joinedload(StocktakeLine.edition).joinedload(Edition.card_type))
            .order_by(StocktakeLine.edition_id)
            .execution_options(populate_existing=True)
        )
    )


def _check_complete(lines: Collection[StocktakeLine], left_out: Collection[int]) -> None:
    if all(line.counted is None for line in lines):
        raise DomainError(
            "nothing_counted",
            "Es ist noch nichts gezählt. Bitte zählen Sie, oder brechen Sie die Inventur ab.",
        )
    open_lines = [
        name_of(line.edition)
        for line in lines
        if line.counted is None and line.edition_id not in left_out
    ]
    if open_lines:
        raise DomainError(
            "not_counted",
            f"Noch nicht gezählt: {join_words([f'„{name}“' for name in open_lines])}. Bitte zählen "
            "Sie nach, oder kreuzen Sie an, was ungezählt bleiben soll.",
            field="left_out",
            status=422,
        )


def _finish(session: Session, actor: Actor, stocktake: Stocktake, now: datetime) -> None:
    stocktake.finished_at, stocktake.finished_by_id = now, actor.person_id
    session.flush()
    action = f"stocktake_{stocktake.state}"
    record(session, actor, action, stocktake, now, store_id=stocktake.store_id)


def _retired(store: Store) -> DomainError:
    return DomainError(
        "store_retired",
        f"Das Lager „{store.name}“ ist stillgelegt und kann nicht gezählt werden. Bitte nehmen Sie "
        "es vorher wieder auf.",
        field="store_id",
    )


@event.listens_for(Stocktake, "before_update")
@event.listens_for(Stocktake, "before_delete")
def _refuse_changes(_mapper: Mapper[Any], _connection: Connection, stocktake: Stocktake) -> None:
    before = inspect(stocktake).attrs.state.history
    if [*before.deleted, *before.unchanged][0] is not StocktakeState.COUNTING:
        raise RuntimeError(f"Stocktake {stocktake.id} is a document: it never changes.")


@event.listens_for(StocktakeLine, "before_insert")
@event.listens_for(StocktakeLine, "before_update")
@event.listens_for(StocktakeLine, "before_delete")
def _refuse_changed_lines(_: Mapper[Any], connection: Connection, line: StocktakeLine) -> None:
    state = connection.scalar(select(Stocktake.state).where(Stocktake.id == line.stocktake_id))
    if state is not StocktakeState.COUNTING:
        raise RuntimeError(f"Stocktake {line.stocktake_id} is a document: it never changes.")
