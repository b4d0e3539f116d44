"""Certificates of an event: who gets which, download, and what the office decides."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from flask import Blueprint, Response, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from trainings.attendance.certificates import operations
from trainings.attendance.certificates.forms import BelowShareForm, WithdrawForm
from trainings.attendance.certificates.papers import (
    certificate_document,
    certificates_zip,
    file_name,
)
from trainings.attendance.certificates.queries import certificate_table, valid_certificates
from trainings.attendance.certificates.rules import hours_words
from trainings.attendance.certificates.wording import KIND_WORDS, issuance_sentence, standing_status
from trainings.attendance.models import Certificate
from trainings.attendance.reads import EventHead, event_head
from trainings.core.actors import Actor
from trainings.core.database import db
from trainings.core.documents import MEDIA_TYPE, missing_letters
from trainings.core.errors import not_found
from trainings.core.formats import count
from trainings.core.forms import Form
from trainings.core.http import document_response
from trainings.core.idempotency import Outcome
from trainings.core.permissions import Permission, requires
from trainings.people.posting import attempt, press
from trainings.people.sessions import current_actor
from trainings.registrations.models import Registration

blueprint = Blueprint("certificates", __name__)
_BELOW = "/einlass/<number:number>/bescheinigungen"
_Work = Callable[[Session, Actor, EventHead, datetime], str]


@blueprint.get(_BELOW)
@requires(Permission.ATTENDANCE)
def table(number: str) -> str:
    """Show what is due to whom, what was issued, and what can be done about it."""
    page = certificate_table(db.session(), current_actor(), number)
    return render_template(
        "attendance/certificates.html",
        page=page,
        press_form=Form(formdata=None),
        by_office=current_actor().may(Permission.OFFICE),
        status=standing_status,
        hours=hours_words,
        names=KIND_WORDS,
        unprintable=[
            found.registration.person.name
            for found in page.standings
            if missing_letters(found.registration.person.name)
        ],
    )


@blueprint.get(f"{_BELOW}.pdf")
@requires(Permission.ATTENDANCE)
def all_as_pdf(number: str) -> Response:
    """Offer all valid certificates as one PDF, a page each."""
    found = valid_certificates(db.session(), current_actor(), number)
    return document_response(
        certificate_document(found).pdf, MEDIA_TYPE, f"bescheinigungen-{number}.pdf"
    )


@blueprint.get(f"{_BELOW}.zip")
@requires(Permission.ATTENDANCE)
def all_as_zip(number: str) -> Response:
    """Offer all valid certificates as a ZIP, a PDF each."""
    found = valid_certificates(db.session(), current_actor(), number)
    return document_response(
        certificates_zip(found), "application/zip", f"bescheinigungen-{number}.zip"
    )


@blueprint.get(f"{_BELOW}/<id:certificate_id>.pdf")
@requires(Permission.ATTENDANCE)
def one_as_pdf(number: str, certificate_id: int) -> Response:
    """Show one certificate."""
    found = valid_certificates(db.session(), current_actor(), number, certificate_id)
    return show_certificate(found[0])


@blueprint.post(f"{_BELOW}/ausstellen")
@requires(Permission.OFFICE)
def issue(number: str) -> ResponseReturnValue:
    """Issue what is due and was not issued yet."""

    def work(session: Session, actor: Actor, head: EventHead, now: datetime) -> str:
        return issuance_sentence(operations.issue_certificates(session, actor, head.id, now))

    return _press(number, work)


@blueprint.post(f"{_BELOW}/senden")
@requires(Permission.OFFICE)
def send_all(number: str) -> ResponseReturnValue:
    """Send all valid certificates once more."""

    def work(session: Session, actor: Actor, head: EventHead, now: datetime) -> str:
        sent_now = operations.send_certificates(session, actor, head.id, now, certificate_id=None)
        return f"{count(sent_now, 'Mail liegt', 'Mails liegen')} im Postausgang."

    return _press(number, work)


@blueprint.post(f"{_BELOW}/<id:certificate_id>/senden")
@requires(Permission.OFFICE)
def send_one(number: str, certificate_id: int) -> ResponseReturnValue:
    """Send one certificate once more."""

    def work(session: Session, actor: Actor, head: EventHead, now: datetime) -> str:
        operations.send_certificates(session, actor, head.id, now, certificate_id=certificate_id)
        return "Die Mail liegt im Postausgang."

    return _press(number, work)


@blueprint.post(f"{_BELOW}/person/<id:registration_id>/neu")
@requires(Permission.OFFICE)
def reissue(number: str, registration_id: int) -> ResponseReturnValue:
    """Issue somebody's certificate anew, with what is right now."""

    def work(session: Session, actor: Actor, head: EventHead, now: datetime) -> str:
        _person_of(session, head, registration_id)
        done = operations.reissue_certificate(session, actor, registration_id, now)
        return issuance_sentence(done)

    return _press(number, work)


@blueprint.route(f"{_BELOW}/person/<id:registration_id>/ausstellen", methods=["GET", "POST"])
@requires(Permission.OFFICE)
def below_share(number: str, registration_id: int) -> ResponseReturnValue:
    """Issue a certificate below the share, with a reason."""
    form = BelowShareForm()

    def work(session: Session, actor: Actor, now: datetime) -> Outcome:
        _person_of(session, event_head(session, actor, number), registration_id)
        done = operations.issue_below_share(session, actor, registration_id, form.reason.data, now)
        return Outcome(url_for(".table", number=number), issuance_sentence(done))

    done, status = attempt(form, work, creates=True)
    if done:
        return done
    page = certificate_table(db.session(), current_actor(), number)
    mine = [found for found in page.standings if found.registration.id == registration_id]
    if not mine:
        raise not_found()
    return render_template(
        "attendance/certificate_below.html",
        page=page, standing=mine[0], form=form, hours=hours_words,
    ), status  # fmt: skip


@blueprint.route(f"{_BELOW}/<id:certificate_id>/zurueckziehen", methods=["GET", "POST"])
@requires(Permission.OFFICE)
def withdraw(number: str, certificate_id: int) -> ResponseReturnValue:
    """Take a certificate back, with a reason."""
    form = WithdrawForm()

    def work(session: Session, actor: Actor, now: datetime) -> Outcome:
        _certificate_of(session, event_head(session, actor, number), certificate_id)
        done = operations.withdraw_certificate(
            session, actor, certificate_id, form.reason.data, now
        )
        return Outcome(
            url_for(".table", number=number), f"Die Bescheinigung {done.number} gilt nicht mehr."
        )

    done, status = attempt(form, work, creates=True)
    if done:
        return done
    head = event_head(db.session(), current_actor(), number)
    found = _certificate_of(db.session(), head, certificate_id)
    return render_template(
        "attendance/certificate_withdraw.html", head=head, certificate=found, form=form
    ), status


def show_certificate(certificate: Certificate) -> Response:
    """Return the answer with the PDF of a certificate, opened in the browser."""
    pdf = certificate_document([certificate]).pdf
    return document_response(pdf, MEDIA_TYPE, f"{file_name(certificate)}.pdf", "inline")


def _press(number: str, work: _Work) -> ResponseReturnValue:
    here = url_for(".table", number=number)

    def run(session: Session, actor: Actor, now: datetime) -> Outcome:
        return Outcome(here, work(session, actor, event_head(session, actor, number), now))

    return press(run, here)


def _person_of(session: Session, head: EventHead, registration_id: int) -> None:
    """Refuse somebody of another event, whose id was put into this one's address."""
    event_id = session.scalar(
        select(Registration.event_id).where(Registration.id == registration_id)
    )
    if event_id != head.id:
        raise not_found()


def _certificate_of(session: Session, head: EventHead, certificate_id: int) -> Certificate:
    found = session.get(Certificate, certificate_id)
    if found is None or found.event_id != head.id:
        raise not_found()
    return found
