"""Pages that are read: the list of events, one event, and what a first visit loads."""

from __future__ import annotations

import re

from bench.client import Browser
from bench.figures import Figure, cpu_milliseconds, median_of_runs
from bench.server import LIST, Server
from bench.stage import Stage

VIEWS = 60
_LOADED = re.compile(r'(?:href|src)="(/static/[^"#]+)')


def measure_lists(stage: Stage, server: Server, events: int, limit: float | None) -> list[Figure]:
    """Measure the list of upcoming events as somebody sees it who is logged in."""
    browser = stage.browser(server, stage.data.newcomers[0])
    cost = page_cost(server, browser, LIST)
    page = browser.get(LIST)
    shown = page.text.count("<h3>")
    size = len(page.content) / 1000
    sent = f"{shown} shown; {page.wire_bytes / 1000:.1f} kB sent"
    return [
        Figure(f"list of {events} events", cost, "ms CPU", limit, note=sent),
        Figure(f"list of {events} events, HTML", size, "kB", limit and 25, note="before gzip"),
    ]


def measure_event_page(stage: Stage, server: Server) -> list[Figure]:
    """Measure the page of an event with the form to register."""
    browser = stage.browser(server, stage.data.newcomers[0])
    path = f"{LIST}{stage.data.numbers[0]}"
    return [Figure("one event's page", page_cost(server, browser, path), "ms CPU", 6)]


def measure_yardstick(stage: Stage, server: Server) -> list[Figure]:
    """Measure an answer with one statement and no frame: what no page can be below."""
    browser = stage.browser(server)
    return [Figure("/readyz, as a yardstick", page_cost(server, browser, "/readyz"), "ms CPU")]


def measure_first_visit(stage: Stage, server: Server) -> list[Figure]:
    """Measure what a browser with an empty cache loads for the list, fonts left out."""
    browser = stage.browser(server, stage.data.newcomers[0])
    page = browser.get(LIST)
    for path in sorted(set(_LOADED.findall(page.text))):
        if not path.endswith(".woff2"):
            browser.get(path)
    note = f"{browser.requests} files, gzip where offered"
    return [Figure("first visit of the list", browser.wire_bytes / 1000, "kB", 60, note=note)]


def page_cost(server: Server, browser: Browser, path: str, views: int = VIEWS) -> float:
    """Return the CPU of web and database for one view of a page, in milliseconds."""

    def view() -> int:
        for _ in range(views):
            browser.get(path)
        return views

    return median_of_runs(lambda: cpu_milliseconds(server.cpu, view))
