"""The slips: a right to answer on paper, several to a page, to be cut, mixed and drawn blind."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlsplit

from trainings.core.documents import Document, render
from trainings.core.formats import day_span, long_date
from trainings.core.qr import qr_modules
from trainings.core.settings import current_settings
from trainings.feedback.surveys.operations import Slips
from trainings.feedback.surveys.rights import ANSWER_PATH, answer_path
from trainings.registrations.tickets import in_groups


def slips_paper(slips: Slips, now: datetime) -> Document:
    """Make the slips of an event as PDF; nothing tells one from another but its code."""
    base = current_settings().base_url
    return render(
        "feedback_slips",
        {
            "event": slips.title,
            "dates": day_span(slips.first_day, slips.last_day),
            "until": long_date(slips.closes_on),
            "address": f"{urlsplit(base).netloc}{urlsplit(base).path}{ANSWER_PATH}",
            "slips": [
                {"code": in_groups(code), "modules": qr_modules(base + answer_path(code))}
                for code in slips.codes
            ],
        },
        title=f"Zettel zur Rückmeldung: {slips.title}, {slips.number}",
        at=now,
    )
