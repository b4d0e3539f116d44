"""Questionnaires in the browser: the list, the editor, preview and release, what formats ask."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from flask import Flask, g
from flask.testing import FlaskClient
from sqlalchemy import select

from tests.browser_forms import find_form, forms_of, send, submit
from tests.factories import log_in, make_person
from tests.feedback.factories import SMALL, make_format, make_version
from tests.statements import counted_statements
from trainings.core.database import db, transaction
from trainings.core.permissions import Role
from trainings.events.models import EventTemplate
from trainings.feedback.content import (
    Content,
    Option,
    Question,
    QuestionKind,
    Section,
)
from trainings.feedback.models import (
    FeedbackPlan,
    Questionnaire,
    QuestionnaireVersion,
    VersionState,
)
from trainings.feedback.questionnaires.checks import MOST_OPTIONS, MOST_QUESTIONS
from trainings.feedback.questionnaires.standard import AGREEMENT

pytestmark = pytest.mark.both_databases
ALL = "/rueckmeldungen/fragebogen/"
LONG = "Gewaltpräventionskonzeptionsbeauftragtenfortbildungsrückmeldung-" + "Ä" * 20
HOSTILE = '<script>"#$[*_]x</script> ' + LONG


@dataclass
class Desk:
    """The office with a questionnaire of which a draft is open."""

    app: Flask
    client: FlaskClient
    id: int

    @property
    def page(self) -> str:
        return f"{ALL}{self.id}"

    @property
    def draft(self) -> str:
        return f"{self.page}/entwurf"

    def html(self, url: str, status: int = 200) -> str:
        answer = self.client.get(url)
        assert answer.status_code == status, (url, answer.status_code)
        return answer.get_data(as_text=True)

    def content(self, number: int = 2) -> Content:
        db.session.remove()
        stored = db.session.scalars(
            select(QuestionnaireVersion.content).where(
                QuestionnaireVersion.questionnaire_id == self.id,
                QuestionnaireVersion.number == number,
            )
        ).one()
        return Content.from_json(stored)

    def texts(self) -> list[list[str]]:
        return [[each.text for each in section.questions] for section in self.content().sections]

    def press(self, url: str, address: str, words: str = "Nach unten") -> str:
        """Press the button that posts to an address; return where it leads."""
        html = self.html(url)
        form = next(form for form in forms_of(html) if form.action.partition("?")[0] == address)
        assert words in html
        answer = self.client.post(form.action, data=form.fields)
        assert answer.status_code == 303
        return str(answer.headers["Location"])


@pytest.fixture
def desk(app: Flask) -> Desk:
    with transaction() as session:
        person = make_person(session, given_name="Wiebke", roles=(Role.COORDINATOR,)).id
        questionnaire = make_version(session).questionnaire_id
        row = session.get_one(Questionnaire, questionnaire)
        make_version(session, state=VersionState.DRAFT, questionnaire=row)
    made = Desk(app, app.test_client(), questionnaire)
    log_in(made.client, person)
    return made


def test_an_empty_installation_gets_the_standard_ones_by_one_button(app: Flask) -> None:
    with transaction() as session:
        person = make_person(session, roles=(Role.COORDINATOR,)).id
    client = app.test_client()
    log_in(client, person)
    page = client.get(ALL).get_data(as_text=True)
    assert "Noch kein Fragebogen" in page
    for _ in range(2):
        answer = send(client, ALL, page, button="Mitgelieferte Fragebogen anlegen")
        assert answer.status_code == 303
    page = client.get(ALL).get_data(as_text=True)
    assert page.count("Fassung 1") == 3
    assert "Nachbefragung zum Training" in page


def test_a_questionnaire_from_nothing_to_release(desk: Desk) -> None:
    typed = {"title": HOSTILE[:120], "use": "conference"}
    made = submit(desk.client, f"{ALL}neu", typed)
    assert made.status_code == 303
    draft = str(made.headers["Location"])
    desk.id = int(draft.split("/")[-2])
    assert "Noch kein Abschnitt" in desk.html(draft)
    html = desk.html(f"{draft}/freigeben")
    assert "noch keine Frage" in html
    with pytest.raises(AssertionError):
        find_form(html, {}, "Fassung 1 freigeben")
    submit(desk.client, f"{draft}/einleitung", {"text": "Hallo\r\n\r\nWelt"})
    assert submit(desk.client, f"{draft}/abschnitte/neu", {"title": HOSTILE}).status_code == 303
    add = f"{draft}/abschnitte/1/frage"
    assert "Skala mit fünf Stufen" in desk.html(add)
    for kind, fields in (
        ("scale", {"text": HOSTILE, "hint": "Ein Hinweis", "label_1": "nie"}),
        ("single", {"text": "Eine?", "options-0-label": "ja", "options-2-label": "nein"}),
        ("multiple", {"text": "Mehrere?", "options-0-label": "a", "options-1-label": "b"}),
        ("number", {"text": "Wie oft?", "least": "1", "most": "7", "required": "y"}),
        ("text", {"text": "Und sonst?"}),
    ):
        answer = submit(desk.client, f"{add}?art={kind}", fields)
        assert answer.status_code == 303, answer.get_data(as_text=True)
        anchor = str(answer.headers["Location"]).partition("#")[2]
        assert f'id="{anchor}"' in desk.html(draft)
    release = f"{draft}/freigeben"
    html = desk.html(release)
    assert "<p>Hallo</p><p>Welt</p>" in html
    assert "<script>&#34;" not in html
    assert "keine Angabe" in html
    released = send(desk.client, release, html)
    assert released.status_code == 303
    content = desk.content(1)
    scale, single, _, number, text = content.questions
    assert scale.labels == ("nie", *AGREEMENT[1:])
    assert [option.label for option in single.options] == ["ja", "nein"]
    assert (number.least, number.most, number.required) == (1, 7, True)
    assert text.kind is QuestionKind.TEXT
    # The same button once more finds the first result and releases nothing else.
    assert send(desk.client, release, html).headers["Location"] == released.headers["Location"]
    assert desk.client.get(draft).headers["Location"].partition("#")[0] == desk.page
    assert "Aktuell" in desk.html(desk.page)
    assert "Ein Hinweis" in desk.html(f"{desk.page}/fassungen/1")
    desk.html(f"{desk.page}/fassungen/2", 404)


def test_a_form_sent_twice_adds_one_question(desk: Desk) -> None:
    url = f"{desk.draft}/abschnitte/1/frage?art=text"
    html = desk.html(url)
    first = send(desk.client, url, html, {"text": "Neu?"})
    second = send(desk.client, url, html, {"text": "Neu?"})
    assert (first.status_code, second.status_code) == (303, 303)
    assert first.headers["Location"] == second.headers["Location"]
    assert desk.texts()[0].count("Neu?") == 1


def test_going_back_and_writing_something_else_is_refused_and_kept(desk: Desk) -> None:
    url = f"{desk.draft}/fragen/words"
    html = desk.html(url)
    assert send(desk.client, url, html, {"text": "Die erste"}).status_code == 303
    answer = send(desk.client, url, html, {"text": "Die zweite"})
    assert answer.status_code == 409
    page = answer.get_data(as_text=True)
    assert "inzwischen geändert" in page
    assert "So steht es jetzt im Entwurf" in page
    assert "Die erste" in page
    assert "Die zweite" in page
    assert desk.texts()[0][-1] == "Die erste"
    assert send(desk.client, url, page).status_code == 303
    assert desk.texts()[0][-1] == "Die zweite"


def test_a_mistake_does_not_hide_that_somebody_else_was_faster(desk: Desk) -> None:
    url = f"{desk.draft}/einleitung"
    html = desk.html(url)
    submit(desk.client, url, {"text": "Von jemand anderem"})
    page = send(desk.client, url, html, {"text": "x" * 1001})
    assert page.status_code == 422
    answer = send(desk.client, url, page.get_data(as_text=True), {"text": "Kürzer"})
    assert answer.status_code == 409
    assert "Von jemand anderem" in answer.get_data(as_text=True)
    assert desk.content().introduction == "Von jemand anderem"


def test_what_was_typed_stays_when_its_question_or_the_draft_is_gone(desk: Desk) -> None:
    url = f"{desk.draft}/fragen/words?art=text"
    html = desk.html(url)
    desk.press(desk.draft, f"{desk.draft}/fragen/words/entfernen", "Entfernen")
    for _ in range(2):
        answer = send(desk.client, url, html, {"text": "Lange überlegt"})
        html = answer.get_data(as_text=True)
        assert answer.status_code == 409
        assert "Lange überlegt" in html
    assert "gibt es im Entwurf nicht mehr" in html
    submit(desk.client, f"{desk.draft}/verwerfen")
    answer = send(desk.client, url, html, {"text": "Noch länger überlegt"})
    assert answer.status_code == 409
    assert "Noch länger überlegt" in answer.get_data(as_text=True)
    assert "inzwischen freigegeben oder verworfen" in answer.get_data(as_text=True)


def test_questions_and_sections_move_by_buttons(desk: Desk) -> None:
    before = desk.texts()[0]
    submit(desk.client, f"{desk.draft}/abschnitte/neu", {"title": "Zwei"})
    there = desk.press(desk.draft, f"{desk.draft}/fragen/words/runter")
    assert there.endswith("#frage-words")
    assert desk.texts() == [before[:-1], before[-1:]]
    desk.press(desk.draft, f"{desk.draft}/fragen/words/hoch")
    desk.press(desk.draft, f"{desk.draft}/fragen/useful/runter")
    assert desk.texts()[0][:2] == [before[1], before[0]]
    there = desk.press(desk.draft, f"{desk.draft}/abschnitte/2/hoch")
    assert there.endswith("#abschnitt-1")
    assert [section.title for section in desk.content().sections] == ["Zwei", "Fragen"]
    html = desk.html(desk.draft)
    for absent in ("fragen/again/hoch", "abschnitte/1/hoch", "abschnitte/2/entfernen"):
        assert (f"{desk.draft}/{absent}" in html) is (absent == "fragen/again/hoch")
    desk.press(desk.draft, f"{desk.draft}/abschnitte/1/entfernen", "Entfernen")
    assert [section.title for section in desk.content().sections] == ["Fragen"]


def test_a_button_of_an_old_page_changes_nothing(desk: Desk) -> None:
    html = desk.html(desk.draft)
    desk.press(desk.draft, f"{desk.draft}/fragen/useful/runter")
    before = desk.texts()
    form = next(f for f in forms_of(html) if "/words/entfernen" in f.action)
    answer = desk.client.post(form.action, data=form.fields, follow_redirects=True)
    assert "inzwischen geändert" in answer.get_data(as_text=True)
    assert desk.texts() == before
    bare = desk.client.post(form.action.partition("?")[0], data=form.fields, follow_redirects=True)
    assert "inzwischen geändert" in bare.get_data(as_text=True)


def test_the_order_of_answers_changes_and_their_keys_do_not(desk: Desk) -> None:
    url = f"{desk.draft}/fragen/again"
    there = desk.press(url, f"{url}/antworten/no/hoch", "Nach oben")
    assert there.endswith("/fragen/again#antwort-no")
    question = next(each for each in desk.content().questions if each.key == "again")
    assert question.options == (Option("no", "nein"), Option("yes", "ja"))


def test_other_answers_to_a_released_question_say_that_it_is_another(desk: Desk) -> None:
    url = f"{desk.draft}/fragen/again"
    assert "Diese Frage ist schon freigegeben" in desk.html(url)
    answer = submit(desk.client, url, {"options-2-label": "vielleicht"})
    html = desk.html(str(answer.headers["Location"]).partition("#")[0])
    assert "nicht mit den früheren zusammengezählt" in html
    assert "neu in dieser Fassung" in html
    question = desk.content().sections[0].questions[1]
    assert question.key != "again"
    assert [option.key for option in question.options[:2]] == ["yes", "no"]


def test_a_question_becomes_one_of_another_kind(desk: Desk) -> None:
    url = f"{desk.draft}/fragen/often?art=scale"
    html = desk.html(url)
    assert AGREEMENT[0] in html
    assert send(desk.client, url, html).status_code == 303
    question = desk.content().sections[0].questions[3]
    assert (question.kind, question.text) == (QuestionKind.SCALE, "Wie oft?")
    assert question.key != "often"


@pytest.mark.parametrize("typed", ["abc", "-1", "1,5", "1e3", "1000000000000", "10000", "", "\x00"])
def test_what_is_no_number_stays_in_its_field(desk: Desk, typed: str) -> None:
    answer = submit(desk.client, f"{desk.draft}/fragen/often", {"most": typed})
    assert answer.status_code == 422
    assert desk.content() == SMALL


@pytest.mark.parametrize(
    ("key", "fields", "words"),
    [
        ("often", {"least": "9", "most": "8"}, "kleiner als die kleinste"),
        ("again", {"options-0-label": "", "options-1-label": ""}, "mindestens 2 Antworten"),
        ("again", {"options-1-label": "JA"}, "steht schon da"),
        ("again", {"options-0-label": "x" * 121}, "höchstens 120"),
        ("useful", {"label_3": " "}, "beschriften Sie diese Stufe"),
        ("useful", {"text": "\u200b"}, "geben Sie die Frage ein"),
        ("useful", {"text": "x" * 301}, "höchstens 300"),
    ],
)
def test_what_is_missing_is_said_at_the_field(
    desk: Desk, key: str, fields: dict[str, str], words: str
) -> None:
    answer = submit(desk.client, f"{desk.draft}/fragen/{key}", fields)
    assert answer.status_code == 422
    assert words in answer.get_data(as_text=True)
    assert desk.content() == SMALL


def test_hostile_rows_of_answers_break_nothing(desk: Desk) -> None:
    url = f"{desk.draft}/fragen/again"
    form = find_form(desk.html(url), {"text": ""}, "Speichern")
    hostile = {f"options-{n}-key": "none" for n in (0, 5, 98, 999)} | {"options-x-label": "x"}
    hostile |= {f"options-{n}-label": str(n) for n in range(40)}
    answer = desk.client.post(url, data={**form.fields, **hostile})
    assert answer.status_code == 303
    options = desk.content().sections[0].questions[1].options
    assert len(options) == MOST_OPTIONS
    assert "none" not in {option.key for option in options}
    for url in (f"{desk.draft}/fragen/%00", f"{desk.draft}/abschnitte/9",
                f"{desk.draft}/abschnitte/0/frage?art=text"):  # fmt: skip
        desk.html(url, 404)
    assert "Wählen" in desk.html(f"{desk.draft}/abschnitte/1/frage?art=%3Cb%3E")


def test_a_draft_is_discarded_after_one_question(desk: Desk) -> None:
    assert "Fassung 1" in desk.html(f"{desk.draft}/verwerfen")
    answer = submit(desk.client, f"{desk.draft}/verwerfen")
    assert str(answer.headers["Location"]).partition("#")[0] == desk.page
    html = desk.html(desk.page)
    assert "Neue Fassung beginnen" in html
    began = send(desk.client, desk.page, html, button="Neue Fassung beginnen")
    assert began.headers["Location"] == desk.draft
    assert desk.content() == SMALL


def test_names_change_and_a_questionnaire_is_retired_and_taken_up(desk: Desk) -> None:
    assert submit(desk.client, f"{desk.page}/name", {"title": ""}).status_code == 422
    assert submit(desk.client, f"{desk.page}/name", {"title": LONG}).status_code == 303
    send(desk.client, desk.page, desk.html(desk.page), button="Stilllegen")
    html = desk.html(desk.page)
    assert "Stillgelegt" in html
    assert "stillgelegt" in desk.html(f"{desk.draft}/freigeben")
    send(desk.client, desk.page, html, button="Wieder aufnehmen")
    assert "In Gebrauch" in desk.html(ALL)


def test_what_a_format_asks_is_chosen_on_a_page(desk: Desk) -> None:
    with transaction() as session:
        template = make_format(session, HOSTILE).id
    html = desk.html(f"{ALL}zuordnung")
    assert "Training <span" in html
    assert "(wie üblich)" in html
    url = f"{ALL}zuordnung/{template}"
    assert "wie üblich: Training" in desk.html(url)
    assert submit(desk.client, url, {"after": str(desk.id), "follow_up": ""}).status_code == 303
    db.session.remove()
    plan = db.session.get_one(FeedbackPlan, template)
    assert (plan.after_id, plan.follow_up_id) == (desk.id, None)
    assert find_form(desk.html(url), {}, "Speichern").fields["after"] == [str(desk.id)]
    for wrong in ("4711", "abc", "9" * 30, "\uff11"):
        assert submit(desk.client, url, {"after": wrong}).status_code == 422
    refused = desk.client.post(
        f"{desk.page}/stilllegen",
        data=next(f for f in forms_of(desk.html(desk.page)) if "stilllegen" in f.action).fields,
        follow_redirects=True,
    ).get_data(as_text=True)
    assert "noch zugeordnet" in refused
    assert submit(desk.client, url, {"after": "usual", "follow_up": "usual"}).status_code == 303
    db.session.remove()
    assert db.session.get(FeedbackPlan, template) is None
    desk.html(f"{ALL}zuordnung/4711", 404)


@pytest.mark.parametrize("role", [Role.TRAINER, Role.CONTACT, Role.PARTICIPANT])
def test_only_the_office_writes_questionnaires(desk: Desk, role: Role) -> None:
    with transaction() as session:
        person = make_person(session, roles=(role,)).id
    g.pop("_login_user", None)
    client = desk.app.test_client()
    log_in(client, person)
    for url in (ALL, desk.page, desk.draft, f"{ALL}zuordnung"):
        assert client.get(url).status_code == 403


def test_pages_cost_the_same_however_much_there_is(desk: Desk) -> None:
    urls = (
        ALL, desk.page, desk.draft, f"{ALL}neu", f"{ALL}zuordnung", f"{desk.draft}/freigeben",
        f"{desk.draft}/fragen/again", f"{desk.page}/fassungen/1", f"{ALL}zuordnung/1",
    )  # fmt: skip
    with transaction() as session:
        make_format(session)
        template = session.scalars(select(EventTemplate.id)).one()
    urls = (*urls[:-1], f"{ALL}zuordnung/{template}")

    def costs() -> list[int]:
        found = []
        for url in urls:
            db.session.remove()
            g.pop("_login_user", None)
            with counted_statements() as statements:
                desk.html(url)
            found.append(len(statements))
        return found

    few = costs()
    many = tuple(
        Question(f"q{number}", QuestionKind.TEXT, f"Frage {number}?")
        for number in range(MOST_QUESTIONS - 5)
    )
    with transaction() as session:
        for number in range(30):
            make_format(session, f"Format {number}")
            made = make_version(session, title=f"Fragebogen {number}")
            make_version(
                session, questionnaire=session.get_one(Questionnaire, made.questionnaire_id)
            )
        draft = session.scalars(
            select(QuestionnaireVersion).where(QuestionnaireVersion.state == VersionState.DRAFT)
        ).one()
        draft.content = Content("", (*SMALL.sections, Section("Mehr", many))).to_json()
    assert costs() == few
    assert max(few) <= 12, dict(zip(urls, few, strict=True))
