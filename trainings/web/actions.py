"""Links in mails that act without an account: `/aktion/TOKEN`."""

from __future__ import annotations

from datetime import datetime

from flask import Blueprint, Response, make_response, render_template, request
from flask.typing import ResponseReturnValue

from trainings.core.actions import Action, ActionPage, PageAction, WayOn
from trainings.core.clock import utc_now
from trainings.core.database import db
from trainings.core.errors import DomainError
from trainings.core.forms import Form
from trainings.core.permissions import Permission, requires
from trainings.core.tokens import ActionToken, Purpose, recall
from trainings.inventory.orders.actions import CARD_ORDER, CARD_RECEIPT
from trainings.people.actions import LOG_IN
from trainings.registrations.actions import OFFER, WITHDRAW
from trainings.registrations.release_actions import RELEASE

blueprint = Blueprint("actions", __name__)

ACTIONS: dict[Purpose, Action | PageAction] = {
    Purpose.LOG_IN: LOG_IN,
    Purpose.WITHDRAW: WITHDRAW,
    Purpose.OFFER: OFFER,
    Purpose.RELEASE: RELEASE,
    Purpose.CARD_ORDER: CARD_ORDER,
    Purpose.CARD_RECEIPT: CARD_RECEIPT,
}
_UNKNOWN = (
    "Diesen Link gibt es nicht",
    "Vielleicht ist die Adresse nicht vollständig kopiert, oder der Link ist schon lange "
    "abgelaufen. Bitte öffnen Sie ihn noch einmal aus der E-Mail, oder loggen Sie sich ein.",
)
_RUN_OUT = (
    "Dieser Link ist abgelaufen",
    "Aus Sicherheitsgründen gelten Links nur für eine bestimmte Zeit. Bitte loggen Sie sich ein; "
    "Sie erhalten dazu einen neuen Link.",
)


@blueprint.after_request
def keep_nowhere(response: Response) -> Response:
    """Let no browser store a page whose address acts."""
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.route("/aktion/<token:token>", methods=["GET", "POST"])
@requires(Permission.PUBLIC)
def act(token: str) -> ResponseReturnValue:
    """Show what a link does, and do it when the button is pressed."""
    now = utc_now()
    row = recall(db.session(), token)
    action = ACTIONS.get(row.purpose) if row else None
    if row is None or action is None:
        return _dead_end(404, *_UNKNOWN)
    if now >= row.expires_at:
        way_on = action.way_on(db.session(), row, now)
        title, sentence = _RUN_OUT
        return _dead_end(410, title, way_on.run_out if way_on else sentence, way_on)
    form = Form()
    try:
        if request.method == "POST" and form.validate():
            return action.perform(row, form, now)
        if isinstance(action, PageAction):
            return action.show(db.session(), row, now)
        page = action.describe(db.session(), row, now)
    except DomainError as refusal:
        asking = _asking_again(action, row, refusal, now)
        if asking is None:
            way_on = action.way_on(db.session(), row, now)
            return _dead_end(refusal.status, "Das geht leider nicht", refusal.sentence, way_on)
        page = asking
        form.refuse(refusal)
    status = 422 if form.form_errors else 200
    return render_template("web/action.html", page=page, form=form), status


def _asking_again(
    action: Action | PageAction, row: ActionToken, refusal: DomainError, now: datetime
) -> ActionPage | None:
    """Return the page with its question where only the answer is missing."""
    if refusal.status != 422 or isinstance(action, PageAction):
        return None
    page = action.describe(db.session(), row, now)
    return page if page.question else None


def _dead_end(status: int, title: str, sentence: str, way_on: WayOn | None = None) -> Response:
    page = render_template("web/dead_link.html", title=title, sentence=sentence, way_on=way_on)
    return make_response(page, status)
