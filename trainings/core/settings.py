"""Settings, read once at the start from the environment and from `instance/settings.env`."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from flask import current_app
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from trainings.core.files import instance_folder

PREFIX = "TRAININGS_"
DATABASE_DRIVERS = {"sqlite": "sqlite", "postgresql": "postgresql+psycopg"}
SHORTEST_SECRET = 32
LONGEST_PREFIX = 12
SMALLEST_GROUP = 5


class SettingsError(Exception):
    """A setting is missing or wrong; the text is one sentence that names it."""


@dataclass(frozen=True)
class Settings:
    """What the operator decides.

    Attributes:
        database_url: SQLAlchemy address of an SQLite file or a PostgreSQL database.
        secret_key: signs cookies and tokens, at least 32 characters.
        base_url: address under which people reach the application, without a final slash.
        mail_url: `smtp://`, `smtps://` or `file:` with the folder that receives `.eml` files.
        mail_from: sender of all mails.
        demo: load the demonstration data and show its logins.
        instance: folder for everything that the application writes.
        proxies: number of reverse proxies in front whose forwarded headers are believed.
        feedback_smallest_group: fewer answers than these are never shown, at least 5.
        feedback_office_sees_events: whether the office reads what was answered at single events.
        certificate_prefix: begins the numbers of certificates: „SIKO-2026-014-007“.
        office_address: lines of the address in the footer; the last one is the e-mail address.

    """

    database_url: str
    secret_key: str
    base_url: str
    mail_url: str
    mail_from: str
    demo: bool
    instance: Path
    proxies: int = 0
    certificate_prefix: str = "SIKO"
    feedback_smallest_group: int = SMALLEST_GROUP
    feedback_office_sees_events: bool = False
    product: str = "Trainings"
    office: str = "Sicherheitskooperation Ruhr"
    office_address: tuple[str, ...] = (
        "Sicherheitskooperation Ruhr, Geschäftsstelle",
        "Müller-Breslau-Str. 28, 45130 Essen",
        "Tel. +49 201 475892-0",
        "poststelle@sikoruhr.nrw.de",
    )

    @property
    def secure_cookies(self) -> bool:
        """Whether cookies are limited to HTTPS."""
        return self.base_url.startswith("https://")


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings; the environment wins over `instance/settings.env`.

    Args:
        environ: replaces the process environment, for tests.

    Raises:
        SettingsError: a setting is missing or wrong.

    """
    instance = instance_folder()
    values = _read_file(instance / "settings.env")
    values.update(os.environ if environ is None else environ)

    def get(name: str, default: str = "") -> str:
        return values.get(PREFIX + name, default).strip()

    demo = _boolean("DEMO", get("DEMO", "0"))
    secret_key = get("SECRET_KEY")
    if len(secret_key) < SHORTEST_SECRET:
        raise SettingsError(
            f"{PREFIX}SECRET_KEY fehlt oder ist kürzer als {SHORTEST_SECRET} Zeichen; "
            "„make setup“ legt für die Demonstration einen an."
        )
    return Settings(
        database_url=_database_url(get("DATABASE_URL"), instance),
        secret_key=secret_key,
        base_url=_base_url(get("BASE_URL", "http://127.0.0.1:8000")),
        mail_url=_mail_url(get("MAIL_URL"), instance),
        mail_from=get("MAIL_FROM", "trainings@sikoruhr.example"),
        demo=demo,
        instance=instance,
        proxies=_whole_number("PROXIES", get("PROXIES", "0")),
        feedback_smallest_group=_smallest_group(get("FEEDBACK_SMALLEST_GROUP", "5")),
        feedback_office_sees_events=_boolean(
            "FEEDBACK_OFFICE_SEES_EVENTS", get("FEEDBACK_OFFICE_SEES_EVENTS", "0")
        ),
        certificate_prefix=_certificate_prefix(get("CERTIFICATE_PREFIX", "SIKO")),
    )


def current_settings() -> Settings:
    """Return the settings of the running application."""
    settings: Settings = current_app.extensions["settings"]
    return settings


def write_first_settings(folder: Path) -> Path | None:
    """Create `settings.env` with a random key for the demonstration, unless there is one.

    Returns:
        The new file, or None when there was one already.

    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "settings.env"
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return None
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(f"{PREFIX}SECRET_KEY={secrets.token_urlsafe(48)}\n{PREFIX}DEMO=1\n")
    return path


def _read_file(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    values: dict[str, str] = {}
    for number, raw in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        name, separator, value = line.partition("=")
        if not separator or not name.startswith(PREFIX):
            raise SettingsError(f"Zeile {number} in {path.name} ist keine Einstellung: NAME=Wert.")
        values[name.strip()] = value.strip()
    return values


def _boolean(name: str, value: str) -> bool:
    if value.lower() in {"1", "true", "yes", "on"}:
        return True
    if value.lower() in {"", "0", "false", "no", "off"}:
        return False
    raise SettingsError(f"{PREFIX}{name} muss 0 oder 1 sein, nicht „{value}“.")


def _whole_number(name: str, value: str) -> int:
    if value.isascii() and value.isdigit():
        return int(value)
    raise SettingsError(f"{PREFIX}{name} muss eine ganze Zahl ab 0 sein, nicht „{value}“.")


def _smallest_group(value: str) -> int:
    number = _whole_number("FEEDBACK_SMALLEST_GROUP", value)
    if number < SMALLEST_GROUP:
        raise SettingsError(
            f"{PREFIX}FEEDBACK_SMALLEST_GROUP muss mindestens {SMALLEST_GROUP} sein, "
            f"nicht „{value}“."
        )
    return number


def _certificate_prefix(value: str) -> str:
    if value.isascii() and value.isalnum() and len(value) <= LONGEST_PREFIX:
        return value.upper()
    raise SettingsError(
        f"{PREFIX}CERTIFICATE_PREFIX muss aus 1 bis {LONGEST_PREFIX} Buchstaben oder Ziffern "
        f"bestehen, nicht „{value}“."
    )


def _database_url(value: str, instance: Path) -> str:
    if not value:
        return f"sqlite:///{instance / 'trainings.sqlite3'}"
    try:
        url = make_url(value)
    except ArgumentError:
        raise SettingsError(f"{PREFIX}DATABASE_URL ist keine gültige Adresse.") from None
    backend = url.get_backend_name()
    if backend not in DATABASE_DRIVERS:
        raise SettingsError(
            f"{PREFIX}DATABASE_URL muss mit sqlite:/// oder postgresql:// beginnen, "
            f"nicht mit „{backend}“."
        )
    return url.set(drivername=DATABASE_DRIVERS[backend]).render_as_string(hide_password=False)


def _base_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.netloc or parts.path.strip("/"):
        raise SettingsError(f"{PREFIX}BASE_URL muss wie https://trainings.example aussehen.")
    return f"{parts.scheme}://{parts.netloc}"


def _mail_url(value: str, instance: Path) -> str:
    if not value:
        return f"file:{instance / 'mail'}"
    if urlsplit(value).scheme not in {"smtp", "smtps", "file"}:
        raise SettingsError(f"{PREFIX}MAIL_URL muss mit smtp://, smtps:// oder file: beginnen.")
    return value
