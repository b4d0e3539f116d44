"""Organisations, people, venues, formats and mails in the browser."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import time

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from tests.browser_forms import send, submit
from tests.conftest import NOW
from tests.factories import make_organisation, make_person, make_venue
from trainings.core.clock import utc_now
from trainings.core.database import db, transaction
from trainings.core.outbox import Mail, MailState, OutgoingMail, post
from trainings.core.permissions import Role
from trainings.events.models import EventTemplate, Room, TemplateSession, Venue
from trainings.office.master_forms import MOST_ROOMS, MOST_TEMPLATE_SESSIONS
from trainings.organisations.models import Organisation
from trainings.people.login import start_login_request
from trainings.people.models import OrganisationContact, Person, PersonRole

ORGANISATIONS = "/koordination/organisationen/"
PEOPLE = "/koordination/personen/"
VENUES = "/koordination/orte/"
FORMATS = "/koordination/formate/"
MAILS = "/koordination/mails/"
ESSEN = {"name": "Stadt Essen", "short_name": "Essen", "level": "authority", "kind": "city"}


def new_organisation(name: str) -> int:
    with transaction() as session:
        return make_organisation(session, name).id


def fresh(table: type, row_id: int) -> object:
    db.session.remove()
    return db.session.get_one(table, row_id)


# Organisations


def test_organisation_is_added_changed_and_retired_in_the_browser(office: FlaskClient) -> None:
    added = submit(
        office,
        f"{ORGANISATIONS}neu",
        {
            **ESSEN,
            "domains": "Essen.example\r\n\r\n@ruhr.example",
            "partner_since": "22.06.2020",
            "mailbox": "Fortbildung@essen.example",
        },
    )
    assert added.status_code == 303
    page = added.headers["Location"]
    essen = int(page.rsplit("/", 1)[1])
    html = office.get(page).get_data(as_text=True)
    for words in ("essen.example, ruhr.example", "22.06.2020", "fortbildung@essen.example"):
        assert words in html
    changed = submit(office, f"{page}/bearbeiten", {"short_name": "E", "domains": "neu.example"})
    assert changed.status_code == 303
    assert "neu.example" in office.get(page).get_data(as_text=True)
    assert submit(office, page, button="Stilllegen").status_code == 303
    assert fresh(Organisation, essen).retired_at  # type: ignore[attr-defined]
    assert "Stadt Essen" not in office.get(ORGANISATIONS).get_data(as_text=True)
    assert "Stadt Essen" in office.get(f"{ORGANISATIONS}?alle=1").get_data(as_text=True)
    assert submit(office, page, button="Wieder aufnehmen").status_code == 303


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"name": "\u202e\x00 "}, "Bitte geben Sie den Namen ein"),
        ({"domains": "kein ort"}, "ist keine Domain"),
        ({"level": "unit"}, "Eine Dienststelle gehört zu einer Behörde"),
        ({"level": "kingdom"}, "Bitte wählen Sie einen Eintrag"),
        ({"parent_id": "99999999999"}, "Bitte wählen Sie einen Eintrag"),
        ({"partner_since": "31.02.2020"}, "Das ist kein Tag im Kalender"),
        ({"mailbox": "niemand"}, "Das ist keine E-Mail-Adresse"),
        ({"name": "x" * 161}, "Bitte höchstens 160 Zeichen"),
    ],
)
def test_wrong_organisation_gets_an_error_at_its_field(
    office: FlaskClient, typed: dict[str, str], words: str
) -> None:
    answer = submit(office, f"{ORGANISATIONS}neu", {**ESSEN, **typed})
    assert answer.status_code == 422
    assert words in answer.get_data(as_text=True)
    db.session.remove()
    names = db.session.scalars(select(Organisation.short_name)).all()
    assert "Essen" not in names


def test_new_organisation_is_no_partner_unless_somebody_says_so(office: FlaskClient) -> None:
    html = office.get("/koordination/organisationen/neu").get_data(as_text=True)
    assert re.findall(r'<option selected value="(\w+)"', html) == ["authority", "none"]


def test_merging_previews_then_acts(office: FlaskClient) -> None:
    source, target = new_organisation("Kreis Alt"), new_organisation("Kreis Neu")
    with transaction() as session:
        person = make_person(session, session.get_one(Organisation, source)).id
    url = f"{ORGANISATIONS}{source}/zusammenfuehren"
    assert submit(office, url).status_code == 422
    preview = submit(office, url, {"target_id": str(target)})
    html = preview.get_data(as_text=True)
    assert "1 Person" in html
    assert fresh(Organisation, source).merged_into_id is None  # type: ignore[attr-defined]
    assert send(office, url, html, button="Verbindlich zusammenführen").status_code == 303
    assert fresh(Person, person).organisation_id == target  # type: ignore[attr-defined]
    assert "in einer anderen aufgegangen" in office.get(f"{ORGANISATIONS}{source}").get_data(
        as_text=True
    )


def test_contact_is_added_by_address_and_removed(office: FlaskClient) -> None:
    essen = new_organisation("Stadt Essen")
    with transaction() as session:
        make_person(session, session.get_one(Organisation, essen), email="fb@essen.example")
    page = f"{ORGANISATIONS}{essen}"
    unknown = submit(office, page, {"email": "wer@essen.example"})
    assert unknown.status_code == 422
    assert "Diese Adresse kennen wir nicht" in unknown.get_data(as_text=True)
    assert submit(office, page, {"email": "FB@essen.example"}).status_code == 303
    assert len(db.session.scalars(select(OrganisationContact)).all()) == 1
    assert submit(office, page, button="Entfernen").status_code == 303
    db.session.remove()
    assert db.session.scalars(select(OrganisationContact)).all() == []


def test_unknown_organisation_is_not_found(office: FlaskClient) -> None:
    for path in ("999", "999/bearbeiten", "999/zusammenfuehren", "99999999999", "0", "-1", "x"):
        assert office.get(f"{ORGANISATIONS}{path}").status_code == 404, path


# People


def test_person_is_registered_without_an_account_and_found_again(office: FlaskClient) -> None:
    essen = new_organisation("Stadt Essen")
    typed = {
        "email": "Kuebra@essen.example",
        "given_name": "Kübra",
        "family_name": "Öztürk-Lindner",
        "organisation_id": str(essen),
    }
    added = submit(office, f"{PEOPLE}neu", typed)
    assert added.status_code == 303
    html = office.get(added.headers["Location"]).get_data(as_text=True)
    assert "kuebra@essen.example" in html
    assert "noch keines" in html
    for words in ("ozturk", "Öztürk", "kuebra@"):
        found = office.get(PEOPLE, query_string={"suche": words}).get_data(as_text=True)
        assert "Öztürk-Lindner, Kübra" in found, words
    again = submit(office, f"{PEOPLE}neu", typed)
    assert again.status_code == 409
    assert "schon eine Person erfasst" in again.get_data(as_text=True)


def test_search_takes_anything(office: FlaskClient) -> None:
    for words in ("%", "_", "\x00", "x" * 5000, "😀", "\u202e", "' OR 1=1 --", "   "):
        assert office.get(PEOPLE, query_string={"suche": words}).status_code == 200, words


def test_wrong_person_gets_errors_and_keeps_what_was_typed(office: FlaskClient) -> None:
    typed = {"email": "kein ort", "given_name": "R2D2", "family_name": "", "unit": "Amt 32"}
    answer = submit(office, f"{PEOPLE}neu", typed)
    html = answer.get_data(as_text=True)
    assert answer.status_code == 422
    for words in ("keine E-Mail-Adresse", "nur Buchstaben", "Nachnamen ein", "die Organisation"):
        assert words in html
    assert "Amt 32" in html


def test_only_administration_gives_roles(browser: Callable[[Role], FlaskClient]) -> None:
    with transaction() as session:
        person = make_person(session).id
    url = f"{PEOPLE}{person}/rollen"
    coordinator, admin = browser(Role.COORDINATOR), browser(Role.ADMIN)
    assert coordinator.get(url).status_code == 403
    assert "Rollen ändern" not in coordinator.get(f"{PEOPLE}{person}").get_data(as_text=True)
    assert submit(admin, url, {"roles": ["trainer", "participant"]}).status_code == 303
    assert submit(admin, url, {"roles": ["emperor"]}).status_code == 422
    db.session.remove()
    roles = select(PersonRole.role).where(PersonRole.person_id == person)
    assert set(db.session.scalars(roles)) == {Role.TRAINER, Role.PARTICIPANT}


def test_person_is_changed(office: FlaskClient) -> None:
    with transaction() as session:
        person = make_person(session, family_name="Alt").id
    typed = {"family_name": "Neu", "email": "neu@essen.example"}
    assert submit(office, f"{PEOPLE}{person}/bearbeiten", typed).status_code == 303
    changed = db.session.get_one(Person, person, populate_existing=True)
    assert (changed.family_name, changed.email) == ("Neu", "neu@essen.example")


def test_taken_address_is_refused_at_its_field_and_changes_nothing(office: FlaskClient) -> None:
    with transaction() as session:
        person = make_person(session, family_name="Alt").id
        taken = make_person(session).email
    typed = {"family_name": "Neu", "email": taken}
    answer = submit(office, f"{PEOPLE}{person}/bearbeiten", typed)
    assert answer.status_code == 409
    assert "schon eine Person erfasst" in answer.get_data(as_text=True)
    assert db.session.get_one(Person, person, populate_existing=True).family_name == "Alt"


# Venues and formats

HALL = {
    "name": "Haus der Technik",
    "street": "Hollestraße 1",
    "postcode": "45127",
    "town": "Essen",
    "rooms-0-name": "Raum 304",
    "rooms-0-seats": "20",
    "rooms-2-name": "Saal",
}


def test_venue_with_rooms_is_added_changed_and_retired(office: FlaskClient) -> None:
    assert submit(office, f"{VENUES}neu", HALL).status_code == 303
    venue = db.session.scalars(select(Venue)).one()
    assert [(room.name, room.seats) for room in venue.rooms] == [("Raum 304", 20), ("Saal", None)]
    page = f"{VENUES}{venue.id}"
    twice = submit(office, page, {"rooms-2-name": "raum 304"})
    assert twice.status_code == 422
    assert "nicht gleich heißen" in twice.get_data(as_text=True)
    nameless = submit(office, page, {"rooms-0-name": ""})
    assert "Bitte geben Sie den Namen des Raums ein." in nameless.get_data(as_text=True)
    renamed = submit(office, page, {"rooms-0-name": "Raum 305", "town": "Bochum"})
    assert renamed.status_code == 303
    db.session.remove()
    assert db.session.scalars(select(Room.name).order_by(Room.id)).all() == ["Raum 305", "Saal"]
    assert submit(office, page, button="Stilllegen").status_code == 303
    assert "Haus der Technik" not in office.get(VENUES).get_data(as_text=True)
    assert submit(office, page, button="Wieder aufnehmen").status_code == 303
    assert "Haus der Technik" in office.get(VENUES).get_data(as_text=True)


def test_room_of_another_venue_cannot_be_taken_over(office: FlaskClient) -> None:
    with transaction() as session:
        mine, other = make_venue(session), make_venue(session, town="Bochum")
        mine_id, foreign = mine.id, other.rooms[0].id
    for value in (str(foreign), "999", "x", "²", "9" * 5000):
        answer = submit(office, f"{VENUES}{mine_id}", {"rooms-0-id": value})
        assert answer.status_code in {404, 422}, value
    assert fresh(Room, foreign).venue_id != mine_id  # type: ignore[attr-defined]


FORMAT = {
    "title": "Umgang mit Konflikten",
    "capacity": "12",
    "minimum": "6",
    "registration_deadline_days": "14",
    "withdrawal_deadline_days": "7",
    "offer_days": "3",
    "needs_deadline_days": "14",
    "sessions-0-day": "1",
    "sessions-0-begins": "09:00",
    "sessions-0-ends": "12:00",
    "agenda-0-day": "1",
    "agenda-0-begins": "09:00",
    "agenda-0-ends": "10:00",
    "agenda-0-title": "Ankommen",
}


def test_format_is_added_changed_and_retired(office: FlaskClient) -> None:
    assert submit(office, f"{FORMATS}neu", FORMAT).status_code == 303
    template = db.session.scalars(select(EventTemplate)).one()
    page = f"{FORMATS}{template.id}"
    changed = submit(office, page, {"sessions-1-day": "2", "sessions-1-begins": "9.00",
                                    "sessions-1-ends": "15:00"})  # fmt: skip
    assert changed.status_code == 303
    db.session.remove()
    template = db.session.scalars(select(EventTemplate)).one()
    assert [row.day for row in template.sessions] == [1, 2]
    assert template.agenda[0]["title"] == "Ankommen"
    assert submit(office, page, button="Stilllegen").status_code == 303
    assert "Umgang mit Konflikten" not in office.get(FORMATS).get_data(as_text=True)


def test_format_says_how_attendance_is_taken_and_certified(office: FlaskClient) -> None:
    assert submit(office, f"{FORMATS}neu", FORMAT).status_code == 303
    template = db.session.scalars(select(EventTemplate)).one()
    assert (template.certificate_share, template.offline_roster) == (80, True)
    page, typed = f"{FORMATS}{template.id}", {"certificate_share": "90", "offline_roster": []}
    assert submit(office, page, typed).status_code == 303
    db.session.remove()
    template = db.session.scalars(select(EventTemplate)).one()
    assert (template.certificate_share, template.offline_roster) == (90, False)


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"minimum": "13"}, "Die Mindestzahl (13) ist größer"),
        ({"capacity": "-1"}, "Bitte eine Zahl von 1 bis"),
        ({"certificate_share": "0"}, "Bitte eine Zahl von 1 bis 100"),
        ({"certificate_share": "101"}, "Bitte eine Zahl von 1 bis 100"),
        ({"certificate_share": ""}, "Bitte geben Sie eine Zahl von 1 bis 100 ein"),
        ({"capacity": "٣"}, "Bitte geben Sie eine ganze Zahl ein"),
        ({"capacity": "9" * 400}, "Bitte geben Sie eine ganze Zahl ein"),
        ({"sessions-0-ends": "08:00"}, "endet, bevor er beginnt"),
        (
            {"sessions-0-day": "", "sessions-0-begins": "", "sessions-0-ends": ""},
            "mindestens einen",
        ),
        ({"sessions-0-day": "0"}, "Bitte eine Zahl von 1 bis 60"),
        ({"agenda-0-ends": "08:00"}, "Das Ende liegt vor dem Beginn"),
        ({"agenda-0-begins": "mittags"}, "Das ist keine Uhrzeit"),
    ],
)
def test_wrong_format_gets_an_error(office: FlaskClient, typed: dict[str, str], words: str) -> None:
    answer = submit(office, f"{FORMATS}neu", {**FORMAT, **typed})
    assert answer.status_code == 422
    assert words in answer.get_data(as_text=True)
    assert db.session.scalars(select(EventTemplate)).all() == []


# Mails


def make_mail(state: MailState = MailState.SENT, to: str = "a@b.example") -> int:
    with transaction() as session:
        mail = Mail(subject="Zusage <b>", paragraphs=("Sie haben <script>einen</script> Platz.",))
        row = post(session, kind="placed", to=to, name="Kübra", mail=mail, now=NOW)
        row.state = state
        row.attempts = 1
        row.last_error = "" if state is MailState.SENT else "550 unbekannt <i>"
        session.flush()
        return row.id


def test_mail_is_read_as_text_and_as_html_in_a_page_that_may_do_nothing(
    office: FlaskClient,
) -> None:
    mail = make_mail()
    html = office.get(f"{MAILS}{mail}").get_data(as_text=True)
    assert "Zusage &lt;b&gt;" in html
    assert "&lt;script&gt;einen" in html
    answer = office.get(f"{MAILS}{mail}/html")
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("sandbox; default-src 'none'")
    assert "script-src" not in policy
    assert answer.content_type == "text/html; charset=utf-8"
    assert "<script>" not in answer.get_data(as_text=True)


def test_failed_mail_is_sent_again_once(office: FlaskClient) -> None:
    mail = make_mail(MailState.FAILED)
    assert "550 unbekannt &lt;i&gt;" in office.get("/koordination/").get_data(as_text=True)
    assert submit(office, f"{MAILS}{mail}", button="Noch einmal senden").status_code == 303
    row = fresh(OutgoingMail, mail)
    assert (row.state, row.attempts) == (MailState.DUE, 0)  # type: ignore[attr-defined]
    assert "Noch einmal senden" not in office.get(f"{MAILS}{mail}").get_data(as_text=True)


def test_sent_mail_is_not_sent_again(office: FlaskClient) -> None:
    failed, sent = make_mail(MailState.FAILED), make_mail()
    html = office.get(f"{MAILS}{failed}").get_data(as_text=True)
    token = html.split('name="csrf_token" value="')[1].split('"')[0]
    answer = office.post(f"{MAILS}{sent}/noch-einmal", data={"csrf_token": token})
    assert answer.status_code == 303
    assert "schon zugestellt oder noch unterwegs" in office.get(f"{MAILS}{sent}").get_data(
        as_text=True
    )
    assert fresh(OutgoingMail, sent).state is MailState.SENT  # type: ignore[attr-defined]


def test_mail_to_an_impossible_address_is_shown_with_its_reason(office: FlaskClient) -> None:
    mail = make_mail(MailState.FAILED, to="kein ort")
    assert "Die Adresse lässt sich nicht schreiben" in office.get(f"{MAILS}{mail}").get_data(
        as_text=True
    )
    assert office.get(f"{MAILS}{mail}/html").status_code == 404


def test_mails_are_filtered_by_state(office: FlaskClient) -> None:
    make_mail(to="zugestellt@b.example")
    make_mail(MailState.FAILED, to="gescheitert@b.example")
    failed = office.get(f"{MAILS}?stand=failed").get_data(as_text=True)
    assert "gescheitert@b.example" in failed
    assert "zugestellt@b.example" not in failed
    assert office.get(f"{MAILS}?stand=%00&seite=²").status_code == 200


def test_nobody_in_the_office_can_log_in_by_somebody_elses_mail(office: FlaskClient) -> None:
    with transaction() as session:
        make_person(session, email="verwaltung@b.example", roles=(Role.ADMIN,))
        start_login_request(session, "verwaltung@b.example", "", utc_now())
    row = db.session.scalars(select(OutgoingMail)).one()
    mail_id, code, path = row.id, row.mail.code, (row.mail.link or ("", ""))[1]
    html = office.get(f"{MAILS}{mail_id}").get_data(as_text=True)
    assert "sieht nur, wer die Mail bekommt" in html
    assert code not in html
    assert path not in html
    assert office.get(f"{MAILS}{mail_id}/html").status_code == 404


def test_the_office_never_reads_who_got_which_right_to_answer(
    office: FlaskClient, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = ("Jetzt antworten", "/rueckmeldung/ABCD")
    with transaction() as session:
        mail = Mail("Ihre Rückmeldung", ("Wie war es?",), link=link, fleeting=True)
        row = post(session, kind="x", to="a@b.example", name="Ada Becker", mail=mail, now=NOW)
        session.flush()
        mail_id = row.id
    html = office.get(f"{MAILS}{mail_id}").get_data(as_text=True)
    assert "sieht nur, wer die Mail bekommt" in html
    assert "ABCD" not in html
    assert office.get(f"{MAILS}{mail_id}/html").status_code == 404
    # The demonstration has no other mailbox.
    demonstration = replace(app.extensions["settings"], demo=True)
    with monkeypatch.context() as changed:
        changed.setitem(app.extensions, "settings", demonstration)
        assert "ABCD" in office.get(f"{MAILS}{mail_id}").get_data(as_text=True)
    # What has left holds no link any more and is read as others are.
    with transaction() as session:
        session.get_one(OutgoingMail, mail_id).forget_fleeting_link()
    html = office.get(f"{MAILS}{mail_id}").get_data(as_text=True)
    assert "Wie war es?" in html
    assert "ABCD" not in html


def test_a_venue_with_all_rooms_that_it_may_have_can_still_be_changed(office: FlaskClient) -> None:
    with transaction() as session:
        venue = make_venue(session)
        venue.rooms += [Room(name=f"Raum {number}") for number in range(1, MOST_ROOMS)]
        session.flush()
        venue_id = venue.id
    assert len(fresh(Venue, venue_id).rooms) == MOST_ROOMS  # type: ignore[attr-defined]
    assert submit(office, f"{VENUES}{venue_id}", {"town": "Dortmund"}).status_code == 303


def test_a_format_with_all_sessions_that_it_may_have_can_still_be_changed(
    office: FlaskClient,
) -> None:
    with transaction() as session:
        template = EventTemplate(
            kind="training", title="Sprachkurs", capacity=12, minimum=6, visibility="partners",
            registration_deadline_days=14, withdrawal_deadline_days=7, needs_deadline_days=14,
            sessions=[
                TemplateSession(
                    position=day, day=day + 1, begins=time(9), ends=time(12), label="Vormittag"
                )
                for day in range(MOST_TEMPLATE_SESSIONS)
            ],
        )  # fmt: skip
        session.add(template)
        session.flush()
        template_id = template.id
    answer = submit(office, f"{FORMATS}{template_id}", {"title": "Sprachkurs II"})
    assert answer.status_code == 303
    assert len(fresh(EventTemplate, template_id).sessions) == MOST_TEMPLATE_SESSIONS  # type: ignore[attr-defined]
