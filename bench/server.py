"""The application as in production: gunicorn with synchronous workers, in processes of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import psutil

from bench.client import HOST, Browser
from bench.figures import median_of_runs
from bench.machine import cpu_seconds, family, pss_megabytes
from trainings.cli.server import gunicorn_arguments

STARTS_WITHIN_SECONDS = 30
LOOK_EVERY_SECONDS = 0.005
LIST = "/veranstaltungen/"


@dataclass(frozen=True)
class Server:
    """A running server.

    Attributes:
        port: where it listens on this machine.
        pid: of gunicorn's master.
        database_pids: the database's processes; none for SQLite, which runs in the workers.

    """

    port: int
    pid: int
    database_pids: tuple[int, ...]

    def cpu(self) -> float:
        """Return the CPU seconds that web and database have used so far."""
        return cpu_seconds((self.pid, *self.database_pids))

    def worker_memory(self) -> float:
        """Return the memory (PSS) of the largest worker in megabytes."""
        workers: list[psutil.Process] = family(self.pid)[1:]
        return max(pss_megabytes(worker) for worker in workers)


@contextmanager
def running(
    environment: Mapping[str, str], workers: int, database_pids: tuple[int, ...] = ()
) -> Iterator[Server]:
    """Run the application until the end of the block.

    Args:
        environment: the settings.
        workers: how many synchronous workers.
        database_pids: what belongs to its CPU besides its own processes.

    """
    port = _free_port()
    process = subprocess.Popen(
        [sys.executable, *gunicorn_arguments(port, workers)], env={**os.environ, **environment}
    )
    try:
        _wait_for(port, process)
        yield Server(port, process.pid, database_pids)
    finally:
        process.terminate()
        process.wait(STARTS_WITHIN_SECONDS)


def seconds_to_first_answer(environment: Mapping[str, str]) -> float:
    """Return the median time from the command to the list of events, over five starts."""

    def start() -> float:
        begin = time.perf_counter()
        with running(environment, workers=2):
            return time.perf_counter() - begin

    return median_of_runs(start)


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + STARTS_WITHIN_SECONDS
    while time.monotonic() < deadline:
        try:
            Browser(port).get(LIST)
            return
        except OSError:
            if process.poll() is not None:
                break
            time.sleep(LOOK_EVERY_SECONDS)
    raise RuntimeError("The server did not start.")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
