"""Invariants of what is shown of the feedback: no sum holds a group that is too small."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable
from datetime import datetime

from sqlalchemy import true
from sqlalchemy.orm import Session

from trainings.core.clock import berlin_day
from trainings.core.settings import SMALLEST_GROUP
from trainings.feedback.models import Release
from trainings.feedback.results.queries import Closed, load_closed
from trainings.feedback.rules import released
from trainings.feedback.surveys.steps import smallest_group


def releases_equal_the_rule(session: Session, now: datetime) -> list[str]:
    """Too few answers flow into no sum, and nothing waits that could flow."""
    closed = load_closed(session, true())
    waiting = [each.closing for each in closed if each.stored is Release.WAITING]
    found = released(waiting, berlin_day(now), smallest_group(session))
    late = [
        f"Rückmeldung {survey_id}: Die Antworten könnten in Summen fließen und warten noch. Läuft "
        "`trainings jobs`?"
        for survey_id, release in sorted(found.items())
        if release is not Release.WAITING
    ]
    bundles: dict[Hashable, list[Closed]] = defaultdict(list)
    for each in closed:
        if each.stored is not Release.WAITING:
            bundles[_bundle(each)].append(each)
    return late + [
        f"Rückmeldung {', '.join(str(each.closing.survey_id) for each in bundle)}: Zusammen zu "
        f"wenige Antworten, um gezeigt zu werden ({bundle[0].stored.value})."
        for bundle in bundles.values()
        if 0 < sum(each.closing.answered for each in bundle) < SMALLEST_GROUP
    ]


def _bundle(each: Closed) -> Hashable:
    """Return what all of the same smallest sum have in common."""
    closing = each.closing
    if each.stored is Release.EVENT:
        return closing.survey_id
    year = closing.year if each.stored is Release.YEAR else None
    return closing.kind, closing.version_id, closing.format, year
