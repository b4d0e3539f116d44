"""Pages and files of the results, as a browser, a reader of PDFs and a spreadsheet see them."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import date, timedelta

import pytest
from flask import Flask, g
from flask.testing import FlaskClient
from openpyxl import load_workbook
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.factories import log_in, make_event, make_person
from tests.feedback.factories import (
    SMALL,
    make_closed_survey,
    make_format,
    make_open_survey,
    make_version,
)
from tests.pdfs import failures_of, text_of
from tests.statements import counted_statements
from trainings.core.clock import utc_now
from trainings.core.database import transaction
from trainings.core.permissions import Role
from trainings.events.models import Event, EventState, EventTemplate, EventTrainer
from trainings.feedback.content import Content, Question, QuestionKind, Section
from trainings.feedback.models import (
    FeedbackText,
    QuestionnaireVersion,
    Release,
    Survey,
    SurveyKind,
    SurveyState,
    TextState,
)

BASE = "/rueckmeldungen"
SUMS = f"{BASE}/auswertung"
HOSTILE = "=cmd|' /C calc'!A0 <script>alert(1)</script>"
LONG = "Müller-Lüdenscheidt-Wannenbadegesellschaftsverwaltungsfachangestellte-" * 2
COUNTS = {
    "useful": {"5": 3, "3": 1, "1": 1, "none": 1},
    "again": {"yes": 4, "no": 1, "none": 1},
    "liked": {"talk": 5, "play": 2, "none": 1},
    "often": {"3": 4, "17": 2},
}
"""Of six people."""


def browser(app: Flask, *roles: Role) -> tuple[FlaskClient, int]:
    """Return a browser in which somebody with these roles is logged in, and who that is."""
    with transaction() as session:
        person_id = make_person(session, roles=roles or (Role.PARTICIPANT,)).id
    g.pop("_login_user", None)
    client = app.test_client()
    log_in(client, person_id)
    return client, person_id


@pytest.fixture
def office(app: Flask) -> FlaskClient:
    return browser(app, Role.COORDINATOR)[0]


def ask(
    session: Session,
    version: QuestionnaireVersion,
    template: EventTemplate | None = None,
    *,
    trainer: int | None = None,
    day: date = date(2025, 5, 6),
    answered: int = 6,
    release: Release = Release.EVENT,
    texts: tuple[str, ...] = (),
    kind: SurveyKind = SurveyKind.AFTER,
) -> Event:
    """Add an event that asked, with answers."""
    event = make_event(session, first_day=day, days=1, state=EventState.HELD, title=LONG)
    event.template_id = template.id if template else None
    if trainer:
        session.add(EventTrainer(event_id=event.id, person_id=trainer))
    make_closed_survey(
        session,
        event,
        version,
        COUNTS if answered == 6 else {"useful": {"4": answered}} if answered else {},
        answered=answered,
        release=release,
        kind=kind,
        texts={"words": texts},
    )
    for text in session.scalars(select(FeedbackText)):
        text.state = TextState.SHOWN
    return event


def own_page(event: Event, ending: str = "") -> str:
    """Return the address of an event's results."""
    return f"{BASE}/veranstaltungen/{event.number}/ergebnis{ending}"


def test_the_overview_shows_sums_and_hides_what_is_too_small(office: FlaskClient) -> None:
    with transaction() as session:
        version, template = make_version(session), make_format(session, "Konflikte <b>")
        small = make_format(session, "Klein")
        ask(session, version, template)
        ask(session, version, template, day=date(2024, 5, 6))
        ask(session, version, small, answered=3, release=Release.WAITING)
    page = office.get(SUMS)
    assert page.status_code == 200
    assert "Konflikte &lt;b&gt;" in page.text
    assert f"{SUMS}/formate/{template.id}?jahr=2025&amp;art=rueckmeldung" in page.text
    assert f"{SUMS}/formate/{small.id}?" not in page.text
    assert page.text.count("zu wenige Antworten") == 2
    assert "1 Veranstaltung hat zu wenige" in page.text
    assert 'data-label="Geantwortet">12<' in page.text
    assert 'data-label="Mittelwert">3,8<' in page.text


def test_a_table_shows_each_kind_of_question(office: FlaskClient) -> None:
    with transaction() as session:
        version, template = make_version(session), make_format(session)
        ask(session, version, template, texts=(HOSTILE, "Gut."))
    for path in (f"formate/{template.id}", f"formate/{template.id}?jahr=2025", "gesamt"):
        page = office.get(f"{SUMS}/{path}")
        assert page.status_code == 200
        assert "Es war nützlich.: Mittelwert 3,8" in page.text
        assert 'data-label="trifft voll zu">3<' in page.text
        assert 'data-label="Keine Angabe">1<' in page.text
        assert 'data-label="Prozent">80\u00a0%<' in page.text
        assert "Im Mittel <b>7,7</b>, Median <b>3</b>" in page.text
        assert "17" not in page.text.partition("<main")[2].partition("</main>")[0]
        assert "<script>alert" not in page.text
        assert ("&lt;script&gt;alert" in page.text) == (path != "gesamt")


@pytest.mark.parametrize(
    "query",
    ["art=xyz", "fragebogen=abc", "fragebogen=0", "fragebogen=-1", "fragebogen=1e3",
     "fragebogen=%EF%BC%91", "fragebogen=1000000000000", "jahr=abc", "jahr=1,5", "jahr=9999",
     "art=%00", "jahr=1000000000000"],
)  # fmt: skip
def test_nonsense_in_the_address_is_named_or_ignored(office: FlaskClient, query: str) -> None:
    with transaction() as session:
        version, template = make_version(session), make_format(session)
        ask(session, version, template)
    for path in ("", f"/formate/{template.id}", "/gesamt", "/ohne-format"):
        page = office.get(f"{SUMS}{path}?{query}")
        assert page.status_code == 200
    assert "kern-error" in office.get(f"{SUMS}/formate/{template.id}?{query}").text
    for ending in (".pdf", ".xlsx"):
        assert office.get(f"{SUMS}/formate/{template.id}{ending}?{query}").status_code == 200


def test_pages_without_answers_say_what_is_so(office: FlaskClient) -> None:
    assert "Noch keine Rückmeldungen" in office.get(SUMS).text
    assert office.get(f"{SUMS}.pdf").status_code == 404
    assert office.get(f"{SUMS}/gesamt").status_code == 404
    with transaction() as session:
        version, template = make_version(session), make_format(session)
        ask(session, version, template, answered=4, release=Release.WAITING)
    for path in (f"formate/{template.id}", "gesamt", "ohne-format"):
        page = office.get(f"{SUMS}/{path}")
        assert "Zu wenige Antworten" in page.text
        for ending in (".pdf", ".xlsx"):
            assert office.get(f"{SUMS}/{path}{ending}").status_code == 404
    assert office.get(f"{SUMS}/formate/999").status_code == 404
    assert "Noch keine Rückmeldungen" in office.get(f"{SUMS}?art=nachbefragung").text


def test_a_question_of_one_version_says_where_it_was_asked(office: FlaskClient) -> None:
    extra = (
        Question("extra", QuestionKind.TEXT, "?"),
        Question("new", QuestionKind.SCALE, "Neu gefragt.", labels=("a", "b", "c", "d", "e")),
    )
    content = Content("", (*SMALL.sections, Section("Neu", extra)))
    with transaction() as session:
        old, template = make_version(session), make_format(session)
        new = make_version(session, content, questionnaire=old.questionnaire)
        ask(session, old, template)
        ask(session, old, template)
        ask(session, new, template)
    page = office.get(f"{SUMS}/formate/{template.id}").text
    assert "Neu gefragt." in page
    assert page.count("nur in 1 Veranstaltung gefragt") == 1


def test_an_event_is_shown_to_its_trainers_and_to_nobody_else(
    app: Flask, office: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer, trainer_id = browser(app, Role.TRAINER)
    with transaction() as session:
        event = ask(session, make_version(session), make_format(session), trainer=trainer_id)
    for ending in ("", ".pdf", ".xlsx"):
        path = own_page(event, ending)
        assert trainer.get(path).status_code == 200
        assert browser(app, Role.TRAINER)[0].get(path).status_code == 404
        assert browser(app, Role.CONTACT)[0].get(path).status_code == 403
        assert browser(app)[0].get(path).status_code == 403
        assert office.get(path).status_code == 403
        assert browser(app, Role.ADMIN)[0].get(path).status_code == 403
    settings = replace(app.extensions["settings"], feedback_office_sees_events=True)
    monkeypatch.setitem(app.extensions, "settings", settings)
    assert office.get(own_page(event)).status_code == 200
    assert browser(app, Role.ADMIN)[0].get(own_page(event)).status_code == 200
    assert browser(app, Role.TRAINER)[0].get(own_page(event)).status_code == 404
    assert trainer.get(f"{BASE}/veranstaltungen/2025-999/ergebnis").status_code == 404


def test_who_is_of_the_office_does_not_become_a_trainer_by_being_entered_as_one(app: Flask) -> None:
    office, person_id = browser(app, Role.COORDINATOR)
    with transaction() as session:
        event = ask(session, make_version(session), trainer=person_id)
    assert office.get(own_page(event)).status_code == 403


@pytest.mark.parametrize("role", [Role.PARTICIPANT, Role.CONTACT, Role.TRAINER])
def test_sums_are_for_the_office(app: Flask, role: Role) -> None:
    client = browser(app, role)[0]
    for path in ("", "/formate/1", "/gesamt", "/ohne-format"):
        for ending in ("", ".pdf", ".xlsx"):
            assert client.get(f"{SUMS}{path}{ending}").status_code == 403


def test_an_event_stands_beside_the_mean_of_its_format(app: Flask) -> None:
    trainer, trainer_id = browser(app, Role.TRAINER)
    with transaction() as session:
        version, template = make_version(session), make_format(session)
        event = ask(session, version, template, trainer=trainer_id)
        alone = ask(session, version, trainer=trainer_id)
        ask(session, version, template, answered=8)
    page = trainer.get(own_page(event)).text
    # (3·5 + 3 + 1 + 8·4) / 13
    assert 'data-label="Mittel">3,8<' in page
    assert 'data-label="Format">3,9<' in page
    assert 'data-label="Format"' not in trainer.get(own_page(alone)).text


def test_where_nothing_is_shown_a_sentence_says_why(app: Flask) -> None:
    trainer, trainer_id = browser(app, Role.TRAINER)
    with transaction() as session:
        version = make_version(session)
        few = ask(session, version, trainer=trainer_id, answered=4, release=Release.YEAR)
        nobody = ask(session, version, trainer=trainer_id, answered=0)
        waiting = ask(session, version, trainer=trainer_id, release=Release.WAITING)
        bundled = ask(session, version, trainer=trainer_id, release=Release.YEAR)
        asking, over, silent, planned, omitted = (
            make_event(session, first_day=date(2025, 7, 1), state=EventState.HELD) for _ in range(5)
        )
        for event in (asking, over, silent, planned, omitted):
            session.add(EventTrainer(event_id=event.id, person_id=trainer_id))
        survey, _ = make_open_survey(session, asking, version, utc_now())
        survey.answered = 5
        make_open_survey(session, over, version, utc_now() - timedelta(days=30))
        for event, state in ((planned, SurveyState.PLANNED), (omitted, SurveyState.OMITTED)):
            session.add(Survey(event_id=event.id, kind=SurveyKind.AFTER, state=state))
    for event, words in (
        (few, "Weniger als 5 Personen haben geantwortet"),
        (nobody, "Weniger als 5 Personen haben geantwortet"),
        (waiting, "wird noch ausgewertet"),
        (bundled, "stehen mit denen anderer Veranstaltungen zusammen"),
        (over, "wird noch ausgewertet"),
        (asking, "bis dahin sieht niemand, wie viele es sind"),
        (silent, "wurde noch nicht gefragt"),
        (planned, "hat noch nicht begonnen"),
        (omitted, "entfällt die Rückmeldung"),
    ):
        page = trainer.get(own_page(event))
        assert page.status_code == 200
        assert words in page.text
        assert "Rücklauf" not in page.text
        assert trainer.get(own_page(event, ".pdf")).status_code == 404


def test_events_without_a_format_have_a_table_of_their_own(office: FlaskClient) -> None:
    with transaction() as session:
        version = make_version(session)
        ask(session, version, make_format(session), answered=8)
        ask(session, version)
    assert f"{SUMS}/ohne-format?jahr=2025" in office.get(SUMS).text
    for path in ("ohne-format", "ohne-format?jahr=2025"):
        page = office.get(f"{SUMS}/{path}").text
        assert "Ohne Format" in page
        assert "von 12 eingeladenen Personen" in page
    assert office.get(f"{SUMS}/ohne-format.pdf?jahr=2025").status_code == 200
    name = office.get(f"{SUMS}/ohne-format.xlsx?jahr=2025").headers["Content-Disposition"]
    assert "rueckmeldungen-ohne-format-2025.xlsx" in name


def test_the_follow_up_is_a_page_of_its_own(app: Flask) -> None:
    trainer, trainer_id = browser(app, Role.TRAINER)
    with transaction() as session:
        version = make_version(session)
        event = ask(session, version, trainer=trainer_id, kind=SurveyKind.FOLLOW_UP)
    assert "wurde noch nicht gefragt" in trainer.get(own_page(event)).text
    page = trainer.get(own_page(event, "?art=nachbefragung"))
    assert "Es war nützlich." in page.text
    assert "ergebnis.pdf?art=nachbefragung" in page.text


def test_pdfs_are_accessible_and_hold_the_figures(app: Flask, office: FlaskClient) -> None:
    trainer, trainer_id = browser(app, Role.TRAINER)
    with transaction() as session:
        version, template = make_version(session), make_format(session, LONG)
        event = ask(session, version, template, trainer=trainer_id, texts=(HOSTILE, "漢字 gut"))
        ask(session, version, template, answered=3, day=date(2024, 5, 6), release=Release.WAITING)
    for client, path, words in (
        (office, f"{SUMS}.pdf", "zu wenige Antworten"),
        (office, f"{SUMS}/formate/{template.id}.pdf?jahr=2025", "Es war nützlich."),
        (office, f"{SUMS}/gesamt.pdf", "Kämen Sie wieder?"),
        (trainer, own_page(event, ".pdf"), "<script>alert(1)</script>"),
    ):
        answer = client.get(path)
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "no-store"
        assert failures_of(answer.data) == []
        assert words in text_of(answer.data)


def test_workbooks_hold_figures_distribution_and_texts_as_text(
    app: Flask, office: FlaskClient
) -> None:
    with transaction() as session:
        version, template = make_version(session), make_format(session, HOSTILE)
        ask(session, version, template, texts=(HOSTILE,))
    answer = office.get(f"{SUMS}/formate/{template.id}.xlsx")
    book = load_workbook(io.BytesIO(answer.data))
    assert book.sheetnames == ["Zahlen", "Verteilung", "Freie Texte", "Auswahl"]
    assert answer.headers["Cache-Control"] == "no-store"
    figures, distribution, texts = book.worksheets[:3]
    useful = [cell.value for cell in figures[2]]
    assert useful == ["Es war nützlich.", "Skala mit fünf Stufen", 1, 6, 5, 1, 3.8, 5]
    rows = [[cell.value for cell in row] for row in distribution.iter_rows(min_row=2)]
    assert ["Es war nützlich.", "trifft voll zu", 3, 60] in rows
    assert ["Kämen Sie wieder?", "keine Angabe", 1, None] in rows
    # Single numbers are never listed.
    assert not any(row[0] == "Wie oft?" for row in rows)
    assert texts["B2"].value == HOSTILE
    overview = load_workbook(io.BytesIO(office.get(f"{SUMS}.xlsx").data))
    assert overview.worksheets[0]["A2"].value == HOSTILE
    for sheet in (*book.worksheets, *overview.worksheets):
        assert not any(cell.data_type == "f" for row in sheet.iter_rows() for cell in row)


def _pages(template: EventTemplate, event: Event) -> list[str]:
    return [SUMS, f"{SUMS}/formate/{template.id}?jahr=2025", f"{SUMS}/gesamt", own_page(event)]


@pytest.mark.both_databases
def test_pages_cost_the_same_with_one_and_thirty_events_and_know_no_trainer(app: Flask) -> None:
    person, person_id = browser(app, Role.COORDINATOR, Role.TRAINER)
    with transaction() as session:
        version, template = make_version(session), make_format(session)
        event = ask(session, version, template, trainer=person_id, texts=("Gut.",))

    def statements(path: str) -> list[str]:
        with counted_statements() as found:
            assert person.get(path).status_code == 200
        return list(found)

    costs = [len(statements(path)) for path in _pages(template, event)]
    assert max(costs) <= 12
    with transaction() as session:
        asked = session.get_one(QuestionnaireVersion, version.id)
        for number in range(29):
            other = template if number % 2 else make_format(session, f"Format {number}")
            ask(session, asked, other, day=date(2020 + number % 6, 5, 6))
    for path, cost in zip(_pages(template, event), costs, strict=True):
        sent = statements(path)
        assert len(sent) == cost
        by_trainer = [statement for statement in sent if "event_trainers" in statement]
        # The one that asks whether the event is one's own.
        assert len(by_trainer) == (1 if path == own_page(event) else 0)


def test_results_are_found_from_the_start_page_of_each_role(
    app: Flask, office: FlaskClient
) -> None:
    assert office.get(f"{BASE}/").location.endswith(SUMS)
    trainer = browser(app, Role.TRAINER)[0]
    assert trainer.get(f"{BASE}/").location.endswith(f"{BASE}/veranstaltungen/")
