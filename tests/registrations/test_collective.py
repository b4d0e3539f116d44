"""A contact registers several people: nothing happens unseen, and nothing typed is lost."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from tests.browser_forms import forms_of, send
from tests.factories import actor_for, log_in, make_event, make_organisation, make_person
from tests.statements import counted_statements
from trainings.core.actors import Actor
from trainings.core.clock import utc_now
from trainings.core.database import db, transaction
from trainings.core.errors import DomainError
from trainings.core.outbox import OutgoingMail
from trainings.core.permissions import Role
from trainings.events.details import Policy
from trainings.events.models import Admission, Event, EventTrainer, Visibility
from trainings.organisations.models import Level, Organisation
from trainings.people.models import OrganisationContact, Person
from trainings.registrations.collective import register_colleague
from trainings.registrations.collective_rules import ListedPerson
from trainings.registrations.models import Registration, RegistrationState, Release
from trainings.registrations.operations import register, withdraw

pytestmark = pytest.mark.both_databases

SOON = date.today() + timedelta(days=30)  # noqa: DTZ011 - the pages ask the clock as well
State = RegistrationState
CHECK, REGISTER = "Prüfen", "Angekreuzte anmelden"


class World:
    """A contact of Stadt Essen at a browser, and an event."""

    def __init__(self, client: FlaskClient, **values: object) -> None:
        self.client = client
        with transaction() as session:
            self.home = make_organisation(session, "Stadt Essen", domains=("essen.example",)).id
            away = make_organisation(session, "Stadt Herne", domains=("herne.example",))
            event = make_event(session, first_day=SOON, **values)  # type: ignore[arg-type]
            self.event_id, self.number = event.id, event.number
            self.contact = self.colleague("Kontakt", roles=(Role.CONTACT,))
            self.contact.function = "Fortbildungsstelle"
            self.stranger = make_person(session, away, email="fremd@herne.example")
            session.add(OrganisationContact(organisation_id=self.home, person_id=self.contact.id))
            self.email, self.stranger_id = self.contact.email, self.stranger.id
        log_in(client, self.contact.id)
        self.url = f"/organisation/anmelden/{self.number}"

    def colleague(self, name: str, **values: object) -> Person:
        session = db.session()
        home = session.get_one(Organisation, self.home)
        return make_person(
            session, home, family_name=name, email=f"{name.lower()}@essen.example", **values
        )  # type: ignore[arg-type]

    def check(self, pasted: str, **typed: str) -> str:
        html = self.client.get(self.url).text
        return send(self.client, self.url, html, {"pasted": pasted, **typed}, button=CHECK).text

    def states(self) -> dict[str, State]:
        db.session.remove()
        rows = db.session.execute(
            select(Person.email, Registration.state).join(
                Registration, Registration.person_id == Person.id
            )
        )
        return {row.email: row.state for row in rows}


def ticked(html: str) -> list[str]:
    (form,) = [form for form in forms_of(html) if form.method == "post" and "pasted" in form.names]
    return [name for name in form.fields if name.endswith("-take")]


def values(html: str, column: str) -> list[str]:
    (form,) = [form for form in forms_of(html) if form.method == "post" and "pasted" in form.names]
    found = [form.fields[name][0] for name in form.fields if name.endswith(f"-{column}")]
    return [value for value in found if value]


def line(number: int) -> str:
    return f"Vor\tNachname\tp{number}@essen.example\tAmt {number}\tSachbearbeitung"


def test_checking_nothing_says_so(app: Flask, client: FlaskClient) -> None:
    world = World(client)
    for pasted in ("", "Vorname\tNachname\tE-Mail"):
        html = client.get(world.url).text
        answer = send(client, world.url, html, {"pasted": pasted}, button=CHECK)
        assert answer.status_code == 422
        assert "Bitte fügen Sie eine Liste ein, oder tragen Sie" in answer.text


def test_twenty_rows_with_two_duplicates_and_a_typo(app: Flask, client: FlaskClient) -> None:
    world = World(client, capacity=30)
    rows = [line(number) for number in range(17)]
    rows[5] = rows[5].replace("@essen.example", "@@essen")
    rows += [rows[0], rows[1].upper().replace("VOR\tNACHNAME", "Vor\tNachname")]
    rows.append("Fre\tMd\tneu@herne.example\t\t")
    assert len(rows) == 20
    html = world.check("\n".join(rows))
    assert world.states() == {}
    assert html.count("Bekommt einen Platz") == 16
    assert html.count("Steht doppelt in der Liste") == 2
    assert html.count("Das ist keine E-Mail-Adresse.") >= 1
    assert html.count("Andere Organisation") == 1
    assert len(ticked(html)) == 16
    assert len(values(html, "email")) == 20
    answer = send(client, world.url, html, button=REGISTER)
    assert len(world.states()) == 16
    assert set(world.states().values()) == {State.PLACED}
    assert answer.text.count("Vor Nachname hat einen Platz.") == 16
    left = values(answer.text, "email")
    assert sorted(left) == sorted(
        ["p0@essen.example", "p1@essen.example", "neu@herne.example", "p5@@essen"]
    )
    name = next(
        name
        for form in forms_of(answer.text)
        for name, value in form.fields.items()
        if value == ["p5@@essen"]
    )
    typed = {name: "p5@essen.example"}
    html = send(client, world.url, answer.text, typed, button="Noch einmal prüfen").text
    assert html.count("Ist bereits angemeldet") == 2
    send(client, world.url, html, button=REGISTER)
    assert len(world.states()) == 17


def test_the_people_get_who_they_are_and_a_released_request(
    app: Flask, client: FlaskClient
) -> None:
    world = World(client, policy=Policy(offer_days=0, needs_release=True))
    html = world.check(line(1))
    assert "Wird neu angelegt" in html
    send(client, world.url, html, button=REGISTER)
    registration = db.session.scalars(select(Registration)).one()
    person = registration.person
    assert (person.name, person.unit, person.function) == (
        "Vor Nachname",
        "Amt 1",
        "Sachbearbeitung",
    )
    assert (person.organisation_id, person.account) == (world.home, None)
    release = db.session.get_one(Release, registration.id)
    assert (release.name, release.function, release.person_id) == (
        world.contact.name,
        "Fortbildungsstelle",
        world.contact.id,
    )
    assert registration.state is State.PLACED


def test_the_first_mail_says_who_registered_somebody_and_from_whom_the_data_came(
    app: Flask, client: FlaskClient
) -> None:
    world = World(client)
    with transaction():
        world.colleague("Bekannt")
    html = world.check(f"{line(1)}\nErika\tBekannt\tbekannt@essen.example")
    send(client, world.url, html, button=REGISTER)
    new, known = (
        db.session.scalars(select(OutgoingMail).where(OutgoingMail.recipient == email)).one().mail
        for email in ("p1@essen.example", "bekannt@essen.example")
    )
    assert f"{world.contact.name} (Stadt Essen) hat Sie angemeldet. Sie haben" in new.paragraphs[0]
    assert f"{world.contact.name} (Stadt Essen) hat Sie angemeldet." in known.paragraphs[0]
    assert f"von {world.contact.name}, Stadt Essen." in " ".join(new.information)
    assert known.information == ()


def test_a_contacts_own_request_waits_for_the_deputy(app: Flask, client: FlaskClient) -> None:
    world = World(client, policy=Policy(offer_days=0, needs_release=True))
    html = world.check(f"K\tKontakt\t{world.email}")
    assert "Ihre Vertretung muss freigeben" in html
    answer = send(client, world.url, html, button=REGISTER)
    assert "wartet auf die Freigabe durch Ihre Vertretung" in answer.text
    assert world.states() == {world.email: State.AWAITING_RELEASE}


def test_the_forecast_counts_places_one_after_the_other(app: Flask, client: FlaskClient) -> None:
    world = World(client, capacity=2)
    html = world.check("\n".join(line(number) for number in range(3)))
    assert (html.count("Bekommt einen Platz"), html.count("Kommt auf die Warteliste")) == (2, 1)
    answer = send(client, world.url, html, button=REGISTER)
    assert answer.text.count("hat einen Platz.") == 2
    assert answer.text.count("steht auf der Warteliste.") == 1
    assert sorted(world.states().values()) == [State.PLACED, State.PLACED, State.WAITING]


def test_where_the_office_admits_nobody_is_promised_a_place(
    app: Flask, client: FlaskClient
) -> None:
    world = World(client, policy=Policy(offer_days=0, admission=Admission.BY_OFFICE))
    html = world.check(line(1))
    assert "Die Geschäftsstelle entscheidet" in html
    send(client, world.url, html, button=REGISTER)
    assert list(world.states().values()) == [State.WAITING]


def test_known_people_are_recognised_and_those_who_cannot_come_are_named(
    app: Flask, client: FlaskClient
) -> None:
    world = World(client)
    with transaction() as session:
        known, seated, leads, busy = (
            world.colleague(name) for name in ("Bekannt", "Sitzt", "Leitet", "Belegt")
        )
        session.add(EventTrainer(event_id=world.event_id, person_id=leads.id))
        other = make_event(session, first_day=SOON)
        register(session, actor_for(seated), world.event_id, now=utc_now())
        register(session, actor_for(busy), other.id, now=utc_now())
        emails = [person.email for person in (known, seated, leads, busy, world.stranger)]
    html = world.check("\n".join(f"A\tB\t{email}" for email in emails))
    for words in (
        "Bekommt einen Platz", "Ist bereits angemeldet", "Leitet diese Veranstaltung",
        "Hat zur selben Zeit einen anderen Platz", "Andere Organisation",
    ):  # fmt: skip
        assert html.count(words) == 1
    assert "Wird neu angelegt" not in html
    assert len(ticked(html)) == 1
    send(client, world.url, html, button=REGISTER)
    with transaction() as session:
        person = session.scalars(select(Person).where(Person.email == emails[0])).one()
        assert person.name == "Erika Bekannt"


def test_whoever_is_registered_already_does_not_stand_twice(
    app: Flask, client: FlaskClient
) -> None:
    world = World(client)
    html = world.check("\n".join((line(1), line(2), line(1))))
    assert html.count("Steht doppelt in der Liste") == 1
    told = send(client, world.url, html, button=REGISTER).text
    assert "Steht doppelt in der Liste" not in told
    assert told.count("Ist bereits angemeldet") == 1
    again = world.check("\n".join((line(1), line(1))))
    assert "Steht doppelt in der Liste" not in again
    assert again.count("Ist bereits angemeldet") == 2
    assert ticked(again) == []


def test_errors_name_the_row_and_stand_below_what_was_done(app: Flask, client: FlaskClient) -> None:
    world = World(client)
    html = world.check(line(1) + "\nVor\tNach\tkeine-adresse\n" + line(2))
    assert "Zeile 2, Dienstliche E-Mail: Das ist keine E-Mail-Adresse" in html
    told = send(client, world.url, html, button=REGISTER).text
    assert "Zeile 1, Dienstliche E-Mail: Das ist keine E-Mail-Adresse" in told
    assert told.index("hat einen Platz.") < told.index("Bitte prüfen Sie")


def test_ticking_somebody_who_cannot_come_registers_nobody(app: Flask, client: FlaskClient) -> None:
    world = World(client)
    html = world.check(f"A\tB\t{world.stranger.email}")
    answer = send(client, world.url, html, {"people-0-take": "y"}, button=REGISTER)
    assert answer.status_code == 422
    assert "Es ist noch niemand angemeldet" in answer.text
    assert world.states() == {}


def test_a_double_submit_registers_once_and_says_the_same(app: Flask, client: FlaskClient) -> None:
    world = World(client)
    html = world.check(line(1) + "\n" + line(2))
    answers = [send(client, world.url, html, button=REGISTER) for _ in range(2)]
    assert [answer.text.count("hat einen Platz.") for answer in answers] == [2, 2]
    assert len(world.states()) == 2
    assert len(db.session.scalars(select(OutgoingMail)).all()) == 2


def test_somebody_who_left_meanwhile_is_registered_again_from_the_page_that_told_of_it(
    app: Flask, client: FlaskClient
) -> None:
    world = World(client)
    told = send(client, world.url, world.check(line(1)), button=REGISTER).text
    with transaction() as session:
        registration = session.scalars(select(Registration)).one()
        withdraw(session, Actor(registration.person_id), registration.id, utc_now())
    again = send(client, world.url, told, {"pasted": line(1)}, button="Noch einmal prüfen").text
    send(client, world.url, again, button=REGISTER)
    states = db.session.scalars(select(Registration.state).order_by(Registration.id)).all()
    assert states == [State.WITHDRAWN, State.PLACED]


def test_more_than_twenty_and_a_megabyte_keep_what_was_typed(
    app: Flask, client: FlaskClient
) -> None:
    world = World(client)
    typed = {"people-0-email": "erste@essen.example", "people-0-given_name": "Erste"}
    html = client.get(world.url).text
    pasted = "\n".join(line(number) for number in range(20))
    answer = send(client, world.url, html, {"pasted": pasted, **typed}, button=CHECK)
    assert answer.status_code == 422
    assert "Das sind 21 Personen" in answer.text
    assert "p19@essen.example" in answer.text
    assert values(answer.text, "email") == ["erste@essen.example"]
    answer = send(client, world.url, html, {"pasted": "x" * 400_000, **typed}, button=CHECK)
    assert answer.status_code == 422
    assert "zu lang für eine Liste" in answer.text
    hostile = "=cmd|' /C calc'!A0\t<script>alert(1)</script>\ta\x00@b\u202e.example"
    html = world.check(hostile)
    assert "<script>alert" not in html
    assert world.states() == {}


def test_people_may_be_typed_instead_and_empty_rows_do_not_matter(
    app: Flask, client: FlaskClient
) -> None:
    world = World(client)
    html = world.check("", **{
        "people-3-given_name": "Ayşe", "people-3-family_name": "Yılmaz",
        "people-3-email": "Ayse@Essen.example",
    })  # fmt: skip
    assert len(ticked(html)) == 1
    send(client, world.url, html, button=REGISTER)
    assert list(world.states()) == ["ayse@essen.example"]


def test_a_stale_page_keeps_the_list(app: Flask, client: FlaskClient) -> None:
    world = World(client)
    html = world.check(line(1))
    with client.session_transaction() as cookie:
        cookie.pop("csrf_token", None)
    answer = send(client, world.url, html, button=REGISTER)
    assert world.states() == {}
    assert "p1@essen.example" in answer.text


def test_who_speaks_for_several_chooses_and_a_unit_is_one_of_them(
    app: Flask, client: FlaskClient
) -> None:
    world = World(client)
    with transaction() as session:
        home = session.get_one(Organisation, world.home)
        unit = make_organisation(session, "Jugendamt", parent=home, level=Level.UNIT)
        session.add(OrganisationContact(organisation_id=unit.id, person_id=world.contact.id))
        unit_id = unit.id
    html = client.get(world.url).text
    answer = send(client, world.url, html, {"pasted": line(1)}, button=CHECK)
    assert answer.status_code == 422
    assert "Bitte wählen Sie eine Organisation." in answer.text
    html = world.check(line(1), organisation_id=str(unit_id))
    send(client, world.url, html, button=REGISTER)
    registration = db.session.scalars(select(Registration)).one()
    assert registration.person.organisation_id == unit_id
    assert registration.organisation_id == world.home


def test_nobody_registers_for_an_organisation_that_is_not_theirs(
    app: Flask, client: FlaskClient
) -> None:
    world = World(client)
    new = ListedPerson("A", "B", "neu@herne.example")
    stranger = ListedPerson("A", "B", world.stranger.email)
    contact, away = actor_for(world.contact), world.stranger.organisation_id
    for organisation_id, person, code in (
        (away, new, "not_found"),
        (world.home, new, "foreign_organisation"),
        (world.home, stranger, "foreign_organisation"),
    ):
        with pytest.raises(DomainError, match=code), transaction() as session:
            register_colleague(
                session, contact, world.event_id,
                organisation_id=organisation_id, person=person, now=utc_now(),
            )  # fmt: skip
    with transaction() as session:
        session.delete(session.scalars(select(OrganisationContact)).one())
    assert "für keine Organisation" in client.get(world.url).text
    with pytest.raises(DomainError, match="not_found"), transaction() as session:
        register_colleague(
            session, contact, world.event_id,
            organisation_id=world.home, person=person, now=utc_now(),
        )  # fmt: skip


def test_a_hidden_or_closed_event_and_other_roles(app: Flask, client: FlaskClient) -> None:
    world = World(client)
    page = f"/veranstaltungen/{world.number}"
    assert world.url in client.get(page).text
    stranger = app.test_client()
    log_in(stranger, world.stranger_id)
    assert world.url not in stranger.get(page).text
    with transaction() as session:
        session.get_one(Event, world.event_id).closes_at = utc_now()
    assert "Anmeldeschluss war" in client.get(world.url).text
    with transaction() as session:
        session.get_one(Event, world.event_id).visibility = Visibility.IN_HOUSE
    assert client.get(world.url).status_code == 404
    other = app.test_client()
    log_in(other, world.stranger_id)
    assert other.get(world.url).status_code == 403


@pytest.mark.parametrize("rows", [1, 20])
def test_page_and_forecast_cost_the_same_with_one_row_and_with_twenty(
    app: Flask, client: FlaskClient, rows: int
) -> None:
    world = World(client, capacity=30)
    pasted = "\n".join(line(number) for number in range(rows))
    with transaction():
        for number in range(rows - 1):
            world.colleague(f"P{number}")
    db.session.remove()
    with counted_statements() as statements:
        html = client.get(world.url).text
    assert len([text for text in statements if not text.startswith("PRAGMA")]) == 5
    db.session.remove()
    with counted_statements() as statements:
        send(client, world.url, html, {"pasted": pasted}, button=CHECK)
    assert len([text for text in statements if not text.startswith("PRAGMA")]) <= 12
