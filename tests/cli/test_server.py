"""`trainings run`, really started: it answers, shows the logins, and ends when it is told to."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from trainings.people import demo

COMMAND = [sys.executable, "-c", "from trainings.cli import main; main()"]
LONGEST_SECONDS = 60


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    outside = {name: value for name, value in os.environ.items() if "TRAININGS" not in name}
    return {**outside, "TRAININGS_INSTANCE": str(tmp_path / "instance"), "PYTHONUNBUFFERED": "1"}


def trainings(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=LONGEST_SECONDS,
        check=False,
    )


@contextmanager
def running(environment: dict[str, str]) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run the application until the end of the block; yields what it printed until it was ready."""
    process = subprocess.Popen(
        [*COMMAND, "run"], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        printed = ""
        for line in process.stdout:
            printed += line
            if "Beenden mit" in line:
                break
        yield process, printed
    finally:
        process.terminate()
        process.stdout.close()
        process.wait(LONGEST_SECONDS)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize("way", [signal.SIGTERM, signal.SIGINT])
def test_run_loads_the_demonstration_answers_and_ends_cleanly(
    environment: dict[str, str], way: signal.Signals
) -> None:
    trainings(environment, "settings", "init")
    trainings(environment, "db", "upgrade")
    port = free_port()
    with running({**environment, "PORT": str(port)}) as (process, printed):
        assert f"http://127.0.0.1:{port}" in printed
        assert demo.PASSWORD in printed
        assert printed.count(".example") == len(demo.ROLES)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz") as answer:
            assert answer.status == 200
        process.send_signal(way)
        assert process.wait(LONGEST_SECONDS) == 0
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0
    figures = trainings(environment, "statistics", "--until", "2025-10-23").stdout
    assert '"participants": 428' in figures


def test_run_says_that_a_port_is_taken(environment: dict[str, str]) -> None:
    trainings(environment, "settings", "init")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        refused = trainings({**environment, "PORT": port}, "run")
    assert refused.returncode == 1
    assert f"Der Anschluss {port} ist nicht frei" in refused.stderr


def test_a_missing_setting_is_one_sentence(environment: dict[str, str]) -> None:
    refused = trainings(environment, "doctor")
    assert refused.returncode == 1
    assert "TRAININGS_SECRET_KEY fehlt" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_missing_tables_are_explained(environment: dict[str, str]) -> None:
    trainings(environment, "settings", "init")
    for command in ("seed", "statistics"):
        refused = trainings(environment, command)
        assert refused.returncode == 1
        assert "trainings db upgrade" in refused.stderr
        assert "Traceback" not in refused.stderr
    assert "trainings db upgrade" in trainings(environment, "doctor").stdout
