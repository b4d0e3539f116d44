"""Planning in the browser: from a format to a published event, its changes and its end."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, time, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from tests.browser_forms import send, submit
from tests.factories import make_event, make_organisation, make_person, make_venue
from tests.registered import make_registration
from trainings.core.actors import Actor
from trainings.core.clock import berlin_day, utc_now
from trainings.core.database import db, transaction
from trainings.core.formats import day_span
from trainings.core.outbox import OutgoingMail
from trainings.core.permissions import Role
from trainings.events.models import (
    Event,
    EventKind,
    EventState,
    EventTemplate,
    EventTrainer,
    TemplateSession,
    Visibility,
)
from trainings.registrations.models import (
    Contingent,
    Need,
    NeedKind,
    Registration,
    RegistrationState,
)
from trainings.registrations.operations import register

LIST = "/koordination/veranstaltungen/"
SOON = utc_now().date() + timedelta(days=60)


def make_template() -> int:
    with transaction() as session:
        template = EventTemplate(
            kind=EventKind.TRAINING,
            title="Umgang mit Konflikten",
            capacity=12,
            minimum=6,
            visibility=Visibility.PARTNERS,
            registration_deadline_days=14,
            withdrawal_deadline_days=7,
            needs_deadline_days=14,
            sessions=[
                TemplateSession(position=0, day=1, begins=time(9), ends=time(12), label="Vormittag")
            ],
        )
        session.add(template)
        session.flush()
        return template.id


def make(**named: object) -> str:
    with transaction() as session:
        venue = make_venue(session)
        values = {"first_day": SOON, "days": 1, "venue": venue, **named}
        return make_event(session, **values).number  # type: ignore[arg-type]


def stored(number: str) -> Event:
    db.session.remove()
    return db.session.scalars(select(Event).where(Event.number == number)).one()


def put_on(number: str, **person: str) -> int:
    with transaction() as session:
        somebody = make_person(session, **person)  # type: ignore[arg-type]
        actor = Actor(somebody.id, (somebody.organisation_id,), frozenset())
        event = session.scalars(select(Event).where(Event.number == number)).one()
        register(session, actor, event.id, now=utc_now())
        return somebody.id


def test_event_is_planned_from_format_to_publication_in_the_browser(office: FlaskClient) -> None:
    template = make_template()
    with transaction() as session:
        room = make_venue(session).rooms[0]
        place = f"{room.venue_id}-{room.id}"
        trainer = make_person(session, given_name="Jördis", roles=(Role.TRAINER,)).id
    made = submit(
        office,
        f"{LIST}neu",
        {"template_id": str(template), "first_day": SOON.strftime("%d.%m.%Y")},
    )
    assert made.status_code == 303
    page = made.headers["Location"]
    number = page.rsplit("/", 1)[1]
    html = office.get(page).get_data(as_text=True)
    assert "Der Veranstaltungsort fehlt." in html
    assert "Veröffentlichen</span>" not in html

    assert submit(office, f"{page}/termine", {"place": place}).status_code == 303
    assert submit(office, f"{page}/leitung", {"trainers": [str(trainer)]}).status_code == 303
    line = {"agenda-0-day": "1", "agenda-0-begins": "09.00", "agenda-0-ends": "10:30"}
    changed = submit(office, f"{page}/programm", {**line, "agenda-0-title": "Ankommen"})
    assert changed.status_code == 303
    assert submit(office, page, button="Veröffentlichen").status_code == 303
    event = stored(number)
    assert event.state is EventState.PUBLISHED
    assert [row.person_id for row in event.trainers] == [trainer]
    assert event.agenda[0]["begins"] == "09:00"
    html = office.get(page).get_data(as_text=True)
    assert "Die Veranstaltung ist veröffentlicht." in html
    assert "Jördis" in html


def test_second_submit_of_the_same_form_makes_no_second_draft(office: FlaskClient) -> None:
    template = make_template()
    html = office.get(f"{LIST}neu").get_data(as_text=True)
    typed = {"template_id": str(template), "first_day": SOON.isoformat()}
    first, second = (send(office, f"{LIST}neu", html, typed) for _ in range(2))
    assert first.headers["Location"] == second.headers["Location"]
    assert len(db.session.scalars(select(Event)).all()) == 1


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("31.02.2027", "Das ist kein Tag im Kalender"),
        ("0001-01-01", "Bitte ein Jahr von 2000 bis 2100"),
        ("9999-12-31", "Bitte ein Jahr von 2000 bis 2100"),
        ("morgen", "Das ist kein Tag im Kalender"),
        ("", "Bitte wählen Sie den ersten Tag"),
        ("2027-01-01\x00", "Das ist kein Tag im Kalender"),
        ("²⁰²⁷-01-01", "Das ist kein Tag im Kalender"),
    ],
)
def test_absurd_day_gets_an_error_at_its_field(office: FlaskClient, typed: str, words: str) -> None:
    template = make_template()
    answer = submit(office, f"{LIST}neu", {"template_id": str(template), "first_day": typed})
    if typed.endswith("\x00"):
        # The invisible sign is removed, as from every text.
        assert answer.status_code == 303
        return
    assert answer.status_code == 422
    assert words in answer.get_data(as_text=True)
    assert db.session.scalars(select(Event)).all() == []


def test_foreign_or_hostile_format_is_refused_at_its_field(office: FlaskClient) -> None:
    make_template()
    for value in ("999", "²", "x", "9" * 5000, "1\x00", "-1"):
        answer = submit(office, f"{LIST}neu", {"template_id": value, "first_day": SOON.isoformat()})
        assert answer.status_code == 422, value
        assert "Bitte wählen Sie einen Eintrag" in answer.get_data(as_text=True)


def test_draft_is_deleted_with_its_button_and_a_published_event_has_none(
    office: FlaskClient,
) -> None:
    number = make(state=EventState.DRAFT)
    gone = submit(office, f"{LIST}{number}", button="Entwurf löschen")
    assert gone.headers["Location"].endswith(LIST)
    assert office.get(f"{LIST}{number}").status_code == 404
    published = make()
    assert "Entwurf löschen" not in office.get(f"{LIST}{published}").get_data(as_text=True)


def test_details_keep_what_was_typed_and_name_each_error(office: FlaskClient) -> None:
    number = make()
    url = f"{LIST}{number}/bearbeiten"
    answer = submit(office, url, {"title": "", "minimum": "99", "summary": "Bleibt <b>so</b>"})
    html = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "Bitte geben Sie einen Titel ein." in html
    assert "Bleibt &lt;b&gt;so&lt;/b&gt;" in html
    late = submit(office, url, {"closes_on": (SOON + timedelta(days=3)).isoformat()})
    assert late.status_code == 422
    assert "Anmeldeschluss liegt nach" in late.get_data(as_text=True)
    accepted = submit(office, url, {"title": "Neu 😀 \u202everkehrt"})
    assert accepted.status_code == 303
    assert stored(number).title == "Neu 😀 verkehrt"


def test_deadlines_survive_being_shown_and_saved_unchanged(office: FlaskClient) -> None:
    number = make()
    before = stored(number)
    instants = (before.closes_at, before.withdraw_until, before.needs_until)
    assert submit(office, f"{LIST}{number}/bearbeiten", {"title": "Anders"}).status_code == 303
    after = stored(number)
    assert (after.closes_at, after.withdraw_until, after.needs_until) == instants


def test_sessions_are_struck_added_and_checked_in_one_table(office: FlaskClient) -> None:
    number = make(state=EventState.DRAFT)
    url = f"{LIST}{number}/termine"
    day = SOON.isoformat()
    half = {"sessions-2-day": day, "sessions-2-begins": "17:00"}
    answer = submit(office, url, half)
    assert answer.status_code == 422
    assert "Bitte ausfüllen." in answer.get_data(as_text=True)
    wrong = submit(office, url, {**half, "sessions-2-ends": "16:00"})
    assert "endet, bevor er beginnt" in wrong.get_data(as_text=True)
    overlap = submit(
        office, url, {**half, "sessions-2-begins": "16:00", "sessions-2-ends": "18:00"}
    )
    assert "überschneiden sich" in overlap.get_data(as_text=True)
    done = submit(
        office,
        url,
        {**half, "sessions-2-ends": "18:30", "sessions-2-label": "Abend", "sessions-0-remove": "y"},
    )
    assert done.status_code == 303
    assert [row.label for row in stored(number).sessions] == ["Nachmittag", "Abend"]


@pytest.mark.parametrize(
    "extra",
    [
        {"sessions-²-day": "2027-01-01"},
        {"sessions-99999999999-day": "2027-01-01"},
        {"sessions--1-day": "x"},
        {"sessions-0": "x", "sessions": "y", "sessions-0-day-0": "z"},
        {f"sessions-{index}-day": "2027-01-01" for index in range(900)},
        {"place": "1-2-3"},
        {"place": "\x00"},
        {"sessions-0-begins": "25:99"},
        {"sessions-0-begins": ["09:00", "10:00"]},
    ],
)
def test_hostile_rows_never_break_the_page(
    office: FlaskClient, extra: dict[str, str | list[str]]
) -> None:
    number = make(state=EventState.DRAFT)
    url = f"{LIST}{number}/termine"
    html = office.get(url).get_data(as_text=True)
    token = html.split('name="csrf_token"')[1].split('value="')[1].split('"')[0]
    answer = office.post(url, data={"csrf_token": token, **extra})
    assert answer.status_code in {303, 422}


def test_conflict_names_the_other_event_at_the_field(office: FlaskClient) -> None:
    with transaction() as session:
        venue = make_venue(session)
        person = make_person(session, roles=(Role.TRAINER,)).id
        busy = make_event(session, first_day=SOON, days=1, venue=venue)
        busy.trainers.append(EventTrainer(person_id=person))
        free = make_event(session, first_day=SOON, days=1, state=EventState.DRAFT)
        place = f"{venue.id}-{venue.rooms[0].id}"
        numbers = busy.number, free.number
    room = submit(office, f"{LIST}{numbers[1]}/termine", {"place": place})
    assert room.status_code == 409
    assert f"schon belegt durch {numbers[0]}." in room.get_data(as_text=True)
    trainer = submit(office, f"{LIST}{numbers[1]}/leitung", {"trainers": [str(person)]})
    assert trainer.status_code == 409
    assert f"schon belegt durch {numbers[0]}." in trainer.get_data(as_text=True)


def test_move_shows_whom_it_concerns_before_anything_happens(office: FlaskClient) -> None:
    number = make()
    put_on(number, family_name="Öztürk-Lindner")
    later = SOON + timedelta(days=7)
    days = {"sessions-0-day": later.isoformat(), "sessions-1-day": later.isoformat()}
    url = f"{LIST}{number}/verlegen"
    preview = submit(office, url, days, button="Vorschau zeigen")
    html = preview.get_data(as_text=True)
    assert preview.status_code == 200
    assert "Öztürk-Lindner" in html
    assert stored(number).first_day == SOON
    mails = len(db.session.scalars(select(OutgoingMail)).all())
    for _ in range(2):
        done = send(office, url, html, button="Verbindlich verlegen")
        assert done.status_code == 303
    assert stored(number).first_day == later
    assert len(db.session.scalars(select(OutgoingMail)).all()) == mails + 1
    assert "1 Person bekommt eine Mail." in office.get(f"{LIST}{number}").get_data(as_text=True)


def test_move_that_changes_nothing_gets_no_preview(office: FlaskClient) -> None:
    answer = submit(office, f"{LIST}{make()}/verlegen", {})
    assert answer.status_code >= 400
    assert "noch die alten" in answer.get_data(as_text=True)


def test_choice_of_a_replacement_names_its_days(office: FlaskClient) -> None:
    number, other = make(), make(first_day=SOON + timedelta(days=20))
    html = office.get(f"{LIST}{number}/absagen").get_data(as_text=True)
    event = stored(other)
    assert f"{day_span(event.first_day, event.last_day)} · {other} · " in html


def test_office_starts_with_its_day_and_others_with_the_list(
    browser: Callable[[Role], FlaskClient],
) -> None:
    assert browser(Role.COORDINATOR).get("/").location == "/koordination/"
    assert browser(Role.TRAINER).get("/").status_code == 200


@pytest.mark.parametrize("url", ["/koordination/formate/", "/koordination/orte/neu"])
def test_formats_and_venues_belong_to_the_events(office: FlaskClient, url: str) -> None:
    html = office.get(url).get_data(as_text=True)
    assert f'<a href="{LIST}" aria-current="page">' in html


def test_preview_of_a_move_shows_the_real_refusal_and_changes_nothing(office: FlaskClient) -> None:
    number = make()
    past = {"sessions-0-day": "2020-01-01", "sessions-1-day": "2020-01-01"}
    answer = submit(office, f"{LIST}{number}/verlegen", past)
    assert answer.status_code >= 400
    assert "liegt in der Vergangenheit" in answer.get_data(as_text=True)
    assert stored(number).first_day == SOON


def test_cancelling_asks_for_a_reason_then_previews_then_acts(office: FlaskClient) -> None:
    number, other = make(), make(first_day=SOON + timedelta(days=20))
    put_on(number, family_name="Kałuża")
    url = f"{LIST}{number}/absagen"
    assert submit(office, url, {"reason": " "}).status_code == 422
    replacement = str(stored(other).id)
    typed = {"reason": "Leitung erkrankt <script>", "replaced_by": replacement}
    preview = submit(office, url, typed)
    html = preview.get_data(as_text=True)
    assert "Leitung erkrankt &lt;script&gt;" in html
    assert "Kałuża" in html
    assert stored(number).state is EventState.PUBLISHED
    for _ in range(2):  # pressed twice: one cancellation, the same answer
        assert send(office, url, html, button="Verbindlich absagen").status_code == 303
    event = stored(number)
    assert event.state is EventState.CANCELLED
    assert event.replaced_by_id == int(replacement)
    assert office.get(url).status_code == 409


def test_places_and_contingents_of_a_published_event(office: FlaskClient) -> None:
    number = make()
    with transaction() as session:
        organisation = make_organisation(session, "Kreis Unna").id
    url = f"{LIST}{number}/plaetze"
    assert submit(office, url, {"capacity": "14"}, button="Speichern").status_code == 303
    assert stored(number).pool.capacity == 14
    until = (SOON - timedelta(days=10)).isoformat()
    held = {"organisation_id": str(organisation), "places": "3", "until": until}
    assert submit(office, url, held, button="Plätze vorhalten").status_code == 303
    assert "Kreis Unna" in office.get(url).get_data(as_text=True)
    late = {**held, "until": (SOON + timedelta(days=10)).isoformat()}
    refused = submit(office, url, late, button="Plätze vorhalten")
    assert refused.status_code >= 400
    assert "Bitte wählen Sie einen Tag zwischen" in refused.get_data(as_text=True)
    assert submit(office, url, button="Aufheben").status_code == 303
    assert db.session.scalars(select(Contingent)).all() == []


def test_deleting_a_draft_twice_answers_the_same(office: FlaskClient) -> None:
    url = f"{LIST}{make(state=EventState.DRAFT)}"
    html = office.get(url).get_data(as_text=True)
    answers = [send(office, url, html, button="Entwurf löschen") for _ in range(2)]
    assert [(one.status_code, one.location) for one in answers] == [(303, LIST)] * 2


def test_contingent_of_another_event_is_not_found(office: FlaskClient) -> None:
    number, other = make(), make(first_day=SOON + timedelta(days=9))
    pool_id = stored(other).pool_id
    with transaction() as session:
        organisation = make_organisation(session)
        row = Contingent(
            pool_id=pool_id,
            organisation_id=organisation.id,
            places=1,
            until=utc_now() + timedelta(days=3),
        )
        session.add(row)
        session.flush()
        foreign = row.id
    html = office.get(f"{LIST}{number}/plaetze").get_data(as_text=True)
    token = {"csrf_token": html.split('csrf_token" type="hidden" value="')[1].split('"')[0]}
    url = f"{LIST}{number}/kontingente/{foreign}/aufheben"
    assert office.post(url, data=token).status_code == 404


def test_copy_makes_a_draft_on_other_days(office: FlaskClient) -> None:
    number = make()
    day = SOON + timedelta(days=30)
    answer = submit(office, f"{LIST}{number}/kopieren", {"first_day": day.isoformat()})
    copied = stored(answer.headers["Location"].rsplit("/", 1)[1])
    assert (copied.state, copied.first_day) == (EventState.DRAFT, day)
    same_day = submit(office, f"{LIST}{number}/kopieren", {"first_day": SOON.isoformat()})
    assert same_day.status_code == 409


def test_hosts_and_invitations_are_chosen(office: FlaskClient) -> None:
    number = make(visibility=Visibility.INVITATION)
    with transaction() as session:
        host = make_organisation(session, "Kreis Wesel").id
        make_person(session, email="gast@stadt.example")
    page = f"{LIST}{number}"
    assert submit(office, f"{page}/organisationen", {"hosts": [str(host)]}).status_code == 303
    wrong = submit(office, f"{page}/einladungen", {"emails": "gast@stadt.example\nkein ort"})
    assert wrong.status_code == 422
    assert "„kein ort“ ist keine E-Mail-Adresse" in wrong.get_data(as_text=True)
    unknown = submit(office, f"{page}/einladungen", {"emails": "wer@stadt.example"})
    assert "Diese Adressen kennen wir nicht" in unknown.get_data(as_text=True)
    good = submit(office, f"{page}/einladungen", {"emails": " Gast@Stadt.example \n\n"})
    assert good.status_code == 303
    event = stored(number)
    assert [row.organisation_id for row in event.hosts] == [host]
    assert [row.person.email for row in event.invitations] == ["gast@stadt.example"]


def test_page_lists_who_comes_by_name_and_who_waits_by_request(office: FlaskClient) -> None:
    number = make(capacity=2, minimum=1)
    for family_name in ("Zeller", "Öztürk", "Warm", "Abel"):
        put_on(number, family_name=family_name)
    html = office.get(f"{LIST}{number}").get_data(as_text=True)
    places = [html.index(f"{name}, Erika") for name in ("Öztürk", "Zeller", "Warm", "Abel")]
    assert places == sorted(places)


def test_day_shows_decisions_open_items_and_settles_needs(office: FlaskClient) -> None:
    number = make(minimum=2)
    person = put_on(number, family_name="Bedarf")
    with transaction() as session:
        registration = session.scalars(
            select(Registration).where(Registration.person_id == person)
        ).one()
        session.add(
            Need(registration_id=registration.id, kind=NeedKind.SIGN_LANGUAGE, note="Vorn <i>")
        )
    html = office.get("/koordination/").get_data(as_text=True)
    assert "1 fehlt zur Mindestzahl" in html
    assert "Leitung fehlt" in html
    assert "Vorn &lt;i&gt;" in html
    assert submit(office, "/koordination/", button="Erledigt").status_code == 303
    assert "Zurzeit ist nichts zu klären." in office.get("/koordination/").get_data(as_text=True)


def test_day_says_what_became_of_a_decision_that_was_due(office: FlaskClient) -> None:
    tomorrow = berlin_day(utc_now()) + timedelta(days=1)
    enough, few = make(first_day=tomorrow, minimum=1), make(first_day=tomorrow, minimum=2)
    for number in (enough, few):
        put_on(number, family_name="Da")
    with transaction() as session:
        for event in session.scalars(select(Event)):
            event.closes_at = utc_now() - timedelta(days=2)
    html = office.get("/koordination/").get_data(as_text=True)
    assert html.count("Findet statt</b> Mindestzahl erreicht") == 1
    assert html.count("Mindestzahl verfehlt</b> Frist war") == 1


def test_past_event_is_closed_with_a_button(office: FlaskClient) -> None:
    number = make(first_day=date(2026, 1, 5))
    assert "Abschließen" in office.get("/koordination/").get_data(as_text=True)
    assert submit(office, f"{LIST}{number}", button="Abschließen").status_code == 303
    assert stored(number).state is EventState.HELD


def test_page_of_a_held_event_leads_to_attendance_papers_and_certificates(
    office: FlaskClient,
) -> None:
    number = make(first_day=date(2026, 1, 5), state=EventState.HELD)
    html = office.get(f"{LIST}{number}").get_data(as_text=True)
    for page in ("", "/papiere", "/bescheinigungen"):
        assert f'href="/einlass/{number}{page}"' in html


def test_list_is_filtered_and_senseless_filters_are_ignored(office: FlaskClient) -> None:
    published, draft = make(title="Sichtbar"), make(title="Unfertig", state=EventState.DRAFT)
    drafts = office.get(f"{LIST}?stand=draft&art=training&jahr={SOON.year}").get_data(as_text=True)
    assert draft in drafts
    assert published not in drafts
    for query in (
        "stand=%00",
        "jahr=²",
        "jahr=0001",
        "seite=-1",
        "seite=²",
        "seite=99999",
        "art=x",
    ):
        assert office.get(f"{LIST}?{query}").status_code == 200, query


@pytest.mark.parametrize("role", [Role.PARTICIPANT, Role.CONTACT, Role.TRAINER])
def test_others_get_nowhere_in_the_office(
    browser: Callable[[Role], FlaskClient], role: Role
) -> None:
    number = make()
    client = browser(role)
    for url in ("/koordination/", LIST, f"{LIST}{number}", f"{LIST}{number}/absagen"):
        assert client.get(url).status_code == 403
    assert client.post(f"{LIST}{number}/veroeffentlichen").status_code == 403


def test_visitor_is_sent_to_the_login(client: FlaskClient) -> None:
    number = make()
    answer = client.get(f"{LIST}{number}")
    assert answer.status_code == 302
    assert "/konto/anmelden" in answer.headers["Location"]


def test_button_with_a_stale_token_asks_again_and_does_nothing(office: FlaskClient) -> None:
    number = make(state=EventState.DRAFT)
    answer = office.post(f"{LIST}{number}/loeschen", data={"csrf_token": "alt"})
    assert answer.status_code == 303
    html = office.get(f"{LIST}{number}").get_data(as_text=True)
    assert "Die Seite war zu lange offen." in html


def test_form_with_a_stale_token_keeps_what_was_typed(office: FlaskClient) -> None:
    number = make()
    html = office.get(f"{LIST}{number}/bearbeiten").get_data(as_text=True)
    url = f"{LIST}{number}/bearbeiten"
    answer = send(office, url, html, {"title": "Getippt", "csrf_token": "alt"})
    assert answer.status_code == 422
    assert 'value="Getippt"' in answer.get_data(as_text=True)


def test_megabyte_is_refused_with_its_own_page(office: FlaskClient) -> None:
    number = make()
    answer = office.post(f"{LIST}{number}/bearbeiten", data={"summary": "x" * 1_000_001})
    assert answer.status_code == 413


def test_two_roles_do_not_mix_up_their_forms(
    browser: Callable[[Role], FlaskClient],
) -> None:
    number = make(state=EventState.DRAFT)
    first, second = browser(Role.COORDINATOR), browser(Role.ADMIN)
    assert submit(first, f"{LIST}{number}/bearbeiten", {"title": "A"}).status_code == 303
    assert submit(second, f"{LIST}{number}/bearbeiten", {"title": "B"}).status_code == 303
    assert stored(number).title == "B"


def test_who_came_without_a_registration_stands_among_those_who_come(office: FlaskClient) -> None:
    number = make()
    with transaction() as session:
        event = session.scalars(select(Event).filter_by(number=number)).one()
        came = make_person(session, family_name="Strößner")
        make_registration(session, event, came, state=RegistrationState.WALK_IN)
        gone = make_person(session, family_name="Hülsmann")
        make_registration(session, event, gone, state=RegistrationState.WITHDRAWN)
    page = office.get(f"{LIST}{number}").get_data(as_text=True)
    coming, _, no_more = page.partition("Nicht mehr dabei")
    assert "Strößner" in coming
    assert "Ohne Anmeldung dabei" in coming
    assert "Strößner" not in no_more
    assert "Hülsmann" in no_more
