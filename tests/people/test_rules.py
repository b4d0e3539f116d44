"""Rules about people and the hashes of passwords."""

from __future__ import annotations

import pytest
from argon2 import PasswordHasher
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from tests import factories
from trainings.core.database import db, transaction
from trainings.people import passwords
from trainings.people.login import check_password, log_in_by_password
from trainings.people.models import Account
from trainings.people.passwords import DUMMY_HASH, hash_password, is_current, password_matches
from trainings.people.rules import mail_domains, password_weakness, split_name

PASSWORD = "Vier Kühe grasen am Kanal"


@pytest.mark.parametrize(
    ("email", "domains"),
    [
        ("a@b.example", ("b.example",)),
        ("a@x.y.b.example", ("x.y.b.example", "y.b.example", "b.example")),
        ("a@localhost", ()),
        ("", ()),
    ],
)
def test_domains_of_an_address_from_the_most_specific_on(
    email: str, domains: tuple[str, ...]
) -> None:
    assert mail_domains(email) == domains


@given(st.text())
def test_any_text_has_domains_that_end_it(text: str) -> None:
    for domain in mail_domains(text):
        assert text.endswith(domain)


@given(st.text(min_size=12, max_size=128))
def test_long_and_varied_passwords_are_taken_whatever_their_signs(password: str) -> None:
    varied = "äB3🙂 " + password[5:]
    assert password_weakness(varied, "kuebra@stadt-essen.example") is None


@pytest.mark.parametrize(
    "password",
    [
        "elf Zeichen",
        "x" * 129,
        "121212121212",
        "kuebra@stadt-essen",
        "Stadt-Essen.example",
        "mein Name ist KUEBRA",
    ],
)
def test_short_uniform_and_telling_passwords_are_refused(password: str) -> None:
    assert password_weakness(password, "kuebra@stadt-essen.example")


def test_a_very_short_name_before_the_at_may_occur_in_a_password() -> None:
    assert password_weakness(PASSWORD, "am@stadt-essen.example") is None


def test_hash_of_unknown_accounts_costs_what_a_real_one_costs() -> None:
    assert is_current(DUMMY_HASH)


def test_without_a_stored_hash_no_password_matches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "DUMMY_HASH", hash_password(PASSWORD))
    assert not password_matches(None, PASSWORD)


def test_password_matches_however_its_letters_are_composed() -> None:
    stored = hash_password(PASSWORD)
    assert password_matches(stored, PASSWORD)
    assert password_matches(stored, PASSWORD.replace("ü", "u\u0308"))
    assert not password_matches(stored, PASSWORD.lower())
    assert not password_matches("damaged", PASSWORD)


def test_hash_of_older_parameters_is_renewed_at_the_next_login(app: Flask) -> None:
    old = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    with transaction() as session:
        person = factories.make_person(session, email="a@b.example")
        assert person.account
        person.account.password_hash = old
    new_hash = check_password(db.session(), "a@b.example", PASSWORD)
    assert new_hash
    with transaction() as session:
        log_in_by_password(session, "a@b.example", new_hash, "", factories.LONG_AGO)
    stored = db.session.scalars(select(Account)).one().password_hash
    assert stored
    assert is_current(stored)
    assert check_password(db.session(), "a@b.example", PASSWORD) is None


@pytest.mark.parametrize(
    ("typed", "title", "given", "family"),
    [
        ("Jördis Kałuża", "", "Jördis", "Kałuża"),
        ("Prof. Dr. Anna Maria Öztürk-Lindner", "Prof. Dr.", "Anna Maria", "Öztürk-Lindner"),
        ("dr Jördis Kałuża", "Dr.", "Jördis", "Kałuża"),
        ("Frau Anna Gast", "", "Anna", "Gast"),
        ("Wiebke van der Berg", "", "Wiebke", "van der Berg"),
        ("Dörrenberg-van Aken, Dr. Jan", "Dr.", "Jan", "Dörrenberg-van Aken"),
        ("von der Heide,", "", "", "von der Heide"),
        ("Herr El-Khatib", "", "", "El-Khatib"),
        ("El-Khatib", "", "", "El-Khatib"),
        ("von", "", "", "von"),
        ("Dr.", "Dr.", "", ""),
        ("", "", "", ""),
    ],
)
def test_a_name_as_somebody_wrote_it_is_split(
    typed: str, title: str, given: str, family: str
) -> None:
    assert split_name(typed) == (title, given, family)


@given(st.text())
def test_any_name_is_split_without_gaining_a_word(name: str) -> None:
    words = name.replace(",", " ").split()
    kept = " ".join(split_name(name)[1:]).replace(",", " ").split()
    assert all(word in words for word in kept)
