"""The commands as an operator types them."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select

from tests.cli.running import run
from tests.factories import make_event, make_organisation, make_person
from tests.registered import make_registration
from trainings.core.database import db, transaction
from trainings.core.permissions import Role
from trainings.core.settings import load_settings
from trainings.events.models import EventKind, EventState
from trainings.organisations.models import Organisation
from trainings.people.models import Account, Person
from trainings.people.queries import person_by_email

EMAIL = "wiebke.toennies@sikoruhr.example"
CREATE = ("user", "create", "--email", EMAIL, "--name", "Dr. Wiebke Anna Tönnies", "--role")


def hold(kind: EventKind = EventKind.TRAINING, year: int = 2025) -> None:
    with transaction() as session:
        event = make_event(session, kind=kind, state=EventState.HELD, first_day=date(year, 5, 6))
        make_registration(session, event, make_person(session), marks="pppp")


def test_statistics_as_json_counts_trainings_unless_told_otherwise(app: Flask) -> None:
    hold()
    hold(EventKind.CONFERENCE)
    found = json.loads(run("statistics").output)
    counts = [found[name] for name in ("events", "participants", "people", "organisations")]
    assert counts == [1, 1, 1, 1]
    assert found["by_year"]["2025"]["capacity_used"] == 0.0833
    assert json.loads(run("statistics", "--kind", "all").output)["events"] == 2
    assert json.loads(run("statistics", "--kind", "conference").output)["by_kind"].keys() == {
        "conference"
    }


def test_statistics_take_first_and_last_day(app: Flask) -> None:
    hold(year=2024)
    hold(year=2025)
    assert json.loads(run("statistics", "--until", "2024-12-31").output)["events"] == 1
    assert json.loads(run("statistics", "--from", "01.01.2024").output)["events"] == 2
    assert run("statistics", "--from", "2025-02-31").exit_code == 2
    backwards = run("statistics", "--from", "2025-01-02", "--until", "2025-01-01")
    assert backwards.exit_code == 1
    assert "Das Ende liegt vor dem Anfang." in backwards.output


def test_statistics_as_csv_go_to_the_screen_or_into_a_file(app: Flask, tmp_path: Path) -> None:
    hold()
    file = tmp_path / "statistik.csv"
    shown = run("statistics", "--format", "csv").output
    assert run("statistics", "--format", "csv", "-o", str(file)).output == ""
    assert file.read_bytes().decode("utf-8") == shown.replace("\r\n", "\n").replace("\n", "\r\n")
    assert shown.startswith("\ufeffGliederung;Gruppe")


@pytest.mark.parametrize("file_format", ["xlsx", "pdf"])
def test_statistics_refuse_forms_that_come_later(app: Flask, file_format: str) -> None:
    refused = run("statistics", "--format", file_format)
    assert refused.exit_code == 1
    assert "gibt es noch nicht" in refused.output


def test_user_create_makes_the_office_and_an_account(app: Flask) -> None:
    made = run(*CREATE, "admin")
    assert made.exit_code == 0, made.output
    person = person_by_email(db.session(), EMAIL)
    assert person is not None
    assert (person.title, person.given_name, person.family_name) == (
        "Dr.", "Wiebke Anna", "Tönnies",
    )  # fmt: skip
    assert person.account is not None
    assert person.organisation.name == "Sicherheitskooperation Ruhr"
    assert {row.role for row in person.roles} == {Role.PARTICIPANT, Role.ADMIN}


def test_user_create_twice_adds_roles_and_nothing_else(app: Flask) -> None:
    run(*CREATE, "trainer")
    run(*CREATE, "coordinator", "--role", "trainer")
    person = person_by_email(db.session(), EMAIL.upper())
    assert person is not None
    assert {row.role for row in person.roles} == {Role.PARTICIPANT, Role.TRAINER, Role.COORDINATOR}
    for table in (Person, Account, Organisation):
        assert db.session.scalar(select(func.count()).select_from(table)) == 1


def test_user_create_takes_an_organisation_by_name(app: Flask) -> None:
    with transaction() as session:
        make_organisation(session, "Stadt Essen")
    run(*CREATE, "contact", "--organisation", "Stadt Essen")
    person = person_by_email(db.session(), EMAIL)
    assert person is not None
    assert person.organisation.name == "Stadt Essen"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ((*CREATE, "admin", "--organisation", "Stadt Nirgendwo"), "organisation_unknown"),
        (("user", "create", "--email", "keine", "--name", "A B", "--role", "admin"), "bad_email"),
        (("user", "create", "--email", EMAIL, "--name", "Tönnies", "--role", "admin"), "bad_name"),
        (("user", "create", "--email", EMAIL, "--name", "A <b>", "--role", "admin"), "bad_name"),
    ],
)
def test_user_create_refuses_what_makes_no_person(
    app: Flask, arguments: tuple[str, ...], code: str
) -> None:
    with pytest.raises(Exception, match=code):
        run(*arguments)
    assert db.session.scalar(select(func.count()).select_from(Person)) == 0


def test_seed_says_what_it_did(app: Flask) -> None:
    assert "geladen" in run("seed").output
    assert "es wurde nichts geladen" in run("seed").output


def test_doctor_says_that_all_is_well_or_what_is_not(app: Flask) -> None:
    sick = run("doctor")
    assert sick.exit_code == 1
    assert sick.output.count("\n") == 1
    run(*CREATE, "admin")
    well = run("doctor")
    assert (well.exit_code, well.output) == (0, "Alles in Ordnung\n")


def test_doctor_names_a_mail_server_that_does_not_answer(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    settings = replace(app.extensions["settings"], mail_url="smtp://127.0.0.1:1")
    monkeypatch.setitem(app.extensions, "settings", settings)
    assert "Der Mailserver 127.0.0.1 ist nicht erreichbar" in run("doctor").output


def test_jobs_once_does_a_round(app: Flask) -> None:
    assert run("jobs", "--once").exit_code == 0


def test_settings_init_writes_a_key_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRAININGS_INSTANCE", str(tmp_path))
    assert "angelegt" in run_without_application("settings", "init")
    file = tmp_path / "settings.env"
    content = file.read_text(encoding="utf-8")
    assert file.stat().st_mode & 0o777 == 0o600
    assert run_without_application("settings", "init") == ""
    assert file.read_text(encoding="utf-8") == content
    settings = load_settings({})
    assert settings.demo
    assert len(settings.secret_key) >= 32


def run_without_application(*arguments: str) -> str:
    from click.testing import CliRunner

    from trainings.cli import group

    result = CliRunner().invoke(group, arguments)
    assert result.exit_code == 0
    return result.output
