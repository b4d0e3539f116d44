"""Where the benchmarks play: one database with its data, and browsers of people in it."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from flask_migrate import Migrate, upgrade
from itsdangerous import URLSafeTimedSerializer
from sqlalchemy import text
from sqlalchemy.orm import Session

from bench import data
from bench.client import Browser
from bench.server import Server
from tests.postgresql import start_server
from trainings import create_app
from trainings.core.database import POSTGRESQL, db, transaction
from trainings.core.files import resource_folder
from trainings.core.settings import load_settings

Task = TypeVar("Task")

DURABLE = ("fsync=on", "synchronous_commit=on", "full_page_writes=on")


@dataclass(frozen=True)
class Stage:
    """One database with its data.

    Attributes:
        name: of the database.
        environment: the settings under which the server runs.
        app: the application in this process; it makes data and cookies, and answers nobody.
        database_pids: the database's processes.
        data: what the rows are.

    """

    name: str
    environment: dict[str, str]
    app: Flask
    database_pids: tuple[int, ...]
    data: data.Data

    def browser(self, server: Server, account_id: int | None = None) -> Browser:
        """Return the browser of somebody who is logged in, or of a visitor.

        The cookie is made here: to log in costs argon2 or a mail, on purpose, and belongs into no
        other request.
        """
        if account_id is None:
            return Browser(server.port)
        secret = secrets.token_hex(20)
        serializer = SecureCookieSessionInterface().get_signing_serializer(self.app)
        if serializer is None:
            raise RuntimeError("The application has no secret key.")
        cookie = serializer.dumps(
            {
                "_permanent": True,
                "_user_id": f"{account_id}:0",
                "_fresh": True,
                "csrf_token": secret,
            }
        )
        signer = URLSafeTimedSerializer(str(self.app.secret_key), salt="wtf-csrf-token")
        return Browser(server.port, cookie, str(signer.dumps(secret)))

    def change(self, work: Callable[[Session], object]) -> None:
        """Change the data between measurements."""
        with self.app.app_context(), transaction() as session:
            work(session)

    def forget_new_registrations(self) -> None:
        """Let the next run find the same free places."""
        self.change(lambda session: data.forget_new_registrations(session, self.data))

    def grow(self, work: Callable[[Session], object]) -> None:
        """Add data, and let the database take stock of them, as it does by itself after a while."""
        self.change(work)
        with self.app.app_context():
            if db.engine.dialect.name == POSTGRESQL:
                db.session.execute(text("VACUUM ANALYZE"))
                db.session.execute(text("CHECKPOINT"))


@contextmanager
def sqlite_stage() -> Iterator[Stage]:
    """Set up the embedded database in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="trainings-bench-") as name:
        yield _set_up("SQLite", f"sqlite:///{Path(name) / 'bench.sqlite3'}", name, ())


@contextmanager
def postgresql_stage() -> Iterator[Stage]:
    """Set up a PostgreSQL server that loses nothing, as in production."""
    with (
        tempfile.TemporaryDirectory(prefix="trainings-bench-") as name,
        start_server(*DURABLE) as server,
    ):
        url = server.create_database("bench")
        postmaster = (server.folder / "data" / "postmaster.pid").read_text().split()[0]
        yield _set_up("PostgreSQL", url, name, (int(postmaster),))


def _set_up(name: str, url: str, folder: str, database_pids: tuple[int, ...]) -> Stage:
    environment = {
        "TRAININGS_DATABASE_URL": url,
        "TRAININGS_SECRET_KEY": secrets.token_urlsafe(48),
        "TRAININGS_BASE_URL": "http://127.0.0.1:8000",
        "TRAININGS_INSTANCE": folder,
        "TRAININGS_DEMO": "0",
    }
    app = create_app(load_settings(environment))
    Migrate(app, db, directory=str(resource_folder("migrations")))
    with app.app_context():
        upgrade()
    stage = Stage(name, environment, app, database_pids, data.Data())
    stage.grow(lambda session: data.make_courses(session, stage.data))
    return stage


def at_once(threads: int, act: Callable[[Task], object], tasks: Sequence[Task]) -> None:
    """Do tasks in threads, each thread the next one as soon as it is done; raise their errors."""
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(act, tasks))
