"""Answering a questionnaire on a phone: by keyboard without script, and with a failing network."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import exists, select

from tests.browser.conftest import COORDINATOR, DESK, PHONE, Site, Visit
from tests.conftest import make_settings
from tests.feedback.factories import make_open_survey, make_version
from trainings import create_app
from trainings.core.clock import utc_now
from trainings.core.database import db, transaction
from trainings.events.models import Event, EventState
from trainings.feedback.models import PendingAnswer, Survey
from trainings.feedback.questionnaires.standard import TRAINING
from trainings.feedback.surveys.rights import answer_path

AXE = Path("node_modules/axe-core/axe.min.js")
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
SCALES = [question.key for question in TRAINING.questions if question.labels]
WORDS = "Die Übung mit verteilten Rollen"
MOST_TABS = 30


@pytest.fixture(scope="module")
def codes(site: Site) -> list[str]:
    """Let an event of the demonstration ask, and return codes to answer with."""
    app = create_app(
        make_settings(f"sqlite:///{site.instance / 'trainings.sqlite3'}", site.instance)
    )
    with app.app_context():
        with transaction() as session:
            event = session.scalars(
                select(Event)
                .where(Event.state == EventState.HELD, ~exists().where(Survey.event_id == Event.id))
                .order_by(Event.id)
            ).first()
            assert event is not None
            version = make_version(session, TRAINING, title="Für den Browser")
            codes = make_open_survey(session, event, version, utc_now(), rights=12)[1]
        db.engine.dispose()
    return codes


def waiting(site: Site, words: str) -> int:
    """Return how many answers wait that hold these words."""
    app = create_app(
        make_settings(f"sqlite:///{site.instance / 'trainings.sqlite3'}", site.instance)
    )
    with app.app_context():
        contents = db.session.scalars(select(PendingAnswer.content)).all()
        db.session.remove()
        db.engine.dispose()
    return sum(words in str(content) for content in contents)


def tab_to(page: Page, name: str) -> None:
    """Press Tab until a control of this name has the focus."""
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.name || document.activeElement.type") == name:
            return
    raise AssertionError(f"Tab does not lead to {name}.")


def is_too_wide(page: Page) -> bool:
    return bool(
        page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    )


def test_somebody_answers_by_keyboard_alone_without_script(
    site: Site, phone: Visit, codes: list[str]
) -> None:
    page = phone.page
    phone.open("/rueckmeldung/")
    tab_to(page, "code")
    page.keyboard.type(codes[0].lower())
    page.keyboard.press("Enter")
    expect(page.get_by_text("Freiwillig und anonym")).to_be_visible()
    assert not is_too_wide(page)
    for key in SCALES:
        tab_to(page, f"a-{key}")
        page.keyboard.press("Space")
        for _ in range(3):
            page.keyboard.press("ArrowRight")
        chosen = page.locator(f"input[name='a-{key}']:checked")
        expect(chosen).to_have_value("4")
        expect(chosen.locator("xpath=..")).to_contain_text("trifft eher zu")
    tab_to(page, "a-helped")
    page.keyboard.type(f"{WORDS} ohne Maus")
    tab_to(page, "a-change")
    tab_to(page, "submit")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Vielen Dank!")).to_be_visible()
    assert waiting(site, f"{WORDS} ohne Maus") == 1
    phone.open(answer_path(codes[0]))
    expect(page.get_by_role("heading", name="Schon geantwortet")).to_be_visible()


def test_refused_answers_lead_to_their_question_without_script(
    site: Site, phone: Visit, codes: list[str]
) -> None:
    page = phone.page
    phone.open(answer_path(codes[1]))
    page.get_by_label("Was sollten wir ändern?").fill("zu viel " * 300)
    page.get_by_role("group", name="Die Inhalte passen").get_by_label("teils, teils").check()
    page.get_by_role("button", name="Antworten absenden").click()
    page.get_by_role("link", name="Was sollten wir ändern? – Bitte höchstens").click()
    expect(page.get_by_label("Was sollten wir ändern?")).to_be_focused()
    expect(page.get_by_label("teils, teils").first).to_be_checked()
    assert not is_too_wide(page)


def test_nothing_is_lost_when_the_network_fails(
    site: Site, chromium: Browser, codes: list[str]
) -> None:
    context = chromium.new_context(viewport=PHONE, locale="de-DE")
    page = context.new_page()
    page.goto(f"{site.url}{answer_path(codes[2])}")
    first = page.get_by_role("group", name="Die Inhalte passen").get_by_label("trifft voll zu")
    helped = page.get_by_label("Was hat Ihnen am meisten gebracht?")
    send = page.get_by_role("button", name="Antworten absenden")
    first.check()
    helped.fill(f"{WORDS} ohne Netz")
    context.set_offline(True)
    send.click()
    expect(page.get_by_text("Noch nicht angekommen")).to_be_visible()
    expect(helped).to_have_value(f"{WORDS} ohne Netz")
    send.click()
    expect(page.get_by_text("Noch nicht angekommen")).to_have_count(1)
    context.set_offline(False)
    page.goto(f"{site.url}/hilfe")
    page.go_back()
    expect(first).to_be_checked()
    expect(helped).to_have_value(f"{WORDS} ohne Netz")
    kept = page.evaluate("JSON.stringify(sessionStorage) + JSON.stringify(localStorage)")
    assert WORDS in kept
    assert codes[2] not in kept
    send.click()
    expect(page.get_by_role("heading", name="Vielen Dank!")).to_be_visible()
    assert page.evaluate("sessionStorage.length + localStorage.length") == 0
    assert context.cookies() == []
    assert waiting(site, f"{WORDS} ohne Netz") == 1
    context.close()


def test_a_refusal_keeps_the_page_with_script_too(
    site: Site, chromium: Browser, codes: list[str]
) -> None:
    context = chromium.new_context(viewport=PHONE, locale="de-DE")
    page, other = context.new_page(), context.new_page()
    page.goto(f"{site.url}{answer_path(codes[3])}")
    other.goto(f"{site.url}{answer_path(codes[3])}")
    change = page.get_by_label("Was sollten wir ändern?")
    change.fill("zu viel " * 300)
    page.get_by_role("button", name="Antworten absenden").click()
    expect(page.locator(".tr-summary")).to_be_focused()
    change.fill(f"{WORDS} nach dem Kürzen")
    page.get_by_role("button", name="Antworten absenden").click()
    expect(page.get_by_role("heading", name="Vielen Dank!")).to_be_visible()
    other.get_by_role("button", name="Antworten absenden").click()
    expect(other.get_by_role("heading", name="Schon geantwortet")).to_be_visible()
    assert waiting(site, f"{WORDS} nach dem Kürzen") == 1
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_have_no_barrier_and_know_nobody(
    site: Site, chromium: Browser, codes: list[str], scheme: str
) -> None:
    context = chromium.new_context(viewport=DESK, locale="de-DE", color_scheme=scheme)  # type: ignore[arg-type]
    visit = Visit(site, context.new_page())
    visit.log_in(COORDINATOR)
    barriers = []
    for path in ("", codes[4], codes[4] + " refused", "danke", "vertraulichkeit", "UNBEKANNT"):
        visit.open(f"/rueckmeldung/{path.partition(' ')[0]}")
        if path.endswith("refused"):
            visit.page.get_by_label("Was sollten wir ändern?").fill("zu viel " * 300)
            visit.page.get_by_role("button", name="Antworten absenden").click()
            expect(visit.page.locator(".tr-summary")).to_be_visible()
        assert visit.page.get_by_text("Tönnies").count() == 0
        for size in (DESK, PHONE, {"width": 320, "height": 640}):
            visit.page.set_viewport_size(size)
            if is_too_wide(visit.page):
                barriers.append((path, size["width"], "too wide"))
            visit.page.evaluate(AXE.read_text(encoding="utf-8"))
            found = visit.page.evaluate("rules => axe.run(document, rules)", RULES)
            barriers += [
                (path, size["width"], violation["id"], violation["nodes"][0]["html"][:120])
                for violation in found["violations"]
            ]
    context.close()
    assert barriers == []
