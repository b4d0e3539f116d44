"""Which forms the page of an event's cards has, for whom, with what filled in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from flask import request

from trainings.core.actors import Actor
from trainings.core.clock import berlin_day
from trainings.core.errors import DomainError
from trainings.core.fields import options
from trainings.core.forms import Form
from trainings.events.models import EventState
from trainings.inventory.handouts.booking import card_field
from trainings.inventory.handouts.forms import (
    Cards,
    CardsForm,
    HandOutForm,
    ReturnForm,
    TakeForm,
    TapForm,
    with_cards,
)
from trainings.inventory.handouts.queries import EventPage
from trainings.inventory.handouts.rules import check_handing_out

STEP = "step"
"""Name of the buttons that send one of the forms; their values are those below."""
PLAN, TAKE, OUT, BACK = "plan", "take", "out", "back"


@dataclass(frozen=True)
class PageForms:
    """The forms of the page; None where there is nothing to fill in."""

    tap: TapForm
    plan: CardsForm | None
    take: TakeForm | None
    out: HandOutForm | None
    back: ReturnForm | None

    @property
    def sent(self) -> Form:
        """The form that was sent, for the summary of its errors."""
        found = {PLAN: self.plan, TAKE: self.take, OUT: self.out, BACK: self.back}
        return found.get(_step()) or self.tap

    @property
    def typed(self) -> tuple[object, ...]:
        """What was typed: somebody who goes back and books something else books it."""
        own = {"csrf_token", "form_key"}
        return tuple(each for each in self.sent.data.items() if each[0] not in own)


def page_forms(page: EventPage, actor: Actor, now: datetime) -> PageForms:
    """Return the forms that make sense for the event and for whoever asks."""
    return PageForms(
        tap=TapForm(),
        plan=_plan_form(page),
        take=_take_form(page, actor),
        out=_out_form(page, now),
        back=_return_form(page, actor),
    )


def obstacle(page: EventPage, now: datetime) -> str:
    """Return why nothing can be handed out now; nothing if it can."""
    try:
        check_handing_out(page.event.access.state, page.event.first_day, berlin_day(now))
    except DomainError as refusal:
        return refusal.sentence
    return ""


def _step() -> str:
    return request.form.get(STEP, "") if request.method == "POST" else ""


def _built(
    step: str, base: type[Cards], page: EventPage, numbers: Mapping[int, int], **more: object
) -> Cards:
    """Return a form with a field for each of the cards; only the one that was sent is read."""
    form = with_cards(base, [(card.id, card.title) for card in page.cards if card.id in numbers])
    values = {card_field(card): number or None for card, number in numbers.items()}
    sent = {} if _step() == step else {"formdata": None}
    return form(prefix=f"{step}-", data={**values, **more}, **sent)


def _plan_form(page: EventPage) -> CardsForm | None:
    live = page.event.access.state in (EventState.DRAFT, EventState.PUBLISHED)
    if not (page.access.by_office and live and page.cards):
        return None
    return _built(PLAN, CardsForm, page, {card.id: card.planned for card in page.cards})


def _take_form(page: EventPage, actor: Actor) -> TakeForm | None:
    live = page.event.access.state in (EventState.PUBLISHED, EventState.HELD)
    trainers = dict(page.trainers)
    for box in page.boxes:
        trainers.setdefault(box.person_id or 0, box.name)
    if not page.access.by_office:
        trainers = {actor.person_id or 0: "mir"}
    if not (page.access.hands_out and live and page.cards and page.stores and trainers):
        return None
    form = _built(TAKE, TakeForm, page, {card.id: card.to_take for card in page.cards})
    form.store.choices = options((store.id, store.name) for store in page.stores)
    form.trainer.choices = options(trainers.items())
    return form


def _out_form(page: EventPage, now: datetime) -> HandOutForm | None:
    places = [(box.id, box.name) for box in page.boxes]
    if page.access.by_office:
        places += [(store.id, store.name) for store in page.stores]
    if not page.access.hands_out or not page.cards or not places or obstacle(page, now):
        return None
    form = _built(OUT, HandOutForm, page, {card.id: 0 for card in page.cards})
    form.store.choices = options(places)
    return form


def _return_form(page: EventPage, actor: Actor) -> ReturnForm | None:
    boxes = [
        box
        for box in page.boxes
        if box.balances and (page.access.by_office or box.person_id == actor.person_id)
    ]
    if not boxes or not page.stores:
        return None
    rests = {card: boxes[0].rests.get(card, 0) for box in boxes for card in box.balances}
    form = _built(BACK, ReturnForm, page, rests)
    form.box.choices = options((box.id, box.name) for box in boxes)
    form.store.choices = options((store.id, store.name) for store in page.stores)
    return form
