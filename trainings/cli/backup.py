"""`trainings backup` and `trainings restore`: the whole database in one file."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import click
from alembic.script import ScriptDirectory
from flask.cli import with_appcontext
from flask_migrate import upgrade
from psycopg.conninfo import make_conninfo
from sqlalchemy import URL, inspect
from sqlalchemy.engine import make_url

from trainings.cli.seed.loader import is_empty
from trainings.core.database import db
from trainings.core.files import resource_folder
from trainings.core.settings import current_settings

_OWNER_ONLY = 0o600
_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.argument("file", type=_FILE)
@with_appcontext
def backup(file: Path) -> None:
    """Sichert die ganze Datenbank in eine Datei, auch während die Anwendung läuft."""
    url = make_url(current_settings().database_url)
    partial = file.with_name(f"{file.name}.partial")
    partial.touch(_OWNER_ONLY)
    try:
        if url.get_backend_name() == "sqlite":
            _copy_sqlite(Path(url.database or ""), partial)
            _leave_wal(partial)
        else:
            _run_postgresql(url, "pg_dump", "--format=custom", "--no-owner", f"--file={partial}")
        partial.chmod(_OWNER_ONLY)
        partial.replace(file)
    finally:
        partial.unlink(missing_ok=True)
    click.echo(f"Gesichert: {file}")


@click.command()
@click.argument("file", type=_FILE)
@click.option("--yes", is_flag=True, help="Vorhandene Daten ersetzen.")
@with_appcontext
def restore(file: Path, yes: bool) -> None:
    """Ersetzt die Datenbank durch eine Sicherung und bringt sie auf den neuesten Stand."""
    if not file.is_file():
        raise click.ClickException(f"Die Datei {file} gibt es nicht.")
    if not yes and inspect(db.engine).has_table("organisations") and not is_empty(db.session()):
        raise click.ClickException(
            "Die Datenbank enthält Daten. Mit --yes werden sie durch die Sicherung ersetzt."
        )
    db.session.remove()
    db.engine.dispose()
    url = make_url(current_settings().database_url)
    if url.get_backend_name() == "sqlite":
        _require_backup(file)
        _copy_sqlite(file, Path(url.database or ""))
    else:
        options = ("--clean", "--if-exists", "--no-owner", "--single-transaction")
        _run_postgresql(url, "pg_restore", *options, str(file))
    upgrade()
    click.echo(f"Wiederhergestellt aus {file}")


def _copy_sqlite(source: Path, target: Path) -> None:
    """Copy all pages by SQLite's online backup: consistent, whoever reads or writes meanwhile."""
    try:
        with (
            closing(sqlite3.connect(source)) as reading,
            closing(sqlite3.connect(target)) as writing,
        ):
            reading.backup(writing)
    except sqlite3.Error as error:
        raise click.ClickException(f"Das ging nicht: {error}") from error


def _leave_wal(file: Path) -> None:
    """Make one self-contained file of it, which can be opened where nothing can be written."""
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")


def _require_backup(file: Path) -> None:
    """Refuse what is no backup, or one that a newer version of the application made."""
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
            (found,) = connection.execute("SELECT version_num FROM alembic_version").fetchone()
            (state,) = connection.execute("PRAGMA quick_check").fetchone()
    except (sqlite3.Error, TypeError):
        raise click.ClickException(f"{file} ist keine Sicherung dieser Anwendung.") from None
    if state != "ok":
        raise click.ClickException(f"{file} ist beschädigt: {state}")
    known = ScriptDirectory(str(resource_folder("migrations"))).walk_revisions()
    if found not in {script.revision for script in known}:
        raise click.ClickException(f"{file} stammt von einer neueren Fassung der Anwendung.")


def _run_postgresql(url: URL, program: str, *arguments: str) -> None:
    """Run a program of PostgreSQL on the database; the password is not on the command line.

    Raises:
        ClickException: the program is missing or failed.

    """
    if shutil.which(program) is None:
        raise click.ClickException(
            f"{program} fehlt. Unter Debian: apt-get install postgresql-client"
        )
    options = {name: str(value) for name, value in url.query.items()}
    address = make_conninfo(
        "",
        **{"user": url.username, "dbname": url.database, "host": url.host, "port": url.port}
        | options,
    )
    environment = {**os.environ}
    if url.password:
        environment["PGPASSWORD"] = str(url.password)
    done = subprocess.run(  # noqa: S603 – a program of PostgreSQL, found on the path
        [program, f"--dbname={address}", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise click.ClickException(f"{program} ist gescheitert: {done.stderr.strip()}")
