"""The scanner in a real browser, with a camera that shows a ticket."""

from __future__ import annotations

from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser, expect, sync_playwright

from bench.client import HOST
from bench.data import forget_attendance
from bench.figures import RUNS, Figure
from bench.server import Server
from bench.stage import Stage
from tests.browser.door import camera, film
from tests.browser.wire import Wire

PHONE = {"width": 360, "height": 740}
PATIENCE_MILLISECONDS = 30_000
MOST_MILLISECONDS = 500
DURATION = "performance.getEntriesByName('frame-to-answer')[0].duration"


def measure_scanner(stage: Stage, server: Server) -> list[Figure]:
    """Measure from the frame to the answer on the page, and what the page weighs over the wire."""
    found = []
    with TemporaryDirectory() as folder, sync_playwright() as playwright:
        client = stage.browser(server, stage.data.everything)
        ticket = f"http://{HOST}:{client.port}/t/{stage.data.tickets[0]}"
        shown = film(Path(folder) / "ticket.y4m", ticket)
        for _ in range(RUNS):
            stage.change(forget_attendance)
            with camera(playwright.chromium, shown) as browser:
                found.append(_scan(browser, client.port, client.cookie, stage.data.today_number))
    page, decoder = found[-1][1:]
    note = f"{decoder / 1000:.0f} kB more for the decoder"
    return [
        Figure("scanner, frame to answer", median(each[0] for each in found), "ms",
               MOST_MILLISECONDS, note="server included"),
        Figure("scanner, the page", page / 1000, "kB", note=note),
    ]  # fmt: skip


def _scan(browser: Browser, port: int, cookie: str, number: str) -> tuple[float, float, float]:
    """Open the scanner; return milliseconds to the answer, bytes of the page and the decoder."""
    address = f"http://{HOST}:{port}"
    # Without the service worker the page itself loads everything, where it can be weighed.
    context = browser.new_context(viewport=PHONE, service_workers="block")
    context.add_cookies([{"name": "trainings", "value": cookie, "url": address}])
    page = context.new_page()
    wire = Wire(page)
    page.goto(f"{address}/einlass/{number}/scanner")
    answer = page.locator("#antwort")
    expect(answer).to_contain_text("Da", timeout=PATIENCE_MILLISECONDS)
    taken: float = page.evaluate(DURATION)
    context.close()
    return taken, wire.others, wire.decoder
