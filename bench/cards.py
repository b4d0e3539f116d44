"""Pocket cards: pages over a long journal, and whether posting minds its length."""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import count
from typing import Any

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from bench.figures import Figure, cpu_milliseconds, median_of_runs, seconds
from bench.machine import cpu_seconds
from bench.pages import page_cost
from bench.server import Server
from bench.stage import Stage
from tests.factories import log_in
from tests.statements import counted_statements
from trainings.core.actors import SYSTEM
from trainings.core.clock import berlin_day, utc_now
from trainings.core.database import db, transaction
from trainings.events.models import Event
from trainings.inventory.ledger import Booking, lock_stores
from trainings.inventory.models import (
    Balance,
    CardType,
    Edition,
    Movement,
    PlaceKind,
    Store,
    StoreKind,
)
from trainings.inventory.reports.sweeps import warn_of_low_stock
from trainings.inventory.rules import ORGANISATION, in_store
from trainings.organisations.models import Level, Organisation
from trainings.people.models import Account

FEW, MANY = 1_000, 100_000
YEARS = 6
EDITIONS_OF_A_CARD = 3
EACH_REVERSED = 200
CARDS = 4
VIEWS = 8
POSTINGS = 100
MOST_CPU = 100
MOST_STATEMENTS = 12
SLOWER_AT_MOST = 2.5
"""Noise of a shared machine; what grew with the journal would be a hundred times slower."""
_KEYS = count()


def pages() -> dict[str, str]:
    """Return what is measured, by its name."""
    past = berlin_day(utc_now()) - timedelta(days=365)
    return {
        "stock of cards": "/taschenkarten/",
        "journal of cards": "/taschenkarten/bewegungen/",
        "stock on a past day": f"/taschenkarten/stand?tag={past.isoformat()}",
        "yearly report": "/taschenkarten/auswertung?nach=jahr",
        "report by organisation": "/taschenkarten/auswertung?nach=organisation",
        "report by event": "/taschenkarten/auswertung?nach=veranstaltung",
        "foresight": "/taschenkarten/vorschau",
    }


def measure_cards(stage: Stage, server: Server) -> Iterator[Figure]:
    """Measure posting with a short and a long journal, and the pages over the long one."""
    stage.grow(_add_stock)
    stage.grow(lambda session: _add_movements(session, FEW))
    short = _posting(stage)
    stage.grow(lambda session: _add_movements(session, MANY - FEW))
    long = _posting(stage)
    yield Figure(f"posting a movement, {FEW} before", short, "ms CPU")
    yield Figure(
        f"posting a movement, {MANY} before", long, "ms CPU", max(1, SLOWER_AT_MOST * short)
    )
    shown = pages()
    browser = stage.browser(server, stage.data.everything)
    statements = _statements(stage, shown)
    for name, path in shown.items():
        cost = page_cost(server, browser, path, VIEWS)
        note = f"{statements[name]} statements, {MANY} movements"
        yield Figure(name, cost, "ms CPU", MOST_CPU, note=note)
    most = max(statements.values())
    yield Figure("statements of these", most, "", MOST_STATEMENTS)
    yield _warning(stage)
    for kind, most_seconds in (("csv", 20), ("xlsx", 60)):
        path = f"/taschenkarten/bewegungen.{kind}"
        taken = seconds(lambda path=path: browser.get(path))  # type: ignore[misc]
        memory = f"worker then {server.worker_memory():.0f} MB"
        yield Figure(f"the journal as {kind.upper()}", taken, "s", most_seconds, note=memory)


def _posting(stage: Stage) -> float:
    """Return the CPU of one movement in a transaction of its own, database included."""
    with stage.app.app_context():
        store_id = db.session.scalars(select(Store.id).where(Store.kind == StoreKind.OFFICE)).one()
        edition_id = db.session.scalars(select(Edition.id).order_by(Edition.id).limit(1)).one()
        organisation_id = db.session.scalars(select(Organisation.id).limit(1)).one()
        booking = Booking(
            edition_id, 1, in_store(store_id), ORGANISATION, organisation_id=organisation_id
        )

        def post() -> int:
            for _ in range(POSTINGS):
                with transaction() as session:
                    locked = lock_stores(session, [store_id], utc_now())
                    locked.book(SYSTEM, booking, key=f"bench-{next(_KEYS)}")
            return POSTINGS

        pids = (os.getpid(), *stage.database_pids)
        return median_of_runs(lambda: cpu_milliseconds(lambda: cpu_seconds(pids), post))


def _warning(stage: Stage) -> Figure:
    """Measure the sweep that looks for cards that run low, as it finds none most of the time."""
    with stage.app.app_context():

        def look() -> None:
            with transaction() as session:
                warn_of_low_stock(session, utc_now())

        taken = median_of_runs(lambda: seconds(look))
    return Figure("looking for cards that run low", taken * 1000, "ms", 50)


def _statements(stage: Stage, shown: dict[str, str]) -> dict[str, int]:
    counts = {}
    with stage.app.app_context():
        client = stage.app.test_client()
        log_in(client, db.session.get_one(Account, stage.data.everything).person_id)
    for name, path in shown.items():
        with stage.app.app_context(), counted_statements() as statements:
            client.get(path)
        counts[name] = len(statements)
    return counts


def _add_stock(session: Session) -> None:
    """Add cards with editions, the office's store, and some others."""
    for number in range(CARDS):
        title = f"Karte {number}"
        session.add(
            CardType(
                title=title,
                sort_key=title.lower(),
                editions=[
                    Edition(running=running, printed_on=date(2020, 1, running), quantity=100_000)
                    for running in range(1, EDITIONS_OF_A_CARD + 1)
                ],
            )
        )
    session.add(Store(kind=StoreKind.OFFICE, name="Lager", sort_key="lager"))
    for number in range(9):
        name = f"Lager {number}"
        session.add(Store(kind=StoreKind.PARTNER, name=name, sort_key=name.lower()))


def _add_movements(session: Session, number: int) -> None:
    """Add movements in the order of time, and make the balances their sums."""
    chance = random.Random(number)
    begin = utc_now() - timedelta(days=365 * YEARS)
    step = (utc_now() - begin) / (number + 1)
    office, *others = session.scalars(select(Store.id).order_by(Store.id)).all()
    editions = session.scalars(select(Edition.id).order_by(Edition.id)).all()
    events = session.scalars(select(Event.id)).all()
    authorities = session.execute(
        select(Organisation.id, Organisation.kind).where(Organisation.level == Level.AUTHORITY)
    ).all()
    nowhere = dict.fromkeys(
        ("source_store_id", "target_store_id", "organisation_id", "organisation_kind", "event_id")
    )
    rows: list[dict[str, Any]] = []
    for index in range(number):
        row: dict[str, Any] = {
            **nowhere,
            "key": f"bulk-{next(_KEYS)}",
            "at": begin + step * (index + 1),
            "edition_id": chance.choice(editions),
            "quantity": chance.randint(1, 9),
            "source": PlaceKind.STORE,
            "source_store_id": office,
            "target": PlaceKind.STORE,
        }
        kind = chance.random()
        if index < len(editions):
            row |= {"edition_id": editions[index], "source": PlaceKind.PRINTER}
            row |= {"source_store_id": None, "target_store_id": office, "quantity": 500_000}
        elif kind < 0.6:
            organisation_id, organisation_kind = chance.choice(authorities)
            row |= {"target": PlaceKind.ORGANISATION, "organisation_id": organisation_id}
            row["organisation_kind"] = organisation_kind
        elif kind < 0.85:
            row |= {"target": PlaceKind.EVENT, "event_id": chance.choice(events)}
        elif kind < 0.95:
            row["target_store_id"] = chance.choice(others)
        elif kind < 0.97:
            row["target"] = PlaceKind.LOSS
        else:
            row |= {"source": PlaceKind.RETURN, "source_store_id": None, "target_store_id": office}
        rows.append(row)
    session.execute(insert(Movement), rows)
    _reverse_some(session, number // EACH_REVERSED)
    _set_balances(session)


def _reverse_some(session: Session, number: int) -> None:
    """Take back the latest of those that nobody has taken back yet."""
    columns = [column for column in Movement.__table__.columns if column.name != "id"]
    wrong = session.execute(
        select(Movement.id, *columns)
        .where(Movement.target == PlaceKind.ORGANISATION)
        .order_by(Movement.id.desc())
        .limit(number)
    ).mappings()
    rows = [
        {
            **{name: value for name, value in row.items() if name != "id"},
            "key": f"bulk-{next(_KEYS)}",
            "source": row["target"],
            "source_store_id": row["target_store_id"],
            "target": row["source"],
            "target_store_id": row["source_store_id"],
            "reverses_id": row["id"],
        }
        for row in wrong
    ]
    session.execute(insert(Movement), rows)


def _set_balances(session: Session) -> None:
    sums: Counter[tuple[int, int]] = Counter()
    for column, sign in ((Movement.target_store_id, 1), (Movement.source_store_id, -1)):
        for store_id, edition_id, moved in session.execute(
            select(column, Movement.edition_id, func.sum(Movement.quantity))
            .where(column.is_not(None))
            .group_by(column, Movement.edition_id)
        ):
            sums[store_id, edition_id] += sign * int(moved)
    for (store_id, edition_id), quantity in sums.items():
        session.merge(Balance(store_id=store_id, edition_id=edition_id, quantity=quantity))
