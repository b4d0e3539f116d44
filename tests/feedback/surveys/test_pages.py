"""The pages of surveys: who sees what, what is chosen there, slips, and what they cost."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from tests.browser_forms import forms_of, send, submit
from tests.factories import log_in, make_event, make_person
from tests.feedback.factories import (
    answer,
    make_attended,
    make_closed_survey,
    make_open_survey,
    make_version,
)
from tests.pdfs import codes_in
from tests.statements import counted_statements
from trainings.core.clock import berlin_day, utc_now
from trainings.core.database import db, transaction
from trainings.core.permissions import Role
from trainings.core.tokens import digest
from trainings.events.models import Event, EventTrainer
from trainings.feedback.models import (
    Channel,
    FeedbackRight,
    Questionnaire,
    QuestionnaireUse,
    Survey,
    SurveyKind,
    SurveyState,
)
from trainings.feedback.surveys.settling import settle_answers

pytestmark = pytest.mark.both_databases

LIST = "/rueckmeldungen/veranstaltungen/"
MOST = 12
DAY = timedelta(days=1)
HOSTILE = '<script>alert(1)</script> & "Über" ' + "Lang" * 20


class Course:
    """A training that ended yesterday, and who works with it."""

    def __init__(self, *, ended: int = 1, people: int = 6, title: str = "Konflikte") -> None:
        with transaction() as session:
            make_version(session)
            make_version(session, use=QuestionnaireUse.FOLLOW_UP, title="Nachbefragung")
            first = today() - timedelta(days=ended + 1)
            event = make_attended(session, people, first_day=first, title=title)
            self.id, self.number = event.id, event.number
            self.trainer = make_person(session, roles=(Role.TRAINER,)).id
            self.foreign = make_person(session, roles=(Role.TRAINER,)).id
            self.office = make_person(session, roles=(Role.COORDINATOR,)).id
            session.add(EventTrainer(event_id=event.id, person_id=self.trainer))

    @property
    def url(self) -> str:
        return f"{LIST}{self.number}"

    def open(self, *, rights: int = 6, channel: Channel = Channel.MAIL) -> list[str]:
        with transaction() as session:
            event = session.get_one(Event, self.id)
            version = make_version(session)
            _, codes = make_open_survey(
                session, event, version, utc_now(), rights=rights, channel=channel
            )
            return codes

    def close(self, **values: object) -> None:
        with transaction() as session:
            event = session.get_one(Event, self.id)
            make_closed_survey(
                session, event, make_version(session), {}, answered=7, closes_on=today() - DAY,
                **values,  # type: ignore[arg-type]
            )  # fmt: skip

    def survey(self, kind: SurveyKind = SurveyKind.AFTER) -> Survey | None:
        db.session.expire_all()
        return db.session.scalar(
            select(Survey).where(Survey.event_id == self.id, Survey.kind == kind)
        )


def today() -> date:
    return berlin_day(utc_now())


def text(client: FlaskClient, url: str, status: int = 200) -> str:
    page = client.get(url)
    assert page.status_code == status
    return page.get_data(as_text=True)


def words_of(html: str) -> str:
    main = html[html.index("<main") : html.index("</main")]
    return " ".join(re.sub(r"<[^>]+>", " ", main).replace("\xa0", " ").split())


def rights() -> int:
    db.session.expire_all()
    return db.session.scalar(select(func.count()).select_from(FeedbackRight)) or 0


def test_a_trainer_sees_own_events_and_the_office_all(app: Flask, client: FlaskClient) -> None:
    course = Course(title="Eigenes")
    with transaction() as session:
        make_event(session, first_day=today() + 9 * DAY, title="Fremdes")
    log_in(client, course.trainer)
    page = text(client, LIST)
    assert "Eigenes" in page
    assert "Fremdes" not in page
    text(client, course.url)
    log_in(client, course.foreign)
    assert "Noch keine Veranstaltung" in text(client, LIST)
    text(client, course.url, 404)
    log_in(client, course.office)
    page = text(client, LIST)
    assert page.index("Fremdes") < page.index("Eigenes")


@pytest.mark.parametrize("role", [Role.PARTICIPANT, Role.CONTACT])
def test_contacts_and_participants_see_nothing(app: Flask, client: FlaskClient, role: Role) -> None:
    course = Course()
    with transaction() as session:
        person = make_person(session, roles=(role,)).id
    log_in(client, person)
    text(client, LIST, 403)
    text(client, course.url, 403)


def test_a_foreign_trainer_changes_nothing(app: Flask, client: FlaskClient) -> None:
    course = Course()
    course.open(rights=1, channel=Channel.SLIPS)
    log_in(client, course.trainer)
    page = text(client, course.url)
    log_in(client, course.foreign)
    for path in ("/zettel", "/zettel/neu", "/danach", "/nachbefragung"):
        data = forms_of(page)[0].fields | {"after-way": "omit", "follow_up-way": "omit"}
        assert client.post(course.url + path, data=data).status_code in {404, 422}
    assert rights() == 1


def test_nobody_sees_how_many_answered_while_it_runs(app: Flask, client: FlaskClient) -> None:
    course = Course()
    codes = course.open(rights=9, channel=Channel.SLIPS)
    with transaction() as session:
        answer(session, codes[:7], utc_now())
    settle_answers(utc_now())
    for person in (course.trainer, course.office):
        log_in(client, person)
        for url in (LIST, course.url):
            words = words_of(text(client, url))
            assert "9 Personen" in words
            assert "7" not in re.findall(r"(?<![\d.-])\d+(?![\d.-])", words)
        assert "Ergebnis ansehen" not in words


def test_the_result_of_a_closed_survey_is_for_its_trainers(app: Flask, client: FlaskClient) -> None:
    course = Course()
    course.close()
    log_in(client, course.trainer)
    assert f'href="{course.url}/ergebnis"' in text(client, course.url)
    log_in(client, course.office)
    page = text(client, course.url)
    assert "/ergebnis" not in page
    assert "lesen ihre Trainerinnen und Trainer" in page


def test_each_survey_leads_to_its_own_result(app: Flask, client: FlaskClient) -> None:
    course = Course(ended=150)
    course.close()
    course.close(kind=SurveyKind.FOLLOW_UP)
    log_in(client, course.trainer)
    page = text(client, course.url)
    assert f'href="{course.url}/ergebnis"' in page
    later = f"{course.url}/ergebnis?art=nachbefragung"
    assert f'href="{later}"' in page
    tab = text(client, later).split('aria-current="page"')[-1]
    assert "Nachbefragung" in tab[:60]


def test_a_setting_lets_the_office_see_it(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    course = Course()
    course.close()
    log_in(client, course.office)
    settings = replace(app.extensions["settings"], feedback_office_sees_events=True)
    monkeypatch.setitem(app.extensions, "settings", settings)
    assert f'href="{course.url}/ergebnis"' in text(client, course.url)


def test_nobody_is_promised_a_mail_without_a_questionnaire_in_use(
    app: Flask, client: FlaskClient
) -> None:
    course = Course()
    log_in(client, course.office)
    assert words_of(text(client, course.url)).count("bekommen alle, die da waren, eine Mail") == 2
    with transaction() as session:
        session.execute(update(Questionnaire).values(retired_at=utc_now()))
    page = words_of(text(client, course.url))
    assert "bekommen alle" not in page
    assert page.count("Dafür ist kein Fragebogen in Gebrauch.") == 2


def test_what_is_chosen_is_kept(app: Flask, client: FlaskClient) -> None:
    course = Course(ended=-3)
    log_in(client, course.trainer)
    answered = submit(client, course.url, {"after-way": "slips"})
    assert answered.status_code == 303
    survey = course.survey()
    assert survey is not None
    assert (survey.state, survey.channel) == (SurveyState.PLANNED, Channel.SLIPS)
    page = text(client, course.url)
    assert "mit Zetteln vor Ort" in page
    assert "Zettel drucken" not in page
    submit(client, course.url, {"follow_up-way": "omit"})
    later = course.survey(SurveyKind.FOLLOW_UP)
    assert later is not None
    assert later.state is SurveyState.OMITTED
    # Two forms on one page: no id stands there twice.
    ids = re.findall(r'id="([^"]+)"', text(client, course.url))
    doubled = {each for each in ids if ids.count(each) > 1}
    assert doubled <= {"csrf_token", "form_key"}


@pytest.mark.parametrize("way", ["", "post", "SLIPS", "1", "mail\x00"])
def test_what_was_not_offered_is_refused(app: Flask, client: FlaskClient, way: str) -> None:
    course = Course(ended=-3)
    log_in(client, course.trainer)
    refused = submit(client, course.url, {"after-way": way})
    assert refused.status_code == 422
    assert "Bitte wählen Sie, wie gefragt wird." in refused.get_data(as_text=True)
    assert course.survey() is None


def test_slips_are_the_answer_itself_and_are_kept_nowhere(app: Flask, client: FlaskClient) -> None:
    course = Course()
    log_in(client, course.trainer)
    submit(client, course.url, {"after-way": "slips"})
    page = text(client, course.url)
    printed = send(client, course.url, page, button="Zettel drucken")
    assert printed.content_type == "application/pdf"
    assert printed.headers["Cache-Control"] == "no-store"
    assert printed.headers["Content-Disposition"].startswith("attachment")
    codes = [found.rpartition("/")[2] for found in codes_in(printed.data)]
    stored = set(db.session.scalars(select(FeedbackRight.token_hash)))
    assert {digest(code) for code in codes} == stored
    assert len(stored) == 6
    again = send(client, course.url, page, button="Zettel drucken")
    assert again.status_code == 303
    assert "Es fehlt kein Zettel" in text(client, course.url)
    assert rights() == 6


def test_printing_anew_is_asked_once_and_voids_the_old_ones(
    app: Flask, client: FlaskClient
) -> None:
    course = Course()
    log_in(client, course.trainer)
    submit(client, course.url, {"after-way": "slips"})
    assert client.get(f"{course.url}/zettel/neu").status_code == 303
    first = send(client, course.url, text(client, course.url), button="Zettel drucken")
    page = text(client, f"{course.url}/zettel/neu")
    assert "gelten dann nicht mehr" in page
    second = send(client, f"{course.url}/zettel/neu", page, button="Neu drucken")
    assert (len(codes_in(second.data)), rights()) == (6, 6)
    assert not set(codes_in(first.data)) & set(codes_in(second.data))


def test_without_a_token_of_the_page_nothing_is_printed(app: Flask, client: FlaskClient) -> None:
    course = Course()
    course.open(rights=2, channel=Channel.SLIPS)
    log_in(client, course.trainer)
    for path in ("/zettel", "/zettel/neu"):
        refused = client.post(course.url + path, data={})
        assert refused.status_code in {303, 400}
    assert rights() == 2


def test_the_office_sets_the_last_day(app: Flask, client: FlaskClient) -> None:
    course = Course()
    course.open()
    log_in(client, course.trainer)
    assert "Letzten Tag speichern" not in text(client, course.url)
    assert client.post(f"{course.url}/danach/ende").status_code == 403
    log_in(client, course.office)
    day = today() + 30 * DAY
    assert submit(client, course.url, {"after-last_day": day.isoformat()}).status_code == 303
    survey = course.survey()
    assert survey is not None
    assert survey.closes_on == day


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "abc",
        "0",
        "-1",
        "1,5",
        "1e3",
        str(10**12),
        "２０２６-１２-０１",
        "31.02.2027",
        "2000-01-01",
        "2099-01-01",
    ],
)
def test_what_is_no_last_day_is_refused_in_place(
    app: Flask, client: FlaskClient, typed: str
) -> None:
    course = Course()
    course.open()
    before = course.survey()
    assert before is not None
    closes_on = before.closes_on
    log_in(client, course.office)
    refused = submit(client, course.url, {"after-last_day": typed})
    assert refused.status_code == 422
    assert "kern-error" in refused.get_data(as_text=True)
    after = course.survey()
    assert after is not None
    assert after.closes_on == closes_on


def test_addresses_of_forms_lead_back_to_the_page(app: Flask, client: FlaskClient) -> None:
    course = Course()
    log_in(client, course.office)
    for path in ("/danach", "/nachbefragung", "/danach/ende", "/nachbefragung/ende", "/zettel"):
        answered = client.get(course.url + path)
        assert (answered.status_code, answered.location) == (303, course.url)


@pytest.mark.parametrize(
    ("stand", "shown"),
    [
        ("running", {"Läuft"}),
        ("coming", {"Kommt"}),
        ("over", {"Vorbei"}),
        ("", {"Läuft", "Kommt", "Vorbei", "Alt"}),
        ("quatsch", {"Läuft", "Kommt", "Vorbei", "Alt"}),
    ],
)
def test_the_list_is_filtered_by_state(
    app: Flask, client: FlaskClient, stand: str, shown: set[str]
) -> None:
    office = Course(ended=400, title="Titel: Alt").office
    Course(title="Titel: Läuft").open()
    Course(ended=-9, title="Titel: Kommt")
    Course(title="Titel: Vorbei").close()
    log_in(client, office)
    page = text(client, f"{LIST}?stand={stand}")
    assert set(re.findall(r"Titel: (\w+)", page)) == shown


def test_a_filter_without_hits_says_so(app: Flask, client: FlaskClient) -> None:
    log_in(client, Course().office)
    assert "Alle zeigen" in text(client, f"{LIST}?stand=over")
    assert "Alle zeigen" in text(client, f"{LIST}?stand=over&seite=99999")


@pytest.mark.parametrize("page", ["0", "-1", "abc", "1,5", "1e3", str(10**12), "２"])
def test_pages_that_make_no_sense_are_the_first(app: Flask, client: FlaskClient, page: str) -> None:
    log_in(client, Course().office)
    assert "1 von 1 Veranstaltungen" in text(client, f"{LIST}?seite={page}")


def test_titles_are_text(app: Flask, client: FlaskClient) -> None:
    course = Course(title=HOSTILE)
    course.open(channel=Channel.SLIPS)
    log_in(client, course.trainer)
    for url in (LIST, course.url, f"{course.url}/zettel/neu"):
        page = text(client, url)
        assert "<script>alert" not in page
        assert "&lt;script&gt;" in page


def test_other_pages_lead_here(app: Flask, client: FlaskClient) -> None:
    course = Course()
    log_in(client, course.office)
    for url in (f"/koordination/veranstaltungen/{course.number}", f"/einlass/{course.number}"):
        assert f'href="{course.url}"' in text(client, url)


def rows(session: Session, number: int, trainer: int) -> None:
    for index in range(number):
        first = today() - timedelta(days=index + 2)
        event = make_attended(session, 2, first_day=first)
        session.add(EventTrainer(event_id=event.id, person_id=trainer))
        version = make_version(session, title=f"Bogen {index}")
        make_open_survey(session, event, version, utc_now())
        make_closed_survey(session, event, version, {}, answered=2, kind=SurveyKind.FOLLOW_UP)


def test_the_list_costs_the_same_with_one_and_with_thirty_rows(
    app: Flask, client: FlaskClient
) -> None:
    course = Course()
    for person in (course.trainer, course.office):
        log_in(client, person)
        with counted_statements() as one:
            text(client, LIST)
        with transaction() as session:
            rows(session, 30, course.trainer)
        with counted_statements() as many:
            text(client, LIST)
        assert len(one) == len(many) <= MOST


def test_the_page_of_an_event_stays_within_its_budget(app: Flask, client: FlaskClient) -> None:
    course = Course(people=30)
    for person in (course.trainer, course.office):
        log_in(client, person)
        for url in (course.url, f"{course.url}/zettel/neu"):
            with counted_statements() as statements:
                client.get(url)
            assert len(statements) <= MOST
    course.open(channel=Channel.SLIPS)
    with counted_statements() as statements:
        text(client, course.url)
    assert len(statements) <= MOST


def test_a_form_that_came_too_late_says_why(app: Flask, client: FlaskClient) -> None:
    course = Course()
    course.open()
    log_in(client, course.office)
    page = text(client, course.url)
    with transaction() as session:
        session.scalars(select(Survey)).one().closes_on = today() - DAY
    late = send(client, course.url, page, {"after-last_day": (today() + DAY).isoformat()})
    assert late.status_code == 409
    assert "läuft nicht wieder an" in late.get_data(as_text=True)
    fresh = Course(ended=-3)
    log_in(client, fresh.trainer)
    page = text(client, fresh.url)
    fresh.open()
    late = send(client, fresh.url, page, {"after-way": "omit"})
    assert late.status_code == 409
    assert "Der Stand dieser Rückmeldung ist „Läuft“" in late.get_data(as_text=True)
