"""Orders come in: from whoever is logged in, from the office, or confirmed by a mail."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from trainings.core.actors import Actor
from trainings.core.clock import berlin_day
from trainings.core.errors import DomainError, not_found
from trainings.core.numbering import next_number
from trainings.core.permissions import Permission
from trainings.inventory.models import CardType
from trainings.inventory.orders import mails
from trainings.inventory.orders.limits import check_limit, lock_chain
from trainings.inventory.orders.models import CardOrder, CardOrderLine, CardOrderSeries, OrderState
from trainings.inventory.orders.rules import CONFIRMED_WITHIN, check_requested
from trainings.inventory.orders.steps import lock_order, move_order
from trainings.organisations.models import Organisation
from trainings.people.models import Person
from trainings.people.queries import person_by_email


@dataclass(frozen=True)
class Wanted:
    """What somebody asks for, cleaned and of the lengths of the columns.

    Attributes:
        quantities: cards by card type; none of them zero.
        name: of whoever orders.
        email: where the mails go, normalised.
        organisation_id: in the register, if it is known.
        organisation_name: as it was typed; counts only without an id.
        recipient: first line of the address.
        street: and number.
        postcode: of the town.
        town: where to.
        purpose: what the cards are for.
        wanted_by: day by which they are needed, if any.

    """

    quantities: Mapping[int, int]
    name: str
    email: str
    organisation_id: int | None
    organisation_name: str
    recipient: str
    street: str
    postcode: str
    town: str
    purpose: str
    wanted_by: date | None = None


def place_order(
    session: Session,
    actor: Actor,
    wanted: Wanted,
    now: datetime,
    *,
    allowed: Collection[int] | None = None,
) -> CardOrder:
    """Take in an order.

    Whoever is logged in needs no confirmation, but stays within the limit of the organisation; the
    office decides about that when it approves. Anybody else gets a mail to confirm.

    Args:
        session: the open transaction.
        actor: who orders; nobody for whoever is not logged in.
        wanted: what is asked for.
        now: the present instant.
        allowed: the organisations for which the actor may order; None for the office and for
            whoever is not logged in.

    Raises:
        DomainError: `nothing_ordered`, `bad_quantity`, `card_unknown`, `organisation_unknown`,
            `wanted_in_the_past` or `limit_reached`.

    """
    check_requested(wanted.quantities)
    _check_cards(session, wanted.quantities)
    if wanted.wanted_by is not None and wanted.wanted_by < berlin_day(now):
        raise DomainError(
            "wanted_in_the_past",
            "Dieser Tag ist schon vorbei. Bitte wählen Sie einen späteren, oder lassen Sie ihn "
            "frei.",
            field="wanted_by",
            status=422,
        )
    by_office = actor.may(Permission.OFFICE)
    name = _check_organisation(session, actor, wanted, now, None if by_office else allowed)
    order = CardOrder(
        number=_next_number(session, now),
        state=OrderState.UNCONFIRMED,
        requested_at=now,
        person=_person(session, actor, wanted.email, by_office=by_office),
        name=wanted.name,
        email=wanted.email,
        organisation_id=wanted.organisation_id,
        organisation_name=name,
        recipient=wanted.recipient,
        street=wanted.street,
        postcode=wanted.postcode,
        town=wanted.town,
        purpose=wanted.purpose,
        wanted_by=wanted.wanted_by,
        lines=[
            CardOrderLine(card_type_id=card, requested=quantity)
            for card, quantity in sorted(wanted.quantities.items())
        ],
    )
    session.add(order)
    if actor.person_id is None:
        move_order(session, actor, order, OrderState.UNCONFIRMED, now)
        mails.please_confirm(session, order, now)
    else:
        order.confirmed_at = now
        move_order(session, actor, order, OrderState.REQUESTED, now)
        mails.received(session, order, now, by_office=by_office)
    return order


def check_confirmable(order: CardOrder | None, now: datetime) -> CardOrder:
    """Return an order that waits to be confirmed.

    Raises:
        DomainError: `not_found`; `already_confirmed` or `order_expired`, status 410.

    """
    if order is None:
        raise not_found()
    if order.state is OrderState.UNCONFIRMED and now < order.requested_at + CONFIRMED_WITHIN:
        return order
    if order.confirmed_at is not None:
        raise DomainError(
            "already_confirmed",
            f"Die Bestellung {order.number} ist schon bestätigt. Es ist nichts mehr zu tun.",
            status=410,
        )
    raise DomainError(
        "order_expired",
        f"Die Bestellung {order.number} wurde nicht rechtzeitig bestätigt oder storniert. Bitte "
        "bestellen Sie neu.",
        status=410,
    )


def confirm(session: Session, actor: Actor, order_id: int, now: datetime) -> CardOrder:
    """Confirm an order by the link in the mail: whoever has the mailbox is who ordered.

    Raises:
        DomainError: as `check_confirmable`.

    """
    order = check_confirmable(lock_order(session, order_id), now)
    order.confirmed_at = now
    order.person = person_by_email(session, order.email)
    move_order(session, actor, order, OrderState.REQUESTED, now)
    mails.received(session, order, now, by_office=False)
    return order


def _person(session: Session, actor: Actor, email: str, *, by_office: bool) -> Person | None:
    if by_office:
        return person_by_email(session, email)
    return session.get(Person, actor.person_id) if actor.person_id is not None else None


def _next_number(session: Session, now: datetime) -> str:
    year = berlin_day(now).year
    return f"TK-{year}-{next_number(session, CardOrderSeries, year):04d}"


def _check_cards(session: Session, card_type_ids: Collection[int]) -> None:
    known = session.scalars(
        select(CardType.id).where(CardType.id.in_(card_type_ids), CardType.retired_at.is_(None))
    ).all()
    if len(known) < len(card_type_ids):
        raise DomainError(
            "card_unknown",
            "Eine der Karten gibt es nicht mehr. Bitte laden Sie die Seite neu.",
        )


def _check_organisation(
    session: Session,
    actor: Actor,
    wanted: Wanted,
    now: datetime,
    allowed: Collection[int] | None,
) -> str:
    """Return the name of the organisation, and hold contacts to what is left for it."""
    if wanted.organisation_id is None:
        if actor.person_id is not None and allowed is not None:
            raise _organisation_unknown()
        return wanted.organisation_name
    organisation = session.get(Organisation, wanted.organisation_id)
    if organisation is None or not organisation.is_active:
        raise _organisation_unknown()
    if actor.person_id is not None and allowed is not None:
        if organisation.id not in allowed:
            raise _organisation_unknown()
        chain = lock_chain(session, organisation.id)
        refusal = check_limit(session, chain, sum(wanted.quantities.values()), now)
        if refusal:
            raise DomainError(
                "limit_reached",
                f"{refusal} Bitte bestellen Sie weniger, oder sprechen Sie mit der "
                "Geschäftsstelle.",
            )
    return organisation.name


def _organisation_unknown() -> DomainError:
    return DomainError(
        "organisation_unknown",
        "Bitte wählen Sie eine Organisation aus der Liste.",
        field="organisation_id",
        status=422,
    )
