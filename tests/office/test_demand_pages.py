"""The office's pages of demand: who wants what, courses asked for, extra dates."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from tests.browser_forms import send, submit
from tests.conftest import NOW
from tests.factories import actor_for, make_event, make_organisation, make_person, make_venue
from tests.registered import make_registration
from tests.registrations.demand import (
    fill_up,
    mails_to,
    make_dates,
    make_template,
    states_of,
)
from tests.statements import counted_statements
from trainings.core.actors import SYSTEM, VISITOR
from trainings.core.clock import utc_now
from trainings.core.database import db, transaction
from trainings.core.errors import DomainError
from trainings.events.models import Admission, Event, EventState, ExtraDate, Visibility
from trainings.office.demand_queries import demand
from trainings.organisations.models import Level, OrganisationKind
from trainings.organisations.regions import NO_REGION
from trainings.registrations.course_operations import decline_course, plan_course
from trainings.registrations.demand_operations import express_wish
from trainings.registrations.models import (
    CourseRequest,
    CourseRequestState,
    Registration,
    RegistrationState,
)
from trainings.registrations.queries import visible_to

pytestmark = pytest.mark.both_databases
State = RegistrationState
SOON = date.today() + timedelta(days=40)  # noqa: DTZ011 - the pages ask the clock as well
URL = "/koordination/bedarf/"


def text_of(response: TestResponse) -> str:
    return response.get_data(as_text=True)


# Counting


def test_nobody_is_counted_twice(app: Flask) -> None:
    with transaction() as session:
        group = make_organisation(session, "Region Nord", level=Level.GROUP)
        make_organisation(session, "Stadt Marl")
        authority = make_organisation(
            session, "Jobcenter Marl", parent=group, kind=OrganisationKind.JOBCENTER
        )
        unit = make_organisation(session, "Amt 3", parent=authority, level=Level.UNIT)
        alone = make_organisation(session, "Zoll", kind=OrganisationKind.CUSTOMS)
        one, other = make_template(session, "Eins"), make_template(session, "Zwei")
        dates = make_dates(session, one, 3, first_day=SOON)
        eager = make_person(session, unit)
        for event in dates[:2]:
            make_registration(session, event, eager, state=State.WAITING)
        make_registration(session, dates[0], make_person(session, alone), state=State.WAITING)
        for state in (State.PLACED, State.WITHDRAWN):
            make_registration(session, dates[2], make_person(session, alone), state=state)
        for template in (one, other):
            express_wish(
                session, actor_for(eager), template.id, event_ids=[], next_free=True, now=NOW
            )
        one_id, other_id = one.id, other.id
    found = demand(db.session(), 0, utc_now())
    assert found.people == 2
    assert [(row.title, row.people, row.any_date, row.dates) for row in found.formats] == [
        ("Eins", 2, 1, 3),
        ("Zwei", 1, 1, 0),
    ]
    assert [(row.name, row.people, row.authorities) for row in found.regions] == [
        ("Marl", 1, [("Jobcenter Marl", 1)]),
        (NO_REGION, 1, [("Zoll", 1)]),
    ]
    only = demand(db.session(), other_id, utc_now())
    assert only.chosen is not None
    assert [row.name for row in only.regions] == ["Marl"]
    assert demand(db.session(), one_id + 99, utc_now()).chosen is None


def test_events_that_have_begun_or_are_off_and_ended_wishes_count_no_more(app: Flask) -> None:
    with transaction() as session:
        template = make_template(session)
        past, off = make_dates(session, template, 2, first_day=SOON - timedelta(days=90))
        off.state = EventState.CANCELLED
        off.first_day = off.last_day = SOON
        for event in (past, off):
            make_registration(session, event, make_person(session), state=State.WAITING)
        alone = make_event(session, first_day=SOON)
        make_registration(session, alone, make_person(session), state=State.WAITING)
    found = demand(db.session(), 0, utc_now())
    assert [(row.title, row.people) for row in found.formats] == [("Ohne Format", 1)]


def test_the_page_shows_the_demand_and_can_be_limited_to_a_format(office: FlaskClient) -> None:
    assert "Zurzeit kein Bedarf" in text_of(office.get(URL))
    with transaction() as session:
        template = make_template(session, "Format <i>A</i>")
        (event,) = make_dates(session, template, 1, first_day=SOON)
        make_registration(session, event, make_person(session), state=State.WAITING)
        template_id = template.id
    html = text_of(office.get(URL))
    assert "Format &lt;i&gt;A" in html
    assert "1 Person wartet oder wünscht" in html
    assert "Alle Formate" in text_of(office.get(f"{URL}?format={template_id}"))
    for nonsense in ("x", "-1", "9" * 30, "²", "\x00"):
        assert office.get(URL, query_string={"format": nonsense}).status_code == 200
    assert URL in text_of(office.get("/koordination/veranstaltungen/"))


def test_a_unit_counts_where_it_sits_itself(app: Flask) -> None:
    with transaction() as session:
        make_organisation(session, "Stadt Dortmund")
        authority = make_organisation(
            session, "Bundespolizeidirektion Sankt Augustin", kind=OrganisationKind.FEDERAL_POLICE
        )
        units = [
            make_organisation(
                session, name, parent=authority, level=Level.UNIT,
                kind=OrganisationKind.FEDERAL_POLICE,
            )
            for name in ("Bundespolizeiinspektion Dortmund", "Stab")
        ]  # fmt: skip
        (event,) = make_dates(session, make_template(session), 1, first_day=SOON)
        for unit in units:
            make_registration(session, event, make_person(session, unit), state=State.WAITING)
    assert [(row.name, row.people) for row in demand(db.session(), 0, utc_now()).regions] == [
        ("Dortmund", 1),
        ("Sankt Augustin", 1),
    ]


def test_the_page_leads_to_the_waiting_lists_and_to_extra_dates(office: FlaskClient) -> None:
    with transaction() as session:
        template = make_template(session)
        full, asked, quiet = make_dates(session, template, 3, first_day=SOON)
        alone = make_event(session, first_day=SOON)
        make_registration(session, full, make_person(session), state=State.WAITING)
        for event in (full, asked):
            make_registration(session, event, make_person(session), state=State.AWAITING_RELEASE)
        make_registration(session, quiet, make_person(session))
        make_registration(session, alone, make_person(session), state=State.WAITING)
        numbers = [event.number for event in (full, asked, quiet, alone)]
    html = text_of(office.get(URL))
    queues = [f'href="/koordination/veranstaltungen/{number}/warteliste"' for number in numbers]
    extra = [f'href="/koordination/veranstaltungen/{number}/zusatztermin"' for number in numbers]
    assert [text in html for text in queues] == [True, True, False, True]
    # Only those who wait are taken along, and only to another date of the same format.
    assert [text in html for text in extra] == [True, False, False, False]
    assert html.count("2 Personen warten") == 1
    assert html.count("1 Person wartet<") == 2


# Courses


class Request:
    """An organisation's open request for a course."""

    def __init__(self) -> None:
        with transaction() as session:
            organisation = make_organisation(session, "Stadt Herne")
            person = make_person(session, organisation)
            template = make_template(session, "Umgang mit Konflikten")
            row = CourseRequest(
                organisation=organisation,
                template=template,
                person=person,
                participants=14,
                period="im <b>Herbst</b>",
                created_at=NOW,
            )
            session.add(row)
            session.flush()
            self.id, self.person_id, self.organisation_id = row.id, person.id, organisation.id
        self.url = f"/koordination/bedarf/anfragen/{self.id}"

    def stored(self) -> CourseRequest:
        db.session.remove()
        return db.session.get_one(CourseRequest, self.id)


def test_planning_makes_a_draft_for_the_organisation_and_tells_who_asked(
    office: FlaskClient,
) -> None:
    request = Request()
    html = text_of(office.get(URL))
    assert "1 offene Anfrage" in html
    assert "im &lt;b&gt;Herbst" in html
    answer = submit(office, f"{request.url}/planen", {"first_day": f"{SOON:%d.%m.%Y}"})
    assert answer.status_code == 303
    event = db.session.scalars(select(Event)).one()
    assert answer.location.endswith(event.number)
    assert (event.state, event.visibility) == (EventState.DRAFT, Visibility.IN_HOUSE)
    assert [host.organisation_id for host in event.hosts] == [request.organisation_id]
    stored = request.stored()
    assert (stored.state, stored.event_id) == (CourseRequestState.PLANNED, event.id)
    ((kind, mail),) = mails_to(request.person_id)
    assert kind == "course_planned"
    assert f"{SOON:%d.%m.%Y}" in mail.paragraphs[0]
    assert "offene Anfrage" not in text_of(office.get(URL))


def test_only_the_people_of_the_organisation_see_the_course(office: FlaskClient) -> None:
    request = Request()
    submit(office, f"{request.url}/planen", {"first_day": f"{SOON:%d.%m.%Y}"})
    with transaction() as session:
        session.scalars(select(Event)).one().state = EventState.PUBLISHED
        stranger = actor_for(make_person(session, make_organisation(session, "Zoll")))
        person = session.get_one(CourseRequest, request.id).person
        own = actor_for(person)
    seen = [db.session.scalar(select(Event.id).where(visible_to(actor))) is not None
            for actor in (own, stranger, VISITOR)]  # fmt: skip
    assert seen == [True, False, False]


def test_deleting_the_draft_opens_the_request_again(office: FlaskClient) -> None:
    request = Request()
    answer = submit(office, f"{request.url}/planen", {"first_day": f"{SOON:%d.%m.%Y}"})
    deleted = submit(office, answer.location, button="Entwurf löschen")
    assert deleted.status_code == 303
    assert db.session.scalars(select(Event)).all() == []
    stored = request.stored()
    assert (stored.state, stored.event_id) == (CourseRequestState.OPEN, None)


def test_declining_needs_a_reason_which_the_mail_carries(office: FlaskClient) -> None:
    request = Request()
    assert submit(office, f"{request.url}/ablehnen", {"reason": " "}).status_code == 422
    answer = submit(office, f"{request.url}/ablehnen", {"reason": "Keine Leitung frei"})
    assert answer.status_code == 303
    assert request.stored().state is CourseRequestState.DECLINED
    ((kind, mail),) = mails_to(request.person_id)
    assert kind == "course_declined"
    assert "Keine Leitung frei" in mail.paragraphs[1]
    assert "Keine Leitung frei" in text_of(office.get(URL))


def test_a_request_is_answered_once(office: FlaskClient) -> None:
    request = Request()
    submit(office, f"{request.url}/ablehnen", {"reason": "Keine Leitung frei"})
    answer = submit(office, f"{request.url}/planen", {"first_day": f"{SOON:%d.%m.%Y}"})
    assert answer.status_code == 409
    assert "schon beantwortet" in text_of(answer)
    assert db.session.scalars(select(Event)).all() == []
    assert office.get("/koordination/bedarf/anfragen/99/planen").status_code == 404


def test_only_the_office_answers(app: Flask) -> None:
    request = Request()
    with transaction() as session:
        actor = actor_for(make_person(session))
    with pytest.raises(DomainError, match="not_found"), transaction() as session:
        plan_course(session, actor, request.id, SOON, NOW)
    with pytest.raises(DomainError, match="not_found"), transaction() as session:
        decline_course(session, actor, request.id, "Nein", NOW)
    with pytest.raises(DomainError, match="reason_missing"), transaction() as session:
        decline_course(session, SYSTEM, request.id, "  ", NOW)
    assert request.stored().state is CourseRequestState.OPEN


# Extra dates


def full_event() -> tuple[str, list[int]]:
    with transaction() as session:
        template = make_template(session)
        (event,) = make_dates(session, template, 1, first_day=SOON, venue=make_venue(session))
        fill_up(session, event)
        people = [make_person(session) for _ in range(2)]
        for person in people:
            make_registration(session, event, person, state=State.WAITING)
        return event.number, [person.id for person in people]


def test_an_extra_date_is_planned_from_the_waiting_list_and_takes_it_along(
    office: FlaskClient,
) -> None:
    number, people = full_event()
    url = f"/koordination/veranstaltungen/{number}/zusatztermin"
    assert url in text_of(office.get(f"/koordination/veranstaltungen/{number}"))
    day = SOON + timedelta(days=21)
    answer = submit(office, url, {"first_day": f"{day:%d.%m.%Y}"})
    assert answer.status_code == 303
    assert [states_of(person) for person in people] == [[State.WAITING]] * 2
    db.session.remove()
    with counted_statements() as statements:
        draft = text_of(office.get(answer.location))
    assert len([text for text in statements if not text.startswith("PRAGMA")]) <= 12
    assert "Zusatztermin: Die Warteliste kommt mit" in draft
    assert "kommen 2 Personen von der" in draft
    assert "die Plätze zuerst angeboten" in draft
    assert f"/koordination/veranstaltungen/{number}/warteliste" in draft
    published = submit(office, answer.location, button="Veröffentlichen")
    assert "2 Personen kommen von der Warteliste mit." in text_of(office.get(published.location))
    assert [states_of(person) for person in people] == [
        [State.WAITING, State.OFFERED],
        [State.WAITING, State.WAITING],
    ]
    history = text_of(office.get(f"/koordination/veranstaltungen/{number}"))
    assert "Zusatztermin angelegt" in history


def test_the_draft_of_an_extra_date_promises_no_offers_where_the_office_admits(
    office: FlaskClient,
) -> None:
    number, _ = full_event()
    with transaction() as session:
        session.scalars(select(Event)).one().admission = Admission.BY_OFFICE
    url = f"/koordination/veranstaltungen/{number}/zusatztermin"
    answer = submit(office, url, {"first_day": f"{SOON + timedelta(days=21):%d.%m.%Y}"})
    draft = text_of(office.get(answer.location))
    assert "entscheiden Sie nach Anmeldeschluss bei der Zulassung" in draft
    assert "zuerst angeboten" not in draft
    with transaction() as session:
        for row in session.scalars(select(Registration)):
            row.state = State.WITHDRAWN
    assert "steht zurzeit niemand mehr" in text_of(office.get(answer.location))


def test_pressing_twice_makes_one_draft(office: FlaskClient) -> None:
    number, _ = full_event()
    url = f"/koordination/veranstaltungen/{number}/zusatztermin"
    page = text_of(office.get(url))
    data = {"first_day": f"{SOON + timedelta(days=21):%d.%m.%Y}"}
    first, second = (send(office, url, page, data) for _ in range(2))
    assert first.location == second.location
    assert len(db.session.scalars(select(ExtraDate)).all()) == 1


@pytest.mark.parametrize("change", ["no format", "held", "nobody waits"])
def test_without_anybody_to_take_along_there_is_no_extra_date(
    office: FlaskClient, change: str
) -> None:
    number, _ = full_event()
    with transaction() as session:
        event = session.scalars(select(Event)).one()
        if change == "no format":
            event.template_id = None
        elif change == "held":
            event.state = EventState.HELD
        else:
            waiting = Registration.state == State.WAITING
            for row in session.scalars(select(Registration).where(waiting)):
                row.state = State.AWAITING_RELEASE
    assert "zusatztermin" not in text_of(office.get(f"/koordination/veranstaltungen/{number}"))
