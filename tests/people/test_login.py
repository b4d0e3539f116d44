"""Use cases of logging in, also several at the same moment."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from tests import factories
from tests.concurrency.threads import run_together
from tests.conftest import NOW
from tests.people.mailbox import letters
from trainings.core.database import db, transaction
from trainings.core.errors import DomainError
from trainings.core.tokens import ActionToken, recall
from trainings.people import login
from trainings.people.login import Verified
from trainings.people.models import Account, LoginRequest

pytestmark = pytest.mark.both_databases
EMAIL = "kuebra@stadt-essen.example"


@pytest.fixture
def person_id(app: Flask) -> int:
    with transaction() as session:
        factories.make_organisation(session, "Stadt Essen", domains=("stadt-essen.example",))
        return factories.make_person(session, email=EMAIL, account=False).id


def start(email: str = EMAIL, now: datetime = NOW) -> str:
    with transaction() as session:
        return login.start_login_request(session, email, "/meine/anmeldungen", now).key


def try_code(key: str, code: str, now: datetime = NOW) -> Verified:
    with transaction() as session:
        login.count_code_try(session, key, now)
    with transaction() as session:
        return login.use_code(session, key, code, now)


def request_row() -> LoginRequest:
    return db.session.scalars(select(LoginRequest)).one()


def codes_of(results: list[Verified | BaseException]) -> list[str]:
    return [getattr(result, "code", "in") for result in results]


def test_code_verifies_the_address_and_opens_the_account(app: Flask, person_id: int) -> None:
    key = start()
    verified = try_code(key, letters()[0].code)
    account = db.session.scalars(select(Account)).one()
    assert verified == Verified(EMAIL, "/meine/anmeldungen", account.id, 0)
    assert (account.person_id, account.last_login_at) == (person_id, NOW)


def test_unknown_person_is_verified_without_an_account(app: Flask, person_id: int) -> None:
    key = start("neu@stadt-essen.example")
    verified = try_code(key, letters()[0].code)
    assert verified == Verified("neu@stadt-essen.example", "/meine/anmeldungen", None)
    assert db.session.scalar(select(func.count()).select_from(Account)) == 0


def test_only_hashes_of_code_and_token_are_stored(app: Flask, person_id: int) -> None:
    start()
    (letter,) = letters()
    row, token = request_row(), db.session.scalars(select(ActionToken)).one()
    assert letter.code.encode() not in row.code_hash
    assert letter.link.rpartition("/")[2].encode() not in token.token_hash
    assert len(letter.code) == 6


def test_code_of_one_request_is_worthless_for_another(app: Flask, person_id: int) -> None:
    first = start()
    second = start(now=NOW + timedelta(seconds=1))
    codes = [letter.code for letter in letters()]
    if codes[0] != codes[1]:
        with pytest.raises(DomainError) as refusal:
            try_code(second, codes[0])
        assert refusal.value.code == "wrong_code"
    assert try_code(first, codes[0]).account_id


def test_five_of_many_tries_at_once_are_counted_and_the_others_refused(
    app: Flask, person_id: int
) -> None:
    key = start()
    results = codes_of(run_together(app, [lambda: try_code(key, "falsch")] * 12))
    assert results.count("wrong_code") == 5
    assert results.count("code_unusable") == 7
    assert request_row().failed_attempts == 5


def test_link_pressed_in_many_browsers_at_once_logs_in_once(app: Flask, person_id: int) -> None:
    start()
    request_id = request_row().id

    def use() -> Verified:
        with transaction() as session:
            return login.use_link(session, request_id, NOW)

    results = codes_of(run_together(app, [use] * 8))
    assert sorted(results) == ["in"] + ["link_used"] * 7


def test_link_and_code_at_once_log_in_once(app: Flask, person_id: int) -> None:
    key = start()
    code, request_id = letters()[0].code, request_row().id

    def by_link() -> Verified:
        with transaction() as session:
            return login.use_link(session, request_id, NOW)

    results = codes_of(run_together(app, [by_link, lambda: try_code(key, code)]))
    assert results.count("in") == 1


@pytest.mark.parametrize(("minutes", "usable"), [(29, True), (30, False)])
def test_half_an_hour_is_the_life_of_link_and_code(
    app: Flask, person_id: int, minutes: int, usable: bool
) -> None:
    key = start()
    later = NOW + timedelta(minutes=minutes)
    token = recall(db.session(), letters()[0].link.rpartition("/")[2])
    assert token is not None
    assert (later < token.expires_at) is usable
    if usable:
        assert try_code(key, letters()[0].code, later).account_id
        return
    with pytest.raises(DomainError) as refusal:
        try_code(key, letters()[0].code, later)
    assert refusal.value.code == "code_unusable"


def test_mails_to_an_address_are_limited_by_half_hour_and_by_day(
    app: Flask, person_id: int
) -> None:
    now = NOW
    for _ in range(5):
        for _ in range(6):
            start(now=now)
        with pytest.raises(DomainError) as refusal:
            start(now=now)
        assert refusal.value.status == 429
        now += timedelta(minutes=31)
    with pytest.raises(DomainError):
        start(now=now)
    assert start("anders@stadt-essen.example", now)
    assert start(now=NOW + timedelta(days=1, minutes=1))


def count_client(client: str, times: int) -> None:
    with transaction() as session:
        for _ in range(times):
            login.count_client(session, client, NOW)


def test_a_whole_authority_may_sit_behind_one_address(app: Flask) -> None:
    count_client("192.0.2.1", 1000)
    with pytest.raises(DomainError):
        count_client("192.0.2.1", 1)
    count_client("192.0.2.2", 1)


def test_addresses_of_one_ipv6_network_count_as_one_client(app: Flask) -> None:
    count_client("2001:db8::1", 999)
    count_client("2001:db8::ffff", 1)
    with pytest.raises(DomainError):
        count_client("2001:db8::2", 1)
    count_client("2001:db8:0:1::1", 1)


def test_client_without_a_readable_address_is_counted_too(app: Flask) -> None:
    count_client("", 1)
    count_client("unix:", 1)


def test_requests_are_forgotten_a_day_after_they_ran_out(app: Flask, person_id: int) -> None:
    start()
    for later, forgotten in ((timedelta(hours=24), 0), (timedelta(hours=24, minutes=31), 1)):
        with transaction() as session:
            assert login.forget_login_requests(session, NOW + later) == forgotten
