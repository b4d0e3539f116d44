"""Runs functions at the same moment, each in a thread with its own session, really committing."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from flask import Flask
from sqlalchemy import Connection
from sqlalchemy import event as sqlalchemy_event

from trainings.core import database
from trainings.core.database import db

Result = TypeVar("Result")
PATIENCE_SECONDS = 120


def run_together(
    app: Flask, functions: Sequence[Callable[[], Result]]
) -> list[Result | BaseException]:
    """Start all functions together and return what each returned or raised, in their order.

    Each runs in a thread of its own with an application context, so with a session and a
    connection of its own; a barrier lets none begin before all are there.
    """
    barrier = threading.Barrier(len(functions))
    results: list[Result | BaseException] = [RuntimeError("did not finish")] * len(functions)

    def work(index: int) -> None:
        with app.app_context():
            try:
                barrier.wait(PATIENCE_SECONDS)
                results[index] = functions[index]()
            except BaseException as error:
                results[index] = error
            finally:
                db.session.remove()

    threads = [
        threading.Thread(target=work, args=(index,), daemon=True) for index in range(len(functions))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
    return results


@contextmanager
def without_immediate() -> Iterator[None]:
    """Let transactions on SQLite begin without the lock, inside of the block."""
    engine = db.engine

    def begin_deferred(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    sqlalchemy_event.remove(database.Engine, "begin", database._begin_sqlite)
    sqlalchemy_event.listen(engine, "begin", begin_deferred)
    try:
        yield
    finally:
        sqlalchemy_event.remove(engine, "begin", begin_deferred)
        sqlalchemy_event.listen(database.Engine, "begin", database._begin_sqlite)
