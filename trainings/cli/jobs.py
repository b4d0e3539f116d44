"""`trainings jobs`: the worker that sends mails and does what time brings."""

from __future__ import annotations

import logging
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import click
from flask.cli import with_appcontext
from sqlalchemy.orm import Session

from trainings.attendance.certificates.operations import forget_old_certificates
from trainings.attendance.closing.operations import delete_door_names
from trainings.attendance.closing.reminders import send_closing_reminders
from trainings.attendance.door.reminders import send_door_reminders
from trainings.core.clock import utc_now
from trainings.core.database import db, transaction
from trainings.core.delivery import deliver_due_mails
from trainings.core.discretion import is_discreet, kind_and_place
from trainings.core.outbox import forget_old_mails
from trainings.core.settings import current_settings
from trainings.core.throttle import forget_attempts
from trainings.core.tokens import forget_tokens
from trainings.feedback.questionnaires.standard import provide_standard
from trainings.feedback.results.releasing import release_results
from trainings.feedback.surveys import sweeps as survey_sweeps
from trainings.feedback.surveys.settling import close_surveys, settle_answers
from trainings.feedback.texts.sweeps import forget_overwritten_texts, forget_texts
from trainings.inventory.orders.sweeps import (
    blank_card_orders,
    expire_card_orders,
    lapse_card_orders,
)
from trainings.inventory.reports.sweeps import warn_of_low_stock
from trainings.office import demand_sweeps, release_sweeps, sweeps
from trainings.people.login import forget_login_requests

log = logging.getLogger("trainings.jobs")

OFTEN = timedelta(seconds=3)
SELDOM = timedelta(minutes=5)


@dataclass(frozen=True)
class Job:
    """Work that comes again and again.

    Attributes:
        name: for the log.
        every: the pause between two runs.
        run: does the work at an instant and returns how much there was.
        discreet: whether the log must not say when there was something, nor what.

    """

    name: str
    every: timedelta
    run: Callable[[datetime], int]
    discreet: bool = False


def _sweep(work: Callable[[Session, datetime], int]) -> Job:
    def run(now: datetime) -> int:
        with transaction() as session:
            return work(session, now)

    return Job(work.__name__, SELDOM, run)


def _each_in_its_own(work: Callable[[datetime], int]) -> Job:
    return Job(work.__name__, SELDOM, work, is_discreet(work))


def _deliver(now: datetime) -> int:
    return deliver_due_mails(current_settings(), now)


JOBS = (
    _each_in_its_own(sweeps.expire_offers),
    _each_in_its_own(sweeps.serve_waiting_lists),
    _each_in_its_own(sweeps.expire_waiting_lists),
    _each_in_its_own(release_sweeps.expire_requests),
    _each_in_its_own(release_sweeps.send_release_digests),
    _each_in_its_own(release_sweeps.warn_of_contingents),
    _each_in_its_own(demand_sweeps.serve_wishes),
    _each_in_its_own(demand_sweeps.end_idle_wishes),
    _each_in_its_own(send_door_reminders),
    _each_in_its_own(send_closing_reminders),
    _each_in_its_own(sweeps.close_past_events),
    _sweep(provide_standard),
    _each_in_its_own(survey_sweeps.invite),
    _each_in_its_own(survey_sweeps.follow_up),
    _each_in_its_own(survey_sweeps.remind),
    _each_in_its_own(settle_answers),
    _each_in_its_own(close_surveys),
    _sweep(release_results),
    _each_in_its_own(survey_sweeps.forget_rights),
    _each_in_its_own(expire_card_orders),
    _each_in_its_own(lapse_card_orders),
    _sweep(blank_card_orders),
    _sweep(warn_of_low_stock),
    _sweep(sweeps.delete_needs),
    _sweep(delete_door_names),
    _sweep(sweeps.forget_submitted_forms),
    _sweep(forget_old_certificates),
    _sweep(forget_texts),
    _each_in_its_own(forget_overwritten_texts),
    _sweep(forget_tokens),
    _sweep(forget_login_requests),
    _sweep(forget_attempts),
    _sweep(forget_old_mails),
    Job("deliver_due_mails", OFTEN, _deliver),
)


def run_jobs(jobs: tuple[Job, ...], now: datetime) -> list[str]:
    """Run each job once; what goes wrong in one is logged and does not stop the others.

    Args:
        jobs: in this order.
        now: the present instant.

    Returns:
        The names of those that failed.

    """
    failed = []
    for job in jobs:
        try:
            done = job.run(now)
        except Exception as error:
            if job.discreet:
                log.error("%s failed: %s", job.name, kind_and_place(error, error.__traceback__))
            else:
                log.exception("%s failed", job.name)
            failed.append(job.name)
        else:
            if done and not job.discreet:
                log.info("%s: %d", job.name, done)
        finally:
            db.session.remove()
    return failed


@click.command()
@click.option("--once", is_flag=True, help="Einen Durchgang machen und enden.")
@with_appcontext
def jobs(once: bool) -> None:
    """Verschickt Mails und erledigt, was die Zeit bringt: Warteliste, Abschluss, Löschen."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    if once:
        failed = run_jobs(JOBS, utc_now())
        if failed:
            sys.exit(f"Nicht gelungen: {', '.join(failed)}. Das Protokoll nennt den Grund.")
        return
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    due = dict.fromkeys(JOBS, utc_now())
    while not stopped.is_set():
        now = utc_now()
        ready = tuple(job for job in JOBS if due[job] <= now)
        run_jobs(ready, now)
        due.update({job: now + job.every for job in ready})
        pause = min(due.values()) - utc_now()
        stopped.wait(max(0.0, pause.total_seconds()))
