"""What all tests share: an application on a fresh database, on SQLite or PostgreSQL."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_migrate import Migrate, upgrade
from sqlalchemy import text

from tests.postgresql import Server, start_server
from trainings import create_app
from trainings.core.database import db, transaction
from trainings.core.files import resource_folder
from trainings.core.settings import Settings
from trainings.models import metadata

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker that runs a module's tests on both databases."""
    config.addinivalue_line("markers", "both_databases: run on SQLite and on PostgreSQL")
    config.addinivalue_line(
        "markers", "postgresql_only: what row locks alone allow; SQLite lets nobody in between"
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test with the marker on both databases, any other on SQLite."""
    if "backend" in metafunc.fixturenames:
        both = metafunc.definition.get_closest_marker("both_databases")
        names = ["sqlite", "postgresql"] if both else ["sqlite"]
        if metafunc.definition.get_closest_marker("postgresql_only"):
            names = ["postgresql"]
        metafunc.parametrize("backend", names, indirect=True, scope="session")


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[Server]:
    """Start a PostgreSQL server for the tests of this process."""
    with start_server() as server:
        yield server


@pytest.fixture(scope="session")
def backend(request: pytest.FixtureRequest) -> str:
    """Name the database that the test runs on."""
    return str(request.param)


@pytest.fixture(scope="session")
def database_url(
    backend: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> str:
    """Address of an empty database."""
    if backend == "sqlite":
        return f"sqlite:///{tmp_path_factory.mktemp('sqlite') / 'test.sqlite3'}"
    server: Server = request.getfixturevalue("postgresql_server")
    return server.create_database(f"test_{os.getpid()}")


@pytest.fixture(scope="session")
def settings(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings of the tests."""
    folder = tmp_path_factory.mktemp("instance")
    return make_settings(database_url, folder)


def make_settings(database_url: str, folder: Path) -> Settings:
    """Return settings for a database and a folder of instance files."""
    return Settings(
        database_url=database_url,
        secret_key="a key for tests, long enough to be taken",
        base_url="http://trainings.example",
        mail_url=f"file:{folder / 'mail'}",
        mail_from="trainings@sikoruhr.example",
        demo=False,
        instance=folder,
    )


class Browser(FlaskClient):
    """A browser without script.

    Each request gets an application context of its own, as in a server: the one that the test holds
    would keep who was logged in, and rows that were read, from one request to the next. What the
    test itself reads after a request is read anew.
    """

    def open(self, *args: Any, **kwargs: Any) -> Any:
        """Send a request."""
        with self.application.app_context():
            response = super().open(*args, **kwargs)
        db.session.rollback()
        return response


@pytest.fixture(scope="session")
def migrated_app(settings: Settings) -> Iterator[Flask]:
    """Return an application with all tables; `app` cleans it for each test."""
    application = create_app(settings)
    application.config["TESTING"] = True
    application.test_client_class = Browser
    application.config["PROPAGATE_EXCEPTIONS"] = False
    Migrate(application, db, directory=str(resource_folder("migrations")))
    with application.app_context():
        upgrade()
    yield application
    with application.app_context():
        db.engine.dispose()


@pytest.fixture
def app(migrated_app: Flask) -> Iterator[Flask]:
    """Return the application on an empty database, inside an application context."""
    with migrated_app.app_context():
        empty_database()
        yield migrated_app
        db.session.remove()


def empty_database() -> None:
    """Delete the rows of all tables."""
    with transaction() as session:
        if session.get_bind().dialect.name == "postgresql":
            names = ", ".join(table.name for table in metadata.sorted_tables)
            session.execute(text(f"TRUNCATE {names} RESTART IDENTITY CASCADE"))
            return
        session.execute(text("PRAGMA defer_foreign_keys = ON"))
        for table in reversed(metadata.sorted_tables):
            session.execute(table.delete())


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """Return a browser without script."""
    return app.test_client()
