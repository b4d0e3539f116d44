"""What the figures were measured on, and how much CPU processes have used."""

from __future__ import annotations

import os
import platform
import sqlite3
import subprocess
from collections.abc import Iterable

import psutil

from tests.postgresql import find_binaries


def describe() -> str:
    """Return cores, memory, Python, databases, and how busy the machine is with other things."""
    postgres = subprocess.run(
        [find_binaries() / "postgres", "--version"], check=True, capture_output=True, text=True
    ).stdout.split()[2]
    memory = round(psutil.virtual_memory().total / 2**30)
    return (
        f"{os.cpu_count()} cores, {memory} GB, {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, "
        f"PostgreSQL {postgres}; load before {os.getloadavg()[0]:.1f}"
    )


def family(pid: int) -> list[psutil.Process]:
    """Return a process and all that it started."""
    head = psutil.Process(pid)
    return [head, *head.children(recursive=True)]


def cpu_seconds(pids: Iterable[int]) -> float:
    """Return the CPU time of processes, their children, and those children that have ended."""
    total = 0.0
    for pid in pids:
        for process in family(pid):
            try:
                total += sum(process.cpu_times()[:4])
            except psutil.NoSuchProcess:
                continue  # its parent counts it from now on
    return total


def pss_megabytes(process: psutil.Process) -> float:
    """Return the memory of a process; what it shares is divided among those that share it."""
    return float(process.memory_full_info().pss) / 1e6
