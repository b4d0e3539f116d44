"""Runs all benchmarks, on SQLite and on PostgreSQL, and prints target and figure side by side."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from time import perf_counter

from bench import data, machine
from bench.cards import measure_cards
from bench.certificates import measure_certificates
from bench.checkins import measure_checkins
from bench.feedback import measure_feedback
from bench.figures import Figure, table
from bench.pages import (
    measure_event_page,
    measure_first_visit,
    measure_lists,
    measure_yardstick,
)
from bench.promotions import measure_promotions
from bench.registrations import measure_registrations, measure_rush
from bench.scanner import measure_scanner
from bench.server import running, seconds_to_first_answer
from bench.stage import Stage, postgresql_stage, sqlite_stage
from bench.statements import measure_statements
from bench.syncs import measure_syncs

WORKERS = 2
MANY_WORKERS = 8
MANY_EVENTS = 440


def measure(stage: Stage) -> Iterator[Figure]:
    """Measure everything on one database; the data grow on the way."""
    with running(stage.environment, WORKERS, stage.database_pids) as server:
        yield from measure_registrations(stage, server)
        yield from measure_lists(stage, server, data.EVENTS, limit=8)
        yield from measure_event_page(stage, server)
        yield from measure_yardstick(stage, server)
        yield from measure_first_visit(stage, server)
        stage.grow(lambda session: data.add_conference_of_today(session, stage.data))
        yield from measure_checkins(stage, server)
        yield from measure_syncs(stage, server)
        yield from measure_scanner(stage, server)
        stage.grow(lambda session: data.add_courses(session, MANY_EVENTS - data.EVENTS - 1))
        yield from measure_lists(stage, server, MANY_EVENTS, limit=None)
        yield from measure_cards(stage, server)
        yield Figure("memory of a worker (PSS)", server.worker_memory(), "MB", 120)
    stage.grow(lambda session: data.add_crowded_course(session, stage.data))
    for workers in (WORKERS, MANY_WORKERS):
        yield from measure_rush(stage, workers)
    yield from measure_promotions(stage)
    yield from measure_certificates(stage)
    with running(stage.environment, WORKERS, stage.database_pids) as server:
        yield from measure_feedback(stage, server)
    yield Figure("start to first answer", seconds_to_first_answer(stage.environment), "s", 1.5)


def main() -> int:
    """Print the tables; return how many targets were missed."""
    begin = perf_counter()
    missed = 0
    print(f"{datetime.now(UTC):%Y-%m-%d}; {machine.describe()}")
    print("CPU: web and database processes together, median of five runs.\n")
    for make_stage in (sqlite_stage, postgresql_stage):
        with make_stage() as stage:
            figures = list(measure(stage))
            worst, pages = measure_statements(stage)
        figures += worst
        missed += sum(figure.met is False for figure in figures)
        print(f"## {stage.name}\n\n{table(figures)}\n", flush=True)
    print("SQL statements of each page:")
    print("\n".join(pages))
    print(f"\n{missed} targets missed; {perf_counter() - begin:.0f} s.")
    return missed


if __name__ == "__main__":
    sys.exit(min(main(), 1))
