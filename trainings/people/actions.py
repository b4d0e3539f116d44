"""The link of a login mail: what it shows and does."""

from __future__ import annotations

from datetime import datetime

from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from trainings.core.actions import Action, ActionPage
from trainings.core.database import transaction
from trainings.core.forms import Form
from trainings.core.tokens import ActionToken
from trainings.people.entrance import enter
from trainings.people.login import check_link, use_link


def _describe(session: Session, token: ActionToken, now: datetime) -> ActionPage:
    request = check_link(session, token.subject_id, now)
    return ActionPage(
        title="Einloggen",
        sentences=(
            f"Sie loggen sich mit {request.email} in diesem Browser ein.",
            "Haben Sie den Link nicht selbst angefordert? Dann schließen Sie diese Seite einfach.",
        ),
        button="Einloggen",
    )


def _perform(token: ActionToken, _form: Form, now: datetime) -> ResponseReturnValue:
    # Not idempotent on purpose: the second use of a link is refused, also from the same form, since
    # on a shared computer it would log in again after the person has logged out.
    with transaction() as session:
        verified = use_link(session, token.subject_id, now)
    return enter(verified, now)


LOG_IN = Action(describe=_describe, perform=_perform)
