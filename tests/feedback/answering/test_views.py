"""The pages of those who answer: what is typed stays on the page, and nowhere else."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import insert, select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from tests.browser_forms import forms_of, send, submit
from tests.factories import log_in, make_person
from tests.feedback.factories import SMALL, make_attended, make_open_survey, make_version
from tests.statements import counted_statements
from trainings.core.clock import berlin_day, utc_now
from trainings.core.database import db, transaction
from trainings.feedback.answering import operations
from trainings.feedback.answers import Sheet
from trainings.feedback.content import LONGEST_TEXT, Content, Section
from trainings.feedback.models import (
    KEY_BYTES,
    FeedbackRight,
    PendingAnswer,
    Survey,
    SurveyState,
)
from trainings.feedback.rules import TEXTS_KEPT_FOR
from trainings.feedback.surveys.settling import close
from trainings.feedback.surveys.steps import lock_survey

pytestmark = pytest.mark.both_databases
ANSWERS: dict[str, Any] = {
    "a-useful": "4",
    "a-again": "yes",
    "a-liked": ["talk", "play"],
    "a-often": "3",
    "a-words": "Ein Wort: Xylophonistin.",
}


@pytest.fixture
def codes(app: Flask) -> list[str]:
    """Return the codes of an open survey."""
    return open_survey_now()


def open_survey_now(content: Content = SMALL, rights: int = 6) -> list[str]:
    """Open a survey of an event that ended two days ago."""
    now = utc_now()
    with transaction() as session:
        event = make_attended(session, 6, first_day=berlin_day(now) - timedelta(days=2))
        return make_open_survey(session, event, make_version(session, content), now, rights=rights)[
            1
        ]


def path(code: str) -> str:
    """Return where the holder of a code answers."""
    return f"/rueckmeldung/{code}"


def sheets() -> list[Sheet]:
    """Return the answers that wait."""
    return [Sheet.from_json(each) for each in db.session.scalars(select(PendingAnswer.content))]


def words_of(answer: TestResponse) -> str:
    """Return the page as it is read."""
    return unescape(answer.get_data(as_text=True))


def test_somebody_answers(client: FlaskClient, codes: list[str]) -> None:
    answer = submit(client, path(codes[0]), ANSWERS)
    assert (answer.status_code, answer.location) == (303, "/rueckmeldung/danke")
    (sheet,) = sheets()
    assert sheet.values["liked"] == ("talk", "play")
    assert sheet.texts == {"words": "Ein Wort: Xylophonistin."}
    assert "angekommen" in words_of(client.get("/rueckmeldung/danke"))


@pytest.mark.parametrize("left", [{"a-useful": "none"}, {"a-words": "Gut."}])
def test_everything_else_may_be_left_out(
    client: FlaskClient, codes: list[str], left: dict[str, str]
) -> None:
    assert submit(client, path(codes[0]), left).status_code == 303
    assert set(sheets()[0].values.values()) == {("none",)}


@pytest.mark.parametrize(
    "sent",
    [
        {"data": {}},
        {"data": {"a-useful": " ", "a-words": "\n", "stranger": "4"}},
        {"json": {"a-useful": "4"}},
        {"data": b"a-useful=4", "content_type": "text/plain"},
    ],
)
def test_a_blank_sheet_uses_no_right(
    client: FlaskClient, codes: list[str], sent: dict[str, Any]
) -> None:
    """It would count as one of the five that show the others."""
    answer = client.post(path(codes[0]), **sent)
    assert answer.status_code == 422
    assert "Bisher ist nichts ausgefüllt." in words_of(answer)
    assert sheets() == []
    assert submit(client, path(codes[0]), ANSWERS).status_code == 303


def test_the_page_says_what_it_is_about_and_how_it_is_kept_secret(
    client: FlaskClient, codes: list[str]
) -> None:
    page = words_of(client.get(path(codes[0])))
    for words in (
        "Professioneller Umgang mit Konflikten",
        "jede Frage dürfen Sie auslassen.",
        "ohne Namen, Uhrzeit und Netzadresse",
        "mindestens fünf Personen",
        'href="/rueckmeldung/vertraulichkeit"',
        "Antworten können Sie bis",
    ):
        assert words in page
    assert len([form for form in forms_of(page) if form.method == "post"]) == 1
    assert "csrf" not in page


def test_what_must_be_answered_is_named(client: FlaskClient, app: Flask) -> None:
    asked = replace(next(SMALL.questions), required=True)
    (code,) = open_survey_now(Content("", (Section("", (asked,)),)), rights=1)
    assert "außer den mit „bitte beantworten“" in words_of(client.get(path(code)))
    refused = submit(client, path(code))
    assert refused.status_code == 422
    assert "Bitte wählen Sie eine Stufe" in words_of(refused)
    assert submit(client, path(code), {"a-useful": "none"}).status_code == 303


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_looking_uses_no_right(client: FlaskClient, codes: list[str], method: str) -> None:
    for _ in range(3):
        assert client.open(path(codes[0]), method=method).status_code == 200
    assert len(db.session.scalars(select(FeedbackRight)).all()) == 6


@pytest.mark.parametrize(
    "wrong",
    [
        {"a-useful": "6"},
        {"a-useful": "４"},
        {"a-again": "maybe"},
        {"a-liked": ["talk", "sing"]},
        {"a-often": "1e3"},
        {"a-often": "-1"},
        {"a-often": "51"},
        {"a-words": "z" * 10_000},
    ],
)
def test_refused_answers_are_not_stored_and_all_that_was_typed_stays(
    client: FlaskClient, codes: list[str], wrong: dict[str, Any]
) -> None:
    page = client.get(path(codes[0])).get_data(as_text=True)
    typed = {**ANSWERS, **wrong}
    refused = send(client, path(codes[0]), page, typed)
    assert refused.status_code == 422
    assert "Bitte prüfen Sie eine Antwort" in words_of(refused)
    kept = forms_of(refused.get_data(as_text=True))[0].fields
    (field,) = wrong
    for name, value in typed.items():
        shown = [value] if isinstance(value, str) else value
        if name != field or name in {"a-often", "a-words"}:
            assert kept[name] == shown
    assert sheets() == []
    again = send(client, path(codes[0]), refused.get_data(as_text=True), {field: ANSWERS[field]})
    assert again.status_code == 303
    assert len(sheets()) == 1


def test_a_text_may_have_its_whole_length(client: FlaskClient, codes: list[str]) -> None:
    assert submit(client, path(codes[0]), {"a-words": "ä" * LONGEST_TEXT}).status_code == 303


def test_a_second_answer_is_told_that_one_has_arrived(
    client: FlaskClient, codes: list[str]
) -> None:
    page = client.get(path(codes[0])).get_data(as_text=True)
    assert send(client, path(codes[0]), page, ANSWERS).status_code == 303
    second = send(client, path(codes[0]), page, {"a-useful": "1"})
    assert second.status_code == 409
    assert "Schon geantwortet" in words_of(second)
    assert len(sheets()) == 1
    assert client.get(path(codes[0])).status_code == 409


def test_codes_that_are_unknown_or_too_late_are_told_why(
    client: FlaskClient, codes: list[str]
) -> None:
    unknown = client.get(path("ABCDEFGHJKMNPQRS"))
    assert unknown.status_code == 404
    assert "Dieser Code gilt nicht" in words_of(unknown)
    with transaction() as session:
        survey = lock_survey(session, session.scalars(select(Survey.id)).one())
        close(session, survey, utc_now())
    for late in (client.get(path(codes[0])), client.post(path(codes[0]), data=ANSWERS)):
        assert late.status_code == 410
        assert "Die Rückmeldung ist beendet" in words_of(late)
    assert db.session.scalars(select(Survey.state)).one() is SurveyState.CLOSED
    assert sheets() == []


def test_the_code_of_a_slip_is_typed(client: FlaskClient, codes: list[str]) -> None:
    typed = " ".join(codes[0][at : at + 4] for at in range(0, 16, 4)).lower()
    found = submit(client, "/rueckmeldung/", {"code": typed})
    assert (found.status_code, found.location) == (303, path(codes[0]))
    for wrong, status in (("", 422), ("ABCD", 404), ("😀\x00%s", 404), ("x" * 999, 422)):
        refused = submit(client, "/rueckmeldung/", {"code": wrong})
        assert refused.status_code == status
        assert "kern-error" in words_of(refused)


def test_nobody_is_known_even_if_somebody_is_logged_in(
    client: FlaskClient, codes: list[str]
) -> None:
    with transaction() as session:
        person = make_person(session, given_name="Wiebke", family_name="Tönnies-Unverwechselbar")
        log_in(client, person.id)
    assert "Unverwechselbar" in words_of(client.get("/"))
    answers = [
        client.get("/rueckmeldung/"),
        client.post("/rueckmeldung/", data={"code": "falsch"}),
        client.get(path(codes[0])),
        client.post(path(codes[0]), data={"a-useful": "9"}),
        client.post(path(codes[0]), data=ANSWERS),
        client.get("/rueckmeldung/danke"),
        client.get("/rueckmeldung/vertraulichkeit"),
        client.get(path(codes[0])),
        client.get(path("gibt-es-nicht")),
        client.delete(path(codes[0])),
        client.get("/rueckmeldung/x"),
    ]
    statuses = [200, 404, 200, 422, 303, 200, 200, 409, 404, 405, 404]
    assert [answer.status_code for answer in answers] == statuses
    for answer in answers:
        assert "Unverwechselbar" not in words_of(answer)
        assert "Set-Cookie" not in answer.headers
        assert "Cookie" not in answer.headers.get("Vary", "")
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["X-Robots-Tag"].startswith("noindex")
    assert "Unverwechselbar" in words_of(client.get("/"))


def test_the_page_on_secrecy_names_what_the_server_could_tell(client: FlaskClient) -> None:
    words = " ".join(words_of(client.get("/rueckmeldung/vertraulichkeit")).split())
    assert "aus dem, was gespeichert bleibt" in words
    assert "oder eine Sicherung aus der Zeit" in words
    # As long as the code of a mail is kept for the reminder (`FeedbackInvitation.token`).
    assert "bis zur Erinnerung auch erkennen, ob Sie geantwortet haben" in words


def test_no_page_links_elsewhere(client: FlaskClient, codes: list[str]) -> None:
    for address in (path(codes[0]), *map("/rueckmeldung/".__add__, ("", "danke"))):
        page = words_of(client.get(address))
        assert "http://" not in page.replace("http://www.w3.org/2000/svg", "")
        assert "https://" not in page


def test_a_questionnaire_costs_a_fixed_number_of_statements(
    client: FlaskClient, codes: list[str]
) -> None:
    with counted_statements() as shown:
        client.get(path(codes[0]))
    with counted_statements() as taken:
        client.post(path(codes[1]), data=ANSWERS)
    assert len(shown) <= 2
    assert len(taken) <= 11


@pytest.fixture
def broken_store(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the database refuse every pending answer, saying what it was."""

    def refuse(session: Session, _survey_id: int, token_hash: bytes, sheet: Sheet) -> None:
        row = {"key": token_hash[:KEY_BYTES], "survey_id": 4_711, "content": sheet.to_json()}
        session.execute(insert(PendingAnswer), [row])

    monkeypatch.setattr(operations, "add_pending", refuse)


def test_the_pages_at_the_foot_lead_to_how_it_is_kept_secret(client: FlaskClient) -> None:
    for address in ("/datenschutz", "/hilfe"):
        assert 'href="/rueckmeldung/vertraulichkeit"' in words_of(client.get(address))
    assert 'href="/rueckmeldung/"' in words_of(client.get("/hilfe"))
    assert "freie Texte drei Jahre" in words_of(client.get("/datenschutz"))
    assert timedelta(days=3 * 365) == TEXTS_KEPT_FOR


SECRETS = ("Xylophonistin", "rueckmeldung", "192.0.2.77")


def logged(caplog: pytest.LogCaptureFixture) -> str:
    """Return all that was logged, tracebacks included."""
    formatter = logging.Formatter("%(name)s %(levelname)s %(message)s")
    return "\n".join(formatter.format(record) for record in caplog.records)


def assert_tells_nothing(caplog: pytest.LogCaptureFixture, code: str, *, says: str = "") -> None:
    lines = logged(caplog)
    assert says in lines
    for secret in (*SECRETS, code, "token_hash", "4711"):
        assert secret not in lines


def test_a_refusal_of_the_database_is_logged_without_what_it_says(
    client: FlaskClient, codes: list[str], broken_store: None, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    answer = client.post(
        path(codes[0]), data=ANSWERS, environ_overrides={"REMOTE_ADDR": "192.0.2.77"}
    )
    assert answer.status_code == 409
    assert_tells_nothing(caplog, codes[0], says="IntegrityError at ")
    assert sheets() == []
    assert client.get(path(codes[0])).status_code == 200


def test_an_unexpected_error_is_logged_without_what_it_says(
    client: FlaskClient,
    app: Flask,
    codes: list[str],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(**_: object) -> str:
        raise ValueError(f"{ANSWERS['a-words']} {path(codes[0])}")

    fail.permission = app.view_functions["answering.answer"].permission  # type: ignore[attr-defined]
    monkeypatch.setitem(app.view_functions, "answering.answer", fail)
    caplog.set_level(logging.INFO)
    answer = client.post(path(codes[0]), data=ANSWERS)
    assert answer.status_code == 500
    assert "Da ist etwas schiefgegangen" in words_of(answer)
    assert_tells_nothing(caplog, codes[0], says="ValueError at ")


def test_an_error_after_all_handlers_is_logged_without_the_address(
    client: FlaskClient,
    app: Flask,
    codes: list[str],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(_response: object) -> None:
        raise ValueError(ANSWERS["a-words"])

    monkeypatch.setitem(app.after_request_funcs, "answering", [fail])
    caplog.set_level(logging.INFO)
    assert client.post(path(codes[0]), data=ANSWERS).status_code == 500
    assert_tells_nothing(caplog, codes[0], says="ValueError at ")


def test_too_much_is_refused_and_not_logged(
    client: FlaskClient, codes: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    many = {f"a-words{number}": "Xylophonistin" * 800 for number in range(100)}
    answer = client.post(path(codes[0]), data={**ANSWERS, **many})
    assert answer.status_code == 413
    assert_tells_nothing(caplog, codes[0])
    assert sheets() == []


def test_an_answer_that_arrives_logs_nothing(
    client: FlaskClient, codes: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    assert submit(client, path(codes[0]), ANSWERS).status_code == 303
    assert logged(caplog) == ""
