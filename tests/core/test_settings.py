"""Settings: a wrong or missing one stops the start with a sentence that names it."""

from __future__ import annotations

from pathlib import Path

import pytest

from trainings.core.settings import Settings, SettingsError, load_settings, write_first_settings

KEY = "k" * 32


@pytest.fixture(autouse=True)
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TRAININGS_INSTANCE", str(tmp_path))
    return tmp_path


def load(**values: str) -> Settings:
    environ = {"SECRET_KEY": KEY, **values}
    return load_settings({f"TRAININGS_{name}": value for name, value in environ.items()})


def test_defaults_are_an_embedded_database_and_a_folder_of_mails(instance: Path) -> None:
    settings = load()
    assert settings.database_url == f"sqlite:///{instance / 'trainings.sqlite3'}"
    assert settings.mail_url == f"file:{instance / 'mail'}"
    assert settings.base_url == "http://127.0.0.1:8000"
    assert not settings.demo
    assert not settings.secure_cookies
    assert settings.feedback_smallest_group == 5
    assert not settings.feedback_office_sees_events


def test_values_are_taken_and_normalised() -> None:
    settings = load(
        DATABASE_URL="postgresql://u:geheim@db/trainings",
        BASE_URL="https://trainings.example/",
        MAIL_URL="smtps://mail.example",
        DEMO="yes",
        PROXIES="1",
        CERTIFICATE_PREFIX="lafp",
        FEEDBACK_SMALLEST_GROUP="8",
        FEEDBACK_OFFICE_SEES_EVENTS="1",
    )
    assert settings.database_url == "postgresql+psycopg://u:geheim@db/trainings"
    assert settings.base_url == "https://trainings.example"
    assert settings.secure_cookies
    assert settings.demo
    assert settings.proxies == 1
    assert settings.certificate_prefix == "LAFP"
    assert settings.feedback_smallest_group == 8
    assert settings.feedback_office_sees_events


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", ""),
        ("SECRET_KEY", "k" * 31),
        ("DATABASE_URL", "mysql://x"),
        ("DATABASE_URL", "keine Adresse"),
        ("BASE_URL", "trainings.example"),
        ("BASE_URL", "https://trainings.example/unten"),
        ("BASE_URL", "ftp://trainings.example"),
        ("MAIL_URL", "http://mail.example"),
        ("DEMO", "vielleicht"),
        ("PROXIES", "-1"),
        ("CERTIFICATE_PREFIX", "SI KO"),
        ("CERTIFICATE_PREFIX", "ÄB"),
        ("CERTIFICATE_PREFIX", "A" * 13),
        ("PROXIES", "²"),
        ("FEEDBACK_SMALLEST_GROUP", "4"),
        ("FEEDBACK_SMALLEST_GROUP", "0"),
        ("FEEDBACK_SMALLEST_GROUP", "-5"),
        ("FEEDBACK_SMALLEST_GROUP", ""),
        ("FEEDBACK_SMALLEST_GROUP", "fünf"),
        ("FEEDBACK_SMALLEST_GROUP", "５"),
        ("FEEDBACK_OFFICE_SEES_EVENTS", "ja"),
    ],
)
def test_wrong_setting_is_named_in_one_sentence(name: str, value: str) -> None:
    with pytest.raises(SettingsError) as error:
        load(**{name: value})
    assert f"TRAININGS_{name}" in str(error.value)
    assert "\n" not in str(error.value)


def test_secret_is_never_part_of_the_sentence() -> None:
    with pytest.raises(SettingsError) as error:
        load(SECRET_KEY="kurz, aber geheim")
    assert "geheim" not in str(error.value)


def test_file_is_read_and_the_environment_wins(instance: Path) -> None:
    (instance / "settings.env").write_text(
        f"# Kommentar\n\nTRAININGS_SECRET_KEY={KEY}\nTRAININGS_DEMO = 1\n"
        "TRAININGS_MAIL_FROM=a=b@c.example\n"
    )
    settings = load_settings({})
    assert settings.demo
    assert settings.mail_from == "a=b@c.example"
    assert not load_settings({"TRAININGS_DEMO": "0"}).demo


def test_line_that_is_no_setting_is_named(instance: Path) -> None:
    (instance / "settings.env").write_text("TRAININGS_DEMO=1\nGEHEIM\n")
    with pytest.raises(SettingsError, match=r"Zeile 2 in settings\.env"):
        load_settings({})


def test_first_settings_are_written_once_and_for_the_owner_only(instance: Path) -> None:
    path = write_first_settings(instance / "neu")
    assert path is not None
    assert path.stat().st_mode & 0o777 == 0o600
    content = path.read_text()
    assert "TRAININGS_DEMO=1" in content
    assert write_first_settings(instance / "neu") is None
    assert path.read_text() == content
