"""Backups are whole, and restoring never destroys by accident."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from tests.cli.running import run
from tests.factories import make_organisation
from trainings.core.database import db, transaction
from trainings.organisations.models import Organisation

pytestmark = pytest.mark.both_databases


def names() -> set[str]:
    db.session.remove()
    return set(db.session.scalars(select(Organisation.name)))


def add(name: str) -> None:
    with transaction() as session:
        make_organisation(session, name)


def test_restoring_brings_back_what_was_there_and_nothing_else(app: Flask, tmp_path: Path) -> None:
    file = tmp_path / "sicherung"
    add("Stadt Davor")
    saved = run("backup", str(file))
    assert saved.exit_code == 0, saved.output
    assert file.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["sicherung"]
    add("Stadt Danach")
    restored = run("restore", "--yes", str(file))
    assert restored.exit_code == 0, restored.output
    assert names() == {"Stadt Davor"}
    add("Stadt Später")
    assert names() == {"Stadt Davor", "Stadt Später"}


def test_a_backup_is_made_while_somebody_writes(app: Flask, tmp_path: Path) -> None:
    file = tmp_path / "sicherung"
    add("Stadt Davor")
    with transaction() as session:
        make_organisation(session, "Stadt Mittendrin")
        session.flush()
        connection_in_use = session.connection()
        from click.testing import CliRunner

        from trainings.cli import group

        saved = CliRunner().invoke(group, ["backup", str(file)])
        assert saved.exit_code == 0, saved.output
        assert not connection_in_use.closed
    run("restore", "--yes", str(file))
    assert names() == {"Stadt Davor"}


def test_restoring_does_not_overwrite_data_unasked(app: Flask, tmp_path: Path) -> None:
    file = tmp_path / "sicherung"
    add("Stadt Davor")
    run("backup", str(file))
    add("Stadt Danach")
    refused = run("restore", str(file))
    assert refused.exit_code == 1
    assert "--yes" in refused.output
    assert names() == {"Stadt Davor", "Stadt Danach"}


@pytest.mark.parametrize("content", [b"", b"kein Backup", b"SQLite format 3\x00" + b"\x00" * 200])
def test_restoring_refuses_what_is_no_backup_and_keeps_the_data(
    app: Flask, tmp_path: Path, content: bytes
) -> None:
    add("Stadt Davor")
    file = tmp_path / "etwas"
    file.write_bytes(content)
    refused = run("restore", "--yes", str(file))
    assert refused.exit_code == 1
    assert "Traceback" not in refused.output
    assert names() == {"Stadt Davor"}


def test_restoring_a_missing_file_is_refused(app: Flask, tmp_path: Path) -> None:
    refused = run("restore", "--yes", str(tmp_path / "fehlt"))
    assert refused.exit_code == 1
    assert "gibt es nicht" in refused.output
