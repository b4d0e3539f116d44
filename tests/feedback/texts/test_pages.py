"""Reading free texts through: the list, one text's pages, what they cost, who sees them."""

from __future__ import annotations

import html
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from tests.browser_forms import send, submit
from tests.factories import log_in, make_person
from tests.feedback.factories import make_format, make_version
from tests.feedback.texts.looked_through import keys, make_hidden, make_texts, stored
from tests.statements import counted_statements
from trainings.core.database import db, transaction
from trainings.core.idempotency import SubmittedForm
from trainings.core.permissions import Role
from trainings.feedback.models import FeedbackText, Survey, TextState

LIST = "/rueckmeldungen/texte/"
SHOWN = f"{LIST}?stand=freigegeben"
BUDGET = 12


@pytest.fixture
def office(client: FlaskClient) -> FlaskClient:
    """Return the browser of somebody of the office."""
    with transaction() as session:
        person_id = make_person(session, roles=(Role.COORDINATOR,)).id
    log_in(client, person_id)
    return client


def add(*written: str, **kwargs: object) -> list[str]:
    """Store texts of one survey; return the keys of all texts as addresses have them."""
    with transaction() as session:
        make_texts(session, *written, **kwargs)  # type: ignore[arg-type]
    return [key.hex() for key in keys()]


def page(client: FlaskClient, url: str, status: int = 200) -> str:
    """Return the words of a page."""
    answer = client.get(url)
    assert answer.status_code == status
    return html.unescape(answer.get_data(as_text=True))


def press(client: FlaskClient, url: str, action: str) -> str:
    """Press the button of a page that posts to an address; return where it leads."""
    text = client.get(url).get_data(as_text=True)
    data = {
        name: text.split(f'name="{name}" type="hidden" value="')[1].split('"')[0]
        for name in ("csrf_token", "form_key")
    }
    return str(client.post(action, data=data).location)


def test_the_list_shows_texts_without_event_and_day(office: FlaskClient) -> None:
    with transaction() as session:
        survey = make_texts(session, "Gut war es.", template=make_format(session, "Konflikte"))
        survey.event.title = "Ein ganz besonderer Titel"
        number = survey.event.number
    text = page(office, LIST)
    assert "Gut war es." in text
    assert "Was noch?" in text
    assert "Training · Konflikte · 2025" in text
    assert "Freie Texte (1)" in text
    for told in ("besonderer Titel", number, "16.04.2025", "April"):
        assert told not in text


def test_a_released_text_leaves_the_list_and_the_next_gets_the_focus(office: FlaskClient) -> None:
    first, second, _ = add("eins", "zwei", "drei")
    action = f"{LIST}{first}/freigeben?danach={second}"
    assert f'action="{action}"' in page(office, LIST)
    assert press(office, LIST, action) == f"{LIST}#text-{second}"
    text = page(office, LIST)
    assert f'id="text-{first}"' not in text
    assert f'id="text-{second}" tabindex="-1"' in text
    assert "eins" in page(office, SHOWN)
    assert press(office, LIST, action) == f"{LIST}#text-{second}"
    assert "inzwischen jemand anders bearbeitet" in page(office, LIST)


@pytest.mark.parametrize("hostile", ["", "x", "//evil.example", "A" * 32, '"><script>'])
def test_what_follows_in_the_address_leads_nowhere_else(office: FlaskClient, hostile: str) -> None:
    (key,) = add("eins")
    assert press(office, LIST, f"{LIST}{key}/freigeben?danach={hostile}") == f"{LIST}#meldung"


def release_chosen(client: FlaskClient, before: str, *texts: str) -> str:
    """Send the boxes of a page that was loaded before; return the page that follows."""
    data = {
        name: before.split(f'name="{name}" type="hidden" value="')[1].split('"', maxsplit=1)[0]
        for name in ("csrf_token", "form_key")
    }
    answer = client.post(f"{LIST}freigeben", data={**data, "text": list(texts)})
    assert answer.status_code == 303
    return page(client, answer.location)


def test_several_are_released_at_once(office: FlaskClient) -> None:
    one, two, three, four = add("eins", "zwei", "drei", "vier")
    before = office.get(LIST).get_data(as_text=True)
    assert 'id="auswahl"' in before
    assert "2 Texte sind freigegeben." in release_chosen(office, before, one, three)
    # Again, and after going back with another choice.
    assert "2 Texte sind freigegeben." in release_chosen(office, before, one, three)
    words = release_chosen(office, before, one, two)
    assert "1 Text ist freigegeben. 1 Text hat inzwischen jemand anders bearbeitet." in words
    assert "Diese Texte hat inzwischen" in release_chosen(office, before, one, two, three)
    assert "Bitte kreuzen Sie zuerst an" in release_chosen(office, before)
    assert "Bitte kreuzen Sie zuerst an" in release_chosen(office, before, "abc", "' OR 1=1")
    assert [state for _, state in stored()] == [TextState.SHOWN] * 3 + [TextState.UNREAD]
    assert four in page(office, LIST)


def test_passages_become_unreadable_after_a_preview(office: FlaskClient) -> None:
    key, after = add("Frau Geheimnis war streng.\nSehr.", "gut")
    url = f"{LIST}{key}/unkenntlich?danach={after}"
    preview = submit(office, url, {"passages": "geheimnis\r\nsehr"})
    assert preview.status_code == 200
    text = preview.get_data(as_text=True)
    assert "Frau […] war streng.<br>[…]." in text
    assert stored()[0] == ("Frau Geheimnis war streng.\nSehr.", TextState.UNREAD)
    back = send(office, url, text, button="Stellen ändern")
    assert "geheimnis\nsehr" in back.get_data(as_text=True).replace("\r", "")
    for _ in range(2):
        done = send(office, url, text, button="Endgültig unkenntlich machen")
        assert (done.status_code, done.location) == (303, f"{LIST}#text-{after}")
    assert stored()[0] == ("Frau […] war streng.\n[…].", TextState.SHOWN)
    for row in db.session.scalars(select(SubmittedForm)):
        assert "geheimnis" not in f"{row.key} {row.url} {row.message}".lower()
    assert "Geheimnis" not in page(office, LIST) + page(office, SHOWN)


@pytest.mark.parametrize(
    ("passages", "sentence"),
    [
        ("", "Bitte schreiben Sie, was unkenntlich werden soll"),
        ("Schmidt", "„Schmidt“ steht so nicht im Text."),
        ("y" * 1_000, f"„{'y' * 60} …“ steht so nicht im Text."),
        ("e", "„e“ ist zu kurz"),
        ("Frau Geheimnis war streng", "Dann bliebe nichts zu lesen."),
        ("x" * 2_001, "Bitte höchstens 2000 Zeichen."),
        ("<script>alert(1)</script>", "steht so nicht im Text."),
    ],
)
def test_what_cannot_be_made_unreadable_keeps_what_was_typed(
    office: FlaskClient, passages: str, sentence: str
) -> None:
    (key,) = add("Frau Geheimnis war streng.")
    answer = submit(office, f"{LIST}{key}/unkenntlich", {"passages": passages})
    assert answer.status_code == 422
    text = answer.get_data(as_text=True)
    assert sentence in html.unescape(text)
    assert "<script>" not in text
    assert passages in html.unescape(text)
    assert stored() == [("Frau Geheimnis war streng.", TextState.UNREAD)]


def test_a_text_is_taken_out_after_one_question(office: FlaskClient) -> None:
    key, _ = add("Herr Geheimnis.", "gut")
    url = f"{LIST}{key}/entfernen"
    form = office.get(url).get_data(as_text=True)
    assert "Herr " in form
    for _ in range(2):
        assert send(office, url, form).location == f"{LIST}#meldung"
    assert stored()[0] == ("", TextState.REMOVED)
    text = page(office, LIST)
    assert "1 Text entfernt, weil er eine Person erkennen ließ." in text
    for late in (url, f"{LIST}{key}/unkenntlich"):
        assert office.get(late).location == f"{LIST}#meldung"
    assert "Dieser Text wurde inzwischen entfernt." in page(office, LIST)


def test_no_browser_keeps_what_may_be_overwritten(office: FlaskClient) -> None:
    (key,) = add("gut")
    for url in (LIST, SHOWN, f"{LIST}{key}/unkenntlich", f"{LIST}{key}/entfernen"):
        assert office.get(url).headers["Cache-Control"] == "no-store"


def test_of_two_people_the_second_gets_a_sentence_and_the_text_as_it_is(
    office: FlaskClient,
) -> None:
    (key,) = add("Anna und Lena lachten.")
    redact, remove = f"{LIST}{key}/unkenntlich", f"{LIST}{key}/entfernen"
    late = office.get(remove).get_data(as_text=True)
    late_preview = submit(office, redact, {"passages": "Lena"}).get_data(as_text=True)
    preview = submit(office, redact, {"passages": "Anna"}).get_data(as_text=True)
    send(office, redact, preview, button="confirm")
    answers = [send(office, remove, late), send(office, redact, late_preview, button="confirm")]
    for answer in answers:
        assert answer.status_code == 409
        text = answer.get_data(as_text=True)
        assert "inzwischen jemand anders bearbeitet" in text
        assert "[…] und Lena lachten." in text
    assert stored() == [("[…] und Lena lachten.", TextState.SHOWN)]
    # The page that came with the refusal is up to date.
    assert send(office, remove, answers[0].get_data(as_text=True)).status_code == 303


def test_a_released_text_keeps_its_list_when_it_is_changed_later(office: FlaskClient) -> None:
    (key,) = add("Anna lachte.")
    press(office, LIST, f"{LIST}{key}/freigeben")
    url = f"{LIST}{key}/unkenntlich?stand=freigegeben"
    assert url in page(office, SHOWN)
    assert "/freigeben" not in page(office, SHOWN).replace("stand=freigegeben", "")
    preview = submit(office, url, {"passages": "anna"}).get_data(as_text=True)
    assert send(office, url, preview, button="confirm").location == f"{SHOWN}#meldung"


def test_hostile_texts_are_shown_as_they_were_written(office: FlaskClient) -> None:
    hostile = ["<script>alert(1)</script>", "=cmd|' /C calc'!A0", "A" * 2_000, "{{ 7*7 }}"]
    first, *_ = add(*hostile)
    answer = office.get(LIST).get_data(as_text=True)
    assert "<script>alert" not in answer
    for text in hostile:
        assert text in html.unescape(answer)
    assert hostile[0] in page(office, f"{LIST}{first}/unkenntlich")


def test_names_of_those_who_were_there_are_marked(office: FlaskClient) -> None:
    with transaction() as session:
        survey = make_texts(session, "Die beispiel-Übung half, Wichtig war sie.", people=1)
        make_person(session, family_name="Wichtig")
        assert survey.event.pool_id
    text = page(office, LIST)
    assert (
        '<mark><span class="kern-sr-only"> (möglicher Name:) </span>beispiel-Übung</mark>' in text
    )
    assert text.count("<mark>") == 1


@pytest.mark.parametrize("hidden", ["open", "waiting"])
def test_a_text_that_nobody_may_read_yet_is_nowhere(office: FlaskClient, hidden: str) -> None:
    with transaction() as session:
        make_hidden(session, hidden)
    (key,) = keys()
    text = page(office, LIST)
    assert "Noch keine Texte" in text
    assert "Verborgen" not in text
    add("damit es einen Knopf gibt")
    for way in ("unkenntlich", "entfernen"):
        assert "Verborgen" not in page(office, f"{LIST}{key.hex()}/{way}", 404)
    before = office.get(LIST).get_data(as_text=True)
    data = {
        name: before.split(f'name="{name}" type="hidden" value="')[1].split('"')[0]
        for name in ("csrf_token", "form_key")
    }
    assert office.post(f"{LIST}{key.hex()}/freigeben", data=data).status_code == 404
    chosen = {**data, "text": [key.hex()]}
    assert office.post(f"{LIST}freigeben", data=chosen).status_code == 404
    assert ("Herr Verborgen war da.", TextState.UNREAD) in stored()


@pytest.mark.parametrize("role", [Role.TRAINER, Role.CONTACT, Role.PARTICIPANT])
def test_only_the_office_reads_texts(client: FlaskClient, role: Role) -> None:
    with transaction() as session:
        person_id = make_person(session, roles=(role,)).id
    (key,) = add("geheim")
    log_in(client, person_id)
    for url in (LIST, SHOWN, f"{LIST}{key}/unkenntlich", f"{LIST}{key}/entfernen"):
        assert "geheim" not in page(client, url, 403)
    assert client.post(f"{LIST}{key}/freigeben").status_code == 403


@pytest.mark.parametrize(
    "key", ["abc", "0", "-1", "1e3", "A" * 32, "0" * 31, "0" * 33, "g" * 32, "١" * 32, "0" * 32]
)
def test_what_is_no_key_is_not_found(office: FlaskClient, key: str) -> None:
    for way in ("unkenntlich", "entfernen"):
        assert office.get(f"{LIST}{key}/{way}").status_code == 404


def test_lists_without_texts_say_what_is_so(office: FlaskClient) -> None:
    assert "Noch keine Texte" in page(office, LIST)
    assert "Noch nichts freigegeben" in page(office, SHOWN)
    (key,) = add("gut")
    press(office, LIST, f"{LIST}{key}/freigeben")
    text = page(office, LIST)
    assert "Alles durchgesehen" in text
    assert "Freie Texte (" not in text


@pytest.mark.parametrize("number", ["abc", "0", "-1", "1,5", "1e3", "9" * 12, "２", ""])
def test_pages_that_make_no_sense_are_a_page(office: FlaskClient, number: str) -> None:
    add("gut")
    assert "gut" in page(office, f"{LIST}?seite={number}&stand=quatsch")


def test_a_long_list_has_pages_and_stays_on_its_page(office: FlaskClient) -> None:
    every = add(*(f"Text {number:02d}." for number in range(60)))
    assert "50 von 60 Texten" in page(office, LIST)
    second = page(office, f"{LIST}?seite=2")
    assert "10 von 60 Texten" in second
    assert "Text 59." in second
    assert "Text 49." not in second
    action = f"{LIST}{every[55]}/freigeben?danach={every[56]}&seite=2"
    assert action in second
    assert press(office, LIST, action) == f"{LIST}?seite=2#text-{every[56]}"


@pytest.mark.parametrize("url", [LIST, SHOWN])
def test_a_list_costs_the_same_with_1_and_with_30_texts(office: FlaskClient, url: str) -> None:
    def show_all() -> None:
        if url == SHOWN:
            with transaction() as session:
                for text in session.scalars(select(FeedbackText)):
                    text.state = TextState.SHOWN

    add("Frau Beispiel war gut.", people=1)
    show_all()
    page(office, url)
    with counted_statements() as one:
        page(office, url)
    with transaction() as session:
        version = make_version(session)
        for number in range(30):
            make_texts(session, f"Text {number}", version=version, people=1)
    show_all()
    with counted_statements() as thirty:
        text = page(office, url)
    assert text.count('id="text-') == 31
    assert len(one) == len(thirty) <= BUDGET


@pytest.mark.parametrize("way", ["unkenntlich", "entfernen"])
def test_a_text_costs_few_statements(office: FlaskClient, way: str) -> None:
    (key,) = add("gut")
    with counted_statements() as statements:
        page(office, f"{LIST}{key}/{way}")
    assert len(statements) <= BUDGET


@pytest.mark.parametrize("way", ["unkenntlich", "entfernen"])
def test_what_was_overwritten_is_in_no_file_of_the_database(
    app: Flask, office: FlaskClient, way: str
) -> None:
    (key,) = add("Zusammen mit Frau Unverwechselbar.")
    url = f"{LIST}{key}/{way}"
    files = [
        path
        for path in Path(str(db.engine.url.database)).parent.iterdir()
        if path.name.startswith(Path(str(db.engine.url.database)).name)
    ]

    def is_kept() -> bool:
        return any(b"Unverwechselbar" in path.read_bytes() for path in files)

    assert is_kept()
    if way == "unkenntlich":
        preview = submit(office, url, {"passages": "Unverwechselbar"}).get_data(as_text=True)
        done = send(office, url, preview, button="confirm")
    else:
        done = submit(office, url)
    assert done.status_code == 303
    assert not is_kept()
    assert db.session.scalar(select(Survey.id)) is not None


def test_a_form_that_was_sent_with_other_words_is_not_said_to_be_done(office: FlaskClient) -> None:
    (key,) = add("Frau Meier und Herr Schulz waren laut.")
    url = f"{LIST}{key}/unkenntlich"
    text = page(office, url)
    data = {
        name: text.split(f'name="{name}" type="hidden" value="')[1].split('"')[0]
        for name in ("csrf_token", "form_key", "seen")
    }
    answers = [
        office.post(url, data={**data, "passages": passages, "confirm": "1"}).status_code
        for passages in ("Meier", "Meier", "Schulz")
    ]
    assert answers == [303, 303, 409]
    assert "Schulz" in page(office, SHOWN)
