"""Deciding into which tables the answers of closed surveys flow."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from trainings.core.actors import SYSTEM
from trainings.core.audit import record
from trainings.core.clock import berlin_day
from trainings.feedback.models import Release, Survey, SurveyState
from trainings.feedback.results.queries import load_closed
from trainings.feedback.rules import released
from trainings.feedback.surveys.steps import lock_survey, smallest_group


def release_results(session: Session, now: datetime) -> int:
    """Let the answers of closed surveys flow into sums as far as they may; for the worker.

    What flows already stays where it is: whoever saw yesterday's tables can subtract them. So those
    that wait are decided among themselves, which is the same as deciding all of them anew, unless
    one was closed late or the smallest group was raised meanwhile.

    Args:
        session: the open transaction.
        now: the present instant.

    Returns:
        How many surveys flow into sums since now.

    """
    waiting = (Survey.state == SurveyState.CLOSED) & (Survey.release == Release.WAITING)
    closings = [each.closing for each in load_closed(session, waiting)]
    found = released(closings, berlin_day(now), smallest_group(session))
    moving = {key: value for key, value in sorted(found.items()) if value is not Release.WAITING}
    # All of them before the first is changed: a second worker waits here, and finds nothing to do.
    surveys = [lock_survey(session, survey_id) for survey_id in moving]
    if any(survey.release is not Release.WAITING for survey in surveys):
        return 0
    for survey in surveys:
        survey.release = moving[survey.id]
        record(session, SYSTEM, "results_released", survey, now, release=survey.release.value)
    return len(surveys)
