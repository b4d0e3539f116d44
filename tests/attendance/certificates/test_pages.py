"""The pages of certificates: who sees what, what the buttons do, what a stranger reads."""

from __future__ import annotations

import io
import zipfile
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from tests.attendance.certified import (
    CLOSED_AT,
    LATER,
    certificates_of,
    close,
    mails_of,
    make_closed_course,
    make_office,
    mark,
    person_of,
)
from tests.attendance.factories import make_trainer, registration_ids
from tests.attendance.test_pages import counted
from tests.browser_forms import submit
from tests.factories import log_in, make_event, make_person
from tests.registered import make_registration
from trainings.attendance.certificates.operations import (
    issue_below_share,
    issue_certificates,
    withdraw_certificate,
)
from trainings.attendance.models import AttendanceMark, Certificate, MadeUpSession
from trainings.core.actors import SYSTEM
from trainings.core.clock import utc_now
from trainings.core.database import db, transaction
from trainings.core.outbox import build_message
from trainings.core.settings import current_settings
from trainings.core.throttle import Attempt
from trainings.events.models import Event, EventKind

HOSTILE = "<script>alert(1)</script>"


class Closed:
    """A closed course with issued certificates: always there, half the time, never."""

    def __init__(self, client: FlaskClient, *marks: str) -> None:
        self.client = client
        with transaction() as session:
            event = make_closed_course(session, *(marks or ("pppp", "ppaa", "aaaa")))
            self.id, self.number = event.id, event.number
            self.people = registration_ids(session, event)
            self.sessions = [found.id for found in event.sessions]
            self.person_ids = [person_of(session, found).id for found in self.people]
            self.trainer = event.trainers[0].person_id
            self.foreign = make_trainer(session, make_event(session)).id
            self.office, self.actor = make_office(session)
            issue_certificates(session, SYSTEM, event.id, CLOSED_AT)
        self.url = f"/einlass/{self.number}/bescheinigungen"

    def certificates(self) -> list[Certificate]:
        db.session.rollback()
        db.session.expire_all()
        return certificates_of(db.session(), self.id)

    def codes(self) -> list[str]:
        return [row.code for row in self.certificates()]


@pytest.fixture
def closed(app: Flask, client: FlaskClient) -> Closed:
    made = Closed(client)
    log_in(client, made.office)
    return made


def test_the_table_says_hours_share_and_what_is_due(closed: Closed) -> None:
    html = closed.client.get(closed.url).text
    for words in ("13 Stunden", "6 Stunden 30 Minuten", "50\u00a0%", f"SIKO-{closed.number}-002"):
        assert words in html
    assert "nichts besucht" in html
    assert "Trotzdem ausstellen" in html


def test_trainers_see_and_print_and_decide_nothing(closed: Closed) -> None:
    with transaction() as session:
        issue_below_share(session, closed.actor, closed.people[1], "Ein Grund", LATER)
    assert "Ein Grund" in closed.client.get(closed.url).text
    log_in(closed.client, closed.trainer)
    html = closed.client.get(closed.url).text
    assert "Alle als PDF" in html
    assert "Ein Grund" not in html
    for words in ("Zurückziehen", "Trotzdem", "Neu ausstellen", "Alle senden"):
        assert words not in html
    assert closed.client.get(f"{closed.url}.pdf").status_code == 200


def test_foreign_trainers_find_nothing(closed: Closed) -> None:
    log_in(closed.client, closed.foreign)
    row = closed.certificates()[0]
    for path in ("", ".pdf", ".zip", f"/{row.id}.pdf"):
        assert closed.client.get(closed.url + path).status_code == 404


def test_one_pdf_all_as_pdf_and_as_zip(closed: Closed) -> None:
    first, second = closed.certificates()
    one = closed.client.get(f"{closed.url}/{first.id}.pdf")
    assert one.data.startswith(b"%PDF-")
    assert one.headers["Content-Disposition"].startswith("inline")
    everything = closed.client.get(f"{closed.url}.pdf")
    assert everything.data.startswith(b"%PDF-")
    packed = closed.client.get(f"{closed.url}.zip")
    with zipfile.ZipFile(io.BytesIO(packed.data)) as archive:
        assert archive.namelist() == [
            f"{first.number}-kubra-ozturk-lindner.pdf",
            f"{second.number}-ann-kathrin-wietfeld.pdf",
        ]
        assert archive.read(archive.namelist()[0]).startswith(b"%PDF-")
    for answer in (one, everything, packed):
        assert answer.headers["Cache-Control"] == "private, no-store"


def test_an_address_with_the_number_of_another_event_finds_nothing(closed: Closed) -> None:
    with transaction() as session:
        other = make_closed_course(session, "pppp").number
    row, person = closed.certificates()[0], closed.people[1]
    url = f"/einlass/{other}/bescheinigungen"
    assert closed.client.get(f"{url}/{row.id}.pdf").status_code == 404
    assert closed.client.get(f"{url}/{row.id}/zurueckziehen").status_code == 404
    assert closed.client.get(f"{url}/person/{person}/ausstellen").status_code == 404


def test_before_closing_it_says_what_would_be_due(closed: Closed) -> None:
    with transaction() as session:
        number = make_closed_course(session, "pppp", closed=False).number
    html = closed.client.get(f"/einlass/{number}/bescheinigungen").text
    assert "Noch nicht abgeschlossen" in html
    assert "nach dem Abschluss" in html
    assert "<button" not in html.split("<main")[1].split("</main>")[0]
    assert closed.client.get(f"/einlass/{number}/bescheinigungen.pdf").status_code == 404


def test_the_office_issues_what_is_missing(closed: Closed) -> None:
    with transaction() as session:
        event = session.get_one(Event, closed.id)
        make_registration(session, event, make_person(session), marks="pppp")
    answer = submit(closed.client, closed.url, button="Fällige ausstellen")
    assert answer.status_code == 303
    assert len(closed.certificates()) == 3
    assert "Fällige ausstellen" not in closed.client.get(closed.url).text


def test_the_office_issues_below_the_share(closed: Closed) -> None:
    url = f"{closed.url}/person/{closed.people[1]}/ausstellen"
    refused = submit(closed.client, url, {"reason": ""}, button="Teilnahmebescheinigung ausstellen")
    assert refused.status_code == 422
    assert "Bitte begründen Sie" in refused.text
    done = submit(
        closed.client, url, {"reason": HOSTILE}, button="Teilnahmebescheinigung ausstellen"
    )
    assert done.status_code == 303
    html = closed.client.get(closed.url).text
    assert HOSTILE not in html
    assert "unter dem Anteil" in html
    assert [row.kind for row in closed.certificates()] == [
        "certificate",
        "statement",
        "certificate",
    ]


def test_the_office_withdraws_and_issues_anew(closed: Closed) -> None:
    row = closed.certificates()[0]
    url = f"{closed.url}/{row.id}/zurueckziehen"
    refused = submit(closed.client, url, button="Zurückziehen")
    assert refused.status_code == 422
    assert "Bitte nennen Sie den Grund" in refused.text
    why = {"reason": "Verwechslung"}
    assert submit(closed.client, url, why, button="Zurückziehen").status_code == 303
    html = closed.client.get(closed.url).text
    assert "zurückgezogen" in html
    assert "Verwechslung" in html
    log_in(closed.client, closed.trainer)
    html = closed.client.get(closed.url).text
    assert "zurückgezogen" in html
    assert "Verwechslung" not in html
    log_in(closed.client, closed.office)
    assert closed.client.get(f"{closed.url}/{row.id}.pdf").status_code == 404
    submit(closed.client, closed.url, button="Neu ausstellen")
    assert (
        "1 Bescheinigung ist ausgestellt; die Mail liegt im" in closed.client.get(closed.url).text
    )
    assert len(closed.certificates()) == 3
    assert "-001 zurückgezogen: Verwechslung" in closed.client.get(closed.url).text


def test_what_a_new_one_would_say_otherwise_is_told_and_issued_on_demand(closed: Closed) -> None:
    assert "Neu ausstellen" not in closed.client.get(closed.url).text
    with transaction() as session:
        person_of(session, closed.people[1]).family_name = "Wietfeld-Brandt"
    assert "mit früheren Angaben" in closed.client.get(closed.url).text
    assert submit(closed.client, closed.url, button="Neu ausstellen").status_code == 303
    newest = closed.certificates()[-1]
    assert (newest.content or {})["name"] == "Ann-Kathrin Wietfeld-Brandt"
    assert "mit früheren Angaben" not in closed.client.get(closed.url).text


def test_the_office_sends_all_again(closed: Closed) -> None:
    before = len(mails_of(db.session(), "certificate_issued"))
    submit(closed.client, closed.url, button="Alle senden")
    submit(closed.client, closed.url, button="Senden")
    db.session.rollback()
    assert len(mails_of(db.session(), "certificate_issued")) == before + 3


def test_a_name_that_the_font_lacks_is_told(closed: Closed) -> None:
    assert "Ein Zeichen fehlt" not in closed.client.get(closed.url).text
    with transaction() as session:
        person_of(session, closed.people[0]).family_name = "田中"
    assert "Ein Zeichen fehlt in der Schrift" in closed.client.get(closed.url).text


def test_the_mail_carries_the_paper_as_long_as_it_is_valid(closed: Closed) -> None:
    row, mail = closed.certificates()[0], mails_of(db.session(), "certificate_issued")[0]
    message = build_message(mail, current_settings(), LATER)
    (attached,) = message.iter_attachments()
    assert attached.get_filename() == f"{row.number}.pdf"
    assert attached.get_content_type() == "application/pdf"
    assert attached.get_content().startswith(b"%PDF-")
    with transaction() as session:
        withdraw_certificate(session, closed.actor, row.id, HOSTILE, LATER)
    mail = mails_of(db.session(), "certificate_issued")[0]
    assert (
        list(build_message(mail, current_settings(), LATER, to_read=True).iter_attachments()) == []
    )


def test_people_find_their_own(closed: Closed) -> None:
    own, other = closed.certificates()
    log_in(closed.client, closed.person_ids[0])
    html = closed.client.get("/meine/bescheinigungen").text
    assert own.number in html
    assert other.number not in html
    paper = closed.client.get(f"/meine/bescheinigungen/{own.id}.pdf")
    assert paper.data.startswith(b"%PDF-")
    assert closed.client.get(f"/meine/bescheinigungen/{other.id}.pdf").status_code == 404
    assert "/meine/bescheinigungen" in closed.client.get("/meine/anmeldungen").text


def test_an_own_one_that_is_void_is_shown_and_not_offered(closed: Closed) -> None:
    own = closed.certificates()[0]
    with transaction() as session:
        withdraw_certificate(session, closed.actor, own.id, HOSTILE, LATER)
    log_in(closed.client, closed.person_ids[0])
    html = closed.client.get("/meine/bescheinigungen").text
    assert "Zurückgezogen" in html
    assert "Grund der Geschäftsstelle: &lt;script&gt;" in html
    assert "Herunterladen" not in html
    assert closed.client.get(f"/meine/bescheinigungen/{own.id}.pdf").status_code == 404


def test_a_stranger_verifies_and_reads_initials_only(app: Flask, closed: Closed) -> None:
    visitor = app.test_client()
    answer = visitor.get(f"/bescheinigung/{closed.codes()[0]}")
    assert answer.status_code == 200
    assert "Gültig" in answer.text
    for words in ("K. Ö.", "Professioneller Umgang", "13 Stunden", "12.03.2026"):
        assert words in answer.text
    for secret in ("Kübra", "Öztürk", "Musterhausen", "Jördis", "Kałuża"):
        assert secret not in answer.text
    assert answer.headers["X-Robots-Tag"] == "noindex, nofollow"
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_replaced_one_names_the_other_and_does_not_lead_to_it(app: Flask, closed: Closed) -> None:
    with transaction() as session:
        event = session.get_one(Event, closed.id)
        mark(session, closed.people[0], closed.sessions[3], AttendanceMark.ABSENT)
        close(session, event)
        issue_certificates(session, SYSTEM, closed.id, LATER)
    codes = closed.codes()
    html = app.test_client().get(f"/bescheinigung/{codes[0]}").text
    assert "Ersetzt" in html
    assert f"SIKO-{closed.number}-003" in html
    assert codes[2] not in html
    assert "K. Ö." not in html


def test_a_withdrawn_and_a_forgotten_one(app: Flask, closed: Closed) -> None:
    first, second = closed.certificates()
    codes = [first.code, second.code]
    with transaction() as session:
        withdraw_certificate(session, closed.actor, first.id, "Verwechslung", LATER)
        session.execute(update(Certificate).where(Certificate.id == second.id).values(content=None))
    visitor = app.test_client()
    withdrawn = visitor.get(f"/bescheinigung/{codes[0]}").text
    assert "Ungültig" in withdrawn
    assert "seit dem 13.03.2026" in withdrawn
    assert "Verwechslung" not in withdrawn
    assert "K. Ö." not in withdrawn
    assert "Nicht mehr gespeichert" in visitor.get(f"/bescheinigung/{codes[1]}").text


def test_an_unknown_code_is_not_found(app: Flask, closed: Closed) -> None:
    answer = app.test_client().get(f"/bescheinigung/{'A' * 20}")
    assert answer.status_code == 404
    assert "gibt es keine Bescheinigung" in answer.text
    # The number is no code.
    assert app.test_client().get(f"/bescheinigung/SIKO-{closed.number}-001").status_code == 404


def test_number_and_code_typed_by_hand(app: Flask, closed: Closed) -> None:
    visitor, row = app.test_client(), closed.certificates()[0]
    number, code = row.number, row.code
    typed = "-".join(code[start : start + 4] for start in range(0, 20, 4)).lower()
    found = submit(visitor, "/bescheinigung/", {"number": f" {number.lower()} ", "code": typed})
    assert found.location == f"/bescheinigung/{code}"
    other = submit(visitor, "/bescheinigung/", {"number": "SIKO-2026-999-001", "code": typed})
    assert other.status_code == 422
    assert "gibt es keine Bescheinigung" in other.text
    empty = submit(visitor, "/bescheinigung/", {"number": "", "code": ""})
    assert empty.status_code == 422


def test_who_guesses_too_often_is_refused_even_if_right(app: Flask, closed: Closed) -> None:
    visitor, code = app.test_client(), closed.codes()[0]
    for _ in range(5):
        visitor.get(f"/bescheinigung/{code}")
    assert db.session.query(Attempt).count() == 0
    statuses = [visitor.get(f"/bescheinigung/{'B' * 20}").status_code for _ in range(31)]
    assert statuses == [404] * 30 + [429]
    assert visitor.get(f"/bescheinigung/{code}").status_code == 429
    with transaction() as session:
        session.execute(update(Attempt).values(at=utc_now() - timedelta(minutes=16)))
    assert visitor.get(f"/bescheinigung/{code}").status_code == 200


def test_the_office_lets_a_made_up_session_count(closed: Closed) -> None:
    with transaction() as session:
        other = make_event(session, days=1)
        make_registration(session, other, person_of(session, closed.people[1]), marks="p")
        at, number = other.sessions[0].id, other.number
    page = f"/einlass/{closed.number}/person/{closed.people[1]}"
    assert "Nachgeholte Termine" in closed.client.get(page).text
    url = f"{page}/nachholen"
    values = {"session_id": str(closed.sessions[3]), "made_up_at": str(at)}
    unchosen = submit(closed.client, url)
    assert unchosen.status_code == 422
    assert unchosen.text.count("Bitte wählen Sie") == 4  # each at its field and in the summary
    assert submit(closed.client, url, {**values, "made_up_at": "x"}).status_code == 422
    assert submit(closed.client, url, values).status_code == 303
    assert f"nachgeholt in {number}" in closed.client.get(page).text
    assert closed.certificates()[-1].attended_minutes == 585
    assert "Keine anderen Termine" in closed.client.get(url).text  # the only one counts already
    with transaction() as session:
        make_registration(
            session, make_event(session), person_of(session, closed.people[1]), marks="pppp"
        )
    html = closed.client.get(url).text
    assert f'value="{closed.sessions[2]}"' in html
    assert f'value="{closed.sessions[3]}"' not in html
    assert f'value="{at}"' not in html
    again = submit(closed.client, url, {"session_id": str(closed.sessions[2])})
    assert again.status_code == 422
    submit(closed.client, page, button="Aufheben")
    assert db.session.query(MadeUpSession).count() == 0
    log_in(closed.client, closed.trainer)
    assert "Nachgeholte Termine" not in closed.client.get(page).text
    assert closed.client.get(url).status_code == 403


def test_nothing_to_make_up_is_said(closed: Closed) -> None:
    always = f"/einlass/{closed.number}/person/{closed.people[0]}/nachholen"
    assert "Nichts versäumt" in closed.client.get(always).text
    nowhere = f"/einlass/{closed.number}/person/{closed.people[1]}/nachholen"
    assert "Keine anderen Termine" in closed.client.get(nowhere).text


@pytest.mark.parametrize("path", ["", ".pdf"])
def test_the_table_costs_the_same_for_one_and_for_many(closed: Closed, path: str) -> None:
    many = Closed(closed.client, *["pppp", "ppaa", "paaa"] * 6)
    costs = []
    for course in (closed, many):
        with counted() as statements:
            assert closed.client.get(course.url + path).status_code == 200
        costs.append(len(statements))
    assert costs[0] == costs[1] <= 12


def test_own_certificates_cost_the_same_for_one_and_for_many(closed: Closed) -> None:
    log_in(closed.client, closed.person_ids[0])
    costs = []
    for further in (0, 4):
        for _ in range(further):
            with transaction() as session:
                event = make_closed_course(session)
                make_registration(
                    session, event, person_of(session, closed.people[0]), marks="pppp"
                )
                issue_certificates(session, SYSTEM, event.id, CLOSED_AT)
        with counted() as statements:
            closed.client.get("/meine/bescheinigungen")
        costs.append(len(statements))
    assert costs[0] == costs[1] <= 12


def test_a_working_group_has_certificates_on_request_only(app: Flask, client: FlaskClient) -> None:
    with transaction() as session:
        event = make_closed_course(session, "pppp", kind=EventKind.WORKING_GROUP)
        url, event_id = f"/einlass/{event.number}/bescheinigungen", event.id
        office = make_office(session)[0]
    log_in(client, office)
    html = client.get(url).text
    assert "Nur auf Anfrage" in html
    assert "noch nicht ausgestellt" not in html
    assert "Fällige ausstellen" not in html
    closing = client.get(url.replace("bescheinigungen", "abschluss")).text
    assert "Abgeschlossen" in closing
    assert submit(client, url, button="Ausstellen").status_code == 303
    assert len(certificates_of(db.session(), event_id)) == 1
    assert "gültig" in client.get(url).text


@pytest.mark.parametrize(
    ("kind", "words", "mailed"),
    [
        (EventKind.TRAINING, "ihre Bescheinigung per E-Mail", True),
        (EventKind.ANNUAL_MEETING, "Bescheinigungen gibt es bei dieser Art von", False),
    ],
)
def test_closing_says_what_follows_for_the_certificates(
    app: Flask, client: FlaskClient, kind: EventKind, words: str, mailed: bool
) -> None:
    with transaction() as session:
        event = make_closed_course(session, "pppp", kind=kind, closed=False)
        url = f"/einlass/{event.number}/abschluss"
        office = make_office(session)[0]
    log_in(client, office)
    assert words in client.get(url).text
    assert submit(client, url, button="Anwesenheit abschließen").status_code == 303
    assert ("gehen per E-Mail hinaus" in client.get(url).text) is mailed
