"""Check-in: what a trainer's phone sends after it has read a ticket."""

from __future__ import annotations

from bench.client import Browser
from bench.data import forget_attendance
from bench.figures import Figure, cpu_milliseconds, median_of_runs, seconds
from bench.server import Server
from bench.stage import Stage, at_once

AT_A_TIME = 50
OF_ALL_CLIENTS = 200
CLIENTS = 8


def measure_checkins(stage: Stage, server: Server) -> list[Figure]:
    """Measure the POST that records somebody as present; the pages around it are told beside it."""
    tasks: list[tuple[Browser, str]] = []

    def prepare() -> None:
        stage.change(forget_attendance)
        # A browser for each: the messages of redirects that nobody follows would fill the cookie.
        tasks[:] = [
            (stage.browser(server, stage.data.everything), f"/t/{ticket}")
            for ticket in stage.data.tickets[:OF_ALL_CLIENTS]
        ]

    def post() -> int:
        for browser, path in tasks[:AT_A_TIME]:
            _record(browser, path)
        return AT_A_TIME

    def open_and_post() -> int:
        for browser, path in tasks[:AT_A_TIME]:
            browser.get(path)
            browser.get(_record(browser, path))
        return AT_A_TIME

    def post_at_once() -> None:
        at_once(CLIENTS, lambda task: _record(*task), tasks)

    cost = median_of_runs(lambda: cpu_milliseconds(server.cpu, post), prepare)
    pages = median_of_runs(lambda: cpu_milliseconds(server.cpu, open_and_post), prepare)
    rate = OF_ALL_CLIENTS / median_of_runs(lambda: seconds(post_at_once), prepare)
    return [
        Figure("a check-in by ticket", cost, "ms CPU", 6, note="POST /t/TICKET"),
        Figure("a check-in with its pages", pages, "ms CPU", note="GET, POST, GET"),
        Figure("check-ins, 8 clients", rate, "a second", 150, at_least=True),
    ]


def _record(browser: Browser, path: str) -> str:
    return browser.post(path, {"csrf_token": browser.token}).headers["location"]
