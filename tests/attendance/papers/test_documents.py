"""The papers of an event: who may have them, who stands on them, and that nobody is cut."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time

import pytest
from flask import Flask, g
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from tests.attendance.factories import make_registration, make_trainer
from tests.conftest import NOW
from tests.factories import LONG_AGO, actor_for, log_in, make_event, make_person, make_venue
from tests.pdfs import codes_in, failures_of, opened, tags_of, text_of
from tests.statements import counted_statements
from trainings.attendance.models import WalkIn
from trainings.attendance.papers.documents import PAPERS, load_folder, print_paper
from trainings.core.database import transaction
from trainings.core.documents import STAND_IN
from trainings.core.errors import DomainError
from trainings.core.permissions import Role
from trainings.events.models import Event, EventSession, EventState
from trainings.people.models import Person
from trainings.registrations.models import Need, NeedKind, Registration, RegistrationState

pytestmark = pytest.mark.both_databases
POINT = 72 / 25.4
"""Points in a millimetre."""
DOUBLE_NAME = "Freiherr von Müller-Lüdenscheidt-Hohenstein zu Guttenberg-Sayn-Wittgenstein-Berl"


@dataclass
class Course:
    """A training of two days in March; its trainer is logged in."""

    client: FlaskClient
    event_id: int
    number: str
    trainer: int
    foreign: int
    office: int
    participant: int

    def url(self, name: str = "") -> str:
        return f"/einlass/{self.number}/papiere" + (f"/{name}.pdf" if name else "")

    def pdf(self, name: str) -> bytes:
        answer = self.client.get(self.url(name))
        assert answer.status_code == 200
        return answer.data

    def add(self, family_name: str, **values: object) -> int:
        """Add somebody, by default with a place, and return the registration's id."""
        with transaction() as session:
            event = session.get_one(Event, self.event_id)
            return make_registration(session, event, family_name=family_name, **values).id  # type: ignore[arg-type]

    def become(self, person_id: int) -> None:
        g.pop("_login_user", None)
        log_in(self.client, person_id)


@pytest.fixture
def course(app: Flask, client: FlaskClient) -> Course:
    with transaction() as session:
        venue = make_venue(session)
        venue.public_transport = "U11 bis Messe Ost"
        venue.parking = "Parkhaus P2"
        venue.hearing_loop = "Im großen Saal"
        event = make_event(session, first_day=date(2026, 3, 12), venue=venue)
        trainer = make_trainer(session, event)
        made = Course(
            client=client,
            event_id=event.id,
            number=event.number,
            trainer=trainer.id,
            foreign=make_trainer(session, make_event(session)).id,
            office=make_person(session, roles=(Role.COORDINATOR,)).id,
            participant=make_person(session).id,
        )
    log_in(client, made.trainer)
    return made


def add_walk_in(session: Session, event_id: int, name: str, **values: object) -> None:
    """Add somebody who came without a registration."""
    walk_in = WalkIn(
        key=name, event_id=event_id, name=name, organisation="Kreis Unna",
        at=LONG_AGO, received_at=LONG_AGO, **values,
    )  # fmt: skip
    session.add(walk_in)


# Who may have them


def test_trainers_of_the_event_and_the_office_find_all_papers(course: Course) -> None:
    for person in (course.trainer, course.office):
        course.become(person)
        page = course.client.get(course.url())
        assert page.status_code == 200
        for name, paper in PAPERS.items():
            assert paper.title in page.text
            assert paper.sentence in page.text
            assert f'href="{course.url(name)}"' in page.text
            assert course.pdf(name).startswith(b"%PDF")


def test_nobody_else_does(course: Course, app: Flask) -> None:
    course.add("Öztürk-Lindner")
    urls = [course.url(), *(course.url(name) for name in PAPERS)]
    course.become(course.foreign)
    assert [course.client.get(url).status_code for url in urls] == [404] * len(urls)
    course.become(course.participant)
    assert [course.client.get(url).status_code for url in urls] == [403] * len(urls)
    g.pop("_login_user", None)
    assert [app.test_client().get(url).status_code for url in urls] == [302] * len(urls)


@pytest.mark.parametrize("name", ["unbekannt", "..%2f..", "<script>", "teilnahmeliste%00"])
def test_paper_that_does_not_exist_is_not_found(course: Course, name: str) -> None:
    assert course.client.get(course.url(name)).status_code == 404


def test_paper_opens_in_the_browser_under_its_name_and_is_kept_nowhere(course: Course) -> None:
    answer = course.client.get(course.url("einlassliste"))
    assert answer.content_type == "application/pdf"
    disposition = f"inline; filename=einlassliste-{course.number}.pdf"
    assert answer.headers["Content-Disposition"] == disposition
    assert answer.headers["Cache-Control"] == "private, no-store"


def test_cancelled_event_has_no_papers(course: Course) -> None:
    with transaction() as session:
        session.get_one(Event, course.event_id).state = EventState.CANCELLED
    page = course.client.get(course.url())
    assert "Die Veranstaltung ist abgesagt." in page.text
    assert "PDF öffnen" not in page.text
    assert course.client.get(course.url("anfahrt")).status_code == 409


def test_paper_is_refused_by_its_name_before_anything_is_drawn(course: Course) -> None:
    with transaction() as session:
        trainer = actor_for(session.get_one(Person, course.trainer))
        folder = load_folder(session, trainer, course.number)
        with pytest.raises(DomainError) as refusal:
            print_paper(folder, "zeugnis", NOW)
    assert refusal.value.code == "not_found"


def test_papers_cost_a_fixed_number_of_statements(course: Course) -> None:
    costs = []
    for more in (1, 29):
        for index in range(more):
            course.add(f"Beispiel-{more}-{index}")
        g.pop("_login_user", None)
        with counted_statements() as page:
            assert course.client.get(course.url()).status_code == 200
        g.pop("_login_user", None)
        with counted_statements() as paper:
            assert course.client.get(course.url("einlassliste")).status_code == 200
        costs.append((len(page), len(paper)))
    assert costs == [costs[0]] * 2
    assert max(costs[0]) <= 7


# Who stands on them


@pytest.mark.parametrize("name", ["teilnahmeliste", "einlassliste", "namensschilder"])
def test_those_who_take_part_stand_on_each_list_and_nobody_else(course: Course, name: str) -> None:
    states = {
        "Platzhaber": RegistrationState.PLACED,
        "Dazugekommen": RegistrationState.WALK_IN,
        "Wartend": RegistrationState.WAITING,
        "Angeboten": RegistrationState.OFFERED,
        "Abgemeldet": RegistrationState.WITHDRAWN,
        "Ersetzt": RegistrationState.SUBSTITUTED,
    }
    for family_name, state in states.items():
        course.add(family_name, state=state)
    done = course.add("Nachgetragen", state=RegistrationState.WALK_IN)
    with transaction() as session:
        add_walk_in(session, course.event_id, "Unangemeldet")
        add_walk_in(session, course.event_id, "Abgelehnt", dismissed_at=LONG_AGO)
        add_walk_in(session, course.event_id, "Doppelt", registration_id=done)
    text = text_of(course.pdf(name))
    there = {each for each in (*states, "Unangemeldet", "Abgelehnt", "Doppelt") if each in text}
    assert there == {"Platzhaber", "Dazugekommen", "Unangemeldet"}
    assert "Kreis Unna" in text
    if name != "namensschilder":
        assert text.count("ohne Anmeldung") == 3 * (2 if name == "teilnahmeliste" else 1)


def test_what_somebody_needs_stands_on_no_paper(course: Course) -> None:
    registration_id = course.add("Platzhaber")
    with transaction() as session:
        session.add(
            Need(registration_id=registration_id, kind=NeedKind.DIET, note="Ohne Erdnussbutter")
        )
    for name in PAPERS:
        text = text_of(course.pdf(name))
        assert "Erdnuss" not in text
        assert "egetarisch" not in text


def test_empty_event_has_papers_too(course: Course) -> None:
    for name in PAPERS:
        assert failures_of(course.pdf(name)) == []
    assert "Noch hat niemand einen Platz." in text_of(course.pdf("einlassliste"))


def test_event_without_place_and_sessions_has_papers_too(course: Course) -> None:
    with transaction() as session:
        event = session.get_one(Event, course.event_id)
        event.venue = event.room = None
        event.sessions.clear()
        event.trainers[0].person.title = "Dr."
    course.add("Platzhaber")
    for name in PAPERS:
        assert failures_of(course.pdf(name)) == []
    assert "Der Ort steht noch nicht fest." in text_of(course.pdf("anfahrt"))
    assert "noch keine Termine" in text_of(course.pdf("teilnahmeliste"))


# What stands on them


def test_sign_in_sheet_has_a_page_for_each_day_and_a_field_for_each_session(course: Course) -> None:
    course.add("Czerwiński")
    course.add("Ağaoğlu")
    pdf = course.pdf("teilnahmeliste")
    assert failures_of(pdf) == []
    with opened(pdf) as document:
        assert [page.width < page.height for page in document.pages] == [True, True]
        for page, day in zip(document.pages, ("Do., 12.03.2026", "Fr., 13.03.2026"), strict=True):
            text = page.extract_text()
            assert text.index("Ağaoğlu, Kübra") < text.index("Czerwiński, Kübra")
            assert "Leitung: Jördis Kałuża" in text
            assert "Haus der Bildung Essen, Raum 304, Musterstraße 1, 45127 Essen" in text
            table = page.extract_table()
            head, *rows = table
            assert [cell and " ".join(cell.split()) for cell in head[-2:]] == [
                f"Unterschrift {day} Vormittag, 09:00–12:15 Uhr",
                f"Unterschrift {day} Nachmittag, 13:15–16:30 Uhr",
            ]
            # Two people and four rows for those without a registration; the fields are empty.
            assert len(rows) == 6
            assert {cell for row in rows for cell in row[-2:]} == {""}
    assert tags_of(pdf).count("/Table") == 2


def test_sheet_of_a_long_day_lies_on_its_side(course: Course) -> None:
    with transaction() as session:
        event = session.get_one(Event, course.event_id)
        evening = EventSession(
            position=9, day=event.first_day, begins=time(18), ends=time(20), label="Abend"
        )
        event.sessions.append(evening)
    with opened(course.pdf("teilnahmeliste")) as document:
        assert document.pages[0].width > document.pages[0].height
        assert "Abend, 18:00–20:00" in document.pages[0].extract_text()


def test_door_list_has_a_box_for_each_person_and_session(course: Course) -> None:
    for name in ("Czerwiński", "Ağaoğlu", "Öztürk"):
        course.add(name)
    pdf = course.pdf("einlassliste")
    assert failures_of(pdf) == []
    with opened(pdf) as document:
        page = document.pages[0]
        squares = [c for c in (*page.rects, *page.curves) if abs(c["width"] - 6 * POINT) < 1]
        assert len(squares) == 3 * 4
        sizes = {char["size"] for char in page.chars if "Medium" not in char["fontname"]}
        assert max(size for size in sizes if size < 20) == 15
        words = [word["text"] for word in page.extract_words()]
        assert [word for word in words if word in ("Ağaoğlu,", "Czerwiński,", "Öztürk,")] == [
            "Ağaoğlu,", "Czerwiński,", "Öztürk,",
        ]  # fmt: skip
    assert "Stand:" in text_of(pdf)


def test_badges_lie_ten_on_a_sheet_and_nothing_leaves_its_badge(course: Course) -> None:
    names = (DOUBLE_NAME, "X" * 80, "Li", "Öztürk-Lindner", "W" * 40)
    for name in names:
        registration_id = course.add(name)
        with transaction() as session:
            registration = session.get_one(Registration, registration_id)
            registration.person.given_name = "Maximilian-Alexander " * 3
            registration.organisation_name = "Hochschule für Polizei und Verwaltung " * 4
            registration.event.title = "Professioneller Umgang mit Konflikten im Amt " * 3
    for index in range(6):
        course.add(f"Beispiel-{index}")
    pdf = course.pdf("namensschilder")
    assert failures_of(pdf) == []
    with opened(pdf) as document:
        assert len(document.pages) == 2
        found = []
        for page in document.pages:
            for row in range(5):
                for column in range(2):
                    left, top = (15 + 90 * column) * POINT, (13.5 + 54 * row) * POINT
                    box = (left, top, left + 90 * POINT, top + 54 * POINT)
                    badge = page.within_bbox(box)
                    inner = (box[0] + 5 * POINT, box[1] + 2 * POINT, box[2], box[3] - 2 * POINT)
                    assert len(page.within_bbox(inner).chars) == len(page.crop(box).chars)
                    if badge.chars:
                        found.append("".join(badge.extract_text().replace("\u200b", "").split()))
    assert len(found) == 11
    for name in names:
        assert any("".join(name.split()) in text for text in found), name
    assert sum(text.endswith("Verwaltung") for text in found) == len(names)


def test_short_name_is_written_large_and_a_long_one_smaller(course: Course) -> None:
    course.add("Li")
    course.add("Schnarrenbergerinnenhaus")
    with opened(course.pdf("namensschilder")) as document:
        chars = document.pages[0].chars
    large = max(char["size"] for char in chars if char["text"] == "L")
    small = max(char["size"] for char in chars if char["text"] == "h")
    assert large == 25
    assert 12 < small < 25


def test_directions_say_when_and_where_and_lead_to_the_page_of_the_event(course: Course) -> None:
    course.add("Öztürk-Lindner")
    pdf = course.pdf("anfahrt")
    assert failures_of(pdf) == []
    text = text_of(pdf)
    for words in (
        "Do., 12.03.2026 09:00–16:30 Uhr",
        "Fr., 13.03.2026 09:00–16:30 Uhr",
        "Haus der Bildung Essen Raum 304 Musterstraße 1 45127 Essen",
        "Bus und Bahn U11 bis Messe Ost",
        "Parken Parkhaus P2",
        "Stufenfreier Zugang Aufzug bis in alle Stockwerke",
        "Höranlage Im großen Saal",
        "Tel. +49 201 475892-0",
    ):
        assert words in text
    assert "Öztürk" not in text
    assert codes_in(pdf) == [f"http://trainings.example/veranstaltungen/{course.number}"]


def test_hostile_names_are_text_on_paper_and_page(course: Course) -> None:
    course.add("#panic() <b>fett</b>")
    assert "#panic() <b>fett</b>" in text_of(course.pdf("einlassliste"))
    course.add("<b>王</b>")
    assert "<b>王" not in course.client.get(course.url()).text


# Letters that no font has


def test_name_with_letters_that_no_font_has_is_named_to_trainer_and_office(course: Course) -> None:
    course.add("Öztürk-Lindner")
    for url in (course.url(), f"/koordination/veranstaltungen/{course.number}"):
        course.become(course.office)
        assert "Nicht alle Buchstaben" not in course.client.get(url).text
    course.add("Wang 王")
    course.become(course.trainer)
    page = course.client.get(course.url()).text
    assert "„Wang 王, Kübra“ (Stadt Essen) fehlt in unseren Schriften: 王" in page
    assert STAND_IN in page
    assert "Öztürk" not in page
    assert f"Wang {STAND_IN}" in text_of(course.pdf("einlassliste"))
    course.become(course.office)
    desk = course.client.get(f"/koordination/veranstaltungen/{course.number}").text
    assert "Auf den Papieren fehlen Zeichen" in desk
    assert "von: Wang 王, Kübra." in desk


def test_list_says_of_when_it_is(course: Course) -> None:
    with transaction() as session:
        trainer = actor_for(session.get_one(Person, course.trainer))
        folder = load_folder(session, trainer, course.number)
        at = datetime.fromisoformat("2026-03-11T13:05:00+00:00")
        made = print_paper(folder, "einlassliste", at)
        assert made.pdf == print_paper(folder, "einlassliste", at).pdf
    assert "Stand: Mi., 11.03.2026, 14:05 Uhr" in text_of(made.pdf)
