"""Orders as their two sides see them; each read costs a fixed number of statements."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, func, or_, select, true
from sqlalchemy.orm import Session, joinedload, selectinload

from trainings.core.actors import Actor
from trainings.core.errors import not_found
from trainings.core.paging import PAGE_SIZE, Paging, paging
from trainings.core.permissions import Permission
from trainings.core.text import normalise_email, sort_key
from trainings.inventory.ledger import held_quantities
from trainings.inventory.models import (
    Balance,
    CardType,
    Edition,
    Movement,
    Reservation,
    Store,
    StoreKind,
)
from trainings.inventory.orders.limits import allowances, chain_of, with_all_below
from trainings.inventory.orders.models import CardOrder, CardOrderLine, CardOrderStep, OrderState
from trainings.inventory.orders.rules import OPEN, Allowance
from trainings.inventory.rules import ORDERS_FROM
from trainings.organisations.models import Level, Organisation
from trainings.people.models import Person
from trainings.registrations.release_queries import load_tree, spoken_for

UNSEEN = frozenset({OrderState.UNCONFIRMED, OrderState.EXPIRED})
"""Orders that anybody may have made in anybody's name: contacts do not see them."""


@dataclass(frozen=True)
class Filter:
    """What the list of orders is limited to.

    Attributes:
        state: only this state; None for all, or with `only_open` for the open ones.
        only_open: with which the office still has something to do.
        organisation_id: this organisation, with all below it and merged into it.
        text: words that occur in number, name, organisation or town.

    """

    state: OrderState | None = None
    only_open: bool = False
    organisation_id: int | None = None
    text: str = ""


def orderable_cards(session: Session) -> list[CardType]:
    """Return the cards that can be ordered, by title."""
    return list(
        session.scalars(
            select(CardType)
            .where(CardType.retired_at.is_(None))
            .order_by(CardType.sort_key, CardType.id)
        )
    )


def authorities(session: Session) -> list[Organisation]:
    """Return the authorities of the register, as suggestions for whoever is not logged in."""
    return list(
        session.scalars(
            select(Organisation)
            .where(
                Organisation.level == Level.AUTHORITY,
                Organisation.retired_at.is_(None),
                Organisation.merged_into_id.is_(None),
            )
            .order_by(Organisation.sort_key, Organisation.id)
        )
    )


def organisation_named(organisations: Sequence[Organisation], name: str) -> Organisation | None:
    """Return the one organisation that has a name, however it is written; None if several have."""
    key = sort_key(name)
    found = [one for one in organisations if sort_key(one.name) == key]
    return found[0] if key and len(found) == 1 else None


def may_order_for(session: Session, actor: Actor) -> list[Organisation]:
    """Return for which organisations somebody who is logged in may order.

    Contacts for those that they speak for and what stands below; everybody else for their own.
    Three statements.
    """
    own: frozenset[int] = frozenset()
    speaks_for = spoken_for(session, actor.person_id)
    if speaks_for and actor.may(Permission.CARDS):
        own = with_all_below(load_tree(session), speaks_for)
    elif actor.organisation_ids:
        own = frozenset(actor.organisation_ids[:1])
    return list(
        session.scalars(
            select(Organisation)
            .where(
                Organisation.id.in_(own),
                Organisation.retired_at.is_(None),
                Organisation.merged_into_id.is_(None),
            )
            .order_by(Organisation.sort_key, Organisation.id)
        )
    )


def last_address(session: Session, person_id: int | None) -> CardOrder | None:
    """Return the last order of a person that still has its address, to fill in the next form."""
    return session.scalar(
        select(CardOrder)
        .where(CardOrder.person_id == person_id, CardOrder.street != "")
        .order_by(CardOrder.id.desc())
        .limit(1)
    )


def seen_by(session: Session, actor: Actor) -> ColumnElement[bool]:
    """Return the condition for the orders that somebody sees.

    The office sees all; a contact those of the organisations that they speak for, with all below,
    and their own.
    """
    if actor.may(Permission.OFFICE):
        return true()
    organisations = with_all_below(load_tree(session), spoken_for(session, actor.person_id))
    return CardOrder.state.not_in(UNSEEN) & or_(
        CardOrder.organisation_id.in_(organisations), CardOrder.person_id == actor.person_id
    )


def list_orders(session: Session, actor: Actor, wanted: Filter) -> tuple[list[CardOrder], Paging]:
    """Return a page of what somebody sees: the open orders first, the newest on top.

    At most seven statements.
    """
    conditions = [seen_by(session, actor), *_conditions(session, wanted)]
    total = session.scalar(select(func.count()).select_from(CardOrder).where(*conditions)) or 0
    where = paging(total)
    is_open = CardOrder.state.in_(OPEN)
    orders = session.scalars(
        select(CardOrder)
        .where(*conditions)
        .options(
            joinedload(CardOrder.organisation),
            selectinload(CardOrder.lines).joinedload(CardOrderLine.card_type),
        )
        .order_by(is_open.desc(), CardOrder.requested_at.desc(), CardOrder.id.desc())
        .limit(PAGE_SIZE)
        .offset(where.offset)
    )
    return list(orders), where


def _conditions(session: Session, wanted: Filter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.state is not None:
        conditions.append(CardOrder.state == wanted.state)
    elif wanted.only_open:
        conditions.append(CardOrder.state.in_(OPEN))
    else:
        conditions.append(CardOrder.state.not_in(UNSEEN))
    if wanted.organisation_id is not None:
        tree = load_tree(session)
        known = wanted.organisation_id in tree.nodes
        inside = with_all_below(tree, [wanted.organisation_id]) if known else ()
        conditions.append(CardOrder.organisation_id.in_(inside))
    for word in wanted.text.split():
        columns = (CardOrder.number, CardOrder.name, CardOrder.organisation_name, CardOrder.town)
        # SQLite folds ASCII letters only: „öztürk“ is to find „Öztürk“ there as well.
        spellings = {word, word.lower(), word.capitalize()}
        found = [
            column.icontains(spelling, autoescape=True)
            for column in columns
            for spelling in sorted(spellings)
        ]
        by_address = CardOrder.email.contains(normalise_email(word), autoescape=True)
        conditions.append(or_(*found, by_address))
    return conditions


def count_requested(session: Session) -> int:
    """Return how many orders wait for a decision of the office: new ones and lapsed ones."""
    waiting = CardOrder.state.in_({OrderState.REQUESTED, OrderState.LAPSED})
    return session.scalar(select(func.count()).select_from(CardOrder).where(waiting)) or 0


@dataclass(frozen=True)
class ToDo:
    """How many orders wait for the office.

    Attributes:
        decide: new ones, and those whose hold has lapsed.
        pack: approved ones.
        send: packed ones.

    """

    decide: int
    pack: int
    send: int


def count_to_do(session: Session) -> ToDo:
    """Return how many orders wait for which step of the office; one statement."""
    rows = session.execute(
        select(CardOrder.state, func.count())
        .where(CardOrder.state.in_(OPEN))
        .group_by(CardOrder.state)
    )
    counts = {row[0]: row[1] for row in rows}
    return ToDo(
        counts.get(OrderState.REQUESTED, 0) + counts.get(OrderState.LAPSED, 0),
        counts.get(OrderState.APPROVED, 0),
        counts.get(OrderState.PICKED, 0),
    )


def find_order(session: Session, actor: Actor, number: str) -> CardOrder:
    """Return an order with all that its page shows.

    Raises:
        DomainError: `not_found`, also of one that the actor does not see.

    """
    order = session.scalar(_whole().where(CardOrder.number == number, seen_by(session, actor)))
    if order is None:
        raise not_found()
    return order


def order_by_number(session: Session, number: str) -> CardOrder:
    """Return an order for whoever holds its signed address.

    Raises:
        DomainError: `not_found`.

    """
    order = session.scalar(_whole().where(CardOrder.number == number))
    if order is None:
        raise not_found()
    return order


def order_by_id(session: Session, order_id: int) -> CardOrder | None:
    """Return an order for a link that acts."""
    return session.scalar(_whole().where(CardOrder.id == order_id))


def _whole() -> Select[CardOrder]:
    return select(CardOrder).options(
        joinedload(CardOrder.organisation),
        joinedload(CardOrder.store),
        joinedload(CardOrder.person),
        selectinload(CardOrder.lines).joinedload(CardOrderLine.card_type),
        selectinload(CardOrder.steps),
        selectinload(CardOrder.reservations).options(
            joinedload(Reservation.edition), joinedload(Reservation.store)
        ),
    )


def names_of_steps(session: Session, steps: Sequence[CardOrderStep]) -> dict[int, str]:
    """Return the names of those who acted, by person, for the office; one statement."""
    ids = {step.person_id for step in steps if step.person_id is not None}
    people = session.scalars(select(Person).where(Person.id.in_(ids)))
    return {person.id: person.name for person in people}


def sent_cards(session: Session, order_id: int) -> list[Movement]:
    """Return what was sent with an order, as it was packed; what was reversed is left out."""
    reversed_ids = select(Movement.reverses_id).where(Movement.reverses_id.is_not(None))
    return list(
        session.scalars(
            select(Movement)
            .where(
                Movement.order_id == order_id,
                Movement.reverses_id.is_(None),
                Movement.id.not_in(reversed_ids),
            )
            .options(joinedload(Movement.edition))
            .order_by(Movement.id)
        )
    )


def issuing_stores(session: Session) -> list[Store]:
    """Return the stores from which orders can be sent: those of the office first, no boxes."""
    return list(
        session.scalars(
            select(Store)
            .where(Store.retired_at.is_(None), Store.kind.in_(ORDERS_FROM))
            .order_by((Store.kind == StoreKind.OFFICE).desc(), Store.sort_key, Store.id)
        )
    )


def free_cards(
    session: Session, order: CardOrder, stores: Sequence[Store], now: datetime
) -> dict[tuple[int, int], int]:
    """Return how many cards are free for an order, by store and card type; three statements.

    What the order itself holds is free for it; withdrawn editions are not counted.
    """
    types = [line.card_type_id for line in order.lines]
    held = held_quantities(session, now)
    for each in order.reservations:
        if each.ended_at is None and each.until > now:
            held[each.store_id, each.edition_id] -= each.quantity
    free: dict[tuple[int, int], int] = defaultdict(int)
    rows = session.execute(
        select(Balance.store_id, Balance.edition_id, Balance.quantity, Edition.card_type_id)
        .join(Edition, Balance.edition_id == Edition.id)
        .where(
            Edition.card_type_id.in_(types),
            Edition.withdrawn_at.is_(None),
            Balance.store_id.in_([store.id for store in stores]),
        )
    )
    for store_id, edition_id, quantity, card_type_id in rows:
        free[store_id, card_type_id] += max(0, quantity - held.get((store_id, edition_id), 0))
    return free


def best_store(
    order: CardOrder, stores: Sequence[Store], free: Mapping[tuple[int, int], int]
) -> int | None:
    """Return the first store that has all that is asked for, or else the first one."""
    for store in stores:
        if all(
            free.get((store.id, line.card_type_id), 0) >= line.requested for line in order.lines
        ):
            return store.id
    return stores[0].id if stores else None


def allowances_of(session: Session, order: CardOrder, now: datetime) -> list[Allowance]:
    """Return the limits that hold for the organisation of an order, without the order itself."""
    if order.organisation_id is None:
        return []
    chain = chain_of(load_tree(session), order.organisation_id)
    rows = session.scalars(select(Organisation).where(Organisation.id.in_(chain))).all()
    ordered = sorted(rows, key=lambda row: chain.index(row.id))
    return allowances(session, ordered, now, without=order.id)
