"""Logging in by a link, by a code and by password, as a browser sees it."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, update
from werkzeug.test import TestResponse

from tests import factories
from tests.browser_forms import send, submit
from tests.people.mailbox import letters
from trainings.core.clock import utc_now
from trainings.core.database import db, transaction
from trainings.core.tokens import ActionToken
from trainings.people.models import Account, LoginRequest, Person, PersonRole
from trainings.people.passwords import hash_password

LOG_IN = "/konto/anmelden"
CODE = "/konto/code"
KNOWN = "kuebra@stadt-essen.example"
PASSWORD = "Vier Kühe grasen am Kanal"


@pytest.fixture
def person_id(app: Flask) -> int:
    with transaction() as session:
        organisation = factories.make_organisation(
            session, "Stadt Essen", domains=("stadt-essen.example",)
        )
        person = factories.make_person(
            session, organisation, given_name="Kübra", family_name="Öztürk-Lindner", email=KNOWN
        )
        assert person.account
        person.account.password_hash = hash_password(PASSWORD)
        return person.id


def ask(client: FlaskClient, email: str, url: str = LOG_IN) -> TestResponse:
    return submit(client, url, {"email": email})


def is_logged_in(client: FlaskClient) -> bool:
    return client.get("/konto/").status_code == 200


def text_of(response: TestResponse) -> str:
    return response.get_data(as_text=True)


def anonymous_text(response: TestResponse, email: str) -> str:
    """Return a page without what differs from one visit to the next."""
    text = text_of(response).replace(email, "ADDRESS")
    return re.sub(r'value="[^"]*"', "", text)


def age_requests(minutes: int) -> None:
    """Let the links and codes grow older."""
    with transaction() as session:
        earlier = utc_now() - timedelta(minutes=minutes) + timedelta(minutes=30)
        session.execute(update(LoginRequest).values(expires_at=earlier))
        session.execute(update(ActionToken).values(expires_at=earlier))


# By link


def test_link_logs_in_by_its_button_and_leads_where_one_wanted_to_go(
    client: FlaskClient, person_id: int
) -> None:
    response = ask(client, KNOWN, f"{LOG_IN}?weiter=/meine/anmeldungen")
    assert (response.status_code, response.location) == (303, CODE)
    (letter,) = letters()
    assert (letter.to, letter.name) == (KNOWN, "Kübra Öztürk-Lindner")

    response = submit(client, letter.link, button="Einloggen")

    assert (response.status_code, response.location) == (303, "/meine/anmeldungen")
    page = text_of(client.get("/konto/"))
    assert "Sie sind eingeloggt." in page
    assert "Kübra Öztürk-Lindner" in page
    account = db.session.scalars(select(Account)).one()
    assert account.last_login_at is not None


def test_link_works_in_another_browser(app: Flask, client: FlaskClient, person_id: int) -> None:
    ask(client, KNOWN)
    other = app.test_client()
    submit(other, letters()[0].link)
    assert is_logged_in(other)
    assert not is_logged_in(client)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_fetching_the_link_as_mail_gateways_do_changes_nothing(
    app: Flask, client: FlaskClient, person_id: int, method: str
) -> None:
    ask(client, KNOWN)
    link = letters()[0].link
    for _ in range(3):
        response = app.test_client().open(link, method=method)
        assert response.status_code == 200
        assert response.headers["Cache-Control"] == "no-store"
    assert db.session.scalars(select(LoginRequest)).one().used_at is None
    submit(client, link)
    assert is_logged_in(client)


def test_second_use_of_a_link_is_refused_and_says_so(
    app: Flask, client: FlaskClient, person_id: int
) -> None:
    ask(client, KNOWN)
    link = letters()[0].link
    page = text_of(client.get(link))
    submit(client, link)

    other = app.test_client()
    for response in (send(client, link, page), client.get(link), other.get(link)):
        assert response.status_code == 410
        assert "schon benutzt" in text_of(response)
    assert not is_logged_in(other)


def test_form_of_a_used_link_is_refused_on_posting(
    app: Flask, client: FlaskClient, person_id: int
) -> None:
    ask(client, KNOWN)
    link = letters()[0].link
    other = app.test_client()
    page = text_of(other.get(link))
    submit(client, link)
    response = send(other, link, page)
    assert response.status_code == 410
    assert not is_logged_in(other)


def test_code_makes_the_link_worthless(app: Flask, client: FlaskClient, person_id: int) -> None:
    ask(client, KNOWN)
    submit(client, CODE, {"code": letters()[0].code})
    assert app.test_client().get(letters()[0].link).status_code == 410


def test_link_runs_out_after_half_an_hour(client: FlaskClient, person_id: int) -> None:
    ask(client, KNOWN)
    link = letters()[0].link
    age_requests(29)
    assert client.get(link).status_code == 200
    age_requests(31)
    response = client.get(link)
    assert response.status_code == 410
    assert "abgelaufen" in text_of(response)


@pytest.mark.parametrize(
    "token", ["abcdefgh12345678", "A" * 80, "A" * 81, "kurz", "a%00b", "%F0%9F%98%80%F0%9F%98%80"]
)
def test_unknown_link_is_a_page_with_a_way_on(client: FlaskClient, token: str) -> None:
    for method in ("GET", "POST"):
        response = client.open(f"/aktion/{token}", method=method)
        assert response.status_code == 404
        assert "<h1>" in text_of(response)


def test_link_posted_without_the_token_against_forged_requests_does_nothing(
    client: FlaskClient, person_id: int
) -> None:
    ask(client, KNOWN)
    response = client.post(letters()[0].link, data={"csrf_token": "stale", "form_key": "x"})
    assert response.status_code == 422
    assert "zu lange offen" in text_of(response)
    assert "CSRF" not in text_of(response)
    assert not is_logged_in(client)


# By code


@pytest.mark.parametrize("style", ["{}", " {} ", "{:.3} {:.3}", "{:.3}-{:.3}"])
def test_code_logs_in_however_it_is_grouped(
    client: FlaskClient, person_id: int, style: str
) -> None:
    ask(client, KNOWN)
    code = letters()[0].code
    parts = (code[:3], code[3:]) if style.count("{") == 2 else (code,)
    response = submit(client, CODE, {"code": style.format(*parts)})
    assert response.status_code == 303
    assert is_logged_in(client)


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06d}"


def test_code_is_refused_after_five_wrong_tries(client: FlaskClient, person_id: int) -> None:
    ask(client, KNOWN)
    code = letters()[0].code
    for left in ("4 Versuche", "3 Versuche", "2 Versuche", "einen Versuch"):
        response = submit(client, CODE, {"code": wrong(code)})
        assert response.status_code == 409
        assert f"Sie haben noch {left}" in text_of(response)
    assert "neuen Code an" in text_of(submit(client, CODE, {"code": wrong(code)}))
    response = submit(client, CODE, {"code": code})
    assert response.status_code == 410
    assert not is_logged_in(client)


def test_right_code_counts_at_the_fifth_try(client: FlaskClient, person_id: int) -> None:
    ask(client, KNOWN)
    code = letters()[0].code
    for _ in range(4):
        submit(client, CODE, {"code": wrong(code)})
    assert submit(client, CODE, {"code": code}).status_code == 303


def test_code_is_worthless_in_a_browser_that_did_not_ask(
    app: Flask, client: FlaskClient, person_id: int
) -> None:
    ask(client, KNOWN)
    key = db.session.scalars(select(LoginRequest.key)).one()
    other = app.test_client()
    assert other.get(CODE).location == LOG_IN
    ask(other, "jemand@anderswo.example")
    page = text_of(other.get(CODE))
    response = send(other, CODE, page, {"code": letters()[0].code, "request_key": key})
    assert response.status_code == 409
    assert not is_logged_in(other)


def test_code_runs_out_after_half_an_hour(client: FlaskClient, person_id: int) -> None:
    ask(client, KNOWN)
    age_requests(31)
    assert submit(client, CODE, {"code": letters()[0].code}).status_code == 410
    assert not is_logged_in(client)


def test_code_is_refused_at_its_second_use(client: FlaskClient, person_id: int) -> None:
    ask(client, KNOWN)
    with client.session_transaction() as cookie:
        before = dict(cookie)
    submit(client, CODE, {"code": letters()[0].code})
    with client.session_transaction() as cookie:
        cookie.clear()
        cookie.update(before)
    assert submit(client, CODE, {"code": letters()[0].code}).status_code == 410


def test_two_tabs_each_take_their_own_code(client: FlaskClient, person_id: int) -> None:
    with transaction() as session:
        factories.make_person(session, email="anderes@stadt-essen.example")
    ask(client, KNOWN)
    first_tab = text_of(client.get(CODE))
    ask(client, "anderes@stadt-essen.example")
    second_tab = text_of(client.get(CODE))
    first, second = letters()
    assert KNOWN in first_tab
    assert "anderes@stadt-essen.example" in second_tab

    response = send(client, CODE, first_tab, {"code": first.code})

    assert response.status_code == 303
    assert KNOWN in text_of(client.get("/konto/"))
    response = send(client, CODE, second_tab, {"code": second.code})
    assert response.location == "/konto/"


def test_code_tries_are_limited_per_address_and_day(client: FlaskClient, person_id: int) -> None:
    for _ in range(6):
        ask(client, KNOWN)
        for _ in range(5):
            submit(client, CODE, {"code": "no"})
    with transaction() as session:
        session.execute(update(LoginRequest).values(failed_attempts=0))
    response = submit(client, CODE, {"code": letters()[-1].code})
    assert response.status_code == 429
    submit(client, letters()[-1].link)
    assert is_logged_in(client)


# What answers tell


def test_answer_is_the_same_whether_or_not_there_is_an_account(app: Flask, person_id: int) -> None:
    pages = []
    for email in (KNOWN, "niemand@stadt-essen.example", "niemand@web.example"):
        client = app.test_client()
        response = ask(client, email)
        follow_up = client.get(response.location)
        pages.append(
            (
                response.status_code,
                response.location,
                sorted(response.headers.keys()),
                anonymous_text(follow_up, email),
            )
        )
    assert pages[0] == pages[1] == pages[2]
    assert db.session.scalar(select(func.count()).select_from(LoginRequest)) == 3


def test_mail_leaves_only_for_people_and_for_domains_of_organisations(
    client: FlaskClient, person_id: int
) -> None:
    for email in (
        KNOWN,
        "neu@stadt-essen.example",
        "neu@ordnung.stadt-essen.example",
        "neu@nicht-stadt-essen.example",
        "neu@web.example",
    ):
        ask(client, email)
    assert [letter.to for letter in letters()] == [
        KNOWN,
        "neu@stadt-essen.example",
        "neu@ordnung.stadt-essen.example",
    ]


def test_disabled_account_gets_no_mail_and_the_same_answer(
    client: FlaskClient, person_id: int
) -> None:
    with transaction() as session:
        session.execute(update(Account).values(disabled_at=utc_now()))
    assert ask(client, KNOWN).location == CODE
    assert letters() == []
    response = submit(client, LOG_IN, {"email": KNOWN, "password": PASSWORD})
    assert "Adresse oder Passwort stimmen nicht" in text_of(response)


def test_account_disabled_after_the_mail_is_not_entered(
    client: FlaskClient, person_id: int
) -> None:
    ask(client, KNOWN)
    with transaction() as session:
        session.execute(update(Account).values(disabled_at=utc_now()))
    response = submit(client, letters()[0].link)
    assert response.status_code == 403
    assert "gesperrt" in text_of(response)
    assert not is_logged_in(client)


def test_too_many_mails_to_one_address_are_refused_for_known_and_unknown(
    app: Flask, person_id: int
) -> None:
    for email in (KNOWN, "niemand@web.example"):
        client = app.test_client()
        answers = [ask(client, email).status_code for _ in range(7)]
        assert answers == [303] * 6 + [429]


def test_double_submit_of_the_form_sends_one_mail(client: FlaskClient, person_id: int) -> None:
    page = text_of(client.get(LOG_IN))
    for _ in range(2):
        assert send(client, LOG_IN, page, {"email": KNOWN}).status_code == 303
    assert len(letters()) == 1
    submit(client, CODE, {"code": letters()[0].code})
    assert is_logged_in(client)


def test_going_back_and_correcting_the_address_sends_a_mail_to_the_new_one(
    client: FlaskClient, person_id: int
) -> None:
    page = text_of(client.get(LOG_IN))
    send(client, LOG_IN, page, {"email": "kubra@stadt-essen.example"})
    send(client, LOG_IN, page, {"email": KNOWN})
    assert [letter.to for letter in letters()] == ["kubra@stadt-essen.example", KNOWN]


# By password


def test_password_logs_in(client: FlaskClient, person_id: int) -> None:
    response = submit(
        client,
        f"{LOG_IN}?weiter=/meine/anmeldungen",
        {"email": f"  {KNOWN.upper()} ", "password": PASSWORD},
    )
    assert (response.status_code, response.location) == (303, "/meine/anmeldungen")
    assert is_logged_in(client)
    assert letters() == []


def test_password_typed_with_separate_marks_is_the_same(
    client: FlaskClient, person_id: int
) -> None:
    decomposed = PASSWORD.replace("ü", "u\u0308")
    assert submit(client, LOG_IN, {"email": KNOWN, "password": decomposed}).status_code == 303


def test_wrong_password_unknown_address_and_missing_password_get_the_same_page(
    app: Flask, person_id: int
) -> None:
    with transaction() as session:
        factories.make_person(session, email="ohne@stadt-essen.example")
    pages = []
    for email in (KNOWN, "niemand@web.example", "ohne@stadt-essen.example"):
        response = submit(app.test_client(), LOG_IN, {"email": email, "password": "falsch"})
        pages.append((response.status_code, anonymous_text(response, email)))
    assert pages[0][0] == 409
    assert pages[0] == pages[1] == pages[2]


def test_password_is_never_sent_back(client: FlaskClient, person_id: int) -> None:
    response = submit(client, LOG_IN, {"email": KNOWN, "password": "falsch, aber geheim"})
    assert "geheim" not in text_of(response)
    assert KNOWN in text_of(response)


def test_password_tries_are_limited_and_leave_the_link_open(
    client: FlaskClient, person_id: int
) -> None:
    for _ in range(10):
        submit(client, LOG_IN, {"email": KNOWN, "password": "falsch"})
    response = submit(client, LOG_IN, {"email": KNOWN, "password": PASSWORD})
    assert response.status_code == 429
    assert "zu viele Versuche" in text_of(response)
    ask(client, KNOWN)
    submit(client, letters()[0].link)
    assert is_logged_in(client)


# The cookie


def test_login_starts_the_cookie_anew(client: FlaskClient, person_id: int) -> None:
    ask(client, KNOWN)
    with client.session_transaction() as cookie:
        cookie["planted"] = "by somebody else"
        old_token = cookie["csrf_token"]
    submit(client, letters()[0].link)
    with client.session_transaction() as cookie:
        assert "planted" not in cookie
        assert "login_requests" not in cookie
        assert cookie.get("csrf_token") != old_token
        assert cookie.permanent


def test_form_of_a_tab_from_before_the_login_asks_to_send_again_and_keeps_what_was_typed(
    client: FlaskClient, person_id: int
) -> None:
    stale = text_of(client.get(LOG_IN))
    submit(client, LOG_IN, {"email": KNOWN, "password": PASSWORD})
    response = send(client, LOG_IN, stale, {"email": KNOWN})
    assert response.status_code == 422
    assert "zu lange offen" in text_of(response)
    assert KNOWN in text_of(response)
    assert send(client, LOG_IN, text_of(response)).status_code == 303


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "\\\\evil.example",
        "/%0d%0aSet-Cookie:x",
        "javascript:alert(1)",
        "evil.example",
        "/\tevil",
        "/" + "a" * 200,
    ],
)
def test_redirect_target_from_outside_is_ignored(
    client: FlaskClient, person_id: int, target: str
) -> None:
    page = text_of(client.get(LOG_IN, query_string={"weiter": target}))
    response = send(
        client, LOG_IN, page, {"email": KNOWN, "password": PASSWORD, "next_url": target}
    )
    assert response.status_code == 303
    assert response.location in {"/", "/%0d%0aSet-Cookie:x"}
    assert "Set-Cookie:x" not in str(response.headers.get("Set-Cookie", ""))


def test_logging_out_takes_the_button(client: FlaskClient, person_id: int) -> None:
    factories.log_in(client, person_id)
    assert client.get("/konto/abmelden").status_code == 200
    assert is_logged_in(client)
    assert client.post("/konto/abmelden").status_code == 422
    assert is_logged_in(client)
    response = submit(client, "/konto/abmelden")
    assert response.status_code == 303
    assert not is_logged_in(client)
    assert "Sie sind ausgeloggt." in text_of(client.get(LOG_IN))
    assert client.get("/konto/abmelden").status_code == 303


def test_pages_of_the_account_are_not_stored_by_the_browser(
    client: FlaskClient, person_id: int
) -> None:
    factories.log_in(client, person_id)
    for url in ("/konto/", "/konto/angaben", "/konto/passwort", LOG_IN):
        assert client.get(url).headers["Cache-Control"] == "no-store"


# Who was registered by others


def test_first_login_of_somebody_registered_by_others_opens_an_account(
    client: FlaskClient, person_id: int
) -> None:
    with transaction() as session:
        factories.make_person(session, email="ohne@privat.example", account=False)
    ask(client, "ohne@privat.example")
    response = submit(client, letters()[0].link)
    assert response.location == "/"
    assert is_logged_in(client)
    assert db.session.scalar(select(func.count()).select_from(Account)) == 2


def test_anonymised_person_is_not_known_any_more(client: FlaskClient, person_id: int) -> None:
    with transaction() as session:
        session.execute(update(Person).values(anonymised_at=utc_now()))
    ask(client, KNOWN)
    response = submit(client, letters()[0].link)
    assert response.location == "/konto/neu"
    assert db.session.scalar(select(func.count()).select_from(PersonRole)) == 0


# Bad input


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"email": ""},
        {"email": "kein-at"},
        {"email": "a@b"},
        {"email": "a@b@c.example"},
        {"email": "x\x00y@stadt-essen.example"},
        {"email": "😀@stadt-essen.example"},
        {"email": "\u202eab@stadt-essen.example"},
        {"email": "a" * 300_000 + "@stadt-essen.example"},
        {"email": ["a@stadt-essen.example", "b@stadt-essen.example"]},
        {"email": KNOWN, "form_key": "\x00\ufffd"},
        {"email": KNOWN, "form_key": "k" * 10_000},
        {"email": KNOWN, "next_url": "/\x00"},
        {"email": KNOWN, "password": "\x00"},
        {"email": KNOWN, "password": "p" * 100_000},
    ],
)
def test_hostile_input_is_answered_with_a_page(
    client: FlaskClient, person_id: int, data: dict[str, str | list[str]]
) -> None:
    for url in (LOG_IN, "/konto/registrieren"):
        token = submit_token(client, url)
        answer = client.post(url, data={"csrf_token": token, **data})
        assert answer.status_code in {303, 409, 422}, (url, data)


def submit_token(client: FlaskClient, url: str) -> str:
    match = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', text_of(client.get(url)))
    assert match
    return match.group(1)


def test_a_megabyte_of_text_is_too_much(client: FlaskClient, person_id: int) -> None:
    assert client.post(LOG_IN, data={"email": "a" * 1_100_000}).status_code == 413


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_wrong_method_is_refused(client: FlaskClient, method: str) -> None:
    for url in (LOG_IN, CODE, "/konto/abmelden", "/aktion/abcdefgh12345678"):
        assert client.open(url, method=method).status_code == 405


def test_demonstration_logins_are_shown_in_the_demonstration_only(
    client: FlaskClient, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    with transaction() as session:
        person = factories.make_person(session, email=KNOWN)
        person.key = "demo-teilnahme"
        assert person.account
        person.account.password_hash = hash_password(PASSWORD)
    assert KNOWN not in text_of(client.get(LOG_IN))
    demonstration = replace(app.extensions["settings"], demo=True)
    monkeypatch.setitem(app.extensions, "settings", demonstration)
    assert KNOWN in text_of(client.get(LOG_IN))
