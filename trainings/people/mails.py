"""What the mails of the room say."""

from __future__ import annotations

from datetime import datetime

from trainings.core import formats
from trainings.core.outbox import Mail
from trainings.core.settings import current_settings

LOG_IN_KIND = "log_in"
"""Kind of the mails with link and code."""


def log_in_mail(link: str, code: str, expires_at: datetime, *, is_new: bool) -> Mail:
    """Return the mail with link and code.

    Args:
        link: path of the page that logs in.
        code: six digits.
        expires_at: until when both are valid.
        is_new: nobody with this address is known yet.

    """
    product = current_settings().product
    if is_new:
        wish = (
            f"mit dieser E-Mail-Adresse möchte sich jemand bei {product} einloggen, "
            "vermutlich Sie. Wir kennen die Adresse noch nicht und fragen Sie danach einmal nach "
            "Namen und Organisation."
        )
    else:
        wish = f"Sie möchten sich bei {product} einloggen."
    return Mail(
        subject=f"Ihr Link und Ihr Code für {product}",
        paragraphs=(
            wish,
            "Öffnen Sie den Link, oder geben Sie den Code in dem Browser ein, in dem Sie ihn "
            "angefordert haben.",
        ),
        link=("Einloggen", link),
        code=code,
        closing=(
            f"Link und Code gelten bis {formats.instant(expires_at)}, und nur einmal.",
            "Haben Sie das nicht angefordert? Dann ignorieren Sie diese Nachricht; ohne den Link "
            "oder den Code kommt niemand hinein. Bitte geben Sie beide nicht weiter.",
        ),
    )


def password_changed_mail(*, removed: bool) -> Mail:
    """Return the mail that tells somebody that their password was set, changed or removed."""
    product = current_settings().product
    what = "gelöscht" if removed else "festgelegt oder geändert"
    return Mail(
        subject=f"Ihr Passwort für {product}",
        paragraphs=(f"für Ihr Konto bei {product} wurde gerade das Passwort {what}.",),
        closing=(
            "Waren Sie das nicht? Dann loggen Sie sich bitte über einen Link ein, legen ein neues "
            "Passwort fest und sagen der Geschäftsstelle Bescheid.",
        ),
    )


def email_changed_mail() -> Mail:
    """Return the mail to somebody's former address after the office gave them another one."""
    product = current_settings().product
    return Mail(
        subject=f"Ihre E-Mail-Adresse bei {product}",
        paragraphs=(
            f"die Geschäftsstelle hat Ihre E-Mail-Adresse bei {product} geändert. Nachrichten "
            "gehen ab jetzt an die neue Adresse; mit dieser hier können Sie sich nicht mehr "
            "einloggen.",
        ),
        closing=("Haben Sie das nicht gewünscht? Dann rufen Sie bitte die Geschäftsstelle an.",),
    )
