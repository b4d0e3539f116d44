"""Which texts may be read at all, as operations and pages ask it."""

from __future__ import annotations

from trainings.feedback.models import Release, Survey, SurveyState

READABLE = (Survey.state == SurveyState.CLOSED) & (Survey.release != Release.WAITING)
"""The condition that texts of a survey may be read by the office: it has closed, and what was
answered flows into some table."""
