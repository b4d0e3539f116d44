"""A real browser before a real server with the demonstration data."""

from __future__ import annotations

import email
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from trainings.people import demo

COMMAND = [sys.executable, "-c", "from trainings.cli import main; main()"]
CHROMIUM = ("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome")
FLAGS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update"]
PHONE, DESK = {"width": 360, "height": 740}, {"width": 1440, "height": 900}
LONGEST_SECONDS = 60
# A page is waited for, never slept for; a busy machine may take longer than Playwright's 5 seconds.
expect.set_options(timeout=20_000)
PARTICIPANT = "kuebra.oeztuerk-lindner@stadt-essen.example"
CONTACT = "frauke.overbeck@stadt-essen.example"
TRAINER = "joerdis.kaluza@sikoruhr.example"
COORDINATOR = "wiebke.toennies@sikoruhr.example"


@dataclass(frozen=True)
class Site:
    """The running application."""

    url: str
    instance: Path

    def mails_to(self, address: str) -> list[EmailMessage]:
        """Return the mails that have arrived for an address, in no order."""
        found = []
        for file in (self.instance / "mail").glob("*.eml"):
            message = email.message_from_bytes(file.read_bytes(), policy=default)
            if address in str(message["To"]):
                found.append(message)
        return found

    def wait_for_mail(self, address: str, words: str) -> EmailMessage:
        """Return the mail with these words in its subject, as soon as the worker has sent it."""
        deadline = time.monotonic() + LONGEST_SECONDS
        while time.monotonic() < deadline:
            for message in self.mails_to(address):
                if words in str(message["Subject"]):
                    return message
            time.sleep(0.2)  # another process sends it; there is nothing to wait on but the folder
        raise AssertionError(f"No mail to {address} with {words!r} arrived.")


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Start the application with the demonstration data."""
    instance = tmp_path_factory.mktemp("site")
    outside = {name: value for name, value in os.environ.items() if "TRAININGS" not in name}
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {
        **outside,
        "TRAININGS_INSTANCE": str(instance),
        "PORT": str(port),
        "PYTHONUNBUFFERED": "1",
    }
    for arguments in (["settings", "init"], ["db", "upgrade"]):
        subprocess.run([*COMMAND, *arguments], env=environment, check=True, capture_output=True)
    process = subprocess.Popen(
        [*COMMAND, "run"], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        for line in process.stdout:
            if "Beenden mit" in line:
                break
        yield Site(f"http://127.0.0.1:{port}", instance)
    finally:
        process.terminate()
        process.stdout.close()
        process.wait(LONGEST_SECONDS)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Start the system's Chromium."""
    path = next((path for path in CHROMIUM if Path(path).exists()), None)
    assert path is not None, "Chromium is missing: make test installs it."
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@dataclass
class Visit:
    """One person's browser; notes what no page may do."""

    site: Site
    page: Page
    strangers: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def open(self, path: str) -> None:
        """Open a page of the application."""
        self.page.goto(f"{self.site.url}{path}")

    def log_in(self, address: str) -> None:
        """Log in by the demonstration's password."""
        self.open("/konto/anmelden")
        self.page.get_by_label("Dienstliche E-Mail").fill(address)
        self.page.get_by_label("Passwort").fill(demo.PASSWORD)
        self.page.get_by_role("button", name="Weiter").click()
        expect(self.page.get_by_text("Sie sind eingeloggt.")).to_be_visible()


@pytest.fixture
def visit(site: Site, chromium: Browser) -> Iterator[Visit]:
    """Open a browser without script at a desk; nothing here needs one."""
    context = chromium.new_context(viewport=DESK, locale="de-DE", java_script_enabled=True)
    yield from _visiting(site, context)


@pytest.fixture
def phone(site: Site, chromium: Browser) -> Iterator[Visit]:
    """Open a browser on a phone, with script switched off."""
    context = chromium.new_context(
        viewport=PHONE, locale="de-DE", java_script_enabled=False, has_touch=True
    )
    yield from _visiting(site, context)


def _visiting(site: Site, context: BrowserContext) -> Iterator[Visit]:
    page = context.new_page()
    visit = Visit(site, page)
    page.on(
        "request",
        lambda request: (
            None
            if request.url.startswith((site.url, "data:"))
            else visit.strangers.append(request.url)
        ),
    )
    page.on(
        "console",
        lambda message: (
            visit.complaints.append(message.text)
            if message.type == "error" and "status of 4" not in message.text
            else None
        ),
    )
    yield visit
    context.close()
    assert visit.strangers == []
    assert visit.complaints == []
