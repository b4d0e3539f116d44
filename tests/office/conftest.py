"""Browsers of the office, and the number of statements that a page costs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event

from tests.factories import log_in, make_person
from trainings.core.database import db, transaction
from trainings.core.permissions import Role

Browser = Callable[[Role], FlaskClient]


@pytest.fixture
def browser(app: Flask) -> Browser:
    """Return a function that logs somebody with a role in."""

    def open_browser(role: Role) -> FlaskClient:
        with transaction() as session:
            person_id = make_person(session, given_name="Wiebke", roles=(role,)).id
        client = app.test_client()
        log_in(client, person_id)
        return client

    return open_browser


@pytest.fixture
def office(browser: Browser) -> FlaskClient:
    """Return the browser of a coordinator."""
    return browser(Role.COORDINATOR)


@contextmanager
def counted_statements() -> Iterator[list[str]]:
    """Collect the SQL statements that run inside of the block."""
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
