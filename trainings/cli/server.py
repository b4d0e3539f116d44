"""`trainings run`: the web server and the worker side by side, for the demonstration."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import click
from flask.cli import with_appcontext

from trainings.cli.seed.loader import load_seed
from trainings.core.clock import utc_now
from trainings.core.database import db, transaction
from trainings.core.settings import PREFIX, current_settings
from trainings.people import demo

HOST = "127.0.0.1"
DEFAULT_PORT = 8000
WORKERS = 2
STARTS_WITHIN_SECONDS = 30
STOPS_WITHIN_SECONDS = 15
LOOK_EVERY_SECONDS = 0.2

Children = list[subprocess.Popen[bytes]]


@click.command()
@click.option("--port", envvar="PORT", default=DEFAULT_PORT, show_default=True, type=int)
@with_appcontext
def run(port: int) -> None:
    """Startet Anwendung und Mailversand; lädt vorher die Demonstration, wenn nichts da ist."""
    settings = current_settings()
    _require_free(port)
    logins = []
    if settings.demo:
        with transaction() as session:
            load_seed(session, utc_now(), with_passwords=True)
        logins = demo.demo_logins(db.session())
    db.session.remove()
    db.engine.dispose()
    address = f"http://{HOST}:{port}"
    environment = dict(os.environ)
    if settings.base_url == f"http://{HOST}:{DEFAULT_PORT}":
        environment[f"{PREFIX}BASE_URL"] = address
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    with _children(port, environment) as children:
        if _wait_until_it_answers(address, children, stopped):
            click.echo(_welcome(address, logins))
            while not stopped.wait(LOOK_EVERY_SECONDS) and _all_alive(children):
                pass
    if not stopped.is_set():
        sys.exit("Die Anwendung hat sich unerwartet beendet; die Meldungen darüber sagen, warum.")
    click.echo("Beendet.")


def gunicorn_arguments(port: int, workers: int = WORKERS) -> list[str]:
    """Return the arguments with which Python runs the web server, on this machine only."""
    return [
        *("-m", "gunicorn", "-c", "python:trainings.cli.gunicorn", "trainings:create_app()"),
        *("--bind", f"{HOST}:{port}", "--workers", str(workers)),
    ]


@contextmanager
def _children(port: int, environment: dict[str, str]) -> Iterator[Children]:
    """Run server and worker; whatever ends the block ends them too."""
    server = gunicorn_arguments(port)
    worker = ["-c", "from trainings.cli import main; main()", "jobs"]
    children: Children = []
    try:
        for arguments in (server, worker):
            # A session of their own: Ctrl-C reaches this process alone, which ends them in order.
            children.append(
                subprocess.Popen(  # noqa: S603 – our own programs, nothing from outside
                    [sys.executable, *arguments], env=environment, start_new_session=True
                )
            )
        yield children
    finally:
        for child in children:
            child.terminate()
        for child in children:
            try:
                child.wait(STOPS_WITHIN_SECONDS)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


def _all_alive(children: Children) -> bool:
    return all(child.poll() is None for child in children)


def _wait_until_it_answers(address: str, children: Children, stopped: threading.Event) -> bool:
    for _ in range(round(STARTS_WITHIN_SECONDS / LOOK_EVERY_SECONDS)):
        try:
            with urllib.request.urlopen(f"{address}/healthz", timeout=5):  # noqa: S310 – our own
                return True
        except OSError:
            if stopped.wait(LOOK_EVERY_SECONDS) or not _all_alive(children):
                return False
    return False


def _require_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except (OSError, OverflowError):
            raise click.ClickException(
                f"Der Anschluss {port} ist nicht frei. Ein anderer: PORT=8080 make run"
            ) from None


def _welcome(address: str, logins: list[demo.DemoLogin]) -> str:
    lines = ["", f"Trainings läuft: {address}"]
    if logins:
        width = max(len(login.email) for login in logins)
        lines += ["", f"Konten der Demonstration, Passwort für alle: {demo.PASSWORD}"]
        lines += [f"  {login.email:<{width}}  {login.role} ({login.name})" for login in logins]
    return "\n".join([*lines, "", "Beenden mit Strg+C.", ""])
