"""„Warum (nicht)?“: why somebody has a place in an event, or has none."""

from __future__ import annotations

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from trainings.core.clock import utc_now
from trainings.core.database import db
from trainings.core.errors import DomainError
from trainings.core.permissions import Permission, requires
from trainings.events.queries import event_by_number
from trainings.office.blueprint import blueprint
from trainings.office.why_form import WhyForm
from trainings.office.wording import REGISTRATION_STATUS
from trainings.people.queries import person_by_email
from trainings.registrations.explain import explain_to_office


@blueprint.get("/veranstaltungen/<number:number>/warum/<id:person_id>")
@requires(Permission.OFFICE)
def event_why(number: str, person_id: int) -> str:
    """Show all conditions for one person, the one that decides, and what happened."""
    session = db.session()
    event = event_by_number(session, number)
    return render_template(
        "office/event_why.html",
        event=event,
        number=number,
        found=explain_to_office(session, event, person_id, utc_now()),
        registration_status=REGISTRATION_STATUS,
        why_form=WhyForm(),
    )


@blueprint.route("/veranstaltungen/<number:number>/warum", methods=["GET", "POST"])
@requires(Permission.OFFICE)
def event_why_search(number: str) -> ResponseReturnValue:
    """Find the person by address, and go on to the answer."""
    form = WhyForm()
    if form.validate_on_submit():
        person = person_by_email(db.session(), form.email.data)
        if person is not None:
            address = url_for("office.event_why", number=number, person_id=person.id)
            return redirect(address, code=303)
        form.refuse(
            DomainError(
                "unknown_people",
                "Diese Adresse kennen wir nicht. Bitte prüfen Sie die Schreibweise.",
                field="email",
            )
        )
    event = event_by_number(db.session(), number)
    page = render_template("office/event_why_search.html", why_form=form, event=event)
    return page, 422 if form.errors or form.form_errors else 200
