"""Registering: one person at a time, eight at once, and the rush for one course."""

from __future__ import annotations

from sqlalchemy import select

from bench.client import Browser
from bench.data import PLACES
from bench.figures import Figure, cpu_milliseconds, median_of_runs, seconds
from bench.server import LIST, Server, running
from bench.stage import Stage, at_once
from trainings.core.database import db
from trainings.registrations.models import Registration, RegistrationState

AT_A_TIME = 40
CLIENTS = 8
RUSHING_CLIENTS = 32
BUTTON = "Verbindlich anmelden"


def register(browser: Browser, number: str) -> None:
    """Do what somebody does: open the event, press the button, read the confirmation."""
    path = f"{LIST}{number}"
    accepted = browser.submit(browser.get(path), BUTTON, path)
    confirmation = browser.get(accepted.headers["location"])
    if "Sie haben einen Platz" not in confirmation.text:
        raise RuntimeError("The confirmation does not confirm.")


def measure_registrations(stage: Stage, server: Server) -> list[Figure]:
    """Measure a registration from the event's page to the confirmation."""
    tasks: list[tuple[Browser, str]] = []

    def prepare() -> None:
        stage.forget_new_registrations()
        browsers = (stage.browser(server, account) for account in stage.data.newcomers)
        tasks[:] = zip(browsers, stage.data.free_numbers, strict=False)

    def one_by_one() -> int:
        for task in tasks[:AT_A_TIME]:
            register(*task)
        return AT_A_TIME

    def side_by_side() -> None:
        at_once(CLIENTS, lambda task: register(*task), tasks)

    cost = median_of_runs(lambda: cpu_milliseconds(server.cpu, one_by_one), prepare)
    rate = len(tasks) / median_of_runs(lambda: seconds(side_by_side), prepare)
    stage.forget_new_registrations()
    browser = tasks[0][0]
    return [
        Figure("a registration", cost, "ms CPU", 20, note=f"{browser.requests} requests"),
        Figure("a registration, all bytes", browser.wire_bytes / 1000, "kB", 40, note="as sent"),
        Figure("registrations, 8 clients", rate, "a second", 50, at_least=True),
    ]


def measure_rush(stage: Stage, workers: int) -> list[Figure]:
    """Measure 200 people who want one of 12 places at once, each with one POST."""
    with running(stage.environment, workers, stage.database_pids) as server:

        def rush() -> float:
            browsers = [stage.browser(server, account) for account in stage.data.newcomers]
            taken = seconds(
                lambda: at_once(RUSHING_CLIENTS, lambda browser: _post(stage, browser), browsers)
            )
            _check_order(stage, len(browsers))
            return taken

        taken = median_of_runs(rush, stage.forget_new_registrations)
    stage.forget_new_registrations()
    note = f"{PLACES} placed, all others waiting in order"
    return [Figure(f"rush of 200, {workers} workers", taken, "s", 4, note=note)]


def _post(stage: Stage, browser: Browser) -> None:
    path = f"{LIST}{stage.data.crowded}/anmelden"
    browser.post(path, {"csrf_token": browser.token, "form_key": browser.token[:20]})


def _check_order(stage: Stage, people: int) -> None:
    with stage.app.app_context():
        rows = db.session.execute(
            select(Registration.rank, Registration.state)
            .where(Registration.event_id == stage.data.crowded_id)
            .order_by(Registration.rank)
        ).all()
    placed, waiting = RegistrationState.PLACED, RegistrationState.WAITING
    wanted = [placed] * PLACES + [waiting] * (people - PLACES)
    if [state for _, state in rows] != wanted or [rank for rank, _ in rows] != [
        *range(1, people + 1)
    ]:
        raise RuntimeError("The rush did not place the first twelve and put the others in order.")
