"""How many cards an organisation may get in a calendar year, and what is left of that."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session, contains_eager

from trainings.core.actors import Actor
from trainings.core.audit import record
from trainings.core.clock import berlin_day, end_of_day
from trainings.core.errors import DomainError, not_found
from trainings.core.permissions import Permission
from trainings.inventory.models import LARGEST_QUANTITY, Movement, PlaceKind
from trainings.inventory.orders.models import CardOrder, CardOrderLine, OrderLimit
from trainings.inventory.orders.rules import HOLDING, Allowance, over_limit, tightest
from trainings.organisations.models import Level, Organisation
from trainings.organisations.operations import check_active, lock_organisations
from trainings.registrations.release_queries import load_tree
from trainings.registrations.release_rules import Tree


def chain_of(tree: Tree, organisation_id: int) -> list[int]:
    """Return the living organisation and all above it, the nearest first."""
    chain: list[int] = []
    above: int | None = tree.living(organisation_id)
    while above is not None and above not in chain:
        chain.append(above)
        above = tree.above(above)
    return chain


def with_all_below(tree: Tree, organisation_ids: Collection[int]) -> frozenset[int]:
    """Return organisations with everything below them and everything merged into any of these."""
    wanted = {tree.living(organisation_id) for organisation_id in organisation_ids}
    return frozenset(one for one in tree.nodes if wanted.intersection(chain_of(tree, one)))


def lock_chain(session: Session, organisation_id: int) -> list[Organisation]:
    """Lock an organisation and those above it, so that two approvals count one after the other.

    The tree may change while the locks are waited for; then what was locked is not what counts, so
    it is read again under them.

    Args:
        session: the open transaction; orders and stores are locked afterwards.
        organisation_id: whose order it is; a merged one leads to the one that lives.

    Returns:
        The living organisation and those above it, the nearest first.

    """
    chain = chain_of(load_tree(session), organisation_id)
    locked = lock_organisations(session, *chain)
    if chain_of(load_tree(session), organisation_id) != chain:
        raise DomainError(
            "organisation_changed",
            "Die Organisation wurde gerade geändert. Bitte versuchen Sie es noch einmal.",
        )
    return locked


def allowances(
    session: Session, chain: Sequence[Organisation], now: datetime, *, without: int | None = None
) -> list[Allowance]:
    """Return the limits that hold for an organisation, with what is used of each.

    Those of the organisation itself and of all above it; the default counts for authorities that
    have none of their own. What is decided by it needs the locks of `lock_chain`.

    Args:
        session: the database session.
        chain: the organisation and those above it.
        now: tells the year, as it is in Berlin.
        without: the id of an order that is not counted, since it is about to be decided.

    """
    limits, default = _limits(session)
    tree = load_tree(session)
    holding: list[tuple[Organisation, int, frozenset[int]]] = []
    for organisation in chain:
        per_year = limits.get(organisation.id)
        if per_year is None and organisation.level is Level.AUTHORITY:
            per_year = default
        if per_year is not None:
            holding.append((organisation, per_year, with_all_below(tree, [organisation.id])))
    if not holding:
        return []
    everybody = frozenset[int]().union(*(inside for _, _, inside in holding))
    got, approved = _got(session, everybody, now), _approved(session, everybody, without)
    return [
        Allowance(
            organisation.name,
            per_year,
            # What came back of last year's cards never leaves more than the limit.
            max(0, sum(got.get(one, 0) for one in inside))
            + sum(approved.get(one, 0) for one in inside),
        )
        for organisation, per_year, inside in holding
    ]


def check_limit(
    session: Session,
    chain: Sequence[Organisation],
    wanted: int,
    now: datetime,
    *,
    without: int | None = None,
) -> str:
    """Return in words which limit an order would exceed, or "" if it fits; see `allowances`."""
    allowance = tightest(allowances(session, chain, now, without=without))
    return over_limit(allowance, wanted) if allowance else ""


def set_limit(
    session: Session, actor: Actor, organisation_id: int | None, per_year: int, now: datetime
) -> None:
    """Set the limit of an organisation, or the default for every authority.

    Args:
        session: the open transaction.
        actor: somebody of the office.
        organisation_id: whose; None for the default.
        per_year: cards in a calendar year, 0 to `LARGEST_QUANTITY`.
        now: the present instant.

    Raises:
        DomainError: `not_found`, `inactive` or `bad_limit`.

    """
    _require_office(actor)
    if not 0 <= per_year <= LARGEST_QUANTITY:
        raise DomainError(
            "bad_limit", "Bitte geben Sie eine ganze Zahl ab 0 an.", field="per_year", status=422
        )
    if organisation_id is not None:
        (organisation,) = lock_organisations(session, organisation_id)
        check_active(organisation)
    row = _row(session, organisation_id)
    if row is None:
        is_default = True if organisation_id is None else None
        row = OrderLimit(organisation_id=organisation_id, is_default=is_default, per_year=per_year)
        session.add(row)
    row.per_year = per_year
    session.flush()
    record(
        session, actor, "card_limit_set", row, now,
        organisation_id=organisation_id, per_year=per_year,
    )  # fmt: skip


def remove_limit(session: Session, actor: Actor, limit_id: int, now: datetime) -> None:
    """Remove a limit: the default counts again, or, if it is the default, none.

    Raises:
        DomainError: `not_found`.

    """
    _require_office(actor)
    row = session.get(OrderLimit, limit_id)
    if row is None:
        raise not_found()
    record(session, actor, "card_limit_removed", row, now, organisation_id=row.organisation_id)
    session.delete(row)
    session.flush()


def _require_office(actor: Actor) -> None:
    if not actor.may(Permission.OFFICE):
        raise not_found()


def _row(session: Session, organisation_id: int | None) -> OrderLimit | None:
    whose = (
        OrderLimit.is_default.is_(True)
        if organisation_id is None
        else OrderLimit.organisation_id == organisation_id
    )
    return session.scalar(select(OrderLimit).where(whose))


def _limits(session: Session) -> tuple[dict[int, int], int | None]:
    limits: dict[int, int] = {}
    default = None
    for organisation_id, per_year in session.execute(
        select(OrderLimit.organisation_id, OrderLimit.per_year)
    ):
        if organisation_id is None:
            default = per_year
        else:
            limits[organisation_id] = per_year
    return limits, default


def _got(session: Session, inside: Collection[int], now: datetime) -> dict[int, int]:
    """Return what organisations got this year less what they brought back, in two statements."""
    year = berlin_day(now).year
    begins = end_of_day(date(year, 1, 1) - timedelta(days=1))
    ends = end_of_day(date(year, 12, 31))
    got: dict[int, int] = defaultdict(int)
    for end, sign in ((Movement.target, 1), (Movement.source, -1)):
        rows = session.execute(
            select(Movement.organisation_id, func.sum(Movement.quantity))
            .where(
                end == PlaceKind.ORGANISATION,
                Movement.organisation_id.in_(inside),
                Movement.at >= begins,
                Movement.at < ends,
            )
            .group_by(Movement.organisation_id)
        )
        for organisation_id, quantity in rows:
            got[organisation_id or 0] += sign * int(quantity)
    return got


def _approved(session: Session, inside: Collection[int], without: int | None) -> dict[int, int]:
    """Return what is approved for organisations and not sent yet, in one statement."""
    query = (
        select(CardOrder.organisation_id, func.sum(CardOrderLine.approved))
        .join(CardOrderLine, CardOrderLine.order_id == CardOrder.id)
        .where(CardOrder.organisation_id.in_(inside), CardOrder.state.in_(HOLDING))
        .group_by(CardOrder.organisation_id)
    )
    if without is not None:
        query = query.where(CardOrder.id != without)
    rows = session.execute(query)
    return {organisation_id or 0: int(quantity or 0) for organisation_id, quantity in rows}


def limit_rows(session: Session) -> list[OrderLimit]:
    """Return the limits that are set, the default first; one statement."""
    return list(
        session.scalars(
            select(OrderLimit)
            .outerjoin(Organisation, OrderLimit.organisation_id == Organisation.id)
            .options(contains_eager(OrderLimit.organisation))
            .order_by(OrderLimit.organisation_id.is_not(None), Organisation.sort_key, OrderLimit.id)
        )
    )
